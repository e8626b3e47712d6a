//! `application_layer_protocol_negotiation` (RFC 7301, Section 3.1).

use core::fmt;

use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::DecodeError;

/// The name of an application protocol, never empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProtocolName<'a>(pub(crate) &'a [u8]);

impl<'a> Read<'a> for ProtocolName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let name = reader.vec8("ProtocolName")?.non_empty()?.take_rest();
        Ok(Self(name))
    }
}

impl fmt::Debug for ProtocolName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Reads the client's list, most wanted first.
pub(crate) fn read(reader: Reader<'_>) -> Result<List<'_, ProtocolName<'_>>, DecodeError> {
    super::read_list16(reader, "protocol_name_list")
}

/// Reads the server's list, which must hold exactly one name.
pub(crate) fn read_selected(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let mut list = reader.vec16("protocol_name_list")?.non_empty()?;
    reader.finish()?;
    let ProtocolName(name) = ProtocolName::read(&mut list)?;
    list.finish()?;
    Ok(name)
}

/// Writes the client's list.
pub(crate) fn write_alpn(
    w: &mut Writer<'_>,
    names: impl IntoIterator<Item: AsRef<[u8]>>,
) -> Result<(), Error> {
    w.vec16(|w| {
        for name in names {
            w.vec8(|w| {
                w.bytes(name.as_ref());
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// Writes the server's choice.
pub(crate) fn write_selected_alpn(w: &mut Writer<'_>, name: &[u8]) -> Result<(), Error> {
    write_alpn(w, [name])
}
