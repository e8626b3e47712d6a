//! `cert verify`: whether certificates would be accepted, and why not.

use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde::Serialize;
use waxwing::pki::revocation::RevocationPolicy;
use waxwing::pki::{
    self, ClientVerifier, Clock, Examination, Identity, LoadError, Policy, Staple, TrustAnchors,
    Verifier,
};
use waxwing::{
    CertificateError, CertificateType, ClientCertRequest, PROVIDER, ServerCertRequest, ServerName,
};

use super::args::VerifyArgs;
use super::revocation::{self, RevocationFacts, Sources};
use super::show::ErrorFacts;
use super::source::{self, Content, Source};
use crate::exit::{Code, Failure};
use crate::output::{self, Talk, safe};

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    sources: Vec<SourceFacts>,
}

#[derive(Debug, Serialize)]
struct SourceFacts {
    source: String,
    accepted: bool,
    subject: Option<String>,
    /// Which rule is broken, and by which certificate.
    failure: Option<FailureFacts>,
    /// Whether it is revoked, if somebody was asked.
    revocation: Option<RevocationFacts>,
    error: Option<ErrorFacts>,
}

#[derive(Debug, Serialize)]
struct FailureFacts {
    code: &'static str,
    node_code: &'static str,
    reason: String,
    section: &'static str,
    fix: &'static str,
    certificate: Option<CulpritFacts>,
}

#[derive(Debug, Serialize)]
struct CulpritFacts {
    /// Its place in the chain; none is a trust anchor.
    place: Option<usize>,
    subject: String,
    sha256: String,
}

impl SourceFacts {
    fn of(source: &Source) -> Self {
        Self {
            source: source.to_string(),
            accepted: false,
            subject: None,
            failure: None,
            revocation: None,
            error: None,
        }
    }
}

impl FailureFacts {
    fn of(failure: &pki::Failure) -> Self {
        Self {
            code: failure.code.name(),
            node_code: failure.node_code,
            reason: failure.reason.clone(),
            section: failure.section,
            fix: failure.fix,
            certificate: failure.certificate.as_ref().map(|culprit| CulpritFacts {
                place: culprit.place,
                subject: culprit.subject.clone(),
                sha256: culprit.sha256.clone(),
            }),
        }
    }
}

/// A chain to judge, and what came with it.
struct Case {
    chain: Vec<Vec<u8>>,
    name: Option<ServerName>,
    from_server: bool,
    ocsp: Option<Vec<u8>>,
    scts: Option<Vec<u8>>,
}

pub(super) async fn run(args: &VerifyArgs, talk: Talk) -> Result<(), Failure> {
    let judge = Judge::new(args)?;
    let sources: Vec<_> = args.sources.iter().map(|text| Source::new(text)).collect();
    let contents = source::load(&sources, &args.peer, &args.network, talk).await;
    let mut facts = Vec::new();
    let mut failures = Vec::new();
    for (source, content) in sources.iter().zip(contents) {
        let mut told = SourceFacts::of(source);
        let result = content
            .and_then(case)
            .map_err(|failure| source::named(source, failure))
            .and_then(|case| {
                told.subject = subject(&case.chain);
                judge.tell(source, &case, &mut told)
            });
        told.accepted = result.is_ok();
        told.error = result.as_ref().err().map(ErrorFacts::of);
        if told.accepted && !talk.json() && !talk.quiet() {
            let subject = told.subject.as_deref().unwrap_or_default();
            let mut text = format!("{source}: good ({subject})");
            if let Some(revocation) = &told.revocation {
                text.push_str(&revocation.lines(talk.verbose()));
            }
            output::print(&text).map_err(|error| Failure::stdout(&error))?;
        }
        facts.push(told);
        failures.extend(result.err());
    }
    if talk.json() {
        let document = Document {
            schema: "waxwing.cert.verify/1",
            sources: facts,
        };
        output::json(&document).map_err(|error| Failure::stdout(&error))?;
    }
    source::worst(failures)
}

fn case(content: Content) -> Result<Case, Failure> {
    match content {
        Content::Bytes(bytes) => {
            let identities = Identity::from_pem_or_der(&bytes)
                .map_err(|error| Failure::usage(error.to_string()))?;
            Ok(Case {
                chain: identities
                    .into_iter()
                    .map(|identity| identity.der)
                    .collect(),
                name: None,
                from_server: false,
                ocsp: None,
                scts: None,
            })
        }
        Content::Server(fetched) => Ok(Case {
            chain: fetched.chain,
            name: Some(fetched.name),
            from_server: true,
            ocsp: fetched.ocsp,
            scts: fetched.scts,
        }),
    }
}

fn subject(chain: &[Vec<u8>]) -> Option<String> {
    Identity::from_der(chain.first()?)
        .ok()
        .map(|identity| identity.label())
}

/// Decides by what the user says.
struct Judge<'a> {
    args: &'a VerifyArgs,
    anchors: Arc<TrustAnchors>,
    policy: Policy,
    revocation: Sources,
}

impl<'a> Judge<'a> {
    fn new(args: &'a VerifyArgs) -> Result<Self, Failure> {
        let mut policy = Policy::new()
            .profile(args.profile.into())
            .clock(args.at.map_or(Clock::System, Clock::Fixed));
        if let Some(depth) = args.depth {
            policy = policy.max_intermediates(depth);
        }
        Ok(Self {
            args,
            anchors: Arc::new(anchors(args)?),
            policy,
            revocation: Sources::new(&args.revocation)?,
        })
    }

    /// Judges, and enters what was found.
    fn tell(&self, source: &Source, case: &Case, told: &mut SourceFacts) -> Result<(), Failure> {
        let revocation = self.revocation.policy(case.from_server)?;
        let Examination {
            result, revocation, ..
        } = self.judge(case, revocation);
        told.revocation = revocation.as_ref().map(RevocationFacts::of);
        if let Some(failure) = revocation
            .as_ref()
            .and_then(|outcome| self.revocation.misread(outcome))
        {
            return Err(failure);
        }
        result.map(drop).map_err(|failure| {
            told.failure = Some(FailureFacts::of(&failure));
            let outcome = revocation.filter(|outcome| !outcome.is_accepted());
            let hint = outcome.as_ref().and_then(revocation::hint);
            let rejected = rejected(source, &failure);
            Failure {
                hint: rejected.hint.or(hint),
                ..rejected
            }
        })
    }

    fn judge(&self, case: &Case, revocation: RevocationPolicy) -> Examination {
        let chain: Vec<_> = case.chain.iter().map(Vec::as_slice).collect();
        let anchors = Arc::clone(&self.anchors);
        if self.args.client {
            let request = ClientCertRequest {
                certificate_type: CertificateType::X509,
                chain: &chain,
            };
            let verifier = ClientVerifier::new(&PROVIDER, anchors)
                .policy(self.policy.clone())
                .revocation(revocation);
            return verifier.examination(&request);
        }
        let given = self.revocation.response();
        let mut policy = self.policy.clone();
        if !case.from_server && given.is_none() {
            // No file is stapled.
            policy = policy.staple(Staple::Ignored);
        }
        let name = self.args.name.as_ref().or(case.name.as_ref());
        if name.is_none() {
            // The user asks about the certificate, not about a server.
            policy = policy.dangerously_accept_any_name();
        }
        let nobody = ServerName::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let request = ServerCertRequest {
            certificate_type: CertificateType::X509,
            chain: &chain,
            ocsp: given.or(case.ocsp.as_deref()),
            scts: case.scts.as_deref(),
            name: name.unwrap_or(&nobody),
        };
        let verifier = Verifier::new(&PROVIDER, anchors)
            .policy(policy)
            .revocation(revocation);
        verifier.examination(&request)
    }
}

fn anchors(args: &VerifyArgs) -> Result<TrustAnchors, Failure> {
    let wrong = |error: LoadError| Failure::usage(error.to_string());
    let mut anchors = if args.ca_only {
        TrustAnchors::none()
    } else {
        TrustAnchors::system_or_bundled().map_err(wrong)?
    };
    for path in &args.ca {
        anchors.extend(TrustAnchors::from_file(path).map_err(wrong)?);
    }
    Ok(anchors)
}

fn rejected(source: &Source, failure: &pki::Failure) -> Failure {
    let code = match failure.class {
        CertificateError::Revoked => Code::Revoked,
        _ => Code::Untrusted,
    };
    let told = Failure::new(code, format!("{source}: {}", safe(&failure.to_string())));
    match failure.class {
        CertificateError::UnknownIssuer | CertificateError::SelfSigned => {
            told.with_hint("--ca FILE trusts another authority")
        }
        CertificateError::NameMismatch => told.with_hint("--name NAME expects another name"),
        _ => told,
    }
}
