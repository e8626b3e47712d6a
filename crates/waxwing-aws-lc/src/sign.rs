//! Loading private keys, and signing with them.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as lib;
use aws_lc_rs::signature::{
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    PqdsaSigningAlgorithm, RsaEncoding, RsaKeyPair,
};
use waxwing_crypto::{CryptoError, KeyEncoding, KeyLoader, SignatureScheme, Signing, SigningKey};

/// Loads RSA keys of 2048 to 8192 bits, ECDSA keys on P-256, P-384 and P-521, Ed25519 and
/// ML-DSA keys.
pub static KEYS: &dyn KeyLoader = &Loader;

struct Loader;

impl KeyLoader for Loader {
    fn load(&self, encoding: KeyEncoding, der: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
        match encoding {
            KeyEncoding::Pkcs8 => load_pkcs8(der),
            KeyEncoding::Pkcs1 => RsaKeyPair::from_der(der).ok().map(rsa),
            KeyEncoding::Sec1 => load_ecdsa(der, EcdsaKeyPair::from_private_key_der),
        }
        .ok_or(CryptoError::InvalidKey)
    }
}

/// Each parser refuses every algorithm but its own, so the order does not matter.
fn load_pkcs8(der: &[u8]) -> Option<Arc<dyn SigningKey>> {
    RsaKeyPair::from_pkcs8(der)
        .ok()
        .map(rsa)
        .or_else(|| load_ecdsa(der, EcdsaKeyPair::from_pkcs8))
        .or_else(|| Ed25519KeyPair::from_pkcs8(der).ok().map(ed25519))
        .or_else(|| load_mldsa(der))
}

fn key<K: Sign + 'static>(schemes: &'static [SignatureScheme], pair: K) -> Arc<dyn SigningKey> {
    Arc::new(Key { schemes, pair })
}

fn rsa(pair: RsaKeyPair) -> Arc<dyn SigningKey> {
    key(RSA_SCHEMES, pair)
}

fn ed25519(pair: Ed25519KeyPair) -> Arc<dyn SigningKey> {
    key(&[SignatureScheme::ED25519], pair)
}

type EcdsaParser = fn(&'static EcdsaSigningAlgorithm, &[u8]) -> Result<EcdsaKeyPair, KeyRejected>;

fn load_ecdsa(der: &[u8], parse: EcdsaParser) -> Option<Arc<dyn SigningKey>> {
    let curves: [(&'static EcdsaSigningAlgorithm, &'static [SignatureScheme]); 3] = [
        (
            &lib::ECDSA_P256_SHA256_ASN1_SIGNING,
            &[SignatureScheme::ECDSA_SECP256R1_SHA256],
        ),
        (
            &lib::ECDSA_P384_SHA384_ASN1_SIGNING,
            &[SignatureScheme::ECDSA_SECP384R1_SHA384],
        ),
        (
            &lib::ECDSA_P521_SHA512_ASN1_SIGNING,
            &[SignatureScheme::ECDSA_SECP521R1_SHA512],
        ),
    ];
    curves
        .into_iter()
        .find_map(|(algorithm, schemes)| Some(key(schemes, parse(algorithm, der).ok()?)))
}

fn load_mldsa(der: &[u8]) -> Option<Arc<dyn SigningKey>> {
    let sets: [(&'static PqdsaSigningAlgorithm, &'static [SignatureScheme]); 3] = [
        (&lib::ML_DSA_44_SIGNING, &[SignatureScheme::MLDSA44]),
        (&lib::ML_DSA_65_SIGNING, &[SignatureScheme::MLDSA65]),
        (&lib::ML_DSA_87_SIGNING, &[SignatureScheme::MLDSA87]),
    ];
    sets.into_iter().find_map(|(algorithm, schemes)| {
        let pair = PqdsaKeyPair::from_pkcs8(algorithm, der).ok()?;
        Some(key(schemes, pair))
    })
}

/// What the key pairs of the library have in common. Each erases its private part on drop.
trait Sign: Send + Sync {
    /// Signs with one of the schemes that the key was loaded with.
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Unspecified>;

    /// The DER of the SubjectPublicKeyInfo.
    fn spki(&self) -> Result<Vec<u8>, Unspecified>;
}

struct Key<K> {
    schemes: &'static [SignatureScheme],
    pair: K,
}

impl<K: Sign> SigningKey for Key<K> {
    fn schemes(&self) -> &[SignatureScheme] {
        self.schemes
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Signing, CryptoError> {
        if !self.schemes.contains(&scheme) {
            return Err(CryptoError::Misuse);
        }
        self.pair
            .sign(scheme, message)
            .map(Signing::Done)
            .map_err(|_| CryptoError::Failed)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        self.pair.spki().ok()
    }
}

impl<K> fmt::Debug for Key<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.schemes)
    }
}

/// RSASSA-PKCS1-v1_5 is for TLS 1.2 alone, where not every client knows RSASSA-PSS.
const RSA_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

impl Sign for RsaKeyPair {
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        // The library's salt is as long as the hash, as RFC 9846, Section 4.3.3 demands.
        let encoding: &'static dyn RsaEncoding = match scheme {
            SignatureScheme::RSA_PSS_RSAE_SHA256 => &lib::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_RSAE_SHA384 => &lib::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_RSAE_SHA512 => &lib::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256 => &lib::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384 => &lib::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512 => &lib::RSA_PKCS1_SHA512,
            _ => return Err(Unspecified),
        };
        let mut signature = vec![0; self.public_modulus_len()];
        Self::sign(
            self,
            encoding,
            &SystemRandom::new(),
            message,
            &mut signature,
        )?;
        Ok(signature)
    }

    fn spki(&self) -> Result<Vec<u8>, Unspecified> {
        Ok(self.public_key().as_der()?.as_ref().to_vec())
    }
}

impl Sign for EcdsaKeyPair {
    fn sign(&self, _scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(Self::sign(self, &SystemRandom::new(), message)?
            .as_ref()
            .to_vec())
    }

    fn spki(&self) -> Result<Vec<u8>, Unspecified> {
        Ok(self.public_key().as_der()?.as_ref().to_vec())
    }
}

impl Sign for Ed25519KeyPair {
    fn sign(&self, _scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(self.try_sign(message)?.as_ref().to_vec())
    }

    fn spki(&self) -> Result<Vec<u8>, Unspecified> {
        Ok(self.public_key().as_der()?.as_ref().to_vec())
    }
}

impl Sign for PqdsaKeyPair {
    fn sign(&self, _scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        // The library signs with an empty context, as TLS does.
        let mut signature = vec![0; self.algorithm().signature_len()];
        let len = Self::sign(self, message, &mut signature)?;
        signature.truncate(len);
        Ok(signature)
    }

    fn spki(&self) -> Result<Vec<u8>, Unspecified> {
        Ok(self.public_key().as_der()?.as_ref().to_vec())
    }
}
