//! Signed certificate timestamps: the promise of a log to publish a certificate (RFC 6962).
//!
//! They come within the certificate, within a stapled OCSP response, or in an extension of TLS
//! (Section 3.3). The logs to believe are given by the user.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::{AlgorithmIdentifier, alg_id};
use waxwing_core::limits::MAX_SCTS;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::{Decode, Result as DerResult, Tag};
use x509_cert::ext::pkix::sct::{
    HashAlgorithm, SerializedSct, SignatureAlgorithm, SignatureAndHashAlgorithm,
    SignedCertificateTimestamp, SignedCertificateTimestampList,
};

use super::chain::Link;
use super::der::{EXTENSIONS, Fields, content, incomplete, parts, wrap};
use super::signature;
use super::when::When;
use crate::algorithms::Algorithms;
use crate::{LoadError, PublicKeyKind, UnixTime};

/// The extension that carries timestamps in a certificate (RFC 6962, Section 3.3).
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// A log that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    id: [u8; 32],
    spki: Vec<u8>,
    operator: String,
    /// Timestamps from then on do not count.
    retired: Option<UnixTime>,
}

/// The logs that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogList(Vec<Log>);

impl LogList {
    /// Believes no log yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Believes the log with this key (a DER SubjectPublicKeyInfo), which `operator` runs.
    ///
    /// # Errors
    /// [`LoadError::UnusableKey`] if the key is malformed.
    pub fn with(self, key: &[u8], operator: impl Into<String>) -> Result<Self, LoadError> {
        self.add(key, operator.into(), None)
    }

    /// As [`Self::with`], but only what the log stamped before `retired`.
    ///
    /// # Errors
    /// [`LoadError::UnusableKey`] if the key is malformed.
    pub fn with_retired(
        self,
        key: &[u8],
        operator: impl Into<String>,
        retired: UnixTime,
    ) -> Result<Self, LoadError> {
        self.add(key, operator.into(), Some(retired))
    }

    fn add(
        mut self,
        key: &[u8],
        operator: String,
        retired: Option<UnixTime>,
    ) -> Result<Self, LoadError> {
        PublicKeyKind::of_spki(key).ok_or(LoadError::UnusableKey)?;
        self.0.push(Log {
            // RFC 6962, Section 3.2.
            id: super::sha256(key),
            spki: key.to_vec(),
            operator,
            retired,
        });
        Ok(self)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many logs have to vouch for a server's certificate.
#[derive(Clone, Debug)]
pub struct Transparency {
    logs: Arc<LogList>,
    algorithms: Arc<Algorithms>,
    scts: usize,
    operators: usize,
}

impl Transparency {
    /// Asks for timestamps of two of `logs`, run by two operators. `provider` checks the
    /// signatures.
    #[must_use]
    pub fn new(provider: &waxwing_crypto::CryptoProvider, logs: impl Into<Arc<LogList>>) -> Self {
        Self {
            logs: logs.into(),
            algorithms: Arc::new(Algorithms::of(provider)),
            scts: 2,
            operators: 2,
        }
    }

    /// Asks for timestamps of so many logs, run by so many operators.
    #[must_use]
    pub const fn at_least(mut self, logs: usize, operators: usize) -> Self {
        self.scts = logs;
        self.operators = operators;
        self
    }

    /// Judges what came for the end entity.
    pub(super) fn report(&self, link: &Link<'_>, lists: &Lists<'_>, when: When<'_>) -> Report {
        let mut findings = Vec::new();
        for (place, sct) in lists.all(link) {
            let log = sct.as_ref().and_then(|sct| self.log(sct));
            let problem = match (&sct, log) {
                (None, _) => Some(SctProblem::Malformed),
                (Some(_), None) => Some(SctProblem::UnknownLog),
                (Some(sct), Some(log)) => self.problem(sct, log, place, link, when),
            };
            findings.push(SctFinding {
                place,
                log: sct.as_ref().map_or([0; 32], |sct| sct.log_id.key_id),
                operator: log.map(|log| log.operator.clone()),
                problem,
            });
        }
        Report {
            findings,
            logs_wanted: self.scts,
            operators_wanted: self.operators,
        }
    }

    fn log(&self, sct: &SignedCertificateTimestamp) -> Option<&Log> {
        self.logs.0.iter().find(|log| log.id == sct.log_id.key_id)
    }

    fn problem(
        &self,
        sct: &SignedCertificateTimestamp,
        log: &Log,
        place: SctPlace,
        link: &Link<'_>,
        when: When<'_>,
    ) -> Option<SctProblem> {
        let time = UnixTime::from_seconds(sct.timestamp / 1000);
        // RFC 6962, Section 5.2.
        if when.has_come(time).is_err() {
            return Some(SctProblem::Future(time));
        }
        if log.retired.is_some_and(|retired| time >= retired) {
            return Some(SctProblem::Retired(time));
        }
        let Some(algorithm) = algorithm(&sct.signature.algorithm) else {
            return Some(SctProblem::BadSignature);
        };
        let message = entry(place, link).and_then(|entry| signed(sct, &entry));
        let is_valid = message.is_ok_and(|message| {
            signature::is_by(
                &self.algorithms,
                &log.spki,
                &algorithm,
                &message,
                sct.signature.signature.as_slice(),
            )
        });
        (!is_valid).then_some(SctProblem::BadSignature)
    }
}

/// Where a timestamp came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SctPlace {
    /// Within the certificate.
    Certificate,
    /// Within the stapled OCSP response.
    Staple,
    /// In the extension `signed_certificate_timestamp` of the handshake.
    Handshake,
}

/// Why a timestamp does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SctProblem {
    /// It cannot be read, or is of another version.
    Malformed,
    /// Its log is not one of the list.
    UnknownLog,
    /// It is from the future.
    Future(UnixTime),
    /// The log was not believed any more.
    Retired(UnixTime),
    /// The log did not sign this for the certificate.
    BadSignature,
}

/// One timestamp, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SctFinding {
    /// Where it came from.
    pub place: SctPlace,
    /// SHA-256 of the log's key, which is its name.
    pub log: [u8; 32],
    /// Who runs the log, if it is one of the list.
    pub operator: Option<String>,
    /// Why it does not count; `None` if it does.
    pub problem: Option<SctProblem>,
}

/// What the logs say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// All timestamps, those in the certificate first.
    pub findings: Vec<SctFinding>,
    /// How many logs the policy asks for.
    pub logs_wanted: usize,
    /// How many operators the policy asks for.
    pub operators_wanted: usize,
}

impl Report {
    /// How many different logs vouch.
    #[must_use]
    pub fn logs(&self) -> usize {
        distinct(self.valid().map(|finding| finding.log))
    }

    /// How many different operators' logs vouch.
    #[must_use]
    pub fn operators(&self) -> usize {
        distinct(self.valid().filter_map(|one| one.operator.as_deref()))
    }

    /// Whether that is enough.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.logs() >= self.logs_wanted && self.operators() >= self.operators_wanted
    }

    fn valid(&self) -> impl Iterator<Item = &SctFinding> {
        self.findings.iter().filter(|one| one.problem.is_none())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} logs of {} operators vouch for it, of {} timestamps; asked for are {} and {}",
            self.logs(),
            self.operators(),
            self.findings.len(),
            self.logs_wanted,
            self.operators_wanted
        )
    }
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> usize {
    all.collect::<alloc::collections::BTreeSet<_>>().len()
}

/// The lists that came beside the certificate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lists<'a> {
    /// The extension of a stapled response that is good: `extnValue`.
    pub(super) staple: Option<&'a [u8]>,
    /// The content of the extension of TLS.
    pub(super) handshake: Option<&'a [u8]>,
}

impl Lists<'_> {
    fn all(&self, link: &Link<'_>) -> Vec<(SctPlace, Option<SignedCertificateTimestamp>)> {
        let handshake = self
            .handshake
            .and_then(|list| OctetString::new(list).ok())
            .map(SignedCertificateTimestampList::from);
        let staple = self
            .staple
            .and_then(|der| SignedCertificateTimestampList::from_der(der).ok());
        let lists = [
            (SctPlace::Certificate, embedded_list(&link.fields)),
            (SctPlace::Staple, staple),
            (SctPlace::Handshake, handshake),
        ];
        let mut all = Vec::new();
        for (place, list) in lists {
            let scts = list.and_then(|list| list.parse_timestamps().ok());
            let scts = scts.unwrap_or_default();
            all.extend(scts.iter().map(|sct| (place, read(sct))));
        }
        all.truncate(MAX_SCTS);
        all
    }
}

fn read(sct: &SerializedSct) -> Option<SignedCertificateTimestamp> {
    sct.parse_timestamp().ok()
}

fn embedded_list(certificate: &Fields<'_>) -> Option<SignedCertificateTimestampList> {
    let der = certificate.extension(&SCT_LIST).ok()??;
    SignedCertificateTimestampList::from_der(&der).ok()
}

/// Name of the log and time, in milliseconds, of the timestamps within a certificate. Nobody's
/// signature but the issuer's is checked.
#[cfg(feature = "crlite")]
pub(super) fn embedded(certificate: &Fields<'_>) -> Vec<([u8; 32], u64)> {
    let list = embedded_list(certificate).and_then(|list| list.parse_timestamps().ok());
    let scts = list.unwrap_or_default();
    let scts = scts.iter().take(MAX_SCTS).filter_map(read);
    scts.map(|sct| (sct.log_id.key_id, sct.timestamp)).collect()
}

/// The AlgorithmIdentifier's content. RFC 6962, Section 2.1.4 knows these two.
fn algorithm(algorithm: &SignatureAndHashAlgorithm) -> Option<AlgorithmIdentifier> {
    match (&algorithm.hash, &algorithm.signature) {
        (HashAlgorithm::Sha256, SignatureAlgorithm::Ecdsa) => Some(alg_id::ECDSA_SHA256),
        (HashAlgorithm::Sha256, SignatureAlgorithm::Rsa) => Some(alg_id::RSA_PKCS1_SHA256),
        _ => None,
    }
}

/// The `entry_type` and `signed_entry` of RFC 6962, Section 3.2.
fn entry(place: SctPlace, link: &Link<'_>) -> DerResult<Vec<u8>> {
    let (typ, issuer, body) = match place {
        SctPlace::Certificate => (
            1u16,
            super::sha256(&link.issuer.spki).to_vec(),
            precertificate(&link.fields)?,
        ),
        SctPlace::Staple | SctPlace::Handshake => (0u16, Vec::new(), link.certificate.to_vec()),
    };
    let mut entry = typ.to_be_bytes().to_vec();
    entry.extend(issuer);
    entry.extend(length::<3>(body.len())?);
    entry.extend(body);
    Ok(entry)
}

/// The TBSCertificate that the log saw: the one of the certificate without the timestamps (RFC
/// 6962, Section 3.2).
fn precertificate(certificate: &Fields<'_>) -> DerResult<Vec<u8>> {
    let mut fields = parts(content(certificate.tbs)?)?;
    // Extensions are the last field, and there are some: the list came out of them.
    let extensions = fields.pop().ok_or_else(incomplete)?;
    let list = content(content(extensions)?)?;
    let mut kept = Vec::new();
    for extension in parts(list)? {
        let id = parts(content(extension)?)?;
        let id = id.first().ok_or_else(incomplete)?;
        if ObjectIdentifier::from_der(id)? != SCT_LIST {
            kept.push(extension);
        }
    }
    let kept = wrap(Tag::Sequence, &kept)?;
    let kept = wrap(EXTENSIONS, &[&kept])?;
    fields.push(&kept);
    wrap(Tag::Sequence, &fields)
}

/// What a log signs (RFC 6962, Section 3.2).
fn signed(sct: &SignedCertificateTimestamp, entry: &[u8]) -> DerResult<Vec<u8>> {
    /// `sct_version` v1, `signature_type` certificate_timestamp.
    const HEAD: [u8; 2] = [0, 0];
    let extensions = sct.extensions.as_slice();
    let mut message = HEAD.to_vec();
    message.extend(sct.timestamp.to_be_bytes());
    message.extend(entry);
    message.extend(length::<2>(extensions.len())?);
    message.extend(extensions);
    Ok(message)
}

/// A length in so many bytes.
fn length<const N: usize>(length: usize) -> DerResult<Vec<u8>> {
    let bytes = length.to_be_bytes();
    let (zeros, rest) = bytes
        .split_at_checked(bytes.len().saturating_sub(N))
        .ok_or_else(incomplete)?;
    if zeros.iter().any(|byte| *byte != 0) {
        return Err(incomplete());
    }
    Ok(rest.to_vec())
}
