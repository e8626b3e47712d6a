//! A certificate that vouches for itself.

use alloc::string::String;

use rcgen::DnType;
use waxwing_crypto::SecureRandom;
use zeroize::Zeroizing;

use super::key_type::to_pkcs8;
use super::leaf::{Itself, LeafBuilder};
use super::{IssueError, Issued};
use crate::AltName;

/// A new self-signed certificate and its key.
#[derive(Clone, Debug)]
pub struct SelfSigned(Issued);

impl SelfSigned {
    /// Begins one with these names; for a server, unless told otherwise.
    pub fn builder(names: impl IntoIterator<Item = AltName>) -> LeafBuilder<Itself> {
        LeafBuilder::new(Itself, names)
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

impl LeafBuilder<Itself> {
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
