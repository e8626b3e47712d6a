//! Every group, with every signature scheme, with every cipher suite, that OpenSSL and GnuTLS
//! have in common with us, as client and as server, in TLS 1.3 and in TLS 1.2.

#![forbid(unsafe_code)]

use waxwing::ProtocolVersion;
use waxwing::crypto::SignatureScheme;
use waxwing::pki::KeyType;
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::matrix::{
    Combination, KEYS, KEYS12, THEIR_KEYS12, gnutls_scheme, gnutls_version,
};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, for_all, peer};

type Keys = [(KeyType, &'static [SignatureScheme])];
type All = fn(KeyType, SignatureScheme) -> Vec<Combination>;

/// Agrees on `combination` with the server on `port`, and nothing else is offered.
fn connect(combination: &Combination, port: u16) -> Result<Session, String> {
    let config = Identity::client()
        .versions(combination.versions())
        .groups(combination.client_groups())
        .cipher_suites([combination.suite])
        .build()
        .map_err(|error| error.to_string())?;
    let session = Session::connect(&config, port)?;
    combination.check(session.info())?;
    Ok(session)
}

/// Serves the client that allows only `combination`.
fn accept(
    combination: &Combination,
    identity: &Identity,
    listener: &Listener,
    peer: &mut Process,
) -> Result<(), String> {
    let config = identity
        .server()
        .versions(combination.versions())
        .groups([combination.group])
        .build()
        .unwrap();
    let tcp = listener.accept(peer).map_err(|error| error.to_string())?;
    let mut session = Session::accept(&config, tcp)?;
    combination.check(session.info())?;
    session.write(b"hello\n")?;
    peer.wait_for("hello\n");
    peer.send("answer\n");
    if session.read_line()? != b"answer\n" {
        return Err("a wrong answer".to_owned());
    }
    Ok(())
}

fn with_openssl_server(keys: &Keys, all: All) {
    peer!(OPENSSL);
    for (key, schemes) in keys {
        let identity = Identity::new(*key);
        for scheme in *schemes {
            let more = ["-rev", "-sigalgs", &scheme.to_string()];
            let (_peer, port) = s_server(&identity, &more);
            for_all(all(*key, *scheme), |combination| {
                let mut session = connect(combination, port)?;
                session.write(b"abc\n")?;
                match session.read(4)?.as_slice() {
                    b"cba\n" => Ok(()),
                    other => Err(format!("a wrong answer: {other:?}")),
                }
            });
        }
    }
}

fn with_openssl_client(keys: &Keys, all: All) {
    peer!(OPENSSL);
    let listener = Listener::bind().unwrap();
    for (key, schemes) in keys {
        let identity = Identity::new(*key);
        for scheme in *schemes {
            for_all(all(*key, *scheme), |combination| {
                let options = combination.openssl_client();
                let mut more = vec!["-quiet"];
                more.extend(options.iter().map(String::as_str));
                let mut peer = s_client(&identity, &listener, &more);
                accept(combination, &identity, &listener, &mut peer)
            });
        }
    }
}

fn with_gnutls_server(version: ProtocolVersion, keys: &Keys, all: All) {
    peer!(GNUTLS_SERV);
    for (key, schemes) in keys {
        let identity = Identity::new(*key);
        for scheme in *schemes {
            let priority = format!(
                "NORMAL:-VERS-ALL:+{}:-SIGN-ALL:+SIGN-{}",
                gnutls_version(version),
                gnutls_scheme(version, *scheme)
            );
            let (_peer, port) = gnutls_serv(&identity, &["--quiet", "--priority", &priority]);
            for_all(all(*key, *scheme), |combination| {
                let mut session = connect(combination, port)?;
                match session.echo(b"abc\n")?.as_slice() {
                    b"abc\n" => Ok(()),
                    other => Err(format!("a wrong answer: {other:?}")),
                }
            });
        }
    }
}

fn with_gnutls_client(keys: &Keys, all: All) {
    peer!(GNUTLS_CLI);
    let listener = Listener::bind().unwrap();
    for (key, schemes) in keys {
        let identity = Identity::new(*key);
        for scheme in *schemes {
            for_all(all(*key, *scheme), |combination| {
                let priority = combination.gnutls_client();
                let mut peer = gnutls_cli(&identity, &listener, &["--priority", &priority]);
                accept(combination, &identity, &listener, &mut peer)
            });
        }
    }
}

#[test]
fn openssl_server() {
    with_openssl_server(&KEYS, Combination::all);
}

#[test]
fn openssl_client() {
    with_openssl_client(&KEYS, Combination::all);
}

#[test]
fn gnutls_server() {
    with_gnutls_server(ProtocolVersion::TLS13, &KEYS, Combination::all);
}

#[test]
fn gnutls_client() {
    with_gnutls_client(&KEYS, Combination::all);
}

#[test]
fn openssl_server_of_tls_1_2() {
    with_openssl_server(&THEIR_KEYS12, Combination::all12);
}

#[test]
fn openssl_client_of_tls_1_2() {
    with_openssl_client(&KEYS12, Combination::all12);
}

#[test]
fn gnutls_server_of_tls_1_2() {
    with_gnutls_server(ProtocolVersion::TLS12, &THEIR_KEYS12, Combination::all12);
}

#[test]
fn gnutls_client_of_tls_1_2() {
    with_gnutls_client(&KEYS12, Combination::all12);
}
