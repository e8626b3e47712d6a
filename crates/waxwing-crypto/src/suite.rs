//! Cipher suites: an AEAD, a hash, and how long one key may be used.

use core::fmt;

use crate::{Aead, CipherSuite, Hash, IV_LEN};

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
    /// AES-CCM: 2^23 full-size records keep an attacker's advantage below 2^-57 (RFC 9147,
    /// Section 4.5.3, and its Appendix B).
    pub const AES_CCM: Self = Self {
        seal_records: 1 << 23,
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

/// A TLS 1.2 cipher suite: ephemeral Diffie-Hellman on elliptic curves, a PSK, or both, with an AEAD
/// (RFC 5289; RFC 5487; RFC 7905; RFC 8442).
pub struct Suite12 {
    /// Its code point.
    pub id: CipherSuite,
    /// The record protection.
    pub aead: &'static dyn Aead,
    /// The hash of the transcript and of the PRF, [`kdf::prf12`](crate::kdf::prf12).
    pub hash: &'static Hash,
    /// How long one key may be used. TLS 1.2 cannot update a key, so the connection ends there.
    pub limits: UseLimits,
    /// How a record's nonce is made.
    pub nonce: Nonce12,
    /// What the server proves who it is with.
    pub authentication: Authentication12,
}

/// How the nonce of a TLS 1.2 record is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce12 {
    /// 4 bytes of salt from the key block, then 8 explicit bytes that each record carries
    /// (RFC 5288, Section 3).
    Explicit,
    /// 12 bytes from the key block, XORed with the sequence number; nothing in the record
    /// (RFC 7905, Section 2).
    Implicit,
}

impl Nonce12 {
    /// Bytes that each direction takes from the key block (`fixed_iv_length` of RFC 5246,
    /// Section 6.2.3.3).
    #[must_use]
    pub const fn fixed_iv_len(self) -> usize {
        match self {
            Self::Explicit => 4,
            Self::Implicit => IV_LEN,
        }
    }

    /// Bytes that each record carries before its ciphertext (`record_iv_length`).
    #[must_use]
    pub const fn explicit_len(self) -> usize {
        match self {
            Self::Explicit => IV_LEN - self.fixed_iv_len(),
            Self::Implicit => 0,
        }
    }
}

/// What a TLS 1.2 cipher suite asks the server to prove who it is with (RFC 8422, Section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication12 {
    /// ECDHE_ECDSA: a key for ECDSA or EdDSA.
    Ecdsa,
    /// ECDHE_RSA: an RSA key.
    Rsa,
    /// ECDHE_PSK: no certificate, but a key that both sides have (RFC 5489).
    EcdhePsk,
    /// PSK: the same without a key exchange. Who learns the key later can read everything that was
    /// said under it (RFC 4279, Section 7.1).
    Psk,
}

impl Authentication12 {
    /// Whether it takes a key that both sides have, and no certificate.
    #[must_use]
    pub const fn is_psk(self) -> bool {
        matches!(self, Self::EcdhePsk | Self::Psk)
    }
}

impl fmt::Debug for Suite12 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl fmt::Debug for Suite13 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}
