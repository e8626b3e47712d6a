//! The primitives of aws-lc-rs beside those of graviola: which of the two a provider should take.

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_768};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use graviola::aead::{AesGcm, ChaCha20Poly1305};
use graviola::hashing::Sha256;
use graviola::key_agreement::{mlkem768, p256, x25519};
use graviola::signing::{ecdsa, eddsa, rsa};

use crate::pki::Pki;
use crate::scenario::Auth;
use crate::stats::median;

/// The libraries, in the order of the columns.
pub(crate) const NAMES: [&str; 2] = ["aws-lc-rs", "graviola"];

/// About the part of a certificate that is signed.
const MESSAGE: [u8; 400] = [0x5a; 400];
/// Runs of each library in a round, of which the median counts.
const RUNS: usize = 60;

type Work = Box<dyn FnMut()>;

/// The nanoseconds of one primitive in each round, of the libraries in the order of [`NAMES`].
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) rounds: [Vec<f64>; 2],
}

/// Measures all, the two in turns.
pub(crate) fn measure(pki: impl Fn(Auth) -> Pki, rounds: usize) -> Vec<Row> {
    let works = key_exchange()
        .into_iter()
        .chain(ecdsa(&pki(Auth::EcdsaP256)))
        .chain(ed25519(&pki(Auth::Ed25519)))
        .chain(rsa(&pki(Auth::Rsa2048)))
        .chain(aeads());
    works
        .map(|(title, mut works)| {
            eprintln!("primitive {title}");
            let mut times = [Vec::new(), Vec::new()];
            for round in 0..rounds {
                for turn in 0..works.len() {
                    let index = (round + turn) % works.len();
                    times[index].push(time(&mut works[index]));
                }
            }
            Row {
                title,
                rounds: times,
            }
        })
        .collect()
}

fn time(work: &mut Work) -> f64 {
    let runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_nanos() as f64
        })
        .collect();
    median(&runs)
}

fn key_exchange() -> Vec<(&'static str, [Work; 2])> {
    let aws = |algorithm: &'static agreement::Algorithm| {
        let peer = PrivateKey::generate(algorithm).expect("a key pair");
        let peer = peer.compute_public_key().expect("a public key");
        let work: Work = Box::new(move || {
            let own = PrivateKey::generate(algorithm).expect("a key pair");
            black_box(own.compute_public_key().expect("a public key"));
            let peer = UnparsedPublicKey::new(algorithm, peer.as_ref());
            agreement::agree(&own, peer, (), |secret| {
                black_box(secret);
                Ok(())
            })
            .expect("agreement");
        });
        work
    };
    let curve_peer = x25519::PrivateKey::new_random()
        .expect("a key")
        .public_key();
    let curve: Work = Box::new(move || {
        let own = x25519::PrivateKey::new_random().expect("a key");
        black_box(own.public_key().as_bytes());
        let peer = x25519::PublicKey::from_array(&curve_peer.as_bytes());
        black_box(own.diffie_hellman(&peer).expect("agreement").as_bytes());
    });
    let point_peer = p256::PrivateKey::new_random().expect("a key");
    let point_peer = point_peer.public_key_uncompressed();
    let point: Work = Box::new(move || {
        let own = p256::PrivateKey::new_random().expect("a key");
        black_box(own.public_key_uncompressed());
        let peer = p256::PublicKey::from_x962_uncompressed(&point_peer).expect("a point");
        black_box(own.diffie_hellman(&peer).expect("agreement").0);
    });
    vec![
        (
            "X25519, key pair and agreement",
            [aws(&agreement::X25519), curve],
        ),
        (
            "P-256, key pair and agreement",
            [aws(&agreement::ECDH_P256), point],
        ),
        ("ML-KEM-768, all three steps", [aws_kem(), graviola_kem()]),
    ]
}

fn aws_kem() -> Work {
    Box::new(|| {
        let key = DecapsulationKey::generate(&ML_KEM_768).expect("a key pair");
        let public = key.encapsulation_key().and_then(|key| key.key_bytes());
        let public = public.expect("a public key");
        let public = EncapsulationKey::new(&ML_KEM_768, public.as_ref()).expect("a public key");
        let (sent, _) = public.encapsulate().expect("encapsulation");
        let sent = Ciphertext::from(sent.as_ref());
        black_box(key.decapsulate(sent).expect("decapsulation").as_ref());
    })
}

fn graviola_kem() -> Work {
    Box::new(|| {
        let key = mlkem768::DecapKey::generate().expect("a key pair");
        let public = key.encapsulation_key().as_bytes();
        let public = mlkem768::EncapKey::from_bytes(&public).expect("a public key");
        let (_, sent) = public.encaps().expect("encapsulation");
        black_box(key.decaps(&sent));
    })
}

fn ecdsa(pki: &Pki) -> Vec<(&'static str, [Work; 2])> {
    let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    let aws = EcdsaKeyPair::from_pkcs8(algorithm, &pki.key).expect("an ECDSA key");
    let public = aws.public_key().as_ref().to_vec();
    let sign = move || {
        let signed = aws.sign(&SystemRandom::new(), &MESSAGE);
        signed.expect("a signature")
    };
    let signed = sign();
    let other: ecdsa::SigningKey<ecdsa::P256> =
        ecdsa::SigningKey::from_pkcs8_der(&pki.key).expect("an ECDSA key");
    let other_sign: Work = Box::new(move || {
        let mut out = [0; 80];
        let signed = other.sign_asn1::<Sha256>(&[&MESSAGE], &mut out);
        black_box(signed.expect("a signature"));
    });
    let (aws_signed, other_signed) = (signed, signed);
    let aws_public = public.clone();
    let verify: Work = Box::new(move || {
        signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, &aws_public)
            .verify(&MESSAGE, aws_signed.as_ref())
            .expect("the signature is good");
    });
    let other_verify: Work = Box::new(move || {
        let key = ecdsa::VerifyingKey::<ecdsa::P256>::from_x962_uncompressed(&public);
        key.and_then(|key| key.verify_asn1::<Sha256>(&[&MESSAGE], other_signed.as_ref()))
            .expect("the signature is good");
    });
    let sign: Work = Box::new(move || {
        black_box(sign());
    });
    vec![
        ("ECDSA P-256, sign", [sign, other_sign]),
        ("ECDSA P-256, verify", [verify, other_verify]),
    ]
}

fn ed25519(pki: &Pki) -> Vec<(&'static str, [Work; 2])> {
    let aws = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pki.key).expect("an Ed25519 key");
    let public = aws.public_key().as_ref().to_vec();
    let signed = aws.sign(&MESSAGE);
    let other = eddsa::Ed25519SigningKey::from_pkcs8_der(&pki.key).expect("an Ed25519 key");
    let sign: Work = Box::new(move || {
        black_box(aws.sign(&MESSAGE));
    });
    let other_sign: Work = Box::new(move || {
        black_box(other.sign(&MESSAGE));
    });
    let aws_public = public.clone();
    let verify: Work = Box::new(move || {
        signature::UnparsedPublicKey::new(&signature::ED25519, &aws_public)
            .verify(&MESSAGE, signed.as_ref())
            .expect("the signature is good");
    });
    let other_verify: Work = Box::new(move || {
        eddsa::Ed25519VerifyingKey::from_bytes(&public)
            .and_then(|key| key.verify(signed.as_ref(), &MESSAGE))
            .expect("the signature is good");
    });
    vec![
        ("Ed25519, sign", [sign, other_sign]),
        ("Ed25519, verify", [verify, other_verify]),
    ]
}

fn rsa(pki: &Pki) -> Vec<(&'static str, [Work; 2])> {
    let aws = RsaKeyPair::from_pkcs8(&pki.key).expect("an RSA key");
    let public = aws.public_key().as_ref().to_vec();
    let sign = move || {
        let mut out = vec![0; aws.public_modulus_len()];
        let random = SystemRandom::new();
        aws.sign(&signature::RSA_PSS_SHA256, &random, &MESSAGE, &mut out)
            .expect("a signature");
        out
    };
    let signed = sign();
    let other = rsa::SigningKey::from_pkcs8_der(&pki.key).expect("an RSA key");
    let other_sign: Work = Box::new(move || {
        let mut out = [0; 256];
        black_box(
            other
                .sign_pss_sha256(&mut out, &MESSAGE)
                .expect("a signature"),
        );
    });
    let (aws_public, aws_signed) = (public.clone(), signed.clone());
    let verify: Work = Box::new(move || {
        signature::UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, &aws_public)
            .verify(&MESSAGE, &aws_signed)
            .expect("the signature is good");
    });
    let other_verify: Work = Box::new(move || {
        rsa::VerifyingKey::from_pkcs1_der(&public)
            .and_then(|key| key.verify_pss_sha256(&signed, &MESSAGE))
            .expect("the signature is good");
    });
    let sign: Work = Box::new(move || {
        black_box(sign());
    });
    vec![
        ("RSA-2048, sign (PSS)", [sign, other_sign]),
        ("RSA-2048, verify (PSS)", [verify, other_verify]),
    ]
}

/// Bytes of the longest plaintext.
const LONG: usize = 16_384;
/// Bytes of a short one.
const SHORT: usize = 64;

fn aeads() -> Vec<(&'static str, [Work; 2])> {
    let gcm = |len| {
        let key = AesGcm::new(&[0x42; 16]);
        graviola_seal(len, move |plain, tag| {
            key.encrypt(&[7; 12], &[0x17; 5], plain, tag);
        })
    };
    let chacha = ChaCha20Poly1305::new([0x42; 32]);
    let chacha = graviola_seal(LONG, move |plain, tag| {
        chacha.encrypt(&[7; 12], &[0x17; 5], plain, tag);
    });
    let (aes, chacha_aws) = (&aead::AES_128_GCM, &aead::CHACHA20_POLY1305);
    vec![
        ("AES-128-GCM, 16384 B", [aws_seal(aes, LONG), gcm(LONG)]),
        ("AES-128-GCM, 64 B", [aws_seal(aes, SHORT), gcm(SHORT)]),
        (
            "ChaCha20-Poly1305, 16384 B",
            [aws_seal(chacha_aws, LONG), chacha],
        ),
    ]
}

fn aws_seal(algorithm: &'static aead::Algorithm, len: usize) -> Work {
    let key = &[0x42; 32][..algorithm.key_len()];
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).expect("the length is right"));
    let mut plain = vec![0x61; len];
    Box::new(move || {
        let nonce = Nonce::assume_unique_for_key([7; 12]);
        let sealed = key.seal_in_place_separate_tag(nonce, Aad::from([0x17; 5]), &mut plain);
        black_box(sealed.expect("the key is good for more").as_ref());
    })
}

fn graviola_seal(len: usize, seal: impl Fn(&mut [u8], &mut [u8; 16]) + 'static) -> Work {
    let mut plain = vec![0x61; len];
    let mut tag = [0; 16];
    Box::new(move || {
        seal(&mut plain, &mut tag);
        black_box(&tag);
    })
}
