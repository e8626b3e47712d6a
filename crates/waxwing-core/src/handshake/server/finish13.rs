//! The client's last flight of the handshake in TLS 1.3 (RFC 9846, Section 2).
//!
//! ```text
//!   AwaitEndOfEarlyData       <- EndOfEarlyData, if we take early data
//!   AwaitCertificate          <- Certificate, if we asked for one
//!   AwaitVerdict                 only if the verifier answers later
//!   AwaitCertificateVerify    <- CertificateVerify, if there was a certificate
//!   AwaitFinished             <- Finished
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, Hash};

use super::super::StepOutcome;
use super::super::auth::{check_finished, check_signature};
use super::super::compression::certificate_body;
use super::super::proof::SignatureOk;
use super::Env;
use super::certificate::{Judged, judge};
use super::tickets13::Issue;
use super::tls13::{Outcome, Step};
use crate::config::verifier::Verified;
use crate::connection::event::{OwnedClientCertRequest, Question, Wait};
use crate::connection::info::Exporter;
use crate::messages::certificate::Certificate;
use crate::messages::certificate_verify::{CertificateVerify, client_signed_content};
use crate::messages::end_of_early_data::EndOfEarlyData;
use crate::messages::extensions::ExtensionSet;
use crate::messages::finished::Finished;
use crate::messages::{ExtensionType, HandshakeType};
use crate::record::EpochKeys;
use crate::record::joiner::Message;
use crate::{Error, Incompatible, PeerError, Rejection};

/// What the client has to confirm, and what follows when it has.
pub(super) struct Confirmation {
    pub(super) hash: &'static Hash,
    /// The client's handshake traffic secret.
    pub(super) base: Digest,
    /// What the client sends its application data under.
    pub(super) client_keys: EpochKeys,
    /// Nobody may use it before the client is known to have the same.
    pub(super) exporter: Exporter,
    /// What to send when it has.
    pub(super) tickets: Option<Issue>,
}

impl Confirmation {
    /// Our flight is out. `requested` is what a certificate of the client may answer, if we asked
    /// for one.
    pub(super) fn expect(self, requested: Option<ExtensionSet>) -> Outcome {
        match requested {
            Some(offered) => {
                let step = AwaitCertificate {
                    confirmation: self,
                    offered,
                };
                Step::Certificate(Box::new(step)).next()
            }
            None => self.expect_finished(None),
        }
    }

    /// `signature` is there if the client showed a certificate.
    fn expect_finished(self, signature: Option<SignatureOk>) -> Outcome {
        let step = AwaitFinished {
            confirmation: self,
            _signature: signature,
        };
        Step::Finished(Box::new(step)).next()
    }

    fn expect_signature(self, verified: Verified) -> Outcome {
        let step = AwaitCertificateVerify {
            confirmation: self,
            verified,
        };
        Step::CertificateVerify(Box::new(step)).next()
    }
}

/// The client sends early data, which we take.
pub(super) struct AwaitEndOfEarlyData {
    pub(super) confirmation: Confirmation,
    /// What comes after it.
    pub(super) keys: EpochKeys,
}

impl AwaitEndOfEarlyData {
    pub(super) fn on_end_of_early_data(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        EndOfEarlyData::read(message.body())?;
        env.cx.transcript.add(message.bytes);
        env.cx.early_data_left = None;
        // RFC 9846, Section 4.4.2: with a PSK no certificate is asked for.
        Ok(self.confirmation.expect(None).read_with(self.keys))
    }
}

/// The client was asked who it is.
pub(super) struct AwaitCertificate {
    confirmation: Confirmation,
    /// The extensions of our request.
    offered: ExtensionSet,
}

impl AwaitCertificate {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        typ == HandshakeType::CERTIFICATE
            || typ == HandshakeType::COMPRESSED_CERTIFICATE
                && self.offered.contains(ExtensionType::COMPRESS_CERTIFICATE)
    }

    pub(super) fn on_certificate(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let body = certificate_body(&message, &env.config.common.decompressors)?;
        let certificate = Certificate::read(&body, Some(&self.offered))?;
        // RFC 9846, Section 4.5.1: it echoes that of the request.
        if !certificate.context.is_empty() {
            return Err(PeerError::RequestContext.into());
        }
        let entries = certificate.entries.iter();
        let chain: Vec<&[u8]> = entries.map(|entry| entry.certificate).collect();
        env.cx.transcript.add(message.bytes);
        let Self { confirmation, .. } = self;
        match judge(&chain, Incompatible::NoClientCertificate, env)? {
            Judged::Nobody => Ok(confirmation.expect_finished(None)),
            Judged::Accepted(verified) => Ok(confirmation.expect_signature(verified)),
            Judged::Later(request) => {
                let step = AwaitVerdict {
                    confirmation,
                    request,
                };
                Ok(Step::Verdict(Box::new(step)).wait(Wait::Verdict))
            }
        }
    }
}

/// The verifier will answer later.
pub(super) struct AwaitVerdict {
    confirmation: Confirmation,
    request: OwnedClientCertRequest,
}

impl AwaitVerdict {
    pub(super) const fn question(&self) -> Question<'_> {
        Question::ClientVerdict(&self.request)
    }

    pub(super) fn on_verdict(self, verdict: Result<Verified, Rejection>) -> Result<Outcome, Error> {
        Ok(self.confirmation.expect_signature(verdict?))
    }
}

/// The certificate is good; does the client hold its key?
pub(super) struct AwaitCertificateVerify {
    confirmation: Confirmation,
    verified: Verified,
}

impl AwaitCertificateVerify {
    pub(super) fn on_certificate_verify(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let verify = CertificateVerify::read(message.body())?;
        let content = client_signed_content(env.cx.transcript.current().as_ref());
        let provider = env.config.common.provider;
        let proof = check_signature(provider, &verify, &self.verified, &content)?;
        env.cx.info.client_signature_scheme = Some(verify.scheme);
        env.cx.info.client_authenticated = true;
        env.cx.info.peer_note = self.verified.note().cloned();
        env.cx.transcript.add(message.bytes);
        Ok(self.confirmation.expect_finished(Some(proof)))
    }
}

/// The client has to confirm that it heard and said the same.
pub(super) struct AwaitFinished {
    confirmation: Confirmation,
    /// There if the client showed a certificate.
    _signature: Option<SignatureOk>,
}

impl AwaitFinished {
    pub(super) fn on_finished(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Confirmation {
            hash,
            base,
            client_keys,
            exporter,
            tickets,
        } = self.confirmation;
        let finished = Finished::read(message.body())?;
        let transcript = env.cx.transcript.current();
        let proof = check_finished(hash, &base, &transcript, &finished)?;
        env.cx.transcript.add(message.bytes);
        env.cx.info.exporter = Some(exporter);
        if let Some(tickets) = tickets {
            tickets.send(env)?;
        }
        Ok(StepOutcome::done(proof).read_with(client_keys))
    }
}
