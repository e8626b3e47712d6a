//! `renegotiation_info` (RFC 5746, Section 3.2): the same form in both directions.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::DecodeError;

/// Reads `renegotiated_connection`, which is empty in the first handshake of a connection.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let connection = reader.vec8("renegotiated_connection")?.take_rest();
    reader.finish()?;
    Ok(connection)
}

/// Writes `renegotiated_connection`.
pub(crate) fn write_renegotiation_info(w: &mut Writer<'_>, connection: &[u8]) -> Result<(), Error> {
    w.vec8(|w| {
        w.bytes(connection);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, written};

    fn content(data: &[u8]) -> Result<&[u8], Error> {
        Ok(read(Reader::new("renegotiation_info", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        for (connection, expected) in [(&b""[..], &b"\0"[..]), (b"old", b"\x03old")] {
            let data = written(|w| write_renegotiation_info(w, connection));
            assert_eq!(data, expected);
            assert_eq!(content(&data), Ok(connection));
            assert_exact(&data, &[], |data| content(data).map(|_| ()));
        }
    }
}
