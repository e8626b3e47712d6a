//! What no library can go under with the same primitives: the raw aws-lc-rs operations alone.
//!
//! The handshake's limit is its public-key operations (key share, agreement, signature, the three
//! verifications of a chain of two and CertificateVerify) without any hashing, key schedule, record
//! or message. The transfer's limit is one AEAD call in place for each record.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_768};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};

use crate::pair::{Meter, Subject};
use crate::pki::Pki;
use crate::scenario::{Auth, Group, Scenario, Suite, Writes};

/// Bytes of the record header, which is the additional data of its AEAD call (RFC 9846 section 5.2).
const HEADER: usize = 5;
/// Bytes of the tag, the same for the three suites.
const TAG: usize = 16;
/// About the size of the part of a certificate that is signed; CertificateVerify's is smaller.
const SIGNED: [u8; 400] = [0x5a; 400];

pub(crate) struct Limit {
    signer: Signer,
    group: Group,
    key: LessSafeKey,
    sequence: u64,
    wire: Vec<u8>,
}

enum Signer {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Limit {
    pub(crate) const NAME: &'static str = "limit";

    pub(crate) fn new(pki: &Pki, scenario: Scenario) -> Self {
        let algorithm = match scenario.suite {
            Suite::Aes128 => &aead::AES_128_GCM,
            Suite::Aes256 => &aead::AES_256_GCM,
            Suite::ChaCha20 => &aead::CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(algorithm, &[0x42; 32][..algorithm.key_len()]).expect("a key");
        Self {
            signer: Signer::new(scenario.auth, &pki.key),
            group: scenario.group,
            key: LessSafeKey::new(key),
            sequence: 0,
            wire: vec![0; 512 * 1024],
        }
    }
}

impl Signer {
    fn new(auth: Auth, pkcs8: &[u8]) -> Self {
        match auth {
            Auth::EcdsaP256 => {
                let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
                Self::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).expect("an ECDSA key"))
            }
            Auth::Ed25519 => Self::Ed25519(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).expect("an Ed25519 key"),
            ),
            Auth::Rsa2048 => {
                Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).expect("an RSA key")))
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(key) => key
                .sign(&random, message)
                .expect("a signature")
                .as_ref()
                .to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&signature::RSA_PSS_SHA256, &random, message, &mut signature)
                    .expect("a signature");
                signature
            }
        }
    }

    fn verify(&self, message: &[u8], sig: &[u8]) {
        let (algorithm, key): (&dyn signature::VerificationAlgorithm, _) = match self {
            Self::Ecdsa(key) => (
                &signature::ECDSA_P256_SHA256_ASN1,
                key.public_key().as_ref(),
            ),
            Self::Ed25519(key) => (&signature::ED25519, key.public_key().as_ref()),
            Self::Rsa(key) => (
                &signature::RSA_PSS_2048_8192_SHA256,
                key.public_key().as_ref(),
            ),
        };
        signature::UnparsedPublicKey::new(algorithm, key)
            .verify(message, sig)
            .expect("the signature is good");
    }
}

/// One half of an elliptic-curve exchange.
struct Share {
    private: EphemeralPrivateKey,
    public: Vec<u8>,
    algorithm: &'static agreement::Algorithm,
}

impl Share {
    fn new(group: Group) -> Self {
        let algorithm = match group {
            Group::X25519 | Group::X25519MlKem768 => &agreement::X25519,
            Group::P256 => &agreement::ECDH_P256,
        };
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(algorithm, &random).expect("a key pair");
        let public = private.compute_public_key().expect("a public key");
        Self {
            private,
            public: public.as_ref().to_vec(),
            algorithm,
        }
    }

    fn agree(self, peer: &[u8]) {
        let peer = UnparsedPublicKey::new(self.algorithm, peer);
        agreement::agree_ephemeral(self.private, peer, (), |_| Ok(())).expect("agreement");
    }
}

impl Subject for Limit {
    fn handshake(&mut self, meter: &mut dyn Meter) {
        let hybrid = self.group == Group::X25519MlKem768;
        let (mut client, mut public, mut kem, mut encapsulation) = (None, None, None, None);
        meter.client(&mut || {
            let share = Share::new(self.group);
            public = Some(share.public.clone());
            client = Some(share);
            if hybrid {
                let key = DecapsulationKey::generate(&ML_KEM_768).expect("a key pair");
                let shared = key.encapsulation_key().and_then(|key| key.key_bytes());
                encapsulation = Some(shared.expect("a public key").as_ref().to_vec());
                kem = Some(key);
            }
        });
        let (mut server_public, mut sig, mut ciphertext) = (None, None, None);
        meter.server(&mut || {
            let share = Share::new(self.group);
            server_public = Some(share.public.clone());
            share.agree(public.as_deref().expect("the client has sent it"));
            if let Some(bytes) = &encapsulation {
                let key = EncapsulationKey::new(&ML_KEM_768, bytes).expect("a public key");
                let (sent, _) = key.encapsulate().expect("encapsulation");
                ciphertext = Some(sent.as_ref().to_vec());
            }
            sig = Some(self.signer.sign(&SIGNED));
        });
        let sig = sig.expect("the meter runs its work");
        let server_public = server_public.expect("the meter runs its work");
        meter.client(&mut || {
            client.take().expect("runs once").agree(&server_public);
            if let (Some(key), Some(sent)) = (&kem, &ciphertext) {
                let sent = Ciphertext::from(sent.as_slice());
                key.decapsulate(sent).expect("decapsulation");
            }
            for _ in 0..3 {
                self.signer.verify(&SIGNED, &sig);
            }
        });
    }

    fn object_sizes(&self) -> [usize; 2] {
        [0; 2]
    }

    fn keep(&mut self) {}

    fn transfer(&mut self, writes: Writes, meter: &mut dyn Meter) {
        let Self {
            key,
            sequence,
            wire,
            ..
        } = self;
        let record = writes.size + 1 + TAG;
        let first = *sequence;
        *sequence += writes.count as u64;
        let aad = [0x17; HEADER];
        meter.client(&mut || {
            for (number, out) in (first..)
                .zip(wire.chunks_exact_mut(record))
                .take(writes.count)
            {
                let (plain, tag) = out.split_at_mut(writes.size + 1);
                let sealed = key.seal_in_place_separate_tag(nonce(number), Aad::from(aad), plain);
                tag.copy_from_slice(sealed.expect("the key is good for more").as_ref());
            }
        });
        meter.server(&mut || {
            for (number, input) in (first..)
                .zip(wire.chunks_exact_mut(record))
                .take(writes.count)
            {
                key.open_in_place(nonce(number), Aad::from(aad), input)
                    .expect("the tag is right");
            }
        });
    }
}

fn nonce(sequence: u64) -> Nonce {
    let mut bytes = [0; aead::NONCE_LEN];
    bytes[4..].copy_from_slice(&sequence.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}
