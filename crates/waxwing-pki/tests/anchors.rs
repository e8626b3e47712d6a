//! Trust anchors from every source.

use std::fs;
use std::process::Command;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{CertificateType, ServerCertRequest, ServerCertVerifier, Verdict};
use waxwing_pki::{KeyType, LoadError, TrustAnchors, Verifier, to_pem};
use waxwing_testkit::pki::{self, Case};

fn accepts(anchors: TrustAnchors) -> bool {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let chain: Vec<&[u8]> = credentials.chain.iter().map(Vec::as_slice).collect();
    let name = "localhost".parse().unwrap();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &name,
    };
    matches!(
        Verifier::new(&PROVIDER, anchors).verify(&request),
        Verdict::Accepted(_)
    )
}

#[test]
fn pem_with_any_line_ends_and_text_around_it_is_read() {
    let root = to_pem("CERTIFICATE", pki::root()).to_string();
    let rsa_root = to_pem("CERTIFICATE", pki::rsa_root()).to_string();
    let key = pki::credentials(Case::SelfSigned).key_pem();
    let text = format!(
        "# Our roots\n\n  Subject: CN=x\n{rsa_root}\nmore text\n{key}\nroot:\n{root}trailing"
    );
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
    ] {
        let anchors = TrustAnchors::from_pem_or_der(text.as_bytes()).unwrap();
        assert_eq!(anchors.len(), 2);
        assert!(accepts(anchors));
    }
    let anchors = TrustAnchors::from_pem_or_der(pki::root()).unwrap();
    assert_eq!(anchors.len(), 1);
    assert!(accepts(anchors));
}

#[test]
fn without_the_right_root_nothing_is_accepted() {
    assert!(!accepts(TrustAnchors::none()));
    assert!(!accepts(TrustAnchors::bundled()));
    assert!(!accepts(
        TrustAnchors::from_pem_or_der(pki::rsa_root()).unwrap()
    ));
}

#[test]
fn anchors_add_up_and_repetitions_count_once() {
    let mut anchors = TrustAnchors::bundled();
    let bundled = anchors.len();
    assert!(bundled > 100, "{bundled}");
    assert_eq!(anchors.add(pki::root()), Ok(1));
    assert_eq!(anchors.add(pki::root()), Ok(1));
    assert_eq!(anchors.len(), bundled + 1);
    anchors.extend(TrustAnchors::from_pem_or_der(pki::rsa_root()).unwrap());
    assert_eq!(anchors.len(), bundled + 2);
    assert!(accepts(anchors));
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let good = to_pem("CERTIFICATE", pki::root()).to_string();
    let bad = to_pem("CERTIFICATE", b"\x30\x03\x02\x01\x01").to_string();
    let error = TrustAnchors::from_pem_or_der(format!("{good}{bad}").as_bytes()).unwrap_err();
    assert!(
        matches!(error, LoadError::BadCertificate { number: 2, .. }),
        "{error}"
    );

    let request = good.replace("CERTIFICATE", "CERTIFICATE REQUEST");
    let error = TrustAnchors::from_pem_or_der(request.as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("but a certificate signing request"),
        "{error}"
    );
    let error = TrustAnchors::from_pem_or_der(b"").unwrap_err();
    assert_eq!(error, LoadError::NoCertificate(None));

    let cut = &good[..good.len() - 10];
    let error = TrustAnchors::from_pem_or_der(cut.as_bytes()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("-----END CERTIFICATE----- is missing"),
        "{error}"
    );

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("roots.pem");
    let text = TrustAnchors::from_file(&path).unwrap_err().to_string();
    assert!(text.contains("roots.pem: cannot be read: "), "{text}");
    fs::write(&path, "nothing here").unwrap();
    let text = TrustAnchors::from_file(&path).unwrap_err().to_string();
    assert!(
        text.ends_with("roots.pem: there is no certificate in it"),
        "{text}"
    );
}

/// Environment variables belong to the whole process, so each case runs in one of its own.
#[test]
fn the_environment_chooses_the_system_store() {
    let dir = tempfile::tempdir().unwrap();
    let files = pki::write_pem(Case::SelfSigned, dir.path()).unwrap();
    let empty = dir.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let hashed = dir.path().join("hashed");
    fs::create_dir(&hashed).unwrap();
    fs::copy(&files.anchor, hashed.join("0123abcd.0")).unwrap();
    for (variable, value, answer) in [
        ("SSL_CERT_FILE", &files.anchor, "1"),
        ("SSL_CERT_DIR", &hashed, "1"),
        // Whoever names a store wants no other.
        ("SSL_CERT_FILE", &empty, "no usable certificate"),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--ignored",
                "--nocapture",
                "print_the_system_store",
            ])
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env(variable, value)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains(&format!("found: {answer}")),
            "{variable}: {text}"
        );
    }
}

#[test]
#[ignore = "a part of the_environment_chooses_the_system_store, run by it"]
fn print_the_system_store() {
    match TrustAnchors::system_or_bundled() {
        Ok(anchors) => println!("found: {}", anchors.len()),
        Err(error) => println!("found: {error}"),
    }
}
