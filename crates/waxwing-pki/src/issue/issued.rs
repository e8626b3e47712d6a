//! What issuing gives.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::pem::to_pem;

/// A certificate and its new key.
#[derive(Clone)]
pub struct Issued {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Issued {
    pub(super) const fn new(certificate: Vec<u8>, key: Zeroizing<Vec<u8>>) -> Self {
        Self { certificate, key }
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        to_pem("CERTIFICATE", &self.certificate).to_string()
    }

    /// The private key in PKCS#8 DER, unencrypted.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The private key in PKCS#8 PEM, unencrypted.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        to_pem("PRIVATE KEY", &self.key)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("certificate", &hex::encode(&self.certificate))
            .finish_non_exhaustive()
    }
}
