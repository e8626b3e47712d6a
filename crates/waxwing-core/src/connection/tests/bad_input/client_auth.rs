//! What a server of TLS 1.3 does not take from a client that it asked for a certificate.

use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::{SignatureScheme, Signing};

use super::Case;
use crate::messages::HandshakeType as T;
use crate::messages::certificate_verify::server_signed_content;
use crate::testing::client_auth::{TrustClient, asking_server, known_client, strict_server};
use crate::testing::hellos::vector16;
use crate::testing::{Side, client_builder, message, server_key};
use crate::{Error, Incompatible as I, PeerError as P};

pub(super) const CASES: &[Case] = &[
    (
        "client without a certificate",
        Error::Incompatible(I::NoClientCertificate),
        || {
            let mut client = Side::client(client_builder());
            let mut server = Side::server(strict_server());
            talk(&mut client, &mut server);
            server.take(&client.sent()[0]).unwrap_err()
        },
    ),
    (
        "certificate of a client with a context",
        Error::Peer(P::RequestContext),
        || answer(0, |body| [&[1, 7], &body[1..]].concat()),
    ),
    (
        "staple that no server asked for",
        Error::Peer(P::UnsolicitedExtension),
        || {
            answer(0, |_| {
                let status = [&[0, 5][..], &vector16(&[1, 0, 0, 1, 9])].concat();
                let entry = [&[0, 0, 1, 7][..], &vector16(&status)].concat();
                [&[0, 0, 0, entry.len() as u8], &entry[..]].concat()
            })
        },
    ),
    (
        "certificate without CertificateVerify",
        Error::Peer(P::UnexpectedMessage),
        || {
            let (mut server, flight) = asked();
            server.take(&flight[0]).unwrap();
            server.take(&flight[2]).unwrap_err()
        },
    ),
    (
        "CertificateVerify without a certificate",
        Error::Peer(P::UnexpectedMessage),
        || {
            let (mut server, flight) = asked();
            let nothing = message(T::CERTIFICATE, &[0, 0, 0, 0]);
            server.take(&nothing).unwrap();
            server.take(&flight[1]).unwrap_err()
        },
    ),
    (
        "PKCS#1 signature of a client",
        Error::Peer(P::SchemeNotOffered),
        || scheme(0x0401),
    ),
    (
        "signature of a client for another curve",
        Error::Peer(P::SchemeUnfit),
        || scheme(0x0503),
    ),
    (
        "bad signature of a client",
        Error::Peer(P::BadSignature),
        || {
            answer(1, |body| {
                let mut body = body.to_vec();
                *body.last_mut().unwrap() ^= 1;
                body
            })
        },
    ),
    (
        "signature of a server from a client",
        Error::Peer(P::BadSignature),
        || {
            let (mut server, flight) = asked();
            server.take(&flight[0]).unwrap();
            let transcript = server.handshake.cx.transcript.current();
            let content = server_signed_content(transcript.as_ref());
            let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
            let Ok(Signing::Done(signature)) = server_key().sign(scheme, &content) else {
                panic!("this key signs at once");
            };
            let body = [&[4, 3][..], &vector16(&signature)].concat();
            let verify = message(T::CERTIFICATE_VERIFY, &body);
            server.take(&verify).unwrap_err()
        },
    ),
    (
        "bad Finished of a client with a certificate",
        Error::Peer(P::BadFinished),
        || answer(2, |_| vec![7; 32]),
    ),
];

/// Lets the client and the server speak until the client's last flight.
fn talk(client: &mut Side, server: &mut Side) {
    server.take(&client.sent()[0]).unwrap();
    for message in server.sent() {
        client.take(&message).unwrap();
    }
}

/// A server that asked, and a client's answer.
fn asked() -> (Side, Vec<Vec<u8>>) {
    let mut client = Side::client(known_client());
    let mut server = Side::server(asking_server(TrustClient::Now));
    talk(&mut client, &mut server);
    (server, client.sent())
}

/// What a server says when message `index` of the client's answer has this body.
fn answer(index: usize, body: fn(&[u8]) -> Vec<u8>) -> Error {
    let (mut server, flight) = asked();
    for message in &flight[..index] {
        server.take(message).unwrap();
    }
    let bytes = &flight[index];
    let edited = message(T(bytes[0]), &body(&bytes[4..]));
    server.take(&edited).unwrap_err()
}

/// What a server says to a signature with this scheme.
fn scheme(id: u16) -> Error {
    let (mut server, flight) = asked();
    server.take(&flight[0]).unwrap();
    let body = [&id.to_be_bytes()[..], &flight[1][6..]].concat();
    server
        .take(&message(T::CERTIFICATE_VERIFY, &body))
        .unwrap_err()
}
