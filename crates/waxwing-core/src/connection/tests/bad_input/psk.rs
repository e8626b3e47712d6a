//! What neither side takes where PSKs and early data are offered.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::CipherSuite;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::{ClientParts, ServerParts};
use crate::testing::psk::{Guard, MAX_EARLY_DATA, World};
use crate::testing::tls12::{client_of_both, server12};
use crate::testing::{Side, client_builder, message, name, server_builder};
use crate::{Buffer, ClientConfigBuilder, Connection, Error, Incompatible as I, PeerError as P};

const PRE_SHARED_KEY: u16 = 41;
const KEY_SHARE: u16 = 51;

pub(super) const CASES: &[Case] = &[
    ("a binder too many", Error::Peer(P::PskBinderCount), || {
        offer(|psk| add_binders(psk, 1))
    }),
    ("a binder changed", Error::Peer(P::BadBinder), || {
        offer(|psk| *psk.last_mut().unwrap() ^= 1)
    }),
    (
        "a hello changed before its binder",
        Error::Peer(P::BadBinder),
        || {
            let (mut client, mut server) = sides();
            let mut hello = ClientParts::of(&client.sent()[0]);
            hello.random[0] ^= 1;
            server.take(&hello.message()).unwrap_err()
        },
    ),
    ("PSK not offered", Error::Peer(P::PskNotOffered), || {
        answer(|hello| hello.extensions.set(PRE_SHARED_KEY, &[0, 1]))
    }),
    ("PSK of another hash", Error::Peer(P::PskHash), || {
        answer(|hello| hello.suite = CipherSuite::TLS13_AES_256_GCM_SHA384.0)
    }),
    (
        "PSK without a key exchange",
        Error::Peer(P::MissingExtension),
        || answer(|hello| hello.extensions.remove(KEY_SHARE)),
    ),
    (
        "PSK chosen where none was offered",
        Error::Peer(P::UnsolicitedExtension),
        || {
            let mut client = Side::client(client_builder());
            let mut server = Side::server(server_builder());
            server.take(&client.sent()[0]).unwrap();
            let mut hello = ServerParts::of(&server.sent()[0]);
            hello.extensions.set(PRE_SHARED_KEY, &[0, 0]);
            client.take(&hello.message()).unwrap_err()
        },
    ),
    (
        "early data accepted under another suite",
        Error::Peer(P::EarlyDataUnfit),
        || {
            early_data(client_builder(), |hello| {
                hello.suite = CipherSuite::TLS13_CHACHA20_POLY1305_SHA256.0;
            })
        },
    ),
    (
        "early data accepted without the PSK",
        Error::Peer(P::EarlyDataUnfit),
        || {
            early_data(client_builder(), |hello| {
                hello.extensions.remove(PRE_SHARED_KEY)
            })
        },
    ),
    (
        "TLS 1.2 after early data",
        Error::Incompatible(I::EarlyDataVersion),
        || {
            let world = World::new();
            let client = world.client(client_of_both()).early_data(true);
            let mut client = Side::client(client);
            let mut server = Side::server(server12());
            server.take(&client.sent()[0]).unwrap();
            client.take(&server.sent()[0]).unwrap_err()
        },
    ),
    (
        "a certificate asked for in spite of a PSK",
        Error::Peer(P::UnexpectedMessage),
        || {
            let (mut client, mut server) = sides();
            server.take(&client.sent()[0]).unwrap();
            for message in server.sent().iter().take(2) {
                client.take(message).unwrap();
            }
            let request = crate::testing::certificate_request(&[]);
            client.take(&request).unwrap_err()
        },
    ),
    (
        "a certificate in spite of a PSK",
        Error::Peer(P::UnexpectedMessage),
        || {
            let (mut client, mut server) = sides();
            server.take(&client.sent()[0]).unwrap();
            for message in server.sent().iter().take(2) {
                client.take(message).unwrap();
            }
            client.take(&message(T::CERTIFICATE, &[])).unwrap_err()
        },
    ),
    (
        "the end of early data that was not taken",
        Error::Peer(P::UnexpectedMessage),
        || {
            let (mut client, mut server) = sides();
            server.take(&client.sent()[0]).unwrap();
            server
                .take(&message(T::END_OF_EARLY_DATA, &[]))
                .unwrap_err()
        },
    ),
    (
        "no end of early data",
        Error::Peer(P::UnexpectedMessage),
        || {
            let world = World::new();
            let mut client = Side::client(world.client(client_builder()).early_data(true));
            let guarded = world
                .server()
                .early_data(MAX_EARLY_DATA, Arc::new(Guard::Yes));
            let mut server = Side::server(guarded);
            server.take(&client.sent()[0]).unwrap();
            server.take(&message(T::FINISHED, &[0; 32])).unwrap_err()
        },
    ),
    (
        "too much early data",
        Error::Peer(P::TooMuchEarlyData),
        || {
            let world = World::new();
            let client = world.client(client_builder()).early_data(true);
            let mut out = Buffer::new();
            let mut client = Connection::client(client.build().unwrap(), name(), &mut out).unwrap();
            client
                .write_early(&[0; MAX_EARLY_DATA as usize], &mut out)
                .unwrap();
            let server = world
                .server()
                .early_data(MAX_EARLY_DATA - 1, Arc::new(Guard::Yes));
            let mut server = Connection::server(server.build().unwrap());
            let mut input = out.as_slice().to_vec();
            let mut answer = Buffer::new();
            server.process(&mut input, &mut answer).unwrap_err()
        },
    ),
];

fn sides() -> (Side, Side) {
    let world = World::new();
    let client = Side::client(world.client(client_builder()));
    (client, Side::server(world.server()))
}

/// The client's offer, changed.
fn offer(change: fn(&mut Vec<u8>)) -> Error {
    let (mut client, mut server) = sides();
    let mut hello = ClientParts::of(&client.sent()[0]);
    let mut psk = hello.extensions.get(PRE_SHARED_KEY).unwrap().to_vec();
    change(&mut psk);
    hello.extensions.set(PRE_SHARED_KEY, &psk);
    server.take(&hello.message()).unwrap_err()
}

/// Adds binders to an offer with one.
fn add_binders(psk: &mut Vec<u8>, count: u16) {
    let list = psk.len() - 35;
    let len = 33 * (1 + count);
    psk[list..list + 2].copy_from_slice(&len.to_be_bytes());
    for _ in 0..count {
        psk.extend([32]);
        psk.extend([0; 32]);
    }
}

/// The server's answer to an offer, changed.
fn answer(change: fn(&mut ServerParts)) -> Error {
    let (mut client, mut server) = sides();
    server.take(&client.sent()[0]).unwrap();
    let mut hello = ServerParts::of(&server.sent()[0]);
    assert_eq!(hello.extensions.get(PRE_SHARED_KEY), Some(&[0, 0][..]));
    change(&mut hello);
    client.take(&hello.message()).unwrap_err()
}

/// Early data is offered, and accepted after an answer that does not allow for it.
fn early_data(client: ClientConfigBuilder, change: fn(&mut ServerParts)) -> Error {
    let world = World::new();
    let mut client = Side::client(world.client(client).early_data(true));
    let mut server = Side::server(world.server());
    server.take(&client.sent()[0]).unwrap();
    let mut hello = ServerParts::of(&server.sent()[0]);
    change(&mut hello);
    client.take(&hello.message()).unwrap();
    let accepted = message(T::ENCRYPTED_EXTENSIONS, &[0, 4, 0, 42, 0, 0]);
    client.take(&accepted).unwrap_err()
}

#[test]
fn unchanged_they_are_taken() {
    let (mut client, mut server) = sides();
    server.take(&client.sent()[0]).unwrap();
    let sent = server.sent();
    assert_eq!(sent.len(), 3);
    for message in sent {
        client.take(&message).unwrap();
    }
    let finished: Vec<Vec<u8>> = client.sent();
    server.take(&finished[0]).unwrap();
    let types: Vec<u8> = server.sent().iter().map(|message| message[0]).collect();
    assert_eq!(types, [T::NEW_SESSION_TICKET.0; 2]);
}
