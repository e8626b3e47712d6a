//! Zstandard (RFC 8878).

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use waxwing_core::{
    CertCompressor, CertDecompressor, CertificateCompressionAlgorithm, CompressionFailed,
};

/// The flag of a Frame_Header_Descriptor that says that the window is the whole content.
const SINGLE_SEGMENT: u8 = 1 << 5;
/// The Window_Descriptor for 128 KiB, which is more than any message has
/// (`MAX_HANDSHAKE_MESSAGE`).
const WINDOW: u8 = 7 << 3;

/// Zstandard, by `ruzstd`.
#[derive(Clone, Copy, Debug)]
pub struct Zstd;

impl CertDecompressor for Zstd {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::ZSTD
    }

    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed> {
        let mut frame = compressed.to_vec();
        shorten_window(&mut frame);
        let mut input = frame.as_slice();
        let mut decoder = FrameDecoder::new();
        decoder.init(&mut input).map_err(|_| CompressionFailed)?;
        // Zero stands for a frame that does not tell.
        let told = decoder.content_size();
        if told != 0 && told != out.len() as u64 {
            return Err(CompressionFailed);
        }
        let mut room = out;
        while !decoder.is_finished() {
            decoder
                .decode_blocks(&mut input, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(|_| CompressionFailed)?;
            let written = decoder.read(room).map_err(|_| CompressionFailed)?;
            room = room.get_mut(written..).unwrap_or_default();
            // There is more than there may be.
            if decoder.can_collect() != 0 {
                return Err(CompressionFailed);
            }
        }
        if room.is_empty() && input.is_empty() {
            Ok(())
        } else {
            Err(CompressionFailed)
        }
    }
}

impl CertCompressor for Zstd {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::ZSTD
    }

    fn compress(&self, input: &[u8]) -> Result<Vec<u8>, CompressionFailed> {
        Ok(compress_to_vec(input, CompressionLevel::Fastest))
    }
}

/// A frame may ask for a window of any length, up to terabytes, and the decoder holds back as
/// much output. A window longer than the content is as good as one that just holds it, and the
/// byte that tells the length (RFC 8878, Section 3.1.1.1.2) grows with it.
fn shorten_window(frame: &mut [u8]) {
    if let [_, _, _, _, descriptor, window, ..] = frame
        && *descriptor & SINGLE_SEGMENT == 0
    {
        *window = WINDOW.min(*window);
    }
}
