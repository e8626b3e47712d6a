//! The client after ServerHello, in TLS 1.3 (RFC 9846, Section 2).
//!
//! ```text
//!   AwaitEncryptedExtensions     <- EncryptedExtensions
//!   AwaitCertificate             <- CertificateRequest (at most one), Certificate: unless a PSK
//!                                   says who the server is, which leads to AwaitFinished
//!   AwaitVerdict                    only if the verifier answers later
//!   AwaitCertificateVerify       <- CertificateVerify
//!   AwaitFinished                <- Finished
//!   finish13                     our last flight
//! ```

use alloc::boxed::Box;

use super::super::auth::{check_finished, check_signature};
use super::super::compression::certificate_body;
use super::super::proof::SignatureOk;
use super::super::record_limits::{self, Wish};
use super::super::schedule13::HandshakeSecrets;
use super::super::{MaySend, StepOutcome};
use super::certificate::{Judged, judge, settle_types};
use super::finish13::{AwaitChoice, AwaitSignature, LastFlight};
use super::psk13::TakenPsk;
use super::{Env, hello_writer};
use crate::config::verifier::{ServerCertRequest, Verified};
use crate::connection::event::{OwnedServerCertRequest, Question, Wait};
use crate::connection::info::EarlyDataStatus;
use crate::limits::MAX_CHAIN;
use crate::messages::certificate::Certificate;
use crate::messages::certificate_request::CertificateRequest;
use crate::messages::certificate_verify::{CertificateVerify, server_signed_content};
use crate::messages::encrypted_extensions::EncryptedExtensions;
use crate::messages::extensions::ExtensionSet;
use crate::messages::finished::Finished;
use crate::messages::{ExtensionType, HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::session::UnixMillis;
use crate::{Error, PeerError, Rejection};

/// Where the client stands, in the order of the protocol.
pub(super) enum Step {
    EncryptedExtensions(Box<AwaitEncryptedExtensions>),
    Certificate(AwaitCertificate),
    Verdict(Box<AwaitVerdict>),
    CertificateVerify(AwaitCertificateVerify),
    Finished(AwaitFinished),
    Choice(Box<AwaitChoice>),
    Signature(Box<AwaitSignature>),
}

pub(super) type Outcome = StepOutcome<super::Step>;

impl Step {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match self {
            Self::EncryptedExtensions(_) => typ == HandshakeType::ENCRYPTED_EXTENSIONS,
            Self::Certificate(step) => {
                typ == HandshakeType::CERTIFICATE
                    || typ == HandshakeType::CERTIFICATE_REQUEST && step.request.is_none()
                    || typ == HandshakeType::COMPRESSED_CERTIFICATE
                        && step.sent.contains(ExtensionType::COMPRESS_CERTIFICATE)
            }
            Self::Verdict(_) | Self::Choice(_) | Self::Signature(_) => false,
            Self::CertificateVerify(_) => typ == HandshakeType::CERTIFICATE_VERIFY,
            Self::Finished(_) => typ == HandshakeType::FINISHED,
        }
    }

    pub(super) fn on_message(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        match self {
            Self::EncryptedExtensions(step) => step.on_encrypted_extensions(message, env),
            Self::Certificate(step) if message.typ == HandshakeType::CERTIFICATE_REQUEST => {
                step.on_certificate_request(message, env)
            }
            Self::Certificate(step) => step.on_certificate(message, env),
            Self::CertificateVerify(step) => step.on_certificate_verify(message, env),
            Self::Finished(step) => step.on_finished(message, env),
            Self::Verdict(_) | Self::Choice(_) | Self::Signature(_) => {
                Err(PeerError::UnexpectedMessage.into())
            }
        }
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match self {
            Self::Verdict(step) => Some(Question::Verdict(&step.question)),
            Self::Choice(step) => step.question(),
            Self::Signature(step) => Some(step.question()),
            _ => None,
        }
    }

    const fn next(self) -> Outcome {
        StepOutcome::step(super::Step::Tls13(self))
    }

    pub(super) const fn wait(self, wait: Wait) -> Outcome {
        StepOutcome::wait(super::Step::Tls13(self), wait)
    }
}

/// Keys are there; what else did the server agree to?
pub(super) struct AwaitEncryptedExtensions {
    pub(super) secrets: HandshakeSecrets,
    pub(super) sent: ExtensionSet,
    /// The PSK that the connection rests on, if it rests on one.
    pub(super) psk: Option<TakenPsk>,
}

impl AwaitEncryptedExtensions {
    fn on_encrypted_extensions(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let extensions = EncryptedExtensions::read(message.body(), &self.sent)?;
        if let Some(name) = extensions.alpn {
            if !env.config.common.alpn.iter().any(|offered| offered == name) {
                return Err(PeerError::AlpnNotOffered.into());
            }
            env.cx.info.alpn = Some(name.into());
        }
        settle_types(
            extensions.server_certificate_type,
            extensions.client_certificate_type,
            self.psk.is_some(),
            env,
        )?;
        let theirs = Wish {
            max_fragment_length: extensions.max_fragment_length,
            record_size_limit: extensions.record_size_limit,
        };
        let ours = hello_writer::record_limits(env.config);
        record_limits::apply(theirs, ours, ProtocolVersion::TLS13, env.cx, env.flight)?;
        let Self { secrets, sent, psk } = self;
        settle_early_data(extensions.early_data, psk.as_ref(), &secrets, env)?;
        env.cx.transcript.add(message.bytes);
        let next = match psk {
            None => Step::Certificate(AwaitCertificate {
                secrets,
                sent,
                request: None,
            }),
            // RFC 9846, Section 2.2: neither Certificate nor CertificateRequest follows.
            Some(psk) => Step::Finished(AwaitFinished {
                secrets,
                request: None,
                authenticated_at: psk.authenticated_at(),
                _authentication: Authentication::Psk,
            }),
        };
        Ok(next.next())
    }
}

/// What the server does with early data, if we offered it (RFC 9846, Section 4.3.10).
fn settle_early_data(
    accepted: bool,
    psk: Option<&TakenPsk>,
    secrets: &HandshakeSecrets,
    env: &mut Env<'_>,
) -> Result<(), Error> {
    // Without a PSK, or after a retry, the keys were changed before.
    let offered = env.cx.info.early_data == EarlyDataStatus::Offered;
    match (accepted, psk) {
        (true, Some(psk)) if offered => {
            let info = &env.cx.info;
            psk.check_early_data(info.cipher_suite, info.alpn.as_deref())?;
            env.cx.info.early_data = EarlyDataStatus::Accepted;
            Ok(())
        }
        (true, _) => Err(PeerError::EarlyDataUnfit.into()),
        (false, _) if offered => {
            let keys = secrets.traffic.client_keys();
            env.cx.reject_early_data(Some(keys), env.flight)
        }
        (false, _) => Ok(()),
    }
}

/// The server has to show who it is.
pub(super) struct AwaitCertificate {
    secrets: HandshakeSecrets,
    sent: ExtensionSet,
    /// The body of its CertificateRequest, if it asked for ours.
    request: Option<Box<[u8]>>,
}

impl AwaitCertificate {
    fn on_certificate_request(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let request = CertificateRequest::read(message.body())?;
        // RFC 9846, Section 4.4.2: a context is for requests after the handshake.
        if !request.context.is_empty() {
            return Err(PeerError::RequestContext.into());
        }
        env.cx.info.client_auth_requested = true;
        env.cx.transcript.add(message.bytes);
        Ok(Step::Certificate(Self {
            request: Some(message.body().into()),
            ..self
        })
        .next())
    }

    fn on_certificate(self, message: Message<'_>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let body = certificate_body(&message, &env.config.common.decompressors)?;
        let certificate = Certificate::read(&body, Some(&self.sent))?;
        if !certificate.context.is_empty() {
            return Err(PeerError::RequestContext.into());
        }
        let mut chain: [&[u8]; MAX_CHAIN] = [&[]; MAX_CHAIN];
        let mut len: usize = 0;
        for (place, entry) in chain.iter_mut().zip(certificate.entries.iter()) {
            *place = entry.certificate;
            len = len.saturating_add(1);
        }
        let chain = chain.get(..len).unwrap_or_default();
        if chain.is_empty() {
            return Err(PeerError::EmptyCertificate.into());
        }
        env.cx.transcript.add(message.bytes);
        let question = ServerCertRequest {
            certificate_type: env.cx.info.server_certificate_type,
            chain,
            ocsp: certificate.ocsp(),
            scts: certificate.scts(),
            name: env.name,
        };
        let Self {
            secrets, request, ..
        } = self;
        match judge(&question, env)? {
            Judged::Accepted(verified) => {
                let step = AwaitCertificateVerify {
                    secrets,
                    request,
                    verified,
                };
                Ok(Step::CertificateVerify(step).next())
            }
            Judged::Later(question) => {
                let step = AwaitVerdict {
                    secrets,
                    request,
                    question,
                };
                Ok(Step::Verdict(Box::new(step)).wait(Wait::Verdict))
            }
        }
    }
}

/// The verifier will answer later.
pub(super) struct AwaitVerdict {
    secrets: HandshakeSecrets,
    request: Option<Box<[u8]>>,
    question: OwnedServerCertRequest,
}

impl AwaitVerdict {
    pub(super) fn on_verdict(self, verdict: Result<Verified, Rejection>) -> Result<Outcome, Error> {
        let Self {
            secrets, request, ..
        } = self;
        let step = AwaitCertificateVerify {
            secrets,
            request,
            verified: verdict?,
        };
        Ok(Step::CertificateVerify(step).next())
    }
}

/// The certificate is good; does the server hold its key?
pub(super) struct AwaitCertificateVerify {
    secrets: HandshakeSecrets,
    request: Option<Box<[u8]>>,
    verified: Verified,
}

impl AwaitCertificateVerify {
    fn on_certificate_verify(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let verify = CertificateVerify::read(message.body())?;
        let content = server_signed_content(env.cx.transcript.current().as_ref());
        let provider = env.config.common.provider;
        let proof = check_signature(provider, &verify, &self.verified, &content)?;
        env.cx.info.signature_scheme = Some(verify.scheme);
        env.cx.info.peer_note = self.verified.note().cloned();
        env.cx.transcript.add(message.bytes);
        let Self {
            secrets, request, ..
        } = self;
        Ok(Step::Finished(AwaitFinished {
            secrets,
            request,
            authenticated_at: None,
            _authentication: Authentication::Signature(proof),
        })
        .next())
    }
}

/// Everything was said; was it said by the same server, unchanged?
pub(super) struct AwaitFinished {
    secrets: HandshakeSecrets,
    request: Option<Box<[u8]>>,
    /// When the peers proved who they are, if that was before.
    authenticated_at: Option<UnixMillis>,
    _authentication: Authentication,
}

/// How the server shows who it is.
enum Authentication {
    /// It proved to hold its certificate's key.
    Signature(SignatureOk),
    /// Its Finished proves that it knows the PSK.
    Psk,
}

impl AwaitFinished {
    fn on_finished(self, message: Message<'_>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let hash = self.secrets.hash();
        let finished = Finished::read(message.body())?;
        let transcript = env.cx.transcript.current();
        let proof = check_finished(hash, &self.secrets.traffic.server, &transcript, &finished)?;
        env.cx.transcript.add(message.bytes);
        remember_group(env);

        let application = self.secrets.application(&env.cx.transcript.current())?;
        end_early_data(&self.secrets, env)?;
        let last = LastFlight {
            hash,
            application,
            base: self.secrets.traffic.client,
            authenticated_at: self.authenticated_at,
            proof,
        };
        match self.request {
            Some(request) => last.answer(request, env),
            None => last.finish(env),
        }
    }
}

/// Ends the early data that the server accepted (RFC 9846, Section 4.6).
fn end_early_data(secrets: &HandshakeSecrets, env: &mut Env<'_>) -> Result<(), Error> {
    if env.cx.info.early_data != EarlyDataStatus::Accepted {
        return Ok(());
    }
    env.cx.may_send = MaySend::Nothing;
    let typ = HandshakeType::END_OF_EARLY_DATA;
    env.cx.send(env.flight, typ, &mut |_| Ok(()))?;
    env.cx
        .install_write(env.flight, secrets.traffic.client_keys())
}

/// Keeps the group that the server asked for. Not before it is known that it was the server: who
/// comes between could otherwise talk us out of a post-quantum group for good.
fn remember_group(env: &Env<'_>) {
    let info = &env.cx.info;
    if let (Some(memory), Some(group)) = (&env.config.group_memory, info.group)
        && info.retried
    {
        memory.remember(env.name, group);
    }
}
