//! The output buffer.

use alloc::vec::Vec;

/// Bytes on their way out: filled at the end, taken from the front.
///
/// It differs from a `Vec<u8>` in one point that the record path lives on: memory, once grown,
/// stays initialised, so sealing a record never pays for zeroing what it is about to overwrite.
#[derive(Default)]
pub struct Buffer {
    /// All of it is initialised; only `start..end` means anything.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// An empty buffer, which holds no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// Bytes waiting.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing is waiting.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The bytes waiting.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Forgets the first `count` bytes waiting, or all if there are fewer.
    pub fn consume(&mut self, count: usize) {
        self.start += count.min(self.len());
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Forgets everything waiting; memory is kept.
    pub const fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Gives the memory back if nothing is waiting.
    pub fn release(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Room for exactly `count` more bytes, with unspecified content. What is written there
    /// counts only after [`Self::commit`].
    #[inline]
    pub fn space(&mut self, count: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < count {
            self.make_room(count);
        }
        &mut self.bytes[self.end..self.end + count]
    }

    /// Adds the first `count` bytes of the last [`Self::space`] to what is waiting.
    ///
    /// # Panics
    /// If `count` is more than was asked for: a bug of the caller, out of a peer's reach.
    #[inline]
    pub fn commit(&mut self, count: usize) {
        assert!(
            count <= self.bytes.len() - self.end,
            "commit of more than the space"
        );
        self.end += count;
    }

    /// Adds a copy of `data`.
    pub fn extend_from_slice(&mut self, data: &[u8]) {
        self.space(data.len()).copy_from_slice(data);
        self.commit(data.len());
    }

    /// Moves what is waiting to the front if that suffices, else grows.
    #[cold]
    fn make_room(&mut self, count: usize) {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < count {
            self.bytes.resize(self.end + count, 0);
        }
    }
}

impl core::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Buffer({} of {} bytes)", self.len(), self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_across_growth_and_consumption() {
        let mut buffer = Buffer::new();
        let mut expected = Vec::new();
        for round in 0..50u8 {
            let data: Vec<u8> = (0..round).collect();
            buffer.extend_from_slice(&data);
            expected.extend_from_slice(&data);
            let taken = usize::from(round / 2);
            buffer.consume(taken);
            expected.drain(..taken.min(expected.len()));
            assert_eq!(buffer.as_slice(), expected);
        }
    }

    #[test]
    fn grown_memory_is_used_again_and_given_back_when_asked() {
        let mut buffer = Buffer::new();
        buffer.space(1000);
        let grown = buffer.capacity();
        for _ in 0..100 {
            buffer.extend_from_slice(&[7; 600]);
            buffer.consume(600);
        }
        assert_eq!(buffer.capacity(), grown);
        buffer.extend_from_slice(&[1]);
        buffer.release();
        assert_eq!(buffer.as_slice(), [1]);
        buffer.consume(1);
        buffer.release();
        assert_eq!(buffer.capacity(), 0);
    }
}
