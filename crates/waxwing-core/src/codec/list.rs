//! A list that was checked once and is read as it is walked, without allocation.

use core::fmt;
use core::marker::PhantomData;

use super::{Read, Reader};
use crate::error::DecodeError;

/// Items of type `T`, one after the other, all of them readable.
pub(crate) struct List<'a, T> {
    bytes: &'a [u8],
    items: PhantomData<T>,
}

impl<'a, T: Read<'a>> List<'a, T> {
    /// Checks that what is left of `reader` is a sequence of items.
    pub(crate) fn parse(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut check = reader.clone();
        while !check.is_empty() {
            T::read(&mut check)?;
        }
        Ok(Self {
            bytes: reader.take_rest(),
            items: PhantomData,
        })
    }

    /// The items.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        // `parse` read every item, so reading them again cannot fail.
        let mut reader = Reader::new("list", self.bytes);
        core::iter::from_fn(move || {
            if reader.is_empty() {
                None
            } else {
                T::read(&mut reader).ok()
            }
        })
    }

    /// The encoded items.
    pub(crate) const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a, T: Read<'a> + PartialEq> List<'a, T> {
    pub(crate) fn contains(&self, wanted: &T) -> bool {
        self.iter().any(|item| item == *wanted)
    }
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

/// Lists are equal if their encodings are: every type here has one encoding only.
impl<T> PartialEq for List<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<'a, T: Read<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self {
            bytes: &[],
            items: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_item_is_refused() {
        assert!(List::<u16>::parse(Reader::new("x", &[1, 2, 3])).is_err());
        let list = List::<u16>::parse(Reader::new("x", &[1, 2, 3, 4])).unwrap();
        assert!(list.iter().eq([0x0102, 0x0304]));
        assert!(list.contains(&0x0304) && !list.contains(&0x0203));
    }
}
