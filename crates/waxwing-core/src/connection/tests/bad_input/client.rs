//! What a client does not take from a server.

use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::NamedGroup;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::{ServerParts, vector16};
use crate::testing::{Side, certificate_request, client_builder, message, server_builder};
use crate::{ClientConfigBuilder, Error, Incompatible as I, PeerError as P, ServerConfigBuilder};

pub(super) const CASES: &[Case] = &[
    ("TLS 1.2 server", Error::Incompatible(I::Version), || {
        hello(|parts| parts.extensions.remove(SUPPORTED_VERSIONS))
    }),
    ("TLS 1.0 server", Error::Incompatible(I::Version), || {
        hello(|parts| {
            parts.version = 0x0301;
            parts.extensions.0 = None;
        })
    }),
    ("downgrade to TLS 1.2", Error::Peer(P::Downgrade), || {
        hello(|parts| {
            parts.random[24..].copy_from_slice(b"DOWNGRD\x01");
            parts.extensions.remove(SUPPORTED_VERSIONS);
        })
    }),
    ("downgrade to TLS 1.1", Error::Peer(P::Downgrade), || {
        hello(|parts| {
            parts.random[24..].copy_from_slice(b"DOWNGRD\x00");
            parts.extensions.remove(SUPPORTED_VERSIONS);
        })
    }),
    (
        "version TLS 1.2 selected",
        Error::Peer(P::VersionNotOffered),
        || hello(|parts| parts.extensions.set(SUPPORTED_VERSIONS, &[3, 3])),
    ),
    (
        "version from the future",
        Error::Peer(P::VersionNotOffered),
        || hello(|parts| parts.extensions.set(SUPPORTED_VERSIONS, &[3, 5])),
    ),
    ("legacy_version 1.1", Error::Peer(P::LegacyVersion), || {
        hello(|parts| parts.version = 0x0302)
    }),
    ("legacy_version 1.3", Error::Peer(P::LegacyVersion), || {
        hello(|parts| parts.version = 0x0304)
    }),
    ("session id changed", Error::Peer(P::SessionIdEcho), || {
        hello(|parts| parts.session_id[0] ^= 1)
    }),
    ("session id missing", Error::Peer(P::SessionIdEcho), || {
        hello(|parts| parts.session_id.clear())
    }),
    ("session id invented", Error::Peer(P::SessionIdEcho), || {
        let client = client_builder().middlebox_compatibility(false);
        hello_of(client, server_builder(), |parts| {
            parts.session_id = vec![7; 32]
        })
    }),
    ("server compresses", Error::Peer(P::Compression), || {
        hello(|parts| parts.compression = 1)
    }),
    ("suite not offered", Error::Peer(P::SuiteNotOffered), || {
        hello(|parts| parts.suite = 0x1304)
    }),
    ("suite of TLS 1.2", Error::Peer(P::SuiteNotOffered), || {
        hello(|parts| parts.suite = 0xc02f)
    }),
    ("reserved suite", Error::Peer(P::SuiteNotOffered), || {
        hello(|parts| parts.suite = 0x0a0a)
    }),
    ("no key share", Error::Peer(P::MissingExtension), || {
        hello(|parts| parts.extensions.remove(KEY_SHARE))
    }),
    (
        "share for another group",
        Error::Peer(P::GroupNotOffered),
        || hello(|parts| parts.extensions.set(KEY_SHARE, &share(0x0017, &[4; 65]))),
    ),
    (
        "share for a part not offered",
        Error::Peer(P::GroupNotOffered),
        || {
            let client = client_builder().groups([NamedGroup::X25519_MLKEM768]);
            hello_of(client, server_builder(), |parts| {
                parts.extensions.set(KEY_SHARE, &share(0x001d, &[9; 32]));
            })
        },
    ),
    (
        "part of the share that was asked for",
        Error::Peer(P::GroupNotOffered),
        || {
            let groups = [NamedGroup::X25519, NamedGroup::X25519_MLKEM768];
            let (mut client, mut server, _) = retried_of(
                client_builder().groups(groups),
                server_builder().groups([NamedGroup::X25519_MLKEM768]),
            );
            server.take(&client.sent()[0]).unwrap();
            let mut parts = ServerParts::of(&server.sent()[0]);
            parts.extensions.set(KEY_SHARE, &share(0x001d, &[9; 32]));
            client.take(&parts.message()).unwrap_err()
        },
    ),
    (
        "share for an unknown group",
        Error::Peer(P::GroupNotOffered),
        || hello(|parts| parts.extensions.set(KEY_SHARE, &share(0xfe00, &[4; 65]))),
    ),
    (
        "zero X25519 share of the server",
        Error::Peer(P::BadKeyShare),
        || {
            let client = client_builder().groups([NamedGroup::X25519]);
            hello_of(client, server_builder(), |parts| {
                parts.extensions.set(KEY_SHARE, &share(0x001d, &[0; 32]));
            })
        },
    ),
    (
        "point off the curve of the server",
        Error::Peer(P::BadKeyShare),
        || {
            let client = client_builder().groups([NamedGroup::SECP256R1]);
            hello_of(client, server_builder(), |parts| {
                parts.extensions.set(KEY_SHARE, &share(0x0017, &[4; 65]));
            })
        },
    ),
    (
        "short share of the server",
        Error::Peer(P::BadKeyShare),
        || hello(|parts| parts.extensions.set(KEY_SHARE, &share(0x11ec, &[1; 31]))),
    ),
    (
        "psk without an offer",
        Error::Peer(P::UnsolicitedExtension),
        || hello(|parts| parts.extensions.push(41, &[0, 0])),
    ),
    (
        "unknown extension of the server",
        Error::Peer(P::UnsolicitedExtension),
        || hello(|parts| parts.extensions.push(0xfff0, &[])),
    ),
    (
        "extension misplaced in ServerHello",
        Error::Peer(P::MisplacedExtension),
        || hello(|parts| parts.extensions.push(10, &[])),
    ),
    (
        "extension twice in ServerHello",
        Error::Peer(P::DuplicateExtension),
        || hello(|parts| parts.extensions.push(SUPPORTED_VERSIONS, &[3, 4])),
    ),
    (
        "retry without change",
        Error::Peer(P::RetryWithoutChange),
        || retry(|parts| parts.extensions.remove(KEY_SHARE)),
    ),
    (
        "retry for a group with a share",
        Error::Peer(P::RetryGroup),
        || retry(|parts| parts.extensions.set(KEY_SHARE, &[0, 0x1d])),
    ),
    (
        "retry for a group not offered",
        Error::Peer(P::RetryGroup),
        || retry(|parts| parts.extensions.set(KEY_SHARE, &[0, 0x19])),
    ),
    (
        "retry for a reserved group",
        Error::Peer(P::RetryGroup),
        || retry(|parts| parts.extensions.set(KEY_SHARE, &[0x0a, 0x0a])),
    ),
    (
        "retry for the classical part of a hybrid",
        Error::Peer(P::RetryGroup),
        || {
            let hybrid = [
                NamedGroup::X25519_MLKEM768,
                NamedGroup::X25519,
                NamedGroup::SECP256R1,
            ];
            let server = server_builder().groups([NamedGroup::SECP256R1]);
            hello_of(client_builder().groups(hybrid), server, |parts| {
                parts.extensions.set(KEY_SHARE, &[0, 0x1d]);
            })
        },
    ),
    (
        "retry with a version not offered",
        Error::Peer(P::VersionNotOffered),
        || retry(|parts| parts.extensions.set(SUPPORTED_VERSIONS, &[3, 5])),
    ),
    (
        "retry with another session id",
        Error::Peer(P::SessionIdEcho),
        || retry(|parts| parts.session_id[31] ^= 1),
    ),
    (
        "retry with more than it may have",
        Error::Peer(P::MisplacedExtension),
        || retry(|parts| parts.extensions.push(10, &[])),
    ),
    ("second retry", Error::Peer(P::SecondRetry), || {
        let (mut client, _, first) = retried();
        client.take(&first).unwrap_err()
    }),
    (
        "suite changed after retry",
        Error::Peer(P::RetrySuiteChanged),
        || {
            let (mut client, mut server, _) = retried();
            server.take(&client.sent()[0]).unwrap();
            let mut parts = ServerParts::of(&server.sent()[0]);
            parts.suite = 0x1302;
            client.take(&parts.message()).unwrap_err()
        },
    ),
    ("ALPN not offered", Error::Peer(P::AlpnNotOffered), || {
        let client = client_builder().alpn(["h2", "http/1.1"]);
        flight(client, 1, T::ENCRYPTED_EXTENSIONS, |_| {
            extension(16, b"\x00\x03\x02h3")
        })
    }),
    (
        "ALPN without an offer",
        Error::Peer(P::UnsolicitedExtension),
        || {
            flight(client_builder(), 1, T::ENCRYPTED_EXTENSIONS, |_| {
                extension(16, b"\x00\x03\x02h3")
            })
        },
    ),
    (
        "early data without an offer",
        Error::Peer(P::UnsolicitedExtension),
        || {
            flight(client_builder(), 1, T::ENCRYPTED_EXTENSIONS, |_| {
                extension(42, b"")
            })
        },
    ),
    (
        "key share in EncryptedExtensions",
        Error::Peer(P::MisplacedExtension),
        || {
            flight(client_builder(), 1, T::ENCRYPTED_EXTENSIONS, |_| {
                extension(51, b"")
            })
        },
    ),
    (
        "request without algorithms",
        Error::Peer(P::MissingExtension),
        || {
            flight(client_builder(), 2, T::CERTIFICATE_REQUEST, |_| {
                vec![0, 0, 0]
            })
        },
    ),
    (
        "request with a context",
        Error::Peer(P::RequestContext),
        || {
            flight(client_builder(), 2, T::CERTIFICATE_REQUEST, |_| {
                certificate_request(b"context")[4..].to_vec()
            })
        },
    ),
    (
        "certificate with a context",
        Error::Peer(P::RequestContext),
        || {
            flight(client_builder(), 2, T::CERTIFICATE, |body| {
                [&[1, 7], &body[1..]].concat()
            })
        },
    ),
    (
        "no certificate at all",
        Error::Peer(P::EmptyCertificate),
        || flight(client_builder(), 2, T::CERTIFICATE, |_| vec![0, 0, 0, 0]),
    ),
    (
        "staple of another kind",
        Error::Peer(P::BadExtension),
        || flight(client_builder(), 2, T::CERTIFICATE, |_| stapled(2)),
    ),
    (
        "staple without an offer",
        Error::Peer(P::UnsolicitedExtension),
        || {
            flight(
                client_builder().request_ocsp(false),
                2,
                T::CERTIFICATE,
                |_| stapled(1),
            )
        },
    ),
    ("PKCS#1 signature", Error::Peer(P::SchemeNotOffered), || {
        scheme(0x0401)
    }),
    ("SHA-1 signature", Error::Peer(P::SchemeNotOffered), || {
        scheme(0x0203)
    }),
    (
        "unknown signature",
        Error::Peer(P::SchemeNotOffered),
        || scheme(0xfe00),
    ),
    (
        "signature for another kind of key",
        Error::Peer(P::SchemeUnfit),
        || scheme(0x0804),
    ),
    (
        "signature for another curve",
        Error::Peer(P::SchemeUnfit),
        || scheme(0x0503),
    ),
    ("bad signature", Error::Peer(P::BadSignature), || {
        flight(client_builder(), 3, T::CERTIFICATE_VERIFY, |body| {
            let mut body = body.to_vec();
            *body.last_mut().unwrap() ^= 1;
            body
        })
    }),
    ("empty signature", Error::Peer(P::BadSignature), || {
        flight(client_builder(), 3, T::CERTIFICATE_VERIFY, |_| {
            vec![4, 3, 0, 0]
        })
    }),
    (
        "bad Finished of the server",
        Error::Peer(P::BadFinished),
        || {
            flight(client_builder(), 4, T::FINISHED, |body| {
                let mut body = body.to_vec();
                body[0] ^= 0x80;
                body
            })
        },
    ),
    ("short Finished", Error::Peer(P::BadFinished), || {
        flight(client_builder(), 4, T::FINISHED, |body| body[1..].to_vec())
    }),
    ("long Finished", Error::Peer(P::BadFinished), || {
        flight(client_builder(), 4, T::FINISHED, |body| {
            [body, &[0]].concat()
        })
    }),
];

const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// What a client says to an edited ServerHello.
fn hello(edit: fn(&mut ServerParts)) -> Error {
    hello_of(client_builder(), server_builder(), edit)
}

fn hello_of(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
    edit: fn(&mut ServerParts),
) -> Error {
    let mut client = Side::client(client);
    let mut server = Side::server(server);
    server.take(&client.sent()[0]).unwrap();
    let mut parts = ServerParts::of(&server.sent()[0]);
    edit(&mut parts);
    client.take(&parts.message()).unwrap_err()
}

fn retrying() -> (ClientConfigBuilder, ServerConfigBuilder) {
    let client = client_builder().groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
    let server = server_builder().groups([NamedGroup::SECP256R1]);
    (client, server)
}

/// What a client says to an edited HelloRetryRequest.
fn retry(edit: fn(&mut ServerParts)) -> Error {
    let (client, server) = retrying();
    hello_of(client, server, edit)
}

/// A client that was asked again, by this server with this HelloRetryRequest.
fn retried() -> (Side, Side, Vec<u8>) {
    let (client, server) = retrying();
    retried_of(client, server)
}

fn retried_of(client: ClientConfigBuilder, server: ServerConfigBuilder) -> (Side, Side, Vec<u8>) {
    let mut client = Side::client(client);
    let mut server = Side::server(server);
    server.take(&client.sent()[0]).unwrap();
    let request = server.sent().remove(0);
    client.take(&request).unwrap();
    (client, server, request)
}

/// What a client says when, after `count` messages of the server, this one comes. `body` makes
/// it from what the server says there.
fn flight(
    client: ClientConfigBuilder,
    count: usize,
    typ: T,
    body: impl Fn(&[u8]) -> Vec<u8>,
) -> Error {
    let mut client = Side::client(client);
    let mut server = Side::server(server_builder());
    server.take(&client.sent()[0]).unwrap();
    let messages = server.sent();
    for message in &messages[..count] {
        client.take(message).unwrap();
    }
    let body = body(&messages[count][4..]);
    client.take(&message(typ, &body)).unwrap_err()
}

/// What a client says to a signature with this scheme.
fn scheme(id: u16) -> Error {
    flight(client_builder(), 3, T::CERTIFICATE_VERIFY, |body| {
        [&id.to_be_bytes()[..], &body[2..]].concat()
    })
}

fn share(group: u16, key: &[u8]) -> Vec<u8> {
    [&group.to_be_bytes()[..], &vector16(key)].concat()
}

/// A body of EncryptedExtensions.
fn extension(typ: u16, content: &[u8]) -> Vec<u8> {
    vector16(&share(typ, content))
}

/// A body of Certificate with a status of this type.
fn stapled(status_type: u8) -> Vec<u8> {
    let status = share(5, &[status_type, 0, 0, 1, 9]);
    let entry = [&[0, 0, 1, 7][..], &vector16(&status)].concat();
    [&[0, 0, 0, entry.len() as u8], &entry[..]].concat()
}
