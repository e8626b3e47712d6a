//! The server with keys that it shares with its clients, in TLS 1.2 (RFC 4279; RFC 5489).
//!
//! ```text
//!                             -> ServerHello, ServerKeyExchange (if it says something),
//!                                ServerHelloDone
//!   AwaitClientKeyExchange    <- ClientKeyExchange
//!   AwaitPsk                     only if the key is found later
//!   finish12                     the end
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{Authentication12, CryptoError, KeyShare, KxGroup, SharedSecret, Suite12};
use zeroize::Zeroizing;

use super::super::negotiate;
use super::super::schedule12::{Binding, MainSecret, Randoms};
use super::Env;
use super::finish12::AwaitChangeCipherSpec;
use super::tickets12::Promise;
use super::tls12::{self, Outcome, Step};
use crate::config::psk::{ExternalPsk, MAX_IDENTITY, PskLookup};
use crate::connection::event::{Question, Wait};
use crate::messages::HandshakeType;
use crate::messages::client_hello::ClientHello;
use crate::messages::extensions::ec_point_formats;
use crate::messages::psk_key_exchange12::{
    Ephemeral, PskClientKeyExchange, PskServerKeyExchange, premaster,
};
use crate::messages::server_hello12::ServerHelloExtensions12;
use crate::record::joiner::Message;
use crate::{Error, PeerError};

/// Bytes of the key that stands in for one that nobody knows.
const UNKNOWN_KEY_LEN: usize = 32;

/// Answers the hello in this suite.
pub(super) fn answer_hello(
    suite: &'static Suite12,
    hello: &ClientHello<'_>,
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let config = env.config;
    let random = config.common.provider.random;
    let share = match suite.authentication {
        Authentication12::EcdhePsk => {
            let theirs = hello.extensions.supported_groups;
            let group: &dyn KxGroup = negotiate::group12(&config.common, theirs)?;
            env.cx.info.group = Some(group.name());
            Some(group.start(random)?)
        }
        _ => None,
    };
    env.cx.info.cipher_suite = Some(suite.id);
    env.cx.transcript.start(suite.hash);
    let server_random = tls12::server_random(env)?;
    let extensions = ServerHelloExtensions12 {
        server_name: env.cx.info.server_name.is_some(),
        ec_point_formats: (share.is_some() && hello.extensions.ec_point_formats.is_some())
            .then_some(&[ec_point_formats::UNCOMPRESSED]),
        ..ServerHelloExtensions12::default()
    };
    tls12::send_agreed(hello, suite, &server_random, &[], extensions, env)?;
    let hint = config.psks.as_ref().and_then(|psks| psks.hint());
    let exchange = PskServerKeyExchange {
        hint: hint.unwrap_or_default(),
        share: share.as_ref().map(|share| Ephemeral {
            group: share.group(),
            public: share.public(),
        }),
    };
    if hint.is_some() || share.is_some() {
        let typ = HandshakeType::SERVER_KEY_EXCHANGE;
        env.cx.send(env.flight, typ, &mut |w| exchange.write(w))?;
    }
    let typ = HandshakeType::SERVER_HELLO_DONE;
    env.cx.send(env.flight, typ, &mut |_| Ok(()))?;
    env.flight.end_flight()?;
    let step = AwaitClientKeyExchange {
        suite,
        share,
        server_random,
    };
    Ok(Step::PskClientKeyExchange(Box::new(step)).next())
}

/// The client says which key it means.
pub(super) struct AwaitClientKeyExchange {
    suite: &'static Suite12,
    share: Option<Box<dyn KeyShare>>,
    server_random: [u8; 32],
}

impl AwaitClientKeyExchange {
    pub(super) fn on_client_key_exchange(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self {
            suite,
            share,
            server_random,
        } = self;
        let exchange = PskClientKeyExchange::read(message.body(), suite.authentication)?;
        let shared = match (share, exchange.public) {
            (Some(share), Some(public)) => {
                let group = share.group();
                let shared = share.complete(group, public);
                Some(shared.map_err(|error| match error {
                    CryptoError::InvalidPublicValue => Error::from(PeerError::BadKeyShare),
                    other => other.into(),
                })?)
            }
            _ => None,
        };
        env.cx.transcript.add(message.bytes);
        let known = Known {
            suite,
            shared,
            server_random,
        };
        let psks = env.config.psks.as_ref();
        let psks = psks.filter(|_| exchange.identity.len() <= MAX_IDENTITY);
        match psks.map_or(PskLookup::None, |psks| psks.find(exchange.identity)) {
            PskLookup::Found(psk) => known.finish(Some(&psk), env),
            PskLookup::None => known.finish(None, env),
            PskLookup::Pending => {
                let step = AwaitPsk {
                    known,
                    identity: exchange.identity.into(),
                };
                Ok(Step::Psk(Box::new(step)).wait(Wait::Psk))
            }
        }
    }
}

/// All but the key.
struct Known {
    suite: &'static Suite12,
    shared: Option<SharedSecret>,
    server_random: [u8; 32],
}

/// The key will be found later.
pub(super) struct AwaitPsk {
    known: Known,
    identity: Box<[u8]>,
}

impl AwaitPsk {
    pub(super) fn question(&self) -> Question<'_> {
        Question::Psk {
            identity: &self.identity,
        }
    }

    pub(super) fn on_psk(
        self,
        psk: Option<ExternalPsk>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        self.known.finish(psk.as_ref(), env)
    }
}

impl Known {
    /// Goes on with the key, or where there is none with one that nobody knows: the client's
    /// Finished then fails as with a wrong key, and whoever tries identities learns nothing
    /// (RFC 4279, Section 2, allows for that and for an alert of its own).
    fn finish(self, psk: Option<&ExternalPsk>, env: &mut Env<'_>) -> Result<Outcome, Error> {
        // A key that is to be imported is for TLS 1.3 alone (RFC 9258, Section 4).
        let psk = psk.filter(|psk| !psk.is_imported());
        let mut unknown = Zeroizing::new([0; UNKNOWN_KEY_LEN]);
        let key: &[u8] = match psk {
            Some(psk) => psk.key(),
            None => {
                env.config.common.provider.random.fill(&mut *unknown)?;
                &*unknown
            }
        };
        env.cx.info.psk_identity = psk.map(|psk| psk.identity().into());
        let shared = self.shared.as_ref().map(AsRef::as_ref);
        let premaster: Zeroizing<Vec<u8>> = premaster(shared, key)?;
        let session = env.cx.transcript.current();
        let binding = if env.cx.info.extended_main_secret {
            Binding::Extended(&session)
        } else {
            Binding::Randoms
        };
        let randoms = Randoms {
            client: env.cx.client_random,
            server: self.server_random,
        };
        let secret = MainSecret::new(self.suite, &premaster, randoms, &binding)?;
        env.cx.log_main_secret(&secret);
        // No session is left: it would have to say whose key it rests on.
        AwaitChangeCipherSpec::after(secret, Promise::Nothing, None)
    }
}
