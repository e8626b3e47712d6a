//! Compressed certificates that are not taken (RFC 8879).

use alloc::vec::Vec;

use super::Case;
use crate::limits::MAX_HANDSHAKE_MESSAGE;
use crate::messages::HandshakeType as T;
use crate::testing::client_auth::{known_client, strict_server};
use crate::testing::{Side, client_builder, message, server_builder};
use crate::{
    CertDecompressor, CertificateCompressionAlgorithm, CompressionFailed, Error, PeerError as P,
};

pub(in super::super) const ALGORITHM: [u8; 2] = [0xff, 7];

/// Compresses nothing.
#[derive(Debug)]
pub(in super::super) struct Copy;

impl CertDecompressor for Copy {
    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm(u16::from_be_bytes(ALGORITHM))
    }

    fn decompress(&self, compressed: &[u8], out: &mut [u8]) -> Result<(), CompressionFailed> {
        if compressed.len() != out.len() {
            return Err(CompressionFailed);
        }
        out.copy_from_slice(compressed);
        Ok(())
    }
}

pub(super) const CASES: &[Case] = &[
    (
        "compressed certificate that nobody offered to take",
        Error::Peer(P::UnexpectedMessage),
        || server_sends(false, |body| compressed(ALGORITHM, body.len(), body)),
    ),
    (
        "certificate compressed in another way",
        Error::Peer(P::CompressionNotOffered),
        || server_sends(true, |body| compressed([0, 1], body.len(), body)),
    ),
    (
        "compressed certificate longer than told",
        Error::Peer(P::BadCompression),
        || server_sends(true, |body| compressed(ALGORITHM, body.len() - 1, body)),
    ),
    (
        "compressed certificate shorter than told",
        Error::Peer(P::BadCompression),
        || server_sends(true, |body| compressed(ALGORITHM, body.len() + 1, body)),
    ),
    (
        "compressed certificate of 64 KiB and a byte",
        Error::Peer(P::CompressionBomb),
        || {
            server_sends(true, |body| {
                compressed(ALGORITHM, MAX_HANDSHAKE_MESSAGE + 1, body)
            })
        },
    ),
    (
        "compressed certificate with a context",
        Error::Peer(P::RequestContext),
        || {
            server_sends(true, |body| {
                let body = [&[1, 7], &body[1..]].concat();
                compressed(ALGORITHM, body.len(), &body)
            })
        },
    ),
    (
        "compressed certificate without a certificate",
        Error::Peer(P::EmptyCertificate),
        || server_sends(true, |_| compressed(ALGORITHM, 4, &[0; 4])),
    ),
    (
        "second certificate after a compressed one",
        Error::Peer(P::UnexpectedMessage),
        || {
            let (mut client, body) = asked_client(true);
            client
                .take(&compressed(ALGORITHM, body.len(), &body))
                .unwrap();
            client.take(&message(T::CERTIFICATE, &body)).unwrap_err()
        },
    ),
    (
        "compressed certificate of a client that nobody offered to take",
        Error::Peer(P::UnexpectedMessage),
        || client_sends(false, ALGORITHM),
    ),
    (
        "certificate of a client compressed in another way",
        Error::Peer(P::CompressionNotOffered),
        || client_sends(true, [0, 2]),
    ),
];

/// A CompressedCertificate with these fields.
pub(in super::super) fn compressed(algorithm: [u8; 2], len: usize, body: &[u8]) -> Vec<u8> {
    let number = |len: usize| (len as u32).to_be_bytes();
    let [_, told @ ..] = number(len);
    let [_, real @ ..] = number(body.len());
    let body = [&algorithm[..], &told, &real, body].concat();
    message(T::COMPRESSED_CERTIFICATE, &body)
}

/// A client that waits for a certificate, and what it should be.
fn asked_client(offers: bool) -> (Side, Vec<u8>) {
    let mut builder = client_builder();
    if offers {
        builder = builder.cert_decompressors(&[&Copy]);
    }
    let mut client = Side::client(builder);
    let mut server = Side::server(server_builder());
    server.take(&client.sent()[0]).unwrap();
    let flight = server.sent();
    for message in &flight[..2] {
        client.take(message).unwrap();
    }
    (client, flight[2][4..].to_vec())
}

/// What a client says if this comes instead of a Certificate with that body.
fn server_sends(offers: bool, instead: fn(&[u8]) -> Vec<u8>) -> Error {
    let (mut client, body) = asked_client(offers);
    client.take(&instead(&body)).unwrap_err()
}

/// What a server says to a client's certificate that is compressed in this way.
fn client_sends(offers: bool, algorithm: [u8; 2]) -> Error {
    let mut builder = strict_server();
    if offers {
        builder = builder.cert_decompressors(&[&Copy]);
    }
    let mut client = Side::client(known_client());
    let mut server = Side::server(builder);
    server.take(&client.sent()[0]).unwrap();
    for message in server.sent() {
        client.take(&message).unwrap();
    }
    let body = client.sent()[0][4..].to_vec();
    let message = compressed(algorithm, body.len(), &body);
    server.take(&message).unwrap_err()
}
