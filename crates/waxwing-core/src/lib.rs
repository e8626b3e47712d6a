//! The TLS engine of the Waxwing toolkit.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod alert;
mod buffer;
mod codec;
mod error;
pub mod limits;
mod messages;
mod record;

pub use alert::AlertDescription;
pub use buffer::Buffer;
pub use error::{
    CertificateError, DecodeError, Error, Incompatible, Misuse, PeerError, Problem, Rejection,
};
pub use messages::HandshakeType;
pub use record::Epoch;
