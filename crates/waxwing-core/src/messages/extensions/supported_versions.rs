//! `supported_versions` (RFC 9846, Section 4.2.1).

use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::DecodeError;
use crate::messages::registry::ProtocolVersion;

/// Reads the client's list, most wanted first.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<List<'_, ProtocolVersion>, DecodeError> {
    let list = List::parse(reader.vec8("versions")?.non_empty()?)?;
    reader.finish()?;
    Ok(list)
}

/// Reads the server's `selected_version`.
pub(crate) fn read_selected(mut reader: Reader<'_>) -> Result<ProtocolVersion, DecodeError> {
    let version = ProtocolVersion::read(&mut reader)?;
    reader.finish()?;
    Ok(version)
}

/// Writes the client's list.
pub(crate) fn write_supported_versions(
    w: &mut Writer<'_>,
    versions: impl IntoIterator<Item = ProtocolVersion>,
) -> Result<(), Error> {
    w.vec8(|w| {
        for version in versions {
            w.u16(version.0);
        }
        Ok(())
    })
}

/// Writes the server's `selected_version`.
pub(crate) fn write_selected_version(
    w: &mut Writer<'_>,
    version: ProtocolVersion,
) -> Result<(), Error> {
    w.u16(version.0);
    Ok(())
}
