//! `compress_certificate` (RFC 8879, Section 3).

use super::super::registry::CertificateCompressionAlgorithm;
use crate::Error;
use crate::codec::{List, Reader, Writer};
use crate::error::DecodeError;

/// Reads the algorithms that the sender can decompress. Their order says nothing.
pub(crate) fn read(
    mut reader: Reader<'_>,
) -> Result<List<'_, CertificateCompressionAlgorithm>, DecodeError> {
    let algorithms = List::parse(reader.vec8("algorithms")?.non_empty()?)?;
    reader.finish()?;
    Ok(algorithms)
}

/// Writes the list.
pub(crate) fn write_compress_certificate(
    w: &mut Writer<'_>,
    algorithms: impl IntoIterator<Item = CertificateCompressionAlgorithm>,
) -> Result<(), Error> {
    w.vec8(|w| {
        algorithms.into_iter().for_each(|id| w.u16(id.0));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn list(data: &[u8]) -> Result<List<'_, CertificateCompressionAlgorithm>, Error> {
        Ok(read(Reader::new("compress_certificate", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let items = [
            CertificateCompressionAlgorithm::ZSTD,
            CertificateCompressionAlgorithm::ZLIB,
        ];
        let data = written(|w| write_compress_certificate(w, items));
        assert_eq!(data, [4, 0, 3, 0, 1]);
        assert!(list(&data).unwrap().iter().eq(items));
        assert_exact(&data, &[], |data| list(data).map(|_| ()));
    }

    #[test]
    fn the_list_is_not_empty_and_has_whole_items() {
        let empty = malformed("algorithms", Problem::Length);
        assert_eq!(list(&[0]), Err(empty));
        let half = malformed("algorithms", Problem::Short);
        assert_eq!(list(&[3, 0, 1, 0]), Err(half));
    }
}
