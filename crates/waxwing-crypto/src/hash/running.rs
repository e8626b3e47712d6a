//! SHA-2 for one size of word: blocks, and padding (FIPS 180-4, Sections 5 and 6).

use zeroize::{DefaultIsZeroes, Zeroize};

use super::MAX_HASH_LEN;

/// The compression function of FIPS 180-4, applied to whole blocks in order.
pub(super) type CompressFn<W, const BLOCK: usize> = fn(&mut [W; 8], &[[u8; BLOCK]]);

/// A word of the state.
pub(super) trait Word: DefaultIsZeroes {
    /// Bytes of output that count: all of SHA-256's, and of SHA-512's as many as SHA-384 has.
    const OUTPUT: usize;

    /// Writes the words in the order of their bytes on the wire, as far as the longest hash goes.
    fn write_all(words: &[Self; 8], out: &mut [u8; MAX_HASH_LEN]);
}

impl Word for u32 {
    const OUTPUT: usize = 32;

    fn write_all(words: &[Self; 8], out: &mut [u8; MAX_HASH_LEN]) {
        for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_be_bytes();
        }
    }
}

impl Word for u64 {
    const OUTPUT: usize = MAX_HASH_LEN;

    fn write_all(words: &[Self; 8], out: &mut [u8; MAX_HASH_LEN]) {
        for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
            *bytes = word.to_be_bytes();
        }
    }
}

/// A hash of what was absorbed so far.
#[derive(Clone)]
pub(super) struct Running<W, const BLOCK: usize> {
    compress: CompressFn<W, BLOCK>,
    words: [W; 8],
    /// Bytes absorbed so far.
    total: u64,
    /// The bytes that do not yet fill a block. The rest of it is zero, as padding has to be.
    buffered: [u8; BLOCK],
}

impl<W: Word, const BLOCK: usize> Running<W, BLOCK> {
    /// Has absorbed nothing.
    pub(super) const fn start(compress: CompressFn<W, BLOCK>, initial: [W; 8]) -> Self {
        Self {
            compress,
            words: initial,
            total: 0,
            buffered: [0; BLOCK],
        }
    }

    /// Has absorbed one block, which led to `words`.
    pub(super) const fn after_block(compress: CompressFn<W, BLOCK>, words: [W; 8]) -> Self {
        Self {
            compress,
            words,
            total: BLOCK as u64,
            buffered: [0; BLOCK],
        }
    }

    /// Bytes absorbed so far.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Bytes of `buffered` that wait for more.
    const fn used(&self) -> usize {
        self.total as usize % BLOCK
    }

    /// Absorbs `data`.
    #[inline]
    pub(super) fn update(&mut self, data: &[u8]) {
        let used = self.used();
        self.total = self.total.wrapping_add(data.len() as u64);
        let room = &mut self.buffered[used..];
        match data {
            // Copies of a length that is not known take a call: not for nothing, or for one byte.
            [] => {}
            [byte] if room.len() > 1 => room[0] = *byte,
            _ if data.len() < room.len() => room[..data.len()].copy_from_slice(data),
            _ => self.update_blocks(used, data),
        }
    }

    /// Absorbs what fills at least the block that is begun.
    fn update_blocks(&mut self, used: usize, mut data: &[u8]) {
        if used > 0 {
            let (head, rest) = data.split_at(BLOCK - used);
            self.buffered[used..].copy_from_slice(head);
            data = rest;
            self.compress_buffered();
        }
        let (blocks, rest) = data.as_chunks();
        if !blocks.is_empty() {
            (self.compress)(&mut self.words, blocks);
        }
        self.buffered[..rest.len()].copy_from_slice(rest);
    }

    fn compress_buffered(&mut self) {
        (self.compress)(&mut self.words, core::slice::from_ref(&self.buffered));
        self.buffered = [0; BLOCK];
    }

    /// The hash of what was absorbed, of which the function's own length counts. FIPS 180-4, Section
    /// 5.1: a one bit, zeros, and the length in bits.
    pub(super) fn finish(&mut self) -> [u8; MAX_HASH_LEN] {
        let used = self.used();
        self.buffered[used] = 0x80;
        if used + 1 + BLOCK / 8 > BLOCK {
            self.compress_buffered();
        }
        let bits = self.total.wrapping_mul(8);
        self.buffered[BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
        self.compress_buffered();
        let mut bytes = [0; MAX_HASH_LEN];
        W::write_all(&self.words, &mut bytes);
        bytes
    }
}

impl<W: Word, const BLOCK: usize> Zeroize for Running<W, BLOCK> {
    fn zeroize(&mut self) {
        // As slices, so that it is one store of many bytes and not one for each.
        self.words.as_mut_slice().zeroize();
        self.buffered.as_mut_slice().zeroize();
    }
}
