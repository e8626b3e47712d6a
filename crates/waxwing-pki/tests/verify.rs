//! Chains, good and bad, against the codes and sentences that they must give.

use std::sync::{Arc, Mutex};

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, Rejection, ServerCertRequest, ServerCertVerifier,
    ServerName, Verdict, Verified,
};
use waxwing_pki::dangerous::AcceptAny;
use waxwing_pki::{
    Clock, Code, Identity, KeyType, Pin, PinnedVerifier, Policy, TrustAnchors, UnixTime, Verifier,
};
use waxwing_testkit::pki::{self, Case, Credentials};

fn ask(
    verifier: &dyn ServerCertVerifier,
    chain: &[&[u8]],
    name: &str,
) -> Result<Verified, Rejection> {
    let name: ServerName = name.parse().unwrap();
    match verifier.verify(&ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain,
        ocsp: None,
        scts: None,
        name: &name,
    }) {
        Verdict::Accepted(verified) => Ok(verified),
        Verdict::Rejected(rejection) => Err(rejection),
        Verdict::Pending => panic!("these verifiers answer at once"),
    }
}

fn ask_about(
    verifier: &dyn ServerCertVerifier,
    credentials: &Credentials,
    name: &str,
) -> Result<Verified, Rejection> {
    let chain: Vec<&[u8]> = credentials.chain.iter().map(Vec::as_slice).collect();
    ask(verifier, &chain, name)
}

/// Asserts the code, and that the sentence contains every one of `parts`.
fn assert_rejected(outcome: &Result<Verified, Rejection>, code: CertificateError, parts: &[&str]) {
    let rejection = outcome.as_ref().expect_err("accepted");
    assert_eq!(rejection.code, code, "{rejection}");
    let text = rejection.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

fn public_key(credentials: &Credentials) -> Vec<u8> {
    let key = PROVIDER
        .keys
        .load(waxwing_crypto::KeyEncoding::Pkcs8, &credentials.key)
        .unwrap();
    key.public_key().unwrap()
}

#[test]
fn every_kind_of_key_is_accepted_and_handed_on() {
    let verifier = pki::verifier();
    for key_type in KeyType::ALL {
        let credentials = pki::credentials(Case::Good(key_type));
        let verified = ask_about(&*verifier, &credentials, "localhost").unwrap();
        assert_eq!(verified.spki(), public_key(&credentials), "{key_type}");
    }
}

#[test]
fn a_chain_of_rsa_alone_is_accepted() {
    let anchors = TrustAnchors::from_pem_or_der(pki::rsa_root()).unwrap();
    let verifier = Verifier::new(&PROVIDER, anchors);
    let credentials = pki::credentials(Case::AllRsa);
    assert!(ask_about(&verifier, &credentials, "example.com").is_ok());
    assert_rejected(
        &ask_about(&*pki::verifier(), &credentials, "example.com"),
        CertificateError::UnknownIssuer,
        &["CN=Waxwing RSA test root", "1 trust anchor"],
    );
}

#[test]
fn names_follow_rfc_9525() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let verifier = pki::verifier();
    for good in [
        "localhost",
        "127.0.0.1",
        "::1",
        "example.com",
        "EXAMPLE.com.",
        "a.example.com",
    ] {
        assert!(ask_about(&*verifier, &credentials, good).is_ok(), "{good}");
    }
    for bad in [
        "a.b.example.com",
        "xample.com",
        "127.0.0.2",
        "::2",
        "com",
        "localhost.example.com.x",
    ] {
        assert_rejected(
            &ask_about(&*verifier, &credentials, bad),
            CertificateError::NameMismatch,
            &[
                "localhost, 127.0.0.1, ::1, example.com, *.example.com",
                &format!("not for {bad}"),
            ],
        );
    }
}

#[test]
fn each_fault_has_its_code_and_names_what_is_involved() {
    use CertificateError as Code;
    let verifier = pki::verifier();
    let dates = |case| {
        let identity = Identity::from_der(pki::credentials(case).leaf()).unwrap();
        (
            identity.not_before.to_string(),
            identity.not_after.to_string(),
        )
    };
    let (_, since) = dates(Case::Expired);
    let (from, _) = dates(Case::NotYetValid);
    let table: [(Case, Code, &[&str]); 9] = [
        (Case::Expired, Code::Expired, &["localhost", &since]),
        (Case::NotYetValid, Code::NotYetValid, &["localhost", &from]),
        (
            Case::OtherName,
            Code::NameMismatch,
            &["is for other.example, not for localhost"],
        ),
        (
            Case::NoNames,
            Code::NameMismatch,
            &["CN=localhost", "no subjectAltName"],
        ),
        (
            Case::ClientOnly,
            Code::WrongUsage,
            &["localhost", "extendedKeyUsage"],
        ),
        (
            Case::NoIntermediate,
            Code::UnknownIssuer,
            &[
                "issued by CN=Waxwing test intermediate",
                "the 1 trust anchor,",
                "did the server send",
            ],
        ),
        (
            Case::Untrusted,
            Code::UnknownIssuer,
            &["ends in CN=Waxwing stranger root"],
        ),
        (
            Case::SelfSigned,
            Code::SelfSigned,
            &["CN=Waxwing self-signed test"],
        ),
        (
            Case::SelfSignedAuthority,
            Code::SelfSigned,
            &["CN=Waxwing self-signed test"],
        ),
    ];
    for (case, code, parts) in table {
        let credentials = pki::credentials(case);
        assert_rejected(
            &ask_about(&*verifier, &credentials, "localhost"),
            code,
            parts,
        );
    }
}

#[test]
fn an_authority_is_no_server() {
    let chain = [pki::intermediate()];
    assert_rejected(
        &ask(&*pki::verifier(), &chain, "localhost"),
        CertificateError::WrongUsage,
        &["CN=Waxwing test intermediate", "authority"],
    );
}

#[test]
fn an_authority_may_end_a_path_but_shake_no_hands() {
    let name: ServerName = "localhost".parse().unwrap();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &[pki::intermediate()],
        ocsp: None,
        scts: None,
        name: &name,
    };
    let policy = Policy::new().dangerously_accept_any_name();
    let by = |policy| Verifier::new(&PROVIDER, pki::anchors()).policy(policy);
    let refused = by(policy.clone()).examine(&request).unwrap_err();
    assert_eq!(refused.code, Code::InvalidPurpose);
    let apart = by(policy.clone().apart_from_handshakes());
    assert!(apart.examine(&request).is_ok());
    assert!(matches!(apart.verify(&request), Verdict::Rejected(_)));
    // It is no way around what else is wrong.
    let late = policy.apart_from_handshakes();
    let late = by(late.clock(Clock::Fixed(UnixTime::from_seconds(1 << 40))));
    assert_eq!(late.examine(&request).unwrap_err().code, Code::Expired);
}

#[test]
fn the_time_is_that_of_the_clock() {
    let credentials = pki::credentials(Case::Expired);
    let identity = Identity::from_der(credentials.leaf()).unwrap();
    let at = |time| {
        let verifier = Verifier::new(&PROVIDER, pki::anchors()).clock(Clock::Fixed(time));
        ask_about(&verifier, &credentials, "localhost")
    };
    let authority = Identity::from_der(pki::root()).unwrap();
    // Within the leaf's validity, the authorities above it are too young.
    assert_rejected(
        &at(identity.not_before),
        CertificateError::NotYetValid,
        &[
            "CN=Waxwing test intermediate",
            &authority.not_before.to_string(),
        ],
    );
    assert_rejected(
        &at(UnixTime::from_seconds(0)),
        CertificateError::NotYetValid,
        &["1970-01-01T00:00:00Z"],
    );
}

#[test]
fn an_intermediate_in_the_wrong_place_or_repeated_does_no_harm() {
    let good = pki::credentials(Case::Good(KeyType::P256));
    let stranger = pki::credentials(Case::Untrusted);
    let chain = [
        good.leaf(),
        &stranger.chain[1],
        pki::root(),
        pki::intermediate(),
        b"noise",
    ];
    assert!(ask(&*pki::verifier(), &chain, "localhost").is_ok());
}

#[test]
fn malformed_bytes_are_malformed() {
    let verifier = pki::verifier();
    for der in [&b""[..], b"\x30", b"\x30\x00", b"hello"] {
        assert_rejected(
            &ask(&*verifier, &[der], "localhost"),
            CertificateError::Malformed,
            &[],
        );
    }
    assert_rejected(
        &ask(&*verifier, &[], "localhost"),
        CertificateError::Malformed,
        &[],
    );
}

#[test]
fn a_self_signed_certificate_given_as_anchor_is_trusted_as_it_is() {
    for case in [
        Case::SelfSigned,
        Case::SelfSignedAuthority,
        Case::Good(KeyType::P256),
    ] {
        let credentials = pki::credentials(case);
        let anchors = TrustAnchors::from_pem_or_der(credentials.leaf()).unwrap();
        let verifier = Verifier::new(&PROVIDER, anchors);
        let verified = ask_about(&verifier, &credentials, "localhost").unwrap();
        assert_eq!(verified.spki(), public_key(&credentials), "{case:?}");
        assert_rejected(
            &ask_about(&verifier, &credentials, "elsewhere.example"),
            CertificateError::NameMismatch,
            &["not for elsewhere.example"],
        );
        let late = Clock::Fixed(UnixTime::from_seconds(4_000_000_000));
        assert_rejected(
            &ask_about(&verifier.clock(late), &credentials, "localhost"),
            CertificateError::Expired,
            &["2096-10-02T07:06:40Z"],
        );
    }
    let client_only = pki::credentials(Case::ClientOnly);
    let anchors = TrustAnchors::from_pem_or_der(client_only.leaf()).unwrap();
    assert_rejected(
        &ask_about(
            &Verifier::new(&PROVIDER, anchors),
            &client_only,
            "localhost",
        ),
        CertificateError::WrongUsage,
        &[],
    );
}

#[test]
fn a_pin_accepts_exactly_its_certificate_or_key() {
    let other = pki::credentials(Case::Good(KeyType::P256));
    for case in [
        Case::SelfSigned,
        Case::SelfSignedAuthority,
        Case::Untrusted,
        Case::ClientOnly,
    ] {
        let credentials = pki::credentials(case);
        let pins = [
            Pin::of_certificate(credentials.leaf()),
            Pin::of_spki(&public_key(&credentials)),
        ];
        for pin in pins {
            let verifier = PinnedVerifier::new([pin]);
            let verified = ask_about(&verifier, &credentials, "localhost").unwrap();
            assert_eq!(verified.spki(), public_key(&credentials), "{case:?}");
            assert_rejected(
                &ask_about(&verifier, &other, "localhost"),
                CertificateError::PinMismatch,
                &[
                    &Pin::of_certificate(other.leaf()).to_string(),
                    &Pin::of_spki(&public_key(&other)).to_string(),
                ],
            );
        }
    }
    let nothing_pinned = PinnedVerifier::new([]);
    assert!(ask_about(&nothing_pinned, &other, "localhost").is_err());
}

#[test]
fn the_chain_behind_a_pinned_certificate_does_not_matter() {
    let credentials = pki::credentials(Case::SelfSigned);
    let verifier = PinnedVerifier::new([Pin::of_certificate(credentials.leaf())]);
    assert!(ask(&verifier, &[credentials.leaf(), b"noise"], "localhost").is_ok());
    // Presented behind another certificate it proves nothing.
    let chain = [pki::intermediate(), credentials.leaf()];
    assert_rejected(
        &ask(&verifier, &chain, "localhost"),
        CertificateError::PinMismatch,
        &[],
    );
}

#[test]
fn a_pin_still_checks_name_and_dates_unless_told_otherwise() {
    let expired = pki::credentials(Case::Expired);
    let pinned = || PinnedVerifier::new([Pin::of_certificate(expired.leaf())]);
    assert_rejected(
        &ask_about(&pinned(), &expired, "localhost"),
        CertificateError::Expired,
        &[],
    );
    assert!(ask_about(&pinned().any_time(), &expired, "localhost").is_ok());
    assert_rejected(
        &ask_about(&pinned().any_time(), &expired, "elsewhere.example"),
        CertificateError::NameMismatch,
        &[],
    );
    assert!(
        ask_about(
            &pinned().any_time().any_name(),
            &expired,
            "elsewhere.example"
        )
        .is_ok()
    );
    let identity = Identity::from_der(expired.leaf()).unwrap();
    let then = Clock::Fixed(identity.not_after);
    assert!(ask_about(&pinned().clock(then), &expired, "localhost").is_ok());
}

#[test]
fn accepting_anything_still_tells_what_was_wrong() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let verifier = AcceptAny::reporting(pki::verifier(), move |rejection: &Rejection| {
        listener.lock().unwrap().push(rejection.code);
    });
    for case in [
        Case::Expired,
        Case::Good(KeyType::P256),
        Case::SelfSignedAuthority,
    ] {
        let credentials = pki::credentials(case);
        let verified = ask_about(&verifier, &credentials, "localhost").unwrap();
        assert_eq!(verified.spki(), public_key(&credentials));
    }
    let told = told.lock().unwrap();
    assert_eq!(
        *told,
        [CertificateError::Expired, CertificateError::SelfSigned]
    );
    let silent = AcceptAny::silently();
    assert!(ask(&silent, &[b"no certificate"], "localhost").is_err());
    assert!(format!("{silent:?}").contains("INSECURE"));
}

#[test]
fn a_key_that_may_not_sign_is_refused() {
    use rcgen::KeyUsagePurpose as Purpose;
    for (usages, fits) in [
        (vec![], true),
        (vec![Purpose::DigitalSignature], true),
        (
            vec![Purpose::KeyEncipherment, Purpose::DigitalSignature],
            true,
        ),
        (vec![Purpose::KeyEncipherment], false),
        (vec![Purpose::KeyCertSign, Purpose::CrlSign], false),
    ] {
        let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        params.key_usages = usages;
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let pinned = PinnedVerifier::new([Pin::of_certificate(&der)]);
        let trusted = Verifier::new(&PROVIDER, TrustAnchors::from_pem_or_der(&der).unwrap());
        let verifiers: [&dyn ServerCertVerifier; 2] = [&pinned, &trusted];
        for verifier in verifiers {
            let outcome = ask(verifier, &[&der], "a.example");
            if fits {
                assert!(outcome.is_ok(), "{outcome:?}");
            } else {
                assert_rejected(&outcome, CertificateError::WrongUsage, &["keyUsage"]);
            }
        }
        assert!(ask(&AcceptAny::silently(), &[&der], "a.example").is_ok());
    }
}
