//! Whole connections of TLS 1.2 between two engines.

mod common;

use std::sync::Arc;

use common::{
    CERTIFICATE, NOTE, Pair, certified_key, client_builder, has_note, server_builder, server_key,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertChoice, CertificateRequestView, ClientAuth, ClientCertRequest, ClientCertResolver,
    ClientCertVerifier, ClientConfigBuilder, Error, Event, Incompatible, Misuse, ProtocolVersion,
    ProtocolVersions, ServerConfigBuilder, Verdict, Verified,
};
use waxwing_crypto::{Authentication12, NamedGroup};

fn client12() -> ClientConfigBuilder {
    client_builder().versions(ProtocolVersions::TLS12)
}

fn server12() -> ServerConfigBuilder {
    server_builder().versions(ProtocolVersions::TLS12)
}

fn established() -> Pair {
    let mut pair = Pair::new(client12(), server12());
    pair.settle().unwrap();
    pair
}

#[test]
fn data_goes_both_ways() {
    let mut pair = established();
    assert_eq!(pair.client.events, [Event::HandshakeComplete]);
    assert_eq!(pair.server.events, [Event::HandshakeComplete]);
    let big: Vec<u8> = (0..200_000u32).map(|i| i as u8).collect();
    pair.client.write(&big);
    pair.server.write(b"hello");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, big);
    assert_eq!(pair.client.received, b"hello");
    for end in [&pair.client, &pair.server] {
        let info = end.connection.info();
        assert_eq!(info.version, Some(ProtocolVersion::TLS12));
        assert_eq!(info.group, Some(NamedGroup::X25519));
        assert!(info.extended_main_secret && info.secure_renegotiation);
    }
}

#[test]
fn every_group_and_suite() {
    let ecdsa = PROVIDER
        .suites12
        .iter()
        .filter(|suite| suite.authentication == Authentication12::Ecdsa);
    for suite in ecdsa {
        for group in PROVIDER.groups {
            // The curve of the server's key must be among the client's groups, too.
            let mut groups = vec![group.name()];
            if group.name() != NamedGroup::SECP256R1 {
                groups.push(NamedGroup::SECP256R1);
            }
            let client = client12().groups(groups).cipher_suites([suite.id]);
            if !group.name().allowed_in_tls12() {
                // A server of both versions has nothing else for a client of the old one.
                let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
                let server = server_builder().versions(both).groups([group.name()]);
                let mut pair = Pair::new(client, server);
                assert_eq!(pair.settle(), Err(Incompatible::Group.into()));
                continue;
            }
            let mut pair = Pair::new(client, server12().groups([group.name()]));
            pair.settle().unwrap();
            for end in [&pair.client, &pair.server] {
                assert_eq!(end.connection.info().group, Some(group.name()));
                assert_eq!(end.connection.info().cipher_suite, Some(suite.id));
            }
        }
    }
}

#[test]
fn the_newest_common_version_is_spoken() {
    let old = ProtocolVersions::TLS12;
    let new = ProtocolVersions::TLS13;
    let both = old | new;
    for (client, server, expected) in [
        (both, both, Some(ProtocolVersion::TLS13)),
        (both, new, Some(ProtocolVersion::TLS13)),
        (new, both, Some(ProtocolVersion::TLS13)),
        (both, old, Some(ProtocolVersion::TLS12)),
        (old, both, Some(ProtocolVersion::TLS12)),
        (old, old, Some(ProtocolVersion::TLS12)),
        (old, new, None),
        (new, old, None),
    ] {
        let mut pair = Pair::new(
            client_builder().versions(client),
            server_builder().versions(server),
        );
        let result = pair.settle();
        match expected {
            None => assert_eq!(result, Err(Incompatible::Version.into())),
            Some(version) => {
                assert_eq!(result, Ok(()), "{client:?} {server:?}");
                for end in [&pair.client, &pair.server] {
                    assert_eq!(end.connection.info().version, Some(version));
                }
            }
        }
    }
}

#[test]
fn both_sides_export_the_same() {
    let pair = established();
    let export = |end: &common::End, context| {
        let mut out = [0; 40];
        let exporter = end.connection.info().exporter.as_ref().unwrap();
        exporter.export(b"EXPERIMENTAL", context, &mut out).unwrap();
        out
    };
    for context in [None, Some(&b""[..]), Some(b"context")] {
        assert_eq!(export(&pair.client, context), export(&pair.server, context));
    }
    // RFC 5705, Section 4: no context is not an empty one.
    assert_ne!(export(&pair.client, None), export(&pair.client, Some(b"")));
    let exporter = pair.client.connection.info().exporter.as_ref().unwrap();
    let reserved = exporter.export(b"key expansion", None, &mut [0; 8]);
    assert_eq!(reserved, Err(Misuse::ReservedLabel.into()));
}

/// Accepts [`CERTIFICATE`], and says so.
#[derive(Debug)]
struct TrustClient;

impl ClientCertVerifier for TrustClient {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        assert_eq!(request.chain, [CERTIFICATE]);
        let verified = Verified::holder_of(server_key().public_key().unwrap());
        Verdict::Accepted(verified.with_note(Arc::new(NOTE)))
    }

    fn authorities(&self) -> &[Vec<u8>] {
        static NAMES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        NAMES.get_or_init(|| vec![vec![0x30, 0]])
    }
}

/// Shows a certificate only to those who hint at the authority above.
#[derive(Debug)]
struct ByHint;

impl ClientCertResolver for ByHint {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        assert!(request.certificate_authorities().eq([&[0x30, 0][..]]));
        assert_eq!(request.tls12_certificate_types(), [1, 64]);
        CertChoice::Use(certified_key())
    }
}

#[test]
fn clients_are_asked_for_certificates() {
    let anonymous: fn() -> ClientConfigBuilder = client12;
    let known = || client12().client_certificate(Arc::new(ByHint));
    let optional = ClientAuth::Optional(Arc::new(TrustClient));
    let required = ClientAuth::Required(Arc::new(TrustClient));
    let refused: Error = Incompatible::NoClientCertificate12.into();
    for (client, auth, expected) in [
        (anonymous(), None, Ok(false)),
        (known(), None, Ok(false)),
        (anonymous(), Some(&optional), Ok(false)),
        (known(), Some(&optional), Ok(true)),
        (anonymous(), Some(&required), Err(refused)),
        (known(), Some(&required), Ok(true)),
    ] {
        let server = match auth {
            Some(auth) => server12().client_auth(auth.clone()),
            None => server12(),
        };
        let mut pair = Pair::new(client, server.keep_peer_chain(true));
        let result = pair.settle();
        let info = pair.server.connection.info();
        let shown = result.map(|()| info.client_authenticated);
        assert_eq!(shown, expected);
        assert_eq!(has_note(&pair.server), expected == Ok(true));
        assert!(has_note(&pair.client));
        let chain: Vec<&[u8]> = info.peer_chain.iter().map(|der| &**der).collect();
        assert_eq!(chain.is_empty(), expected != Ok(true));
        let client = pair.client.connection.info();
        assert_eq!(client.client_auth_requested, auth.is_some());
    }
}
