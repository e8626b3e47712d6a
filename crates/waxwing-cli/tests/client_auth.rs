//! `serve --client-ca` and `get --cert`: clients that show who they are.

mod common;

use std::fs;
use std::sync::mpsc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::{Server, assert_fails, assert_good, code, get, json, read_head, stderr, stdout};
use common::{upstream, waxwing};
use waxwing::pki::KeyType;
use waxwing_interop::Identity;
use waxwing_testkit::pki::{self, CLIENT_SUBJECT, Case};

const VERSIONS: [&str; 2] = ["1.2", "1.3"];

fn client() -> Identity {
    Identity::of(Case::Client(KeyType::P256))
}

/// A server that asks for certificates under the authority of `client`.
fn server(client: &Identity, more: &[&str]) -> Server {
    Server::start(&[&["--client-ca", client.anchor()], more].concat())
}

/// The options of `get` that show `client`.
fn shows(client: &Identity) -> [&str; 4] {
    ["--cert", client.chain(), "--key", client.key()]
}

#[test]
fn required_means_required() {
    let client = client();
    let mut server = server(&client, &["--echo"]);
    assert_eq!(server.text("/client_auth"), "required");
    let url = server.url("");
    for version in VERSIONS {
        let base = ["-v", "--max-version", version, "--pin", server.pin(), &url].map(str::to_owned);
        let base = base.each_ref().map(String::as_str);
        let output = get(&[&base[..], &shows(&client)].concat());
        assert_good(&output);
        let line = format!("client cert   {CLIENT_SUBJECT}, ecdsa_secp256r1_sha256\n");
        assert!(stderr(&output).contains(&line), "{}", stderr(&output));
        server.wait_for(&format!(
            " is {CLIENT_SUBJECT}, by CN=Waxwing test intermediate"
        ));

        let output = get(&base);
        assert_eq!(code(&output), 4);
        let (alert, hint) = match version {
            "1.2" => ("alert handshake_failure", ""),
            _ => ("alert certificate_required", "--cert FILE"),
        };
        let text = stderr(&output);
        assert!(text.contains(alert) && text.contains(hint), "{text}");
        server.wait_for("handshake failed: the client showed no certificate");

        let stranger = Identity::of(Case::UntrustedClient);
        let output = get(&[&base[..], &shows(&stranger)].concat());
        assert_eq!(code(&output), 4);
        assert!(
            stderr(&output).contains("unknown_ca"),
            "{}",
            stderr(&output)
        );
        server.wait_for("issued by CN=Waxwing stranger root, which is not among the 1 trust");
    }
}

#[test]
fn a_refused_https_client_fails_and_mostly_hears_why() {
    let client = client();
    let site = tempfile::tempdir().unwrap();
    let server = server(&client, &[site.path().to_str().unwrap()]);
    for version in VERSIONS {
        for http in ["--http1.1", "--http2"] {
            let base = ["--max-version", version, http, "--ca", server.ca()];
            let output = get(&[&base[..], &[&server.url("")]].concat());
            // In TLS 1.3 the request is under way by then, and TCP may drop the alert.
            let words = match version {
                "1.2" => "the peer sent the alert handshake_failure",
                _ => "localhost",
            };
            assert_fails(&output, 4, words);
        }
    }
}

#[test]
fn optional_serves_those_without_but_not_those_with_a_bad_one() {
    let client = client();
    let server = server(&client, &["--echo", "--client-auth", "optional"]);
    assert_eq!(server.text("/client_auth"), "optional");
    let url = server.url("");
    for version in VERSIONS {
        let base = ["-v", "--max-version", version, "--pin", server.pin(), &url];
        let output = get(&base);
        assert_good(&output);
        assert!(stderr(&output).contains("client cert   asked for; none was shown\n"));
        assert_good(&get(&[&base[..], &shows(&client)].concat()));
        let expired = Identity::of(Case::ExpiredClient);
        let output = get(&[&base[..], &shows(&expired)].concat());
        assert_eq!(code(&output), 4);
        assert!(
            stderr(&output).contains("certificate_expired"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn who_came_is_in_the_log_of_requests() {
    let client = client();
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "for friends").unwrap();
    let mut server = server(&client, &[site.path().to_str().unwrap()]);
    for version in VERSIONS {
        for http in ["--http1.1", "--http2"] {
            let base = ["--max-version", version, http, "--ca", server.ca()];
            let url = server.url("a.txt");
            let output = get(&[&base[..], &shows(&client), &[&url, "--json"]].concat());
            assert_good(&output);
            let report = &json(&output)["connection"];
            assert_eq!(report["client_auth_requested"], true);
            let shown = &report["client_certificate"];
            assert_eq!(shown["subject"], CLIENT_SUBJECT);
            assert_eq!(shown["signature_scheme"], "ecdsa_secp256r1_sha256");
            server.wait_for(&format!(" ({CLIENT_SUBJECT}) \"GET /a.txt HTTP/"));
        }
    }
}

#[test]
fn the_server_behind_a_proxy_sees_the_certificate_and_no_forged_one() {
    let (tell, heads) = mpsc::channel();
    let behind = upstream(move |mut request, response| {
        tell.send(read_head(&mut request)).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        response.write_all(answer).unwrap();
    });
    let client = client();
    let to = format!("http://{behind}");
    let server = server(&client, &["--to", &to, "--client-auth", "optional"]);
    let url = server.url("");
    let leaf = pki::credentials(Case::Client(KeyType::P256)).chain[0].clone();
    let header = format!("client-cert: :{}:\r\n", BASE64_STANDARD.encode(leaf));
    for version in VERSIONS {
        let forged = ["-H", "Client-Cert: :AAAA:", "-H", "Client-Cert-Chain: :AA:"];
        let base = ["--max-version", version, "--ca", server.ca(), &url];
        assert_good(&get(&[&base[..], &forged, &shows(&client)].concat()));
        let head = heads.recv().unwrap();
        assert!(head.contains(&header), "{head}");
        assert_eq!(head.matches("client-cert").count(), 1, "{head}");

        assert_good(&get(&[&base[..], &forged].concat()));
        let head = heads.recv().unwrap();
        assert!(!head.contains("client-cert"), "{head}");
    }
}

#[test]
fn a_redirect_to_elsewhere_takes_no_certificate_along() {
    let client = client();
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "seen").unwrap();
    let optional = ["--client-auth", "optional"];
    let far = server(
        &client,
        &[&optional[..], &[site.path().to_str().unwrap()]].concat(),
    );
    let goal = far.url("a.txt");
    let behind = upstream(move |mut request, response| {
        read_head(&mut request);
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {goal}\r\nContent-Length: 0\r\n\r\n");
        response.write_all(head.as_bytes()).unwrap();
    });
    let near = server(&client, &["--to", &format!("http://{behind}")]);
    let url = near.url("");
    for version in VERSIONS {
        let base = ["-L", "--max-version", version, "--pin", near.pin()];
        let more = ["--pin", far.pin(), "-v", &url];
        let output = get(&[&base[..], &more, &shows(&client)].concat());
        assert_good(&output);
        assert_eq!(stdout(&output), "seen");
        let told: Vec<&str> = stderr(&output)
            .lines()
            .filter_map(|line| line.strip_prefix("client cert   "))
            .collect();
        let shown = format!("{CLIENT_SUBJECT}, ecdsa_secp256r1_sha256");
        assert_eq!(told, [&*shown, "asked for; none was shown"]);
    }
}

#[test]
fn rsa_and_ed25519_clients_are_served_too() {
    for (key, scheme) in [
        (KeyType::Rsa2048, "rsa_pss_rsae_sha256"),
        (KeyType::Ed25519, "ed25519"),
        (KeyType::P384, "ecdsa_secp384r1_sha384"),
    ] {
        let client = Identity::of(Case::Client(key));
        let server = server(&client, &["--echo"]);
        let url = server.url("");
        for version in VERSIONS {
            let base = ["-v", "--max-version", version, "--pin", server.pin(), &url];
            let output = get(&[&base[..], &shows(&client)].concat());
            assert_good(&output);
            assert!(stderr(&output).contains(scheme), "{}", stderr(&output));
        }
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let (client, other) = (client(), Identity::of(Case::Client(KeyType::Ed25519)));
    let mixed = ["--cert", client.chain(), "--key", other.key()];
    let url = "https://localhost:1/";
    let output = get(&[&mixed[..], &[url]].concat());
    assert_fails(&output, 2, "does not belong to the certificate");
    let serve = |file: &str| {
        let mut command = waxwing();
        command.args(["serve", "--echo", "--client-ca", file]);
        command.output().unwrap()
    };
    assert_fails(&serve("/nonexistent"), 2, "/nonexistent");
    assert_fails(&serve(client.key()), 2, "a private key");
}

#[test]
fn the_commands_that_are_shown_have_a_place_for_a_certificate() {
    let client = client();
    let server = server(&client, &["--echo", "--min-version", "1.2"]);
    let line = server.text("/get");
    assert!(
        line.starts_with("waxwing get --cert FILE --key FILE --pin "),
        "{line}"
    );
}
