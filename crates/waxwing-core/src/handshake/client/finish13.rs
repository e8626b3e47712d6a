//! Our last flight of the handshake in TLS 1.3 (RFC 9846, Section 2).
//!
//! ```text
//!   AwaitChoice                     only if the choice of our certificate comes later
//!                                -> Certificate (if asked for)
//!   AwaitSignature                  only if our key answers later
//!                                -> CertificateVerify (if there is a certificate), Finished
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, Hash, SignatureScheme, Signing};

use super::super::StepOutcome;
use super::super::auth::pick_scheme;
use super::super::proof::FinishedOk;
use super::super::schedule13::{ApplicationSecrets, verify_data};
use super::Env;
use super::certificate::check_own_type;
use super::session;
use super::tls13::{Outcome, Step};
use crate::Error;
use crate::codec::Writer;
use crate::config::client::ClientConfig;
use crate::config::credentials::{CertChoice, CertificateRequestView, CertifiedKey};
use crate::connection::event::{Question, Wait};
use crate::connection::info::Exporter;
use crate::connection::tickets::Tickets;
use crate::messages::certificate::{Certificate, Wanted};
use crate::messages::certificate_request::CertificateRequest;
use crate::messages::certificate_verify::{CertificateVerify, client_signed_content};
use crate::messages::compressed_certificate::CompressedCertificate;
use crate::messages::finished::Finished;
use crate::messages::{CertificateType, HandshakeType};
use crate::session::UnixMillis;

/// Asks the configuration which certificate to show.
pub(crate) fn choose(config: &ClientConfig, request: &CertificateRequestView<'_>) -> CertChoice {
    match &config.certificates {
        Some(resolver) => resolver.resolve(request),
        None => CertChoice::None,
    }
}

/// A certificate to show, of the type that was agreed on, with a scheme that the server can check.
pub(crate) struct Shown {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) scheme: SignatureScheme,
}

impl Shown {
    /// `None` if there is nothing to show: no certificate, or one whose key signs in no way that
    /// the server can check. Then an empty list is sent, and the server decides whether that will
    /// do (RFC 9846, Section 4.5.1.4).
    pub(crate) fn new(
        key: Option<Arc<CertifiedKey>>,
        agreed: CertificateType,
        request: &CertificateRequest<'_>,
    ) -> Result<Option<Self>, Error> {
        let Some(key) = key else {
            return Ok(None);
        };
        check_own_type(&key, agreed)?;
        let theirs = request.signature_algorithms;
        let scheme = pick_scheme(key.key().schemes(), |scheme| theirs.contains(&scheme));
        Ok(scheme.map(|scheme| Self { key, scheme }))
    }

    /// The certificate as the server can decompress it (RFC 8879), in the handshake.
    fn compressed(&self, request: &CertificateRequest<'_>) -> Option<CompressedCertificate<'_>> {
        let theirs = request.compress_certificate?;
        let known = |algorithm| theirs.contains(&algorithm);
        self.key
            .compressed(self.key.stapled(wanted(request)), known)
    }
}

/// Writes the Certificate that answers a request. No certificate to show is said with an empty
/// list (RFC 9846, Section 4.5.1).
pub(crate) fn write_certificate(
    w: &mut Writer<'_>,
    request: &CertificateRequest<'_>,
    shown: Option<&Shown>,
) -> Result<(), Error> {
    let key = shown.map(|shown| &shown.key);
    let chain = key.map_or(&[][..], |key| key.chain());
    let stapled = key.map(|key| key.stapled(wanted(request)));
    Certificate::write(w, request.context, chain, stapled.unwrap_or_default())
}

/// What the server asks for beside the certificates.
const fn wanted(request: &CertificateRequest<'_>) -> Wanted {
    Wanted {
        ocsp: request.status_request,
        scts: false,
    }
}

/// The server has proved who it is; our last flight is due.
pub(super) struct LastFlight {
    pub(super) hash: &'static Hash,
    /// Our handshake traffic secret.
    pub(super) base: Digest,
    pub(super) application: ApplicationSecrets,
    /// When the peers proved who they are, if that was before.
    pub(super) authenticated_at: Option<UnixMillis>,
    /// The server's Finished was right.
    pub(super) proof: FinishedOk,
}

impl LastFlight {
    /// Answers the CertificateRequest with this body.
    pub(super) fn answer(self, request: Box<[u8]>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let read = CertificateRequest::read(&request)?;
        let certificate_type = env.cx.info.client_certificate_type;
        let view = CertificateRequestView::tls13(&read, certificate_type);
        match choose(env.config, &view) {
            CertChoice::Use(key) => self.show(Some(key), &read, env),
            CertChoice::None => self.show(None, &read, env),
            CertChoice::Pending => {
                let step = AwaitChoice {
                    last: self,
                    request,
                    certificate_type,
                };
                Ok(Step::Choice(Box::new(step)).wait(Wait::Certificate))
            }
        }
    }

    fn show(
        self,
        key: Option<Arc<CertifiedKey>>,
        request: &CertificateRequest<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let agreed = env.cx.info.client_certificate_type;
        let shown = Shown::new(key, agreed, request)?;
        let compressed = shown.as_ref().and_then(|shown| shown.compressed(request));
        match compressed {
            Some(message) => {
                let typ = HandshakeType::COMPRESSED_CERTIFICATE;
                env.cx.send(env.flight, typ, &mut |w| message.write(w))?;
            }
            None => env
                .cx
                .send(env.flight, HandshakeType::CERTIFICATE, &mut |w| {
                    write_certificate(w, request, shown.as_ref())
                })?,
        }
        let Some(shown) = shown else {
            return self.finish(env);
        };
        let message = client_signed_content(env.cx.transcript.current().as_ref());
        match shown.key.key().sign(shown.scheme, &message)? {
            Signing::Done(signature) => self.finish_signed(shown.scheme, &signature, env),
            Signing::Pending => {
                let step = AwaitSignature {
                    last: self,
                    shown,
                    message,
                };
                Ok(Step::Signature(Box::new(step)).wait(Wait::Signature))
            }
        }
    }

    fn finish_signed(
        self,
        scheme: SignatureScheme,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        env.cx
            .send(env.flight, HandshakeType::CERTIFICATE_VERIFY, &mut |w| {
                CertificateVerify { scheme, signature }.write(w)
            })?;
        env.cx.info.client_signature_scheme = Some(scheme);
        self.finish(env)
    }

    /// Sends Finished, and goes over to application data.
    pub(super) fn finish(self, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let transcript = env.cx.transcript.current();
        let ours = verify_data(self.hash, &self.base, &transcript)?;
        env.cx.send(env.flight, HandshakeType::FINISHED, &mut |w| {
            Finished {
                verify_data: ours.as_ref(),
            }
            .write(w)
        })?;
        env.flight.end_flight()?;
        let application = self.application;
        env.cx
            .install_write(env.flight, application.traffic.client_keys())?;
        let read = application.traffic.server_keys();
        env.cx.log_application(&application);
        if let Some(sessions) = &env.config.sessions {
            let secret = application.resumption(&env.cx.transcript.current())?;
            let now = sessions.clock.now();
            let authenticated_at = self.authenticated_at.unwrap_or(now);
            env.cx.tickets = Some(Box::new(Tickets {
                sessions: sessions.clone(),
                name: env.name.clone(),
                secret,
                template: session::template(authenticated_at, env),
            }));
        }
        env.cx.info.exporter = Some(Exporter::tls13(self.hash, application.exporter));
        Ok(StepOutcome::done(self.proof).read_with(read))
    }
}

/// Our certificate will be chosen later.
pub(super) struct AwaitChoice {
    last: LastFlight,
    /// The body of the CertificateRequest.
    request: Box<[u8]>,
    certificate_type: CertificateType,
}

impl AwaitChoice {
    pub(super) fn question(&self) -> Option<Question<'_>> {
        // It was read before, so it can be read again.
        let request = CertificateRequest::read(&self.request).ok()?;
        let view = CertificateRequestView::tls13(&request, self.certificate_type);
        Some(Question::ClientCertificate(view))
    }

    pub(super) fn on_choice(
        self,
        choice: Option<Arc<CertifiedKey>>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let request = CertificateRequest::read(&self.request)?;
        self.last.show(choice, &request, env)
    }
}

/// Our key will sign later.
pub(super) struct AwaitSignature {
    last: LastFlight,
    shown: Shown,
    message: Vec<u8>,
}

impl AwaitSignature {
    pub(super) fn question(&self) -> Question<'_> {
        Question::Signature {
            key: &self.shown.key,
            scheme: self.shown.scheme,
            message: &self.message,
        }
    }

    pub(super) fn on_signature(
        self,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        self.last.finish_signed(self.shown.scheme, signature, env)
    }
}
