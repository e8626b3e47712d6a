//! What `cert verify` asks about revocation, and how it tells what was found.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use waxwing::PROVIDER;
use waxwing::pki::Identity;
use waxwing::pki::revocation::{
    Crl, CrlError, CrlSet, Decision, Depth, Finding, Mode, Outcome, RevocationPolicy, Silence,
    Source, Status,
};

use super::args::{Insist, RevocationArgs};
use super::files::read;
use crate::exit::Failure;
use crate::output::safe;

/// The sources that the user gives.
#[derive(Debug)]
pub(super) struct Sources {
    lists: Option<Arc<CrlSet>>,
    response: Option<(PathBuf, Vec<u8>)>,
    insist: Option<Insist>,
}

impl Sources {
    pub(super) fn new(args: &RevocationArgs) -> Result<Self, Failure> {
        let mut lists = Vec::new();
        for path in &args.crl {
            lists.extend(load(path)?);
        }
        let response = match &args.ocsp {
            Some(path) => Some((path.clone(), read(path)?)),
            None => None,
        };
        Ok(Self {
            lists: (!lists.is_empty()).then(|| Arc::new(CrlSet::new(&PROVIDER, lists))),
            response,
            insist: args.revocation,
        })
    }

    /// The response that stands in for one that a server staples.
    pub(super) fn response(&self) -> Option<&[u8]> {
        self.response
            .as_ref()
            .map(|(_, response)| response.as_slice())
    }

    /// What is asked of a chain of a server that was connected to, or of a file.
    pub(super) fn policy(&self, from_server: bool) -> Result<RevocationPolicy, Failure> {
        let asked = self.lists.is_some() || self.response.is_some();
        if self.insist.is_some() && !asked && !from_server {
            let text = "--revocation asks whether it is revoked, and there is nobody who tells";
            return Err(Failure::usage(text)
                .with_hint("--crl FILE is a revocation list, --ocsp FILE an OCSP response"));
        }
        let insist = self.insist.unwrap_or_default();
        let mode = match insist {
            Insist::Soft => Mode::Soft,
            Insist::Hard | Insist::Chain => Mode::Hard,
        };
        // Nobody promises that a server staples, unless its certificate or the user does.
        let staple = match (&self.response, self.insist) {
            (Some(_), _) => mode,
            (None, Some(_)) if from_server && !asked => mode,
            _ if from_server => Mode::Soft,
            _ => Mode::Off,
        };
        let mut policy = RevocationPolicy::new(&PROVIDER)
            .staple(staple)
            .must_staple(from_server || self.response.is_some());
        if let Some(lists) = &self.lists {
            policy = policy.lists(Arc::clone(lists), mode);
        }
        Ok(policy.lists_vouch_for(match insist {
            Insist::Chain => Depth::Chain,
            Insist::Soft | Insist::Hard => Depth::EndEntity,
        }))
    }

    /// Whether the user's own file is to blame for a silence.
    pub(super) fn misread(&self, outcome: &Outcome) -> Option<Failure> {
        let (path, _) = self.response.as_ref()?;
        outcome.findings.iter().find_map(|finding| match finding {
            Finding {
                source: Source::Staple,
                status: Status::Silent(Silence::Malformed(words)),
                ..
            } => {
                let path = path.display();
                let text = format!("{path}: it is no OCSP response in DER: {}", safe(words));
                Some(Failure::usage(text).with_hint("`openssl ocsp -respout FILE` writes one"))
            }
            _ => None,
        })
    }
}

fn load(path: &Path) -> Result<Vec<Crl>, Failure> {
    let bytes = read(path)?;
    Crl::from_pem_or_der(&bytes).map_err(|error| {
        let path = path.display();
        match (&error, Identity::from_pem_or_der(&bytes)) {
            (CrlError::NoCrl | CrlError::Malformed(_), Ok(_)) => Failure::usage(format!(
                "{path}: it holds a certificate, and no revocation list"
            )),
            (CrlError::Delta | CrlError::Indirect | CrlError::ByReasons, _) => {
                Failure::usage(format!("{path}: {error}"))
            }
            _ => Failure::usage(format!("{path}: {}", safe(&error.to_string()))).with_hint(
                "a revocation list is in DER, or in PEM with X509 CRL in its first line",
            ),
        }
    })
}

/// What would help who has a source that says nothing.
pub(super) fn hint(outcome: &Outcome) -> Option<&'static str> {
    let winner = outcome.winner.as_ref()?;
    match (winner.source, &winner.status) {
        (Source::Crl, Status::Silent(Silence::Missing)) => Some(
            "--crl FILE has to be a list of the authority that issued it; `openssl crl -issuer` \
             shows whose a list is",
        ),
        (Source::Crl, Status::Silent(Silence::WrongSigner(_))) => Some(
            "the list is of another authority of that name, or was changed; get it from where the \
             certificate says",
        ),
        (Source::Crl, Status::Silent(Silence::Stale(_))) => Some(
            "get the authority's present list; --at judges as of another time, and --revocation \
             soft goes on without",
        ),
        (Source::Staple, Status::Silent(Silence::Missing)) => Some(
            "it is about another certificate, or there is none: --ocsp FILE gives one, and \
             `openssl ocsp -respout FILE` fetches it",
        ),
        _ => None,
    }
}

/// An outcome in JSON.
#[derive(Debug, Serialize)]
pub(super) struct RevocationFacts {
    decision: &'static str,
    /// All of it in a sentence.
    text: String,
    /// The finding that decided, if one did.
    winner: Option<FindingFacts>,
    findings: Vec<FindingFacts>,
    /// The findings for people.
    #[serde(skip)]
    lines: Vec<String>,
}

/// What one source says of one certificate.
#[derive(Debug, Serialize)]
struct FindingFacts {
    /// Its place in the chain.
    certificate: usize,
    source: &'static str,
    status: &'static str,
    /// Until when a good answer counts.
    until: Option<String>,
    /// Since when it is revoked.
    since: Option<String>,
    /// Why it is revoked, by the names of RFC 5280, Section 5.3.1; or why there is no answer.
    reason: Option<String>,
}

impl RevocationFacts {
    pub(super) fn of(outcome: &Outcome) -> Self {
        Self {
            decision: match outcome.decision {
                Decision::Good => "good",
                Decision::Revoked => "revoked",
                Decision::MustStaple => "must_staple",
                Decision::SourceSilent | Decision::AllSilent => "silent",
                Decision::NotLogged => "not_logged",
                _ => "not_known",
            },
            text: outcome.to_string(),
            winner: outcome.winner.as_ref().map(FindingFacts::of),
            findings: outcome.findings.iter().map(FindingFacts::of).collect(),
            lines: outcome.findings.iter().map(ToString::to_string).collect(),
        }
    }

    /// As lines below a verdict; nothing if no source was given.
    pub(super) fn lines(&self, all: bool) -> String {
        if self.findings.is_empty() {
            return String::new();
        }
        let mut text = format!("\n  {}", safe(&self.text));
        for (finding, line) in self.findings.iter().zip(&self.lines).filter(|_| all) {
            let line = safe(line);
            text.push_str(&format!("\n  certificate {}, {line}", finding.certificate));
        }
        text
    }
}

impl FindingFacts {
    fn of(finding: &Finding) -> Self {
        let mut facts = Self {
            certificate: finding.certificate,
            source: match finding.source {
                Source::Staple => "ocsp",
                Source::Crl => "crl",
                _ => "crlite",
            },
            status: "silent",
            until: None,
            since: None,
            reason: None,
        };
        match &finding.status {
            Status::Good { until } => {
                facts.status = "good";
                facts.until = Some(until.to_string());
            }
            Status::Revoked { since, reason } => {
                facts.status = "revoked";
                facts.since = since.map(|time| time.to_string());
                facts.reason = reason.map(|reason| reason.to_string());
            }
            other => facts.reason = Some(other.to_string()),
        }
        facts
    }
}
