//! Both sides write more than the transport holds, and read at the same time.

mod common;

use core::time::Duration;

use common::{client_config, name, pattern, server_config};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::time::timeout;
use waxwing::tokio::{TlsStream, accept, connect};

/// Sends and receives as much as two full buffers, twice over.
async fn exchange(stream: TlsStream<DuplexStream>, data: Vec<u8>) {
    let (mut read, mut write) = split(stream);
    let expected = data.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&data).await.unwrap();
        write.flush().await.unwrap();
        write
    });
    let mut received = vec![0; expected.len()];
    read.read_exact(&mut received).await.unwrap();
    assert!(received == expected);
    writer.await.unwrap();
}

// The clock stands still while any task can run; once all of them wait for each other, it jumps
// to the timeout.
#[tokio::test(start_paused = true)]
async fn full_buffers_on_both_sides_do_not_stop_reading() {
    for capacity in [100, 10_000] {
        let (client, server) = duplex(capacity);
        let (client, server) = tokio::join!(
            connect(client_config(), name(), client),
            accept(server_config(), server)
        );
        let data = pattern(300_000);
        let both = async {
            tokio::join!(
                exchange(client.unwrap(), data.clone()),
                exchange(server.unwrap(), data.clone())
            );
        };
        let done = timeout(Duration::from_secs(1), both).await;
        assert!(done.is_ok(), "both sides wait, over {capacity} bytes");
    }
}
