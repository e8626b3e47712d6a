//! What people get wrong with certificates: each mistake has its code, and the text says which
//! certificate it is and what would help.

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ServerCertRequest, ServerCertVerifier,
    Verdict,
};
use waxwing_pki::{
    ClientVerifier, Clock, Code, Failure, KeyType, Pin, PinnedVerifier, Policy, Profile, Staple,
    TrustAnchors, UnixTime, Verifier,
};
use waxwing_testkit::mistakes::{self, HOST, Mistake};
use waxwing_testkit::pki::{self, Case};

fn examine(chain: &[Vec<u8>], anchor: &[u8], host: &str, policy: Policy) -> Result<(), Failure> {
    let anchors = TrustAnchors::from_pem_or_der(anchor).unwrap();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &host.parse().unwrap(),
    };
    let verifier = Verifier::new(&PROVIDER, anchors).policy(policy);
    let outcome = verifier.examine(&request);
    // The engine hears the same.
    match (verifier.verify(&request), &outcome) {
        (Verdict::Accepted(_), Ok(_)) => {}
        (Verdict::Rejected(rejection), Err(failure)) => {
            assert_eq!(rejection.code, failure.class);
            assert_eq!(
                rejection.explanation.unwrap().to_string(),
                failure.to_string()
            );
        }
        (verdict, outcome) => panic!("{verdict:?} {outcome:?}"),
    }
    outcome.map(drop)
}

fn failure_of(mistake: &Mistake, policy: Policy) -> Failure {
    let outcome = examine(&mistake.chain, &mistake.anchor, mistake.host, policy);
    outcome.expect_err(mistake.what)
}

#[test]
fn a_chain_without_a_mistake_is_accepted_by_every_profile() {
    let (chain, root) = mistakes::none();
    for profile in [Profile::Path, Profile::Strict, Profile::WebPki] {
        let policy = Policy::new().profile(profile);
        assert_eq!(examine(&chain, &root, HOST, policy), Ok(()), "{profile:?}");
    }
}

#[test]
fn each_mistake_has_its_code_and_says_what_would_help() {
    assert!(mistakes::ALL.len() >= 60, "{}", mistakes::ALL.len());
    let mut wrong = Vec::new();
    for mistake in mistakes::ALL.iter() {
        let failure = match examine(&mistake.chain, &mistake.anchor, mistake.host, Policy::new()) {
            Ok(()) => {
                wrong.push(format!("{}: accepted", mistake.what));
                continue;
            }
            Err(failure) => failure,
        };
        let text = failure.to_string();
        if failure.code.name() != mistake.code || !text.contains(mistake.hint) {
            wrong.push(format!("{}: {text}", mistake.what));
        }
        assert!(text.contains(failure.code.name()) && text.contains(failure.section));
        if let Some(culprit) = &failure.certificate {
            assert!(text.contains(&culprit.sha256), "{text}");
        }
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a policy asks for besides, and what is said if it is missing.
#[test]
fn each_demand_of_a_policy_has_its_code() {
    let (chain, root) = mistakes::none();
    let ecdsa = "get it from an authority with a longer key";
    let table: [(&str, Policy, Code, &str); 8] = [
        (
            "depth",
            Policy::new().max_intermediates(0),
            Code::ChainTooLong,
            "allow a greater depth",
        ),
        (
            "curve",
            Policy::new().min_curve_bits(384),
            Code::EndEntityKeyTooSmall,
            "make a longer key",
        ),
        (
            "staple",
            Policy::new().staple(Staple::Required),
            Code::StapleMissing,
            "let the server staple",
        ),
        (
            "depth, with the rules of public authorities",
            Policy::new().profile(Profile::WebPki).max_intermediates(0),
            Code::ChainTooLong,
            "use a shorter chain",
        ),
        (
            "depth, with the path alone",
            Policy::new().profile(Profile::Path).max_intermediates(0),
            Code::ChainTooLong,
            "use a shorter chain",
        ),
        (
            "a time before",
            Policy::new().clock(Clock::Fixed(UnixTime::from_seconds(0))),
            Code::NotYetValid,
            "set the clock right",
        ),
        (
            "a time after",
            Policy::new().clock(Clock::Fixed(UnixTime::from_seconds(1 << 33))),
            Code::Expired,
            "renew it",
        ),
        (
            "nothing that a lower number could change",
            Policy::new().min_rsa_bits(1024).min_curve_bits(384),
            Code::EndEntityKeyTooSmall,
            "make a longer key",
        ),
    ];
    for (what, policy, code, hint) in table {
        let failure = examine(&chain, &root, HOST, policy).expect_err(what);
        assert_eq!(failure.code, code, "{what}: {failure}");
        assert!(failure.to_string().contains(hint), "{failure}");
    }
    // The leaf is long enough, its issuers are not.
    let rsa = pki::credentials(Case::Good(KeyType::P384));
    let policy = Policy::new().min_curve_bits(384);
    let failure = examine(&rsa.chain, pki::root(), "localhost", policy).unwrap_err();
    assert_eq!(failure.code, Code::AuthorityKeyTooSmall);
    assert_eq!(failure.fix, ecdsa);
    let rsa = pki::credentials(Case::AllRsa);
    let policy = Policy::new().min_rsa_bits(3072);
    let failure = examine(&rsa.chain, pki::rsa_root(), "localhost", policy).unwrap_err();
    assert_eq!(failure.code, Code::EndEntityKeyTooSmall);
}

#[test]
fn an_intermediate_is_an_anchor_unless_a_whole_chain_is_asked_for() {
    let (chain, root) = mistakes::none();
    let policy = Policy::new();
    assert_eq!(examine(&chain, &chain[1], HOST, policy.clone()), Ok(()));
    assert_eq!(
        examine(&chain[..1], &chain[1], HOST, policy.clone()),
        Ok(())
    );
    let whole = policy.whole_chain();
    assert_eq!(examine(&chain, &root, HOST, whole.clone()), Ok(()));
    let failure = examine(&chain, &chain[1], HOST, whole).unwrap_err();
    assert_eq!(failure.code, Code::NoIssuer);
    assert!(failure.certificate.unwrap().place.is_none());
}

#[test]
fn several_sets_of_anchors_are_trusted_together() {
    let (chain, root) = mistakes::none();
    let (_, other) = mistakes::none();
    let set = |der: &[u8]| TrustAnchors::from_pem_or_der(der).unwrap();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &HOST.parse().unwrap(),
    };
    // Both roots have the same name; the right one is found, whichever comes first.
    for (first, second) in [(&root, &other), (&other, &root)] {
        let verifier = Verifier::new(&PROVIDER, set(first)).also_trust(set(second));
        assert!(verifier.examine(&request).is_ok());
        assert_eq!(verifier.anchors().map(TrustAnchors::len).sum::<usize>(), 2);
    }
    let verifier = Verifier::new(&PROVIDER, set(&other)).also_trust(TrustAnchors::bundled());
    assert_eq!(
        verifier.examine(&request).unwrap_err().code,
        Code::BadSignature
    );
}

#[test]
fn each_insecure_setting_takes_away_its_check_alone() {
    let get = |what: &str| mistakes::ALL.iter().find(|one| one.what == what).unwrap();
    let any_name = Policy::new().dangerously_accept_any_name();
    let any_time = Policy::new().dangerously_accept_any_time();
    let accepts = |what, policy: &Policy| {
        let mistake = get(what);
        let host = mistake.host;
        examine(&mistake.chain, &mistake.anchor, host, policy.clone()).is_ok()
    };
    for what in ["another name", "a common name alone", "another address"] {
        assert!(
            accepts(what, &any_name) && !accepts(what, &any_time),
            "{what}"
        );
    }
    for what in [
        "the leaf is expired",
        "the intermediate is expired",
        "the root is expired",
        "the leaf is not valid yet",
        "the intermediate is not valid yet",
        "the root is not valid yet",
    ] {
        assert!(
            accepts(what, &any_time) && !accepts(what, &any_name),
            "{what}"
        );
    }
    let (chain, root) = mistakes::never_valid();
    assert_eq!(examine(&chain, &root, HOST, any_time.clone()), Ok(()));
    assert!(examine(&chain, &root, HOST, any_name.clone()).is_err());
    for mistake in mistakes::ALL.iter() {
        let class = failure_of(mistake, Policy::new()).class;
        for (policy, taken) in [
            (&any_name, &[CertificateError::NameMismatch][..]),
            (
                &any_time,
                &[CertificateError::Expired, CertificateError::NotYetValid],
            ),
        ] {
            let accepted = accepts(mistake.what, policy);
            assert_eq!(accepted, taken.contains(&class), "{}", mistake.what);
        }
    }
}

#[test]
fn clients_are_held_to_the_same() {
    for mistake in mistakes::ALL.iter() {
        let anchors = TrustAnchors::from_pem_or_der(&mistake.anchor).unwrap();
        let chain: Vec<&[u8]> = mistake.chain.iter().map(Vec::as_slice).collect();
        let request = ClientCertRequest {
            certificate_type: CertificateType::X509,
            chain: &chain,
        };
        let verifier = ClientVerifier::new(&PROVIDER, anchors);
        let outcome = verifier.examine(&request);
        let for_servers = failure_of(mistake, Policy::new());
        let named = for_servers.class == CertificateError::NameMismatch;
        if named || mistake.what == "for clients" {
            assert!(outcome.is_ok(), "{}", mistake.what);
            continue;
        }
        let failure = outcome.expect_err(mistake.what);
        assert_eq!(failure.code, for_servers.code, "{}", mistake.what);
    }
}

#[test]
fn a_pin_that_does_not_match_tells_the_right_one() {
    let (chain, _) = mistakes::none();
    let verifier = PinnedVerifier::new([Pin::of_spki(b"another")]);
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &[&chain[0]],
        ocsp: None,
        scts: None,
        name: &HOST.parse().unwrap(),
    };
    let Verdict::Rejected(rejection) = ServerCertVerifier::verify(&verifier, &request) else {
        panic!("accepted")
    };
    let text = rejection.to_string();
    assert!(text.contains("PIN_MISMATCH"), "{text}");
    assert!(text.contains(&Pin::of_certificate(&chain[0]).to_string()));
}
