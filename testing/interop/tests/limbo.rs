//! x509-limbo and BetterTLS: chains of certificates, and whether they are to be accepted. What
//! comes out is in docs/conformance.md.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use waxwing::pki::revocation::{Crl, CrlSet, Mode, RevocationPolicy};
use waxwing::pki::{
    ClientVerifier, Clock, Failure, Identity, Policy, Profile, TrustAnchors, Verifier,
};
use waxwing::{CertificateType, ClientCertRequest, PROVIDER, ServerCertRequest};
use waxwing_interop::limbo::{Case, Expected, Kind, Name, Suite};

/// What the strict profile, the default, accepts although limbo does not, and why.
const ACCEPTED: [(&str, &str); 29] = [
    ("crl::crlnumber-missing", NO_NUMBER),
    ("rfc5280::aki::cross-signed-root-missing-aki", NO_KEY_ID),
    ("rfc5280::aki::intermediate-missing-aki", NO_KEY_ID),
    ("rfc5280::aki::leaf-missing-aki", NO_KEY_ID),
    ("rfc5280::nc::permitted-dns-match-noncritical", CONTRADICTED),
    ("rfc5280::root-non-critical-basic-constraints", REAL_ROOTS),
    ("rfc5280::san::underscore-dns", PUBLIC_ONLY),
    ("rfc5280::serial::negative", TRUSTED_ITSELF),
    ("rfc5280::ski::root-missing-ski", REAL_ROOTS),
    ("webpki::aki::root-with-aki-all-fields", REAL_ROOTS),
    ("webpki::aki::root-with-aki-authoritycertissuer", REAL_ROOTS),
    (
        "webpki::aki::root-with-aki-authoritycertserialnumber",
        REAL_ROOTS,
    ),
    ("webpki::ca-as-leaf", CONTRADICTED),
    ("webpki::cn::case-mismatch", PUBLIC_ONLY),
    ("webpki::cn::ipv4-hex-mismatch", PUBLIC_ONLY),
    ("webpki::cn::ipv4-leading-zeros-mismatch", PUBLIC_ONLY),
    ("webpki::cn::ipv6-non-rfc5952-mismatch", PUBLIC_ONLY),
    ("webpki::cn::ipv6-uncompressed-mismatch", PUBLIC_ONLY),
    ("webpki::cn::ipv6-uppercase-mismatch", PUBLIC_ONLY),
    ("webpki::cn::not-in-san", PUBLIC_ONLY),
    ("webpki::cn::punycode-not-in-san", PUBLIC_ONLY),
    ("webpki::cn::utf8-vs-punycode-mismatch", PUBLIC_ONLY),
    ("webpki::eku::ee-anyeku", PUBLIC_ONLY),
    ("webpki::eku::ee-critical-eku", PUBLIC_ONLY),
    ("webpki::eku::ee-without-eku", CONTRADICTED),
    ("webpki::eku::root-has-eku", PUBLIC_ONLY),
    (
        "webpki::san::public-suffix-multi-label-wildcard-san",
        SUFFIXES,
    ),
    (
        "webpki::san::public-suffix-private-namespace-wildcard-san",
        SUFFIXES,
    ),
    (
        "webpki::san::san-critical-with-nonempty-subject",
        PUBLIC_ONLY,
    ),
];

/// What the profile for public authorities accepts although limbo does not.
const ACCEPTED_WEB_PKI: [(&str, &str); 3] = [
    ("crl::crlnumber-missing", NO_NUMBER),
    ("rfc5280::nc::permitted-dns-match-noncritical", CONTRADICTED),
    ("rfc5280::serial::negative", TRUSTED_ITSELF),
];

const NO_NUMBER: &str = "lists of private authorities often have none, and nothing rests on it";
const NO_KEY_ID: &str = "many private authorities leave it out, and nothing rests on it";
const CONTRADICTED: &str = "another case of the suite demands the opposite";
const REAL_ROOTS: &str = "roots of Mozilla's programme are like that";
const PUBLIC_ONLY: &str = "a rule of public authorities, not of RFC 5280";
const TRUSTED_ITSELF: &str = "the user trusts exactly this certificate";
const SUFFIXES: &str = "the list of public suffixes is data that changes every week";

/// What is refused in a handshake although limbo accepts it, and why. A path may end in it.
const NO_HANDSHAKE: [(&str, &str); 2] = [
    ("pathlen::validation-ignores-pathlen-in-leaf", NO_SIGNATURE),
    ("rfc5280::ca-as-leaf", NO_SIGNATURE),
];

/// What the profile for public authorities refuses besides.
const REFUSED_WEB_PKI: [(&str, &str); 14] = [
    (
        "cve::cve-2024-0567",
        "the anchor is no root, and has no authorityKeyIdentifier",
    ),
    ("rfc5280::eku::ee-without-eku", CONTRADICTED),
    ("rfc5280::nc::nc-permits-email-domain", COMMON_NAME),
    ("rfc5280::nc::nc-permits-email-exact", COMMON_NAME),
    (
        "rfc5280::nc::nc-permits-email-literal-asterisk-exact-match",
        COMMON_NAME,
    ),
    (
        "rfc5280::nc::nc-permits-email-literal-double-asterisk",
        COMMON_NAME,
    ),
    (
        "rfc5280::nc::nc-permits-email-literal-mid-asterisk",
        COMMON_NAME,
    ),
    ("rfc5280::nc::permitted-dn-match", COMMON_NAME),
    ("rfc5280::nc::permitted-dns-match-more", COMMON_NAME),
    ("rfc5280::nc::permitted-ipv4-match", COMMON_NAME),
    ("rfc5280::nc::permitted-ipv6-match", COMMON_NAME),
    ("webpki::nc::nc-permits-dns-san-pattern", COMMON_NAME),
    ("webpki::san::exact-localhost-ip-san", COMMON_NAME),
    ("webpki::san::leftmost-wildcard-san", COMMON_NAME),
];

const COMMON_NAME: &str = "its common name is not in subjectAltName";
const NO_SIGNATURE: &str = "an authority's, whose keyUsage does not allow to sign a handshake \
     (RFC 9846, Section 4.5.1.2)";

/// Those of limbo that agree, of 208.
const AGREE: usize = 179;
const AGREE_HANDSHAKES: usize = 178;
const AGREE_WEB_PKI: usize = 189;
/// All of BetterTLS.
const BETTER_TLS: usize = 9_572;

#[test]
fn the_verdicts_are_those_of_the_suite() {
    let Some(suite) = Suite::load() else { return };
    let begin = Instant::now();
    let outcome = run(&suite, PATHS, |_| true);
    assert_eq!(outcome.better_tls, BETTER_TLS, "{:?}", outcome.differ);
    outcome.check(AGREE, &ACCEPTED, &[]);
    println!("{} cases in {:?}", suite.testcases.len(), begin.elapsed());
}

#[test]
fn a_handshake_refuses_authorities_besides() {
    let Some(suite) = Suite::load() else { return };
    let outcome = run(&suite, HANDSHAKES, |case| !case.is_better_tls());
    let accepted: Vec<_> = ACCEPTED
        .into_iter()
        .filter(|(id, _)| *id != "webpki::ca-as-leaf")
        .collect();
    outcome.check(AGREE_HANDSHAKES, &accepted, &NO_HANDSHAKE);
}

#[test]
fn rules_of_public_authorities_can_be_asked_for() {
    let Some(suite) = Suite::load() else { return };
    let outcome = run(&suite, PUBLIC, |case| !case.is_better_tls());
    let refused = [&NO_HANDSHAKE[..], &REFUSED_WEB_PKI].concat();
    outcome.check(AGREE_WEB_PKI, &ACCEPTED_WEB_PKI, &refused);
}

/// How chains are judged.
#[derive(Clone, Copy)]
struct Setting {
    profile: Profile,
    /// Whether a case that asks for no keyUsage is about a path alone, as RFC 5280 has it, and not
    /// about a handshake.
    paths: bool,
}

const PATHS: Setting = Setting {
    profile: Profile::Strict,
    paths: true,
};
const HANDSHAKES: Setting = Setting {
    profile: Profile::Strict,
    paths: false,
};
const PUBLIC: Setting = Setting {
    profile: Profile::WebPki,
    paths: false,
};

#[derive(Default)]
struct Outcome {
    /// How many of limbo agree.
    limbo: usize,
    /// How many of BetterTLS agree.
    better_tls: usize,
    /// What was accepted, or why it was refused, where the suite has it otherwise.
    differ: BTreeMap<String, Option<Failure>>,
}

impl Outcome {
    fn check(&self, agree: usize, accepted: &[(&str, &str)], refused: &[(&str, &str)]) {
        let listed = |list: &[(&str, &str)]| -> BTreeSet<String> {
            list.iter().map(|(id, _)| (*id).to_owned()).collect()
        };
        let found = |refused: bool| -> BTreeSet<String> {
            let differ = self.differ.iter();
            let differ = differ.filter(|(_, failure)| failure.is_some() == refused);
            differ.map(|(id, _)| id.clone()).collect()
        };
        assert_eq!(found(false), listed(accepted), "accepted");
        assert_eq!(found(true), listed(refused), "refused: {:?}", self.differ);
        assert_eq!(self.limbo, agree);
    }
}

/// All wanted cases, on all processors.
fn run(suite: &Suite, setting: Setting, wanted: fn(&Case) -> bool) -> Outcome {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = suite.testcases.len().div_ceil(processors);
    let parts = suite.testcases.chunks(share);
    thread::scope(|scope| {
        let running: Vec<_> = parts
            .map(|part| scope.spawn(move || run_part(part, setting, wanted)))
            .collect();
        let mut all = Outcome::default();
        for part in running {
            let part = part.join().expect("a thread that ends well");
            all.limbo += part.limbo;
            all.better_tls += part.better_tls;
            all.differ.extend(part.differ);
        }
        all
    })
}

fn run_part(cases: &[Case], setting: Setting, wanted: fn(&Case) -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    for case in cases.iter().filter(|case| wanted(case)) {
        let verdict = judge(case, setting);
        if verdict.is_ok() != (case.expected_result == Expected::Success) {
            outcome.differ.insert(case.id.clone(), verdict.err());
        } else if case.is_better_tls() {
            outcome.better_tls += 1;
        } else {
            outcome.limbo += 1;
        }
    }
    outcome
}

fn judge(case: &Case, setting: Setting) -> Result<(), Failure> {
    let mut anchors = TrustAnchors::none();
    for root in &case.trusted_certs {
        // Some cannot be an anchor at all, and then are none.
        let _ = anchors.add(root.as_bytes());
    }
    let chain = case.chain();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let mut policy = Policy::new().profile(setting.profile);
    if setting.paths && case.key_usage.is_empty() {
        policy = policy.apart_from_handshakes();
    }
    policy = policy.clock(case.time().map_or(Clock::System, Clock::Fixed));
    if let Some(depth) = case.max_chain_depth {
        policy = policy.max_intermediates(depth.into());
    }
    match case.validation_kind {
        Kind::Client => {
            let verifier = ClientVerifier::new(&PROVIDER, anchors).policy(policy);
            verifier.examine(&ClientCertRequest {
                certificate_type: CertificateType::X509,
                chain: &chain,
            })?;
            // Whom a client may claim to be is for the application to compare.
            let identity = Identity::from_der(chain[0]).expect("an accepted certificate");
            let names = case.expected_peer_names.iter();
            let all = names.map(Name::alt_name);
            assert!(
                all.into_iter().all(|name| identity.names.contains(&name)),
                "{}",
                case.id
            );
            Ok(())
        }
        Kind::Server => {
            let name = match &case.expected_peer_name {
                Some(name) => name.value.parse().expect("a name"),
                None => {
                    policy = policy.dangerously_accept_any_name();
                    "any.example".parse().expect("a name")
                }
            };
            let request = ServerCertRequest {
                certificate_type: CertificateType::X509,
                chain: &chain,
                ocsp: None,
                scts: None,
                name: &name,
            };
            let mut verifier = Verifier::new(&PROVIDER, anchors).policy(policy);
            if !case.crls.is_empty() {
                verifier = verifier.revocation(lists(case));
            }
            verifier.examine(&request).map(drop)
        }
    }
}

/// What the lists of a case ask for: that one says the certificate is good. One that cannot be
/// read says nothing.
fn lists(case: &Case) -> RevocationPolicy {
    let read = case
        .crls
        .iter()
        .flat_map(|pem| Crl::from_pem_or_der(pem.as_bytes()));
    let lists = CrlSet::new(&PROVIDER, read.flatten());
    RevocationPolicy::new(&PROVIDER).lists(Arc::new(lists), Mode::Hard)
}
