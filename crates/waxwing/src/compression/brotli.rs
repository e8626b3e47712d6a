//! Brotli (RFC 7932).

use brotli::enc::BrotliEncoderParams;
use brotli::{
    Allocator, BrotliCompress, BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc,
    HuffmanCode,
};
use waxwing_core::{
    CertCompressor, CertDecompressor, CertificateCompressionAlgorithm, CompressionFailed,
};

const QUALITY: i32 = 11;
/// The logarithm of the window: no message is longer (`MAX_HANDSHAKE_MESSAGE`).
const WINDOW: i32 = 17;

/// Brotli, by `brotli` and `brotli-decompressor`.
#[derive(Clone, Copy, Debug)]
pub struct Brotli;

impl CertDecompressor for Brotli {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::BROTLI
    }

    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed> {
        let mut state = BrotliState::new_strict(
            Frugal::for_output(out.len()),
            HeapAlloc::<u32>::new(0),
            HeapAlloc::<HuffmanCode>::new(HuffmanCode::default()),
        );
        let (mut unread, mut read) = (compressed.len(), 0);
        let (mut room, mut written, mut total) = (out.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut unread,
            &mut read,
            compressed,
            &mut room,
            &mut written,
            out,
            &mut total,
            &mut state,
        );
        match result {
            BrotliResult::ResultSuccess if unread == 0 && room == 0 => Ok(()),
            _ => Err(CompressionFailed),
        }
    }
}

impl CertCompressor for Brotli {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::BROTLI
    }

    fn compress(&self, input: &[u8]) -> Result<Vec<u8>, CompressionFailed> {
        let parameters = BrotliEncoderParams {
            quality: QUALITY,
            lgwin: WINDOW,
            size_hint: input.len(),
            ..BrotliEncoderParams::default()
        };
        let mut out = Vec::new();
        BrotliCompress(&mut &*input, &mut out, &parameters).map_err(|_| CompressionFailed)?;
        Ok(out)
    }
}

type Heap = HeapAlloc<u8>;

/// Gives the decoder what it needs for an output of a certain length. A stream that announces
/// more asks for more at once, before it has shown any of it, and is refused.
struct Frugal {
    heap: Heap,
    most: usize,
}

impl Frugal {
    fn for_output(len: usize) -> Self {
        /// Tables, and what the decoder adds to its window.
        const MORE: usize = 1 << 15;
        Self {
            heap: Heap::new(0),
            // The window is a power of two that holds the output.
            most: len.saturating_mul(2).saturating_add(MORE),
        }
    }
}

impl Allocator<u8> for Frugal {
    type AllocatedMemory = <Heap as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, len: usize) -> Self::AllocatedMemory {
        // The decoder takes an empty cell for a refusal.
        if len > self.most {
            return Self::AllocatedMemory::default();
        }
        self.heap.alloc_cell(len)
    }

    fn free_cell(&mut self, cell: Self::AllocatedMemory) {
        self.heap.free_cell(cell);
    }
}
