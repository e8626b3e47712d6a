//! Blocking streams over transports in memory.

mod common;

use std::io::{BufRead, ErrorKind, IoSlice, Read, Write};
use std::thread;

use common::pipe::{Duplex, duplex, wire};
use common::slow::{Manner, Slow, insist};
use common::{client_config, name, pattern, server_config};
use waxwing::blocking::Stream;
use waxwing::{AlertDescription, Connector, Error, ServerName, tls_error};

/// An established pair over a wire that holds `capacity` bytes each way.
fn pair(capacity: usize) -> (Stream<Duplex>, Stream<Duplex>) {
    let (client, server) = duplex(capacity);
    let server = thread::spawn(move || waxwing::serve(server_config(), server).unwrap());
    let client = Connector::new(client_config())
        .connect(name(), client)
        .unwrap();
    (client, server.join().unwrap())
}

#[test]
fn taking_turns_needs_no_flush() {
    let (mut client, mut server) = pair(1 << 16);
    let server = thread::spawn(move || {
        let mut request = [0; 5];
        server.read_exact(&mut request).unwrap();
        server.write_all(&request).unwrap();
        let mut end = Vec::new();
        assert_eq!(server.read_to_end(&mut end).unwrap(), 0);
        server.close_notify().unwrap();
    });
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
    client.shutdown().unwrap();
    server.join().unwrap();
}

/// 200 kB each way, one after the other, over a transport with this manner.
fn carry(manner: Manner) {
    let data = pattern(200_000);
    let (client, server) = wire(1 << 14, !manner.hesitates);
    let server = Slow::new(server, manner.clone());
    let expected = data.clone();
    let server = thread::spawn(move || {
        let mut stream = Stream::server(server_config(), server);
        insist(|| stream.handshake()).unwrap();
        let mut received = vec![0; expected.len()];
        let mut at = 0;
        while at < received.len() {
            at += insist(|| stream.read(&mut received[at..])).unwrap();
        }
        assert!(received == expected);
        at = 0;
        while at < received.len() {
            at += insist(|| stream.write(&received[at..])).unwrap();
        }
        insist(|| stream.close_notify()).unwrap();
        assert_eq!(insist(|| stream.read(&mut [0])).unwrap(), 0);
        assert_eq!(stream.buffer_memory(), 0);
    });
    let mut stream = Stream::client(client_config(), name(), Slow::new(client, manner)).unwrap();
    insist(|| stream.handshake()).unwrap();
    let mut at = 0;
    while at < data.len() {
        at += insist(|| stream.write(&data[at..])).unwrap();
    }
    insist(|| stream.flush()).unwrap();
    let mut received = Vec::new();
    loop {
        let count = insist(|| stream.fill_buf().map(<[u8]>::len)).unwrap();
        if count == 0 {
            break;
        }
        received.extend_from_slice(stream.fill_buf().unwrap());
        stream.consume(count);
    }
    assert!(received == data);
    insist(|| stream.close_notify()).unwrap();
    assert_eq!(stream.buffer_memory(), 0);
    server.join().unwrap();
}

#[test]
fn a_transport_that_moves_single_bytes() {
    carry(Manner::BYTEWISE);
}

#[test]
fn a_transport_that_would_block_before_every_operation() {
    carry(Manner::HESITANT);
}

#[test]
fn transports_that_move_random_portions() {
    for seed in 1..=8 {
        carry(Manner::random(seed));
    }
}

#[test]
fn what_is_written_waits_for_a_flush_and_is_written_when_it_is_much() {
    let (mut client, mut server) = pair(1 << 20);
    client.write_all(&[1; 1000]).unwrap();
    assert!(client.buffer_memory() >= 1000);
    client.flush().unwrap();
    assert_eq!(client.buffer_memory(), 0);
    client.write_all(&[2; 100_000]).unwrap();
    let mut received = vec![0; 101_000];
    // The rest of 100,000 bytes may wait, but no more than a record of them.
    server.read_exact(&mut received[..84_000]).unwrap();
    client.flush().unwrap();
    server.read_exact(&mut received[84_000..]).unwrap();
    assert!(received[..1000].iter().all(|byte| *byte == 1));
    assert!(received[1000..].iter().all(|byte| *byte == 2));
}

#[test]
fn slices_of_one_write_share_a_record() {
    let (mut client, mut server) = pair(1 << 16);
    let parts = [&b"one "[..], b"", b"two ", b"three"].map(IoSlice::new);
    assert_eq!(client.write_vectored(&parts).unwrap(), 13);
    client.flush().unwrap();
    assert_eq!(server.fill_buf().unwrap(), b"one two three");
}

#[test]
fn each_direction_closes_on_its_own() {
    let (mut client, mut server) = pair(1 << 16);
    client.write_all(b"last").unwrap();
    client.close_notify().unwrap();
    let refused = client.write(b"more").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"last");

    server.write_all(b"still here").unwrap();
    server.close_notify().unwrap();
    received.clear();
    client.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"still here");
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn an_end_without_close_notify_is_an_error() {
    let (client, mut server) = pair(1 << 16);
    drop(client.into_inner());
    for _ in 0..2 {
        let error = server.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(tls_error(&error), Some(&Error::Truncated));
    }
}

#[test]
fn without_read_ahead_what_follows_stays_in_the_transport() {
    let (client, server) = duplex(1 << 16);
    let server = thread::spawn(move || {
        let mut stream = Stream::server(server_config(), server);
        stream.set_read_ahead(false);
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        assert_eq!(received, pattern(40_000));
        assert_eq!(stream.buffer_memory(), 0);
        let mut plain = Vec::new();
        stream.into_inner().read_to_end(&mut plain).unwrap();
        plain
    });
    let mut stream = Stream::client(client_config(), name(), client).unwrap();
    stream.write_all(&pattern(40_000)).unwrap();
    stream.close_notify().unwrap();
    let mut wire = stream.into_inner();
    wire.write_all(b"in plaintext again").unwrap();
    drop(wire);
    assert_eq!(server.join().unwrap(), b"in plaintext again");
}

#[test]
fn tls_inside_tls() {
    let (client, server) = duplex(1 << 12);
    let server = thread::spawn(move || {
        let outer = Stream::server(server_config(), server);
        let mut inner = Stream::server(server_config(), outer);
        let mut received = vec![0; 100_000];
        inner.read_exact(&mut received).unwrap();
        inner.write_all(&received).unwrap();
        inner.close_notify().unwrap();
    });
    let outer = Stream::client(client_config(), name(), client).unwrap();
    let mut inner = Stream::client(client_config(), name(), outer).unwrap();
    let data = pattern(100_000);
    inner.write_all(&data).unwrap();
    let mut received = Vec::new();
    inner.read_to_end(&mut received).unwrap();
    assert!(received == data);
    server.join().unwrap();
}

#[test]
fn the_server_learns_why_its_client_left() {
    let (client, server) = duplex(1 << 16);
    let server = thread::spawn(move || waxwing::serve(server_config(), server).unwrap_err());
    let other: ServerName = "elsewhere.example".parse().unwrap();
    let error = Connector::new(client_config())
        .connect(other, client)
        .unwrap_err();
    assert!(matches!(tls_error(&error), Some(Error::Certificate(_))));
    let error = server.join().unwrap();
    let alert = Error::Alert(AlertDescription::BAD_CERTIFICATE);
    assert_eq!(tls_error(&error), Some(&alert));
}

#[test]
fn a_failed_connection_repeats_its_error() {
    let (mut client, mut server) = pair(1 << 16);
    client.get_mut().write_all(&[23, 3, 3, 0, 20]).unwrap();
    client.get_mut().write_all(&[0; 20]).unwrap();
    let error = server.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let expected = tls_error(&error).cloned();
    assert!(expected.is_some());
    for error in [
        server.read(&mut [0]).unwrap_err(),
        server.write(&[0]).unwrap_err(),
    ] {
        assert_eq!(tls_error(&error).cloned(), expected);
    }
    // The alert was sent at once.
    let error = client.read(&mut [0]).unwrap_err();
    let alert = Error::Alert(AlertDescription::BAD_RECORD_MAC);
    assert_eq!(tls_error(&error), Some(&alert));
}
