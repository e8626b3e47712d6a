//! The output of a hash or an HMAC.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::MAX_HASH_LEN;

/// The output of a hash or an HMAC. Secrets derived with HMAC are digests too, so a digest is
/// erased when dropped, compared in constant time, and never printed.
#[derive(Clone)]
pub struct Digest {
    bytes: [u8; MAX_HASH_LEN],
    len: u8,
}

impl Digest {
    /// `len` zero bytes: the PSK that TLS 1.3 assumes when there is none.
    ///
    /// `len` is at most [`MAX_HASH_LEN`].
    #[must_use]
    pub const fn zeros(len: usize) -> Self {
        assert!(len <= MAX_HASH_LEN);
        Self {
            bytes: [0; MAX_HASH_LEN],
            len: len as u8,
        }
    }

    /// The first `len` of `bytes`.
    pub(super) const fn new(bytes: [u8; MAX_HASH_LEN], len: usize) -> Self {
        debug_assert!(len <= MAX_HASH_LEN, "a digest longer than any hash");
        Self {
            bytes,
            len: len as u8,
        }
    }

    /// Copies a digest from its bytes; `None` if there are more than [`MAX_HASH_LEN`].
    #[must_use]
    pub fn from_slice(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_HASH_LEN];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self {
            bytes,
            len: from.len() as u8,
        })
    }

    /// Bytes of this digest.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether this digest has no bytes at all, which only [`Self::zeros`] can make.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Compares with `other` in time that depends on the lengths only.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        self.as_ref().ct_eq(other).into()
    }
}

impl Zeroize for Digest {
    fn zeroize(&mut self) {
        // As a slice, so that it is one store of many bytes and not one for each.
        self.bytes.as_mut_slice().zeroize();
        self.len = 0;
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Digest {}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({} bytes)", self.len)
    }
}
