//! Every group, with every signature scheme, with every cipher suite, that OpenSSL and GnuTLS
//! have in common with us, as client and as server.

#![forbid(unsafe_code)]

use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::matrix::{Combination, KEYS, gnutls_scheme};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, Session, for_all, peer};

/// Agrees on `combination` with the server on `port`, and nothing else is offered.
fn connect(combination: &Combination, port: u16) -> Result<Session, String> {
    let config = Identity::client()
        .groups([combination.group])
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
    let config = identity.server().build().unwrap();
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

#[test]
fn openssl_server() {
    peer!(OPENSSL);
    for (key, schemes) in KEYS {
        let identity = Identity::new(key);
        for scheme in schemes {
            let more = ["-rev", "-sigalgs", &scheme.to_string()];
            let (_peer, port) = s_server(&identity, &more);
            for_all(Combination::all(*scheme), |combination| {
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

#[test]
fn openssl_client() {
    peer!(OPENSSL);
    let listener = Listener::bind().unwrap();
    for (key, schemes) in KEYS {
        let identity = Identity::new(key);
        for scheme in schemes {
            for_all(Combination::all(*scheme), |combination| {
                let schemes = combination.openssl_schemes();
                let mut more = vec!["-quiet", "-ciphersuites", combination.suite_name];
                more.extend(["-groups", combination.openssl_group()]);
                more.extend(["-sigalgs", &schemes]);
                let mut peer = s_client(&identity, &listener, &more);
                accept(combination, &identity, &listener, &mut peer)
            });
        }
    }
}

#[test]
fn gnutls_server() {
    peer!(GNUTLS_SERV);
    for (key, schemes) in KEYS {
        let identity = Identity::new(key);
        for scheme in schemes {
            let priority = format!("NORMAL:-SIGN-ALL:+SIGN-{}", gnutls_scheme(*scheme));
            let (_peer, port) = gnutls_serv(&identity, &["--quiet", "--priority", &priority]);
            for_all(Combination::all(*scheme), |combination| {
                let mut session = connect(combination, port)?;
                match session.echo(b"abc\n")?.as_slice() {
                    b"abc\n" => Ok(()),
                    other => Err(format!("a wrong answer: {other:?}")),
                }
            });
        }
    }
}

#[test]
fn gnutls_client() {
    peer!(GNUTLS_CLI);
    let listener = Listener::bind().unwrap();
    for (key, schemes) in KEYS {
        let identity = Identity::new(key);
        for scheme in schemes {
            for_all(Combination::all(*scheme), |combination| {
                let priority = combination.gnutls_priority();
                let mut peer = gnutls_cli(&identity, &listener, &["--priority", &priority]);
                accept(combination, &identity, &listener, &mut peer)
            });
        }
    }
}
