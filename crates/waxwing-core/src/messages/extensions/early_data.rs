//! `early_data` (RFC 9846, Section 4.3.10). In ClientHello and EncryptedExtensions it is empty;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, written};

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_max_early_data(w, 0x0001_0203));
        assert_exact(&data, &[], |data| {
            let size = read_max_size(Reader::new("early_data", data))?;
            assert_eq!(size, 0x0001_0203);
            Ok(())
        });
    }
}
