//! Clients' chains, good and bad, against the codes and sentences that they must give.

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, Rejection, Verdict,
    Verified,
};
use waxwing_pki::dangerous::AcceptAnyClient;
use waxwing_pki::{
    ClientVerifier, Clock, Identity, KeyType, Pin, PinnedVerifier, SelfSigned, TrustAnchors,
    UnixTime, load_certified_key,
};
use waxwing_testkit::pki::{self, CLIENT_SUBJECT, Case, Credentials};

fn ask(verifier: &dyn ClientCertVerifier, chain: &[&[u8]]) -> Result<Verified, Rejection> {
    match verifier.verify(&ClientCertRequest {
        certificate_type: CertificateType::X509,
        chain,
    }) {
        Verdict::Accepted(verified) => Ok(verified),
        Verdict::Rejected(rejection) => Err(rejection),
        Verdict::Pending => panic!("these verifiers answer at once"),
    }
}

fn ask_about(
    verifier: &dyn ClientCertVerifier,
    credentials: &Credentials,
) -> Result<Verified, Rejection> {
    let chain: Vec<&[u8]> = credentials.chain.iter().map(Vec::as_slice).collect();
    ask(verifier, &chain)
}

/// Asserts the code, and that the sentence contains every one of `parts`.
#[track_caller]
fn assert_rejected(outcome: &Result<Verified, Rejection>, code: CertificateError, parts: &[&str]) {
    let rejection = outcome.as_ref().expect_err("accepted");
    assert_eq!(rejection.code, code, "{rejection}");
    let text = rejection.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

fn public_key(case: Case) -> Vec<u8> {
    let certified = pki::certified_key_for(case);
    certified.key().public_key().unwrap()
}

#[test]
fn every_kind_of_key_is_accepted_and_handed_on() {
    let verifier = pki::client_verifier();
    for key_type in KeyType::ALL {
        let case = Case::Client(key_type);
        let verified = ask_about(&*verifier, &pki::credentials(case)).unwrap();
        assert_eq!(verified.spki(), public_key(case), "{key_type}");
    }
    // Which names it has does not matter.
    assert!(ask_about(&*verifier, &pki::credentials(Case::ClientOnly)).is_ok());
}

#[test]
fn each_fault_has_its_code_and_names_what_is_involved() {
    use CertificateError as Code;
    let verifier = pki::client_verifier();
    let not_after = |case| {
        let identity = Identity::from_der(pki::credentials(case).leaf()).unwrap();
        identity.not_after.to_string()
    };
    let since = not_after(Case::ExpiredClient);
    let table: [(Case, Code, &[&str]); 6] = [
        (
            Case::ExpiredClient,
            Code::Expired,
            &[CLIENT_SUBJECT, "is expired", &since],
        ),
        (
            Case::FutureClient,
            Code::NotYetValid,
            &[CLIENT_SUBJECT, "is valid from"],
        ),
        (
            Case::Good(KeyType::P256),
            Code::WrongUsage,
            &["the extendedKeyUsage of localhost does not allow clients"],
        ),
        (
            Case::UntrustedClient,
            Code::UnknownIssuer,
            &[
                "issued by CN=Waxwing stranger root",
                "the 1 trust anchor,",
                "did the client send",
            ],
        ),
        (
            Case::SelfSigned,
            Code::SelfSigned,
            &["CN=Waxwing self-signed test", "vouches for itself"],
        ),
        (
            Case::SelfSignedAuthority,
            Code::SelfSigned,
            &["CN=Waxwing self-signed test"],
        ),
    ];
    for (case, code, parts) in table {
        assert_rejected(&ask_about(&*verifier, &pki::credentials(case)), code, parts);
    }
    assert_rejected(
        &ask(&*verifier, &[pki::intermediate()]),
        Code::WrongUsage,
        &["authority, not of a client"],
    );
    for der in [&b""[..], b"\x30\x00", b"hello"] {
        assert_rejected(&ask(&*verifier, &[der]), Code::Malformed, &[]);
    }
    assert_rejected(&ask(&*verifier, &[]), Code::Malformed, &[]);
}

#[test]
fn the_time_is_that_of_the_clock() {
    let credentials = pki::credentials(Case::Client(KeyType::P256));
    let identity = Identity::from_der(credentials.leaf()).unwrap();
    let at = |time| {
        let verifier = ClientVerifier::new(&PROVIDER, pki::anchors()).clock(Clock::Fixed(time));
        ask_about(&verifier, &credentials)
    };
    assert!(at(identity.not_after).is_ok());
    let late = identity.not_after.plus(core::time::Duration::from_secs(1));
    assert_rejected(&at(late), CertificateError::Expired, &[&late.to_string()]);
    let early = UnixTime::from_seconds(0);
    assert_rejected(&at(early), CertificateError::NotYetValid, &["1970-01-01"]);
}

#[test]
fn order_and_noise_behind_the_own_certificate_do_no_harm() {
    let good = pki::credentials(Case::Client(KeyType::P256));
    let stranger = pki::credentials(Case::UntrustedClient);
    let verifier = pki::client_verifier();
    let chain = [
        good.leaf(),
        &stranger.chain[1],
        pki::root(),
        pki::intermediate(),
        b"noise",
    ];
    assert!(ask(&*verifier, &chain).is_ok());
    // But the own certificate comes first (RFC 9846, Section 4.5.1).
    assert_rejected(
        &ask(&*verifier, &[pki::intermediate(), good.leaf()]),
        CertificateError::WrongUsage,
        &[],
    );
    // Without the intermediate certificate there is no path.
    assert_rejected(
        &ask(&*verifier, &[good.leaf()]),
        CertificateError::UnknownIssuer,
        &["issued by CN=Waxwing test intermediate"],
    );
}

#[test]
fn a_certificate_given_as_anchor_is_trusted_as_it_is() {
    for case in [
        Case::SelfSigned,
        Case::SelfSignedAuthority,
        Case::Client(KeyType::P256),
    ] {
        let credentials = pki::credentials(case);
        let anchors = TrustAnchors::from_pem_or_der(credentials.leaf()).unwrap();
        let verifier = ClientVerifier::new(&PROVIDER, anchors);
        let verified = ask_about(&verifier, &credentials).unwrap();
        assert_eq!(verified.spki(), public_key(case), "{case:?}");
        let late = Clock::Fixed(UnixTime::from_seconds(4_000_000_000));
        assert_rejected(
            &ask_about(&verifier.clock(late), &credentials),
            CertificateError::Expired,
            &["2096-10-02T07:06:40Z"],
        );
    }
    let server = pki::credentials(Case::Good(KeyType::P256));
    let anchors = TrustAnchors::from_pem_or_der(server.leaf()).unwrap();
    assert_rejected(
        &ask_about(&ClientVerifier::new(&PROVIDER, anchors), &server),
        CertificateError::WrongUsage,
        &["does not allow clients"],
    );
}

#[test]
fn a_pin_accepts_exactly_its_certificate_or_key() {
    let other = pki::credentials(Case::ClientOnly);
    for case in [
        Case::Client(KeyType::Ed25519),
        Case::SelfSigned,
        Case::UntrustedClient,
    ] {
        let credentials = pki::credentials(case);
        let pins = [
            Pin::of_certificate(credentials.leaf()),
            Pin::of_spki(&public_key(case)),
        ];
        for pin in pins {
            let verifier = PinnedVerifier::new([pin]);
            let verified = ask_about(&verifier, &credentials).unwrap();
            assert_eq!(verified.spki(), public_key(case), "{case:?}");
            assert_rejected(
                &ask_about(&verifier, &other),
                CertificateError::PinMismatch,
                &[
                    "the client's key is",
                    &Pin::of_certificate(other.leaf()).to_string(),
                ],
            );
        }
    }
    let expired = pki::credentials(Case::ExpiredClient);
    let pinned = || PinnedVerifier::new([Pin::of_certificate(expired.leaf())]);
    assert_rejected(
        &ask_about(&pinned(), &expired),
        CertificateError::Expired,
        &[],
    );
    assert!(ask_about(&pinned().any_time(), &expired).is_ok());
    assert!(ClientCertVerifier::authorities(&pinned()).is_empty());
}

#[test]
fn the_hints_are_the_names_of_the_anchors() {
    let mut anchors = pki::anchors();
    anchors.add(pki::rsa_root()).unwrap();
    anchors.add(pki::root()).unwrap();
    let verifier = ClientVerifier::new(&PROVIDER, anchors);
    let hints = verifier.authorities();
    assert_eq!(hints.len(), 2);
    for der in [pki::root(), pki::rsa_root()] {
        // In a certificate the subject stands as it does in the hint, tag and length included.
        let holds = |hint: &Vec<u8>| der.windows(hint.len()).any(|part| part == hint);
        assert_eq!(hints.iter().filter(|hint| holds(hint)).count(), 1);
    }
    assert!(hints.iter().all(|hint| hint.first() == Some(&0x30)));
    assert!(verifier.without_hints().authorities().is_empty());
}

#[test]
fn hints_that_are_too_many_are_none() {
    let mut anchors = TrustAnchors::none();
    let verifier = |anchors: &TrustAnchors| ClientVerifier::new(&PROVIDER, anchors.clone());
    // About 80 bytes each.
    for number in 0..250 {
        let name = format!("{number}.{}.example", "a".repeat(40));
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.clone()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        anchors
            .add(params.self_signed(&key).unwrap().der())
            .unwrap();
        if number == 100 {
            assert_eq!(verifier(&anchors).authorities().len(), 101);
        }
    }
    assert!(verifier(&anchors).authorities().is_empty());
}

#[test]
fn accepting_anything_still_needs_a_key() {
    for case in [Case::UntrustedClient, Case::Expired] {
        let verified = ask_about(&AcceptAnyClient, &pki::credentials(case)).unwrap();
        assert_eq!(verified.spki(), public_key(case));
    }
    assert_rejected(
        &ask(&AcceptAnyClient, &[b"no certificate"]),
        CertificateError::Malformed,
        &[],
    );
    assert!(ask(&AcceptAnyClient, &[]).is_err());
    assert!(format!("{AcceptAnyClient:?}").contains("INSECURE"));
}

#[test]
fn a_self_issued_client_is_let_in_by_those_who_have_its_certificate() {
    for key_type in [KeyType::P256, KeyType::Ed25519, KeyType::Rsa2048] {
        let names = ["laptop.example".parse().unwrap()];
        let issued = SelfSigned::builder(names)
            .key_type(key_type)
            .for_clients()
            .issue(PROVIDER.random)
            .unwrap();
        let identity = Identity::from_der(issued.certificate()).unwrap();
        assert!(identity.for_clients && !identity.for_servers);
        load_certified_key(&PROVIDER, issued.certificate(), issued.key()).unwrap();
        let anchors = TrustAnchors::from_pem_or_der(issued.certificate()).unwrap();
        let verifier = ClientVerifier::new(&PROVIDER, anchors);
        assert!(ask(&verifier, &[issued.certificate()]).is_ok());
        assert_rejected(
            &ask(&*pki::client_verifier(), &[issued.certificate()]),
            CertificateError::SelfSigned,
            &["CN=laptop.example"],
        );
    }
}
