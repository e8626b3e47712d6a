//! Small writes wait for each other, and for a flush.

mod common;

use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;
use std::thread;

use common::counted::{Calls, Counted};
use common::pipe::{Duplex, duplex};
use common::{Numbers, client_builder, client_config, name, pattern, server_config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use waxwing::blocking::Stream;
use waxwing::{ClientConfig, Connector, Importer, Misuse, PROVIDER, tls_error};

/// A record's length without its header, for this much plaintext, with TLS 1.3.
const fn sealed(plain: usize) -> usize {
    plain + 1 + 16
}

type Pair = (Stream<Counted<Duplex>>, Arc<Calls>, Stream<Duplex>);

fn pair_with(config: Arc<ClientConfig>) -> Pair {
    let (client, server) = duplex(1 << 20);
    let (client, calls) = Counted::new(client);
    let server = thread::spawn(move || waxwing::serve(server_config(), server).unwrap());
    let client = Connector::new(config).connect(name(), client).unwrap();
    calls.writes();
    (client, calls, server.join().unwrap())
}

fn pair() -> Pair {
    pair_with(client_config())
}

fn write_in_pieces(to: &mut impl Write, data: &[u8]) {
    for piece in data.chunks(10) {
        assert_eq!(to.write(piece).unwrap(), piece.len());
    }
}

#[test]
fn what_is_written_before_a_flush_is_one_record() {
    let (mut client, calls, mut server) = pair();
    let data = pattern(1000);
    write_in_pieces(&mut client, &data);
    assert_eq!(calls.writes(), (0, vec![]));
    assert!(client.buffer_memory() >= 1000);
    client.flush().unwrap();
    assert_eq!(calls.writes(), (1, vec![sealed(1000)]));
    assert_eq!(client.buffer_memory(), 0);
    assert_eq!(server.fill_buf().unwrap(), data);

    let parts = [&data[..1], &[], &data[1..300]].map(IoSlice::new);
    assert_eq!(client.write_vectored(&parts).unwrap(), 300);
    write_in_pieces(&mut client, &data[300..]);
    client.flush().unwrap();
    assert_eq!(calls.writes(), (1, vec![sealed(1000)]));
}

#[test]
fn a_full_record_is_sent_at_once_and_the_rest_waits() {
    let (mut client, calls, mut server) = pair();
    let data = pattern(40_000);
    write_in_pieces(&mut client, &data);
    assert_eq!(calls.writes(), (2, vec![sealed(1 << 14); 2]));
    client.flush().unwrap();
    let rest = data.len() - 2 * (1 << 14);
    assert_eq!(calls.writes(), (1, vec![sealed(rest)]));
    let mut received = vec![0; data.len()];
    server.read_exact(&mut received).unwrap();
    assert!(received == data);
}

#[test]
fn a_large_write_fills_up_what_waits() {
    let (mut client, calls, mut server) = pair();
    let data = pattern(20_000);
    client.write_all(&data[..100]).unwrap();
    client.write_all(&data[100..]).unwrap();
    client.flush().unwrap();
    let rest = data.len() - (1 << 14);
    assert_eq!(calls.writes().1, [sealed(1 << 14), sealed(rest)]);
    let mut received = vec![0; data.len()];
    server.read_exact(&mut received).unwrap();
    assert!(received == data);
}

#[test]
fn records_are_no_larger_than_agreed() {
    let config = client_builder().max_sent_fragment(512).build().unwrap();
    let (mut client, calls, _server) = pair_with(config);
    write_in_pieces(&mut client, &pattern(1200));
    client.flush().unwrap();
    let records = vec![sealed(512), sealed(512), sealed(176)];
    assert_eq!(calls.writes(), (1, records));
}

#[test]
fn everything_that_must_keep_the_order_comes_after_what_was_written() {
    let (mut client, calls, mut server) = pair();
    client.write_all(b"old key, ").unwrap();
    client.update_key(true).unwrap();
    client.write_all(b"new key").unwrap();
    client.close_notify().unwrap();
    // A KeyUpdate has 5 bytes, an alert 2.
    let records = vec![sealed(9), sealed(5), sealed(7), sealed(2)];
    assert_eq!(calls.writes(), (1, records));
    let mut received = String::new();
    server.read_to_string(&mut received).unwrap();
    assert_eq!(received, "old key, new key");

    let error = client.write(b"more").unwrap_err();
    assert_eq!(tls_error(&error), Some(&Misuse::WriteClosed.into()));
    assert_eq!(client.buffer_memory(), 0);
}

#[test]
fn a_read_that_waits_sends_what_was_written() {
    let (mut client, calls, mut server) = pair();
    let server = thread::spawn(move || {
        let mut request = [0; 20];
        server.read_exact(&mut request).unwrap();
        server.write_all(&request).unwrap();
        server.close_notify().unwrap();
    });
    write_in_pieces(&mut client, &pattern(20));
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, pattern(20));
    assert_eq!(calls.writes(), (1, vec![sealed(20)]));
    server.join().unwrap();
}

/// A peer that breaks the rules hears what was written before it is told off.
#[test]
fn an_alert_comes_after_what_was_written() {
    let (mut client, calls, server) = pair();
    let mut wire = server.into_inner();
    wire.write_all(&[23, 3, 3, 0, 20]).unwrap();
    wire.write_all(&[0; 20]).unwrap();
    client.write_all(b"an answer").unwrap();
    assert_eq!(
        client.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::InvalidData
    );
    assert_eq!(calls.writes().1, [sealed(9), sealed(2)]);
}

#[test]
fn what_waits_goes_along_to_another_process() {
    let (mut client, _, mut server) = pair();
    client.write_all(b"written here, ").unwrap();
    let (bytes, transport) = client
        .into_exported()
        .map_err(|(_, reason)| reason)
        .unwrap();
    let importer = Importer::new(&PROVIDER);
    let mut client = Stream::from_exported(bytes.as_bytes(), &importer, transport).unwrap();
    client.write_all(b"flushed there").unwrap();
    client.close_notify().unwrap();
    let mut received = String::new();
    server.read_to_string(&mut received).unwrap();
    assert_eq!(received, "written here, flushed there");
}

#[test]
fn a_transport_that_ends_is_told_at_the_flush() {
    let (mut client, _, server) = pair();
    drop(server);
    client.write_all(b"nobody hears").unwrap();
    assert_eq!(client.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_split_stream_gathers_too() {
    let (client, calls, mut server) = pair();
    let halves = |both: Counted<Duplex>| -> io::Result<_> {
        Ok(both.split(|both| (both.reader, both.writer)))
    };
    let mut client = client;
    client.write_all(b"0123456789").unwrap();
    let (_read, mut write) = client.into_split_with(halves).unwrap();
    calls.writes();
    write_in_pieces(&mut write, &pattern(90));
    assert_eq!(calls.writes().0, 0);
    write.update_key(false).unwrap();
    write_in_pieces(&mut write, &pattern(50));
    write.flush().unwrap();
    assert_eq!(write.buffer_memory(), 0);
    let mut received = vec![0; 150];
    server.read_exact(&mut received).unwrap();
    assert_eq!(
        received,
        [b"0123456789", &pattern(90)[..], &pattern(50)].concat()
    );
    let (writes, records) = calls.writes();
    assert_eq!(
        (writes, &records[records.len() - 2..]),
        (1, &[sealed(5), sealed(50)][..])
    );
}

/// The same of a split stream, whose halves fail one after the other.
#[test]
fn the_alert_of_a_split_stream_comes_after_what_was_written() {
    let (client, calls, server) = pair();
    let halves = |both: Counted<Duplex>| Ok(both.split(|both| (both.reader, both.writer)));
    let (mut read, mut write) = client.into_split_with(halves).unwrap();
    let mut wire = server.into_inner();
    wire.write_all(&[23, 3, 3, 0, 20]).unwrap();
    wire.write_all(&[0; 20]).unwrap();
    write.write_all(b"an answer").unwrap();
    let error = read.read(&mut [0]).unwrap_err();
    let told = write.flush().unwrap_err();
    assert_eq!(tls_error(&told), tls_error(&error));
    assert_eq!(calls.writes().1, [sealed(9), sealed(2)]);
    assert_eq!(write.buffer_memory(), 0);
}

/// Sizes around every limit, in any order, with flushes and new keys in between.
#[test]
fn sizes_of_all_kinds_keep_their_order() {
    for seed in 0..20 {
        let (mut client, _, mut server) = pair();
        let data = pattern(300_000);
        let expected = data.clone();
        let reader = thread::spawn(move || {
            let mut received = Vec::new();
            server.read_to_end(&mut received).unwrap();
            assert!(received == expected, "seed {seed}");
        });
        let mut numbers = Numbers::new(seed);
        let mut rest = &data[..];
        while !rest.is_empty() {
            let most = [10, 1500, 5000, 40_000][numbers.next(4)];
            let (piece, later) = rest.split_at(numbers.next(most).min(rest.len()));
            let middle = numbers.next(piece.len() + 1);
            let parts = [&piece[..middle], &piece[middle..]].map(IoSlice::new);
            let count = client.write_vectored(&parts).unwrap();
            assert!(count > 0 || piece.is_empty());
            rest = if count == piece.len() {
                later
            } else {
                &rest[count..]
            };
            match numbers.next(40) {
                0 => client.flush().unwrap(),
                1 => client.update_key(false).unwrap(),
                _ => {}
            }
        }
        client.close_notify().unwrap();
        assert_eq!(client.buffer_memory(), 0);
        reader.join().unwrap();
    }
}

#[tokio::test]
async fn an_async_stream_and_its_halves_gather_too() {
    let (client, server) = tokio::io::duplex(1 << 20);
    let (client, calls) = Counted::new(client);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client_config(), name(), client),
        waxwing::tokio::accept(server_config(), server),
    );
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    calls.writes();
    let mut received = [0; 1000];
    for _ in 0..2 {
        for piece in pattern(1000).chunks(10) {
            client.write_all(piece).await.unwrap();
        }
        assert_eq!(calls.writes().0, 0);
        client.flush().await.unwrap();
        assert_eq!(client.buffer_memory(), 0);
        assert_eq!(calls.writes(), (1, vec![sealed(1000)]));
        server.read_exact(&mut received).await.unwrap();
        assert_eq!(received[..], pattern(1000));
    }

    // The shutdown sends what waits, and then close_notify.
    let (_read, mut write) = server.into_split();
    for piece in pattern(1000).chunks(10) {
        write.write_all(piece).await.unwrap();
    }
    write.shutdown().await.unwrap();
    assert_eq!(write.buffer_memory(), 0);
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, pattern(1000));
}

#[tokio::test]
async fn an_async_read_that_waits_sends_what_was_written() {
    let (client, server) = tokio::io::duplex(1 << 20);
    let (client, calls) = Counted::new(client);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client_config(), name(), client),
        waxwing::tokio::accept(server_config(), server),
    );
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    calls.writes();
    client.write_all(b"one ").await.unwrap();
    client.write_all(b"two").await.unwrap();
    let mut answer = [0; 7];
    let echo = async {
        let mut request = [0; 7];
        server.read_exact(&mut request).await.unwrap();
        server.write_all(&request).await.unwrap();
        server.flush().await.unwrap();
    };
    let (read, ()) = tokio::join!(client.read_exact(&mut answer), echo);
    read.unwrap();
    assert_eq!(&answer, b"one two");
    assert_eq!(calls.writes(), (1, vec![sealed(7)]));
}
