//! Bad chains: the codes must be those of OpenSSL and Node.js.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use waxwing::pki::{Failure, Identity, TrustAnchors, Verifier, to_pem};
use waxwing::{CertificateType, PROVIDER, ServerCertRequest, ServerName};
use waxwing_interop::peer;
use waxwing_interop::scripts::{NODE, script};
use waxwing_testkit::mistakes::{self, Mistake};

/// Of the mistakes that OpenSSL is asked about, so many at least.
const ENOUGH: usize = 30;

/// The names of OpenSSL's numbers, as in `openssl/x509_vfy.h`.
const NUMBERS: [(u8, &str); 14] = [
    (7, "CERT_SIGNATURE_FAILURE"),
    (9, "CERT_NOT_YET_VALID"),
    (10, "CERT_HAS_EXPIRED"),
    (18, "DEPTH_ZERO_SELF_SIGNED_CERT"),
    (19, "SELF_SIGNED_CERT_IN_CHAIN"),
    (20, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
    (25, "PATH_LENGTH_EXCEEDED"),
    (26, "INVALID_PURPOSE"),
    (34, "UNHANDLED_CRITICAL_EXTENSION"),
    (47, "PERMITTED_VIOLATION"),
    (48, "EXCLUDED_VIOLATION"),
    (62, "HOSTNAME_MISMATCH"),
    (64, "IP_ADDRESS_MISMATCH"),
    (79, "INVALID_CA"),
];

fn ours(mistake: &Mistake) -> Failure {
    let anchors = TrustAnchors::from_pem_or_der(&mistake.anchor).expect("an anchor");
    let chain: Vec<&[u8]> = mistake.chain.iter().map(Vec::as_slice).collect();
    let name: ServerName = mistake.host.parse().expect("a name");
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &name,
    };
    let verifier = Verifier::new(&PROVIDER, anchors);
    verifier.examine(&request).expect_err(mistake.what)
}

fn pem(certificates: &[Vec<u8>]) -> String {
    let each = certificates.iter();
    each.map(|der| to_pem("CERTIFICATE", der).to_string())
        .collect()
}

fn write(dir: &Path, name: &str, certificates: &[Vec<u8>]) {
    std::fs::write(dir.join(name), pem(certificates)).expect("a file is written");
}

/// The number in `error 10 at 0 depth lookup: …`.
fn openssl(mistake: &Mistake) -> Result<u8, String> {
    let dir = TempDir::new().expect("a folder");
    let (leaf, rest) = mistake.chain.split_at(1);
    write(dir.path(), "leaf.pem", leaf);
    write(dir.path(), "rest.pem", rest);
    write(
        dir.path(),
        "root.pem",
        core::slice::from_ref(&mistake.anchor),
    );
    let kind = match mistake.host.parse() {
        Ok(ServerName::Ip(_)) => "-verify_ip",
        _ => "-verify_hostname",
    };
    let mut command = Command::new("openssl");
    command
        .args([
            "verify",
            "-no-CApath",
            "-no-CAstore",
            "-purpose",
            "sslserver",
        ])
        .args([kind, mistake.host, "-CAfile", "root.pem"]);
    if !rest.is_empty() {
        command.args(["-untrusted", "rest.pem"]);
    }
    let output = command
        .arg("leaf.pem")
        .current_dir(dir.path())
        .output()
        .expect("openssl runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let number = text.split("error ").nth(1).and_then(|rest| {
        let (number, _) = rest.split_once(" at ")?;
        number.parse().ok()
    });
    number.ok_or(text)
}

#[test]
fn the_codes_are_those_of_openssl() {
    peer!("openssl");
    let asked: Vec<_> = mistakes::ALL
        .iter()
        .filter(|mistake| mistake.openssl.is_some())
        .collect();
    assert!(asked.len() >= ENOUGH, "{}", asked.len());
    let mut wrong = Vec::new();
    for mistake in asked {
        let found = openssl(mistake);
        let name = NUMBERS
            .iter()
            .find(|(number, _)| Ok(*number) == found)
            .map(|(_, name)| *name);
        let own = ours(mistake).code.name();
        if found != Ok(mistake.openssl.unwrap_or_default()) || name != Some(own) {
            wrong.push(format!("{}: {found:?} {own}", mistake.what));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Node's for what it has no name for.
const UNNAMED: &str = "UNSPECIFIED";

/// OpenSSL finds both in some chains; `openssl verify` tells the first and Node the last.
const TWO_ERRORS: (&str, &str) = ("INVALID_CA", "INVALID_PURPOSE");

#[test]
fn the_codes_are_those_of_node() {
    peer!(NODE);
    let asked: Vec<_> = mistakes::ALL
        .iter()
        .filter(|mistake| mistake.openssl.is_some())
        .collect();
    let key = to_pem("PRIVATE KEY", mistakes::leaf_key()).to_string();
    let cases: Vec<_> = asked
        .iter()
        .map(|mistake| {
            json!({
                "cert": pem(&mistake.chain),
                "key": key,
                "ca": pem(core::slice::from_ref(&mistake.anchor)),
                "host": mistake.host,
            })
        })
        .collect();
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("cases.json");
    std::fs::write(&file, serde_json::to_vec(&cases).expect("JSON")).expect("a file is written");
    let output = Command::new(NODE)
        .arg(script("verdicts.cjs"))
        .arg(&file)
        .output()
        .expect("node runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<&str> = text.lines().collect();
    assert_eq!(answers.len(), asked.len(), "{output:?}");
    let mut named = 0;
    let mut wrong = Vec::new();
    for (mistake, answer) in asked.iter().zip(answers) {
        let own = ours(mistake).node_code;
        if answer == own || (own, answer) == TWO_ERRORS {
            named += 1;
        } else if answer != UNNAMED {
            wrong.push(format!("{}: {answer} {own}", mistake.what));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(named >= ENOUGH, "{named}");
}

#[test]
fn a_failure_is_json_too() {
    let expired = mistakes::ALL
        .iter()
        .find(|mistake| mistake.what == "the intermediate is expired")
        .expect("a mistake");
    let failure = ours(expired);
    let culprit = failure.certificate.as_deref().expect("a certificate");
    let json = serde_json::to_value(&failure).expect("JSON");
    assert_eq!(
        json,
        json!({
            "code": "CERT_HAS_EXPIRED",
            "certificate": {
                "place": 1,
                "subject": "CN=Intermediate",
                "sha256": Identity::from_der(&expired.chain[1]).expect("it").sha256,
            },
            "reason": failure.reason,
            "section": "RFC 5280, Section 6.1.3",
            "fix": "renew it, or set the clock right",
            "node_code": "CERT_HAS_EXPIRED",
        })
    );
    assert_eq!(culprit.subject, "CN=Intermediate");
}
