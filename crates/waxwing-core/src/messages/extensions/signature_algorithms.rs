//! `signature_algorithms` and `signature_algorithms_cert` (RFC 9846, Section 4.3.3).

use waxwing_crypto::SignatureScheme;

use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::error::DecodeError;

/// Reads the list, most wanted first.
pub(crate) fn read(reader: Reader<'_>) -> Result<List<'_, SignatureScheme>, DecodeError> {
    super::read_list16(reader, "supported_signature_algorithms")
}

/// Writes the list.
pub(crate) fn write_signature_algorithms(
    w: &mut Writer<'_>,
    schemes: impl IntoIterator<Item = SignatureScheme>,
) -> Result<(), Error> {
    super::write_list16(w, schemes.into_iter().map(|scheme| scheme.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn list(data: &[u8]) -> Result<List<'_, SignatureScheme>, Error> {
        Ok(read(Reader::new("signature_algorithms", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let items = [
            SignatureScheme::ED25519,
            SignatureScheme::MLDSA65,
            SignatureScheme(0x7a7a),
        ];
        let data = written(|w| write_signature_algorithms(w, items));
        assert!(list(&data).unwrap().iter().eq(items));
        assert_exact(&data, &[], |data| list(data).map(|_| ()));
    }

    #[test]
    fn the_list_is_not_empty_and_has_whole_items() {
        assert_eq!(
            list(&[0, 0]),
            Err(malformed("supported_signature_algorithms", Problem::Length))
        );
        assert_eq!(
            list(&[0, 3, 4, 3, 5]),
            Err(malformed("supported_signature_algorithms", Problem::Short))
        );
    }
}
