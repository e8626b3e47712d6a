//! Configurations that cannot work are refused when they are built.

mod common;

use common::{TrustOne, certified_key, client_builder, server_builder};
use std::sync::Arc;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{ClientConfig, ConfigError, ProtocolVersion, ProtocolVersions, ServerConfig};
use waxwing_crypto::{CipherSuite, CryptoProvider, NamedGroup, ProviderFault};

#[test]
fn lists_name_what_the_provider_has_once() {
    let unknown = NamedGroup(0xfe00);
    for (groups, expected) in [
        (&[][..], Err(ConfigError::EmptyList)),
        (
            &[NamedGroup::X25519, unknown],
            Err(ConfigError::NotProvided(0xfe00)),
        ),
        (&[NamedGroup::X25519; 2], Err(ConfigError::Repeated(0x001d))),
        (&[NamedGroup::X25519], Ok(())),
    ] {
        let client = client_builder().groups(groups.to_vec()).build();
        let server = server_builder().groups(groups.to_vec()).build();
        assert_eq!(client.map(drop), expected, "{groups:?}");
        assert_eq!(server.map(drop), expected, "{groups:?}");
    }
    const SUITE: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;
    for (suites, expected) in [
        (&[][..], Err(ConfigError::EmptyList)),
        (
            &[CipherSuite(0xfe00)],
            Err(ConfigError::NotProvided(0xfe00)),
        ),
        (
            &[CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256],
            Err(ConfigError::NoSuite(ProtocolVersion::TLS13)),
        ),
        (&[SUITE, SUITE], Err(ConfigError::Repeated(0x1301))),
        (&[SUITE], Ok(())),
    ] {
        let client = client_builder().cipher_suites(suites.to_vec()).build();
        let server = server_builder().cipher_suites(suites.to_vec()).build();
        assert_eq!(client.map(drop), expected, "{suites:?}");
        assert_eq!(server.map(drop), expected, "{suites:?}");
    }
}

/// A hybrid is for TLS 1.3 alone.
#[test]
fn tls12_needs_a_curve() {
    let (old, new) = (ProtocolVersions::TLS12, ProtocolVersions::TLS13);
    let lack = Err(ConfigError::NoGroup(ProtocolVersion::TLS12));
    for (versions, groups, expected) in [
        (old, &[NamedGroup::X25519_MLKEM768][..], lack),
        (
            old,
            &[NamedGroup::X25519_MLKEM768, NamedGroup::SECP384R1],
            Ok(()),
        ),
        (old | new, &[NamedGroup::X25519_MLKEM768], Ok(())),
        (new, &[NamedGroup::X25519_MLKEM768], Ok(())),
    ] {
        let client = client_builder().versions(versions).groups(groups.to_vec());
        let server = server_builder().versions(versions).groups(groups.to_vec());
        assert_eq!(client.build().map(drop), expected, "{versions:?}");
        assert_eq!(server.build().map(drop), expected, "{versions:?}");
    }
}

#[test]
fn protocol_names_have_a_length() {
    for (len, expected) in [
        (0, Err(ConfigError::AlpnName)),
        (1, Ok(())),
        (255, Ok(())),
        (256, Err(ConfigError::AlpnName)),
    ] {
        let name = vec![b'a'; len];
        let client = client_builder().alpn([b"h2".as_slice(), &name]).build();
        let server = server_builder().alpn([b"h2".as_slice(), &name]).build();
        assert_eq!(client.map(drop), expected, "{len} bytes");
        assert_eq!(server.map(drop), expected, "{len} bytes");
    }
}

static NO_SUITES: CryptoProvider = CryptoProvider {
    suites13: &[],
    ..PROVIDER
};
static NO_GROUPS: CryptoProvider = CryptoProvider {
    groups: &[],
    ..PROVIDER
};
static NO_SIGNATURES: CryptoProvider = CryptoProvider {
    signatures: &[],
    ..PROVIDER
};

#[test]
fn the_provider_has_to_be_whole() {
    for (provider, fault) in [
        (&NO_SUITES, ProviderFault::NoSuites),
        (&NO_GROUPS, ProviderFault::NoGroups),
        (&NO_SIGNATURES, ProviderFault::NoSignatures),
    ] {
        let expected = Err(ConfigError::Provider(fault));
        let client = ClientConfig::builder(provider, Arc::new(TrustOne)).build();
        let server = ServerConfig::builder(provider, Arc::new(certified_key())).build();
        assert_eq!(client.map(drop), expected);
        assert_eq!(server.map(drop), expected);
    }
}

#[test]
fn a_share_needs_its_group() {
    for (share, expected) in [
        (NamedGroup::X25519, Ok(())),
        (
            NamedGroup::SECP256R1,
            Err(ConfigError::ShareWithoutGroup(NamedGroup::SECP256R1)),
        ),
    ] {
        let client = client_builder().groups([NamedGroup::X25519]);
        let client = client.key_share_groups([share]).build();
        assert_eq!(client.map(drop), expected);
    }
}
