//! `gnutls-cli` and `gnutls-serv`.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::crypto::NamedGroup;
use waxwing::pki::KeyType;
use waxwing::{AlertDescription, Direction, Error, ProtocolVersions};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::payload::{MEBIBYTE, text};
use waxwing_interop::{Identity, Listener, Session, Story, VERSIONS, contains, peer};
use waxwing_testkit::pki::Case;

const LABEL: &str = "EXPORTER-waxwing-interop";

#[test]
fn client_carries_a_mebibyte_each_way_updates_keys_and_closes() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let (_peer, port) = gnutls_serv(&identity, &["--quiet", "--alpn", "echo"]);
    let story = Story::new();
    let config = Identity::client().alpn(["other", "echo"]);
    let config = config.trace(Arc::<Story>::clone(&story)).build().unwrap();
    let mut session = Session::connect(&config, port).unwrap();
    assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
    let data = text(MEBIBYTE);
    assert!(session.echo(&data).unwrap() == data);
    session.update_key(false).unwrap();
    assert_eq!(session.echo(b"ours\n").unwrap(), b"ours\n");
    session.update_key(true).unwrap();
    assert_eq!(session.echo(b"both\n").unwrap(), b"both\n");
    assert_eq!(story.key_updates_received(), 1);
    session.close().unwrap();
}

#[test]
fn server_carries_a_mebibyte_each_way_updates_keys_and_closes() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let more = ["--inline-commands", "--alpn", "other", "--alpn", "echo"];
    let mut peer = gnutls_cli(&identity, &listener, &more);
    let story = Story::new();
    let config = identity.server().alpn(["echo"]);
    let config = config.trace(Arc::<Story>::clone(&story)).build().unwrap();
    let mut session = Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap();
    assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
    let name = session.info().server_name.as_ref().unwrap();
    assert_eq!(name.as_str(), "localhost");
    let data = text(MEBIBYTE);
    peer.send(data.clone());
    assert!(session.read(data.len()).unwrap() == data);
    session.write(&data).unwrap();
    peer.wait_until("the data", |output, _| contains(output, &data));
    peer.send("^rekey^\n");
    peer.wait_for("Rekey was completed");
    peer.send("under new keys\n");
    assert_eq!(session.read_line().unwrap(), b"under new keys\n");
    assert_eq!(story.key_updates_received(), 1);
    session.write(b"new keys\n").unwrap();
    peer.wait_for("new keys");
    assert_eq!(story.key_updates_sent(), 1);
    session.update_key(true).unwrap();
    session.write(b"newer keys\n").unwrap();
    peer.wait_for("newer keys");
    // This client obeys when it next sends something.
    peer.send("obeyed\n");
    assert_eq!(session.read_line().unwrap(), b"obeyed\n");
    assert_eq!(story.key_updates_received(), 2);
    // This client says goodbye at the end of its input only, not when we do.
    peer.end_input();
    session.read_to_close().unwrap();
    session.close().unwrap();
    peer.succeed();
}

#[test]
fn tls_1_2_carries_a_mebibyte_each_way_and_closes() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let versions = ProtocolVersions::TLS12;
    let data = text(MEBIBYTE);
    let (_peer, port) = gnutls_serv(&identity, &["--quiet", "--alpn", "echo"]);
    let config = Identity::client().alpn(["other", "echo"]);
    let config = config.versions(versions).build().unwrap();
    let mut session = Session::connect(&config, port).unwrap();
    assert_eq!(session.info().version, versions.max());
    assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
    assert!(session.echo(&data).unwrap() == data);
    session.close().unwrap();

    let listener = Listener::bind().unwrap();
    let more = ["--alpn", "other", "--alpn", "echo"];
    let mut peer = gnutls_cli(&identity, &listener, &more);
    let config = identity.server().alpn(["echo"]);
    let config = config.versions(versions).build().unwrap();
    let mut session = Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap();
    assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
    peer.send(data.clone());
    assert!(session.read(data.len()).unwrap() == data);
    session.write(&data).unwrap();
    peer.wait_until("the data", |output, _| contains(output, &data));
    peer.end_input();
    session.read_to_close().unwrap();
    session.close().unwrap();
    peer.succeed();
}

#[test]
fn killed_peers_are_told_from_those_that_closed() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let (mut peer, port) = gnutls_serv(&identity, &["--quiet"]);
        let mut session = Session::connect(&Identity::client_of(versions), port).unwrap();
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        peer.kill();
        let fault = session.read_to_close().unwrap_err();
        assert_eq!(fault.tls(), Some(&Error::Truncated), "{fault}");

        let listener = Listener::bind().unwrap();
        let mut peer = gnutls_cli(&identity, &listener, &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&identity.server_of(versions), tcp).unwrap();
        session.write(b"hello\n").unwrap();
        peer.wait_for("hello");
        peer.kill();
        let fault = session.read_to_close().unwrap_err();
        assert_eq!(fault.tls(), Some(&Error::Truncated), "{fault}");
    }
}

#[test]
fn strangers_are_refused_on_both_sides() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::of(Case::Untrusted);
    for versions in VERSIONS {
        let (mut peer, port) = gnutls_serv(&identity, &[]);
        let story = Story::new();
        let config = Identity::client().trace(Arc::<Story>::clone(&story));
        let config = config.versions(versions).build().unwrap();
        let fault = Session::connect(&config, port).unwrap_err();
        assert!(
            matches!(fault.tls(), Some(Error::Certificate(_))),
            "{fault}"
        );
        assert!(story.has_alert(Direction::Sent, AlertDescription::UNKNOWN_CA));
        peer.wait_for("A TLS fatal alert has been received");

        let listener = Listener::bind().unwrap();
        let mut peer = gnutls_cli(&identity, &listener, &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        // This client verifies after the handshake of TLS 1.3, so that we may complete it.
        let result = Session::accept(&identity.server_of(versions), tcp)
            .and_then(|mut session| session.read_to_close());
        let expected = Error::Alert(AlertDescription::BAD_CERTIFICATE);
        let fault = result.unwrap_err();
        assert_eq!(fault.tls(), Some(&expected), "{fault}");
        assert!(!peer.finish().0.success());
    }
}

#[test]
fn hello_retry_requests_work_both_ways() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let priority = "NORMAL:-GROUP-ALL:+GROUP-SECP384R1";
    let (_peer, port) = gnutls_serv(&identity, &["--quiet", "--priority", priority]);
    let config = Identity::client().groups([NamedGroup::X25519, NamedGroup::SECP384R1]);
    let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
    assert!(session.info().retried);
    assert_eq!(session.echo(b"retried\n").unwrap(), b"retried\n");

    for cookie in [false, true] {
        let listener = Listener::bind().unwrap();
        let mut peer = gnutls_cli(&identity, &listener, &["--single-key-share"]);
        let config = identity.server().groups([NamedGroup::SECP521R1]);
        let config = config.retry_cookie(cookie).build().unwrap();
        let mut session = Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap();
        assert!(session.info().retried);
        session.write(b"retried\n").unwrap();
        peer.wait_for("retried\n");
        peer.end_input();
        session.read_to_close().unwrap();
        assert!(contains(&peer.succeed(), b"retried\n"));
    }
}

#[test]
fn middlebox_compatibility_can_be_off() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    for on in [true, false] {
        let priority = if on {
            "NORMAL"
        } else {
            "NORMAL:%DISABLE_TLS13_COMPAT_MODE"
        };
        let more = ["--quiet", "--priority", priority];
        let (_peer, port) = gnutls_serv(&identity, &more);
        let story = Story::new();
        let config = Identity::client().middlebox_compatibility(on);
        let config = config.trace(Arc::<Story>::clone(&story)).build().unwrap();
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        assert_eq!(story.change_cipher_specs(Direction::Sent), usize::from(on));

        let listener = Listener::bind().unwrap();
        let mut peer = gnutls_cli(&identity, &listener, &["--priority", priority]);
        let story = Story::new();
        let config = identity.server().trace(Arc::<Story>::clone(&story));
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
        session.write(b"hello\n").unwrap();
        peer.wait_for("hello\n");
        peer.end_input();
        session.read_to_close().unwrap();
        assert!(contains(&peer.succeed(), b"hello\n"));
        assert_eq!(story.change_cipher_specs(Direction::Sent), usize::from(on));
    }
}

#[test]
fn exporters_agree() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let listener = Listener::bind().unwrap();
        let more = ["--keymatexport", LABEL, "--keymatexportsize", "42"];
        let mut peer = gnutls_cli(&identity, &listener, &more);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&identity.server_of(versions), tcp).unwrap();
        peer.wait_for(&format!("Key material: {}", session.export(LABEL, 42)));
    }
}
