//! Records that no peer may send in TLS 1.2.

use alloc::vec::Vec;

use super::super::established::flood12_of;
use super::super::{Stage, plain};
use super::Case;
use crate::messages::HandshakeType as T;
use crate::record::Epoch;
use crate::testing::message;
use crate::testing::tls12::{client12, server12};
use crate::{Error, PeerError as P};

pub(super) const CASES: &[Case] = &[
    (
        "change_cipher_spec before a server of TLS 1.2 said anything",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || Stage::client(client12(), server12()).refuse(&plain(20, &[1])),
    ),
    (
        "change_cipher_spec before the client's share",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || after(false, 1).refuse(&plain(20, &[1])),
    ),
    (
        "change_cipher_spec before the server's share",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || after(true, 2).refuse(&plain(20, &[1])),
    ),
    (
        "Finished without change_cipher_spec",
        Error::Peer(P::UnexpectedMessage),
        || after(true, 4).refuse(&plain(22, &message(T::FINISHED, &[7; 12]))),
    ),
    (
        "record of TLS 1.2 that says TLS 1.1",
        Error::Peer(P::RecordVersion),
        || Stage::established12(true).refuse(&[23, 3, 2, 0, 30]),
    ),
    (
        "second change_cipher_spec",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || {
            let mut stage = after(true, 4);
            stage.give(&plain(20, &[1])).unwrap();
            stage.refuse(&plain(20, &[1]))
        },
    ),
    (
        "change_cipher_spec after the handshake of TLS 1.2",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || Stage::established12(true).refuse(&plain(20, &[1])),
    ),
    (
        "protected change_cipher_spec in TLS 1.2",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || protected(20, &[1]),
    ),
    (
        "change_cipher_spec within a message",
        Error::Peer(P::InterleavedRecord),
        || {
            let mut stage = after(true, 4);
            stage.give(&plain(22, &[T::FINISHED.0, 0])).unwrap();
            stage.refuse(&plain(20, &[1]))
        },
    ),
    (
        "Finished on both sides of change_cipher_spec",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut stage = after(true, 3);
            let (_, done) = stage.puppet.side.flight.sent.remove(0);
            let rest = message(T::FINISHED, &[7; 12]);
            stage.refuse(&plain(22, &[done, rest].concat()))
        },
    ),
    (
        "message beside the Finished of a server",
        Error::Peer(P::UnexpectedMessage),
        || beside_finished(true, &message(T::HELLO_REQUEST, &[])),
    ),
    (
        "part of a message beside the Finished of a server",
        Error::Peer(P::UnexpectedMessage),
        || beside_finished(true, &[0]),
    ),
    (
        "message beside the Finished of a client",
        Error::Peer(P::UnexpectedMessage),
        || beside_finished(false, &message(T::CLIENT_HELLO, &[0; 40])),
    ),
    (
        "Finished in plaintext",
        Error::Peer(P::BadRecordMac),
        || {
            let mut stage = after(true, 4);
            stage.give(&plain(20, &[1])).unwrap();
            stage.refuse(&plain(22, &message(T::FINISHED, &[7; 12])))
        },
    ),
    (
        "data in plaintext after the handshake of TLS 1.2",
        Error::Peer(P::BadRecordMac),
        || Stage::established12(false).refuse(&plain(23, b"in the clear, and long enough")),
    ),
    (
        "alert in plaintext after the handshake of TLS 1.2",
        Error::Peer(P::BadRecordMac),
        || Stage::established12(false).refuse(&plain(21, &[2, 40])),
    ),
    (
        "data before the Finished",
        Error::Peer(P::UnexpectedRecord),
        || {
            let mut stage = after(false, 2);
            stage.give(&plain(20, &[1])).unwrap();
            let record = stage.puppet.sealed(Epoch::Application, 23, b"early");
            stage.refuse(&record)
        },
    ),
    (
        "record shorter than nonce and tag",
        Error::Peer(P::BadRecordMac),
        || Stage::established12(true).refuse(&plain(23, &[0; 23])),
    ),
    (
        "record that does not open in TLS 1.2",
        Error::Peer(P::BadRecordMac),
        || Stage::established12(true).refuse(&plain(23, &[9; 40])),
    ),
    (
        "long protected record in TLS 1.2",
        Error::Peer(P::RecordOverflow),
        || Stage::established12(true).refuse(&[23, 3, 3, 0x41, 1]),
    ),
    ("heartbeat in TLS 1.2", Error::Peer(P::Heartbeat), || {
        protected(24, &[1, 0, 0])
    }),
    (
        "key update in TLS 1.2",
        Error::Peer(P::UnexpectedMessage),
        || protected(22, &super::super::KEY_UPDATE),
    ),
    (
        "hello request of a client",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut stage = Stage::established12(false);
            let record = stage.protected(22, &message(T::HELLO_REQUEST, &[]));
            stage.refuse(&record)
        },
    ),
    (
        "flood of hello requests",
        Error::Peer(P::TooManyRenegotiations),
        || flood12_of(true, 22, &message(T::HELLO_REQUEST, &[])),
    ),
    (
        "flood of new hellos",
        Error::Peer(P::TooManyRenegotiations),
        || flood12_of(false, 22, &message(T::CLIENT_HELLO, &[0; 50])),
    ),
    (
        "flood of hello requests in one record",
        Error::Peer(P::TooManyRenegotiations),
        || protected(22, &message(T::HELLO_REQUEST, &[]).repeat(100)),
    ),
    (
        "flood of warnings in TLS 1.2",
        Error::Peer(P::TooManyWarnings),
        || flood12_of(true, 21, &[1, 112]),
    ),
    (
        "flood of warnings in a handshake of TLS 1.2",
        Error::Peer(P::TooManyWarnings),
        || {
            let mut stage = Stage::client(client12(), server12());
            while stage.give(&plain(21, &[1, 112])).is_ok() {}
            stage
                .connection
                .process(&mut [], &mut stage.out)
                .unwrap_err()
        },
    ),
];

/// A client (or server) that received this many messages.
fn after(client: bool, messages: usize) -> Stage {
    let mut stage = if client {
        Stage::client(client12(), server12())
    } else {
        Stage::server(server12(), client12())
    };
    stage.give_messages(messages);
    stage
}

/// What an established client says to a record with this content.
fn protected(typ: u8, content: &[u8]) -> Error {
    let mut stage = Stage::established12(true);
    let record = stage.protected(typ, content);
    stage.refuse(&record)
}

/// What a client (or server) says to these bytes in one record with the Finished.
fn beside_finished(client: bool, more: &[u8]) -> Error {
    let mut stage = after(client, if client { 4 } else { 2 });
    let sent: Vec<_> = stage.puppet.side.flight.sent.drain(..).collect();
    let [(Epoch::Application, finished)] = &sent[..] else {
        panic!("only the Finished is left");
    };
    stage.give(&plain(20, &[1])).unwrap();
    let record = stage.protected(22, &[finished, more].concat());
    stage.refuse(&record)
}
