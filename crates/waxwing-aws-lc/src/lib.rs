//! A [`CryptoProvider`] on [`aws_lc_rs`].
//!
//! Everything comes from AWS-LC except the SHA-2 compression functions, which are those of the
//! crate `sha2`: they use the same CPU instructions, and midstates that are plain values make
//! the hashing, HMAC and HKDF of [`waxwing_crypto`] faster than AWS-LC's own.
//!
//! ```
//! use waxwing_aws_lc::PROVIDER;
//! use waxwing_crypto::{CryptoError, NamedGroup};
//!
//! # fn main() -> Result<(), CryptoError> {
//! let group = PROVIDER.group(NamedGroup::X25519_MLKEM768).ok_or(CryptoError::Misuse)?;
//! let client = group.start(PROVIDER.random)?;
//! let (answer, server_secret) = group.respond(PROVIDER.random, client.public())?;
//! let client_secret = client.complete(group.name(), &answer)?;
//! assert_eq!(client_secret.as_ref(), server_secret.as_ref());
//! # Ok(())
//! # }
//! ```
//!
//! Take a part of it by writing a [`CryptoProvider`] with other lists: the suites, groups and
//! signatures are public on their own too.
//!
//! AWS-LC gathers CPU jitter before its first random number, which takes about 40 ms once in
//! each process. Built with `AWS_LC_SYS_NO_JITTER_ENTROPY=1` in the environment it seeds itself
//! without: from the operating system, in microseconds.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod aead;
#[cfg(feature = "ccm")]
mod ccm;
mod hash;
mod kem;
mod kx;
mod random;
mod sign;
mod suites12;
#[cfg(feature = "ccm")]
mod suites12_ccm;
mod verify;

pub use aead::{AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305};
#[cfg(feature = "ccm")]
pub use ccm::{AES_128_CCM, AES_128_CCM_8};
pub use hash::{SHA256, SHA384};
pub use kem::{
    ML_KEM_768, ML_KEM_1024, MLKEM768, MLKEM1024, SECP256R1_MLKEM768, SECP384R1_MLKEM1024,
    X25519_MLKEM768,
};
pub use kx::{SECP256R1, SECP384R1, SECP521R1, X25519};
pub use random::RANDOM;
pub use sign::KEYS;
pub use suites12::{
    SUITES12, SUITES12_WITH_PSK, TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384, TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    TLS12_ECDHE_PSK_AES_128_GCM_SHA256, TLS12_ECDHE_PSK_AES_256_GCM_SHA384,
    TLS12_ECDHE_PSK_CHACHA20_POLY1305_SHA256, TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
    TLS12_ECDHE_RSA_AES_256_GCM_SHA384, TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
    TLS12_PSK_AES_128_GCM_SHA256, TLS12_PSK_AES_256_GCM_SHA384, TLS12_PSK_CHACHA20_POLY1305_SHA256,
};
#[cfg(feature = "ccm")]
pub use suites12_ccm::{
    SUITES12_WITH_CCM, TLS12_ECDHE_PSK_AES_128_CCM_8_SHA256, TLS12_ECDHE_PSK_AES_128_CCM_SHA256,
    TLS12_PSK_AES_128_CCM, TLS12_PSK_AES_128_CCM_8,
};
pub use verify::SIGNATURES;

use waxwing_crypto::{CipherSuite, CryptoProvider, KxGroup, Suite13, UseLimits};

/// Everything this crate offers, in order of preference.
pub static PROVIDER: CryptoProvider = CryptoProvider {
    suites13: SUITES13,
    suites12: SUITES12,
    groups: GROUPS,
    signatures: SIGNATURES,
    keys: KEYS,
    random: RANDOM,
};

/// The TLS 1.3 cipher suites, in order of preference.
pub static SUITES13: &[&Suite13] = &[
    &TLS13_AES_128_GCM_SHA256,
    &TLS13_AES_256_GCM_SHA384,
    &TLS13_CHACHA20_POLY1305_SHA256,
];

/// The key exchange groups, in order of preference.
pub static GROUPS: &[&dyn KxGroup] = &[
    X25519_MLKEM768,
    X25519,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    SECP256R1_MLKEM768,
    SECP384R1_MLKEM1024,
];

/// `TLS_AES_128_GCM_SHA256`
pub static TLS13_AES_128_GCM_SHA256: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
};

/// `TLS_AES_256_GCM_SHA384`
pub static TLS13_AES_256_GCM_SHA384: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_256_GCM_SHA384,
    aead: AES_256_GCM,
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
};

/// `TLS_CHACHA20_POLY1305_SHA256`
pub static TLS13_CHACHA20_POLY1305_SHA256: Suite13 = Suite13 {
    id: CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    aead: CHACHA20_POLY1305,
    hash: &SHA256,
    limits: UseLimits::CHACHA20_POLY1305,
};

#[cfg(test)]
mod tests {
    use alloc::vec;

    use waxwing_crypto::{CryptoError, NamedGroup, ProviderFault, SignatureScheme, Suite12};

    use super::*;

    #[test]
    fn a_kem_alone_is_a_group_too() {
        for (group, public, answer) in [(MLKEM768, 1184, 1088), (MLKEM1024, 1568, 1568)] {
            let share = group.start(RANDOM).unwrap();
            assert_eq!(
                (share.group(), share.public().len()),
                (group.name(), public)
            );
            let (ciphertext, secret) = group.respond(RANDOM, share.public()).unwrap();
            assert_eq!(ciphertext.len(), answer);
            let same = share.complete(group.name(), &ciphertext).unwrap();
            assert_eq!((same.as_ref(), same.as_ref().len()), (secret.as_ref(), 32));

            let invalid = Some(CryptoError::InvalidPublicValue);
            assert_eq!(group.respond(RANDOM, &vec![0; public + 1]).err(), invalid);
            let share = group.start(RANDOM).unwrap();
            let short = share.complete(group.name(), &ciphertext[1..]);
            assert_eq!(short.err(), invalid);
            let share = group.start(RANDOM).unwrap();
            let other = share.complete(NamedGroup::X25519, &ciphertext);
            assert_eq!(other.err(), Some(CryptoError::Misuse));
        }
    }

    #[test]
    fn the_provider_is_whole() {
        assert_eq!(PROVIDER.check(), Ok(()));
        let without_tls12 = CryptoProvider {
            suites12: &[],
            ..PROVIDER
        };
        assert_eq!(without_tls12.check(), Ok(()));
    }

    #[test]
    fn a_repeated_tls12_suite_is_a_fault() {
        static TWICE: &[&Suite12] = &[
            &TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
            &TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
        ];
        let twice = CryptoProvider {
            suites12: TWICE,
            ..PROVIDER
        };
        assert_eq!(twice.check(), Err(ProviderFault::Repeated(0xc02f)));
    }

    #[test]
    fn suites_are_found_by_code_point_and_registered_name() {
        let names = [
            (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
            (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ];
        let listed = SUITES12.iter().map(|suite| suite.id.0);
        assert!(listed.eq(names.map(|(id, _)| id)));
        for (id, name) in names {
            let suite = PROVIDER.suite12(CipherSuite(id)).unwrap();
            assert_eq!(suite.id.name(), Some(name));
            assert!(PROVIDER.suite13(suite.id).is_none());
        }
    }

    #[test]
    fn each_version_offers_its_own_schemes() {
        let rsa = SignatureScheme::RSA_PKCS1_SHA256;
        let mldsa = SignatureScheme::MLDSA44;
        let has12 = |scheme| PROVIDER.handshake_schemes12().any(|own| own == scheme);
        let has13 = |scheme| PROVIDER.handshake_schemes().any(|own| own == scheme);
        assert_eq!((has12(rsa), has13(rsa)), (true, false));
        assert_eq!((has12(mldsa), has13(mldsa)), (false, true));
    }
}
