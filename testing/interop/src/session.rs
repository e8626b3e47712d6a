//! Our end of one connection.

use core::fmt;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use waxwing::blocking::Stream;
use waxwing::{ClientConfig, ConnectionInfo, Error, ServerConfig, ServerName, tls_error};

/// Why a [`Session`] failed.
#[derive(Debug)]
pub struct Fault(io::Error);

impl Fault {
    /// The TLS error; `None` if the socket failed.
    #[must_use]
    pub fn tls(&self) -> Option<&Error> {
        tls_error(&self.0)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}

/// A blocking stream, with what the tests need of it.
#[derive(Debug)]
pub struct Session {
    stream: Stream<TcpStream>,
}

impl Session {
    /// Connects to `localhost` on `port`, as a client, and completes the handshake.
    ///
    /// # Errors
    /// See [`Fault`].
    ///
    /// # Panics
    /// Never: `localhost` is a DNS name.
    pub fn connect(config: &Arc<ClientConfig>, port: u16) -> Result<Self, Fault> {
        let name: ServerName = "localhost".parse().expect("a DNS name");
        let tcp = crate::connect(port)?;
        Self::new(Stream::client(Arc::clone(config), name, tcp)?)
    }

    /// Completes a server's handshake over `tcp`.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn accept(config: &Arc<ServerConfig>, tcp: TcpStream) -> Result<Self, Fault> {
        Self::new(Stream::server(Arc::clone(config), tcp))
    }

    /// As [`Self::connect`], and sends `data`, early if it can be.
    ///
    /// # Errors
    /// See [`Fault`].
    ///
    /// # Panics
    /// Never: `localhost` is a DNS name.
    pub fn connect_early(
        config: &Arc<ClientConfig>,
        port: u16,
        data: &[u8],
    ) -> Result<Self, Fault> {
        let name: ServerName = "localhost".parse().expect("a DNS name");
        let tcp = crate::connect(port)?;
        let mut stream = Stream::client(Arc::clone(config), name, tcp)?;
        stream.handshake_with_early_data(data)?;
        Ok(Self { stream })
    }

    /// As [`Self::accept`]; returns what came early too.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn accept_early(
        config: &Arc<ServerConfig>,
        tcp: TcpStream,
    ) -> Result<(Self, Vec<u8>), Fault> {
        let mut stream = Stream::server(Arc::clone(config), tcp);
        let mut early = Vec::new();
        while stream.is_handshaking() {
            let mut part = [0; 1000];
            let count = stream.read_early(&mut part)?;
            early.extend_from_slice(&part[..count]);
        }
        Ok((Self { stream }, early))
    }

    fn new(mut stream: Stream<TcpStream>) -> Result<Self, Fault> {
        stream.handshake()?;
        Ok(Self { stream })
    }

    /// What was agreed.
    #[must_use]
    pub const fn info(&self) -> &ConnectionInfo {
        self.stream.info()
    }

    /// `length` bytes of keying material without a context, in lower-case hexadecimal.
    ///
    /// # Panics
    /// If they cannot be had.
    #[must_use]
    pub fn export(&self, label: &str, length: usize) -> String {
        let mut material = vec![0; length];
        let exporter = self.info().exporter.as_ref().expect("an exporter");
        exporter
            .export(label.as_bytes(), None, &mut material)
            .expect("a short export");
        material.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Sends `data`.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn write(&mut self, data: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(data)?;
        Ok(self.stream.flush()?)
    }

    /// Receives `count` bytes.
    ///
    /// # Errors
    /// See [`Fault`]; an early end is one too.
    pub fn read(&mut self, count: usize) -> Result<Vec<u8>, Fault> {
        let mut data = vec![0; count];
        self.stream.read_exact(&mut data)?;
        Ok(data)
    }

    /// Waits until something arrives that was not received yet; leaves it there.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn wait_for_input(&self) -> Result<(), Fault> {
        self.stream.get_ref().peek(&mut [0])?;
        Ok(())
    }

    /// Receives up to and including the end of a line.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn read_line(&mut self) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        Ok(line)
    }

    /// Receives everything until the peer's close_notify.
    ///
    /// # Errors
    /// See [`Fault`]; [`Error::Truncated`] if the transport ends before that.
    pub fn read_to_close(&mut self) -> Result<Vec<u8>, Fault> {
        let mut data = Vec::new();
        self.stream.read_to_end(&mut data)?;
        Ok(data)
    }

    /// Sends `data` to a peer that returns everything; returns what it returned. No more is
    /// under way at a time than the buffers of two sockets hold.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn echo(&mut self, data: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut returned = Vec::new();
        for chunk in data.chunks(20_000) {
            self.write(chunk)?;
            returned.extend(self.read(chunk.len())?);
        }
        Ok(returned)
    }

    /// Changes our sending key, and the peer's if `ask_peer`.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn update_key(&mut self, ask_peer: bool) -> Result<(), Fault> {
        self.stream.update_key(ask_peer)?;
        Ok(self.stream.flush()?)
    }

    /// Asks the client for a certificate, and waits for its answer: whether it showed one.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn authenticate_client(&mut self) -> Result<Option<bool>, Fault> {
        self.stream.request_client_certificate()?;
        Ok(self.stream.client_answer()?)
    }

    /// Sends close_notify and receives everything until the peer's.
    ///
    /// # Errors
    /// See [`Fault`]; [`Error::Truncated`] if the transport ends before that.
    pub fn close(mut self) -> Result<Vec<u8>, Fault> {
        self.stream.close_notify()?;
        self.read_to_close()
    }
}
