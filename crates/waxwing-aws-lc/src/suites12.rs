//! The cipher suites of TLS 1.2: those with an AEAD, and nothing else.

use waxwing_crypto::{Authentication12, CipherSuite, Nonce12, Suite12, UseLimits};

use crate::{AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, SHA256, SHA384};

/// The TLS 1.2 cipher suites, in order of preference.
pub static SUITES12: &[&Suite12] = &[
    &TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    &TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
    &TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
    &TLS12_ECDHE_RSA_AES_256_GCM_SHA384,
    &TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    &TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
];

/// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`
pub static TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

/// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`
pub static TLS12_ECDHE_RSA_AES_128_GCM_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Rsa,
};

/// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`
pub static TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
    aead: AES_256_GCM,
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

/// `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`
pub static TLS12_ECDHE_RSA_AES_256_GCM_SHA384: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384,
    aead: AES_256_GCM,
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Rsa,
};

/// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256`
pub static TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    aead: CHACHA20_POLY1305,
    hash: &SHA256,
    limits: UseLimits::CHACHA20_POLY1305,
    nonce: Nonce12::Implicit,
    authentication: Authentication12::Ecdsa,
};

/// `TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256`
pub static TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
    aead: CHACHA20_POLY1305,
    hash: &SHA256,
    limits: UseLimits::CHACHA20_POLY1305,
    nonce: Nonce12::Implicit,
    authentication: Authentication12::Rsa,
};

/// The suites of TLS 1.2 with keys that both sides have, beside those of [`SUITES12`], which come
/// first. They are in no provider of this crate; a program that uses such keys makes its own:
///
/// ```
/// use waxwing_aws_lc::{PROVIDER, SUITES12_WITH_PSK};
/// use waxwing_crypto::CryptoProvider;
///
/// static WITH_PSK: CryptoProvider = CryptoProvider {
///     suites12: SUITES12_WITH_PSK,
///     ..PROVIDER
/// };
/// ```
pub static SUITES12_WITH_PSK: &[&Suite12] = &[
    &TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    &TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
    &TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
    &TLS12_ECDHE_RSA_AES_256_GCM_SHA384,
    &TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    &TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
    &TLS12_ECDHE_PSK_AES_128_GCM_SHA256,
    &TLS12_ECDHE_PSK_AES_256_GCM_SHA384,
    &TLS12_ECDHE_PSK_CHACHA20_POLY1305_SHA256,
    &TLS12_PSK_AES_128_GCM_SHA256,
    &TLS12_PSK_AES_256_GCM_SHA384,
    &TLS12_PSK_CHACHA20_POLY1305_SHA256,
];

/// `TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256`
pub static TLS12_ECDHE_PSK_AES_128_GCM_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_PSK_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::EcdhePsk,
};

/// `TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384`
pub static TLS12_ECDHE_PSK_AES_256_GCM_SHA384: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_PSK_AES_256_GCM_SHA384,
    aead: AES_256_GCM,
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::EcdhePsk,
};

/// `TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256`
pub static TLS12_ECDHE_PSK_CHACHA20_POLY1305_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_PSK_CHACHA20_POLY1305_SHA256,
    aead: CHACHA20_POLY1305,
    hash: &SHA256,
    limits: UseLimits::CHACHA20_POLY1305,
    nonce: Nonce12::Implicit,
    authentication: Authentication12::EcdhePsk,
};

/// `TLS_PSK_WITH_AES_128_GCM_SHA256`
pub static TLS12_PSK_AES_128_GCM_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_PSK_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Psk,
};

/// `TLS_PSK_WITH_AES_256_GCM_SHA384`
pub static TLS12_PSK_AES_256_GCM_SHA384: Suite12 = Suite12 {
    id: CipherSuite::TLS12_PSK_AES_256_GCM_SHA384,
    aead: AES_256_GCM,
    hash: &SHA384,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Psk,
};

/// `TLS_PSK_WITH_CHACHA20_POLY1305_SHA256`
pub static TLS12_PSK_CHACHA20_POLY1305_SHA256: Suite12 = Suite12 {
    id: CipherSuite::TLS12_PSK_CHACHA20_POLY1305_SHA256,
    aead: CHACHA20_POLY1305,
    hash: &SHA256,
    limits: UseLimits::CHACHA20_POLY1305,
    nonce: Nonce12::Implicit,
    authentication: Authentication12::Psk,
};
