//! `psk_key_exchange_modes` and `pre_shared_key` (RFC 9846, Sections 4.3.9 and 4.3.11).

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, Problem};

/// Reads `ke_modes`, one mode a byte.
pub(crate) fn read_modes(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let modes = reader.vec8("ke_modes")?.non_empty()?.take_rest();
    reader.finish()?;
    Ok(modes)
}

/// Checks the outer form of the client's offer and gives it back as it is.
pub(crate) fn read_offer(mut reader: Reader<'_>) -> Result<&[u8], DecodeError> {
    let offer = reader.clone().take_rest();
    at_least(7, reader.vec16("identities")?)?;
    at_least(33, reader.vec16("binders")?)?;
    reader.finish()?;
    Ok(offer)
}

fn at_least(floor: usize, mut vector: Reader<'_>) -> Result<(), DecodeError> {
    let error = vector.error(Problem::Length);
    if vector.take_rest().len() < floor {
        return Err(error);
    }
    Ok(())
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

    fn offer(data: &[u8]) -> Result<&[u8], Error> {
        Ok(read_offer(Reader::new("pre_shared_key", data))?)
    }

    fn offer_of(identities: usize, binders: usize) -> Vec<u8> {
        written(|w| {
            for len in [identities, binders] {
                w.vec16(|w| {
                    w.bytes(&alloc::vec![1; len]);
                    Ok(())
                })?;
            }
            Ok(())
        })
    }

    #[test]
    fn modes_are_not_empty() {
        let data = [2, 1, 0];
        assert_eq!(modes(&data), Ok(&[1, 0][..]));
        assert_exact(&data, &[], |data| modes(data).map(|_| ()));
        assert_eq!(modes(&[0]), Err(malformed("ke_modes", Problem::Length)));
    }

    #[test]
    fn an_offer_has_its_least_lengths() {
        let data = offer_of(7, 33);
        assert_eq!(offer(&data), Ok(&data[..]));
        assert_exact(&data, &[], |data| offer(data).map(|_| ()));
        assert_eq!(
            offer(&offer_of(6, 33)),
            Err(malformed("identities", Problem::Length))
        );
        assert_eq!(
            offer(&offer_of(7, 32)),
            Err(malformed("binders", Problem::Length))
        );
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
