//! One policy for all sources.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use waxwing_crypto::CryptoProvider;

use super::chain::{Link, VerifiedChain};
use super::crl_set::CrlSet;
use super::ocsp::{Answer, Judge};
use super::outcome::{Decision, Finding, Outcome, Silence, Source, Status, label};
use super::sct::{Lists, Report, Transparency};
use super::when::When;
use crate::UnixTime;
use crate::algorithms::Algorithms;
use crate::horizon::Horizon;
use crate::tls_feature::must_staple;

/// How much the policy relies on a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is not asked.
    #[default]
    Off,
    /// If it says "revoked" that counts; if it says nothing, so be it.
    Soft,
    /// It has to say that the certificate is good.
    Hard,
}

/// Which certificates are asked about. Staples and filters know end entities only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// The peer's own.
    EndEntity,
    /// All of the chain but the trust anchor.
    #[default]
    Chain,
}

/// What the peer showed beside its certificates.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Evidence<'a> {
    /// The stapled OCSP response, if any (RFC 6066, Section 8).
    pub ocsp: Option<&'a [u8]>,
    /// The content of the extension `signed_certificate_timestamp`, if any (RFC 6962, Section
    /// 3.3.1).
    pub scts: Option<&'a [u8]>,
    /// Whether the peer had no way to show any of that, as a client has none.
    pub could_not_staple: bool,
}

impl<'a> Evidence<'a> {
    /// What a server showed.
    #[must_use]
    pub const fn of_server(ocsp: Option<&'a [u8]>, scts: Option<&'a [u8]>) -> Self {
        Self {
            ocsp,
            scts,
            could_not_staple: false,
        }
    }

    /// A client, which is not asked for more than its certificates.
    #[must_use]
    pub const fn of_client() -> Self {
        Self {
            ocsp: None,
            scts: None,
            could_not_staple: true,
        }
    }
}

/// Whom to ask whether certificates are revoked, and what to do with the answers.
///
/// An answer counts if it is signed by the issuer, or by whom the issuer lets sign, and if the
/// time is right. If any answer is "revoked", the chain is refused; that holds for answers that
/// are out of date too, because what is revoked stays so.
///
/// ```
/// use std::sync::Arc;
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_pki::revocation::{Crl, CrlError, CrlSet, Mode, RevocationPolicy};
///
/// # fn ask() -> Result<RevocationPolicy, CrlError> {
/// let lists = Arc::new(CrlSet::new(&PROVIDER, Crl::from_file("ca.crl")?));
/// let policy = RevocationPolicy::new(&PROVIDER)
///     .lists(lists, Mode::Hard)
///     .staple(Mode::Soft);
/// # Ok(policy)
/// # }
/// ```
#[derive(Debug)]
pub struct RevocationPolicy {
    algorithms: Algorithms,
    depth: Depth,
    staple: Mode,
    list: Mode,
    lists_vouch_for: Depth,
    lists: Option<Arc<CrlSet>>,
    filter: Mode,
    #[cfg(feature = "crlite")]
    filters: Option<Arc<super::crlite::FilterSet>>,
    must_staple: bool,
    insist: bool,
    refuse_unknown: bool,
    grace: Duration,
    transparency: Option<Transparency>,
}

impl RevocationPolicy {
    /// Looks at staples softly, demands one where the certificate does (RFC 7633), and asks
    /// nobody else. `provider` checks the signatures.
    #[must_use]
    pub fn new(provider: &CryptoProvider) -> Self {
        Self {
            algorithms: Algorithms::of(provider),
            depth: Depth::default(),
            staple: Mode::Soft,
            list: Mode::Off,
            lists_vouch_for: Depth::Chain,
            lists: None,
            filter: Mode::Off,
            #[cfg(feature = "crlite")]
            filters: None,
            must_staple: true,
            insist: false,
            refuse_unknown: false,
            grace: Duration::ZERO,
            transparency: None,
        }
    }

    /// How much stapled OCSP responses count.
    #[must_use]
    pub const fn staple(mut self, mode: Mode) -> Self {
        self.staple = mode;
        self
    }

    /// Asks these revocation lists. They can be replaced while the policy is in use.
    #[must_use]
    pub fn lists(mut self, lists: Arc<CrlSet>, mode: Mode) -> Self {
        self.lists = Some(lists);
        self.list = mode;
        self
    }

    /// For which certificates there has to be a list that says they are good, if lists are asked
    /// [hard](Mode::Hard): all that are asked about, if this is not called. Of the others it is
    /// enough that no list says "revoked".
    #[must_use]
    pub const fn lists_vouch_for(mut self, depth: Depth) -> Self {
        self.lists_vouch_for = depth;
        self
    }

    /// Asks these CRLite filters. They can be replaced while the policy is in use.
    #[cfg(feature = "crlite")]
    #[must_use]
    pub fn filters(mut self, filters: Arc<super::crlite::FilterSet>, mode: Mode) -> Self {
        self.filters = Some(filters);
        self.filter = mode;
        self
    }

    /// Which certificates are asked about.
    #[must_use]
    pub const fn depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self
    }

    /// Whether a certificate that demands a staple (RFC 7633) is refused without a good one.
    /// Yes, if this is not called.
    #[must_use]
    pub const fn must_staple(mut self, on: bool) -> Self {
        self.must_staple = on;
        self
    }

    /// Whether one source at least, whichever, has to say that the end entity is good.
    #[must_use]
    pub const fn insist(mut self, on: bool) -> Self {
        self.insist = on;
        self
    }

    /// Whether a responder that does not know the certificate (OCSP's status "unknown") is a
    /// reason to refuse it, even if the staple is asked softly. Otherwise it is no answer, and
    /// other sources are heard (RFC 6960, Section 2.2).
    #[must_use]
    pub const fn refuse_unknown(mut self, on: bool) -> Self {
        self.refuse_unknown = on;
        self
    }

    /// For how long answers count after their end. Not at all, if this is not called.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Asks that logs vouch for a server's certificate (RFC 6962). That is no matter of
    /// revocation, but the timestamps come the same ways.
    #[must_use]
    pub fn transparency(mut self, transparency: Transparency) -> Self {
        self.transparency = Some(transparency);
        self
    }

    /// Judges a chain.
    #[must_use]
    pub fn check(
        &self,
        chain: &VerifiedChain<'_>,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Outcome {
        self.judge(chain, evidence, now, None)
    }

    /// Judges a chain, and tells `horizon` what the time was compared with.
    pub(crate) fn judge(
        &self,
        chain: &VerifiedChain<'_>,
        evidence: &Evidence<'_>,
        now: UnixTime,
        horizon: Option<&Horizon>,
    ) -> Outcome {
        let when = When {
            now,
            grace: self.grace,
            horizon,
        };
        let mut check = Check {
            policy: self,
            when,
            evidence,
            demanded: self.is_demanded(chain, evidence),
            findings: Vec::new(),
            staple_scts: None,
        };
        let depth = match self.depth {
            Depth::EndEntity => 1,
            Depth::Chain => chain.links.len(),
        };
        for link in chain.links.iter().take(depth) {
            check.ask(link);
        }
        let transparency = check.ask_logs(chain);
        let (mut decision, mut winner) = check.decide();
        let is_logged = transparency.as_ref().is_none_or(Report::is_enough);
        if !is_logged && matches!(decision, Decision::Good | Decision::NotKnown) {
            (decision, winner) = (Decision::NotLogged, None);
        }
        let place = winner.as_ref().map_or(0, |winner| winner.certificate);
        let subject = chain.links.get(place);
        Outcome {
            decision,
            winner,
            subject: subject.map_or_else(String::new, |link| label(link.certificate)),
            findings: check.findings,
            transparency,
        }
    }

    /// Which lists and filters it asks now.
    pub(crate) fn generation(&self) -> Generation {
        Generation {
            lists: self.lists.as_ref().map_or(0, |lists| lists.generation()),
            #[cfg(feature = "crlite")]
            filters: self.filters.as_ref().map_or(0, |set| set.generation()),
        }
    }

    /// Whether the end entity's certificate demands a staple, and that is heeded.
    fn is_demanded(&self, chain: &VerifiedChain<'_>, evidence: &Evidence<'_>) -> bool {
        let leaf = chain.links.first();
        let says_so = leaf.is_some_and(|leaf| must_staple(&leaf.fields));
        self.must_staple && says_so && !evidence.could_not_staple
    }

    /// Whether the source has to say that the certificate is good.
    fn is_hard(&self, finding: &Finding) -> bool {
        let mode = match finding.source {
            Source::Staple => self.staple,
            Source::Crl if finding.certificate > 0 && self.lists_vouch_for != Depth::Chain => {
                Mode::Soft
            }
            Source::Crl => self.list,
            Source::Crlite => self.filter,
        };
        mode == Mode::Hard
    }
}

/// Lists and filters that can be replaced while a policy is in use: which ones these are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generation {
    lists: u64,
    #[cfg(feature = "crlite")]
    filters: u64,
}

/// One judgement on its way.
struct Check<'p> {
    policy: &'p RevocationPolicy,
    when: When<'p>,
    evidence: &'p Evidence<'p>,
    /// Whether the certificate demands a staple.
    demanded: bool,
    findings: Vec<Finding>,
    /// The timestamps of logs in a staple that counts.
    staple_scts: Option<Vec<u8>>,
}

impl Check<'_> {
    /// Asks all sources about one certificate.
    fn ask(&mut self, link: &Link<'_>) {
        // The response of a server is about its own certificate (RFC 6066, Section 8).
        let is_wanted = self.policy.staple != Mode::Off || self.demanded;
        if link.place == 0 && is_wanted && !self.evidence.could_not_staple {
            let status = match self.read_staple(link) {
                Ok(answer) => {
                    self.staple_scts = answer.scts;
                    answer.status
                }
                Err(silence) => Status::Silent(silence),
            };
            self.note(link, Source::Staple, status);
        }
        if self.policy.list != Mode::Off
            && let Some(lists) = &self.policy.lists
        {
            let status = lists.status(link, self.when);
            self.note(link, Source::Crl, status);
        }
        // The filters are of certificates that logs have seen, which are of end entities.
        #[cfg(feature = "crlite")]
        if link.place == 0
            && self.policy.filter != Mode::Off
            && let Some(filters) = &self.policy.filters
        {
            let status = filters.status(link, self.when);
            self.note(link, Source::Crlite, status);
        }
    }

    fn read_staple(&self, link: &Link<'_>) -> Result<Answer, Silence> {
        let response = self.evidence.ocsp.ok_or(Silence::Missing)?;
        let judge = Judge {
            algorithms: &self.policy.algorithms,
            lists: self.policy.lists.as_deref(),
            when: self.when,
        };
        judge.answer(response, link)
    }

    /// What logs say of the end entity. Clients' certificates are in none.
    fn ask_logs(&self, chain: &VerifiedChain<'_>) -> Option<Report> {
        let transparency = self.policy.transparency.as_ref()?;
        let link = chain.links.first()?;
        if self.evidence.could_not_staple {
            return None;
        }
        let lists = Lists {
            staple: self.staple_scts.as_deref(),
            handshake: self.evidence.scts,
        };
        Some(transparency.report(link, &lists, self.when))
    }

    fn note(&mut self, link: &Link<'_>, source: Source, status: Status) {
        self.findings.push(Finding {
            certificate: link.place,
            source,
            status,
        });
    }

    fn decide(&self) -> (Decision, Option<Finding>) {
        let first = |wanted: &dyn Fn(&Finding) -> bool| {
            self.findings.iter().find(|one| wanted(one)).cloned()
        };
        let is_good = |finding: &Finding| matches!(finding.status, Status::Good { .. });
        let is_revoked = |finding: &Finding| matches!(finding.status, Status::Revoked { .. });
        if let Some(revoked) = first(&|one| is_revoked(one)) {
            return (Decision::Revoked, Some(revoked));
        }
        let staple = first(&|one| one.source == Source::Staple);
        if self.demanded && !staple.as_ref().is_some_and(is_good) {
            return (Decision::MustStaple, staple);
        }
        let insists = |finding: &Finding| {
            let unknown = finding.status == Status::Silent(Silence::Unknown);
            self.policy.is_hard(finding) || (unknown && self.policy.refuse_unknown)
        };
        if let Some(silent) = first(&|one| insists(one) && !is_good(one)) {
            return (Decision::SourceSilent, Some(silent));
        }
        match first(&|one| one.certificate == 0 && is_good(one)) {
            Some(good) => (Decision::Good, Some(good)),
            None if self.policy.insist => (Decision::AllSilent, None),
            None => (Decision::NotKnown, None),
        }
    }
}
