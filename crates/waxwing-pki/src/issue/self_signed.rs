//! A certificate that vouches for itself.

use alloc::string::String;
use core::time::Duration;

use rcgen::DnType;
use waxwing_crypto::SecureRandom;
use zeroize::Zeroizing;

use super::key_type::to_pkcs8;
use super::template::{Purpose, Template};
use super::{IssueError, Issued, KeyType};
use crate::{AltName, UnixTime};

/// A new self-signed certificate and its key.
#[derive(Clone, Debug)]
pub struct SelfSigned(Issued);

impl SelfSigned {
    /// Begins one with these names; for a server, unless told otherwise.
    pub fn builder(names: impl IntoIterator<Item = AltName>) -> SelfSignedBuilder {
        SelfSignedBuilder {
            template: Template::new(names),
            key_type: KeyType::default(),
        }
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        self.0.certificate()
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.0.certificate_pem()
    }

    /// The private key in PKCS#8 DER, unencrypted.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.0.key()
    }

    /// The private key in PKCS#8 PEM, unencrypted.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.0.key_pem()
    }
}

impl From<SelfSigned> for Issued {
    fn from(made: SelfSigned) -> Self {
        made.0
    }
}

/// What a [`SelfSigned`] shall be like.
#[derive(Clone, Debug)]
pub struct SelfSignedBuilder {
    template: Template,
    key_type: KeyType,
}

impl SelfSignedBuilder {
    /// The common name; the first of the names unless told otherwise, if it is short enough.
    #[must_use]
    pub fn common_name(mut self, name: impl Into<String>) -> Self {
        self.template.common_name = Some(name.into());
        self
    }

    /// For a client instead of a server. A server that has it as a trust anchor of its
    /// [`ClientVerifier`](crate::ClientVerifier) lets in whoever holds its key.
    #[must_use]
    pub const fn for_clients(mut self) -> Self {
        self.template.purpose = Purpose::Clients;
        self
    }

    /// For a peer that is a server here and a client there.
    #[must_use]
    pub const fn for_servers_and_clients(mut self) -> Self {
        self.template.purpose = Purpose::Both;
        self
    }

    /// The kind of key; ECDSA on P-256 unless told otherwise.
    #[must_use]
    pub const fn key_type(mut self, key_type: KeyType) -> Self {
        self.key_type = key_type;
        self
    }

    /// When its validity begins; one hour ago unless told otherwise.
    #[must_use]
    pub const fn valid_from(mut self, not_before: UnixTime) -> Self {
        self.template.not_before = Some(not_before);
        self
    }

    /// How long it is valid; 365 days unless told otherwise. See
    /// [`MAX_BROWSER_VALIDITY`](crate::MAX_BROWSER_VALIDITY).
    #[must_use]
    pub const fn valid_for(mut self, validity: Duration) -> Self {
        self.template.validity = Some(validity);
        self
    }

    /// Makes the key and the certificate. The serial number comes from `random`.
    ///
    /// # Errors
    /// If there is no name, a name is not ASCII, the dates cannot be expressed, or the
    /// cryptography library fails.
    pub fn issue(&self, random: &dyn SecureRandom) -> Result<SelfSigned, IssueError> {
        let mut params = self.template.leaf(random, None)?;
        // It is an issuer, and those have a name (RFC 5280, Section 4.1.2.4).
        if params.distinguished_name.iter().next().is_none() {
            params
                .distinguished_name
                .push(DnType::CommonName, "self-signed");
        }
        let key = self.key_type.key_pair().map_err(IssueError::library)?;
        let certificate = params.self_signed(&key).map_err(IssueError::library)?;
        let certificate = certificate.der().to_vec();
        Ok(SelfSigned(Issued::new(certificate, to_pkcs8(key))))
    }
}
