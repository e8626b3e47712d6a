//! `waxwing serve` visited by other people's programs, and `waxwing get` visiting theirs.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Server, assert_good, code, get, getting, noise, stdout};
use tempfile::TempDir;
use waxwing::pki::KeyType;
use waxwing_interop::gnutls::{GNUTLS_SERV, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, s_server};
use waxwing_interop::payload::{MEBIBYTE, text};
use waxwing_interop::scripts::{NODE, PYTHON, listening, script};
use waxwing_interop::{Identity, Process, peer};
use waxwing_testkit::pki::Case;

const CHROMIUM: &str = "chromium";

/// A page that fetches `big` and shows its SHA-256, in colours that no other page has.
const PAGE: &str = r#"<!doctype html>
<title>Waxwing</title>
<body style="background: repeating-conic-gradient(#c84 0 9deg, #248 0 21deg, #eee 0 33deg)">
<h1 id="result">waiting</h1>
<script>
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  fetch('big')
    .then((response) => response.arrayBuffer())
    .then((body) => crypto.subtle.digest('SHA-256', body))
    .then((digest) => { result.textContent = hex(new Uint8Array(digest)); });
</script>
"#;

/// A folder with [`PAGE`] and a file of three megabytes, and the SHA-256 of that.
fn site() -> (TempDir, String) {
    let site = tempfile::tempdir().unwrap();
    let big = site.path().join("big");
    fs::write(&big, noise(3_000_000)).unwrap();
    fs::write(site.path().join("index.html"), PAGE).unwrap();
    let mut hasher = Process::run("sha256sum", [&big]);
    let sum = String::from_utf8(hasher.succeed()).unwrap();
    let sum = sum.split(' ').next().unwrap().to_owned();
    (site, sum)
}

fn serve(site: &TempDir) -> Server {
    Server::start(&[site.path().to_str().unwrap()])
}

/// Chromium without a window, which takes the key of `server` for good.
fn chromium(server: &Server, profile: &TempDir, job: &[&str]) -> Process {
    let pin = server.pin().strip_prefix("sha256/").unwrap();
    let mut command = Command::new(CHROMIUM);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
    ]);
    command.args(["--no-first-run", "--disable-background-networking"]);
    command.args([
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("--ignore-certificate-errors-spki-list={pin}"));
    command.args(["--window-size=800,400", "--virtual-time-budget=20000"]);
    command.args(job).arg(server.url(""));
    Process::start(&mut command)
}

#[test]
fn chromium_shows_the_page() {
    peer!(CHROMIUM);
    let (site, sum) = site();
    let server = serve(&site);
    let profile = tempfile::tempdir().unwrap();
    let document = chromium(&server, &profile, &["--dump-dom"]).succeed();
    let document = String::from_utf8(document).unwrap();
    assert!(document.contains(&format!(">{sum}</h1>")), "{document}");

    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chromium.png");
    // What an earlier run left is not what this one shows.
    let _ = fs::remove_file(&picture);
    let job = format!("--screenshot={}", picture.display());
    chromium(&server, &profile, &[&job]).succeed();
    let picture = fs::read(picture).unwrap();
    let (head, _) = picture.split_first_chunk::<24>().unwrap();
    assert_eq!(head[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!(head[16..], [0, 0, 3, 32, 0, 0, 1, 144], "800 by 400");
    // A page of one colour takes two kilobytes.
    assert!(picture.len() > 10_000, "{} bytes", picture.len());
}

#[test]
fn chromium_shows_the_page_over_tls_1_2() {
    peer!(CHROMIUM);
    let (site, sum) = site();
    let server = Server::start(&["--max-version", "1.2", site.path().to_str().unwrap()]);
    let profile = tempfile::tempdir().unwrap();
    let document = chromium(&server, &profile, &["--dump-dom"]).succeed();
    let document = String::from_utf8(document).unwrap();
    assert!(document.contains(&format!(">{sum}</h1>")), "{document}");
}

#[test]
fn chromium_refuses_a_key_that_it_was_not_told_of() {
    peer!(CHROMIUM);
    let (site, sum) = site();
    let (server, other) = (serve(&site), serve(&site));
    let profile = tempfile::tempdir().unwrap();
    let pin = other.pin().strip_prefix("sha256/").unwrap();
    let mut command = Command::new(CHROMIUM);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
    ]);
    command.args(["--disable-background-networking", "--no-proxy-server"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("--ignore-certificate-errors-spki-list={pin}"));
    command.args(["--dump-dom", &server.url("")]);
    let (_, document) = Process::start(&mut command).finish();
    let document = String::from_utf8(document).unwrap();
    assert!(
        !document.contains(&sum) && !document.contains("waiting"),
        "{document}"
    );
}

#[test]
fn node_fetches_over_either_http() {
    peer!(NODE);
    let (site, sum) = site();
    let server = serve(&site);
    let (script, url) = (script("fetch.cjs"), server.url("big"));
    let arguments = [
        script.as_os_str(),
        OsStr::new(&url),
        OsStr::new(server.ca()),
    ];
    let output = Process::run(NODE, arguments).succeed();
    let expected = format!("1.1 200 {sum}\nh2 200 {sum}\n");
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn python_fetches() {
    peer!(PYTHON);
    let (site, sum) = site();
    let server = serve(&site);
    let (script, url) = (script("fetch.py"), server.url("big"));
    let arguments = [
        script.as_os_str(),
        OsStr::new(&url),
        OsStr::new(server.ca()),
    ];
    let output = Process::run(PYTHON, arguments).succeed();
    assert_eq!(String::from_utf8(output).unwrap(), format!("200 {sum}\n"));
}

#[test]
fn curl_fetches_many_files_at_once_and_refuses_strangers() {
    const CURL: &str = "curl";
    peer!(CURL);
    let (site, _) = site();
    let server = serve(&site);
    let urls = format!("{}?[1-20]", server.url("big"));
    let more = ["-sS", "--noproxy", "*", "--parallel", "--http2"];
    let trust = ["--cacert", server.ca(), &urls];
    let output = Process::run(CURL, [&more[..], &trust].concat()).succeed();
    assert_eq!(output.len(), 20 * 3_000_000);
    let (status, _) = Process::run(CURL, [&more[..], &[&server.url("big")]].concat()).finish();
    // CURLE_PEER_FAILED_VERIFICATION
    assert_eq!(status.code(), Some(60));
}

#[test]
fn curl_fetches_over_tls_1_2_and_shows_a_certificate() {
    const CURL: &str = "curl";
    peer!(CURL);
    let (site, _) = site();
    let client = Identity::of(Case::Client(KeyType::P256));
    let asks = [
        "--client-ca",
        client.anchor(),
        site.path().to_str().unwrap(),
    ];
    let mut server = Server::start(&asks);
    let (url, ca) = (server.url("big"), server.ca().to_owned());
    for (versions, told) in [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")] {
        for http in ["--http1.1", "--http2"] {
            let base = ["-sS", "-v", "--noproxy", "*", http, "--tls-max", versions];
            let trust = ["--cacert", &ca, &url];
            let own = ["--cert", client.chain(), "--key", client.key()];
            let mut curl = Process::run(CURL, [&base[..], &own, &trust].concat());
            assert!(curl.succeed() == noise(3_000_000), "{versions} {http}");
            curl.wait_for(&format!("SSL connection using {told}"));
            server.wait_for("(CN=Waxwing test client) \"GET /big HTTP/");
            // Without it there is nothing.
            let mut curl = Process::run(CURL, [&base[..], &trust].concat());
            assert!(!curl.finish().0.success());
        }
    }
}

#[test]
fn openssl_is_fetched_from() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-www", "-alpn", "http/1.1"]);
    peer.wait_for("ACCEPT");
    let url = format!("https://localhost:{port}/");
    for (version, told) in [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")] {
        let output = get(&["--max-version", version, "--ca", identity.anchor(), &url]);
        assert_good(&output);
        assert!(stdout(&output).contains(told), "{}", stdout(&output));
    }
}

#[test]
fn node_is_fetched_from_over_either_http() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    let (chain, key) = (identity.chain(), identity.key());
    let options = format!(r#"{{"cert":"{chain}","key":"{key}"}}"#);
    let script = script("web.cjs");
    let arguments = [script.as_os_str(), OsStr::new(&options)];
    let (_peer, port) = listening(Process::run(NODE, arguments));
    let url = format!("https://localhost:{port}/");
    let body = identity.file("body");
    fs::write(&body, noise(MEBIBYTE)).unwrap();
    let data = format!("@{}", body.display());
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2.0")] {
        let output = get(&[option, "--ca", identity.anchor(), "--data", &data, &url]);
        assert_good(&output);
        let mut expected = format!("{version} POST TLSv1.3\n").into_bytes();
        expected.extend(noise(MEBIBYTE));
        assert!(output.stdout == expected);
    }
}

#[test]
fn python_is_fetched_from() {
    peer!(PYTHON);
    let (site, _) = site();
    let identity = Identity::new(KeyType::P256);
    let script = script("web.py");
    let files = [identity.chain(), identity.key()].map(OsStr::new);
    let all = [
        script.as_os_str(),
        files[0],
        files[1],
        site.path().as_os_str(),
    ];
    let (_peer, port) = listening(Process::run(PYTHON, all));
    let url = format!("https://localhost:{port}/big");
    let output = get(&["--ca", identity.anchor(), &url]);
    assert_good(&output);
    assert!(output.stdout == noise(3_000_000));
    assert_eq!(code(&get(&[&url])), 5, "not trusted");
}

#[test]
fn a_megabyte_is_piped_through_gnutls() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = gnutls_serv(&identity, &["--quiet"]);
    peer.wait_for("done\n");
    let url = format!("tls://localhost:{port}");
    let file = identity.file("data");
    fs::write(&file, text(MEBIBYTE)).unwrap();
    let output = getting(&["--ca", identity.anchor(), &url])
        .stdin(Stdio::from(fs::File::open(file).unwrap()))
        .output()
        .unwrap();
    assert_good(&output);
    assert!(output.stdout == text(MEBIBYTE));
}
