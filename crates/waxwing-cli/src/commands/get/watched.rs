//! Keeping what TLS failed with: HTTP libraries pass on a part of it at most.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{self, IoSlice};
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::exit::Failure;

/// What the stream failed with, once it has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<OnceLock<waxwing::Error>>);

impl Fault {
    /// Why a request to `host` failed; `error` is what the library says.
    pub(crate) fn explain(&self, host: &str, error: &hyper::Error) -> Failure {
        match self.0.get() {
            Some(fault) => Failure::connection(host, fault),
            None => Failure::connection(host, error),
        }
    }

    fn note<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &result
            && let Some(fault) = waxwing::tls_error(error)
        {
            // The first is the cause of all others.
            let _ = self.0.set(fault.clone());
        }
        result
    }
}

/// A stream whose faults are noted.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    fault: Fault,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S) -> (Self, Fault) {
        let fault = Fault::default();
        let watched = Self {
            stream,
            fault: fault.clone(),
        };
        (watched, fault)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, fault } = self.get_mut();
        fault.note(Pin::new(stream).poll_read(cx, to))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, fault } = self.get_mut();
        fault.note(Pin::new(stream).poll_write(cx, data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, fault } = self.get_mut();
        fault.note(Pin::new(stream).poll_write_vectored(cx, data))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, fault } = self.get_mut();
        fault.note(Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, fault } = self.get_mut();
        fault.note(Pin::new(stream).poll_shutdown(cx))
    }
}
