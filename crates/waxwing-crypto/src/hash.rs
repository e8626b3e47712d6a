//! Hashing and HMAC (RFC 2104), written once over a provider's SHA-2 compression function.
//!
//! A compression function is the smallest thing that a library's speed depends on. Owning the
//! rest makes the state of a running hash, and of an HMAC key, a small value on the stack: the
//! transcript hash is cloned and finished without allocation, and a secret's HMAC key schedule
//! is paid for once however many labels are expanded from it.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of the longest output: SHA-384 is the largest hash of any TLS 1.3 or 1.2 suite.
pub const MAX_HASH_LEN: usize = 48;
/// Bytes of the longest input block: SHA-384.
const MAX_BLOCK_LEN: usize = 128;

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

    const fn block_len(&self) -> usize {
        match self.compress {
            Compress::Words32(_) => 64,
            Compress::Words64(_) => 128,
        }
    }

    const fn initial(&self) -> State {
        match self.id {
            HashId::Sha256 => State::Words32(SHA256_INITIAL),
            HashId::Sha384 => State::Words64(SHA384_INITIAL),
        }
    }

    /// Starts hashing.
    #[must_use]
    pub const fn start(&'static self) -> HashContext {
        HashContext {
            hash: self,
            state: self.initial(),
            total: 0,
            buffered: [0; MAX_BLOCK_LEN],
            buffered_len: 0,
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
        let mut block = [0u8; MAX_BLOCK_LEN];
        let block_len = self.block_len();
        if key.len() > block_len {
            let digest = self.digest(&[key]);
            block[..digest.len()].copy_from_slice(digest.as_ref());
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let mut midstate = |pad: u8| {
            for byte in &mut block[..block_len] {
                *byte ^= pad;
            }
            let mut state = self.initial();
            state.compress(self.compress, &block[..block_len]);
            state
        };
        let inner = midstate(0x36);
        // The block is now key XOR 0x36; a second XOR with 0x36 ^ 0x5c leaves key XOR 0x5c.
        let outer = midstate(0x36 ^ 0x5c);
        block[..block_len].zeroize();
        HmacKey {
            hash: self,
            inner,
            outer,
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

#[derive(Clone, Zeroize)]
enum State {
    Words32([u32; 8]),
    Words64([u64; 8]),
}

impl State {
    /// Compresses `blocks`, whose length is a whole number of blocks.
    fn compress(&mut self, compress: Compress, blocks: &[u8]) {
        match (self, compress) {
            (Self::Words32(words), Compress::Words32(f)) => f(words, blocks.as_chunks().0),
            (Self::Words64(words), Compress::Words64(f)) => f(words, blocks.as_chunks().0),
            // `Hash` has one constructor for each pair, and states come from its `initial`.
            _ => unreachable!("a state of the other word size"),
        }
    }

    fn write_out(&self, out: &mut [u8; MAX_HASH_LEN]) {
        match self {
            Self::Words32(words) => {
                for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
                    *bytes = word.to_be_bytes();
                }
            }
            Self::Words64(words) => {
                for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(words) {
                    *bytes = word.to_be_bytes();
                }
            }
        }
    }
}

/// A running hash.
#[derive(Clone)]
pub struct HashContext {
    hash: &'static Hash,
    state: State,
    /// Bytes absorbed so far.
    total: u64,
    /// The bytes that do not yet fill a block.
    buffered: [u8; MAX_BLOCK_LEN],
    buffered_len: usize,
}

impl HashContext {
    fn resume(hash: &'static Hash, midstate: &State) -> Self {
        Self {
            hash,
            state: midstate.clone(),
            total: hash.block_len() as u64,
            buffered: [0; MAX_BLOCK_LEN],
            buffered_len: 0,
        }
    }

    /// The hash function.
    #[must_use]
    pub const fn hash(&self) -> &'static Hash {
        self.hash
    }

    /// Absorbs `data`.
    pub fn update(&mut self, mut data: &[u8]) {
        let block_len = self.hash.block_len();
        self.total = self.total.wrapping_add(data.len() as u64);
        if self.buffered_len > 0 {
            let take = data.len().min(block_len - self.buffered_len);
            let (head, rest) = data.split_at(take);
            self.buffered[self.buffered_len..self.buffered_len + take].copy_from_slice(head);
            self.buffered_len += take;
            data = rest;
            if self.buffered_len < block_len {
                return;
            }
            self.state
                .compress(self.hash.compress, &self.buffered[..block_len]);
            self.buffered_len = 0;
        }
        let (blocks, rest) = data.split_at(data.len() - data.len() % block_len);
        if !blocks.is_empty() {
            self.state.compress(self.hash.compress, blocks);
        }
        self.buffered[..rest.len()].copy_from_slice(rest);
        self.buffered_len = rest.len();
    }

    /// The digest of what was absorbed.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        self.finish_in_place()
    }

    /// The digest of what was absorbed so far; hashing can go on.
    #[must_use]
    pub fn fork_finish(&self) -> Digest {
        self.clone().finish()
    }

    /// FIPS 180-4, Section 5.1: a one bit, zeros, and the length in bits.
    fn finish_in_place(&mut self) -> Digest {
        let block_len = self.hash.block_len();
        let length_len = block_len / 8;
        let bits = self.total.wrapping_mul(8);
        let used = self.buffered_len;
        self.buffered[used] = 0x80;
        self.buffered[used + 1..block_len].fill(0);
        if used + 1 + length_len > block_len {
            self.state
                .compress(self.hash.compress, &self.buffered[..block_len]);
            self.buffered[..block_len].fill(0);
        }
        self.buffered[block_len - 8..block_len].copy_from_slice(&bits.to_be_bytes());
        self.state
            .compress(self.hash.compress, &self.buffered[..block_len]);
        let mut bytes = [0; MAX_HASH_LEN];
        self.state.write_out(&mut bytes);
        Digest {
            bytes,
            len: self.hash.output_len() as u8,
        }
    }
}

impl fmt::Debug for HashContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashContext({:?}, {} bytes)", self.hash.id, self.total)
    }
}

/// The output of a hash or an HMAC. Secrets derived with HMAC are digests too, so a digest is
/// erased when dropped, compared in constant time, and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Digest {
    bytes: [u8; MAX_HASH_LEN],
    len: u8,
}

impl Digest {
    /// `len` zero bytes: the PSK that TLS 1.3 assumes when there is none.
    ///
    /// `len` is at most [`MAX_HASH_LEN`].
    #[must_use]
    pub const fn zeros(len: usize) -> Self {
        assert!(len <= MAX_HASH_LEN);
        Self {
            bytes: [0; MAX_HASH_LEN],
            len: len as u8,
        }
    }

    /// Copies a digest from its bytes; `None` if there are more than [`MAX_HASH_LEN`].
    #[must_use]
    pub fn from_slice(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_HASH_LEN];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self {
            bytes,
            len: from.len() as u8,
        })
    }

    /// Bytes of this digest.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether this digest has no bytes at all, which only [`Self::zeros`] can make.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Compares with `other` in time that depends on the lengths only.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        self.as_ref().ct_eq(other).into()
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({} bytes)", self.len)
    }
}

/// An HMAC key as its two midstates: after the inner and after the outer padded key.
#[derive(Clone)]
pub struct HmacKey {
    hash: &'static Hash,
    inner: State,
    outer: State,
}

impl HmacKey {
    /// The hash function under this key.
    #[must_use]
    pub const fn hash(&self) -> &'static Hash {
        self.hash
    }

    /// HMAC over the concatenation of `parts`.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut inner = HashContext::resume(self.hash, &self.inner);
        for part in parts {
            inner.update(part);
        }
        let inner_digest = inner.finish_in_place();
        let mut outer = HashContext::resume(self.hash, &self.outer);
        outer.update(inner_digest.as_ref());
        let digest = outer.finish_in_place();
        inner.erase();
        outer.erase();
        digest
    }
}

impl HashContext {
    fn erase(&mut self) {
        let block_len = self.hash.block_len();
        self.state.zeroize();
        self.buffered[..block_len].zeroize();
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl ZeroizeOnDrop for HmacKey {}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HmacKey({:?})", self.hash.id)
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
