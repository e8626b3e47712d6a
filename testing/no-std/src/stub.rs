//! A crypto provider that protects nothing: it has the shape that the engine asks for, and no
//! cryptography. Nothing but this program may use it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_core::{ServerCertRequest, ServerCertVerifier, Verdict, Verified};
use waxwing_crypto::{
    Aead, AeadKey, Authentication12, CipherSuite, CryptoError, CryptoProvider, Hash, IV_LEN,
    KeyEncoding, KeyLoader, KeyShare, KxGroup, NamedGroup, Nonce12, SecureRandom, SharedSecret,
    SignatureAlgorithm, SignatureScheme, Signing, SigningKey, Suite12, Suite13, UseLimits,
    VerifySignature,
};

/// Bytes of a stand-in for an authentication tag or a signature.
const SUM: usize = 16;

/// The stand-in provider.
pub static PROVIDER: CryptoProvider = CryptoProvider {
    suites13: &[&SUITE],
    suites12: &[&SUITE12],
    groups: &[&Group],
    signatures: &[SignatureAlgorithm {
        scheme: Some(SignatureScheme::ED25519),
        key_algorithm: ED25519,
        signature_algorithm: ED25519,
        verifier: &Checksum,
    }],
    keys: &Checksum,
    random: &Counter,
};

static SUITE: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_128_GCM_SHA256,
    aead: &Plain,
    hash: &HASH,
    limits: UseLimits::AES_GCM,
};

static SUITE12: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    aead: &Plain,
    hash: &HASH,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

static HASH: Hash = Hash::sha256(mix);

/// Not SHA-256, but as quick to tell inputs apart that differ by accident.
fn mix(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    for block in blocks {
        for (index, byte) in block.iter().enumerate() {
            let next = state[(index + 1) % 8];
            let word = &mut state[index % 8];
            *word = (word.rotate_left(5) ^ next ^ u32::from(*byte)).wrapping_mul(0x9e37_79b1);
        }
    }
}

/// A checksum over `parts`.
fn sum(parts: &[&[u8]]) -> [u8; SUM] {
    let digest = HASH.digest(parts);
    let mut sum = [0; SUM];
    sum.copy_from_slice(&digest.as_ref()[..SUM]);
    sum
}

/// Leaves the plaintext as it is and adds a checksum.
struct Plain;

impl Aead for Plain {
    fn key_len(&self) -> usize {
        SUM
    }

    fn new_key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        let key = key.try_into().map_err(|_| CryptoError::Misuse)?;
        Ok(Box::new(PlainKey(key)))
    }
}

struct PlainKey([u8; SUM]);

impl AeadKey for PlainKey {
    fn seal(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (content, rest) = out.split_at_mut(plain.len());
        content.copy_from_slice(plain);
        rest[..tail.len()].copy_from_slice(tail);
        self.seal_in_place(nonce, aad, out)
    }

    fn seal_in_place(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<(), CryptoError> {
        let (content, tag) = buf.split_last_chunk_mut().ok_or(CryptoError::Misuse)?;
        *tag = sum(&[&self.0, nonce, aad, content]);
        Ok(())
    }

    fn open_in_place(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        buf: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let (content, tag) = buf.split_last_chunk().ok_or(CryptoError::Unauthentic)?;
        if *tag == sum(&[&self.0, nonce, aad, content]) {
            Ok(content.len())
        } else {
            Err(CryptoError::Unauthentic)
        }
    }
}

/// Both public values, combined, are the shared "secret".
struct Group;

struct Share([u8; 32]);

fn combine(one: &[u8; 32], peer: &[u8]) -> Result<SharedSecret, CryptoError> {
    let peer: &[u8; 32] = peer
        .try_into()
        .map_err(|_| CryptoError::InvalidPublicValue)?;
    let mut both = *one;
    for (byte, other) in both.iter_mut().zip(peer) {
        *byte ^= other;
    }
    SharedSecret::concat(&[&both])
}

impl KxGroup for Group {
    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn start(&self, random: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError> {
        let mut public = [0; 32];
        random.fill(&mut public)?;
        Ok(Box::new(Share(public)))
    }

    fn respond(
        &self,
        random: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        let mut public = [0; 32];
        random.fill(&mut public)?;
        Ok((public.to_vec(), combine(&public, peer)?))
    }
}

impl KeyShare for Share {
    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn public(&self) -> &[u8] {
        &self.0
    }

    fn complete(
        self: Box<Self>,
        _group: NamedGroup,
        peer: &[u8],
    ) -> Result<SharedSecret, CryptoError> {
        combine(&self.0, peer)
    }
}

/// The content of the AlgorithmIdentifier of Ed25519 (RFC 8410, Section 3).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// A SubjectPublicKeyInfo of Ed25519 up to the key itself (RFC 8410, Section 4).
const SPKI_PREFIX: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Signs with a checksum of the public key and the message, which anyone can do.
#[derive(Debug)]
struct Checksum;

const PUBLIC: [u8; 32] = [7; 32];

impl VerifySignature for Checksum {
    fn verify(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if signature == sum(&[public_key, message]) {
            Ok(())
        } else {
            Err(CryptoError::Unauthentic)
        }
    }
}

impl SigningKey for Checksum {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ED25519]
    }

    fn sign(&self, _scheme: SignatureScheme, message: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Done(sum(&[&PUBLIC, message]).to_vec()))
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        Some([SPKI_PREFIX, &PUBLIC].concat())
    }
}

impl KeyLoader for Checksum {
    fn load(
        &self,
        _encoding: KeyEncoding,
        _der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        Ok(server_key())
    }
}

/// Counts up.
struct Counter;

impl SecureRandom for Counter {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
        use core::sync::atomic::{AtomicU8, Ordering};
        static NEXT: AtomicU8 = AtomicU8::new(1);
        for byte in buf {
            *byte = NEXT.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Stands for a certificate.
pub const CERTIFICATE: &[u8] = b"a certificate";

/// The key of the stand-in certificate.
pub fn server_key() -> Arc<dyn SigningKey> {
    Arc::new(Checksum)
}

/// Accepts [`CERTIFICATE`] for any name.
#[derive(Debug)]
pub struct TrustOne;

impl ServerCertVerifier for TrustOne {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        assert_eq!(request.chain, [CERTIFICATE]);
        let key = server_key().public_key().unwrap_or_default();
        Verdict::Accepted(Verified::holder_of(key))
    }
}
