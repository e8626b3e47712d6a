//! What a server does not take from a client of TLS 1.2.

use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::NamedGroup;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::{ClientParts, vector8};
use crate::testing::tls12::{
    asking_server12, carry, client_of_both, client12, known_client12, server_of_both, server12,
    with_edited,
};
use crate::testing::{Side, message};
use crate::{Error, Incompatible as I, PeerError as P, ServerConfigBuilder};

pub(super) const CASES: &[Case] = &[
    (
        "client of TLS 1.1 at a server of TLS 1.2",
        Error::Incompatible(I::Version),
        || hello(|parts| parts.version = 0x0302),
    ),
    (
        "client of TLS 1.3 alone at a server of TLS 1.2",
        Error::Incompatible(I::Version),
        || hello(|parts| parts.extensions.push(43, &[2, 3, 4])),
    ),
    ("fallback to TLS 1.2", Error::Peer(P::Fallback), || {
        hello_of(server_of_both(), |parts| parts.suites.push(0x5600))
    }),
    (
        "second hello for TLS 1.2",
        Error::Peer(P::SecondHelloChanged),
        || {
            let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
            let mut client = Side::client(client_of_both().groups(groups));
            let mut server = Side::server(server_of_both().groups([NamedGroup::SECP256R1]));
            server.take(&client.sent()[0]).unwrap();
            client.take(&server.sent()[0]).unwrap();
            let mut parts = ClientParts::of(&client.sent()[0]);
            parts.extensions.set(43, &[2, 3, 3]);
            server.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "client of TLS 1.2 without null compression",
        Error::Peer(P::Compression),
        || hello(|parts| parts.compression = vec![1, 64]),
    ),
    (
        "client renegotiates at once",
        Error::Peer(P::RenegotiationInfo),
        || hello(|parts| parts.extensions.set(RENEGOTIATION_INFO, &vector8(&[7; 12]))),
    ),
    (
        "client renegotiates at once beside the signal",
        Error::Peer(P::RenegotiationInfo),
        || {
            hello(|parts| {
                parts.suites.push(0x00ff);
                parts.extensions.set(RENEGOTIATION_INFO, &[1, 0]);
            })
        },
    ),
    (
        "client without secure renegotiation",
        Error::Incompatible(I::SecureRenegotiation),
        || {
            let strict = server12().secure_renegotiation_required(true);
            hello_of(strict, |parts| parts.extensions.remove(RENEGOTIATION_INFO))
        },
    ),
    (
        "client without extended main secret",
        Error::Incompatible(I::ExtendedMainSecret),
        || hello(|parts| parts.extensions.remove(EXTENDED_MAIN_SECRET)),
    ),
    (
        "client without extensions",
        Error::Incompatible(I::ExtendedMainSecret),
        || hello(|parts| parts.extensions.0 = None),
    ),
    (
        "client of compressed points alone",
        Error::Peer(P::PointFormats),
        || hello(|parts| parts.extensions.set(EC_POINT_FORMATS, &[1, 1])),
    ),
    (
        "suites of TLS 1.3 alone in TLS 1.2",
        Error::Incompatible(I::CipherSuite),
        || hello(|parts| parts.suites = vec![0x1301, 0x1302, 0x1303]),
    ),
    (
        "RC4 alone, beside signals",
        Error::Incompatible(I::OnlyRc4),
        || hello(|parts| parts.suites = vec![0x0005, 0xc007, 0x00ff, 0x1a1a]),
    ),
    (
        "RC4 and something as old",
        Error::Incompatible(I::CipherSuite),
        || hello(|parts| parts.suites = vec![0x0005, 0x000a]),
    ),
    ("signals alone", Error::Incompatible(I::CipherSuite), || {
        hello(|parts| parts.suites = vec![0x00ff])
    }),
    (
        "suites that need an RSA key alone",
        Error::Incompatible(I::CipherSuite),
        || {
            hello(|parts| {
                parts
                    .suites
                    .retain(|suite| matches!(suite, 0xc02f | 0xc030 | 0xcca8))
            })
        },
    ),
    (
        "no common curve in TLS 1.2",
        Error::Incompatible(I::Group),
        || {
            hello(|parts| {
                parts
                    .extensions
                    .set(SUPPORTED_GROUPS, &[0, 4, 0, 0x16, 0x11, 0xec])
            })
        },
    ),
    (
        "no signature algorithms in TLS 1.2",
        Error::Incompatible(I::SignatureScheme),
        || hello(|parts| parts.extensions.remove(SIGNATURE_ALGORITHMS)),
    ),
    (
        "signatures with MD5 and SHA-1 alone",
        Error::Incompatible(I::SignatureScheme),
        || {
            hello(|parts| {
                let old = [0, 8, 1, 1, 1, 3, 2, 1, 2, 3];
                parts.extensions.set(SIGNATURE_ALGORITHMS, &old);
            })
        },
    ),
    (
        "no common protocol in TLS 1.2",
        Error::Incompatible(I::ApplicationProtocol),
        || {
            hello_of(server12().alpn(["h2"]), |parts| {
                parts.extensions.set(16, b"\x00\x03\x02h3");
            })
        },
    ),
    (
        "zero X25519 share of a client of TLS 1.2",
        Error::Peer(P::BadKeyShare),
        || share(NamedGroup::X25519, &[0; 32]),
    ),
    (
        "long X25519 share of a client of TLS 1.2",
        Error::Peer(P::BadKeyShare),
        || share(NamedGroup::X25519, &[9; 33]),
    ),
    (
        "point off the curve of a client of TLS 1.2",
        Error::Peer(P::BadKeyShare),
        || share(NamedGroup::SECP256R1, &[4; 65]),
    ),
    (
        "point at infinity of a client of TLS 1.2",
        Error::Peer(P::BadKeyShare),
        || share(NamedGroup::SECP256R1, &[0]),
    ),
    (
        "no certificate in TLS 1.2",
        Error::Incompatible(I::NoClientCertificate12),
        || {
            let unchanged = |body: &[u8]| body.to_vec();
            with_edited(client12(), asking_server12(true), T::CERTIFICATE, unchanged).unwrap_err()
        },
    ),
    (
        "certificate of a client without its signature",
        Error::Peer(P::UnexpectedChangeCipherSpec),
        || {
            let mut flight = client_flight(true);
            flight.messages.remove(2);
            flight.give()
        },
    ),
    (
        "signature of a client without a certificate",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut flight = client_flight(false);
            let verify = message(T::CERTIFICATE_VERIFY, &[4, 3, 0, 1, 9]);
            flight.messages.insert(2, verify);
            flight.give()
        },
    ),
    (
        "bad signature of a client of TLS 1.2",
        Error::Peer(P::BadSignature),
        || verify(|body| *body.last_mut().unwrap() ^= 1),
    ),
    (
        "signature of a client over another message",
        Error::Peer(P::BadSignature),
        || {
            with_edited(
                known_client12(),
                asking_server12(true),
                T::SERVER_HELLO_DONE,
                |_| vec![],
            )
            .unwrap();
            // The client sees other names of authorities than the server sent.
            with_edited(
                known_client12(),
                asking_server12(true),
                T::CERTIFICATE_REQUEST,
                |body| {
                    let head = &body[..body.len() - 2];
                    [head, &[0, 3, 0, 1, 9]].concat()
                },
            )
            .unwrap_err()
        },
    ),
    (
        "SHA-1 signature of a client of TLS 1.2",
        Error::Peer(P::SchemeNotOffered),
        || verify(|body| body[..2].copy_from_slice(&[2, 3])),
    ),
    (
        "signature of a client for another kind of key",
        Error::Peer(P::SchemeUnfit),
        || verify(|body| body[..2].copy_from_slice(&[8, 4])),
    ),
    (
        "bad Finished of a client of TLS 1.2",
        Error::Peer(P::BadFinished),
        || finished(|body| body[0] ^= 0x80),
    ),
    (
        "short Finished of a client of TLS 1.2",
        Error::Peer(P::BadFinished),
        || finished(Vec::clear),
    ),
    (
        "long Finished of a client of TLS 1.2",
        Error::Peer(P::BadFinished),
        || finished(|body| body.resize(32, 0)),
    ),
];

const SUPPORTED_GROUPS: u16 = 10;
const EC_POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const EXTENDED_MAIN_SECRET: u16 = 23;
const RENEGOTIATION_INFO: u16 = 0xff01;

/// What a server says to an edited ClientHello of TLS 1.2.
fn hello(edit: fn(&mut ClientParts)) -> Error {
    hello_of(server12(), edit)
}

fn hello_of(server: ServerConfigBuilder, edit: fn(&mut ClientParts)) -> Error {
    let mut client = Side::client(client12());
    let mut parts = ClientParts::of(&client.sent()[0]);
    edit(&mut parts);
    Side::server(server).take(&parts.message()).unwrap_err()
}

/// What a server says to this share for a curve.
fn share(group: NamedGroup, public: &[u8]) -> Error {
    // The client knows the curve of the server's key too.
    let groups = [group, NamedGroup::SECP256R1];
    let client = client12().groups(groups[..if group == groups[1] { 1 } else { 2 }].to_vec());
    let typ = T::CLIENT_KEY_EXCHANGE;
    with_edited(client, server12().groups([group]), typ, |_| vector8(public)).unwrap_err()
}

/// A server that asks for a certificate, and a client's messages before change_cipher_spec.
struct Flight {
    server: Side,
    messages: Vec<Vec<u8>>,
}

impl Flight {
    /// What the server says to the messages, and a change_cipher_spec after them.
    fn give(mut self) -> Error {
        let mut messages = self.messages.iter();
        messages
            .try_for_each(|bytes| self.server.take(bytes))
            .and_then(|()| self.server.take_change_cipher_spec())
            .unwrap_err()
    }
}

/// Certificate, ClientKeyExchange and, if it has a certificate, CertificateVerify of a client.
fn client_flight(known: bool) -> Flight {
    let builder = if known { known_client12() } else { client12() };
    let mut client = Side::client(builder);
    let mut server = Side::server(asking_server12(false));
    let unchanged = &mut |bytes| bytes;
    carry(&mut client, &mut server, unchanged).unwrap();
    carry(&mut server, &mut client, unchanged).unwrap();
    let mut messages = client.sent();
    messages.pop();
    Flight { server, messages }
}

/// What a server says to an edited CertificateVerify.
fn verify(edit: fn(&mut Vec<u8>)) -> Error {
    let edit = |body: &[u8]| {
        let mut body = body.to_vec();
        edit(&mut body);
        body
    };
    let (client, server) = (known_client12(), asking_server12(true));
    with_edited(client, server, T::CERTIFICATE_VERIFY, edit).unwrap_err()
}

/// What a server says to an edited Finished.
fn finished(edit: fn(&mut Vec<u8>)) -> Error {
    let edit = |body: &[u8]| {
        let mut body = body.to_vec();
        edit(&mut body);
        body
    };
    with_edited(client12(), server12(), T::FINISHED, edit).unwrap_err()
}
