//! Test equipment of the Waxwing workspace.

#![forbid(unsafe_code)]

pub mod pki;
