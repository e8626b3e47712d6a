//! Cipher suites: an AEAD, a hash, and how long one key may be used.

use core::fmt;

use crate::{Aead, CipherSuite, Hash};

/// How many records one key may protect (RFC 9846, Section 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseLimits {
    /// Full-size records that may be sealed before the key must be updated.
    pub seal_records: u64,
}

impl UseLimits {
    /// AES-GCM: 2^24.5 full-size records keep an attacker's advantage below 2^-57
    /// (RFC 9846, Section 5.5). Rounded down to a power of two.
    pub const AES_GCM: Self = Self {
        seal_records: 1 << 24,
    };
    /// ChaCha20-Poly1305: the sequence number wraps before the limit is reached. One update
    /// long before that costs nothing.
    pub const CHACHA20_POLY1305: Self = Self {
        seal_records: 1 << 48,
    };
}

/// A TLS 1.3 cipher suite (RFC 9846, Appendix B.4).
pub struct Suite13 {
    /// Its code point.
    pub id: CipherSuite,
    /// The record protection.
    pub aead: &'static dyn Aead,
    /// The hash of the transcript and the key schedule.
    pub hash: &'static Hash,
    /// How long one key may be used.
    pub limits: UseLimits,
}

impl fmt::Debug for Suite13 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}
