//! Encrypted private keys, made by OpenSSL, for `waxwing serve` and `waxwing get`.

#![cfg(unix)]

mod common;

use std::fs;
use std::process::{Command, Output};

use common::{Server, assert_fails, assert_good, getting, stderr, waxwing};
use tempfile::TempDir;
use waxwing::pki::KeyType;
use waxwing_interop::is_installed;
use waxwing_interop::openssl::OPENSSL;
use waxwing_testkit::pki::{self, Case};

/// A chain, its encrypted key, and files with passphrases.
struct Files {
    dir: TempDir,
    chain: String,
    anchor: String,
}

impl Files {
    fn new(case: Case) -> Option<Self> {
        if !is_installed(OPENSSL) {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let files = pki::write_pem(case, dir.path()).unwrap();
        for (file, text) in [
            ("right", "correct horse\n"),
            ("wrong", "x\n"),
            ("empty", "\n"),
        ] {
            fs::write(dir.path().join(file), text).unwrap();
        }
        let encrypt = [
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "file:right",
        ];
        let status = Command::new(OPENSSL)
            .args(encrypt)
            .arg("-in")
            .arg(&files.key)
            .args(["-out", "encrypted.key"])
            .current_dir(dir.path())
            .status();
        assert!(status.unwrap().success());
        let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        Some(Self {
            chain: text(&files.chain),
            anchor: text(&files.anchor),
            dir,
        })
    }

    fn path(&self, file: &str) -> String {
        self.dir.path().join(file).to_str().unwrap().to_owned()
    }

    /// The certificate and its key, and the passphrase in this file.
    fn own(&self, passphrase: Option<&str>) -> Vec<String> {
        let mut args: Vec<_> = ["--cert", &self.chain, "--key"].map(str::to_owned).into();
        args.push(self.path("encrypted.key"));
        if let Some(file) = passphrase {
            args.extend(["--passphrase-file".to_owned(), self.path(file)]);
        }
        args
    }
}

/// What goes wrong, whichever command it is.
#[track_caller]
fn assert_errors(files: &Files, run: impl Fn(&[String]) -> Output) {
    let output = run(&files.own(None));
    assert_fails(&output, 2, "encrypted.key: the private key is encrypted");
    assert!(stderr(&output).contains("help: --passphrase-file FILE"));
    for (file, words) in [
        ("wrong", "encrypted.key: the passphrase is wrong"),
        ("empty", "empty: its first line is empty"),
        ("absent", "absent: no such file"),
    ] {
        assert_fails(&run(&files.own(Some(file))), 2, words);
    }
}

#[test]
fn a_server_opens_its_key() {
    let Some(files) = Files::new(Case::Good(KeyType::P256)) else {
        return;
    };
    let own = files.own(Some("right"));
    let own: Vec<_> = own.iter().map(String::as_str).collect();
    let server = Server::start(&[&["--echo"], &own[..]].concat());
    let url = server.url("");
    let trust = ["--ca-only", "--ca", &files.anchor];
    assert_good(&common::get(&[&trust[..], &[&url]].concat()));
    assert_errors(&files, |args| {
        let serve = ["serve", "--echo", "--listen", "127.0.0.1:0"];
        waxwing().args(serve).args(args).output().unwrap()
    });
}

#[test]
fn a_client_opens_its_key() {
    let Some(files) = Files::new(Case::Client(KeyType::P256)) else {
        return;
    };
    let server = Server::start(&["--echo", "--client-ca", &files.anchor]);
    let get = |args: &[String]| {
        let mut command = getting(&["--ca-only", "--ca", server.ca()]);
        command.args(args).arg(server.url("")).output().unwrap()
    };
    assert_good(&get(&files.own(Some("right"))));
    assert_errors(&files, get);
}
