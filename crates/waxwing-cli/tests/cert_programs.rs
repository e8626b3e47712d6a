//! Certificates of `waxwing cert`, judged by other people's programs.

#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Server, assert_good, waxwing};
use tempfile::TempDir;
use waxwing_interop::openssl::OPENSSL;
use waxwing_interop::{Process, peer};

const CERTTOOL: &str = "certtool";
const CERTUTIL: &str = "certutil";
const CHROMIUM: &str = "chromium";
const CURL: &str = "curl";

/// What no page but ours says.
const GREETING: &str = "served by a certificate of our own";

/// An authority in `ca`, and what `waxwing cert new` gives with it, in a folder.
struct Place(TempDir);

impl Place {
    /// With an authority of this kind of key.
    fn new(kind: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.cert(&[
            "ca",
            "ca",
            "--key-type",
            kind,
            "--name",
            "Waxwing test authority",
        ]);
        place
    }

    fn cert(&self, args: &[&str]) {
        let mut command = waxwing();
        command.current_dir(self.0.path()).arg("cert").args(args);
        assert_good(&command.output().unwrap());
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn server(&self) -> Server {
        let site = self.0.path().join("site");
        fs::create_dir_all(&site).unwrap();
        fs::write(site.join("index.html"), format!("<h1>{GREETING}</h1>")).unwrap();
        let (cert, key) = (self.path("localhost.pem"), self.path("localhost.key"));
        Server::start(&["--cert", &cert, "--key", &key, site.to_str().unwrap()])
    }
}

#[test]
fn openssl_and_gnutls_verify_what_an_authority_issues() {
    peer!(OPENSSL);
    peer!(CERTTOOL);
    for (authority, leaf) in [
        ("p256", "p256"),
        ("p384", "ed25519"),
        ("rsa2048", "p521"),
        ("ed25519", "rsa3072"),
    ] {
        let place = Place::new(authority);
        place.cert(&[
            "new",
            "--ca=ca",
            "--key-type",
            leaf,
            "localhost",
            "*.a.test",
            "127.0.0.1",
        ]);
        place.cert(&[
            "new",
            "--ca=ca",
            "--client",
            "me@a.test",
            "--key-type",
            leaf,
        ]);
        let (ca, server) = (place.path("ca/ca.pem"), place.path("localhost.pem"));
        let client = place.path("me@a.test.pem");
        for (purpose, name, file) in [
            ("sslserver", ["-verify_hostname", "x.a.test"], &server),
            ("sslserver", ["-verify_ip", "127.0.0.1"], &server),
            ("sslclient", ["-verify_email", "me@a.test"], &client),
        ] {
            let strict = [
                "verify",
                "-x509_strict",
                "-CAfile",
                &ca,
                "-purpose",
                purpose,
            ];
            Process::run(OPENSSL, [&strict[..], &name, &[file]].concat()).succeed();
        }
        let name = [
            "--verify-hostname",
            "x.a.test",
            "--verify-purpose",
            "1.3.6.1.5.5.7.3.1",
        ];
        let files = [
            "--verify",
            "--load-ca-certificate",
            &ca,
            "--infile",
            &server,
        ];
        Process::run(CERTTOOL, [&files[..], &name].concat()).succeed();
        let chain = place.path("chain.pem");
        let text = [fs::read(&server).unwrap(), fs::read(&ca).unwrap()].concat();
        fs::write(&chain, text).unwrap();
        Process::run(CERTTOOL, ["--verify-chain", "--infile", &chain]).succeed();
        Process::run(CERTTOOL, ["-i", "--infile", &client]).succeed();
    }
}

#[test]
fn gnutls_reads_requests_and_encrypted_keys() {
    peer!(CERTTOOL);
    let place = Place::new("p256");
    fs::write(place.path("pass"), "x\n").unwrap();
    place.cert(&[
        "csr",
        "a.test",
        "--must-staple",
        "--passphrase-file",
        &place.path("pass"),
    ]);
    let request = place.path("a.test.csr");
    let text = Process::run(CERTTOOL, ["--crq-info", "--infile", &request]).succeed();
    let text = String::from_utf8(text).unwrap();
    for words in [
        "Self signature: verified",
        "DNSname: a.test",
        "TLS Features",
    ] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    let key = place.path("a.test.key");
    let open = ["--key-info", "--pkcs8", "--password", "x", "--infile", &key];
    let text = Process::run(CERTTOOL, open).succeed();
    assert!(String::from_utf8(text).unwrap().contains("EC/ECDSA"));
}

#[test]
fn curl_trusts_the_authority() {
    peer!(CURL);
    for kind in ["p256", "rsa2048"] {
        let place = Place::new(kind);
        place.cert(&["new", "--ca=ca", "localhost", "--key-type", kind]);
        let (server, ca) = (place.server(), place.path("ca/ca.pem"));
        let arguments = ["-sS", "--noproxy", "*", "--cacert", &ca, &server.url("")];
        let page = Process::run(CURL, arguments).succeed();
        assert!(String::from_utf8(page).unwrap().contains(GREETING));
    }
}

/// What Chromium shows of the page, with `home` as the folder that has its trust store.
fn chromium(server: &Server, home: &Path) -> String {
    let mut command = Command::new(CHROMIUM);
    command.env("HOME", home);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        "--virtual-time-budget=20000",
    ]);
    command.arg(format!(
        "--user-data-dir={}",
        home.join("profile").display()
    ));
    command.args(["--dump-dom", &server.url("")]);
    let (_, document) = Process::start(&mut command).finish();
    String::from_utf8(document).unwrap()
}

#[test]
fn chromium_trusts_the_authority_that_is_in_its_store() {
    peer!(CHROMIUM);
    peer!(CERTUTIL);
    // Chromium knows neither P-521 nor Ed25519 in certificates.
    for kind in ["p256", "p384", "rsa2048", "rsa3072"] {
        let place = Place::new(kind);
        place.cert(&["new", "--ca=ca", "localhost", "--key-type", kind]);
        let server = place.server();
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join(".pki/nssdb");
        fs::create_dir_all(&store).unwrap();
        let database = format!("sql:{}", store.display());
        Process::run(CERTUTIL, ["-N", "--empty-password", "-d", &database]).succeed();
        // Without the authority, the page does not show.
        let document = chromium(&server, home.path());
        assert!(!document.contains(GREETING), "{kind}: {document}");
        let ca = place.path("ca/ca.pem");
        let add = [
            "-A", "-d", &database, "-t", "C,,", "-n", "waxwing", "-i", &ca,
        ];
        Process::run(CERTUTIL, add).succeed();
        let document = chromium(&server, home.path());
        assert!(document.contains(GREETING), "{kind}: {document}");
    }
}
