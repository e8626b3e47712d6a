//! `psk_key_exchange_modes` and `pre_shared_key` (RFC 9846, Sections 4.2.9 and 4.2.11).

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

/// Writes `ke_modes`.
pub(crate) fn write_psk_modes(w: &mut Writer<'_>, modes: &[u8]) -> Result<(), Error> {
    w.vec8(|w| {
        w.bytes(modes);
        Ok(())
    })
}

/// Writes the server's `selected_identity`.
pub(crate) fn write_selected_identity(w: &mut Writer<'_>, identity: u16) -> Result<(), Error> {
    w.u16(identity);
    Ok(())
}
