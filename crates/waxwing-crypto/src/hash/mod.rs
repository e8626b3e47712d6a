//! Hashing and HMAC (RFC 2104), written once over a provider's SHA-2 compression function.
//!
//! A compression function is the smallest thing that a library's speed depends on. Owning the
//! rest makes the state of a running hash, and of an HMAC key, a small value on the stack: the
//! transcript hash is cloned and finished without allocation, and a secret's HMAC key schedule
//! is paid for once however many labels are expanded from it.

use core::fmt;

mod digest;
mod hmac;
mod running;

pub use digest::Digest;
pub use hmac::HmacKey;

use hmac::{Keyed, Midstates, ZEROS_SHA256, ZEROS_SHA384};
use running::Running;

/// Bytes of the longest output: SHA-384 is the largest hash of any TLS 1.3 or 1.2 suite.
pub const MAX_HASH_LEN: usize = 48;

/// Which hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashId {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
}

/// The compression function of FIPS 180-4, applied to whole blocks in order.
#[derive(Clone, Copy)]
pub enum Compress {
    /// SHA-256: eight 32-bit words, blocks of 64 bytes (FIPS 180-4, Section 6.2.2).
    Words32(fn(&mut [u32; 8], &[[u8; 64]])),
    /// SHA-384 and SHA-512: eight 64-bit words, blocks of 128 bytes (Section 6.4.2).
    Words64(fn(&mut [u64; 8], &[[u8; 128]])),
}

/// A hash function of a provider.
pub struct Hash {
    id: HashId,
    compress: Compress,
}

impl Hash {
    /// SHA-256 over the given compression function.
    #[must_use]
    pub const fn sha256(compress: fn(&mut [u32; 8], &[[u8; 64]])) -> Self {
        Self {
            id: HashId::Sha256,
            compress: Compress::Words32(compress),
        }
    }

    /// SHA-384 over the given compression function (that of SHA-512).
    #[must_use]
    pub const fn sha384(compress: fn(&mut [u64; 8], &[[u8; 128]])) -> Self {
        Self {
            id: HashId::Sha384,
            compress: Compress::Words64(compress),
        }
    }

    /// Which function this is.
    #[must_use]
    pub const fn id(&self) -> HashId {
        self.id
    }

    /// Bytes of output.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        match self.id {
            HashId::Sha256 => 32,
            HashId::Sha384 => 48,
        }
    }

    /// Starts hashing.
    #[must_use]
    pub const fn start(&'static self) -> HashContext {
        let running = match self.compress {
            Compress::Words32(f) => AnyRunning::Words32(Running::start(f, SHA256_INITIAL)),
            Compress::Words64(f) => AnyRunning::Words64(Running::start(f, SHA384_INITIAL)),
        };
        HashContext {
            hash: self,
            running,
        }
    }

    /// Hashes the concatenation of `parts`.
    #[must_use]
    pub fn digest(&'static self, parts: &[&[u8]]) -> Digest {
        let mut context = self.start();
        for part in parts {
            context.update(part);
        }
        context.finish()
    }

    /// The hash of nothing.
    #[must_use]
    pub fn digest_of_empty(&'static self) -> Digest {
        self.start().finish()
    }

    /// Prepares an HMAC key. The two midstates are all that is kept of `key`.
    #[must_use]
    pub fn hmac_key(&'static self, key: &[u8]) -> HmacKey {
        if key.len() > self.block_len() {
            return self.hmac_key(self.digest(&[key]).as_ref());
        }
        let midstates = match self.compress {
            Compress::Words32(f) => Midstates::Words32(Keyed::new(f, SHA256_INITIAL, key)),
            Compress::Words64(f) => Midstates::Words64(Keyed::new(f, SHA384_INITIAL, key)),
        };
        HmacKey::new(self, midstates)
    }

    /// The HMAC key of zeros, however many, up to a block of them.
    pub(crate) const fn hmac_key_of_zeros(&'static self) -> HmacKey {
        let midstates = match self.compress {
            Compress::Words32(f) => Midstates::Words32(Keyed::known(f, &ZEROS_SHA256)),
            Compress::Words64(f) => Midstates::Words64(Keyed::known(f, &ZEROS_SHA384)),
        };
        HmacKey::new(self, midstates)
    }

    const fn block_len(&self) -> usize {
        match self.compress {
            Compress::Words32(_) => 64,
            Compress::Words64(_) => 128,
        }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

const SHA256_INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const SHA384_INITIAL: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];

/// A running hash.
#[derive(Clone)]
pub struct HashContext {
    hash: &'static Hash,
    running: AnyRunning,
}

#[derive(Clone)]
enum AnyRunning {
    Words32(Running<u32, 64>),
    Words64(Running<u64, 128>),
}

impl HashContext {
    /// The hash function.
    #[must_use]
    pub const fn hash(&self) -> &'static Hash {
        self.hash
    }

    /// Absorbs `data`.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.running {
            AnyRunning::Words32(running) => running.update(data),
            AnyRunning::Words64(running) => running.update(data),
        }
    }

    /// The digest of what was absorbed.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        let bytes = match &mut self.running {
            AnyRunning::Words32(running) => running.finish(),
            AnyRunning::Words64(running) => running.finish(),
        };
        Digest::new(bytes, self.hash.output_len())
    }

    /// The digest of what was absorbed so far; hashing can go on.
    #[must_use]
    pub fn fork_finish(&self) -> Digest {
        self.clone().finish()
    }
}

impl fmt::Debug for HashContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = match &self.running {
            AnyRunning::Words32(running) => running.total(),
            AnyRunning::Words64(running) => running.total(),
        };
        write!(f, "HashContext({:?}, {total} bytes)", self.hash.id)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::kdf::testing::{SHA256, SHA384};

    #[test]
    fn fips_180_4_examples() {
        let abc = SHA256.digest(&[b"abc"]);
        assert_eq!(
            hex::encode(abc.as_ref()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let abc = SHA384.digest(&[b"abc"]);
        assert_eq!(
            hex::encode(abc.as_ref()),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7"
        );
        assert_eq!(
            hex::encode(SHA256.digest_of_empty().as_ref()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn any_cut_gives_the_same_digest() {
        let data: alloc::vec::Vec<u8> = (0..400u16).map(|i| i as u8).collect();
        for hash in [&SHA256, &SHA384] {
            let whole = hash.digest(&[&data]);
            for cut in 0..data.len() {
                let (a, b) = data.split_at(cut);
                assert!(
                    hash.digest(&[a, b]).ct_eq(whole.as_ref()),
                    "{hash:?} cut at {cut}"
                );
            }
            // The padding falls differently for each length.
            let mut bytewise = hash.start();
            for (i, byte) in data.iter().enumerate() {
                let expected = hash.digest(&[&data[..i]]);
                assert!(
                    bytewise.fork_finish().ct_eq(expected.as_ref()),
                    "{hash:?} {i} bytes"
                );
                bytewise.update(&[*byte]);
            }
        }
    }

    #[test]
    fn rfc_4231_hmac() {
        let case2 = SHA256
            .hmac_key(b"Jefe")
            .sign(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            hex::encode(case2.as_ref()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let case6 = SHA384
            .hmac_key(&[0xaa; 131])
            .sign(&[b"Test Using Larger Than Block-Size Key - Hash Key First"]);
        assert_eq!(
            hex::encode(case6.as_ref()),
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6\
             0c2ef6ab4030fe8296248df163f44952"
        );
    }

    #[test]
    fn secrets_are_not_printed() {
        let key = SHA256.hmac_key(b"Jefe");
        let digest = key.sign(&[b"what do ya want for nothing?"]);
        // The digest begins with 5bdcc146: no byte of it may show, in either base.
        for text in [
            format!("{key:?} {digest:?}"),
            format!("{:?}", Some(&digest)),
        ] {
            assert!(
                !text.contains("91") && !text.contains("5b") && !text.contains("dc"),
                "{text}"
            );
        }
    }
}
