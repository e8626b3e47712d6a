//! `record_size_limit` (RFC 8449, Section 4): the same form in both directions.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;

/// The smallest limit that may be sent.
const MIN: u16 = 64;

/// Reads the limit, in bytes of plaintext; in TLS 1.3 with padding and content type. A limit above
/// what the protocol allows has no effect.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<u16, Error> {
    let limit = reader.u16()?;
    reader.finish()?;
    // RFC 8449, Section 4.
    if limit < MIN {
        return Err(PeerError::BadExtension.into());
    }
    Ok(limit)
}

/// Writes the limit.
pub(crate) fn write_record_size_limit(w: &mut Writer<'_>, limit: u16) -> Result<(), Error> {
    w.u16(limit);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, written};

    fn content(data: &[u8]) -> Result<u16, Error> {
        read(Reader::new("record_size_limit", data))
    }

    #[test]
    fn what_is_written_is_read_down_to_the_smallest() {
        for limit in [64, 0x4001, u16::MAX] {
            let data = written(|w| write_record_size_limit(w, limit));
            assert_eq!(data, limit.to_be_bytes());
            assert_eq!(content(&data), Ok(limit));
            assert_exact(&data, &[], |data| content(data).map(|_| ()));
        }
        for limit in [0_u16, 63] {
            let error = content(&limit.to_be_bytes()).unwrap_err();
            assert_eq!(error, PeerError::BadExtension.into());
        }
    }
}
