//! HMAC (RFC 2104).

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::running::{CompressFn, Running, Word};
use super::{Digest, Hash, MAX_HASH_LEN};

/// An HMAC key as its two midstates: after the inner and after the outer padded key.
#[derive(Clone)]
pub struct HmacKey {
    hash: &'static Hash,
    midstates: Midstates,
}

#[derive(Clone)]
pub(super) enum Midstates {
    Words32(Keyed<u32, 64>),
    Words64(Keyed<u64, 128>),
}

impl HmacKey {
    pub(super) const fn new(hash: &'static Hash, midstates: Midstates) -> Self {
        Self { hash, midstates }
    }

    /// The hash function under this key.
    #[must_use]
    pub const fn hash(&self) -> &'static Hash {
        self.hash
    }

    /// HMAC over the concatenation of `parts`.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> Digest {
        let bytes = match &self.midstates {
            Midstates::Words32(key) => key.sign(parts),
            Midstates::Words64(key) => key.sign(parts),
        };
        Digest::new(bytes, self.hash.output_len())
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        match &mut self.midstates {
            Midstates::Words32(key) => key.zeroize(),
            Midstates::Words64(key) => key.zeroize(),
        }
    }
}

impl ZeroizeOnDrop for HmacKey {}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HmacKey({:?})", self.hash.id())
    }
}

/// What a key that is no secret leads to.
pub(super) struct KeyMidstates<W> {
    inner: [W; 8],
    outer: [W; 8],
}

/// Under SHA-256 with a key of zeros.
pub(super) const ZEROS_SHA256: KeyMidstates<u32> = KeyMidstates {
    inner: [
        0xf454_dead,
        0x9725_214f,
        0x90da_f2a0,
        0xdf12_28ea,
        0x64e5_750f,
        0xa392_4181,
        0x824a_932b,
        0xf8e0_4e32,
    ],
    outer: [
        0xd385_480f,
        0x7abb_6477,
        0x37c9_c538,
        0x5dd8_2467,
        0x8e04_3a72,
        0x7534_34b0,
        0xdeb8_2818,
        0x361d_45a6,
    ],
};

/// Under SHA-384 with a key of zeros.
pub(super) const ZEROS_SHA384: KeyMidstates<u64> = KeyMidstates {
    inner: [
        0x53f8_6932_7560_c3a2,
        0xc237_b051_64a5_bbe8,
        0xe581_f739_4cfa_66b8,
        0x846f_a619_22fa_ad62,
        0xdd0b_37ce_462c_ff5e,
        0x7ee8_a4bd_c875_67f3,
        0x39bd_a99c_75a0_47f7,
        0xc7bd_628b_d3f9_a734,
    ],
    outer: [
        0xff6c_e3f9_ca86_c81c,
        0x5855_59c2_ae0f_c15c,
        0xcf0d_5686_fb65_a54e,
        0xf1d5_4ee1_9e8c_fd02,
        0xa5c7_20ab_778f_f100,
        0xdeb3_e5f6_6757_3e8c,
        0xc1bf_c7ec_16b5_91f3,
        0x34d4_87c1_c79d_59eb,
    ],
};

/// The midstates for one size of word.
#[derive(Clone)]
pub(super) struct Keyed<W, const BLOCK: usize> {
    compress: CompressFn<W, BLOCK>,
    inner: [W; 8],
    outer: [W; 8],
}

impl<W: Word, const BLOCK: usize> Keyed<W, BLOCK> {
    /// From a key that is no longer than a block.
    pub(super) fn new(compress: CompressFn<W, BLOCK>, initial: [W; 8], key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        block[..key.len()].copy_from_slice(key);
        let mut midstate = |pad: u8| {
            for byte in &mut block {
                *byte ^= pad;
            }
            let mut words = initial;
            compress(&mut words, core::slice::from_ref(&block));
            words
        };
        let inner = midstate(0x36);
        // The block is now key XOR 0x36; a second XOR with 0x36 ^ 0x5c leaves key XOR 0x5c.
        let outer = midstate(0x36 ^ 0x5c);
        block.as_mut_slice().zeroize();
        Self {
            compress,
            inner,
            outer,
        }
    }

    /// From what a key leads to.
    pub(super) const fn known(compress: CompressFn<W, BLOCK>, midstates: &KeyMidstates<W>) -> Self {
        Self {
            compress,
            inner: midstates.inner,
            outer: midstates.outer,
        }
    }

    /// HMAC over `parts`.
    fn sign(&self, parts: &[&[u8]]) -> [u8; MAX_HASH_LEN] {
        let mut running = Running::after_block(self.compress, self.inner);
        for part in parts {
            running.update(part);
        }
        let mut inner = running.finish();
        running.zeroize();
        running = Running::after_block(self.compress, self.outer);
        running.update(&inner[..W::OUTPUT]);
        let bytes = running.finish();
        running.zeroize();
        inner.as_mut_slice().zeroize();
        bytes
    }
}

impl<W: Word, const BLOCK: usize> Zeroize for Keyed<W, BLOCK> {
    fn zeroize(&mut self) {
        self.inner.as_mut_slice().zeroize();
        self.outer.as_mut_slice().zeroize();
    }
}
