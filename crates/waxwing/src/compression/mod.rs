//! Ways of compressing certificates (RFC 8879): each is a feature of this crate, off by default,
//! because each brings a library.
//!
//! | Type | Feature | |
//! |:--|:--|:--|
//! | `Brotli` | `brotli` | compresses best; what Chromium offers |
//! | `Zlib` | `zlib` | the smallest library |
//! | `Zstd` | `zstd` | between the two |
//!
//! A client or server that names [`DECOMPRESSORS`] lets its peer compress; a certificate that is
//! to be sent compressed is prepared with [`COMPRESSORS`]:
//!
//! ```
//! use waxwing::compression::{COMPRESSORS, DECOMPRESSORS};
//! use waxwing::{CertifiedKey, ClientConfigBuilder};
//!
//! fn for_clients(builder: ClientConfigBuilder) -> ClientConfigBuilder {
//!     builder.cert_decompressors(DECOMPRESSORS)
//! }
//!
//! fn for_servers(key: CertifiedKey) -> CertifiedKey {
//!     key.with_compression(COMPRESSORS)
//! }
//! ```
//!
//! What a peer sends is decompressed into a buffer of the length that it names, which has a
//! limit, and in little more memory than that, whatever the compressed bytes claim.

use waxwing_core::{CertCompressor, CertDecompressor};

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "zlib")]
mod zlib;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(feature = "brotli")]
pub use brotli::Brotli;
#[cfg(feature = "zlib")]
pub use zlib::Zlib;
#[cfg(feature = "zstd")]
pub use zstd::Zstd;

/// All that this build has, for `cert_decompressors`.
pub const DECOMPRESSORS: &[&dyn CertDecompressor] = &[
    #[cfg(feature = "brotli")]
    &Brotli,
    #[cfg(feature = "zlib")]
    &Zlib,
    #[cfg(feature = "zstd")]
    &Zstd,
];

/// All that this build has, for
/// [`with_compression`](waxwing_core::CertifiedKey::with_compression), the best first.
pub const COMPRESSORS: &[&dyn CertCompressor] = &[
    #[cfg(feature = "brotli")]
    &Brotli,
    #[cfg(feature = "zlib")]
    &Zlib,
    #[cfg(feature = "zstd")]
    &Zstd,
];
