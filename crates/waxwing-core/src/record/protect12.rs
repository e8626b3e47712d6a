//! Record protection of TLS 1.2 with an AEAD (RFC 5246, Section 6.2.3.3): nonce and additional
//! data. Keys come from the key block, and there is one pair for each connection.

use alloc::boxed::Box;

use waxwing_crypto::{AeadKey, CryptoError, IV_LEN, MAX_KEY_LEN, Nonce12, Suite12};
use zeroize::Zeroizing;

use super::ContentType;
use super::protect::xor_nonce;

/// Bytes of the additional data: sequence number, type, version, length.
pub(super) const AAD_LEN: usize = 13;
/// The version in every record.
const VERSION: [u8; 2] = [3, 3];

/// One direction's part of the key block (RFC 5246, Section 6.3).
pub(crate) struct Keys12 {
    pub(crate) suite: &'static Suite12,
    /// As many bytes at the front as the AEAD takes.
    pub(crate) key: Zeroizing<[u8; MAX_KEY_LEN]>,
    /// As many bytes at the front as the suite fixes.
    pub(crate) iv: Zeroizing<[u8; IV_LEN]>,
}

impl Keys12 {
    pub(super) fn aead_key(&self) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key = self.key.get(..self.suite.aead.key_len());
        self.suite.aead.new_key(key.ok_or(CryptoError::Misuse)?)
    }
}

/// The nonce of the record with this sequence number, which stands in the record too where the
/// suite says so. The number itself never repeats (RFC 5288, Section 3).
pub(super) fn nonce(kind: Nonce12, iv: &[u8; IV_LEN], seq: u64) -> [u8; IV_LEN] {
    match kind {
        Nonce12::Explicit => explicit_nonce(iv, seq.to_be_bytes()),
        Nonce12::Implicit => xor_nonce(iv, seq),
    }
}

/// The nonce of a record that carries this part of it.
pub(super) fn explicit_nonce(iv: &[u8; IV_LEN], explicit: [u8; 8]) -> [u8; IV_LEN] {
    let mut nonce = *iv;
    for (place, byte) in nonce.iter_mut().rev().zip(explicit.iter().rev()) {
        *place = *byte;
    }
    nonce
}

/// The additional data of a record with `len` bytes of content.
pub(super) fn additional_data(seq: u64, typ: ContentType, len: u16) -> [u8; AAD_LEN] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = seq.to_be_bytes();
    let [major, minor] = VERSION;
    let [high, low] = len.to_be_bytes();
    [
        s0, s1, s2, s3, s4, s5, s6, s7, typ.0, major, minor, high, low,
    ]
}
