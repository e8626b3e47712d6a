//! TLS over a transport that blocks: anything that is [`Read`] and [`Write`].
//!
//! Writing is like [`std::io::BufWriter`]: small writes wait together for a flush, and become one
//! record; large ones are sealed at once from where they are. What waits is bounded: as soon as
//! there is enough for a whole record it is sent. It is also sent before a read waits for the peer,
//! so two sides that take turns need no flush.
//!
//! The end of the peer's data is certain: a read returns 0 only after close_notify. If the
//! transport ends without it, reading fails with [`io::ErrorKind::UnexpectedEof`], because data
//! may have been cut off (RFC 9846, Section 6.1).
//!
//! A transport with a timeout, or in non-blocking mode, may give up with
//! [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`] in any call. Nothing is lost:
//! call again.

use std::io::{self, BufRead, IoSlice, IoSliceMut, Read, Write};
use std::sync::Arc;

use waxwing_core::{
    Answer, Buffer, ClientConfig, Connection, ConnectionInfo, Event, ExportError, Exported,
    ImportError, Importer, Question, ServerConfig, ServerName, Wait,
};

use crate::buffer::{InBuf, ReadAhead};
use crate::driver::{Asked, Driver, Inbound, Outbound};
use crate::error::into_io;

mod split;
mod transfer;

pub use split::{ReadStream, WriteStream};

use transfer::{Failure, flush, flush_out, read_some, waits};

/// A TLS connection and its transport.
///
/// Dropping it sends nothing: call [`Self::shutdown`] first, so that the peer knows that it has
/// all data. See the [module](self) for how reading and writing behave.
pub struct Stream<S> {
    driver: Driver,
    sock: S,
}

impl<S> Stream<S> {
    /// Joins a connection that has nothing to send, such as a new server, with its transport.
    #[must_use]
    pub fn new(conn: Connection, sock: S) -> Self {
        Self::with_output(conn, Buffer::new(), sock)
    }

    /// Joins a connection with its transport; `output` is sent first.
    #[must_use]
    pub fn with_output(conn: Connection, output: Buffer, sock: S) -> Self {
        let input = InBuf::new(ReadAhead::Full);
        Self {
            driver: Driver::new(conn, input, output),
            sock,
        }
    }

    /// A client that wants to talk to `name`. Nothing is sent yet.
    ///
    /// # Errors
    /// If the configuration does not work.
    pub fn client(config: Arc<ClientConfig>, name: ServerName, sock: S) -> io::Result<Self> {
        let mut output = Buffer::new();
        let conn = Connection::client(config, name, &mut output).map_err(into_io)?;
        Ok(Self::with_output(conn, output, sock))
    }

    /// A server. Nothing is received yet.
    #[must_use]
    pub fn server(config: Arc<ServerConfig>, sock: S) -> Self {
        Self::new(Connection::server(config), sock)
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
    /// and [`Connection::export`] for what stays behind.
    ///
    /// ```
    /// use std::io;
    /// use std::net::TcpStream;
    /// use waxwing::blocking::Stream;
    /// use waxwing::{Exported, Importer, PROVIDER};
    ///
    /// // In the old process; the socket and the bytes go to the new one.
    /// fn leave(stream: Stream<TcpStream>) -> io::Result<(Exported, TcpStream)> {
    ///     stream
    ///         .into_exported()
    ///         .map_err(|(_, reason)| io::Error::other(reason))
    /// }
    ///
    /// // In the new one.
    /// fn go_on(bytes: &[u8], socket: TcpStream) -> io::Result<Stream<TcpStream>> {
    ///     Stream::from_exported(bytes, &Importer::new(&PROVIDER), socket)
    ///         .map_err(io::Error::other)
    /// }
    /// ```
    ///
    /// # Errors
    /// The stream itself, unchanged, and why it cannot be exported now: reading on helps where a
    /// message came only in part.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the stream, given back"
    )]
    pub fn into_exported(self) -> Result<(Exported, S), (Self, ExportError)> {
        let Self { driver, sock } = self;
        match driver.export() {
            Ok(exported) => Ok((exported, sock)),
            Err((driver, reason)) => Err((Self { driver, sock }, reason)),
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
        sock: S,
    ) -> Result<Self, ImportError> {
        let driver = Driver::import(bytes, importer, ReadAhead::Full)?;
        Ok(Self { driver, sock })
    }

    /// What was agreed, as far as the handshake got.
    #[must_use]
    pub const fn info(&self) -> &ConnectionInfo {
        self.driver.conn.info()
    }

    /// Whether the handshake is still going on.
    #[must_use]
    pub const fn is_handshaking(&self) -> bool {
        self.driver.conn.is_handshaking()
    }

    /// Whether more may be read from the transport than the next record (default: yes).
    ///
    /// Without, each record costs two reads, but after the peer's close_notify the transport
    /// stands exactly behind it. That is what protocols need that go on in plaintext. Turn it
    /// off before the handshake.
    pub const fn set_read_ahead(&mut self, on: bool) {
        self.driver.set_read_ahead(if on {
            ReadAhead::Full
        } else {
            ReadAhead::Exact
        });
    }

    /// Bytes of memory that the buffers hold now. An idle stream holds none.
    #[must_use]
    pub fn buffer_memory(&self) -> usize {
        self.driver.memory()
    }

    /// The transport.
    pub const fn get_ref(&self) -> &S {
        &self.sock
    }

    /// The transport. What is read from it or written to it is missing in the connection.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.sock
    }

    /// The transport alone. What was not flushed or read is lost.
    pub fn into_inner(self) -> S {
        self.sock
    }
}

impl<S: Read + Write> Stream<S> {
    /// Completes the handshake. Reading and writing do it by themselves.
    ///
    /// # Errors
    /// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
    pub fn handshake(&mut self) -> io::Result<()> {
        self.run_handshake(None)
    }

    /// Completes the handshake with answers to the questions that the configuration left open.
    /// After it nobody is asked: where a client authenticates later, resolver, key and verifier
    /// have to answer at once, or reading fails with `Misuse::Unanswered`.
    ///
    /// # Errors
    /// As [`Self::handshake`].
    pub fn handshake_with(
        &mut self,
        mut answer: impl FnMut(Question<'_>) -> Answer,
    ) -> io::Result<()> {
        self.run_handshake(Some(&mut answer))
    }

    fn run_handshake(
        &mut self,
        mut answerer: Option<&mut dyn FnMut(Question<'_>) -> Answer>,
    ) -> io::Result<()> {
        while self.is_handshaking() {
            self.handshake_step(&mut answerer)?;
        }
        if let Some(error) = self.driver.conn.failure().cloned() {
            return Err(self.fail(Failure::Tls(error)));
        }
        self.flush_handshake()
    }

    /// Sends the last of the handshake. After it a server of TLS 1.3 sends tickets, which a client
    /// need not have waited for.
    fn flush_handshake(&mut self) -> io::Result<()> {
        let tickets = self.driver.ends_with_tickets();
        match flush(&mut self.driver, &mut self.sock) {
            Err(error) if tickets && self.driver.output().peer_left(&error) => Ok(()),
            result => result,
        }
    }

    /// Takes the handshake on to the next event.
    fn handshake_step(
        &mut self,
        answerer: &mut Option<&mut dyn FnMut(Question<'_>) -> Answer>,
    ) -> io::Result<()> {
        match self.driver.step() {
            Ok(Event::NeedInput(hint)) => {
                self.send_before_read()?;
                read_some(&mut self.driver, &mut self.sock, hint).map_err(|f| self.fail(f))
            }
            Ok(Event::Wait(wait)) => {
                let answer = match (answerer, self.driver.conn.question()) {
                    (Some(answerer), Some(question)) => answerer(question),
                    _ => return Err(self.refuse(wait)),
                };
                self.driver
                    .answer(answer)
                    .map_err(|error| self.fail(Failure::Tls(error)))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(self.fail(Failure::Tls(error))),
        }
    }

    /// As a client, completes the handshake, and sends `data` as soon as it can be sent: as early
    /// data if a session that is resumed allows for that, and again after the handshake as far as
    /// the server did not take it. In the end the server has heard it once from here, but somebody
    /// who recorded it can repeat what was sent early: see `ClientConfigBuilder::early_data`.
    ///
    /// It is for transports that wait: after an error it cannot be called again.
    ///
    /// # Errors
    /// As [`Self::handshake`].
    pub fn handshake_with_early_data(&mut self, data: &[u8]) -> io::Result<()> {
        let sent = self.driver.write_early(data).map_err(into_io)?;
        self.handshake()?;
        let heard = if self.driver.early_data_accepted() {
            sent
        } else {
            0
        };
        self.write_all(data.get(heard..).unwrap_or_default())?;
        self.flush()
    }

    /// As a server that takes early data, reads some before the handshake is complete; 0 once there
    /// is none, or no more.
    ///
    /// Without this, reading completes the handshake first, and early data is read like any other:
    /// then it cannot be a copy of what somebody recorded, whose handshake would not be completed.
    /// What is read here can be. Until it is known that it is not (when [`Self::is_handshaking`] is
    /// false), do nothing with it that must not be done twice (RFC 8470, Section 3). It can be
    /// answered at once by writing.
    ///
    /// # Errors
    /// As [`Self::handshake`].
    pub fn read_early(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.is_handshaking() && self.driver.input().plain().is_empty() {
            self.handshake_step(&mut None)?;
        }
        if !self.is_handshaking() {
            self.flush_handshake()?;
        }
        Ok(self.driver.input().take_into(to))
    }

    /// Sends close_notify and flushes: nothing more can be written, but the peer's data can
    /// still be read.
    ///
    /// # Errors
    /// Of the transport.
    pub fn close_notify(&mut self) -> io::Result<()> {
        self.driver.close().map_err(into_io)?;
        flush_out(self.driver.output(), &mut self.sock)
    }

    /// Sends close_notify, and reads up to the peer's; data that comes before it is dropped.
    ///
    /// # Errors
    /// Of the transport, or of TLS; the peer's end without close_notify is one.
    pub fn shutdown(&mut self) -> io::Result<()> {
        self.close_notify()?;
        loop {
            let dropped = self.fill_buf()?.len();
            if dropped == 0 {
                return Ok(());
            }
            self.consume(dropped);
        }
    }

    /// Changes the sending key now; with `ask_peer`, the peer changes its own in turn. It is
    /// sent with what is written next, or flushed.
    ///
    /// # Errors
    /// If the handshake is not complete, or after [`Self::close_notify`].
    pub fn update_key(&mut self, ask_peer: bool) -> io::Result<()> {
        self.driver.update_key(ask_peer).map_err(into_io)
    }

    /// Asks the client for a certificate, as a server whose configuration allows it (RFC 9846,
    /// Section 4.7.2). It is sent with what is written next, or flushed, or by
    /// [`Self::client_answer`].
    ///
    /// # Errors
    /// If the two sides did not agree on it, the last request is still open, the handshake is
    /// not complete, or after [`Self::close_notify`].
    pub fn request_client_certificate(&mut self) -> io::Result<()> {
        self.driver.request_client_certificate().map_err(into_io)
    }

    /// Waits until the client has answered the last request for a certificate: whether it showed
    /// one, of which [`Self::info`] then tells. `None` if application data, or its end, comes
    /// first: read it and call again. `None` too if there was no request.
    ///
    /// # Errors
    /// Of the transport, or of TLS; a certificate that is not accepted is one.
    pub fn client_answer(&mut self) -> io::Result<Option<bool>> {
        loop {
            match self.driver.asked {
                Asked::No => return Ok(None),
                Asked::Answered(shown) => return Ok(Some(shown)),
                Asked::Open => {}
            }
            if let Event::AppData(_) | Event::PeerClosed = self.next_event()? {
                return Ok(None);
            }
        }
    }

    /// Separates the directions of an established connection, for two threads. `split`
    /// separates those of the transport. What a client and a server agreed on for after the
    /// handshake ends with it: see `Connection::split`.
    ///
    /// # Errors
    /// Of `split`, or of the handshake if it was not complete.
    pub fn into_split_with<R: Read, W: Write>(
        mut self,
        split: impl FnOnce(S) -> io::Result<(R, W)>,
    ) -> io::Result<(ReadStream<R>, WriteStream<W>)> {
        self.handshake()?;
        let (read, write) = split(self.sock)?;
        let (receiver, sender) = self.driver.split();
        Ok((
            ReadStream::new(receiver, read),
            WriteStream::new(sender, write),
        ))
    }

    /// Whether data can be read without asking the transport. An event loop has to read until
    /// this is false before it waits for the transport again: what it would wait for may be
    /// here already.
    ///
    /// # Errors
    /// Of TLS: what was received and not read yet may break a rule.
    pub fn has_plaintext(&mut self) -> io::Result<bool> {
        while !self.is_handshaking() {
            match self.driver.fill() {
                Ok(Event::AppData(_)) => return Ok(true),
                Ok(Event::PeerClosed | Event::NeedInput(_)) => return Ok(false),
                Ok(Event::Wait(wait)) => return Err(self.refuse(wait)),
                Ok(_) => {}
                Err(error) => return Err(self.fail(Failure::Tls(error))),
            }
        }
        Ok(false)
    }

    /// Before a read may wait, the peer must have what it may be waiting for. Output that the
    /// transport does not take now is no reason not to read, unless it is too much.
    fn send_before_read(&mut self) -> io::Result<()> {
        if !self.driver.output().is_due() {
            return Ok(());
        }
        match flush(&mut self.driver, &mut self.sock) {
            Err(error) if waits(&error) && !self.driver.output().is_flooded() => Ok(()),
            Err(error) if self.driver.output().peer_left(&error) => Ok(()),
            result => result,
        }
    }

    /// Makes plaintext available; `false` after close_notify.
    fn fill_plain(&mut self) -> io::Result<bool> {
        loop {
            match self.next_event()? {
                Event::AppData(_) => return Ok(true),
                Event::PeerClosed => return Ok(false),
                _ => {}
            }
        }
    }

    /// Receives until there is something to tell.
    fn next_event(&mut self) -> io::Result<Event> {
        if self.is_handshaking() {
            self.handshake()?;
        }
        loop {
            match self.driver.fill() {
                Ok(Event::NeedInput(hint)) => {
                    self.send_before_read()?;
                    read_some(&mut self.driver, &mut self.sock, hint).map_err(|f| self.fail(f))?;
                }
                Ok(Event::Wait(wait)) => return Err(self.refuse(wait)),
                Ok(event) => return Ok(event),
                Err(error) => return Err(self.fail(Failure::Tls(error))),
            }
        }
    }

    /// Nobody answers.
    fn refuse(&mut self, wait: Wait) -> io::Error {
        let error = self.driver.refuse(wait);
        self.fail(Failure::Tls(error))
    }

    fn write_parts<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<usize> {
        if !self.driver.conn.may_write() && self.is_handshaking() {
            self.handshake()?;
        }
        transfer::write(&mut self.driver, &mut self.sock, parts).map_err(|f| self.fail(f))
    }

    /// Sends the alert that goes with a failure, as well as can be done now.
    fn fail(&mut self, failure: Failure) -> io::Error {
        if let Failure::Tls(_) = failure {
            // The failure itself is what the caller has to know.
            let _ = flush_out(self.driver.output(), &mut self.sock);
        }
        failure.into()
    }
}

#[cfg(any(unix, windows))]
impl Stream<std::net::TcpStream> {
    /// Separates the directions of an established connection, for two threads.
    ///
    /// # Errors
    /// If the socket cannot be duplicated, or the handshake was not complete and fails.
    pub fn into_split(
        self,
    ) -> io::Result<(
        ReadStream<std::net::TcpStream>,
        WriteStream<std::net::TcpStream>,
    )> {
        self.into_split_with(|sock| Ok((sock.try_clone()?, sock)))
    }
}

impl<S: Read + Write> Read for Stream<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() || !self.fill_plain()? {
            return Ok(0);
        }
        Ok(self.driver.input().take_into(to))
    }

    fn read_vectored(&mut self, to: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if to.iter().all(|slice| slice.is_empty()) || !self.fill_plain()? {
            return Ok(0);
        }
        let input = self.driver.input();
        Ok(to.iter_mut().map(|slice| input.take_into(slice)).sum())
    }
}

/// The plaintext is handed out where it was decrypted.
impl<S: Read + Write> BufRead for Stream<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill_plain()?;
        Ok(self.driver.input().plain())
    }

    fn consume(&mut self, count: usize) {
        self.driver.input().take(count);
    }
}

impl<S: Read + Write> Write for Stream<S> {
    /// Small writes wait together for a flush; see the [module](self).
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_parts(core::iter::once(data))
    }

    /// The slices get into common records.
    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_parts(data.iter().map(|slice| &**slice))
    }

    /// Sends what waits. An error of anything that was written before comes here at the latest.
    fn flush(&mut self) -> io::Result<()> {
        if !self.driver.conn.may_write() && self.is_handshaking() {
            return self.handshake();
        }
        flush(&mut self.driver, &mut self.sock)
    }
}

impl<S: core::fmt::Debug> core::fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stream")
            .field("conn", &self.driver.conn)
            .field("sock", &self.sock)
            .finish_non_exhaustive()
    }
}
