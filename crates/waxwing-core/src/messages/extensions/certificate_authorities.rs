//! `certificate_authorities` (RFC 9846, Section 4.3.4).

use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::DecodeError;

/// An X.501 name in DER, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DistinguishedName<'a>(pub(crate) &'a [u8]);

impl<'a> Read<'a> for DistinguishedName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let name = reader.vec16("DistinguishedName")?.non_empty()?.take_rest();
        Ok(Self(name))
    }
}

/// Reads the list.
pub(crate) fn read(reader: Reader<'_>) -> Result<List<'_, DistinguishedName<'_>>, DecodeError> {
    super::read_list16(reader, "authorities")
}

/// Writes the list; names are in DER.
pub(crate) fn write_certificate_authorities(
    w: &mut Writer<'_>,
    names: impl IntoIterator<Item: AsRef<[u8]>>,
) -> Result<(), Error> {
    w.vec16(|w| {
        for name in names {
            w.vec16(|w| {
                w.bytes(name.as_ref());
                Ok(())
            })?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn names(data: &[u8]) -> Result<List<'_, DistinguishedName<'_>>, Error> {
        Ok(read(Reader::new("certificate_authorities", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_certificate_authorities(w, [[0x30, 0], [0x31, 0]]));
        let expected = [DistinguishedName(&[0x30, 0]), DistinguishedName(&[0x31, 0])];
        assert!(names(&data).unwrap().iter().eq(expected));
        assert_exact(&data, &[], |data| names(data).map(|_| ()));
    }

    #[test]
    fn nothing_is_empty() {
        assert_eq!(
            names(&[0, 0]),
            Err(malformed("authorities", Problem::Length))
        );
        let name = malformed("DistinguishedName", Problem::Length);
        assert_eq!(names(&[0, 2, 0, 0]), Err(name));
    }
}
