//! Rarer faults of chains: what is said about them, and that it is safe to print.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, NameConstraints, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use std::fs;
use std::process::Command;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, Rejection, ServerCertRequest, ServerCertVerifier, Verdict,
};
use waxwing_pki::{Pin, PinnedVerifier, TrustAnchors, Verifier};

struct Authority {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

fn authority_params(common_name: &str) -> CertificateParams {
    let mut params = params(common_name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn authority(params: CertificateParams, above: Option<&Authority>) -> Authority {
    let key = key();
    let certificate = match above {
        Some(above) => params.signed_by(&key, &above.issuer),
        None => params.self_signed(&key),
    };
    Authority {
        der: certificate.unwrap().der().to_vec(),
        issuer: Issuer::new(params, key),
    }
}

fn leaf(params: &CertificateParams, above: &Authority) -> Vec<u8> {
    params
        .signed_by(&key(), &above.issuer)
        .unwrap()
        .der()
        .to_vec()
}

fn rejection(verifier: &dyn ServerCertVerifier, chain: &[&[u8]], name: &str) -> Rejection {
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain,
        ocsp: None,
        scts: None,
        name: &name.parse().unwrap(),
    };
    match verifier.verify(&request) {
        Verdict::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

/// Asserts the code, and that the sentence contains every one of `parts`.
fn assert_says(rejection: &Rejection, code: CertificateError, parts: &[&str]) {
    let text = rejection.to_string();
    assert_eq!(rejection.code, code, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

fn trusting(root: &Authority) -> Verifier {
    Verifier::new(&PROVIDER, TrustAnchors::from_pem_or_der(&root.der).unwrap())
}

#[test]
fn the_certificate_at_fault_is_named_wherever_it_is_in_the_chain() {
    let root = authority(authority_params("Root"), None);
    let mut middle = authority_params("Middle");
    middle.not_after = date_time_ymd(2020, 2, 29);
    let expired = authority(middle, Some(&root));
    let server = leaf(&params("server", &["a.example"]), &expired);
    assert_says(
        &rejection(&trusting(&root), &[&server, &expired.der], "a.example"),
        CertificateError::Expired,
        &["CN=Middle is expired since 2020-02-29T00:00:00Z"],
    );

    let mut middle = authority_params("Middle");
    middle.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let for_mail = authority(middle, Some(&root));
    let server = leaf(&params("server", &["a.example"]), &for_mail);
    assert_says(
        &rejection(&trusting(&root), &[&server, &for_mail.der], "a.example"),
        CertificateError::WrongUsage,
        &["extendedKeyUsage of CN=Middle"],
    );
}

#[test]
fn constraints_of_issuers_hold() {
    let root = authority(authority_params("Root"), None);
    let mut narrow = authority_params("Narrow");
    narrow.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("inside.example".to_owned())],
        excluded_subtrees: vec![],
    });
    let narrow = authority(narrow, Some(&root));
    let outside = leaf(&params("server", &["outside.example"]), &narrow);
    assert_says(
        &rejection(
            &trusting(&root),
            &[&outside, &narrow.der],
            "outside.example",
        ),
        CertificateError::Constraint,
        &["may not issue for outside.example"],
    );

    let mut short = authority_params("Short");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let short = authority(short, Some(&root));
    let below = authority(authority_params("Below"), Some(&short));
    let server = leaf(&params("server", &["a.example"]), &below);
    assert_says(
        &rejection(
            &trusting(&root),
            &[&server, &below.der, &short.der],
            "a.example",
        ),
        CertificateError::Constraint,
        &["CN=server", "fewer intermediate certificates"],
    );

    let mut strange = params("server", &["a.example"]);
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    strange.custom_extensions.push(extension);
    let server = leaf(&strange, &root);
    assert_says(
        &rejection(&trusting(&root), &[&server], "a.example"),
        CertificateError::Constraint,
        &["CN=server", "critical extension"],
    );
}

#[test]
fn a_server_does_not_vouch_for_others() {
    let root = authority(authority_params("Root"), None);
    let no_authority = authority(params("no authority", &["b.example"]), Some(&root));
    let server = leaf(&params("server", &["a.example"]), &no_authority);
    assert_says(
        &rejection(&trusting(&root), &[&server, &no_authority.der], "a.example"),
        CertificateError::WrongUsage,
        &["the issuer of CN=server is not an authority"],
    );
}

#[test]
fn two_authorities_of_one_name_are_told_apart() {
    let (real, namesake) = (
        authority(authority_params("Root"), None),
        authority(authority_params("Root"), None),
    );
    let server = leaf(&params("server", &["a.example"]), &namesake);
    assert_says(
        &rejection(&trusting(&real), &[&server], "a.example"),
        CertificateError::BadSignature,
        &["CN=server", "names CN=Root as issuer"],
    );
}

#[test]
fn a_chain_deeper_than_the_limit_is_too_complex() {
    let root = authority(authority_params("Root"), None);
    let mut chain = Vec::new();
    let mut above = root;
    let verifier = trusting(&above);
    for depth in 0..8 {
        let next = authority(
            authority_params(&format!("Authority {depth}")),
            Some(&above),
        );
        chain.insert(0, next.der.clone());
        above = next;
    }
    chain.insert(0, leaf(&params("server", &["a.example"]), &above));
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    assert_says(
        &rejection(&verifier, &chain, "a.example"),
        CertificateError::TooComplex,
        &["CN=server"],
    );
}

#[test]
fn sentences_are_short_and_safe_to_print() {
    let root = authority(authority_params("Root"), None);
    let names: Vec<String> = (1..=40).map(|i| format!("host{i}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hostile = format!("\u{1b}]0;owned\u{7}\u{202e}{}", "x".repeat(5_000));
    let server = leaf(&params(&hostile, &names), &root);
    let wrong_name = rejection(&trusting(&root), &[&server], "a.example");
    assert_says(
        &wrong_name,
        CertificateError::NameMismatch,
        &[
            "host1.example, host2.example",
            "host5.example and 35 more, not for a.example",
        ],
    );

    let stranger = authority(authority_params("Stranger"), None);
    let server = leaf(&params(&hostile, &["a.example"]), &stranger);
    let unknown = rejection(&trusting(&root), &[&server], "a.example");
    assert_says(
        &unknown,
        CertificateError::UnknownIssuer,
        &["issued by CN=Stranger"],
    );
    for text in [wrong_name.to_string(), unknown.to_string()] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        assert!(text.chars().count() < 900, "{text}");
    }
}

#[test]
fn weak_keys_and_hashes_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let run = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(dir.path())
            .output();
        match run {
            Ok(output) if output.status.success() => true,
            Ok(output) => panic!("{arguments}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                eprintln!("skipped: openssl cannot be run ({error})");
                false
            }
        }
    };
    let weak = "req -x509 -newkey rsa:1024 -nodes -keyout key.pem -subj /CN=weak \
                -addext subjectAltName=DNS:a.example -outform DER -out weak.der";
    if !openssl(weak) {
        return;
    }
    let weak = fs::read(dir.path().join("weak.der")).unwrap();
    assert_says(
        &rejection(
            &PinnedVerifier::new([Pin::of_certificate(&weak)]),
            &[&weak],
            "a.example",
        ),
        CertificateError::TooWeak,
        &["1024 bits"],
    );

    openssl("req -x509 -newkey rsa:2048 -nodes -keyout root-key.pem -subj /CN=Root -out root.pem");
    openssl("req -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=old -out request.pem");
    fs::write(
        dir.path().join("extensions"),
        "subjectAltName=DNS:a.example\n",
    )
    .unwrap();
    openssl(
        "x509 -req -sha1 -in request.pem -CA root.pem -CAkey root-key.pem -extfile extensions \
         -outform DER -out old.der",
    );
    let anchors = TrustAnchors::from_file(dir.path().join("root.pem")).unwrap();
    let old = fs::read(dir.path().join("old.der")).unwrap();
    assert_says(
        &rejection(&Verifier::new(&PROVIDER, anchors), &[&old], "a.example"),
        CertificateError::TooWeak,
        &["CN=old", "sha1WithRSAEncryption"],
    );
}
