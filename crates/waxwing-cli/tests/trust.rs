//! Whom `waxwing get` trusts, and what it gives away.

mod common;

use std::fs;

use common::{Server, assert_fails, assert_good, code, get, json, stderr, stdout, waxwing};
use serde_json::Value;

fn echo() -> Server {
    Server::start(&["--echo"])
}

/// The certificate of nobody who serves.
fn other_ca(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("other.pem");
    let server = Server::start(&["--echo", "--cert-out", path.to_str().unwrap()]);
    assert_eq!(server.ca(), path.to_str().unwrap());
    drop(server);
    path.to_str().unwrap().to_owned()
}

#[test]
fn pins_decide_alone() {
    let server = echo();
    let url = server.url("");
    let certificate = server.text("/certificate/sha256");
    assert_good(&get(&["--pin", server.pin(), &url]));
    assert_good(&get(&["--pin", certificate, &url]));
    let wrong = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_fails(&get(&["--pin", wrong, &url]), 5, "pinned");
    assert_good(&get(&["--pin", wrong, "--pin", server.pin(), &url]));
    let output = get(&["--pin", "sha1/x", &url]);
    assert_eq!(code(&output), 2);
}

#[test]
fn who_is_not_trusted_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let (server, other) = (echo(), other_ca(&folder));
    let url = server.url("");
    let untrusted = ["--ca-only", "--ca", &other, &url];
    assert_fails(&get(&untrusted), 5, "localhost: ");
    let by_variable = waxwing()
        .env("SSL_CERT_FILE", &other)
        .args(["get", &url])
        .output()
        .unwrap();
    assert_fails(&by_variable, 5, "localhost: ");
    let by_variable = waxwing()
        .env("SSL_CERT_FILE", server.ca())
        .args(["get", &url])
        .output()
        .unwrap();
    assert_good(&by_variable);
    let named = ["--servername", "a.test", "--ca", server.ca(), &url];
    assert_fails(&get(&named), 5, "another name");
    let missing = ["--ca", "/nonexistent", &url];
    assert_fails(&get(&missing), 2, "/nonexistent");
}

#[test]
fn insecure_says_what_it_skips() {
    let folder = tempfile::tempdir().unwrap();
    let (server, other) = (echo(), other_ca(&folder));
    let url = server.url("");
    let output = get(&["--insecure", "--ca-only", "--ca", &other, &url]);
    assert_good(&output);
    assert!(stderr(&output).contains("warning: not trusted, but accepted by --insecure: "));
    let output = get(&["--insecure", "--ca", server.ca(), &url]);
    assert_good(&output);
    assert!(stderr(&output).contains("trusted without it"));
}

#[test]
fn the_handshake_is_shown_in_about_ten_lines() {
    let server = echo();
    let output = get(&["-v", "--pin", server.pin(), &server.url("")]);
    assert_good(&output);
    let text = stderr(&output);
    for words in [
        "TLSv1.3, TLS_AES_128_GCM_SHA256",
        "X25519MLKEM768 (post-quantum: yes)",
        "ecdsa_secp256r1_sha256 by ECDSA P-256",
        "CN=localhost; for localhost, 127.0.0.1, ::1",
        "days left)",
        server.pin(),
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!((8..=12).contains(&text.lines().count()), "{text}");
    let classic = [
        "--groups",
        "secp384r1",
        "--ciphers",
        "tls_chacha20_poly1305_sha256",
    ];
    let url = server.url("");
    let args = [&["-v", "--pin", server.pin()], &classic[..], &[&url]].concat();
    let output = get(&args);
    let text = stderr(&output);
    assert!(text.contains("secp384r1 (post-quantum: no)"), "{text}");
    assert!(text.contains("TLS_CHACHA20_POLY1305_SHA256"), "{text}");
}

#[test]
fn every_kind_of_key_can_be_served() {
    for kind in ["p256", "ed25519", "rsa2048", "rsa3072", "ml-dsa-65"] {
        let server = Server::start(&["--echo", "--key-type", kind, "--san", "a.test"]);
        let port = server.address().port();
        let url = format!("tls://a.test:{port}");
        let resolve = ["--resolve", "a.test:127.0.0.1", "--ca", server.ca()];
        let output = get(&[&resolve[..], &["--ca-only", &url]].concat());
        assert_good(&output);
    }
}

#[test]
fn a_trace_tells_why_a_server_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (server, other) = (echo(), other_ca(&folder));
    let trace = folder.path().join("trace.jsonl");
    let untrusted = [
        "--trace",
        trace.to_str().unwrap(),
        "--ca-only",
        "--ca",
        &other,
    ];
    let output = get(&[&untrusted[..], &[&server.url("")]].concat());
    assert_fails(&output, 5, "DEPTH_ZERO_SELF_SIGNED_CERT");
    let text = fs::read_to_string(&trace).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let failed: Vec<_> = lines.filter(|line| line["event"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{text}");
    let error = failed[0]["error"].as_str().unwrap();
    for words in [
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "RFC 5280",
        server.text("/certificate/sha256"),
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_trace_has_everything_but_secrets() {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "the content of the file").unwrap();
    let server = Server::start(&[site.path().to_str().unwrap()]);
    let trace = site.path().join("trace.jsonl");
    let keys = site.path().join("keys");
    let output = get(&[
        "--trace",
        trace.to_str().unwrap(),
        "--keylog",
        keys.to_str().unwrap(),
        "--groups",
        "x25519",
        "--ca",
        server.ca(),
        &server.url("a.txt"),
    ]);
    assert_good(&output);
    assert_eq!(stdout(&output), "the content of the file");
    assert!(stderr(&output).starts_with("warning: the secrets of every connection"));
    let text = fs::read_to_string(&trace).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["schema"] == "waxwing.trace/1"));
    let messages: Vec<&str> = lines
        .iter()
        .filter(|line| line["event"] == "message")
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    let expected = "client_hello server_hello encrypted_extensions compressed_certificate \
                    certificate_verify finished finished";
    assert_eq!(messages.join(" "), expected);
    let certificate = lines
        .iter()
        .find(|line| line["message"] == "compressed_certificate");
    assert_eq!(certificate.unwrap()["detail"]["algorithm"], "brotli");
    let hello = lines.iter().find(|line| line["message"] == "client_hello");
    assert_eq!(hello.unwrap()["detail"]["server_name"], "localhost");
    let records = lines.iter().filter(|line| line["event"] == "record");
    assert!(records.count() > 4);
    let keys = fs::read_to_string(&keys).unwrap();
    let secrets: Vec<&str> = keys
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert!(secrets.len() >= 4, "{keys}");
    for secret in secrets {
        assert!(secret.len() >= 64 && !text.contains(secret));
    }
    assert!(!text.contains("the content"));
}

#[test]
fn the_key_log_variable_is_heeded_and_announced() {
    let folder = tempfile::tempdir().unwrap();
    let (server, keys) = (echo(), folder.path().join("keys"));
    let run = |value: &str| {
        let args = ["get", "--pin", server.pin(), &server.url("")];
        let mut command = waxwing();
        command.env("SSLKEYLOGFILE", value).args(args);
        command.output().unwrap()
    };
    let output = run(keys.to_str().unwrap());
    assert_good(&output);
    assert!(stderr(&output).contains("warning: the secrets"));
    assert!(
        fs::read_to_string(&keys)
            .unwrap()
            .contains("CLIENT_TRAFFIC_SECRET_0 ")
    );
    let output = run("");
    assert_good(&output);
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_server_that_cannot_be_reached_is_another_thing_than_one_that_cannot_be_trusted() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let url = format!("https://127.0.0.1:{port}/");
    assert_fails(&get(&[&url]), 3, "cannot connect");
    assert_fails(&get(&["https://does-not-exist.invalid/"]), 3, "cannot find");
    let plain = common::upstream(|_, out| out.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").unwrap());
    let output = get(&["--json", &format!("https://{plain}/")]);
    assert_fails(&output, 4, "plain HTTP");
    assert_eq!(json(&output)["error"]["kind"], "tls");
}
