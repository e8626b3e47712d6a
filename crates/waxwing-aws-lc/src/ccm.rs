//! AES-CCM (RFC 3610), from RustCrypto: AWS-LC has it for other protocols only.

use alloc::boxed::Box;
use core::marker::PhantomData;

use aes::Aes128;
use ccm::aead::array::ArraySize;
use ccm::aead::consts::{U8, U12, U16};
use ccm::aead::{AeadInOut, KeyInit, KeySizeUser};
use ccm::{Ccm, TagSize};
use waxwing_crypto::{Aead, AeadKey, CryptoError, IV_LEN};

use crate::aead::{bring_together, split_tag};

/// AES-128-CCM with its tag of 16 bytes (RFC 6655, Section 3).
pub static AES_128_CCM: &dyn Aead = &CcmAead::<U16>(PhantomData);
/// AES-128-CCM with a tag cut to 8 bytes (RFC 6655, Section 4), for peers that count every byte.
///
/// A forgery succeeds with one chance in 2^64. In TLS the first that fails ends the connection.
pub static AES_128_CCM_8: &dyn Aead = &CcmAead::<U8>(PhantomData);

/// AES-128-CCM with tags of this size.
struct CcmAead<T>(PhantomData<fn() -> T>);

impl<T: TagSize + ArraySize + Send + Sync + 'static> Aead for CcmAead<T> {
    fn key_len(&self) -> usize {
        Aes128::key_size()
    }

    fn tag_len(&self) -> usize {
        T::USIZE
    }

    fn new_key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key = Ccm::<Aes128, T, U12>::new_from_slice(key).map_err(|_| CryptoError::Misuse)?;
        Ok(Box::new(Key(key)))
    }
}

/// An expanded key. The cipher erases it on drop.
struct Key<T: TagSize + ArraySize>(Ccm<Aes128, T, U12>);

impl<T: TagSize + ArraySize + Send + Sync> AeadKey for Key<T> {
    fn seal(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        bring_together(plain, tail, out, T::USIZE)?;
        self.seal_in_place(iv, aad, out)
    }

    fn seal_in_place(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (plain, place) = split_tag(buf, T::USIZE).ok_or(CryptoError::Misuse)?;
        let tag = self
            .0
            .encrypt_inout_detached(iv.into(), aad, plain.into())
            .map_err(|_| CryptoError::Misuse)?;
        place.copy_from_slice(&tag);
        Ok(())
    }

    fn open_in_place(
        &self,
        iv: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let (body, tag) = split_tag(buf, T::USIZE).ok_or(CryptoError::Unauthentic)?;
        let tag = (&*tag).try_into().map_err(|_| CryptoError::Unauthentic)?;
        let opened = self
            .0
            .decrypt_inout_detached(iv.into(), aad, (&mut *body).into(), tag);
        if opened.is_err() {
            // What does not authenticate must not be seen.
            body.fill(0);
            return Err(CryptoError::Unauthentic);
        }
        Ok(body.len())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    /// NIST SP 800-38C, Example 3, the one with a nonce of 12 bytes.
    #[test]
    fn the_example_with_this_nonce() {
        let key: Vec<u8> = (0x40..0x50).collect();
        let nonce: [u8; 12] = core::array::from_fn(|i| 0x10 + i as u8);
        let aad: Vec<u8> = (0..20).collect();
        let plain: Vec<u8> = (0x20..0x38).collect();
        let expected = hex::decode(concat!(
            "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5",
            "484392fbc1b09951"
        ))
        .unwrap();
        let key = AES_128_CCM_8.new_key(&key).unwrap();
        let mut out = vec![0; plain.len() + 8];
        let (head, tail) = plain.split_at(20);
        key.seal(&nonce, &aad, head, tail, &mut out).unwrap();
        assert_eq!(out, expected);
        assert_eq!(key.open_in_place(&nonce, &aad, &mut out), Ok(24));
        assert_eq!(out[..24], plain);
    }

    #[test]
    fn what_was_changed_does_not_open() {
        for aead in [AES_128_CCM, AES_128_CCM_8] {
            assert_eq!(aead.key_len(), 16);
            let key = aead.new_key(&[7; 16]).unwrap();
            let mut sealed = vec![1; 10 + aead.tag_len()];
            key.seal_in_place(&[9; 12], b"aad", &mut sealed).unwrap();
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                let opened = key.open_in_place(&[9; 12], b"aad", &mut changed);
                assert_eq!(opened, Err(CryptoError::Unauthentic));
                assert_eq!(changed[..10], [0; 10]);
            }
            let mut other = sealed.clone();
            assert!(key.open_in_place(&[9; 12], b"bad", &mut other).is_err());
            assert!(
                key.open_in_place(&[8; 12], b"aad", &mut sealed.clone())
                    .is_err()
            );
            let short = &mut sealed[..aead.tag_len() - 1];
            let opened = key.open_in_place(&[9; 12], b"aad", short);
            assert_eq!(opened, Err(CryptoError::Unauthentic));
            assert!(aead.new_key(&[7; 15]).is_err());
        }
    }
}
