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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Misuse, Problem};
    use crate::messages::testing::{assert_exact, malformed, written};

    fn offer(data: &[u8]) -> Result<List<'_, ProtocolName<'_>>, Error> {
        Ok(read(Reader::new("alpn", data))?)
    }

    fn choice(data: &[u8]) -> Result<&[u8], Error> {
        Ok(read_selected(Reader::new("alpn", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_alpn(w, ["h2", "http/1.1"]));
        assert_eq!(data, b"\0\x0c\x02h2\x08http/1.1");
        let names = [ProtocolName(b"h2"), ProtocolName(b"http/1.1")];
        assert!(offer(&data).unwrap().iter().eq(names));
        assert_exact(&data, &[], |data| offer(data).map(|_| ()));
        let data = written(|w| write_selected_alpn(w, b"h2"));
        assert_eq!(choice(&data), Ok(&b"h2"[..]));
        assert_exact(&data, &[], |data| choice(data).map(|_| ()));
    }

    #[test]
    fn the_server_chooses_exactly_one() {
        let two = b"\0\x04\x01a\x01b";
        assert!(offer(two).is_ok());
        assert_eq!(
            choice(two),
            Err(malformed("protocol_name_list", Problem::Trailing))
        );
    }

    #[test]
    fn nothing_is_empty() {
        let list = malformed("protocol_name_list", Problem::Length);
        assert_eq!(offer(&[0, 0]), Err(list.clone()));
        assert_eq!(choice(&[0, 0]), Err(list));
        let name = malformed("ProtocolName", Problem::Length);
        assert_eq!(offer(b"\0\x03\x01a\0"), Err(name.clone()));
        assert_eq!(choice(b"\0\x01\0"), Err(name));
    }

    #[test]
    fn a_name_of_256_bytes_cannot_be_written() {
        let mut out = alloc::vec::Vec::new();
        let result = write_alpn(&mut Writer::new(&mut out), [[b'a'; 256]]);
        assert_eq!(result, Err(Misuse::TooLong.into()));
    }
}
