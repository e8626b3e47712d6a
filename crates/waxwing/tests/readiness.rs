//! Streams under an event loop: level-triggered, edge-triggered, and with a peer that is slow.

mod common;

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::thread;

use common::pipe::{Duplex, wire};
use common::{Numbers, client_config, name, pattern, server_config};
use mio::{Events, Interest, Poll, Token};
use waxwing::Connector;
use waxwing::blocking::Stream;
use waxwing::limits::MAX_RECORD;

/// An established pair over a wire that never waits.
fn pair(capacity: usize) -> (Stream<Duplex>, Stream<Duplex>) {
    let (client, server) = wire(capacity, false);
    let mut client = Stream::client(client_config(), name(), client).unwrap();
    let mut server = Stream::server(server_config(), server);
    while client.is_handshaking() || server.is_handshaking() {
        for result in [client.handshake(), server.handshake()] {
            assert!(result.is_ok() || result.unwrap_err().kind() == ErrorKind::WouldBlock);
        }
    }
    (client, server)
}

#[test]
fn one_read_per_level_and_then_what_is_here_already() {
    let (mut client, mut server) = pair(1 << 20);
    let mut numbers = Numbers::new(7);
    let mut sent = 0;
    let mut received = 0;
    for _ in 0..500 {
        // Some small records arrive at once.
        for _ in 0..=numbers.next(20) {
            sent += client.write(&[1; 300][..=numbers.next(200)]).unwrap();
            client.flush().unwrap();
        }
        // The transport is readable: one read, and then only what needs no transport.
        let mut buf = [0; 100];
        received += server.read(&mut buf).unwrap();
        while server.has_plaintext().unwrap() {
            received += server.read(&mut buf).unwrap();
        }
        assert_eq!(received, sent);
        assert_eq!(
            server.read(&mut buf).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
    }
}

const REQUESTS: usize = 100_000;

/// Answers every byte with a byte, woken by edges only.
fn serve_by_edges(listener: &TcpListener) -> io::Result<()> {
    let sock = listener.accept()?.0;
    sock.set_nonblocking(true)?;
    let mut poll = Poll::new()?;
    let mut sock = mio::net::TcpStream::from_std(sock);
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut sock, Token(0), interest)?;
    let mut stream = Stream::server(server_config(), sock);
    let mut events = Events::with_capacity(8);
    let (mut requests, mut answered) = (0, 0);
    while answered < REQUESTS {
        match turn(&mut stream, &mut requests, &mut answered) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => poll.poll(&mut events, None)?,
            result => result?,
        }
    }
    Ok(())
}

/// Reads and answers until the transport would block: what edges demand.
fn turn(
    stream: &mut Stream<mio::net::TcpStream>,
    requests: &mut usize,
    answered: &mut usize,
) -> io::Result<()> {
    let mut buf = [0; 64];
    loop {
        while *answered < *requests {
            *answered += stream.write(&pattern(*requests - *answered))?;
        }
        if *answered == REQUESTS {
            return stream.flush();
        }
        *requests += stream.read(&mut buf)?;
    }
}

#[test]
fn edges_never_stall_a_hundred_thousand_requests() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sock = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || serve_by_edges(&listener).unwrap());
    let mut client = Connector::new(client_config())
        .connect(name(), sock)
        .unwrap();
    let mut numbers = Numbers::new(3);
    let mut left = REQUESTS;
    while left > 0 {
        // Bursts of requests, each in a record of its own, then all their answers.
        let burst = left.min(1 + numbers.next(400));
        for _ in 0..burst {
            client.write_all(&[1]).unwrap();
        }
        client.flush().unwrap();
        client.read_exact(&mut vec![0; burst]).unwrap();
        left -= burst;
    }
    server.join().unwrap();
}

#[test]
fn a_reader_who_does_not_read_costs_bounded_memory() {
    let (_client, mut server) = pair(1 << 14);
    let data = pattern(50_000);
    let refused = loop {
        match server.write(&data) {
            Ok(count) => assert!(count > 0),
            Err(error) => break error,
        }
        let memory = server.buffer_memory();
        // Twice what may wait, since memory grows by doubling.
        assert!(memory <= 2 * ((64 << 10) + MAX_RECORD), "{memory} bytes");
    };
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
}

/// Counts how often the transport is asked.
struct Counted {
    inner: Duplex,
    reads: usize,
}

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        self.inner.read(to)
    }
}

impl Write for Counted {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.inner.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A megabyte in records of 16 KiB, all there, read in portions that have nothing to do with
/// records: how often the transport is asked, and the most memory held.
fn read_a_megabyte(read_ahead: bool) -> (usize, usize) {
    const BODY: usize = 1 << 20;
    let (client, inner) = wire(2 * BODY, false);
    let mut client = Stream::client(client_config(), name(), client).unwrap();
    let mut server = Stream::server(server_config(), Counted { inner, reads: 0 });
    server.set_read_ahead(read_ahead);
    while client.is_handshaking() || server.is_handshaking() {
        for result in [client.handshake(), server.handshake()] {
            assert!(result.is_ok() || result.unwrap_err().kind() == ErrorKind::WouldBlock);
        }
    }
    client.write_all(&pattern(BODY)).unwrap();
    client.flush().unwrap();
    server.get_mut().reads = 0;
    let mut body = vec![0; BODY];
    let mut at = 0;
    let mut memory = 0;
    while at < BODY {
        let end = BODY.min(at + 5000);
        at += server.read(&mut body[at..end]).unwrap();
        memory = memory.max(server.buffer_memory());
    }
    assert!(body == pattern(BODY));
    (server.get_ref().reads, memory)
}

const RECORDS: usize = 64;

#[test]
fn without_read_ahead_a_record_is_all_that_is_held() {
    let (reads, memory) = read_a_megabyte(false);
    assert!(memory <= MAX_RECORD, "{memory} bytes");
    assert_eq!(reads, 2 * RECORDS, "one for the header, one for the rest");
}

#[test]
fn with_read_ahead_a_record_costs_less_than_a_read() {
    let (reads, memory) = read_a_megabyte(true);
    assert!(reads < RECORDS, "{reads} reads");
    assert!(memory <= 64 << 10, "{memory} bytes");
}
