//! The client's part: it answers each request.
//!
//! Nothing of an answer is sent before all of it is there: the messages must follow each other
//! with nothing between them, and application data can be written at any time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{HashContext, SignatureScheme, Signing};

use super::super::event::{Answer, Event, Question, Wait};
use super::{Env, Speech};
use crate::Error;
use crate::config::client::ClientConfig;
use crate::config::credentials::{CertChoice, CertificateRequestView, CertifiedKey};
use crate::error::Misuse;
use crate::handshake::client::finish13::{Shown, choose, write_certificate};
use crate::handshake::schedule13::verify_data;
use crate::messages::certificate_request::CertificateRequest;
use crate::messages::certificate_verify::{CertificateVerify, client_signed_content};
use crate::messages::finished::Finished;
use crate::messages::{CertificateType, HandshakeType};
use crate::record::joiner::Message;

/// A client that agreed to authenticate after the handshake.
pub(crate) struct Answering {
    config: Arc<ClientConfig>,
    /// ClientHello to the client's Finished.
    transcript: HashContext,
    step: Step,
}

enum Step {
    /// No request is open.
    Idle,
    /// The certificate will be chosen later, of this type. The CertificateRequest, header
    /// included.
    Choice(CertificateType, Box<[u8]>),
    Signature(Box<AwaitSignature>),
}

/// The key will sign later.
struct AwaitSignature {
    speech: Speech,
    shown: Shown,
    message: Vec<u8>,
}

impl Answering {
    pub(super) const fn new(config: Arc<ClientConfig>, transcript: HashContext) -> Self {
        Self {
            config,
            transcript,
            step: Step::Idle,
        }
    }

    pub(super) const fn waits(&self) -> Option<Wait> {
        match self.step {
            Step::Idle => None,
            Step::Choice(..) => Some(Wait::Certificate),
            Step::Signature(_) => Some(Wait::Signature),
        }
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match &self.step {
            Step::Idle => None,
            Step::Choice(typ, request) => {
                // It was read before, so it can be read again.
                let request = CertificateRequest::read(whole(request).body()).ok()?;
                let view = CertificateRequestView::tls13(&request, *typ);
                Some(Question::ClientCertificate(view))
            }
            Step::Signature(step) => Some(Question::Signature {
                key: &step.shown.key,
                scheme: step.shown.scheme,
                message: &step.message,
            }),
        }
    }

    pub(super) fn on_request(
        &mut self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Option<Event>, Error> {
        let request = CertificateRequest::read(message.body())?;
        env.info.client_auth_requested = true;
        // After our close_notify there can be no answer, so nobody has to be asked for it.
        if env.write.is_closed() {
            return Ok(None);
        }
        let typ = env.info.client_certificate_type;
        match choose(&self.config, &CertificateRequestView::tls13(&request, typ)) {
            CertChoice::Use(key) => self.show(Some(key), message, env)?,
            CertChoice::None => self.show(None, message, env)?,
            CertChoice::Pending => self.step = Step::Choice(typ, message.bytes.into()),
        }
        Ok(self.waits().map(Event::Wait))
    }

    pub(super) fn answer(&mut self, answer: Answer, env: &mut Env<'_>) -> Result<(), Error> {
        match (core::mem::replace(&mut self.step, Step::Idle), answer) {
            (Step::Choice(..), Answer::Certificate(_))
            | (Step::Signature(_), Answer::Signature(_))
                if env.write.is_closed() =>
            {
                Ok(())
            }
            (Step::Choice(_, request), Answer::Certificate(choice)) => {
                self.show(choice, whole(&request), env)
            }
            (Step::Signature(step), Answer::Signature(signature)) => {
                let AwaitSignature { speech, shown, .. } = *step;
                finish_signed(speech, shown.scheme, &signature?, env)
            }
            (step, _) => {
                self.step = step;
                Err(Misuse::NoSuchQuestion.into())
            }
        }
    }

    /// Answers with this certificate, or that there is none.
    fn show(
        &mut self,
        key: Option<Arc<CertifiedKey>>,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<(), Error> {
        let request = CertificateRequest::read(message.body())?;
        let agreed = env.info.client_certificate_type;
        let shown = Shown::new(key, agreed, &request)?;
        let mut transcript = self.transcript.clone();
        transcript.update(message.bytes);
        let mut speech = Speech::after(transcript);
        speech.add(HandshakeType::CERTIFICATE, |w| {
            write_certificate(w, &request, shown.as_ref())
        })?;
        let Some(shown) = shown else {
            return finish(speech, env);
        };
        let message = client_signed_content(speech.transcript.fork_finish().as_ref());
        match shown.key.key().sign(shown.scheme, &message)? {
            Signing::Done(signature) => finish_signed(speech, shown.scheme, &signature, env),
            Signing::Pending => {
                let step = AwaitSignature {
                    speech,
                    shown,
                    message,
                };
                self.step = Step::Signature(Box::new(step));
                Ok(())
            }
        }
    }
}

/// A message that was kept.
const fn whole(bytes: &[u8]) -> Message<'_> {
    Message {
        typ: HandshakeType::CERTIFICATE_REQUEST,
        bytes,
    }
}

fn finish_signed(
    mut speech: Speech,
    scheme: SignatureScheme,
    signature: &[u8],
    env: &mut Env<'_>,
) -> Result<(), Error> {
    speech.add(HandshakeType::CERTIFICATE_VERIFY, |w| {
        CertificateVerify { scheme, signature }.write(w)
    })?;
    finish(speech, env)?;
    env.info.client_signature_scheme = Some(scheme);
    Ok(())
}

/// Adds Finished, and sends all of it.
fn finish(mut speech: Speech, env: &mut Env<'_>) -> Result<(), Error> {
    let hash = speech.transcript.hash();
    let base = env.write.traffic_secret(env.out)?;
    let ours = verify_data(hash, base, &speech.transcript.fork_finish())?;
    speech.add(HandshakeType::FINISHED, |w| {
        Finished {
            verify_data: ours.as_ref(),
        }
        .write(w)
    })?;
    speech.send(env)
}
