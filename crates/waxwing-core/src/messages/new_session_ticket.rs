//! NewSessionTicket (RFC 9846, Section 4.7.1).

use super::extensions::{self, Place, early_data};
use super::registry::ExtensionType;
use crate::Error;
use crate::codec::{Reader, Writer};

/// A ticket for a later connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewSessionTicket<'a> {
    /// `ticket_lifetime`, in seconds.
    pub(crate) lifetime: u32,
    /// `ticket_age_add`, in milliseconds.
    pub(crate) age_add: u32,
    /// `ticket_nonce`.
    pub(crate) nonce: &'a [u8],
    /// Not empty.
    pub(crate) ticket: &'a [u8],
    /// `max_early_data_size`, in bytes, if the server takes early data.
    pub(crate) max_early_data: Option<u32>,
}

impl<'a> NewSessionTicket<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("NewSessionTicket", body);
        let mut message = Self {
            lifetime: reader.u32()?,
            age_add: reader.u32()?,
            nonce: reader.vec8("ticket_nonce")?.take_rest(),
            ticket: reader.vec16("ticket")?.non_empty()?.take_rest(),
            max_early_data: None,
        };
        let block = reader.vec16("extensions")?;
        reader.finish()?;
        // RFC 9846, Section 4.7.1: clients ignore unrecognised extensions.
        extensions::walk(block, Place::NewSessionTicket, None, &mut |typ, data| {
            if typ == ExtensionType::EARLY_DATA {
                message.max_early_data = Some(early_data::read_max_size(data)?);
            }
            Ok(())
        })?;
        Ok(message)
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u32(self.lifetime);
        w.u32(self.age_add);
        w.vec8(|w| {
            w.bytes(self.nonce);
            Ok(())
        })?;
        w.vec16(|w| {
            w.bytes(self.ticket);
            Ok(())
        })?;
        w.vec16(|w| match self.max_early_data {
            Some(size) => extensions::write(w, ExtensionType::EARLY_DATA, |w| {
                early_data::write_max_early_data(w, size)
            }),
            None => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::{PeerError, Problem};

    const TICKET: NewSessionTicket<'static> = NewSessionTicket {
        lifetime: 30,
        age_add: 0xfad6_aac5,
        nonce: &[0, 0],
        ticket: b"ticket",
        max_early_data: Some(1024),
    };

    #[test]
    fn what_is_written_is_read() {
        let bare = NewSessionTicket {
            nonce: &[],
            max_early_data: None,
            ..TICKET
        };
        for message in [TICKET, bare] {
            let body = written(|w| message.write(w));
            assert_eq!(NewSessionTicket::read(&body), Ok(message));
            assert_exact(&body, &[], |body| NewSessionTicket::read(body).map(|_| ()));
        }
    }

    #[test]
    fn a_ticket_is_not_empty() {
        let body = written(|w| {
            NewSessionTicket {
                ticket: &[],
                ..TICKET
            }
            .write(w)
        });
        assert_eq!(
            NewSessionTicket::read(&body),
            Err(malformed("ticket", Problem::Length))
        );
    }

    #[test]
    fn unknown_extensions_are_ignored_and_known_ones_have_their_place() {
        let mut body = written(|w| {
            NewSessionTicket {
                max_early_data: None,
                ..TICKET
            }
            .write(w)
        });
        body.truncate(body.len() - 2);
        let unknown = [&body[..], &[0, 4, 0x4a, 0x4a, 0, 0]].concat();
        assert!(NewSessionTicket::read(&unknown).is_ok());
        let misplaced = [&body[..], &[0, 4, 0, 51, 0, 0]].concat();
        let expected = PeerError::MisplacedExtension.into();
        assert_eq!(NewSessionTicket::read(&misplaced), Err(expected));
        let long = [&body[..], &[0, 9, 0, 42, 0, 5, 0, 0, 0, 1, 2]].concat();
        let expected = malformed("early_data", Problem::Trailing);
        assert_eq!(NewSessionTicket::read(&long), Err(expected));
    }
}
