//! `psk_key_exchange_modes` and `pre_shared_key` (RFC 9846, Sections 4.3.9 and 4.3.11).

use waxwing_crypto::MAX_HASH_LEN;

use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::{DecodeError, Problem};

/// A PSK alone, without a key exchange (RFC 9846, Section 4.3.9).
pub(crate) const PSK_KE: u8 = 0;
/// A PSK with a key exchange.
pub(crate) const PSK_DHE_KE: u8 = 1;

/// Reads `ke_modes`, one mode a byte.
pub(crate) fn read_modes(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let modes = reader.vec8("ke_modes")?.non_empty()?.take_rest();
    reader.finish()?;
    Ok(modes)
}

/// The client's offer: `identities` and `binders`, one of the latter for each of the former.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OfferedPsks<'a> {
    pub(crate) identities: List<'a, PskIdentity<'a>>,
    pub(crate) binders: List<'a, PskBinder<'a>>,
}

/// One PSK that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PskIdentity<'a> {
    /// Not empty.
    pub(crate) identity: &'a [u8],
    pub(crate) obfuscated_ticket_age: u32,
}

impl<'a> Read<'a> for PskIdentity<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            identity: reader.vec16("identity")?.non_empty()?.take_rest(),
            obfuscated_ticket_age: reader.u32()?,
        })
    }
}

/// The proof that the client knows a PSK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PskBinder<'a>(pub(crate) &'a [u8]);

impl<'a> Read<'a> for PskBinder<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let binder = reader.vec8("PskBinderEntry")?;
        let error = binder.error(Problem::Length);
        let binder = binder.clone().take_rest();
        if binder.len() < MIN_BINDER {
            return Err(error);
        }
        Ok(Self(binder))
    }
}

/// Bytes of the shortest binder.
const MIN_BINDER: usize = 32;

impl OfferedPsks<'_> {
    /// Bytes at the end of the ClientHello that the binders do not cover: themselves and the
    /// length of their list (RFC 9846, Section 4.3.11.2).
    pub(crate) const fn uncovered(&self) -> usize {
        self.binders.as_bytes().len().saturating_add(2)
    }
}

/// Reads the client's offer.
pub(crate) fn read_offer(mut reader: Reader<'_>) -> Result<OfferedPsks<'_>, DecodeError> {
    let identities = List::parse(reader.vec16("identities")?.non_empty()?)?;
    let binders = List::parse(reader.vec16("binders")?.non_empty()?)?;
    reader.finish()?;
    Ok(OfferedPsks {
        identities,
        binders,
    })
}

/// Writes the client's modes.
pub(crate) fn write_modes(w: &mut Writer<'_>, modes: &[u8]) -> Result<(), Error> {
    w.vec8(|w| {
        w.bytes(modes);
        Ok(())
    })
}

/// Writes an offer: the identities, each with the length that its binder will have. The binders are
/// zeros; the writer's last [`OfferedPsks::uncovered`] bytes are to be replaced.
pub(crate) fn write_offer<'a>(
    w: &mut Writer<'_>,
    offer: impl Iterator<Item = (PskIdentity<'a>, usize)> + Clone,
) -> Result<(), Error> {
    w.vec16(|w| {
        offer.clone().try_for_each(|(identity, _)| {
            w.vec16(|w| {
                w.bytes(identity.identity);
                Ok(())
            })?;
            w.u32(identity.obfuscated_ticket_age);
            Ok(())
        })
    })?;
    w.vec16(|w| {
        offer.clone().try_for_each(|(_, len)| {
            w.vec8(|w| {
                let zeros = [0; MAX_HASH_LEN];
                w.bytes(zeros.get(..len).unwrap_or(&zeros));
                Ok(())
            })
        })
    })
}

/// Reads the server's `selected_identity`.
pub(crate) fn read_selected(mut reader: Reader<'_>) -> Result<u16, DecodeError> {
    let identity = reader.u16()?;
    reader.finish()?;
    Ok(identity)
}

/// Writes the server's `selected_identity`.
pub(crate) fn write_selected_identity(w: &mut Writer<'_>, identity: u16) -> Result<(), Error> {
    w.u16(identity);
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn modes(data: &[u8]) -> Result<&[u8], Error> {
        Ok(read_modes(Reader::new("psk_key_exchange_modes", data))?)
    }

    fn offer(data: &[u8]) -> Result<OfferedPsks<'_>, Error> {
        Ok(read_offer(Reader::new("pre_shared_key", data))?)
    }

    const TICKET: PskIdentity<'static> = PskIdentity {
        identity: b"ticket",
        obfuscated_ticket_age: 0x0102_0304,
    };

    #[test]
    fn modes_are_not_empty() {
        let data = [2, 1, 0];
        assert_eq!(modes(&data), Ok(&[1, 0][..]));
        assert_exact(&data, &[], |data| modes(data).map(|_| ()));
        assert_eq!(modes(&[0]), Err(malformed("ke_modes", Problem::Length)));
    }

    #[test]
    fn an_offer_is_read_as_it_is_written() {
        let external = PskIdentity {
            identity: b"k",
            obfuscated_ticket_age: 0,
        };
        let both = [(TICKET, 32), (external, 48)];
        let data = written(|w| write_offer(w, both.iter().copied()));
        let read = offer(&data).unwrap();
        assert!(read.identities.iter().eq([TICKET, external]));
        let lens: Vec<usize> = read.binders.iter().map(|binder| binder.0.len()).collect();
        assert_eq!(lens, [32, 48]);
        assert_eq!(read.uncovered(), 2 + 33 + 49);
        assert_exact(&data, &[], |data| offer(data).map(|_| ()));
    }

    #[test]
    fn an_offer_has_its_least_lengths() {
        let malformed_length = |field| Err(malformed(field, Problem::Length));
        let nothing = [0, 0, 0, 2, 1, 0];
        assert_eq!(offer(&nothing), malformed_length("identities"));
        let nobody = [0, 6, 0, 0, 1, 2, 3, 4, 0, 1, 0];
        assert_eq!(offer(&nobody), malformed_length("identity"));
        let data = written(|w| write_offer(w, [(TICKET, 31)].into_iter()));
        assert_eq!(offer(&data), malformed_length("PskBinderEntry"));
        let mut data = written(|w| write_offer(w, core::iter::once((TICKET, 32))));
        data.truncate(data.len() - 35);
        data.extend([0, 0]);
        assert_eq!(offer(&data), malformed_length("binders"));
    }

    #[test]
    fn the_choice_is_a_number() {
        let data = written(|w| write_selected_identity(w, 0x0102));
        assert_exact(&data, &[], |data| {
            let identity = read_selected(Reader::new("pre_shared_key", data))?;
            assert_eq!(identity, 0x0102);
            Ok(())
        });
    }
}
