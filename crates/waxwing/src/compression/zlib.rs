//! zlib (RFC 1950).

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use waxwing_core::{
    CertCompressor, CertDecompressor, CertificateCompressionAlgorithm, CompressionFailed,
};

/// The highest level that other implementations have too.
const LEVEL: u8 = 9;

/// zlib, by `miniz_oxide`.
#[derive(Clone, Copy, Debug)]
pub struct Zlib;

impl CertDecompressor for Zlib {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::ZLIB
    }

    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed> {
        // Written straight to its place, with no window besides.
        let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let mut state = Box::<DecompressorOxide>::default();
        match decompress(&mut state, compressed, out, 0, flags) {
            (TINFLStatus::Done, read, written)
                if read == compressed.len() && written == out.len() =>
            {
                Ok(())
            }
            _ => Err(CompressionFailed),
        }
    }
}

impl CertCompressor for Zlib {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::ZLIB
    }

    fn compress(&self, input: &[u8]) -> Result<Vec<u8>, CompressionFailed> {
        Ok(compress_to_vec_zlib(input, LEVEL))
    }
}
