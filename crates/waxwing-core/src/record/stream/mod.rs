//! Records on a byte stream (RFC 9846, Section 5): what TLS, unlike DTLS and QUIC, puts around
//! messages and data.

mod rx;
mod tx;

pub(crate) use rx::{Opened, Rx};
pub(crate) use tx::{Tx, TxFlight};

#[cfg(test)]
mod tests;
