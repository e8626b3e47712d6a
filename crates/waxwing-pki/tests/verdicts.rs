//! What verifiers remember, as applications and peers meet it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Buffer, CertificateError, CertificateType, CertifiedKey, ClientAuth, ClientCertRequest,
    ClientCertVerifier, ClientConfig, Connection, Error, Event, PeerError, ServerCertRequest,
    ServerCertVerifier, ServerConfig, Verdict,
};
use waxwing_crypto::{CryptoError, CryptoProvider, SignatureAlgorithm, VerifySignature};
use waxwing_pki::revocation::{Crl, CrlSet, Mode, RevocationPolicy};
use waxwing_pki::{
    ClientVerifier, Clock, Code, KeyType, Policy, Profile, Report, ReportingVerifier, TrustAnchors,
    UnixTime, Verifier,
};
use waxwing_testkit::pki::{self, Case};

/// Counts signatures before it checks them.
struct Counting {
    verifier: &'static dyn VerifySignature,
    count: &'static AtomicUsize,
}

impl VerifySignature for Counting {
    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify(key, message, signature)
    }
}

/// The usual provider, and how many signatures it has checked.
fn counting() -> (CryptoProvider, &'static AtomicUsize) {
    let count: &AtomicUsize = Box::leak(Box::default());
    let signatures = PROVIDER.signatures.iter().map(|own| SignatureAlgorithm {
        scheme: own.scheme,
        key_algorithm: own.key_algorithm,
        signature_algorithm: own.signature_algorithm,
        verifier: Box::leak(Box::new(Counting {
            verifier: own.verifier,
            count,
        })),
    });
    let provider = CryptoProvider {
        signatures: Vec::leak(signatures.collect()),
        ..PROVIDER
    };
    (provider, count)
}

fn ask_as(verifier: &dyn ServerCertVerifier, case: Case, typ: CertificateType) -> Verdict {
    let credentials = pki::credentials(case);
    let chain: Vec<&[u8]> = credentials.chain.iter().map(Vec::as_slice).collect();
    verifier.verify(&ServerCertRequest {
        certificate_type: typ,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &"localhost".parse().unwrap(),
    })
}

/// Why not, or whether a signature had to be checked for it.
fn ask(
    verifier: &dyn ServerCertVerifier,
    count: &AtomicUsize,
    case: Case,
) -> Result<bool, CertificateError> {
    let before = count.load(Ordering::Relaxed);
    match ask_as(verifier, case, CertificateType::X509) {
        Verdict::Accepted(_) => Ok(count.load(Ordering::Relaxed) > before),
        Verdict::Rejected(rejection) => Err(rejection.code),
        Verdict::Pending => panic!("these verifiers answer at once"),
    }
}

const GOOD: Case = Case::Good(KeyType::P256);

#[test]
fn it_is_on_unless_it_is_off() {
    let (provider, count) = counting();
    let verifier = || Verifier::new(&provider, pki::anchors());
    for (verifier, again) in [
        (verifier(), false),
        (verifier().verdict_cache(1), false),
        (verifier().verdict_cache(0), true),
        // Whatever is called afterwards does not turn it on.
        (verifier().verdict_cache(0).policy(Policy::new()), true),
    ] {
        assert_eq!(ask(&verifier, count, GOOD), Ok(true));
        assert_eq!(ask(&verifier, count, GOOD), Ok(again));
    }
}

#[test]
fn as_many_are_remembered_as_was_said() {
    let (provider, count) = counting();
    let verifier = Verifier::new(&provider, pki::anchors()).verdict_cache(1);
    let other = Case::Good(KeyType::Ed25519);
    for _ in 0..3 {
        assert_eq!(ask(&verifier, count, GOOD), Ok(true));
        assert_eq!(ask(&verifier, count, other), Ok(true));
    }
    let verifier = Verifier::new(&provider, pki::anchors()).verdict_cache(2);
    for first in [true, false, false] {
        assert_eq!(ask(&verifier, count, GOOD), Ok(first));
        assert_eq!(ask(&verifier, count, other), Ok(first));
    }
}

#[test]
fn certificates_are_remembered_and_the_same_bytes_as_a_key_are_refused() {
    let (provider, count) = counting();
    let verifier = Verifier::new(&provider, pki::anchors());
    assert_eq!(ask(&verifier, count, GOOD), Ok(true));
    assert_eq!(ask(&verifier, count, GOOD), Ok(false));
    let verdict = ask_as(&verifier, GOOD, CertificateType::RAW_PUBLIC_KEY);
    assert!(matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
}

#[test]
fn who_changes_a_verifier_has_one_that_remembers_nothing() {
    let (provider, count) = counting();
    let used = || {
        let verifier = Verifier::new(&provider, pki::anchors());
        assert_eq!(ask(&verifier, count, GOOD), Ok(true));
        verifier
    };
    let strict = Policy::new().profile(Profile::WebPki).require_purpose();
    assert_eq!(ask(&used().policy(strict), count, GOOD), Ok(true));
    let short = used().policy(Policy::new().max_intermediates(0));
    assert_eq!(ask(&short, count, GOOD), Err(CertificateError::TooComplex));
    let early = used().clock(Clock::Fixed(UnixTime::from_seconds(0)));
    assert_eq!(ask(&early, count, GOOD), Err(CertificateError::NotYetValid));
    let lists = Arc::new(CrlSet::new(&PROVIDER, Vec::<Crl>::new()));
    let hard = RevocationPolicy::new(&PROVIDER).lists(lists, Mode::Hard);
    assert!(ask(&used().revocation(hard), count, GOOD).is_err());
    let more = used().also_trust(TrustAnchors::none());
    assert_eq!(ask(&more, count, GOOD), Ok(true));
    assert_eq!(ask(&used().verdict_cache(8), count, GOOD), Ok(true));
}

#[test]
fn verifiers_do_not_share_what_they_remember() {
    let (provider, count) = counting();
    let anchors = Arc::new(pki::anchors());
    let verifier = Verifier::new(&provider, Arc::clone(&anchors));
    assert_eq!(ask(&verifier, count, GOOD), Ok(true));
    let stranger = TrustAnchors::from_pem_or_der(pki::rsa_root()).unwrap();
    let other = Verifier::new(&provider, stranger);
    assert_eq!(
        ask(&other, count, GOOD),
        Err(CertificateError::UnknownIssuer)
    );
    let policy = Policy::new().max_intermediates(0);
    let other = Verifier::new(&provider, Arc::clone(&anchors)).policy(policy);
    assert!(ask(&other, count, GOOD).is_err());
    let twin = Verifier::new(&provider, anchors);
    assert_eq!(ask(&twin, count, GOOD), Ok(true));
    assert_eq!(ask(&verifier, count, GOOD), Ok(false));
}

#[test]
fn an_examination_always_looks_and_leaves_nothing_behind() {
    let (provider, count) = counting();
    let credentials = pki::credentials(GOOD);
    let chain: Vec<&[u8]> = credentials.chain.iter().map(Vec::as_slice).collect();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &"localhost".parse().unwrap(),
    };
    let verifier = Verifier::new(&provider, pki::anchors());
    let examine = || {
        let before = count.load(Ordering::Relaxed);
        verifier.examine(&request).unwrap();
        count.load(Ordering::Relaxed) > before
    };
    assert!(examine() && examine());
    assert_eq!(ask(&verifier, count, GOOD), Ok(true));
    assert!(examine());
    assert_eq!(ask(&verifier, count, GOOD), Ok(false));
}

#[test]
fn reports_are_made_for_each_connection_and_failures_are_not_remembered() {
    let (provider, count) = counting();
    let report = |verifier: &ReportingVerifier<Verifier>, case| {
        let before = count.load(Ordering::Relaxed);
        let Verdict::Accepted(verified) = ask_as(verifier, case, CertificateType::X509) else {
            panic!("report mode accepts");
        };
        let report: &Report = verified.note().unwrap().downcast_ref().unwrap();
        let code = report.failure.as_ref().map(|failure| failure.code);
        (code, count.load(Ordering::Relaxed) > before)
    };
    let verifier = ReportingVerifier::of_servers(Verifier::new(&provider, pki::anchors()));
    for looked in [true, false] {
        assert_eq!(report(&verifier, GOOD), (None, looked));
        let other_name = report(&verifier, Case::OtherName);
        assert_eq!(other_name, (Some(Code::HostnameMismatch), true));
    }
}

#[test]
fn clients_are_remembered_and_told_from_servers() {
    let (provider, count) = counting();
    let verifier = ClientVerifier::new(&provider, pki::anchors());
    let off = ClientVerifier::new(&provider, pki::anchors()).verdict_cache(0);
    let ask = |verifier: &ClientVerifier, case| {
        let credentials = pki::credentials(case);
        let chain: Vec<&[u8]> = credentials.chain.iter().map(Vec::as_slice).collect();
        let before = count.load(Ordering::Relaxed);
        let verdict = verifier.verify(&ClientCertRequest {
            certificate_type: CertificateType::X509,
            chain: &chain,
        });
        let accepted = matches!(verdict, Verdict::Accepted(_));
        (accepted, count.load(Ordering::Relaxed) > before)
    };
    let client = Case::Client(KeyType::P256);
    assert_eq!(ask(&verifier, client), (true, true));
    assert_eq!(ask(&verifier, client), (true, false));
    for _ in 0..2 {
        assert_eq!(ask(&off, client), (true, true));
        assert!(!ask(&verifier, GOOD).0);
    }
}

/// One end of a connection and what it has received.
struct End(Connection, Vec<u8>, Buffer);

impl End {
    fn run(&mut self) -> Result<(), Error> {
        let Self(connection, input, out) = self;
        loop {
            let progress = connection.process(input, out)?;
            input.drain(..progress.consumed);
            if let Event::NeedInput(_) = progress.event {
                return Ok(());
            }
        }
    }

    fn send(&mut self, to: &mut Self) {
        to.1.extend_from_slice(self.2.as_slice());
        self.2.clear();
    }
}

/// A handshake in memory: how it ended for the client, and for the server.
fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> [Result<(), Error>; 2] {
    let mut out = Buffer::new();
    let name = "localhost".parse().unwrap();
    let connection = Connection::client(Arc::clone(client), name, &mut out).unwrap();
    let mut client = End(connection, Vec::new(), out);
    let connection = Connection::server(Arc::clone(server));
    let mut server = End(connection, Vec::new(), Buffer::new());
    for _ in 0..4 {
        client.send(&mut server);
        if let Err(error) = server.run() {
            return [Ok(()), Err(error)];
        }
        server.send(&mut client);
        if let Err(error) = client.run() {
            return [Err(error), Ok(())];
        }
    }
    assert!(!client.0.is_handshaking() && !server.0.is_handshaking());
    [Ok(()), Ok(())]
}

const NOT_ITS_KEY: Error = Error::Peer(PeerError::BadSignature);

/// The chain of one, and the key of another.
fn stolen(case: Case, key_of: Case) -> Arc<CertifiedKey> {
    let chain = pki::credentials(case).chain.clone();
    let key = Arc::clone(pki::certified_key_for(key_of).key());
    Arc::new(CertifiedKey::new(chain, key))
}

/// A chain is no secret: whoever has seen it can show it.
#[test]
fn who_shows_a_remembered_chain_still_has_to_sign_with_its_key() {
    let (provider, count) = counting();
    let verifier = Arc::new(Verifier::new(&provider, pki::anchors()));
    let client = ClientConfig::builder(&PROVIDER, Arc::clone(&verifier) as _);
    let client = client.build().unwrap();
    let serve = |key: Arc<CertifiedKey>| {
        let server = ServerConfig::builder(&PROVIDER, Arc::new(key));
        server.build().unwrap()
    };
    let thief = serve(stolen(GOOD, Case::OtherName));
    // Before it is remembered and after.
    assert_eq!(shake(&client, &thief)[0], Err(NOT_ITS_KEY));
    assert_eq!(ask(&*verifier, count, GOOD), Ok(false));
    assert_eq!(shake(&client, &thief)[0], Err(NOT_ITS_KEY));
    let owner = serve(pki::certified_key_for(GOOD));
    assert_eq!(shake(&client, &owner), [Ok(()), Ok(())]);
    assert_eq!(shake(&client, &thief)[0], Err(NOT_ITS_KEY));
}

#[test]
fn a_client_who_shows_a_remembered_chain_still_has_to_sign_with_its_key() {
    let case = Case::Client(KeyType::P256);
    let verifier = pki::client_verifier();
    let server = ServerConfig::builder(&PROVIDER, Arc::new(pki::certified_key_for(GOOD)))
        .client_auth(ClientAuth::Required(verifier));
    let server = server.build().unwrap();
    let with = |key| {
        let client =
            ClientConfig::builder(&PROVIDER, pki::verifier()).client_certificate(Arc::new(key));
        client.build().unwrap()
    };
    let owner = with(pki::certified_key_for(case));
    let thief = with(stolen(case, Case::ClientOnly));
    assert_eq!(shake(&owner, &server), [Ok(()), Ok(())]);
    assert_eq!(shake(&thief, &server)[1], Err(NOT_ITS_KEY));
    assert_eq!(shake(&owner, &server), [Ok(()), Ok(())]);
}
