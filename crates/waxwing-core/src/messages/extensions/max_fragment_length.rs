//! `max_fragment_length` (RFC 6066, Section 4): the same form in both directions.

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;

/// The lengths that `max_fragment_length` can ask for, in bytes of content (RFC 6066,
/// Section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxFragmentLength {
    /// 2^9
    Bytes512,
    /// 2^10
    Bytes1024,
    /// 2^11
    Bytes2048,
    /// 2^12
    Bytes4096,
}

impl MaxFragmentLength {
    const ALL: [(Self, u8, usize); 4] = [
        (Self::Bytes512, 1, 1 << 9),
        (Self::Bytes1024, 2, 1 << 10),
        (Self::Bytes2048, 3, 1 << 11),
        (Self::Bytes4096, 4, 1 << 12),
    ];

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        Self::ALL
            .iter()
            .find(|(length, ..)| *length == self)
            .map_or(0, |(_, code, _)| *code)
    }

    /// The length that a code stands for, in bytes.
    pub(crate) fn bytes_of(code: u8) -> Option<usize> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == code);
        found.map(|(.., bytes)| *bytes)
    }
}

/// Reads the code: 1 to 4 for 2^9 to 2^12 bytes of plaintext in a record.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<u8, Error> {
    let code = reader.u8()?;
    reader.finish()?;
    // RFC 6066, Section 4: there are no others.
    if !(1..=4).contains(&code) {
        return Err(PeerError::BadExtension.into());
    }
    Ok(code)
}

/// Writes the code.
pub(crate) fn write_max_fragment_length(w: &mut Writer<'_>, code: u8) -> Result<(), Error> {
    w.u8(code);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, written};

    fn content(data: &[u8]) -> Result<u8, Error> {
        read(Reader::new("max_fragment_length", data))
    }

    #[test]
    fn only_four_lengths_have_a_code() {
        for code in 0..=255 {
            let data = written(|w| write_max_fragment_length(w, code));
            assert_eq!(data, [code]);
            if (1..5).contains(&code) {
                assert_eq!(content(&data), Ok(code));
                assert_exact(&data, &[], |data| content(data).map(|_| ()));
            } else {
                assert_eq!(content(&data), Err(PeerError::BadExtension.into()));
            }
        }
    }
}
