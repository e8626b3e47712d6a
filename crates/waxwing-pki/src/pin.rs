//! Trusting exactly one certificate or key, without any authority.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use waxwing_core::{
    CertificateType, ClientCertRequest, ClientCertVerifier, ServerCertRequest, ServerCertVerifier,
    Verdict, Verified,
};

use crate::end_entity;
use crate::explain::{at_fault, verdict};
use crate::public_key::{Strength, refuse_weak};
use crate::rules::Role;
use crate::{Clock, Code, Failure, Peer};

/// The SHA-256 of a certificate or of its key.
///
/// As text, a key is `sha256/BASE64`, and a certificate 64 hexadecimal digits. Also read are
/// curl's `sha256//BASE64` for a key, and digits with colons between the bytes as `openssl x509
/// -fingerprint` prints them, for a certificate. `cert:` or `key:` before hexadecimal digits
/// says which of the two is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pin {
    /// Of the whole certificate in DER.
    Certificate([u8; 32]),
    /// Of the SubjectPublicKeyInfo in DER; it outlives a renewal that keeps the key.
    Key([u8; 32]),
}

impl Pin {
    /// The pin of a certificate in DER.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Self {
        Self::Certificate(Sha256::digest(der).into())
    }

    /// The pin of a key, given its DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        Self::Key(Sha256::digest(spki).into())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(hash) => f.write_str(&hex::encode(hash)),
            Self::Key(hash) => write!(f, "sha256/{}", BASE64_STANDARD.encode(hash)),
        }
    }
}

impl FromStr for Pin {
    type Err = InvalidPin;

    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        let pin = if let Some(rest) = text.strip_prefix("sha256/") {
            // Base64 itself may begin with a slash, so curl's second one is looked for last.
            from_base64(rest)
                .or_else(|| from_base64(rest.strip_prefix('/')?))
                .map(Self::Key)
        } else if let Some(digits) = text.strip_prefix("key:") {
            from_hex(digits).map(Self::Key)
        } else {
            from_hex(text.strip_prefix("cert:").unwrap_or(text)).map(Self::Certificate)
        };
        pin.ok_or_else(|| InvalidPin(text.into()))
    }
}

fn from_base64(text: &str) -> Option<[u8; 32]> {
    let hash = BASE64_STANDARD_NO_PAD
        .decode(text.trim_end_matches('='))
        .ok()?;
    hash.try_into().ok()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    hex::decode(digits).ok()?.try_into().ok()
}

/// A text that is no pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPin(String);

impl fmt::Display for InvalidPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no pin: it must be sha256/BASE64 of a key, or the SHA-256 of a \
             certificate in hexadecimal",
            self.0
        )
    }
}

impl core::error::Error for InvalidPin {}

/// Accepts a server or a client that presents a pinned certificate or key, whoever issued it and
/// for what: also a self-signed certificate, and one marked as an authority.
///
/// The rest of the chain does not matter. A server's name, and the dates, are checked unless told
/// otherwise. A raw public key (RFC 7250) has neither; it is accepted if it is pinned.
///
/// ```
/// use std::sync::Arc;
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_core::{CertificateType, ClientConfig, ConfigError};
/// use waxwing_pki::{Pin, PinnedVerifier};
///
/// /// For a server that has this key and no certificate.
/// fn client(key: Pin) -> Result<Arc<ClientConfig>, ConfigError> {
///     ClientConfig::builder(&PROVIDER, Arc::new(PinnedVerifier::new([key])))
///         .server_certificate_types([CertificateType::RAW_PUBLIC_KEY])
///         .build()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PinnedVerifier {
    pins: Vec<Pin>,
    clock: Clock,
    any_name: bool,
    any_time: bool,
}

impl PinnedVerifier {
    /// Accepts whoever matches one of `pins`.
    pub fn new(pins: impl IntoIterator<Item = Pin>) -> Self {
        Self {
            pins: pins.into_iter().collect(),
            clock: Clock::System,
            any_name: false,
            any_time: false,
        }
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub const fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Does not compare the certificate's names with the server's: the pin says enough.
    #[must_use]
    pub const fn any_name(mut self) -> Self {
        self.any_name = true;
        self
    }

    /// Does not look at the dates in the certificate: the pin is good until it is changed.
    #[must_use]
    pub const fn any_time(mut self) -> Self {
        self.any_time = true;
        self
    }

    fn check(
        &self,
        typ: CertificateType,
        chain: &[&[u8]],
        peer: Peer<'_>,
    ) -> Result<Verified, Failure> {
        let leaf = chain
            .first()
            .ok_or_else(|| Failure::new(Code::Malformed, "there is no certificate"))?;
        if typ == CertificateType::RAW_PUBLIC_KEY {
            return self.check_raw(leaf, peer);
        }
        let certificate = Pin::of_certificate(leaf);
        let key = Pin::of_spki(&end_entity::spki(leaf)?);
        if !self.pins.contains(&certificate) && !self.pins.contains(&key) {
            let peer = peer.word();
            let reason = format!("the {peer}'s key is {key}, its certificate {certificate}");
            return Err(at_fault(Failure::new(Code::PinMismatch, reason), chain, 0));
        }
        let now = if self.any_time {
            None
        } else {
            Some(self.clock.known()?)
        };
        let name = peer.name().filter(|_| !self.any_name);
        let verified = end_entity::accept(leaf, name, now, Strength::LEAST)?;
        end_entity::check_may_sign(leaf)?;
        Ok(verified)
    }

    /// A key without a certificate (RFC 7250) has neither name nor dates: only a pin of it counts.
    fn check_raw(&self, spki: &[u8], peer: Peer<'_>) -> Result<Verified, Failure> {
        let key = Pin::of_spki(spki);
        if !self.pins.contains(&key) {
            let text = format!("the {}'s raw public key is {key}", peer.word());
            return Err(Failure::new(Code::PinMismatch, text));
        }
        refuse_weak(spki, Strength::LEAST, Role::EndEntity)?;
        Ok(Verified::holder_of(spki.to_vec()))
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        let peer = Peer::Server(request.name);
        verdict(self.check(request.certificate_type, request.chain, peer))
    }
}

impl ClientCertVerifier for PinnedVerifier {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        verdict(self.check(request.certificate_type, request.chain, Peer::Client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_the_own_form_read_back() {
        let (certificate, key) = (Pin::of_certificate(b"x"), Pin::of_spki(b"x"));
        let digits = hex::encode(Sha256::digest(b"x"));
        let colons: Vec<_> = digits
            .as_bytes()
            .chunks(2)
            .map(String::from_utf8_lossy)
            .collect();
        let base64 = BASE64_STANDARD.encode(Sha256::digest(b"x"));
        for (text, pin) in [
            (digits.clone(), certificate),
            (digits.to_uppercase(), certificate),
            (colons.join(":"), certificate),
            (format!("cert:{digits}"), certificate),
            (format!("key:{digits}"), key),
            (format!("sha256/{base64}"), key),
            (format!("sha256//{base64}"), key),
            (format!("sha256/{}", base64.trim_end_matches('=')), key),
        ] {
            assert_eq!(text.parse(), Ok(pin), "{text}");
            assert_eq!(pin.to_string().parse(), Ok(pin));
        }
    }

    #[test]
    fn base64_may_begin_with_a_slash() {
        let pin = Pin::Key([0xff; 32]);
        assert!(pin.to_string().starts_with("sha256//"));
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let curls = pin.to_string().replacen('/', "//", 1);
        assert_eq!(curls.parse(), Ok(pin));
    }

    #[test]
    fn what_is_no_pin_is_refused() {
        let short = "00".repeat(31);
        for bad in [
            "",
            "sha256/",
            "sha256/!",
            "sha1/AAAA",
            &short,
            &"00".repeat(33),
        ] {
            assert!(bad.parse::<Pin>().is_err(), "{bad}");
        }
    }
}
