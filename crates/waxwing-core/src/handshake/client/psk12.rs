//! The client with a key that both sides have, in TLS 1.2 (RFC 4279; RFC 5489).
//!
//! ```text
//!   AwaitServerKeyExchange       <- ServerKeyExchange, which may be missing in plain PSK
//!   AwaitServerHelloDone         <- ServerHelloDone
//!                                -> ClientKeyExchange, and what ends every flight
//! ```
//!
//! No certificate is shown, and none is asked for (RFC 4279, Section 2): that the server knows the
//! key is seen from its Finished.

use alloc::boxed::Box;

use waxwing_crypto::{Authentication12, CryptoError};

use super::super::schedule12::{Binding, MainSecret};
use super::Env;
use super::finish12::finish_flight;
use super::tls12::{Outcome, Settled, Share, Step};
use crate::config::psk::ExternalPsk;
use crate::messages::HandshakeType;
use crate::messages::psk_key_exchange12::{PskClientKeyExchange, PskServerKeyExchange, premaster};
use crate::messages::server_hello_done::ServerHelloDone;
use crate::record::joiner::Message;
use crate::{Error, PeerError};

/// The server chose a suite with a PSK.
pub(super) struct AwaitServerKeyExchange {
    pub(super) settled: Settled,
}

impl AwaitServerKeyExchange {
    pub(super) fn expects(&self, typ: HandshakeType) -> bool {
        // RFC 4279, Section 2: without a hint there is no message; RFC 5489: a share always comes.
        let optional = self.settled.suite.authentication == Authentication12::Psk;
        typ == HandshakeType::SERVER_KEY_EXCHANGE
            || typ == HandshakeType::SERVER_HELLO_DONE && optional
    }

    pub(super) fn on_message(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self { settled } = self;
        let mut step = AwaitServerHelloDone {
            settled,
            share: None,
            hint: Box::default(),
        };
        if message.typ == HandshakeType::SERVER_HELLO_DONE {
            return step.on_server_hello_done(message, env);
        }
        let kind = settled.suite.authentication;
        let exchange = PskServerKeyExchange::read(message.body(), kind)?;
        step.hint = exchange.hint.into();
        if let Some(theirs) = exchange.share {
            let common = &env.config.common;
            let group = common
                .groups12()
                .find(|group| group.name() == theirs.group)
                .ok_or(PeerError::GroupNotOffered)?;
            let (public, shared) = group
                .respond(common.provider.random, theirs.public)
                .map_err(|error| match error {
                    CryptoError::InvalidPublicValue => PeerError::BadKeyShare.into(),
                    other => Error::from(other),
                })?;
            env.cx.info.group = Some(theirs.group);
            step.share = Some(Share { public, shared });
        }
        env.cx.transcript.add(message.bytes);
        Ok(Step::PskServerHelloDone(Box::new(step)).next())
    }
}

/// The server is about to be done.
pub(super) struct AwaitServerHelloDone {
    settled: Settled,
    share: Option<Share>,
    hint: Box<[u8]>,
}

impl AwaitServerHelloDone {
    pub(super) fn on_server_hello_done(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        ServerHelloDone::read(message.body())?;
        env.cx.transcript.add(message.bytes);
        let Self {
            settled,
            share,
            hint,
        } = self;
        let psk = choose(&env.config.psks, &hint).ok_or(PeerError::SuiteNotOffered)?;
        let exchange = PskClientKeyExchange {
            identity: psk.identity(),
            public: share.as_ref().map(|share| share.public.as_slice()),
        };
        let typ = HandshakeType::CLIENT_KEY_EXCHANGE;
        env.cx.send(env.flight, typ, &mut |w| exchange.write(w))?;
        env.cx.info.psk_identity = Some(psk.identity().into());
        let shared = share.as_ref().map(|share| share.shared.as_ref());
        let premaster = premaster(shared, psk.key())?;
        let session = env.cx.transcript.current();
        let binding = if env.cx.info.extended_main_secret {
            Binding::Extended(&session)
        } else {
            Binding::Randoms
        };
        let randoms = settled.randoms(env);
        let secret = MainSecret::new(settled.suite, &premaster, randoms, &binding)?;
        env.cx.log_main_secret(&secret);
        finish_flight(secret, settled, env)
    }
}

/// The key that the hint names, or the first one. What a hint means is for applications to say
/// (RFC 4279, Section 5.2); one that means nothing here is ignored. Keys that are to be imported
/// are for TLS 1.3 alone (RFC 9258, Section 4).
fn choose<'a>(psks: &'a [ExternalPsk], hint: &[u8]) -> Option<&'a ExternalPsk> {
    let mut usable = psks.iter().filter(|psk| !psk.is_imported());
    let first = usable.clone().next();
    usable.find(|psk| psk.identity() == hint).or(first)
}
