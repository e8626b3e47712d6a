//! `waxwing cert` on many servers, some of which keep everyone waiting.

#![cfg(unix)]

mod common;

use std::net::TcpListener;
use std::process::{Command, Output};

use common::{Server, assert_good, code, json, stderr, stdout, waxwing};
use waxwing_interop::is_installed;

/// A program that runs another one on a terminal.
const SCRIPT: &str = "script";

/// Takes connections, and never says anything.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Looks at these servers, with a terminal as stderr.
fn on_a_terminal(args: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_waxwing");
    Command::new(SCRIPT)
        .args(["-qec", &format!("{program} cert show --timeout 1 {args}")])
        .arg("/dev/null")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

#[test]
fn a_bar_tells_on_a_terminal_how_far_it_is() {
    if !is_installed(SCRIPT) {
        return;
    }
    let ((_one, one), (_other, other)) = (silent(), silent());
    let server = Server::start(&["--echo"]);
    let good = server.address();
    let output = on_a_terminal(&format!("{one} {other} {good}"));
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    assert!(text.contains("2/3") || text.contains("3/3"), "{text}");
    // It is gone at the end, and not there at all if it is over soon or not wanted.
    for quick in [format!("{good} {good}"), format!("-q {one} {other}")] {
        let output = on_a_terminal(&quick);
        assert!(!stdout(&output).contains("/2"), "{}", stdout(&output));
    }
}

#[test]
fn servers_are_waited_for_at_the_same_time() {
    let silent: Vec<_> = (0..40).map(|_| silent()).collect();
    let server = Server::start(&["--echo"]);
    let good = server.address().to_string();
    let mut command = waxwing();
    command.args(["cert", "show", "--json", "--timeout", "1", &good]);
    command.args(silent.iter().map(|(_, address)| address));
    let output = command.arg(&good).output().unwrap();
    assert_eq!(code(&output), 3);
    assert_eq!(stderr(&output).matches("no answer after 1 s").count(), 40);
    let sources = &json(&output)["sources"];
    // In the order of the arguments, whoever answers first.
    for place in [0, 41] {
        assert_eq!(sources[place]["source"], good.as_str());
        assert_eq!(sources[place]["items"].as_array().unwrap().len(), 1);
    }
    let mut command = waxwing();
    command.args(["cert", "verify", "--json", "--ca-only", "--ca", server.ca()]);
    let localhost = format!("localhost:{}", server.address().port());
    let output = command.args([&localhost; 40]).output().unwrap();
    assert_good(&output);
    let sources = json(&output)["sources"].as_array().unwrap().clone();
    assert!(sources.iter().all(|source| source["accepted"] == true));
}
