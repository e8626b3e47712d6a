//! Processes that are replaced under a running connection.
//!
//! A download is cut in the middle: the process on one side exports its connection, starts a
//! successor, hands it the socket and, through a pipe, the export, and ends. The successor goes on.
//! The other side must not notice. It is this process, or somebody else's program.
//!
//! ```text
//!   serve, fetch    the first process: socket on descriptor 0, what it downloads goes to 2
//!   successor       the second one: the same, and the export comes from 1
//! ```
//!
//! Both are this test binary, called for [`worker`] alone with their part in an environment
//! variable. The download has 64 MiB, or as many as `WAXWING_HOT_RESTART_MIB` says; `.ci/run` sets
//! 1024.

#![forbid(unsafe_code)]
#![cfg(unix)]

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write, pipe};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use waxwing::blocking::Stream;
use waxwing::crypto::{Hash, HashContext};
use waxwing::pki::{KeyType, TrustAnchors, Verifier, load_certified_key_files};
use waxwing::{ClientConfig, Importer, PROVIDER, ProtocolVersions, ServerConfig};
use waxwing_interop::{Identity, PATIENCE, VERSIONS, peer};

const MIB: u64 = 1 << 20;
const PART: &str = "WAXWING_HOT_RESTART_PART";
const SIZE: &str = "WAXWING_HOT_RESTART_MIB";
const VERSION: &str = "WAXWING_HOT_RESTART_VERSION";
const CHAIN: &str = "WAXWING_HOT_RESTART_CHAIN";
const KEY: &str = "WAXWING_HOT_RESTART_KEY";
const ANCHOR: &str = "WAXWING_HOT_RESTART_ANCHOR";
/// What a client asks for, in small records: the first server process reads a part of it, and has
/// received more.
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const SEEN_BY_FIRST: usize = 10;

fn size() -> u64 {
    let mebibytes = std::env::var(SIZE).ok();
    MIB * mebibytes.map_or(64, |text| text.parse().expect("a number"))
}

/// The download: its bytes at any place, from a counter.
struct Pattern {
    at: u64,
    end: u64,
}

const CHUNK: usize = 1 << 16;

impl Pattern {
    /// The next bytes: up to the end of their chunk, or of all.
    fn next(&mut self, memory: &mut [u8; CHUNK]) -> usize {
        let start = self.at - self.at % CHUNK as u64;
        for (counter, place) in (start / 8..).zip(memory.as_chunks_mut().0) {
            *place = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        }
        let skipped = (self.at - start) as usize;
        let count = (CHUNK - skipped).min((self.end - self.at) as usize);
        memory.copy_within(skipped..skipped + count, 0);
        self.at += count as u64;
        count
    }
}

fn sha256() -> &'static Hash {
    PROVIDER.suites13[0].hash
}

fn expected_hash() -> Vec<u8> {
    let mut pattern = Pattern { at: 0, end: size() };
    let mut memory = [0; CHUNK];
    let mut hash = sha256().start();
    while pattern.at < pattern.end {
        let count = pattern.next(&mut memory);
        hash.update(&memory[..count]);
    }
    hash.finish().as_ref().to_vec()
}

/// Hashes what comes, up to its end; how much it was.
fn hash_all(from: &mut impl Read, mut hash: HashContext) -> (Vec<u8>, u64) {
    let mut memory = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let count = from.read(&mut memory).unwrap();
        if count == 0 {
            return (hash.finish().as_ref().to_vec(), total);
        }
        hash.update(&memory[..count]);
        total += count as u64;
    }
}

/// Both ends of a TCP connection.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for socket in [&near, &far] {
        patient(socket);
    }
    (near, far)
}

fn patient(socket: &TcpStream) {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
}

/// This binary, to play one part on `socket`.
fn part(part: &str, socket: TcpStream) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "worker", "--nocapture", "--test-threads=1"])
        .env(PART, part)
        .stdin(OwnedFd::from(socket))
        .stdout(Stdio::null());
    command
}

/// The first process: all that follow inherit its surroundings.
fn first(
    name: &str,
    socket: TcpStream,
    identity: &Identity,
    versions: ProtocolVersions,
) -> Command {
    let mut command = part(name, socket);
    let old = versions == ProtocolVersions::TLS12;
    command
        .env(VERSION, if old { "1.2" } else { "1.3" })
        .env(CHAIN, identity.chain())
        .env(KEY, identity.key())
        .env(ANCHOR, identity.anchor());
    command
}

/// Plays a part, if there is one: called by the tests here in a process of its own.
#[test]
fn worker() {
    match std::env::var(PART).as_deref() {
        Ok("serve") => serve(),
        Ok("serve-successor") => serve_on(),
        Ok("fetch") => fetch(),
        Ok("fetch-successor") => fetch_on(),
        _ => {}
    }
}

fn socket() -> TcpStream {
    let socket = TcpStream::from(io::stdin().as_fd().try_clone_to_owned().unwrap());
    patient(&socket);
    socket
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn versions() -> ProtocolVersions {
    match variable(VERSION).as_str() {
        "1.2" => ProtocolVersions::TLS12,
        _ => ProtocolVersions::TLS13,
    }
}

/// Hands the connection over: how far it is goes along.
#[expect(
    clippy::zombie_processes,
    reason = "this process ends before its successor"
)]
fn leave(stream: Stream<TcpStream>, at: u64, successor: &str) {
    let (exported, socket) = stream.into_exported().map_err(|(_, why)| why).unwrap();
    socket.set_nonblocking(false).unwrap();
    let (from, mut to) = pipe().unwrap();
    part(successor, socket).stdout(from).spawn().unwrap();
    to.write_all(&at.to_be_bytes()).unwrap();
    to.write_all(exported.as_bytes()).unwrap();
}

/// What the process before left.
fn take_over() -> (Stream<TcpStream>, u64) {
    let mut pipe = File::from(io::stdout().as_fd().try_clone_to_owned().unwrap());
    let mut at = [0; 8];
    pipe.read_exact(&mut at).unwrap();
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    let importer = Importer::new(&PROVIDER);
    let stream = Stream::from_exported(&bytes, &importer, socket()).unwrap();
    (stream, u64::from_be_bytes(at))
}

fn serve() {
    let own = load_certified_key_files(&PROVIDER, variable(CHAIN), variable(KEY)).unwrap();
    let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(own)))
        .versions(versions())
        .build()
        .unwrap();
    let mut stream = waxwing::serve(config, socket()).unwrap();
    let mut request = [0; SEEN_BY_FIRST];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(request, REQUEST[..SEEN_BY_FIRST]);
    let size = size();
    let header = format!("HTTP/1.0 200 OK\r\nContent-Length: {size}\r\n\r\n");
    stream.write_all(header.as_bytes()).unwrap();
    let mut pattern = Pattern { at: 0, end: size };
    let mut memory = [0; CHUNK];
    while pattern.at < size / 2 {
        let count = pattern.next(&mut memory);
        stream.write_all(&memory[..count]).unwrap();
    }
    // What the socket does not take any more stays in the stream, and goes along.
    stream.get_ref().set_nonblocking(true).unwrap();
    let mut at = pattern.at;
    while at < size / 4 * 3 {
        let mut left = Pattern { at, end: size };
        let count = left.next(&mut memory);
        match stream.write(&memory[..count]) {
            Ok(count) => at += count as u64,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    if stream.buffer_memory() == 0 {
        // The client was faster; this is too little to be written at once.
        let count = Pattern { at, end: size }.next(&mut memory).min(1000);
        stream.write_all(&memory[..count]).unwrap();
        at += count as u64;
    }
    assert!(stream.buffer_memory() > 0);
    leave(stream, at, "serve-successor");
}

fn serve_on() {
    let (mut stream, at) = take_over();
    // What the first process decrypted, or received, and did not read.
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    assert!(request.starts_with(b"/1.0\r\n"));
    send(&mut stream, at);
    // A client may have gone without a word.
    let _ = stream.shutdown();
}

/// Sends all that is left.
fn send(stream: &mut Stream<TcpStream>, at: u64) {
    let mut pattern = Pattern { at, end: size() };
    let mut memory = [0; CHUNK];
    while pattern.at < pattern.end {
        let count = pattern.next(&mut memory);
        stream.write_all(&memory[..count]).unwrap();
    }
}

fn fetch() {
    let anchors = TrustAnchors::from_file(variable(ANCHOR)).unwrap();
    let verifier = Arc::new(Verifier::new(&PROVIDER, anchors));
    let config = ClientConfig::builder(&PROVIDER, verifier)
        .versions(versions())
        .build()
        .unwrap();
    let mut stream = waxwing::Connector::new(config)
        .connect("localhost".parse().unwrap(), socket())
        .unwrap();
    stream.write_all(REQUEST).unwrap();
    stream.flush().unwrap();
    let mut sink = io::stderr();
    let (mut at, mut memory) = (0, vec![0; 10_000]);
    while at < size() / 2 {
        let count = stream.read(&mut memory).unwrap();
        sink.write_all(&memory[..count]).unwrap();
        at += count as u64;
    }
    leave(stream, at, "fetch-successor");
}

fn fetch_on() {
    let (mut stream, _) = take_over();
    let mut sink = io::stderr();
    io::copy(&mut stream, &mut sink).unwrap();
    stream.write_all(b"thank you").unwrap();
    stream.close_notify().unwrap();
}

fn succeed(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_server_process_is_replaced() {
    let expected = expected_hash();
    for versions in VERSIONS {
        let (near, far) = sockets();
        let identity = Identity::new(KeyType::P256);
        let server = first("serve", far, &identity, versions).spawn().unwrap();
        let mut stream = waxwing::Connector::new(Identity::client_of(versions))
            .connect("localhost".parse().unwrap(), near)
            .unwrap();
        for piece in REQUEST.chunks(3) {
            stream.write_all(piece).unwrap();
            stream.flush().unwrap();
        }
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let (hash, count) = hash_all(&mut stream, sha256().start());
        assert_eq!((hash, count), (expected.clone(), size()));
        succeed(server);
        stream.close_notify().unwrap();
    }
}

#[test]
fn a_client_process_is_replaced() {
    let expected = expected_hash();
    for versions in VERSIONS {
        let (near, far) = sockets();
        let (mut download, sink) = pipe().unwrap();
        let identity = Identity::new(KeyType::P256);
        let client = first("fetch", far, &identity, versions)
            .stderr(sink)
            .spawn()
            .unwrap();
        let config = identity.server_of(versions);
        let server = std::thread::spawn(move || {
            let mut stream = waxwing::serve(config, near).unwrap();
            let mut request = [0; REQUEST.len()];
            stream.read_exact(&mut request).unwrap();
            send(&mut stream, 0);
            stream.close_notify().unwrap();
            let mut thanks = Vec::new();
            stream.read_to_end(&mut thanks).unwrap();
            thanks
        });
        let (hash, count) = hash_all(&mut download, sha256().start());
        assert_eq!((hash, count), (expected.clone(), size()));
        succeed(client);
        assert_eq!(server.join().unwrap(), b"thank you");
    }
}

#[test]
fn curl_does_not_notice() {
    peer!("curl");
    let expected = expected_hash();
    for versions in VERSIONS {
        let identity = Identity::new(KeyType::P256);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--http1.0", "--max-time", "120"])
            .args(["--cacert", identity.anchor(), "--resolve"])
            .arg(format!("localhost:{port}:127.0.0.1"))
            .arg(format!("https://localhost:{port}/"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (socket, _) = listener.accept().unwrap();
        patient(&socket);
        let server = first("serve", socket, &identity, versions).spawn().unwrap();
        let mut download = curl.stdout.take().unwrap();
        let (hash, count) = hash_all(&mut download, sha256().start());
        assert_eq!((hash, count), (expected.clone(), size()));
        succeed(curl);
        succeed(server);
    }
}
