//! Raw public keys (RFC 7250), of servers and of clients, between two engines.

mod common;

use std::sync::{Arc, Mutex};

use common::{CERTIFICATE, Pair, certified_key, server_key};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    AlertDescription, Answer, CertChoice, CertResolver, CertificateError, CertificateRequestView,
    CertificateType, CertifiedKey, ClientAuth, ClientCertRequest, ClientCertResolver,
    ClientCertVerifier, ClientConfig, ClientConfigBuilder, ClientHelloView, ConfigError, Error,
    ExtensionType, Incompatible, ProtocolVersions, Question, ServerCertRequest, ServerCertVerifier,
    ServerConfig, ServerConfigBuilder, Verdict, Verified, Wait,
};
use waxwing_crypto::{CryptoError, SignatureScheme, Signing, SigningKey};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions, SealedSessions};

const X509: CertificateType = CertificateType::X509;
const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;

const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];

fn spki() -> Vec<u8> {
    server_key().public_key().unwrap()
}

fn raw_key() -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::raw_public_key(server_key()).unwrap())
}

/// Accepts the one certificate and the one raw key, if they are said to be what they are.
#[derive(Debug)]
enum Trust {
    Now,
    Later,
    Never,
}

impl Trust {
    fn judge(typ: CertificateType, chain: &[&[u8]]) -> Verified {
        let spki = spki();
        let expected: &[u8] = if typ == RAW { &spki } else { CERTIFICATE };
        assert_eq!(chain, [expected], "{typ}");
        Verified::holder_of(spki)
    }

    fn verify(&self, typ: CertificateType, chain: &[&[u8]]) -> Verdict {
        let verified = Self::judge(typ, chain);
        match self {
            Self::Now => Verdict::Accepted(verified),
            Self::Later => Verdict::Pending,
            Self::Never => Verdict::Rejected(CertificateError::RawPublicKey.into()),
        }
    }
}

impl ServerCertVerifier for Trust {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        self.verify(request.certificate_type, request.chain)
    }
}

impl ClientCertVerifier for Trust {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        self.verify(request.certificate_type, request.chain)
    }
}

fn client() -> ClientConfigBuilder {
    ClientConfig::builder(&PROVIDER, Arc::new(Trust::Now)).keep_peer_chain(true)
}

fn server(certificates: impl CertResolver + 'static) -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, Arc::new(certificates)).keep_peer_chain(true)
}

/// A server with a certificate that serves nobody without one of these.
fn strict(types: &[CertificateType]) -> ServerConfigBuilder {
    let server = server(certified_key()).client_auth(ClientAuth::Required(Arc::new(Trust::Now)));
    server.client_certificate_types(types.to_vec())
}

/// A client that has such things to show, of which this is one.
fn showing(types: &[CertificateType], key: Arc<CertifiedKey>) -> ClientConfigBuilder {
    let client = client().client_certificate(Arc::new(key));
    client.client_certificate_types(types.to_vec())
}

/// The outcome on both sides.
fn connect(
    version: ProtocolVersions,
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
) -> Result<Pair, Error> {
    let mut pair = Pair::new(client.versions(version), server.versions(version));
    pair.settle()?;
    assert!(!pair.client.connection.is_handshaking());
    assert!(!pair.server.connection.is_handshaking());
    Ok(pair)
}

/// The types of the server's and the client's certificate, on which both sides agree.
fn types(pair: &Pair) -> (CertificateType, CertificateType) {
    let [client, server] = [&pair.client, &pair.server].map(|end| {
        let info = end.connection.info();
        (info.server_certificate_type, info.client_certificate_type)
    });
    assert_eq!(client, server);
    client
}

fn chain_of(typ: CertificateType) -> Vec<Box<[u8]>> {
    let one = if typ == RAW {
        spki()
    } else {
        CERTIFICATE.to_vec()
    };
    vec![one.into()]
}

#[test]
fn a_server_shows_what_the_client_accepts() {
    type Types = &'static [CertificateType];
    let cases: [(Vec<Arc<CertifiedKey>>, Types, Option<CertificateType>); 10] = [
        (vec![raw_key()], &[RAW], Some(RAW)),
        (vec![raw_key()], &[RAW, X509], Some(RAW)),
        (vec![raw_key()], &[X509, RAW], Some(RAW)),
        (vec![raw_key()], &[X509], None),
        (vec![certified_key()], &[RAW], None),
        (vec![certified_key()], &[RAW, X509], Some(X509)),
        // The server's order decides.
        (vec![raw_key(), certified_key()], &[X509, RAW], Some(RAW)),
        (vec![certified_key(), raw_key()], &[RAW, X509], Some(X509)),
        (vec![raw_key(), certified_key()], &[X509], Some(X509)),
        (vec![certified_key(), raw_key()], &[RAW], Some(RAW)),
    ];
    for version in VERSIONS {
        for (keys, accepted, expected) in &cases {
            let client = client().server_certificate_types(accepted.to_vec());
            let outcome = connect(version, client, server(keys.clone()));
            let Some(expected) = *expected else {
                let lack = Some(Error::from(Incompatible::CertificateType));
                assert_eq!(outcome.err(), lack, "{version:?}: {accepted:?}");
                continue;
            };
            let pair = outcome.unwrap();
            assert_eq!(types(&pair), (expected, X509));
            let chain = &pair.client.connection.info().peer_chain;
            assert_eq!(*chain, chain_of(expected));
        }
    }
}

#[test]
fn a_client_shows_what_the_server_accepts() {
    type Types = &'static [CertificateType];
    let cases: [(Types, Types, Option<CertificateType>); 9] = [
        (&[RAW], &[RAW], Some(RAW)),
        (&[RAW, X509], &[RAW], Some(RAW)),
        (&[X509, RAW], &[RAW, X509], Some(RAW)),
        (&[RAW, X509], &[X509, RAW], Some(X509)),
        (&[RAW, X509], &[X509], Some(X509)),
        (&[X509], &[RAW, X509], Some(X509)),
        (&[X509], &[X509], Some(X509)),
        (&[X509], &[RAW], None),
        (&[RAW], &[X509], None),
    ];
    for version in VERSIONS {
        for (shown, accepted, expected) in cases {
            let client = client()
                .client_certificate(Arc::new(vec![certified_key(), raw_key()]))
                .client_certificate_types(shown.to_vec());
            let outcome = connect(version, client, strict(accepted));
            let Some(expected) = expected else {
                let lack = Some(Error::from(Incompatible::CertificateType));
                assert_eq!(outcome.err(), lack, "{version:?}: {shown:?}, {accepted:?}");
                continue;
            };
            let pair = outcome.unwrap();
            assert_eq!(types(&pair), (X509, expected));
            let info = pair.server.connection.info();
            assert!(info.client_authenticated);
            assert_eq!(info.peer_chain, chain_of(expected));
        }
    }
}

#[test]
fn both_sides_can_do_without_certificates() {
    for version in VERSIONS {
        let client = showing(&[RAW], raw_key()).server_certificate_types([RAW]);
        let server = server(raw_key())
            .client_auth(ClientAuth::Required(Arc::new(Trust::Now)))
            .client_certificate_types([RAW]);
        let mut pair = connect(version, client, server).unwrap();
        assert_eq!(types(&pair), (RAW, RAW));
        pair.client.write(b"hello");
        pair.settle().unwrap();
        assert_eq!(pair.server.received, b"hello");
    }
}

/// RFC 7250, Section 4.2, is about certificates, and none is shown where a session is resumed.
#[test]
fn a_client_that_takes_raw_keys_alone_resumes() {
    for version in VERSIONS {
        let (clock, store) = (ManualClock::new(), MemoryClientSessions::new());
        let verifier = Arc::new(Trust::Now);
        let theirs = SealedSessions::new(PROVIDER.suites13[0].aead, 7);
        for resumed in [false, true] {
            let client = ClientConfig::builder(&PROVIDER, verifier.clone())
                .server_certificate_types([RAW])
                .sessions(store.clone(), clock.clone());
            let server = server(raw_key()).sessions(theirs.clone(), clock.clone());
            let pair = connect(version, client, server).unwrap();
            let info = pair.client.connection.info();
            assert_eq!(info.resumed, resumed);
            assert_eq!(info.server_certificate_type, RAW);
        }
    }
}

#[test]
fn what_was_agreed_on_holds_after_the_handshake_too() {
    for (typ, key) in [(RAW, raw_key()), (X509, certified_key())] {
        let client = showing(&[typ], key).post_handshake_auth(true);
        let server = server(certified_key())
            .post_handshake_auth(ClientAuth::Required(Arc::new(Trust::Now)))
            .client_certificate_types([RAW, X509]);
        let mut pair = connect(ProtocolVersions::TLS13, client, server).unwrap();
        assert_eq!(types(&pair), (X509, typ));
        let end = &mut pair.server;
        end.connection
            .request_client_certificate(&mut end.out)
            .unwrap();
        pair.settle().unwrap();
        let info = pair.server.connection.info();
        assert!(info.client_authenticated);
        assert_eq!(info.peer_chain, chain_of(typ));
    }
}

#[test]
fn after_the_handshake_the_wrong_type_ends_the_connection() {
    let client = showing(&[RAW], certified_key()).post_handshake_auth(true);
    let server = server(certified_key())
        .post_handshake_auth(ClientAuth::Required(Arc::new(Trust::Now)))
        .client_certificate_types([RAW]);
    let mut pair = connect(ProtocolVersions::TLS13, client, server).unwrap();
    let end = &mut pair.server;
    end.connection
        .request_client_certificate(&mut end.out)
        .unwrap();
    let lack = Error::from(Incompatible::CertificateType);
    assert_eq!(pair.settle(), Err(lack));
}

#[test]
fn who_is_refused_hears_why() {
    for version in VERSIONS {
        for (client, server) in [
            (client(), server(raw_key())),
            (
                client().server_certificate_types([RAW]),
                server(certified_key()),
            ),
            (showing(&[X509], certified_key()), strict(&[RAW])),
        ] {
            let mut pair = Pair::new(client.versions(version), server.versions(version));
            assert!(pair.settle().is_err());
            // The server found out; its alert is for the client.
            common::carry(&mut pair.server, &mut pair.client);
            let alert = AlertDescription::UNSUPPORTED_CERTIFICATE;
            assert_eq!(pair.client.run(), Err(Error::Alert(alert)));
        }
    }
}

#[test]
fn a_client_that_comes_up_with_the_wrong_type_fails() {
    for version in VERSIONS {
        for (types, key) in [(&[RAW], certified_key()), (&[X509], raw_key())] {
            let outcome = connect(version, showing(types, key), strict(types));
            let lack = Some(Error::from(Incompatible::CertificateType));
            assert_eq!(outcome.err(), lack);
        }
    }
}

#[test]
fn a_client_need_not_have_what_it_said() {
    for version in VERSIONS {
        for types in [[RAW, X509], [X509, RAW]] {
            let auth = ClientAuth::Optional(Arc::new(Trust::Now));
            let server = server(certified_key())
                .client_auth(auth)
                .client_certificate_types(types);
            let none: Vec<Arc<CertifiedKey>> = Vec::new();
            let client = client()
                .client_certificate(Arc::new(none))
                .client_certificate_types([RAW]);
            let pair = connect(version, client, server).unwrap();
            let info = pair.server.connection.info();
            assert!(!info.client_authenticated && info.peer_chain.is_empty());
        }
    }
}

#[test]
fn a_verifier_that_knows_no_raw_keys_refuses_them() {
    for version in VERSIONS {
        let client = ClientConfig::builder(&PROVIDER, Arc::new(Trust::Never));
        let client = client.server_certificate_types([RAW]);
        let Err(Error::Certificate(rejection)) = connect(version, client, server(raw_key())) else {
            panic!("accepted");
        };
        assert_eq!(rejection.code, CertificateError::RawPublicKey);
    }
}

/// Signs and chooses later.
#[derive(Debug)]
struct Slow;

impl SigningKey for Slow {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Pending)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        Some(spki())
    }
}

impl CertResolver for Slow {
    fn resolve(&self, _: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

impl ClientCertResolver for Slow {
    fn resolve(&self, _: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

fn answer(question: &Question<'_>) -> Answer {
    let slow = || {
        Some(Arc::new(
            CertifiedKey::raw_public_key(Arc::new(Slow)).unwrap(),
        ))
    };
    match question {
        Question::Certificate(hello) => {
            assert!(hello.server_certificate_types().eq([RAW]));
            assert!(hello.client_certificate_types().eq([RAW, X509]));
            assert!(hello.can_use(&raw_key()) && !hello.can_use(&certified_key()));
            Answer::Certificate(slow())
        }
        Question::ClientCertificate(request) => {
            assert_eq!(request.certificate_type(), RAW);
            assert!(request.can_use(&raw_key()) && !request.can_use(&certified_key()));
            Answer::Certificate(slow())
        }
        Question::Signature {
            key,
            scheme,
            message,
        } => {
            assert_eq!(key.certificate_type(), RAW);
            let Ok(Signing::Done(signature)) = server_key().sign(*scheme, message) else {
                panic!("this key signs at once");
            };
            Answer::Signature(Ok(signature))
        }
        Question::Verdict(request) => Answer::Verdict(Ok(
            request.with(|request| Trust::judge(request.certificate_type, request.chain))
        )),
        Question::ClientVerdict(request) => Answer::Verdict(Ok(
            request.with(|request| Trust::judge(request.certificate_type, request.chain))
        )),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_answer_may_come_later() {
    for version in VERSIONS {
        let client = ClientConfig::builder(&PROVIDER, Arc::new(Trust::Later))
            .client_certificate(Arc::new(Slow))
            .client_certificate_types([RAW, X509])
            .server_certificate_types([RAW])
            .versions(version);
        let server = ServerConfig::builder(&PROVIDER, Arc::new(Slow))
            .client_auth(ClientAuth::Required(Arc::new(Trust::Later)))
            .client_certificate_types([RAW])
            .versions(version);
        let mut pair = Pair::new(client, server);
        let mut asked = Vec::new();
        while pair.server.connection.is_handshaking() || pair.client.connection.is_handshaking() {
            pair.settle().unwrap();
            for end in [&mut pair.client, &mut pair.server] {
                while let Some(question) = end.connection.question() {
                    asked.push(match &question {
                        Question::Signature { .. } => Wait::Signature,
                        Question::Verdict(_) | Question::ClientVerdict(_) => Wait::Verdict,
                        _ => Wait::Certificate,
                    });
                    let answer = answer(&question);
                    end.connection.answer(answer, &mut end.out).unwrap();
                    end.run().unwrap();
                }
            }
        }
        assert_eq!(types(&pair), (RAW, RAW));
        for wait in [Wait::Certificate, Wait::Signature, Wait::Verdict] {
            let count = asked.iter().filter(|asked| **asked == wait).count();
            assert_eq!(count, 2, "{wait:?}");
        }
    }
}

/// Notes the extensions that matter here.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(ExtensionType, Vec<u8>)>>);

impl CertResolver for Heard {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        let mut heard = self.0.lock().unwrap();
        heard.clear();
        heard.extend(
            hello
                .extensions()
                .filter(|(typ, _)| {
                    let client = ExtensionType::CLIENT_CERTIFICATE_TYPE;
                    [client, ExtensionType::SERVER_CERTIFICATE_TYPE].contains(typ)
                })
                .map(|(typ, content)| (typ, content.to_vec())),
        );
        heard.sort();
        CertChoice::Use(certified_key())
    }
}

/// RFC 7250, Section 4.1.
#[test]
fn a_client_says_only_what_is_no_default() {
    let heard = Arc::new(Heard::default());
    let own = (ExtensionType::CLIENT_CERTIFICATE_TYPE, vec![1, 2]);
    let theirs = (ExtensionType::SERVER_CERTIFICATE_TYPE, vec![2, 2, 0]);
    for version in VERSIONS {
        for (client, expected) in [
            (client(), vec![]),
            (showing(&[X509], certified_key()), vec![]),
            // It has nothing to show.
            (client().client_certificate_types([RAW]), vec![]),
            (showing(&[RAW], raw_key()), vec![own.clone()]),
            (
                client().server_certificate_types([RAW, X509]),
                vec![theirs.clone()],
            ),
            (
                showing(&[RAW], raw_key()).server_certificate_types([RAW, X509]),
                vec![own.clone(), theirs.clone()],
            ),
        ] {
            let server = ServerConfig::builder(&PROVIDER, heard.clone());
            connect(version, client, server).unwrap();
            assert_eq!(*heard.0.lock().unwrap(), expected);
        }
    }
}

#[test]
fn lists_of_types_make_sense() {
    let other = CertificateType(1);
    for (types, expected) in [
        (&[][..], Some(ConfigError::CertificateTypes)),
        (&[other], Some(ConfigError::CertificateTypes)),
        (&[X509, other], Some(ConfigError::CertificateTypes)),
        (&[RAW, RAW], Some(ConfigError::CertificateTypes)),
        (&[X509], None),
        (&[RAW], None),
        (&[RAW, X509], None),
        (&[X509, RAW], None),
    ] {
        let of_servers = client().server_certificate_types(types.to_vec());
        assert_eq!(of_servers.build().err(), expected, "{types:?}");
        let of_clients = client().client_certificate_types(types.to_vec());
        assert_eq!(of_clients.build().err(), expected, "{types:?}");
        let of_clients = server(raw_key()).client_certificate_types(types.to_vec());
        assert_eq!(of_clients.build().err(), expected, "{types:?}");
    }
}

/// A key that does not tell its public half.
#[derive(Debug)]
struct Silent;

impl SigningKey for Silent {
    fn schemes(&self) -> &[SignatureScheme] {
        &[]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Err(CryptoError::Failed)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn a_raw_key_is_its_public_half() {
    assert_eq!(raw_key().chain(), [spki()]);
    assert_eq!(raw_key().certificate_type(), RAW);
    assert_eq!(certified_key().certificate_type(), X509);
    assert!(CertifiedKey::raw_public_key(Arc::new(Silent)).is_none());
}
