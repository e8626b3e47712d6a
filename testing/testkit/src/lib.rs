//! Test equipment of the Waxwing workspace.

#![forbid(unsafe_code)]

pub mod compression;
pub mod fake;
pub mod fuzz;
#[cfg(feature = "pki")]
pub mod mistakes;
#[cfg(feature = "pki")]
pub mod pki;
#[cfg(feature = "pki")]
pub mod revocation;
pub mod session_bytes;
pub mod sessions;
