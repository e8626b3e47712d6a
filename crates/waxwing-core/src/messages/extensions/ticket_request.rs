//! `ticket_request`: how many tickets a client wants, and how many it will get (RFC 9149).

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::config::TicketRequest;
use crate::error::DecodeError;

/// Reads `ClientTicketRequest`.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<TicketRequest, DecodeError> {
    let request = TicketRequest {
        new_session: reader.u8()?,
        resumption: reader.u8()?,
    };
    reader.finish()?;
    Ok(request)
}

/// Writes `ClientTicketRequest`.
pub(crate) fn write_ticket_request(
    w: &mut Writer<'_>,
    request: TicketRequest,
) -> Result<(), Error> {
    w.u8(request.new_session);
    w.u8(request.resumption);
    Ok(())
}

/// Reads the server's `expected_count`.
pub(crate) fn read_expected(mut reader: Reader<'_>) -> Result<u8, DecodeError> {
    let count = reader.u8()?;
    reader.finish()?;
    Ok(count)
}

/// Writes the server's `expected_count`.
pub(crate) fn write_expected_count(w: &mut Writer<'_>, count: u8) -> Result<(), Error> {
    w.u8(count);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, written};

    #[test]
    fn what_is_written_is_read() {
        let request = TicketRequest {
            new_session: 3,
            resumption: 1,
        };
        let data = written(|w| write_ticket_request(w, request));
        assert_eq!(data, [3, 1]);
        assert_exact(&data, &[], |data| {
            assert_eq!(read(Reader::new("ticket_request", data))?, request);
            Ok(())
        });
        let data = written(|w| write_expected_count(w, 2));
        assert_exact(&data, &[], |data| {
            assert_eq!(read_expected(Reader::new("ticket_request", data))?, 2);
            Ok(())
        });
    }
}
