//! AES-GCM and ChaCha20-Poly1305.

use alloc::boxed::Box;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use waxwing_crypto::{Aead, AeadKey, CryptoError, IV_LEN};

/// AES-128-GCM (NIST SP 800-38D).
pub static AES_128_GCM: &dyn Aead = &AwsLcAead(&aead::AES_128_GCM);
/// AES-256-GCM (NIST SP 800-38D).
pub static AES_256_GCM: &dyn Aead = &AwsLcAead(&aead::AES_256_GCM);
/// ChaCha20-Poly1305 (RFC 8439).
pub static CHACHA20_POLY1305: &dyn Aead = &AwsLcAead(&aead::CHACHA20_POLY1305);

/// An AEAD of AWS-LC.
struct AwsLcAead(&'static aead::Algorithm);

impl Aead for AwsLcAead {
    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }

    fn new_key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key = UnboundKey::new(self.0, key).map_err(|_| CryptoError::Misuse)?;
        Ok(Box::new(Key(LessSafeKey::new(key))))
    }
}

/// An expanded key. The library calls a key "less safe" when its user chooses the nonces; TLS
/// does, from the record's sequence number (RFC 9846, Section 5.3). It erases the key on drop.
struct Key(LessSafeKey);

impl Key {
    fn tag_len(&self) -> usize {
        self.0.algorithm().tag_len()
    }

    /// Brings the plaintext together in `out` and seals it there.
    fn seal_copy(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (content, _) = split_tag(out, self.tag_len()).ok_or(CryptoError::Misuse)?;
        let (body, end) = content
            .split_at_mut_checked(plain.len())
            .filter(|(_, end)| end.len() == tail.len())
            .ok_or(CryptoError::Misuse)?;
        body.copy_from_slice(plain);
        end.copy_from_slice(tail);
        self.seal_in_place(iv, aad, out)
    }
}

fn nonce(bytes: &[u8; IV_LEN]) -> Nonce {
    Nonce::assume_unique_for_key(*bytes)
}

impl AeadKey for Key {
    fn seal(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        // For this cipher the library encrypts the tail in another block of its own, which costs
        // more than the copy: 64 bytes take 357 ns that way and 225 ns this way, and 16 KiB the
        // same either way.
        if self.0.algorithm() == &aead::CHACHA20_POLY1305 {
            return self.seal_copy(iv, aad, plain, tail, out);
        }
        // The library checks that each part of `out` has exactly the length it needs.
        let (body, tail_and_tag) = out
            .split_at_mut_checked(plain.len())
            .ok_or(CryptoError::Misuse)?;
        self.0
            .seal_out_of_place_scatter(nonce(iv), Aad::from(aad), plain, body, tail, tail_and_tag)
            .map_err(|_| CryptoError::Misuse)
    }

    fn seal_in_place(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (plain, tag) = split_tag(buf, self.tag_len()).ok_or(CryptoError::Misuse)?;
        self.0
            .seal_in_place_scatter(nonce(iv), Aad::from(aad), plain, &[], tag)
            .map_err(|_| CryptoError::Misuse)
    }

    fn open_in_place(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let (body, tag) = split_tag(buf, self.tag_len()).ok_or(CryptoError::Unauthentic)?;
        // On failure AWS-LC overwrites `body` with zeros.
        self.0
            .open_in_place_separate_tag(nonce(iv), Aad::from(aad), tag, body)
            .map(|plain| plain.len())
            .map_err(|_| CryptoError::Unauthentic)
    }
}

fn split_tag(buf: &mut [u8], tag_len: usize) -> Option<(&mut [u8], &mut [u8])> {
    let body_len = buf.len().checked_sub(tag_len)?;
    buf.split_at_mut_checked(body_len)
}
