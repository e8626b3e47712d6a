//! `waxwing cert`: files that are made, and what it says about files and servers.

#![cfg(unix)]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{Server, assert_fails, assert_good, code, get, json, stderr, stdout, waxwing};
use serde_json::Value;
use tempfile::TempDir;
use waxwing::pki::KeyType;
use waxwing_testkit::pki::{self, Case};

/// A folder to work in, whose data folder is in it too.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = waxwing();
        command
            .current_dir(self.0.path())
            .env("XDG_DATA_HOME", self.path("data"));
        command.arg("cert").args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    #[track_caller]
    fn good(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        assert_good(&output);
        output
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    /// Runs openssl; `None`, with a note, where it is not installed.
    fn openssl(&self, args: &str) -> Option<String> {
        let run = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(self.0.path())
            .output();
        let Ok(output) = run else {
            eprintln!("skipped: openssl cannot be run");
            return None;
        };
        assert!(output.status.success(), "{args}: {}", stderr(&output));
        Some(format!("{}{}", stdout(&output), stderr(&output)))
    }
}

#[test]
fn a_new_certificate_serves_at_once() {
    let place = Place::new();
    let output = place.good(&[
        "new",
        "localhost",
        "127.0.0.1",
        "*.bücher.example",
        "--json",
    ]);
    let facts = json(&output);
    assert_eq!(facts["schema"], "waxwing.cert.new/1");
    assert_eq!(facts["certificate_file"], "localhost.pem");
    assert_eq!(facts["key_file"], "localhost.key");
    let names = ["localhost", "127.0.0.1", "*.xn--bcher-kva.example"];
    assert_eq!(facts["names"], Value::from(names.to_vec()));
    assert_eq!(
        (place.mode("localhost.key"), place.mode("localhost.pem")),
        (0o600, 0o644)
    );

    let (cert, key) = (place.path("localhost.pem"), place.path("localhost.key"));
    let server = Server::start(&["--echo", "--cert", &cert, "--key", &key]);
    assert_eq!(server.pin(), facts["key_pin"]);
    assert_good(&get(&["--ca-only", "--ca", &cert, &server.url("")]));
}

#[test]
fn an_authority_issues_for_both_sides_of_mutual_tls() {
    let place = Place::new();
    let output = place.good(&["ca", "--json", "--name", "Test authority"]);
    let root = json(&output)["certificate_file"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(root, place.path("data/waxwing/ca/ca.pem"));
    assert_eq!(place.mode("data/waxwing/ca"), 0o700);
    assert_eq!(place.mode("data/waxwing/ca/ca.key"), 0o600);
    place.good(&["new", "--ca", "localhost"]);
    place.good(&[
        "new",
        "--ca",
        "--client",
        "me@example.org",
        "-o",
        "me.pem",
        "--key-out",
        "me.key",
    ]);

    let (cert, key) = (place.path("localhost.pem"), place.path("localhost.key"));
    let server = Server::start(&[
        "--echo",
        "--cert",
        &cert,
        "--key",
        &key,
        "--client-ca",
        &root,
    ]);
    let port = server.address().port();
    let url = format!("tls://localhost:{port}");
    let trust = ["--ca-only", "--ca", &root];
    let (me, me_key) = (place.path("me.pem"), place.path("me.key"));
    let own = ["--cert", &me, "--key", &me_key, &url];
    assert_good(&get(&[&trust[..], &own[..]].concat()));
    assert_fails(
        &get(&[&trust[..], &[&url]].concat()),
        4,
        "certificate_required",
    );
    // A server's certificate is none for clients.
    let wrong = ["--cert", &cert, "--key", &key, &url];
    assert_eq!(code(&get(&[&trust[..], &wrong[..]].concat())), 4);
}

#[test]
fn files_are_replaced_only_by_force() {
    let place = Place::new();
    place.good(&["new", "a.test"]);
    let before = (place.read("a.test.pem"), place.read("a.test.key"));
    assert_fails(
        &place.run(&["new", "a.test"]),
        2,
        "a.test.pem: it exists already",
    );
    // Neither is written if one of them is there.
    let output = place.run(&["new", "a.test", "-o", "other.pem"]);
    assert_fails(&output, 2, "a.test.key: it exists already");
    assert!(!Path::new(&place.path("other.pem")).exists());
    assert_eq!((place.read("a.test.pem"), place.read("a.test.key")), before);

    // A key that others could read is replaced by one that they cannot.
    let open = fs::Permissions::from_mode(0o666);
    fs::set_permissions(place.path("a.test.key"), open).unwrap();
    place.good(&["new", "--force", "a.test"]);
    assert_ne!(place.read("a.test.key"), before.1);
    assert_eq!(place.mode("a.test.key"), 0o600);
    place.good(&["match", "a.test.pem", "a.test.key"]);

    place.good(&["ca", "ca"]);
    assert_fails(&place.run(&["ca", "ca"]), 2, "ca/ca.pem: it exists already");
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("b.test.key")).unwrap();
    assert_fails(
        &place.run(&["new", "b.test"]),
        2,
        "b.test.key: it exists already",
    );
    assert!(!Path::new(&place.path("elsewhere")).exists());
}

#[test]
fn keys_are_encrypted_on_demand() {
    let place = Place::new();
    place.write("pass", "correct horse\n");
    place.write("wrong", "x\n");
    place.good(&["ca", "ca", "--passphrase-file", "pass"]);
    assert!(
        place
            .read("ca/ca.key")
            .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    assert_fails(
        &place.run(&["new", "--ca=ca", "a.test"]),
        2,
        "no passphrase was given",
    );
    let with = |file| place.run(&["new", "--ca=ca", "--ca-passphrase-file", file, "a.test"]);
    assert_fails(&with("wrong"), 2, "ca/ca.key: the passphrase is wrong");
    assert_good(&with("pass"));
    place.good(&["csr", "b.test", "--passphrase-file", "pass"]);
    assert_fails(
        &place.run(&["match", "b.test.csr", "b.test.key"]),
        2,
        "encrypted",
    );
    place.good(&[
        "match",
        "b.test.csr",
        "b.test.key",
        "--passphrase-file",
        "pass",
    ]);
    let shown = place.good(&["show", "b.test.key"]);
    assert!(
        stdout(&shown).contains("encrypted; --passphrase-file"),
        "{}",
        stdout(&shown)
    );
    let shown = place.good(&["show", "b.test.key", "--passphrase-file", "pass"]);
    assert!(
        stdout(&shown).contains("ECDSA P-256, encrypted"),
        "{}",
        stdout(&shown)
    );
    place.write("empty", "\n");
    let output = place.run(&["csr", "c.test", "--passphrase-file", "empty"]);
    assert_fails(&output, 2, "its first line is empty");
}

#[test]
fn requests_are_accepted_by_openssl() {
    let place = Place::new();
    for kind in ["p256", "p384", "ed25519", "rsa2048"] {
        let args = [
            "csr",
            "a.test",
            "::1",
            "--must-staple",
            "--key-type",
            kind,
            "--force",
        ];
        place.good(&args);
        place.good(&["match", "a.test.csr", "a.test.key"]);
        let Some(text) = place.openssl("req -in a.test.csr -verify -noout -text") else {
            return;
        };
        for words in [
            "verify OK",
            "DNS:a.test, IP Address:0:0:0:0:0:0:0:1",
            "status_request",
        ] {
            assert!(text.contains(words), "{kind}: no {words} in {text}");
        }
    }
    // For a key that is there already, of any form.
    place.openssl("genrsa -traditional -out own.key 2048");
    place.good(&["csr", "own.test", "--key", "own.key"]);
    assert!(!Path::new(&place.path("own.test.key")).exists());
    place.good(&["match", "own.test.csr", "own.key"]);
    let shown = json(&place.good(&["show", "--json", "own.test.csr"]));
    let item = &shown["sources"][0]["items"][0];
    assert_eq!(
        (&item["type"], &item["signature_good"]),
        (&"request".into(), &true.into())
    );
}

#[test]
fn many_sources_are_shown_at_once() {
    let place = Place::new();
    place.good(&["new", "a.test"]);
    place.good(&["csr", "b.test"]);
    let server = Server::start(&["--echo"]);
    let address = server.address().to_string();
    let mut child = place
        .command(&[
            "show",
            "--json",
            "a.test.pem",
            "a.test.key",
            "b.test.csr",
            "-",
            &address,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bundle = format!(
        "some text\n{}{}",
        place.read("a.test.pem"),
        place.read("a.test.key")
    );
    child
        .stdin
        .take()
        .unwrap()
        .write_all(bundle.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_good(&output);
    let document = json(&output);
    assert_eq!(document["schema"], "waxwing.cert.show/1");
    let kinds: Vec<Vec<&str>> = document["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| {
            let items = source["items"].as_array().unwrap();
            items
                .iter()
                .map(|item| item["type"].as_str().unwrap())
                .collect()
        })
        .collect();
    let expected: [&[&str]; 5] = [
        &["certificate"],
        &["private_key"],
        &["request"],
        &["certificate", "private_key"],
        &["certificate"],
    ];
    assert_eq!(kinds, expected);
    let certificate = &document["sources"][0]["items"][0];
    assert_eq!(certificate["subject_parts"][0]["name"], "CN");
    assert_eq!(certificate["pem"], place.read("a.test.pem"));
    let served = &document["sources"][4]["items"][0];
    assert_eq!(served["sha256"], server.text("/certificate/sha256"));
    // The private key is nowhere in it.
    let secret = place.read("a.test.key");
    let line = secret.lines().nth(1).unwrap();
    assert!(!stdout(&output).contains(line));
}

#[test]
fn people_are_shown_what_they_ask_for() {
    let place = Place::new();
    place.good(&["new", "a.test", "--both", "--common-name", "A test"]);
    let output = place.good(&["show", "a.test.pem"]);
    for words in [
        "a.test.pem\n",
        "CN=A test",
        "(self-issued)",
        "days left)",
        "be a server, be a client",
        "sha256/",
    ] {
        assert!(
            stdout(&output).contains(words),
            "{words}: {}",
            stdout(&output)
        );
    }
    let output = place.good(&["show", "--pem", "a.test.pem", "a.test.key"]);
    assert_eq!(stdout(&output), place.read("a.test.pem"));
    if place
        .openssl("x509 -in a.test.pem -outform DER -out a.der")
        .is_some()
    {
        let der = place.good(&["show", "--pem", "a.der"]);
        assert_eq!(stdout(&der), place.read("a.test.pem"));
    }
}

#[test]
fn what_cannot_be_shown_does_not_hide_the_rest() {
    let place = Place::new();
    place.good(&["new", "a.test"]);
    place.write("text", "nothing of interest");
    place.write("broken", &place.read("a.test.pem")[..100]);
    let output = place.run(&[
        "show",
        "--json",
        "absent",
        "text",
        "broken",
        "a.test.pem",
        "[::1]:1",
    ]);
    assert_eq!(code(&output), 3, "the highest of all codes");
    let document = json(&output);
    let codes: Vec<_> = document["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["error"]["exit_code"].as_u64())
        .collect();
    assert_eq!(codes, [Some(2), Some(2), Some(2), None, Some(3)]);
    assert_eq!(stderr(&output).matches("error: ").count(), 4);
    assert_fails(&place.run(&["show", "absent"]), 2, "absent: no such file");
    assert!(stderr(&place.run(&["show", "absent"])).contains("HOST:PORT"));
}

#[test]
fn a_verdict_has_its_reason_and_its_code() {
    let place = Place::new();
    place.good(&["ca", "ca"]);
    place.good(&["new", "--ca=ca", "a.test", "*.b.test", "--days", "30"]);
    place.good(&["new", "--ca=ca", "--client", "me@a.test"]);
    place.good(&["new", "self.test"]);
    let trust = ["verify", "--ca", "ca/ca.pem", "--ca-only"];
    let verify = |args: &[&str]| place.run(&[&trust[..], args].concat());
    assert_good(&verify(&["a.test.pem"]));
    assert_good(&verify(&["a.test.pem", "--name", "x.b.test"]));
    assert_good(&verify(&["--client", "me@a.test.pem"]));
    assert_fails(&verify(&["a.test.pem", "--name", "c.test"]), 5, "c.test");
    assert_fails(
        &verify(&["self.test.pem"]),
        5,
        "DEPTH_ZERO_SELF_SIGNED_CERT",
    );
    assert_fails(&verify(&["me@a.test.pem"]), 5, "INVALID_PURPOSE");
    assert_fails(
        &verify(&["--client", "a.test.pem"]),
        5,
        "does not allow clients",
    );
    assert_fails(
        &verify(&["a.test.pem", "--at", "2020-01-01"]),
        5,
        "CERT_NOT_YET_VALID",
    );
    assert_fails(
        &verify(&["a.test.pem", "--at", "2040-01-01T00:00:00Z"]),
        5,
        "CERT_HAS_EXPIRED",
    );
    assert_fails(
        &verify(&["a.test.key"]),
        2,
        "no certificate in it, but a private key",
    );
    assert_eq!(code(&verify(&["a.test.pem", "--at", "tomorrow"])), 2);

    let output = verify(&["--json", "a.test.pem", "self.test.pem", "absent"]);
    assert_eq!(code(&output), 5);
    let sources = &json(&output)["sources"];
    let verdicts = [
        &sources[0]["accepted"],
        &sources[1]["accepted"],
        &sources[2]["accepted"],
    ];
    assert_eq!(verdicts, [&Value::from(true), &false.into(), &false.into()]);
    assert_eq!(sources[1]["error"]["kind"], "untrusted");
    assert_eq!(sources[1]["failure"]["code"], "DEPTH_ZERO_SELF_SIGNED_CERT");
    assert_eq!(sources[1]["failure"]["certificate"]["place"], 0);
    assert_eq!(sources[2]["error"]["kind"], "usage");
}

#[test]
fn the_depth_of_a_chain_has_a_limit_on_demand() {
    let place = Place::new();
    let files = pki::write_pem(Case::Good(KeyType::P256), place.0.path()).unwrap();
    let (chain, anchor) = (
        files.chain.to_str().unwrap(),
        files.anchor.to_str().unwrap(),
    );
    let verify = |args: &[&str]| {
        place.run(&[&["verify", "--ca-only", "--ca", anchor, chain], args].concat())
    };
    assert_good(&verify(&[]));
    assert_good(&verify(&["--depth", "1"]));
    assert_fails(&verify(&["--depth", "0"]), 5, "CERT_CHAIN_TOO_LONG");
}

#[test]
fn a_profile_for_public_authorities_is_stricter() {
    let place = Place::new();
    place.good(&["ca", "ca"]);
    place.good(&[
        "new",
        "--ca=ca",
        "a.test",
        "--common-name",
        "no name of a host",
    ]);
    let trust = ["verify", "--ca-only", "--ca", "ca/ca.pem", "a.test.pem"];
    place.good(&trust);
    place.good(&[&trust[..], &["--profile", "path"]].concat());
    let output = place.run(&[&trust[..], &["--profile", "web-pki"]].concat());
    assert_eq!(code(&output), 5, "{}", stderr(&output));
}

#[test]
fn servers_are_verified_by_their_names() {
    let place = Place::new();
    let server = Server::start(&["--echo"]);
    let address = format!("localhost:{}", server.address().port());
    let verify =
        |args: &[&str]| place.run(&[&["verify", "--ca-only", "--ca", server.ca()], args].concat());
    assert_good(&verify(&[&address]));
    assert_fails(&verify(&[&address, "--name", "a.test"]), 5, "a.test");
    assert_fails(
        &place.run(&["verify", &address]),
        5,
        "DEPTH_ZERO_SELF_SIGNED_CERT",
    );
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    assert_fails(
        &verify(&[&format!("127.0.0.1:{port}")]),
        3,
        "cannot connect",
    );
}

#[test]
fn a_match_is_told_by_the_exit_code() {
    let place = Place::new();
    place.good(&["new", "a.test"]);
    place.good(&["new", "b.test"]);
    let output = place.good(&["match", "a.test.pem", "a.test.key"]);
    assert!(stdout(&output).starts_with("match: sha256/"));
    assert_fails(
        &place.run(&["match", "a.test.pem", "b.test.key"]),
        1,
        "does not belong to",
    );
    // Of a chain, any certificate may be the one.
    let chain = format!("{}{}", place.read("b.test.pem"), place.read("a.test.pem"));
    place.write("chain.pem", &chain);
    place.good(&["match", "chain.pem", "a.test.key", "b.test.key"]);
    let output = place.run(&["match", "--json", "a.test.pem", "a.test.key", "b.test.key"]);
    assert_eq!(code(&output), 1);
    let keys = &json(&output)["keys"];
    assert_eq!(
        (&keys[0]["matches"], &keys[1]["matches"]),
        (&true.into(), &false.into())
    );
    assert_fails(
        &place.run(&["match", "a.test.key", "a.test.key"]),
        2,
        "no certificate",
    );
    assert_fails(
        &place.run(&["match", "a.test.pem", "a.test.pem"]),
        2,
        "no private key",
    );
}

#[test]
fn what_browsers_refuse_is_told() {
    let place = Place::new();
    let output = place.good(&["new", "a.test", "--days", "399"]);
    assert!(stderr(&output).contains("more than 398 days"));
    let output = place.good(&["new", "b.test", "--days", "398"]);
    assert_eq!(stderr(&output), "");
    let output = place.good(&["new", "c.test", "--client", "--days", "3000"]);
    assert_eq!(stderr(&output), "");
    assert_eq!(code(&place.run(&["new", "not a name"])), 2);
    assert_eq!(code(&place.run(&["new"])), 2);
}

#[test]
fn every_help_begins_with_examples() {
    let place = Place::new();
    for command in ["new", "ca", "csr", "show", "verify", "match"] {
        let output = place.good(&[command, "--help"]);
        let text = stdout(&output);
        let examples = text.find("Examples:").unwrap();
        assert!(examples < text.find("Usage:").unwrap(), "{text}");
        assert!(
            text.contains(&format!("  waxwing cert {command}")),
            "{text}"
        );
    }
}

#[test]
fn pkcs12_is_shown() {
    let place = Place::new();
    place.good(&["new", "a.test"]);
    let pack = "pkcs12 -export -inkey a.test.key -in a.test.pem -out a.p12 -passout pass:x";
    if place.openssl(pack).is_none() {
        return;
    }
    place.write("pass", "x\n");
    let output = place.run(&["show", "a.p12"]);
    assert_fails(&output, 2, "a.p12: the passphrase is wrong");
    let output = place.good(&["show", "--json", "a.p12", "--passphrase-file", "pass"]);
    let items = &json(&output)["sources"][0]["items"];
    assert_eq!(
        (&items[0]["type"], &items[1]["type"]),
        (&"certificate".into(), &"private_key".into())
    );
    assert_eq!(items[0]["key_pin"], items[1]["key_pin"]);
}
