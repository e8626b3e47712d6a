//! Clients that show a certificate, and servers that ask for one.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex};

use waxwing::crypto::SignatureScheme;
use waxwing::pki::KeyType;
use waxwing::{
    AlertDescription, CertChoice, CertificateError, CertificateRequestView, CertifiedKey,
    ClientAuth, ClientCertResolver, ClientCertVerifier, ClientConfig, Error, Incompatible,
    ProtocolVersions, ServerConfig,
};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, asking_gnutls_serv, gnutls_cli};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::scripts::{
    NODE, PYTHON, node_client, node_server, python_client, python_server,
};
use waxwing_interop::{Fault, Identity, Listener, Process, Session, VERSIONS, for_all, peer};
use waxwing_testkit::pki::{self, Case};

const P256: SignatureScheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
/// The kinds of client key, and what each signs with if the server leaves the choice.
const KEYS: [(KeyType, SignatureScheme); 5] = [
    (KeyType::P256, P256),
    (KeyType::P384, SignatureScheme::ECDSA_SECP384R1_SHA384),
    (KeyType::P521, SignatureScheme::ECDSA_SECP521R1_SHA512),
    (KeyType::Ed25519, SignatureScheme::ED25519),
    (KeyType::Rsa2048, SignatureScheme::RSA_PSS_RSAE_SHA256),
];

fn combinations() -> impl Iterator<Item = (ProtocolVersions, KeyType, SignatureScheme)> {
    VERSIONS
        .into_iter()
        .flat_map(|versions| KEYS.map(|(key, scheme)| (versions, key, scheme)))
}

fn client(versions: ProtocolVersions, certified: &Arc<CertifiedKey>) -> Arc<ClientConfig> {
    Identity::client()
        .versions(versions)
        .client_certificate(Arc::new(Arc::clone(certified)))
        .build()
        .unwrap()
}

/// A server that takes clients of the test kit.
fn server(versions: ProtocolVersions, required: bool) -> Arc<ServerConfig> {
    let verifier = pki::client_verifier();
    let auth = if required {
        ClientAuth::Required(verifier)
    } else {
        ClientAuth::Optional(verifier)
    };
    Identity::new(KeyType::P256)
        .server()
        .versions(versions)
        .client_auth(auth)
        .keep_peer_chain(true)
        .build()
        .unwrap()
}

/// Says a line to a peer that returns it, or its reverse.
fn exchange(session: &mut Session) -> Result<(), String> {
    session.write(b"anna\n")?;
    match session.read(5)?.as_slice() {
        b"anna\n" => Ok(()),
        other => Err(format!("a wrong answer: {other:?}")),
    }
}

/// Whether the server was asked and shown a certificate, signed with `scheme`.
fn check_client(session: &Session, scheme: Option<SignatureScheme>) -> Result<(), String> {
    let info = session.info();
    if info.client_auth_requested && info.client_signature_scheme == scheme {
        return Ok(());
    }
    let asked = info.client_auth_requested;
    Err(format!("{asked}, {:?}", info.client_signature_scheme))
}

/// Whether the client is who it should be.
fn check_server(session: &Session, client: &Identity) -> Result<(), String> {
    let info = session.info();
    let expected = client.certified().chain().iter().map(Vec::as_slice);
    if info.client_authenticated && info.peer_chain.iter().map(|der| &**der).eq(expected) {
        return Ok(());
    }
    Err(format!("signed with {:?}", info.client_signature_scheme))
}

/// What a client's connection fails with: in TLS 1.3 when it reads, for it is done before.
fn client_fault(config: &Arc<ClientConfig>, port: u16) -> Fault {
    Session::connect(config, port)
        .and_then(|mut session| session.read_to_close())
        .unwrap_err()
}

#[test]
fn an_openssl_server_takes_every_kind_of_key() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let trust = ["-CAfile", identity.anchor(), "-verify_return_error"];
    let (mut peer, port) = s_server(&identity, &[&trust[..], &["-rev", "-Verify", "3"]].concat());
    for_all(combinations(), |&(versions, key, scheme)| {
        let own = Identity::of(Case::Client(key));
        let mut session = Session::connect(&client(versions, own.certified()), port)?;
        check_client(&session, Some(scheme))?;
        exchange(&mut session)
    });
    peer.wait_for("depth=0 CN = Waxwing test client");
}

#[test]
fn an_openssl_server_judges_and_we_hear_the_verdict() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let trust = ["-CAfile", identity.anchor(), "-verify_return_error"];
    let (_optional, may) = s_server(&identity, &[&trust[..], &["-rev", "-verify", "3"]].concat());
    let (_required, must) = s_server(&identity, &[&trust[..], &["-rev", "-Verify", "3"]].concat());
    for versions in VERSIONS {
        let nobody = Identity::client_of(versions);
        let mut session = Session::connect(&nobody, may).unwrap();
        check_client(&session, None).unwrap();
        exchange(&mut session).unwrap();
        // It serves one at a time.
        drop(session);
        let alert = if versions == ProtocolVersions::TLS12 {
            AlertDescription::HANDSHAKE_FAILURE
        } else {
            AlertDescription::CERTIFICATE_REQUIRED
        };
        let fault = client_fault(&nobody, must);
        assert_eq!(fault.tls(), Some(&Error::Alert(alert)), "{fault}");

        let stranger = Identity::of(Case::UntrustedClient);
        let expired = Identity::of(Case::ExpiredClient);
        for (own, alert) in [
            (stranger, AlertDescription::UNKNOWN_CA),
            (expired, AlertDescription::CERTIFICATE_EXPIRED),
        ] {
            let fault = client_fault(&client(versions, own.certified()), may);
            assert_eq!(fault.tls(), Some(&Error::Alert(alert)), "{fault}");
        }
    }
}

/// Notes what it is asked, and shows nothing.
#[derive(Debug, Default)]
struct Asked {
    authorities: Mutex<Vec<Vec<u8>>>,
    schemes: Mutex<Vec<SignatureScheme>>,
}

impl ClientCertResolver for Asked {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        let names = request.certificate_authorities().map(<[u8]>::to_vec);
        *self.authorities.lock().unwrap() = names.collect();
        *self.schemes.lock().unwrap() = request.signature_schemes().collect();
        CertChoice::None
    }
}

/// What a server asks for, and a client of ours sees.
fn asked(versions: ProtocolVersions, port: u16) -> (Vec<Vec<u8>>, Vec<SignatureScheme>) {
    let asked = Arc::new(Asked::default());
    let config = Identity::client()
        .versions(versions)
        .client_certificate(Arc::clone(&asked) as _)
        .build()
        .unwrap();
    let mut session = Session::connect(&config, port).unwrap();
    exchange(&mut session).unwrap();
    let authorities = asked.authorities.lock().unwrap().clone();
    let schemes = asked.schemes.lock().unwrap().clone();
    (authorities, schemes)
}

#[test]
fn our_resolver_sees_the_hints_of_servers() {
    peer!(OPENSSL);
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let more = ["-rev", "-verify", "3", "-CAfile", identity.anchor()];
    let schemes = ["-client_sigalgs", "ed25519:rsa_pss_rsae_sha384"];
    let (_openssl, openssl) = s_server(&identity, &[&more[..], &schemes].concat());
    let more = ["--quiet", "--x509cafile", identity.anchor()];
    let (_gnutls, gnutls) = asking_gnutls_serv(&identity, &more);
    let ours = pki::client_verifier().authorities().to_vec();
    for versions in VERSIONS {
        let (authorities, schemes) = asked(versions, openssl);
        assert_eq!(authorities, ours);
        let expected = [
            SignatureScheme::ED25519,
            SignatureScheme::RSA_PSS_RSAE_SHA384,
        ];
        assert_eq!(schemes, expected);
        assert_eq!(asked(versions, gnutls).0, ours);
    }
}

#[test]
fn every_kind_of_openssl_client_is_taken() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    for_all(combinations(), |&(versions, key, scheme)| {
        let own = Identity::of(Case::Client(key));
        let (scheme_name, files) = (scheme.to_string(), openssl_files(&own));
        // One of several that it could use, so that it is known.
        let more = ["-client_sigalgs", &scheme_name];
        let mut peer = s_client(&identity, &listener, &[&files[..], &more].concat());
        let session = serve_line(&server(versions, true), &listener, &mut peer)?;
        check_server(&session, &own)?;
        assert_eq!(session.info().client_signature_scheme, Some(scheme));
        // Our hint, as it reads it.
        peer.wait_for("Acceptable client certificate CA names");
        peer.wait_for("CN = Waxwing test root");
        Ok(())
    });
}

/// The options that make OpenSSL's client show `own`. It has to be told the chain.
fn openssl_files(own: &Identity) -> [&str; 6] {
    let [cert, key] = [own.chain(), own.key()];
    [
        "-cert",
        cert,
        "-key",
        key,
        "-cert_chain",
        own.intermediate(),
    ]
}

/// Completes a handshake and says a line.
fn serve_line(
    config: &Arc<ServerConfig>,
    listener: &Listener,
    peer: &mut Process,
) -> Result<Session, String> {
    let tcp = listener.accept(peer).map_err(|error| error.to_string())?;
    let mut session = Session::accept(config, tcp)?;
    session.write(b"hello\n")?;
    peer.wait_for("hello\n");
    Ok(session)
}

#[test]
fn an_openssl_client_in_tls_1_2_may_sign_with_any_scheme_of_its_key() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let ecdsa = [
        P256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::ECDSA_SECP521R1_SHA512,
    ];
    let rsa = [
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
    ];
    let cases = ecdsa.map(|scheme| (KeyType::P384, scheme)).into_iter();
    let cases = cases.chain(rsa.map(|scheme| (KeyType::Rsa2048, scheme)));
    for_all(cases, |&(key, scheme)| {
        let own = Identity::of(Case::Client(key));
        let (scheme_name, files) = (scheme.to_string(), openssl_files(&own));
        let more = ["-client_sigalgs", &scheme_name];
        let mut peer = s_client(&identity, &listener, &[&files[..], &more].concat());
        let config = server(ProtocolVersions::TLS12, true);
        let session = serve_line(&config, &listener, &mut peer)?;
        assert_eq!(session.info().client_signature_scheme, Some(scheme));
        check_server(&session, &own)
    });
}

#[test]
fn openssl_clients_are_judged_and_hear_the_verdict() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    for versions in VERSIONS {
        let mut peer = s_client(&identity, &listener, &[]);
        let session = serve_line(&server(versions, false), &listener, &mut peer).unwrap();
        let info = session.info();
        assert!(!info.client_authenticated && info.peer_chain.is_empty());

        let mut peer = s_client(&identity, &listener, &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        let fault = Session::accept(&server(versions, true), tcp).unwrap_err();
        let (expected, words) = if versions == ProtocolVersions::TLS12 {
            (
                Incompatible::NoClientCertificate12,
                "alert handshake failure",
            )
        } else {
            (
                Incompatible::NoClientCertificate,
                "alert certificate required",
            )
        };
        assert_eq!(fault.tls(), Some(&expected.into()), "{fault}");
        peer.wait_for(words);

        for (case, code, words) in [
            (
                Case::UntrustedClient,
                CertificateError::UnknownIssuer,
                "alert unknown ca",
            ),
            (
                Case::ExpiredClient,
                CertificateError::Expired,
                "alert certificate expired",
            ),
            (
                Case::Good(KeyType::P256),
                CertificateError::WrongUsage,
                "alert unsupported certificate",
            ),
        ] {
            let own = Identity::of(case);
            let mut peer = s_client(&identity, &listener, &openssl_files(&own));
            let tcp = listener.accept(&mut peer).unwrap();
            let fault = Session::accept(&server(versions, false), tcp).unwrap_err();
            let Some(Error::Certificate(rejection)) = fault.tls() else {
                panic!("{case:?}: {fault}");
            };
            assert_eq!(rejection.code, code);
            peer.wait_for(words);
        }
    }
}

#[test]
fn a_gnutls_server_takes_every_kind_of_key_and_refuses_nobody_else() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    let trust = ["--quiet", "--x509cafile", identity.anchor()];
    let must = ["--require-client-cert", "--verify-client-cert"];
    let (_peer, port) = asking_gnutls_serv(&identity, &[&trust[..], &must].concat());
    for_all(combinations(), |&(versions, key, scheme)| {
        let own = Identity::of(Case::Client(key));
        let mut session = Session::connect(&client(versions, own.certified()), port)?;
        check_client(&session, Some(scheme))?;
        exchange(&mut session)
    });
    for versions in VERSIONS {
        let fault = client_fault(&Identity::client_of(versions), port);
        assert!(matches!(fault.tls(), Some(Error::Alert(_))), "{fault}");
    }
}

#[test]
fn every_kind_of_gnutls_client_is_taken_and_sees_our_hints() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    // Which scheme it likes most is its own affair.
    for_all(combinations(), |&(versions, key, _)| {
        let own = Identity::of(Case::Client(key));
        let files = ["--x509certfile", own.chain(), "--x509keyfile", own.key()];
        let more = [&files[..], &["--verbose"]].concat();
        let mut peer = gnutls_cli(&identity, &listener, &more);
        let session = serve_line(&server(versions, true), &listener, &mut peer)?;
        check_server(&session, &own)?;
        peer.wait_for("Server's trusted authorities");
        peer.wait_for("CN=Waxwing test root");
        Ok(())
    });
    for versions in VERSIONS {
        let mut peer = gnutls_cli(&identity, &listener, &[]);
        let session = serve_line(&server(versions, false), &listener, &mut peer).unwrap();
        assert!(!session.info().client_authenticated);
    }
}

#[test]
fn node_takes_us_and_we_take_node() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let options = format!(r#","ca":"{}","requestCert":true"#, identity.anchor());
    let (mut server_peer, port) = node_server(NODE, &identity, &options);
    for (versions, key, scheme) in combinations() {
        let own = Identity::of(Case::Client(key));
        let mut session = Session::connect(&client(versions, own.certified()), port).unwrap();
        check_client(&session, Some(scheme)).unwrap();
        exchange(&mut session).unwrap();
        server_peer.wait_for(r#""client":"Waxwing test client""#);

        let files = format!(r#","cert":"{}","key":"{}""#, own.chain(), own.key());
        let mut peer = node_client(NODE, &identity, &listener, &files);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&server(versions, true), tcp).unwrap();
        assert!(session.info().client_authenticated);
        exchange(&mut session).unwrap();
    }
    for versions in VERSIONS {
        let fault = client_fault(&Identity::client_of(versions), port);
        assert!(matches!(fault.tls(), Some(Error::Alert(_))), "{fault}");
    }
}

#[test]
fn python_takes_us_and_we_take_python() {
    peer!(PYTHON);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let must = [identity.anchor(), "CERT_REQUIRED"];
    let may = [identity.anchor(), "CERT_OPTIONAL"];
    let (mut required, must) = python_server(&identity, "echo", &must);
    let (mut optional, may) = python_server(&identity, "echo", &may);
    for (versions, key, scheme) in combinations() {
        let own = Identity::of(Case::Client(key));
        let config = client(versions, own.certified());
        let mut session = Session::connect(&config, must).unwrap();
        check_client(&session, Some(scheme)).unwrap();
        exchange(&mut session).unwrap();
        session.close().unwrap();
        required.wait_for("localhost Waxwing test client");

        let more = [own.chain(), own.key()];
        let mut peer = python_client(&identity, &listener, "echo", &more);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&server(versions, true), tcp).unwrap();
        assert!(session.info().client_authenticated);
        exchange(&mut session).unwrap();
    }
    for versions in VERSIONS {
        let nobody = Identity::client_of(versions);
        let mut session = Session::connect(&nobody, may).unwrap();
        exchange(&mut session).unwrap();
        session.close().unwrap();
        optional.wait_for("localhost None");
        assert!(matches!(
            client_fault(&nobody, must).tls(),
            Some(Error::Alert(_))
        ));
        required.wait_for("error PEER_DID_NOT_RETURN_A_CERTIFICATE");
    }
}
