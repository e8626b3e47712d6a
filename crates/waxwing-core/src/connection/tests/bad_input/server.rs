//! What a server does not take from a client.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::NamedGroup;

use super::Case;
use crate::config::credentials::ClientHelloView;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::{ClientParts, key_shares};
use crate::testing::{Side, client_builder, message, server_builder};
use crate::{
    CertChoice, CertResolver, Error, Incompatible as I, PeerError as P, ServerConfig,
    ServerConfigBuilder,
};

pub(super) const CASES: &[Case] = &[
    ("TLS 1.2 client", Error::Incompatible(I::Version), || {
        hello(|parts| parts.extensions.remove(SUPPORTED_VERSIONS))
    }),
    ("TLS 1.1 client", Error::Incompatible(I::Version), || {
        old(0x0302)
    }),
    ("TLS 1.0 client", Error::Incompatible(I::Version), || {
        old(0x0301)
    }),
    ("SSL 3 client", Error::Incompatible(I::Version), || {
        old(0x0300)
    }),
    (
        "client of old versions only",
        Error::Incompatible(I::Version),
        || {
            hello(|parts| {
                parts
                    .extensions
                    .set(SUPPORTED_VERSIONS, &[6, 3, 3, 3, 2, 3, 1])
            })
        },
    ),
    (
        "client of the future",
        Error::Incompatible(I::Version),
        || hello(|parts| parts.extensions.set(SUPPORTED_VERSIONS, &[2, 3, 5])),
    ),
    (
        "no common suite",
        Error::Incompatible(I::CipherSuite),
        || hello(|parts| parts.suites = vec![0x1304, 0xc02f, 0x0a0a]),
    ),
    (
        "RC4 alone in TLS 1.3",
        Error::Incompatible(I::OnlyRc4),
        || hello(|parts| parts.suites = vec![0x0005]),
    ),
    ("no common group", Error::Incompatible(I::Group), || {
        hello(|parts| {
            parts.extensions.set(SUPPORTED_GROUPS, &[0, 2, 0xfe, 0]);
            parts.extensions.set(KEY_SHARE, &key_shares(&[]));
        })
    }),
    (
        "no common signature",
        Error::Incompatible(I::SignatureScheme),
        || hello(|parts| parts.extensions.set(SIGNATURE_ALGORITHMS, &[0, 2, 8, 7])),
    ),
    (
        "old signatures only",
        Error::Incompatible(I::SignatureScheme),
        || {
            hello(|parts| {
                parts
                    .extensions
                    .set(SIGNATURE_ALGORITHMS, &[0, 4, 4, 1, 2, 3])
            })
        },
    ),
    (
        "no common protocol",
        Error::Incompatible(I::ApplicationProtocol),
        || {
            hello_of(server_builder().alpn(["h2"]), |parts| {
                parts.extensions.set(16, b"\x00\x03\x02h3");
            })
        },
    ),
    (
        "no certificate for the name",
        Error::Incompatible(I::NoCertificate),
        || hello_of(ServerConfig::builder(&PROVIDER, Arc::new(Nobody)), |_| ()),
    ),
    (
        "legacy_version 1.0 of a client",
        Error::Peer(P::LegacyVersion),
        || hello(|parts| parts.version = 0x0301),
    ),
    (
        "legacy_version 1.3 of a client",
        Error::Peer(P::LegacyVersion),
        || hello(|parts| parts.version = 0x0304),
    ),
    ("client compresses", Error::Peer(P::Compression), || {
        hello(|parts| parts.compression = vec![1, 0])
    }),
    (
        "client without null compression",
        Error::Peer(P::Compression),
        || hello(|parts| parts.compression = vec![1]),
    ),
    ("no groups", Error::Peer(P::MissingExtension), || {
        hello(|parts| parts.extensions.remove(SUPPORTED_GROUPS))
    }),
    ("no shares", Error::Peer(P::MissingExtension), || {
        hello(|parts| parts.extensions.remove(KEY_SHARE))
    }),
    (
        "no signature algorithms",
        Error::Peer(P::MissingExtension),
        || hello(|parts| parts.extensions.remove(SIGNATURE_ALGORITHMS)),
    ),
    ("share twice", Error::Peer(P::KeyShareGroups), || {
        shares(&[(0x001d, &[9; 32]), (0x001d, &[9; 32])])
    }),
    (
        "share for a group not listed",
        Error::Peer(P::KeyShareGroups),
        || shares(&[(0x001d, &[9; 32]), (0xfe00, &[9; 32])]),
    ),
    (
        "zero X25519 share of the client",
        Error::Peer(P::BadKeyShare),
        || shares(&[(0x001d, &[0; 32])]),
    ),
    (
        "point off the curve of the client",
        Error::Peer(P::BadKeyShare),
        || shares(&[(0x0017, &[4; 65])]),
    ),
    (
        "compressed point of the client",
        Error::Peer(P::BadKeyShare),
        || shares(&[(0x0017, &[2; 33])]),
    ),
    (
        "extension twice in ClientHello",
        Error::Peer(P::DuplicateExtension),
        || hello(|parts| parts.extensions.push(SUPPORTED_VERSIONS, &[2, 3, 4])),
    ),
    (
        "extension misplaced in ClientHello",
        Error::Peer(P::MisplacedExtension),
        || hello(|parts| parts.extensions.push(48, &[0, 0])),
    ),
    ("two host names", Error::Peer(P::BadServerName), || {
        hello(|parts| {
            parts
                .extensions
                .set(0, &[0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b'])
        })
    }),
    ("psk before the end", Error::Peer(P::PskNotLast), || {
        hello(|parts| {
            parts.extensions.set(45, &[1, 1]);
            parts.extensions.push(41, PSK);
            parts.extensions.push(21, &[]);
        })
    }),
    ("psk without modes", Error::Peer(P::PskWithoutModes), || {
        hello(|parts| parts.extensions.push(41, PSK))
    }),
    (
        "second hello with another random",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.random[7] ^= 1),
    ),
    (
        "second hello with another session id",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.session_id[7] ^= 1),
    ),
    (
        "second hello with another version",
        Error::Peer(P::LegacyVersion),
        || second(|parts| parts.version = 0x0302),
    ),
    (
        "second hello with fewer suites",
        Error::Peer(P::SecondHelloChanged),
        || {
            second(|parts| {
                parts.suites.pop();
            })
        },
    ),
    (
        "second hello for another suite",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.suites.retain(|suite| *suite != 0x1301)),
    ),
    (
        "second hello for another name",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.extensions.set(0, &[0, 4, 0, 0, 1, b'a'])),
    ),
    (
        "second hello with one more extension",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.extensions.push(0xfff0, &[])),
    ),
    (
        "second hello with one extension less",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.extensions.remove(5)),
    ),
    (
        "second hello with early data",
        Error::Peer(P::SecondHelloChanged),
        || second(|parts| parts.extensions.push(42, &[])),
    ),
    (
        "cookie not returned",
        Error::Peer(P::CookieMismatch),
        || second(|parts| parts.extensions.remove(COOKIE)),
    ),
    (
        "another cookie returned",
        Error::Peer(P::CookieMismatch),
        || second(|parts| parts.extensions.set(COOKIE, &[0, 1, 7])),
    ),
    ("first shares again", Error::Peer(P::KeyShareGroups), || {
        second(|parts| {
            parts
                .extensions
                .set(KEY_SHARE, &key_shares(&[(0x001d, &[9; 32])]))
        })
    }),
    (
        "two shares after retry",
        Error::Peer(P::KeyShareGroups),
        || {
            second(|parts| {
                let entries: [(u16, &[u8]); 2] = [(0x0017, &[4; 65]), (0x001d, &[9; 32])];
                parts.extensions.set(KEY_SHARE, &key_shares(&entries));
            })
        },
    ),
    (
        "no share after retry",
        Error::Peer(P::KeyShareGroups),
        || second(|parts| parts.extensions.set(KEY_SHARE, &key_shares(&[]))),
    ),
    (
        "no certificate of a client",
        Error::Incompatible(I::NoClientCertificate),
        || I::NoClientCertificate.into(),
    ),
    (
        "bad Finished of the client",
        Error::Peer(P::BadFinished),
        || {
            let mut client = Side::client(client_builder());
            let mut server = Side::server(server_builder());
            server.take(&client.sent()[0]).unwrap();
            server.take(&message(T::FINISHED, &[7; 32])).unwrap_err()
        },
    ),
];

const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const SUPPORTED_VERSIONS: u16 = 43;
const COOKIE: u16 = 44;
const KEY_SHARE: u16 = 51;

/// A pre_shared_key with one identity and one binder.
const PSK: &[u8] = &[
    0, 7, 0, 1, 7, 0, 0, 0, 0, 0, 33, 32, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
];

/// Has no certificate for anybody.
#[derive(Debug)]
struct Nobody;

impl CertResolver for Nobody {
    fn resolve(&self, _: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::None
    }
}

/// What a server says to an edited ClientHello.
fn hello(edit: fn(&mut ClientParts)) -> Error {
    hello_of(server_builder(), edit)
}

fn hello_of(server: ServerConfigBuilder, edit: fn(&mut ClientParts)) -> Error {
    let mut client = Side::client(client_builder());
    let mut parts = ClientParts::of(&client.sent()[0]);
    edit(&mut parts);
    Side::server(server).take(&parts.message()).unwrap_err()
}

/// What a server says to a hello of an old version, without extensions.
fn old(version: u16) -> Error {
    let mut client = Side::client(client_builder());
    let mut parts = ClientParts::of(&client.sent()[0]);
    parts.version = version;
    parts.suites = vec![0x000a, 0x002f];
    parts.extensions.0 = None;
    let mut server = Side::server(server_builder());
    server.take(&parts.message()).unwrap_err()
}

/// What a server without post-quantum groups says to these shares.
fn shares(entries: &[(u16, &[u8])]) -> Error {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let mut client = Side::client(client_builder().groups(groups));
    let mut parts = ClientParts::of(&client.sent()[0]);
    parts.extensions.set(KEY_SHARE, &key_shares(entries));
    let mut server = Side::server(server_builder().groups(groups));
    server.take(&parts.message()).unwrap_err()
}

/// What a server that gave out a cookie says to an edited second ClientHello.
fn second(edit: fn(&mut ClientParts)) -> Error {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let mut client = Side::client(client_builder().groups(groups));
    let builder = server_builder().groups([NamedGroup::SECP256R1]);
    let mut server = Side::server(builder.retry_cookie(true));
    server.take(&client.sent()[0]).unwrap();
    client.take(&server.sent()[0]).unwrap();
    let hellos: Vec<_> = client.sent();
    let mut parts = ClientParts::of(&hellos[0]);
    edit(&mut parts);
    server.take(&parts.message()).unwrap_err()
}
