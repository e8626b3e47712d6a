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
    /// this pair of key and signature; `None` if only certificates and TLS 1.2, where ECDSA has
    /// no fixed curve, may use it.
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

/// Checks a signature of a TLS 1.3 handshake made with the key in `spki` (a DER
/// SubjectPublicKeyInfo).
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
    find(provider, |candidate| {
        candidate.scheme == Some(scheme) && candidate.key_algorithm == spki.algorithm
    })?
    .verifier
    .verify(spki.public_key, message, signature)
}

/// Checks a signature of a TLS 1.2 handshake made with the key in `spki`.
///
/// There an ECDSA scheme stands for its hash with any curve (RFC 5246, Section 7.4.1.4.1;
/// RFC 9846, Section 4.3.3). It is for the caller to ask
/// [`SignatureScheme::tls12_authentication`] whether `scheme` goes with the cipher suite.
///
/// # Errors
/// As [`verify_with_spki`].
pub fn verify_with_spki12(
    provider: &CryptoProvider,
    scheme: SignatureScheme,
    spki: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    // Other schemes differ in more than a curve: rsa_pss_rsae and rsa_pss_pss make the same
    // signatures, and yet each has its own kind of key.
    if !scheme.is_ecdsa() {
        return verify_with_spki(provider, scheme, spki, message, signature);
    }
    let spki = SubjectPublicKeyInfo::parse(spki)?;
    let named = find(provider, |candidate| candidate.scheme == Some(scheme))?;
    find(provider, |candidate| {
        candidate.signature_algorithm == named.signature_algorithm
            && candidate.key_algorithm == spki.algorithm
    })?
    .verifier
    .verify(spki.public_key, message, signature)
}

fn find(
    provider: &CryptoProvider,
    fits: impl Fn(&SignatureAlgorithm) -> bool,
) -> Result<&'static SignatureAlgorithm, CryptoError> {
    let mut all = provider.signatures.iter();
    all.find(|candidate| fits(candidate))
        .ok_or(CryptoError::InvalidKey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecureRandom;

    type Verify = fn(&CryptoProvider, SignatureScheme, &[u8]) -> Result<(), CryptoError>;

    const TLS12: Verify =
        |provider, scheme, spki| verify_with_spki12(provider, scheme, spki, b"message", SIGNATURE);
    const TLS13: Verify =
        |provider, scheme, spki| verify_with_spki(provider, scheme, spki, b"message", SIGNATURE);

    const SIGNATURE: &[u8] = b"on SHA-256";

    /// Takes nothing but what its hash's name stands for.
    struct On(&'static [u8]);

    impl VerifySignature for On {
        fn verify(&self, _: &[u8], _: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
            if signature == self.0 {
                Ok(())
            } else {
                Err(CryptoError::Unauthentic)
            }
        }
    }

    struct Nothing;

    impl SecureRandom for Nothing {
        fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
            Err(CryptoError::Failed)
        }
    }

    impl KeyLoader for Nothing {
        fn load(&self, _: KeyEncoding, _: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
            Err(CryptoError::InvalidKey)
        }
    }

    const fn pair(
        scheme: Option<SignatureScheme>,
        key_algorithm: &'static [u8],
        signature_algorithm: &'static [u8],
        verifier: &'static On,
    ) -> SignatureAlgorithm {
        SignatureAlgorithm {
            scheme,
            key_algorithm,
            signature_algorithm,
            verifier,
        }
    }

    static SHA256: On = On(SIGNATURE);
    static SHA384: On = On(b"on SHA-384");

    static PROVIDER: CryptoProvider = CryptoProvider {
        suites13: &[],
        suites12: &[],
        groups: &[],
        signatures: &[
            pair(
                Some(SignatureScheme::ECDSA_SECP256R1_SHA256),
                b"P-256",
                b"ECDSA-SHA256",
                &SHA256,
            ),
            pair(
                Some(SignatureScheme::ECDSA_SECP384R1_SHA384),
                b"P-384",
                b"ECDSA-SHA384",
                &SHA384,
            ),
            pair(None, b"P-384", b"ECDSA-SHA256", &SHA256),
            pair(
                Some(SignatureScheme::RSA_PSS_RSAE_SHA256),
                b"RSA",
                b"PSS-SHA256",
                &SHA256,
            ),
            pair(
                Some(SignatureScheme::RSA_PSS_PSS_SHA256),
                b"PSS",
                b"PSS-SHA256",
                &SHA256,
            ),
            pair(
                Some(SignatureScheme::RSA_PKCS1_SHA256),
                b"RSA",
                b"PKCS1-SHA256",
                &SHA256,
            ),
        ],
        keys: &Nothing,
        random: &Nothing,
    };

    /// SEQUENCE { SEQUENCE `algorithm`, BIT STRING of one byte }.
    fn spki(algorithm: &[u8]) -> Vec<u8> {
        let len = algorithm.len() as u8;
        let mut der = alloc::vec![0x30, len + 6, 0x30, len];
        der.extend_from_slice(algorithm);
        der.extend_from_slice(&[0x03, 2, 0, 4]);
        der
    }

    #[test]
    fn an_ecdsa_scheme_fixes_the_curve_in_tls13_only() {
        let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
        for verify in [TLS12, TLS13] {
            assert_eq!(verify(&PROVIDER, scheme, &spki(b"P-256")), Ok(()));
        }
        let p384 = spki(b"P-384");
        let invalid = Err(CryptoError::InvalidKey);
        assert_eq!(TLS12(&PROVIDER, scheme, &p384), Ok(()));
        assert_eq!(TLS13(&PROVIDER, scheme, &p384), invalid);
        // The hash is fixed in both.
        let scheme = SignatureScheme::ECDSA_SECP384R1_SHA384;
        let unauthentic = Err(CryptoError::Unauthentic);
        assert_eq!(TLS12(&PROVIDER, scheme, &p384), unauthentic);
        assert_eq!(TLS12(&PROVIDER, scheme, &spki(b"P-256")), invalid);
    }

    #[test]
    fn other_schemes_fix_the_kind_of_key_in_both_versions() {
        for verify in [TLS12, TLS13] {
            for (scheme, fitting, other) in [
                (SignatureScheme::RSA_PSS_RSAE_SHA256, b"RSA", b"PSS"),
                (SignatureScheme::RSA_PSS_PSS_SHA256, b"PSS", b"RSA"),
                (SignatureScheme::RSA_PKCS1_SHA256, b"RSA", b"PSS"),
            ] {
                assert_eq!(verify(&PROVIDER, scheme, &spki(fitting)), Ok(()));
                let refused = verify(&PROVIDER, scheme, &spki(other));
                assert_eq!(refused, Err(CryptoError::InvalidKey));
            }
        }
    }

    #[test]
    fn what_the_provider_lacks_is_an_invalid_key() {
        let scheme = SignatureScheme::ECDSA_SECP521R1_SHA512;
        let invalid = Err(CryptoError::InvalidKey);
        assert_eq!(TLS12(&PROVIDER, scheme, &spki(b"P-256")), invalid);
        let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
        assert_eq!(TLS12(&PROVIDER, scheme, &spki(b"RSA")), invalid);
        assert_eq!(TLS12(&PROVIDER, scheme, b"no key"), invalid);
    }
}
