//! Keys that both sides knew before, in TLS 1.3, with OpenSSL and GnuTLS. Neither of them imports keys
//! as RFC 9258 has it.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::Arc;

use waxwing::crypto::{CipherSuite, HashId, NamedGroup};
use waxwing::pki::{KeyType, to_pem};
use waxwing::{
    AlertDescription, ClientConfigBuilder, Error, ExternalPsk, PeerError, PskLookup, PskResolver,
    ServerConfigBuilder,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, SessionFile, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, peer};

const NAME: &str = "device 7";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// Of GnuTLS: with a key exchange, and with the PSK alone too.
const GNUTLS_PSK: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+ECDHE-PSK";
const GNUTLS_PSK_ALONE: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK";

fn psk(name: &str, key: &str) -> ExternalPsk {
    let key = hex::decode(key).unwrap();
    ExternalPsk::new(name.as_bytes(), &key, HashId::Sha256).unwrap()
}

/// The one key that a server knows.
#[derive(Debug)]
struct Known(ExternalPsk);

impl PskResolver for Known {
    fn find(&self, identity: &[u8]) -> PskLookup {
        if identity == self.0.identity() {
            PskLookup::Found(self.0.clone())
        } else {
            PskLookup::None
        }
    }
}

fn client() -> ClientConfigBuilder {
    Identity::client().external_psks([psk("unknown", OTHER_KEY), psk(NAME, KEY)])
}

fn server(identity: &Identity) -> ServerConfigBuilder {
    identity
        .server()
        .external_psks(Arc::new(Known(psk(NAME, KEY))))
}

/// Whether the connection rests on the key, and shows no certificate then.
fn is_by_key(session: &Session) -> bool {
    let info = session.info();
    assert!(!info.resumed);
    let identity = info.psk_identity.as_deref();
    assert_eq!(info.signature_scheme.is_none(), identity.is_some());
    identity.is_some_and(|identity| {
        assert_eq!(identity, NAME.as_bytes());
        true
    })
}

/// Says a line, and hears one.
fn talk(session: &mut Session, peer: &mut Process) {
    session.write(b"for you\n").unwrap();
    peer.wait_for("for you");
    peer.send("for me\n");
    assert_eq!(session.read_line().unwrap(), b"for me\n");
}

#[test]
fn openssl_servers_take_our_key_with_and_without_a_retry() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let keys = ["-psk", KEY, "-psk_identity", NAME];
    let groups = [NamedGroup::X25519, NamedGroup::SECP384R1];
    for (more, retried) in [(&[][..], false), (&["-groups", "P-384"], true)] {
        let (mut peer, port) = s_server(&identity, &[&keys, more].concat());
        let config = client().groups(groups).build().unwrap();
        let mut session = Session::connect(&config, port).unwrap();
        assert!(is_by_key(&session));
        assert_eq!(session.info().retried, retried);
        talk(&mut session, &mut peer);
        peer.wait_for("Reused session-id");
    }
}

#[test]
fn openssl_servers_that_do_not_know_it_show_a_certificate() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let config = client().build().unwrap();
    for more in [&["-psk", KEY, "-psk_identity", "somebody else"][..], &[]] {
        let (mut peer, port) = s_server(&identity, more);
        let mut session = Session::connect(&config, port).unwrap();
        assert!(!is_by_key(&session));
        talk(&mut session, &mut peer);
    }
}

#[test]
fn openssl_clients_come_with_a_key() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let keys = [
        "-psk",
        KEY,
        "-psk_identity",
        NAME,
        "-groups",
        "X25519:P-384",
    ];
    for group in [NamedGroup::X25519, NamedGroup::SECP384R1] {
        let config = server(&identity).groups([group]).build().unwrap();
        let mut peer = s_client(&identity, &listener, &keys);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&config, tcp).unwrap();
        assert!(is_by_key(&session));
        assert_eq!(session.info().retried, group != NamedGroup::X25519);
        talk(&mut session, &mut peer);
        peer.wait_for("Reused, TLSv1.3");
    }
    // Without the key there is the certificate.
    let config = identity.server().build().unwrap();
    let mut peer = s_client(&identity, &listener, &keys);
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&config, tcp).unwrap();
    assert!(!is_by_key(&session));
    talk(&mut session, &mut peer);
    peer.wait_for("New, TLSv1.3");
}

/// A key for SHA-384 as a session of OpenSSL: version of the structure, protocol, suite, id, key.
fn openssl_session(identity: &Identity, key: &[u8; 48]) -> PathBuf {
    let mut der = vec![0x30, 64, 2, 1, 1, 2, 2, 3, 4, 4, 2, 0x13, 2, 4, 0, 4, 48];
    der.extend(key);
    der[1] = u8::try_from(der.len() - 2).unwrap();
    let file = identity.file("psk.pem");
    std::fs::write(&file, &*to_pem(SessionFile::LABEL, &der)).unwrap();
    file
}

#[test]
fn a_key_for_sha384_works_both_ways_with_openssl() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let key = [0x3d; 48];
    let file = openssl_session(&identity, &key);
    let options = [
        "-psk_session",
        file.to_str().unwrap(),
        "-psk_identity",
        NAME,
    ];
    let own = ExternalPsk::new(NAME.as_bytes(), &key, HashId::Sha384).unwrap();

    let (mut peer, port) = s_server(&identity, &options);
    // It decides on a suite before it looks at keys.
    let config = Identity::client().cipher_suites([CipherSuite::TLS13_AES_256_GCM_SHA384]);
    let config = config.external_psks([own.clone()]);
    let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
    assert!(is_by_key(&session));
    talk(&mut session, &mut peer);
    peer.wait_for("Reused session-id");

    let listener = Listener::bind().unwrap();
    let mut peer = s_client(&identity, &listener, &options);
    let tcp = listener.accept(&mut peer).unwrap();
    let config = identity.server().external_psks(Arc::new(Known(own)));
    let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
    assert!(is_by_key(&session));
    talk(&mut session, &mut peer);
    peer.wait_for("Reused, TLSv1.3");
}

#[test]
fn another_key_under_the_same_name_is_refused_by_both() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let keys = ["-psk", OTHER_KEY, "-psk_identity", NAME];
    let (_peer, port) = s_server(&identity, &keys);
    let fault = Session::connect(&client().build().unwrap(), port).unwrap_err();
    let expected = Error::Alert(AlertDescription::ILLEGAL_PARAMETER);
    assert_eq!(fault.tls(), Some(&expected), "{fault}");

    let listener = Listener::bind().unwrap();
    let mut peer = s_client(&identity, &listener, &keys);
    let tcp = listener.accept(&mut peer).unwrap();
    let fault = Session::accept(&server(&identity).build().unwrap(), tcp).unwrap_err();
    assert_eq!(fault.tls(), Some(&PeerError::BadBinder.into()), "{fault}");
    peer.wait_for("alert decrypt error");
}

#[test]
fn gnutls_servers_take_our_key() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let file = identity.file("keys");
    std::fs::write(&file, format!("{NAME}:{KEY}\n")).unwrap();
    let keys = ["--pskpasswd", file.to_str().unwrap()];
    let (mut peer, port) = gnutls_serv(
        &identity,
        &[&keys[..], &["--priority", GNUTLS_PSK]].concat(),
    );
    // For an identity that it does not know it makes a key up, so the known one has to come first.
    let config = Identity::client().external_psks([psk(NAME, KEY), psk("unknown", OTHER_KEY)]);
    let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
    assert!(is_by_key(&session) && session.info().group.is_some());
    assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
    peer.wait_for(&format!("PSK authentication. Connected as '{NAME}'"));
}

/// As below, the other way round.
#[test]
fn gnutls_servers_do_without_a_key_exchange_only_where_we_let_them() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let file = identity.file("keys");
    std::fs::write(&file, format!("{NAME}:{KEY}\n")).unwrap();
    let keys = ["--pskpasswd", file.to_str().unwrap()];
    let options = [&keys[..], &["--priority", GNUTLS_PSK_ALONE]].concat();
    let (_peer, port) = gnutls_serv(&identity, &options);
    for allow in [true, false] {
        let config = Identity::client().external_psks([psk(NAME, KEY)]);
        let config = config.dangerous_psk_without_key_exchange(allow);
        let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
        assert_eq!(is_by_key(&session), allow);
        assert_eq!(session.info().group.is_none(), allow);
        assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
    }
}

#[test]
fn gnutls_clients_come_with_a_key() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let keys = ["--pskusername", NAME, "--pskkey", KEY];
    let mut peer = gnutls_cli(
        &identity,
        &listener,
        &[&keys[..], &["--priority", GNUTLS_PSK]].concat(),
    );
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&server(&identity).build().unwrap(), tcp).unwrap();
    assert!(is_by_key(&session) && session.info().group.is_some());
    talk(&mut session, &mut peer);
    peer.wait_for(&format!("PSK authentication. Connected as '{NAME}'"));
}

/// Whoever learns the key later can read what was said: that has to be asked for on our side.
#[test]
fn gnutls_does_without_a_key_exchange_only_where_we_let_it() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let keys = [
        "--pskusername",
        NAME,
        "--pskkey",
        KEY,
        "--priority",
        GNUTLS_PSK_ALONE,
    ];
    for allow in [true, false] {
        let mut peer = gnutls_cli(&identity, &listener, &keys);
        let config = server(&identity).dangerous_psk_without_key_exchange(allow);
        let tcp = listener.accept(&mut peer).unwrap();
        let result = Session::accept(&config.build().unwrap(), tcp);
        let mut session = result.unwrap();
        // Otherwise it is content with our certificate.
        assert_eq!(is_by_key(&session), allow);
        assert_eq!(session.info().group.is_none(), allow);
        talk(&mut session, &mut peer);
    }
}
