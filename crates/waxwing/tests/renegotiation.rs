//! Nothing is ever renegotiated in TLS 1.2, in whole streams and in split ones: the peer hears so,
//! and everything goes on. The records here are those of a provider without cryptography, so that
//! a test can write them itself.

mod common;

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

use common::name;
use common::pipe::{Duplex, duplex};
use waxwing::blocking::Stream;
use waxwing::crypto::CipherSuite;
use waxwing::{ClientConfig, ServerConfig};
use waxwing_core::ProtocolVersions;
use waxwing_testkit::fake;

/// A suite whose records open and close with a constant tag.
const OPEN: CipherSuite = CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256;
/// A HelloRequest (RFC 5246, Section 7.4.1.1).
const HELLO_REQUEST: [u8; 4] = [0; 4];
/// A warning: no_renegotiation (RFC 5246, Section 7.2.2).
const REFUSAL: [u8; 2] = [1, 100];

/// A record with any nonce.
fn sealed(typ: u8, content: &[u8]) -> Vec<u8> {
    let body = [&[9; 8], content, &fake::CONSTANT_TAG].concat();
    [&[typ, 3, 3, 0, body.len() as u8], body.as_slice()].concat()
}

/// Type and content of the next record.
fn opened(wire: &mut impl Read) -> (u8, Vec<u8>) {
    let mut header = [0; 5];
    wire.read_exact(&mut header).unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    wire.read_exact(&mut body).unwrap();
    let content = &body[8..body.len() - fake::TAG_LEN];
    (header[0], content.to_vec())
}

/// A client stream of TLS 1.2, and the wire of a server that went as far as the handshake.
fn client() -> (Stream<Duplex>, Duplex) {
    let (near, far) = duplex(1 << 16);
    let server = thread::spawn(move || {
        let config = ServerConfig::builder(&fake::PROVIDER, Arc::new(fake::certified_key()))
            .versions(ProtocolVersions::TLS12)
            .build()
            .unwrap();
        let mut stream = Stream::server(config, far);
        stream.handshake().unwrap();
        stream.into_inner()
    });
    let config = ClientConfig::builder(&fake::PROVIDER, Arc::new(fake::AcceptAll))
        .versions(ProtocolVersions::TLS12)
        .cipher_suites([OPEN])
        .build()
        .unwrap();
    let mut stream = Stream::client(config, name(), near).unwrap();
    stream.handshake().unwrap();
    (stream, server.join().unwrap())
}

#[test]
fn a_whole_stream_refuses() {
    let (mut stream, mut wire) = client();
    wire.write_all(&sealed(22, &HELLO_REQUEST)).unwrap();
    wire.write_all(&sealed(23, b"data")).unwrap();
    let mut data = [0; 4];
    stream.read_exact(&mut data).unwrap();
    assert_eq!(data, *b"data");
    stream.write_all(b"answer").unwrap();
    stream.flush().unwrap();
    assert_eq!(opened(&mut wire), (21, REFUSAL.to_vec()));
    assert_eq!(opened(&mut wire), (23, b"answer".to_vec()));
}

#[test]
fn a_split_stream_refuses_with_what_it_sends_next() {
    let (stream, mut wire) = client();
    let (mut read, mut write) = stream
        .into_split_with(|end| Ok((end.reader, end.writer)))
        .unwrap();
    wire.write_all(&sealed(22, &HELLO_REQUEST)).unwrap();
    wire.write_all(&sealed(23, b"data")).unwrap();
    let mut data = [0; 4];
    read.read_exact(&mut data).unwrap();
    assert_eq!(data, *b"data");
    for answer in [b"first", b"later"] {
        write.write_all(answer).unwrap();
        write.flush().unwrap();
    }
    assert_eq!(opened(&mut wire), (21, REFUSAL.to_vec()));
    assert_eq!(opened(&mut wire), (23, b"first".to_vec()));
    assert_eq!(opened(&mut wire), (23, b"later".to_vec()));
}
