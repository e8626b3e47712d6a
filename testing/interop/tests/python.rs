//! Python's `ssl` module.

#![forbid(unsafe_code)]

use waxwing::pki::KeyType;
use waxwing::{AlertDescription, Error, ProtocolVersions};
use waxwing_interop::payload::{MEBIBYTE, text};
use waxwing_interop::scripts::{PYTHON, python_client, python_server};
use waxwing_interop::{Identity, Listener, Session, Story, VERSIONS, peer};
use waxwing_testkit::pki::Case;

#[test]
fn client_carries_a_mebibyte_each_way_updates_keys_and_closes() {
    peer!(PYTHON);
    let identity = Identity::new(KeyType::P256);
    let data = text(MEBIBYTE);
    for (versions, line) in [
        (ProtocolVersions::TLS12, "TLSv1.2 ECDHE-ECDSA-AES"),
        // The server prefers this suite.
        (
            ProtocolVersions::TLS13,
            "TLSv1.3 TLS_AES_256_GCM_SHA384 echo localhost",
        ),
    ] {
        let (mut peer, port) = python_server(&identity, "echo", &[]);
        let story = Story::new();
        let config = Identity::client().alpn(["other", "echo"]);
        let config = config.versions(versions).trace(story.clone());
        let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
        assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
        peer.wait_for(line);
        assert!(session.echo(&data).unwrap() == data);
        update_keys(&mut session, &story, versions);
        assert!(session.close().unwrap().is_empty());
        peer.wait_for("closed");
    }
}

#[test]
fn server_carries_a_mebibyte_each_way_updates_keys_and_closes() {
    peer!(PYTHON);
    let identity = Identity::new(KeyType::P256);
    let data = text(MEBIBYTE);
    for (versions, line) in [
        (
            ProtocolVersions::TLS12,
            "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 echo",
        ),
        (
            ProtocolVersions::TLS13,
            "TLSv1.3 TLS_AES_128_GCM_SHA256 echo",
        ),
    ] {
        let listener = Listener::bind().unwrap();
        let mut peer = python_client(&identity, &listener, "echo", &[]);
        let story = Story::new();
        let config = identity.server().alpn(["echo"]);
        let config = config.versions(versions).trace(story.clone());
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
        assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
        peer.wait_for(line);
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

#[test]
fn both_sides_tell_the_end_from_a_truncation() {
    peer!(PYTHON);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let (mut peer, port) = python_server(&identity, "echo", &[]);
        let config = Identity::client_of(versions);
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        drop(session);
        peer.wait_for("error UNEXPECTED_EOF_WHILE_READING");
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
        peer.kill();
        let fault = session.read_to_close().unwrap_err();
        assert_eq!(fault.tls(), Some(&Error::Truncated), "{fault}");
    }
}

#[test]
fn strangers_are_refused_on_both_sides() {
    peer!(PYTHON);
    let identity = Identity::of(Case::Untrusted);
    for versions in VERSIONS {
        let (mut peer, port) = python_server(&identity, "echo", &[]);
        let fault = Session::connect(&Identity::client_of(versions), port).unwrap_err();
        assert!(
            matches!(fault.tls(), Some(Error::Certificate(_))),
            "{fault}"
        );
        peer.wait_for("error TLSV1_ALERT_UNKNOWN_CA");

        let listener = Listener::bind().unwrap();
        let mut peer = python_client(&identity, &listener, "echo", &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        let fault = Session::accept(&identity.server_of(versions), tcp).unwrap_err();
        let expected = Error::Alert(AlertDescription::UNKNOWN_CA);
        assert_eq!(fault.tls(), Some(&expected), "{fault}");
        peer.wait_for("error CERTIFICATE_VERIFY_FAILED");
    }
}
