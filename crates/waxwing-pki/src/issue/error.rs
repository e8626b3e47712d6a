//! Why something cannot be issued.

use alloc::string::{String, ToString};
use core::fmt;

use waxwing_crypto::CryptoError;

use crate::{AltName, PublicKeyKind};

/// Why no certificate was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueError {
    /// No name was given.
    NoName,
    /// This name cannot be put into a certificate.
    Name(AltName),
    /// The common name is empty or longer than 64 characters.
    CommonName,
    /// The dates are out of range, or the system's clock is set before 1970.
    Dates,
    /// Nothing can be issued for, or signed with, a key of this kind.
    Key(Option<PublicKeyKind>),
    /// This certificate is no authority's: its subject.
    NoAuthority(String),
    /// The private key is not that of the authority's certificate.
    AuthorityKey,
    /// A signing request is not signed by the key it names, or asks for what is not issued.
    Request(String),
    /// The cryptography library failed.
    Library(String),
}

impl IssueError {
    pub(super) fn library(error: rcgen::Error) -> Self {
        Self::Library(error.to_string())
    }
}

impl From<CryptoError> for IssueError {
    fn from(error: CryptoError) -> Self {
        Self::Library(error.to_string())
    }
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("a certificate needs at least one name"),
            Self::Name(name) => write!(f, "{name:?} cannot be put into a certificate"),
            Self::CommonName => f.write_str("a common name has 1 to 64 characters"),
            Self::Dates => f.write_str("the dates of the certificate cannot be expressed"),
            Self::Key(Some(kind)) => write!(f, "a key of this kind cannot be used: {kind}"),
            Self::Key(None) => f.write_str("the key does not tell its public half"),
            Self::NoAuthority(subject) => write!(
                f,
                "{subject} is no authority: it may not issue certificates (basicConstraints)"
            ),
            Self::AuthorityKey => {
                f.write_str("the private key does not belong to the authority's certificate")
            }
            Self::Request(reason) => write!(f, "the signing request is refused: {reason}"),
            Self::Library(reason) => write!(f, "the certificate could not be made: {reason}"),
        }
    }
}

impl core::error::Error for IssueError {}
