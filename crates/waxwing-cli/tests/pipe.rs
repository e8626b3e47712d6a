//! `waxwing get tls://…`, against `waxwing serve --echo`.

mod common;

use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;

use common::{Server, assert_fails, assert_good, code, cutting_relay, get, getting, noise};
use common::{stderr, stdout};

#[test]
fn a_megabyte_goes_there_and_back() {
    let server = Server::start(&["--echo", "--alpn", "a,b"]);
    let args = ["-v", "--alpn", "b", "--pin", server.pin(), &server.url("")];
    let mut pipe = getting(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = pipe.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&noise(1 << 20)).unwrap());
    let output = pipe.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_good(&output);
    assert!(output.stdout == noise(1 << 20));
    assert!(stderr(&output).contains("alpn          b\n"));
}

#[test]
fn an_answer_comes_before_the_input_ends() {
    let server = Server::start(&["--echo"]);
    let mut pipe = getting(&["--pin", server.pin(), &server.url("")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut out) = (pipe.stdin.take().unwrap(), pipe.stdout.take().unwrap());
    for word in [b"one", b"two"] {
        stdin.write_all(word).unwrap();
        let mut back = [0; 3];
        out.read_exact(&mut back).unwrap();
        assert_eq!(&back, word);
    }
    // The server closes first, while the input is still open.
    server.interrupt();
    assert_eq!(out.read(&mut [0]).unwrap(), 0);
    assert_eq!(pipe.wait().unwrap().code(), Some(0));
    drop(stdin);
}

#[test]
fn without_input_it_ends_when_the_server_does() {
    let server = Server::start(&["--echo"]);
    let output = get(&["--pin", server.pin(), &server.url("")]);
    assert_good(&output);
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_cut_is_no_end() {
    let server = Server::start(&["--echo"]);
    // The handshake takes about two thousand bytes.
    let relay = cutting_relay(server.address(), 20_000);
    let url = format!("tls://localhost:{}", relay.port());
    let mut pipe = getting(&["--pin", server.pin(), &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = pipe.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        // It may be gone before it has all.
        let _ = stdin.write_all(&noise(100_000));
    });
    let output = pipe.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("close_notify"),
        "{}",
        stderr(&output)
    );
    assert!(noise(100_000).starts_with(&output.stdout));
}

#[test]
fn json_and_paths_are_refused() {
    assert_eq!(code(&get(&["--json", "tls://localhost:1"])), 2);
    assert_fails(&get(&["tls://localhost:1/x"]), 2, "no path");
    assert_fails(&get(&["tls://localhost"]), 2, "needs a port");
}

#[test]
fn help_explains_exit_codes_and_begins_with_examples() {
    let run = |args: &[&str]| {
        let output = common::waxwing().args(args).output().unwrap();
        assert_good(&output);
        stdout(&output).to_owned()
    };
    for args in [&["help", "exit-codes"][..], &["exit-codes"]] {
        assert!(run(args).contains("  70  a fault in waxwing itself"));
    }
    for args in [&["--help"][..], &["serve", "--help"], &["get", "--help"]] {
        let text = run(args);
        assert!(text.find("Examples:").unwrap() < text.find("Usage:").unwrap());
    }
}
