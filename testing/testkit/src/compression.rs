//! A compression of certificates that needs no library.

use waxwing_core::{
    CertCompressor, CertDecompressor, CertificateCompressionAlgorithm, CompressionFailed,
};

/// Writes each run of a byte as the byte and its length. It goes under any number.
#[derive(Clone, Copy, Debug)]
pub struct RunLength(pub CertificateCompressionAlgorithm);

/// Under a number for private use (RFC 8879, Section 7.3).
pub const RUN_LENGTH: RunLength = RunLength(CertificateCompressionAlgorithm(0xff00));

impl CertCompressor for RunLength {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        self.0
    }

    fn compress(&self, input: &[u8]) -> Result<Vec<u8>, CompressionFailed> {
        let mut out = Vec::new();
        for run in input.chunk_by(|a, b| a == b) {
            for part in run.chunks(255) {
                out.extend([part[0], part.len() as u8]);
            }
        }
        Ok(out)
    }
}

impl CertDecompressor for RunLength {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        self.0
    }

    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed> {
        let mut rest = out;
        for run in compressed.chunks(2) {
            let &[byte, len] = run else {
                return Err(CompressionFailed);
            };
            let part = rest.split_off_mut(..len.into()).ok_or(CompressionFailed)?;
            part.fill(byte);
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(CompressionFailed)
        }
    }
}
