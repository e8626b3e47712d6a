//! How often a stream asks its transport.

mod common;

use std::io::{BufRead, Read, Write};
use std::thread;

use common::counted::Counted;
use common::pipe::{Duplex, duplex};
use common::{client_config, name, pattern, server_config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use waxwing::blocking::Stream;

const RECORD: usize = 1 << 14;
const RECORDS: usize = 32;

/// A pair whose client counts, and the transport's calls.
fn pair() -> (
    Stream<Counted<Duplex>>,
    std::sync::Arc<common::counted::Calls>,
    Stream<Duplex>,
) {
    let (client, server) = duplex(1 << 20);
    let (client, calls) = Counted::new(client);
    let server = thread::spawn(move || waxwing::serve(server_config(), server).unwrap());
    let client = waxwing::Connector::new(client_config())
        .connect(name(), client)
        .unwrap();
    let mut server = server.join().unwrap();
    // The tickets are out of the way then.
    let mut client = client;
    server.write_all(b"!").unwrap();
    server.flush().unwrap();
    client.read_exact(&mut [0]).unwrap();
    calls.reads();
    calls.writes();
    (client, calls, server)
}

#[test]
fn large_records_need_no_more_than_a_read_each() {
    let (mut client, calls, mut server) = pair();
    let data = pattern(RECORDS * RECORD);
    server.write_all(&data).unwrap();
    server.flush().unwrap();
    let mut received = vec![0; data.len()];
    client.read_exact(&mut received).unwrap();
    assert!(received == data);
    let reads = calls.reads();
    assert!(reads <= RECORDS / 2, "{reads} reads");
    assert_eq!(client.buffer_memory(), 0);

    // One at a time, with nothing behind it.
    for record in data.chunks(RECORD) {
        server.write_all(record).unwrap();
        server.flush().unwrap();
        client.read_exact(&mut received[..RECORD]).unwrap();
        assert!(received[..RECORD] == *record);
    }
    assert_eq!(calls.reads(), RECORDS);
}

#[test]
fn small_records_share_a_read() {
    let (mut client, calls, mut server) = pair();
    for _ in 0..200 {
        server.write_all(&[1; 64]).unwrap();
        server.flush().unwrap();
    }
    let mut records = 0;
    while records < 200 {
        let len = client.fill_buf().unwrap().len();
        assert_eq!(len, 64);
        client.consume(len);
        records += 1;
    }
    let reads = calls.reads();
    assert!(reads <= 2, "{reads} reads");
}

#[test]
fn what_arrives_alone_needs_one_read() {
    let (mut client, calls, mut server) = pair();
    for _ in 0..10 {
        server.write_all(b"request").unwrap();
        server.flush().unwrap();
        client.read_exact(&mut [0; 7]).unwrap();
        assert_eq!(calls.reads(), 1);
        assert_eq!(client.buffer_memory(), 0);
    }
}

#[test]
fn each_flight_is_one_write() {
    let (client, server) = duplex(1 << 20);
    let (client, client_calls) = Counted::new(client);
    let (server, server_calls) = Counted::new(server);
    let server = thread::spawn(move || {
        let config = common::server_builder().tickets(0).build().unwrap();
        waxwing::serve(config, server).unwrap()
    });
    let mut client = waxwing::Connector::new(client_config())
        .connect(name(), client)
        .unwrap();
    client.write_all(b"request").unwrap();
    client.flush().unwrap();
    server.join().unwrap().read_exact(&mut [0; 7]).unwrap();
    // ClientHello; what ends the handshake; the request.
    assert_eq!(client_calls.writes().0, 3);
    assert_eq!(server_calls.writes().0, 1);
}

#[tokio::test]
async fn an_async_stream_does_as_well() {
    let (client, server) = tokio::io::duplex(1 << 20);
    let (client, client_calls) = Counted::new(client);
    let (server, server_calls) = Counted::new(server);
    let config = common::server_builder().tickets(0).build().unwrap();
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client_config(), name(), client),
        waxwing::tokio::accept(config, server),
    );
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert_eq!(client_calls.writes().0, 2);
    assert_eq!(server_calls.writes().0, 1);
    client_calls.reads();

    let data = pattern(RECORDS * RECORD);
    server.write_all(&data).await.unwrap();
    server.flush().await.unwrap();
    let mut received = vec![0; data.len()];
    client.read_exact(&mut received).await.unwrap();
    assert!(received == data);
    let reads = client_calls.reads();
    assert!(reads <= RECORDS / 2, "{reads} reads");

    for record in data.chunks(RECORD) {
        server.write_all(record).await.unwrap();
        server.flush().await.unwrap();
        client.read_exact(&mut received[..RECORD]).await.unwrap();
    }
    assert_eq!(client_calls.reads(), RECORDS);

    for _ in 0..200 {
        server.write_all(&[1; 64]).await.unwrap();
        server.flush().await.unwrap();
    }
    client.read_exact(&mut received[..200 * 64]).await.unwrap();
    let reads = client_calls.reads();
    assert!(reads <= 2, "{reads} reads");
}
