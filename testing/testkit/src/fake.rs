//! A crypto provider without cryptography, for fuzzing and for counting what the protocol itself
//! costs. Only the hashes are real, so the transcript, the key schedule and Finished are too.
//!
//! ```text
//!   AEAD         identity; the tag is constant (AES suites) or a keyed checksum (ChaCha20, and
//!                AES-256 in TLS 1.2)
//!   key exchange public values are 32 bytes, the shared secret is constant
//!   signatures   any but an empty one is valid
//!   randomness   a counter of the thread, started anew by `seed_random`
//! ```
//!
//! Never use it for anything that must stay secret.

use core::cell::Cell;
use std::sync::Arc;

use waxwing_core::{
    CertifiedKey, ClientCertRequest, ClientCertVerifier, ServerCertRequest, ServerCertVerifier,
    Verdict, Verified,
};
use waxwing_crypto::{
    Aead, AeadKey, Authentication12, CipherSuite, CryptoError, CryptoProvider, Hash, IV_LEN,
    KeyEncoding, KeyLoader, KeyShare, KxGroup, NamedGroup, Nonce12, SecureRandom, SharedSecret,
    SignatureAlgorithm, SignatureScheme, Signing, SigningKey, Suite12, Suite13, UseLimits,
    VerifySignature,
};

/// Bytes of every tag.
pub const TAG_LEN: usize = 16;
/// The tag of the suites that check nothing.
pub const CONSTANT_TAG: [u8; TAG_LEN] = [0xa5; TAG_LEN];
/// Bytes of every public value of the key exchange.
pub const SHARE_LEN: usize = 32;
/// What the key always signs.
pub const SIGNATURE: [u8; 8] = *b"signed!!";
/// Stands for a certificate.
pub const CERTIFICATE: &[u8] = b"a certificate";

/// SHA-256.
pub static SHA256: Hash = Hash::sha256(sha2::block_api::compress256);
/// SHA-384.
pub static SHA384: Hash = Hash::sha384(sha2::block_api::compress512);

/// `TLS_AES_128_GCM_SHA256` with a constant tag: every record opens.
pub static OPEN_SHA256: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_128_GCM_SHA256,
    aead: &FakeAead { keyed: false },
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
};

/// `TLS_AES_256_GCM_SHA384` with a constant tag: every record opens.
pub static OPEN_SHA384: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_256_GCM_SHA384,
    aead: &FakeAead { keyed: false },
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
};

/// `TLS_CHACHA20_POLY1305_SHA256` with a keyed checksum: no changed, missing or repeated record
/// opens. Its limit is low, so that keys are updated during a test.
pub static KEYED_SHA256: Suite13 = Suite13 {
    id: CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    aead: &FakeAead { keyed: true },
    hash: &SHA256,
    limits: UseLimits { seal_records: 64 },
};

/// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256` with a constant tag: every record opens.
pub static OPEN12_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    aead: &FakeAead { keyed: false },
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

/// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384` with a keyed checksum: no changed, missing or
/// repeated record opens.
pub static KEYED12_SHA384: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
    aead: &FakeAead { keyed: true },
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

/// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256` with a keyed checksum. Its limit is that of
/// the true one: TLS 1.2 has no key update, so a lower one would end connections.
pub static KEYED12_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    aead: &FakeAead { keyed: true },
    hash: &SHA256,
    limits: UseLimits::CHACHA20_POLY1305,
    nonce: Nonce12::Implicit,
    authentication: Authentication12::Ecdsa,
};

/// All of it.
pub static PROVIDER: CryptoProvider = CryptoProvider {
    suites13: &[&OPEN_SHA256, &OPEN_SHA384, &KEYED_SHA256],
    suites12: &[&OPEN12_SHA256, &KEYED12_SHA384, &KEYED12_SHA256],
    groups: &[
        &FakeGroup {
            name: NamedGroup::X25519_MLKEM768,
            classical: Some(NamedGroup::X25519),
        },
        &FakeGroup {
            name: NamedGroup::X25519,
            classical: None,
        },
        &FakeGroup {
            name: NamedGroup::SECP256R1,
            classical: None,
        },
    ],
    signatures: &[SignatureAlgorithm {
        scheme: Some(SignatureScheme::ECDSA_SECP256R1_SHA256),
        key_algorithm: ECDSA_P256,
        signature_algorithm: ECDSA_WITH_SHA256,
        verifier: &FakeVerifier,
    }],
    keys: &FakeLoader,
    random: &CountingRandom,
};

/// id-ecPublicKey with secp256r1 (RFC 5480, Section 2.1.1).
const ECDSA_P256: &[u8] =
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// ecdsa-with-SHA256 (RFC 5758, Section 3.2).
const ECDSA_WITH_SHA256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// The SubjectPublicKeyInfo of the one key: SEQUENCE { ECDSA_P256, BIT STRING of one byte }.
#[must_use]
pub fn spki() -> Vec<u8> {
    let mut der = vec![0x30, 25, 0x30, 19];
    der.extend_from_slice(ECDSA_P256);
    der.extend_from_slice(&[0x03, 2, 0, 4]);
    der
}

/// The one key with [`CERTIFICATE`].
#[must_use]
pub fn certified_key() -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(
        vec![CERTIFICATE.to_vec()],
        Arc::new(FakeKey { pending: false }),
    ))
}

/// The one key with [`CERTIFICATE`], where each signature has to be asked for.
#[must_use]
pub fn remote_key() -> Arc<CertifiedKey> {
    let key = Arc::new(FakeKey { pending: true });
    let chain = vec![CERTIFICATE.to_vec(), b"its issuer".to_vec()];
    Arc::new(CertifiedKey::new(chain, key).with_ocsp(b"a response".to_vec()))
}

/// Accepts every certificate as one for the key of [`spki`].
#[derive(Debug)]
pub struct AcceptAll;

impl ServerCertVerifier for AcceptAll {
    fn verify(&self, _request: &ServerCertRequest<'_>) -> Verdict {
        Verdict::Accepted(Verified::holder_of(spki()))
    }
}

impl ClientCertVerifier for AcceptAll {
    fn verify(&self, _request: &ClientCertRequest<'_>) -> Verdict {
        Verdict::Accepted(Verified::holder_of(spki()))
    }
}

struct FakeAead {
    keyed: bool,
}

impl Aead for FakeAead {
    fn key_len(&self) -> usize {
        16
    }

    fn new_key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key: [u8; 16] = key.try_into().map_err(|_| CryptoError::Misuse)?;
        let key = self.keyed.then_some(u128::from_be_bytes(key));
        Ok(Box::new(FakeAeadKey { key }))
    }
}

struct FakeAeadKey {
    /// The key of the checksum; without one the tag is constant.
    key: Option<u128>,
}

impl FakeAeadKey {
    fn tag(&self, nonce: &[u8; IV_LEN], aad: &[u8], parts: &[&[u8]]) -> [u8; TAG_LEN] {
        // The prime and the use of FNV-1a, 128 bits wide.
        const PRIME: u128 = (1 << 88) + 0x13b;
        let Some(mut sum) = self.key else {
            return CONSTANT_TAG;
        };
        let mut add = |byte: &u8| sum = (sum ^ u128::from(*byte)).wrapping_mul(PRIME);
        nonce.iter().for_each(&mut add);
        aad.iter().for_each(&mut add);
        parts.iter().copied().flatten().for_each(add);
        sum.to_be_bytes()
    }
}

impl AeadKey for FakeAeadKey {
    fn seal(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        if out.len() != plain.len() + tail.len() + TAG_LEN {
            return Err(CryptoError::Misuse);
        }
        let (first, rest) = out.split_at_mut(plain.len());
        let (second, tag) = rest.split_at_mut(tail.len());
        first.copy_from_slice(plain);
        second.copy_from_slice(tail);
        tag.copy_from_slice(&self.tag(nonce, aad, &[plain, tail]));
        Ok(())
    }

    fn seal_in_place(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (text, tag) = buf
            .split_last_chunk_mut::<TAG_LEN>()
            .ok_or(CryptoError::Misuse)?;
        *tag = self.tag(nonce, aad, &[text]);
        Ok(())
    }

    fn open_in_place(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let (text, tag) = buf
            .split_last_chunk::<TAG_LEN>()
            .ok_or(CryptoError::Unauthentic)?;
        let wanted = self.tag(nonce, aad, &[text]);
        // Not compared as a whole: a fuzzer that watches comparisons would learn the tag.
        let difference = tag.iter().zip(wanted).fold(0, |sum, (a, b)| sum | (a ^ b));
        if difference == 0 {
            Ok(text.len())
        } else {
            buf.fill(0);
            Err(CryptoError::Unauthentic)
        }
    }
}

struct FakeGroup {
    name: NamedGroup,
    classical: Option<NamedGroup>,
}

const SHARED: [u8; SHARE_LEN] = [0x5a; SHARE_LEN];

/// What is right about a public value: its length, and that it is not all zeros.
fn check_public(peer: &[u8]) -> Result<SharedSecret, CryptoError> {
    if peer.len() != SHARE_LEN || peer == [0; SHARE_LEN] {
        return Err(CryptoError::InvalidPublicValue);
    }
    SharedSecret::concat(&[&SHARED])
}

impl KxGroup for FakeGroup {
    fn name(&self) -> NamedGroup {
        self.name
    }

    fn start(&self, random: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError> {
        let mut public = [0; SHARE_LEN];
        random.fill(&mut public)?;
        Ok(Box::new(FakeShare {
            name: self.name,
            classical: self.classical,
            public,
        }))
    }

    fn respond(
        &self,
        random: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        let mut public = vec![0; SHARE_LEN];
        random.fill(&mut public)?;
        Ok((public, check_public(peer)?))
    }
}

struct FakeShare {
    name: NamedGroup,
    classical: Option<NamedGroup>,
    public: [u8; SHARE_LEN],
}

impl KeyShare for FakeShare {
    fn group(&self) -> NamedGroup {
        self.name
    }

    fn public(&self) -> &[u8] {
        &self.public
    }

    fn classical_part(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.classical?, &self.public))
    }

    fn complete(
        self: Box<Self>,
        group: NamedGroup,
        peer: &[u8],
    ) -> Result<SharedSecret, CryptoError> {
        if group != self.name && Some(group) != self.classical {
            return Err(CryptoError::Misuse);
        }
        check_public(peer)
    }
}

#[derive(Debug)]
struct FakeKey {
    pending: bool,
}

impl SigningKey for FakeKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, scheme: SignatureScheme, _message: &[u8]) -> Result<Signing, CryptoError> {
        if scheme != SignatureScheme::ECDSA_SECP256R1_SHA256 {
            return Err(CryptoError::Misuse);
        }
        Ok(if self.pending {
            Signing::Pending
        } else {
            Signing::Done(SIGNATURE.to_vec())
        })
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        Some(spki())
    }
}

struct FakeVerifier;

impl VerifySignature for FakeVerifier {
    fn verify(&self, _key: &[u8], _message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if signature.is_empty() {
            return Err(CryptoError::Unauthentic);
        }
        Ok(())
    }
}

struct FakeLoader;

impl KeyLoader for FakeLoader {
    fn load(&self, _encoding: KeyEncoding, der: &[u8]) -> Result<Arc<dyn SigningKey>, CryptoError> {
        if der.is_empty() {
            return Err(CryptoError::InvalidKey);
        }
        Ok(Arc::new(FakeKey { pending: false }))
    }
}

std::thread_local! {
    static COUNTER: Cell<u64> = const { Cell::new(0) };
}

/// Starts the random numbers of this thread anew: the same seed gives the same ones.
pub fn seed_random(seed: u64) {
    COUNTER.set(seed);
}

struct CountingRandom;

impl SecureRandom for CountingRandom {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in buf.chunks_mut(8) {
            let count = COUNTER.get().wrapping_add(1);
            COUNTER.set(count);
            // An odd multiplier loses nothing; the shift brings the high bits down.
            let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let bytes = (mixed ^ (mixed >> 29)).to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use waxwing_crypto::verify_with_spki;

    use super::*;

    #[test]
    fn the_provider_is_whole() {
        assert_eq!(PROVIDER.check(), Ok(()));
    }

    #[test]
    fn the_key_serves_every_tls12_suite() {
        let key = FakeKey { pending: false };
        for suite in PROVIDER.suites12 {
            let mut schemes = key.schemes().iter();
            let kind = Some(suite.authentication);
            assert!(schemes.any(|scheme| scheme.tls12_authentication() == kind));
        }
    }

    #[test]
    fn the_key_is_one_that_the_provider_knows() {
        let verify = |signature: &[u8]| {
            let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
            verify_with_spki(&PROVIDER, scheme, &spki(), b"message", signature)
        };
        assert_eq!(verify(&SIGNATURE), Ok(()));
        assert_eq!(verify(&[]), Err(CryptoError::Unauthentic));
    }

    #[test]
    fn the_keyed_checksum_covers_key_nonce_data_and_text() {
        let key = |byte| KEYED_SHA256.aead.new_key(&[byte; 16]).unwrap();
        let mut sealed = [0; 4 + TAG_LEN];
        let nonce = [1; IV_LEN];
        key(1)
            .seal(&nonce, b"aad", b"tex", b"t", &mut sealed)
            .unwrap();
        let open = |key: Box<dyn AeadKey>, nonce, aad, change: u8| {
            let mut buf = sealed;
            buf[0] ^= change;
            key.open_in_place(nonce, aad, &mut buf)
        };
        assert_eq!(open(key(1), &nonce, b"aad", 0), Ok(4));
        let failed = Err(CryptoError::Unauthentic);
        assert_eq!(open(key(2), &nonce, b"aad", 0), failed);
        assert_eq!(open(key(1), &[2; IV_LEN], b"aad", 0), failed);
        assert_eq!(open(key(1), &nonce, b"abd", 0), failed);
        assert_eq!(open(key(1), &nonce, b"aad", 1), failed);
    }
}
