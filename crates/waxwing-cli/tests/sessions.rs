//! Coming back to `waxwing serve` with `waxwing get`: tickets, shared stores, early data and keys
//! that both sides know.

#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use common::{Server, assert_fails, assert_good, getting, json, stderr, stdout, waxwing};
use serde_json::Value;
use tempfile::TempDir;
use waxwing::pki::KeyType;
use waxwing_testkit::pki::{self, Case};

const KEY: &str = "00112233445566778899aabbccddeeff";

/// Files, and a certificate that all servers of a test have.
struct Files {
    dir: TempDir,
    chain: String,
    key: String,
    anchor: String,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = pki::write_pem(Case::Good(KeyType::P256), dir.path()).unwrap();
        let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        fs::write(dir.path().join("master"), "5a".repeat(32)).unwrap();
        fs::write(dir.path().join("file"), "hello").unwrap();
        Self {
            chain: text(&files.chain),
            key: text(&files.key),
            anchor: text(&files.anchor),
            dir,
        }
    }

    fn path(&self, file: &str) -> String {
        self.dir.path().join(file).to_str().unwrap().to_owned()
    }

    fn serve(&self, args: &[&str]) -> Server {
        let own = ["--cert", &self.chain, "--key", &self.key];
        Server::start(&[&own[..], args].concat())
    }

    fn get(&self, url: &str, args: &[&str]) -> Output {
        let trust = ["--ca-only", "--ca", &self.anchor, url];
        getting(&[&trust[..], args].concat()).output().unwrap()
    }
}

#[track_caller]
fn connection(output: &Output) -> Value {
    assert_good(output);
    json(output)["connection"].clone()
}

fn port(server: &Server) -> String {
    let url = server.url("");
    url.rsplit_once(':').unwrap().1.to_owned()
}

/// `localhost` at the port of this server.
fn url(server: &Server, scheme: &str, path: &str) -> String {
    let port = port(server);
    format!("{scheme}://localhost:{port}{path}")
}

#[test]
fn a_session_is_resumed_once_it_is_in_the_file() {
    for version in ["1.2", "1.3"] {
        let files = Files::new();
        let server = files.serve(&[files.dir.path().to_str().unwrap()]);
        let session = files.path("sessions");
        let url = url(&server, "https", "/file");
        let get = || {
            let args = ["--session", &session, "--json", "--max-version", version];
            connection(&files.get(&url, &args))
        };
        assert_eq!(get()["resumed"], false);
        let mode = fs::metadata(&session).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for _ in 0..3 {
            let again = get();
            assert_eq!(again["resumed"], true, "{version}");
            assert_eq!(again["trust"], "verified");
            assert!(!again["certificate"].is_null());
        }
    }
}

#[test]
fn without_tickets_nothing_is_resumed() {
    let files = Files::new();
    let folder = files.dir.path().to_str().unwrap();
    let server = files.serve(&["--tickets", "0", folder]);
    let session = files.path("sessions");
    let url = url(&server, "https", "/file");
    for _ in 0..2 {
        let args = ["--session", &session, "--json"];
        assert_eq!(connection(&files.get(&url, &args))["resumed"], false);
    }
}

#[test]
fn servers_with_a_common_store_take_each_others_tickets() {
    let files = Files::new();
    let folder = files.dir.path().to_str().unwrap();
    let store = format!("dir:{}", files.path("store"));
    let master = files.path("master");
    let shared = ["--store", &store, "--master-key-file", &master, folder];
    let one = files.serve(&shared);
    let two = files.serve(&shared);
    let session = files.path("sessions");
    let args = ["--session", &session, "--json"];
    let get = |server| connection(&files.get(&url(server, "https", "/file"), &args));
    assert_eq!(get(&one)["resumed"], false);
    for server in [&two, &one, &two] {
        assert_eq!(get(server)["resumed"], true);
    }
    // One that is not of them does not.
    let other = files.serve(&[folder]);
    assert_eq!(get(&other)["resumed"], false);
}

#[test]
fn early_data_is_sent_where_there_is_a_session() {
    let files = Files::new();
    let server = files.serve(&["--echo", "--early-data", "1000"]);
    let session = files.path("sessions");
    let first = files.path("file");
    let url = url(&server, "tls", "");
    let args = ["-v", "--session", &session, "--early-data", &first];
    let get = || {
        let output = files.get(&url, &args);
        assert_good(&output);
        assert_eq!(stdout(&output), "hello");
        stderr(&output).to_owned()
    };
    assert!(!get().contains("resumed"));
    let told = get();
    assert!(told.contains("resumed; early data accepted"), "{told}");
}

#[test]
fn a_shared_key_takes_the_place_of_certificates() {
    let files = Files::new();
    let folder = files.dir.path().to_str().unwrap();
    let psk = format!("garden: north:{KEY}");
    let server = files.serve(&["--psk", &psk, folder]);
    let hidden = files.path("psk");
    fs::write(&hidden, format!("{psk}\n")).unwrap();
    let url = url(&server, "https", "/file");
    // The server's authority is unknown to these clients: the key is enough.
    let by_file = format!("@{hidden}");
    for given in [&psk, &by_file] {
        let output = getting(&["--json", "--psk", given, &url]).output().unwrap();
        let connection = connection(&output);
        assert_eq!(connection["psk_identity"], "garden: north");
        assert!(connection["certificate"].is_null());
    }
    let other = format!("garden: north:{}", KEY.replace('0', "1"));
    let output = getting(&["--psk", &other, &url]).output().unwrap();
    assert_fails(&output, 4, "decrypt_error");
}

#[test]
fn what_cannot_work_is_said() {
    let files = Files::new();
    let folder = files.dir.path().to_str().unwrap();
    let serve = |args: &[&str]| {
        let output = waxwing().arg("serve").args(args).arg(folder).output();
        output.unwrap()
    };
    let (store, master) = (format!("dir:{}", files.path("store")), files.path("master"));
    let output = serve(&["--store", &store, "--master-key-file", &files.chain]);
    assert_fails(&output, 2, "64 hexadecimal digits");
    let shared = ["--store", &store, "--master-key-file", &master];
    let output = serve(&[&shared[..], &["--early-data", "10"]].concat());
    assert_fails(&output, 2, "takes a redis:// store");
    let nobody = [
        "--store",
        "redis://:secret@127.0.0.1:1",
        "--master-key-file",
        &master,
    ];
    let output = serve(&nobody);
    assert_fails(&output, 3, "redis://…@127.0.0.1:1");
    assert!(!stderr(&output).contains("secret"));
    let output = serve(&["--store", &store]);
    assert!(stderr(&output).contains("--master-key-file"));
    let output = serve(&["--psk", "id:0011"]);
    assert!(
        stderr(&output).contains("16 to 256 bytes"),
        "{}",
        stderr(&output)
    );

    let session = files.path("sessions");
    let early = ["--session", &session, "--early-data", &files.chain];
    let output = files.get("https://localhost:1/", &early);
    assert_fails(&output, 2, "--early-data is for tls://");
    let output = files.get("https://localhost:1/", &["--session", &files.chain]);
    assert_fails(&output, 2, "holds no sessions");
}
