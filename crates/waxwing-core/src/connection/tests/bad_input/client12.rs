//! What a client does not take from a server of TLS 1.2.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::{CipherSuite, NamedGroup, SignatureScheme, Signing};

use super::Case;
use crate::messages::HandshakeType as T;
use crate::messages::server_key_exchange::signed_content;
use crate::testing::hellos::{ClientParts, ServerParts, vector8, vector16};
use crate::testing::tls12::{
    asking_server12, carry, client_of_both, client12, known_client12, server12, with_edited,
};
use crate::testing::{CERTIFICATE, Side, message, server_builder, server_key};
use crate::{
    CertifiedKey, ClientConfigBuilder, Error, ExtensionType, Incompatible as I, MaxFragmentLength,
    PeerError as P, ProtocolVersions, ServerConfig, ServerConfigBuilder,
};

pub(super) const CASES: &[Case] = &[
    (
        "client of TLS 1.2 and a server of TLS 1.1",
        Error::Incompatible(I::Version),
        || hello(|_, parts| parts.version = 0x0302),
    ),
    (
        "client of both versions and a server of TLS 1.0",
        Error::Incompatible(I::Version),
        || hello_of(client_of_both(), |_, parts| parts.version = 0x0301),
    ),
    (
        "client of TLS 1.2 and a server of SSL 3",
        Error::Incompatible(I::Version),
        || hello(|_, parts| parts.version = 0x0300),
    ),
    (
        "client of TLS 1.2 and a server of TLS 1.3",
        Error::Peer(P::UnsolicitedExtension),
        || hello(|_, parts| parts.extensions.0 = Some(vec![(43, vec![3, 4])])),
    ),
    (
        "TLS 1.2 chosen by the extension of TLS 1.3",
        Error::Peer(P::VersionNotOffered),
        || {
            hello_of(client_of_both(), |_, parts| {
                parts.extensions.0 = Some(vec![(43, vec![3, 3])]);
            })
        },
    ),
    (
        "marked downgrade from both versions to TLS 1.2",
        Error::Peer(P::Downgrade),
        || hello_of(client_of_both(), |_, parts| mark(parts, 1)),
    ),
    (
        "marked downgrade from both versions to TLS 1.1",
        Error::Peer(P::Downgrade),
        || hello_of(client_of_both(), |_, parts| mark(parts, 0)),
    ),
    (
        "TLS 1.2 after a HelloRetryRequest",
        Error::Peer(P::RetrySuiteChanged),
        after_retry,
    ),
    (
        "TLS 1.2 with the session id of TLS 1.3",
        Error::Peer(P::SessionIdEcho),
        || {
            hello_of(client_of_both(), |client, parts| {
                assert_eq!(client.session_id.len(), 32);
                parts.session_id = client.session_id.clone();
            })
        },
    ),
    (
        "another fragment length than the one asked for",
        Error::Peer(P::FragmentLength),
        || {
            let client = client12().max_fragment_length(MaxFragmentLength::Bytes1024);
            hello_of(client, |_, parts| {
                let Some(extensions) = &mut parts.extensions.0 else {
                    panic!("the server answers the request");
                };
                for (typ, data) in extensions {
                    if *typ == ExtensionType::MAX_FRAGMENT_LENGTH.0 {
                        *data = vec![1];
                    }
                }
            })
        },
    ),
    (
        "server of TLS 1.2 compresses",
        Error::Peer(P::Compression),
        || hello(|_, parts| parts.compression = 1),
    ),
    (
        "suite of TLS 1.3 in TLS 1.2",
        Error::Peer(P::SuiteNotOffered),
        || hello_of(client_of_both(), |_, parts| parts.suite = 0x1301),
    ),
    (
        "suite of TLS 1.2 in TLS 1.3",
        Error::Peer(P::SuiteNotOffered),
        || {
            let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
            server_hello(
                client_of_both(),
                server_builder().versions(both),
                |client, parts| {
                    assert!(client.suites.contains(&0xc02b));
                    parts.suite = 0xc02b;
                },
            )
        },
    ),
    (
        "suite of TLS 1.2 that was not offered",
        Error::Peer(P::SuiteNotOffered),
        || {
            let client = client12().cipher_suites([SUITE]);
            hello_of(client, |_, parts| parts.suite = 0xc02c)
        },
    ),
    (
        "suite with RSA key exchange",
        Error::Peer(P::SuiteNotOffered),
        || hello(|_, parts| parts.suite = 0x009c),
    ),
    (
        "signal in place of a suite",
        Error::Peer(P::SuiteNotOffered),
        || hello(|_, parts| parts.suite = 0x00ff),
    ),
    (
        "server renegotiates at once",
        Error::Peer(P::RenegotiationInfo),
        || hello(|_, parts| parts.extensions.set(RENEGOTIATION_INFO, &vector8(&[7; 24]))),
    ),
    (
        "server without secure renegotiation",
        Error::Incompatible(I::SecureRenegotiation),
        || {
            let strict = client12().secure_renegotiation_required(true);
            hello_of(strict, |_, parts| {
                parts.extensions.remove(RENEGOTIATION_INFO)
            })
        },
    ),
    (
        "server without extended main secret",
        Error::Incompatible(I::ExtendedMainSecret),
        || hello(|_, parts| parts.extensions.remove(EXTENDED_MAIN_SECRET)),
    ),
    (
        "server of compressed points alone",
        Error::Peer(P::PointFormats),
        || hello(|_, parts| parts.extensions.set(EC_POINT_FORMATS, &[2, 1, 2])),
    ),
    (
        "ALPN not offered in TLS 1.2",
        Error::Peer(P::AlpnNotOffered),
        || {
            let client = client12().alpn(["h2"]);
            hello_of(client, |_, parts| {
                parts.extensions.push(16, b"\x00\x03\x02h3")
            })
        },
    ),
    (
        "ALPN without an offer in TLS 1.2",
        Error::Peer(P::UnsolicitedExtension),
        || hello(|_, parts| parts.extensions.push(16, b"\x00\x03\x02h3")),
    ),
    (
        "ticket without an offer",
        Error::Peer(P::UnsolicitedExtension),
        || hello(|_, parts| parts.extensions.push(35, &[])),
    ),
    (
        "key share in TLS 1.2",
        Error::Peer(P::MisplacedExtension),
        || hello_of(client_of_both(), |_, parts| parts.extensions.push(51, &[])),
    ),
    (
        "extension twice in a ServerHello of TLS 1.2",
        Error::Peer(P::DuplicateExtension),
        || hello(|_, parts| parts.extensions.push(EXTENDED_MAIN_SECRET, &[])),
    ),
    (
        "two limits of the size of records",
        Error::Peer(P::TwoSizeLimits),
        || {
            let mut client = Side::client(client12());
            let limits = [
                (ExtensionType::MAX_FRAGMENT_LENGTH, &[4][..]),
                (ExtensionType::RECORD_SIZE_LIMIT, &[0x40, 0]),
            ];
            let mut server = Side::server(server12());
            server.take(&client.sent()[0]).unwrap();
            let mut parts = ServerParts::of(&server.sent()[0]);
            for (typ, content) in limits {
                client.handshake.also_sent(typ);
                parts.extensions.push(typ.0, content);
            }
            client.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "no certificate at all in TLS 1.2",
        Error::Peer(P::EmptyCertificate),
        || edited(T::CERTIFICATE, |_| vec![0, 0, 0]),
    ),
    (
        "status that nobody announced",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut client = Side::client(client12());
            let mut server = Side::server(server12());
            server.take(&client.sent()[0]).unwrap();
            for message in &server.sent()[..2] {
                client.take(message).unwrap();
            }
            let status = message(T::CERTIFICATE_STATUS, &[1, 0, 0, 1, 7]);
            client.take(&status).unwrap_err()
        },
    ),
    (
        "status of another kind in TLS 1.2",
        Error::Peer(P::BadExtension),
        || {
            let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], server_key());
            let key = Arc::new(Arc::new(key.with_ocsp(vec![7])));
            let server = ServerConfig::builder(&PROVIDER, key).versions(ProtocolVersions::TLS12);
            let status = |_: &[u8]| vec![2, 0, 0, 1, 7];
            with_edited(client12(), server, T::CERTIFICATE_STATUS, status).unwrap_err()
        },
    ),
    ("curve without a name", Error::Peer(P::CurveType), || {
        key_exchange(|body| body[0] = 1)
    }),
    (
        "curve that was not offered",
        Error::Peer(P::GroupNotOffered),
        || key_exchange(|body| body[1..3].copy_from_slice(&[0, 0x16])),
    ),
    (
        "curve that was not offered for TLS 1.2",
        Error::Peer(P::GroupNotOffered),
        || {
            // Offered, but for TLS 1.3.
            with_edited(
                client_of_both(),
                server12(),
                T::SERVER_KEY_EXCHANGE,
                |body| [&[3, 0x11, 0xec], &body[3..]].concat(),
            )
            .unwrap_err()
        },
    ),
    (
        "zero X25519 share of a server of TLS 1.2",
        Error::Peer(P::BadSignature),
        || key_exchange(|body| body[4..36].fill(0)),
    ),
    (
        "zero X25519 share that is signed",
        Error::Peer(P::BadKeyShare),
        || signed_share(NamedGroup::X25519, &[0; 32]),
    ),
    (
        "short X25519 share that is signed",
        Error::Peer(P::BadKeyShare),
        || signed_share(NamedGroup::X25519, &[9; 31]),
    ),
    (
        "point off the curve that is signed",
        Error::Peer(P::BadKeyShare),
        || signed_share(NamedGroup::SECP256R1, &[4; 65]),
    ),
    (
        "compressed point that is signed",
        Error::Peer(P::BadKeyShare),
        || signed_share(NamedGroup::SECP256R1, &COMPRESSED_G),
    ),
    (
        "SHA-1 signature in TLS 1.2",
        Error::Peer(P::SchemeNotOffered),
        || scheme(0x0203),
    ),
    (
        "unknown signature in TLS 1.2",
        Error::Peer(P::SchemeNotOffered),
        || scheme(0xfe00),
    ),
    (
        "signature of another kind than the suite's",
        Error::Peer(P::SchemeUnfit),
        || scheme(0x0804),
    ),
    (
        "suite of another kind than the key",
        Error::Peer(P::SchemeUnfit),
        || {
            with_edited(client12(), server12(), T::SERVER_HELLO, |body| {
                let mut parts = ServerParts::of(&message(T::SERVER_HELLO, body));
                parts.suite = 0xc02f;
                parts.message()[4..].to_vec()
            })
            .unwrap_err()
        },
    ),
    (
        "signature for an Ed25519 key by a P-256 key",
        Error::Peer(P::SchemeUnfit),
        || scheme(0x0807),
    ),
    (
        "bad signature in TLS 1.2",
        Error::Peer(P::BadSignature),
        || key_exchange(|body| *body.last_mut().unwrap() ^= 1),
    ),
    (
        "signature over another random",
        Error::Peer(P::BadSignature),
        || {
            with_edited(client12(), server12(), T::CLIENT_HELLO, |body| {
                let mut body = body.to_vec();
                body[9] ^= 1;
                body
            })
            .unwrap_err()
        },
    ),
    (
        "two requests for a certificate",
        Error::Peer(P::UnexpectedMessage),
        || {
            let mut client = Side::client(known_client12());
            let mut server = Side::server(asking_server12(true));
            server.take(&client.sent()[0]).unwrap();
            let flight = server.sent();
            for message in &flight[..4] {
                client.take(message).unwrap();
            }
            client.take(&flight[3]).unwrap_err()
        },
    ),
    (
        "bad Finished of a server of TLS 1.2",
        Error::Peer(P::BadFinished),
        || finished(|body| body[11] ^= 1),
    ),
    (
        "short Finished of a server of TLS 1.2",
        Error::Peer(P::BadFinished),
        || finished(|body| body.truncate(11)),
    ),
    (
        "long Finished of a server of TLS 1.2",
        Error::Peer(P::BadFinished),
        || finished(|body| body.push(0)),
    ),
];

const SUITE: CipherSuite = CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256;
const EC_POINT_FORMATS: u16 = 11;
const EXTENDED_MAIN_SECRET: u16 = 23;
const RENEGOTIATION_INFO: u16 = 0xff01;

/// The generator of P-256 in the form that RFC 8422 took away.
const COMPRESSED_G: [u8; 33] = [
    0x03, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
    0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
    0x96,
];

/// What a client says to an edited ServerHello, which may depend on its own hello.
fn server_hello(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
    edit: fn(&ClientParts, &mut ServerParts),
) -> Error {
    let mut client = Side::client(client);
    let mut server = Side::server(server);
    let hello = client.sent().remove(0);
    server.take(&hello).unwrap();
    let mut parts = ServerParts::of(&server.sent()[0]);
    edit(&ClientParts::of(&hello), &mut parts);
    client.take(&parts.message()).unwrap_err()
}

fn hello_of(client: ClientConfigBuilder, edit: fn(&ClientParts, &mut ServerParts)) -> Error {
    server_hello(client, server12(), edit)
}

fn hello(edit: fn(&ClientParts, &mut ServerParts)) -> Error {
    hello_of(client12(), edit)
}

/// Marks a downgrade (RFC 9846, Section 4.2.3).
fn mark(parts: &mut ServerParts, last: u8) {
    parts.random[24..31].copy_from_slice(b"DOWNGRD");
    parts.random[31] = last;
}

/// What a client says to a server that asks again in TLS 1.3, and then chooses TLS 1.2.
fn after_retry() -> Error {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let mut client = Side::client(client_of_both().groups(groups));
    let hello = client.sent().remove(0);
    let mut new = Side::server(server_builder().groups([NamedGroup::SECP256R1]));
    new.take(&hello).unwrap();
    client.take(&new.sent()[0]).unwrap();
    let mut old = Side::server(server12());
    old.take(&client.sent()[0]).unwrap();
    client.take(&old.sent()[0]).unwrap_err()
}

/// What comes of a handshake in which this message was edited.
fn edited(typ: T, edit: fn(&[u8]) -> Vec<u8>) -> Error {
    with_edited(client12(), server12(), typ, edit).unwrap_err()
}

/// What a client says to an edited ServerKeyExchange.
fn key_exchange(edit: fn(&mut Vec<u8>)) -> Error {
    let edit = |body: &[u8]| {
        let mut body = body.to_vec();
        edit(&mut body);
        body
    };
    with_edited(client12(), server12(), T::SERVER_KEY_EXCHANGE, edit).unwrap_err()
}

/// What a client says to a signature with this scheme.
fn scheme(id: u16) -> Error {
    let edit = |body: &[u8]| {
        let (params, signature) = body.split_at(36);
        [params, &id.to_be_bytes(), &signature[2..]].concat()
    };
    with_edited(client12(), server12(), T::SERVER_KEY_EXCHANGE, edit).unwrap_err()
}

/// What a client says to a share that the server's key signed.
fn signed_share(group: NamedGroup, public: &[u8]) -> Error {
    let mut client = Side::client(client12());
    let mut server = Side::server(server12());
    let hello = client.sent().remove(0);
    server.take(&hello).unwrap();
    let flight = server.sent();
    client.take(&flight[0]).unwrap();
    client.take(&flight[1]).unwrap();
    let params = [&[3], &group.0.to_be_bytes()[..], &vector8(public)].concat();
    let content = signed_content(
        &ClientParts::of(&hello).random,
        &ServerParts::of(&flight[0]).random,
        &params,
    );
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let Ok(Signing::Done(signature)) = server_key().sign(scheme, &content) else {
        panic!("this key signs at once");
    };
    let body = [&params[..], &scheme.0.to_be_bytes(), &vector16(&signature)].concat();
    client
        .take(&message(T::SERVER_KEY_EXCHANGE, &body))
        .unwrap_err()
}

/// What a client says to an edited Finished.
fn finished(edit: fn(&mut Vec<u8>)) -> Error {
    let mut client = Side::client(client12());
    let mut server = Side::server(server12());
    let unchanged = &mut |bytes| bytes;
    carry(&mut client, &mut server, unchanged).unwrap();
    carry(&mut server, &mut client, unchanged).unwrap();
    carry(&mut client, &mut server, unchanged).unwrap();
    carry(&mut server, &mut client, &mut |bytes: Vec<u8>| {
        let mut body = bytes[4..].to_vec();
        edit(&mut body);
        message(T::FINISHED, &body)
    })
    .unwrap_err()
}
