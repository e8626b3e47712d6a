//! What was agreed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, Digest, Hash, HmacKey, NamedGroup, SignatureScheme, kdf};

use crate::error::Misuse;
use crate::messages::ProtocolVersion;
use crate::{DnsName, Error};

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
    /// How the server signed the handshake.
    pub signature_scheme: Option<SignatureScheme>,
    /// The application protocol.
    pub alpn: Option<Box<[u8]>>,
    /// On a server: the name that the client asked for.
    pub server_name: Option<DnsName>,
    /// Whether a HelloRetryRequest cost a round trip.
    pub retried: bool,
    /// The peer's certificates in DER, its own first, if the configuration keeps them.
    pub peer_chain: Vec<Box<[u8]>>,
    /// The OCSP response that the server stapled, if the configuration keeps the chain.
    pub ocsp: Option<Box<[u8]>>,
    /// Keying material for other protocols; there once the handshake is complete.
    pub exporter: Option<Exporter>,
}

/// Derives keying material for other protocols (RFC 9846, Section 7.5).
pub struct Exporter {
    pub(crate) hash: &'static Hash,
    pub(crate) secret: Digest,
}

impl Exporter {
    /// Fills `out` from `label` and `context`; no context is the same as an empty one.
    ///
    /// # Errors
    /// [`Misuse::ExporterLength`] if a length does not fit.
    pub fn export(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let too_long = |_| Error::from(Misuse::ExporterLength);
        let empty = self.hash.digest_of_empty();
        let key = self.hash.hmac_key(self.secret.as_ref());
        let derived = kdf::derive(&key, label, empty.as_ref()).map_err(too_long)?;
        let key: HmacKey = self.hash.hmac_key(derived.as_ref());
        let context = self.hash.digest(&[context.unwrap_or_default()]);
        kdf::expand_label(&key, b"exporter", context.as_ref(), out).map_err(too_long)
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
