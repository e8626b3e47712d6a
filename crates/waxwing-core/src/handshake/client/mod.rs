//! The client's handshake.
//!
//! ```text
//!   start          -> ClientHello
//!   AwaitServerHello             <- ServerHello, or HelloRetryRequest -> ClientHello
//!   tls13::Step    everything after it, or tls12::Step
//! ```

use alloc::sync::Arc;

use super::{ChangeCipherSpec, Context, Handshake, Outcome, Side, StepOutcome};
use crate::config::client::ClientConfig;
use crate::connection::event::{Answer, Question};
use crate::error::Misuse;
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::record::Flight;
use crate::record::joiner::Message;
use crate::{Error, PeerError, ServerName};

mod certificate;
#[cfg(feature = "tls12")]
mod finish12;
pub(crate) mod finish13;
mod hello;
mod hello_writer;
#[cfg(feature = "psk12")]
mod psk12;
mod psk13;
#[cfg(feature = "tls12")]
mod resume12;
mod session;
mod shares;
#[cfg(feature = "tls12")]
mod tls12;
mod tls13;

use hello::AwaitServerHello;

/// A client in its handshake.
pub(crate) struct Client {
    pub(super) config: Arc<ClientConfig>,
    name: ServerName,
    /// `None` once the handshake is over, for good or bad.
    step: Option<Step>,
}

enum Step {
    ServerHello(AwaitServerHello),
    Tls13(tls13::Step),
    #[cfg(feature = "tls12")]
    Tls12(tls12::Step),
}

const _: () = assert!(size_of::<Step>() <= 320);

/// What every step of a client may use.
struct Env<'a> {
    config: &'a ClientConfig,
    name: &'a ServerName,
    cx: &'a mut Context,
    flight: &'a mut dyn Flight,
}

impl Handshake {
    /// Starts a client: sends its ClientHello.
    pub(crate) fn client(
        config: Arc<ClientConfig>,
        name: ServerName,
        flight: &mut dyn Flight,
    ) -> Result<Self, Error> {
        let mut cx = Context::new(&config.common);
        let mut env = Env {
            config: &config,
            name: &name,
            cx: &mut cx,
            flight,
        };
        let step = Some(Step::ServerHello(hello::start(&mut env)?));
        Ok(Self {
            cx,
            side: Side::Client(Client { config, name, step }),
        })
    }
}

impl Client {
    /// See [`AwaitServerHello::also_sent`].
    #[cfg(test)]
    pub(super) fn also_sent(&mut self, typ: crate::ExtensionType) {
        if let Some(Step::ServerHello(step)) = &mut self.step {
            step.also_sent(typ);
        }
    }

    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        match &self.step {
            Some(Step::ServerHello(_)) => typ == HandshakeType::SERVER_HELLO,
            Some(Step::Tls13(step)) => step.expects(typ),
            #[cfg(feature = "tls12")]
            Some(Step::Tls12(step)) => step.expects(typ),
            None => false,
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
            name: &self.name,
            cx,
            flight,
        };
        let outcome: StepOutcome<Step> = match step {
            Step::ServerHello(step) => step.on_server_hello(message, &mut env)?,
            Step::Tls13(step) => step.on_message(message, &mut env)?,
            #[cfg(feature = "tls12")]
            Step::Tls12(step) => step.on_message(message, &mut env)?,
        };
        Ok(outcome.store(&mut self.step))
    }

    /// Takes a change_cipher_spec. In TLS 1.3 it means nothing at any time (RFC 9846,
    /// Section 5).
    pub(super) fn on_change_cipher_spec(&mut self) -> Result<ChangeCipherSpec, Error> {
        match self.step.take() {
            #[cfg(feature = "tls12")]
            Some(Step::Tls12(step)) => {
                let (next, meaning) = step.on_change_cipher_spec()?;
                self.step = Some(Step::Tls12(next));
                Ok(meaning)
            }
            // A server that cannot mean TLS 1.3 has nothing to change yet.
            Some(Step::ServerHello(_))
                if !self.config.common.versions.contains(ProtocolVersion::TLS13) =>
            {
                Err(PeerError::UnexpectedChangeCipherSpec.into())
            }
            step => {
                self.step = step;
                Ok(ChangeCipherSpec::Ignored)
            }
        }
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
            name: &self.name,
            cx,
            flight,
        };
        let env = &mut env;
        let outcome = match (self.step.take(), answer) {
            (Some(Step::Tls13(tls13::Step::Verdict(step))), Answer::Verdict(verdict)) => {
                step.on_verdict(verdict)?
            }
            (Some(Step::Tls13(tls13::Step::Choice(step))), Answer::Certificate(choice)) => {
                step.on_choice(choice, env)?
            }
            (Some(Step::Tls13(tls13::Step::Signature(step))), Answer::Signature(signature)) => {
                step.on_signature(&signature?, env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Verdict(step))), Answer::Verdict(verdict)) => {
                step.on_verdict(verdict, env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Choice(step))), Answer::Certificate(choice)) => {
                step.on_choice(choice, env)?
            }
            #[cfg(feature = "tls12")]
            (Some(Step::Tls12(tls12::Step::Signature(step))), Answer::Signature(signature)) => {
                step.on_signature(&signature?, env)?
            }
            (step, _) => {
                self.step = step;
                return Err(Misuse::NoSuchQuestion.into());
            }
        };
        Ok(outcome.store(&mut self.step))
    }
}
