//! Sessions of TLS 1.3 with OpenSSL and GnuTLS. That a connection rests on an earlier one is asked of
//! both sides, each time.

#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxwing::crypto::NamedGroup;
use waxwing::pki::{KeyType, to_pem};
use waxwing::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ClientSessionCache, Clock, PROVIDER,
    ServerConfig, ServerSessions, SessionLookup, SystemClock,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::matrix::SUITES;
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, peer};
use waxwing_server::{MemorySessions, TicketKeys};
use waxwing_testkit::pki::{self, Case};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions};

/// What a server of OpenSSL prints of a session that goes on.
const OPENSSL_RESUMED: &str = "Reused session-id";
/// What both programs of GnuTLS print.
const GNUTLS_RESUMED: &str = "This is a resumed session";
const RETRYING: [NamedGroup; 2] = [NamedGroup::X25519, NamedGroup::SECP384R1];

fn now() -> Arc<SystemClock> {
    Arc::new(SystemClock)
}

fn client_builder() -> ClientConfigBuilder {
    let sessions = ClientSessionCache::new(4, now());
    Identity::client().sessions(Arc::new(sessions), now())
}

fn client() -> Arc<ClientConfig> {
    client_builder().build().unwrap()
}

fn ticket_keys() -> Arc<TicketKeys> {
    Arc::new(TicketKeys::new(&PROVIDER, now()).unwrap())
}

fn server(identity: &Identity, sessions: Arc<dyn ServerSessions>) -> Arc<ServerConfig> {
    let builder = identity.server().sessions(sessions, now());
    builder.build().unwrap()
}

fn count(output: &[u8], words: &str) -> usize {
    let words = words.as_bytes();
    let windows = output.windows(words.len());
    windows.filter(|window| *window == words).count()
}

/// Waits until `peer` has said `words` exactly `expected` times by the time it says `then`, which it
/// says once for each connection.
fn wait_for_count(
    peer: &mut Process,
    words: &str,
    expected: usize,
    then: &str,
    connections: usize,
) {
    let output = peer.wait_until(then, |output, _| count(output, then) >= connections);
    assert_eq!(count(&output, words), expected, "{}", peer.report());
}

/// Talks with an `s_server`, and looks at what it said so far: after so many connections of which so
/// many were resumed.
fn talk(session: &mut Session, peer: &mut Process, [connections, resumed]: [usize; 2]) {
    peer.send("hello\n");
    assert_eq!(session.read(6).unwrap(), b"hello\n");
    session.write(b"over and out\n").unwrap();
    wait_for_count(
        peer,
        OPENSSL_RESUMED,
        resumed,
        "over and out\n",
        connections,
    );
}

#[test]
fn openssl_servers_resume_our_sessions() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    // Without tickets that hold everything, OpenSSL's name sessions in its memory.
    for more in [&[][..], &["-no_ticket"], &["-num_tickets", "1"]] {
        for (suite, name) in SUITES {
            let options = [more, &["-ciphersuites", name]].concat();
            let (mut peer, port) = s_server(&identity, &options);
            let config = client();
            for seen in 0..3 {
                let mut session = Session::connect(&config, port).unwrap();
                talk(&mut session, &mut peer, [seen + 1, seen]);
                assert_eq!(session.info().resumed, seen > 0, "{options:?}");
                assert_eq!(session.info().cipher_suite, Some(suite));
                session.close().unwrap();
            }
        }
    }
}

#[test]
fn gnutls_servers_resume_our_sessions() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    for cipher in ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}");
        let (mut peer, port) = gnutls_serv(&identity, &["--priority", &priority]);
        let config = client();
        for seen in 0..3 {
            let mut session = Session::connect(&config, port).unwrap();
            assert_eq!(session.info().resumed, seen > 0, "{cipher}");
            assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
            wait_for_count(
                &mut peer,
                GNUTLS_RESUMED,
                seen,
                "- Version: TLS1.3",
                seen + 1,
            );
            session.close().unwrap();
        }
    }
}

/// Serves a connection of `peer`, which hears that it is over.
fn serve(config: &Arc<ServerConfig>, listener: &Listener, peer: &mut Process) -> Session {
    let tcp = listener.accept(peer).unwrap();
    let mut session = Session::accept(config, tcp).unwrap();
    session.write(b"for you\n").unwrap();
    peer.wait_for("for you");
    session
}

/// Lets an `s_client` get a session of ours, into `file`.
fn give_session(
    config: &Arc<ServerConfig>,
    identity: &Identity,
    file: &Path,
    more: &[&str],
) -> Session {
    let listener = Listener::bind().unwrap();
    let out = ["-sess_out", file.to_str().unwrap()];
    let mut peer = s_client(identity, &listener, &[&out, more].concat());
    let session = serve(config, &listener, &mut peer);
    assert!(!session.info().resumed);
    peer.wait_for("New, TLSv1.3");
    peer.end_input();
    peer.succeed();
    session
}

/// Serves an `s_client` that shows the session in `file`: both sides have to agree whether it is
/// resumed.
fn show_session(
    config: &Arc<ServerConfig>,
    identity: &Identity,
    file: &Path,
    more: &[&str],
) -> Session {
    let listener = Listener::bind().unwrap();
    let shown = ["-sess_in", file.to_str().unwrap()];
    let mut peer = s_client(identity, &listener, &[&shown, more].concat());
    let session = serve(config, &listener, &mut peer);
    peer.wait_for(if session.info().resumed {
        "Reused, TLSv1.3"
    } else {
        "New, TLSv1.3"
    });
    session
}

#[test]
fn openssl_clients_resume_sessions_of_ours() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let file = identity.file("session.pem");
    for (_, suite) in SUITES {
        let more = ["-ciphersuites", suite];
        let config = server(&identity, ticket_keys());
        give_session(&config, &identity, &file, &more);
        for _ in 0..2 {
            let session = show_session(&config, &identity, &file, &more);
            assert!(session.info().resumed, "{suite}");
        }
    }
}

#[test]
fn gnutls_clients_resume_sessions_of_ours() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let config = server(&identity, ticket_keys());
    for cipher in ["AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}");
        let options = ["--resume", "--waitresumption", "--priority", &priority];
        let mut peer = gnutls_cli(&identity, &listener, &options);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&config, tcp).unwrap();
        assert!(!session.info().resumed);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut again = Session::accept(&config, tcp).unwrap();
        assert!(again.info().resumed, "{cipher}");
        again.write(b"for you\n").unwrap();
        peer.wait_for("for you");
        peer.wait_for(GNUTLS_RESUMED);
    }
}

/// The binder is then over two hellos, the first one hashed (RFC 9846, Section 4.3.11.2).
#[test]
fn sessions_go_on_after_a_hello_retry_request_of_openssl_or_gnutls() {
    peer!(OPENSSL);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    for (_, suite) in SUITES {
        let options = ["-groups", "P-384", "-ciphersuites", suite];
        let (mut peer, port) = s_server(&identity, &options);
        let config = client_builder().groups(RETRYING).build().unwrap();
        for seen in 0..2 {
            let mut session = Session::connect(&config, port).unwrap();
            talk(&mut session, &mut peer, [seen + 1, seen]);
            let info = session.info();
            assert_eq!((info.resumed, info.retried), (seen > 0, true), "{suite}");
            session.close().unwrap();
        }
    }
    let priority = "NORMAL:-GROUP-ALL:+GROUP-SECP384R1";
    let (mut peer, port) = gnutls_serv(&identity, &["--priority", priority]);
    let config = client_builder().groups(RETRYING).build().unwrap();
    for seen in 0..2 {
        let mut session = Session::connect(&config, port).unwrap();
        let info = session.info();
        assert_eq!((info.resumed, info.retried), (seen > 0, true));
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        wait_for_count(
            &mut peer,
            GNUTLS_RESUMED,
            seen,
            "- Version: TLS1.3",
            seen + 1,
        );
    }
}

#[test]
fn sessions_go_on_after_a_hello_retry_request_of_ours() {
    peer!(OPENSSL);
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let file = identity.file("session.pem");
    for cookie in [false, true] {
        let builder = identity.server().sessions(ticket_keys(), now());
        let builder = builder.groups([NamedGroup::SECP384R1]);
        let config = builder.retry_cookie(cookie).build().unwrap();
        for (_, suite) in SUITES {
            let more = ["-groups", "X25519:P-384", "-ciphersuites", suite];
            assert!(
                give_session(&config, &identity, &file, &more)
                    .info()
                    .retried
            );
            let session = show_session(&config, &identity, &file, &more);
            let info = session.info();
            assert_eq!((info.resumed, info.retried), (true, true), "{suite}");
        }
        let listener = Listener::bind().unwrap();
        let options = ["--resume", "--waitresumption", "--single-key-share"];
        let mut peer = gnutls_cli(&identity, &listener, &options);
        for resumed in [false, true] {
            let tcp = listener.accept(&mut peer).unwrap();
            let session = Session::accept(&config, tcp).unwrap();
            let info = session.info();
            assert_eq!((info.resumed, info.retried), (resumed, true));
        }
        peer.wait_for(GNUTLS_RESUMED);
    }
}

/// The tickets that a server gave.
#[derive(Debug)]
struct Noted {
    keys: Arc<TicketKeys>,
    tickets: Mutex<Vec<Vec<u8>>>,
}

impl Noted {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            keys: ticket_keys(),
            tickets: Mutex::default(),
        })
    }

    fn last(&self) -> Vec<u8> {
        self.tickets.lock().unwrap().last().unwrap().clone()
    }
}

impl ServerSessions for Noted {
    fn issue(&self, session: &waxwing::Session) -> Option<Vec<u8>> {
        let ticket = self.keys.issue(session)?;
        self.tickets.lock().unwrap().push(ticket.clone());
        Some(ticket)
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        self.keys.find(ticket)
    }
}

/// Changes a bit of the ticket, which is somewhere in a session that OpenSSL wrote to `file`.
fn forge(file: &Path, ticket: &[u8], at: usize) {
    const LABEL: &str = "SSL SESSION PARAMETERS";
    let pem = std::fs::read_to_string(file).unwrap();
    let body: String = pem.lines().filter(|line| !line.contains(LABEL)).collect();
    let mut der = STANDARD.decode(body).unwrap();
    let mut windows = der.windows(ticket.len());
    let start = windows.position(|window| window == ticket).unwrap();
    der[start + at] ^= 0x10;
    std::fs::write(file, &*to_pem(LABEL, &der)).unwrap();
}

/// An `s_client` with a certificate gets a ticket; one without changes it and shows it. It must not
/// be taken for the other, and be served all the same.
#[test]
fn forged_tickets_of_openssl_clients_lead_to_full_handshakes() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let file = identity.file("session.pem");
    let own = Identity::of(Case::Client(KeyType::P256));
    let chain = ["-cert_chain", own.intermediate()];
    let certificate = [&["-cert", own.chain(), "-key", own.key()][..], &chain].concat();
    let noted = Noted::new();
    let builder = identity.server().sessions(noted.clone(), now());
    let builder = builder.client_auth(ClientAuth::Optional(pki::client_verifier()));
    let config = builder.keep_peer_chain(true).build().unwrap();
    let session = give_session(&config, &identity, &file, &certificate);
    assert!(session.info().client_authenticated);
    let ticket = noted.last();
    let written = std::fs::read(&file).unwrap();
    // The name of the key, the nonce, what is sealed, and the tag at the end.
    for at in [0, 17, ticket.len() / 2, ticket.len() - 1] {
        std::fs::write(&file, &written).unwrap();
        forge(&file, &ticket, at);
        let session = show_session(&config, &identity, &file, &[]);
        let info = session.info();
        assert!(!info.resumed && !info.client_authenticated, "byte {at}");
        assert!(info.peer_chain.is_empty());
    }
    // Unchanged, it stands for who got it.
    std::fs::write(&file, &written).unwrap();
    let session = show_session(&config, &identity, &file, &[]);
    assert!(session.info().resumed && session.info().client_authenticated);
}

#[test]
fn foreign_old_and_repeated_tickets_of_openssl_clients_lead_to_full_handshakes() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let file = identity.file("session.pem");
    let resumed = |config: &Arc<ServerConfig>| {
        let session = show_session(config, &identity, &file, &[]);
        session.info().resumed
    };
    let clock = ManualClock::at(SystemClock.now());
    let keys = TicketKeys::new(&PROVIDER, clock.clone()).unwrap();
    let builder = identity.server().sessions(Arc::new(keys), clock.clone());
    let config = builder.session_lifetime(7000).build().unwrap();
    give_session(&config, &identity, &file, &[]);
    assert!(!resumed(&server(&identity, ticket_keys())), "foreign");
    clock.advance(6_999_000);
    assert!(resumed(&config), "young enough");
    clock.advance(1000);
    assert!(!resumed(&config), "old");

    // A server that keeps its sessions gives each out once.
    let once = MemorySessions::new(16, now(), PROVIDER.random);
    let config = server(&identity, Arc::new(once));
    give_session(&config, &identity, &file, &[]);
    assert!(resumed(&config));
    assert!(!resumed(&config), "repeated");
}

/// The name is the same, and the port does not count: our client shows the one what the other gave.
#[test]
fn servers_of_openssl_and_gnutls_refuse_foreign_tickets_and_go_on() {
    peer!(OPENSSL);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let store = MemoryClientSessions::new();
    let config = Identity::client().sessions(store.clone(), now());
    let config = config.build().unwrap();
    let visit = |port, foreign: bool| {
        let before = store.len();
        let session = Session::connect(&config, port).unwrap();
        // The new tickets have not been read yet.
        assert_eq!(store.len() + 1, before, "one was shown");
        assert_eq!(session.info().resumed, !foreign);
        session
    };
    let (mut first, first_port) = s_server(&identity, &[]);
    let (mut second, second_port) = s_server(&identity, &[]);
    let (mut gnutls, gnutls_port) = gnutls_serv(&identity, &[]);
    let mut session = Session::connect(&config, first_port).unwrap();
    talk(&mut session, &mut first, [1, 0]);
    session.close().unwrap();
    let mut session = visit(second_port, true);
    talk(&mut session, &mut second, [1, 0]);
    session.close().unwrap();
    for foreign in [true, false] {
        let mut session = visit(gnutls_port, foreign);
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        session.close().unwrap();
    }
    wait_for_count(&mut gnutls, GNUTLS_RESUMED, 1, "- Version: TLS1.3", 2);
    for foreign in [true, false] {
        let mut session = visit(first_port, foreign);
        let seen = if foreign { [2, 0] } else { [3, 1] };
        talk(&mut session, &mut first, seen);
        session.close().unwrap();
    }
}
