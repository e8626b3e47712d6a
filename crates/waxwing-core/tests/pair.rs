//! Whole connections between two engines.

mod common;

use std::sync::{Arc, Mutex};

use common::{Pair, carry, client_builder, server_builder};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, ClientConfig, ClientConfigBuilder, Error, Event, GroupMemory, Incompatible,
    Misuse, PeerAction, ProtocolVersion, ServerCertRequest, ServerCertVerifier,
    ServerConfigBuilder, ServerName, Verdict,
};
use waxwing_crypto::NamedGroup;

#[test]
fn data_goes_both_ways() {
    let mut pair = Pair::established();
    assert_eq!(pair.client.events, [Event::HandshakeComplete]);
    assert_eq!(pair.server.events, [Event::HandshakeComplete]);
    let big: Vec<u8> = (0..200_000u32).map(|i| i as u8).collect();
    pair.client.write(&big);
    pair.server.write(b"hello");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, big);
    assert_eq!(pair.client.received, b"hello");
    let info = pair.client.connection.info();
    assert_eq!(info.version, Some(ProtocolVersion::TLS13));
    assert_eq!(info.group, Some(NamedGroup::X25519_MLKEM768));
}

#[test]
fn exporters_wait_for_the_handshake() {
    let mut pair = Pair::new(client_builder(), server_builder());
    carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    assert!(!pair.server.out.is_empty(), "the server's Finished");
    assert!(pair.server.connection.info().exporter.is_none());
    pair.settle().unwrap();
    let binding = |end: &common::End| {
        let exporter = end.connection.info().exporter.as_ref();
        exporter.unwrap().channel_binding().unwrap()
    };
    assert_eq!(binding(&pair.client), binding(&pair.server));
}

#[test]
fn every_group_and_suite() {
    for group in PROVIDER.groups {
        for suite in PROVIDER.suites13 {
            let client = client_builder()
                .groups([group.name()])
                .cipher_suites([suite.id]);
            let mut pair = Pair::new(client, server_builder().alpn(["h2"]));
            pair.settle().unwrap();
            for end in [&pair.client, &pair.server] {
                assert_eq!(end.connection.info().group, Some(group.name()));
                assert_eq!(end.connection.info().cipher_suite, Some(suite.id));
                assert!(!end.connection.info().retried);
            }
        }
    }
}

#[test]
fn retry_with_and_without_cookie() {
    for cookie in [false, true] {
        let client = client_builder().groups([NamedGroup::X25519, NamedGroup::SECP384R1]);
        let server = server_builder()
            .groups([NamedGroup::SECP384R1])
            .retry_cookie(cookie);
        let mut pair = Pair::new(client, server);
        pair.settle().unwrap();
        assert!(!pair.client.connection.is_handshaking());
        for end in [&pair.client, &pair.server] {
            assert_eq!(end.connection.info().group, Some(NamedGroup::SECP384R1));
            assert!(end.connection.info().retried);
        }
    }
}

/// Remembers one group for every server.
#[derive(Debug, Default)]
struct OneGroup(Mutex<Option<NamedGroup>>);

impl GroupMemory for OneGroup {
    fn recall(&self, _: &ServerName) -> Option<NamedGroup> {
        *self.0.lock().unwrap()
    }

    fn remember(&self, _: &ServerName, group: NamedGroup) {
        *self.0.lock().unwrap() = Some(group);
    }
}

/// Accepts nobody.
#[derive(Debug)]
struct Distrust;

impl ServerCertVerifier for Distrust {
    fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
        Verdict::Rejected(CertificateError::UnknownIssuer.into())
    }
}

#[test]
fn nobody_but_the_server_teaches_a_group() {
    let memory = Arc::new(OneGroup::default());
    let client = ClientConfig::builder(&PROVIDER, Arc::new(Distrust)).group_memory(memory.clone());
    let mut pair = Pair::new(client, server_builder().groups([NamedGroup::SECP384R1]));
    assert!(pair.settle().is_err());
    assert!(pair.client.connection.info().retried);
    assert_eq!(memory.recall(&common::name()), None);
}

#[test]
fn a_remembered_group_saves_the_second_retry() {
    let memory = Arc::new(OneGroup::default());
    for retried in [true, false, false] {
        let client = client_builder().group_memory(memory.clone());
        let mut pair = Pair::new(client, server_builder().groups([NamedGroup::SECP384R1]));
        pair.settle().unwrap();
        assert_eq!(pair.client.connection.info().retried, retried);
        assert_eq!(
            pair.client.connection.info().group,
            Some(NamedGroup::SECP384R1)
        );
    }
    // A server that chooses among the usual shares teaches nothing.
    let memory = Arc::new(OneGroup::default());
    let client = client_builder().group_memory(memory.clone());
    Pair::new(client, server_builder().groups([NamedGroup::X25519]))
        .settle()
        .unwrap();
    assert_eq!(memory.recall(&common::name()), None);
}

#[test]
fn no_common_group_is_a_handshake_failure() {
    let client = client_builder().groups([NamedGroup::X25519]);
    let mut pair = Pair::new(client, server_builder().groups([NamedGroup::SECP256R1]));
    let error = pair.settle().unwrap_err();
    assert_eq!(error, Error::Incompatible(Incompatible::Group));
    carry(&mut pair.server, &mut pair.client);
    let error = pair.client.run().unwrap_err();
    assert_eq!(
        error,
        Error::Alert(waxwing_core::AlertDescription::HANDSHAKE_FAILURE)
    );
}

#[test]
fn key_updates_asked_and_unasked() {
    let mut pair = Pair::established();
    for ask in [false, true] {
        pair.client
            .connection
            .update_key(ask, &mut pair.client.out)
            .unwrap();
        pair.client.write(b"after");
        pair.settle().unwrap();
        pair.server.write(b"back");
        pair.settle().unwrap();
    }
    assert_eq!(pair.server.received, b"afterafter");
    assert_eq!(pair.client.received, b"backback");
}

/// Bytes of a record with a KeyUpdate, and one with a byte of data: header, content, content type
/// and tag.
const ANSWER: usize = (5 + 5 + 1 + 16) + (5 + 1 + 1 + 16);

#[test]
fn a_peer_is_not_asked_again_before_it_updated_its_key() {
    let mut pair = Pair::established();
    let Pair { client, server } = &mut pair;
    for _ in 0..2 {
        for _ in 0..3 {
            client.connection.update_key(true, &mut client.out).unwrap();
        }
        carry(client, server);
        server.run().unwrap();
        server.write(b"x");
        assert_eq!(server.out.len(), ANSWER);
        carry(server, client);
        client.run().unwrap();
    }
}

#[test]
fn halves_do_not_ask_again_either() {
    let Pair { client, mut server } = Pair::established();
    let (mut read, mut write, _) = client.connection.split().unwrap();
    let mut out = client.out;
    for _ in 0..2 {
        write.update_key(true, &mut out).unwrap();
        write.update_key(true, &mut out).unwrap();
        server.input.extend_from_slice(out.as_slice());
        out.clear();
        server.run().unwrap();
        server.write(b"x");
        assert_eq!(server.out.len(), ANSWER);
        let mut input = server.out.as_slice().to_vec();
        server.out.clear();
        let Ok(progress) = read.process(&mut input) else {
            panic!("a key update is refused");
        };
        assert_eq!(progress.event, Event::PeerAction(PeerAction::KeyUpdated));
        write.apply(PeerAction::KeyUpdated, &mut out).unwrap();
        assert!(out.is_empty());
        let data = read.process(&mut input[progress.consumed..]);
        assert!(matches!(data.unwrap().event, Event::AppData(_)));
    }
}

#[test]
fn closing_one_direction_leaves_the_other() {
    let mut pair = Pair::established();
    pair.client.connection.close(&mut pair.client.out);
    pair.settle().unwrap();
    assert_eq!(pair.server.events.last(), Some(&Event::PeerClosed));
    assert_eq!(
        pair.client.connection.write(&[b"x"], &mut pair.client.out),
        Err(Error::Misuse(Misuse::WriteClosed))
    );
    pair.server.write(b"still here");
    pair.settle().unwrap();
    assert_eq!(pair.client.received, b"still here");
    assert_eq!(pair.server.connection.end_of_input(), Ok(()));
    assert_eq!(pair.client.connection.end_of_input(), Err(Error::Truncated));
}

#[test]
fn exporters_agree() {
    let pair = Pair::established();
    let export = |end: &common::End, context: Option<&[u8]>| {
        let mut out = [0u8; 40];
        let exporter = end.connection.info().exporter.as_ref().unwrap();
        exporter
            .export(b"EXPORTER-test", context, &mut out)
            .unwrap();
        out
    };
    assert_eq!(
        export(&pair.client, Some(b"c")),
        export(&pair.server, Some(b"c"))
    );
    assert_ne!(
        export(&pair.client, Some(b"c")),
        export(&pair.server, Some(b"d"))
    );
    assert_eq!(export(&pair.client, None), export(&pair.server, Some(b"")));
    let binding = |end: &common::End| {
        end.connection
            .info()
            .exporter
            .as_ref()
            .unwrap()
            .channel_binding()
            .unwrap()
    };
    assert_eq!(binding(&pair.client), binding(&pair.server));
}

/// The record types of a whole handshake, each side's in order.
fn record_types(client: ClientConfigBuilder, server: ServerConfigBuilder) -> [Vec<u8>; 2] {
    let mut pair = Pair::new(client, server);
    let mut types = [Vec::new(), Vec::new()];
    while pair.client.connection.is_handshaking() || pair.server.connection.is_handshaking() {
        for (end, types) in [&pair.client, &pair.server].into_iter().zip(&mut types) {
            let mut rest = end.out.as_slice();
            while let [typ, 3, _, high, low, body @ ..] = rest {
                types.push(*typ);
                rest = &body[usize::from(u16::from_be_bytes([*high, *low]))..];
            }
            assert!(rest.is_empty());
        }
        carry(&mut pair.client, &mut pair.server);
        carry(&mut pair.server, &mut pair.client);
        pair.server.run().unwrap();
        pair.client.run().unwrap();
    }
    types
}

/// RFC 9846, Appendix E.4: the client's change_cipher_spec comes before its second flight, the
/// server's after its first message, each once, and only if the client wants it so.
#[test]
fn middleboxes_see_a_resumption() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP384R1];
    for (compatible, retry, expected) in [
        (true, false, [&[22, 20, 23][..], &[22, 20, 23][..]]),
        (true, true, [&[22, 20, 22, 23], &[22, 20, 22, 23]]),
        (false, false, [&[22, 23], &[22, 23]]),
        (false, true, [&[22, 22, 23], &[22, 22, 23]]),
    ] {
        let client = client_builder()
            .groups(groups)
            .middlebox_compatibility(compatible);
        let server = server_builder().groups([groups[usize::from(retry)]]);
        let types = record_types(client, server);
        assert_eq!(types, expected, "compatible: {compatible}, retry: {retry}");
    }
}
