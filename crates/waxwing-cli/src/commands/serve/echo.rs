//! Sending back whatever arrives.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// One read; what is sent back is not kept.
const CHUNK: usize = 16 * 1024;

/// Echoes until the peer closes, then closes too.
pub(crate) async fn serve<S>(mut stream: S, mut stopping: watch::Receiver<bool>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = tokio::select! {
            count = stream.read(&mut buffer) => count?,
            _ = stopping.wait_for(|stop| *stop) => 0,
        };
        if count == 0 {
            return stream.shutdown().await;
        }
        stream
            .write_all(buffer.get(..count).unwrap_or_default())
            .await?;
        stream.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_arrives_goes_back_and_the_end_is_passed_on() {
        let (mut near, far) = tokio::io::duplex(64);
        let (_stop, stopping) = watch::channel(false);
        let echo = tokio::spawn(serve(far, stopping));
        near.write_all(b"hello").await.unwrap();
        near.shutdown().await.unwrap();
        let mut back = Vec::new();
        near.read_to_end(&mut back).await.unwrap();
        assert_eq!(back, b"hello");
        echo.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_stop_closes_the_connection() {
        let (mut near, far) = tokio::io::duplex(64);
        let (stop, stopping) = watch::channel(false);
        let echo = tokio::spawn(serve(far, stopping));
        stop.send_replace(true);
        assert_eq!(near.read(&mut [0]).await.unwrap(), 0);
        echo.await.unwrap().unwrap();
    }
}
