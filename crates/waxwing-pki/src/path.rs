//! From what a peer sent to a trust anchor: webpki builds paths and checks their signatures;
//! every complete path is then held to the [`Policy`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use rustls_pki_types::CertificateDer;
use waxwing_core::Verified;
use waxwing_core::limits::MAX_REVOCATION_PATHS;
use waxwing_crypto::CryptoProvider;
use webpki::{EndEntityCert, Error, VerifiedPath};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::BasicConstraints;

use crate::algorithms::Algorithms;
use crate::anchors::{Anchor, Candidates, Facts};
use crate::constraints::{self, Budget};
use crate::end_entity::{self, check_may_sign, check_name};
use crate::explain::{Case, at_fault, broken_signature, wrong_purpose};
use crate::failure::Culprit;
use crate::horizon::Horizon;
use crate::plain::Plain;
use crate::public_key::{Strength, refuse_weak, refuse_weak_kind};
use crate::revocation::{Evidence, Outcome, RevocationPolicy, VerifiedChain};
use crate::rules::{self, Role};
use crate::staple::check_staple;
use crate::verdicts::{Circumstances, Verdicts};
use crate::walk::{self, Walk};
use crate::{
    Clock, Code, Examination, Failure, Identity, Peer, Policy, Profile, TrustAnchors, UnixTime,
};

/// Whom to trust, with which cryptography, and what is asked of chains.
#[derive(Debug)]
pub(crate) struct Judge {
    anchors: Vec<Arc<TrustAnchors>>,
    algorithms: Algorithms,
    pub(crate) policy: Policy,
    pub(crate) revocation: Option<Arc<RevocationPolicy>>,
    /// Of all that is above and nothing else: who changes one of them empties it.
    verdicts: Verdicts,
}

impl Judge {
    pub(crate) fn new(provider: &CryptoProvider, anchors: Arc<TrustAnchors>) -> Self {
        Self {
            anchors: vec![anchors],
            algorithms: Algorithms::of(provider),
            policy: Policy::default(),
            revocation: None,
            verdicts: Verdicts::default(),
        }
    }

    pub(crate) fn anchors(&self) -> &[Arc<TrustAnchors>] {
        &self.anchors
    }

    pub(crate) fn trust(&mut self, anchors: Arc<TrustAnchors>) {
        self.anchors.push(anchors);
        self.forget();
    }

    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        self.forget();
    }

    pub(crate) fn set_clock(&mut self, clock: Clock) {
        self.policy.clock = clock;
        self.forget();
    }

    pub(crate) fn set_revocation(&mut self, policy: Arc<RevocationPolicy>) {
        self.revocation = Some(policy);
        self.forget();
    }

    /// Remembers so many verdicts.
    pub(crate) fn remember(&mut self, entries: usize) {
        self.verdicts = Verdicts::new(entries);
    }

    fn forget(&mut self) {
        self.verdicts = self.verdicts.emptied();
    }

    /// Judges, in a handshake, the certificates that a peer sent, its own first, and what came
    /// beside them; unless the same was accepted before, and that still counts.
    pub(crate) fn handshake(
        &self,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Result<Verified, Failure> {
        let policy = self.revocation.as_ref();
        let at = Circumstances {
            now: self.now()?,
            generation: policy.map(|policy| policy.generation()).unwrap_or_default(),
        };
        let question = self.verdicts.question(chain, peer, evidence);
        let known = question.and_then(|question| self.verdicts.answer(&question, at));
        if let Some(verified) = known {
            return Ok(verified);
        }
        let horizon = Horizon::endless();
        let case = self.case(chain, peer, at.now, &horizon);
        let verified = self.check(&case, evidence, &mut None)?;
        if let Some(question) = question {
            self.verdicts.keep(&question, at, horizon.end(), &verified);
        }
        Ok(verified)
    }

    /// Judges certificates for what the policy says, and finds out whether they are revoked.
    pub(crate) fn examine(
        &self,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Examination {
        let now = match self.now() {
            Ok(now) => now,
            Err(failure) => return failure.into(),
        };
        let horizon = Horizon::endless();
        let case = Case {
            apart: self.policy.apart,
            ..self.case(chain, peer, now, &horizon)
        };
        let mut revocation = None;
        Examination {
            result: self.check(&case, evidence, &mut revocation),
            revocation,
        }
    }

    /// A case of a handshake.
    fn case<'a>(
        &'a self,
        chain: &'a [&'a [u8]],
        peer: Peer<'a>,
        now: UnixTime,
        horizon: &'a Horizon,
    ) -> Case<'a> {
        Case {
            chain,
            peer,
            now,
            horizon,
            anchors: &self.anchors,
            apart: false,
        }
    }

    fn check(
        &self,
        case: &Case<'_>,
        evidence: &Evidence<'_>,
        revocation: &mut Option<Outcome>,
    ) -> Result<Verified, Failure> {
        let leaf = case
            .chain
            .first()
            .ok_or_else(|| Failure::new(Code::Malformed, "there is no certificate"))?;
        let plain = self.plain(leaf, Role::EndEntity, case);
        let outcome = self.check_path(leaf, plain.as_ref(), case, evidence, revocation);
        let verified = match outcome {
            Err(_) if self.anchors.iter().any(|set| set.hold_exactly(leaf)) => {
                // Nobody is asked about it.
                *revocation = None;
                self.check_trusted(leaf, case)?
            }
            outcome => outcome?,
        };
        if !case.apart && !plain.as_ref().is_some_and(Plain::may_sign) {
            check_may_sign(leaf)?;
        }
        if let Peer::Server(_) = case.peer {
            check_staple(leaf, plain.as_ref(), evidence.ocsp, self.policy.staple)?;
        }
        Ok(verified)
    }

    /// The time of judgement. With a clock that is not set, all times are the same to who
    /// accepts any.
    fn now(&self) -> Result<UnixTime, Failure> {
        match self.policy.clock.known() {
            Err(_) if self.policy.any_time => Ok(UnixTime::from_seconds(0)),
            now => now,
        }
    }

    fn check_path(
        &self,
        leaf: &[u8],
        plain: Option<&Plain<'_>>,
        case: &Case<'_>,
        evidence: &Evidence<'_>,
        revocation: &mut Option<Outcome>,
    ) -> Result<Verified, Failure> {
        let der = CertificateDer::from(leaf);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| case.failure(&error))?;
        let candidates = Candidates::of(&self.anchors, case.chain);
        let check = Check {
            judge: self,
            case,
            plain,
            candidates: &candidates,
            evidence,
            state: RefCell::default(),
            asked: Cell::new(0),
        };
        let built = self.build(&certificate, &check);
        *revocation = check.state.take().revocation;
        built?;
        if let Peer::Server(name) = case.peer
            && !self.policy.any_name
        {
            check_name(&certificate, name)?;
        }
        // Whoever held the path to the policy has seen that the key is not too short.
        let spki = match plain {
            Some(plain) => plain.spki.to_vec(),
            None => certificate.subject_public_key_info().to_vec(),
        };
        Ok(Verified::holder_of(spki))
    }

    /// Looks for a path, and takes a second look where webpki does not know better than to refuse.
    fn build(&self, certificate: &EndEntityCert<'_>, check: &Check<'_>) -> Result<(), Failure> {
        let Err(error) = self.ask_webpki(certificate, check) else {
            return Ok(());
        };
        let case = check.case;
        // A failure comes from a path with good signatures that the policy refuses. It says more
        // than what was wrong with other paths.
        let failure = check.state.borrow_mut().failure.take();
        let failure = failure.unwrap_or_else(|| case.failure(&error));
        let lowest_is_authority = case.apart && error == Error::CaUsedAsEndEntity;
        if !self.policy.any_time && !lowest_is_authority && !walk::is_for(case.chain) {
            return Err(failure);
        }
        let walk = Walk::new(check, &self.algorithms);
        walk.find().map_err(|found| found.unwrap_or(failure))
    }

    fn ask_webpki(&self, certificate: &EndEntityCert<'_>, check: &Check<'_>) -> Result<(), Error> {
        let case = check.case;
        let ders: Vec<_> = case
            .chain
            .iter()
            .skip(1)
            .map(|der| CertificateDer::from(*der))
            .collect();
        let outcome = certificate.verify_for_usage(
            &self.algorithms.as_webpki(),
            check.candidates.as_webpki(),
            &ders,
            case.now.for_webpki(),
            case.peer.usage(),
            None,
            Some(&|path: &VerifiedPath<'_>| check.complete(path)),
        );
        outcome.map(drop)
    }

    /// Holds one certificate to the policy.
    pub(crate) fn certificate(&self, certificate: &Certificate, role: Role) -> Result<(), Failure> {
        if let Some(algorithm) = broken_signature(certificate) {
            let reason = format!("its signature is of type {algorithm}, which is broken");
            return Err(Failure::new(Code::DigestTooWeak, reason));
        }
        let spki = certificate.tbs_certificate().subject_public_key_info();
        let spki = spki.to_der().unwrap_or_default();
        if role == Role::EndEntity {
            self.algorithms.check_key(&spki)?;
        }
        refuse_weak(&spki, self.strength(), role)?;
        rules::check(certificate, role, self.policy.profile)
    }

    pub(crate) const fn strength(&self) -> Strength {
        Strength {
            rsa: self.policy.min_rsa_bits,
            curve: self.policy.min_curve_bits,
        }
    }

    /// The peer presents a certificate that the user named as trusted. Path building has no use
    /// for it where it is marked as an authority, or where it is not its own issuer.
    fn check_trusted(&self, leaf: &[u8], case: &Case<'_>) -> Result<Verified, Failure> {
        let name = case.peer.name().filter(|_| !self.policy.any_name);
        let now = Some(case.now).filter(|_| !self.policy.any_time);
        let accepted = end_entity::accept(leaf, name, now, self.strength())?;
        let Ok(identity) = Identity::from_der(leaf) else {
            case.horizon.unknown();
            return Ok(accepted);
        };
        if let Some(now) = now {
            case.horizon
                .asked_within(now, identity.not_before, identity.not_after);
        }
        if !case.peer.fits(&identity) {
            return Err(wrong_purpose(&identity, 0, case.peer));
        }
        Ok(accepted)
    }
}

/// Holds complete paths to the policy.
pub(crate) struct Check<'a> {
    pub(crate) judge: &'a Judge,
    pub(crate) case: &'a Case<'a>,
    /// The peer's own certificate, if that is a plain one.
    pub(crate) plain: Option<&'a Plain<'a>>,
    pub(crate) candidates: &'a Candidates<'a>,
    evidence: &'a Evidence<'a>,
    state: RefCell<State>,
    /// Of how many paths it was asked whether certificates are revoked.
    asked: Cell<usize>,
}

#[derive(Default)]
struct State {
    budget: Budget,
    /// Of the first path that was refused.
    failure: Option<Failure>,
    /// Of the path that was accepted, or else of the first that was refused.
    revocation: Option<Outcome>,
}

impl Check<'_> {
    /// The answer to webpki, which goes on to other paths after an error.
    fn complete(&self, path: &VerifiedPath<'_>) -> Result<(), Error> {
        let mut budget = core::mem::take(&mut self.state.borrow_mut().budget);
        let outcome = self.path(path, &mut budget);
        let mut state = self.state.borrow_mut();
        state.budget = budget;
        outcome.map_err(|failure| {
            state.failure.get_or_insert(failure);
            Error::UnknownIssuer
        })
    }

    fn path(&self, path: &VerifiedPath<'_>, budget: &mut Budget) -> Result<(), Failure> {
        if let Some(count) = self.plain_intermediates(path) {
            return self.plain_path(path, count);
        }
        let mut certificates = Vec::new();
        certificates.push(self.decode(&path.end_entity().der())?);
        for certificate in path.intermediate_certificates() {
            certificates.push(self.decode(&certificate.der())?);
        }
        let certificates: Vec<_> = certificates
            .iter()
            .map(|(place, one)| (*place, one))
            .collect();
        // Certificates with the same name and key are the same anchor to webpki.
        let mut outcome = Ok(());
        for anchor in self.candidates.like(path.anchor()) {
            outcome = self.hold(&certificates, anchor, budget);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Holds a path with good signatures to the policy.
    pub(crate) fn hold(
        &self,
        certificates: &[(usize, &Certificate)],
        anchor: &Anchor,
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        self.depth(certificates)?;
        for (level, (place, certificate)) in certificates.iter().enumerate() {
            let role = if level > 0 || (self.case.apart && is_authority(certificate)) {
                Role::Intermediate
            } else {
                Role::EndEntity
            };
            let validity = certificate.tbs_certificate().validity();
            self.time(validity.not_before.into(), validity.not_after.into());
            self.judge
                .certificate(certificate, role)
                .map_err(|failure| at_fault(failure, self.case.chain, *place))?;
        }
        self.purpose(certificates)?;
        self.anchor(anchor, intermediates(certificates))?;
        self.constraints(anchor, certificates, budget)?;
        match &self.judge.revocation {
            Some(policy) => {
                let places: Vec<_> = certificates.iter().map(|(place, _)| *place).collect();
                self.revocation(policy, &places, anchor)
            }
            None => Ok(()),
        }
    }

    /// Whoever built the path has compared the time with the validity of all that is in it.
    pub(crate) fn time(&self, not_before: UnixTime, not_after: UnixTime) {
        if !self.judge.policy.any_time {
            self.case
                .horizon
                .asked_within(self.case.now, not_before, not_after);
        }
    }

    /// Asks last, since answers cost checks of signatures.
    pub(crate) fn revocation(
        &self,
        policy: &RevocationPolicy,
        places: &[usize],
        anchor: &Anchor,
    ) -> Result<(), Failure> {
        let asked = self.asked.get();
        if asked >= MAX_REVOCATION_PATHS {
            let reason = "too many paths have certificates that are revoked, or may be";
            return Err(Failure::new(Code::ChainTooComplex, reason));
        }
        self.asked.set(asked.saturating_add(1));
        // RFC 5280, Section 6.3.3 (f), where the anchor's certificate is known.
        let signs_lists = anchor.facts().is_none_or(|facts| facts.signs_lists);
        let chain = self.case.chain;
        let ders: Vec<_> = places
            .iter()
            .filter_map(|place| chain.get(*place).copied())
            .collect();
        let path = VerifiedChain::to_anchor(&ders, &anchor.spki(), signs_lists)
            .map_err(|error| Failure::new(Code::Malformed, format!("{error}")))?;
        let outcome = policy.judge(&path, self.evidence, self.case.now, Some(self.case.horizon));
        let (failure, level) = (outcome.failure(), outcome.place());
        let mut state = self.state.borrow_mut();
        if failure.is_none() || state.revocation.is_none() {
            state.revocation = Some(outcome);
        }
        let Some(failure) = failure else {
            return Ok(());
        };
        let place = places.get(level).copied();
        let identity = ders.get(level).and_then(|der| Identity::from_der(der).ok());
        Err(match identity {
            Some(identity) => failure.of(Culprit::at(place, &identity)),
            None => failure,
        })
    }

    fn decode(&self, der: &[u8]) -> Result<(usize, Certificate), Failure> {
        let place = self.place(der);
        match Certificate::from_der(der) {
            Ok(certificate) => Ok((place, certificate)),
            Err(error) => Err(Failure::new(
                Code::Malformed,
                format!("certificate {place} is malformed: {error}"),
            )),
        }
    }

    /// Where a certificate stands in what the peer sent.
    pub(crate) fn place(&self, der: &[u8]) -> usize {
        let place = self.case.chain.iter().position(|other| *other == der);
        place.unwrap_or_default()
    }

    fn depth(&self, certificates: &[(usize, &Certificate)]) -> Result<(), Failure> {
        let allowed = self.judge.policy.depth;
        let count = intermediates(certificates);
        if count <= allowed {
            return Ok(());
        }
        Err(Failure::new(
            Code::ChainTooLong,
            format!("the chain has {count} intermediate certificates, and {allowed} are allowed"),
        ))
    }

    /// RFC 5280, Section 4.2.1.12: no extendedKeyUsage is every purpose, unless the policy asks
    /// for one.
    fn purpose(&self, certificates: &[(usize, &Certificate)]) -> Result<(), Failure> {
        use x509_cert::ext::pkix::ExtendedKeyUsage;
        let Some((_, leaf)) = certificates.first() else {
            return Ok(());
        };
        let purposes = leaf.tbs_certificate().get_extension::<ExtendedKeyUsage>();
        if self.judge.policy.purpose_required && matches!(purposes, Ok(None)) {
            let failure = Failure::new(Code::InvalidPurpose, "it has no extendedKeyUsage");
            return Err(at_fault(failure, self.case.chain, 0));
        }
        Ok(())
    }

    /// `intermediates` stand between the peer's certificate and the anchor.
    pub(crate) fn anchor(&self, anchor: &Anchor, intermediates: usize) -> Result<(), Failure> {
        let weak = refuse_weak_kind(anchor.key(), self.judge.strength(), Role::Anchor);
        weak.map_err(|failure| anchor.at_fault(failure))?;
        match anchor.facts() {
            Some(facts) => self
                .known_anchor(facts, intermediates)
                .map_err(|failure| anchor.at_fault(failure)),
            None => Ok(()),
        }
    }

    /// The names for which the anchor may issue.
    fn constraints(
        &self,
        anchor: &Anchor,
        certificates: &[(usize, &Certificate)],
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        let Some(constraints) = anchor.constraints()? else {
            return Ok(());
        };
        for (level, (place, certificate)) in certificates.iter().enumerate() {
            // RFC 5280, Section 6.1.3: self-issued ones are exempt, unless it is the last.
            if level > 0 && is_self_issued(certificate) {
                continue;
            }
            constraints::check(&constraints, certificate, budget).map_err(|code| {
                let failure =
                    Failure::new(code, "the trust anchor may not issue for all its names");
                at_fault(failure, self.case.chain, *place)
            })?;
        }
        Ok(())
    }
}

impl Check<'_> {
    /// What can be checked of an anchor whose certificate is known. RFC 5280, Section 6 leaves
    /// that to whoever trusts it; nobody means to trust a root for longer or more than it says.
    fn known_anchor(&self, facts: &Facts, intermediates: usize) -> Result<(), Failure> {
        let policy = &self.judge.policy;
        if policy.whole_chain && !facts.self_issued {
            let reason = "it is trusted, but no root: another authority issued it";
            return Err(Failure::new(Code::NoIssuer, reason));
        }
        if policy.profile < Profile::Strict {
            return Ok(());
        }
        if !policy.any_time {
            facts.valid_at(self.case.now, self.case.horizon)?;
        }
        if let Some(flaw) = facts.flaw(policy.profile) {
            return Err(flaw);
        }
        if facts
            .path_len
            .is_some_and(|allowed| intermediates > allowed.into())
        {
            let reason = "it allows fewer intermediate certificates";
            return Err(Failure::new(Code::PathLengthExceeded, reason));
        }
        Ok(())
    }
}

/// How many intermediates count (RFC 5280, Section 4.2.1.9).
fn intermediates(certificates: &[(usize, &Certificate)]) -> usize {
    let above = certificates.iter().skip(1);
    above
        .filter(|(_, certificate)| !is_self_issued(certificate))
        .count()
}

/// Whether cA is set (RFC 5280, Section 4.2.1.9).
pub(crate) fn is_authority(certificate: &Certificate) -> bool {
    let constraints = certificate.tbs_certificate().get_extension();
    matches!(
        constraints,
        Ok(Some((_, BasicConstraints { ca: true, .. })))
    )
}

pub(crate) fn is_self_issued(certificate: &Certificate) -> bool {
    let tbs = certificate.tbs_certificate();
    tbs.subject() == tbs.issuer()
}

impl Anchor {
    fn at_fault(&self, failure: Failure) -> Failure {
        match self.facts() {
            Some(facts) => Failure {
                reason: format!("{}: {}", facts.label, failure.reason),
                certificate: Some(Box::new(Culprit {
                    place: None,
                    subject: facts.label.clone(),
                    sha256: facts.sha256.clone(),
                })),
                ..failure
            },
            None => Failure {
                reason: format!("the trust anchor: {}", failure.reason),
                ..failure
            },
        }
    }
}
