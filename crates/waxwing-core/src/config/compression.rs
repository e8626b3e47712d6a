//! Compressed certificates (RFC 8879). The libraries that compress are the caller's.

use alloc::vec::Vec;
use core::fmt;

use crate::codec::Writer;
use crate::messages::CertificateCompressionAlgorithm;
use crate::messages::certificate::{Certificate, Stapled, Wanted};
use crate::messages::compressed_certificate::CompressedCertificate;

/// Undoes one kind of compression.
pub trait CertDecompressor: Send + Sync + fmt::Debug {
    /// Which one.
    fn algorithm(&self) -> CertificateCompressionAlgorithm;

    /// Fills `out` with what `compressed` stands for. Both are the peer's: the length of `out`
    /// too, though it is never above [`MAX_HANDSHAKE_MESSAGE`](crate::limits::MAX_HANDSHAKE_MESSAGE). No more memory
    /// may be used than a fair peer's message of that length needs.
    ///
    /// # Errors
    /// If `compressed` is malformed, or stands for anything but exactly `out.len()` bytes.
    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed>;
}

/// Compresses in one way.
pub trait CertCompressor: fmt::Debug {
    /// Which one.
    fn algorithm(&self) -> CertificateCompressionAlgorithm;

    /// Compresses `input`. This is done once for a certificate and not for each connection, so
    /// it may take its time.
    ///
    /// # Errors
    /// If it cannot; the certificate is then sent as it is.
    fn compress(&self, input: &[u8]) -> Result<Vec<u8>, CompressionFailed>;
}

/// Something could not be compressed or decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressionFailed;

impl fmt::Display for CompressionFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("compressing or decompressing failed")
    }
}

impl core::error::Error for CompressionFailed {}

/// A whole Certificate message, compressed in advance. Its context is empty, as it is in every
/// handshake.
#[derive(Debug)]
pub(crate) struct Compressed {
    pub(crate) algorithm: CertificateCompressionAlgorithm,
    /// What is in it beside the chain.
    pub(crate) stapled: Wanted,
    uncompressed_len: usize,
    bytes: Vec<u8>,
}

impl Compressed {
    /// Compresses the message with this chain and what goes along; `None` unless that makes it
    /// smaller.
    pub(crate) fn new(
        compressor: &dyn CertCompressor,
        chain: &[Vec<u8>],
        stapled: Stapled<'_>,
    ) -> Option<Self> {
        let mut body = Vec::new();
        // What is too long for a message fails again, and is told, when it is to be sent.
        Certificate::write(&mut Writer::new(&mut body), &[], chain, stapled).ok()?;
        let compressed = Self {
            algorithm: compressor.algorithm(),
            stapled: Wanted::of(stapled),
            uncompressed_len: body.len(),
            bytes: compressor.compress(&body).ok()?,
        };
        let mut message = Vec::new();
        let mut writer = Writer::new(&mut message);
        compressed.message().write(&mut writer).ok()?;
        (message.len() < body.len()).then_some(compressed)
    }

    pub(crate) const fn message(&self) -> CompressedCertificate<'_> {
        CompressedCertificate {
            algorithm: self.algorithm,
            uncompressed_len: self.uncompressed_len,
            compressed: self.bytes.as_slice(),
        }
    }
}
