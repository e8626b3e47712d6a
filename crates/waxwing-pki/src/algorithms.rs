//! The provider's signature algorithms, in the form that webpki asks for.

use alloc::vec::Vec;

use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use waxwing_crypto::{CryptoProvider, SignatureAlgorithm};

/// What can be checked in certificates.
#[derive(Debug)]
pub(crate) struct Algorithms(Vec<Adapter>);

impl Algorithms {
    pub(crate) fn of(provider: &CryptoProvider) -> Self {
        Self(provider.signatures.iter().map(Adapter).collect())
    }

    pub(crate) fn as_webpki(&self) -> Vec<&dyn SignatureVerificationAlgorithm> {
        self.0.iter().map(|adapter| adapter as _).collect()
    }
}

#[derive(Debug)]
struct Adapter(&'static SignatureAlgorithm);

impl SignatureVerificationAlgorithm for Adapter {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.0
            .verifier
            .verify(public_key, message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.0.key_algorithm)
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        AlgorithmIdentifier::from_slice(self.0.signature_algorithm)
    }
}
