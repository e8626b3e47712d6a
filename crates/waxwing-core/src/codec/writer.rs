//! Writes structures forward into a growing buffer; lengths are patched when known.

use alloc::vec::Vec;

use crate::Error;
use crate::error::Misuse;

/// Appends to a buffer.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Makes room for so many bytes in one go.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.out.reserve(count);
    }

    /// What was written from this place on, counted from the start of the buffer.
    pub(crate) fn since(&self, start: usize) -> &[u8] {
        self.out.get(start..).unwrap_or_default()
    }

    /// Bytes in the buffer so far.
    pub(crate) const fn position(&self) -> usize {
        self.out.len()
    }

    /// Takes back everything from this place on.
    pub(crate) fn truncate(&mut self, to: usize) {
        self.out.truncate(to);
    }

    /// Writes a vector with a length of one byte.
    pub(crate) fn vec8(
        &mut self,
        content: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.vector::<1>(content)
    }

    /// Writes a vector with a length of two bytes.
    pub(crate) fn vec16(
        &mut self,
        content: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.vector::<2>(content)
    }

    /// Writes a vector with a length of three bytes.
    pub(crate) fn vec24(
        &mut self,
        content: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.vector::<3>(content)
    }

    fn vector<const N: usize>(
        &mut self,
        content: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let at = self.out.len();
        self.bytes(&[0; N]);
        content(self)?;
        let len = self.out.len().saturating_sub(at).saturating_sub(N) as u64;
        let [unused @ .., a, b, c] = len.to_be_bytes();
        let length = [a, b, c];
        let (over, length) = length.split_at(3_usize.saturating_sub(N));
        // Only a configured value can be too long; everything else here has a limit.
        if unused.iter().chain(over).any(|byte| *byte != 0) {
            return Err(Misuse::TooLong.into());
        }
        let place = self.out.get_mut(at..).and_then(|tail| tail.get_mut(..N));
        if let Some(place) = place {
            place.copy_from_slice(length);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_lengths_are_patched() {
        let mut out = alloc::vec![9];
        let mut writer = Writer::new(&mut out);
        writer
            .vec24(|w| {
                w.u8(1);
                w.vec16(|w| {
                    w.bytes(b"ab");
                    Ok(())
                })?;
                w.vec8(|_| Ok(()))
            })
            .unwrap();
        assert_eq!(out, [9, 0, 0, 6, 1, 0, 2, b'a', b'b', 0]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        let too_long = writer.vec8(|w| {
            w.bytes(&[0; 256]);
            Ok(())
        });
        assert_eq!(too_long, Err(Misuse::TooLong.into()));
    }
}
