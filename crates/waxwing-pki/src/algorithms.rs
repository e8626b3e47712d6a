//! The provider's signature algorithms, in the form that webpki asks for.

use alloc::vec::Vec;

use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use waxwing_crypto::{CryptoProvider, SignatureAlgorithm, SubjectPublicKeyInfo};

use crate::{Code, Failure, PublicKeyKind};

/// What can be checked in certificates.
#[derive(Debug)]
pub(crate) struct Algorithms(Vec<Adapter>);

impl Algorithms {
    pub(crate) fn of(provider: &CryptoProvider) -> Self {
        Self(provider.signatures.iter().map(Adapter).collect())
    }

    /// Refuses a key that no algorithm here, nor any of the usual ones, can verify with.
    pub(crate) fn check_key(&self, spki: &[u8]) -> Result<(), Failure> {
        let known = || {
            let spki = SubjectPublicKeyInfo::parse(spki).ok();
            let algorithms = self
                .0
                .iter()
                .map(|Adapter(algorithm)| algorithm.key_algorithm);
            spki.is_some_and(|spki| algorithms.into_iter().any(|own| own == spki.algorithm))
        };
        match PublicKeyKind::of_spki(spki) {
            Some(kind @ (PublicKeyKind::Other(_) | PublicKeyKind::Ed448)) if !known() => {
                let reason = format!("its key is not supported: {kind}");
                Err(Failure::new(Code::UnsupportedKey, reason))
            }
            None => Err(Failure::new(Code::Malformed, "its key is malformed")),
            Some(_) => Ok(()),
        }
    }

    /// Whether the key in `spki` made `signature` over `message`. `algorithm` is the content of
    /// the signature's AlgorithmIdentifier.
    pub(crate) fn verify(
        &self,
        spki: &SubjectPublicKeyInfo<'_>,
        algorithm: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let fits = |own: &SignatureAlgorithm| {
            own.signature_algorithm == algorithm && own.key_algorithm == spki.algorithm
        };
        self.0.iter().any(|Adapter(own)| {
            fits(own)
                && own
                    .verifier
                    .verify(spki.public_key, message, signature)
                    .is_ok()
        })
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
