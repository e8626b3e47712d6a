//! What both sides configure.

pub(crate) mod verifier;
