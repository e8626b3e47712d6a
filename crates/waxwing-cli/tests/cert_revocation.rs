//! `waxwing cert verify --crl` and `--ocsp`, with an authority that OpenSSL keeps.

#![cfg(unix)]

mod common;

use std::fs;
use std::process::{Command, Output};

use common::{assert_fails, assert_good, code, get, json, stderr, stdout, waxwing};
use waxwing::pki::to_pem;
use waxwing_interop::authority::Authority;
use waxwing_interop::openssl::OPENSSL;
use waxwing_interop::{Process, free_port, is_installed};
use waxwing_testkit::revocation::{self as world, CrlSpec, Leaf};

/// After the lists and responses of now, and before the end of the certificates.
const LATER: &str = "2039-01-01";
/// Before them, and after the start of the certificates.
const EARLIER: &str = "2021-01-01";

/// A good certificate and a revoked one.
fn authority() -> Option<Authority> {
    if !is_installed(OPENSSL) {
        return None;
    }
    let authority = Authority::new();
    authority.issue("good", "server");
    authority.issue("revoked", "server");
    authority.revoke("revoked");
    Some(authority)
}

fn verify(authority: &Authority, args: &[&str]) -> Output {
    let trust = ["cert", "verify", "--ca-only", "--ca", "root.pem"];
    waxwing()
        .current_dir(authority.path("."))
        .args(trust)
        .args(args)
        .output()
        .unwrap()
}

fn write(authority: &Authority, file: &str, bytes: &[u8]) {
    fs::write(authority.path(file), bytes).unwrap();
}

#[track_caller]
fn assert_hint(output: &Output, words: &str) {
    let text = stderr(output);
    let hint = text.lines().find(|line| line.starts_with("  help:"));
    assert!(hint.is_some_and(|line| line.contains(words)), "{text}");
}

#[test]
fn a_list_decides_and_the_outcome_is_told() {
    let Some(authority) = authority() else { return };
    let pem = authority.list();
    let convert = [
        "crl", "-in", "root.crl", "-outform", "DER", "-out", "der.crl",
    ];
    let converted = Command::new(OPENSSL)
        .args(convert)
        .current_dir(authority.path("."))
        .status();
    assert!(converted.unwrap().success());
    write(&authority, "list.pem", &pem);
    for file in ["list.pem", "der.crl"] {
        let output = verify(&authority, &["good.pem", "--crl", file]);
        assert_good(&output);
        let words = "CN=good is not revoked: revocation list: good, which is known until";
        assert!(stdout(&output).contains(words), "{}", stdout(&output));
        let output = verify(&authority, &["revoked.pem", "--crl", file]);
        assert_fails(
            &output,
            6,
            "CN=revoked is revoked: revocation list: revoked since",
        );
        assert!(stderr(&output).contains("(keyCompromise)"));
    }
    let both = ["--json", "good.pem", "revoked.pem", "--crl", "list.pem"];
    let output = verify(&authority, &both);
    assert_eq!(code(&output), 6);
    let sources = &json(&output)["sources"];
    let (good, revoked) = (&sources[0]["revocation"], &sources[1]["revocation"]);
    assert_eq!(good["decision"], "good");
    assert_eq!(good["winner"]["source"], "crl");
    assert_eq!(good["winner"]["status"], "good");
    assert!(good["winner"]["until"].is_string());
    assert_eq!(revoked["decision"], "revoked");
    assert_eq!(revoked["winner"]["reason"], "keyCompromise");
    assert!(revoked["winner"]["since"].is_string());
    assert_eq!(sources[1]["failure"]["code"], "CERT_REVOKED");
    assert_eq!(sources[1]["error"]["kind"], "revoked");
    // Nobody was asked.
    let output = verify(&authority, &["--json", "revoked.pem"]);
    assert_good(&output);
    let revocation = &json(&output)["sources"][0]["revocation"];
    assert_eq!(revocation["decision"], "not_known");
    assert_eq!(revocation["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_list_that_says_nothing_counts_softly_or_hard() {
    let Some(authority) = authority() else { return };
    let (impostor, stranger) = (Authority::new(), Authority::named("Somebody else"));
    write(&authority, "own.crl", &authority.list());
    write(&authority, "forged.crl", &impostor.list());
    write(&authority, "strange.crl", &stranger.list());
    for (file, at, code, hint) in [
        ("own.crl", Some(LATER), "CRL_HAS_EXPIRED", "present list"),
        ("own.crl", Some(EARLIER), "CRL_NOT_YET_VALID", ""),
        ("forged.crl", None, "CRL_SIGNATURE_FAILURE", "of that name"),
        (
            "strange.crl",
            None,
            "UNABLE_TO_GET_CRL",
            "the authority that issued it",
        ),
    ] {
        let mut args = vec!["good.pem", "--crl", file];
        args.extend(at.iter().flat_map(|at| ["--at", at]));
        let output = verify(&authority, &args);
        assert_fails(&output, 5, code);
        if !hint.is_empty() {
            assert_hint(&output, hint);
        }
        let hard = verify(&authority, &[&args[..], &["--revocation", "hard"]].concat());
        assert_fails(&hard, 5, code);
        let soft = verify(&authority, &[&args[..], &["--revocation", "soft"]].concat());
        assert_good(&soft);
        assert!(stdout(&soft).contains("nobody says whether CN=good is revoked"));
    }
    // What is revoked stays so, however old the list.
    for how in ["soft", "hard"] {
        let args = [
            "revoked.pem",
            "--crl",
            "own.crl",
            "--at",
            LATER,
            "--revocation",
            how,
        ];
        assert_fails(&verify(&authority, &args), 6, "CERT_REVOKED");
    }
    // One list that counts is enough.
    let args = ["good.pem", "--crl", "strange.crl", "--crl", "own.crl"];
    assert_good(&verify(&authority, &args));
}

#[test]
fn files_that_are_no_list_are_refused_by_name() {
    let Some(authority) = authority() else { return };
    write(&authority, "text", b"nothing of interest");
    write(&authority, "delta.pem", &authority.delta_list());
    write(&authority, "junk.der", &[0x30, 3, 2, 1, 5]);
    for (file, words) in [
        (
            "good.pem",
            "good.pem: it holds a certificate, and no revocation list",
        ),
        ("good.key", "good.key: there is no revocation list in it"),
        ("text", "text: there is no revocation list in it"),
        (
            "delta.pem",
            "delta.pem: it is a delta CRL, which is not supported",
        ),
        ("junk.der", "junk.der: the revocation list is malformed"),
        ("absent", "absent: no such file"),
    ] {
        assert_fails(&verify(&authority, &["good.pem", "--crl", file]), 2, words);
    }
    let output = verify(&authority, &["good.pem", "--ocsp", "good.pem"]);
    assert_fails(&output, 2, "good.pem: it is no OCSP response in DER");
    assert_hint(&output, "openssl ocsp -respout");
    let output = verify(&authority, &["good.pem", "--revocation", "hard"]);
    assert_fails(&output, 2, "there is nobody who tells");
    assert_hint(&output, "--crl FILE");
}

#[test]
fn an_ocsp_response_decides() {
    let Some(authority) = authority() else { return };
    let (_responder, url) = authority.responder();
    for name in ["good", "revoked"] {
        let _ = authority.response(&url, name);
    }
    let output = verify(&authority, &["good.pem", "--ocsp", "good.ocsp"]);
    assert_good(&output);
    assert!(stdout(&output).contains("CN=good is not revoked: stapled OCSP response: good"));
    let output = verify(&authority, &["revoked.pem", "--ocsp", "revoked.ocsp"]);
    assert_fails(&output, 6, "CERT_REVOKED");
    // About another certificate, and out of date.
    let others = ["good.pem", "--ocsp", "revoked.ocsp"];
    let stale = ["good.pem", "--ocsp", "good.ocsp", "--at", LATER];
    for (args, code) in [
        (&others[..], "OCSP_VERIFY_NEEDED"),
        (&stale, "OCSP_VERIFY_FAILED"),
    ] {
        assert_fails(&verify(&authority, args), 5, code);
        let soft = [args, &["--revocation", "soft"]].concat();
        assert_good(&verify(&authority, &soft));
    }
    // Each of two sources has to be content, and both are told.
    write(&authority, "own.crl", &authority.list());
    let both = [
        "good.pem",
        "--crl",
        "own.crl",
        "--ocsp",
        "good.ocsp",
        "--json",
    ];
    let output = verify(&authority, &both);
    assert_good(&output);
    let revocation = &json(&output)["sources"][0]["revocation"];
    assert_eq!(revocation["winner"]["source"], "ocsp");
    assert_eq!(revocation["findings"][1]["source"], "crl");
    let one = ["good.pem", "--crl", "own.crl", "--ocsp", "revoked.ocsp"];
    assert_fails(&verify(&authority, &one), 5, "OCSP_VERIFY_NEEDED");
}

#[test]
fn what_a_server_staples_is_heeded() {
    let Some(authority) = authority() else { return };
    let (_responder, url) = authority.responder();
    let root = authority.path("root.pem");
    let root = root.to_str().unwrap();
    for (name, expected) in [("good", 0), ("revoked", 6)] {
        let staple = authority.response(&url, name);
        for staple in [Some(staple), None] {
            let (_server, port) = serve(&authority, name, staple.as_deref());
            let address = format!("localhost:{port}");
            let expected = if staple.is_some() { expected } else { 0 };
            let output = verify(&authority, &[&address]);
            assert_eq!(code(&output), expected, "{}", stderr(&output));
            // Whoever insists is content with a good staple alone.
            let output = verify(&authority, &[&address, "--revocation", "hard"]);
            let insisting = if staple.is_some() { expected } else { 5 };
            assert_eq!(code(&output), insisting, "{}", stderr(&output));
            let url = format!("tls://{address}");
            let output = get(&["--ca-only", "--ca", root, &url]);
            assert_eq!(code(&output), expected, "{}", stderr(&output));
        }
    }
}

fn serve(authority: &Authority, name: &str, staple: Option<&std::path::Path>) -> (Process, u16) {
    let port = free_port();
    let mut command = Command::new(OPENSSL);
    command
        .args(["s_server", "-rev", "-accept", &port.to_string()])
        .args([
            "-cert",
            &format!("{name}.pem"),
            "-key",
            &format!("{name}.key"),
        ])
        .current_dir(authority.path("."));
    if let Some(staple) = staple {
        command.arg("-status_file").arg(staple);
    }
    let mut process = Process::start(&mut command);
    process.wait_for("ACCEPT");
    (process, port)
}

#[test]
fn lists_can_be_asked_about_intermediate_certificates_too() {
    let dir = tempfile::tempdir().unwrap();
    let root = world::Authority::root("Root");
    let authority = root.under("Authority");
    let (leaf, _) = authority.leaf(&Leaf {
        serial: vec![7, 7],
        ..Leaf::default()
    });
    let list = |of: &world::Authority, revoked: &[Vec<u8>]| {
        of.crl(&CrlSpec {
            revoked: revoked.to_vec(),
            ..CrlSpec::default()
        })
    };
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let pem = |der: &[u8]| to_pem("CERTIFICATE", der).to_string();
    write(
        "chain.pem",
        (pem(&leaf) + &pem(&authority.certificate)).as_bytes(),
    );
    write("root.pem", pem(&root.certificate).as_bytes());
    write("own.crl", &list(&authority, &[]));
    write("root.crl", &list(&root, &[]));
    write("revoked.crl", &list(&root, &[authority.serial()]));
    let verify = |args: &[&str]| {
        let mut command = waxwing();
        command.current_dir(dir.path());
        command.args([
            "cert",
            "verify",
            "chain.pem",
            "--ca-only",
            "--ca",
            "root.pem",
        ]);
        command.args(["--at", "2030-01-01", "--crl", "own.crl"]);
        command.args(args).output().unwrap()
    };
    assert_good(&verify(&[]));
    let chain = ["--revocation", "chain"];
    let output = verify(&chain);
    assert_fails(&output, 5, "UNABLE_TO_GET_CRL");
    assert!(
        stderr(&output).contains("CN=Authority"),
        "{}",
        stderr(&output)
    );
    assert_good(&verify(&[&chain[..], &["--crl", "root.crl"]].concat()));
    for how in ["soft", "hard", "chain"] {
        let output = verify(&["--revocation", how, "--crl", "revoked.crl"]);
        assert_fails(&output, 6, "CN=Authority is revoked");
    }
    // A client's certificate is asked about as a server's is.
    let (me, _) = authority.leaf(&Leaf {
        serial: vec![7, 8],
        for_clients: true,
        ..Leaf::default()
    });
    write(
        "chain.pem",
        (pem(&me) + &pem(&authority.certificate)).as_bytes(),
    );
    write("banned.crl", &list(&authority, &[vec![7, 8]]));
    assert_good(&verify(&["--client"]));
    let output = verify(&["--client", "--crl", "banned.crl"]);
    assert_fails(&output, 6, "is revoked");
    let output = verify(&["--client", "-v", "--crl", "root.crl"]);
    assert!(
        stdout(&output).contains("certificate 1, revocation list: good"),
        "{}",
        stdout(&output)
    );
}
