//! What neither side takes of raw public keys (RFC 7250), in both versions.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Case;
use crate::messages::HandshakeType as T;
use crate::testing::client_auth::TrustClient;
use crate::testing::hellos::{ClientParts, ServerParts, vector16};
use crate::testing::{Side, client_builder, message, server_builder, server_key};
use crate::{
    CertificateError, CertificateType, CertifiedKey, ClientAuth, ClientConfigBuilder, Error,
    Incompatible as I, PeerError as P, ProtocolVersions, Rejection, ServerConfig,
    ServerConfigBuilder,
};

const OF_CLIENT: u16 = 19;
const OF_SERVER: u16 = 20;
const X509: CertificateType = CertificateType::X509;
const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;
const OLD: ProtocolVersions = ProtocolVersions::TLS12;
const NEW: ProtocolVersions = ProtocolVersions::TLS13;

pub(super) const CASES: &[Case] = &[
    (
        "certificate type that nobody offered",
        Error::Peer(P::CertificateTypeNotOffered),
        || answer(NEW, OF_SERVER, Some(X509)),
    ),
    (
        "certificate type that nobody offered in TLS 1.2",
        Error::Peer(P::CertificateTypeNotOffered),
        || answer(OLD, OF_SERVER, Some(X509)),
    ),
    (
        "certificate type that nobody knows",
        Error::Peer(P::CertificateTypeNotOffered),
        || answer(NEW, OF_SERVER, Some(CertificateType(1))),
    ),
    (
        "type of our certificate that we did not offer",
        Error::Peer(P::CertificateTypeNotOffered),
        || answer(NEW, OF_CLIENT, Some(X509)),
    ),
    (
        "type of our certificate that we did not offer in TLS 1.2",
        Error::Peer(P::CertificateTypeNotOffered),
        || answer(OLD, OF_CLIENT, Some(X509)),
    ),
    (
        "server that knows nothing of raw keys",
        Error::Incompatible(I::CertificateType),
        || answer(NEW, OF_SERVER, None),
    ),
    (
        "server of TLS 1.2 that knows nothing of raw keys",
        Error::Incompatible(I::CertificateType),
        || answer(OLD, OF_SERVER, None),
    ),
    (
        "certificate types without an offer",
        Error::Peer(P::UnsolicitedExtension),
        || {
            let (mut client, flight) = sides(client_builder(), raw_server(), NEW);
            client.take(&flight[0]).unwrap();
            let edited = with_answer(&flight[1], OF_SERVER, Some(RAW));
            client.take(&edited).unwrap_err()
        },
    ),
    (
        "two raw keys of a server",
        Error::Peer(P::SeveralRawKeys),
        || certificate(twice),
    ),
    (
        "no raw key of a server",
        Error::Peer(P::EmptyCertificate),
        || certificate(|_| [0; 4].to_vec()),
    ),
    (
        "no raw key of a server of TLS 1.2",
        Error::Peer(P::EmptyCertificate),
        || certificate12(|_| [0; 3].to_vec()),
    ),
    (
        "two raw keys of a client",
        Error::Peer(P::SeveralRawKeys),
        || client_certificate(twice),
    ),
    (
        "no raw key of a client",
        Error::Incompatible(I::NoClientCertificate),
        || client_certificate(|_| [0; 4].to_vec()),
    ),
    (
        "list of the server's types with the default alone",
        Error::Peer(P::DefaultTypeAlone),
        || hello(NEW, |parts| parts.extensions.push(OF_SERVER, &[1, 0])),
    ),
    (
        "list of the server's types with the default alone in TLS 1.2",
        Error::Peer(P::DefaultTypeAlone),
        || hello(OLD, |parts| parts.extensions.push(OF_SERVER, &[1, 0])),
    ),
    (
        "list of the client's types with the default alone",
        Error::Peer(P::DefaultTypeAlone),
        || hello(NEW, |parts| parts.extensions.push(OF_CLIENT, &[1, 0])),
    ),
    (
        "types that no server has",
        Error::Incompatible(I::CertificateType),
        || hello(NEW, |parts| parts.extensions.push(OF_SERVER, &[2, 1, 7])),
    ),
    (
        "types of a client's certificate that no server knows",
        Error::Incompatible(I::CertificateType),
        || hello(OLD, |parts| parts.extensions.push(OF_CLIENT, &[2, 1, 7])),
    ),
];

/// What is no key is refused before a verifier sees it. Its error is no constant.
#[test]
fn what_is_no_key_is_a_malformed_certificate() {
    let not = |body: &[u8]| {
        body.iter()
            .map(|byte| byte ^ (byte == &0x30) as u8)
            .collect()
    };
    let malformed = Error::from(Rejection::from(CertificateError::Malformed));
    assert_eq!(certificate(not), malformed);
    assert_eq!(certificate12(not), malformed);
    assert_eq!(client_certificate(not), malformed);
}

fn raw_key() -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::raw_public_key(server_key()).unwrap())
}

/// A Certificate with its one entry twice.
fn twice(body: &[u8]) -> Vec<u8> {
    let entry = &body[4..];
    let [_, len @ ..] = (2 * entry.len() as u32).to_be_bytes();
    [&[0], &len[..], entry, entry].concat()
}

/// A client that has and wants raw keys only.
fn raw_client() -> ClientConfigBuilder {
    client_builder()
        .client_certificate(Arc::new(raw_key()))
        .client_certificate_types([RAW])
        .server_certificate_types([RAW])
}

/// A server that has and wants raw keys only.
fn raw_server() -> ServerConfigBuilder {
    ServerConfig::builder(&waxwing_aws_lc::PROVIDER, Arc::new(raw_key()))
        .client_auth(ClientAuth::Required(Arc::new(TrustClient::Now)))
        .client_certificate_types([RAW])
}

/// A client, and what a server that speaks with another raw client sends.
fn sides(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
    version: ProtocolVersions,
) -> (Side, Vec<Vec<u8>>) {
    // Without a name, nothing but the types is in EncryptedExtensions.
    let mut client = Side::client(client.versions(version).send_server_name(false));
    let mut server = Side::server(server.versions(version));
    let mut parts = ClientParts::of(&client.sent()[0]);
    parts.extensions.set(OF_SERVER, &[1, 2]);
    parts.extensions.set(OF_CLIENT, &[1, 2]);
    server.take(&parts.message()).unwrap();
    (client, server.sent())
}

/// A ServerHello of TLS 1.2 or EncryptedExtensions, with another answer in this extension.
fn with_answer(bytes: &[u8], typ: u16, answer: Option<CertificateType>) -> Vec<u8> {
    if bytes[0] == T::SERVER_HELLO.0 {
        let mut parts = ServerParts::of(bytes);
        parts.extensions.remove(typ);
        if let Some(answer) = answer {
            parts.extensions.push(typ, &[answer.0]);
        }
        return parts.message();
    }
    // Each answer is five bytes long.
    let mut list: Vec<&[u8]> = bytes[6..].chunks(5).collect();
    list.retain(|one| one[..2] != typ.to_be_bytes());
    let mut block = list.concat();
    if let Some(answer) = answer {
        block.extend([&typ.to_be_bytes()[..], &vector16(&[answer.0])].concat());
    }
    message(T::ENCRYPTED_EXTENSIONS, &vector16(&block))
}

/// What a client that knows raw keys only says to this answer.
fn answer(version: ProtocolVersions, typ: u16, answer: Option<CertificateType>) -> Error {
    let (mut client, flight) = sides(raw_client(), raw_server(), version);
    if version == OLD {
        return client
            .take(&with_answer(&flight[0], typ, answer))
            .unwrap_err();
    }
    client.take(&flight[0]).unwrap();
    client
        .take(&with_answer(&flight[1], typ, answer))
        .unwrap_err()
}

/// What a client says to a Certificate with this body.
fn certificate(edit: fn(&[u8]) -> Vec<u8>) -> Error {
    let (mut client, flight) = sides(raw_client(), raw_server(), NEW);
    for message in &flight[..3] {
        client.take(message).unwrap();
    }
    let body = edit(&flight[3][4..]);
    client.take(&message(T::CERTIFICATE, &body)).unwrap_err()
}

/// The same in TLS 1.2.
fn certificate12(edit: fn(&[u8]) -> Vec<u8>) -> Error {
    let (mut client, flight) = sides(raw_client(), raw_server(), OLD);
    client.take(&flight[0]).unwrap();
    let body = edit(&flight[1][4..]);
    client.take(&message(T::CERTIFICATE, &body)).unwrap_err()
}

/// What a server says to a client's Certificate with this body.
fn client_certificate(edit: fn(&[u8]) -> Vec<u8>) -> Error {
    let mut client = Side::client(raw_client());
    let mut server = Side::server(raw_server());
    server.take(&client.sent()[0]).unwrap();
    for message in server.sent() {
        client.take(&message).unwrap();
    }
    let body = edit(&client.sent()[0][4..]);
    server.take(&message(T::CERTIFICATE, &body)).unwrap_err()
}

/// What a server with certificates only says to an edited ClientHello.
fn hello(version: ProtocolVersions, edit: fn(&mut ClientParts)) -> Error {
    let mut client = Side::client(client_builder().versions(version));
    let mut parts = ClientParts::of(&client.sent()[0]);
    edit(&mut parts);
    let server = server_builder().client_auth(ClientAuth::Optional(Arc::new(TrustClient::Now)));
    let mut server = Side::server(server.versions(version));
    server.take(&parts.message()).unwrap_err()
}
