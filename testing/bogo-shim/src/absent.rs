//! What the runner may ask for and Waxwing does not have. Building a feature means to delete its
//! lines here, and to read its flags in `options`.

/// A feature that is not there, in the words of `docs/conformance.md`.
pub(crate) type Feature = &'static str;

const DTLS: Feature = "DTLS";
const QUIC: Feature = "QUIC";
pub(crate) const OLD_VERSIONS: Feature = "versions before TLS 1.2 (RFC 8996)";
const SHORT_PSK: Feature = "shared keys of fewer than 16 bytes (RFC 9257, Section 6)";
const OWN_TICKETS: Feature = "BoringSSL's own form of tickets";
const ACROSS_NAMES: Feature = "resumption across names (draft)";
const AGE_SKEW: Feature = "telling the application by how much a ticket's age is off";
const ECH: Feature = "encrypted ClientHello (RFC 9849)";
const CHANNEL_ID: Feature = "channel ID (expired draft)";
const ALPS: Feature = "application settings (expired draft)";
const NPN: Feature = "next protocol negotiation (expired draft)";
const RENEGOTIATION: Feature = "renegotiation";
const DELEGATED: Feature = "delegated credentials (RFC 9345)";
const PAKE: Feature = "SPAKE2+ (draft)";
const TRUST_ANCHORS: Feature = "trust anchor identifiers (draft)";
const SERVER_PADDING: Feature = "padding of the server's flight (draft)";
const SRTP: Feature = "SRTP (RFC 5764)";
const CBC: Feature = "CBC cipher suites";
const FALSE_START: Feature = "false start (RFC 7918)";
const TLS_UNIQUE: Feature = "tls-unique channel binding (RFC 5929)";
const HASHED_CERT: Feature = "keeping only the hash of a client's certificate";
const CIPHER_STRINGS: Feature = "cipher suites chosen by OpenSSL's strings";
const FALLBACK: Feature = "falling back to older versions by hand (RFC 7507)";
const SEND_ALERT: Feature = "an alert of the application's choice";
const MESSAGE_CALLBACK: Feature = "BoringSSL's form of a trace";
pub(crate) const JDK11: Feature = "a lower version for clients that look like JDK 11";
const CALLBACK: Feature = "a callback of BoringSSL's that has no counterpart";

/// Flags that ask for something absent, and for what.
const FLAGS: &[(&str, Feature)] = &[
    ("-dtls", DTLS),
    ("-mtu", DTLS),
    ("-initial-timeout-duration-ms", DTLS),
    ("-quic", QUIC),
    ("-quic-use-legacy-codepoint", QUIC),
    ("-quic-transport-params", QUIC),
    ("-psk", SHORT_PSK),
    ("-psk-identity", SHORT_PSK),
    ("-ticket-key", OWN_TICKETS),
    ("-expect-ticket-age-skew", AGE_SKEW),
    ("-expect-resumable-across-names", ACROSS_NAMES),
    ("-expect-not-resumable-across-names", ACROSS_NAMES),
    ("-resumption-across-names-enabled", ACROSS_NAMES),
    ("-ech-config-list", ECH),
    ("-ech-server-config", ECH),
    ("-ech-server-key", ECH),
    ("-ech-is-retry-config", ECH),
    ("-enable-ech-grease", ECH),
    ("-reject-unusable-ech-config", ECH),
    ("-expect-no-ech-name-override", ECH),
    ("-enable-channel-id", CHANNEL_ID),
    ("-send-channel-id", CHANNEL_ID),
    ("-expect-channel-id", CHANNEL_ID),
    ("-application-settings", ALPS),
    ("-alps-use-new-codepoint", ALPS),
    ("-defer-alps", ALPS),
    ("-advertise-npn", NPN),
    ("-advertise-empty-npn", NPN),
    ("-select-next-proto", NPN),
    ("-select-empty-next-proto", NPN),
    ("-renegotiate-once", RENEGOTIATION),
    ("-renegotiate-freely", RENEGOTIATION),
    ("-renegotiate-ignore", RENEGOTIATION),
    ("-renegotiate-explicit", RENEGOTIATION),
    ("-forbid-renegotiation-after-handshake", RENEGOTIATION),
    ("-new-delegated-credential", DELEGATED),
    ("-new-spake2plusv1-credential", PAKE),
    ("-requested-trust-anchors", TRUST_ANCHORS),
    ("-available-trust-anchors", TRUST_ANCHORS),
    ("-expect-peer-available-trust-anchors", TRUST_ANCHORS),
    ("-cert-properties", TRUST_ANCHORS),
    ("-request-server-padding", SERVER_PADDING),
    ("-server-supports-padding", SERVER_PADDING),
    ("-srtp-profiles", SRTP),
    ("-cbc-record-splitting", CBC),
    ("-write-different-record-sizes", CBC),
    ("-false-start", FALSE_START),
    ("-allow-false-start-without-alpn", FALSE_START),
    ("-tls-unique", TLS_UNIQUE),
    ("-expect-total-renegotiations", RENEGOTIATION),
    ("-cipher", CIPHER_STRINGS),
    ("-fallback-scsv", FALLBACK),
    ("-retain-only-sha256-client-cert", HASHED_CERT),
    ("-expect-sha256-client-cert", HASHED_CERT),
    ("-allow-unknown-alpn-protos", CALLBACK),
    ("-select-empty-alpn", CALLBACK),
    ("-fail-cert-callback", CALLBACK),
    ("-fail-early-callback", CALLBACK),
    ("-fail-ddos-callback", CALLBACK),
    ("-no-server-name-ack", CALLBACK),
    ("-max-cert-list", CALLBACK),
    ("-curves-flags", CALLBACK),
    ("-send-alert", SEND_ALERT),
    ("-expect-msg-callback", MESSAGE_CALLBACK),
];

/// What the flags for a feature begin with.
const PREFIXES: &[(&str, Feature)] = &[("-fail-early-callback-ech-", ECH), ("-pake-", PAKE)];

/// What a flag asks for, if that is absent.
pub(crate) fn feature_of(flag: &str) -> Option<Feature> {
    let exact = FLAGS.iter().find(|(name, _)| *name == flag);
    let prefix = || PREFIXES.iter().find(|(prefix, _)| flag.starts_with(prefix));
    exact.or_else(prefix).map(|(_, feature)| *feature)
}
