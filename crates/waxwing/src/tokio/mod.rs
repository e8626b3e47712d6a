//! TLS over a tokio transport: anything that is [`AsyncRead`] and [`AsyncWrite`].
//!
//! Writing is like [`BufWriter`](::tokio::io::BufWriter): small writes wait together for a flush,
//! and become one record; large ones are sealed at once from where they are. What waits is bounded:
//! as soon as there is enough for a whole record it is sent. It is also sent when a read of the same
//! stream has to wait for the peer. [`AsyncWriteExt::shutdown`](::tokio::io::AsyncWriteExt)
//! sends everything and then close_notify; dropping a stream sends nothing.
//!
//! The end of the peer's data is certain: a read returns 0 only after close_notify. If the
//! transport ends without it, reading fails with [`io::ErrorKind::UnexpectedEof`], because data
//! may have been cut off (RFC 9846, Section 6.1).
//!
//! Every future here may be dropped at any time: all state is in the stream, so nothing is lost
//! or sent twice. Only a handshake that is dropped takes its transport with it.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};
use std::sync::{Mutex, PoisonError};

use ::tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use waxwing_core::{
    ConnectionInfo, Error, Event, ExportError, Exported, ImportError, Importer, Wait,
};

use crate::buffer::ReadAhead;
use crate::driver::{Asked, Driver, Inbound, Outbound};
use crate::error::into_io;

mod handshake;
mod split;
mod transfer;

pub use handshake::{
    AnswerFuture, Answerer, LazyAccept, Setup, accept, accept_with, connect, connect_with,
};
pub use split::{ReadHalf, SplitIo, WriteHalf};

use transfer::{Senders, Side, poll_flush_out, poll_receive, poll_write, poll_write_out};

/// An established TLS connection and its transport.
///
/// See the [module](self) for how reading and writing behave.
pub struct TlsStream<S> {
    driver: Driver,
    io: S,
    senders: Senders,
    /// What reading failed with; the alert for the peer may still be on its way.
    failed: Option<Error>,
    /// Who takes decisions after the handshake, if there may be any. Nobody ever locks it: the
    /// mutex lets streams be shared although futures are not.
    answers: Option<Box<Mutex<Answers>>>,
}

/// Who answers questions, and an answer on its way.
struct Answers {
    answerer: Box<dyn Answerer>,
    coming: Option<AnswerFuture>,
}

impl<S> TlsStream<S> {
    fn new(driver: Driver, io: S, answerer: Option<Box<dyn Answerer>>) -> Self {
        let answers = |answerer| {
            let coming = None;
            Box::new(Mutex::new(Answers { answerer, coming }))
        };
        Self {
            driver,
            io,
            senders: Senders::new(),
            failed: None,
            answers: answerer.map(answers),
        }
    }

    /// Takes an established stream apart: into bytes, with which [`Self::from_exported`] goes on in
    /// another process, and the transport, which has to get there too.
    ///
    /// Nothing is lost or comes twice: plaintext that was not read, what was read from the
    /// transport and not processed, and what was not written to it yet all go along. Nothing is
    /// read or written here. What a transport with buffers of its own holds is for the caller to
    /// bring along.
    ///
    /// **The bytes are the secret keys of the connection**; see [`Exported`] for how to treat them,
    /// and [`Connection::export`](crate::Connection::export) for what stays behind.
    ///
    /// # Errors
    /// The stream itself, unchanged, and why it cannot be exported now: reading on helps where a
    /// message came only in part.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the stream, given back"
    )]
    pub fn into_exported(self) -> Result<(Exported, S), (Self, ExportError)> {
        if let Some(error) = self.failed.clone() {
            return Err((self, ExportError::Failed(error)));
        }
        let Self {
            driver,
            io,
            senders,
            failed,
            answers,
        } = self;
        match driver.export() {
            Ok(exported) => Ok((exported, io)),
            Err((driver, reason)) => {
                let stream = Self {
                    driver,
                    io,
                    senders,
                    failed,
                    answers,
                };
                Err((stream, reason))
            }
        }
    }

    /// Goes on with a stream that [`Self::into_exported`] took apart: **once** for each export. Read
    /// ahead is on; see [`Self::set_read_ahead`].
    ///
    /// # Errors
    /// If the bytes are no export that this build can go on with.
    pub fn from_exported(
        bytes: &[u8],
        importer: &Importer<'_>,
        io: S,
    ) -> Result<Self, ImportError> {
        let driver = Driver::import(bytes, importer, ReadAhead::Full)?;
        Ok(Self::new(driver, io, None))
    }

    /// What was agreed.
    #[must_use]
    pub const fn info(&self) -> &ConnectionInfo {
        self.driver.conn.info()
    }

    /// Whether more may be read from the transport than the next record (default: yes); see
    /// [`Setup::read_ahead`].
    pub const fn set_read_ahead(&mut self, on: bool) {
        self.driver.set_read_ahead(if on {
            ReadAhead::Full
        } else {
            ReadAhead::Exact
        });
    }

    /// Changes the sending key now; with `ask_peer`, the peer changes its own in turn. It is
    /// sent with what is written next, or flushed.
    ///
    /// # Errors
    /// After close_notify, or if the connection failed.
    pub fn update_key(&mut self, ask_peer: bool) -> io::Result<()> {
        self.driver.update_key(ask_peer).map_err(into_io)
    }

    /// Asks the client for a certificate, as a server whose configuration allows it (RFC 9846,
    /// Section 4.7.2). It is sent with what is written next, or flushed, or by
    /// [`Self::client_answer`].
    ///
    /// # Errors
    /// If the two sides did not agree on it, the last request is still open, or after
    /// close_notify.
    pub fn request_client_certificate(&mut self) -> io::Result<()> {
        self.driver.request_client_certificate().map_err(into_io)
    }

    /// Bytes of memory that the buffers hold now. An idle stream holds none.
    #[must_use]
    pub fn buffer_memory(&self) -> usize {
        self.driver.memory()
    }

    /// The transport.
    pub const fn get_ref(&self) -> &S {
        &self.io
    }

    /// The transport. What is read from it or written to it is missing in the connection.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.io
    }

    /// The transport alone. What was not flushed or read is lost.
    pub fn into_inner(self) -> S {
        self.io
    }
}

impl<S: SplitIo> TlsStream<S> {
    /// Separates the directions, for two tasks. They share no lock. What a client and a server
    /// agreed on for after the handshake ends with it: see `Connection::split`.
    pub fn into_split(self) -> (ReadHalf<S::Read>, WriteHalf<S::Write>) {
        let (read, write) = self.io.split();
        let (receiver, sender) = self.driver.split();
        (ReadHalf::new(receiver, read), WriteHalf::new(sender, write))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Sends close_notify and flushes, but leaves the transport open: nothing more can be
    /// written, the peer's data can still be read.
    ///
    /// # Errors
    /// Of the transport.
    pub async fn close_notify(&mut self) -> io::Result<()> {
        self.driver.close().map_err(into_io)?;
        core::future::poll_fn(|cx| self.poll_flush_side(cx, Side::Writer)).await
    }

    /// Waits until the client has answered the last request for a certificate: whether it showed
    /// one, of which [`Self::info`] then tells. `None` if application data, or its end, comes
    /// first: read it and call again. `None` too if there was no request.
    ///
    /// # Errors
    /// Of the transport, or of TLS; a certificate that is not accepted is one.
    pub async fn client_answer(&mut self) -> io::Result<Option<bool>> {
        loop {
            match self.driver.asked {
                Asked::No => return Ok(None),
                Asked::Answered(shown) => return Ok(Some(shown)),
                Asked::Open => {}
            }
            let event = core::future::poll_fn(|cx| self.poll_event(cx)).await?;
            if let Event::AppData(_) | Event::PeerClosed = event {
                return Ok(None);
            }
        }
    }

    /// Makes plaintext available; there is none after close_notify.
    fn poll_fill_plain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Event::AppData(_) | Event::PeerClosed = ready!(self.poll_event(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Receives until there is something to tell.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Event>> {
        loop {
            if let Some(error) = &self.failed {
                let error = error.clone();
                // The peer shall know, but that we failed is what the caller has to know.
                let _ = ready!(self.poll_flush_side(cx, Side::Reader));
                return Poll::Ready(Err(into_io(error)));
            }
            if self.driver.output().is_flooded() {
                ready!(self.poll_write_out_side(cx, Side::Reader))?;
            }
            match self.driver.fill() {
                Ok(Event::NeedInput(hint)) => {
                    match poll_receive(&mut self.driver, &mut self.io, cx, hint) {
                        Poll::Ready(result) => result?,
                        Poll::Pending => return self.poll_idle(cx),
                    }
                }
                Ok(Event::Wait(wait)) => match self.poll_answer(cx, wait) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => self.failed = Some(error),
                    Poll::Pending => return self.poll_idle(cx),
                },
                Ok(event) => return Poll::Ready(Ok(event)),
                Err(error) => self.failed = Some(error),
            }
        }
    }

    /// Answers a question after the handshake.
    fn poll_answer(&mut self, cx: &mut Context<'_>, wait: Wait) -> Poll<Result<(), Error>> {
        let question = self.driver.conn.question();
        let (Some(answers), Some(question)) = (&mut self.answers, question) else {
            return Poll::Ready(Err(self.driver.refuse(wait)));
        };
        let Answers { answerer, coming } =
            answers.get_mut().unwrap_or_else(PoisonError::into_inner);
        let answer = coming.get_or_insert_with(|| answerer.answer(question));
        let answer = ready!(answer.as_mut().poll(cx));
        *coming = None;
        Poll::Ready(self.driver.answer(answer))
    }

    /// Reading has to wait: the peer must have what it may be waiting for.
    fn poll_idle<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.driver.output().is_due()
            && let Poll::Ready(Err(error)) = self.poll_flush_side(cx, Side::Reader)
            && !self.driver.output().peer_left(&error)
        {
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }

    fn poll_flush_side(&mut self, cx: &mut Context<'_>, side: Side) -> Poll<io::Result<()>> {
        if self.failed.is_none() || side == Side::Writer {
            self.driver.seal_gathered().map_err(into_io)?;
        }
        let Self {
            driver,
            io,
            senders,
            ..
        } = self;
        senders.poll(side, cx, |cx| poll_flush_out(driver.output(), io, cx))
    }

    fn poll_write_out_side(&mut self, cx: &mut Context<'_>, side: Side) -> Poll<io::Result<()>> {
        let Self {
            driver,
            io,
            senders,
            ..
        } = self;
        senders.poll(side, cx, |cx| poll_write_out(driver.output(), io, cx))
    }

    fn poll_write_parts<'a>(
        &mut self,
        cx: &mut Context<'_>,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Poll<io::Result<usize>> {
        let Self {
            driver,
            io,
            senders,
            ..
        } = self;
        senders.poll(Side::Writer, cx, |cx| poll_write(driver, io, cx, parts))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if to.remaining() > 0 {
            ready!(this.poll_fill_plain(cx))?;
            take_into(this.driver.input(), to);
        }
        Poll::Ready(Ok(()))
    }
}

/// The plaintext is handed out where it was decrypted.
impl<S: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for TlsStream<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_fill_plain(cx))?;
        Poll::Ready(Ok(this.driver.input().plain()))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().driver.input().take(count);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    /// Small writes wait together for a flush; see the [module](self).
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
        self.get_mut().poll_flush_side(cx, Side::Writer)
    }

    /// Sends close_notify, flushes, and ends the sending direction of the transport.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.driver.close().map_err(into_io)?;
        let Self {
            driver,
            io,
            senders,
            ..
        } = this;
        senders.poll(Side::Writer, cx, |cx| {
            ready!(poll_flush_out(driver.output(), io, cx))?;
            Pin::new(io).poll_shutdown(cx)
        })
    }
}

/// Moves plaintext to the caller.
fn take_into(input: &mut crate::buffer::InBuf, to: &mut ReadBuf<'_>) {
    let plain = input.plain();
    let count = plain.len().min(to.remaining());
    to.put_slice(&plain[..count]);
    input.take(count);
}

impl<S: core::fmt::Debug> core::fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TlsStream")
            .field("conn", &self.driver.conn)
            .field("io", &self.io)
            .finish_non_exhaustive()
    }
}
