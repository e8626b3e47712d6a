//! One direction's key in the form in which the kernel takes it.

use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::{CipherSuite, IV_LEN, MAX_KEY_LEN};
use zeroize::Zeroizing;

use super::super::export::ExportError;
use crate::messages::ProtocolVersion;
use crate::record::protect::RawKey;

/// The names of the kernel for an AEAD: TLS_CIPHER_… and its …_SALT_SIZE.
struct Cipher {
    number: u16,
    salt_len: usize,
}

impl Cipher {
    const fn of(suite: CipherSuite) -> Option<Self> {
        let (number, salt_len) = match suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256
            | CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256 => (51, 4),
            CipherSuite::TLS13_AES_256_GCM_SHA384
            | CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384
            | CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384 => (52, 4),
            CipherSuite::TLS13_AES_128_CCM_SHA256 => (53, 4),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256
            | CipherSuite::TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256 => (54, 0),
            _ => return None,
        };
        Some(Self { number, salt_len })
    }
}

/// The key of one direction, with the names of linux/tls.h. **Whoever has it can read and forge
/// what is sent in that direction**, and whoever seals with it twice under one number gives it
/// away: it belongs to the kernel from now on. It is erased when dropped, and never printed.
pub struct KernelKey {
    version: ProtocolVersion,
    suite: CipherSuite,
    cipher: Cipher,
    key: Zeroizing<[u8; MAX_KEY_LEN]>,
    key_len: usize,
    /// Salt and IV together.
    nonce: Zeroizing<[u8; IV_LEN]>,
    seq: u64,
}

impl KernelKey {
    pub(super) fn new(raw: RawKey) -> Result<Self, ExportError> {
        let RawKey {
            version,
            suite,
            key,
            key_len,
            mut iv,
            seq,
        } = raw;
        let cipher = Cipher::of(suite).ok_or(ExportError::NotForKernel(suite))?;
        if version == ProtocolVersion::TLS12 && cipher.salt_len > 0 {
            // The explicit part of the nonce, which the kernel counts up from here (RFC 5288,
            // Section 3): as in this engine, it is the sequence number.
            let explicit = iv.iter_mut().skip(cipher.salt_len);
            for (place, byte) in explicit.zip(seq.to_be_bytes()) {
                *place = byte;
            }
        }
        Ok(Self {
            version,
            suite,
            cipher,
            key,
            key_len,
            nonce: iv,
            seq,
        })
    }

    /// The version: its number is that of TLS_1_2_VERSION or TLS_1_3_VERSION.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The cipher suite.
    #[must_use]
    pub const fn cipher_suite(&self) -> CipherSuite {
        self.suite
    }

    /// The number that the kernel has for the AEAD, such as TLS_CIPHER_AES_GCM_128.
    #[must_use]
    pub const fn cipher_type(&self) -> u16 {
        self.cipher.number
    }

    /// The key of the AEAD.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.key.get(..self.key_len).unwrap_or_default()
    }

    /// The part of the nonce that stays: its first 4 bytes, or none with ChaCha20.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        self.nonce.get(..self.cipher.salt_len).unwrap_or_default()
    }

    /// The rest of it: of the IV that the sequence number is added to, or with AES in TLS 1.2 the
    /// explicit part of the next record's nonce.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        self.nonce.get(self.cipher.salt_len..).unwrap_or_default()
    }

    /// The sequence number of the next record.
    #[must_use]
    pub const fn rec_seq(&self) -> [u8; 8] {
        self.seq.to_be_bytes()
    }

    /// The bytes of `struct tls12_crypto_info_…` on this machine, which `setsockopt` takes at level
    /// SOL_TLS for TLS_TX or TLS_RX.
    #[must_use]
    pub fn crypto_info(&self) -> Zeroizing<Vec<u8>> {
        let parts = [
            &self.version.0.to_ne_bytes()[..],
            &self.cipher.number.to_ne_bytes(),
            self.iv(),
            self.key(),
            self.salt(),
            &self.rec_seq(),
        ];
        let len = parts
            .iter()
            .fold(0, |sum: usize, part| sum.saturating_add(part.len()));
        // All at once: memory that a growing vector leaves behind would not be erased.
        let mut bytes = Zeroizing::new(Vec::with_capacity(len));
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        bytes
    }
}

impl fmt::Debug for KernelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KernelKey({}, {})", self.version, self.suite)
    }
}
