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
