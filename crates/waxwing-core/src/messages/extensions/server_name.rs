//! `server_name` (RFC 6066, Section 3).

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;

/// The NameType of a DNS host name, the only one there is.
const HOST_NAME: u8 = 0;

/// Reads the client's list: its host name, if it has one.
///
/// A name of another type begins with a length of two bytes too (RFC 6066, Section 3), so it can
/// be skipped. The server's acknowledgement is empty and needs no reader.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<Option<&[u8]>, Error> {
    let mut list = reader.vec16("server_name_list")?.non_empty()?;
    reader.finish()?;
    let mut host_name = None;
    while !list.is_empty() {
        let typ = list.u8()?;
        let name = list.vec16("HostName")?.non_empty()?.take_rest();
        // RFC 6066, Section 3: not more than one name of the same type.
        if typ == HOST_NAME && host_name.replace(name).is_some() {
            return Err(PeerError::BadServerName.into());
        }
    }
    Ok(host_name)
}

/// Writes the client's list with one host name.
pub(crate) fn write_server_name(w: &mut Writer<'_>, host: &str) -> Result<(), Error> {
    w.vec16(|w| {
        w.u8(HOST_NAME);
        w.vec16(|w| {
            w.bytes(host.as_bytes());
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn read_bytes(data: &[u8]) -> Result<Option<&[u8]>, Error> {
        read(Reader::new("server_name", data))
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_server_name(w, "example.org"));
        assert_eq!(read_bytes(&data), Ok(Some(&b"example.org"[..])));
        assert_exact(&data, &[], |data| read_bytes(data).map(|_| ()));
    }

    #[test]
    fn other_types_of_name_are_skipped() {
        assert_eq!(read_bytes(&[0, 4, 1, 0, 1, b'x']), Ok(None));
        let both = [0, 8, 1, 0, 1, b'x', 0, 0, 1, b'h'];
        assert_eq!(read_bytes(&both), Ok(Some(&b"h"[..])));
    }

    #[test]
    fn two_host_names_are_refused() {
        let twice = [0, 8, 0, 0, 1, b'g', 0, 0, 1, b'h'];
        assert_eq!(read_bytes(&twice), Err(PeerError::BadServerName.into()));
    }

    #[test]
    fn nothing_is_empty() {
        let list = malformed("server_name_list", Problem::Length);
        assert_eq!(read_bytes(&[0, 0]), Err(list));
        assert_eq!(
            read_bytes(&[0, 3, 0, 0, 0]),
            Err(malformed("HostName", Problem::Length))
        );
    }
}
