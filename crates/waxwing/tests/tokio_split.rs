//! The two directions of async streams in two tasks.

mod common;

use common::{client_config, name, pattern, server_config};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use waxwing::tokio::{SplitIo, TlsStream};
use waxwing::{AlertDescription, Error, tls_error};

const BIG: usize = 8 << 20;

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

/// Sends and receives 8 MiB at once, with new keys on the way.
async fn both_ways<S>(stream: TlsStream<S>)
where
    S: SplitIo<Read: Send + 'static, Write: Send + 'static>,
{
    let (mut read, mut write) = stream.into_split();
    assert!(read.info().cipher_suite.is_some());
    assert_eq!(read.info().cipher_suite, write.info().cipher_suite);
    let send = tokio::spawn(async move {
        for (index, part) in pattern(BIG).chunks(300_000).enumerate() {
            write.write_all(part).await.unwrap();
            if index % 3 == 0 {
                write.update_key(index % 2 == 0).unwrap();
            }
        }
        write.shutdown().await.unwrap();
        assert_eq!(write.buffer_memory(), 0);
    });
    let receive = tokio::spawn(async move {
        let mut received = Vec::new();
        read.read_to_end(&mut received).await.unwrap();
        assert!(received == pattern(BIG));
        assert_eq!(read.buffer_memory(), 0);
    });
    send.await.unwrap();
    receive.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_directions_at_once_with_new_keys_on_the_way() {
    let (client, server) = pair(1 << 14).await;
    tokio::join!(both_ways(client), both_ways(server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_tcp() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (client, server) = established(client.unwrap(), server.unwrap().0).await;
    tokio::join!(both_ways(client), both_ways(server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tls_inside_tls() {
    let (client, server) = pair(1 << 14).await;
    let (client, server) = established(client, server).await;
    tokio::join!(both_ways(client), both_ways(server));
}

/// `tokio::io::split` lets two tasks use one stream: the one that reads writes, too, to answer
/// requests for new keys, and must not make the transport forget the one that writes.
async fn under_a_lock(mut stream: TlsStream<DuplexStream>) {
    stream.update_key(true).unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    let send = tokio::spawn(async move {
        write.write_all(&pattern(BIG)).await.unwrap();
        write.shutdown().await.unwrap();
        write
    });
    let receive = tokio::spawn(async move {
        let mut received = Vec::new();
        read.read_to_end(&mut received).await.unwrap();
        assert!(received == pattern(BIG));
        read
    });
    let write = send.await.unwrap();
    let read = receive.await.unwrap();
    drop(read.unsplit(write));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_tasks_with_one_stream() {
    for capacity in [500, 1 << 14] {
        let (client, server) = pair(capacity).await;
        tokio::join!(under_a_lock(client), under_a_lock(server));
    }
}

#[tokio::test]
async fn the_peer_hears_of_a_failure_from_the_other_half() {
    let (mut client, server) = pair(1 << 16).await;
    let wire = client.get_mut();
    wire.write_all(&[23, 3, 3, 0, 20]).await.unwrap();
    wire.write_all(&[0; 20]).await.unwrap();
    let (mut read, mut write) = server.into_split();
    let error = read.read(&mut [0]).await.unwrap_err();
    let expected = tls_error(&error).cloned();
    assert!(expected.is_some());
    for error in [
        write.shutdown().await.unwrap_err(),
        write.write(b"x").await.unwrap_err(),
    ] {
        assert_eq!(tls_error(&error).cloned(), expected);
    }
    let error = read.read(&mut [0]).await.unwrap_err();
    assert_eq!(tls_error(&error).cloned(), expected);
    let error = client.read(&mut [0]).await.unwrap_err();
    let alert = Error::Alert(AlertDescription::BAD_RECORD_MAC);
    assert_eq!(tls_error(&error), Some(&alert));
}

#[tokio::test]
async fn halves_of_a_failed_connection_repeat_its_error() {
    let (mut client, mut server) = pair(1 << 16).await;
    let wire = client.get_mut();
    wire.write_all(&[23, 3, 3, 0, 20]).await.unwrap();
    wire.write_all(&[0; 20]).await.unwrap();
    let error = server.read(&mut [0]).await.unwrap_err();
    let expected = tls_error(&error).cloned();
    let (mut read, mut write) = server.into_split();
    let error = read.read(&mut [0]).await.unwrap_err();
    assert_eq!(tls_error(&error).cloned(), expected);
    let error = write.write(b"x").await.unwrap_err();
    assert_eq!(tls_error(&error).cloned(), expected);
}

#[tokio::test]
async fn a_request_for_new_keys_is_answered_before_the_next_data() {
    let (client, mut server) = pair(1 << 16).await;
    let (mut read, mut write) = client.into_split();
    for round in 0..3 {
        server.update_key(true).unwrap();
        server.write_all(&[round]).await.unwrap();
        server.flush().await.unwrap();
        let mut byte = [0];
        read.read_exact(&mut byte).await.unwrap();
        write.write_all(&byte).await.unwrap();
        // A KeyUpdate of 5 + 5 + 17 bytes, and the data.
        write.flush().await.unwrap();
        server.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [round]);
    }
}
