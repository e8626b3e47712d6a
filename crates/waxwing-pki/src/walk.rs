//! Paths that webpki refuses although RFC 5280 does not: through self-issued certificates, which
//! do not count, and through authorities that are constrained to names of persons or mail boxes;
//! and those whose certificates were never all valid at once, if any time will do.
//!
//! Only chains that have such certificates come here. All rules of RFC 5280, Section 6 that
//! webpki applies are applied here again.

use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;
use waxwing_crypto::SubjectPublicKeyInfo;
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, BitStringRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, NameConstraints};

use crate::algorithms::Algorithms;
use crate::anchors::Anchor;
use crate::constraints::{self, Budget};
use crate::explain::{at_fault, expired, not_yet, wrong_purpose};
use crate::path::{Check, is_self_issued};
use crate::{Code, Failure, Identity};

/// How many signatures one chain may cost here: as many as webpki allows.
const MAX_SIGNATURES: usize = 100;
/// How many issuers may be tried.
const MAX_STEPS: usize = 2_000;
/// How many certificates between the peer's own and the anchor, as webpki allows.
const MAX_INTERMEDIATES: usize = 6;

/// Whether webpki may refuse a chain for what it does not know about.
pub(crate) fn is_for(chain: &[&[u8]]) -> bool {
    chain.iter().skip(1).any(|der| {
        Certificate::from_der(der)
            .is_ok_and(|certificate| is_self_issued(&certificate) || names_persons(&certificate))
    })
}

fn names_persons(certificate: &Certificate) -> bool {
    let constraints = certificate.tbs_certificate().get_extension();
    let Ok(Some((
        _,
        NameConstraints {
            permitted_subtrees,
            excluded_subtrees,
        },
    ))) = constraints
    else {
        return false;
    };
    let mut subtrees = permitted_subtrees
        .iter()
        .chain(&excluded_subtrees)
        .flatten();
    subtrees.any(|subtree| {
        matches!(
            subtree.base,
            GeneralName::DirectoryName(_) | GeneralName::Rfc822Name(_)
        )
    })
}

/// A certificate, taken apart.
struct Link<'a> {
    place: usize,
    der: &'a [u8],
    certificate: Certificate,
    /// What is signed.
    tbs: &'a [u8],
    /// Content of the signature's AlgorithmIdentifier.
    algorithm: &'a [u8],
    signature: &'a [u8],
    spki: Vec<u8>,
}

impl<'a> Link<'a> {
    fn read(place: usize, der: &'a [u8]) -> Option<Self> {
        // webpki's reading counts too: it refuses unknown critical extensions.
        EndEntityCert::try_from(&CertificateDer::from(der)).ok()?;
        let certificate = Certificate::from_der(der).ok()?;
        let mut fields = SliceReader::new(AnyRef::from_der(der).ok()?.value()).ok()?;
        let tbs = fields.tlv_bytes().ok()?;
        let algorithm = AnyRef::decode(&mut fields).ok()?.value();
        let signature = BitStringRef::decode(&mut fields).ok()?.as_bytes()?;
        let spki = certificate.tbs_certificate().subject_public_key_info();
        let spki = spki.to_der().ok()?;
        Some(Self {
            place,
            der,
            certificate,
            tbs,
            algorithm,
            signature,
            spki,
        })
    }
}

/// A search from the peer's certificate upwards.
pub(crate) struct Walk<'a> {
    check: &'a Check<'a>,
    algorithms: &'a Algorithms,
    links: Vec<Link<'a>>,
    signatures: usize,
    steps: usize,
    budget: Budget,
    /// Of the first path that was refused.
    failure: Option<Failure>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(check: &'a Check<'a>, algorithms: &'a Algorithms) -> Self {
        let chain = check.case.chain.iter().enumerate();
        Self {
            check,
            algorithms,
            links: chain
                .filter_map(|(place, der)| Link::read(place, der))
                .collect(),
            signatures: MAX_SIGNATURES,
            steps: MAX_STEPS,
            budget: Budget::default(),
            failure: None,
        }
    }

    /// Whether there is a path. If not, a failure is of one with good signatures.
    pub(crate) fn find(mut self) -> Result<(), Option<Failure>> {
        let starts_with_leaf = self.links.first().is_some_and(|link| link.place == 0);
        if starts_with_leaf && self.climb(&mut vec![0]) {
            return Ok(());
        }
        Err(self.failure)
    }

    /// Goes on from the last of `path`, which holds places in `links`.
    fn climb(&mut self, path: &mut Vec<usize>) -> bool {
        let candidates = self.check.candidates;
        let Some(top) = path.last().copied() else {
            return false;
        };
        for anchor in candidates.all() {
            if self.is_issued_by_anchor(top, anchor) && self.accept(path, anchor) {
                return true;
            }
        }
        if path.len() > MAX_INTERMEDIATES {
            return false;
        }
        for next in 1..self.links.len() {
            if path.contains(&next) || !self.is_issued_by(top, next) {
                continue;
            }
            path.push(next);
            if self.climb(path) {
                return true;
            }
            path.pop();
        }
        false
    }

    fn is_issued_by_anchor(&mut self, child: usize, anchor: &Anchor) -> bool {
        let Some(link) = self.links.get(child) else {
            return false;
        };
        let issuer = link.certificate.tbs_certificate().issuer().to_der();
        if !issuer.is_ok_and(|issuer| anchor.has_name(&issuer)) {
            return false;
        }
        let spki = anchor.spki();
        self.is_signed_by(child, &spki)
    }

    fn is_issued_by(&mut self, child: usize, issuer: usize) -> bool {
        let Some(steps) = self.steps.checked_sub(1) else {
            return false;
        };
        self.steps = steps;
        let (Some(below), Some(above)) = (self.links.get(child), self.links.get(issuer)) else {
            return false;
        };
        let (named, name) = (
            below.certificate.tbs_certificate().issuer(),
            above.certificate.tbs_certificate().subject(),
        );
        if named != name {
            return false;
        }
        let spki = above.spki.clone();
        self.is_signed_by(child, &spki)
    }

    fn is_signed_by(&mut self, child: usize, spki: &[u8]) -> bool {
        let Some(signatures) = self.signatures.checked_sub(1) else {
            return false;
        };
        self.signatures = signatures;
        let (Some(link), Ok(spki)) = (self.links.get(child), SubjectPublicKeyInfo::parse(spki))
        else {
            return false;
        };
        self.algorithms
            .verify(&spki, link.algorithm, link.tbs, link.signature)
    }

    fn accept(&mut self, path: &[usize], anchor: &Anchor) -> bool {
        let links: Vec<&Link<'_>> = path.iter().filter_map(|i| self.links.get(*i)).collect();
        let certificates: Vec<_> = links
            .iter()
            .map(|link| (link.place, &link.certificate))
            .collect();
        let outcome = self
            .check
            .basics(&links, &mut self.budget)
            .and_then(|()| self.check.hold(&certificates, anchor, &mut self.budget));
        match outcome {
            Ok(()) => true,
            Err(failure) => {
                self.failure.get_or_insert(failure);
                false
            }
        }
    }
}

impl Check<'_> {
    /// What webpki checks of a path: RFC 5280, Sections 6.1.3 to 6.1.5.
    fn basics(&self, links: &[&Link<'_>], budget: &mut Budget) -> Result<(), Failure> {
        let mut below: u8 = 0;
        for (level, link) in links.iter().enumerate() {
            let fault = |failure| at_fault(failure, self.case.chain, link.place);
            self.each(link)?;
            let constraints = basic_constraints(&link.certificate).map_err(fault)?;
            let authority = constraints.as_ref().is_some_and(|found| found.ca);
            if level == 0 {
                if authority && !self.case.apart {
                    let reason = "it is the certificate of an authority";
                    return Err(fault(Failure::new(Code::InvalidPurpose, reason)));
                }
                continue;
            }
            if !authority {
                let reason = "it is not an authority: its certificate lacks cA";
                return Err(fault(Failure::new(Code::InvalidCa, reason)));
            }
            let allowed = constraints.and_then(|found| found.path_len_constraint);
            if allowed.is_some_and(|allowed| below > allowed) {
                let reason = "it allows fewer intermediate certificates";
                return Err(fault(Failure::new(Code::PathLengthExceeded, reason)));
            }
            self.may_issue(link, links.get(..level).unwrap_or_default(), budget)
                .map_err(fault)?;
            if !is_self_issued(&link.certificate) {
                below = below.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Time and purpose.
    fn each(&self, link: &Link<'_>) -> Result<(), Failure> {
        let identity = Identity::from_der(link.der)
            .map_err(|error| Failure::new(Code::Malformed, format!("{error}")))?;
        let any_time = self.judge.policy.any_time;
        if !any_time && self.case.now < identity.not_before {
            return Err(not_yet(&identity, link.place, self.case.now));
        }
        if !any_time && self.case.now > identity.not_after {
            return Err(expired(&identity, link.place, self.case.now));
        }
        if !self.case.peer.fits(&identity) {
            return Err(wrong_purpose(&identity, link.place, self.case.peer));
        }
        Ok(())
    }

    /// Whether an authority may issue what is below it.
    fn may_issue(
        &self,
        link: &Link<'_>,
        below: &[&Link<'_>],
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        let tbs = link.certificate.tbs_certificate();
        let usage = tbs.get_extension::<KeyUsage>();
        if !matches!(usage, Ok(None)) && !usage.is_ok_and(allows_signing) {
            let reason = "its keyUsage does not allow to sign certificates";
            return Err(Failure::new(Code::NoCertSign, reason));
        }
        let found = tbs.get_extension::<NameConstraints>().map_err(|error| {
            let reason = format!("its nameConstraints is malformed: {error}");
            Failure::new(Code::ConstraintSyntax, reason)
        })?;
        let Some((_, found)) = found else {
            return Ok(());
        };
        for (level, other) in below.iter().enumerate() {
            // RFC 5280, Section 6.1.3: self-issued ones are exempt, unless it is the last.
            if level > 0 && is_self_issued(&other.certificate) {
                continue;
            }
            constraints::check(&found, &other.certificate, budget)
                .map_err(|code| Failure::new(code, "it may not issue for all names below it"))?;
        }
        Ok(())
    }
}

fn allows_signing(usage: Option<(bool, KeyUsage)>) -> bool {
    usage.is_some_and(|(_, usage)| usage.key_cert_sign())
}

fn basic_constraints(certificate: &Certificate) -> Result<Option<BasicConstraints>, Failure> {
    let found = certificate.tbs_certificate().get_extension();
    match found {
        Ok(found) => Ok(found.map(|(_, constraints)| constraints)),
        Err(error) => Err(Failure::new(
            Code::InvalidExtension,
            format!("its basicConstraints is malformed: {error}"),
        )),
    }
}
