//! Making connections.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;

use ::tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use waxwing_core::{
    Accepting, Acceptor, Answer, Buffer, ClientConfig, ClientHelloView, Connection, Error, Event,
    Question, ServerConfig, ServerName,
};

use super::TlsStream;
use super::transfer::{poll_flush_out, poll_read_some, poll_receive};
use crate::buffer::{InBuf, Output, ReadAhead};
use crate::driver::{Driver, Inbound, Outbound};
use crate::error::into_io;

/// Does the handshake with the server `name` over `io`.
///
/// # Errors
/// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    name: ServerName,
    io: S,
) -> io::Result<TlsStream<S>> {
    Setup::new().connect(config, name, io).await
}

/// As [`connect`]; `answerer` takes the decisions that the configuration leaves open.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    name: ServerName,
    io: S,
    answerer: impl Answerer + 'static,
) -> io::Result<TlsStream<S>> {
    Setup::new()
        .answerer(answerer)
        .connect(config, name, io)
        .await
}

/// Does the handshake with a client over `io`.
///
/// # Errors
/// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ServerConfig>,
    io: S,
) -> io::Result<TlsStream<S>> {
    Setup::new().accept(config, io).await
}

/// As [`accept`]; `answerer` takes the decisions that the configuration leaves open.
///
/// # Errors
/// As [`accept`].
pub async fn accept_with<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ServerConfig>,
    io: S,
    answerer: impl Answerer + 'static,
) -> io::Result<TlsStream<S>> {
    Setup::new().answerer(answerer).accept(config, io).await
}

/// An answer on its way.
pub type AnswerFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Takes the decisions that resolvers, keys and verifiers leave for later: a signature from
/// another machine, a verdict that needs a look-up.
///
/// Any function from [`Question`] to [`AnswerFuture`] is one. The future owns what it needs of
/// the question.
pub trait Answerer: Send {
    /// Starts to find the answer.
    fn answer(&mut self, question: Question<'_>) -> AnswerFuture;
}

impl<F: FnMut(Question<'_>) -> AnswerFuture + Send> Answerer for F {
    fn answer(&mut self, question: Question<'_>) -> AnswerFuture {
        self(question)
    }
}

/// How to make one connection.
#[must_use]
pub struct Setup {
    read_ahead: ReadAhead,
    answerer: Option<Box<dyn Answerer>>,
    early_data: Vec<u8>,
}

impl Setup {
    /// Reads ahead; nobody answers questions.
    pub const fn new() -> Self {
        Self {
            read_ahead: ReadAhead::Full,
            answerer: None,
            early_data: Vec::new(),
        }
    }

    /// As a client, sends this as soon as it can be sent: as early data if a session that is resumed
    /// allows for that, and again after the handshake as far as the server did not take it. In the
    /// end the server has heard it once from here, but somebody who recorded it can repeat what was
    /// sent early: see `ClientConfigBuilder::early_data`.
    ///
    /// On a server it is of no effect.
    pub fn early_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.early_data = data.into();
        self
    }

    /// Whether more may be read from the transport than the next record (default: yes).
    ///
    /// Without, each record costs two reads, but after the peer's close_notify the transport
    /// stands exactly behind it. That is what protocols need that go on in plaintext.
    pub const fn read_ahead(mut self, on: bool) -> Self {
        self.read_ahead = if on {
            ReadAhead::Full
        } else {
            ReadAhead::Exact
        };
        self
    }

    /// Takes the decisions that the configuration leaves open. Without, the handshake fails
    /// where there is one.
    ///
    /// It also takes those after the handshake, where a client authenticates later, until the
    /// stream is split. They are waited for by whoever reads.
    pub fn answerer(mut self, answerer: impl Answerer + 'static) -> Self {
        self.answerer = Some(Box::new(answerer));
        self
    }

    /// Does the handshake with the server `name` over `io`.
    ///
    /// # Errors
    /// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        config: Arc<ClientConfig>,
        name: ServerName,
        io: S,
    ) -> io::Result<TlsStream<S>> {
        let mut output = Buffer::new();
        let conn = Connection::client(config, name, &mut output).map_err(into_io)?;
        let mut driver = Driver::new(conn, InBuf::new(self.read_ahead), output);
        let sent = driver.write_early(&self.early_data).map_err(into_io)?;
        let mut stream = handshake(driver, io, self.answerer).await?;
        let heard = if stream.driver.early_data_accepted() {
            sent
        } else {
            0
        };
        let unheard = self.early_data.get(heard..).unwrap_or_default();
        if !unheard.is_empty() {
            stream.write_all(unheard).await?;
            stream.flush().await?;
        }
        Ok(stream)
    }

    /// Does the handshake with a client over `io`.
    ///
    /// # Errors
    /// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        config: Arc<ServerConfig>,
        io: S,
    ) -> io::Result<TlsStream<S>> {
        let conn = Connection::server(config);
        let driver = Driver::new(conn, InBuf::new(self.read_ahead), Buffer::new());
        handshake(driver, io, self.answerer).await
    }

    /// Waits for a client's ClientHello over `io`; the configuration is chosen then.
    pub fn accept_lazily<S>(self, io: S) -> LazyAccept<S> {
        LazyAccept {
            acceptor: Acceptor::new(),
            input: InBuf::new(self.read_ahead),
            output: Output::new(Buffer::new()),
            io,
            answerer: self.answerer,
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Setup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Setup")
            .field("read_ahead", &self.read_ahead)
            .finish_non_exhaustive()
    }
}

/// A server that reads the ClientHello before it decides how to serve.
pub struct LazyAccept<S> {
    acceptor: Acceptor,
    input: InBuf,
    output: Output,
    io: S,
    answerer: Option<Box<dyn Answerer>>,
}

impl<S> LazyAccept<S> {
    /// Waits for a ClientHello over `io`.
    pub fn new(io: S) -> Self {
        Setup::new().accept_lazily(io)
    }

    /// The transport.
    pub const fn get_ref(&self) -> &S {
        &self.io
    }

    /// The transport alone. What was read from it is lost.
    pub fn into_inner(self) -> S {
        self.io
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> LazyAccept<S> {
    /// What the client says. May be dropped and called again.
    ///
    /// # Errors
    /// Of the transport, or anything but a well-formed ClientHello; the client is told.
    pub async fn hello(&mut self) -> io::Result<ClientHelloView<'_>> {
        let Self {
            acceptor,
            input,
            output,
            io,
            ..
        } = self;
        loop {
            match acceptor.process(input.waiting(), &mut output.buffer) {
                Ok((consumed, accepting)) => {
                    input.processed(consumed, 0..0);
                    let Accepting::NeedInput(hint) = accepting else {
                        break;
                    };
                    if !poll_fn(|cx| poll_read_some(input, io, cx, hint)).await? {
                        return Err(into_io(Error::HandshakeCut));
                    }
                }
                Err(error) => {
                    // The client shall know; what it did is what the caller has to know.
                    let _ = poll_fn(|cx| poll_flush_out(output, io, cx)).await;
                    return Err(into_io(error));
                }
            }
        }
        self.acceptor
            .hello()
            .ok_or_else(|| into_io(Error::HandshakeCut))
    }

    /// Goes on with this configuration. It may be called at once; the ClientHello is read then.
    ///
    /// # Errors
    /// As [`accept`].
    pub async fn accept(mut self, config: Arc<ServerConfig>) -> io::Result<TlsStream<S>> {
        self.hello().await?;
        let conn = self.acceptor.accept(config);
        let driver = Driver::new(conn, self.input, self.output.buffer);
        handshake(driver, self.io, self.answerer).await
    }
}

impl<S: core::fmt::Debug> core::fmt::Debug for LazyAccept<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LazyAccept")
            .field("acceptor", &self.acceptor)
            .field("io", &self.io)
            .finish_non_exhaustive()
    }
}

/// Sends what is due while it waits for the peer: with early data both may have more to say than
/// the transport holds.
fn poll_exchange(
    driver: &mut Driver,
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    cx: &mut Context<'_>,
    hint: usize,
) -> Poll<io::Result<()>> {
    if driver.output().is_due()
        && let Poll::Ready(Err(error)) = poll_flush_out(driver.output(), io, cx)
    {
        return Poll::Ready(Err(error));
    }
    poll_receive(driver, io, cx, hint)
}

async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    mut driver: Driver,
    mut io: S,
    mut answerer: Option<Box<dyn Answerer>>,
) -> io::Result<TlsStream<S>> {
    while driver.conn.is_handshaking() {
        let failure = match driver.step() {
            Ok(Event::NeedInput(hint)) => {
                poll_fn(|cx| poll_exchange(&mut driver, &mut io, cx, hint)).await?;
                continue;
            }
            Ok(Event::Wait(wait)) => {
                let answer = match (&mut answerer, driver.conn.question()) {
                    (Some(answerer), Some(question)) => Some(answerer.answer(question)),
                    _ => None,
                };
                match answer {
                    Some(answer) => match driver.answer(answer.await) {
                        Ok(()) => continue,
                        Err(error) => error,
                    },
                    None => driver.refuse(wait),
                }
            }
            Ok(_) => continue,
            Err(error) => error,
        };
        // The peer shall know, but why we failed is what the caller has to know.
        let _ = poll_fn(|cx| poll_flush_out(driver.output(), &mut io, cx)).await;
        return Err(into_io(failure));
    }
    // The tickets of TLS 1.3 are nothing that the peer waits for. It may want to be read from before
    // it reads them, so they can go out later.
    let may_wait = driver.ends_with_tickets();
    poll_fn(|cx| match poll_flush_out(driver.output(), &mut io, cx) {
        Poll::Pending if may_wait => Poll::Ready(Ok(())),
        Poll::Ready(Err(error)) if may_wait && driver.output().peer_left(&error) => {
            Poll::Ready(Ok(()))
        }
        result => result,
    })
    .await?;
    let answerer = answerer.filter(|_| driver.conn.info().post_handshake_auth);
    Ok(TlsStream::new(driver, io, answerer))
}
