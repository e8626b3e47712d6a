//! Code points that only messages carry. Names are those of the IANA registry "TLS Parameters".

waxwing_crypto::code_points! {
    /// The type of an extension (RFC 9846, Section 4.3).
    ExtensionType(u16) {
        SERVER_NAME = 0, "server_name";
        MAX_FRAGMENT_LENGTH = 1, "max_fragment_length";
        CLIENT_CERTIFICATE_URL = 2, "client_certificate_url";
        TRUSTED_CA_KEYS = 3, "trusted_ca_keys";
        TRUNCATED_HMAC = 4, "truncated_hmac";
        STATUS_REQUEST = 5, "status_request";
        USER_MAPPING = 6, "user_mapping";
        CLIENT_AUTHZ = 7, "client_authz";
        SERVER_AUTHZ = 8, "server_authz";
        CERT_TYPE = 9, "cert_type";
        SUPPORTED_GROUPS = 10, "supported_groups";
        EC_POINT_FORMATS = 11, "ec_point_formats";
        SRP = 12, "srp";
        SIGNATURE_ALGORITHMS = 13, "signature_algorithms";
        USE_SRTP = 14, "use_srtp";
        HEARTBEAT = 15, "heartbeat";
        ALPN = 16, "application_layer_protocol_negotiation";
        STATUS_REQUEST_V2 = 17, "status_request_v2";
        SIGNED_CERTIFICATE_TIMESTAMP = 18, "signed_certificate_timestamp";
        CLIENT_CERTIFICATE_TYPE = 19, "client_certificate_type";
        SERVER_CERTIFICATE_TYPE = 20, "server_certificate_type";
        PADDING = 21, "padding";
        ENCRYPT_THEN_MAC = 22, "encrypt_then_mac";
        EXTENDED_MAIN_SECRET = 23, "extended_main_secret";
        TOKEN_BINDING = 24, "token_binding";
        CACHED_INFO = 25, "cached_info";
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
        NEXT_PROTOCOL_NEGOTIATION = 13172, "next_protocol_negotiation";
        APPLICATION_SETTINGS = 17613, "application_settings";
        CHANNEL_ID = 30032, "channel_id";
        ENCRYPTED_CLIENT_HELLO = 0xfe0d, "encrypted_client_hello";
        RENEGOTIATION_INFO = 0xff01, "renegotiation_info";
    }
}

waxwing_crypto::code_points! {
    /// A protocol version (RFC 9846, Section 4.3.1). Versions compare by their number.
    ProtocolVersion(u16) {
        SSL3 = 0x0300, "SSLv3";
        TLS10 = 0x0301, "TLSv1.0";
        TLS11 = 0x0302, "TLSv1.1";
        TLS12 = 0x0303, "TLSv1.2";
        TLS13 = 0x0304, "TLSv1.3";
    }
}

waxwing_crypto::code_points! {
    /// What a Certificate holds (RFC 7250, Section 3).
    CertificateType(u8) {
        X509 = 0, "X509";
        RAW_PUBLIC_KEY = 2, "RawPublicKey";
    }
}

/// X.509: what everybody knows (RFC 7250, Section 4.1).
impl Default for CertificateType {
    fn default() -> Self {
        Self::X509
    }
}

waxwing_crypto::code_points! {
    /// How a Certificate is compressed (RFC 8879, Section 3).
    CertificateCompressionAlgorithm(u16) {
        ZLIB = 1, "zlib";
        BROTLI = 2, "brotli";
        ZSTD = 3, "zstd";
    }
}
