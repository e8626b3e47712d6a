//! Loading chains and private keys.

use std::fs;
use std::path::Path;
use std::process::Command;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::CertifiedKey;
use waxwing_pki::{
    KeyType, LoadError, PublicKeyKind, load_certified_key, load_certified_key_files,
    load_private_key, to_pem,
};
use waxwing_testkit::pki::{self, Case};

fn load(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, LoadError> {
    load_certified_key(&PROVIDER, chain, key)
}

/// Runs openssl; `None`, with a note, where it is not installed or lacks what was asked.
fn openssl(dir: &Path, arguments: &str) -> Option<Vec<u8>> {
    let command = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output();
    match command {
        Ok(output) if output.status.success() => Some(output.stdout),
        Ok(output) => {
            panic!(
                "openssl {arguments}: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        }
        Err(error) => {
            eprintln!("skipped: openssl cannot be run ({error})");
            None
        }
    }
}

#[test]
fn every_kind_of_key_loads_from_pem_and_der_with_its_chain() {
    for key_type in KeyType::ALL {
        let credentials = pki::credentials(Case::Good(key_type));
        let (chain, key) = (credentials.chain_pem(), credentials.key_pem());
        let crlf = |text: &str| text.replace('\n', "\r\n");
        let noisy = format!("\u{feff}{key}Bag Attributes\n  friendlyName: x\n{chain}");
        let variants: [(&[u8], &[u8]); 4] = [
            (chain.as_bytes(), key.as_bytes()),
            (&crlf(&chain).into_bytes(), &crlf(&key).into_bytes()),
            (noisy.as_bytes(), noisy.as_bytes()),
            (chain.as_bytes(), &credentials.key),
        ];
        for (chain, key) in variants {
            let loaded = load(chain, key).unwrap();
            assert_eq!(loaded.chain(), credentials.chain, "{key_type}");
        }
        let loaded = load(credentials.leaf(), &credentials.key).unwrap();
        assert_eq!(loaded.chain(), [credentials.leaf()], "{key_type}");
    }
}

#[test]
fn the_older_forms_of_openssl_load_too() {
    let dir = tempfile::tempdir().unwrap();
    let forms = [
        "ecparam -name prime256v1 -genkey -out key.pem",
        "ecparam -name secp384r1 -genkey -noout -out key.pem",
        "genrsa -traditional -out key.pem 2048",
        "genpkey -algorithm ed25519 -out key.pem",
        "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-521 -out key.pem",
    ];
    for form in forms {
        if openssl(dir.path(), form).is_none() {
            return;
        }
        let pem = fs::read(dir.path().join("key.pem")).unwrap();
        let public = openssl(dir.path(), "pkey -in key.pem -pubout -outform DER").unwrap();
        let key = load_private_key(&PROVIDER, &pem).expect(form);
        assert_eq!(key.public_key().unwrap(), public, "{form}");
    }
    for (make, convert) in [
        (
            "genrsa -traditional -out key.pem 2048",
            "rsa -in key.pem -traditional -outform DER",
        ),
        (
            "ecparam -name prime256v1 -genkey -out key.pem",
            "ec -in key.pem -outform DER",
        ),
    ] {
        openssl(dir.path(), make);
        let der = openssl(dir.path(), convert).unwrap();
        let public = openssl(dir.path(), "pkey -in key.pem -pubout -outform DER").unwrap();
        let key = load_private_key(&PROVIDER, &der).expect(convert);
        assert_eq!(key.public_key().unwrap(), public, "{convert}");
    }
}

#[test]
fn an_encrypted_key_says_how_to_decrypt_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = pki::credentials(Case::Good(KeyType::P256)).key_pem();
    fs::write(dir.path().join("key.pem"), &key).unwrap();
    for encrypt in [
        "pkcs8 -topk8 -in key.pem -out encrypted -passout pass:x",
        "pkcs8 -topk8 -in key.pem -out encrypted -passout pass:x -outform DER",
        "ec -aes256 -in key.pem -out encrypted -passout pass:x",
    ] {
        if openssl(dir.path(), encrypt).is_none() {
            return;
        }
        let encrypted = fs::read(dir.path().join("encrypted")).unwrap();
        let error = load_private_key(&PROVIDER, &encrypted).unwrap_err();
        assert_eq!(error, LoadError::EncryptedKey, "{encrypt}");
    }
    assert!(
        LoadError::EncryptedKey
            .to_string()
            .contains("openssl pkcs8 -topk8 -nocrypt -in")
    );
    // The advice works.
    openssl(
        dir.path(),
        "pkcs8 -topk8 -nocrypt -in encrypted -out plain -passin pass:x",
    );
    let plain = fs::read(dir.path().join("plain")).unwrap();
    assert!(load_private_key(&PROVIDER, &plain).is_ok());
}

#[test]
fn a_chain_in_any_order_is_put_right() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let pem = |der: &[u8]| to_pem("CERTIFICATE", der).to_string();
    let (leaf, middle, root) = (
        pem(credentials.leaf()),
        pem(pki::intermediate()),
        pem(pki::root()),
    );
    let sorted = [credentials.leaf(), pki::intermediate(), pki::root()];
    for order in [
        [&leaf, &middle, &root],
        [&root, &middle, &leaf],
        [&middle, &leaf, &root],
        [&leaf, &root, &middle],
    ] {
        let text: String = order.into_iter().map(String::as_str).collect();
        assert_eq!(
            load(text.as_bytes(), &credentials.key).unwrap().chain(),
            sorted
        );
    }
    let twice = format!("{leaf}{leaf}{middle}{middle}");
    assert_eq!(
        load(twice.as_bytes(), &credentials.key).unwrap().chain(),
        &sorted[..2]
    );
}

#[test]
fn a_certificate_that_is_no_part_of_the_chain_is_named() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let stray = &pki::credentials(Case::Untrusted).chain[1];
    let text = format!(
        "{}{}",
        credentials.chain_pem(),
        &*to_pem("CERTIFICATE", stray)
    );
    let error = load(text.as_bytes(), &credentials.key).unwrap_err();
    assert_eq!(
        error,
        LoadError::Unconnected {
            number: 3,
            subject: "CN=Waxwing stranger intermediate".to_owned()
        }
    );
}

#[test]
fn a_key_of_another_certificate_is_refused_by_name() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let other = pki::credentials(Case::Good(KeyType::Ed25519));
    let chain = credentials.chain_pem();
    let error = load(chain.as_bytes(), &other.key).unwrap_err();
    assert_eq!(
        error,
        LoadError::KeyMismatch {
            subject: "localhost".to_owned(),
            certificate: PublicKeyKind::P256,
            private: PublicKeyKind::Ed25519,
        }
    );
    let text = error.to_string();
    assert!(
        text.contains("(Ed25519) does not belong to the certificate of localhost"),
        "{text}"
    );
}

#[test]
fn what_is_in_the_file_instead_is_said() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let (chain, key) = (credentials.chain_pem(), credentials.key_pem());
    let cut = &key[..key.len() - 20];
    let wrong_label = key.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    let key_cases: [(&str, LoadError); 4] = [
        ("", LoadError::NoPrivateKey(None)),
        (&chain, LoadError::NoPrivateKey(Some("a certificate"))),
        (&wrong_label, LoadError::UnusableKey),
        (
            cut,
            LoadError::Pem("the line -----END PRIVATE KEY----- is missing".to_owned()),
        ),
    ];
    for (text, error) in key_cases {
        assert_eq!(
            load_private_key(&PROVIDER, text.as_bytes()).unwrap_err(),
            error
        );
    }
    assert_eq!(
        load(key.as_bytes(), key.as_bytes()).unwrap_err(),
        LoadError::NoCertificate(Some("a private key"))
    );
    let broken = chain.replacen(
        "-----BEGIN CERTIFICATE-----\nM",
        "-----BEGIN CERTIFICATE-----\nN",
        1,
    );
    assert!(matches!(
        load(broken.as_bytes(), key.as_bytes()).unwrap_err(),
        LoadError::BadCertificate { number: 1, .. }
    ));
}

#[test]
fn an_error_in_a_file_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let files = pki::write_pem(Case::Good(KeyType::P256), dir.path()).unwrap();
    assert!(load_certified_key_files(&PROVIDER, &files.chain, &files.key).is_ok());
    let absent = dir.path().join("absent.pem");
    let text = |chain, key| {
        load_certified_key_files(&PROVIDER, chain, key)
            .unwrap_err()
            .to_string()
    };
    assert!(text(&absent, &files.key).contains("absent.pem: cannot be read: "));
    assert!(text(&files.chain, &files.chain).contains("chain.pem: there is no private key in it"));
    assert!(text(&files.key, &files.key).contains("key.pem: there is no certificate in it"));
}
