//! Our own certificate chain and private key.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::fs;
use std::path::Path;

use rustls_pki_types::pem::SectionKind;
use waxwing_core::CertifiedKey;
use waxwing_crypto::{CryptoProvider, KeyEncoding, SigningKey};
use zeroize::Zeroizing;

use crate::pem::{self, Section};
use crate::{LoadError, PublicKeyKind};

mod chain;
mod encrypted;
mod passphrase;
mod pkcs12;
mod refused;

pub use encrypted::{
    MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_MEMORY, MAX_SCRYPT_WORK, encrypt_private_key,
};
pub use passphrase::Passphrase;

/// Loads the first private key in `bytes`; see [`KeyLoading::private_key`].
///
/// # Errors
/// If there is none, it is encrypted, or `provider` cannot use it.
pub fn load_private_key(
    provider: &CryptoProvider,
    bytes: &[u8],
) -> Result<Arc<dyn SigningKey>, LoadError> {
    KeyLoading::new(provider).private_key(bytes)
}

/// Loads a certificate chain and the private key of its first certificate; see
/// [`KeyLoading::certified_key`].
///
/// # Errors
/// If either cannot be loaded, the key belongs to none of the certificates, or one of them is no
/// part of the chain.
pub fn load_certified_key(
    provider: &CryptoProvider,
    chain: &[u8],
    key: &[u8],
) -> Result<CertifiedKey, LoadError> {
    KeyLoading::new(provider).certified_key(chain, key)
}

/// As [`load_certified_key`], from files.
///
/// # Errors
/// [`LoadError::InFile`] for what is wrong with one file; [`LoadError::KeyMismatch`] if the two
/// do not belong together.
pub fn load_certified_key_files(
    provider: &CryptoProvider,
    chain: impl AsRef<Path>,
    key: impl AsRef<Path>,
) -> Result<CertifiedKey, LoadError> {
    KeyLoading::new(provider).certified_key_files(chain, key)
}

/// How chains and keys are loaded: by which provider, and with which passphrase.
///
/// ```
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_pki::{KeyLoading, KeyType, LoadError, Passphrase, encrypt_private_key};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = KeyType::Ed25519.generate()?;
/// let passphrase = Passphrase::from("correct horse battery staple");
/// let file = encrypt_private_key(&key, &passphrase, PROVIDER.random)?;
///
/// let loading = KeyLoading::new(&PROVIDER);
/// assert_eq!(loading.private_key(&file).unwrap_err(), LoadError::EncryptedKey);
/// assert!(loading.passphrase(&passphrase).private_key(&file).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct KeyLoading<'a> {
    provider: &'a CryptoProvider,
    passphrase: Option<&'a Passphrase>,
}

impl<'a> KeyLoading<'a> {
    /// Loads keys that are not encrypted, for `provider`.
    #[must_use]
    pub const fn new(provider: &'a CryptoProvider) -> Self {
        Self {
            provider,
            passphrase: None,
        }
    }

    /// Opens encrypted keys with this. Those that are not encrypted load as well.
    #[must_use]
    pub const fn passphrase(mut self, passphrase: &'a Passphrase) -> Self {
        self.passphrase = Some(passphrase);
        self
    }

    /// Loads the first private key in `bytes`: PEM, with any text around it, or DER; in PKCS#8
    /// (RFC 5958), plain or encrypted with PBES2 (RFC 8018), PKCS#1 (RFC 8017) or SEC1 (RFC
    /// 5915).
    ///
    /// # Errors
    /// If there is none, it cannot be decrypted, or the provider cannot use it.
    pub fn private_key(&self, bytes: &[u8]) -> Result<Arc<dyn SigningKey>, LoadError> {
        if pem::is_der(bytes) {
            return self.der(bytes);
        }
        // Looked for first: its headers are no base64, and the complaint about that would mislead.
        if pem::contains(bytes, b"Proc-Type: 4,ENCRYPTED") {
            return Err(encrypted::traditional(bytes));
        }
        if let Some(der) = pem::section(bytes, "ENCRYPTED PRIVATE KEY")? {
            let plain = encrypted::decrypt(&der, "PEM", self.passphrase)?;
            return self.load(KeyEncoding::Pkcs8, &plain);
        }
        let sections = pem::sections(bytes)?;
        let (encoding, section) = sections
            .iter()
            .find_map(|section| Some((encoding(section)?, section)))
            .ok_or_else(|| LoadError::NoPrivateKey(pem::describe(&sections)))?;
        self.load(encoding, &section.der)
    }

    /// Loads a certificate chain and the private key of its first certificate, each PEM or DER.
    ///
    /// The chain may come in any order; it is sorted so that each certificate is followed by its
    /// issuer's, as TLS wants it (RFC 9846, Section 4.5.1). Both may be the same PEM text.
    ///
    /// # Errors
    /// If either cannot be loaded, the key belongs to none of the certificates, or one of them is
    /// no part of the chain.
    pub fn certified_key(&self, chain: &[u8], key: &[u8]) -> Result<CertifiedKey, LoadError> {
        certify(chain, self.private_key(key)?)
    }

    /// As [`Self::certified_key`], from files.
    ///
    /// # Errors
    /// [`LoadError::InFile`] for what is wrong with one file; [`LoadError::KeyMismatch`] if the
    /// two do not belong together.
    pub fn certified_key_files(
        &self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<CertifiedKey, LoadError> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let certificates = read(chain)?;
        let private = self
            .private_key(&read(key)?)
            .map_err(|error| error.in_file(key))?;
        certify(&certificates, private).map_err(|error| match error {
            mismatch @ LoadError::KeyMismatch { .. } => mismatch,
            other => other.in_file(chain),
        })
    }

    fn der(&self, der: &[u8]) -> Result<Arc<dyn SigningKey>, LoadError> {
        if pkcs12::is_pkcs12(der) {
            return Err(LoadError::Pkcs12(pkcs12::ADVICE.into()));
        }
        if encrypted::is_encrypted(der) {
            let plain = encrypted::decrypt(der, "DER", self.passphrase)?;
            return self.load(KeyEncoding::Pkcs8, &plain);
        }
        const ENCODINGS: [KeyEncoding; 3] =
            [KeyEncoding::Pkcs8, KeyEncoding::Pkcs1, KeyEncoding::Sec1];
        let mut refused = LoadError::UnusableKey;
        for encoding in ENCODINGS {
            match self.load(encoding, der) {
                Ok(key) => return Ok(key),
                Err(error @ LoadError::RefusedKey { .. }) => refused = error,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn load(&self, encoding: KeyEncoding, der: &[u8]) -> Result<Arc<dyn SigningKey>, LoadError> {
        let loaded = self.provider.keys.load(encoding, der);
        loaded.map_err(|_| refused::reason(encoding, der))
    }
}

/// A file that may hold a key: what is read is erased on drop.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| LoadError::unreadable(&error).in_file(path))
}

fn certify(chain: &[u8], key: Arc<dyn SigningKey>) -> Result<CertifiedKey, LoadError> {
    let certificates = pem::certificates(chain)?;
    assemble(certificates.iter().map(|der| der.to_vec()), key)
}

/// Joins certificates in any order with the key of one of them.
fn assemble(
    certificates: impl IntoIterator<Item = Vec<u8>>,
    key: Arc<dyn SigningKey>,
) -> Result<CertifiedKey, LoadError> {
    let links = certificates
        .into_iter()
        .enumerate()
        .map(|(index, der)| chain::Link::decode(index + 1, der))
        .collect::<Result<Vec<_>, _>>()?;
    let chain = chain::order(links, key.public_key().as_deref())?;
    Ok(CertifiedKey::new(chain, key))
}

fn encoding(section: &Section) -> Option<KeyEncoding> {
    match section.kind {
        SectionKind::PrivateKey => Some(KeyEncoding::Pkcs8),
        SectionKind::RsaPrivateKey => Some(KeyEncoding::Pkcs1),
        SectionKind::EcPrivateKey => Some(KeyEncoding::Sec1),
        _ => None,
    }
}

/// Whether `certificate` (DER) is for `key`.
///
/// # Errors
/// [`LoadError::KeyMismatch`] if it is not, [`LoadError::BadCertificate`] if it cannot be read.
pub fn check_key_belongs(certificate: &[u8], key: &dyn SigningKey) -> Result<(), LoadError> {
    let link = chain::Link::decode(1, certificate.to_vec())?;
    chain::order(vec![link], key.public_key().as_deref()).map(|_| ())
}

/// The kind of a private key; `None` if it cannot tell its public half.
#[must_use]
pub fn key_kind(key: &dyn SigningKey) -> Option<PublicKeyKind> {
    PublicKeyKind::of_spki(&key.public_key()?)
}
