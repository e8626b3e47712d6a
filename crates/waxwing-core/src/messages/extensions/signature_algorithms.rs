//! `signature_algorithms` and `signature_algorithms_cert` (RFC 9846, Section 4.2.3).

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
