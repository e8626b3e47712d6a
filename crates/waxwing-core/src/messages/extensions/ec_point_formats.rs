//! `ec_point_formats` (RFC 8422, Sections 5.1.2 and 5.2): the same form in both directions.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::DecodeError;

/// The ECPointFormat `uncompressed`, the only one in use: no list may be without it. This is for
/// the handshake of TLS 1.2 to see to; TLS 1.3 gives the extension no meaning.
pub(crate) const UNCOMPRESSED: u8 = 0;

/// Reads the list, which is not empty.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let formats = reader
        .vec8("ec_point_format_list")?
        .non_empty()?
        .take_rest();
    reader.finish()?;
    Ok(formats)
}

/// Writes the list.
pub(crate) fn write_ec_point_formats(w: &mut Writer<'_>, formats: &[u8]) -> Result<(), Error> {
    w.vec8(|w| {
        w.bytes(formats);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn content(data: &[u8]) -> Result<&[u8], Error> {
        Ok(read(Reader::new("ec_point_formats", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_ec_point_formats(w, &[UNCOMPRESSED, 1]));
        assert_eq!(data, [2, 0, 1]);
        assert_eq!(content(&data), Ok(&[0, 1][..]));
        assert_exact(&data, &[], |data| content(data).map(|_| ()));
    }

    #[test]
    fn the_list_is_not_empty() {
        let empty = malformed("ec_point_format_list", Problem::Length);
        assert_eq!(content(&[0]), Err(empty));
    }
}
