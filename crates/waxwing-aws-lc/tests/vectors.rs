//! The known-answer tests of `waxwing-crypto`, over the whole provider and over spoilt ones.

use waxwing_aws_lc::{
    AES_256_GCM, ML_KEM_768, PROVIDER, SHA256, SHA384, SIGNATURES,
    TLS12_ECDHE_RSA_AES_128_GCM_SHA256, X25519,
};
use waxwing_crypto::{
    Authentication12, CipherSuite, CryptoError, CryptoProvider, Hybrid, KxGroup, NamedGroup,
    Nonce12, Order, SecureRandom, SignatureAlgorithm, Suite12, Suite13, UseLimits, VerifySignature,
    vectors,
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

type Change = fn(&mut Suite12);

/// What the known-answer tests say of AES-128-GCM for RSA keys with something else in it.
fn fault_of_suite12(change: Change) -> String {
    let mut suite = Suite12 {
        ..TLS12_ECDHE_RSA_AES_128_GCM_SHA256
    };
    change(&mut suite);
    let suites: &'static [&'static Suite12] = vec![&*Box::leak(Box::new(suite))].leak();
    fault_of(CryptoProvider {
        suites12: suites,
        ..PROVIDER
    })
}

#[test]
fn a_spoilt_tls12_suite_is_noticed() {
    let spoilt: [(Change, &str); 5] = [
        (|suite| suite.aead = AES_256_GCM, "the key length"),
        (|suite| suite.hash = &SHA384, "the hash"),
        (|suite| suite.nonce = Nonce12::Implicit, "the nonce"),
        (
            |suite| suite.authentication = Authentication12::Ecdsa,
            "the authentication",
        ),
        (
            |suite| suite.id = CipherSuite(0xc0ff),
            "there is a known answer for it",
        ),
    ];
    for (change, rule) in spoilt {
        let fault = fault_of_suite12(change);
        assert!(fault.ends_with(&format!(": not so: {rule}")), "{fault}");
    }
}

#[test]
fn a_curve_that_is_missing_for_tls12_is_noticed() {
    let named = SIGNATURES.iter().filter(|pair| pair.scheme.is_some());
    let named: Vec<_> = named.map(|pair| SignatureAlgorithm { ..*pair }).collect();
    let provider = CryptoProvider {
        signatures: named.leak(),
        ..PROVIDER
    };
    assert_eq!(
        fault_of(provider),
        "ecdsa_secp256r1_sha256: not so: in TLS 1.2 it serves every curve"
    );
    let for_tls13_alone = CryptoProvider {
        suites12: &[],
        ..provider
    };
    assert_eq!(vectors::check(&for_tls13_alone), Ok(()));
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
