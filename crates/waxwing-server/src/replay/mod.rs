//! Seeing to it that early data is accepted once only (RFC 9846, Section 8).

mod local;
mod shared;

pub use local::LocalReplayGuard;
pub use shared::SharedReplayGuard;
