//! `early_data` (RFC 9846, Section 4.2.10). In ClientHello and EncryptedExtensions it is empty;
//! here is its form in NewSessionTicket.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::DecodeError;

/// Reads `max_early_data_size`, in bytes.
pub(crate) fn read_max_size(mut reader: Reader<'_>) -> Result<u32, DecodeError> {
    let size = reader.u32()?;
    reader.finish()?;
    Ok(size)
}

/// Writes `max_early_data_size`, in bytes.
pub(crate) fn write_max_early_data(w: &mut Writer<'_>, size: u32) -> Result<(), Error> {
    w.u32(size);
    Ok(())
}
