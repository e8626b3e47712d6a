//! Streams that speak TLS 1.2.
#![cfg(feature = "tls12")]

mod common;

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

use common::{client_builder, client_config, name, pattern, pipe, server_builder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use waxwing::{
    CertificateError, ClientConfig, Connector, Error, Misuse, ProtocolVersion, ProtocolVersions,
    ServerConfig, tls_error,
};
use waxwing_testkit::fake;

const BIG: usize = 2 << 20;

fn client12() -> Arc<ClientConfig> {
    let builder = client_builder().versions(ProtocolVersions::TLS12);
    builder.build().unwrap()
}

fn server12() -> Arc<ServerConfig> {
    let builder = server_builder().versions(ProtocolVersions::TLS12);
    builder.build().unwrap()
}

#[test]
fn blocking_streams_carry_data_both_ways() {
    let (client, server) = pipe::duplex(1 << 14);
    let server = thread::spawn(move || {
        let mut stream = waxwing::serve(server12(), server).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        assert!(received == pattern(BIG));
        stream.write_all(&received).unwrap();
        stream.close_notify().unwrap();
    });
    let connector = Connector::new(client12());
    let mut stream = connector.connect(name(), client).unwrap();
    assert_eq!(stream.info().version, Some(ProtocolVersion::TLS12));
    stream.write_all(&pattern(BIG)).unwrap();
    stream.close_notify().unwrap();
    let mut returned = Vec::new();
    stream.read_to_end(&mut returned).unwrap();
    assert!(returned == pattern(BIG));
    server.join().unwrap();
}

#[tokio::test]
async fn async_halves_carry_data_both_ways_at_once() {
    let (client, server) = duplex(1 << 14);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client12(), name(), client),
        waxwing::tokio::accept(server12(), server),
    );
    let mut tasks = Vec::new();
    for stream in [client.unwrap(), server.unwrap()] {
        let (mut read, mut write) = stream.into_split();
        assert_eq!(write.info().version, Some(ProtocolVersion::TLS12));
        tasks.push(tokio::spawn(async move {
            write.write_all(&pattern(BIG)).await.unwrap();
            write.shutdown().await.unwrap();
        }));
        tasks.push(tokio::spawn(async move {
            let mut received = Vec::new();
            read.read_to_end(&mut received).await.unwrap();
            assert!(received == pattern(BIG));
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn new_keys_are_not_to_be_had_and_nothing_breaks() {
    let (client, server) = pipe::duplex(1 << 14);
    let server = thread::spawn(move || waxwing::serve(server12(), server).unwrap());
    let connector = Connector::new(client12());
    let mut stream = connector.connect(name(), client).unwrap();
    let error = stream.update_key(true).unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::Misuse(Misuse::NoKeyUpdate)));
    stream.write_all(b"still there").unwrap();
    stream.flush().unwrap();
    let mut received = [0; 11];
    server.join().unwrap().read_exact(&mut received).unwrap();
    assert_eq!(&received, b"still there");
}

/// What needs no configuration speaks both versions: the servers here get as far as showing a
/// certificate, which the system's roots do not vouch for.
#[test]
fn the_system_s_connector_speaks_every_version() {
    for versions in [ProtocolVersions::TLS12, ProtocolVersions::TLS13] {
        let (client, server) = pipe::duplex(1 << 14);
        let config = server_builder().versions(versions).build().unwrap();
        let server = thread::spawn(move || waxwing::serve(config, server).map(drop));
        let connector = Connector::with_system_roots().unwrap();
        let error = connector.connect(name(), client).unwrap_err();
        let Some(Error::Certificate(rejection)) = tls_error(&error) else {
            panic!("{versions:?}: {error}");
        };
        assert_eq!(rejection.code, CertificateError::UnknownIssuer);
        assert!(server.join().unwrap().is_err());
    }
    // A configuration says what it speaks.
    let (client, server) = pipe::duplex(1 << 14);
    let server = thread::spawn(move || waxwing::serve(server12(), server).map(drop));
    let connector = Connector::new(client_config());
    assert!(connector.connect(name(), client).is_err());
    assert!(server.join().unwrap().is_err());
}

/// A provider whose cipher hides nothing, so that a test can speak for a peer.
fn open_client() -> Arc<ClientConfig> {
    ClientConfig::builder(&fake::PROVIDER, Arc::new(fake::AcceptAll))
        .versions(ProtocolVersions::TLS12)
        .cipher_suites([fake::OPEN12_SHA256.id])
        .build()
        .unwrap()
}

fn open_server() -> Arc<ServerConfig> {
    ServerConfig::builder(&fake::PROVIDER, Arc::new(fake::certified_key()))
        .versions(ProtocolVersions::TLS12)
        .build()
        .unwrap()
}

/// A record under those keys: nonce, content, tag.
fn record(content_type: u8, content: &[u8]) -> Vec<u8> {
    let length = 8 + content.len() + fake::TAG_LEN;
    let mut record = vec![content_type, 3, 3, 0, length.try_into().unwrap()];
    record.extend([0; 8]);
    record.extend(content);
    record.extend(fake::CONSTANT_TAG);
    record
}

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const HELLO_REQUEST: [u8; 4] = [0; 4];
const NO_RENEGOTIATION: [u8; 2] = [1, 100];

/// Whether `wire` has exactly so many refusals to renegotiate.
fn has_refusals(wire: &[u8], count: usize) -> bool {
    let refusal = record(ALERT, &NO_RENEGOTIATION);
    let same = |bytes: &&[u8]| bytes[..5] == refusal[..5] && bytes[13..] == refusal[13..];
    wire.windows(refusal.len()).filter(same).count() == count
}

#[test]
fn the_halves_of_a_blocking_stream_refuse_to_renegotiate() {
    let (client, server) = pipe::duplex(1 << 14);
    let server = thread::spawn(move || waxwing::serve(open_server(), server).unwrap());
    let stream = Connector::new(open_client())
        .connect(name(), client)
        .unwrap();
    let split = |end: pipe::Duplex| Ok((end.reader, end.writer));
    let (mut read, mut write) = stream.into_split_with(split).unwrap();
    let mut server = server.join().unwrap();
    let wire = server.get_mut();
    // Two requests at once are worth one refusal.
    wire.write_all(&record(HANDSHAKE, &HELLO_REQUEST)).unwrap();
    wire.write_all(&record(HANDSHAKE, &HELLO_REQUEST)).unwrap();
    server.write_all(b"data").unwrap();
    server.flush().unwrap();
    let mut data = [0; 4];
    read.read_exact(&mut data).unwrap();
    assert_eq!(&data, b"data");
    write.write_all(b"answer").unwrap();
    write.close_notify().unwrap();
    drop(write);
    let mut heard = Vec::new();
    server.get_mut().read_to_end(&mut heard).unwrap();
    assert!(has_refusals(&heard, 1), "{heard:?}");
}

#[tokio::test]
async fn the_halves_of_an_async_stream_refuse_to_renegotiate() {
    let (client, server) = duplex(1 << 14);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(open_client(), name(), client),
        waxwing::tokio::accept(open_server(), server),
    );
    let (client, mut server) = (client.unwrap(), server.unwrap());
    let (mut read, mut write) = client.into_split();
    for round in 0..2 {
        let request = record(HANDSHAKE, &HELLO_REQUEST);
        server.get_mut().write_all(&request).await.unwrap();
        server.write_all(&[round]).await.unwrap();
        server.flush().await.unwrap();
        let mut data = [0];
        read.read_exact(&mut data).await.unwrap();
        assert_eq!(data, [round]);
        write.flush().await.unwrap();
    }
    write.shutdown().await.unwrap();
    let mut heard = Vec::new();
    server.get_mut().read_to_end(&mut heard).await.unwrap();
    assert!(has_refusals(&heard, 2), "{heard:?}");
}

#[tokio::test]
async fn a_whole_stream_refuses_to_renegotiate() {
    let (client, server) = duplex(1 << 14);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(open_client(), name(), client),
        waxwing::tokio::accept(open_server(), server),
    );
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let request = record(HANDSHAKE, &HELLO_REQUEST);
    server.get_mut().write_all(&request).await.unwrap();
    server.write_all(b"data").await.unwrap();
    server.flush().await.unwrap();
    let mut data = [0; 4];
    client.read_exact(&mut data).await.unwrap();
    client.shutdown().await.unwrap();
    let mut heard = Vec::new();
    server.get_mut().read_to_end(&mut heard).await.unwrap();
    assert!(has_refusals(&heard, 1), "{heard:?}");
}
