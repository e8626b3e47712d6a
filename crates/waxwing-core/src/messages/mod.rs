//! Handshake messages, one file each: the borrowed view, its reader and its writer.

use core::fmt;

/// The type of a handshake message (RFC 9846, Section 4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HandshakeType(
    /// The number on the wire.
    pub u8,
);

macro_rules! handshake_types {
    ($($konst:ident = $value:literal, $text:literal;)*) => {
        impl HandshakeType {
            $(#[doc = concat!("`", $text, "`")] pub const $konst: Self = Self($value);)*

            /// The registered name, if this crate knows one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

handshake_types! {
    HELLO_REQUEST = 0, "hello_request";
    CLIENT_HELLO = 1, "client_hello";
    SERVER_HELLO = 2, "server_hello";
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
    CERTIFICATE_STATUS = 22, "certificate_status";
    KEY_UPDATE = 24, "key_update";
    COMPRESSED_CERTIFICATE = 25, "compressed_certificate";
    MESSAGE_HASH = 254, "message_hash";
}

impl fmt::Display for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "handshake type {}", self.0),
        }
    }
}

impl fmt::Debug for HandshakeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
