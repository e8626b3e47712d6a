//! What this engine knows by name and never speaks: old versions, weak cipher suites, extensions
//! that were given up. It is recognised so that a trace can say what it was, and where it says
//! why; and so that a client of nothing but RC4 gets the alert that is meant for it.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use core::fmt;

use waxwing_crypto::{CipherSuite, SignatureScheme};

use crate::messages::{ExtensionType, HandshakeType, ProtocolVersion};
use crate::{CertificateError, Error, Incompatible, PeerError};

mod tell;

pub(crate) use tell::{tell, tell_established};

macro_rules! refusals {
    ($($variant:ident => $what:literal, $why:literal, $document:literal;)*) => {
        /// Something that this engine recognises and never speaks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refused {
            $(#[doc = concat!($what, ": ", $why, " (", $document, ")")] $variant,)*
        }

        impl Refused {
            /// Every member, for tables and tests.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// What it is.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$variant => $what,)*
                }
            }

            /// Why it is refused, in a few words.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self {
                    $(Self::$variant => $why,)*
                }
            }

            /// The document that says why, or that defined it if none does.
            #[must_use]
            pub const fn document(self) -> &'static str {
                match self {
                    $(Self::$variant => $document,)*
                }
            }
        }
    };
}

refusals! {
    Ssl2 => "SSL 2.0", "anybody can change its handshake", "RFC 6176";
    Ssl3 => "SSL 3.0", "its padding is not authenticated", "RFC 7568";
    Tls10 => "TLS 1.0", "it rests on MD5 and SHA-1", "RFC 8996";
    Tls11 => "TLS 1.1", "it rests on MD5 and SHA-1", "RFC 8996";

    NoEncryption => "cipher suites without encryption",
        "everybody could read along", "RFC 9325, Section 4.1";
    NoAuthentication => "cipher suites without authentication",
        "anybody could be in the middle", "RFC 9325, Section 4.1";
    Export => "export cipher suites", "keys of 40 or 56 bits", "RFC 9325, Section 4.1";
    Rc4 => "RC4", "its output is biased", "RFC 7465";
    DesOrIdea => "DES and IDEA", "short keys or short blocks", "RFC 8996";
    TripleDes => "3DES", "its blocks of 64 bits collide", "RFC 9325";
    RsaKeyExchange => "RSA key exchange",
        "no forward secrecy, and an oracle for whoever asks often", "RFC 10015";
    StaticDiffieHellman => "static Diffie-Hellman", "no forward secrecy", "RFC 10015";
    FiniteFieldDiffieHellman => "Diffie-Hellman in finite fields",
        "its groups cannot be negotiated in TLS 1.2", "RFC 10015";
    Cbc => "CBC", "the MAC comes before the padding", "RFC 9325, Section 4.2";
    Seed => "SEED", "hardly anybody speaks it", "RFC 4162";
    Camellia => "Camellia", "hardly anybody speaks it", "RFC 5932 and RFC 6367";
    Aria => "ARIA", "hardly anybody speaks it", "RFC 6209";
    Kerberos => "Kerberos cipher suites", "hardly anybody speaks them", "RFC 2712";
    Srp => "SRP", "hardly anybody speaks it", "RFC 5054";

    ClientCertificateUrl => "client_certificate_url",
        "the client would choose what the server fetches", "RFC 6066, Section 11.3";
    TrustedCaKeys => "trusted_ca_keys", "hardly anybody speaks it", "RFC 6066, Section 6";
    TruncatedHmac => "truncated_hmac", "short MACs can be forged", "RFC 9325, Section 4.6";
    UserMapping => "user_mapping", "hardly anybody speaks it", "RFC 4681";
    Authorization => "client_authz and server_authz", "hardly anybody speaks them", "RFC 5878";
    OpenPgp => "OpenPGP certificates", "hardly anybody speaks it", "RFC 6091";
    Heartbeat => "heartbeat", "of no use over TCP", "RFC 6520";
    StatusRequestV2 => "status_request_v2", "TLS 1.3 replaced it", "RFC 6961";
    TokenBinding => "token_binding", "browsers gave it up", "RFC 8472";
    CachedInfo => "cached_info", "hardly anybody speaks it", "RFC 7924";
    NextProtocol => "NPN", "ALPN replaced it", "RFC 7301";
    ApplicationSettings => "ALPS", "no more than a draft", "draft-vvv-tls-alps";
    ChannelId => "Channel ID", "no more than a draft", "draft-balfanz-tls-channelid";
    SupplementalData => "supplemental data", "hardly anybody speaks it", "RFC 4680";

    Compression => "compression", "lengths tell of secrets", "RFC 9325, Section 3.3";
    Renegotiation => "renegotiation", "one handshake is enough", "RFC 9325, Section 3.5";
    NoSecureRenegotiation => "a peer without secure renegotiation",
        "somebody else's handshake could come before it", "RFC 5746";
    NoExtendedMainSecret => "a session without extended main secret",
        "two connections could have the same secrets", "RFC 7627";
    Md5OrSha1Signature => "signatures with MD5 or SHA-1", "their collisions are found", "RFC 9155";
    WeakCertificate => "weak certificates", "their signatures can be forged", "RFC 9155";
    Downgrade => "a marked downgrade", "somebody changed the hello",
        "RFC 9846, Section 4.2.3";
    Fallback => "a fallback to an older version", "a newer one is there", "RFC 7507";
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.what(), self.why(), self.document())
    }
}

/// Runs of code points: the first, and a letter for each; see [`family`]. A suite that is bad in
/// many ways is named after its key exchange first, then after the worst of its cipher.
const SUITES: [(u16, &[u8]); 6] = [
    (
        0x0000,
        b"nnnx44xdxd3xd3xd3xd3xd3aaaaa--kkkkkkkkkkkkkknnnrttffarttffanrrtt\
          fccccca",
    ),
    (0x0060, b"xxxxxx4fttffaa"),
    (
        0x0084,
        b"ccccca43bb43bb43rrsssssarrffttffttaa----rrbbnnbbnnrrnncccccacccc\
          ca",
    ),
    (
        0xc001,
        b"n43ttn43bbn43ttn43bbnaaaapppppppppbbttbbtt--tt--tt43bbbbnnniiiii\
          iiiiiaaiiiiiiiiiiiiiiiiiiaaiiiiiiiiiiiiiiiiiiiiiicccccccccccccccccc\
          aaccccccccccccccccccccccrrffrrff",
    ),
    (0xc0b4, b"nn"),
    (0xccaa, b"f---r"),
];

const fn family(letter: u8) -> Option<Refused> {
    Some(match letter {
        b'n' => Refused::NoEncryption,
        b'a' => Refused::NoAuthentication,
        b'k' => Refused::Kerberos,
        b'p' => Refused::Srp,
        b'x' => Refused::Export,
        b'4' => Refused::Rc4,
        b'd' => Refused::DesOrIdea,
        b'3' => Refused::TripleDes,
        b's' => Refused::Seed,
        b'c' => Refused::Camellia,
        b'i' => Refused::Aria,
        b'r' => Refused::RsaKeyExchange,
        b't' => Refused::StaticDiffieHellman,
        b'f' => Refused::FiniteFieldDiffieHellman,
        b'b' => Refused::Cbc,
        _ => return None,
    })
}

/// What is wrong with a cipher suite; `None` if nothing is, or if it is not known here.
pub(crate) fn suite(id: CipherSuite) -> Option<Refused> {
    SUITES.iter().find_map(|(first, letters)| {
        let place = usize::from(id.0.checked_sub(*first)?);
        family(*letters.get(place)?)
    })
}

/// What an extension stands for that nobody here speaks.
pub(crate) const fn extension(typ: ExtensionType) -> Option<Refused> {
    Some(match typ {
        ExtensionType::CLIENT_CERTIFICATE_URL => Refused::ClientCertificateUrl,
        ExtensionType::TRUSTED_CA_KEYS => Refused::TrustedCaKeys,
        ExtensionType::TRUNCATED_HMAC => Refused::TruncatedHmac,
        ExtensionType::USER_MAPPING => Refused::UserMapping,
        ExtensionType::CLIENT_AUTHZ | ExtensionType::SERVER_AUTHZ => Refused::Authorization,
        ExtensionType::CERT_TYPE => Refused::OpenPgp,
        ExtensionType::SRP => Refused::Srp,
        ExtensionType::HEARTBEAT => Refused::Heartbeat,
        ExtensionType::STATUS_REQUEST_V2 => Refused::StatusRequestV2,
        ExtensionType::TOKEN_BINDING => Refused::TokenBinding,
        ExtensionType::CACHED_INFO => Refused::CachedInfo,
        ExtensionType::NEXT_PROTOCOL_NEGOTIATION => Refused::NextProtocol,
        ExtensionType::APPLICATION_SETTINGS => Refused::ApplicationSettings,
        ExtensionType::CHANNEL_ID => Refused::ChannelId,
        _ => return None,
    })
}

const fn version(version: ProtocolVersion) -> Option<Refused> {
    Some(match version {
        ProtocolVersion::SSL3 => Refused::Ssl3,
        ProtocolVersion::TLS10 => Refused::Tls10,
        ProtocolVersion::TLS11 => Refused::Tls11,
        _ => return None,
    })
}

/// RSA, DSA and ECDSA with MD5 or SHA-1 (RFC 5246, Section 7.4.1.4.1).
const fn scheme(scheme: SignatureScheme) -> Option<Refused> {
    match scheme.0 {
        0x0101..=0x0103 | 0x0201..=0x0203 => Some(Refused::Md5OrSha1Signature),
        _ => None,
    }
}

/// Messages that belong to something nobody here speaks.
const fn message(typ: HandshakeType) -> Option<Refused> {
    Some(match typ {
        HandshakeType::HELLO_REQUEST => Refused::Renegotiation,
        HandshakeType::CERTIFICATE_URL => Refused::ClientCertificateUrl,
        HandshakeType::SUPPLEMENTAL_DATA => Refused::SupplementalData,
        HandshakeType::NEXT_PROTOCOL => Refused::NextProtocol,
        _ => return None,
    })
}

impl Refused {
    /// What an error stands for, if no message has shown it before.
    pub(crate) fn of_error(error: &Error) -> Option<Self> {
        Some(match error {
            Error::Peer(PeerError::Ssl2Hello) => Self::Ssl2,
            Error::Peer(PeerError::Heartbeat) => Self::Heartbeat,
            Error::Peer(PeerError::RenegotiationInfo) => Self::Renegotiation,
            Error::Peer(PeerError::Downgrade) => Self::Downgrade,
            Error::Peer(PeerError::Fallback) => Self::Fallback,
            Error::Incompatible(Incompatible::SecureRenegotiation) => Self::NoSecureRenegotiation,
            Error::Incompatible(Incompatible::ExtendedMainSecret) => Self::NoExtendedMainSecret,
            Error::Certificate(rejection) if rejection.code == CertificateError::TooWeak => {
                Self::WeakCertificate
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use waxwing_aws_lc::PROVIDER;

    use super::*;

    /// Code points and names of the IANA registry "TLS Cipher Suites", and of those that it
    /// reserves because they were deployed.
    const REGISTRY: &str = include_str!("suites.txt");

    fn registry() -> impl Iterator<Item = (u16, &'static str)> {
        REGISTRY.lines().map(|line| {
            let (id, name) = line.split_once(' ').unwrap();
            (u16::from_str_radix(id, 16).unwrap(), name)
        })
    }

    /// What a name tells.
    fn of_name(name: &str) -> Option<Refused> {
        let (exchange, cipher) = name.split_once("_WITH_").unwrap_or(("", name));
        let exchanges = [
            ("_anon", Refused::NoAuthentication),
            ("_KRB5", Refused::Kerberos),
            ("_SRP", Refused::Srp),
            ("_EXPORT", Refused::Export),
        ];
        let ciphers = [
            ("RC4_", Refused::Rc4),
            ("IDEA_", Refused::DesOrIdea),
            ("DES_CBC", Refused::DesOrIdea),
            ("3DES_", Refused::TripleDes),
            ("SEED_", Refused::Seed),
            ("CAMELLIA_", Refused::Camellia),
            ("ARIA_", Refused::Aria),
        ];
        let without = cipher.starts_with("NULL_") || cipher.starts_with("TLS_SHA");
        let found = exchanges.iter().find(|(part, _)| exchange.contains(part));
        let found = found.or_else(|| ciphers.iter().find(|(part, _)| cipher.starts_with(part)));
        if without {
            Some(Refused::NoEncryption)
        } else if let Some((_, refused)) = found {
            Some(*refused)
        } else if exchange.starts_with("TLS_RSA") {
            Some(Refused::RsaKeyExchange)
        } else if exchange.starts_with("TLS_DH_") || exchange.starts_with("TLS_ECDH_") {
            Some(Refused::StaticDiffieHellman)
        } else if exchange == "TLS_DHE_RSA" || exchange == "TLS_DHE_DSS" {
            Some(Refused::FiniteFieldDiffieHellman)
        } else {
            cipher.contains("_CBC_").then_some(Refused::Cbc)
        }
    }

    #[test]
    fn every_registered_suite_is_named_by_what_is_wrong_with_it() {
        for (id, name) in registry() {
            assert_eq!(suite(CipherSuite(id)), of_name(name), "0x{id:04x} {name}");
        }
        let named = (0..=u16::MAX).filter(|id| suite(CipherSuite(*id)).is_some());
        let registered: Vec<u16> = registry().map(|(id, _)| id).collect();
        for id in named {
            assert!(registered.contains(&id), "0x{id:04x}");
        }
    }

    #[test]
    fn what_is_spoken_is_not_refused() {
        let new = PROVIDER.suites13.iter().map(|suite| suite.id);
        let old = PROVIDER.suites12.iter().map(|suite| suite.id);
        for id in new.chain(old) {
            assert_eq!(suite(id), None, "{id}");
        }
        for signal in [
            CipherSuite::FALLBACK_SCSV,
            CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV,
            CipherSuite(0x0a0a),
        ] {
            assert_eq!(suite(signal), None);
        }
        for known in PROVIDER.signature_schemes() {
            assert_eq!(scheme(known), None, "{known}");
        }
        assert_eq!(version(ProtocolVersion::TLS12), None);
        assert_eq!(version(ProtocolVersion::TLS13), None);
    }

    #[test]
    fn everything_has_a_name_and_a_document() {
        let mut names: Vec<&str> = Refused::ALL.iter().map(|refused| refused.what()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for refused in Refused::ALL {
            let document = refused.document();
            assert!(document.starts_with("RFC ") || document.starts_with("draft-"));
            assert!(!refused.why().is_empty());
        }
    }
}
