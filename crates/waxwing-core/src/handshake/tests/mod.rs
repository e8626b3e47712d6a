//! Whole handshakes, message by message and without records. Equipment is in `crate::testing`.

mod levels;
mod orders;
