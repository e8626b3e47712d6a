//! Keys of a provider, in the forms that the issuing library asks for.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rcgen::PublicKeyData;
use waxwing_crypto::{SignatureScheme, Signing, SigningKey, SubjectPublicKeyInfo};

use super::IssueError;
use crate::PublicKeyKind;

type Algorithm = &'static rcgen::SignatureAlgorithm;

/// A public key that a certificate is for.
pub(super) struct Subject {
    algorithm: Algorithm,
    scheme: SignatureScheme,
    bits: Vec<u8>,
}

impl Subject {
    /// From a DER SubjectPublicKeyInfo.
    pub(super) fn of_spki(spki: &[u8]) -> Result<Self, IssueError> {
        let kind = PublicKeyKind::of_spki(spki);
        let found = kind.as_ref().and_then(algorithm);
        let (scheme, algorithm) = found.ok_or_else(|| IssueError::Key(kind.clone()))?;
        let parsed = SubjectPublicKeyInfo::parse(spki).map_err(|_| IssueError::Key(None))?;
        let subject = Self {
            algorithm,
            scheme,
            bits: parsed.public_key.to_vec(),
        };
        // The library writes the algorithm anew; it has to be the same key in the end.
        if subject.subject_public_key_info() != spki {
            return Err(IssueError::Key(kind));
        }
        Ok(subject)
    }
}

impl PublicKeyData for Subject {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A private key that signs certificates or requests.
pub(super) struct Signer {
    subject: Subject,
    key: Arc<dyn SigningKey>,
}

impl Signer {
    pub(super) fn new(key: Arc<dyn SigningKey>) -> Result<Self, IssueError> {
        let spki = key.public_key().ok_or(IssueError::Key(None))?;
        let subject = Subject::of_spki(&spki)?;
        if !key.schemes().contains(&subject.scheme) {
            return Err(IssueError::Key(PublicKeyKind::of_spki(&spki)));
        }
        Ok(Self { subject, key })
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.subject.der_bytes()
    }

    fn algorithm(&self) -> Algorithm {
        self.subject.algorithm()
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self.key.sign(self.subject.scheme, message) {
            Ok(Signing::Done(signature)) => Ok(signature),
            // A key that answers later has no place in a call that returns the certificate.
            _ => Err(rcgen::Error::RemoteKeyError),
        }
    }
}

/// How keys of this kind sign in certificates. RSA does it in the way that every client reads.
fn algorithm(kind: &PublicKeyKind) -> Option<(SignatureScheme, Algorithm)> {
    Some(match kind {
        PublicKeyKind::Rsa(_) => (SignatureScheme::RSA_PKCS1_SHA256, &rcgen::PKCS_RSA_SHA256),
        PublicKeyKind::P256 => (
            SignatureScheme::ECDSA_SECP256R1_SHA256,
            &rcgen::PKCS_ECDSA_P256_SHA256,
        ),
        PublicKeyKind::P384 => (
            SignatureScheme::ECDSA_SECP384R1_SHA384,
            &rcgen::PKCS_ECDSA_P384_SHA384,
        ),
        PublicKeyKind::P521 => (
            SignatureScheme::ECDSA_SECP521R1_SHA512,
            &rcgen::PKCS_ECDSA_P521_SHA512,
        ),
        PublicKeyKind::Ed25519 => (SignatureScheme::ED25519, &rcgen::PKCS_ED25519),
        PublicKeyKind::MlDsa44 => (SignatureScheme::MLDSA44, &rcgen::PKCS_ML_DSA_44),
        PublicKeyKind::MlDsa65 => (SignatureScheme::MLDSA65, &rcgen::PKCS_ML_DSA_65),
        PublicKeyKind::MlDsa87 => (SignatureScheme::MLDSA87, &rcgen::PKCS_ML_DSA_87),
        _ => return None,
    })
}
