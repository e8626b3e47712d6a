//! Encrypted private keys: PBES2 inside PKCS#8 (RFC 8018, Section 6.2; RFC 5958, Section 3).
//!
//! What is older is recognised and refused: it stretches the passphrase with a few rounds of MD5
//! or SHA-1, so that whoever finds the file soon finds the key.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use pkcs8::pkcs5::pbes2::{Kdf, PBES2_OID, Parameters};
use pkcs8::pkcs5::{self, EncryptionScheme};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use waxwing_crypto::SecureRandom;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetString};
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag, Tagged};
use zeroize::Zeroizing;

use super::Passphrase;
use crate::{IssueError, LoadError};

/// Rounds of PBKDF2 that a key file may ask for: some seconds of work.
pub const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
/// Bytes of memory that scrypt may take for a key file (RFC 7914, Section 2: 128 * N * r).
pub const MAX_SCRYPT_MEMORY: u64 = 1 << 28;
/// The same times the parallelisation parameter, which is a measure of the time.
pub const MAX_SCRYPT_WORK: u64 = 1 << 30;

/// Rounds of PBKDF2 in the files that are written here: 0.3 s on a usual machine of 2026.
const PBKDF2_ITERATIONS: u32 = 600_000;
const SALT_LEN: usize = 16;
const IV_LEN: usize = 16;

/// What leads from PBES1, and from the key encryption of PKCS#12, to PBES2.
const CONVERT: &str = "openssl pkcs8 -topk8 -v2 aes256";

/// Old schemes by their names in OpenSSL, and whether it has moved them to its legacy provider
/// (RFC 8018, Appendix A.3; RFC 7292, Appendix C).
const OLD_SCHEMES: [(ObjectIdentifier, &str, bool); 12] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.1"),
        "PBE-MD2-DES",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.3"),
        "PBE-MD5-DES",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.4"),
        "PBE-MD2-RC2-64",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.6"),
        "PBE-MD5-RC2-64",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.10"),
        "PBE-SHA1-DES",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.11"),
        "PBE-SHA1-RC2-64",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.1"),
        "PBE-SHA1-RC4-128",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.2"),
        "PBE-SHA1-RC4-40",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3"),
        "PBE-SHA1-3DES",
        false,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4"),
        "PBE-SHA1-2DES",
        false,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5"),
        "PBE-SHA1-RC2-128",
        true,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6"),
        "PBE-SHA1-RC2-40",
        true,
    ),
];

/// EncryptedPrivateKeyInfo (RFC 5958, Section 3) begins with a SEQUENCE, where all plain forms
/// begin with a version number.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    algorithm(der).is_some()
}

/// The algorithm that the key in `der` is encrypted with.
fn algorithm(der: &[u8]) -> Option<ObjectIdentifier> {
    let outer = AnyRef::from_der(der).ok()?;
    let mut fields = SliceReader::new(outer.value()).ok()?;
    let algorithm = AnyRef::decode(&mut fields).ok()?;
    AnyRef::decode(&mut fields).ok()?;
    let mut parts = SliceReader::new(algorithm.value()).ok()?;
    (algorithm.tag() == Tag::Sequence && fields.is_finished())
        .then(|| ObjectIdentifier::decode(&mut parts).ok())
        .flatten()
}

/// Opens an EncryptedPrivateKeyInfo; returns the PKCS#8 inside. `form` is `DER` or `PEM`, for
/// advice.
pub(super) fn decrypt(
    der: &[u8],
    form: &str,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    match algorithm(der) {
        Some(PBES2_OID) => {}
        Some(other) => return Err(old_scheme(&other, form)),
        None => return Err(LoadError::UnusableKey),
    }
    let info = EncryptedPrivateKeyInfoRef::try_from(der)
        .map_err(|error| LoadError::UnsupportedEncryption(error.to_string()))?;
    check_work(&info.encryption_algorithm)?;
    let passphrase = passphrase.ok_or(LoadError::EncryptedKey)?;
    let mut buffer = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
    let length = info
        .encryption_algorithm
        .decrypt_in_place(passphrase.as_bytes(), &mut buffer)
        .map_err(|error| match error {
            // The padding, or the tag of an AEAD.
            pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed => LoadError::WrongPassphrase,
            other => LoadError::UnsupportedEncryption(other.to_string()),
        })?
        .len();
    buffer.truncate(length);
    // One wrong passphrase in 256 leaves padding that looks right.
    PrivateKeyInfoRef::try_from(buffer.as_slice()).map_err(|_| LoadError::WrongPassphrase)?;
    Ok(buffer)
}

/// Refuses files that would keep us busy, or eat all memory.
fn check_work(scheme: &EncryptionScheme) -> Result<(), LoadError> {
    let excess = |what, asked, limit| {
        if asked > limit {
            Err(LoadError::TooMuchWork { what, asked, limit })
        } else {
            Ok(())
        }
    };
    let EncryptionScheme::Pbes2(Parameters { kdf, .. }) = scheme else {
        return Err(LoadError::UnusableKey);
    };
    match kdf {
        Kdf::Pbkdf2(params) => excess(
            "rounds of PBKDF2",
            params.iteration_count.into(),
            MAX_PBKDF2_ITERATIONS.into(),
        ),
        Kdf::Scrypt(params) => {
            // RFC 7914, Section 2: N is a power of two, and more than one.
            let n = params.cost_parameter;
            if !n.is_power_of_two() || n < 2 || params.block_size == 0 {
                return Err(LoadError::UnsupportedEncryption(
                    "the parameters of scrypt make no sense".into(),
                ));
            }
            let memory = n
                .saturating_mul(u64::from(params.block_size))
                .saturating_mul(128);
            excess("bytes of memory for scrypt", memory, MAX_SCRYPT_MEMORY)?;
            let work = memory.saturating_mul(params.parallelization.into());
            excess("bytes of work for scrypt", work, MAX_SCRYPT_WORK)
        }
        other => Err(LoadError::UnsupportedEncryption(other.oid().to_string())),
    }
}

fn old_scheme(id: &ObjectIdentifier, form: &str) -> LoadError {
    match OLD_SCHEMES.iter().find(|(known, ..)| known == id) {
        Some((_, name, legacy)) => old(name, form, *legacy),
        None => LoadError::UnsupportedEncryption(format!("algorithm {id}")),
    }
}

/// A PEM text of OpenSSL's own kind of encryption, by its DEK-Info line (RFC 1421, Section
/// 4.6.1.3).
pub(super) fn traditional(text: &[u8]) -> LoadError {
    let text = String::from_utf8_lossy(text);
    let cipher = text
        .lines()
        .find_map(|line| line.strip_prefix("DEK-Info:")?.split(',').next())
        .map_or("an unknown cipher", str::trim);
    let current = ["AES-", "CAMELLIA-", "ARIA-", "DES-EDE3-"];
    let legacy = !current.iter().any(|prefix| cipher.starts_with(prefix));
    old(
        &format!("Proc-Type: 4,ENCRYPTED with {cipher}"),
        "PEM",
        legacy,
    )
}

fn old(scheme: &str, form: &str, legacy: bool) -> LoadError {
    let legacy = if legacy {
        " -provider legacy -provider default"
    } else {
        ""
    };
    LoadError::OldEncryption {
        scheme: scheme.into(),
        command: format!("{CONVERT}{legacy} -inform {form} -in FILE -out NEWFILE"),
    }
}

/// Encrypts a private key in PKCS#8 DER for storage: PBES2 with PBKDF2-HMAC-SHA256 and
/// AES-256-CBC, which every TLS library reads. The result is DER; its PEM label is
/// `ENCRYPTED PRIVATE KEY`.
///
/// # Errors
/// [`IssueError::Library`] if `random` or the cryptography library fails.
pub fn encrypt_private_key(
    pkcs8: &[u8],
    passphrase: &Passphrase,
    random: &dyn SecureRandom,
) -> Result<Vec<u8>, IssueError> {
    let library = |error: &dyn core::fmt::Display| IssueError::Library(error.to_string());
    let (mut salt, mut iv) = ([0; SALT_LEN], [0; IV_LEN]);
    random.fill(&mut salt)?;
    random.fill(&mut iv)?;
    let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(PBKDF2_ITERATIONS, &salt, iv)
        .map_err(|error| library(&error))?;
    let encrypted = scheme
        .encrypt(passphrase.as_bytes(), pkcs8)
        .map_err(|error| library(&error))?;
    let info = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: scheme.into(),
        encrypted_data: OctetString::new(encrypted).map_err(|error| library(&error))?,
    };
    info.to_der().map_err(|error| library(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An EncryptedPrivateKeyInfo with this scheme, and rubbish inside.
    fn asking(scheme: impl Into<EncryptionScheme>) -> Vec<u8> {
        EncryptedPrivateKeyInfoOwned {
            encryption_algorithm: scheme.into(),
            encrypted_data: OctetString::new([0; 48]).unwrap(),
        }
        .to_der()
        .unwrap()
    }

    fn scrypt(n: u64, r: u16, p: u16) -> Vec<u8> {
        let mut scheme =
            Parameters::generate_pbkdf2_sha256_aes256cbc(1, &[0; 16], [0; 16]).unwrap();
        scheme.kdf = pkcs5::pbes2::ScryptParams {
            salt: [0_u8; 16].as_slice().try_into().unwrap(),
            cost_parameter: n,
            block_size: r,
            parallelization: p,
            key_length: None,
        }
        .into();
        asking(scheme)
    }

    #[test]
    fn excessive_work_is_refused_before_it_is_done() {
        let rounds = |count| {
            Parameters::generate_pbkdf2_sha256_aes256cbc(count, &[0; 16], [0; 16]).map(asking)
        };
        let cases = [
            rounds(MAX_PBKDF2_ITERATIONS + 1).unwrap(),
            scrypt(1 << 19, 8, 1),
            scrypt(1 << 14, 8, 65),
            scrypt(1 << 63, u16::MAX, u16::MAX),
        ];
        for der in cases {
            let error = decrypt(&der, "DER", Some(&Passphrase::from("x"))).unwrap_err();
            assert!(matches!(error, LoadError::TooMuchWork { .. }), "{error}");
            assert!(error.to_string().contains("more than the limit of "));
        }
        // Without a passphrase nothing is done, but what is wanted is known.
        for der in [
            rounds(MAX_PBKDF2_ITERATIONS).unwrap(),
            scrypt(1 << 18, 8, 4),
        ] {
            assert_eq!(decrypt(&der, "DER", None), Err(LoadError::EncryptedKey));
        }
    }

    #[test]
    fn parameters_without_sense_are_refused() {
        for (n, r, p) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), (16, 0, 1), (16, 8, 0)] {
            let error = decrypt(&scrypt(n, r, p), "DER", Some(&Passphrase::from("x"))).unwrap_err();
            let refused = matches!(error, LoadError::UnsupportedEncryption(_));
            assert!(refused, "{n} {r} {p}: {error}");
        }
    }
}
