//! Sessions of TLS 1.2 with other people's programs, named by tickets and by session ids.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::pki::KeyType;
use waxwing::{ClientConfig, ProtocolVersion, ProtocolVersions, ServerConfig};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, count, peer};
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

/// Connects three times, the first time anew: both sides have to say so. `talk` exchanges a line.
fn come_back(
    peer: &mut Process,
    port: u16,
    words: (&str, &str),
    talk: impl Fn(&mut Session, &Process),
) {
    let config = client();
    for seen in 0..3 {
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.info().version, Some(ProtocolVersion::TLS12));
        assert_eq!(session.info().resumed, seen > 0, "connection {seen}");
        talk(&mut session, peer);
        // Every connection is told of with its version.
        let output = peer.wait_until("its view", |output, _| count(output, words.1) > seen);
        assert_eq!(count(&output, words.0), seen, "{}", peer.report());
        session.close().unwrap();
    }
}

#[test]
fn openssl_servers_resume_our_sessions() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for options in [&["-tls1_2"][..], &["-tls1_2", "-no_ticket"]] {
        let (mut peer, port) = s_server(&identity, options);
        let words = ("Reused session-id", "Secure Renegotiation IS");
        come_back(&mut peer, port, words, |session, peer| {
            peer.send("hello\n");
            assert_eq!(session.read_line().unwrap(), b"hello\n");
        });
    }
}

#[test]
fn gnutls_servers_resume_our_sessions() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let tickets: &[&str] = &["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"];
    for more in [&[][..], &["--noticket"]] {
        let (mut peer, port) = gnutls_serv(&identity, &[tickets, more].concat());
        let words = ("This is a resumed session", "- Version: TLS1.2");
        come_back(&mut peer, port, words, |session, _| {
            assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        });
    }
}

/// Serves a connection of `peer`. It is over when the session is dropped.
fn serve(config: &Arc<ServerConfig>, listener: &Listener, peer: &mut Process) -> Session {
    let tcp = listener.accept(peer).unwrap();
    let mut session = Session::accept(config, tcp).unwrap();
    assert_eq!(session.info().version, Some(ProtocolVersion::TLS12));
    session.write(b"for you\n").unwrap();
    peer.wait_for("for you");
    session
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
        let session = serve(&config, &listener, &mut peer);
        assert!(!session.info().resumed);
        peer.wait_for("New, TLSv1.2");
        peer.end_input();
        peer.succeed();
        // Another server does not know it.
        let other = server(&identity);
        for (config, resumed) in [(&config, true), (&config, true), (&other, false)] {
            let options = [more, &["-sess_in", file]].concat();
            let mut peer = s_client(&identity, &listener, &options);
            let session = serve(config, &listener, &mut peer);
            assert_eq!(session.info().resumed, resumed, "{more:?}");
            let view = if resumed { "Reused" } else { "New" };
            peer.wait_for(&format!("{view}, TLSv1.2"));
        }
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
        peer.wait_for("This is a resumed session");
    }
}

#[test]
fn servers_refuse_foreign_sessions_and_go_on() {
    peer!(OPENSSL);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let old = ["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2"];
    for (openssl, gnutls) in [(&[][..], &[][..]), (&["-no_ticket"], &["--noticket"])] {
        let config = client();
        let options = [&["-rev", "-tls1_2"], openssl].concat();
        let (_first, first) = s_server(&identity, &options);
        let (_second, second) = s_server(&identity, &options);
        let (_third, third) = gnutls_serv(&identity, &[&old, gnutls].concat());
        for (port, resumed) in [
            (first, false),
            (first, true),
            (second, false),
            (third, false),
            (third, true),
            (first, false),
        ] {
            let mut session = Session::connect(&config, port).unwrap();
            assert_eq!(session.info().resumed, resumed);
            session.write(b"anna\n").unwrap();
            assert_eq!(session.read(5).unwrap(), b"anna\n");
            session.close().unwrap();
        }
    }
}
