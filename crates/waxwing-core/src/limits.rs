//! Every bound on what a peer can make this engine hold, count or wait for.

/// Bytes of plaintext in one record (RFC 9846, Section 5.1).
pub const MAX_PLAINTEXT: usize = 1 << 14;
/// Bytes of a record header.
pub const RECORD_HEADER: usize = 5;
/// Bytes of the encrypted part of one record: plaintext, content type, padding and tag
/// (RFC 9846, Section 5.2).
pub const MAX_CIPHERTEXT: usize = MAX_PLAINTEXT + 256;
/// Bytes of a whole record on the wire: what an input buffer must be able to hold.
pub const MAX_RECORD: usize = RECORD_HEADER + MAX_CIPHERTEXT;

/// Bytes of one handshake message's body. Long certificate chains need most of it.
pub const MAX_HANDSHAKE_MESSAGE: usize = 1 << 16;
/// Bytes of a ClientHello's body. Real ones, with two post-quantum shares, stay under 4 KiB.
pub const MAX_CLIENT_HELLO: usize = 1 << 14;
/// Extensions in one block. The busiest clients send about 25.
pub const MAX_EXTENSIONS: usize = 64;
/// Key shares looked at in one ClientHello.
pub const MAX_KEY_SHARES: usize = 16;
/// Bytes of a cookie (RFC 9846, Section 4.3.2): it comes back in the second ClientHello.
pub const MAX_COOKIE: usize = 1 << 13;
/// Certificates in one chain, the end entity's included.
pub const MAX_CHAIN: usize = 10;
/// Responders' certificates looked at in one OCSP response, each at the cost of two signature
/// checks. Honest ones send one, or its chain.
pub const MAX_OCSP_RESPONDERS: usize = 4;
/// Timestamps of logs looked at for one certificate, each at the cost of a signature check. Honest
/// servers send two to five.
pub const MAX_SCTS: usize = 16;
/// Paths from one peer's certificates to a trust anchor that are asked for revocation. Honest chains
/// have one, or two where an authority is changing its root.
pub const MAX_REVOCATION_PATHS: usize = 8;
/// Accepted chains that one verifier remembers, if nothing else is said: a few hundred bytes each.
pub const MAX_VERDICTS: usize = 1024;
/// Seconds that an accepted chain is remembered at most. That saves nearly all of the work for peers
/// that are often met, and is short beside the hours that lists and responses count.
pub const MAX_VERDICT_AGE: u64 = 3600;

/// Records in a row that carry nothing.
pub const MAX_EMPTY_RECORDS: u8 = 32;
/// Alerts in a row that are neither fatal nor close_notify.
pub const MAX_WARNING_ALERTS: u8 = 4;
/// KeyUpdate messages in a row without application data between them.
pub const MAX_KEY_UPDATES: u8 = 32;
/// Requests to renegotiate that a connection of TLS 1.2 refuses with a warning before it ends.
pub const MAX_RENEGOTIATIONS: u8 = 3;
/// change_cipher_spec records in one handshake; an honest peer sends one.
pub const MAX_CHANGE_CIPHER_SPEC: u8 = 4;
/// NewSessionTicket messages in a row without application data between them.
pub const MAX_TICKETS: u16 = 1024;
/// CertificateRequest messages after the handshake, in a row without application data between
/// them.
pub const MAX_CERTIFICATE_REQUESTS: u8 = 8;
/// Bytes of early data skipped by a server that accepts none (RFC 9846, Section 4.3.10).
pub const MAX_SKIPPED_EARLY_DATA: u32 = 1 << 16;

/// Bytes of a protocol name of ALPN (RFC 7301: one length byte).
pub const MAX_ALPN_NAME: usize = 255;
/// Bytes of a DNS name without its final dot (RFC 1035).
pub const MAX_DNS_NAME: usize = 253;

/// Seconds that a session lives at most (RFC 9846, Section 4.7.1).
pub const MAX_SESSION_LIFETIME: u32 = 604_800;
/// Bytes of what tells a server's services apart in sessions.
pub const MAX_SESSION_CONTEXT: usize = 255;
/// Bytes of a ticket: longer ones are neither kept nor looked at. Ours have 200, and what a client's
/// certificates take. A ClientHello has to have room for it beside everything else.
pub const MAX_TICKET: usize = 1 << 13;
/// Bytes of an encoded session, with certificates of both sides in it.
pub const MAX_SESSION_BYTES: usize = 1 << 17;
/// Identities looked at in one ClientHello, each at the cost of one look-up.
pub const MAX_PSK_IDENTITIES: usize = 8;
/// Bytes of a key that peers share.
pub const MAX_PSK_LEN: usize = 256;
/// Milliseconds by which a client's and the server's idea of a ticket's age may differ for early
/// data to be accepted (RFC 9846, Section 8.3).
pub const EARLY_DATA_AGE_WINDOW: u32 = 10_000;
