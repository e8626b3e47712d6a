//! What kind of key a SubjectPublicKeyInfo holds.

use alloc::string::{String, ToString};
use core::fmt;

use waxwing_crypto::SubjectPublicKeyInfo;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};

use crate::rules::Role;
use crate::tlv::{self, Elements};
use crate::{Code, Failure};

/// RFC 9325, Section 4.5: at least 2048 bits.
pub(crate) const MIN_RSA_BITS: usize = 2048;
/// RFC 9325, Section 4.5: at least 256 bits.
pub(crate) const MIN_CURVE_BITS: usize = 256;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Keys that are named by their algorithm alone (RFC 8410, Section 3; RFC 9881, Section 2).
const PLAIN: [(ObjectIdentifier, PublicKeyKind); 5] = [
    (
        ObjectIdentifier::new_unwrap("1.3.101.112"),
        PublicKeyKind::Ed25519,
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.113"),
        PublicKeyKind::Ed448,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17"),
        PublicKeyKind::MlDsa44,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18"),
        PublicKeyKind::MlDsa65,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19"),
        PublicKeyKind::MlDsa87,
    ),
];

/// Curves (RFC 5480, Section 2.1.1.1).
const CURVES: [(ObjectIdentifier, PublicKeyKind); 3] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        PublicKeyKind::P256,
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        PublicKeyKind::P384,
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        PublicKeyKind::P521,
    ),
];

/// A kind of public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicKeyKind {
    /// RSA (rsaEncryption) with a modulus of so many bits.
    Rsa(usize),
    /// RSA for RSASSA-PSS only, with a modulus of so many bits.
    RsaPss(usize),
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519
    Ed25519,
    /// Ed448
    Ed448,
    /// ML-DSA-44
    MlDsa44,
    /// ML-DSA-65
    MlDsa65,
    /// ML-DSA-87
    MlDsa87,
    /// Another kind: the dotted object identifier of its algorithm or curve.
    Other(String),
}

impl PublicKeyKind {
    /// The kind of the key in `spki` (a DER SubjectPublicKeyInfo); `None` if it is malformed.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Option<Self> {
        let spki = SubjectPublicKeyInfo::parse(spki).ok()?;
        let mut algorithm = Elements::of(spki.algorithm);
        let id = algorithm.take(tlv::OBJECT_IDENTIFIER)?;
        if id == EC_PUBLIC_KEY.as_bytes() {
            return Self::look_up(&CURVES, algorithm.take(tlv::OBJECT_IDENTIFIER)?);
        }
        if id == RSA_ENCRYPTION.as_bytes() {
            return modulus_bits(spki.public_key).map(Self::Rsa);
        }
        if id == RSASSA_PSS.as_bytes() {
            return modulus_bits(spki.public_key).map(Self::RsaPss);
        }
        Self::look_up(&PLAIN, id)
    }

    /// The kind with this object identifier, of which `id` is the content.
    fn look_up(table: &[(ObjectIdentifier, Self)], id: &[u8]) -> Option<Self> {
        match table.iter().find(|(known, _)| known.as_bytes() == id) {
            Some((_, kind)) => Some(kind.clone()),
            None => {
                let id = ObjectIdentifier::from_bytes(id).ok()?;
                Some(Self::Other(id.to_string()))
            }
        }
    }

    /// The size that people quote for this kind, in bits: the modulus or the curve's order.
    #[must_use]
    pub const fn bits(&self) -> Option<usize> {
        match self {
            Self::Rsa(bits) | Self::RsaPss(bits) => Some(*bits),
            Self::P256 | Self::Ed25519 => Some(256),
            Self::P384 => Some(384),
            Self::P521 => Some(521),
            Self::Ed448 => Some(456),
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for PublicKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::RsaPss(bits) => write!(f, "RSASSA-PSS {bits}"),
            Self::P256 => f.write_str("ECDSA P-256"),
            Self::P384 => f.write_str("ECDSA P-384"),
            Self::P521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::MlDsa44 => f.write_str("ML-DSA-44"),
            Self::MlDsa65 => f.write_str("ML-DSA-65"),
            Self::MlDsa87 => f.write_str("ML-DSA-87"),
            Self::Other(id) => write!(f, "key of algorithm {id}"),
        }
    }
}

/// The size of the modulus in an `RSAPublicKey` (RFC 8017, Appendix A.1.1).
fn modulus_bits(public_key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(public_key).ok()?;
    let modulus = reader
        .sequence(|key| {
            let modulus = UintRef::decode(key)?;
            UintRef::decode(key)?;
            Ok::<_, x509_cert::der::Error>(modulus)
        })
        .ok()?;
    let bytes = modulus.as_bytes();
    let zeros = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    bytes.len().checked_mul(8)?.checked_sub(zeros)
}

/// How long keys have to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strength {
    /// Bits of an RSA modulus.
    pub(crate) rsa: usize,
    /// Bits of an elliptic curve.
    pub(crate) curve: usize,
}

impl Strength {
    /// What is asked of every key.
    pub(crate) const LEAST: Self = Self {
        rsa: MIN_RSA_BITS,
        curve: MIN_CURVE_BITS,
    };

    /// Whether such a key is long enough to be worth a signature check.
    pub(crate) fn admits(self, kind: &PublicKeyKind) -> bool {
        kind.bits().is_none_or(|bits| bits >= self.least(kind))
    }

    const fn least(self, kind: &PublicKeyKind) -> usize {
        match kind {
            PublicKeyKind::Rsa(_) | PublicKeyKind::RsaPss(_) => self.rsa,
            _ => self.curve,
        }
    }
}

/// Refuses a key that is too short to be worth a signature check.
pub(crate) fn refuse_weak(spki: &[u8], strength: Strength, role: Role) -> Result<(), Failure> {
    refuse_weak_kind(PublicKeyKind::of_spki(spki).as_ref(), strength, role)
}

/// As [`refuse_weak`], for a key of this kind; `None` is what is malformed.
pub(crate) fn refuse_weak_kind(
    kind: Option<&PublicKeyKind>,
    strength: Strength,
    role: Role,
) -> Result<(), Failure> {
    let code = match role {
        Role::EndEntity => Code::EndEntityKeyTooSmall,
        Role::Intermediate | Role::Anchor => Code::AuthorityKeyTooSmall,
    };
    let Some(kind) = kind else {
        return Err(Failure::new(Code::Malformed, "its key is malformed"));
    };
    if strength.admits(kind) {
        return Ok(());
    }
    let (bits, least) = (kind.bits().unwrap_or_default(), strength.least(kind));
    let reason = format!("its key ({kind}) has {bits} bits, and less than {least} is not allowed");
    Err(Failure::new(code, reason))
}
