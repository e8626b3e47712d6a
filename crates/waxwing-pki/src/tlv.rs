//! The elements of DER, borrowed (X.690, Sections 8.1 and 10.1), and no more of it than
//! certificates need that are judged without being decoded.

use waxwing_crypto::der::element;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A constructed element with the tag `[number]`.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// A primitive element with the implicit tag `[number]`.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// Elements that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Those inside the one element that `bytes` are, which has this tag.
    pub(crate) fn inside(bytes: &'a [u8], tag: u8) -> Option<Self> {
        only(bytes, tag).map(Self)
    }

    /// The content of the next one, if that has this tag; else it stays the next.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (content, rest) = element(self.0, tag)?;
        self.0 = rest;
        Some(content)
    }

    /// As [`Self::take`], with tag and length before the content.
    pub(crate) fn take_whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let all = self.0;
        self.take(tag)?;
        all.get(..all.len().checked_sub(self.0.len())?)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// There must not be another one.
    pub(crate) fn finish(self) -> Option<()> {
        self.is_empty().then_some(())
    }
}

/// The content of the one element that `bytes` are, which has this tag.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let mut elements = Elements::of(bytes);
    let content = elements.take(tag)?;
    elements.finish()?;
    Some(content)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use x509_cert::der::Decode;
    use x509_cert::der::asn1::OctetStringRef;

    use super::*;

    #[test]
    fn lengths_have_one_form_each() {
        for len in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1234, 0xffff] {
            for header in 0..=4_usize {
                let mut bytes = vec![OCTET_STRING];
                match header {
                    0 => bytes.push(u8::try_from(len & 0x7f).unwrap()),
                    _ => bytes.push(0x80 | u8::try_from(header).unwrap()),
                }
                let octets = u32::try_from(len).unwrap().to_be_bytes();
                bytes.extend(octets.into_iter().skip(4 - header));
                bytes.extend(Vec::from_iter(core::iter::repeat_n(7, len)));
                let expected = <&OctetStringRef>::from_der(&bytes).ok();
                let expected = expected.map(OctetStringRef::as_bytes);
                assert_eq!(only(&bytes, OCTET_STRING), expected, "{len} {header}");
            }
        }
    }

    #[test]
    fn only_the_wanted_is_taken() {
        let bytes = [INTEGER, 1, 9, NULL, 0];
        let mut elements = Elements::of(&bytes);
        assert_eq!(elements.take(NULL), None);
        assert_eq!(elements.take_whole(INTEGER), Some(&bytes[..3]));
        assert_eq!(elements.finish(), None);
        assert_eq!(elements.take(NULL), Some(&[][..]));
        assert_eq!(elements.finish(), Some(()));
        assert_eq!(only(&bytes, INTEGER), None);
        assert_eq!(only(&bytes[..2], INTEGER), None);
    }
}
