//! What no library can go under with the same primitives: the raw aws-lc-rs operations alone.
//!
//! The handshake's limit is its public-key operations (key share, agreement, signature, and for a chain
//! of two and CertificateVerify three verifications, or one if the chain is known), and of symmetric ones
//! as many as no library can do without, in [`symmetric`]; no message, no certificate, no memory. A
//! resumption in TLS 1.2 has none of the former: its limit is in [`tickets`]. The transfer's limit is
//! one AEAD call in place for each record.

mod symmetric;
mod tickets;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_768};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};

use self::symmetric::Symmetric;
use crate::pair::{Meter, Subject};
use crate::pki::Pki;
use crate::scenario::{Auth, Group, Scenario, Suite, Version, Writes};

/// Bytes of the record header, which is the additional data of its AEAD call (RFC 9846 section 5.2).
const HEADER: usize = 5;
/// Bytes of the tag, the same for the three suites.
const TAG: usize = 16;
/// About the size of the part of a certificate that is signed; CertificateVerify's is smaller.
const SIGNED: [u8; 400] = [0x5a; 400];

pub(crate) struct Limit {
    signer: Signer,
    scenario: Scenario,
    symmetric: Symmetric,
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
        let signer = Signer::new(scenario.auth, &pki.key);
        let signature = signer.sign(&SIGNED).len();
        Self {
            signer,
            scenario,
            symmetric: Symmetric::new(pki, scenario, signature),
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

/// A client's half of the key exchange.
struct Offer {
    share: Share,
    kem: Option<DecapsulationKey>,
}

/// What a client sends: its share, and the key to encapsulate to if the group is a hybrid one.
struct Offered {
    public: Vec<u8>,
    encapsulation: Option<Vec<u8>>,
}

impl Offer {
    fn new(group: Group) -> (Self, Offered) {
        let share = Share::new(group);
        let hybrid = group == Group::X25519MlKem768;
        let kem = hybrid.then(|| DecapsulationKey::generate(&ML_KEM_768).expect("a key pair"));
        let encapsulation = kem.as_ref().map(|kem| {
            let public = kem.encapsulation_key().and_then(|key| key.key_bytes());
            public.expect("a public key").as_ref().to_vec()
        });
        let public = share.public.clone();
        let offered = Offered {
            public,
            encapsulation,
        };
        (Self { share, kem }, offered)
    }

    fn finish(self, public: &[u8], ciphertext: Option<&[u8]>) {
        self.share.agree(public);
        if let (Some(key), Some(sent)) = (&self.kem, ciphertext) {
            key.decapsulate(Ciphertext::from(sent))
                .expect("decapsulation");
        }
    }
}

impl Offered {
    /// The server's half; returns its share and the ciphertext.
    fn answer(&self, group: Group) -> (Vec<u8>, Option<Vec<u8>>) {
        let share = Share::new(group);
        let public = share.public.clone();
        share.agree(&self.public);
        let ciphertext = self.encapsulation.as_ref().map(|bytes| {
            let key = EncapsulationKey::new(&ML_KEM_768, bytes).expect("a public key");
            let (sent, _) = key.encapsulate().expect("encapsulation");
            sent.as_ref().to_vec()
        });
        (public, ciphertext)
    }
}

impl Limit {
    fn sign(&self, signs: bool) -> Option<Vec<u8>> {
        signs.then(|| self.signer.sign(&SIGNED))
    }

    /// Verifies what the other side signed, and its chain if that is not known.
    fn verify(&self, sig: Option<&[u8]>) {
        let known = self.scenario.kind.knows_chains();
        let count = if known { 1 } else { 3 };
        for sig in sig.iter().cycle().take(count) {
            self.signer.verify(&SIGNED, sig);
        }
    }
}

impl Subject for Limit {
    fn handshake(&mut self, meter: &mut dyn Meter) {
        let Scenario {
            version,
            kind,
            group,
            ..
        } = self.scenario;
        if kind.resumes() && version == Version::Tls12 {
            return tickets::handshake(meter);
        }
        let mut offer = None;
        meter.client(&mut || offer = Some(Offer::new(group)));
        let (client, offered) = offer.expect("the meter runs its work");
        let mut answer = None;
        meter.server(&mut || {
            self.symmetric.server_side();
            let (public, ciphertext) = offered.answer(group);
            answer = Some((public, ciphertext, self.sign(!kind.resumes())));
        });
        let (public, ciphertext, sig) = answer.expect("the meter runs its work");
        let (mut client, mut own_sig) = (Some(client), None);
        meter.client(&mut || {
            self.symmetric.client_side();
            let client = client.take().expect("runs once");
            client.finish(&public, ciphertext.as_deref());
            self.verify(sig.as_deref());
            own_sig = self.sign(kind.is_mutual());
        });
        meter.server(&mut || self.verify(own_sig.as_deref()));
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
