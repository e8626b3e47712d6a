//! Configurations and transports for the tests of streams.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use waxwing::pki::KeyType;
use waxwing::{
    ClientConfig, ClientConfigBuilder, PROVIDER, ServerConfig, ServerConfigBuilder, ServerName,
};
use waxwing_testkit::pki;

pub(crate) mod counted;
pub(crate) mod patience;
pub(crate) mod pipe;
pub(crate) mod slow;

pub(crate) fn client_builder() -> ClientConfigBuilder {
    ClientConfig::builder(&PROVIDER, pki::verifier())
}

pub(crate) fn server_builder() -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, Arc::new(pki::certified_key(KeyType::P256)))
}

pub(crate) fn client_config() -> Arc<ClientConfig> {
    client_builder().build().unwrap()
}

pub(crate) fn server_config() -> Arc<ServerConfig> {
    server_builder().build().unwrap()
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

/// Numbers that look random and are the same in every run (xorshift).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// From 0 to `below` - 1.
    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}
