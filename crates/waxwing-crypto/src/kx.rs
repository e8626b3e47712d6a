//! Key exchange, in the shape of a key encapsulation mechanism.
//!
//! The side that speaks first calls [`KxGroup::start`] and later [`KeyShare::complete`]; the
//! other side calls [`KxGroup::respond`] once. (EC)DH fits this shape, ML-KEM demands it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{CryptoError, NamedGroup, SecureRandom};

/// Bytes of the longest shared secret: SecP384r1MLKEM1024, 48 + 32.
pub const MAX_SHARED_SECRET_LEN: usize = 80;

/// A key exchange group or KEM under its TLS code point.
pub trait KxGroup: Send + Sync {
    /// The code point.
    fn name(&self) -> NamedGroup;

    /// Makes a key pair and keeps the private part.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] if the library fails.
    fn start(&self, random: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError>;

    /// Answers the first side's public value: returns our own and the shared secret.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicValue`] if `peer` has the wrong length, is not a point of
    /// the curve, or leads to an all-zero secret (RFC 9846, Section 7.4.2).
    fn respond(
        &self,
        random: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError>;
}

impl fmt::Debug for dyn KxGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// The private half of a started key exchange. Used once.
pub trait KeyShare: Send + Sync {
    /// The group this share belongs to.
    fn group(&self) -> NamedGroup;

    /// The public value as it goes into the `key_exchange` field.
    fn public(&self) -> &[u8];

    /// A group that this share's private key also serves, with the public value for it.
    ///
    /// A hybrid's classical part can be offered on its own beside the hybrid without a second
    /// key generation.
    fn classical_part(&self) -> Option<(NamedGroup, &[u8])> {
        None
    }

    /// Takes the answer to the share offered for `group`, which is [`Self::group`] or that of
    /// [`Self::classical_part`].
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicValue`] as for [`KxGroup::respond`];
    /// [`CryptoError::Misuse`] if `group` is neither.
    fn complete(
        self: Box<Self>,
        group: NamedGroup,
        peer: &[u8],
    ) -> Result<SharedSecret, CryptoError>;
}

impl fmt::Debug for dyn KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyShare({})", self.group())
    }
}

/// The result of a key exchange. Erased when dropped, never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret {
    bytes: [u8; MAX_SHARED_SECRET_LEN],
    len: usize,
}

impl SharedSecret {
    /// The concatenation of `parts`.
    ///
    /// # Errors
    /// [`CryptoError::Misuse`] if they exceed [`MAX_SHARED_SECRET_LEN`].
    pub fn concat(parts: &[&[u8]]) -> Result<Self, CryptoError> {
        let mut secret = Self {
            bytes: [0; MAX_SHARED_SECRET_LEN],
            len: 0,
        };
        for part in parts {
            let end = secret.len + part.len();
            let target = secret
                .bytes
                .get_mut(secret.len..end)
                .ok_or(CryptoError::Misuse)?;
            target.copy_from_slice(part);
            secret.len = end;
        }
        Ok(secret)
    }
}

impl AsRef<[u8]> for SharedSecret {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedSecret({} bytes)", self.len)
    }
}
