//! What neither side takes where a session of TLS 1.2 is resumed.

use alloc::vec::Vec;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::{ClientParts, ServerParts};
use crate::testing::sessions::MemorySessions;
use crate::testing::tls12::{Stores, carry, client_of_both, client12, server12};
use crate::testing::{Side, message};
use crate::{Error, Incompatible as I, PeerError as P};

pub(super) const CASES: &[Case] = &[
    (
        "session resumed with another suite",
        Error::Peer(P::ResumedSuite),
        || server_hello(|parts| parts.suite = 0xc02c),
    ),
    (
        "session resumed with a suite that was not offered",
        Error::Peer(P::SuiteNotOffered),
        || server_hello(|parts| parts.suite = 0xc024),
    ),
    (
        "session resumed in TLS 1.1",
        Error::Incompatible(I::Version),
        || server_hello(|parts| parts.version = 0x0302),
    ),
    (
        "session resumed without extended main secret",
        Error::Peer(P::ResumedMainSecret),
        || server_hello(|parts| parts.extensions.remove(EXTENDED_MAIN_SECRET)),
    ),
    (
        "session without extended main secret resumed with it",
        Error::Peer(P::ResumedMainSecret),
        || {
            let stores = Stores::with_ticket();
            stores.change(|session| session.extended_main_secret = false);
            let client = client12().dangerous_without_extended_main_secret(true);
            let mut client = Side::client(stores.client(client));
            let mut server = Side::server(stores.server(server12()));
            server.take(&client.sent()[0]).unwrap();
            client.take(&server.sent()[0]).unwrap_err()
        },
    ),
    (
        "hello without extended main secret for a session with it",
        Error::Peer(P::ResumedMainSecret),
        || {
            let stores = Stores::with_ticket();
            let mut client = Side::client(stores.client(client12()));
            let mut parts = ClientParts::of(&client.sent()[0]);
            parts.extensions.remove(EXTENDED_MAIN_SECRET);
            let server = server12().dangerous_without_extended_main_secret(true);
            let mut server = Side::server(stores.server(server));
            server.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "session resumed that was not offered",
        Error::Peer(P::SessionIdEcho),
        || {
            // The id is the one for middleboxes.
            let stores = Stores::new(MemorySessions::new());
            let mut client = Side::client(stores.client(client_of_both()));
            let mut server = Side::server(stores.server(server12()));
            let hello = client.sent().remove(0);
            server.take(&hello).unwrap();
            let mut parts = ServerParts::of(&server.sent()[0]);
            parts.session_id = ClientParts::of(&hello).session_id;
            client.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "server renegotiates with the session",
        Error::Peer(P::RenegotiationInfo),
        || server_hello(|parts| parts.extensions.set(0xff01, &[1, 7])),
    ),
    (
        "certificate after a session was resumed",
        Error::Peer(P::UnexpectedMessage),
        || {
            let stores = Stores::with_ticket();
            let (mut client, _) = resumed(&stores);
            let certificate = message(T::CERTIFICATE, &[0, 0, 0]);
            client.take(&certificate).unwrap_err()
        },
    ),
    (
        "ticket that nobody promised",
        Error::Peer(P::UnexpectedMessage),
        || {
            let stores = Stores::with_ticket();
            let (mut client, _) = resumed(&stores);
            client.take(&ticket()).unwrap_err()
        },
    ),
    (
        "promised ticket that does not come",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || {
            let stores = Stores::with_ticket().age();
            let (mut client, _) = resumed(&stores);
            client.take_change_cipher_spec().unwrap_err()
        },
    ),
    (
        "two tickets of TLS 1.2",
        Error::Peer(P::UnexpectedMessage),
        || {
            let stores = Stores::with_ticket().age();
            let (mut client, _) = resumed(&stores);
            client.take(&ticket()).unwrap();
            client.take(&ticket()).unwrap_err()
        },
    ),
    (
        "ticket that somebody changed",
        Error::Peer(P::BadFinished),
        || {
            let stores = Stores::with_ticket().age();
            edited_end(&stores, |bytes| {
                if T(bytes[0]) == T::NEW_SESSION_TICKET {
                    *bytes.last_mut().unwrap() ^= 1;
                }
            })
        },
    ),
    (
        "bad Finished of a server that resumes",
        Error::Peer(P::BadFinished),
        || edited_end(&Stores::with_ticket(), |bytes| bytes[4] ^= 1),
    ),
    (
        "bad Finished of a client that resumes",
        Error::Peer(P::BadFinished),
        || {
            let stores = Stores::with_ticket();
            let mut client = Side::client(stores.client(client12()));
            let mut server = Side::server(stores.server(server12()));
            carry(&mut client, &mut server, &mut |bytes| bytes).unwrap();
            carry(&mut server, &mut client, &mut |bytes| bytes).unwrap();
            carry(&mut client, &mut server, &mut |mut bytes: Vec<u8>| {
                bytes[15] ^= 1;
                bytes
            })
            .unwrap_err()
        },
    ),
    (
        "ticket without the session's secret",
        Error::Peer(P::BadFinished),
        || {
            let stores = Stores::with_ticket();
            stores.change(|session| {
                session.secret = waxwing_crypto::Digest::from_slice(&[7; 48]).unwrap();
            });
            edited_end(&stores, |_| {})
        },
    ),
    (
        "ALPN not offered with a session",
        Error::Peer(P::AlpnNotOffered),
        || {
            let stores = Stores::with_ticket();
            let client = stores.client(client12().alpn(["h2"]));
            let mut client = Side::client(client);
            let mut server = Side::server(stores.server(server12()));
            server.take(&client.sent()[0]).unwrap();
            let mut parts = ServerParts::of(&server.sent()[0]);
            parts.extensions.set(16, b"\x00\x03\x02h3");
            client.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "no common application protocol with a session",
        Error::Incompatible(I::ApplicationProtocol),
        || {
            let stores = Stores::with_ticket();
            let mut client = Side::client(stores.client(client12().alpn(["h2"])));
            let mut server = Side::server(stores.server(server12().alpn(["h3"])));
            server.take(&client.sent()[0]).unwrap_err()
        },
    ),
];

const EXTENDED_MAIN_SECRET: u16 = 23;

fn ticket() -> Vec<u8> {
    message(T::NEW_SESSION_TICKET, b"\0\0\0\x09\0\x06ticket")
}

/// A client that has heard that its session is resumed, and the server.
fn resumed(stores: &Stores) -> (Side, Side) {
    let mut client = Side::client(stores.client(client12()));
    let mut server = Side::server(stores.server(server12()));
    server.take(&client.sent()[0]).unwrap();
    let (_, hello) = server.flight.sent.remove(0);
    client.take(&hello).unwrap();
    assert!(client.handshake.cx.info.resumed);
    (client, server)
}

/// What a client says to an edited ServerHello that resumes its session.
fn server_hello(edit: fn(&mut ServerParts)) -> Error {
    let stores = Stores::with_ticket();
    let mut client = Side::client(stores.client(client12()));
    let mut server = Side::server(stores.server(server12()));
    let hello = client.sent().remove(0);
    server.take(&hello).unwrap();
    let mut parts = ServerParts::of(&server.sent()[0]);
    assert_eq!(parts.session_id, ClientParts::of(&hello).session_id);
    edit(&mut parts);
    client.take(&parts.message()).unwrap_err()
}

/// What a client says to an edited end of a server that resumes its session. Whatever it is, the
/// session stays as it was.
fn edited_end(stores: &Stores, edit: fn(&mut Vec<u8>)) -> Error {
    let before = stores.client.all().remove(0).ticket;
    let (mut client, mut server) = resumed(stores);
    let mut edit = |mut bytes: Vec<u8>| {
        edit(&mut bytes);
        bytes
    };
    let error = carry(&mut server, &mut client, &mut edit).unwrap_err();
    assert_eq!(stores.client.all().remove(0).ticket, before);
    error
}
