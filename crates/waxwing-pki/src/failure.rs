//! Why a certificate was not accepted: one structure for programs, with one sentence for people.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use waxwing_core::{CertificateError, Rejection};

use crate::Identity;

/// Why a certificate was not accepted.
///
/// As text it is the reason, what would help, and in brackets what is of use to a search engine:
///
/// ```text
/// CN=a.example is expired since 2026-02-28T00:00:00Z; the time now is 2026-03-01T09:00:00Z;
/// renew it, or set the clock right [CERT_HAS_EXPIRED; RFC 5280, Section 6.1.3; certificate 0,
/// SHA-256 0f…]
/// ```
///
/// With the feature `serde` it can be serialized, for example as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Failure {
    /// Which rule failed. It does not change between releases.
    pub code: Code,
    /// Which certificate is at fault, if it can be told.
    pub certificate: Option<Box<Culprit>>,
    /// The rule, and the values that break it, in a sentence.
    pub reason: String,
    /// Where the rule stands.
    pub section: &'static str,
    /// What would help.
    pub fix: &'static str,
    /// What Node.js calls it, where it differs from the code.
    pub node_code: &'static str,
    /// The class of errors that the handshake fails with.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub class: CertificateError,
}

/// The certificate at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Culprit {
    /// Its place among those that the peer sent, from 0, which is its own. `None` is a trust
    /// anchor.
    pub place: Option<usize>,
    /// Its subject in the form of RFC 4514, or a name that it has.
    pub subject: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Culprit {
    pub(crate) fn at(place: Option<usize>, identity: &Identity) -> Self {
        Self {
            place,
            subject: identity.label(),
            sha256: identity.sha256.clone(),
        }
    }
}

impl Failure {
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            certificate: None,
            reason: reason.into(),
            section: code.section(),
            fix: code.fix(),
            node_code: code.name_in_node(),
            class: code.class(),
        }
    }

    pub(crate) fn of(mut self, certificate: Culprit) -> Self {
        self.certificate = Some(Box::new(certificate));
        self
    }

    /// The same, but the rule stands there.
    pub(crate) const fn by(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    /// The same, but this helps.
    pub(crate) const fn fixed_by(mut self, fix: &'static str) -> Self {
        self.fix = fix;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            reason,
            section,
            fix,
            ..
        } = self;
        write!(f, "{reason}; {fix} [{code}; {section}")?;
        match &self.certificate {
            Some(culprit) => match culprit.place {
                Some(place) => write!(f, "; certificate {place}, SHA-256 {}]", culprit.sha256),
                None => write!(f, "; trust anchor, SHA-256 {}]", culprit.sha256),
            },
            None => f.write_str("]"),
        }
    }
}

impl core::error::Error for Failure {}

impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.class,
            explanation: Some(format!("{failure}").into()),
        }
    }
}

/// One variant, name, class, section and fix for each code.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $class:ident, $section:literal, $fix:literal;)+) => {
        /// A rule that a certificate or a chain can break.
        ///
        /// The names are those of OpenSSL and Node.js, where these have one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $code,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The stable name, such as `CERT_HAS_EXPIRED`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }

            /// What the handshake fails with.
            #[must_use]
            pub const fn class(self) -> CertificateError {
                match self {
                    $(Self::$code => CertificateError::$class,)+
                }
            }

            /// Where the rule stands.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $(Self::$code => $section,)+
                }
            }

            /// What would help.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self {
                    $(Self::$code => $fix,)+
                }
            }
        }
    };
}

codes! {
    /// It was valid once.
    Expired = "CERT_HAS_EXPIRED", Expired, "RFC 5280, Section 6.1.3",
        "renew it, or set the clock right";
    /// It is valid from a later time on.
    NotYetValid = "CERT_NOT_YET_VALID", NotYetValid, "RFC 5280, Section 6.1.3",
        "wait, or set the clock right";
    /// The only certificate is its own issuer, and not trusted.
    SelfSigned = "DEPTH_ZERO_SELF_SIGNED_CERT", SelfSigned, "RFC 5280, Section 6.1.1",
        "trust this certificate itself, or get one from an authority that is trusted";
    /// The chain leads to a root that is not trusted.
    SelfSignedInChain = "SELF_SIGNED_CERT_IN_CHAIN", UnknownIssuer, "RFC 5280, Section 6.1.1",
        "trust that root, if it is the right one";
    /// The issuer's certificate was neither sent nor is it trusted.
    NoIssuerLocally = "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", UnknownIssuer,
        "RFC 5280, Section 6.1.1",
        "let the peer send its intermediate certificates, or trust the issuer";
    /// The chain ends in a trusted certificate that is no root, and roots are asked for.
    NoIssuer = "UNABLE_TO_GET_ISSUER_CERT", UnknownIssuer, "RFC 5280, Section 6.1.1",
        "trust the root too, or allow partial chains";
    /// The key of the issuer did not make the signature.
    BadSignature = "CERT_SIGNATURE_FAILURE", BadSignature, "RFC 5280, Section 6.1.3",
        "get the certificate again, with the intermediates that belong to it";
    /// It is for other names.
    HostnameMismatch = "HOSTNAME_MISMATCH", NameMismatch, "RFC 9525, Section 6",
        "use a name that it has, or get one for this name";
    /// It is for other addresses.
    IpAddressMismatch = "IP_ADDRESS_MISMATCH", NameMismatch, "RFC 9525, Section 6.5",
        "use a name that it has, or get one with this address in subjectAltName";
    /// It is not for this purpose.
    InvalidPurpose = "INVALID_PURPOSE", WrongUsage, "RFC 5280, Section 4.2.1.12",
        "get one for this purpose";
    /// An issuer is no authority.
    InvalidCa = "INVALID_CA", WrongUsage, "RFC 5280, Section 4.2.1.9",
        "get it from an authority, whose certificate has basicConstraints with cA";
    /// More intermediates than one of them allows.
    PathLengthExceeded = "PATH_LENGTH_EXCEEDED", Constraint, "RFC 5280, Section 4.2.1.9",
        "let an authority higher up issue it, or without pathLenConstraint";
    /// More intermediates than the policy allows.
    ChainTooLong = "CERT_CHAIN_TOO_LONG", TooComplex, "RFC 5280, Section 6.1",
        "use a shorter chain, or allow a greater depth";
    /// Too much work to find a chain in what was sent.
    ChainTooComplex = "CERT_CHAIN_TOO_COMPLEX", TooComplex, "RFC 4158, Section 2.4.2",
        "send only the certificates of one chain";
    /// It was revoked.
    Revoked = "CERT_REVOKED", Revoked, "RFC 5280, Section 6.3",
        "replace it, with a new key";
    /// Its authority is not trusted for this.
    Untrusted = "CERT_UNTRUSTED", UnknownIssuer, "RFC 5280, Section 6.1.1",
        "get one from an authority that is trusted";
    /// The application does not want it.
    Rejected = "CERT_REJECTED", Refused, "RFC 9846, Section 6.2",
        "ask whoever runs the other side";
    /// It is none of the pinned ones.
    PinMismatch = "PIN_MISMATCH", PinMismatch, "RFC 7469, Section 2.6",
        "if the peer has a new certificate, pin that";
    /// Outside of what an issuer may issue for.
    PermittedViolation = "PERMITTED_VIOLATION", Constraint, "RFC 5280, Section 4.2.1.10",
        "get one from an authority that may issue for these names";
    /// In what an issuer must not issue for.
    ExcludedViolation = "EXCLUDED_VIOLATION", Constraint, "RFC 5280, Section 4.2.1.10",
        "get one from an authority that may issue for these names";
    /// A nameConstraints extension that nothing can meet.
    ConstraintSyntax = "UNSUPPORTED_CONSTRAINT_SYNTAX", Constraint,
        "RFC 5280, Section 4.2.1.10",
        "have the authority's certificate issued again, with well-formed constraints";
    /// Something that must be understood is not.
    UnhandledCritical = "UNHANDLED_CRITICAL_EXTENSION", Constraint, "RFC 5280, Section 4.2",
        "get one without this extension, or where it is not critical";
    /// The peer's key is too short.
    EndEntityKeyTooSmall = "EE_KEY_TOO_SMALL", TooWeak, "RFC 9325, Section 4.5",
        "make a longer key, and a certificate for it";
    /// An issuer's key is too short.
    AuthorityKeyTooSmall = "CA_KEY_TOO_SMALL", TooWeak, "RFC 9325, Section 4.5",
        "get it from an authority with a longer key";
    /// A signature with MD5 or SHA-1.
    DigestTooWeak = "CA_MD_TOO_WEAK", TooWeak, "RFC 9155, Section 2",
        "have it signed again, with SHA-256 or better";
    /// A signature of an unknown kind.
    UnsupportedSignature = "UNSUPPORTED_SIGNATURE_ALGORITHM", UnsupportedAlgorithm,
        "RFC 5280, Section 4.1.1.2",
        "have it signed with RSA, ECDSA, Ed25519 or ML-DSA";
    /// A key of a kind that cannot sign a handshake here.
    UnsupportedKey = "UNSUPPORTED_PUBLIC_KEY", UnsupportedAlgorithm, "RFC 5280, Section 4.1.2.7",
        "use an RSA, P-256, P-384, P-521, Ed25519 or ML-DSA key";
    /// Two places of the certificate name different signature algorithms.
    SignatureMismatch = "SIGNATURE_ALGORITHM_MISMATCH", Malformed, "RFC 5280, Section 4.1.1.2",
        "have it issued again, by correct software";
    /// keyUsage does not allow to sign the handshake.
    NoDigitalSignature = "KEYUSAGE_NO_DIGITAL_SIGNATURE", WrongUsage,
        "RFC 9846, Section 4.5.1.2",
        "get one whose keyUsage has digitalSignature";
    /// keyUsage of an authority does not allow to sign certificates.
    NoCertSign = "KEYUSAGE_NO_CERTSIGN", WrongUsage, "RFC 5280, Section 4.2.1.3",
        "have the authority's certificate issued again, with keyCertSign";
    /// keyUsage allows to sign certificates to who is no authority.
    CertSignWithoutCa = "KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA", WrongUsage,
        "RFC 5280, Section 4.2.1.9",
        "get one whose keyUsage has no keyCertSign";
    /// The issuer has no name.
    IssuerEmpty = "ISSUER_NAME_EMPTY", Malformed, "RFC 5280, Section 4.1.2.4",
        "have it issued by an authority that has a name";
    /// An authority has no name.
    SubjectEmpty = "SUBJECT_NAME_EMPTY", Malformed, "RFC 5280, Section 4.1.2.6",
        "have the authority's certificate issued again, with a name";
    /// No authorityKeyIdentifier.
    NoAuthorityKeyId = "MISSING_AUTHORITY_KEY_IDENTIFIER", Malformed,
        "RFC 5280, Section 4.2.1.1",
        "have it issued again, with authorityKeyIdentifier";
    /// No subjectKeyIdentifier.
    NoSubjectKeyId = "MISSING_SUBJECT_KEY_IDENTIFIER", Malformed, "RFC 5280, Section 4.2.1.2",
        "have the authority's certificate issued again, with subjectKeyIdentifier";
    /// subjectAltName is all there is, and not critical.
    AltNameNotCritical = "EMPTY_SUBJECT_SAN_NOT_CRITICAL", Malformed,
        "RFC 5280, Section 4.2.1.6",
        "have it issued again, with a subject or a critical subjectAltName";
    /// basicConstraints of an authority is not critical.
    ConstraintsNotCritical = "CA_BCONS_NOT_CRITICAL", Malformed, "RFC 5280, Section 4.2.1.9",
        "have the authority's certificate issued again, with critical basicConstraints";
    /// authorityKeyIdentifier is critical.
    AuthorityKeyIdCritical = "AUTHORITY_KEY_IDENTIFIER_CRITICAL", Malformed,
        "RFC 5280, Section 4.2.1.1",
        "have it issued again, by correct software";
    /// subjectKeyIdentifier is critical.
    SubjectKeyIdCritical = "SUBJECT_KEY_IDENTIFIER_CRITICAL", Malformed,
        "RFC 5280, Section 4.2.1.2",
        "have it issued again, by correct software";
    /// An extension or its flags are not as they must be.
    InvalidExtension = "INVALID_EXTENSION", Malformed, "RFC 5280, Section 4.2",
        "have it issued again, by correct software";
    /// It is no well-formed certificate.
    Malformed = "CERT_MALFORMED", Malformed, "RFC 5280, Section 4.1",
        "check that it is whole, and issued by correct software";
    /// Not what browsers and public authorities have agreed on.
    BaselineViolation = "BASELINE_VIOLATION", Malformed,
        "Baseline Requirements of the CA/Browser Forum, Section 7.1",
        "get it from a public authority, or do not ask for the rules of public ones";
    /// A stapled OCSP response was due and did not come.
    StapleMissing = "OCSP_VERIFY_NEEDED", BadStatus, "RFC 7633, Section 4.2.3.1",
        "let the server staple OCSP responses, or get a certificate without must-staple";
    /// What vouches for the certificate not being revoked does not.
    BadStatus = "OCSP_VERIFY_FAILED", BadStatus, "RFC 6066, Section 8",
        "let the server fetch a new OCSP response";
    /// The responder does not know it.
    StatusUnknown = "OCSP_CERT_UNKNOWN", BadStatus, "RFC 6960, Section 2.2",
        "ask its authority why its responder does not know it";
    /// Whether it is revoked has to be known, and nobody says.
    ListMissing = "UNABLE_TO_GET_CRL", StatusUnknown, "RFC 5280, Section 6.3.3",
        "give the verifier a revocation list or filter that covers it, or do not insist";
    /// What says whether it is revoked is out of date.
    ListExpired = "CRL_HAS_EXPIRED", StatusUnknown, "RFC 5280, Section 6.3.3",
        "fetch a new revocation list or filter, or set the clock right";
    /// What says whether it is revoked is from the future.
    ListNotYetValid = "CRL_NOT_YET_VALID", StatusUnknown, "RFC 5280, Section 5.1.2.4",
        "set the clock right";
    /// Its issuer did not sign the revocation list.
    ListSignature = "CRL_SIGNATURE_FAILURE", StatusUnknown, "RFC 5280, Section 6.3.3",
        "fetch the revocation list again, from its issuer";
    /// Too few logs vouch for it.
    NotLogged = "NO_VALID_SCTS", NotLogged, "RFC 6962, Section 5.2",
        "get one that is logged, or know more logs";
    /// A key without a certificate, where certificates are trusted.
    RawPublicKey = "RAW_PUBLIC_KEY", RawPublicKey, "RFC 7250, Section 6",
        "pin the key, or let the peer use a certificate";
    /// The clock is not set.
    NoTime = "NO_TIME", NoTime, "RFC 5280, Section 6.1.3",
        "set the clock";
}

impl Code {
    /// What Node.js reports in `authorizationError`, or as the code of the error.
    const fn name_in_node(self) -> &'static str {
        match self {
            Self::HostnameMismatch | Self::IpAddressMismatch => "ERR_TLS_CERT_ALTNAME_INVALID",
            other => other.name(),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The code for what is only known by its class.
impl From<CertificateError> for Code {
    fn from(class: CertificateError) -> Self {
        match class {
            CertificateError::Expired => Self::Expired,
            CertificateError::NotYetValid => Self::NotYetValid,
            CertificateError::NameMismatch => Self::HostnameMismatch,
            CertificateError::UnknownIssuer => Self::NoIssuerLocally,
            CertificateError::SelfSigned => Self::SelfSigned,
            CertificateError::PinMismatch => Self::PinMismatch,
            CertificateError::WrongUsage => Self::InvalidPurpose,
            CertificateError::BadSignature => Self::BadSignature,
            CertificateError::UnsupportedAlgorithm => Self::UnsupportedSignature,
            CertificateError::TooWeak => Self::EndEntityKeyTooSmall,
            CertificateError::RawPublicKey => Self::RawPublicKey,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::BadStatus => Self::BadStatus,
            CertificateError::StatusUnknown => Self::ListMissing,
            CertificateError::NotLogged => Self::NotLogged,
            CertificateError::Constraint => Self::UnhandledCritical,
            CertificateError::TooComplex => Self::ChainTooComplex,
            CertificateError::NoTime => Self::NoTime,
            CertificateError::Refused => Self::Rejected,
            _ => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_says_what_would_help() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let section = code.section();
            assert!(section.contains(", Section "), "{code}");
            assert!(
                !code.fix().is_empty() && !code.fix().ends_with('.'),
                "{code}"
            );
        }
    }

    #[test]
    fn a_class_comes_back_from_its_code() {
        for code in Code::ALL {
            assert_eq!(Code::from(code.class()).class(), code.class(), "{code}");
        }
    }
}
