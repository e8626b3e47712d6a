//! What can be wrong with files of certificates and keys.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::PublicKeyKind;

/// What keys a message about another one can name.
const SUPPORTED: &str = "(supported: RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 and P-521, \
                         Ed25519, ML-DSA)";

/// Why certificates or keys could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// A file's content has this problem.
    InFile {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: Box<Self>,
    },
    /// The file cannot be read; the system's reason.
    Unreadable(String),
    /// The PEM is broken in this way.
    Pem(String),
    /// There is no certificate; what was found instead, if anything.
    NoCertificate(Option<&'static str>),
    /// One of the certificates is malformed.
    BadCertificate {
        /// Its place, counted from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// The system has no certificate store, or nothing in it is usable.
    NoSystemStore(String),
    /// There is no private key; what was found instead, if anything.
    NoPrivateKey(Option<&'static str>),
    /// The private key is encrypted, and there was no passphrase for it.
    EncryptedKey,
    /// The passphrase does not open the private key.
    WrongPassphrase,
    /// The private key is encrypted in a way that is too weak to go on with.
    OldEncryption {
        /// What it is.
        scheme: String,
        /// What makes a file of today's kind out of it.
        command: String,
    },
    /// The private key is encrypted in a way that is not known here.
    UnsupportedEncryption(String),
    /// Opening the private key would take more work than anyone should ask for.
    TooMuchWork {
        /// What of.
        what: &'static str,
        /// How much the file asks for.
        asked: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// There is no signing request; what was found instead, if anything.
    NoRequest(Option<&'static str>),
    /// The signing request is malformed.
    BadRequest(String),
    /// What is wrong with a PKCS#12 file.
    Pkcs12(String),
    /// The provider cannot use the private key, and it is not clear why.
    UnusableKey,
    /// The provider takes no private keys of this kind or size, or this one is damaged.
    RefusedKey {
        /// The kind.
        kind: PublicKeyKind,
    },
    /// The private key does not belong to the certificate.
    KeyMismatch {
        /// The subject of the first certificate.
        subject: String,
        /// The kind of key in that certificate.
        certificate: PublicKeyKind,
        /// The kind of the private key.
        private: PublicKeyKind,
    },
    /// A certificate is no part of the chain: it issued none of the others.
    Unconnected {
        /// Its place, counted from 1.
        number: usize,
        /// Its subject.
        subject: String,
    },
}

impl LoadError {
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::InFile {
            path: path.to_owned(),
            problem: Box::new(self),
        }
    }

    pub(crate) fn unreadable(error: &io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFile { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::Unreadable(reason) => write!(f, "cannot be read: {reason}"),
            Self::Pem(reason) => write!(f, "broken PEM: {reason}"),
            Self::NoCertificate(None) => f.write_str("there is no certificate in it"),
            Self::NoCertificate(Some(found)) => {
                write!(f, "there is no certificate in it, but {found}")
            }
            Self::BadCertificate { number, reason } => {
                write!(f, "certificate {number} is malformed: {reason}")
            }
            Self::NoSystemStore(reason) => {
                write!(f, "no usable certificate in the system's store: {reason}")
            }
            Self::NoPrivateKey(None) => f.write_str("there is no private key in it"),
            Self::NoPrivateKey(Some(found)) => {
                write!(f, "there is no private key in it, but {found}")
            }
            Self::NoRequest(None) => f.write_str("there is no signing request in it"),
            Self::NoRequest(Some(found)) => {
                write!(f, "there is no signing request in it, but {found}")
            }
            Self::BadRequest(reason) => write!(f, "the signing request is malformed: {reason}"),
            Self::EncryptedKey => f.write_str(
                "the private key is encrypted, and no passphrase was given; \
                 `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEWFILE` decrypts it",
            ),
            Self::WrongPassphrase => f.write_str("the passphrase is wrong"),
            Self::OldEncryption { scheme, command } => write!(
                f,
                "the private key is encrypted in an old way that protects it badly ({scheme}); \
                 convert it with `{command}`"
            ),
            Self::UnsupportedEncryption(reason) => {
                write!(
                    f,
                    "the private key is encrypted in an unsupported way: {reason}"
                )
            }
            Self::TooMuchWork { what, asked, limit } => write!(
                f,
                "opening the private key would take {asked} {what}, \
                 more than the limit of {limit}"
            ),
            Self::Pkcs12(reason) => write!(f, "PKCS#12: {reason}"),
            Self::UnusableKey => write!(f, "the private key is malformed {SUPPORTED}"),
            Self::RefusedKey { kind } => {
                write!(
                    f,
                    "the private key ({kind}) is damaged or cannot be used {SUPPORTED}"
                )
            }
            Self::KeyMismatch {
                subject,
                certificate,
                private,
            } => write!(
                f,
                "the private key ({private}) does not belong to the certificate of {subject} \
                 ({certificate})"
            ),
            Self::Unconnected { number, subject } => write!(
                f,
                "certificate {number} ({subject}) is no part of the chain: it issued none of \
                 the other certificates"
            ),
        }
    }
}

impl core::error::Error for LoadError {}
