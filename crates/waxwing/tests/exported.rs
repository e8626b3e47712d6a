//! Streams that are taken apart in the middle of everything, and go on.

mod common;

use core::future::poll_fn;
use core::pin::Pin;
use core::task::Poll;
use std::io::{self, ErrorKind, Read, Write};
use std::thread;

use common::pipe::{Duplex, duplex, wire};
use common::slow::{Manner, Slow, insist};
use common::{
    Numbers, client_builder, client_config, name, pattern, server_builder, server_config,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use waxwing::blocking::Stream;
use waxwing::tokio::TlsStream;
use waxwing::{
    AlertDescription, Connector, Error, ExportError, ImportError, Importer, PROVIDER,
    ProtocolVersion, ProtocolVersions, tls_error,
};

const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];

fn again<S>(stream: Stream<S>) -> Stream<S> {
    let Ok((exported, sock)) = stream.into_exported() else {
        panic!("cannot be exported");
    };
    Stream::from_exported(exported.as_bytes(), &Importer::new(&PROVIDER), sock).unwrap()
}

/// One side of a conversation that goes both ways at once.
struct Side {
    stream: Option<Stream<Slow<Duplex>>>,
    data: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    numbers: Numbers,
    exports: usize,
}

/// What waits is no error here.
fn unless_it_waits<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

impl Side {
    fn new(stream: Stream<Slow<Duplex>>, seed: u64) -> Self {
        let mut data = pattern(60_000);
        data[0] = seed as u8;
        Self {
            stream: Some(stream),
            data,
            sent: 0,
            received: Vec::new(),
            numbers: Numbers::new(seed),
            exports: 0,
        }
    }

    /// Does something; false once it is all done.
    fn step(&mut self) -> bool {
        let stream = self.stream.as_mut().unwrap();
        match self.numbers.next(10) {
            0..3 => {
                let most = 1 + self.numbers.next(20_000);
                let left = &self.data[self.sent..];
                let part = &left[..most.min(left.len())];
                self.sent += unless_it_waits(stream.write(part)).unwrap_or_default();
            }
            3..7 => {
                // Less than a record, often: plaintext is left over.
                let mut buffer = vec![0; 1 + self.numbers.next(20_000)];
                let count = unless_it_waits(stream.read(&mut buffer)).unwrap_or_default();
                self.received.extend(&buffer[..count]);
            }
            7 => {
                let new = stream.info().version == Some(ProtocolVersion::TLS13);
                if new && self.numbers.next(4) == 0 {
                    stream.update_key(self.numbers.next(2) == 0).unwrap();
                }
            }
            8 => {
                unless_it_waits(stream.flush());
            }
            _ => {
                self.stream = Some(again(self.stream.take().unwrap()));
                self.exports += 1;
            }
        }
        self.sent < self.data.len()
    }
}

#[test]
fn nothing_is_lost_or_comes_twice_wherever_it_is_cut() {
    let mut exports = 0;
    for seed in 0..16 {
        let versions = VERSIONS[seed as usize % 2];
        let (near, far) = wire(1 << 15, false);
        let client = client_builder().versions(versions).build().unwrap();
        let server = server_builder().versions(versions).build().unwrap();
        let near = Slow::new(near, Manner::random(seed));
        let far = Slow::new(far, Manner::random(seed + 100));
        let mut near = Stream::client(client, name(), near).unwrap();
        let mut far = Stream::server(server, far);
        while near.is_handshaking() || far.is_handshaking() {
            unless_it_waits(near.handshake());
            unless_it_waits(far.handshake());
        }
        let mut sides = [Side::new(near, seed), Side::new(far, seed + 1)];
        let [near, far] = &mut sides;
        while near.step() | far.step() {}
        while near.received.len() < far.data.len() || far.received.len() < near.data.len() {
            near.step();
            far.step();
            for side in [&mut *near, far] {
                unless_it_waits(side.stream.as_mut().unwrap().flush());
            }
        }
        assert!(
            near.received == far.data && far.received == near.data,
            "{seed}"
        );
        exports += near.exports + far.exports;
        // The end is certain here, too.
        let [near, far] = sides.map(|side| side.stream.unwrap());
        let (mut near, mut far) = (again(near), again(far));
        insist(|| near.close_notify()).unwrap();
        assert_eq!(insist(|| far.read(&mut [0])).unwrap(), 0);
        let mut far = again(far);
        insist(|| far.close_notify()).unwrap();
        assert_eq!(insist(|| near.read(&mut [0])).unwrap(), 0);
    }
    assert!(exports > 100, "{exports}");
}

#[test]
fn a_handshake_or_a_failure_gives_the_stream_back() {
    let (near, far) = wire(1 << 15, false);
    let stream = Stream::client(client_config(), name(), near).unwrap();
    let (mut near, reason) = stream.into_exported().unwrap_err();
    assert_eq!(reason, ExportError::HandshakePending);
    let mut far = Stream::server(server_config(), far);
    while near.is_handshaking() || far.is_handshaking() {
        unless_it_waits(near.handshake());
        unless_it_waits(far.handshake());
    }
    far.get_mut()
        .write_all(b"no record of this connection")
        .unwrap();
    let error = near.read(&mut [0]).unwrap_err();
    let error = tls_error(&error).unwrap().clone();
    let (mut near, reason) = near.into_exported().unwrap_err();
    assert_eq!(reason, ExportError::Failed(error));
    assert!(near.read(&mut [0]).is_err());
    // The alert had been sent before.
    let error = far.read(&mut [0]).unwrap_err();
    let Some(Error::Alert(alert)) = tls_error(&error) else {
        panic!("{error}");
    };
    assert_eq!(*alert, AlertDescription::UNEXPECTED_MESSAGE);
    let refused = Stream::from_exported(b"x", &Importer::new(&PROVIDER), near).unwrap_err();
    assert_eq!(refused, ImportError::NotAnExport);
}

#[test]
fn a_blocking_pair_goes_on_over_its_transports() {
    let (near, far) = duplex(1 << 12);
    let server = thread::spawn(move || {
        let mut stream = waxwing::serve(server_config(), far).unwrap();
        for _ in 0..20 {
            let mut request = [0; 5000];
            stream.read_exact(&mut request).unwrap();
            stream = again(stream);
            stream.write_all(&request).unwrap();
            stream.flush().unwrap();
        }
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    });
    let mut stream = Connector::new(client_config())
        .connect(name(), near)
        .unwrap();
    for round in 0..20 {
        stream.write_all(&[round; 5000]).unwrap();
        // It was not flushed: it goes along.
        stream = again(stream);
        let mut answer = [0; 5000];
        stream.read_exact(&mut answer[..3]).unwrap();
        // This was decrypted, and goes along.
        stream = again(stream);
        stream.read_exact(&mut answer[3..]).unwrap();
        assert_eq!(answer, [round; 5000]);
    }
    again(stream).close_notify().unwrap();
    server.join().unwrap();
}

fn again_async<S>(stream: TlsStream<S>) -> TlsStream<S> {
    let Ok((exported, io)) = stream.into_exported() else {
        panic!("cannot be exported");
    };
    TlsStream::from_exported(exported.as_bytes(), &Importer::new(&PROVIDER), io).unwrap()
}

/// Writes some of `data` or reads something, whatever can be done first.
async fn either<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut TlsStream<S>,
    data: &[u8],
    received: &mut Vec<u8>,
    most: usize,
) -> usize {
    poll_fn(|cx| {
        let mut written = 0;
        if !data.is_empty()
            && let Poll::Ready(count) = Pin::new(&mut *stream).poll_write(cx, data)
        {
            written = count.unwrap();
        }
        let mut buffer = vec![0; most];
        let mut buffer = ReadBuf::new(&mut buffer);
        if let Poll::Ready(result) = Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
            result.unwrap();
        }
        received.extend(buffer.filled());
        if written == 0 && buffer.filled().is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(written)
        }
    })
    .await
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: TlsStream<S>,
    seed: u64,
) -> (Vec<u8>, TlsStream<S>) {
    let mut numbers = Numbers::new(seed);
    let data = pattern(300_000);
    let (mut sent, mut received) = (0, Vec::new());
    while sent < data.len() || received.len() < data.len() {
        let left = &data[sent..];
        let part = &left[..left.len().min(1 + numbers.next(20_000))];
        sent += either(&mut stream, part, &mut received, 1 + numbers.next(20_000)).await;
        if numbers.next(3) == 0 {
            stream = again_async(stream);
        }
    }
    stream.flush().await.unwrap();
    (received, stream)
}

#[tokio::test]
async fn async_streams_lose_and_repeat_nothing() {
    for seed in 0..16 {
        let versions = VERSIONS[seed as usize % 2];
        let client = client_builder().versions(versions).build().unwrap();
        let server = server_builder().versions(versions).build().unwrap();
        let (near, far) = tokio::io::duplex(1 << 14);
        let far = Slow::new(far, Manner::random(seed));
        let (near, far) = tokio::join!(
            waxwing::tokio::connect(client, name(), near),
            waxwing::tokio::accept(server, far),
        );
        let (near, far) = tokio::join!(talk(near.unwrap(), seed), talk(far.unwrap(), seed + 1));
        let expected = pattern(300_000);
        assert!(near.0 == expected && far.0 == expected, "{seed}");
        let (mut near, mut far) = (again_async(near.1), again_async(far.1));
        let mut rest = Vec::<u8>::new();
        let (closed, end) = tokio::join!(
            near.shutdown(),
            poll_fn(|cx| {
                let mut buffer = [0; 1];
                let mut buffer = ReadBuf::new(&mut buffer);
                let polled = Pin::new(&mut far).poll_read(cx, &mut buffer);
                rest.extend(buffer.filled());
                polled
            })
        );
        closed.unwrap();
        end.unwrap();
        assert!(rest.is_empty());
    }
}

#[tokio::test]
async fn a_failed_async_stream_is_given_back() {
    let (near, far) = tokio::io::duplex(1 << 14);
    let (near, far) = tokio::join!(
        waxwing::tokio::connect(client_config(), name(), near),
        waxwing::tokio::accept(server_config(), far),
    );
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    far.get_mut()
        .write_all(b"no record of this connection")
        .await
        .unwrap();
    let mut nothing = [0; 1];
    let error = poll_fn(|cx| Pin::new(&mut near).poll_read(cx, &mut ReadBuf::new(&mut nothing)))
        .await
        .unwrap_err();
    let error = tls_error(&error).unwrap().clone();
    let (_, reason) = near.into_exported().unwrap_err();
    assert_eq!(reason, ExportError::Failed(error));
}
