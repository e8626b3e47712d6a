//! Whole handshakes, message by message and without records. Equipment is in `crate::testing`.

mod hellos;
mod levels;
mod levels12;
mod orders;
mod orders12;
mod orders_client_auth;
mod orders_psk;
