//! A local authority and signing requests, judged by ourselves and by OpenSSL.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::Command;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, ServerCertRequest,
    ServerCertVerifier, Verdict,
};
use waxwing_pki::{
    AltName, ClientVerifier, Identity, IssueError, KeyType, LoadError, LocalAuthority,
    MAX_BROWSER_VALIDITY, Policy, SigningRequest, Staple, TrustAnchors, UnixTime, Verifier,
    load_certified_key, load_private_key, to_pem,
};

const DAY: u64 = 24 * 60 * 60;

fn names(texts: &[&str]) -> Vec<AltName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn authority(key_type: KeyType) -> LocalAuthority {
    let builder = LocalAuthority::builder("Waxwing development").key_type(key_type);
    builder.issue(&PROVIDER).unwrap()
}

/// Runs openssl and returns what it printed; `None`, with a note, where it is not installed.
fn openssl(dir: &Path, arguments: &str) -> Option<String> {
    match Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
    {
        Ok(output) if output.status.success() => {
            let text = [output.stdout, output.stderr].concat();
            Some(String::from_utf8(text).unwrap())
        }
        Ok(output) => panic!("{arguments}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!("skipped: openssl cannot be run ({error})");
            None
        }
    }
}

fn known_to_openssl(key_type: KeyType) -> bool {
    !key_type.as_str().starts_with("ml-dsa")
}

fn judge_server(authority: &LocalAuthority, certificate: &[u8], name: &str) -> Verdict {
    let anchors = TrustAnchors::from_pem_or_der(authority.certificate()).unwrap();
    // Some of them demand a staple; who gives one is not the matter here.
    let policy = Policy::new().staple(Staple::Ignored);
    let verifier = Verifier::new(&PROVIDER, anchors).policy(policy);
    verifier.verify(&ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &[certificate],
        name: &name.parse().unwrap(),
        ocsp: None,
        scts: None,
    })
}

fn judge_client(authority: &LocalAuthority, certificate: &[u8]) -> Verdict {
    let anchors = TrustAnchors::from_pem_or_der(authority.certificate()).unwrap();
    ClientVerifier::new(&PROVIDER, anchors).verify(&ClientCertRequest {
        certificate_type: CertificateType::X509,
        chain: &[certificate],
    })
}

#[track_caller]
fn assert_accepted(verdict: &Verdict) {
    assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
}

#[track_caller]
fn assert_rejected(verdict: &Verdict, code: CertificateError) {
    match verdict {
        Verdict::Rejected(rejection) => assert_eq!(rejection.code, code, "{rejection}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_every_kind_of_authority_issues_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    for (issuer, subject) in [
        (KeyType::P256, KeyType::P256),
        (KeyType::P384, KeyType::Ed25519),
        (KeyType::P521, KeyType::Rsa3072),
        (KeyType::Ed25519, KeyType::P384),
        (KeyType::Rsa2048, KeyType::P521),
        (KeyType::Rsa3072, KeyType::Rsa2048),
        (KeyType::MlDsa44, KeyType::MlDsa87),
        (KeyType::MlDsa65, KeyType::P256),
        (KeyType::MlDsa87, KeyType::MlDsa44),
    ] {
        let authority = authority(issuer);
        let server = authority
            .leaf(names(&[
                "localhost",
                "*.example.com",
                "127.0.0.1",
                "bücher.example",
            ]))
            .key_type(subject)
            .issue(&PROVIDER)
            .unwrap();
        load_certified_key(&PROVIDER, server.certificate(), server.key()).unwrap();
        let client = authority
            .leaf(names(&["me@example.com"]))
            .key_type(subject)
            .for_clients()
            .issue(&PROVIDER)
            .unwrap();
        let both = authority
            .leaf(names(&["peer.example.com"]))
            .for_servers_and_clients()
            .issue(&PROVIDER)
            .unwrap();
        for name in [
            "localhost",
            "www.example.com",
            "127.0.0.1",
            "xn--bcher-kva.example",
        ] {
            assert_accepted(&judge_server(&authority, server.certificate(), name));
        }
        assert_accepted(&judge_client(&authority, client.certificate()));
        assert_accepted(&judge_client(&authority, both.certificate()));
        assert_accepted(&judge_server(
            &authority,
            both.certificate(),
            "peer.example.com",
        ));
        assert_rejected(
            &judge_client(&authority, server.certificate()),
            CertificateError::WrongUsage,
        );

        if !known_to_openssl(issuer) || !known_to_openssl(subject) {
            continue;
        }
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("ca.pem", &authority.certificate_pem());
        write("ca.key", &to_pem("PRIVATE KEY", authority.key().unwrap()));
        write("server.pem", &server.certificate_pem());
        write("server.key", &server.key_pem());
        write("client.pem", &client.certificate_pem());
        let strict = "verify -x509_strict -CAfile ca.pem -check_ss_sig";
        for arguments in [
            format!("{strict} -purpose sslserver -verify_hostname a.example.com server.pem"),
            format!("{strict} -purpose sslserver -verify_ip 127.0.0.1 server.pem"),
            format!("{strict} -purpose sslclient -verify_email me@example.com client.pem"),
            format!("{strict} ca.pem"),
            "pkey -in ca.key -check -noout".to_owned(),
            "pkey -in server.key -check -noout".to_owned(),
        ] {
            if openssl(dir.path(), &arguments).is_none() {
                return;
            }
        }
    }
}

#[test]
fn certificates_are_as_browsers_want_them() {
    let authority = authority(KeyType::P256);
    let root = Identity::from_der(authority.certificate()).unwrap();
    assert!(root.authority && root.self_issued);
    assert_eq!(root.extensions.path_len, Some(0));
    assert_eq!(
        root.extensions.key_usage,
        Some(vec!["keyCertSign", "cRLSign"])
    );

    let issued = authority
        .leaf(names(&["localhost"]))
        .issue(&PROVIDER)
        .unwrap();
    let leaf = Identity::from_der(issued.certificate()).unwrap();
    let validity = leaf.not_after.seconds() - leaf.not_before.seconds();
    assert!(validity <= MAX_BROWSER_VALIDITY.as_secs());
    assert_eq!(MAX_BROWSER_VALIDITY.as_secs(), 398 * DAY);
    assert!(!leaf.authority && leaf.for_servers && !leaf.for_clients);
    assert_eq!(leaf.extensions.key_usage, Some(vec!["digitalSignature"]));
    assert_eq!(
        leaf.extensions.authority_key_id,
        root.extensions.subject_key_id
    );
    assert!(leaf.extensions.subject_key_id.is_some());
    assert_eq!(leaf.serial.len(), 40);
    assert!(!leaf.extensions.must_staple);
    let critical = |name: &str| {
        leaf.extensions
            .all
            .iter()
            .any(|(id, critical)| id.id == name && *critical)
    };
    assert!(critical("2.5.29.15") && critical("2.5.29.19") && !critical("2.5.29.17"));

    // Without a subject, the names are critical (RFC 5280, Section 4.1.2.6).
    let long = format!("{}.example", "a".repeat(60));
    let issued = authority
        .leaf(names(&[&long]))
        .must_staple()
        .issue(&PROVIDER)
        .unwrap();
    let leaf = Identity::from_der(issued.certificate()).unwrap();
    assert_eq!(leaf.subject, "");
    let names = leaf
        .extensions
        .all
        .iter()
        .find(|(id, _)| id.id == "2.5.29.17");
    assert!(names.unwrap().1 && leaf.extensions.must_staple);
    assert_accepted(&judge_server(&authority, issued.certificate(), &long));
}

#[test]
fn nothing_outlives_its_authority() {
    let start = UnixTime::from_seconds(1_800_000_000);
    let builder = LocalAuthority::builder("short").valid_from(start);
    let authority = builder
        .valid_for(Duration::from_secs(30 * DAY))
        .issue(&PROVIDER)
        .unwrap();
    let end = Identity::from_der(authority.certificate())
        .unwrap()
        .not_after;
    assert_eq!(end.seconds(), 1_800_000_000 + 30 * DAY);
    let leaf = authority.leaf(names(&["localhost"])).valid_from(start);
    let identity = Identity::from_der(leaf.issue(&PROVIDER).unwrap().certificate()).unwrap();
    assert_eq!(identity.not_after, end);
    let late = leaf.valid_from(end.plus(Duration::from_secs(1)));
    assert_eq!(late.issue(&PROVIDER).unwrap_err(), IssueError::Dates);
}

#[test]
fn an_authority_can_be_confined_to_names() {
    let authority = LocalAuthority::builder("confined")
        .only_for(names(&["example.com", "127.0.0.1"]))
        .issue(&PROVIDER)
        .unwrap();
    let verdict = |name: &str| {
        let issued = authority.leaf(names(&[name])).issue(&PROVIDER).unwrap();
        judge_server(&authority, issued.certificate(), name)
    };
    assert_accepted(&verdict("example.com"));
    assert_accepted(&verdict("a.b.example.com"));
    assert_accepted(&verdict("127.0.0.1"));
    for other in ["example.org", "notexample.com", "127.0.0.2"] {
        assert!(matches!(verdict(other), Verdict::Rejected(_)), "{other}");
    }
    let wildcard = LocalAuthority::builder("x").only_for(names(&["*.example.com"]));
    assert!(matches!(
        wildcard.issue(&PROVIDER),
        Err(IssueError::Name(_))
    ));
}

#[test]
fn an_authority_of_openssl_is_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let make = "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 \
                -subj /C=DE/O=Example/OU=One/CN=Authority -addext keyUsage=critical,keyCertSign";
    if openssl(dir.path(), make).is_none() {
        return;
    }
    let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
    let certificate = Identity::from_pem_or_der(&read("ca.pem"))
        .unwrap()
        .remove(0);
    let key = load_private_key(&PROVIDER, &read("ca.key")).unwrap();
    let authority = LocalAuthority::new(&certificate.der, key).unwrap();
    assert_eq!(authority.key(), None);
    let issued = authority
        .leaf(names(&["localhost"]))
        .issue(&PROVIDER)
        .unwrap();
    fs::write(dir.path().join("leaf.pem"), issued.certificate_pem()).unwrap();
    openssl(dir.path(), "verify -x509_strict -CAfile ca.pem leaf.pem");
    let leaf = Identity::from_der(issued.certificate()).unwrap();
    assert_eq!(
        leaf.extensions.authority_key_id,
        certificate.extensions.subject_key_id
    );
}

#[test]
fn who_is_no_authority_issues_nothing() {
    let authority = authority(KeyType::P256);
    let leaf = authority
        .leaf(names(&["localhost"]))
        .issue(&PROVIDER)
        .unwrap();
    let key = load_private_key(&PROVIDER, leaf.key()).unwrap();
    let error = LocalAuthority::new(leaf.certificate(), key.clone()).unwrap_err();
    assert_eq!(error, IssueError::NoAuthority("CN=localhost".to_owned()));
    let error = LocalAuthority::new(authority.certificate(), key).unwrap_err();
    assert_eq!(error, IssueError::AuthorityKey);
    let too_long = LocalAuthority::builder("x".repeat(65)).issue(&PROVIDER);
    assert_eq!(too_long.unwrap_err(), IssueError::CommonName);
}

#[test]
fn openssl_verifies_requests_of_every_kind() {
    let dir = tempfile::tempdir().unwrap();
    for key_type in KeyType::ALL {
        let key = load_private_key(&PROVIDER, &key_type.generate().unwrap()).unwrap();
        let all = names(&[
            "www.example.org",
            "*.example.org",
            "::1",
            "post@bücher.example",
        ]);
        let builder = SigningRequest::builder(all.clone()).must_staple();
        let request = builder.sign(key).unwrap();
        request.check(&PROVIDER).unwrap();
        let read = SigningRequest::from_pem_or_der(request.pem().as_bytes()).unwrap();
        assert_eq!(read, request);
        assert_eq!(read.names(), all);
        assert!(read.must_staple() && !read.for_clients());
        assert_eq!(read.subject(), "CN=www.example.org");
        if !known_to_openssl(key_type) {
            continue;
        }
        fs::write(dir.path().join("request.pem"), request.pem()).unwrap();
        let Some(text) = openssl(dir.path(), "req -in request.pem -verify -noout -text") else {
            return;
        };
        for words in [
            "self-signature verify OK",
            "DNS:www.example.org, DNS:*.example.org, IP Address:0:0:0:0:0:0:0:1, \
             email:post@xn--bcher-kva.example",
            "TLS Feature",
            "status_request",
        ] {
            assert!(text.contains(words), "{key_type}: no {words} in {text}");
        }
    }
}

#[test]
fn requests_of_openssl_are_read_and_met() {
    let dir = tempfile::tempdir().unwrap();
    let authority = authority(KeyType::P256);
    for kind in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-384", "ed25519"] {
        let make = format!(
            "req -new -newkey {kind} -nodes -keyout key.pem -out request.pem \
             -subj /O=Example/CN=a.example -addext subjectAltName=DNS:a.example,IP:10.0.0.1 \
             -addext extendedKeyUsage=clientAuth -addext tlsfeature=status_request"
        );
        if openssl(dir.path(), &make).is_none() {
            return;
        }
        let bytes = fs::read(dir.path().join("request.pem")).unwrap();
        let request = SigningRequest::from_pem_or_der(&bytes).unwrap();
        assert_eq!(request.names(), names(&["a.example", "10.0.0.1"]));
        assert!(request.must_staple() && request.for_clients());
        let leaf = authority
            .leaf_for(&request)
            .issue_for(&request, &PROVIDER)
            .unwrap();
        let key = fs::read(dir.path().join("key.pem")).unwrap();
        load_certified_key(&PROVIDER, &leaf, &key).expect("the key of the request");
        let identity = Identity::from_der(&leaf).unwrap();
        assert_eq!(identity.names, request.names());
        assert_eq!(identity.subject, "CN=a.example");
        assert!(identity.for_clients && !identity.for_servers && identity.extensions.must_staple);
        assert_eq!(identity.key_pin, request.key_pin());
        assert_accepted(&judge_client(&authority, &leaf));
    }
}

#[test]
fn requests_that_were_changed_are_refused() {
    let authority = authority(KeyType::P256);
    let key = load_private_key(&PROVIDER, &KeyType::P256.generate().unwrap()).unwrap();
    let request = SigningRequest::builder(names(&["a.example"]))
        .sign(key)
        .unwrap();
    let text = b"a.example";
    let at = request
        .der()
        .windows(text.len())
        .position(|window| window == text)
        .unwrap();
    let mut changed = request.der().to_vec();
    changed[at] = b'b';
    let changed = SigningRequest::from_pem_or_der(&changed).unwrap();
    let refused = IssueError::Request("it is not signed by the key that it names".to_owned());
    assert_eq!(changed.check(&PROVIDER), Err(refused.clone()));
    let issued = authority.leaf_for(&changed).issue_for(&changed, &PROVIDER);
    assert_eq!(issued.unwrap_err(), refused);

    let cut = &request.der()[..request.der().len() - 1];
    assert!(matches!(
        SigningRequest::from_pem_or_der(cut),
        Err(LoadError::BadRequest(_))
    ));
    let other = authority.certificate_pem();
    assert_eq!(
        SigningRequest::from_pem_or_der(other.as_bytes()).unwrap_err(),
        LoadError::NoRequest(Some("a certificate"))
    );
}
