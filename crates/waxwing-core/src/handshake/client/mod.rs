//! The client's handshake.
//!
//! ```text
//!   start          -> ClientHello
//!   AwaitServerHello             <- ServerHello, or HelloRetryRequest -> ClientHello
//!   tls13::Step    everything after it
//! ```

use alloc::sync::Arc;

use super::{Context, Handshake, Outcome, Side, StepOutcome};
use crate::config::client::ClientConfig;
use crate::connection::event::{Answer, Question};
use crate::error::Misuse;
use crate::messages::HandshakeType;
use crate::record::Flight;
use crate::record::joiner::Message;
use crate::{Error, ServerName};

mod hello;
mod tls13;

use hello::AwaitServerHello;

/// A client in its handshake.
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    name: ServerName,
    /// `None` once the handshake is over, for good or bad.
    step: Option<Step>,
}

enum Step {
    ServerHello(AwaitServerHello),
    Tls13(tls13::Step),
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
        let mut cx = Context::new(config.common.key_log.clone(), config.common.trace.clone());
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
        };
        Ok(outcome.store(&mut self.step))
    }

    pub(super) fn question(&self) -> Option<Question<'_>> {
        match &self.step {
            Some(Step::Tls13(step)) => step.question(),
            _ => None,
        }
    }

    /// No answer of a client's has anything to send yet.
    pub(super) fn answer(
        &mut self,
        answer: Answer,
        _cx: &mut Context,
        _flight: &mut dyn Flight,
    ) -> Result<Outcome, Error> {
        match (self.step.take(), answer) {
            (Some(Step::Tls13(tls13::Step::Verdict(step))), Answer::Verdict(verdict)) => {
                Ok(step.on_verdict(verdict)?.store(&mut self.step))
            }
            (step, _) => {
                self.step = step;
                Err(Misuse::NoSuchQuestion.into())
            }
        }
    }
}
