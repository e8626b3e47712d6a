//! The halves of blocking streams, in two threads each.

mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use common::pipe::{Reader, Writer, duplex};
use common::{client_config, name, pattern, server_config};
use waxwing::blocking::{ReadStream, Stream, WriteStream};
use waxwing::{AlertDescription, Connector, Error, tls_error};

type Halves = (ReadStream<Reader>, WriteStream<Writer>);

fn split_pair(capacity: usize) -> (Halves, Halves) {
    let (client, server) = duplex(capacity);
    let split = |end: common::pipe::Duplex| Ok((end.reader, end.writer));
    let server = thread::spawn(move || {
        Stream::server(server_config(), server)
            .into_split_with(split)
            .unwrap()
    });
    let client = Stream::client(client_config(), name(), client)
        .unwrap()
        .into_split_with(split)
        .unwrap();
    (client, server.join().unwrap())
}

/// Sends 8 MiB and new keys on the way, while the peer does the same.
fn send(mut write: WriteStream<impl Write>) {
    for (index, part) in pattern(8 << 20).chunks(300_000).enumerate() {
        write.write_all(part).unwrap();
        if index % 3 == 0 {
            write.update_key(index % 2 == 0).unwrap();
        }
    }
    write.close_notify().unwrap();
    assert_eq!(write.buffer_memory(), 0);
}

fn receive(mut read: ReadStream<impl Read>) {
    let mut received = Vec::new();
    read.read_to_end(&mut received).unwrap();
    assert!(received == pattern(8 << 20));
    assert_eq!(read.buffer_memory(), 0);
}

#[test]
fn both_directions_at_once_with_new_keys_on_the_way() {
    let (client, server) = split_pair(1 << 14);
    thread::scope(|scope| {
        for (read, write) in [client, server] {
            scope.spawn(|| send(write));
            scope.spawn(|| receive(read));
        }
    });
}

#[test]
fn the_peer_hears_of_a_failure_from_the_other_half() {
    let ((client_read, client_write), (mut server_read, mut server_write)) = split_pair(1 << 16);
    let mut wire = client_write.into_inner();
    wire.write_all(&[23, 3, 3, 0, 20]).unwrap();
    wire.write_all(&[0; 20]).unwrap();
    let error = server_read.read(&mut [0]).unwrap_err();
    let expected = tls_error(&error).cloned();
    assert!(expected.is_some());
    for error in [
        server_write.close_notify().unwrap_err(),
        server_write.flush().unwrap_err(),
        server_write.write(b"x").unwrap_err(),
    ] {
        assert_eq!(tls_error(&error).cloned(), expected);
    }

    let mut client_read = client_read;
    let error = client_read.read(&mut [0]).unwrap_err();
    let alert = Error::Alert(AlertDescription::BAD_RECORD_MAC);
    assert_eq!(tls_error(&error), Some(&alert));
}

#[test]
fn halves_know_what_was_agreed_and_see_truncation() {
    let ((client_read, client_write), (mut server_read, _server_write)) = split_pair(1 << 16);
    assert!(client_read.info().cipher_suite.is_some());
    assert_eq!(
        client_read.info().cipher_suite,
        client_write.info().cipher_suite
    );
    drop(client_write);
    let error = server_read.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

fn echo(tcp: TcpStream) -> io::Result<()> {
    let (mut read, mut write) = Stream::server(server_config(), tcp).into_split()?;
    io::copy(&mut read, &mut write)?;
    write.close_notify()
}

#[test]
fn echo_over_tcp() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || echo(listener.accept().unwrap().0));
    let tcp = TcpStream::connect(address).unwrap();
    let stream = Connector::new(client_config())
        .connect(name(), tcp)
        .unwrap();
    let (read, write) = stream.into_split().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| send(write));
        scope.spawn(|| receive(read));
    });
    server.join().unwrap().unwrap();
}
