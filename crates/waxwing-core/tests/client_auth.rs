//! Client certificates in TLS 1.3, between two engines.

mod common;

use std::sync::Arc;

use common::{
    CERTIFICATE, Pair, certified_key, client_builder, server_builder, server_key as client_key,
};
use waxwing_core::{
    Answer, CertChoice, CertificateError, CertificateRequestView, CertifiedKey, ClientAuth,
    ClientCertRequest, ClientCertResolver, ClientCertVerifier, Connection, Error, Event,
    Incompatible, Misuse, PeerError, ProtocolVersion, Question, Rejection, Verdict, Verified, Wait,
};
use waxwing_crypto::{CryptoError, SignatureScheme, Signing, SigningKey};

const AUTHORITY: &[u8] = &[0x30, 0];

/// When a hook answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Now,
    Later,
}

const TIMES: [Time; 2] = [Time::Now, Time::Later];

/// What the client has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Nothing,
    Certificate,
    /// A certificate whose key signs something else.
    Forgery,
}

/// One way for it to go.
#[derive(Clone, Copy, Debug)]
struct Case {
    shows: Shows,
    required: bool,
    accepted: bool,
    choice: Time,
    signature: Time,
    verdict: Time,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        let shows = [Shows::Nothing, Shows::Certificate, Shows::Forgery];
        let flags = [false, true];
        let times = TIMES
            .into_iter()
            .flat_map(|choice| TIMES.map(|signature| (choice, signature)))
            .flat_map(|(choice, signature)| TIMES.map(|verdict| (choice, signature, verdict)));
        times.flat_map(move |(choice, signature, verdict)| {
            shows.into_iter().flat_map(move |shows| {
                flags.into_iter().flat_map(move |required| {
                    flags.map(|accepted| Self {
                        shows,
                        required,
                        accepted,
                        choice,
                        signature,
                        verdict,
                    })
                })
            })
        })
    }

    fn key(self) -> Option<Arc<CertifiedKey>> {
        let key = Key {
            time: self.signature,
            forges: self.shows == Shows::Forgery,
        };
        let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(key));
        (self.shows != Shows::Nothing).then(|| Arc::new(key))
    }

    fn judge(self, request: &ClientCertRequest<'_>) -> Result<Verified, Rejection> {
        assert_eq!(request.chain, [CERTIFICATE]);
        if self.accepted {
            Ok(Verified::holder_of(client_key().public_key().unwrap()))
        } else {
            Err(CertificateError::Revoked.into())
        }
    }

    fn pair(self) -> Pair {
        let auth = if self.required {
            ClientAuth::Required(Arc::new(self))
        } else {
            ClientAuth::Optional(Arc::new(self))
        };
        Pair::new(
            client_builder().client_certificate(Arc::new(self)),
            server_builder().client_auth(auth).keep_peer_chain(true),
        )
    }

    fn answer(self, question: Question<'_>) -> (Wait, Answer) {
        match question {
            Question::ClientCertificate(request) => {
                check_request(&request);
                (Wait::Certificate, Answer::Certificate(self.key()))
            }
            Question::Signature {
                key,
                scheme,
                message,
            } => {
                assert_eq!(key.chain(), [CERTIFICATE]);
                let signature = sign(scheme, message, self.shows == Shows::Forgery);
                (Wait::Signature, Answer::Signature(Ok(signature)))
            }
            Question::ClientVerdict(request) => {
                let verdict = request.with(|request| self.judge(request));
                (Wait::Verdict, Answer::Verdict(verdict))
            }
            other => panic!("{other:?}"),
        }
    }

    fn result(self) -> Result<bool, Error> {
        match self.shows {
            Shows::Nothing if self.required => Err(Incompatible::NoClientCertificate.into()),
            Shows::Nothing => Ok(false),
            _ if !self.accepted => Err(Rejection::from(CertificateError::Revoked).into()),
            Shows::Forgery => Err(PeerError::BadSignature.into()),
            Shows::Certificate => Ok(true),
        }
    }

    /// What is asked on the way, in this order.
    fn waits(self) -> Vec<Wait> {
        let mut waits = Vec::new();
        if self.choice == Time::Later {
            waits.push(Wait::Certificate);
        }
        if self.shows != Shows::Nothing {
            if self.signature == Time::Later {
                waits.push(Wait::Signature);
            }
            if self.verdict == Time::Later {
                waits.push(Wait::Verdict);
            }
        }
        waits
    }
}

fn check_request(request: &CertificateRequestView<'_>) {
    assert_eq!(request.version(), ProtocolVersion::TLS13);
    assert!(request.certificate_authorities().eq([AUTHORITY]));
    // RFC 9846, Section 4.3.3: PKCS#1 is for certificates alone.
    let pkcs1 = SignatureScheme::RSA_PKCS1_SHA256;
    assert!(!request.signature_schemes().any(|scheme| scheme == pkcs1));
    let mut in_certificates = request.certificate_signature_schemes();
    assert!(in_certificates.any(|scheme| scheme == pkcs1));
}

impl ClientCertResolver for Case {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        check_request(request);
        match (self.choice, self.key()) {
            (Time::Later, _) => CertChoice::Pending,
            (Time::Now, Some(key)) => CertChoice::Use(key),
            (Time::Now, None) => CertChoice::None,
        }
    }
}

impl ClientCertVerifier for Case {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        match (self.verdict, self.judge(request)) {
            (Time::Later, _) => Verdict::Pending,
            (Time::Now, Ok(verified)) => Verdict::Accepted(verified),
            (Time::Now, Err(rejection)) => Verdict::Rejected(rejection),
        }
    }

    fn authorities(&self) -> &[Vec<u8>] {
        static NAMES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        // The empty one names nobody, and is not sent.
        NAMES.get_or_init(|| vec![vec![], AUTHORITY.to_vec()])
    }
}

/// The client's key.
#[derive(Debug)]
struct Key {
    time: Time,
    forges: bool,
}

fn sign(scheme: SignatureScheme, message: &[u8], forge: bool) -> Vec<u8> {
    let context = b"TLS 1.3, client CertificateVerify\0";
    assert!(message[64..].starts_with(context), "{message:?}");
    let message = if forge { b"another" } else { message };
    match client_key().sign(scheme, message) {
        Ok(Signing::Done(signature)) => signature,
        other => panic!("{other:?}"),
    }
}

impl SigningKey for Key {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Signing, CryptoError> {
        Ok(match self.time {
            Time::Now => Signing::Done(sign(scheme, message, self.forges)),
            Time::Later => Signing::Pending,
        })
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        client_key().public_key()
    }
}

/// Carries on, answering what is asked, until both rest. What was asked, and on which error it
/// ended.
fn run(pair: &mut Pair, case: Case) -> (Vec<Wait>, Result<(), Error>) {
    let mut waits = Vec::new();
    loop {
        if let Err(error) = pair.settle() {
            return (waits, Err(error));
        }
        let ends = [&mut pair.client, &mut pair.server];
        let asked = ends
            .into_iter()
            .find(|end| end.connection.question().is_some());
        let Some(end) = asked else {
            return (waits, Ok(()));
        };
        let (wait, answer) = case.answer(end.connection.question().unwrap());
        assert_eq!(end.events.last(), Some(&Event::Wait(wait)));
        // Until then nothing goes on.
        assert_eq!(end.run(), Ok(()));
        assert!(end.out.is_empty());
        waits.push(wait);
        let answered = end.connection.answer(answer, &mut end.out);
        if let Err(error) = answered.and_then(|()| end.run()) {
            return (waits, Err(error));
        }
    }
}

#[test]
fn every_way_for_it_to_go() {
    for case in Case::all() {
        let mut pair = case.pair();
        let (waits, result) = run(&mut pair, case);
        let info = pair.server.connection.info();
        let shown = result.clone().map(|()| info.client_authenticated);
        assert_eq!(shown, case.result(), "{case:?}");
        assert_eq!(waits, case.waits(), "{case:?}");
        let client = pair.client.connection.info();
        assert!(client.client_auth_requested);
        if result.is_err() {
            continue;
        }
        let scheme = (shown == Ok(true)).then_some(SignatureScheme::ECDSA_SECP256R1_SHA256);
        assert_eq!(info.client_signature_scheme, scheme);
        assert_eq!(client.client_signature_scheme, scheme);
        let chain: Vec<&[u8]> = info.peer_chain.iter().map(|der| &**der).collect();
        let expected = (shown == Ok(true)).then_some(CERTIFICATE);
        assert_eq!(chain, expected.into_iter().collect::<Vec<_>>());
        for end in [&pair.client, &pair.server] {
            let complete = |event: &&Event| **event == Event::HandshakeComplete;
            assert_eq!(end.events.iter().filter(complete).count(), 1);
        }
        pair.client.write(b"from the client");
        pair.server.write(b"from the server");
        pair.settle().unwrap();
        assert_eq!(pair.server.received, b"from the client");
        assert_eq!(pair.client.received, b"from the server");
        let export = |end: &common::End| {
            let exporter = end.connection.info().exporter.as_ref().unwrap();
            exporter.channel_binding().unwrap()
        };
        assert_eq!(export(&pair.client), export(&pair.server));
    }
}

#[test]
fn a_client_that_is_not_asked_shows_nothing() {
    let pair = Pair::established();
    assert!(!pair.client.connection.info().client_auth_requested);
    assert!(!pair.server.connection.info().client_authenticated);
}

/// Nobody to answer for it: the client is still asked, and says that it has none.
#[test]
fn a_client_without_a_certificate_says_so() {
    let case = Case::all().next().unwrap();
    let optional = ClientAuth::Optional(Arc::new(case));
    let mut pair = Pair::new(client_builder(), server_builder().client_auth(optional));
    pair.settle().unwrap();
    assert!(pair.client.connection.info().client_auth_requested);
    assert!(!pair.server.connection.info().client_authenticated);
}

/// A key that signs in no way that TLS 1.3 allows.
#[derive(Debug)]
struct OldKey;

impl SigningKey for OldKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::RSA_PKCS1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Err(CryptoError::Misuse)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn a_key_that_the_server_cannot_check_is_not_shown() {
    let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(OldKey));
    let client = client_builder().client_certificate(Arc::new(Arc::new(key)));
    let case = Case::all().next().unwrap();
    let optional = ClientAuth::Optional(Arc::new(case));
    let mut pair = Pair::new(client, server_builder().client_auth(optional));
    let error = Err(Incompatible::SignatureScheme.into());
    assert_eq!(pair.settle(), error);
}

/// A client's Finished comes with its answer: what the server sends meanwhile waits.
#[test]
fn data_of_the_server_waits_for_the_clients_answer() {
    let case = Case {
        shows: Shows::Certificate,
        required: true,
        accepted: true,
        choice: Time::Later,
        signature: Time::Now,
        verdict: Time::Now,
    };
    let mut pair = case.pair();
    pair.settle().unwrap();
    assert_eq!(
        pair.client.events.last(),
        Some(&Event::Wait(Wait::Certificate))
    );
    let written = pair
        .client
        .connection
        .write(&[b"early"], &mut pair.client.out);
    assert_eq!(written, Err(Misuse::HandshakePending.into()));
    // Bytes that look like nothing yet: they are not looked at.
    pair.client.input.extend([23, 3, 3, 0, 1, 0]);
    pair.client.run().unwrap();
    assert_eq!(pair.client.input.len(), 6);
    pair.client.input.clear();
    let answer = Answer::Certificate(Some(certified_key()));
    let client = &mut pair.client;
    client.connection.answer(answer, &mut client.out).unwrap();
    pair.client.run().unwrap();
    pair.settle().unwrap();
    assert!(pair.server.connection.info().client_authenticated);
}

#[test]
fn answers_of_another_kind_change_nothing() {
    let refused = Err(Misuse::NoSuchQuestion.into());
    let later = Case {
        shows: Shows::Certificate,
        required: true,
        accepted: true,
        choice: Time::Later,
        signature: Time::Later,
        verdict: Time::Later,
    };
    let mut pair = later.pair();
    for _ in 0..3 {
        pair.settle().unwrap();
        let ends = [&mut pair.client, &mut pair.server];
        let asked = ends
            .into_iter()
            .find(|end| end.connection.question().is_some());
        let end = asked.unwrap();
        let (wait, answer) = later.answer(end.connection.question().unwrap());
        let wrong = [
            (Wait::Certificate, Answer::Certificate(None)),
            (Wait::Signature, Answer::Signature(Ok(vec![1]))),
            (
                Wait::Verdict,
                Answer::Verdict(Err(CertificateError::Expired.into())),
            ),
        ];
        for (kind, wrong) in wrong {
            if kind != wait {
                assert_eq!(give(&mut end.connection, wrong), refused);
            }
        }
        end.connection.answer(answer, &mut end.out).unwrap();
        end.run().unwrap();
    }
    pair.settle().unwrap();
    assert!(pair.server.connection.info().client_authenticated);
}

fn give(connection: &mut Connection, answer: Answer) -> Result<(), Error> {
    connection.answer(answer, &mut waxwing_core::Buffer::new())
}
