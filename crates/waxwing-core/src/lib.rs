//! The TLS engine of the Waxwing toolkit: a protocol, and nothing else.
//!
//! No sockets, no clock, no threads, no `unsafe`: bytes go in, bytes come out, events tell what
//! happened. Cryptography comes from a provider (`waxwing-crypto`), trust from a
//! [`ServerCertVerifier`].
//!
//! ```text
//!  IN   the caller's buffer
//!   |   record    header check, AEAD open in place
//!   |-- application data ---> Event::AppData(place in the buffer)
//!   |-- alert --------------> Event::PeerClosed, or an error
//!   `-- handshake ----------> joiner -> whole messages -> one step of the handshake
//!                                                              |
//!  OUT  Buffer <-- record <-- Flight::message, install_write --'
//!       Buffer <-- record <-- Connection::write, straight from the caller's slices
//! ```
//!
//! [`Connection`] is the lowest level and the only one; streams are thin drivers over it.

#![no_std]
#![forbid(unsafe_code)]
// With one side alone, what the messages and tables hold for the other is left to the linker.
#![cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(dead_code, unused_imports)
)]

extern crate alloc;
// The stores of the tests know this crate by its name.
#[cfg(test)]
extern crate self as waxwing_core;
#[cfg(test)]
extern crate std;

mod alert;
mod buffer;
mod codec;
mod config;
mod connection;
mod error;
mod handshake;
pub mod limits;
mod messages;
mod name;
mod record;
mod refused;
mod session;
#[cfg(test)]
mod testing;
mod trace;

pub use alert::AlertDescription;
pub use buffer::Buffer;
#[cfg(feature = "client")]
pub use config::client::{ClientConfig, ClientConfigBuilder, GroupMemory};
pub use config::compression::{CertCompressor, CertDecompressor, CompressionFailed};
pub use config::credentials::{
    CertChoice, CertResolver, CertificateRequestView, CertifiedKey, ClientCertResolver,
    ClientHelloView,
};
pub use config::psk::{ExternalPsk, InvalidPsk, PskLookup, PskResolver};
#[cfg(feature = "server")]
pub use config::server::{ServerConfig, ServerConfigBuilder};
pub use config::sessions::{
    ClientSessions, Clock, FirstUse, ReplayGuard, ServerSessions, SessionLookup,
};
pub use config::verifier::{
    ClientAuth, ClientCertRequest, ClientCertVerifier, Note, ServerCertRequest, ServerCertVerifier,
    Verdict, Verified,
};
pub use config::versions::ProtocolVersions;
pub use config::{ConfigError, KeyLog};
pub use connection::Connection;
#[cfg(feature = "server")]
pub use connection::acceptor::{Accepting, Acceptor};
pub use connection::event::{
    Answer, Event, OwnedClientCertRequest, OwnedServerCertRequest, PeerAction, Progress, Question,
    Wait,
};
pub use connection::export::{ExportError, Exported, ImportError, Imported, Importer, Unfinished};
pub use connection::halves::{ReadHalf, Role, WriteHalf};
pub use connection::info::{ConnectionInfo, EarlyDataStatus, Exporter};
pub use connection::kernel::{ForKernel, KernelEvent, KernelKey, KernelTraffic, KernelUpdate};
pub use error::{
    CertificateError, DecodeError, Error, Incompatible, Misuse, PeerError, Problem, Rejection,
};
pub use messages::extensions::max_fragment_length::MaxFragmentLength;
#[doc(hidden)]
pub use messages::parse_for_fuzzing;
pub use messages::{
    CertificateCompressionAlgorithm, CertificateType, ExtensionType, HandshakeType, ProtocolVersion,
};
pub use name::{DnsName, InvalidName, ServerName};
pub use record::{Epoch, RecordPadding};
pub use refused::Refused;
pub use session::{InvalidSession, Session, UnixMillis};
pub use trace::{Direction, Trace, TraceEvent};
