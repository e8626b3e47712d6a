//! Everything that can go wrong, as data.
//!
//! Each failure names the rule that was broken and the section that states it; the alert for
//! the peer follows from it in one place, [`Error::alert`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use waxwing_crypto::CryptoError;

use crate::AlertDescription;

/// Why a connection failed. Every error is final.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A message is not of the form that its definition gives.
    Decode(DecodeError),
    /// The peer broke a rule of the protocol.
    Peer(PeerError),
    /// The peer plays by the rules, but there is no common ground.
    Incompatible(Incompatible),
    /// The peer's certificate was not accepted.
    Certificate(Box<Rejection>),
    /// The peer ended the connection with this alert.
    Alert(AlertDescription),
    /// The transport ended without close_notify: data may be missing (RFC 9846, Section 6.1).
    Truncated,
    /// The transport ended before the handshake was complete.
    HandshakeCut,
    /// The caller asked for something that cannot be done now.
    Misuse(Misuse),
    /// The cryptography library failed.
    Crypto(CryptoError),
}

const _: () = assert!(size_of::<Error>() <= 24);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Peer(rule) => rule.fmt(f),
            Self::Incompatible(lack) => lack.fmt(f),
            Self::Certificate(rejection) => rejection.fmt(f),
            Self::Alert(alert) => write!(f, "the peer sent the alert {alert}"),
            Self::Truncated => {
                f.write_str("the connection ended without close_notify, so data may be missing")
            }
            Self::HandshakeCut => f.write_str(
                "the peer closed the connection during the handshake, without saying why",
            ),
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::Crypto(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<PeerError> for Error {
    fn from(rule: PeerError) -> Self {
        Self::Peer(rule)
    }
}

impl From<Incompatible> for Error {
    fn from(lack: Incompatible) -> Self {
        Self::Incompatible(lack)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Crypto(error)
    }
}

/// Where a message could not be read, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The message or field, by its name in the RFC.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It ends before its content does.
    Short,
    /// Bytes follow where nothing may.
    Trailing,
    /// Its length is outside the range that its definition gives.
    Length,
    /// It exceeds a limit of this engine (see `limits`).
    Limit,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::Short => "ends too early",
            Problem::Trailing => "has trailing bytes",
            Problem::Length => "has an illegal length",
            Problem::Limit => "exceeds a limit",
        };
        write!(f, "malformed message: {} {problem}", self.field)
    }
}

macro_rules! rules {
    ($(#[$meta:meta])* $name:ident { $($variant:ident => $alert:ident, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $text] $variant,)*
        }

        impl $name {
            /// Every member, for tables and tests.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn alert(self) -> AlertDescription {
                match self {
                    $(Self::$variant => AlertDescription::$alert,)*
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

rules! {
    /// A rule that the peer broke.
    PeerError {
        NotTls => PROTOCOL_VERSION,
            "the peer does not speak TLS";
        PlaintextHttp => PROTOCOL_VERSION,
            "the peer speaks plain HTTP, not TLS";
        Ssl2Hello => PROTOCOL_VERSION,
            "an SSL 2.0 ClientHello, which RFC 6176 forbids";
        UnexpectedMessage => UNEXPECTED_MESSAGE,
            "a handshake message out of order (RFC 9846, Section 4)";
        UnexpectedRecord => UNEXPECTED_MESSAGE,
            "a record of a type not allowed here (RFC 9846, Section 5)";
        Heartbeat => UNEXPECTED_MESSAGE,
            "a heartbeat, which nobody asked for (RFC 6520, Section 3)";
        UnexpectedChangeCipherSpec => UNEXPECTED_MESSAGE,
            "a change_cipher_spec that is not the single byte 1, or comes outside the handshake (RFC 9846, Section 5)";
        InterleavedRecord => UNEXPECTED_MESSAGE,
            "a record of another type between the parts of a handshake message (RFC 9846, Section 5.1)";
        EmptyHandshakeRecord => UNEXPECTED_MESSAGE,
            "an empty record of handshake or alert type (RFC 9846, Section 5.1)";
        MessageSpansKeyChange => UNEXPECTED_MESSAGE,
            "handshake bytes on both sides of a key change (RFC 9846, Section 5.1)";
        NoContentType => UNEXPECTED_MESSAGE,
            "a protected record that is all padding, without a content type (RFC 9846, Section 5.4)";
        TooManyEmptyRecords => UNEXPECTED_MESSAGE,
            "too many empty records in a row";
        TooManyWarnings => UNEXPECTED_MESSAGE,
            "too many warning alerts in a row";
        TooManyKeyUpdates => UNEXPECTED_MESSAGE,
            "too many key updates in a row";
        TooManyRenegotiations => NO_RENEGOTIATION,
            "too many requests to renegotiate, which is refused (RFC 9325, Section 3.5)";
        TooManyTickets => UNEXPECTED_MESSAGE,
            "too many session tickets in a row";
        TooManyCertificateRequests => UNEXPECTED_MESSAGE,
            "too many requests for a certificate in a row";
        RecordOverflow => RECORD_OVERFLOW,
            "a record longer than allowed (RFC 9846, Section 5.1 and 5.2)";
        RecordVersion => PROTOCOL_VERSION,
            "a record of TLS 1.2 with another version in its header (RFC 5246, Section 6.2.1)";
        BadRecordMac => BAD_RECORD_MAC,
            "a record that does not decrypt (RFC 9846, Section 5.2)";
        BadAlert => DECODE_ERROR,
            "an alert that is not two bytes long (RFC 9846, Section 6)";
        DuplicateExtension => ILLEGAL_PARAMETER,
            "the same extension twice in one message (RFC 9846, Section 4.3)";
        MisplacedExtension => ILLEGAL_PARAMETER,
            "an extension in a message that may not carry it (RFC 9846, Section 4.3)";
        UnsolicitedExtension => UNSUPPORTED_EXTENSION,
            "an extension that answers nothing we sent (RFC 9846, Section 4.3)";
        MissingExtension => MISSING_EXTENSION,
            "a mandatory extension is missing (RFC 9846, Section 9.2)";
        BadExtension => ILLEGAL_PARAMETER,
            "an extension with a value that its definition forbids";
        LegacyVersion => PROTOCOL_VERSION,
            "legacy_version is not 0x0303 (RFC 9846, Section 4.2)";
        Fallback => INAPPROPRIATE_FALLBACK,
            "the client fell back to an older version although both sides know a newer one (RFC 7507, Section 3)";
        RenegotiationInfo => HANDSHAKE_FAILURE,
            "renegotiation_info is not empty in the first handshake (RFC 5746, Sections 3.4 and 3.6)";
        FragmentLength => ILLEGAL_PARAMETER,
            "max_fragment_length is not the one we asked for (RFC 6066, Section 4)";
        PointFormats => ILLEGAL_PARAMETER,
            "ec_point_formats without the uncompressed one (RFC 8422, Section 5.1.2)";
        Downgrade => ILLEGAL_PARAMETER,
            "an old version from a server that knows TLS 1.3: somebody changed our hello (RFC 9846, Section 4.2.3)";
        Compression => ILLEGAL_PARAMETER,
            "compression methods other than the single null (RFC 9846, Section 4.2)";
        SessionIdEcho => ILLEGAL_PARAMETER,
            "legacy_session_id_echo differs from what we sent (RFC 9846, Section 4.2.3)";
        VersionNotOffered => ILLEGAL_PARAMETER,
            "the server chose a version we did not offer (RFC 9846, Section 4.3.1)";
        SuiteNotOffered => ILLEGAL_PARAMETER,
            "the server chose a cipher suite we did not offer (RFC 9846, Section 4.2.3)";
        GroupNotOffered => ILLEGAL_PARAMETER,
            "the server chose a group we did not offer a share for (RFC 9846, Section 4.3.8)";
        SecondRetry => UNEXPECTED_MESSAGE,
            "a second HelloRetryRequest (RFC 9846, Section 4.2.4)";
        RetryWithoutChange => ILLEGAL_PARAMETER,
            "a HelloRetryRequest that changes nothing (RFC 9846, Section 4.2.4)";
        RetryGroup => ILLEGAL_PARAMETER,
            "a HelloRetryRequest for a group we did not offer, or already sent a share for (RFC 9846, Section 4.3.8)";
        RetrySuiteChanged => ILLEGAL_PARAMETER,
            "another cipher suite or version than the HelloRetryRequest named (RFC 9846, Section 4.2.4)";
        SecondHelloChanged => ILLEGAL_PARAMETER,
            "the second ClientHello differs where it may not (RFC 9846, Section 4.2.2)";
        CookieMismatch => ILLEGAL_PARAMETER,
            "the cookie came back changed (RFC 9846, Section 4.3.2)";
        KeyShareGroups => ILLEGAL_PARAMETER,
            "key shares repeated, or for groups not in supported_groups (RFC 9846, Section 4.3.8)";
        BadKeyShare => ILLEGAL_PARAMETER,
            "a key share that is no valid public value of its group (RFC 9846, Section 4.3.8)";
        PskNotLast => ILLEGAL_PARAMETER,
            "pre_shared_key is not the last extension (RFC 9846, Section 4.3.11)";
        PskWithoutModes => MISSING_EXTENSION,
            "pre_shared_key without psk_key_exchange_modes (RFC 9846, Section 4.3.9)";
        PskBinderCount => ILLEGAL_PARAMETER,
            "not as many binders as identities (RFC 9846, Section 4.3.11)";
        BadBinder => DECRYPT_ERROR,
            "a PSK whose binder is not valid (RFC 9846, Section 4.3.11)";
        PskNotOffered => ILLEGAL_PARAMETER,
            "the server chose a PSK we did not offer (RFC 9846, Section 4.3.11)";
        PskHash => ILLEGAL_PARAMETER,
            "a cipher suite whose hash is not the PSK's (RFC 9846, Section 4.3.11)";
        EarlyDataUnfit => ILLEGAL_PARAMETER,
            "early data accepted for another PSK, suite or protocol than it was sent for (RFC 9846, Section 4.3.10)";
        TooMuchEarlyData => UNEXPECTED_MESSAGE,
            "more early data than max_early_data_size (RFC 9846, Section 4.3.10)";
        ResumedSuite => ILLEGAL_PARAMETER,
            "another cipher suite than that of the session resumed (RFC 5246, Section 7.4.1.3)";
        ResumedMainSecret => HANDSHAKE_FAILURE,
            "extended_main_secret differs from that of the session resumed (RFC 7627, Section 5.3)";
        AlpnNotOffered => ILLEGAL_PARAMETER,
            "the server chose an application protocol we did not offer (RFC 7301, Section 3.1)";
        RequestContext => ILLEGAL_PARAMETER,
            "a certificate_request_context that is not empty during the handshake (RFC 9846, Section 4.4.2)";
        CompressionNotOffered => ILLEGAL_PARAMETER,
            "a certificate compressed in a way we did not offer (RFC 8879, Section 4)";
        BadCompression => BAD_CERTIFICATE,
            "a compressed certificate that does not decompress to the length it names (RFC 8879, Section 4)";
        CompressionBomb => BAD_CERTIFICATE,
            "a compressed certificate that would exceed the limit of a message (RFC 8879, Section 5)";
        AnswerContext => ILLEGAL_PARAMETER,
            "a Certificate with another certificate_request_context than the request (RFC 9846, Section 4.5.1)";
        AnswerInterrupted => UNEXPECTED_MESSAGE,
            "application data between the messages of a client that authenticates (RFC 9846, Section 4.7.2)";
        DefaultTypeAlone => ILLEGAL_PARAMETER,
            "a list of certificate types with nothing but the default (RFC 7250, Section 4.1)";
        CertificateTypeNotOffered => ILLEGAL_PARAMETER,
            "the server chose a certificate type we did not offer (RFC 7250, Section 4.2)";
        SeveralRawKeys => ILLEGAL_PARAMETER,
            "more than one raw public key (RFC 9846, Section 4.5.1)";
        EmptyCertificate => DECODE_ERROR,
            "a server's Certificate without a certificate (RFC 9846, Section 4.5.1.3)";
        SchemeNotOffered => ILLEGAL_PARAMETER,
            "a signature scheme we did not offer (RFC 9846, Section 4.5.2)";
        SchemeUnfit => ILLEGAL_PARAMETER,
            "a signature scheme that does not fit the certificate's key (RFC 9846, Section 4.5.2)";
        BadSignature => DECRYPT_ERROR,
            "the handshake signature is not valid (RFC 9846, Section 4.5.2)";
        BadFinished => DECRYPT_ERROR,
            "the Finished message is not valid (RFC 9846, Section 4.5.3)";
        BadKeyUpdate => ILLEGAL_PARAMETER,
            "a KeyUpdate that is neither request nor answer (RFC 9846, Section 4.7.3)";
        BadServerName => ILLEGAL_PARAMETER,
            "server_name with several names of one type (RFC 6066, Section 3)";
        TwoSizeLimits => ILLEGAL_PARAMETER,
            "an answer with both max_fragment_length and record_size_limit (RFC 8449, Section 5)";
        CurveType => ILLEGAL_PARAMETER,
            "a ServerKeyExchange for a curve without a name (RFC 8422, Section 5.4)";
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTls | Self::PlaintextHttp => f.write_str(self.text()),
            _ => write!(f, "the peer broke the protocol: {}", self.text()),
        }
    }
}

rules! {
    /// What the two sides have not in common.
    Incompatible {
        Version => PROTOCOL_VERSION,
            "no common protocol version";
        EarlyDataVersion => PROTOCOL_VERSION,
            "the server chose TLS 1.2, which cannot go on after early data: try again without (RFC 9846, Appendix E.3)";
        CipherSuite => HANDSHAKE_FAILURE,
            "no common cipher suite";
        OnlyRc4 => INSUFFICIENT_SECURITY,
            "the client knows no cipher but RC4 (RFC 7465, Section 2)";
        Group => HANDSHAKE_FAILURE,
            "no common key exchange group";
        SignatureScheme => HANDSHAKE_FAILURE,
            "no signature scheme that both the peer and our key support";
        ApplicationProtocol => NO_APPLICATION_PROTOCOL,
            "no common application protocol";
        ExtendedMainSecret => HANDSHAKE_FAILURE,
            "the peer does not bind its secrets to the handshake (extended_main_secret, RFC 7627)";
        SecureRenegotiation => HANDSHAKE_FAILURE,
            "the peer does not signal secure renegotiation (RFC 5746)";
        CertificateType => UNSUPPORTED_CERTIFICATE,
            "no certificate of a type that the other side accepts (RFC 7250, Section 4.2)";
        NoClientCertificate => CERTIFICATE_REQUIRED,
            "the client showed no certificate (RFC 9846, Section 4.5.1.4)";
        NoClientCertificate12 => HANDSHAKE_FAILURE,
            "the client showed no certificate (RFC 5246, Section 7.4.6)";
        NoCertificate => UNRECOGNIZED_NAME,
            "no certificate for the name the client asked for";
    }
}

impl fmt::Display for Incompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

rules! {
    /// Why a certificate was not accepted.
    CertificateError {
        Malformed => BAD_CERTIFICATE,
            "the certificate is malformed";
        Expired => CERTIFICATE_EXPIRED,
            "the certificate has expired";
        NotYetValid => CERTIFICATE_EXPIRED,
            "the certificate is not valid yet";
        NameMismatch => BAD_CERTIFICATE,
            "the certificate is for another name";
        UnknownIssuer => UNKNOWN_CA,
            "the certificate's issuer is not trusted";
        SelfSigned => UNKNOWN_CA,
            "the certificate is self-signed and not trusted";
        PinMismatch => BAD_CERTIFICATE,
            "the certificate is not the pinned one";
        WrongUsage => UNSUPPORTED_CERTIFICATE,
            "the certificate is not for this purpose";
        BadSignature => BAD_CERTIFICATE,
            "a signature in the certificate chain is not valid";
        UnsupportedAlgorithm => UNSUPPORTED_CERTIFICATE,
            "the certificate uses an algorithm that is not supported";
        TooWeak => BAD_CERTIFICATE,
            "the certificate rests on a key or signature that is too weak (RFC 9155, RFC 9325)";
        RawPublicKey => UNSUPPORTED_CERTIFICATE,
            "a raw public key where only certificates are trusted (RFC 7250)";
        Revoked => CERTIFICATE_REVOKED,
            "the certificate is revoked";
        BadStatus => BAD_CERTIFICATE_STATUS_RESPONSE,
            "the stapled OCSP response does not vouch for the certificate (RFC 6066, Section 8)";
        StatusUnknown => CERTIFICATE_UNKNOWN,
            "whether the certificate is revoked has to be known, and is not";
        NotLogged => CERTIFICATE_UNKNOWN,
            "too few logs vouch for the certificate (RFC 6962)";
        Constraint => BAD_CERTIFICATE,
            "a constraint of an issuer forbids the certificate";
        TooComplex => BAD_CERTIFICATE,
            "the certificate chain is too long or too costly to check";
        NoTime => CERTIFICATE_UNKNOWN,
            "the time is not known, so validity cannot be checked";
        Refused => CERTIFICATE_UNKNOWN,
            "the application did not accept the certificate";
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A certificate that was not accepted: why, and in words for people if the verifier has some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which rule failed.
    pub code: CertificateError,
    /// Which certificate, which value, what would help.
    pub explanation: Option<Arc<str>>,
}

impl From<CertificateError> for Rejection {
    fn from(code: CertificateError) -> Self {
        Self {
            code,
            explanation: None,
        }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Certificate(Box::new(rejection))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        match &self.explanation {
            Some(explanation) => write!(f, ": {explanation}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Rejection {}

/// What the caller asked for and cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The handshake is not complete yet.
    HandshakePending,
    /// More early data than the session allows for, or it is too late for any.
    EarlyDataLimit,
    /// The sending direction is closed.
    WriteClosed,
    /// No question is open, or the answer is of another kind.
    NoSuchQuestion,
    /// A question was left for later, and nobody is there to answer it.
    Unanswered,
    /// The connection is closed or has failed.
    Closed,
    /// An exporter label, context or output is too long.
    ExporterLength,
    /// An exporter label that the protocol uses for its own keys (RFC 5705, Section 4).
    ReservedLabel,
    /// A configured value does not fit its field in a message.
    TooLong,
    /// TLS 1.2 cannot change keys within a connection.
    NoKeyUpdate,
    /// The two sides did not agree that a client may authenticate after the handshake, or this
    /// is the client.
    NoPostHandshakeAuth,
    /// The client was asked for a certificate before and has not answered yet.
    RequestOpen,
    /// A key of TLS 1.2 has protected as many records as it may: a new connection is needed.
    KeyWornOut,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HandshakePending => "the handshake is not complete",
            Self::EarlyDataLimit => "no more early data can be sent on this connection",
            Self::WriteClosed => "the sending direction is closed",
            Self::NoSuchQuestion => "the answer fits no open question",
            Self::Unanswered => "a decision was left for later, and nobody is there to take it",
            Self::Closed => "the connection is closed",
            Self::ExporterLength => "an exporter label, context or output is too long",
            Self::ReservedLabel => "the exporter label is one that TLS itself uses",
            Self::TooLong => "a configured value is too long for its message",
            Self::NoKeyUpdate => "TLS 1.2 cannot change keys within a connection",
            Self::NoPostHandshakeAuth => {
                "authentication of the client after the handshake was not agreed on"
            }
            Self::RequestOpen => "the client has not answered the last request for a certificate",
            Self::KeyWornOut => "the key is worn out, and TLS 1.2 cannot change it: reconnect",
        })
    }
}
