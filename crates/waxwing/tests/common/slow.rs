//! Transports that make things difficult.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Numbers;

/// How a [`Slow`] transport behaves.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Whether every operation has to be tried twice.
    pub(crate) hesitates: bool,
    /// No operation moves more bytes than this.
    pub(crate) most: usize,
    /// Whether operations move fewer bytes, too.
    pub(crate) numbers: Option<Numbers>,
}

impl Manner {
    pub(crate) const HESITANT: Self = Self {
        hesitates: true,
        most: usize::MAX,
        numbers: None,
    };
    pub(crate) const BYTEWISE: Self = Self {
        hesitates: false,
        most: 1,
        numbers: None,
    };

    pub(crate) fn random(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        Self {
            hesitates: seed.is_multiple_of(2),
            most: [7, 100, 5000, 40_000][numbers.next(4)],
            numbers: Some(numbers),
        }
    }

    /// Bytes that may be moved of `len`, which is not 0.
    fn portion(&mut self, len: usize) -> usize {
        let most = self.most.min(len);
        match &mut self.numbers {
            Some(numbers) => 1 + numbers.next(most),
            None => most,
        }
    }
}

/// A transport with a [`Manner`].
#[derive(Debug)]
pub(crate) struct Slow<S> {
    pub(crate) inner: S,
    manner: Manner,
    /// Whether the last try was turned away: of reading, writing and flushing.
    tried: [bool; 3],
}

impl<S> Slow<S> {
    pub(crate) fn new(inner: S, manner: Manner) -> Self {
        Self {
            inner,
            manner,
            tried: [false; 3],
        }
    }

    /// Whether this try is turned away.
    fn hesitate(&mut self, operation: usize) -> bool {
        self.tried[operation] = self.manner.hesitates && !self.tried[operation];
        self.tried[operation]
    }

    fn poll_hesitate(&mut self, operation: usize, cx: &Context<'_>) -> Poll<()> {
        if self.hesitate(operation) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl<S: Read> Read for Slow<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.hesitate(0) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let portion = self.manner.portion(to.len());
        self.inner.read(&mut to[..portion])
    }
}

impl<S: Write> Write for Slow<S> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.hesitate(1) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let portion = self.manner.portion(data.len());
        self.inner.write(&data[..portion])
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.hesitate(2) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.inner.flush()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Slow<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_hesitate(0, cx));
        let portion = self.manner.portion(to.initialize_unfilled().len());
        let mut part = to.take(portion);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        to.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Slow<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_hesitate(1, cx));
        let portion = self.manner.portion(data.len());
        Pin::new(&mut self.inner).poll_write(cx, &data[..portion])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_hesitate(2, cx));
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Repeats `operation` while the transport says that it cannot do it now.
pub(crate) fn insist<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
            result => return result,
        }
    }
}
