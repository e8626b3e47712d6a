//! The client's flight in TLS 1.2, and the end of the handshake (RFC 5246, Section 7.3).
//!
//! ```text
//!   AwaitCertificate          <- Certificate, if we asked for one
//!   AwaitVerdict                 only if the verifier answers later
//!   AwaitClientKeyExchange    <- ClientKeyExchange
//!   AwaitCertificateVerify    <- CertificateVerify, if there was a certificate
//!   AwaitChangeCipherSpec     <- change_cipher_spec
//!   AwaitFinished             <- Finished
//!                             -> NewSessionTicket (if promised), change_cipher_spec, Finished
//! ```

use alloc::boxed::Box;

use waxwing_crypto::CryptoError;

use super::super::StepOutcome;
use super::super::auth::{check_finished12, check_signature12};
use super::super::proof::SignatureOk;
use super::super::schedule12::{Binding, MainSecret, Randoms};
use super::Env;
use super::certificate::{Judged, judge};
use super::tickets12::Promise;
use super::tls12::{Offer, Outcome, Step};
use crate::config::verifier::Verified;
use crate::connection::event::{OwnedClientCertRequest, Wait};
use crate::messages::HandshakeType;
use crate::messages::certificate_verify::CertificateVerify;
use crate::messages::certificate12;
use crate::messages::client_key_exchange::ClientKeyExchange;
use crate::messages::finished::Finished;
use crate::record::joiner::Message;
use crate::record::protect12::Keys12;
use crate::{Error, Incompatible, PeerError, Rejection};

/// The client was asked who it is.
pub(super) struct AwaitCertificate {
    pub(super) offer: Offer,
}

impl AwaitCertificate {
    pub(super) fn on_certificate(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let typ = env.cx.info.client_certificate_type;
        let chain = certificate12::read_chain(message.body(), typ)?;
        env.cx.transcript.add(message.bytes);
        let Self { offer } = self;
        match judge(&chain, Incompatible::NoClientCertificate12, env)? {
            Judged::Nobody => Ok(AwaitClientKeyExchange::after(offer, None)),
            Judged::Accepted(verified) => Ok(AwaitClientKeyExchange::after(offer, Some(verified))),
            Judged::Later(request) => {
                let step = AwaitVerdict { offer, request };
                Ok(Step::Verdict(Box::new(step)).wait(Wait::Verdict))
            }
        }
    }
}

/// The verifier will answer later.
pub(super) struct AwaitVerdict {
    pub(super) offer: Offer,
    pub(super) request: OwnedClientCertRequest,
}

impl AwaitVerdict {
    pub(super) fn on_verdict(self, verdict: Result<Verified, Rejection>) -> Result<Outcome, Error> {
        Ok(AwaitClientKeyExchange::after(self.offer, Some(verdict?)))
    }
}

/// The client's share is next.
pub(super) struct AwaitClientKeyExchange {
    pub(super) offer: Offer,
    /// Whom the client's certificate stands for, if it showed one.
    pub(super) verified: Option<Verified>,
}

impl AwaitClientKeyExchange {
    fn after(offer: Offer, verified: Option<Verified>) -> Outcome {
        Step::ClientKeyExchange(Box::new(Self { offer, verified })).next()
    }

    pub(super) fn on_client_key_exchange(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self { offer, verified } = self;
        let exchange = ClientKeyExchange::read(message.body())?;
        let group = offer.share.group();
        let shared = offer
            .share
            .complete(group, exchange.public)
            .map_err(|error| match error {
                CryptoError::InvalidPublicValue => Error::from(PeerError::BadKeyShare),
                other => other.into(),
            })?;
        env.cx.transcript.add(message.bytes);
        let session = env.cx.transcript.current();
        let binding = if env.cx.info.extended_main_secret {
            Binding::Extended(&session)
        } else {
            Binding::Randoms
        };
        let randoms = Randoms {
            client: env.cx.client_random,
            server: offer.server_random,
        };
        let secret = MainSecret::new(offer.suite, shared.as_ref(), randoms, &binding)?;
        env.cx.log_main_secret(&secret);
        let promise = offer.promise;
        match verified {
            Some(verified) => {
                let step = AwaitCertificateVerify {
                    secret,
                    promise,
                    verified,
                };
                Ok(Step::CertificateVerify(Box::new(step)).next())
            }
            None => {
                env.cx.transcript.take_log();
                AwaitChangeCipherSpec::after(secret, promise, None)
            }
        }
    }
}

/// The certificate is good; does the client hold its key?
pub(super) struct AwaitCertificateVerify {
    secret: MainSecret,
    promise: Promise,
    verified: Verified,
}

impl AwaitCertificateVerify {
    pub(super) fn on_certificate_verify(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let verify = CertificateVerify::read(message.body())?;
        // RFC 5246, Section 7.4.8: everything before this message.
        let signed = env.cx.transcript.take_log();
        let provider = env.config.common.provider;
        let (scheme, signature) = (verify.scheme, verify.signature);
        let proof = check_signature12(provider, scheme, &self.verified, &signed, signature)?;
        env.cx.info.client_signature_scheme = Some(scheme);
        env.cx.info.client_authenticated = true;
        env.cx.info.peer_note = self.verified.note().cloned();
        env.cx.transcript.add(message.bytes);
        AwaitChangeCipherSpec::after(self.secret, self.promise, Some(proof))
    }
}

/// The client switches to the keys agreed on. It sends nothing before.
pub(super) struct AwaitChangeCipherSpec {
    secret: MainSecret,
    promise: Promise,
    client_keys: Box<Keys12>,
    server_keys: Box<Keys12>,
}

impl AwaitChangeCipherSpec {
    /// `_signature` is there if the client showed a certificate.
    pub(super) fn after(
        secret: MainSecret,
        promise: Promise,
        _signature: Option<SignatureOk>,
    ) -> Result<Outcome, Error> {
        let (client_keys, server_keys) = secret.keys()?;
        let step = Self {
            secret,
            promise,
            client_keys: Box::new(client_keys),
            server_keys: Box::new(server_keys),
        };
        Ok(Step::ChangeCipherSpec(Box::new(step)).next())
    }

    /// The next step, and the keys from here on.
    pub(super) fn on_change_cipher_spec(self) -> (AwaitFinished, Box<Keys12>) {
        let Self {
            secret,
            promise,
            client_keys,
            server_keys,
        } = self;
        let next = AwaitFinished {
            secret,
            promise,
            server_keys,
        };
        (next, client_keys)
    }
}

/// Everything was said; was it heard unchanged?
pub(super) struct AwaitFinished {
    secret: MainSecret,
    promise: Promise,
    server_keys: Box<Keys12>,
}

impl AwaitFinished {
    pub(super) fn on_finished(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self {
            secret,
            promise,
            server_keys,
        } = self;
        let finished = Finished::read(message.body())?;
        let expected = secret.client_verify_data(&env.cx.transcript.current())?;
        let proof = check_finished12(&expected, &finished)?;
        env.cx.transcript.add(message.bytes);
        promise.fulfil(&secret, env)?;
        send_finished(&secret, &server_keys, env)?;
        env.cx.info.exporter = Some(secret.exporter());
        Ok(StepOutcome::done(proof))
    }
}

/// Sends change_cipher_spec and Finished.
pub(super) fn send_finished(
    secret: &MainSecret,
    keys: &Keys12,
    env: &mut Env<'_>,
) -> Result<(), Error> {
    let ours = secret.server_verify_data(&env.cx.transcript.current())?;
    env.cx.change_keys(env.flight, keys)?;
    env.cx.send(env.flight, HandshakeType::FINISHED, &mut |w| {
        Finished {
            verify_data: ours.as_ref(),
        }
        .write(w)
    })?;
    env.flight.end_flight()
}
