//! Sessions of TLS 1.3 with OpenSSL and GnuTLS. That a connection rests on an earlier one is asked of
//! both sides, each time.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::crypto::NamedGroup;
use waxwing::pki::KeyType;
use waxwing::{
    ClientConfig, ClientConfigBuilder, ClientSessionCache, PROVIDER, ServerConfig, ServerSessions,
    SystemClock,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::matrix::SUITES;
use waxwing_interop::openssl::{OPENSSL, SessionFile, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, count, peer};
use waxwing_server::TicketKeys;
use waxwing_testkit::sessions::MemoryClientSessions;

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

/// Hears an `s_server`, and looks at what it said of so many connections, of which so many were
/// resumed.
fn talk(session: &mut Session, peer: &mut Process, [connections, resumed]: [usize; 2]) {
    peer.send("hello\n");
    assert_eq!(session.read(6).unwrap(), b"hello\n");
    let then = "Secure Renegotiation IS";
    wait_for_count(peer, OPENSSL_RESUMED, resumed, then, connections);
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
            // It does not know such requests (RFC 9149), and goes on.
            let config = client_builder().ticket_request(1, 1).build().unwrap();
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

#[test]
fn openssl_clients_resume_sessions_of_ours() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for (_, suite) in SUITES {
        let more = ["-ciphersuites", suite];
        let config = server(&identity, ticket_keys());
        let (file, _) = SessionFile::get(&identity, &config, &more);
        for _ in 0..2 {
            let (_peer, session) = file.show(&config, &more);
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

#[test]
fn there_are_as_many_tickets_as_are_wanted() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for number in [0, 1, 4] {
        let wanted = number.to_string();
        let (peer, port) = s_server(&identity, &["-num_tickets", &wanted]);
        let store = MemoryClientSessions::new();
        let config = Identity::client().sessions(store.clone(), now());
        let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
        peer.send("hello\n");
        assert_eq!(session.read(6).unwrap(), b"hello\n");
        assert_eq!(store.len(), number);

        let builder = identity.server().sessions(ticket_keys(), now());
        let builder = builder.tickets(u8::try_from(number).unwrap());
        let config = builder.build().unwrap();
        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&config, tcp).unwrap();
        session.write(b"for you\n").unwrap();
        peer.wait_for("for you");
        peer.end_input();
        let output = peer.succeed();
        let arrived = "Post-Handshake New Session Ticket arrived";
        assert_eq!(count(&output, arrived), number);
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
    for cookie in [false, true] {
        let builder = identity.server().sessions(ticket_keys(), now());
        let builder = builder.groups([NamedGroup::SECP384R1]);
        let config = builder.retry_cookie(cookie).build().unwrap();
        for (_, suite) in SUITES {
            let more = ["-groups", "X25519:P-384", "-ciphersuites", suite];
            let (file, session) = SessionFile::get(&identity, &config, &more);
            assert!(session.info().retried);
            let (_peer, session) = file.show(&config, &more);
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
