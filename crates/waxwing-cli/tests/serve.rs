//! How `waxwing serve` starts and ends, and what it does besides files.

mod common;

use std::fs;
use std::io::{BufRead, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};

use common::{Server, assert_fails, assert_good, code, get, getting, json, noise, read_head};
use common::{stderr, stdout, upstream, waxwing};

fn serve(args: &[&str]) -> std::process::Output {
    waxwing().arg("serve").args(args).output().unwrap()
}

#[test]
fn what_prevents_serving_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_fails(&serve(&["--echo", "-l", &address]), 3, "cannot listen on");
    assert_fails(&serve(&[&path("missing")]), 2, "missing");
    fs::write(path("file"), "").unwrap();
    assert_fails(&serve(&[&path("file")]), 2, "not a folder");
    let no_certificate = ["--echo", "--cert", &path("file"), "--key", &path("file")];
    assert_eq!(code(&serve(&no_certificate)), 2);
    assert_fails(&serve(&["--to", "https://a.test"]), 2, "http://");
    assert_eq!(code(&serve(&["--key-type", "dsa"])), 2);
}

#[test]
fn a_certificate_with_another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["a", "b"] {
        let args = ["--echo", "--cert-out", &path(name)];
        drop(Server::start(&args));
    }
    let openssl = Command::new("openssl")
        .args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ])
        .arg(path("key"))
        .output();
    if !openssl.is_ok_and(|output| output.status.success()) {
        return skipped("openssl");
    }
    let output = serve(&["--echo", "--cert", &path("a"), "--key", &path("key")]);
    assert_fails(&output, 2, "does not belong to the certificate");
}

#[test]
fn the_facts_lead_to_the_server() {
    let site = tempfile::tempdir().unwrap();
    let server = Server::start(&[site.path().to_str().unwrap()]);
    assert_eq!(server.text("/schema"), "waxwing.serve/1");
    assert_eq!(server.text("/mode"), "files");
    let line = server.text("/get").strip_prefix("waxwing ").unwrap();
    let output = waxwing().args(line.split(' ')).output().unwrap();
    assert_good(&output);
    let file = server.ca().to_owned();
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    server.interrupt();
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    assert!(!fs::exists(&file).unwrap(), "the certificate stayed");
}

#[test]
fn people_get_a_card() {
    let mut child = waxwing()
        .args(["serve", "--echo", "-l", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("Ctrl-C") {
        assert_ne!(out.read_line(&mut text).unwrap(), 0, "{text}");
    }
    for words in ["tls://localhost:", "sha256/", ".pem", "waxwing get --pin "] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains('\x1b'), "colours without a terminal");
    let process = child.id().to_string();
    let kill = Command::new("kill").args(["-TERM", &process]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn ctrl_c_lets_a_download_end() {
    let site = tempfile::tempdir().unwrap();
    // More than all buffers on the way hold.
    let content = noise(40_000_000);
    fs::write(site.path().join("big"), &content).unwrap();
    for http in ["--http1.1", "--http2"] {
        let mut server = Server::start(&[site.path().to_str().unwrap()]);
        let mut download = getting(&[http, "--ca", server.ca(), &server.url("big")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut body = download.stdout.take().unwrap();
        let mut first = [0; 1];
        body.read_exact(&mut first).unwrap();
        server.interrupt();
        server.wait_for("waiting for 1 connections to end");
        let late = get(&["--ca", "/dev/null", &server.url("big")]);
        assert_ne!(code(&late), 0);
        let mut rest = first.to_vec();
        body.read_to_end(&mut rest).unwrap();
        assert!(rest == content, "{http}");
        assert_eq!(download.wait().unwrap().code(), Some(0));
        let (status, text) = server.wait();
        assert_eq!(status.code(), Some(0));
        assert!(!text.contains("cut off"), "{text}");
    }
}

#[test]
fn a_second_ctrl_c_does_not_wait() {
    let server = Server::start(&["--echo"]);
    let mut pipe = getting(&["--pin", server.pin(), &server.url("")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    pipe.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    pipe.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    server.interrupt();
    server.interrupt();
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    drop(pipe.stdin.take());
    pipe.wait().unwrap();
}

#[test]
fn no_more_connections_than_allowed() {
    let server = Server::start(&["--echo", "--max-connections", "1"]);
    let mut first = getting(&["--pin", server.pin(), &server.url("")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    first.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    first.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let second = ["--timeout", "0.2", "--pin", server.pin(), &server.url("")];
    assert_fails(
        &get(&second),
        4,
        "shaking hands with localhost took longer than 0.2 s",
    );
    drop(first.stdin.take());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_good(&get(&["--pin", server.pin(), &server.url("")]));
}

#[test]
fn the_proxy_streams_both_ways() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (tell, heads) = mpsc::channel();
    let behind = upstream(move |mut request, response| {
        let head = read_head(&mut request);
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        request.read_exact(&mut body).unwrap();
        tell.send((head, body)).unwrap();
        let start =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nfirst\r\n";
        response.write_all(start).unwrap();
        // The rest only when the first part has arrived.
        wait.lock().unwrap().recv().unwrap();
        response.write_all(b"4\r\nlast\r\n0\r\n\r\n").unwrap();
    });
    let server = Server::start(&["--to", &format!("http://{behind}")]);
    let folder = tempfile::tempdir().unwrap();
    let upload = folder.path().join("upload");
    fs::write(&upload, noise(1_000_000)).unwrap();
    let data = format!("@{}", upload.display());
    for http in ["--http1.1", "--http2"] {
        let url = server.url("x?y");
        let args = [http, "--ca", server.ca(), "-d", &data, "-H", "TE: x", &url];
        let mut client = getting(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = client.stdout.take().unwrap();
        let mut first = [0; 5];
        out.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"first");
        go.send(()).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "last");
        assert_eq!(client.wait().unwrap().code(), Some(0));
        let (head, body) = heads.recv().unwrap();
        assert!(head.starts_with("POST /x?y HTTP/1.1\r\n"), "{head}");
        let host = format!("host: localhost:{}\r\n", server.address().port());
        for line in [
            &*host,
            "x-forwarded-proto: https\r\n",
            "x-forwarded-for: 127.0.0.1\r\n",
        ] {
            assert!(head.contains(line), "{line}{head}");
        }
        assert!(!head.contains("te: x"), "{head}");
        assert!(body == noise(1_000_000));
    }
}

#[test]
fn a_server_behind_that_fails_is_no_good_answer() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let server = Server::start(&["--to", &format!("http://{address}")]);
    let output = get(&["--json", "--ca", server.ca(), &server.url("")]);
    assert_eq!(json(&output)["response"]["status"], 502);

    let cut = upstream(|mut request, response| {
        read_head(&mut request);
        let start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n";
        response.write_all(start).unwrap();
    });
    let server = Server::start(&["--to", &format!("http://{cut}")]);
    for http in ["--http1.1", "--http2"] {
        let output = get(&[http, "--ca", server.ca(), &server.url("")]);
        assert_fails(&output, 4, "localhost");
        // A reset of the stream may overtake what was sent before it.
        assert!("first".starts_with(stdout(&output)));
    }
}

#[test]
fn curl_is_served() {
    let curl = Command::new("curl").arg("--version").output();
    let Ok(version) = curl else {
        return skipped("curl");
    };
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("big"), noise(3_000_000)).unwrap();
    let server = Server::start(&[site.path().to_str().unwrap()]);
    let mut versions = vec![("--http1.1", "1.1")];
    if stdout(&version).contains("HTTP2") {
        versions.push(("--http2", "2"));
    }
    for (option, http) in versions {
        let output = Command::new("curl")
            .args(["-sS", "--noproxy", "*", option, "--cacert", server.ca()])
            .args(["-w", "%{stderr}%{http_version}", &server.url("big")])
            .output()
            .unwrap();
        assert_good(&output);
        assert_eq!(stderr(&output), http);
        assert!(output.stdout == noise(3_000_000));
    }
    let line = server.text("/curl").strip_prefix("curl ").unwrap();
    let output = Command::new("curl")
        .arg("-sS")
        .args(line.split(' '))
        .output();
    let output = output.unwrap();
    assert_good(&output);
    assert!(stdout(&output).contains("./big"));
}

/// A missing peer is no failure, unless the surroundings promise all of them.
#[track_caller]
fn skipped(peer: &str) {
    let required = std::env::var_os("WAXWING_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "{peer} is not installed");
    eprintln!("skipped: {peer} is not installed");
}
