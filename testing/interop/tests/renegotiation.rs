//! Peers of TLS 1.2 that want to negotiate anew. They are refused with a warning, after which
//! our side goes on; most peers take that for the end.

#![forbid(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use waxwing::blocking::Stream;
use waxwing::pki::KeyType;
use waxwing::{
    AlertDescription, ClientConfig, Direction, Error, HandshakeType, PeerError, ProtocolVersions,
    ServerConfig, ServerName, tls_error,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Session, Story, connect, peer};

const NO: AlertDescription = AlertDescription::NO_RENEGOTIATION;

fn client(story: &Arc<Story>) -> Arc<ClientConfig> {
    let config = Identity::client().versions(ProtocolVersions::TLS12);
    config.trace(Arc::clone(story) as _).build().unwrap()
}

fn server(identity: &Identity, story: &Arc<Story>) -> Arc<ServerConfig> {
    let config = identity.server().versions(ProtocolVersions::TLS12);
    config.trace(Arc::clone(story) as _).build().unwrap()
}

#[test]
fn an_openssl_client_is_refused() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let mut peer = s_client(&identity, &listener, &["-msg"]);
    let story = Story::new();
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&server(&identity, &story), tcp).unwrap();
    session.write(b"before\n").unwrap();
    peer.wait_for("before\n");
    peer.send("R\n");
    // This peer ends the connection when it is refused.
    let fault = session.read_line().unwrap_err();
    let expected = Error::Alert(AlertDescription::HANDSHAKE_FAILURE);
    assert_eq!(fault.tls(), Some(&expected), "{fault}");
    peer.wait_for("warning no_renegotiation");
    let received = |typ| story.count(Direction::Received, typ);
    assert_eq!(received(HandshakeType::CLIENT_HELLO), 2);
    let sent = story.count(Direction::Sent, HandshakeType::SERVER_HELLO);
    assert_eq!(sent, 1);
    assert_eq!(story.count_alerts(Direction::Sent, NO), 1);
}

#[test]
fn an_openssl_server_is_refused() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for command in ["r\n", "R\n"] {
        let (mut peer, port) = s_server(&identity, &["-msg"]);
        let story = Story::new();
        let mut session = Session::connect(&client(&story), port).unwrap();
        session.write(b"before\n").unwrap();
        peer.wait_for("before\n");
        peer.send(command);
        let fault = session.read_line().unwrap_err();
        let expected = Error::Alert(AlertDescription::HANDSHAKE_FAILURE);
        assert_eq!(fault.tls(), Some(&expected), "{fault}");
        peer.wait_for("warning no_renegotiation");
        let requests = story.count(Direction::Received, HandshakeType::HELLO_REQUEST);
        assert_eq!(requests, 1);
        let hellos = story.count(Direction::Sent, HandshakeType::CLIENT_HELLO);
        assert_eq!(hellos, 1);
        assert_eq!(story.count_alerts(Direction::Sent, NO), 1);
    }
}

#[test]
fn data_goes_on_after_a_gnutls_server_was_refused() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = gnutls_serv(&identity, &[]);
    let story = Story::new();
    let mut session = Session::connect(&client(&story), port).unwrap();
    session.write(b"**REHANDSHAKE**\n").unwrap();
    // What it says after its request.
    let answer = b"Successfully executed command\n";
    assert_eq!(session.read(answer.len()).unwrap(), answer);
    let requests = story.count(Direction::Received, HandshakeType::HELLO_REQUEST);
    assert_eq!(requests, 1);
    session.write(b"after\n").unwrap();
    peer.wait_for("A TLS warning alert has been received");
    assert_eq!(story.count_alerts(Direction::Sent, NO), 1);
}

#[test]
fn a_gnutls_client_that_does_not_stop_asking_is_left() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let mut peer = gnutls_cli(&identity, &listener, &["--inline-commands"]);
    let story = Story::new();
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&server(&identity, &story), tcp).unwrap();
    session.write(b"before\n").unwrap();
    peer.wait_for("before\n");
    peer.send("^renegotiate^\n");
    let fault = session.read_line().unwrap_err();
    let expected = Error::Peer(PeerError::TooManyRenegotiations);
    assert_eq!(fault.tls(), Some(&expected), "{fault}");
    peer.wait_for("No renegotiation is allowed");
    peer.wait_for("A TLS fatal alert has been received");
    // Each warning, and then the fatal one.
    let limit = usize::from(waxwing::limits::MAX_RENEGOTIATIONS);
    assert_eq!(story.count_alerts(Direction::Sent, NO), limit + 1);
}

/// The halves of a stream cannot answer by themselves: the one that reads tells the other.
#[test]
fn the_halves_of_blocking_streams_refuse_too() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-msg"]);
    let story = Story::new();
    let name: ServerName = "localhost".parse().unwrap();
    let tcp = connect(port).unwrap();
    let stream = Stream::client(client(&story), name, tcp).unwrap();
    let (mut read, mut write) = stream.into_split().unwrap();
    write.write_all(b"before\n").unwrap();
    write.flush().unwrap();
    peer.wait_for("before\n");
    peer.send("r\n");
    read.get_ref()
        .set_read_timeout(Some(core::time::Duration::from_millis(1)))
        .unwrap();
    while story.count(Direction::Received, HandshakeType::HELLO_REQUEST) == 0 {
        let error = read.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    }
    assert_eq!(story.count_alerts(Direction::Sent, NO), 0);
    write.write_all(b"after\n").unwrap();
    write.flush().unwrap();
    peer.wait_for("warning no_renegotiation");
    assert_eq!(story.count_alerts(Direction::Sent, NO), 1);
}

#[test]
fn the_halves_of_async_streams_refuse_too() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-msg"]);
    let story = Story::new();
    let config = client(&story);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Only to wait until it listens.
        drop(connect(port).unwrap());
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name: ServerName = "localhost".parse().unwrap();
        let stream = waxwing::tokio::connect(config, name, tcp).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        write.write_all(b"before\n").await.unwrap();
        write.flush().await.unwrap();
        peer.wait_for("before\n");
        peer.send("r\n");
        let reading = tokio::spawn(async move { read.read_u8().await });
        while story.count(Direction::Received, HandshakeType::HELLO_REQUEST) == 0 {
            tokio::task::yield_now().await;
        }
        write.write_all(b"after\n").await.unwrap();
        write.flush().await.unwrap();
        peer.wait_for("warning no_renegotiation");
        assert_eq!(story.count_alerts(Direction::Sent, NO), 1);
        let error = reading.await.unwrap().unwrap_err();
        let expected = Error::Alert(AlertDescription::HANDSHAKE_FAILURE);
        assert_eq!(tls_error(&error), Some(&expected), "{error}");
    });
}
