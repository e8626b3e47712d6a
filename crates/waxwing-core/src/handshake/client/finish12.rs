//! Our flight in TLS 1.2, and how the server ends the handshake (RFC 5246, Section 7.3).
//!
//! ```text
//!   AwaitChoice                     only if the choice of our certificate comes later
//!                                -> Certificate (if asked for), ClientKeyExchange
//!   AwaitSignature                  only if our key answers later
//!                                -> CertificateVerify, change_cipher_spec, Finished
//!   AwaitNewSessionTicket        <- NewSessionTicket, if promised
//!   AwaitChangeCipherSpec        <- change_cipher_spec
//!   AwaitFinished                <- Finished
//!                                -> change_cipher_spec, Finished, if a session is resumed
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{SignatureScheme, Signing};

use super::super::auth::{check_finished12, pick_scheme12};
use super::super::schedule12::{Binding, MainSecret};
use super::super::{SessionId, StepOutcome};
use super::Env;
use super::certificate::check_own_type;
use super::resume12::{self, Ticket};
use super::tls12::{Outcome, Settled, Share, Step};
use crate::Error;
use crate::config::credentials::CertifiedKey;
use crate::connection::event::Wait;
use crate::messages::certificate_request12::CertificateRequest12;
use crate::messages::certificate_verify::CertificateVerify;
use crate::messages::certificate12;
use crate::messages::client_key_exchange::ClientKeyExchange;
use crate::messages::finished::Finished;
use crate::messages::new_session_ticket12::NewSessionTicket12;
use crate::messages::{CertificateType, HandshakeType};
use crate::record::joiner::Message;
use crate::record::protect12::Keys12;
use crate::session::Session;

/// Our certificate will be chosen later.
pub(super) struct AwaitChoice {
    pub(super) turn: OurTurn,
    /// The body of the CertificateRequest.
    pub(super) request: Box<[u8]>,
    pub(super) certificate_type: CertificateType,
}

impl AwaitChoice {
    pub(super) fn on_choice(
        self,
        choice: Option<Arc<CertifiedKey>>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        self.turn.with_certificate(choice, &self.request, env)
    }
}

/// The server is done; our flight is due.
pub(super) struct OurTurn {
    pub(super) settled: Settled,
    pub(super) share: Share,
}

impl OurTurn {
    pub(super) fn without_certificate(self, env: &mut Env<'_>) -> Result<Outcome, Error> {
        let settled = self.settled;
        let secret = self.send_key_exchange(env)?;
        env.cx.transcript.take_log();
        finish_flight(secret, settled, env)
    }

    /// The server asked for a certificate, and is shown this one; an empty list if there is none,
    /// or none whose key signs in a way that the server can check (RFC 5246, Section 7.4.6).
    pub(super) fn with_certificate(
        self,
        key: Option<Arc<CertifiedKey>>,
        request: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let signer = match key {
            Some(key) => {
                check_own_type(&key, env.cx.info.client_certificate_type)?;
                let request = CertificateRequest12::read(request)?;
                let ours = key.key().schemes();
                pick_scheme12(ours, None, |scheme| request.allows(scheme))
                    .map(|scheme| (key, scheme))
            }
            None => None,
        };
        let typ = env.cx.info.client_certificate_type;
        let chain = signer.as_ref().map_or(&[][..], |(key, _)| key.chain());
        env.cx
            .send(env.flight, HandshakeType::CERTIFICATE, &mut |w| {
                certificate12::write_chain(w, typ, chain)
            })?;
        let Some((key, scheme)) = signer else {
            return self.without_certificate(env);
        };
        let settled = self.settled;
        let secret = self.send_key_exchange(env)?;
        let message = env.cx.transcript.take_log();
        match key.key().sign(scheme, &message)? {
            Signing::Done(signature) => finish_signed(secret, settled, scheme, &signature, env),
            Signing::Pending => {
                let step = AwaitSignature {
                    secret,
                    settled,
                    key,
                    scheme,
                    message,
                };
                Ok(Step::Signature(Box::new(step)).wait(Wait::Signature))
            }
        }
    }

    fn send_key_exchange(self, env: &mut Env<'_>) -> Result<MainSecret, Error> {
        let Self { settled, share } = self;
        let typ = HandshakeType::CLIENT_KEY_EXCHANGE;
        let message = ClientKeyExchange {
            public: &share.public,
        };
        env.cx.send(env.flight, typ, &mut |w| message.write(w))?;
        let session = env.cx.transcript.current();
        let binding = if env.cx.info.extended_main_secret {
            Binding::Extended(&session)
        } else {
            Binding::Randoms
        };
        let randoms = settled.randoms(env);
        let secret = MainSecret::new(settled.suite, share.shared.as_ref(), randoms, &binding)?;
        env.cx.log_main_secret(&secret);
        Ok(secret)
    }
}

/// Our key will sign later.
pub(super) struct AwaitSignature {
    pub(super) secret: MainSecret,
    settled: Settled,
    pub(super) key: Arc<CertifiedKey>,
    pub(super) scheme: SignatureScheme,
    pub(super) message: Vec<u8>,
}

impl AwaitSignature {
    pub(super) fn on_signature(
        self,
        signature: &[u8],
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        finish_signed(self.secret, self.settled, self.scheme, signature, env)
    }
}

fn finish_signed(
    secret: MainSecret,
    settled: Settled,
    scheme: SignatureScheme,
    signature: &[u8],
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    env.cx
        .send(env.flight, HandshakeType::CERTIFICATE_VERIFY, &mut |w| {
            CertificateVerify { scheme, signature }.write(w)
        })?;
    env.cx.info.client_signature_scheme = Some(scheme);
    finish_flight(secret, settled, env)
}

/// Our flight ends; the server's end is due.
pub(super) fn finish_flight(
    secret: MainSecret,
    settled: Settled,
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let (client_keys, server_keys) = secret.keys()?;
    send_finished(&secret, &client_keys, env)?;
    let ending = Ending {
        secret,
        basis: Basis::Fresh {
            session_id: settled.session_id,
        },
        ticket: None,
    };
    Ok(ending.expect(settled.ticket, Box::new(server_keys)))
}

/// Sends change_cipher_spec and Finished.
fn send_finished(secret: &MainSecret, keys: &Keys12, env: &mut Env<'_>) -> Result<(), Error> {
    let ours = secret.client_verify_data(&env.cx.transcript.current())?;
    env.cx.change_keys(env.flight, keys)?;
    env.cx.send(env.flight, HandshakeType::FINISHED, &mut |w| {
        Finished {
            verify_data: ours.as_ref(),
        }
        .write(w)
    })?;
    env.flight.end_flight()
}

/// How the handshake ends.
pub(super) struct Ending {
    pub(super) secret: MainSecret,
    pub(super) basis: Basis,
    /// What the server gave, once it has.
    pub(super) ticket: Option<Ticket>,
}

/// What the connection rests on.
pub(super) enum Basis {
    /// A full handshake. Our Finished is out.
    Fresh {
        /// What the server calls the session; empty if it keeps none by that.
        session_id: SessionId,
    },
    /// A session. Our Finished follows the server's.
    Resumed {
        session: Box<Session>,
        client_keys: Box<Keys12>,
    },
}

impl Ending {
    /// Waits for the server's end, before which a NewSessionTicket comes if it `promised` one.
    pub(super) fn expect(self, promised: bool, keys: Box<Keys12>) -> Outcome {
        let step = AwaitChangeCipherSpec { ending: self, keys };
        if promised {
            Step::NewSessionTicket(Box::new(AwaitNewSessionTicket(step))).next()
        } else {
            Step::ChangeCipherSpec(Box::new(step)).next()
        }
    }
}

/// The server promised a ticket, which has to come (RFC 5077, Section 3.3).
pub(super) struct AwaitNewSessionTicket(AwaitChangeCipherSpec);

impl AwaitNewSessionTicket {
    pub(super) fn on_new_session_ticket(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self(mut step) = self;
        step.ending.ticket = Ticket::of(&NewSessionTicket12::read(message.body())?);
        env.cx.transcript.add(message.bytes);
        Ok(Step::ChangeCipherSpec(Box::new(step)).next())
    }
}

/// The server switches to the keys agreed on. It sends nothing before.
pub(super) struct AwaitChangeCipherSpec {
    ending: Ending,
    keys: Box<Keys12>,
}

impl AwaitChangeCipherSpec {
    /// The next step, and the keys from here on.
    pub(super) fn on_change_cipher_spec(self) -> (AwaitFinished, Box<Keys12>) {
        (AwaitFinished(self.ending), self.keys)
    }
}

/// Everything was said; was it said by the same server, unchanged?
pub(super) struct AwaitFinished(Ending);

impl AwaitFinished {
    pub(super) fn on_finished(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self(Ending {
            secret,
            basis,
            ticket,
        }) = self;
        let finished = Finished::read(message.body())?;
        let expected = secret.server_verify_data(&env.cx.transcript.current())?;
        let proof = check_finished12(&expected, &finished)?;
        match basis {
            Basis::Fresh { session_id } => {
                resume12::keep_fresh(&secret, ticket, session_id.as_ref(), env)?;
            }
            Basis::Resumed {
                session,
                client_keys,
            } => {
                env.cx.transcript.add(message.bytes);
                send_finished(&secret, &client_keys, env)?;
                resume12::keep_renewed(*session, ticket, env);
            }
        }
        env.cx.info.exporter = Some(secret.exporter());
        Ok(StepOutcome::done(proof))
    }
}
