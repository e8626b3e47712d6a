//! Which alert tells the peer of which error: the RFC's word, written down a second time.

use crate::{AlertDescription as A, Error, Incompatible as I, PeerError as P};

/// RFC 9846, where it names the alert; where it does not, Section 6.2 says what each is for.
const RULES: [(A, &[P]); 18] = [
    (
        A::UNEXPECTED_MESSAGE,
        &[
            // Section 4, 4.2.4.
            P::UnexpectedMessage,
            P::SecondRetry,
            // Section 5, 5.1, 5.4.
            P::UnexpectedRecord,
            P::Heartbeat,
            P::UnexpectedChangeCipherSpec,
            P::InterleavedRecord,
            P::EmptyHandshakeRecord,
            P::MessageSpansKeyChange,
            P::NoContentType,
            // Limits of ours.
            P::TooManyEmptyRecords,
            P::TooManyWarnings,
            P::TooManyKeyUpdates,
            P::TooManyTickets,
            P::TooManyCertificateRequests,
            // Section 4.7.2.
            P::AnswerInterrupted,
        ],
    ),
    // Section 5.2.
    (A::BAD_RECORD_MAC, &[P::BadRecordMac]),
    (A::RECORD_OVERFLOW, &[P::RecordOverflow]),
    (
        A::ILLEGAL_PARAMETER,
        &[
            // Section 4.2.2 to 4.2.4.
            P::Compression,
            P::SecondHelloChanged,
            P::SessionIdEcho,
            // RFC 5246, Section 7.4.1.3, names none.
            P::ResumedSuite,
            P::SuiteNotOffered,
            P::Downgrade,
            P::RetryWithoutChange,
            P::RetrySuiteChanged,
            // Section 4.3 and what is under it.
            P::MisplacedExtension,
            P::DuplicateExtension,
            P::BadExtension,
            P::VersionNotOffered,
            P::CookieMismatch,
            P::KeyShareGroups,
            P::RetryGroup,
            P::GroupNotOffered,
            P::BadKeyShare,
            P::PskNotLast,
            P::AlpnNotOffered,
            P::BadServerName,
            // RFC 8449, Section 5.
            P::TwoSizeLimits,
            // RFC 8422, Section 5.1.2; Section 5.4 names none.
            P::PointFormats,
            P::CurveType,
            // Section 4.4.2, 4.5.2, 4.7.3.
            P::RequestContext,
            // Section 4.5.1 names none.
            P::AnswerContext,
            P::SchemeNotOffered,
            P::SchemeUnfit,
            P::BadKeyUpdate,
            // RFC 8879, Section 4.
            P::CompressionNotOffered,
            // RFC 7250, Section 4, and Section 4.5.1, name none.
            P::DefaultTypeAlone,
            P::CertificateTypeNotOffered,
            P::SeveralRawKeys,
            // Section 4.3.10, 4.3.11.
            P::EarlyDataUnfit,
            P::PskBinderCount,
            P::PskNotOffered,
            P::PskHash,
        ],
    ),
    // RFC 8879, Sections 4 and 5.
    (A::BAD_CERTIFICATE, &[P::BadCompression, P::CompressionBomb]),
    // Section 4.5.1.3; Section 6.
    (A::DECODE_ERROR, &[P::EmptyCertificate, P::BadAlert]),
    // Section 4.5.2, 4.5.3.
    (A::DECRYPT_ERROR, &[P::BadSignature, P::BadFinished]),
    // Section 4.3.11 names none; 4.3.10.
    (A::DECRYPT_ERROR, &[P::BadBinder]),
    (A::UNEXPECTED_MESSAGE, &[P::TooMuchEarlyData]),
    // Section 4.2.2, 4.2.3.
    (A::PROTOCOL_VERSION, &[P::LegacyVersion, P::RecordVersion]),
    // Not this protocol at all.
    (
        A::PROTOCOL_VERSION,
        &[P::NotTls, P::PlaintextHttp, P::Ssl2Hello],
    ),
    // Section 9.2; Section 4.3.9 names none.
    (
        A::MISSING_EXTENSION,
        &[P::MissingExtension, P::PskWithoutModes],
    ),
    // RFC 6066, Section 4.
    (A::ILLEGAL_PARAMETER, &[P::FragmentLength]),
    // RFC 5746, Sections 3.4 and 3.6; RFC 7507, Section 3.
    (A::HANDSHAKE_FAILURE, &[P::RenegotiationInfo]),
    // RFC 7627, Section 5.3: the handshake is aborted.
    (A::HANDSHAKE_FAILURE, &[P::ResumedMainSecret]),
    (A::INAPPROPRIATE_FALLBACK, &[P::Fallback]),
    // RFC 5246, Section 7.2.2; that it becomes fatal is ours.
    (A::NO_RENEGOTIATION, &[P::TooManyRenegotiations]),
    // Section 4.3.
    (A::UNSUPPORTED_EXTENSION, &[P::UnsolicitedExtension]),
];

const LACKS: [(A, I); 13] = [
    // Section 4.2.1, Appendix E; Appendix E.3 names none.
    (A::PROTOCOL_VERSION, I::Version),
    (A::PROTOCOL_VERSION, I::EarlyDataVersion),
    (A::HANDSHAKE_FAILURE, I::CipherSuite),
    // RFC 7465, Section 2.
    (A::INSUFFICIENT_SECURITY, I::OnlyRc4),
    (A::HANDSHAKE_FAILURE, I::Group),
    (A::HANDSHAKE_FAILURE, I::SignatureScheme),
    // RFC 7301, Section 3.2; RFC 6066, Section 3.
    (A::NO_APPLICATION_PROTOCOL, I::ApplicationProtocol),
    (A::UNRECOGNIZED_NAME, I::NoCertificate),
    // RFC 7627, Section 5.2 and 5.3; RFC 5746, Sections 4.1 and 4.3.
    (A::HANDSHAKE_FAILURE, I::ExtendedMainSecret),
    (A::HANDSHAKE_FAILURE, I::SecureRenegotiation),
    // RFC 7250, Section 4.2.
    (A::UNSUPPORTED_CERTIFICATE, I::CertificateType),
    // Section 4.5.1.4; RFC 5246, Section 7.4.6.
    (A::CERTIFICATE_REQUIRED, I::NoClientCertificate),
    (A::HANDSHAKE_FAILURE, I::NoClientCertificate12),
];

#[test]
fn each_error_has_its_alert() {
    for rule in P::ALL {
        let mut groups = RULES.iter().filter(|(_, rules)| rules.contains(rule));
        let (alert, _) = groups.next().expect("every rule has an alert");
        assert_eq!(groups.count(), 0, "{rule:?} twice");
        assert_eq!(Error::Peer(*rule).alert(), Some(*alert), "{rule:?}");
    }
    for lack in I::ALL {
        let found = LACKS.iter().find(|(_, listed)| listed == lack);
        let expected = found.map(|(alert, _)| *alert);
        assert!(expected.is_some(), "{lack:?}");
        assert_eq!(Error::Incompatible(*lack).alert(), expected, "{lack:?}");
    }
}
