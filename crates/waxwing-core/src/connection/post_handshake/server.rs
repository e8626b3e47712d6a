//! The server's part: it asks when the application wants it, and checks the answer.
//!
//! ```text
//!   Idle                 request        -> CertificateRequest
//!   Certificate          <- Certificate, at any time; application data may come before it
//!   Verdict                 only if the verifier answers later
//!   CertificateVerify    <- CertificateVerify, if there was a certificate
//!   Finished             <- Finished
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, HashContext, SignatureScheme};

use super::super::event::{Answer, Event, OwnedClientCertRequest, Question, Wait};
use super::{Env, Speech};
use crate::config::server::ServerConfig;
use crate::config::verifier::Verified;
use crate::error::Misuse;
use crate::handshake::auth::{check_finished, check_signature};
use crate::handshake::compression::certificate_body;
use crate::handshake::proof::SignatureOk;
use crate::handshake::server::certificate::{Judged, judge_by};
use crate::handshake::server::request13::OwnRequest;
use crate::messages::certificate::Certificate;
use crate::messages::certificate_verify::{CertificateVerify, client_signed_content};
use crate::messages::extensions::ExtensionSet;
use crate::messages::finished::Finished;
use crate::messages::{CertificateType, ExtensionType, HandshakeType};
use crate::record::joiner::Message;
use crate::{Error, Incompatible, Note, PeerError};

/// Bytes of a `certificate_request_context`: random, so that each is new, and that nobody can
/// sign for one beforehand (RFC 9846, Section 4.4.2).
const CONTEXT_LEN: usize = 32;

/// A server whose client agreed to authenticate after the handshake.
pub(crate) struct Asking {
    config: Arc<ServerConfig>,
    /// ClientHello to the client's Finished.
    transcript: HashContext,
    step: Step,
}

enum Step {
    /// No request is open.
    Idle,
    Certificate(Box<Request>),
    Verdict(Box<Heard>, OwnedClientCertRequest),
    CertificateVerify(Box<Heard>, Verified),
    Finished(Box<Heard>, Option<Signed>),
}

/// A request that the client has not begun to answer.
struct Request {
    context: [u8; CONTEXT_LEN],
    /// Its extensions.
    offered: ExtensionSet,
    /// [`Asking::transcript`] and the request.
    transcript: HashContext,
}

/// What was heard of an answer.
struct Heard {
    /// That of the request, and what came after it.
    transcript: HashContext,
    /// The client's certificates, if the configuration keeps them.
    chain: Vec<Box<[u8]>>,
}

/// The client signed with the key of its certificate.
struct Signed {
    scheme: SignatureScheme,
    note: Option<Note>,
    _proof: SignatureOk,
}

impl Asking {
    pub(super) const fn new(config: Arc<ServerConfig>, transcript: HashContext) -> Self {
        Self {
            config,
            transcript,
            step: Step::Idle,
        }
    }

    pub(super) fn request(&mut self, env: &mut Env<'_>) -> Result<(), Error> {
        let Some(auth) = &self.config.post_handshake_auth else {
            return Err(Misuse::NoPostHandshakeAuth.into());
        };
        if !matches!(self.step, Step::Idle) {
            return Err(Misuse::RequestOpen.into());
        }
        let provider = self.config.common.provider;
        let mut context = [0; CONTEXT_LEN];
        provider.random.fill(&mut context)?;
        let request = OwnRequest::new(&self.config.common, auth)?;
        let request = request.with_context(&context)?;
        let mut speech = Speech::after(self.transcript.clone());
        speech.add(HandshakeType::CERTIFICATE_REQUEST, |w| request.write(w))?;
        speech.send(env)?;
        let offered = request.offered();
        self.step = Step::Certificate(Box::new(Request {
            context,
            offered,
            transcript: speech.transcript,
        }));
        Ok(())
    }

    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match &self.step {
            Step::Idle | Step::Verdict(..) => false,
            Step::Certificate(request) => {
                typ == HandshakeType::CERTIFICATE
                    || typ == HandshakeType::COMPRESSED_CERTIFICATE
                        && request
                            .offered
                            .contains(ExtensionType::COMPRESS_CERTIFICATE)
            }
            Step::CertificateVerify(..) => typ == HandshakeType::CERTIFICATE_VERIFY,
            Step::Finished(..) => typ == HandshakeType::FINISHED,
        }
    }

    pub(super) const fn is_amid(&self) -> bool {
        matches!(
            self.step,
            Step::Verdict(..) | Step::CertificateVerify(..) | Step::Finished(..)
        )
    }

    pub(super) const fn waits(&self) -> Option<Wait> {
        match self.step {
            Step::Verdict(..) => Some(Wait::Verdict),
            _ => None,
        }
    }

    /// Whether a request is not answered yet, or not wholly.
    pub(super) const fn is_amid_request(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }

    pub(super) const fn question(&self) -> Option<Question<'_>> {
        match &self.step {
            Step::Verdict(_, request) => Some(Question::ClientVerdict(request)),
            _ => None,
        }
    }

    pub(super) fn answer(&mut self, answer: Answer, _: &mut Env<'_>) -> Result<(), Error> {
        match (core::mem::replace(&mut self.step, Step::Idle), answer) {
            (Step::Verdict(heard, _), Answer::Verdict(verdict)) => {
                self.step = Step::CertificateVerify(heard, verdict?);
                Ok(())
            }
            (step, _) => {
                self.step = step;
                Err(Misuse::NoSuchQuestion.into())
            }
        }
    }

    pub(super) fn on_message(
        &mut self,
        message: Message<'_>,
        secret: &Digest,
        env: &mut Env<'_>,
    ) -> Result<Option<Event>, Error> {
        match core::mem::replace(&mut self.step, Step::Idle) {
            Step::Certificate(request) => {
                let typ = env.info.client_certificate_type;
                self.on_certificate(*request, message, typ)?;
            }
            Step::CertificateVerify(heard, verified) => {
                self.on_certificate_verify(heard, &verified, message)?;
            }
            Step::Finished(heard, signed) => {
                return on_finished(*heard, signed, message, secret, env).map(Some);
            }
            Step::Idle | Step::Verdict(..) => return Err(PeerError::UnexpectedMessage.into()),
        }
        Ok(self.waits().map(Event::Wait))
    }

    fn on_certificate(
        &mut self,
        request: Request,
        message: Message<'_>,
        typ: CertificateType,
    ) -> Result<(), Error> {
        let Request {
            context,
            offered,
            mut transcript,
        } = request;
        let body = certificate_body(&message, &self.config.common.decompressors)?;
        let certificate = Certificate::read(&body, Some(&offered))?;
        if certificate.context != context {
            return Err(PeerError::AnswerContext.into());
        }
        transcript.update(message.bytes);
        let entries = certificate.entries.iter();
        let chain: Vec<&[u8]> = entries.map(|entry| entry.certificate).collect();
        let keep = self.config.keep_peer_chain;
        let kept = chain.iter().filter(|_| keep).map(|der| (*der).into());
        let heard = Box::new(Heard {
            transcript,
            chain: kept.collect(),
        });
        let Some(auth) = &self.config.post_handshake_auth else {
            return Err(Misuse::NoPostHandshakeAuth.into());
        };
        self.step = match judge_by(auth, typ, &chain, Incompatible::NoClientCertificate)? {
            Judged::Nobody => Step::Finished(heard, None),
            Judged::Accepted(verified) => Step::CertificateVerify(heard, verified),
            Judged::Later(request) => Step::Verdict(heard, request),
        };
        Ok(())
    }

    fn on_certificate_verify(
        &mut self,
        mut heard: Box<Heard>,
        verified: &Verified,
        message: Message<'_>,
    ) -> Result<(), Error> {
        let verify = CertificateVerify::read(message.body())?;
        let content = client_signed_content(heard.transcript.fork_finish().as_ref());
        let provider = self.config.common.provider;
        let proof = check_signature(provider, &verify, verified, &content)?;
        heard.transcript.update(message.bytes);
        let signed = Signed {
            scheme: verify.scheme,
            note: verified.note().cloned(),
            _proof: proof,
        };
        self.step = Step::Finished(heard, Some(signed));
        Ok(())
    }
}

/// What was heard counts from here on.
fn on_finished(
    heard: Heard,
    signed: Option<Signed>,
    message: Message<'_>,
    secret: &Digest,
    env: &mut Env<'_>,
) -> Result<Event, Error> {
    let Heard { transcript, chain } = heard;
    let finished = Finished::read(message.body())?;
    check_finished(
        transcript.hash(),
        secret,
        &transcript.fork_finish(),
        &finished,
    )?;
    let Some(signed) = signed else {
        return Ok(Event::ClientDeclined);
    };
    env.info.client_authenticated = true;
    env.info.client_signature_scheme = Some(signed.scheme);
    env.info.peer_chain = chain;
    env.info.peer_note = signed.note;
    Ok(Event::ClientAuthenticated)
}
