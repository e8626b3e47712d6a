//! SHA-2, by the compression functions of the crate `sha2`.

use waxwing_crypto::Hash;

/// SHA-256.
pub static SHA256: Hash = Hash::sha256(sha2::block_api::compress256);
/// SHA-384.
pub static SHA384: Hash = Hash::sha384(sha2::block_api::compress512);
