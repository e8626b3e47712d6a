//! Early data with OpenSSL and GnuTLS: what is said early is heard once, whatever becomes of it.

#![forbid(unsafe_code)]

use std::io::{self, Cursor, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Builder;
use waxwing::blocking::Stream;
use waxwing::crypto::NamedGroup;
use waxwing::pki::KeyType;
use waxwing::tokio::Setup;
use waxwing::{
    ClientConfig, ClientConfigBuilder, ClientSessionCache, Clock, EarlyDataStatus, PROVIDER,
    ReplayGuard, ServerConfig, ServerConfigBuilder, SystemClock,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, SessionFile, s_client, s_server};
use waxwing_interop::payload::text;
use waxwing_interop::{Identity, Listener, Process, Session, contains, peer};
use waxwing_server::{LocalReplayGuard, TicketKeys};
use waxwing_testkit::sessions::ManualClock;

const MAX: u32 = 16_384;
const RETRYING: [NamedGroup; 2] = [NamedGroup::X25519, NamedGroup::SECP384R1];

fn now() -> Arc<SystemClock> {
    Arc::new(SystemClock)
}

fn client() -> ClientConfigBuilder {
    let sessions = ClientSessionCache::new(4, now());
    let builder = Identity::client().sessions(Arc::new(sessions), now());
    builder.early_data(true)
}

/// A guard that has run for long enough to know what is new.
fn guard() -> Arc<LocalReplayGuard> {
    let now = SystemClock.now();
    let clock = ManualClock::at(now - 3_600_000);
    let guard = LocalReplayGuard::new(100, clock.clone());
    clock.set(now);
    Arc::new(guard)
}

fn ticket_keys() -> Arc<TicketKeys> {
    Arc::new(TicketKeys::new(&PROVIDER, now()).unwrap())
}

fn builder(
    identity: &Identity,
    keys: &Arc<TicketKeys>,
    guard: Arc<dyn ReplayGuard>,
) -> ServerConfigBuilder {
    let builder = identity.server().sessions(keys.clone(), now());
    builder.early_data(MAX, guard)
}

fn server(identity: &Identity) -> Arc<ServerConfig> {
    builder(identity, &ticket_keys(), guard()).build().unwrap()
}

/// Connects for tickets, which stand before what the peer says.
fn visit(config: &Arc<ClientConfig>, peer: &Process, port: u16) {
    let mut session = Session::connect(config, port).unwrap();
    assert!(!session.info().resumed);
    peer.send("hello\n");
    session.read(6).unwrap();
    session.close().unwrap();
}

#[test]
fn openssl_servers_hear_our_early_data_once() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    // What is more than its maximum goes after the handshake.
    for length in [1, 100, 16_384, 20_000] {
        let data = text(length);
        let (mut peer, port) = s_server(&identity, &["-early_data", "-quiet", "-naccept", "2"]);
        let config = client().build().unwrap();
        visit(&config, &peer, port);
        let session = Session::connect_early(&config, port, &data).unwrap();
        let info = session.info();
        assert!(info.resumed && info.early_data == EarlyDataStatus::Accepted);
        session.close().unwrap();
        assert!(peer.succeed() == data, "{length} bytes");
    }
}

#[test]
fn openssl_servers_tell_early_data_from_other_data() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-early_data"]);
    let config = client().build().unwrap();
    visit(&config, &peer, port);
    let mut session = Session::connect_early(&config, port, b"said early\n").unwrap();
    session.write(b"said late\n").unwrap();
    let output = peer.wait_for("said late\n");
    for words in [
        "said early\n",
        "Early data received:\n\nEnd of early data\n",
    ] {
        assert!(contains(&output, words.as_bytes()), "{}", peer.report());
    }
    assert!(contains(&output, b"Reused session-id"));
}

#[test]
fn tasks_say_early_data_too() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-early_data"]);
    let config = client().build().unwrap();
    visit(&config, &peer, port);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        let setup = Setup::new().early_data(b"said early\n".to_vec());
        let name = "localhost".parse().unwrap();
        let stream = setup.connect(config, name, tcp.unwrap()).await.unwrap();
        assert_eq!(stream.info().early_data, EarlyDataStatus::Accepted);
    });
    peer.wait_for("said early\n");
    peer.wait_for("Early data received:");
}

/// A server that retries refuses early data (RFC 9846, Section 4.2.2), and so does one that does not
/// take any: it is then said again.
#[test]
fn what_openssl_servers_refuse_is_said_again() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let data = text(5000);
    // Its own guard would forget the ticket at the first hello, and not find it at the second.
    let options = ["-early_data", "-quiet", "-naccept", "2", "-no_anti_replay"];
    let (mut peer, port) = s_server(&identity, &[&options[..], &["-groups", "P-384"]].concat());
    let config = client().groups(RETRYING).build().unwrap();
    visit(&config, &peer, port);
    let session = Session::connect_early(&config, port, &data).unwrap();
    let info = session.info();
    assert!(info.resumed && info.retried);
    assert_eq!(info.early_data, EarlyDataStatus::Rejected);
    session.close().unwrap();
    assert!(peer.succeed() == data);

    // The session is another server's, who does not know the ticket.
    let (first, first_port) = s_server(&identity, &["-early_data", "-quiet"]);
    let (mut second, port) = s_server(&identity, &["-early_data", "-quiet", "-naccept", "1"]);
    let config = client().build().unwrap();
    visit(&config, &first, first_port);
    let session = Session::connect_early(&config, port, &data).unwrap();
    let info = session.info();
    assert!(!info.resumed && info.early_data == EarlyDataStatus::Rejected);
    session.close().unwrap();
    assert!(second.succeed() == data);
}

#[test]
fn gnutls_servers_hear_our_early_data() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let options = ["--earlydata", "--maxearlydata", "100", "-d", "5"];
    for length in [1, 99] {
        let (mut peer, port) = gnutls_serv(&identity, &options);
        let config = client().build().unwrap();
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        session.close().unwrap();
        let mut session = Session::connect_early(&config, port, &text(length)).unwrap();
        let info = session.info();
        assert!(info.resumed && info.early_data == EarlyDataStatus::Accepted);
        peer.wait_for(&format!("decrypted early data with length: {length}"));
        session.write(b"hello\n").unwrap();
        session.read(6).unwrap();
    }
}

/// The session is another server's. One that retries cannot be asked: GnuTLS 3.7 takes the early data,
/// and then fails to decrypt the second hello, which is in the clear; OpenSSL's client fails likewise.
#[test]
fn what_gnutls_servers_refuse_is_said_again() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let options = ["--earlydata", "--maxearlydata", "100"];
    let (_first, first) = gnutls_serv(&identity, &options);
    let (_second, second) = gnutls_serv(&identity, &options);
    let config = client().build().unwrap();
    let mut session = Session::connect(&config, first).unwrap();
    assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
    session.close().unwrap();
    let mut session = Session::connect_early(&config, second, b"again\n").unwrap();
    let info = session.info();
    assert!(!info.resumed && info.early_data == EarlyDataStatus::Rejected);
    assert_eq!(session.read_line().unwrap(), b"again\n");
}

/// A session, and what an `s_client` says early with it.
struct Flight<'a> {
    identity: &'a Identity,
    session: SessionFile<'a>,
    data: PathBuf,
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl<'a> Flight<'a> {
    /// An `s_client` gets a session from the server, to say `said` with it.
    fn new(identity: &'a Identity, config: &Arc<ServerConfig>, said: &[u8], more: &[&str]) -> Self {
        let (session, _) = SessionFile::get(identity, config, more);
        let data = identity.file("early");
        std::fs::write(&data, said).unwrap();
        Self {
            identity,
            session,
            data,
        }
    }

    /// Sends it to the listener.
    fn send(&self, listener: &Listener, more: &[&str]) -> Process {
        let session = ["-sess_in", self.session.path()];
        let data = ["-early_data", path(&self.data)];
        s_client(self.identity, listener, &[&session, &data, more].concat())
    }
}

#[test]
fn openssl_clients_say_early_what_we_hear_early() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let config = server(&identity);
    for length in [1, 1000, 16_000] {
        let data = text(length);
        let flight = Flight::new(&identity, &config, &data, &[]);
        let listener = Listener::bind().unwrap();
        let mut peer = flight.send(&listener, &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        let (mut session, early) = Session::accept_early(&config, tcp).unwrap();
        assert!(early == data, "{length} bytes");
        let info = session.info();
        assert!(info.resumed && info.early_data == EarlyDataStatus::Accepted);
        peer.wait_for("Early data was accepted");
        peer.send("late\n");
        assert_eq!(session.read_line().unwrap(), b"late\n");
    }
}

#[test]
fn openssl_clients_are_refused_after_a_retry_by_age_and_without_a_guard_that_knows() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let keys = ticket_keys();
    let data = text(1000);
    let usual = builder(&identity, &keys, guard()).build().unwrap();
    let groups = ["-groups", "X25519:P-384"];
    let flight = Flight::new(&identity, &usual, &data, &groups);

    let retrying = builder(&identity, &keys, guard()).groups([NamedGroup::SECP384R1]);
    let later = ManualClock::at(SystemClock.now() + 60_000);
    let old = identity.server().sessions(keys.clone(), later);
    let old = old.early_data(MAX, guard());
    let young = LocalReplayGuard::new(100, now());
    let unsure = builder(&identity, &keys, Arc::new(young));
    let without = identity.server().sessions(keys, now());
    for config in [retrying, old, unsure, without] {
        let config = config.build().unwrap();
        let listener = Listener::bind().unwrap();
        let mut peer = flight.send(&listener, &groups);
        let tcp = listener.accept(&mut peer).unwrap();
        let (mut session, early) = Session::accept_early(&config, tcp).unwrap();
        assert!(early.is_empty());
        let info = session.info();
        assert!(info.resumed && info.early_data == EarlyDataStatus::Rejected);
        peer.wait_for("Early data was rejected");
        // This client does not say it again, but can go on.
        peer.send("late\n");
        assert_eq!(session.read_line().unwrap(), b"late\n");
    }
}

#[test]
fn gnutls_clients_say_early_what_we_hear_early() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let config = server(&identity);
    let file = identity.file("early");
    let data = text(1000);
    std::fs::write(&file, &data).unwrap();
    let listener = Listener::bind().unwrap();
    let options = ["--resume", "--waitresumption", "--earlydata", path(&file)];
    let mut peer = gnutls_cli(&identity, &listener, &options);
    let tcp = listener.accept(&mut peer).unwrap();
    let session = Session::accept(&config, tcp).unwrap();
    assert!(!session.info().resumed);
    let tcp = listener.accept(&mut peer).unwrap();
    let (mut session, early) = Session::accept_early(&config, tcp).unwrap();
    assert!(early == data);
    let info = session.info();
    assert!(info.resumed && info.early_data == EarlyDataStatus::Accepted);
    session.write(b"for you\n").unwrap();
    peer.wait_for("for you");
    peer.wait_for("This is a resumed session");
}

/// Somebody on the way who writes down what a client sends.
struct Recording {
    tcp: TcpStream,
    heard: Vec<u8>,
}

impl Read for Recording {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.tcp.read(to)?;
        self.heard.extend_from_slice(&to[..count]);
        Ok(count)
    }
}

impl Write for Recording {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.tcp.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// Somebody who sends the same again, and cannot use what comes back.
struct Replay(Cursor<Vec<u8>>);

impl Read for Replay {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to)
    }
}

impl Write for Replay {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The early data that a server hears before the connection is over, one way or another.
fn hear<S: Read + Write>(stream: &mut Stream<S>) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut part = [0; 1000];
    while stream.is_handshaking() {
        match stream.read_early(&mut part) {
            Ok(count) => heard.extend_from_slice(&part[..count]),
            Err(_) => break,
        }
    }
    heard
}

fn hear_again(config: &Arc<ServerConfig>, flight: &[u8]) -> Vec<u8> {
    let replay = Replay(Cursor::new(flight.to_vec()));
    hear(&mut Stream::server(Arc::clone(config), replay))
}

#[test]
fn a_recorded_flight_of_openssl_is_heard_once_by_all_servers_that_share_a_guard() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let keys = ticket_keys();
    let shared = guard();
    let [near, far] = [(); 2].map(|()| builder(&identity, &keys, shared.clone()).build().unwrap());
    let flight = Flight::new(&identity, &near, b"once\n", &[]);
    let listener = Listener::bind().unwrap();
    let mut peer = flight.send(&listener, &[]);
    let tcp = listener.accept(&mut peer).unwrap();
    let recording = Recording {
        tcp,
        heard: Vec::new(),
    };
    let mut stream = Stream::server(near.clone(), recording);
    assert_eq!(hear(&mut stream), b"once\n");
    assert_eq!(stream.info().early_data, EarlyDataStatus::Accepted);
    assert!(!stream.is_handshaking());
    peer.wait_for("Early data was accepted");
    let recorded = stream.into_inner().heard;
    for config in [&near, &far, &near, &far] {
        assert!(hear_again(config, &recorded).is_empty());
    }
    // It is the guard that they refuse it by: another one that has not seen it lets it pass, once.
    let other = builder(&identity, &keys, guard()).build().unwrap();
    assert_eq!(hear_again(&other, &recorded), b"once\n");
    assert!(hear_again(&other, &recorded).is_empty());
}
