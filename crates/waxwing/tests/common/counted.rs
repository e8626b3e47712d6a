//! A transport that counts what is asked of it.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a [`Counted`] transport was asked for.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    reads: AtomicUsize,
    /// Everything written, and where each call begins.
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    calls: usize,
}

impl Calls {
    /// Calls that read something, since the last time.
    pub(crate) fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }

    /// Calls that wrote something since the last time, and the lengths of the records in them.
    pub(crate) fn writes(&self) -> (usize, Vec<usize>) {
        let Written { bytes, calls } = std::mem::take(&mut *self.written.lock().unwrap());
        let mut records = Vec::new();
        let mut rest = &bytes[..];
        while let [_, _, _, high, low, body @ ..] = rest {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            records.push(len);
            rest = &body[len..];
        }
        assert!(rest.is_empty(), "only whole records are written");
        (calls, records)
    }

    fn read(&self, count: usize) {
        if count > 0 {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wrote(&self, data: &[u8]) {
        let mut written = self.written.lock().unwrap();
        written.bytes.extend_from_slice(data);
        written.calls += 1;
    }
}

/// A transport and the [`Calls`] to it.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    inner: S,
    calls: Arc<Calls>,
}

impl<S> Counted<S> {
    pub(crate) fn new(inner: S) -> (Self, Arc<Calls>) {
        let calls = Arc::new(Calls::default());
        let counted = Self {
            inner,
            calls: Arc::clone(&calls),
        };
        (counted, calls)
    }

    /// Both directions, of which `split` makes two.
    pub(crate) fn split<R, W>(self, split: impl FnOnce(S) -> (R, W)) -> (Counted<R>, Counted<W>) {
        let (read, write) = split(self.inner);
        let calls = Arc::clone(&self.calls);
        let read = Counted { inner: read, calls };
        let calls = self.calls;
        (
            read,
            Counted {
                inner: write,
                calls,
            },
        )
    }
}

impl<S: Read> Read for Counted<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.calls.read(count);
        Ok(count)
    }
}

impl<S: Write> Write for Counted<S> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(data)?;
        self.calls.wrote(&data[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, to))?;
        self.calls.read(to.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write(cx, data))?;
        self.calls.wrote(&data[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
