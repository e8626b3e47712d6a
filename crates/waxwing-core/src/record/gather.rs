//! Application data that lies in several slices.

use waxwing_crypto::CryptoError;

/// What is left of a caller's slices, read as if they were one.
pub(crate) struct Gather<'a> {
    head: &'a [u8],
    rest: &'a [&'a [u8]],
}

impl<'a> Gather<'a> {
    pub(crate) const fn new(parts: &'a [&'a [u8]]) -> Self {
        Self {
            head: &[],
            rest: parts,
        }
    }

    /// The next `len` bytes if one slice holds them all.
    pub(super) fn take_whole(&mut self, len: usize) -> Option<&'a [u8]> {
        while self.head.is_empty() {
            let Some((next, rest)) = self.rest.split_first() else {
                break;
            };
            self.head = next;
            self.rest = rest;
        }
        let (taken, head) = self.head.split_at_checked(len)?;
        self.head = head;
        Some(taken)
    }

    /// Fills `out` with the next bytes.
    pub(super) fn copy_to(&mut self, mut out: &mut [u8]) -> Result<(), CryptoError> {
        while !out.is_empty() {
            if self.head.is_empty() {
                let (next, rest) = self.rest.split_first().ok_or(CryptoError::Misuse)?;
                self.head = next;
                self.rest = rest;
            }
            let len = out.len().min(self.head.len());
            let (from, head) = self.head.split_at(len);
            let (to, left) = out.split_at_mut(len);
            to.copy_from_slice(from);
            self.head = head;
            out = left;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slice_is_lent_whatever_empty_ones_are_around_it() {
        let parts: [&[u8]; 5] = [b"", b"abcd", b"", b"", b"ef"];
        let mut gather = Gather::new(&parts);
        assert_eq!(gather.take_whole(3), Some(b"abc".as_slice()));
        assert_eq!(gather.take_whole(2), None);
        assert_eq!(gather.take_whole(1), Some(b"d".as_slice()));
        assert_eq!(gather.take_whole(2), Some(b"ef".as_slice()));
        assert_eq!(gather.take_whole(1), None);
    }

    #[test]
    fn copying_crosses_slices_and_notices_their_end() {
        let parts: [&[u8]; 4] = [b"ab", b"", b"c", b"de"];
        let mut gather = Gather::new(&parts);
        let mut out = [0; 4];
        assert_eq!(gather.copy_to(&mut out), Ok(()));
        assert_eq!(&out, b"abcd");
        assert_eq!(gather.take_whole(1), Some(b"e".as_slice()));
        assert_eq!(gather.copy_to(&mut out), Err(CryptoError::Misuse));
    }
}
