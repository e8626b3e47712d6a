//! Issuing certificates: for a server or a client that has none, and by an authority of one's
//! own.
//!
//! ```text
//!   KeyType          which keys can be made            key_type.rs
//!   SelfSigned       vouches for itself                self_signed.rs
//!   SigningRequest   asks an authority                 request.rs
//!   LocalAuthority   is one                            authority.rs
//!   LeafBuilder      what either is told               leaf.rs
//! ```
//!
//! All are made for clients of today: names in subjectAltName, random serial numbers of 20 bytes,
//! keyUsage and extendedKeyUsage no wider than TLS needs, and 365 days where nobody says
//! otherwise.

mod authority;
mod error;
mod issued;
mod key_type;
mod leaf;
mod request;
mod self_signed;
mod signer;
mod template;

pub use authority::{LocalAuthority, LocalAuthorityBuilder};
pub use error::IssueError;
pub use issued::Issued;
pub use key_type::{KeyType, UnknownKeyType};
pub use leaf::{Itself, LeafBuilder};
pub use request::{SigningRequest, SigningRequestBuilder};
pub use self_signed::SelfSigned;
pub use template::MAX_BROWSER_VALIDITY;
