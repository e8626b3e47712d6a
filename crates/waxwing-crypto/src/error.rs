//! The one error of every primitive.

use core::fmt;

/// Why a primitive did not do what it was asked.
///
/// Deliberately coarse: which step of an AEAD or signature check failed must not be visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// An AEAD tag or a signature did not verify.
    Unauthentic,
    /// A peer's public value is not a valid one for the group.
    InvalidPublicValue,
    /// A key is malformed, of an unknown kind, or smaller than policy allows.
    InvalidKey,
    /// The operation was asked for with a length or parameter it does not take.
    Misuse,
    /// The library failed on its own account, for example without entropy.
    Failed,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthentic => "authentication failed",
            Self::InvalidPublicValue => "invalid public value",
            Self::InvalidKey => "invalid key",
            Self::Misuse => "wrong length or parameter",
            Self::Failed => "the cryptography library failed",
        })
    }
}

impl core::error::Error for CryptoError {}
