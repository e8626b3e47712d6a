//! The TLS engine of the Waxwing toolkit.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod alert;
mod buffer;
mod codec;
mod config;
mod error;
pub mod limits;
mod messages;
mod name;
mod record;
mod trace;

pub use alert::AlertDescription;
pub use buffer::Buffer;
pub use config::verifier::{ServerCertRequest, ServerCertVerifier, Verdict, Verified};
pub use error::{
    CertificateError, DecodeError, Error, Incompatible, Misuse, PeerError, Problem, Rejection,
};
#[doc(hidden)]
pub use messages::parse_for_fuzzing;
pub use messages::{ExtensionType, HandshakeType, ProtocolVersion};
pub use name::{DnsName, InvalidName, ServerName};
pub use record::{Epoch, RecordPadding};
pub use trace::{Direction, Trace, TraceEvent};
