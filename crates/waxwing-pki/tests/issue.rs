//! Issued certificates, judged by ourselves and by OpenSSL.

use core::time::Duration;
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{CertificateType, ServerCertRequest, ServerCertVerifier, Verdict};
use waxwing_crypto::{CryptoError, SecureRandom};
use waxwing_pki::{
    AltName, Identity, IssueError, KeyType, PublicKeyKind, SelfSigned, TrustAnchors, UnixTime,
    Verifier, load_certified_key,
};

const NAMES: [&str; 5] = [
    "localhost",
    "*.example.com",
    "127.0.0.1",
    "::1",
    "root@example.com",
];

fn names() -> Vec<AltName> {
    NAMES.iter().map(|name| name.parse().unwrap()).collect()
}

fn issue(key_type: KeyType) -> SelfSigned {
    SelfSigned::builder(names())
        .key_type(key_type)
        .issue(PROVIDER.random)
        .unwrap()
}

/// Runs openssl and returns what it printed; `None`, with a note, where it is not installed.
fn openssl(dir: &Path, arguments: &str) -> Option<String> {
    let arguments = arguments.split(' ');
    match Command::new("openssl")
        .args(arguments.clone())
        .current_dir(dir)
        .output()
    {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap()),
        Ok(output) => panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!("skipped: openssl cannot be run ({error})");
            None
        }
    }
}

#[test]
fn every_kind_serves_and_is_accepted_by_those_who_trust_it() {
    let kinds = [
        PublicKeyKind::P256,
        PublicKeyKind::P384,
        PublicKeyKind::P521,
        PublicKeyKind::Ed25519,
        PublicKeyKind::Rsa(2048),
        PublicKeyKind::Rsa(3072),
        PublicKeyKind::MlDsa44,
        PublicKeyKind::MlDsa65,
        PublicKeyKind::MlDsa87,
    ];
    for (key_type, kind) in KeyType::ALL.into_iter().zip(kinds) {
        let issued = issue(key_type);
        let (chain, key) = (issued.certificate_pem(), issued.key_pem());
        let loaded = load_certified_key(&PROVIDER, chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(loaded.chain(), [issued.certificate()], "{key_type}");

        let identity = Identity::from_der(issued.certificate()).unwrap();
        assert_eq!(identity.key, kind);
        assert_eq!(identity.names, names());
        assert!(identity.self_issued && identity.for_servers && !identity.authority);

        let anchors = TrustAnchors::from_pem_or_der(issued.certificate()).unwrap();
        let verifier = Verifier::new(&PROVIDER, anchors);
        for name in ["localhost", "www.example.com", "127.0.0.1", "::1"] {
            let request = ServerCertRequest {
                certificate_type: CertificateType::X509,
                chain: &[issued.certificate()],
                ocsp: None,
                scts: None,
                name: &name.parse().unwrap(),
            };
            let verdict = verifier.verify(&request);
            assert!(
                matches!(verdict, Verdict::Accepted(_)),
                "{key_type} {name}: {verdict:?}"
            );
        }
    }
}

#[test]
fn openssl_reads_and_verifies_what_is_issued() {
    // OpenSSL knows ML-DSA only from version 3.5 on.
    for key_type in KeyType::ALL
        .into_iter()
        .filter(|kind| !kind.as_str().starts_with("ml-dsa"))
    {
        let issued = issue(key_type);
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cert.pem"), issued.certificate_pem()).unwrap();
        fs::write(dir.path().join("key.pem"), issued.key_pem().as_bytes()).unwrap();
        let verify = "verify -x509_strict -purpose sslserver -verify_hostname a.example.com \
                      -CAfile cert.pem cert.pem";
        let Some(verdict) = openssl(dir.path(), verify) else {
            return;
        };
        assert_eq!(verdict, "cert.pem: OK\n", "{key_type}");
        let public = openssl(dir.path(), "x509 -in cert.pem -noout -pubkey");
        assert_eq!(
            openssl(dir.path(), "pkey -in key.pem -pubout"),
            public,
            "{key_type}"
        );
        let checked = openssl(dir.path(), "pkey -in key.pem -check -noout").unwrap();
        assert!(checked.contains("Key is valid"), "{key_type}: {checked}");

        let text = openssl(dir.path(), "x509 -in cert.pem -noout -text").unwrap();
        for part in [
            "Version: 3 (0x2)",
            "Subject: CN = localhost",
            "CA:FALSE",
            "Digital Signature",
            "TLS Web Server Authentication",
            "DNS:localhost, DNS:*.example.com, IP Address:127.0.0.1, \
             IP Address:0:0:0:0:0:0:0:1, email:root@example.com",
        ] {
            assert!(
                text.contains(part),
                "{key_type}: {part:?} is missing in {text}"
            );
        }
    }
}

#[test]
fn serial_numbers_are_positive_of_twenty_bytes_and_never_the_same() {
    let serials: HashSet<_> = (0..50)
        .map(|_| {
            Identity::from_der(issue(KeyType::Ed25519).certificate())
                .unwrap()
                .serial
        })
        .collect();
    assert_eq!(serials.len(), 50);
    for serial in serials {
        assert_eq!(serial.len(), 40, "{serial}");
        assert!(matches!(serial.as_bytes()[0], b'4'..=b'7'), "{serial}");
    }
}

#[test]
fn dates_are_as_asked() {
    let from = UnixTime::from_seconds(1_700_000_000);
    let issued = SelfSigned::builder(names())
        .valid_from(from)
        .valid_for(Duration::from_secs(60))
        .issue(PROVIDER.random)
        .unwrap();
    let identity = Identity::from_der(issued.certificate()).unwrap();
    assert_eq!(
        (identity.not_before, identity.not_after),
        (from, from.plus(Duration::from_secs(60)))
    );

    let by_default = Identity::from_der(issue(KeyType::P256).certificate()).unwrap();
    let now = UnixTime::now().unwrap();
    assert!(by_default.not_before < now && now < by_default.not_after);
    let days = (by_default.not_after.seconds() - by_default.not_before.seconds()) / 86_400;
    assert_eq!(days, 365);

    let forever = SelfSigned::builder(names())
        .valid_for(Duration::MAX)
        .issue(PROVIDER.random);
    assert_eq!(forever.unwrap_err(), IssueError::Dates);
}

#[test]
fn what_cannot_be_issued_is_refused() {
    let nameless = SelfSigned::builder([]).issue(PROVIDER.random);
    assert_eq!(nameless.unwrap_err(), IssueError::NoName);
    let foreign = AltName::Dns("bücher.example".to_owned());
    let issued = SelfSigned::builder([foreign.clone()]).issue(PROVIDER.random);
    assert_eq!(issued.unwrap_err(), IssueError::Name(foreign));

    struct NoEntropy;
    impl SecureRandom for NoEntropy {
        fn fill(&self, _buf: &mut [u8]) -> Result<(), CryptoError> {
            Err(CryptoError::Failed)
        }
    }
    assert!(matches!(
        SelfSigned::builder(names()).issue(&NoEntropy).unwrap_err(),
        IssueError::Library(_)
    ));
}

#[test]
fn key_types_have_names() {
    for key_type in KeyType::ALL {
        assert_eq!(key_type.to_string().parse(), Ok(key_type));
    }
    let error = "rsa1024".parse::<KeyType>().unwrap_err().to_string();
    assert!(
        error.contains("rsa1024") && error.contains("p256, p384"),
        "{error}"
    );
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let issued = issue(KeyType::P256);
    let shown = format!("{issued:?}");
    let key: String = issued
        .key()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(!shown.contains(&key) && shown.contains("SelfSigned"));
}
