//! Saying why a certificate was not accepted: one code for programs, one sentence for people.

use alloc::string::String;
use alloc::vec::Vec;

use waxwing_core::{CertificateError, Rejection, ServerName};
use webpki::Error;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;

use crate::identity::{algorithm_name, list};
use crate::{Identity, Peer, UnixTime};

/// How many of a certificate's names a sentence lists.
const NAMES_SHOWN: usize = 5;

pub(crate) fn reject(code: CertificateError, explanation: impl Into<String>) -> Rejection {
    Rejection {
        code,
        explanation: Some(explanation.into().into()),
    }
}

/// Everything that the sentence may need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    /// The presented certificates.
    pub(crate) chain: &'a [&'a [u8]],
    /// Who presented them.
    pub(crate) peer: Peer<'a>,
    /// When.
    pub(crate) now: UnixTime,
    /// How many trust anchors there are.
    pub(crate) anchors: usize,
}

impl Case<'_> {
    /// Translates webpki's error.
    pub(crate) fn rejection(&self, error: &Error) -> Rejection {
        use CertificateError as Code;
        let identities = self.identities();
        let Some(leaf) = self.leaf() else {
            return unreadable(error);
        };
        let label = leaf.label();
        match error {
            Error::CertExpired { .. } => expired(self.culprit(&identities, &leaf), self.now),
            Error::CertNotValidYet { .. } => not_yet(self.culprit(&identities, &leaf), self.now),
            Error::UnknownIssuer => self.unknown_issuer(&leaf, &identities),
            // An anchor that has its name by chance, but not its key, says nothing about it.
            Error::CaUsedAsEndEntity
            | Error::InvalidSignatureForPublicKey
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
                if leaf.self_issued =>
            {
                self.self_signed(&leaf)
            }
            Error::CaUsedAsEndEntity => reject(
                Code::WrongUsage,
                format!(
                    "{label} is the certificate of an authority, not of a {}",
                    self.peer.word()
                ),
            ),
            Error::EndEntityUsedAsCa => reject(
                Code::WrongUsage,
                format!("the issuer of {label} is not an authority: its certificate lacks cA"),
            ),
            Error::RequiredEkuNotFoundContext(_) => {
                let bad = identities.iter().find(|identity| !self.peer.fits(identity));
                wrong_purpose(bad.unwrap_or(&leaf), self.peer)
            }
            Error::InvalidSignatureForPublicKey => reject(
                Code::BadSignature,
                format!(
                    "the chain of {label} names {} as issuer, but its key did not make the \
                     signature: the certificate was changed, or two authorities have that name",
                    leaf.issuer
                ),
            ),
            Error::NameConstraintViolation => reject(
                Code::Constraint,
                format!(
                    "an issuer of {label} may not issue for {}",
                    list(&leaf.names, NAMES_SHOWN)
                ),
            ),
            other => reject(code(other), format!("{label}: {}", webpki_words(other))),
        }
    }

    fn leaf(&self) -> Option<Identity> {
        Identity::from_der(self.chain.first()?).ok()
    }

    fn identities(&self) -> Vec<Identity> {
        self.chain
            .iter()
            .filter_map(|der| Identity::from_der(der).ok())
            .collect()
    }

    /// The first certificate whose validity does not include this time.
    fn culprit<'i>(&self, identities: &'i [Identity], leaf: &'i Identity) -> &'i Identity {
        let valid =
            |identity: &Identity| (identity.not_before..=identity.not_after).contains(&self.now);
        identities
            .iter()
            .find(|identity| !valid(identity))
            .unwrap_or(leaf)
    }

    fn anchors(&self) -> String {
        match self.anchors {
            1 => "1 trust anchor".into(),
            count => format!("{count} trust anchors"),
        }
    }

    fn self_signed(&self, leaf: &Identity) -> Rejection {
        let explanation = format!(
            "{} vouches for itself, and is not among the {}",
            leaf.label(),
            self.anchors()
        );
        reject(CertificateError::SelfSigned, explanation)
    }

    fn unknown_issuer(&self, leaf: &Identity, identities: &[Identity]) -> Rejection {
        if leaf.self_issued {
            return self.self_signed(leaf);
        }
        let anchors = self.anchors();
        let top = top_of(leaf, identities);
        let explanation = if top.self_issued {
            format!(
                "the chain of {} ends in {}, which is not among the {anchors}",
                leaf.label(),
                top.subject
            )
        } else {
            format!(
                "{} was issued by {}, which is not among the {anchors}, nor did \
                 the {} send a certificate for it",
                top.label(),
                top.issuer,
                self.peer.word()
            )
        };
        reject(CertificateError::UnknownIssuer, explanation)
    }
}

/// Follows the issuers' names upwards as far as the presented certificates go.
fn top_of<'i>(leaf: &'i Identity, identities: &'i [Identity]) -> &'i Identity {
    let mut top = leaf;
    // Each step uses another certificate, so names that form a circle end it as well.
    for _ in identities {
        let issuer = identities.iter().find(|other| other.subject == top.issuer);
        match issuer {
            Some(issuer) if !top.self_issued => top = issuer,
            _ => break,
        }
    }
    top
}

pub(crate) fn expired(certificate: &Identity, now: UnixTime) -> Rejection {
    let (label, since) = (certificate.label(), certificate.not_after);
    reject(
        CertificateError::Expired,
        format!("{label} is expired since {since}; the time now is {now}"),
    )
}

pub(crate) fn not_yet(certificate: &Identity, now: UnixTime) -> Rejection {
    let (label, from) = (certificate.label(), certificate.not_before);
    reject(
        CertificateError::NotYetValid,
        format!("{label} is valid from {from}; the time now is {now}"),
    )
}

pub(crate) fn wrong_purpose(certificate: &Identity, peer: Peer<'_>) -> Rejection {
    reject(
        CertificateError::WrongUsage,
        format!(
            "the extendedKeyUsage of {} does not allow {}s",
            certificate.label(),
            peer.word()
        ),
    )
}

pub(crate) fn wrong_name(leaf: &Identity, wanted: &ServerName) -> Rejection {
    let explanation = if leaf.names.is_empty() {
        // RFC 9525, Section 6.3: the common name does not count.
        format!(
            "{} has no subjectAltName, so it is not for {wanted}",
            leaf.label()
        )
    } else {
        format!(
            "the certificate is for {}, not for {wanted}",
            list(&leaf.names, NAMES_SHOWN)
        )
    };
    reject(CertificateError::NameMismatch, explanation)
}

/// A certificate that webpki cannot read at all.
pub(crate) fn unreadable(error: &Error) -> Rejection {
    reject(code(error), webpki_words(error))
}

fn code(error: &Error) -> CertificateError {
    match error {
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => CertificateError::TooComplex,
        Error::PathLenConstraintViolated
        | Error::UnsupportedCriticalExtension
        | Error::MalformedNameConstraint
        | Error::InvalidNetworkMaskConstraint => CertificateError::Constraint,
        Error::UnsupportedSignatureAlgorithmContext(context)
            if is_broken(&signature_name(&context.signature_algorithm_id)) =>
        {
            CertificateError::TooWeak
        }
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            CertificateError::UnsupportedAlgorithm
        }
        Error::CertDistrusted => CertificateError::UnknownIssuer,
        Error::CertRevoked => CertificateError::Revoked,
        _ => CertificateError::Malformed,
    }
}

/// webpki's error in words, without names.
pub(crate) fn webpki_words(error: &Error) -> String {
    let words = match error {
        Error::BadDer => "it is not a certificate in valid DER",
        Error::BadDerTime => "a date in it is malformed",
        Error::TrailingData(_) => "bytes follow the end of a structure",
        Error::UnsupportedCertVersion => "it is not of X.509 version 3",
        Error::InvalidCertValidity => "its validity ends before it begins",
        Error::InvalidSerialNumber => "its serial number is malformed",
        Error::MalformedExtensions => "its extensions are malformed",
        Error::ExtensionValueInvalid => "an extension has an illegal value",
        Error::EmptyEkuExtension => "its extendedKeyUsage is empty",
        Error::SignatureAlgorithmMismatch => "it names two different signature algorithms",
        Error::UnsupportedCriticalExtension => "it has a critical extension that is not known here",
        Error::PathLenConstraintViolated => "an issuer allows fewer intermediate certificates",
        Error::MaximumPathDepthExceeded => "the chain has too many intermediate certificates",
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => {
            "the certificates can be combined in too many ways"
        }
        Error::CertDistrusted => "its chain contains a key that is known to be misused",
        Error::UnsupportedSignatureAlgorithmContext(context) => {
            let algorithm = signature_name(&context.signature_algorithm_id);
            return format!(
                "the chain has a signature of type {algorithm}, which is not supported"
            );
        }
        Error::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
            let algorithm = signature_name(&context.signature_algorithm_id);
            return format!("the chain has a signature of type {algorithm} by an unfit key");
        }
        other => return format!("{other:?}"),
    };
    words.into()
}

/// Whether a signature rests on MD5 or SHA-1 (RFC 9155).
fn is_broken(signature_name: &str) -> bool {
    let name = signature_name.to_ascii_lowercase();
    name.contains("md5") || name.contains("sha1") || name.contains("sha-1")
}

/// The name of the algorithm in the content of an AlgorithmIdentifier.
fn signature_name(content: &[u8]) -> String {
    // The object identifier comes first and is short; parameters may follow.
    let id = content
        .get(1)
        .and_then(|len| content.get(..usize::from(*len).checked_add(2)?))
        .and_then(|id| ObjectIdentifier::from_der(id).ok());
    id.map_or_else(|| "unknown".into(), |id| algorithm_name(&id))
}
