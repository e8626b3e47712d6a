//! `session_ticket` (RFC 5077, Section 3.2). In ServerHello it is empty, and promises a
//! NewSessionTicket; here is its form in ClientHello.

use crate::Error;
use crate::codec::{Reader, Writer};

/// Reads the ticket, which has no length of its own (RFC 5077, Appendix A); it is
/// empty if the client has none.
pub(crate) const fn read(mut reader: Reader<'_>) -> &[u8] {
    reader.take_rest()
}

/// Writes a ticket, or nothing to ask for one.
pub(crate) fn write_session_ticket(w: &mut Writer<'_>, ticket: &[u8]) -> Result<(), Error> {
    w.bytes(ticket);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::written;

    #[test]
    fn the_ticket_is_all_there_is() {
        for ticket in [&b"\0\x06ticket"[..], b""] {
            let data = written(|w| write_session_ticket(w, ticket));
            assert_eq!(data, ticket);
            assert_eq!(read(Reader::new("session_ticket", &data)), ticket);
        }
    }
}
