//! Test equipment of the Waxwing workspace.

#![forbid(unsafe_code)]

pub mod fake;
pub mod fuzz;
#[cfg(feature = "pki")]
pub mod pki;
