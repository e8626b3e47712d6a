//! Our own certificate chain and private key.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::fs;
use std::path::Path;

use rustls_pki_types::pem::SectionKind;
use waxwing_core::CertifiedKey;
use waxwing_crypto::{CryptoProvider, KeyEncoding, SigningKey};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::name::Name;
use zeroize::Zeroizing;

use crate::pem::{self, Section};
use crate::{Identity, LoadError, PublicKeyKind, end_entity};

/// Loads the first private key in `bytes`: PEM, with any text around it, or DER; in PKCS#8
/// (RFC 5958), PKCS#1 (RFC 8017) or SEC1 (RFC 5915).
///
/// # Errors
/// If there is none, it is encrypted, or `provider` cannot use it.
pub fn load_private_key(
    provider: &CryptoProvider,
    bytes: &[u8],
) -> Result<Arc<dyn SigningKey>, LoadError> {
    if pem::is_der(bytes) {
        return load_der(provider, bytes);
    }
    // Looked for first: its headers are no base64, and the complaint about that would mislead.
    let encrypted = [
        b"-----BEGIN ENCRYPTED PRIVATE KEY".as_slice(),
        b"Proc-Type: 4,ENCRYPTED",
    ];
    if encrypted.iter().any(|mark| pem::contains(bytes, mark)) {
        return Err(LoadError::EncryptedKey);
    }
    let sections = pem::sections(bytes)?;
    let (encoding, section) = sections
        .iter()
        .find_map(|section| Some((encoding(section)?, section)))
        .ok_or_else(|| LoadError::NoPrivateKey(pem::describe(&sections)))?;
    provider
        .keys
        .load(encoding, &section.der)
        .map_err(|_| LoadError::UnusableKey)
}

/// Loads a certificate chain and the private key of its first certificate, each PEM or DER.
///
/// The chain may come in any order; it is sorted so that each certificate is followed by its
/// issuer's, as TLS wants it (RFC 9846, Section 4.5.1). Both may be the same PEM text.
///
/// # Errors
/// If either cannot be loaded, the key belongs to none of the certificates, or one of them is no
/// part of the chain.
pub fn load_certified_key(
    provider: &CryptoProvider,
    chain: &[u8],
    key: &[u8],
) -> Result<CertifiedKey, LoadError> {
    let key = load_private_key(provider, key)?;
    certify(chain, key)
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
    let (chain, key) = (chain.as_ref(), key.as_ref());
    let read = |path: &Path| {
        let bytes = fs::read(path).map_err(|error| LoadError::unreadable(&error).in_file(path))?;
        Ok::<_, LoadError>(Zeroizing::new(bytes))
    };
    let certificates = read(chain)?;
    let private = load_private_key(provider, &read(key)?).map_err(|error| error.in_file(key))?;
    certify(&certificates, private).map_err(|error| match error {
        mismatch @ LoadError::KeyMismatch { .. } => mismatch,
        other => other.in_file(chain),
    })
}

fn certify(chain: &[u8], key: Arc<dyn SigningKey>) -> Result<CertifiedKey, LoadError> {
    let links = pem::certificates(chain)?
        .into_iter()
        .enumerate()
        .map(|(index, der)| Link::decode(index + 1, der.to_vec()))
        .collect::<Result<Vec<_>, _>>()?;
    let chain = order(links, key.public_key().as_deref())?;
    Ok(CertifiedKey::new(chain, key))
}

fn load_der(provider: &CryptoProvider, der: &[u8]) -> Result<Arc<dyn SigningKey>, LoadError> {
    if is_encrypted(der) {
        return Err(LoadError::EncryptedKey);
    }
    [KeyEncoding::Pkcs8, KeyEncoding::Pkcs1, KeyEncoding::Sec1]
        .into_iter()
        .find_map(|encoding| provider.keys.load(encoding, der).ok())
        .ok_or(LoadError::UnusableKey)
}

/// EncryptedPrivateKeyInfo (RFC 5958, Section 3) begins with a SEQUENCE, where all plain forms
/// begin with a version number.
fn is_encrypted(der: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    let ([_, 0..=0x7f, content @ ..] | [_, 0x81, _, content @ ..] | [_, 0x82, _, _, content @ ..]) =
        der
    else {
        return false;
    };
    content.first() == Some(&SEQUENCE)
}

fn encoding(section: &Section) -> Option<KeyEncoding> {
    match section.kind {
        SectionKind::PrivateKey => Some(KeyEncoding::Pkcs8),
        SectionKind::RsaPrivateKey => Some(KeyEncoding::Pkcs1),
        SectionKind::EcPrivateKey => Some(KeyEncoding::Sec1),
        _ => None,
    }
}

/// One certificate of a chain.
struct Link {
    number: usize,
    der: Vec<u8>,
    spki: Vec<u8>,
    subject: Name,
    issuer: Name,
    identity: Identity,
}

impl Link {
    fn decode(number: usize, der: Vec<u8>) -> Result<Self, LoadError> {
        let bad = |reason| LoadError::BadCertificate { number, reason };
        let identity = Identity::from_der(&der).map_err(|error| bad(error.to_string()))?;
        let spki = end_entity::spki(&der).map_err(|error| bad(error.to_string()))?;
        let certificate = Certificate::from_der(&der).map_err(|error| bad(error.to_string()))?;
        let tbs = certificate.tbs_certificate();
        let (subject, issuer) = (tbs.subject().clone(), tbs.issuer().clone());
        Ok(Self {
            number,
            der,
            spki,
            subject,
            issuer,
            identity,
        })
    }
}

/// Puts the certificate of the key first, and then each one's issuer after it.
///
/// A key that cannot tell its public half has to take the first certificate as its own.
fn order(mut links: Vec<Link>, public_key: Option<&[u8]>) -> Result<Vec<Vec<u8>>, LoadError> {
    let leaf = match public_key {
        Some(key) => links.iter().position(|link| link.spki == key),
        None => Some(0),
    };
    let Some(leaf) = leaf else {
        return Err(mismatch(&links, public_key));
    };
    let mut sorted = vec![links.remove(leaf)];
    // The issuer of the last one goes next. An authority may have several certificates (cross-
    // signing), so after that come those that issued any of the others.
    while !links.is_empty() {
        links.retain(|link| sorted.iter().all(|placed| placed.der != link.der));
        let issuer_of = |placed: &Link| links.iter().position(|link| link.subject == placed.issuer);
        let next = sorted
            .last()
            .and_then(issuer_of)
            .or_else(|| sorted.iter().find_map(issuer_of));
        match (next, links.first()) {
            (Some(next), _) => sorted.push(links.remove(next)),
            (None, None) => break,
            (None, Some(stray)) => {
                return Err(LoadError::Unconnected {
                    number: stray.number,
                    subject: stray.identity.label(),
                });
            }
        }
    }
    Ok(sorted.into_iter().map(|link| link.der).collect())
}

fn mismatch(links: &[Link], public_key: Option<&[u8]>) -> LoadError {
    let private = public_key.and_then(PublicKeyKind::of_spki);
    match (links.first(), private) {
        (Some(first), Some(private)) => LoadError::KeyMismatch {
            subject: first.identity.label(),
            certificate: first.identity.key.clone(),
            private,
        },
        _ => LoadError::UnusableKey,
    }
}
