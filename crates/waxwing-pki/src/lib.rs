//! Certificates for the Waxwing TLS engine: whom to trust, and being trusted.
//!
//! Parsing, path building and issuing come from libraries (`rustls-webpki`, `x509-cert`,
//! `rcgen`). What lives here is the policy around them, and saying in words what failed:
//!
//! ```text
//!   TrustAnchors        the system's store, bundled roots, files      anchors.rs
//!   Verifier            chain, time, purpose and name of a server     verify.rs
//!   ClientVerifier      chain, time and purpose of a client           verify.rs
//!   PinnedVerifier      exactly this certificate or this key          pin.rs
//!   dangerous           no check at all                               dangerous.rs
//!   Identity            a decoded certificate, for people             identity.rs
//!   load_certified_key  our own chain and key, checked to match       keys.rs
//!   RevocationPolicy    whether certificates are revoked              revocation/
//!   SelfSigned          issuing a certificate at start-up             issue.rs
//! ```
//!
//! Cryptography is that of the [`CryptoProvider`](waxwing_crypto::CryptoProvider) given by the
//! caller, except that issuing makes its keys with `rcgen`.

#![forbid(unsafe_code)]

#[macro_use]
extern crate alloc;

mod algorithms;
mod anchors;
pub mod dangerous;
mod end_entity;
mod error;
mod explain;
mod identity;
mod issue;
mod keys;
mod name;
mod peer;
mod pem;
mod pin;
mod public_key;
pub mod revocation;
mod time;
mod verify;

pub use anchors::TrustAnchors;
pub use error::LoadError;
pub use identity::{Identity, Unreadable};
pub use issue::{IssueError, KeyType, SelfSigned, SelfSignedBuilder, UnknownKeyType};
pub use keys::{load_certified_key, load_certified_key_files, load_private_key};
pub use name::AltName;
pub use pem::to_pem;
pub use pin::{InvalidPin, Pin, PinnedVerifier};
pub use public_key::PublicKeyKind;
pub use time::{Clock, UnixTime};
pub use verify::{ClientVerifier, Verifier};

pub(crate) use peer::Peer;
