//! Node's `tls` module.

#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use waxwing::blocking::Stream;
use waxwing::pki::KeyType;
use waxwing::{Error, ProtocolVersions, ServerName};
use waxwing_interop::payload::{MEBIBYTE, text};
use waxwing_interop::scripts::{NODE, node_client, node_server};
use waxwing_interop::{Identity, Listener, Session, Story, VERSIONS, connect, peer};
use waxwing_testkit::pki::Case;

const LABEL: &str = "EXPORTER-waxwing-interop";
const ALPN: &str = r#","ALPNProtocols":["echo"]"#;

#[test]
fn client_carries_a_mebibyte_each_way_updates_keys_and_closes() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    let data = text(MEBIBYTE);
    for versions in VERSIONS {
        let (mut peer, port) = node_server(NODE, &identity, ALPN);
        let story = Story::new();
        let config = Identity::client().alpn(["other", "echo"]);
        let config = config.versions(versions).trace(story.clone());
        let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
        assert_eq!(session.info().version, versions.max());
        assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
        peer.wait_for(&format!(r#""exporter":"{}""#, session.export(LABEL, 32)));
        peer.wait_for(r#""servername":"localhost""#);
        assert!(session.echo(&data).unwrap() == data);
        update_keys(&mut session, &story, versions);
        assert!(session.close().unwrap().is_empty());
    }
}

#[test]
fn server_carries_a_mebibyte_each_way_updates_keys_and_closes() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    let data = text(MEBIBYTE);
    for versions in VERSIONS {
        let listener = Listener::bind().unwrap();
        let mut peer = node_client(NODE, &identity, &listener, ALPN);
        let story = Story::new();
        let config = identity.server().alpn(["echo"]);
        let config = config.versions(versions).trace(story.clone());
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
        assert_eq!(session.info().version, versions.max());
        assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
        peer.wait_for(r#"{"authorized":true"#);
        peer.wait_for(&format!(r#""exporter":"{}""#, session.export(LABEL, 32)));
        assert!(session.echo(&data).unwrap() == data);
        update_keys(&mut session, &story, versions);
        assert!(session.close().unwrap().is_empty());
        peer.wait_for("closed");
        peer.succeed();
    }
}

/// TLS 1.2 has no new keys to ask for.
fn update_keys(session: &mut Session, story: &Story, versions: ProtocolVersions) {
    if versions == ProtocolVersions::TLS13 {
        let data = text(1000);
        session.update_key(true).unwrap();
        assert!(session.echo(&data).unwrap() == data);
        assert_eq!(story.key_updates_received(), 1);
    }
}

/// Both directions at once, far more than any buffer holds, through both kinds of stream.
#[test]
fn halves_carry_eight_mebibytes_each_way_at_once() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let (_peer, port) = node_server(NODE, &identity, "");
        carry_at_once(port, versions);
    }
}

fn carry_at_once(port: u16, versions: ProtocolVersions) {
    let config = Identity::client_of(versions);
    let name: ServerName = "localhost".parse().unwrap();
    let data = text(8 * MEBIBYTE);

    let tcp = connect(port).unwrap();
    let stream = Stream::client(Arc::clone(&config), name.clone(), tcp).unwrap();
    let (mut read, mut write) = stream.into_split().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            write.write_all(&data).unwrap();
            if versions == ProtocolVersions::TLS13 {
                write.update_key(true).unwrap();
            }
            write.close_notify().unwrap();
        });
        let mut returned = Vec::new();
        read.read_to_end(&mut returned).unwrap();
        assert!(returned == data);
    });

    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let stream = waxwing::tokio::connect(config, name, tcp).await.unwrap();
        let (mut read, mut write) = tokio::io::split(stream);
        let sending = async {
            write.write_all(&data).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut returned = Vec::new();
        let (received, ()) = tokio::join!(read.read_to_end(&mut returned), sending);
        received.unwrap();
        assert!(returned == data);
    });
}

#[test]
fn a_killed_server_is_told_from_one_that_closed() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let (mut peer, port) = node_server(NODE, &identity, "");
        let mut session = Session::connect(&Identity::client_of(versions), port).unwrap();
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        peer.kill();
        let fault = session.read_to_close().unwrap_err();
        assert_eq!(fault.tls(), Some(&Error::Truncated), "{fault}");
    }
}

#[test]
fn strangers_are_refused_on_both_sides() {
    peer!(NODE);
    let identity = Identity::of(Case::Untrusted);
    for versions in VERSIONS {
        let (mut peer, port) = node_server(NODE, &identity, "");
        let fault = Session::connect(&Identity::client_of(versions), port).unwrap_err();
        assert!(
            matches!(fault.tls(), Some(Error::Certificate(_))),
            "{fault}"
        );
        peer.wait_for("refused ERR_SSL_TLSV1_ALERT_UNKNOWN_CA");

        let listener = Listener::bind().unwrap();
        let mut peer = node_client(NODE, &identity, &listener, "");
        let tcp = listener.accept(&mut peer).unwrap();
        // This client verifies after the handshake and then vanishes.
        let result = Session::accept(&identity.server_of(versions), tcp)
            .and_then(|mut session| session.read_to_close());
        result.unwrap_err();
        peer.wait_for("error ");
    }
}
