//! Running the built program.

#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(unreachable_pub, reason = "a module of several test programs")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::thread;

use serde_json::Value;

/// The program, without anything of the surroundings that would change what it does.
pub fn waxwing() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waxwing"));
    for variable in ["SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs `waxwing get`; a minute is more than any test takes.
pub fn get(args: &[&str]) -> Output {
    getting(args).output().unwrap()
}

/// `waxwing get`, to be run.
pub fn getting(args: &[&str]) -> Command {
    let mut command = waxwing();
    command.args(["get", "--max-time", "60"]).args(args);
    command
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

pub fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

#[track_caller]
pub fn assert_good(output: &Output) {
    assert_eq!(code(output), 0, "{}", stderr(output));
}

/// Asserts that a run failed with `expected`, and said so in one line and perhaps a hint.
#[track_caller]
pub fn assert_fails(output: &Output, expected: i32, words: &str) {
    let text = stderr(output);
    assert_eq!(code(output), expected, "{text}");
    assert!(text.contains(words), "{text}");
    let complaints = text.lines().filter(|line| !line.starts_with("  help:"));
    assert_eq!(complaints.count(), 1, "{text}");
}

/// The one line of JSON that a run printed.
#[track_caller]
pub fn json(output: &Output) -> Value {
    let text = stdout(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

/// Bytes without a pattern that a wrong offset could hide in.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    talk: BufReader<ChildStderr>,
    /// What it printed when it was ready.
    pub facts: Value,
}

impl Server {
    /// Starts `waxwing serve` on a free port, and waits until it says where it is.
    pub fn start(args: &[&str]) -> Self {
        let mut child = waxwing()
            .args(["serve", "--json", "-v", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let facts = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = child.kill();
            let mut text = String::new();
            let _ = talk.read_to_string(&mut text);
            panic!("{text}");
        });
        Self { child, talk, facts }
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.facts.pointer(pointer).unwrap().as_str().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.text("/url"))
    }

    /// The file with its certificate.
    pub fn ca(&self) -> &str {
        self.text("/certificate/file")
    }

    pub fn pin(&self) -> &str {
        self.text("/certificate/pin")
    }

    pub fn address(&self) -> SocketAddr {
        self.text("/listen").parse().unwrap()
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let process = self.child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &process]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits until it says something with `words` on stderr.
    pub fn wait_for(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.talk.read_line(&mut line).unwrap(), 0, "no {words:?}");
        }
    }

    /// Waits for its end.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.talk.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap(), text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that leads to `server`, but whose connections end after so many bytes from there.
pub fn cutting_relay(server: SocketAddr, limit: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for near in listener.incoming() {
            let near = near.unwrap();
            let far = TcpStream::connect(server).unwrap();
            let (mut up_from, mut up_to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut up_from, &mut up_to));
            let _ = std::io::copy(&mut far.take(limit), &mut &near);
            // An end like any other, as far as TCP knows.
            let _ = near.shutdown(Shutdown::Write);
        }
    });
    address
}

/// Reads the head of an HTTP/1.1 request.
pub fn read_head(from: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(from.read_line(&mut head).unwrap(), 0, "{head}");
    }
    head
}

/// A plain web server that answers each connection with `answer`.
pub fn upstream(
    answer: impl Fn(BufReader<TcpStream>, &mut dyn Write) + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let reader = BufReader::new(stream.try_clone().unwrap());
            answer(reader, &mut &stream);
        }
    });
    address
}
