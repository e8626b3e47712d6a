//! Authenticated encryption of one record (RFC 5116).

use alloc::boxed::Box;

use crate::CryptoError;

/// Bytes of a nonce and of the per-connection static IV (RFC 9846, Section 5.3).
pub const IV_LEN: usize = 12;
/// Bytes of the longest key of any suite: AES-256 and ChaCha20.
pub const MAX_KEY_LEN: usize = 32;
/// Bytes of the longest authentication tag of any suite.
pub const MAX_TAG_LEN: usize = 16;

/// An AEAD algorithm: a factory of keys.
pub trait Aead: Send + Sync {
    /// Bytes of a key.
    fn key_len(&self) -> usize;

    /// Bytes that sealing adds.
    fn tag_len(&self) -> usize {
        16
    }

    /// Expands a key once, so that each record pays only for its own bytes.
    ///
    /// # Errors
    /// [`CryptoError::Misuse`] if `key` is not [`Self::key_len`] bytes.
    fn new_key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError>;
}

/// One direction's key. Implementations erase it when dropped.
pub trait AeadKey: Send + Sync {
    /// Encrypts `plain` followed by `tail` into `out`, and the tag after them.
    ///
    /// `tail` is the few bytes that follow the content inside the same record: in TLS 1.3 the
    /// content type and the padding. `out` is `plain.len() + tail.len() + tag_len` bytes long;
    /// what it held before is not read.
    ///
    /// # Errors
    /// [`CryptoError::Misuse`] if the lengths do not fit.
    fn seal(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError>;

    /// Encrypts all of `buf` but its last `tag_len` bytes in place; the tag fills those.
    ///
    /// # Errors
    /// [`CryptoError::Misuse`] if `buf` is shorter than a tag.
    fn seal_in_place(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<(), CryptoError>;

    /// Checks the tag at the end of `buf` and decrypts the bytes before it in place.
    ///
    /// Returns the length of the plaintext. After an error `buf` holds no plaintext.
    ///
    /// # Errors
    /// [`CryptoError::Unauthentic`] if the tag does not match or `buf` is shorter than one.
    fn open_in_place(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<usize, CryptoError>;
}
