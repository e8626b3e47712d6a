//! Every way for a client to be asked for its certificate in TLS 1.3.

use std::sync::Arc;

use waxwing_core::{
    Answer, CertChoice, CertificateError, CertificateRequestView, CertifiedKey, ClientAuth,
    ClientCertRequest, ClientCertResolver, ClientCertVerifier, Error, Event, Incompatible,
    PeerError, ProtocolVersion, Question, Rejection, Verdict, Verified, Wait,
};
use waxwing_crypto::{CryptoError, SignatureScheme, Signing, SigningKey};

use super::{CERTIFICATE, NOTE, Pair, client_builder, server_builder, server_key as client_key};

pub(crate) const AUTHORITY: &[u8] = &[0x30, 0];

/// When a hook answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    Now,
    Later,
}

pub(crate) const TIMES: [Time; 2] = [Time::Now, Time::Later];

/// What the client has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    Nothing,
    Certificate,
    /// A certificate whose key signs something else.
    Forgery,
}

/// All goes well, and at once.
pub(crate) const GOOD: Case = Case {
    shows: Shows::Certificate,
    required: true,
    accepted: true,
    choice: Time::Now,
    signature: Time::Now,
    verdict: Time::Now,
};

/// One way for it to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) shows: Shows,
    pub(crate) required: bool,
    pub(crate) accepted: bool,
    pub(crate) choice: Time,
    pub(crate) signature: Time,
    pub(crate) verdict: Time,
}

impl Case {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
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

    pub(crate) fn key(self) -> Option<Arc<CertifiedKey>> {
        let key = Key {
            time: self.signature,
            forges: self.shows == Shows::Forgery,
        };
        let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(key));
        (self.shows != Shows::Nothing).then(|| Arc::new(key))
    }

    pub(crate) fn judge(self, request: &ClientCertRequest<'_>) -> Result<Verified, Rejection> {
        assert_eq!(request.chain, [CERTIFICATE]);
        if self.accepted {
            let verified = Verified::holder_of(client_key().public_key().unwrap());
            Ok(verified.with_note(Arc::new(NOTE)))
        } else {
            Err(CertificateError::Revoked.into())
        }
    }

    pub(crate) fn auth(self) -> ClientAuth {
        if self.required {
            ClientAuth::Required(Arc::new(self))
        } else {
            ClientAuth::Optional(Arc::new(self))
        }
    }

    /// It is to happen in the handshake.
    pub(crate) fn pair(self) -> Pair {
        Pair::new(
            client_builder().client_certificate(Arc::new(self)),
            server_builder()
                .client_auth(self.auth())
                .keep_peer_chain(true),
        )
    }

    /// It may happen after the handshake.
    pub(crate) fn later_pair(self) -> Pair {
        Pair::new(
            client_builder()
                .client_certificate(Arc::new(self))
                .post_handshake_auth(true),
            server_builder()
                .post_handshake_auth(self.auth())
                .keep_peer_chain(true),
        )
    }

    pub(crate) fn answer(self, question: Question<'_>) -> (Wait, Answer) {
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

    pub(crate) fn result(self) -> Result<bool, Error> {
        match self.shows {
            Shows::Nothing if self.required => Err(Incompatible::NoClientCertificate.into()),
            Shows::Nothing => Ok(false),
            _ if !self.accepted => Err(Rejection::from(CertificateError::Revoked).into()),
            Shows::Forgery => Err(PeerError::BadSignature.into()),
            Shows::Certificate => Ok(true),
        }
    }

    /// What is asked on the way, in this order.
    pub(crate) fn waits(self) -> Vec<Wait> {
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

pub(crate) fn check_request(request: &CertificateRequestView<'_>) {
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
pub(crate) struct Key {
    pub(crate) time: Time,
    pub(crate) forges: bool,
}

pub(crate) fn sign(scheme: SignatureScheme, message: &[u8], forge: bool) -> Vec<u8> {
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
pub(crate) fn run(pair: &mut Pair, case: Case) -> (Vec<Wait>, Result<(), Error>) {
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
