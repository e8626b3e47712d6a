//! `supported_versions` (RFC 9846, Section 4.3.1).

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn offer(data: &[u8]) -> Result<List<'_, ProtocolVersion>, Error> {
        Ok(read(Reader::new("supported_versions", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let versions = [
            ProtocolVersion(0x3a3a),
            ProtocolVersion::TLS13,
            ProtocolVersion::TLS12,
        ];
        let data = written(|w| write_supported_versions(w, versions));
        assert_eq!(data, [6, 0x3a, 0x3a, 3, 4, 3, 3]);
        assert!(offer(&data).unwrap().iter().eq(versions));
        assert_exact(&data, &[], |data| offer(data).map(|_| ()));
    }

    #[test]
    fn the_choice_is_one_version() {
        let data = written(|w| write_selected_version(w, ProtocolVersion::TLS13));
        assert_exact(&data, &[], |data| {
            let version = read_selected(Reader::new("supported_versions", data))?;
            assert_eq!(version, ProtocolVersion::TLS13);
            Ok(())
        });
    }

    #[test]
    fn the_list_is_not_empty_and_has_whole_items() {
        assert_eq!(offer(&[0]), Err(malformed("versions", Problem::Length)));
        assert_eq!(
            offer(&[3, 3, 4, 3]),
            Err(malformed("versions", Problem::Short))
        );
    }
}
