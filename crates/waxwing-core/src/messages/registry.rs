//! Code points that only messages carry. Names are those of the IANA registry "TLS Parameters".

use core::fmt;

use crate::codec::{Read, Reader};
use crate::error::DecodeError;

macro_rules! code_points {
    ($(#[$meta:meta])* $name:ident { $($konst:ident = $value:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(
            /// The number on the wire.
            pub u16,
        );

        impl $name {
            $(#[doc = concat!("`", $text, "`")] pub const $konst: Self = Self($value);)*

            /// The registered name, if this crate knows one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }

            /// Whether this is one of the reserved values of RFC 8701 (GREASE).
            #[must_use]
            pub const fn is_grease(self) -> bool {
                self.0 & 0x0f0f == 0x0a0a && self.0 >> 8 == self.0 & 0xff
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None if self.is_grease() => write!(f, "GREASE(0x{:04x})", self.0),
                    None => write!(f, "0x{:04x}", self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl<'a> Read<'a> for $name {
            fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                reader.u16().map(Self)
            }
        }
    };
}

code_points! {
    /// The type of an extension (RFC 9846, Section 4.2).
    ExtensionType {
        SERVER_NAME = 0, "server_name";
        MAX_FRAGMENT_LENGTH = 1, "max_fragment_length";
        STATUS_REQUEST = 5, "status_request";
        SUPPORTED_GROUPS = 10, "supported_groups";
        EC_POINT_FORMATS = 11, "ec_point_formats";
        SIGNATURE_ALGORITHMS = 13, "signature_algorithms";
        USE_SRTP = 14, "use_srtp";
        HEARTBEAT = 15, "heartbeat";
        ALPN = 16, "application_layer_protocol_negotiation";
        SIGNED_CERTIFICATE_TIMESTAMP = 18, "signed_certificate_timestamp";
        CLIENT_CERTIFICATE_TYPE = 19, "client_certificate_type";
        SERVER_CERTIFICATE_TYPE = 20, "server_certificate_type";
        PADDING = 21, "padding";
        ENCRYPT_THEN_MAC = 22, "encrypt_then_mac";
        EXTENDED_MAIN_SECRET = 23, "extended_main_secret";
        COMPRESS_CERTIFICATE = 27, "compress_certificate";
        RECORD_SIZE_LIMIT = 28, "record_size_limit";
        DELEGATED_CREDENTIAL = 34, "delegated_credential";
        SESSION_TICKET = 35, "session_ticket";
        PRE_SHARED_KEY = 41, "pre_shared_key";
        EARLY_DATA = 42, "early_data";
        SUPPORTED_VERSIONS = 43, "supported_versions";
        COOKIE = 44, "cookie";
        PSK_KEY_EXCHANGE_MODES = 45, "psk_key_exchange_modes";
        CERTIFICATE_AUTHORITIES = 47, "certificate_authorities";
        OID_FILTERS = 48, "oid_filters";
        POST_HANDSHAKE_AUTH = 49, "post_handshake_auth";
        SIGNATURE_ALGORITHMS_CERT = 50, "signature_algorithms_cert";
        KEY_SHARE = 51, "key_share";
        CONNECTION_ID = 54, "connection_id";
        QUIC_TRANSPORT_PARAMETERS = 57, "quic_transport_parameters";
        TICKET_REQUEST = 58, "ticket_request";
        ENCRYPTED_CLIENT_HELLO = 0xfe0d, "encrypted_client_hello";
        RENEGOTIATION_INFO = 0xff01, "renegotiation_info";
    }
}

code_points! {
    /// A protocol version (RFC 9846, Section 4.2.1). Versions compare by their number.
    ProtocolVersion {
        SSL3 = 0x0300, "SSLv3";
        TLS10 = 0x0301, "TLSv1.0";
        TLS11 = 0x0302, "TLSv1.1";
        TLS12 = 0x0303, "TLSv1.2";
        TLS13 = 0x0304, "TLSv1.3";
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn grease_values_are_the_sixteen_of_rfc_8701() {
        let found = (0..=u16::MAX).filter(|v| ExtensionType(*v).is_grease());
        let expected = (0..16u16).map(|i| (i << 12) | 0x0a00 | (i << 4) | 0x0a);
        assert!(found.eq(expected));
    }

    #[test]
    fn unknown_code_points_print_their_number() {
        assert_eq!(format!("{}", ProtocolVersion(0x0305)), "0x0305");
        assert_eq!(format!("{:?}", ProtocolVersion::TLS13), "TLSv1.3");
        assert_eq!(format!("{}", ExtensionType(0xdada)), "GREASE(0xdada)");
        assert_eq!(format!("{}", ExtensionType::KEY_SHARE), "key_share");
    }
}
