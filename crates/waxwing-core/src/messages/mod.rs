//! Handshake messages, one file each: the borrowed view, its reader and its writer.
//!
//! Views read the body of a message, without the header of four bytes; writers append it.

#![allow(dead_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::{DecodeError, Problem};

pub(crate) mod alert;
pub(crate) mod certificate;
#[cfg(feature = "tls12")]
pub(crate) mod certificate12;
pub(crate) mod certificate_request;
#[cfg(feature = "tls12")]
pub(crate) mod certificate_request12;
#[cfg(feature = "tls12")]
pub(crate) mod certificate_status;
pub(crate) mod certificate_verify;
pub(crate) mod client_hello;
#[cfg(feature = "tls12")]
pub(crate) mod client_key_exchange;
pub(crate) mod compressed_certificate;
pub(crate) mod encrypted_extensions;
pub(crate) mod end_of_early_data;
pub(crate) mod extensions;
pub(crate) mod finished;
mod fuzzing;
#[cfg(feature = "tls12")]
pub(crate) mod hello_request;
pub(crate) mod key_update;
pub(crate) mod new_session_ticket;
#[cfg(feature = "tls12")]
pub(crate) mod new_session_ticket12;
#[cfg(feature = "psk12")]
pub(crate) mod psk_key_exchange12;
pub(crate) mod registry;
pub(crate) mod server_hello;
#[cfg(feature = "tls12")]
pub(crate) mod server_hello12;
#[cfg(feature = "tls12")]
pub(crate) mod server_hello_done;
#[cfg(feature = "tls12")]
pub(crate) mod server_key_exchange;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use client_hello::ClientHello;
pub use fuzzing::parse_for_fuzzing;
pub use registry::{
    CertificateCompressionAlgorithm, CertificateType, ExtensionType, ProtocolVersion,
};

waxwing_crypto::code_points! {
    /// The type of a handshake message (RFC 9846, Section 4).
    HandshakeType(u8) {
    HELLO_REQUEST = 0, "hello_request";
    CLIENT_HELLO = 1, "client_hello";
    SERVER_HELLO = 2, "server_hello";
    HELLO_VERIFY_REQUEST = 3, "hello_verify_request";
    NEW_SESSION_TICKET = 4, "new_session_ticket";
    END_OF_EARLY_DATA = 5, "end_of_early_data";
    ENCRYPTED_EXTENSIONS = 8, "encrypted_extensions";
    CERTIFICATE = 11, "certificate";
    SERVER_KEY_EXCHANGE = 12, "server_key_exchange";
    CERTIFICATE_REQUEST = 13, "certificate_request";
    SERVER_HELLO_DONE = 14, "server_hello_done";
    CERTIFICATE_VERIFY = 15, "certificate_verify";
    CLIENT_KEY_EXCHANGE = 16, "client_key_exchange";
    FINISHED = 20, "finished";
    CERTIFICATE_URL = 21, "certificate_url";
    CERTIFICATE_STATUS = 22, "certificate_status";
    SUPPLEMENTAL_DATA = 23, "supplemental_data";
    KEY_UPDATE = 24, "key_update";
    COMPRESSED_CERTIFICATE = 25, "compressed_certificate";
    NEXT_PROTOCOL = 67, "next_protocol";
    MESSAGE_HASH = 254, "message_hash";
}
}

/// Takes a `legacy_session_id<0..32>`.
fn read_session_id<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    let mut vector = reader.vec8("legacy_session_id")?;
    let error = vector.error(Problem::Length);
    let session_id = vector.take_rest();
    if session_id.len() > 32 {
        return Err(error);
    }
    Ok(session_id)
}

fn write_session_id(w: &mut Writer<'_>, session_id: &[u8]) -> Result<(), Error> {
    w.vec8(|w| {
        w.bytes(session_id);
        Ok(())
    })
}
