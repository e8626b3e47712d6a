//! Raw public keys (RFC 7250), against GnuTLS.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::pki::{KeyType, Pin, PinnedVerifier, to_pem};
use waxwing::{
    CertificateError, CertificateType, CertifiedKey, ClientAuth, ClientConfig, Error, PROVIDER,
    ProtocolVersions, ServerConfig,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, asking_gnutls_serv, gnutls_cli};
use waxwing_interop::{Identity, Listener, Process, Session, VERSIONS, for_all, peer};
use waxwing_testkit::pki;

const X509: CertificateType = CertificateType::X509;
const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;

const KEYS: [KeyType; 3] = [KeyType::P256, KeyType::Ed25519, KeyType::Rsa2048];

/// What each side shows, and with what kind of key.
#[derive(Clone, Copy, Debug)]
struct Case {
    versions: ProtocolVersions,
    key: KeyType,
    server: CertificateType,
    client: CertificateType,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        let types = [(RAW, X509), (X509, RAW), (RAW, RAW)];
        VERSIONS.into_iter().flat_map(move |versions| {
            KEYS.into_iter().flat_map(move |key| {
                types.map(|(server, client)| Self {
                    versions,
                    key,
                    server,
                    client,
                })
            })
        })
    }

    /// The one key pair of both sides, in either form.
    fn own(self, typ: CertificateType) -> Arc<CertifiedKey> {
        let certified = pki::certified_key(self.key);
        if typ == X509 {
            return certified;
        }
        let raw = CertifiedKey::raw_public_key(Arc::clone(certified.key()));
        Arc::new(raw.expect("this key knows its public half"))
    }

    /// Accepts that key pair and no other.
    fn verifier(self) -> Arc<PinnedVerifier> {
        Arc::new(PinnedVerifier::new([self.pin()]))
    }

    fn pin(self) -> Pin {
        Pin::of_spki(&public_key(self.key))
    }

    /// Says the same to GnuTLS, which has the files of `identity`.
    fn options(self, identity: &Identity) -> Vec<String> {
        let path = identity.file("public.pem");
        let pem = to_pem("PUBLIC KEY", &public_key(self.key));
        std::fs::write(&path, &*pem).expect("a file of the test kit");
        let version = if self.versions == ProtocolVersions::TLS12 {
            "VERS-TLS1.2"
        } else {
            "VERS-TLS1.3"
        };
        let name = |typ| if typ == RAW { "RAWPK" } else { "X509" };
        let (server, client) = (name(self.server), name(self.client));
        vec![
            "--rawpkkeyfile".into(),
            identity.key().into(),
            "--rawpkfile".into(),
            path.to_str().expect("a path in UTF-8").into(),
            "--priority".into(),
            format!(
                "NORMAL:-VERS-ALL:+{version}:-CTYPE-ALL:+CTYPE-SRV-{server}:+CTYPE-CLI-{client}"
            ),
        ]
    }

    fn check(self, session: &Session) -> Result<(), String> {
        let info = session.info();
        let agreed = (info.server_certificate_type, info.client_certificate_type);
        if agreed != (self.server, self.client) {
            return Err(format!("agreed on {agreed:?}"));
        }
        Ok(())
    }
}

fn public_key(key: KeyType) -> Vec<u8> {
    let certified = pki::certified_key(key);
    certified.key().public_key().expect("a public key")
}

#[test]
fn client() {
    peer!(GNUTLS_SERV);
    for_all(Case::all(), |&case| {
        let identity = Identity::new(case.key);
        let options = case.options(&identity);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let (_peer, port) = asking_gnutls_serv(&identity, &options);
        let config = ClientConfig::builder(&PROVIDER, case.verifier())
            .versions(case.versions)
            .server_certificate_types([case.server])
            .client_certificate(Arc::new(case.own(case.client)))
            .client_certificate_types([case.client]);
        let mut session = Session::connect(&config.build().unwrap(), port)?;
        case.check(&session)?;
        if session.info().client_signature_scheme.is_none() {
            return Err("it did not ask who we are".into());
        }
        match session.echo(b"anna\n")?.as_slice() {
            b"anna\n" => Ok(()),
            other => Err(format!("a wrong answer: {other:?}")),
        }
    });
}

#[test]
fn server() {
    peer!(GNUTLS_CLI);
    let listener = Listener::bind().unwrap();
    for_all(Case::all(), |&case| {
        let identity = Identity::new(case.key);
        let options = case.options(&identity);
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        // It knows nobody whose raw key it could trust.
        options.push("--insecure");
        options.extend([
            "--x509certfile",
            identity.chain(),
            "--x509keyfile",
            identity.key(),
        ]);
        let mut peer = gnutls_cli(&identity, &listener, &options);
        let config = ServerConfig::builder(&PROVIDER, Arc::new(case.own(case.server)))
            .versions(case.versions)
            .client_auth(ClientAuth::Required(case.verifier()))
            .client_certificate_types([case.client]);
        let tcp = listener
            .accept(&mut peer)
            .map_err(|error| error.to_string())?;
        let mut session = Session::accept(&config.build().unwrap(), tcp)?;
        case.check(&session)?;
        if !session.info().client_authenticated {
            return Err("it did not show who it is".into());
        }
        talk(&mut session, &mut peer)
    });
}

fn talk(session: &mut Session, peer: &mut Process) -> Result<(), String> {
    session.write(b"hello\n")?;
    peer.wait_for("hello");
    peer.send("good day\n");
    match session.read_line()?.as_slice() {
        b"good day\n" => Ok(()),
        other => Err(format!("a wrong answer: {other:?}")),
    }
}

#[test]
fn strangers_are_refused_on_both_sides() {
    peer!(GNUTLS_CLI);
    peer!(GNUTLS_SERV);
    let stranger = Arc::new(PinnedVerifier::new([Pin::Key([7; 32])]));
    let listener = Listener::bind().unwrap();
    for versions in VERSIONS {
        let case = Case {
            versions,
            key: KeyType::P256,
            server: RAW,
            client: RAW,
        };
        let identity = Identity::new(case.key);
        let options = case.options(&identity);
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        let (_peer, port) = asking_gnutls_serv(&identity, &options);
        let config = ClientConfig::builder(&PROVIDER, stranger.clone())
            .versions(versions)
            .server_certificate_types([RAW]);
        let fault = Session::connect(&config.build().unwrap(), port).unwrap_err();
        assert_mismatch(fault.tls());

        options.push("--insecure");
        let mut peer = gnutls_cli(&identity, &listener, &options);
        let config = ServerConfig::builder(&PROVIDER, Arc::new(case.own(RAW)))
            .versions(versions)
            .client_auth(ClientAuth::Required(stranger.clone()))
            .client_certificate_types([RAW]);
        let tcp = listener.accept(&mut peer).unwrap();
        let fault = Session::accept(&config.build().unwrap(), tcp).unwrap_err();
        assert_mismatch(fault.tls());
    }
}

fn assert_mismatch(error: Option<&Error>) {
    let Some(Error::Certificate(rejection)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(rejection.code, CertificateError::PinMismatch);
}
