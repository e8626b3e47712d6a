//! Keys for the tests of this module.

use waxwing_aws_lc::{AES_128_GCM, SHA256};
use waxwing_crypto::{CipherSuite, Digest, Suite13, UseLimits};

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

/// Keys of TLS 1.2.
#[cfg(feature = "tls12")]
pub(super) fn keys12() -> super::protect12::Keys12 {
    super::protect12::Keys12 {
        suite: &waxwing_aws_lc::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
        key: zeroize::Zeroizing::new([3; waxwing_crypto::MAX_KEY_LEN]),
        iv: zeroize::Zeroizing::new([5; waxwing_crypto::IV_LEN]),
    }
}
