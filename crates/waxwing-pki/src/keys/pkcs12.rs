//! PKCS#12 (RFC 7292): a chain and its key in one file.

use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};

/// What to do with such a file where it is not expected.
pub(super) const ADVICE: &str = "chain and key are in one file; \
    `openssl pkcs12 -in FILE -out NEWFILE` makes PEM of them";

/// id-data and id-signedData (RFC 5652, Sections 4 and 5.1), one of which a PFX holds.
const CONTENTS: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2"),
];

/// PFX (RFC 7292, Section 4): version 3, then a ContentInfo.
pub(super) fn is_pkcs12(der: &[u8]) -> bool {
    content_type(der).is_some_and(|id| CONTENTS.contains(&id))
}

fn content_type(der: &[u8]) -> Option<ObjectIdentifier> {
    let pfx = AnyRef::from_der(der).ok()?;
    let mut fields = SliceReader::new(pfx.value()).ok()?;
    let version = UintRef::decode(&mut fields).ok()?;
    let content = AnyRef::decode(&mut fields).ok()?;
    let mut parts = SliceReader::new(content.value()).ok()?;
    let id = ObjectIdentifier::decode(&mut parts).ok()?;
    (version.as_bytes() == [3] && !parts.is_finished()).then_some(id)
}

#[cfg(feature = "pkcs12")]
mod open {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use std::path::Path;

    use p12_keystore::Pkcs12Archive;
    use p12_keystore::error::Error;
    use waxwing_core::CertifiedKey;
    use waxwing_crypto::KeyEncoding;
    use zeroize::Zeroizing;

    use super::is_pkcs12;
    use crate::LoadError;
    use crate::keys::{KeyLoading, Passphrase, assemble, read};

    impl KeyLoading<'_> {
        /// Loads the chain and the one private key of a PKCS#12 file (feature `pkcs12`). Without
        /// a passphrase the empty one is tried.
        ///
        /// PBES2 is read, as OpenSSL 3, current Java and Windows write it; for older files the
        /// error has the command that converts them. The library that does the reading does not
        /// erase its copies of the key, and has limits of its own for the work that a file may
        /// ask for: a million rounds, 1 GiB of memory.
        ///
        /// # Errors
        /// [`LoadError::WrongPassphrase`], [`LoadError::Pkcs12`] with the reason, and those of
        /// [`Self::certified_key`].
        pub fn pkcs12(&self, bytes: &[u8]) -> Result<CertifiedKey, LoadError> {
            if !is_pkcs12(bytes) {
                return Err(LoadError::Pkcs12("it is something else".to_owned()));
            }
            let passphrase = self.passphrase.map_or(b"".as_slice(), Passphrase::as_bytes);
            let passphrase =
                core::str::from_utf8(passphrase).map_err(|_| LoadError::WrongPassphrase)?;
            let archive =
                Pkcs12Archive::from_pkcs12(bytes, passphrase).map_err(|error| reason(&error))?;
            let [bag] = archive.keys.as_slice() else {
                let count = archive.keys.len();
                return Err(LoadError::Pkcs12(format!(
                    "there has to be one private key, and there are {count}"
                )));
            };
            let key = self.load(KeyEncoding::Pkcs8, bag.key.as_der())?;
            let certificates: Vec<_> = archive
                .certs
                .iter()
                .map(|bag| bag.cert.as_der().to_vec())
                .collect();
            if certificates.is_empty() {
                return Err(LoadError::NoCertificate(Some("a private key")));
            }
            assemble(certificates, key)
        }

        /// As [`Self::pkcs12`], from a file.
        ///
        /// # Errors
        /// [`LoadError::InFile`], with the reason.
        pub fn pkcs12_file(&self, path: impl AsRef<Path>) -> Result<CertifiedKey, LoadError> {
            let path = path.as_ref();
            let bytes: Zeroizing<Vec<u8>> = read(path)?;
            self.pkcs12(&bytes).map_err(|error| error.in_file(path))
        }
    }

    fn reason(error: &Error) -> LoadError {
        match error {
            Error::MacError(_) => LoadError::WrongPassphrase,
            Error::UnsupportedEncryptionScheme => LoadError::OldEncryption {
                scheme: "PKCS#12 with RC2 or 3DES".to_owned(),
                command: "openssl pkcs12 -legacy -in FILE -out NEWFILE".to_owned(),
            },
            other => LoadError::Pkcs12(other.to_string()),
        }
    }
}
