//! Making connections over transports that block.

use std::io::{self, Read, Write};
use std::sync::Arc;

#[cfg(feature = "aws-lc")]
use waxwing_core::ProtocolVersions;
use waxwing_core::{ClientConfig, ServerConfig, ServerName};

use crate::blocking::Stream;

/// A client's configuration, ready to connect.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
}

impl Connector {
    /// Connects with this configuration.
    #[must_use]
    pub const fn new(config: Arc<ClientConfig>) -> Self {
        Self { config }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Does the handshake with the server `name` over `sock`.
    ///
    /// # Errors
    /// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
    pub fn connect<S: Read + Write>(&self, name: ServerName, sock: S) -> io::Result<Stream<S>> {
        let mut stream = Stream::client(Arc::clone(&self.config), name, sock)?;
        stream.handshake()?;
        Ok(stream)
    }
}

impl Connector {
    /// Does the handshake with the server `name` over `sock`, and sends `data` as soon as it can be
    /// sent: see [`Stream::handshake_with_early_data`].
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with_early_data<S: Read + Write>(
        &self,
        name: ServerName,
        sock: S,
        data: &[u8],
    ) -> io::Result<Stream<S>> {
        let mut stream = Stream::client(Arc::clone(&self.config), name, sock)?;
        stream.handshake_with_early_data(data)?;
        Ok(stream)
    }
}

#[cfg(feature = "aws-lc")]
impl Connector {
    /// Trusts whom the system trusts, and speaks TLS 1.3, or TLS 1.2 where a server knows nothing
    /// newer (with the feature `tls12`). Everything else is as it comes.
    ///
    /// # Errors
    /// If the system's roots cannot be loaded.
    pub fn with_system_roots() -> io::Result<Self> {
        let verifier = crate::roots::default_verifier(&crate::PROVIDER)?;
        let config = ClientConfig::builder(&crate::PROVIDER, verifier)
            .versions(every_version())
            .build()
            .map_err(io::Error::other)?;
        Ok(Self::new(config))
    }
}

/// What is spoken where no configuration says so.
#[cfg(feature = "aws-lc")]
fn every_version() -> ProtocolVersions {
    #[cfg(feature = "tls12")]
    return ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
    #[cfg(not(feature = "tls12"))]
    ProtocolVersions::TLS13
}

/// Connects to `host` by TCP, and does the handshake as [`Connector::with_system_roots`] does.
/// Who connects more than once should keep a [`Connector`].
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if `host` is no name; else as [`Connector::connect`].
#[cfg(feature = "aws-lc")]
pub fn connect_default(host: &str, port: u16) -> io::Result<Stream<std::net::TcpStream>> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let name: ServerName = host.parse().map_err(invalid)?;
    let connector = Connector::with_system_roots()?;
    let sock = match &name {
        ServerName::Dns(name) => std::net::TcpStream::connect((name.as_str(), port)),
        ServerName::Ip(address) => std::net::TcpStream::connect((*address, port)),
    }?;
    connector.connect(name, sock)
}

/// Does the handshake with a client over `sock`.
///
/// # Errors
/// Of the transport, or of TLS: see [`tls_error`](crate::tls_error).
pub fn serve<S: Read + Write>(config: Arc<ServerConfig>, sock: S) -> io::Result<Stream<S>> {
    let mut stream = Stream::server(config, sock);
    stream.handshake()?;
    Ok(stream)
}
