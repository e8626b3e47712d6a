//! Decoded certificates, compared with what OpenSSL says about them.

use std::fs;
use std::process::Command;

use waxwing_pki::{AltName, Identity, KeyType, Pin, PublicKeyKind};
use waxwing_testkit::pki::{self, Case};

#[test]
fn the_fields_are_those_that_openssl_prints() {
    let dir = tempfile::tempdir().unwrap();
    for case in [
        Case::Good(KeyType::P384),
        Case::AllRsa,
        Case::SelfSignedAuthority,
    ] {
        let files = pki::write_pem(case, dir.path()).unwrap();
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            command
                .arg("x509")
                .arg("-in")
                .arg(&files.chain)
                .args(arguments.split(' '));
            command
                .output()
                .map(|output| String::from_utf8(output.stdout).unwrap())
        };
        let identity = Identity::from_der(pki::credentials(case).leaf()).unwrap();
        let facts = "-noout -serial -subject -issuer -fingerprint -sha256 -dates \
                     -nameopt RFC2253 -dateopt iso_8601";
        let Ok(text) = openssl(facts) else {
            eprintln!("skipped: openssl cannot be run");
            return;
        };
        let colons: Vec<_> = identity
            .sha256
            .as_bytes()
            .chunks(2)
            .map(|byte| String::from_utf8_lossy(byte).to_uppercase())
            .collect();
        let expected = format!(
            "serial={}\nsubject={}\nissuer={}\nsha256 Fingerprint={}\nnotBefore={}\nnotAfter={}\n",
            identity.serial.to_uppercase(),
            identity.subject,
            identity.issuer,
            colons.join(":"),
            identity.not_before.to_string().replace('T', " "),
            identity.not_after.to_string().replace('T', " "),
        );
        assert_eq!(text, expected);

        let public_key = dir.path().join("public.pem");
        fs::write(&public_key, openssl("-noout -pubkey").unwrap()).unwrap();
        let der = Command::new("openssl")
            .args(["pkey", "-pubin", "-outform", "DER", "-in"])
            .arg(&public_key)
            .output()
            .unwrap()
            .stdout;
        assert_eq!(identity.key_pin, Pin::of_spki(&der));
    }
}

#[test]
fn authorities_and_servers_are_told_apart() {
    let root = Identity::from_der(pki::root()).unwrap();
    assert_eq!(
        (root.subject.as_str(), root.self_issued),
        ("CN=Waxwing test root", true)
    );
    assert!(root.authority && root.names.is_empty());
    assert_eq!(root.label(), "CN=Waxwing test root");

    let leaf = Identity::from_der(pki::credentials(Case::Good(KeyType::Rsa3072)).leaf()).unwrap();
    assert_eq!(leaf.issuer, "CN=Waxwing test intermediate");
    assert!(!leaf.authority && !leaf.self_issued && leaf.for_servers);
    assert_eq!(leaf.key, PublicKeyKind::Rsa(3072));
    assert_eq!(leaf.key.bits(), Some(3072));
    assert_eq!(leaf.signature_algorithm, "ecdsa-with-SHA256");
    assert_eq!(leaf.label(), "localhost");
    assert_eq!(
        leaf.names.last(),
        Some(&AltName::Dns("*.example.com".to_owned()))
    );
}

#[test]
fn people_get_a_few_lines() {
    let text = Identity::from_der(pki::credentials(Case::Good(KeyType::MlDsa65)).leaf())
        .unwrap()
        .to_string();
    assert_eq!(text.lines().count(), 8, "{text}");
    for part in [
        "subject   (none)",
        "localhost, 127.0.0.1, ::1",
        "ML-DSA-65",
        "sha256/",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
}
