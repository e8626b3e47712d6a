//! A complete TLS toolkit: streams over the Waxwing engine.
//!
//! ```text
//!   Connector, serve          blocking handshakes             connector.rs
//!   blocking::Stream          TLS over Read + Write           blocking/
//!   tokio::TlsStream          TLS over AsyncRead + AsyncWrite tokio/
//!   default_verifier          the system's trust              roots.rs
//!   compression               of certificates                 compression/
//!   refresh                   of staples, lists, filters      refresh.rs
//!   KeyLogFile                SSLKEYLOGFILE                   keylog.rs
//!   ClientSessionCache        a client's sessions, in memory  sessions.rs
//!   SystemClock               the time of day                 clock.rs
//!   Connection, ClientConfig  the engine                      waxwing-core
//!   pki                       certificates                    waxwing-pki
//! ```
//!
//! # A client
//!
//! ```no_run
//! use std::io::{Read, Write};
//!
//! fn main() -> std::io::Result<()> {
//!     let mut stream = waxwing::connect_default("www.example.org", 443)?;
//!     stream.write_all(b"GET / HTTP/1.0\r\nHost: www.example.org\r\n\r\n")?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer)?;
//!     println!("{answer}");
//!     stream.close_notify()
//! }
//! ```
//!
//! # A server
//!
//! ```no_run
//! use std::sync::Arc;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use waxwing::{CertifiedKey, PROVIDER, ServerConfig};
//!
//! async fn serve(certificate: Arc<CertifiedKey>) -> Result<(), Box<dyn std::error::Error>> {
//!     let config = ServerConfig::builder(&PROVIDER, Arc::new(certificate))
//!         .alpn(["echo"])
//!         .build()?;
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8443").await?;
//!     loop {
//!         let (socket, _) = listener.accept().await?;
//!         let config = Arc::clone(&config);
//!         tokio::spawn(async move {
//!             let mut stream = waxwing::tokio::accept(config, socket).await?;
//!             let mut line = [0; 1024];
//!             let count = stream.read(&mut line).await?;
//!             stream.write_all(&line[..count]).await?;
//!             stream.shutdown().await
//!         });
//!     }
//! }
//! ```
//!
//! A configuration speaks TLS 1.3 alone. TLS 1.2 is spoken where it says so, with
//! `versions(ProtocolVersions::TLS12 | ProtocolVersions::TLS13)`, and by the functions that take
//! no configuration; it is there with the feature `tls12`, which is on by default.
//!
//! # Both, without a network
//!
//! ```
//! use std::sync::Arc;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use waxwing::pki::{SelfSigned, TrustAnchors, Verifier, load_certified_key};
//! use waxwing::{ClientConfig, PROVIDER, ServerConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let own = SelfSigned::builder(["localhost".parse()?]).issue(PROVIDER.random)?;
//! let key = load_certified_key(&PROVIDER, own.certificate(), own.key())?;
//! let server = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(key))).build()?;
//! let anchors = TrustAnchors::from_pem_or_der(own.certificate())?;
//! let verifier = Verifier::new(&PROVIDER, anchors);
//! let client = ClientConfig::builder(&PROVIDER, Arc::new(verifier)).build()?;
//!
//! let (near, far) = tokio::io::duplex(4096);
//! let (near, far) = tokio::join!(
//!     waxwing::tokio::connect(client, "localhost".parse()?, near),
//!     waxwing::tokio::accept(server, far),
//! );
//! let (mut near, mut far) = (near?, far?);
//! near.write_all(b"hello").await?;
//! near.shutdown().await?;
//! let mut received = String::new();
//! far.read_to_string(&mut received).await?;
//! assert_eq!(received, "hello");
//! # Ok(())
//! # }
//! ```

//! # Certificates on both sides
//!
//! A server asks its clients for a certificate with
//! [`client_auth`](ServerConfigBuilder::client_auth), and a client shows one with
//! [`client_certificate`](ClientConfigBuilder::client_certificate):
//!
//! ```
//! use std::sync::Arc;
//! use waxwing::pki::{ClientVerifier, LoadError, TrustAnchors, load_certified_key_files};
//! use waxwing::{ClientAuth, ClientConfigBuilder, PROVIDER, ServerConfigBuilder};
//!
//! fn ask(server: ServerConfigBuilder) -> Result<ServerConfigBuilder, LoadError> {
//!     let anchors = TrustAnchors::from_file("clients-ca.pem")?;
//!     let verifier = ClientVerifier::new(&PROVIDER, anchors);
//!     Ok(server
//!         .client_auth(ClientAuth::Required(Arc::new(verifier)))
//!         // Then `info().peer_chain` tells who it is.
//!         .keep_peer_chain(true))
//! }
//!
//! fn show(client: ClientConfigBuilder) -> Result<ClientConfigBuilder, LoadError> {
//!     let own = load_certified_key_files(&PROVIDER, "me.pem", "me.key")?;
//!     Ok(client.client_certificate(Arc::new(Arc::new(own))))
//! }
//! ```
//!
//! In TLS 1.3 a client hears only after its handshake, with the first read, that the server does
//! not take its certificate.

#![forbid(unsafe_code)]

pub mod blocking;
mod buffer;
mod clock;
pub mod compression;
mod connector;
mod driver;
mod error;
mod gathered;
mod keylog;
#[cfg(feature = "refresh")]
pub mod refresh;
mod roots;
mod sessions;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use clock::SystemClock;
#[cfg(feature = "aws-lc")]
pub use connector::connect_default;
pub use connector::{Connector, serve};
pub use error::tls_error;
pub use keylog::KeyLogFile;
pub use roots::default_verifier;
pub use sessions::ClientSessionCache;
#[cfg(feature = "aws-lc")]
pub use waxwing_aws_lc::PROVIDER;
pub use waxwing_core::limits;
pub use waxwing_core::{
    Accepting, Acceptor, AlertDescription, Answer, Buffer, CertChoice, CertCompressor,
    CertDecompressor, CertResolver, CertificateCompressionAlgorithm, CertificateError,
    CertificateRequestView, CertificateType, CertifiedKey, ClientAuth, ClientCertRequest,
    ClientCertResolver, ClientCertVerifier, ClientConfig, ClientConfigBuilder, ClientHelloView,
    ClientSessions, Clock, CompressionFailed, ConfigError, Connection, ConnectionInfo, DecodeError,
    Direction, DnsName, EarlyDataStatus, Epoch, Error, Event, ExportError, Exported, Exporter,
    ExtensionType, ExternalPsk, FirstUse, ForKernel, GroupMemory, HandshakeType, ImportError,
    Imported, Importer, Incompatible, InvalidName, InvalidPsk, InvalidSession, KernelEvent,
    KernelKey, KernelTraffic, KernelUpdate, KeyLog, MaxFragmentLength, Misuse, Note,
    OwnedClientCertRequest, OwnedServerCertRequest, PeerAction, PeerError, Problem, Progress,
    ProtocolVersion, ProtocolVersions, PskLookup, PskResolver, Question, ReadHalf, RecordPadding,
    Refused, Rejection, ReplayGuard, ServerCertRequest, ServerCertVerifier, ServerConfig,
    ServerConfigBuilder, ServerName, ServerSessions, Session, SessionLookup, Trace, TraceEvent,
    Unfinished, UnixMillis, Verdict, Verified, Wait, WriteHalf,
};
pub use waxwing_crypto as crypto;
pub use waxwing_pki as pki;
