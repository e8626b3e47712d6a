//! Plaintext of small writes, which waits to become one record.

use waxwing_core::limits::MAX_PLAINTEXT;
use zeroize::Zeroize;

/// Bytes that may wait: a whole record's.
pub(crate) const MAX_GATHERED: usize = MAX_PLAINTEXT;
/// Bytes of memory at first.
const FIRST: usize = 512;

/// What was written in small pieces. Never full between calls: then it is sealed.
///
/// It is wiped when it was sealed, and when it is dropped.
#[derive(Default)]
pub(crate) struct Gathered(Vec<u8>);

impl Gathered {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.0.len() >= MAX_GATHERED
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Bytes of memory held.
    pub(crate) const fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Adds as much of `data` as fits; returns the rest.
    pub(crate) fn push<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = data.split_at(data.len().min(MAX_GATHERED - self.0.len()));
        let needed = self.0.len() + taken.len();
        if needed > self.0.capacity() {
            self.grow(needed);
        }
        self.0.extend_from_slice(taken);
        rest
    }

    /// Moves to more memory. `Vec` would do it by itself, but leave what was there behind.
    fn grow(&mut self, needed: usize) {
        let size = needed.max(2 * self.0.capacity()).max(FIRST);
        let mut bytes = Vec::with_capacity(size.min(MAX_GATHERED));
        bytes.extend_from_slice(&self.0);
        self.clear();
        self.0 = bytes;
    }

    /// Wipes what is there; the memory is kept.
    pub(crate) fn clear(&mut self) {
        // As a slice: a vector wipes all of its capacity.
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }

    /// Gives the memory back if nothing is there.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.0 = Vec::new();
        }
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.clear();
    }
}

impl core::fmt::Debug for Gathered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Gathered({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_no_more_than_a_record_and_gives_back_its_memory() {
        let mut gathered = Gathered::new();
        assert_eq!(gathered.push(b"abc"), b"");
        assert_eq!(gathered.capacity(), FIRST);
        let data = vec![7; MAX_GATHERED];
        assert_eq!(gathered.push(&data).len(), 3);
        assert!(gathered.is_full());
        assert_eq!(gathered.as_slice()[..4], *b"abc\x07");
        assert_eq!(gathered.capacity(), MAX_GATHERED);
        gathered.release();
        assert!(gathered.is_full(), "what waits stays");
        gathered.clear();
        gathered.release();
        assert_eq!((gathered.len(), gathered.capacity()), (0, 0));
    }

    #[test]
    fn grows_in_steps_that_grow_too() {
        let mut gathered = Gathered::new();
        let mut steps = 0;
        while !gathered.is_full() {
            let before = gathered.capacity();
            gathered.push(&[1; 64]);
            steps += u32::from(gathered.capacity() != before);
        }
        assert_eq!(steps, (MAX_GATHERED / FIRST).ilog2() + 1);
    }
}
