//! What was agreed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, Digest, Hash, HmacKey, NamedGroup, SignatureScheme, kdf};
#[cfg(feature = "tls12")]
use zeroize::Zeroizing;

mod carried;

use crate::error::Misuse;
#[cfg(feature = "tls12")]
use crate::handshake::schedule12::MAIN_SECRET_LEN;
use crate::messages::{CertificateType, ProtocolVersion};
use crate::{DnsName, Error, Note};

/// What the handshake agreed on. Fields fill as it proceeds; all that apply are there once it is
/// complete.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The protocol version.
    pub version: Option<ProtocolVersion>,
    /// The cipher suite.
    pub cipher_suite: Option<CipherSuite>,
    /// The key exchange group.
    pub group: Option<NamedGroup>,
    /// What the server's Certificate holds (RFC 7250).
    pub server_certificate_type: CertificateType,
    /// What a client's Certificate holds, if it shows one.
    pub client_certificate_type: CertificateType,
    /// How the server signed the handshake.
    pub signature_scheme: Option<SignatureScheme>,
    /// How the client signed the handshake, if it showed a certificate.
    pub client_signature_scheme: Option<SignatureScheme>,
    /// The application protocol.
    pub alpn: Option<Box<[u8]>>,
    /// On a server: the name that the client asked for.
    pub server_name: Option<DnsName>,
    /// Whether the connection resumes an earlier one, and takes from there who the peer is.
    pub resumed: bool,
    /// The identity of the key that both sides knew before, if the connection rests on one.
    pub psk_identity: Option<Box<[u8]>>,
    /// What became of early data.
    pub early_data: EarlyDataStatus,
    /// Whether a HelloRetryRequest cost a round trip.
    pub retried: bool,
    /// In TLS 1.2: whether the secrets are bound to the whole handshake (RFC 7627). TLS 1.3
    /// always does so.
    pub extended_main_secret: bool,
    /// In TLS 1.2: whether the peer signals secure renegotiation (RFC 5746). Nothing is ever
    /// renegotiated here; a peer without it is an old one.
    pub secure_renegotiation: bool,
    /// On a client: whether the server asked for a certificate.
    pub client_auth_requested: bool,
    /// On a server: whether the client showed a certificate and proved to hold its key, in the
    /// handshake or after it.
    pub client_authenticated: bool,
    /// Whether the server may ask the client for a certificate after the handshake (RFC 9846,
    /// Section 4.7.2). A client knows that it agreed to that, a server that both did.
    pub post_handshake_auth: bool,
    /// The peer's certificates in DER, its own first, if the configuration keeps them; of a raw
    /// public key its SubjectPublicKeyInfo.
    pub peer_chain: Vec<Box<[u8]>>,
    /// The OCSP response that the server stapled, if the configuration keeps the chain.
    pub ocsp: Option<Box<[u8]>>,
    /// The encoded SignedCertificateTimestampList from the handshake, if the configuration asks
    /// for it and keeps the chain.
    pub scts: Option<Box<[u8]>>,
    /// What the verifier wants known of the peer, which has proved to hold its key.
    pub peer_note: Option<Note>,
    /// Keying material bound to early data, where there is some (RFC 9846, Section 7.5). It is not
    /// secret from whoever learns the session's secret later.
    pub early_exporter: Option<Box<Exporter>>,
    /// Keying material for other protocols; there once the handshake is complete.
    pub exporter: Option<Exporter>,
}

/// What became of early data (RFC 9846, Section 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyDataStatus {
    /// The client offered none.
    #[default]
    NotOffered,
    /// The client offered it, and does not know yet what the server does with it.
    Offered,
    /// The server takes it.
    Accepted,
    /// The server did not take it: what a client sent it has to send once more.
    Rejected,
}

/// Derives keying material for other protocols (RFC 9846, Section 7.5; RFC 5705).
pub struct Exporter(Kind);

enum Kind {
    Tls13 {
        hash: &'static Hash,
        secret: Digest,
    },
    #[cfg(feature = "tls12")]
    Tls12(Box<Tls12>),
}

#[cfg(feature = "tls12")]
struct Tls12 {
    hash: &'static Hash,
    main_secret: Zeroizing<[u8; MAIN_SECRET_LEN]>,
    client_random: [u8; 32],
    server_random: [u8; 32],
}

impl Exporter {
    /// From the exporter secret of TLS 1.3.
    pub(crate) const fn tls13(hash: &'static Hash, secret: Digest) -> Self {
        Self(Kind::Tls13 { hash, secret })
    }

    /// From the main secret of TLS 1.2 and the randoms of both sides.
    #[cfg(feature = "tls12")]
    pub(crate) fn tls12(
        hash: &'static Hash,
        main_secret: Zeroizing<[u8; MAIN_SECRET_LEN]>,
        client_random: [u8; 32],
        server_random: [u8; 32],
    ) -> Self {
        Self(Kind::Tls12(Box::new(Tls12 {
            hash,
            main_secret,
            client_random,
            server_random,
        })))
    }

    /// Fills `out` from `label` and `context`. In TLS 1.3 no context is the same as an empty
    /// one; in TLS 1.2 the two differ.
    ///
    /// # Errors
    /// [`Misuse::ExporterLength`] if a length does not fit; [`Misuse::ReservedLabel`] for the
    /// labels that TLS 1.2 itself uses.
    pub fn export(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let too_long = |_| Error::from(Misuse::ExporterLength);
        let (hash, secret) = match &self.0 {
            Kind::Tls13 { hash, secret } => (*hash, secret),
            #[cfg(feature = "tls12")]
            Kind::Tls12(exporter) => return exporter.export(label, context, out),
        };
        let empty = hash.digest_of_empty();
        let key = hash.hmac_key(secret.as_ref());
        let derived = kdf::derive(&key, label, empty.as_ref()).map_err(too_long)?;
        let key: HmacKey = hash.hmac_key(derived.as_ref());
        let context = hash.digest(&[context.unwrap_or_default()]);
        kdf::expand_label(&key, b"exporter", context.as_ref(), out).map_err(too_long)
    }
}

#[cfg(feature = "tls12")]
impl Tls12 {
    /// RFC 5705, Section 4.
    fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Error> {
        const RESERVED: [&[u8]; 5] = [
            b"client finished",
            b"server finished",
            b"master secret",
            b"extended master secret",
            b"key expansion",
        ];
        if RESERVED.contains(&label) {
            return Err(Misuse::ReservedLabel.into());
        }
        let too_long = |_| Error::from(Misuse::ExporterLength);
        let len = u16::try_from(context.unwrap_or_default().len())
            .map_err(|_| Misuse::ExporterLength)?
            .to_be_bytes();
        let (client, server) = (&self.client_random, &self.server_random);
        let key = self.hash.hmac_key(self.main_secret.as_slice());
        match context {
            None => kdf::prf12(&key, label, &[client, server], out),
            Some(context) => kdf::prf12(&key, label, &[client, server, &len, context], out),
        }
        .map_err(too_long)
    }
}

impl Exporter {
    /// The `tls-exporter` channel binding (RFC 9266, Section 2).
    ///
    /// # Errors
    /// None in practice: the lengths are fixed.
    pub fn channel_binding(&self) -> Result<[u8; 32], Error> {
        let mut binding = [0; 32];
        self.export(b"EXPORTER-Channel-Binding", None, &mut binding)?;
        Ok(binding)
    }
}

impl core::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Exporter")
    }
}
