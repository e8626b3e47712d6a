//! The known-answer tests of `waxwing-crypto`, over the whole provider and over spoilt ones.

use waxwing_aws_lc::{AES_256_GCM, ML_KEM_768, PROVIDER, SHA256, SHA384, SIGNATURES, X25519};
use waxwing_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Hybrid, KxGroup, NamedGroup, Order, SecureRandom,
    SignatureAlgorithm, Suite13, UseLimits, VerifySignature, vectors,
};

#[test]
fn every_known_answer_is_found() {
    assert_eq!(vectors::check(&PROVIDER), Ok(()));
}

/// What the known-answer tests say of a provider that they must not accept.
fn fault_of(provider: CryptoProvider) -> String {
    vectors::check(&provider).unwrap_err().to_string()
}

#[test]
fn another_aead_is_noticed() {
    static SUITE: Suite13 = Suite13 {
        id: CipherSuite::TLS13_AES_128_GCM_SHA256,
        aead: AES_256_GCM,
        hash: &SHA256,
        limits: UseLimits::AES_GCM,
    };
    static SUITES: &[&Suite13] = &[&SUITE];
    let provider = CryptoProvider {
        suites13: SUITES,
        ..PROVIDER
    };
    assert_eq!(
        fault_of(provider),
        "TLS_AES_128_GCM_SHA256: not so: the key length"
    );
}

#[test]
fn a_suite_without_known_answer_is_noticed() {
    static SUITE: Suite13 = Suite13 {
        id: CipherSuite(0x13ff),
        aead: AES_256_GCM,
        hash: &SHA384,
        limits: UseLimits::AES_GCM,
    };
    static SUITES: &[&Suite13] = &[&SUITE];
    let provider = CryptoProvider {
        suites13: SUITES,
        ..PROVIDER
    };
    assert_eq!(
        fault_of(provider),
        "0x13ff: not so: there is a known answer for it"
    );
}

#[test]
fn a_hybrid_in_the_wrong_order_is_noticed() {
    static SWAPPED: Hybrid = Hybrid {
        name: NamedGroup::X25519_MLKEM768,
        classical: X25519,
        kem: ML_KEM_768,
        order: Order::ClassicalFirst,
    };
    static SWAPPED_GROUPS: &[&dyn KxGroup] = &[&SWAPPED];
    let provider = CryptoProvider {
        groups: SWAPPED_GROUPS,
        ..PROVIDER
    };
    assert!(fault_of(provider).starts_with("X25519MLKEM768: "));
}

#[test]
fn a_verifier_that_accepts_everything_is_noticed() {
    struct Gullible;
    impl VerifySignature for Gullible {
        fn verify(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), CryptoError> {
            Ok(())
        }
    }
    static GULLIBLE: &[SignatureAlgorithm] = &[SignatureAlgorithm {
        verifier: &Gullible,
        ..SIGNATURES[0]
    }];
    let provider = CryptoProvider {
        signatures: GULLIBLE,
        ..PROVIDER
    };
    assert_eq!(
        fault_of(provider),
        "ecdsa_secp256r1_sha256: not so: a change anywhere is noticed"
    );
}

#[test]
fn randomness_that_repeats_is_noticed() {
    struct Constant;
    impl SecureRandom for Constant {
        fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
            buf.fill(7);
            Ok(())
        }
    }
    let provider = CryptoProvider {
        random: &Constant,
        ..PROVIDER
    };
    assert_eq!(fault_of(provider), "random: not so: two draws differ");
}
