//! The two directions of a connection, for two tasks.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use ::tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use ::tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use ::tokio::net::{UnixStream, unix};
use waxwing_core::{ConnectionInfo, Event};

use super::transfer::{poll_flush_out, poll_receive, poll_write};
use super::{TlsStream, take_into};
use crate::driver::{Inbound, Outbound, Receiver, Sender};
use crate::error::into_io;

/// A transport whose directions can be separated.
pub trait SplitIo: AsyncRead + AsyncWrite + Unpin {
    /// Its receiving direction.
    type Read: AsyncRead + Unpin;
    /// Its sending direction.
    type Write: AsyncWrite + Unpin;

    /// Separates them.
    fn split(self) -> (Self::Read, Self::Write);
}

impl SplitIo for TcpStream {
    type Read = tcp::OwnedReadHalf;
    type Write = tcp::OwnedWriteHalf;

    fn split(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}

#[cfg(unix)]
impl SplitIo for UnixStream {
    type Read = unix::OwnedReadHalf;
    type Write = unix::OwnedWriteHalf;

    fn split(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}

/// The halves of this one share a lock, which is held for no longer than a copy takes.
impl SplitIo for DuplexStream {
    type Read = ::tokio::io::ReadHalf<Self>;
    type Write = ::tokio::io::WriteHalf<Self>;

    fn split(self) -> (Self::Read, Self::Write) {
        ::tokio::io::split(self)
    }
}

/// TLS inside TLS.
impl<S: SplitIo> SplitIo for TlsStream<S> {
    type Read = ReadHalf<S::Read>;
    type Write = WriteHalf<S::Write>;

    fn split(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}

/// The receiving direction; see [`TlsStream::into_split`].
///
/// It cannot send: flush the [`WriteHalf`] before waiting for an answer here. If receiving
/// fails, the peer hears of it with the next write, flush or shutdown there.
pub struct ReadHalf<R> {
    receiver: Receiver,
    io: R,
}

impl<R> ReadHalf<R> {
    pub(super) const fn new(receiver: Receiver, io: R) -> Self {
        Self { receiver, io }
    }

    /// What was agreed.
    #[must_use]
    pub fn info(&self) -> &ConnectionInfo {
        &self.receiver.info
    }

    /// Bytes of memory that the buffer holds now.
    #[must_use]
    pub const fn buffer_memory(&self) -> usize {
        self.receiver.memory()
    }

    /// The transport.
    pub const fn get_ref(&self) -> &R {
        &self.io
    }

    /// The transport alone. What was not read is lost.
    pub fn into_inner(self) -> R {
        self.io
    }
}

impl<R: AsyncRead + Unpin> ReadHalf<R> {
    /// Makes plaintext available; there is none after close_notify.
    fn poll_fill_plain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.receiver.fill().map_err(into_io)? {
                Event::AppData(_) | Event::PeerClosed => return Poll::Ready(Ok(())),
                Event::NeedInput(hint) => {
                    ready!(poll_receive(&mut self.receiver, &mut self.io, cx, hint))?;
                }
                _ => {}
            }
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for ReadHalf<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if to.remaining() > 0 {
            ready!(this.poll_fill_plain(cx))?;
            take_into(this.receiver.input(), to);
        }
        Poll::Ready(Ok(()))
    }
}

/// The plaintext is handed out where it was decrypted.
impl<R: AsyncRead + Unpin> AsyncBufRead for ReadHalf<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_fill_plain(cx))?;
        Poll::Ready(Ok(this.receiver.input().plain()))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().receiver.input().take(count);
    }
}

impl<R: core::fmt::Debug> core::fmt::Debug for ReadHalf<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReadHalf")
            .field("io", &self.io)
            .finish_non_exhaustive()
    }
}

/// The sending direction; see [`TlsStream::into_split`].
pub struct WriteHalf<W> {
    sender: Sender,
    io: W,
}

impl<W> WriteHalf<W> {
    pub(super) const fn new(sender: Sender, io: W) -> Self {
        Self { sender, io }
    }

    /// What was agreed.
    #[must_use]
    pub fn info(&self) -> &ConnectionInfo {
        &self.sender.info
    }

    /// Changes the sending key now; with `ask_peer`, the peer changes its own in turn. It is
    /// sent with what is written next, or flushed.
    ///
    /// # Errors
    /// After close_notify, or if the connection failed.
    pub fn update_key(&mut self, ask_peer: bool) -> io::Result<()> {
        self.sender.update_key(ask_peer).map_err(into_io)
    }

    /// Bytes of memory that the buffer holds now.
    #[must_use]
    pub fn buffer_memory(&self) -> usize {
        self.sender.memory()
    }

    /// The transport.
    pub const fn get_ref(&self) -> &W {
        &self.io
    }

    /// The transport alone. What was not flushed is lost.
    pub fn into_inner(self) -> W {
        self.io
    }
}

impl<W: AsyncWrite + Unpin> WriteHalf<W> {
    /// Does what the receiving direction asked for. If that failed, the alert goes out first.
    fn poll_attend(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Err(error) = self.sender.attend() {
            // The peer shall know, but why we failed is what the caller has to know.
            let _ = ready!(poll_flush_out(self.sender.output(), &mut self.io, cx));
            return Poll::Ready(Err(into_io(error)));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_parts<'a>(
        &mut self,
        cx: &mut Context<'_>,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_attend(cx))?;
        poll_write(&mut self.sender, &mut self.io, cx, parts)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for WriteHalf<W> {
    /// Small writes wait together for a flush; see the [module](super).
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_parts(cx, core::iter::once(data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut()
            .poll_write_parts(cx, data.iter().map(|slice| &**slice))
    }

    /// The slices of one call get into common records.
    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Sends what waits. An error of anything that was written before comes here at the latest.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_attend(cx))?;
        this.sender.seal_gathered().map_err(into_io)?;
        poll_flush_out(this.sender.output(), &mut this.io, cx)
    }

    /// Sends close_notify, flushes, and ends the sending direction of the transport.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let attended = this.sender.attend();
        this.sender.close().map_err(into_io)?;
        ready!(poll_flush_out(this.sender.output(), &mut this.io, cx))?;
        ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
        Poll::Ready(attended.map_err(into_io))
    }
}

impl<W: core::fmt::Debug> core::fmt::Debug for WriteHalf<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WriteHalf")
            .field("io", &self.io)
            .finish_non_exhaustive()
    }
}
