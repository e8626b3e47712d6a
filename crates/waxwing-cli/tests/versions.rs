//! TLS 1.2 and 1.3: which is spoken, and what is said of it.

mod common;

use std::fs;

use common::{Server, assert_fails, assert_good, code, get, json, noise, stderr, stdout, waxwing};
use serde_json::Value;

const OLD: &str = "TLSv1.2, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
const NEW: &str = "TLSv1.3, TLS_AES_128_GCM_SHA256";

#[test]
fn the_newest_version_that_both_want_is_spoken() {
    for (theirs, ours, expected) in [
        (&[][..], &[][..], NEW),
        (&["--max-version", "1.2"], &[], OLD),
        (&[], &["--max-version", "tls1.2"], OLD),
        (&["--min-version", "1.3"], &[], NEW),
        (&[], &["--min-version", "1.3"], NEW),
    ] {
        let server = Server::start(&[&["--echo"], theirs].concat());
        let url = server.url("");
        let output = get(&[&["-v", "--pin", server.pin(), &url], ours].concat());
        assert_good(&output);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn without_a_common_version_both_say_so() {
    let mut server = Server::start(&["--echo", "--max-version", "1.2"]);
    let url = server.url("");
    let output = get(&["--min-version", "1.3", "--pin", server.pin(), &url]);
    assert_fails(&output, 4, "protocol_version");
    assert!(stderr(&output).contains("RFC 8996"), "{}", stderr(&output));
    server.wait_for("no common protocol version");
}

#[test]
fn versions_that_cannot_be_spoken_are_refused_in_words() {
    let usage = |args: &[&str]| {
        let output = get(args);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        stderr(&output).to_owned()
    };
    for old in ["1.0", "1.1"] {
        let text = usage(&["--min-version", old, "https://localhost"]);
        let words = format!("TLS {old} is unsafe and must not be used (RFC 8996)");
        assert!(text.contains(&words), "{text}");
    }
    let text = usage(&["--max-version", "2", "https://localhost"]);
    assert!(text.contains("there are 1.2 and 1.3"), "{text}");
    let crossed = ["--min-version", "1.3", "--max-version", "1.2"];
    let text = usage(&[&crossed[..], &["https://localhost"]].concat());
    assert!(text.contains("--max-version TLSv1.2 is older"), "{text}");
    let output = waxwing()
        .args(["serve", "--echo", "--min-version", "1.1"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("RFC 8996"));
}

#[test]
fn chosen_cipher_suites_choose_the_version_too() {
    let server = Server::start(&["--echo"]);
    let url = server.url("");
    let run = |args: &[&str]| get(&[&["-v", "--pin", server.pin(), &url], args].concat());
    let old = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    let new = "TLS_AES_256_GCM_SHA384";
    let both = format!("{old},{new}");
    for (suites, expected) in [
        (old, format!("TLSv1.2, {old}")),
        (new, format!("TLSv1.3, {new}")),
        (&both, format!("TLSv1.3, {new}")),
    ] {
        let output = run(&["--ciphers", suites]);
        assert_good(&output);
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    }
    let output = run(&["--ciphers", new, "--max-version", "1.2"]);
    assert_fails(&output, 2, "none of the --ciphers");
}

#[test]
fn files_are_served_over_either_http_and_reported() {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("big"), noise(3_000_000)).unwrap();
    let server = Server::start(&["--max-version", "1.2", site.path().to_str().unwrap()]);
    assert_eq!(server.facts["versions"][0], "TLSv1.2");
    assert_eq!(server.facts["versions"][1], "TLSv1.2");
    for (http, alpn) in [("--http1.1", "http/1.1"), ("--http2", "h2")] {
        let body = site.path().join("body");
        let into = ["-o", body.to_str().unwrap(), "--json"];
        let trust = ["--ca", server.ca(), http, &server.url("big")];
        let output = get(&[&into[..], &trust].concat());
        assert_good(&output);
        assert!(fs::read(&body).unwrap() == noise(3_000_000), "{http}");
        let connection = &json(&output)["connection"];
        assert_eq!(connection["version"], "TLSv1.2");
        assert_eq!(connection["alpn"], alpn);
        assert_eq!(connection["group"], "x25519");
        assert_eq!(connection["post_quantum"], false);
        assert_eq!(connection["client_auth_requested"], false);
        assert_eq!(connection["client_certificate"], Value::Null);
    }
}

#[test]
fn every_kind_of_key_that_tls_1_2_has_can_be_served() {
    for (kind, suite) in [
        ("p256", "ECDHE_ECDSA"),
        ("p521", "ECDHE_ECDSA"),
        ("ed25519", "ECDHE_ECDSA"),
        ("rsa2048", "ECDHE_RSA"),
    ] {
        let more = ["--key-type", kind, "--max-version", "1.2"];
        let server = Server::start(&[&["--echo"], &more[..]].concat());
        let output = get(&["-v", "--ca", server.ca(), &server.url("")]);
        assert_good(&output);
        assert!(stderr(&output).contains(suite), "{}", stderr(&output));
    }
}

#[test]
fn a_trace_of_tls_1_2_has_everything_but_secrets() {
    let site = tempfile::tempdir().unwrap();
    let path = |name: &str| site.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("a.txt"), "the content of the file").unwrap();
    let server = Server::start(&["--max-version", "1.2", site.path().to_str().unwrap()]);
    let output = get(&[
        "--trace",
        &path("trace"),
        "--keylog",
        &path("keys"),
        "--ca",
        server.ca(),
        &server.url("a.txt"),
    ]);
    assert_good(&output);
    assert_eq!(stdout(&output), "the content of the file");
    let text = fs::read_to_string(path("trace")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let messages: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["message"].as_str())
        .collect();
    let expected = "client_hello server_hello certificate server_key_exchange \
                    server_hello_done client_key_exchange finished finished";
    assert_eq!(messages.join(" "), expected);
    let told = |message: &str| {
        let line = lines.iter().find(|line| line["message"] == message);
        line.unwrap()["detail"].clone()
    };
    assert_eq!(told("server_key_exchange")["group"], "x25519");
    assert_eq!(told("client_key_exchange")["public_length"], 32);
    let lengths = &told("certificate")["certificate_lengths"];
    assert_eq!(lengths.as_array().unwrap().len(), 1);
    let keys = fs::read_to_string(path("keys")).unwrap();
    let line = keys.lines().find(|line| line.starts_with("CLIENT_RANDOM "));
    let secret = line.unwrap().rsplit(' ').next().unwrap();
    assert_eq!(secret.len(), 96);
    assert!(!text.contains(secret) && !text.contains("the content"));
}
