//! Certificate revocation lists (RFC 5280, Section 5).
//!
//! webpki parses them and knows what it does not support. What is decided here is which list
//! speaks of which certificate (Section 6.3.3), when, and signed by whom. A signature over
//! megabytes is checked once, not in every handshake.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustls_pki_types::pem::SectionKind;
use webpki::{BorrowedCertRevocationList, Error};
use x509_cert::der::asn1::{BitStringRef, ObjectIdentifier};
use x509_cert::der::{Decode, Result as DerResult};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::IssuingDistributionPoint;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{BasicConstraints, CrlDistributionPoints};
use x509_cert::time::Time;

use super::chain::{Link, Signer};
use super::der::{content, incomplete, parts};
use super::outcome::{Reason, Silence, Status};
use super::signature;
use super::when::When;
use crate::algorithms::Algorithms;
use crate::pem;
use crate::{LoadError, UnixTime};

/// id-ce-issuingDistributionPoint (RFC 5280, Section 5.2.5).
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
/// id-ce-cRLNumber (RFC 5280, Section 5.2.3).
const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
/// id-ce-cRLDistributionPoints (RFC 5280, Section 4.2.1.13).
const DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
/// id-ce-basicConstraints (RFC 5280, Section 4.2.1.9).
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

/// How many keys' verdicts on its signature a list remembers. More than one only where two
/// authorities share a name.
const MAX_VERDICTS: usize = 4;

/// A revocation list that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrlError {
    /// There is none in the file or PEM text.
    NoCrl,
    /// It is a delta: changes to another list (RFC 5280, Section 5.2.4), which is not supported.
    Delta,
    /// It speaks for other issuers too (RFC 5280, Section 5.2.5), which is not supported.
    Indirect,
    /// It is partitioned by reasons (RFC 5280, Section 5.2.5), which is not supported.
    ByReasons,
    /// It does not follow RFC 5280 in this way.
    Malformed(String),
    /// The file cannot be read, or the PEM in it is broken.
    Unreadable(LoadError),
}

impl CrlError {
    fn of(error: &Error) -> Self {
        match error {
            Error::UnsupportedDeltaCrl => Self::Delta,
            Error::UnsupportedIndirectCrl => Self::Indirect,
            Error::UnsupportedRevocationReasonsPartitioning => Self::ByReasons,
            other => Self::Malformed(format!("{other:?}")),
        }
    }
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCrl => f.write_str("there is no revocation list in it"),
            Self::Delta => f.write_str(
                "it is a delta CRL, which is not supported: give the complete list instead",
            ),
            Self::Indirect => f.write_str(
                "it is an indirect CRL, which is not supported: give the issuer's own list instead",
            ),
            Self::ByReasons => f.write_str(
                "it lists some reasons for revocation only, which is not supported: give the \
                 list of all reasons instead",
            ),
            Self::Malformed(reason) => write!(f, "the revocation list is malformed: {reason}"),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CrlError {}

/// A revocation list: complete, or one partition of a complete one.
#[derive(Debug)]
pub struct Crl {
    der: Vec<u8>,
    issuer: Vec<u8>,
    this_update: UnixTime,
    next_update: UnixTime,
    scope: Scope,
    revoked: BTreeMap<Vec<u8>, Entry>,
    /// What keys' signatures were checked already: SHA-256 of the key, and whether it was that.
    verdicts: Mutex<Vec<([u8; 32], bool)>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    since: UnixTime,
    reason: Option<Reason>,
}

/// Which certificates a list speaks of (RFC 5280, Section 5.2.5).
#[derive(Debug, Default)]
struct Scope {
    /// For end entities only.
    users_only: bool,
    /// For authorities only.
    authorities_only: bool,
    /// The places that a certificate of this partition names.
    places: Option<Vec<String>>,
}

impl Crl {
    /// Reads a list in DER. Its signature is checked when a certificate of its issuer is.
    ///
    /// # Errors
    /// If it is malformed, or of a kind that is not supported: see [`CrlError`].
    pub fn from_der(der: Vec<u8>) -> Result<Self, CrlError> {
        let parsed = BorrowedCertRevocationList::from_der(&der).map_err(|e| CrlError::of(&e))?;
        let mut revoked = BTreeMap::new();
        for entry in &parsed {
            let entry = entry.map_err(|error| CrlError::of(&error))?;
            let reason = entry.reason_code.and_then(|code| Reason::of(code as u8));
            let since = UnixTime::from_seconds(entry.revocation_date.as_secs());
            revoked.insert(entry.serial_number.to_vec(), Entry { since, reason });
        }
        let malformed = |error: x509_cert::der::Error| CrlError::Malformed(format!("{error}"));
        let head = Head::of(&der).map_err(malformed)?;
        // RFC 5280, Section 5.2.3. That there is a number is not asked: nothing rests on it, and
        // private authorities leave it out.
        if head.critical_number {
            return Err(CrlError::Malformed("its cRLNumber is critical".into()));
        }
        Ok(Self {
            issuer: head.issuer.to_vec(),
            this_update: head.this_update,
            next_update: head.next_update,
            scope: head.scope,
            revoked,
            verdicts: Mutex::default(),
            der,
        })
    }

    /// Reads one list in DER, or all lists of a PEM text.
    ///
    /// # Errors
    /// If there is none, or one of them cannot be used.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, CrlError> {
        if pem::is_der(bytes) {
            return Ok(vec![Self::from_der(bytes.to_vec())?]);
        }
        let sections = pem::sections(bytes).map_err(CrlError::Unreadable)?;
        let lists: Vec<_> = sections
            .into_iter()
            .filter(|section| section.kind == SectionKind::Crl)
            .map(|section| Self::from_der(section.der.to_vec()))
            .collect::<Result<_, _>>()?;
        if lists.is_empty() {
            return Err(CrlError::NoCrl);
        }
        Ok(lists)
    }

    /// Reads the lists in a file: one in DER, or all of a PEM text.
    ///
    /// # Errors
    /// If it cannot be read, has no list, or one of them cannot be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Vec<Self>, CrlError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .map_err(|error| CrlError::Unreadable(LoadError::unreadable(&error).in_file(path)))?;
        Self::from_pem_or_der(&bytes)
    }

    /// The Name of the issuer in DER.
    pub(super) fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// When it was made.
    #[must_use]
    pub const fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// When the next one comes at the latest.
    #[must_use]
    pub const fn next_update(&self) -> UnixTime {
        self.next_update
    }

    /// How many certificates it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    /// Whether it is a list of `issuer`.
    pub(super) fn check_issuer(
        &self,
        issuer: &Signer,
        algorithms: &Algorithms,
    ) -> Result<(), Silence> {
        if self.issuer != issuer.name {
            return Err(Silence::WrongSigner("it has another name"));
        }
        self.check_signer(issuer, algorithms)
    }

    /// Whether the key of `issuer` signed it, and may.
    fn check_signer(&self, issuer: &Signer, algorithms: &Algorithms) -> Result<(), Silence> {
        // RFC 5280, Section 6.3.3 (f).
        if !issuer.signs_lists {
            return Err(Silence::WrongSigner("its keyUsage lacks cRLSign"));
        }
        if !self.is_signed_by(&issuer.spki, algorithms) {
            return Err(Silence::WrongSigner("the issuer's key did not sign it"));
        }
        Ok(())
    }

    fn is_signed_by(&self, spki: &[u8], algorithms: &Algorithms) -> bool {
        let key = super::sha256(spki);
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, verdict)) = verdicts.iter().find(|(known, _)| *known == key) {
            return *verdict;
        }
        let verdict = Signed::of(&self.der).is_ok_and(|signed| {
            signature::is_by(
                algorithms,
                spki,
                signed.algorithm,
                signed.message,
                signed.signature,
            )
        });
        verdicts.truncate(MAX_VERDICTS - 1);
        verdicts.insert(0, (key, verdict));
        verdict
    }

    /// What it says of the certificate of `link`, whose issuer has the list's name.
    pub(super) fn status(
        &self,
        link: &Link<'_>,
        algorithms: &Algorithms,
        when: When<'_>,
    ) -> Status {
        if let Err(silence) = self.check_signer(&link.issuer, algorithms) {
            return Status::Silent(silence);
        }
        if let Err(silence) = when.has_come(self.this_update) {
            return Status::Silent(silence);
        }
        // Issuer and serial number name a certificate wherever it is listed, and what is revoked
        // does not become good because a list is old.
        if let Some(entry) = self.revoked.get(link.fields.serial) {
            return Status::Revoked {
                since: Some(entry.since),
                reason: entry.reason,
            };
        }
        if !self.scope.covers(link) {
            return Status::Silent(Silence::Missing);
        }
        when.good_until(self.next_update)
    }
}

/// The parts of a signed structure (RFC 5280, Sections 4.1 and 5.1; RFC 6960, Section 4.2.1).
pub(super) struct Signed<'a> {
    /// What is signed.
    pub(super) message: &'a [u8],
    /// The content of the AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(super) fn of(der: &'a [u8]) -> DerResult<Self> {
        let parts = parts(content(der)?)?;
        let mut parts = parts.into_iter();
        let mut next = || parts.next().ok_or_else(incomplete);
        let (message, algorithm) = (next()?, content(next()?)?);
        let signature = BitStringRef::from_der(next()?)?;
        Ok(Self {
            message,
            algorithm,
            signature: signature.as_bytes().ok_or_else(incomplete)?,
        })
    }
}

/// What stands before and after the list itself.
struct Head<'a> {
    issuer: &'a [u8],
    this_update: UnixTime,
    next_update: UnixTime,
    scope: Scope,
    critical_number: bool,
}

impl<'a> Head<'a> {
    /// Of a list that webpki has parsed, which so has a version and a nextUpdate.
    fn of(der: &'a [u8]) -> DerResult<Self> {
        let signed = Signed::of(der)?;
        let fields = parts(content(signed.message)?)?;
        let field = |at: usize| fields.get(at).copied().ok_or_else(incomplete);
        let extensions = content(content(field(fields.len().saturating_sub(1))?)?)?;
        Ok(Self {
            issuer: field(2)?,
            this_update: Time::from_der(field(3)?)?.into(),
            next_update: Time::from_der(field(4)?)?.into(),
            scope: Scope::of(extensions)?,
            critical_number: parts(extensions)?
                .into_iter()
                .filter_map(|extension| Extension::from_der(extension).ok())
                .any(|extension| extension.critical && extension.extn_id == CRL_NUMBER),
        })
    }
}

impl Scope {
    fn of(extensions: &[u8]) -> DerResult<Self> {
        for extension in parts(extensions)? {
            let extension = Extension::from_der(extension)?;
            if extension.extn_id == ISSUING_DISTRIBUTION_POINT {
                let point = IssuingDistributionPoint::from_der(extension.extn_value.as_bytes())?;
                return Ok(Self {
                    users_only: point.only_contains_user_certs,
                    authorities_only: point.only_contains_ca_certs,
                    places: point.distribution_point.map(|name| places(&name)),
                });
            }
        }
        Ok(Self::default())
    }

    /// Whether the certificate is one of those that the list would name (RFC 5280, Section
    /// 6.3.3 (b)).
    fn covers(&self, link: &Link<'_>) -> bool {
        let excluded = match is_authority(link) {
            Some(true) => self.users_only,
            Some(false) => self.authorities_only,
            None => self.users_only || self.authorities_only,
        };
        let Some(places) = &self.places else {
            return !excluded;
        };
        // A partition is the right one only if the certificate names it.
        !excluded
            && named_places(link)
                .iter()
                .any(|place| places.contains(place))
    }
}

/// Whether cA is set; `None` if that cannot be read.
fn is_authority(link: &Link<'_>) -> Option<bool> {
    let constraints = link.fields.extension(&BASIC_CONSTRAINTS).ok()?;
    constraints.map_or(Some(false), |der| {
        BasicConstraints::from_der(&der).ok().map(|read| read.ca)
    })
}

/// Where the certificate says that it would be listed, for all reasons, by its own issuer.
fn named_places(link: &Link<'_>) -> Vec<String> {
    let points = link.fields.extension(&DISTRIBUTION_POINTS).ok().flatten();
    let points = points.and_then(|der| CrlDistributionPoints::from_der(&der).ok());
    let points = points.map_or_else(Vec::new, |points| points.0);
    let whole = |point: &DistributionPoint| point.reasons.is_none() && point.crl_issuer.is_none();
    points
        .iter()
        .filter(|point| whole(point))
        .filter_map(|point| point.distribution_point.as_ref())
        .flat_map(places)
        .collect()
}

/// The URIs in the name of a distribution point.
fn places(name: &DistributionPointName) -> Vec<String> {
    let uri = |name: &GeneralName| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().into()),
        _ => None,
    };
    match name {
        DistributionPointName::FullName(names) => names.iter().filter_map(uri).collect(),
        DistributionPointName::NameRelativeToCRLIssuer(_) => Vec::new(),
    }
}
