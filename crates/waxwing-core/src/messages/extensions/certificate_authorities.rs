//! `certificate_authorities` (RFC 9846, Section 4.2.4).

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
