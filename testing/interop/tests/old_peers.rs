//! Peers that are older than we are, or do as if: which are served, which are refused, and what
//! both sides say.

#![forbid(unsafe_code)]

use std::fs;
use std::process::Command;

use waxwing::pki::KeyType;
use waxwing::{AlertDescription, Error, Incompatible, PeerError, ProtocolVersion};
use waxwing::{ProtocolVersions, ServerConfigBuilder};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Fault, Identity, Listener, Process, Session, free_port, peer};

const LABEL: &str = "EXPORTER-waxwing-interop";

fn both() -> ProtocolVersions {
    ProtocolVersions::TLS12 | ProtocolVersions::TLS13
}

fn refused(server: ServerConfigBuilder, listener: &Listener, peer: &mut Process) -> Fault {
    let tcp = listener.accept(peer).unwrap();
    Session::accept(&server.build().unwrap(), tcp).unwrap_err()
}

#[test]
fn a_peer_that_knows_one_version_gets_it() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    for (option, version) in [
        ("-tls1_2", ProtocolVersion::TLS12),
        ("-tls1_3", ProtocolVersion::TLS13),
        // Both, as it comes.
        ("-rev", ProtocolVersion::TLS13),
    ] {
        let (_peer, port) = s_server(&identity, &["-rev", option]);
        let mut session = Session::connect(&Identity::client_of(both()), port).unwrap();
        assert_eq!(session.info().version, Some(version));
        session.write(b"abc\n").unwrap();
        assert_eq!(session.read(4).unwrap(), b"cba\n");

        let option = if option == "-rev" { "-quiet" } else { option };
        let mut peer = s_client(&identity, &listener, &["-quiet", option]);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&identity.server_of(both()), tcp).unwrap();
        assert_eq!(session.info().version, Some(version));
        session.write(b"abc\n").unwrap();
        peer.wait_for("abc\n");
    }
}

#[test]
fn tls_1_1_and_older_are_refused_in_words() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    // What OpenSSL itself no longer wants to do.
    let weak = ["-cipher", "DEFAULT@SECLEVEL=0"];
    for old in ["-tls1", "-tls1_1"] {
        let mut peer = s_client(&identity, &listener, &[&weak[..], &[old]].concat());
        let fault = refused(identity.server().versions(both()), &listener, &mut peer);
        assert_eq!(fault.tls(), Some(&Incompatible::Version.into()));
        assert_eq!(fault.to_string(), "no common protocol version");
        peer.wait_for("alert protocol version");

        let (_peer, port) = s_server(&identity, &[&weak[..], &[old]].concat());
        let fault = Session::connect(&Identity::client_of(both()), port).unwrap_err();
        let expected = Error::Alert(AlertDescription::PROTOCOL_VERSION);
        assert_eq!(fault.tls(), Some(&expected));
        assert!(fault.to_string().contains("protocol_version"), "{fault}");
    }
}

#[test]
fn a_client_that_fell_back_is_told_so() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let fell_back = ["-tls1_2", "-fallback_scsv"];
    let mut peer = s_client(&identity, &listener, &fell_back);
    let fault = refused(identity.server().versions(both()), &listener, &mut peer);
    assert_eq!(fault.tls(), Some(&PeerError::Fallback.into()), "{fault}");
    peer.wait_for("alert inappropriate fallback");
    // Where nothing newer is known, nothing was lost.
    let mut peer = s_client(&identity, &listener, &fell_back);
    let tcp = listener.accept(&mut peer).unwrap();
    Session::accept(&identity.server_of(ProtocolVersions::TLS12), tcp).unwrap();
}

#[test]
fn suites_without_forward_secrecy_or_aead_are_not_spoken() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::Rsa2048);
    let listener = Listener::bind().unwrap();
    for suite in [
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA256",
        "AES128-GCM-SHA256",
        "AES128-SHA",
        "DHE-RSA-AES128-GCM-SHA256",
    ] {
        let old = ["-tls1_2", "-cipher", suite];
        let mut peer = s_client(&identity, &listener, &old);
        let fault = refused(identity.server().versions(both()), &listener, &mut peer);
        assert_eq!(fault.tls(), Some(&Incompatible::CipherSuite.into()));
        peer.wait_for("alert handshake failure");

        let (_peer, port) = s_server(&identity, &old);
        let fault = Session::connect(&Identity::client_of(both()), port).unwrap_err();
        let expected = Error::Alert(AlertDescription::HANDSHAKE_FAILURE);
        assert_eq!(fault.tls(), Some(&expected), "{suite}");
    }
}

/// OpenSSL whose configuration leaves `extended_main_secret` out: its programs have no option
/// for that.
fn openssl_without_binding(identity: &Identity, arguments: &[&str]) -> Process {
    let configuration = identity.file("openssl.cnf");
    let text = "openssl_conf = main\n[main]\nssl_conf = tls\n[tls]\nsystem_default = old\n\
                [old]\nOptions = -ExtendedMasterSecret\n";
    fs::write(&configuration, text).unwrap();
    let mut command = Command::new(OPENSSL);
    command.env("OPENSSL_CONF", &configuration).args(arguments);
    Process::start(&mut command)
}

#[test]
fn secrets_that_are_not_bound_to_the_handshake_are_refused_by_default() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let lack: Error = Incompatible::ExtendedMainSecret.into();
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let export = ["-keymatexport", LABEL, "-keymatexportlen", "42"];
    let mut arguments = vec!["s_server", "-accept", &address, "-tls1_2"];
    arguments.extend(["-cert", identity.chain(), "-key", identity.key()]);
    arguments.extend(["-cert_chain", identity.intermediate()]);
    arguments.extend(export);
    let mut peer = openssl_without_binding(&identity, &arguments);
    let fault = Session::connect(&Identity::client_of(both()), port).unwrap_err();
    assert_eq!(fault.tls(), Some(&lack), "{fault}");
    peer.wait_for("alert handshake failure");
    let config = Identity::client().versions(both());
    let config = config.dangerous_without_extended_main_secret(true);
    let session = Session::connect(&config.build().unwrap(), port).unwrap();
    assert!(!session.info().extended_main_secret);
    // The secrets are derived another way, but to the same end.
    let material = session.export(LABEL, 42).to_uppercase();
    peer.wait_for(&format!("Keying material: {material}"));

    let listener = Listener::bind().unwrap();
    let address = listener.address();
    let mut arguments = vec!["s_client", "-connect", &address, "-tls1_2"];
    arguments.extend(["-CAfile", identity.anchor(), "-verify_return_error"]);
    arguments.extend(export);
    let mut peer = openssl_without_binding(&identity, &arguments);
    let fault = refused(identity.server().versions(both()), &listener, &mut peer);
    assert_eq!(fault.tls(), Some(&lack), "{fault}");
    peer.wait_for("alert handshake failure");
    let mut peer = openssl_without_binding(&identity, &arguments);
    let config = identity.server().versions(both());
    let config = config.dangerous_without_extended_main_secret(true);
    let tcp = listener.accept(&mut peer).unwrap();
    let session = Session::accept(&config.build().unwrap(), tcp).unwrap();
    assert!(!session.info().extended_main_secret);
    let material = session.export(LABEL, 42).to_uppercase();
    peer.wait_for(&format!("Keying material: {material}"));
}

#[test]
fn peers_without_secure_renegotiation_are_served_unless_it_is_required() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let lack: Error = Incompatible::SecureRenegotiation.into();
    let priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION";
    let more = ["--priority", priority];
    let (_peer, port) = gnutls_serv(&identity, &[&["--quiet"], &more[..]].concat());
    let mut session = Session::connect(&Identity::client_of(both()), port).unwrap();
    assert!(!session.info().secure_renegotiation && session.info().extended_main_secret);
    assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
    let config = Identity::client().versions(both());
    let config = config.secure_renegotiation_required(true).build().unwrap();
    let fault = Session::connect(&config, port).unwrap_err();
    assert_eq!(fault.tls(), Some(&lack), "{fault}");

    let listener = Listener::bind().unwrap();
    let mut peer = gnutls_cli(&identity, &listener, &more);
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&identity.server_of(both()), tcp).unwrap();
    assert!(!session.info().secure_renegotiation);
    session.write(b"hello\n").unwrap();
    peer.wait_for("hello\n");
    let mut peer = gnutls_cli(&identity, &listener, &more);
    let config = identity.server().versions(both());
    let config = config.secure_renegotiation_required(true);
    let fault = refused(config, &listener, &mut peer);
    assert_eq!(fault.tls(), Some(&lack), "{fault}");
}

#[test]
fn gnutls_without_the_session_hash_is_refused_too() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let lack: Error = Incompatible::ExtendedMainSecret.into();
    let more = [
        "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH",
    ];
    let (_peer, port) = gnutls_serv(&identity, &[&["--quiet"], &more[..]].concat());
    let fault = Session::connect(&Identity::client_of(both()), port).unwrap_err();
    assert_eq!(fault.tls(), Some(&lack), "{fault}");
    let config = Identity::client().versions(both());
    let config = config.dangerous_without_extended_main_secret(true);
    let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
    assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
    assert!(!session.info().extended_main_secret);

    let listener = Listener::bind().unwrap();
    let mut peer = gnutls_cli(&identity, &listener, &more);
    let fault = refused(identity.server().versions(both()), &listener, &mut peer);
    assert_eq!(fault.tls(), Some(&lack), "{fault}");
}
