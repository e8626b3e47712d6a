//! The server's handshake.
//!
//! ```text
//!   AwaitClientHello             <- ClientHello            -> HelloRetryRequest, or go on
//!   tls13::Step    everything after it, or tls12::Step
//! ```

use alloc::sync::Arc;

use super::{ChangeCipherSpec, Context, Handshake, Outcome, Side};
use crate::config::server::ServerConfig;
use crate::connection::event::{Answer, Question};
use crate::error::Misuse;
use crate::messages::HandshakeType;
use crate::record::Flight;
use crate::record::joiner::Message;
use crate::{Error, PeerError};

pub(crate) mod certificate;
#[cfg(feature = "tls12")]
mod finish12;
mod finish13;
mod hello;
#[cfg(feature = "psk12")]
mod psk12;
mod psk13;
pub(crate) mod request13;
#[cfg(feature = "tls12")]
mod resume12;
mod resumption;
#[cfg(feature = "tls12")]
mod tickets12;
mod tickets13;
#[cfg(feature = "tls12")]
mod tls12;
mod tls13;

use hello::AwaitClientHello;

/// A server in its handshake.
pub(crate) struct Server {
    pub(super) config: Arc<ServerConfig>,
    /// `None` once the handshake is over, for good or bad.
    step: Option<Step>,
}

enum Step {
    ClientHello(AwaitClientHello),
    Tls13(tls13::Step),
    #[cfg(feature = "tls12")]
    Tls12(tls12::Step),
}

const _: () = assert!(size_of::<Step>() <= 320);

/// What every step of a server may use.
struct Env<'a> {
    config: &'a ServerConfig,
    cx: &'a mut Context,
    flight: &'a mut dyn Flight,
}

impl Handshake {
    /// Starts a server, which waits for a ClientHello.
    pub(crate) fn server(config: Arc<ServerConfig>) -> Self {
        let cx = Context::new(&config.common);
        let step = Some(Step::ClientHello(AwaitClientHello::default()));
        Self {
            cx,
            side: Side::Server(Server { config, step }),
        }
    }
}

impl Server {
    /// See [`AwaitClientHello::expect_cookie`].
    #[cfg(test)]
    pub(super) fn expect_cookie(&mut self, cookie: alloc::vec::Vec<u8>) {
        if let Some(Step::ClientHello(step)) = &mut self.step {
            step.expect_cookie(cookie);
        }
    }

    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match &self.step {
            Some(Step::ClientHello(_)) => typ == HandshakeType::CLIENT_HELLO,
            Some(Step::Tls13(step)) => step.expects(typ),
            #[cfg(feature = "tls12")]
            Some(Step::Tls12(step)) => step.expects(typ),
            None => false,
        }
    }

    /// Takes a change_cipher_spec. In TLS 1.3 it means nothing, from the first ClientHello on
    /// (RFC 9846, Section 5).
    pub(super) fn on_change_cipher_spec(&mut self) -> Result<ChangeCipherSpec, Error> {
        match self.step.take() {
            Some(Step::ClientHello(step)) if step.is_first() => {
                Err(PeerError::UnexpectedChangeCipherSpec.into())
            }
            #[cfg(feature = "tls12")]
            Some(Step::Tls12(step)) => {
                let (next, meaning) = step.on_change_cipher_spec()?;
                self.step = Some(Step::Tls12(next));
                Ok(meaning)
            }
            step => {
                self.step = step;
                Ok(ChangeCipherSpec::Ignored)
            }
        }
    }

    pub(super) fn on_message(
        &mut self,
        message: Message<'_>,
        cx: &mut Context,
        flight: &mut dyn Flight,
    ) -> Result<Outcome, Error> {
        let step = self.step.take().ok_or(Misuse::Closed)?;
        let mut env = Env {
            config: &self.config,
            cx,
            flight,
        };
        let outcome = match step {
            Step::ClientHello(step) => step.on_client_hello(message, &mut env)?,
            Step::Tls13(step) => step.on_message(message, &mut env)?,
            #[cfg(feature = "tls12")]
            Step::Tls12(step) => step.on_message(message, &mut env)?,
        };
        Ok(outcome.store(&mut self.step))
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match &self.step {
            Some(Step::Tls13(step)) => step.question(),
            #[cfg(feature = "tls12")]
            Some(Step::Tls12(step)) => step.question(),
            _ => None,
        }
    }

    pub(super) fn answer(
        &mut self,
        answer: Answer,
        cx: &mut Context,
        flight: &mut dyn Flight,
    ) -> Result<Outcome, Error> {
        let mut env = Env {
            config: &self.config,
            cx,
            flight,
        };
        let outcome = match (self.step.take(), answer) {
            (Some(Step::Tls13(tls13::Step::Choice(step))), Answer::Certificate(choice)) => {
                step.on_choice(choice, &mut env)?
            }
            (Some(Step::Tls13(tls13::Step::Signature(step))), Answer::Signature(signature)) => {
                step.on_signature(&signature?, &mut env)?
            }
            (Some(Step::Tls13(tls13::Step::Verdict(step))), Answer::Verdict(verdict)) => {
                step.on_verdict(verdict)?
            }
            #[cfg(feature = "psk12")]
            (Some(Step::Tls12(tls12::Step::Psk(step))), Answer::Psk(psk)) => {
                step.on_psk(psk, &mut env)?
            }
            (Some(Step::Tls13(tls13::Step::Lookup(step))), answer) if step.is_for(&answer) => {
                step.on_answer(answer, &mut env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Session(step))), Answer::Session(session)) => {
                step.on_session(session, &mut env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::ResumedVerdict(step))), Answer::Verdict(verdict)) => {
                step.on_verdict(verdict, &mut env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Choice(step))), Answer::Certificate(choice)) => {
                step.on_choice(choice, &mut env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Signature(step))), Answer::Signature(signature)) => {
                step.on_signature(&signature?, &mut env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Verdict(step))), Answer::Verdict(verdict)) => {
                step.on_verdict(verdict)?
            }
            (step, _) => {
                self.step = step;
                return Err(Misuse::NoSuchQuestion.into());
            }
        };
        Ok(outcome.store(&mut self.step))
    }
}
