//! A handshake whose messages and secrets are handed out level by level, as QUIC carries them:
//! nothing of it needs records.

use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::NamedGroup;

use crate::handshake::Status;
use crate::messages::HandshakeType as T;
use crate::record::{Epoch, EpochKeys};
use crate::testing::{
    Secrets, Side, certificate_request, client_builder, message, server_builder, with_request,
};
use crate::{Error, PeerError};

/// Types and levels of what a side has sent.
fn levels(side: &Side) -> Vec<(Epoch, T)> {
    let sent = side.flight.sent.iter();
    sent.map(|(epoch, bytes)| (*epoch, T(bytes[0]))).collect()
}

/// The two agree on a level's secret: one sends with it, the other receives.
fn assert_same(sending: &[EpochKeys], receiving: &[EpochKeys]) {
    let pairs = |keys: &[EpochKeys]| -> Vec<(Epoch, Vec<u8>)> {
        keys.iter()
            .map(|keys| (keys.epoch, keys.secret.as_ref().to_vec()))
            .collect()
    };
    assert_eq!(pairs(sending), pairs(receiving));
    assert_eq!(
        sending.iter().map(|keys| keys.epoch).collect::<Vec<_>>(),
        [Epoch::Handshake, Epoch::Application]
    );
}

#[test]
fn a_handshake_without_records() {
    let mut client = Side::client(client_builder());
    let mut server = Side::server(server_builder());
    assert_eq!(levels(&client), [(Epoch::Initial, T::CLIENT_HELLO)]);
    assert_eq!(client.flight.flights, 1);
    server.take(&client.sent()[0]).unwrap();

    let flight = [
        (Epoch::Initial, T::SERVER_HELLO),
        (Epoch::Handshake, T::ENCRYPTED_EXTENSIONS),
        (Epoch::Handshake, T::CERTIFICATE),
        (Epoch::Handshake, T::CERTIFICATE_VERIFY),
        (Epoch::Handshake, T::FINISHED),
    ];
    assert_eq!(levels(&server), flight);
    assert_eq!(server.flight.flights, 1);
    for message in server.sent() {
        assert_eq!(client.status, Status::Message);
        client.take(&message).unwrap();
    }
    assert_eq!(client.status, Status::Done);
    assert_eq!(levels(&client), [(Epoch::Handshake, T::FINISHED)]);

    // The server may send application data before it may read any.
    assert_eq!(server.read.len(), 1);
    server.take(&client.sent()[0]).unwrap();
    assert_eq!(server.status, Status::Done);
    assert_same(&client.flight.keys, &server.read);
    assert_same(&server.flight.keys, &client.read);

    let export = |side: &Side| {
        let mut out = [0; 32];
        let exporter = side.handshake.cx.info.exporter.as_ref().unwrap();
        exporter.export(b"label", None, &mut out).unwrap();
        out
    };
    assert_eq!(export(&client), export(&server));
}

#[test]
fn a_retry_keeps_the_initial_level() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP384R1];
    let mut client = Side::client(client_builder().groups(groups));
    let mut server = Side::server(server_builder().groups([NamedGroup::SECP384R1]));
    server.take(&client.sent()[0]).unwrap();
    assert_eq!(levels(&server), [(Epoch::Initial, T::SERVER_HELLO)]);
    assert!(server.flight.keys.is_empty() && server.read.is_empty());
    client.take(&server.sent()[0]).unwrap();
    assert_eq!(levels(&client), [(Epoch::Initial, T::CLIENT_HELLO)]);
    assert!(client.flight.keys.is_empty() && client.read.is_empty());
    server.take(&client.sent()[0]).unwrap();
    for message in server.sent() {
        client.take(&message).unwrap();
    }
    server.take(&client.sent()[0]).unwrap();
    assert_eq!(server.status, Status::Done);
    assert_same(&client.flight.keys, &server.read);
    assert_same(&server.flight.keys, &client.read);
}

/// RFC 9846, Section 4.5.1: a client without a certificate says so, and its Finished covers it.
#[test]
fn a_request_for_a_certificate_is_answered_by_an_empty_one() {
    let secrets = alloc::sync::Arc::new(Secrets::default());
    let mut client = Side::client(client_builder().key_log(secrets.clone()));
    let mut server = Side::server(server_builder());
    let hello = client.sent().remove(0);
    server.take(&hello).unwrap();
    let flight = server.sent();
    let mut before = vec![hello, flight[0].clone()];
    let keys = &server.flight.keys[0];
    let rest = with_request(&before, &flight[1..], keys, certificate_request(&[]));
    client.take(&flight[0]).unwrap();
    for message in &rest {
        client.take(message).unwrap();
    }
    assert_eq!(client.status, Status::Done);
    let answer = client.sent();
    assert_eq!(answer[0], message(T::CERTIFICATE, &[0, 0, 0, 0]));

    before.extend(rest);
    before.push(answer[0].clone());
    let mut transcript = crate::handshake::transcript::Transcript::new();
    transcript.start(keys.suite.hash);
    before.iter().for_each(|message| transcript.add(message));
    let base = secrets.find("CLIENT_HANDSHAKE_TRAFFIC_SECRET").unwrap();
    let hash = keys.suite.hash;
    let current = transcript.current();
    let mac = super::super::schedule13::verify_data(hash, &base, &current).unwrap();
    assert_eq!(answer[1..], [message(T::FINISHED, mac.as_ref())]);
}

#[test]
fn a_request_with_a_context_is_refused() {
    let mut client = Side::client(client_builder());
    let mut server = Side::server(server_builder());
    server.take(&client.sent()[0]).unwrap();
    let flight = server.sent();
    client.take(&flight[0]).unwrap();
    client.take(&flight[1]).unwrap();
    assert_eq!(
        client.take(&certificate_request(b"context")),
        Err(Error::Peer(PeerError::RequestContext))
    );
}
