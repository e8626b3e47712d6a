//! Keys for the tests of this module.

use waxwing_aws_lc::{AES_128_GCM, SHA256};
use waxwing_crypto::{Authentication12, CipherSuite, Digest, Nonce12, Suite12, Suite13, UseLimits};
use zeroize::Zeroizing;

use super::protect12::Keys12;
use super::{Epoch, EpochKeys};

/// A suite whose keys are worn out after 8 records.
pub(super) static SHORT_LIVED: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits { seal_records: 8 },
};

pub(super) fn keys(suite: &'static Suite13, epoch: Epoch, seed: u8) -> EpochKeys {
    let secret = alloc::vec![seed; suite.hash.output_len()];
    EpochKeys {
        epoch,
        suite,
        secret: Digest::from_slice(&secret).unwrap(),
    }
}

pub(super) fn short_lived() -> EpochKeys {
    keys(&SHORT_LIVED, Epoch::Application, 7)
}

pub(super) fn handshake_keys() -> EpochKeys {
    keys(&SHORT_LIVED, Epoch::Handshake, 5)
}

/// A suite of TLS 1.2 whose keys are worn out after 8 records.
pub(super) static SHORT_LIVED12: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits { seal_records: 8 },
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

pub(super) fn keys12(suite: &'static Suite12, seed: u8) -> Keys12 {
    Keys12 {
        suite,
        key: Zeroizing::new([seed; 32]),
        iv: Zeroizing::new([seed ^ 0x0f; 12]),
    }
}
