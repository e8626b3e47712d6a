//! Kinds of keys, and making them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use rcgen::{KeyPair, RsaKeySize};
use zeroize::{Zeroize, Zeroizing};

use super::IssueError;

/// A kind of key that can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA on P-256: small, fast, known to every client.
    #[default]
    P256,
    /// ECDSA on P-384
    P384,
    /// ECDSA on P-521
    P521,
    /// Ed25519; browsers do not take it.
    Ed25519,
    /// RSA of 2048 bits, for old clients.
    Rsa2048,
    /// RSA of 3072 bits
    Rsa3072,
    /// ML-DSA-44, safe against quantum computers; few clients know it yet.
    MlDsa44,
    /// ML-DSA-65
    MlDsa65,
    /// ML-DSA-87
    MlDsa87,
}

impl KeyType {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Ed25519,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The name by which [`FromStr`] knows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::MlDsa44 => "ml-dsa-44",
            Self::MlDsa65 => "ml-dsa-65",
            Self::MlDsa87 => "ml-dsa-87",
        }
    }

    /// Makes a new private key: PKCS#8 in DER, unencrypted.
    ///
    /// # Errors
    /// [`IssueError::Library`] if the cryptography library fails.
    pub fn generate(self) -> Result<Zeroizing<Vec<u8>>, IssueError> {
        self.key_pair().map(to_pkcs8).map_err(IssueError::library)
    }

    pub(super) fn key_pair(self) -> Result<KeyPair, rcgen::Error> {
        let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        match self {
            Self::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            Self::P521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
            Self::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            Self::Rsa2048 => rsa(RsaKeySize::_2048),
            Self::Rsa3072 => rsa(RsaKeySize::_3072),
            Self::MlDsa44 => KeyPair::generate_for(&rcgen::PKCS_ML_DSA_44),
            Self::MlDsa65 => KeyPair::generate_for(&rcgen::PKCS_ML_DSA_65),
            Self::MlDsa87 => KeyPair::generate_for(&rcgen::PKCS_ML_DSA_87),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(text: &str) -> Result<Self, UnknownKeyType> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownKeyType(text.into()))
    }
}

/// A text that names no [`KeyType`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKeyType(String);

impl fmt::Display for UnknownKeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = KeyType::ALL.iter().map(|kind| kind.as_str()).collect();
        write!(
            f,
            "{:?} is no type of key; there are {}",
            self.0,
            known.join(", ")
        )
    }
}

impl core::error::Error for UnknownKeyType {}

/// The private key in PKCS#8, in a form that everyone reads.
///
/// OpenSSL 3.0 does not read version 2 of RFC 5958, which has the public key at its end and is
/// what AWS-LC writes for Ed25519. That one is rewritten in the version 1 of RFC 8410, Section 7.
pub(super) fn to_pkcs8(mut pair: KeyPair) -> Zeroizing<Vec<u8>> {
    const V1: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const V2: &[u8] = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const SEED_LEN: usize = 32;
    let der = Zeroizing::new(pair.serialize_der());
    pair.zeroize();
    match der.strip_prefix(V2).and_then(|rest| rest.get(..SEED_LEN)) {
        Some(seed) => Zeroizing::new([V1, seed].concat()),
        None => der,
    }
}
