//! Configurations for the tests of streams.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::{Arc, LazyLock};

use waxwing::crypto::KeyEncoding;
use waxwing::pki::KeyType;
use waxwing::{CertifiedKey, ClientConfig, PROVIDER, ServerConfig, ServerName};
use waxwing_testkit::pki::{self, Case};

pub(crate) fn certified_key() -> Arc<CertifiedKey> {
    static MADE: LazyLock<Arc<CertifiedKey>> = LazyLock::new(|| {
        let credentials = pki::credentials(Case::Good(KeyType::P256));
        let key = PROVIDER.keys.load(KeyEncoding::Pkcs8, &credentials.key);
        Arc::new(CertifiedKey::new(credentials.chain.clone(), key.unwrap()))
    });
    Arc::clone(&MADE)
}

pub(crate) fn client_config() -> Arc<ClientConfig> {
    ClientConfig::builder(&PROVIDER, pki::verifier())
        .build()
        .unwrap()
}

pub(crate) fn server_config() -> Arc<ServerConfig> {
    ServerConfig::builder(&PROVIDER, Arc::new(certified_key()))
        .build()
        .unwrap()
}

pub(crate) fn name() -> ServerName {
    "localhost".parse().unwrap()
}

/// Bytes in which every place can be told from its neighbours.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8)
        .collect()
}
