//! Async streams over transports in memory.

mod common;

use common::{client_config, name, server_config};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use waxwing::tokio::TlsStream;

async fn pair(
    client: DuplexStream,
    server: DuplexStream,
) -> (TlsStream<DuplexStream>, TlsStream<DuplexStream>) {
    let server = tokio::spawn(waxwing::tokio::accept(server_config(), server));
    let client = waxwing::tokio::connect(client_config(), name(), client)
        .await
        .unwrap();
    (client, server.await.unwrap().unwrap())
}

#[tokio::test]
async fn request_and_answer() {
    let (client, server) = duplex(100);
    let (mut client, mut server) = pair(client, server).await;
    let echo = tokio::spawn(async move {
        let mut request = [0; 5];
        server.read_exact(&mut request).await.unwrap();
        server.write_all(&request).await.unwrap();
        server.shutdown().await.unwrap();
    });
    client.write_all(b"hello").await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"hello");
    echo.await.unwrap();
}
