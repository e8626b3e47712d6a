//! Sessions of TLS 1.2 with other people's programs, named by tickets and by session ids.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::pki::KeyType;
use waxwing::{ClientConfig, ProtocolVersion, ProtocolVersions, ServerConfig};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, peer};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions, MemorySessions};

const OLD: ProtocolVersions = ProtocolVersions::TLS12;

fn client() -> Arc<ClientConfig> {
    let builder = Identity::client().versions(OLD);
    let builder = builder.sessions(MemoryClientSessions::new(), ManualClock::new());
    builder.build().unwrap()
}

fn server(identity: &Identity) -> Arc<ServerConfig> {
    let builder = identity.server().versions(OLD);
    let builder = builder.sessions(MemorySessions::with_ids(), ManualClock::new());
    builder.build().unwrap()
}

/// Connects three times, the first time anew, and has a line returned as `answer` each time.
fn come_back(port: u16, answer: &[u8]) {
    let config = client();
    for count in 0..3 {
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.info().version, Some(ProtocolVersion::TLS12));
        assert_eq!(session.info().resumed, count > 0, "connection {count}");
        session.write(b"abc\n").unwrap();
        assert_eq!(session.read(4).unwrap(), answer);
        session.close().unwrap();
    }
}

#[test]
fn openssl_servers_resume_our_sessions() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let tickets: &[&str] = &["-rev", "-tls1_2"];
    for options in [tickets, &["-rev", "-tls1_2", "-no_ticket"]] {
        let (_peer, port) = s_server(&identity, options);
        come_back(port, b"cba\n");
    }
}

#[test]
fn gnutls_servers_resume_our_sessions() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let tickets: &[&str] = &["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"];
    for more in [&[][..], &["--noticket"]] {
        let (_peer, port) = gnutls_serv(&identity, &[tickets, more].concat());
        come_back(port, b"abc\n");
    }
}

/// Serves a connection of `peer`: whether it was resumed.
fn serve(config: &Arc<ServerConfig>, listener: &Listener, peer: &mut Process) -> bool {
    let tcp = listener.accept(peer).unwrap();
    let mut session = Session::accept(config, tcp).unwrap();
    assert_eq!(session.info().version, Some(ProtocolVersion::TLS12));
    session.write(b"for you\n").unwrap();
    peer.wait_for("for you");
    session.info().resumed
}

#[test]
fn openssl_clients_resume_sessions_of_ours() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let file = identity.file("session.pem");
    let file = file.to_str().unwrap();
    for more in [&["-tls1_2"][..], &["-tls1_2", "-no_ticket"]] {
        let config = server(&identity);
        let mut peer = s_client(&identity, &listener, &[more, &["-sess_out", file]].concat());
        assert!(!serve(&config, &listener, &mut peer));
        peer.wait_for("New, TLSv1.2");
        peer.end_input();
        // Our end is gone without a word, which OpenSSL counts as a failure.
        peer.finish();
        for _ in 0..2 {
            let options = [more, &["-sess_in", file]].concat();
            let mut peer = s_client(&identity, &listener, &options);
            assert!(serve(&config, &listener, &mut peer), "{more:?}");
            peer.wait_for("Reused, TLSv1.2");
        }
        // Another server does not know it.
        let options = [more, &["-sess_in", file]].concat();
        let mut peer = s_client(&identity, &listener, &options);
        assert!(!serve(&server(&identity), &listener, &mut peer));
    }
}

#[test]
fn gnutls_clients_resume_sessions_of_ours() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let old = ["--resume", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"];
    for more in [&[][..], &["--noticket"]] {
        let config = server(&identity);
        let options = [&old[..], more].concat();
        let mut peer = gnutls_cli(&identity, &listener, &options);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&config, tcp).unwrap();
        assert!(!session.info().resumed);
        drop(session);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&config, tcp).unwrap();
        assert!(session.info().resumed, "{more:?}");
    }
}
