//! `supported_groups` (RFC 9846, Section 4.3.7).

use waxwing_crypto::NamedGroup;

use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::error::DecodeError;

/// Reads the list, most wanted first.
pub(crate) fn read(reader: Reader<'_>) -> Result<List<'_, NamedGroup>, DecodeError> {
    super::read_list16(reader, "named_group_list")
}

/// Writes the list.
pub(crate) fn write_supported_groups(
    w: &mut Writer<'_>,
    groups: impl IntoIterator<Item = NamedGroup>,
) -> Result<(), Error> {
    super::write_list16(w, groups.into_iter().map(|group| group.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn list(data: &[u8]) -> Result<List<'_, NamedGroup>, Error> {
        Ok(read(Reader::new("supported_groups", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let items = [
            NamedGroup::SECP256R1,
            NamedGroup::X25519,
            NamedGroup(0x7a7a),
        ];
        let data = written(|w| write_supported_groups(w, items));
        assert!(list(&data).unwrap().iter().eq(items));
        assert_exact(&data, &[], |data| list(data).map(|_| ()));
    }

    #[test]
    fn the_list_is_not_empty_and_has_whole_items() {
        assert_eq!(
            list(&[0, 0]),
            Err(malformed("named_group_list", Problem::Length))
        );
        assert_eq!(
            list(&[0, 3, 4, 3, 5]),
            Err(malformed("named_group_list", Problem::Short))
        );
    }
}
