//! The runner's own ways of compressing certificates, which hardly compress.

use waxwing_core::{CertDecompressor, CertificateCompressionAlgorithm, CompressionFailed};

/// Undoes one of them.
#[derive(Debug)]
pub(crate) enum Decompressor {
    /// Two zeros at the front are left out.
    Shrinking,
    /// Four bytes are put in front.
    Expanding,
    /// One byte of any value is put in front.
    Random,
}

/// All of them, in BoringSSL's order.
const ALL: [&dyn CertDecompressor; 3] = [
    &Decompressor::Expanding,
    &Decompressor::Shrinking,
    &Decompressor::Random,
];

/// Those with these numbers.
pub(crate) fn decompressors(numbers: &[u16]) -> Vec<&'static dyn CertDecompressor> {
    let mut wanted = ALL.to_vec();
    wanted.retain(|known| numbers.contains(&known.algorithm().0));
    wanted
}

impl CertDecompressor for Decompressor {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm(match self {
            Self::Shrinking => 0xff01,
            Self::Expanding => 0xff02,
            Self::Random => 0xff03,
        })
    }

    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed> {
        let content = match self {
            Self::Shrinking => [&[0, 0], compressed].concat(),
            Self::Expanding => compressed
                .strip_prefix(&[1, 2, 3, 4])
                .ok_or(CompressionFailed)?
                .to_vec(),
            Self::Random => compressed.get(1..).ok_or(CompressionFailed)?.to_vec(),
        };
        if content.len() != out.len() {
            return Err(CompressionFailed);
        }
        out.copy_from_slice(&content);
        Ok(())
    }
}
