//! `cert verify`: whether certificates would be accepted, and why not.

use serde::Serialize;
use waxwing::pki::{AltName, ClientVerifier, Clock, Identity, LoadError, TrustAnchors, Verifier};
use waxwing::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, PROVIDER, Rejection,
    ServerCertRequest, ServerCertVerifier, ServerName, Verdict,
};

use super::args::VerifyArgs;
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
    error: Option<ErrorFacts>,
}

/// A chain to judge, and the name that it came with.
struct Case {
    chain: Vec<Vec<u8>>,
    name: Option<ServerName>,
}

pub(super) async fn run(args: &VerifyArgs, talk: Talk) -> Result<(), Failure> {
    let judge = Judge::new(args)?;
    let sources: Vec<_> = args.sources.iter().map(|text| Source::new(text)).collect();
    let contents = source::load(&sources, &args.peer, &args.network, talk).await;
    let mut facts = Vec::new();
    let mut failures = Vec::new();
    for (source, content) in sources.iter().zip(contents) {
        let case = content.and_then(case);
        let subject = case.as_ref().ok().and_then(|case| subject(&case.chain));
        let verdict = case.and_then(|case| judge.judge(&case));
        let verdict = verdict.map_err(|failure| source::named(source, failure));
        if !talk.json() && !talk.quiet() && verdict.is_ok() {
            let subject = subject.clone().unwrap_or_default();
            output::print(&format!("{source}: good ({subject})"))
                .map_err(|error| Failure::stdout(&error))?;
        }
        facts.push(SourceFacts {
            source: source.to_string(),
            accepted: verdict.is_ok(),
            subject,
            error: verdict.as_ref().err().map(ErrorFacts::of),
        });
        failures.extend(verdict.err());
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
            })
        }
        Content::Server(fetched) => Ok(Case {
            chain: fetched.chain,
            name: Some(fetched.name),
        }),
    }
}

fn subject(chain: &[Vec<u8>]) -> Option<String> {
    Identity::from_der(chain.first()?)
        .ok()
        .map(|identity| identity.label())
}

/// Who decides.
enum Judge<'a> {
    Server(Verifier, &'a VerifyArgs),
    Client(ClientVerifier),
}

impl<'a> Judge<'a> {
    fn new(args: &'a VerifyArgs) -> Result<Self, Failure> {
        let anchors = anchors(args)?;
        let clock = args.at.map_or(Clock::System, Clock::Fixed);
        Ok(if args.client {
            Self::Client(ClientVerifier::new(&PROVIDER, anchors).clock(clock))
        } else {
            Self::Server(Verifier::new(&PROVIDER, anchors).clock(clock), args)
        })
    }

    fn judge(&self, case: &Case) -> Result<(), Failure> {
        let chain: Vec<_> = case.chain.iter().map(Vec::as_slice).collect();
        let verdict = match self {
            Self::Client(verifier) => verifier.verify(&ClientCertRequest {
                certificate_type: CertificateType::X509,
                chain: &chain,
            }),
            Self::Server(verifier, args) => {
                let given = args.name.as_ref().or(case.name.as_ref());
                let name = given.cloned().or_else(|| any_name(&case.chain));
                let name = name.ok_or_else(|| {
                    Failure::new(Code::Untrusted, "it is for no name of a server at all")
                })?;
                verifier.verify(&ServerCertRequest {
                    certificate_type: CertificateType::X509,
                    scts: None,
                    chain: &chain,
                    ocsp: None,
                    name: &name,
                })
            }
        };
        match verdict {
            Verdict::Accepted(_) => Ok(()),
            Verdict::Rejected(rejection) => Err(rejected(&rejection)),
            Verdict::Pending => Err(Failure::new(Code::Bug, "the verdict is pending")),
        }
    }
}

/// A name that the certificate is for, where nobody asks for a certain one.
fn any_name(chain: &[Vec<u8>]) -> Option<ServerName> {
    let identity = Identity::from_der(chain.first()?).ok()?;
    identity.names.iter().find_map(|name| match name {
        AltName::Dns(name) => name.replacen('*', "any", 1).parse().ok(),
        AltName::Ip(address) => address.to_string().parse().ok(),
        _ => None,
    })
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

fn rejected(rejection: &Rejection) -> Failure {
    let code = match rejection.code {
        CertificateError::Revoked => Code::Revoked,
        _ => Code::Untrusted,
    };
    let failure = Failure::new(code, safe(&rejection.to_string()));
    match rejection.code {
        CertificateError::UnknownIssuer | CertificateError::SelfSigned => {
            failure.with_hint("--ca FILE trusts another authority")
        }
        CertificateError::NameMismatch => failure.with_hint("--name NAME expects another name"),
        _ => failure,
    }
}
