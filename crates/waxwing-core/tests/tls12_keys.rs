//! TLS 1.2 with every kind of key and every suite, on the server's side and on the client's, at
//! once and later.

mod common;

use std::sync::{Arc, Mutex};

use common::{CERTIFICATE, End, Pair, carry, name, server_key};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::limits::MAX_CHAIN;
use waxwing_core::{
    Answer, CertChoice, CertResolver, CertificateError, CertificateRequestView, CertifiedKey,
    ClientAuth, ClientCertRequest, ClientCertResolver, ClientCertVerifier, ClientConfig,
    ClientConfigBuilder, ClientHelloView, Error, Event, Incompatible, ProtocolVersion,
    ProtocolVersions, Question, ServerCertRequest, ServerCertVerifier, ServerConfig,
    ServerConfigBuilder, Verdict, Verified, Wait,
};
use waxwing_crypto::{
    Authentication12, CryptoError, CryptoProvider, KeyEncoding, SignatureAlgorithm,
    SignatureScheme as Scheme, Signing, SigningKey,
};

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../waxwing-crypto/src/vectors/data/", $name))
    };
}

/// A key, and how it signs for TLS 1.2 if the client leaves it the choice.
struct Kind {
    name: &'static str,
    pkcs8: &'static [u8],
    authentication: Authentication12,
    scheme: Scheme,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "P-256",
        pkcs8: data!("p256.pk8.der"),
        authentication: Authentication12::Ecdsa,
        scheme: Scheme::ECDSA_SECP256R1_SHA256,
    },
    Kind {
        name: "P-384",
        pkcs8: data!("p384.pk8.der"),
        authentication: Authentication12::Ecdsa,
        scheme: Scheme::ECDSA_SECP384R1_SHA384,
    },
    Kind {
        name: "P-521",
        pkcs8: data!("p521.pk8.der"),
        authentication: Authentication12::Ecdsa,
        scheme: Scheme::ECDSA_SECP521R1_SHA512,
    },
    Kind {
        name: "Ed25519",
        pkcs8: data!("ed25519.pk8.der"),
        authentication: Authentication12::Ecdsa,
        scheme: Scheme::ED25519,
    },
    Kind {
        name: "RSA",
        pkcs8: data!("rsa2048.pk8.der"),
        authentication: Authentication12::Rsa,
        scheme: Scheme::RSA_PSS_RSAE_SHA256,
    },
];

fn load(pkcs8: &[u8]) -> Arc<dyn SigningKey> {
    PROVIDER.keys.load(KeyEncoding::Pkcs8, pkcs8).unwrap()
}

fn certified(key: Arc<dyn SigningKey>) -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(vec![CERTIFICATE.to_vec()], key))
}

/// What a verifier saw.
#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Vec<u8>>,
    ocsp: Option<Vec<u8>>,
}

/// Accepts the holder of this key, whatever the certificate, or says why not.
#[derive(Debug)]
struct Holder {
    spki: Vec<u8>,
    answer: fn(Verified) -> Verdict,
    seen: Mutex<Seen>,
}

impl Holder {
    fn of(key: &Arc<dyn SigningKey>) -> Self {
        Self {
            spki: key.public_key().unwrap(),
            answer: Verdict::Accepted,
            seen: Mutex::default(),
        }
    }

    fn verdict(&self) -> Verdict {
        (self.answer)(Verified::holder_of(self.spki.clone()))
    }
}

impl ServerCertVerifier for Holder {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        assert_eq!(*request.name, name());
        let mut seen = self.seen.lock().unwrap();
        seen.chain = request.chain.iter().map(|der| der.to_vec()).collect();
        seen.ocsp = request.ocsp.map(<[u8]>::to_vec);
        self.verdict()
    }
}

impl ClientCertVerifier for Holder {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        let chain = request.chain.iter().map(|der| der.to_vec()).collect();
        self.seen.lock().unwrap().chain = chain;
        self.verdict()
    }
}

fn client_for(key: &Arc<dyn SigningKey>) -> ClientConfigBuilder {
    client_of(&PROVIDER, Arc::new(Holder::of(key)))
}

fn client_of(provider: &'static CryptoProvider, trust: Arc<Holder>) -> ClientConfigBuilder {
    ClientConfig::builder(provider, trust).versions(ProtocolVersions::TLS12)
}

fn server_with(key: &Arc<dyn SigningKey>) -> ServerConfigBuilder {
    server_of(Arc::new(certified(Arc::clone(key))))
}

fn server_of(certificates: Arc<dyn CertResolver>) -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, certificates).versions(ProtocolVersions::TLS12)
}

/// A provider that can check these signatures alone.
fn checking(schemes: &[Scheme]) -> &'static CryptoProvider {
    let of = |scheme| {
        let known = PROVIDER.signatures.iter();
        let algorithm = known.filter(move |known| known.scheme == Some(scheme));
        algorithm.map(|known| SignatureAlgorithm { ..*known })
    };
    let signatures: Vec<_> = schemes.iter().copied().flat_map(of).collect();
    assert_eq!(signatures.len(), schemes.len());
    Box::leak(Box::new(CryptoProvider {
        signatures: signatures.leak(),
        ..PROVIDER
    }))
}

#[test]
fn every_key_with_every_suite() {
    for kind in &KINDS {
        let key = load(kind.pkcs8);
        for suite in PROVIDER.suites12 {
            let client = client_for(&key).cipher_suites([suite.id]);
            let mut pair = Pair::new(client, server_with(&key));
            let result = pair.settle();
            let what = format!("{} {:?}", kind.name, suite.id);
            if suite.authentication != kind.authentication {
                assert_eq!(result, Err(Incompatible::CipherSuite.into()), "{what}");
                continue;
            }
            assert_eq!(result, Ok(()), "{what}");
            for end in [&pair.client, &pair.server] {
                let info = end.connection.info();
                assert_eq!(info.cipher_suite, Some(suite.id), "{what}");
                assert_eq!(info.signature_scheme, Some(kind.scheme), "{what}");
            }
            pair.client.write(b"ping");
            pair.server.write(b"pong");
            pair.settle().unwrap();
            assert_eq!(pair.server.received, b"ping");
            assert_eq!(pair.client.received, b"pong");
        }
    }
}

#[test]
fn a_key_that_tls12_does_not_know_serves_no_suite() {
    let key = load(data!("mldsa65.pk8.der"));
    let mut pair = Pair::new(client_for(&key), server_with(&key));
    assert_eq!(pair.settle(), Err(Incompatible::CipherSuite.into()));
}

/// RSASSA-PKCS1-v1_5 is for clients that know nothing better.
#[test]
fn an_rsa_key_signs_as_the_client_can_check() {
    let pss = [
        Scheme::RSA_PSS_RSAE_SHA256,
        Scheme::RSA_PSS_RSAE_SHA384,
        Scheme::RSA_PSS_RSAE_SHA512,
    ];
    let pkcs1 = [
        Scheme::RSA_PKCS1_SHA256,
        Scheme::RSA_PKCS1_SHA384,
        Scheme::RSA_PKCS1_SHA512,
    ];
    let key = load(data!("rsa2048.pk8.der"));
    // A provider must have something for TLS 1.3 too.
    let other = Scheme::ECDSA_SECP256R1_SHA256;
    for scheme in [pss, pkcs1].concat() {
        let provider = checking(&[scheme, other]);
        let client = client_of(provider, Arc::new(Holder::of(&key)));
        let mut pair = Pair::new(client, server_with(&key));
        assert_eq!(pair.settle(), Ok(()), "{scheme}");
        let agreed = pair.client.connection.info().signature_scheme;
        assert_eq!(agreed, Some(scheme));
    }
    let provider = checking(&[pkcs1[2], pss[1], other]);
    let client = client_of(provider, Arc::new(Holder::of(&key)));
    let mut pair = Pair::new(client, server_with(&key));
    pair.settle().unwrap();
    let agreed = pair.client.connection.info().signature_scheme;
    assert_eq!(agreed, Some(pss[1]));

    let client = client_of(checking(&[other]), Arc::new(Holder::of(&key)));
    let mut pair = Pair::new(client, server_with(&key));
    assert_eq!(pair.settle(), Err(Incompatible::SignatureScheme.into()));
}

#[test]
fn another_key_than_the_certificate_s_is_found_out() {
    for kind in &KINDS {
        let other = load(if kind.name == "P-256" {
            data!("p384.pk8.der")
        } else {
            data!("p256.pk8.der")
        });
        let key = load(kind.pkcs8);
        let mut pair = Pair::new(client_for(&other), server_with(&key));
        assert!(pair.settle().is_err(), "{}", kind.name);
        assert!(pair.client.connection.failure().is_some(), "{}", kind.name);
        assert!(pair.server.connection.is_handshaking());
    }
}

fn asking(trust: Arc<Holder>) -> ServerConfigBuilder {
    server_with(&server_key()).client_auth(ClientAuth::Required(trust))
}

fn known(key: &Arc<dyn SigningKey>) -> ClientConfigBuilder {
    let certificate = Arc::new(certified(Arc::clone(key)));
    client_for(&server_key()).client_certificate(certificate)
}

/// A client's key need not be of the kind that the suite names: that is the server's.
#[test]
fn every_key_of_a_client() {
    for kind in &KINDS {
        let key = load(kind.pkcs8);
        let trust = Arc::new(Holder::of(&key));
        let mut pair = Pair::new(known(&key), asking(trust.clone()));
        assert_eq!(pair.settle(), Ok(()), "{}", kind.name);
        for end in [&pair.client, &pair.server] {
            let info = end.connection.info();
            assert_eq!(info.client_signature_scheme, Some(kind.scheme));
            assert_eq!(info.signature_scheme, Some(KINDS[0].scheme));
        }
        assert!(pair.server.connection.info().client_authenticated);
        assert_eq!(trust.seen.lock().unwrap().chain, [CERTIFICATE]);
    }
}

#[test]
fn another_key_than_the_client_certificate_s_is_found_out() {
    let key = load(data!("ed25519.pk8.der"));
    let trust = Arc::new(Holder::of(&server_key()));
    let mut pair = Pair::new(known(&key), asking(trust));
    assert!(pair.settle().is_err());
    let info = pair.server.connection.info();
    assert!(!info.client_authenticated && info.exporter.is_none());
}

#[test]
fn rejections_end_the_handshake() {
    let rejects: fn(Verified) -> Verdict = |_| Verdict::Rejected(CertificateError::Revoked.into());
    let key = server_key();
    let distrust = || {
        Arc::new(Holder {
            answer: rejects,
            ..Holder::of(&key)
        })
    };
    let expected = Error::Certificate(Box::new(CertificateError::Revoked.into()));
    let mut pair = Pair::new(client_of(&PROVIDER, distrust()), server_with(&key));
    assert_eq!(pair.settle(), Err(expected.clone()));
    carry(&mut pair.client, &mut pair.server);
    let alert = Error::Alert(waxwing_core::AlertDescription::CERTIFICATE_REVOKED);
    assert_eq!(pair.server.run(), Err(alert.clone()));

    let mut pair = Pair::new(known(&key), asking(distrust()));
    assert_eq!(pair.settle(), Err(expected));
    carry(&mut pair.server, &mut pair.client);
    assert_eq!(pair.client.run(), Err(alert));
    assert!(!pair.server.connection.info().client_authenticated);
}

#[test]
fn a_stapled_response_reaches_the_verifier() {
    let key = server_key();
    let stapling = CertifiedKey::new(vec![CERTIFICATE.to_vec(), vec![7]], Arc::clone(&key));
    let stapling = Arc::new(stapling.with_ocsp(b"a response".to_vec()));
    for (asks, expected) in [(true, Some(b"a response".to_vec())), (false, None)] {
        let trust = Arc::new(Holder::of(&key));
        let client = client_of(&PROVIDER, trust.clone()).request_ocsp(asks);
        let mut pair = Pair::new(client, server_of(Arc::new(Arc::clone(&stapling))));
        pair.settle().unwrap();
        let seen = trust.seen.lock().unwrap();
        assert_eq!(seen.chain, [CERTIFICATE, &[7]]);
        assert_eq!(seen.ocsp, expected);
    }
}

/// A chain of many records arrives whole, on both sides; one certificate more is too many.
#[test]
fn long_chains_arrive() {
    let key = server_key();
    for (count, fits) in [(MAX_CHAIN, true), (MAX_CHAIN + 1, false)] {
        let chain: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; 5000]).collect();
        let long = || Arc::new(Arc::new(CertifiedKey::new(chain.clone(), Arc::clone(&key))));
        let trust = [Arc::new(Holder::of(&key)), Arc::new(Holder::of(&key))];
        let client = client_of(&PROVIDER, trust[0].clone()).client_certificate(long());
        let server = server_of(long()).client_auth(ClientAuth::Required(trust[1].clone()));
        let mut pair = Pair::new(client, server);
        assert_eq!(pair.settle().is_ok(), fits, "{count}");
        if fits {
            for trust in trust {
                assert!(trust.seen.lock().unwrap().chain == chain);
            }
        }
    }
}

/// Leaves every decision for later.
#[derive(Debug)]
struct Later(Arc<dyn SigningKey>);

impl SigningKey for Later {
    fn schemes(&self) -> &[Scheme] {
        self.0.schemes()
    }

    fn sign(&self, _: Scheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Pending)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        self.0.public_key()
    }
}

impl CertResolver for Later {
    fn resolve(&self, _: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

impl ClientCertResolver for Later {
    fn resolve(&self, _: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

/// Answers what is asked, as the holder of `key`; says what it was.
fn answer(end: &mut End, key: &Arc<dyn SigningKey>) -> &'static str {
    let later = || certified(Arc::new(Later(Arc::clone(key))));
    let verified = || Ok(Verified::holder_of(key.public_key().unwrap()));
    let (what, answer) = match end.connection.question().unwrap() {
        Question::Certificate(hello) => {
            assert_eq!(hello.server_name(), Some("server.example"));
            ("certificate", Answer::Certificate(Some(later())))
        }
        Question::ClientCertificate(request) => {
            assert_eq!(request.version(), ProtocolVersion::TLS12);
            let mut schemes = request.signature_schemes();
            assert!(schemes.any(|scheme| scheme == Scheme::RSA_PKCS1_SHA256));
            ("certificate", Answer::Certificate(Some(later())))
        }
        Question::Signature {
            key: certified,
            scheme,
            message,
        } => {
            assert_eq!(certified.chain(), [CERTIFICATE]);
            let Ok(Signing::Done(signature)) = key.sign(scheme, message) else {
                panic!("this key signs at once");
            };
            ("signature", Answer::Signature(Ok(signature)))
        }
        Question::Verdict(request) => {
            request.with(|request| assert_eq!(request.chain, [CERTIFICATE]));
            ("verdict", Answer::Verdict(verified()))
        }
        Question::ClientVerdict(request) => {
            request.with(|request| assert_eq!(request.chain, [CERTIFICATE]));
            ("verdict", Answer::Verdict(verified()))
        }
        other => panic!("{other:?}"),
    };
    end.connection.answer(answer, &mut end.out).unwrap();
    what
}

/// Processes input and answers questions until neither is left.
fn converse(end: &mut End, key: &Arc<dyn SigningKey>, asked: &mut Vec<&'static str>) {
    end.run().unwrap();
    while matches!(end.events.last(), Some(Event::Wait(_))) {
        end.events.pop();
        asked.push(answer(end, key));
        end.run().unwrap();
    }
}

#[test]
fn every_decision_may_come_later() {
    for kind in &KINDS {
        let key = load(kind.pkcs8);
        let pending: fn(Verified) -> Verdict = |_| Verdict::Pending;
        let trust = || {
            Arc::new(Holder {
                answer: pending,
                ..Holder::of(&key)
            })
        };
        let later = || Arc::new(Later(Arc::clone(&key)));
        let client = client_of(&PROVIDER, trust()).client_certificate(later());
        let server = server_of(later()).client_auth(ClientAuth::Required(trust()));
        let mut pair = Pair::new(client, server);
        let mut asked = (Vec::new(), Vec::new());
        let Pair { client, server } = &mut pair;
        while !client.out.is_empty() || !server.out.is_empty() {
            carry(client, server);
            converse(server, &key, &mut asked.1);
            carry(server, client);
            converse(client, &key, &mut asked.0);
        }
        assert_eq!(asked.0, ["verdict", "certificate", "signature"]);
        assert_eq!(asked.1, ["certificate", "signature", "verdict"]);
        assert_eq!(client.events, [Event::HandshakeComplete]);
        assert_eq!(server.events, [Event::HandshakeComplete]);
        assert!(server.connection.info().client_authenticated);
    }
}

/// What is refused later ends the handshake as if it had been refused at once.
#[test]
fn late_refusals_end_the_handshake() {
    let key = server_key();
    let rejection = || Err(CertificateError::Expired.into());
    let rejected = Error::Certificate(Box::new(CertificateError::Expired.into()));
    let failed = Error::Crypto(CryptoError::Failed);
    let pending: fn(Verified) -> Verdict = |_| Verdict::Pending;
    let trust = || {
        Arc::new(Holder {
            answer: pending,
            ..Holder::of(&key)
        })
    };
    let later = || Arc::new(Later(Arc::clone(&key)));
    let slow = || certified(later());
    type Start = (bool, Pair, Wait, Answer, Error);
    let cases: [Start; 5] = [
        (
            true,
            Pair::new(client_of(&PROVIDER, trust()), server_with(&key)),
            Wait::Verdict,
            Answer::Verdict(rejection()),
            rejected.clone(),
        ),
        (
            true,
            Pair::new(
                client_for(&key).client_certificate(Arc::new(slow())),
                asking(Arc::new(Holder::of(&key))),
            ),
            Wait::Signature,
            Answer::Signature(Err(CryptoError::Failed)),
            failed.clone(),
        ),
        (
            false,
            Pair::new(known(&key), asking(trust())),
            Wait::Verdict,
            Answer::Verdict(rejection()),
            rejected,
        ),
        (
            false,
            Pair::new(client_for(&key), server_of(Arc::new(slow()))),
            Wait::Signature,
            Answer::Signature(Err(CryptoError::Failed)),
            failed,
        ),
        (
            false,
            Pair::new(client_for(&key), server_of(later())),
            Wait::Certificate,
            Answer::Certificate(None),
            Incompatible::NoCertificate.into(),
        ),
    ];
    for (client, mut pair, wait, answer, expected) in cases {
        pair.settle().unwrap();
        let end = if client {
            &mut pair.client
        } else {
            &mut pair.server
        };
        assert_eq!(end.events, [Event::Wait(wait)]);
        let result = end.connection.answer(answer, &mut end.out);
        assert_eq!(result, Err(expected.clone()));
        assert_eq!(end.connection.failure(), Some(&expected));
        assert!(!end.out.is_empty(), "the peer hears of it");
    }
}
