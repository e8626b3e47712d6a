//! Async streams over transports in memory.

mod common;

use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::pin::Pin;

use common::patience::{give_up_after, is_pending};
use common::slow::{Manner, Slow};
use common::{Numbers, client_config, name, pattern, server_config};
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf,
    duplex,
};
use waxwing::tokio::{Setup, TlsStream};
use waxwing::{AlertDescription, Error, ServerName, tls_error};

async fn established<S: AsyncRead + AsyncWrite + Unpin>(
    client: S,
    server: S,
) -> (TlsStream<S>, TlsStream<S>) {
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client_config(), name(), client),
        waxwing::tokio::accept(server_config(), server),
    );
    (client.unwrap(), server.unwrap())
}

async fn pair(capacity: usize) -> (TlsStream<DuplexStream>, TlsStream<DuplexStream>) {
    let (client, server) = duplex(capacity);
    established(client, server).await
}

/// Reads to the end and sends all of it back.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut stream: TlsStream<S>) {
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    stream.write_all(&received).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// 200 kB there and back again.
async fn there_and_back<S: AsyncRead + AsyncWrite + Unpin>(client: S, server: S) {
    let (mut client, server) = established(client, server).await;
    let data = pattern(200_000);
    let talk = async {
        client.write_all(&data).await.unwrap();
        client.shutdown().await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert!(received == data);
        assert_eq!(client.buffer_memory(), 0);
    };
    tokio::join!(talk, echo(server));
}

#[tokio::test]
async fn taking_turns_needs_no_flush() {
    let (mut client, mut server) = pair(100).await;
    let talk = async {
        client.write_all(b"hello").await.unwrap();
        let mut answer = [0; 5];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"hello");
    };
    let answer = async {
        let mut request = [0; 5];
        server.read_exact(&mut request).await.unwrap();
        server.write_all(&request).await.unwrap();
        server.flush().await.unwrap();
    };
    tokio::join!(talk, answer);
}

#[tokio::test]
async fn transports_of_every_manner() {
    let manners = [Manner::BYTEWISE, Manner::HESITANT];
    for manner in manners.into_iter().chain((1..=8).map(Manner::random)) {
        let (client, server) = duplex(10_000);
        let slow = |end| Slow::new(end, manner.clone());
        there_and_back(slow(client), slow(server)).await;
    }
}

#[tokio::test]
async fn tls_inside_tls() {
    let (client, server) = pair(1000).await;
    there_and_back(client, server).await;
}

#[tokio::test]
async fn slices_of_one_write_share_a_record() {
    let (mut client, mut server) = pair(1 << 16).await;
    assert!(client.is_write_vectored());
    let parts = [&b"one "[..], b"", b"two ", b"three"].map(IoSlice::new);
    assert_eq!(client.write_vectored(&parts).await.unwrap(), 13);
    client.flush().await.unwrap();
    assert_eq!(server.fill_buf().await.unwrap(), b"one two three");
}

#[tokio::test]
async fn each_direction_closes_on_its_own() {
    let (mut client, mut server) = pair(1 << 16).await;
    client.write_all(b"last").await.unwrap();
    client.shutdown().await.unwrap();
    client.shutdown().await.unwrap();
    let refused = client.write(b"more").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"last");

    server.write_all(b"still here").await.unwrap();
    server.shutdown().await.unwrap();
    received.clear();
    client.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"still here");
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_end_without_close_notify_is_an_error() {
    let (client, mut server) = pair(1 << 16).await;
    drop(client);
    for _ in 0..2 {
        let error = server.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(tls_error(&error), Some(&Error::Truncated));
    }
}

#[tokio::test]
async fn without_read_ahead_what_follows_stays_in_the_transport() {
    let (client, server) = duplex(1 << 16);
    let talk = async {
        let mut stream = waxwing::tokio::connect(client_config(), name(), client)
            .await
            .unwrap();
        stream.write_all(&pattern(40_000)).await.unwrap();
        stream.close_notify().await.unwrap();
        let mut wire = stream.into_inner();
        wire.write_all(b"in plaintext again").await.unwrap();
    };
    let listen = async {
        let mut stream = Setup::new()
            .read_ahead(false)
            .accept(server_config(), server)
            .await
            .unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert!(received == pattern(40_000));
        assert_eq!(stream.buffer_memory(), 0);
        received.clear();
        let mut wire = stream.into_inner();
        wire.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"in plaintext again");
    };
    tokio::join!(talk, listen);
}

#[tokio::test]
async fn an_idle_stream_holds_no_memory() {
    let (mut client, mut server) = pair(1 << 20).await;
    assert_eq!((client.buffer_memory(), server.buffer_memory()), (0, 0));
    let data = pattern(300_000);
    client.write_all(&data).await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(client.buffer_memory(), 0);
    let mut received = vec![0; data.len()];
    server.read_exact(&mut received).await.unwrap();
    assert!(is_pending(server.read(&mut [0])).await);
    assert_eq!(server.buffer_memory(), 0);
    // Neither does one that waits for the rest of a header.
    server.write_all(b"x").await.unwrap();
    server.flush().await.unwrap();
    let mut record = [0; 23];
    client.get_mut().read_exact(&mut record).await.unwrap();
    let mut wire = server.get_mut();
    wire.write_all(&record[..3]).await.unwrap();
    let mut byte = [0];
    assert!(is_pending(client.read(&mut byte)).await);
    assert_eq!(client.buffer_memory(), 0);
    wire = server.get_mut();
    wire.write_all(&record[3..]).await.unwrap();
    client.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"x");
}

#[tokio::test]
async fn the_server_learns_why_its_client_left() {
    // The alert has to get through even where everything takes two tries.
    let (client, server) = duplex(1 << 16);
    let client = Slow::new(client, Manner::HESITANT);
    let other: ServerName = "elsewhere.example".parse().unwrap();
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client_config(), other, client),
        waxwing::tokio::accept(server_config(), server),
    );
    let error = client.unwrap_err();
    assert!(matches!(tls_error(&error), Some(Error::Certificate(_))));
    let error = server.unwrap_err();
    let alert = Error::Alert(AlertDescription::BAD_CERTIFICATE);
    assert_eq!(tls_error(&error), Some(&alert));
}

#[tokio::test]
async fn a_failed_connection_repeats_its_error_and_says_so_to_the_peer() {
    let (client, server) = duplex(1 << 16);
    let slow = |end| Slow::new(end, Manner::HESITANT);
    let (mut client, mut server) = established(slow(client), slow(server)).await;
    let wire = client.get_mut();
    wire.write_all(&[23, 3, 3, 0, 20]).await.unwrap();
    wire.write_all(&[0; 20]).await.unwrap();
    let error = server.read(&mut [0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let expected = tls_error(&error).cloned();
    assert!(expected.is_some());
    let error = client.read(&mut [0]).await.unwrap_err();
    let alert = Error::Alert(AlertDescription::BAD_RECORD_MAC);
    assert_eq!(tls_error(&error), Some(&alert));
    for error in [
        server.read(&mut [0]).await.unwrap_err(),
        server.write(&[0]).await.unwrap_err(),
    ] {
        assert_eq!(tls_error(&error).cloned(), expected);
    }
}

/// Sends and receives at once, dropping futures all the time.
async fn impatient<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: TlsStream<S>,
    data: &[u8],
    mut numbers: Numbers,
) {
    let mut sent = 0;
    let mut flushed = false;
    let mut received = Vec::new();
    let mut ended = false;
    while !(flushed && ended) {
        let tries = 1 + numbers.next(3);
        match numbers.next(3) {
            0 if sent < data.len() => {
                if let Some(count) = give_up_after(tries, stream.write(&data[sent..])).await {
                    sent += count.unwrap();
                }
            }
            0 => {
                let shutdown = give_up_after(tries, stream.shutdown()).await;
                flushed |= shutdown.map(Result::unwrap).is_some();
            }
            1 => {
                if let Some(result) = give_up_after(tries, stream.flush()).await {
                    result.unwrap();
                }
            }
            _ if ended => {}
            _ => {
                let mut part = vec![0; 1 + numbers.next(30_000)];
                if let Some(count) = give_up_after(tries, stream.read(&mut part)).await {
                    let count = count.unwrap();
                    ended = count == 0;
                    received.extend_from_slice(&part[..count]);
                }
            }
        }
    }
    assert!(received == data);
}

#[tokio::test]
async fn dropped_futures_lose_and_repeat_nothing() {
    let data = pattern(150_000);
    for seed in 1..=12 {
        let (client, server) = duplex(9000);
        let slow = |end| {
            let mut manner = Manner::random(seed);
            manner.hesitates = true;
            Slow::new(end, manner)
        };
        let (client, server) = established(slow(client), slow(server)).await;
        tokio::join!(
            impatient(client, &data, Numbers::new(seed)),
            impatient(server, &data, Numbers::new(seed + 100)),
        );
    }
}

#[tokio::test]
async fn reading_takes_no_more_than_there_is_room_for() {
    let (mut client, mut server) = pair(1 << 16).await;
    client.write_all(b"abcdef").await.unwrap();
    client.flush().await.unwrap();
    let mut space = [0; 4];
    let mut room = ReadBuf::new(&mut space);
    poll_fn(|cx| Pin::new(&mut server).poll_read(cx, &mut room))
        .await
        .unwrap();
    assert_eq!(room.filled(), b"abcd");
    poll_fn(|cx| Pin::new(&mut server).poll_read(cx, &mut room))
        .await
        .unwrap();
    assert_eq!(room.filled(), b"abcd");
    assert_eq!(server.fill_buf().await.unwrap(), b"ef");
}
