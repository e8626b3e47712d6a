//! Signatures: making them, and checking them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::{CryptoError, CryptoProvider, SignatureScheme, SubjectPublicKeyInfo};

/// A private key that can sign. It may live in this process, in a token, or across a network.
pub trait SigningKey: Send + Sync + fmt::Debug {
    /// The schemes this key can serve, in order of preference.
    fn schemes(&self) -> &[SignatureScheme];

    /// Signs `message` (not a hash of it).
    ///
    /// A key that cannot answer at once returns [`Signing::Pending`]; the engine then asks its
    /// caller for the signature.
    ///
    /// # Errors
    /// [`CryptoError::Misuse`] if `scheme` is not among [`Self::schemes`].
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Signing, CryptoError>;

    /// The DER of the matching SubjectPublicKeyInfo, where the key can tell it.
    fn public_key(&self) -> Option<Vec<u8>>;
}

/// What a [`SigningKey`] answers.
#[derive(Debug)]
pub enum Signing {
    /// The signature.
    Done(Vec<u8>),
    /// The signature will come later, through the engine's answer.
    Pending,
}

/// How a private key is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEncoding {
    /// PKCS#8 (RFC 5958), unencrypted.
    Pkcs8,
    /// PKCS#1 `RSAPrivateKey` (RFC 8017).
    Pkcs1,
    /// SEC1 `ECPrivateKey` (RFC 5915).
    Sec1,
}

/// Turns encoded private keys into signers.
pub trait KeyLoader: Send + Sync {
    /// Loads one key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] if the key is malformed, of a kind the provider lacks, or an
    /// RSA key of fewer than 2048 bits.
    fn load(&self, encoding: KeyEncoding, der: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError>;
}

/// Checks one signature.
pub trait VerifySignature: Send + Sync {
    /// `public_key` is the content of the `subjectPublicKey` bit string.
    ///
    /// # Errors
    /// [`CryptoError::Unauthentic`] if the signature is not valid, for whatever reason.
    fn verify(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;
}

/// A signature algorithm as certificates and handshakes name it.
pub struct SignatureAlgorithm {
    /// The code point under which TLS 1.3's CertificateVerify and `signature_algorithms` know
    /// this pair of key and signature; `None` if only certificates may use it.
    pub scheme: Option<SignatureScheme>,
    /// Content of the key's `AlgorithmIdentifier` (DER, without the outer SEQUENCE header).
    pub key_algorithm: &'static [u8],
    /// Content of the signature's `AlgorithmIdentifier` (likewise).
    pub signature_algorithm: &'static [u8],
    /// The check itself.
    pub verifier: &'static dyn VerifySignature,
}

impl fmt::Debug for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureAlgorithm({:?})", self.scheme)
    }
}

/// Checks a handshake signature made with the key in `spki` (a DER SubjectPublicKeyInfo).
///
/// # Errors
/// [`CryptoError::InvalidKey`] if `spki` is malformed or no algorithm of the provider pairs its
/// kind of key with `scheme`; [`CryptoError::Unauthentic`] if the signature is not valid.
pub fn verify_with_spki(
    provider: &CryptoProvider,
    scheme: SignatureScheme,
    spki: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    let spki = SubjectPublicKeyInfo::parse(spki)?;
    let algorithm = provider
        .signatures
        .iter()
        .find(|candidate| {
            candidate.scheme == Some(scheme) && candidate.key_algorithm == spki.algorithm
        })
        .ok_or(CryptoError::InvalidKey)?;
    algorithm
        .verifier
        .verify(spki.public_key, message, signature)
}
