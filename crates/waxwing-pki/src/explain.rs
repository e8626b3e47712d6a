//! Saying why a certificate was not accepted: one code for programs, one sentence for people.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_core::{CertificateError, Rejection, ServerName, Verdict, Verified};
use webpki::Error;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::NameConstraints;

use crate::anchors::issuer_key_id;
use crate::constraints::{self, Budget};
use crate::failure::Culprit;
use crate::horizon::Horizon;
use crate::identity::{algorithm_name, list};
use crate::{Code, Failure, Identity, Peer, TrustAnchors, UnixTime};

/// How many of a certificate's names a sentence lists.
const NAMES_SHOWN: usize = 5;

/// The rejection for what has no more to it than a class and a sentence.
pub(crate) fn reject(class: CertificateError, reason: impl Into<String>) -> Rejection {
    Failure::new(Code::from(class), reason).into()
}

/// The answer to the engine.
pub(crate) fn verdict(outcome: Result<Verified, Failure>) -> Verdict {
    match outcome {
        Ok(verified) => Verdict::Accepted(verified),
        Err(failure) => Verdict::Rejected(failure.into()),
    }
}

/// Says that the certificate at `place` is at fault, and puts its name before the reason.
pub(crate) fn at_fault(failure: Failure, chain: &[&[u8]], place: usize) -> Failure {
    let identity = chain
        .get(place)
        .and_then(|der| Identity::from_der(der).ok());
    let Some(identity) = identity else {
        return failure;
    };
    let reason = format!("{}: {}", identity.label(), failure.reason);
    Failure { reason, ..failure }.of(Culprit::at(Some(place), &identity))
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
    /// What that was compared with.
    pub(crate) horizon: &'a Horizon,
    /// Whom we trust.
    pub(crate) anchors: &'a [Arc<TrustAnchors>],
    /// Whether it is no handshake that the chain is judged for.
    pub(crate) apart: bool,
}

/// A certificate of the chain, and its place there.
type Placed = (usize, Identity);

impl Case<'_> {
    /// Translates webpki's error.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        let placed = self.placed();
        let Some((0, leaf)) = placed.first() else {
            return unreadable(error);
        };
        let label = leaf.label();
        let by_leaf = |code, reason| Failure::new(code, reason).of(Culprit::at(Some(0), leaf));
        match error {
            Error::CertExpired { .. } => {
                let (place, culprit) = self.culprit(&placed, leaf);
                expired(culprit, place, self.now)
            }
            Error::CertNotValidYet { .. } => {
                let (place, culprit) = self.culprit(&placed, leaf);
                not_yet(culprit, place, self.now)
            }
            Error::UnknownIssuer => self.unknown_issuer(leaf, &placed),
            // An anchor that has its name by chance, but not its key, says nothing about it.
            Error::CaUsedAsEndEntity
            | Error::InvalidSignatureForPublicKey
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
                if leaf.self_issued =>
            {
                self.self_signed(leaf)
            }
            Error::CaUsedAsEndEntity => {
                let peer = self.peer.word();
                let reason = format!("{label} is the certificate of an authority, not of a {peer}");
                by_leaf(Code::InvalidPurpose, reason)
                    .by("RFC 5280, Section 4.2.1.9")
                    .fixed_by("get one without cA in basicConstraints, or trust exactly this one")
            }
            Error::EndEntityUsedAsCa => self.no_authority(leaf, &placed),
            Error::RequiredEkuNotFoundContext(_) => {
                let bad = placed.iter().find(|(_, other)| !self.peer.fits(other));
                let (place, bad) = bad.map_or((0, leaf), |(place, bad)| (*place, bad));
                wrong_purpose(bad, place, self.peer)
            }
            Error::InvalidSignatureForPublicKey => by_leaf(
                Code::BadSignature,
                format!(
                    "the chain of {label} names {} as issuer, but its key did not make the \
                     signature: the certificate was changed, or two authorities have that name",
                    leaf.issuer
                ),
            ),
            Error::NameConstraintViolation => {
                let names = list(&leaf.names, NAMES_SHOWN);
                let reason = format!("an issuer of {label} may not issue for {names}");
                by_leaf(self.violation(), reason)
            }
            other => by_leaf(code(other), format!("{label}: {}", webpki_words(other))),
        }
    }

    fn placed(&self) -> Vec<Placed> {
        self.chain
            .iter()
            .enumerate()
            .filter_map(|(place, der)| Some((place, Identity::from_der(der).ok()?)))
            .collect()
    }

    /// The first certificate whose validity does not include this time.
    fn culprit<'i>(&self, placed: &'i [Placed], leaf: &'i Identity) -> (usize, &'i Identity) {
        let valid =
            |identity: &Identity| (identity.not_before..=identity.not_after).contains(&self.now);
        let invalid = placed.iter().find(|(_, identity)| !valid(identity));
        invalid.map_or((0, leaf), |(place, identity)| (*place, identity))
    }

    /// Which constraint of an intermediate was broken.
    fn violation(&self) -> Code {
        let decoded: Vec<_> = self
            .chain
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect();
        let mut budget = Budget::default();
        for above in &decoded {
            let constraints = above.tbs_certificate().get_extension::<NameConstraints>();
            let Ok(Some((_, constraints))) = constraints else {
                continue;
            };
            for below in &decoded {
                if let Err(code) = constraints::check(&constraints, below, &mut budget) {
                    return code;
                }
            }
        }
        Code::PermittedViolation
    }

    fn anchors(&self) -> String {
        match self.anchors.iter().map(|set| set.len()).sum() {
            1_usize => "1 trust anchor".into(),
            count => format!("{count} trust anchors"),
        }
    }

    fn self_signed(&self, leaf: &Identity) -> Failure {
        let reason = format!(
            "{} vouches for itself, and is not among the {}",
            leaf.label(),
            self.anchors()
        );
        Failure::new(Code::SelfSigned, reason).of(Culprit::at(Some(0), leaf))
    }

    fn no_authority(&self, leaf: &Identity, placed: &[Placed]) -> Failure {
        let label = leaf.label();
        let reason = format!("the issuer of {label} is not an authority: its certificate lacks cA");
        let failure = Failure::new(Code::InvalidCa, reason);
        let issuer = placed
            .iter()
            .skip(1)
            .find(|(_, other)| !other.authority && other.subject == leaf.issuer);
        match issuer {
            Some((place, issuer)) => failure.of(Culprit::at(Some(*place), issuer)),
            None => failure,
        }
    }

    fn unknown_issuer(&self, leaf: &Identity, placed: &[Placed]) -> Failure {
        if leaf.self_issued {
            return self.self_signed(leaf);
        }
        let anchors = self.anchors();
        let (place, top) = top_of(leaf, placed);
        if top.self_issued {
            let reason = format!(
                "the chain of {} ends in {}, which is not among the {anchors}",
                leaf.label(),
                top.subject
            );
            return Failure::new(Code::SelfSignedInChain, reason).of(Culprit::at(Some(place), top));
        }
        let reason = format!(
            "the issuer is not found: {} was issued by {}, which is not among the {anchors}, \
             nor did the {} send a certificate for it{}",
            top.label(),
            top.issuer,
            self.peer.word(),
            self.chain
                .get(place)
                .map_or_else(String::new, |der| with_key(der))
        );
        let mut failure = Failure::new(Code::NoIssuerLocally, reason);
        if place == 0 {
            failure.node_code = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
        }
        failure.of(Culprit::at(Some(place), top))
    }
}

/// The key that a certificate names as its issuer's.
fn with_key(der: &[u8]) -> String {
    issuer_key_id(der).map_or_else(String::new, |id| {
        format!(", whose key is {}", hex::encode(id))
    })
}

/// Follows the issuers' names upwards as far as the presented certificates go.
fn top_of<'i>(leaf: &'i Identity, placed: &'i [Placed]) -> (usize, &'i Identity) {
    let mut top = (0, leaf);
    // Each step uses another certificate, so names that form a circle end it as well.
    for _ in placed {
        let issuer = placed
            .iter()
            .find(|(_, other)| other.subject == top.1.issuer);
        match issuer {
            Some((place, issuer)) if !top.1.self_issued => top = (*place, issuer),
            _ => break,
        }
    }
    top
}

pub(crate) fn expired(certificate: &Identity, place: usize, now: UnixTime) -> Failure {
    let (label, since) = (certificate.label(), certificate.not_after);
    let reason = format!("{label} is expired since {since}; the time now is {now}");
    Failure::new(Code::Expired, reason).of(Culprit::at(Some(place), certificate))
}

pub(crate) fn not_yet(certificate: &Identity, place: usize, now: UnixTime) -> Failure {
    let (label, from) = (certificate.label(), certificate.not_before);
    let reason = format!("{label} is valid from {from}; the time now is {now}");
    Failure::new(Code::NotYetValid, reason).of(Culprit::at(Some(place), certificate))
}

pub(crate) fn wrong_purpose(certificate: &Identity, place: usize, peer: Peer<'_>) -> Failure {
    let (label, peer) = (certificate.label(), peer.word());
    let reason = format!("the extendedKeyUsage of {label} does not allow {peer}s");
    Failure::new(Code::InvalidPurpose, reason).of(Culprit::at(Some(place), certificate))
}

pub(crate) fn wrong_name(leaf: &Identity, wanted: &ServerName) -> Failure {
    let code = match wanted {
        ServerName::Dns(_) => Code::HostnameMismatch,
        ServerName::Ip(_) => Code::IpAddressMismatch,
    };
    let reason = if leaf.names.is_empty() {
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
    Failure::new(code, reason).of(Culprit::at(Some(0), leaf))
}

/// A certificate that webpki cannot read at all.
pub(crate) fn unreadable(error: &Error) -> Failure {
    Failure::new(code(error), webpki_words(error))
}

fn code(error: &Error) -> Code {
    match error {
        Error::MaximumPathDepthExceeded => Code::ChainTooLong,
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => Code::ChainTooComplex,
        Error::PathLenConstraintViolated => Code::PathLengthExceeded,
        Error::UnsupportedCriticalExtension => Code::UnhandledCritical,
        Error::MalformedNameConstraint | Error::InvalidNetworkMaskConstraint => {
            Code::ConstraintSyntax
        }
        Error::UnsupportedSignatureAlgorithmContext(context)
            if signature_id(&context.signature_algorithm_id)
                .is_some_and(|id| BROKEN.contains(&id)) =>
        {
            Code::DigestTooWeak
        }
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Code::UnsupportedSignature,
        Error::SignatureAlgorithmMismatch => Code::SignatureMismatch,
        Error::MalformedExtensions | Error::ExtensionValueInvalid | Error::EmptyEkuExtension => {
            Code::InvalidExtension
        }
        Error::CertDistrusted => Code::Untrusted,
        Error::CertRevoked => Code::Revoked,
        _ => Code::Malformed,
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

/// Signatures on MD2, MD4, MD5 or SHA-1, which nobody may rely on (RFC 9155, RFC 6149, RFC 6150).
/// The last ones are OIW's, which some old software writes.
const BROKEN: [ObjectIdentifier; 9] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2"), // md2WithRSAEncryption
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.3"), // md4WithRSAEncryption
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"), // md5WithRSAEncryption
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"), // sha1WithRSAEncryption
    ObjectIdentifier::new_unwrap("1.2.840.10040.4.3"),    // dsa-with-sha1
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),    // ecdsa-with-SHA1
    ObjectIdentifier::new_unwrap("1.3.14.3.2.3"),         // md5WithRSA
    ObjectIdentifier::new_unwrap("1.3.14.3.2.27"),        // dsaWithSHA1
    ObjectIdentifier::new_unwrap("1.3.14.3.2.29"),        // sha1WithRSA
];

/// The algorithm of a certificate's signature, if it is broken.
pub(crate) fn broken_signature(certificate: &Certificate) -> Option<String> {
    let id = &certificate.signature_algorithm().oid;
    is_broken(id.as_bytes()).then(|| algorithm_name(id))
}

/// Whether a signature's algorithm is broken, by the content of its object identifier.
pub(crate) fn is_broken(id: &[u8]) -> bool {
    BROKEN.iter().any(|broken| broken.as_bytes() == id)
}

/// The name of the algorithm in the content of an AlgorithmIdentifier.
fn signature_name(content: &[u8]) -> String {
    signature_id(content).map_or_else(|| "unknown".into(), |id| algorithm_name(&id))
}

/// The algorithm in the content of an AlgorithmIdentifier.
fn signature_id(content: &[u8]) -> Option<ObjectIdentifier> {
    // The object identifier comes first and is short; parameters may follow.
    let len = usize::from(*content.get(1)?).checked_add(2)?;
    ObjectIdentifier::from_der(content.get(..len)?).ok()
}
