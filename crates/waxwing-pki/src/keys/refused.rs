//! Naming keys that cannot be used.

use pkcs8::PrivateKeyInfoRef;
use waxwing_crypto::KeyEncoding;
use x509_cert::der::asn1::{AnyRef, BitString, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Encode, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::{LoadError, PublicKeyKind};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Why the provider may have refused this key.
pub(super) fn reason(encoding: KeyEncoding, der: &[u8]) -> LoadError {
    kind(encoding, der).map_or(LoadError::UnusableKey, |kind| LoadError::RefusedKey {
        kind,
    })
}

/// The kind of a private key, as far as its form can be read.
fn kind(encoding: KeyEncoding, der: &[u8]) -> Option<PublicKeyKind> {
    match encoding {
        KeyEncoding::Pkcs1 => modulus_bits(der).map(PublicKeyKind::Rsa),
        KeyEncoding::Sec1 => curve(der),
        KeyEncoding::Pkcs8 => {
            let info = PrivateKeyInfoRef::try_from(der).ok()?;
            if info.algorithm.oid == RSA_ENCRYPTION {
                return modulus_bits(info.private_key.as_bytes()).map(PublicKeyKind::Rsa);
            }
            of_algorithm(AlgorithmIdentifierOwned {
                oid: info.algorithm.oid,
                parameters: info.algorithm.parameters.map(Into::into),
            })
        }
    }
}

fn of_algorithm(algorithm: AlgorithmIdentifierOwned) -> Option<PublicKeyKind> {
    let spki = SubjectPublicKeyInfoOwned {
        algorithm,
        subject_public_key: BitString::from_bytes(&[]).ok()?,
    };
    PublicKeyKind::of_spki(&spki.to_der().ok()?)
}

/// RSAPrivateKey (RFC 8017, Appendix A.1.2): version, modulus and more.
fn modulus_bits(der: &[u8]) -> Option<usize> {
    let key = AnyRef::from_der(der).ok()?;
    let mut fields = SliceReader::new(key.value()).ok()?;
    UintRef::decode(&mut fields).ok()?;
    let modulus = UintRef::decode(&mut fields).ok()?;
    let bytes = modulus.as_bytes();
    let zeros = usize::try_from(bytes.first()?.leading_zeros()).ok()?;
    bytes.len().checked_mul(8)?.checked_sub(zeros)
}

/// ECPrivateKey (RFC 5915, Section 3): version, key, and the curve as `[0]`.
fn curve(der: &[u8]) -> Option<PublicKeyKind> {
    let key = AnyRef::from_der(der).ok()?;
    let mut fields = SliceReader::new(key.value()).ok()?;
    UintRef::decode(&mut fields).ok()?;
    AnyRef::decode(&mut fields).ok()?;
    let parameters = AnyRef::decode(&mut fields).ok()?;
    let curve: ObjectIdentifier = ObjectIdentifier::from_der(parameters.value()).ok()?;
    of_algorithm(AlgorithmIdentifierOwned {
        oid: EC_PUBLIC_KEY,
        parameters: Some((&curve).into()),
    })
}
