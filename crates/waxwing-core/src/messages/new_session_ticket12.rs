//! NewSessionTicket of TLS 1.2 (RFC 5077, Section 3.3).

use crate::Error;
use crate::codec::{Reader, Writer};

/// A ticket for later connections, which comes before the server's change_cipher_spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewSessionTicket12<'a> {
    /// `ticket_lifetime_hint`, in seconds; 0 says nothing.
    pub(crate) lifetime_hint: u32,
    /// Empty if the server has changed its mind and gives none.
    pub(crate) ticket: &'a [u8],
}

impl<'a> NewSessionTicket12<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("NewSessionTicket", body);
        let message = Self {
            lifetime_hint: reader.u32()?,
            ticket: reader.vec16("ticket")?.take_rest(),
        };
        reader.finish()?;
        Ok(message)
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u32(self.lifetime_hint);
        w.vec16(|w| {
            w.bytes(self.ticket);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, written};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for ticket in [&b"ticket"[..], b""] {
            let message = NewSessionTicket12 {
                lifetime_hint: 7200,
                ticket,
            };
            let body = written(|w| message.write(w));
            assert_eq!(body[..4], [0, 0, 0x1c, 0x20]);
            assert_eq!(NewSessionTicket12::read(&body), Ok(message));
            assert_exact(&body, &[], |body| {
                NewSessionTicket12::read(body).map(|_| ())
            });
        }
    }
}
