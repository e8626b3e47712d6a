//! CompressedCertificate (RFC 8879, Section 4).

use super::registry::CertificateCompressionAlgorithm;
use crate::Error;
use crate::codec::{Read, Reader, Writer};
use crate::error::{Misuse, PeerError};
use crate::limits::MAX_HANDSHAKE_MESSAGE;

/// A compressed Certificate message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompressedCertificate<'a> {
    pub(crate) algorithm: CertificateCompressionAlgorithm,
    /// Bytes of the body of the Certificate message: no more than one sent without compression
    /// may have.
    pub(crate) uncompressed_len: usize,
    /// `compressed_certificate_message`, not empty.
    pub(crate) compressed: &'a [u8],
}

impl<'a> CompressedCertificate<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("CompressedCertificate", body);
        let algorithm = CertificateCompressionAlgorithm::read(&mut reader)?;
        let uncompressed_len = reader.u24()?;
        let compressed = reader
            .vec24("compressed_certificate_message")?
            .non_empty()?
            .take_rest();
        reader.finish()?;
        // RFC 8879, Section 5: the peer says how much memory is to be used for it.
        if uncompressed_len > MAX_HANDSHAKE_MESSAGE {
            return Err(PeerError::CompressionBomb.into());
        }
        Ok(Self {
            algorithm,
            uncompressed_len,
            compressed,
        })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u16(self.algorithm.0);
        let [unused @ .., a, b, c] = (self.uncompressed_len as u64).to_be_bytes();
        if unused != [0; 5] {
            return Err(Misuse::TooLong.into());
        }
        w.bytes(&[a, b, c]);
        w.vec24(|w| {
            w.bytes(self.compressed);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::Problem;

    fn message(uncompressed_len: usize) -> CompressedCertificate<'static> {
        CompressedCertificate {
            algorithm: CertificateCompressionAlgorithm::ZLIB,
            uncompressed_len,
            compressed: &[7, 8],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let body = written(|w| message(0x1234).write(w));
        assert_eq!(body, [0, 1, 0, 0x12, 0x34, 0, 0, 2, 7, 8]);
        assert_eq!(CompressedCertificate::read(&body), Ok(message(0x1234)));
        assert_exact(&body, &[], |body| {
            CompressedCertificate::read(body).map(|_| ())
        });
    }

    #[test]
    fn what_comes_out_has_the_limit_of_a_message() {
        let most = written(|w| message(MAX_HANDSHAKE_MESSAGE).write(w));
        let read = CompressedCertificate::read(&most);
        assert_eq!(read, Ok(message(MAX_HANDSHAKE_MESSAGE)));
        let more = written(|w| message(MAX_HANDSHAKE_MESSAGE + 1).write(w));
        let bomb = Err(PeerError::CompressionBomb.into());
        assert_eq!(CompressedCertificate::read(&more), bomb);
    }

    #[test]
    fn a_length_of_25_bits_cannot_be_written() {
        let mut out = Vec::new();
        let result = message(1 << 24).write(&mut Writer::new(&mut out));
        assert_eq!(result, Err(Misuse::TooLong.into()));
    }

    #[test]
    fn what_goes_in_is_not_empty() {
        let error = CompressedCertificate::read(&[0, 1, 0, 0, 9, 0, 0, 0]).unwrap_err();
        let empty = malformed("compressed_certificate_message", Problem::Length);
        assert_eq!(error, empty);
    }
}
