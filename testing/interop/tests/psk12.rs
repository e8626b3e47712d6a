//! TLS 1.2 with a key that both sides have, with other people's programs.

#![forbid(unsafe_code)]

use std::fs;
use std::sync::Arc;

use waxwing::crypto::{CipherSuite, CryptoProvider, HashId};
use waxwing::pki::KeyType;
use waxwing::{ClientConfig, PROVIDER, ProtocolVersions, ServerConfig};
use waxwing_aws_lc::SUITES12_WITH_CCM;
use waxwing_core::{ExternalPsk, PskLookup, PskResolver};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV};
use waxwing_interop::openssl::OPENSSL;
use waxwing_interop::{Identity, Listener, Process, Session, free_port, peer};
use waxwing_testkit::pki;

static WITH_PSK: CryptoProvider = CryptoProvider {
    suites12: SUITES12_WITH_CCM,
    ..PROVIDER
};

/// The key of `lamp`, and as programs are told of it.
const KEY: [u8; 16] = [0x4b; 16];
const HEX: &str = "4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b";

/// What OpenSSL and GnuTLS know, and how they call it. Neither has ECDHE_PSK with AES-GCM
/// or AES-CCM.
const OPENSSL_SUITES: [(&str, u16); 6] = [
    ("PSK-AES128-GCM-SHA256", 0x00a8),
    ("PSK-AES256-GCM-SHA384", 0x00a9),
    ("PSK-CHACHA20-POLY1305", 0xccab),
    ("ECDHE-PSK-CHACHA20-POLY1305", 0xccac),
    ("PSK-AES128-CCM", 0xc0a4),
    // It counts the tag of 8 bytes as too weak by default.
    ("PSK-AES128-CCM8:@SECLEVEL=0", 0xc0a8),
];
const GNUTLS_SUITES: [(&str, u16); 6] = [
    ("+PSK:+AES-128-GCM", 0x00a8),
    ("+PSK:+AES-256-GCM", 0x00a9),
    ("+PSK:+CHACHA20-POLY1305", 0xccab),
    ("+ECDHE-PSK:+CHACHA20-POLY1305", 0xccac),
    ("+PSK:+AES-128-CCM", 0xc0a4),
    ("+PSK:+AES-128-CCM-8", 0xc0a8),
];

fn priority(suite: &str) -> String {
    format!("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:-CIPHER-ALL:{suite}")
}

fn psk(identity: &[u8]) -> ExternalPsk {
    ExternalPsk::new(identity, &KEY, HashId::Sha256).unwrap()
}

#[derive(Debug)]
struct Lamp;

impl PskResolver for Lamp {
    fn find(&self, identity: &[u8]) -> PskLookup {
        match identity {
            b"lamp" => PskLookup::Found(psk(identity)),
            _ => PskLookup::None,
        }
    }

    fn hint(&self) -> Option<&[u8]> {
        Some(b"a lamp")
    }
}

fn client() -> Arc<ClientConfig> {
    ClientConfig::builder(&WITH_PSK, pki::verifier())
        .versions(ProtocolVersions::TLS12)
        .external_psks([psk(b"lamp")])
        .dangerous_psk_without_key_exchange(true)
        .build()
        .unwrap()
}

fn server(identity: &Identity) -> Arc<ServerConfig> {
    ServerConfig::builder(&WITH_PSK, Arc::new(Arc::clone(identity.certified())))
        .versions(ProtocolVersions::TLS12)
        .external_psks(Arc::new(Lamp))
        .dangerous_psk_without_key_exchange(true)
        .build()
        .unwrap()
}

/// Whether the connection rests on the key, with this suite.
fn check(session: &Session, suite: u16) {
    let info = session.info();
    assert_eq!(info.cipher_suite, Some(CipherSuite(suite)));
    assert_eq!(info.psk_identity.as_deref(), Some(&b"lamp"[..]));
    assert!(info.extended_main_secret);
}

#[test]
fn openssl_servers() {
    peer!(OPENSSL);
    for (name, suite) in OPENSSL_SUITES {
        for hint in [&[][..], &["-psk_hint", "a lamp"]] {
            let port = free_port();
            let address = format!("127.0.0.1:{port}");
            let mut arguments = vec!["s_server", "-accept", &address, "-nocert", "-rev"];
            arguments.extend(["-tls1_2", "-cipher", name, "-psk", HEX]);
            arguments.extend(["-psk_identity", "lamp"]);
            arguments.extend(hint);
            let _peer = Process::run(OPENSSL, arguments);
            let mut session = Session::connect(&client(), port).unwrap();
            check(&session, suite);
            session.write(b"abc\n").unwrap();
            assert_eq!(session.read(4).unwrap(), b"cba\n");
        }
    }
}

#[test]
fn openssl_clients() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let address = listener.address();
    for (name, suite) in OPENSSL_SUITES {
        let arguments = |key| {
            let to = ["s_client", "-quiet", "-connect", &address, "-tls1_2"];
            let how = ["-cipher", name, "-psk", key, "-psk_identity", "lamp"];
            Process::run(OPENSSL, to.into_iter().chain(how))
        };
        let mut peer = arguments(HEX);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&server(&identity), tcp).unwrap();
        check(&session, suite);
        session.write(b"for you\n").unwrap();
        peer.wait_for("for you");
        let mut peer = arguments("4b4b");
        let tcp = listener.accept(&mut peer).unwrap();
        Session::accept(&server(&identity), tcp).unwrap_err();
    }
}

#[test]
fn gnutls_servers() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let keys = identity.file("keys.psk");
    fs::write(&keys, format!("lamp:{HEX}\n")).unwrap();
    let keys = keys.to_str().unwrap();
    for (name, suite) in GNUTLS_SUITES {
        let port = free_port();
        let number = port.to_string();
        let priority = priority(name);
        let mut arguments = vec!["--echo", "--port", &number, "--priority", &priority];
        arguments.extend(["--pskpasswd", keys, "--disable-client-cert"]);
        let _peer = Process::run(GNUTLS_SERV, arguments);
        let mut session = Session::connect(&client(), port).unwrap();
        check(&session, suite);
        session.write(b"abc\n").unwrap();
        assert_eq!(session.read(4).unwrap(), b"abc\n");
    }
}

#[test]
fn gnutls_clients() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let port = listener.port().to_string();
    for (name, suite) in GNUTLS_SUITES {
        let priority = priority(name);
        let mut arguments = vec!["localhost", "--port", &port, "--priority", &priority];
        arguments.extend(["--pskusername", "lamp", "--pskkey", HEX]);
        let mut peer = Process::run(GNUTLS_CLI, arguments);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&server(&identity), tcp).unwrap();
        check(&session, suite);
        // After ECDHE_PSK gnutls-cli crashes with any server, when it prints what was exchanged.
        if !name.starts_with("+ECDHE") {
            session.write(b"for you\n").unwrap();
            peer.wait_for("for you");
        }
    }
}
