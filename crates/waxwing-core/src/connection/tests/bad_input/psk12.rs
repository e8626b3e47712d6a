//! What neither side takes where TLS 1.2 rests on a PSK.

use alloc::vec::Vec;

use waxwing_crypto::CipherSuite;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::ServerParts;
use crate::testing::tls12::{OneKey, psk_client12, psk_server12, with_edited};
use crate::testing::{Side, message};
use crate::{Error, PeerError as P};

pub(super) const CASES: &[Case] = &[
    (
        "suite of a PSK without a key",
        Error::Peer(P::SuiteNotOffered),
        || {
            let mut client = Side::client(psk_client12(ECDHE));
            let mut server = Side::server(psk_server12(OneKey::Now));
            server.take(&client.sent()[0]).unwrap();
            let mut parts = ServerParts::of(&server.sent()[0]);
            parts.suite = BARE.0;
            client.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "curve without a name beside a PSK",
        Error::Peer(P::CurveType),
        || server_key_exchange(|body| body[6] = 1),
    ),
    (
        "curve that was not offered beside a PSK",
        Error::Peer(P::GroupNotOffered),
        || server_key_exchange(|body| body[8] = 0x16),
    ),
    (
        "zero X25519 share of a server with a PSK",
        Error::Peer(P::BadKeyShare),
        || server_key_exchange(|body| body[10..].fill(0)),
    ),
    (
        "zero X25519 share of a client with a PSK",
        Error::Peer(P::BadKeyShare),
        || client_key_exchange(|body| body[6..].fill(0)),
    ),
    (
        "hint that somebody changed",
        Error::Peer(P::BadFinished),
        || server_key_exchange(|body| body[2] ^= 1),
    ),
    (
        "identity that somebody changed",
        Error::Peer(P::BadFinished),
        || client_key_exchange(|body| body[2] ^= 1),
    ),
    (
        "request for a certificate beside a PSK",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut client = Side::client(psk_client12(ECDHE));
            let mut server = Side::server(psk_server12(OneKey::Now));
            server.take(&client.sent()[0]).unwrap();
            for message in &server.sent()[..2] {
                client.take(message).unwrap();
            }
            let request = b"\x01\x40\0\x02\x04\x03\0\0";
            client
                .take(&message(T::CERTIFICATE_REQUEST, request))
                .unwrap_err()
        },
    ),
];

const BARE: CipherSuite = CipherSuite::TLS12_PSK_AES_128_GCM_SHA256;
const ECDHE: CipherSuite = CipherSuite::TLS12_ECDHE_PSK_AES_128_GCM_SHA256;

/// What comes of a handshake in which this message was edited. The server finds the same key for
/// every identity.
fn edited(typ: T, edit: fn(&mut Vec<u8>)) -> Error {
    let edit = |body: &[u8]| {
        let mut body = body.to_vec();
        edit(&mut body);
        body
    };
    with_edited(psk_client12(ECDHE), psk_server12(OneKey::Now), typ, edit).unwrap_err()
}

/// It begins with the length of the hint, 4, and the hint.
fn server_key_exchange(edit: fn(&mut Vec<u8>)) -> Error {
    edited(T::SERVER_KEY_EXCHANGE, edit)
}

/// It begins with the length of the identity, 3, and the identity.
fn client_key_exchange(edit: fn(&mut Vec<u8>)) -> Error {
    edited(T::CLIENT_KEY_EXCHANGE, edit)
}
