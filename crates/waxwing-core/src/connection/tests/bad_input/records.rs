//! Records that no peer may send.

use super::super::established::flood_of;
use super::super::{KEY_UPDATE, Stage, plain};
use waxwing_crypto::NamedGroup;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::record::Epoch;
use crate::testing::{client_builder, message, server_builder};
use crate::{Error, PeerError as P};

pub(super) const CASES: &[Case] = &[
    ("HTTP request", Error::Peer(P::PlaintextHttp), || {
        first(b"GET / HTTP/1.1\r\n\r\n")
    }),
    ("HTTP/2 preface", Error::Peer(P::PlaintextHttp), || {
        first(b"PRI * HTTP/2.0\r\n")
    }),
    ("HTTP answer", Error::Peer(P::PlaintextHttp), || {
        Stage::client(client_builder(), server_builder()).refuse(b"HTTP/1.1 400 Bad Request\r\n")
    }),
    ("SSH", Error::Peer(P::NotTls), || {
        first(b"SSH-2.0-OpenSSH_9.6\r\n")
    }),
    ("SMTP", Error::Peer(P::NotTls), || {
        Stage::client(client_builder(), server_builder()).refuse(b"220 mail.example ESMTP\r\n")
    }),
    ("SSL 2 hello", Error::Peer(P::Ssl2Hello), || {
        first(&[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80])
    }),
    (
        "message out of order",
        Error::Peer(P::UnexpectedMessage),
        || first(&plain(22, &KEY_UPDATE)),
    ),
    ("heartbeat", Error::Peer(P::Heartbeat), || {
        first(&plain(24, &[1]))
    }),
    ("data before keys", Error::Peer(P::UnexpectedRecord), || {
        first(&plain(23, &[0; 20]))
    }),
    (
        "early change_cipher_spec",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || first(&plain(20, &[1])),
    ),
    (
        "late change_cipher_spec",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || Stage::established(true).refuse(&plain(20, &[1])),
    ),
    (
        "empty handshake record",
        Error::Peer(P::EmptyHandshakeRecord),
        || first(&plain(22, &[])),
    ),
    (
        "long plaintext record",
        Error::Peer(P::RecordOverflow),
        || first(&[22, 3, 1, 0x40, 1]),
    ),
    (
        "long protected record",
        Error::Peer(P::RecordOverflow),
        || Stage::established(true).refuse(&[23, 3, 3, 0x41, 1]),
    ),
    (
        "record that does not open",
        Error::Peer(P::BadRecordMac),
        || Stage::established(true).refuse(&plain(23, &[9; 40])),
    ),
    ("record of padding", Error::Peer(P::NoContentType), || {
        protected(0, &[0; 9])
    }),
    ("long alert", Error::Peer(P::BadAlert), || {
        protected(21, &[1, 0, 1, 0])
    }),
    ("short alert", Error::Peer(P::BadAlert), || {
        protected(21, &[1])
    }),
    (
        "data within a message",
        Error::Peer(P::InterleavedRecord),
        || {
            let mut stage = Stage::established(true);
            let part = stage.protected(22, &KEY_UPDATE[..3]);
            stage.give(&part).unwrap();
            let record = stage.protected(23, b"data");
            stage.refuse(&record)
        },
    ),
    (
        "message across a key update",
        Error::Peer(P::MessageSpansKeyChange),
        || protected(22, &[&KEY_UPDATE[..], &[24, 0]].concat()),
    ),
    (
        "message across a key change",
        Error::Peer(P::MessageSpansKeyChange),
        || {
            let mut stage = Stage::client(client_builder(), server_builder());
            let (_, hello) = stage.puppet.side.flight.sent.remove(0);
            stage.refuse(&plain(22, &[&hello[..], &[8]].concat()))
        },
    ),
    (
        "message behind a ClientHello",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut stage = Stage::server(server_builder(), client_builder());
            let (_, hello) = stage.puppet.side.flight.sent.remove(0);
            let first = plain(22, &hello[..9]);
            stage.give(&first).unwrap();
            stage.refuse(&plain(22, &[&hello[9..], &[20]].concat()))
        },
    ),
    (
        "message beside a HelloRetryRequest",
        Error::Peer(P::UnexpectedMessage),
        || {
            let client = client_builder().groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
            let server = server_builder().groups([NamedGroup::SECP256R1]);
            let mut stage = Stage::client(client, server);
            let (_, retry) = stage.puppet.side.flight.sent.remove(0);
            stage.refuse(&plain(22, &[&retry[..], &[2]].concat()))
        },
    ),
    (
        "message beside a ClientHello that has to come again",
        Error::Peer(P::UnexpectedMessage),
        || {
            let client = client_builder().groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
            let server = server_builder().groups([NamedGroup::SECP256R1]);
            let mut stage = Stage::server(server, client);
            let (_, hello) = stage.puppet.side.flight.sent.remove(0);
            stage.refuse(&plain(22, &[&hello[..], &[1]].concat()))
        },
    ),
    (
        "key update of a third kind",
        Error::Peer(P::BadKeyUpdate),
        || protected(22, &message(T::KEY_UPDATE, &[2])),
    ),
    (
        "ticket for a server",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut stage = Stage::established(false);
            let record = stage.protected(22, &message(T::NEW_SESSION_TICKET, &[0; 13]));
            stage.refuse(&record)
        },
    ),
    (
        "flood of key updates",
        Error::Peer(P::TooManyKeyUpdates),
        || flood_of(22, &KEY_UPDATE),
    ),
    ("flood of tickets", Error::Peer(P::TooManyTickets), || {
        flood_of(22, &super::super::established::ticket())
    }),
    (
        "flood of empty records",
        Error::Peer(P::TooManyEmptyRecords),
        || flood_of(23, &[]),
    ),
    ("flood of warnings", Error::Peer(P::TooManyWarnings), || {
        flood_of(21, &[1, 90])
    }),
    (
        "flood of warnings in a handshake",
        Error::Peer(P::TooManyWarnings),
        || {
            let mut stage = Stage::client(client_builder(), server_builder());
            while stage.give(&plain(21, &[1, 90])).is_ok() {}
            stage
                .connection
                .process(&mut [], &mut stage.out)
                .unwrap_err()
        },
    ),
];

/// What a server says to these first bytes.
fn first(bytes: &[u8]) -> Error {
    Stage::server(server_builder(), client_builder()).refuse(bytes)
}

/// What an established client says to a record with this content.
fn protected(typ: u8, content: &[u8]) -> Error {
    let mut stage = Stage::established(true);
    let record = stage.puppet.sealed(Epoch::Application, typ, content);
    stage.refuse(&record)
}
