//! Certificates for the Waxwing TLS engine: whom to trust, and being trusted.
//!
//! Parsing, path building and issuing come from libraries (`rustls-webpki`, `x509-cert`,
//! `rcgen`). What lives here is the policy around them, and saying in words what failed:
//!
//! ```text
//!   TrustAnchors        the system's store, bundled roots, files      anchors.rs
//!   Verifier            chain, time, purpose and name of a server     verify.rs
//!   ClientVerifier      chain, time and purpose of a client           verify.rs
//!   .verdict_cache(..)  chains that are not judged again              verdicts/
//!   Policy, Profile     how strict they are                           policy.rs
//!   Failure, Code       why a certificate was not accepted            failure.rs
//!   PinnedVerifier      exactly this certificate or this key          pin.rs
//!   ReportingVerifier   goes on, and reports what is wrong            report.rs
//!   dangerous           no check at all                               dangerous.rs
//!   Identity            a decoded certificate, for people             identity/
//!   KeyLoading          our own chain and key, checked to match       keys/
//!   RevocationPolicy    whether certificates are revoked              revocation/
//!   SelfSigned          issuing a certificate at start-up             issue/
//!   SigningRequest      asking an authority for one                   issue/
//!   LocalAuthority      being an authority oneself                    issue/
//! ```
//!
//! Cryptography is that of the [`CryptoProvider`](waxwing_crypto::CryptoProvider) given by the
//! caller, except that issuing makes its keys with `rcgen`.

#![forbid(unsafe_code)]

#[macro_use]
extern crate alloc;

mod algorithms;
mod anchors;
mod constraints;
pub mod dangerous;
mod end_entity;
mod error;
mod explain;
mod failure;
mod horizon;
mod identity;
mod issue;
mod keys;
mod name;
mod path;
mod peer;
mod pem;
mod pin;
mod plain;
mod policy;
mod public_key;
mod report;
pub mod revocation;
mod rules;
mod staple;
mod time;
mod tls_feature;
mod tlv;
mod verdicts;
mod verify;
mod walk;

pub use anchors::TrustAnchors;
pub use error::LoadError;
pub use failure::{Code, Culprit, Failure};
pub use identity::{Extensions, Identity, NamePart, Named, Unreadable};
pub use issue::{
    IssueError, Issued, Itself, KeyType, LeafBuilder, LocalAuthority, LocalAuthorityBuilder,
    MAX_BROWSER_VALIDITY, SelfSigned, SigningRequest, SigningRequestBuilder, UnknownKeyType,
};
pub use keys::{
    KeyLoading, MAX_PBKDF2_ITERATIONS, MAX_SCRYPT_MEMORY, MAX_SCRYPT_WORK, Passphrase,
    check_key_belongs, encrypt_private_key, key_kind, load_certified_key, load_certified_key_files,
    load_private_key,
};
pub use name::AltName;
pub use pem::to_pem;
pub use pin::{InvalidPin, Pin, PinnedVerifier};
pub use policy::{Policy, Profile, Staple};
pub use public_key::PublicKeyKind;
pub use report::{Report, ReportingVerifier};
pub use time::{Clock, InvalidTime, UnixTime};
pub use verify::{ClientVerifier, Examination, Verifier};

pub(crate) use peer::Peer;
