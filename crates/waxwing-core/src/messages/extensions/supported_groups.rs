//! `supported_groups` (RFC 9846, Section 4.2.7).

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
