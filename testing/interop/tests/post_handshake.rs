//! Client certificates after the handshake (RFC 9846, Section 4.7.2), with OpenSSL and GnuTLS.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::pki::{Identity as Parsed, KeyType};
use waxwing::{ClientAuth, ClientConfig, Direction, HandshakeType, ServerConfig};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, Story, contains, free_port, peer};
use waxwing_testkit::pki::{self, CLIENT_SUBJECT, Case};

const CLIENT: Case = Case::Client(KeyType::P256);

/// Serves everybody at first.
fn server(identity: &Identity) -> Arc<ServerConfig> {
    identity
        .server()
        .keep_peer_chain(true)
        .post_handshake_auth(ClientAuth::Optional(pki::client_verifier()))
        .build()
        .unwrap()
}

fn client(story: &Arc<Story>) -> Arc<ClientConfig> {
    Identity::client()
        .client_certificate(Arc::new(pki::certified_key_for(CLIENT)))
        .post_handshake_auth(true)
        .trace(Arc::clone(story) as _)
        .build()
        .unwrap()
}

/// Asks twice, with a change of keys and data between; the client has this to show.
fn ask(mut session: Session, peer: &Process, shows: bool) {
    assert!(session.info().post_handshake_auth && !session.info().client_authenticated);
    for round in 0..2 {
        assert_eq!(
            session.authenticate_client().unwrap(),
            Some(shows),
            "{round}"
        );
        session.update_key(true).unwrap();
        peer.send("a line\n");
        assert_eq!(session.read_line().unwrap(), b"a line\n");
    }
    if shows {
        let leaf = &session.info().peer_chain[0];
        let subject = Parsed::from_der(leaf).unwrap().subject;
        assert_eq!(subject, CLIENT_SUBJECT);
    }
    assert_eq!(session.info().client_authenticated, shows);
    session.write(b"a line\n").unwrap();
}

#[test]
fn openssl_clients_answer() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let own = Identity::of(CLIENT);
    let files = [
        "-cert",
        own.chain(),
        "-key",
        own.key(),
        "-cert_chain",
        own.intermediate(),
    ];
    for (shows, more) in [(true, &files[..]), (false, &[])] {
        let listener = Listener::bind().unwrap();
        let options = [&["-quiet", "-enable_pha"], more].concat();
        let mut peer = s_client(&identity, &listener, &options);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&server(&identity), tcp).unwrap();
        ask(session, &peer, shows);
        peer.wait_until("the data", |output, _| contains(output, b"a line\n"));
    }
}

#[test]
fn openssl_servers_are_answered() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let story = Story::new();
    let trust = ["-CAfile", identity.anchor(), "-verify_return_error"];
    let (mut peer, port) = s_server(&identity, &trust);
    let mut session = Session::connect(&client(&story), port).unwrap();
    let hear = |session: &mut Session, line: &str| {
        peer.send(line);
        assert_eq!(session.read_line().unwrap(), line.as_bytes());
    };
    for round in 1..=3 {
        hear(&mut session, "before\n");
        // A command of this program, if it comes alone. It waits for the answer then.
        peer.send("c\n");
        session.wait_for_input().unwrap();
        hear(&mut session, "behind\n");
        let count = |direction, typ| story.count(direction, typ);
        let requests = count(Direction::Received, HandshakeType::CERTIFICATE_REQUEST);
        let answers = count(Direction::Sent, HandshakeType::CERTIFICATE_VERIFY);
        assert_eq!((requests, answers), (round, round));
        session.write(b"a line\n").unwrap();
    }
    peer.wait_until("three lines", |output, _| {
        let lines = output.split(|byte| *byte == b'\n');
        lines.filter(|line| *line == b"a line").count() == 3
    });
    assert!(session.info().client_auth_requested);
    peer.wait_until("the client's subject", |output, errors| {
        let name = CLIENT_SUBJECT.trim_start_matches("CN=").as_bytes();
        contains(output, name) || contains(errors, name)
    });
}

#[test]
fn gnutls_clients_answer() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let own = Identity::of(CLIENT);
    let files = ["--x509certfile", own.chain(), "--x509keyfile", own.key()];
    for (shows, more) in [(true, &files[..]), (false, &[])] {
        let listener = Listener::bind().unwrap();
        let options = [&["--post-handshake-auth"], more].concat();
        let mut peer = gnutls_cli(&identity, &listener, &options);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&server(&identity), tcp).unwrap();
        ask(session, &peer, shows);
        peer.wait_until("the data", |output, _| contains(output, b"a line\n"));
    }
}

#[test]
fn gnutls_servers_are_answered() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let story = Story::new();
    let port = free_port();
    let number = port.to_string();
    let mut arguments = vec![
        "--echo",
        "--port",
        &number,
        "--x509cafile",
        identity.anchor(),
    ];
    arguments.extend(["--x509certfile", identity.chain()]);
    arguments.extend(["--x509keyfile", identity.key()]);
    let mut peer = Process::run(GNUTLS_SERV, arguments);
    let mut session = Session::connect(&client(&story), port).unwrap();
    assert_eq!(session.echo(b"a line\n").unwrap(), b"a line\n");
    let sent = || story.count(Direction::Sent, HandshakeType::CERTIFICATE_VERIFY);
    let before = sent();
    // A command of this program.
    session.write(b"**REAUTH**\n").unwrap();
    let reply = session.read_line().unwrap();
    assert!(reply.starts_with(b"Success"), "{reply:?}");
    assert_eq!(session.echo(b"a line\n").unwrap(), b"a line\n");
    assert_eq!(sent(), before + 1);
    session.close().unwrap();
    peer.kill();
}
