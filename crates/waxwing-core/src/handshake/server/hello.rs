//! The ClientHello: what it must say, what we choose from it, and asking again.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, KxGroup, NamedGroup, Suite13};

use super::super::drawn::Drawn;
use super::super::negotiate::{self, GroupChoice};
use super::super::record_limits::Wish;
use super::super::{EarlyData, SessionId, StepOutcome};
use super::certificate::TypeOffers;
use super::psk13::{self, ChosenPsk, PskSource, Stage};
use super::tickets13;
#[cfg(feature = "tls12")]
use super::tls12;
use super::tls13::{Agreed, AwaitLookup, Exchange};
use super::{Env, Step};
use crate::codec::List;
use crate::config::credentials::{ClientHelloView, Settled};
use crate::connection::info::EarlyDataStatus;
use crate::messages::certificate::Wanted;
use crate::messages::client_hello::ClientHello;
use crate::messages::extensions::key_share::KeyShareEntry;
use crate::messages::extensions::psk::{PSK_DHE_KE, PSK_KE};
use crate::messages::server_hello::{RETRY_RANDOM, ServerHello, ServerHelloExtensions};
use crate::messages::{ExtensionType, HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
use crate::{DnsName, Error, PeerError};

/// Bytes of the cookie in our HelloRetryRequest, where the configuration asks for one.
const COOKIE_LEN: usize = 32;

/// Waits for the ClientHello, or the second one.
#[derive(Default)]
pub(super) struct AwaitClientHello {
    retry: Option<Box<Retry>>,
}

/// What we asked for, and what of the first hello must not change.
struct Retry {
    suite: &'static Suite13,
    group: NamedGroup,
    cookie: Option<Vec<u8>>,
    unchanging: Digest,
}

impl AwaitClientHello {
    pub(super) const fn is_first(&self) -> bool {
        self.retry.is_none()
    }

    /// Waits for this cookie, for traces of other servers.
    #[cfg(test)]
    pub(super) fn expect_cookie(&mut self, cookie: Vec<u8>) {
        if let Some(retry) = &mut self.retry {
            retry.cookie = Some(cookie);
        }
    }

    pub(super) fn on_client_hello(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        self.go_on(message, Stage::Search(0), env)
    }

    /// Goes on from where the search for a PSK has got.
    pub(super) fn go_on(
        self,
        message: Message<'_>,
        stage: Stage,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        let hello = ClientHello::read(message.body())?;
        let version = negotiate::version(env.config.common.versions, &hello)?;
        #[cfg(feature = "tls12")]
        if version == ProtocolVersion::TLS12 {
            // RFC 9846, Section 4.2.2: the version that was asked for once more must stay.
            if self.retry.is_some() {
                return Err(PeerError::SecondHelloChanged.into());
            }
            return tls12::on_client_hello(hello, message, env);
        }
        let suite = check(&hello, env)?;
        env.cx.client_random = *hello.random;
        let share = match self.choose_share(&hello, suite, env)? {
            Some(GroupChoice::Retry(group)) => {
                return ask_again(&hello, suite, group, message, env);
            }
            Some(GroupChoice::Share(group, share)) => Some((group, share)),
            None => None,
        };

        let extensions = &hello.extensions;
        let config = env.config;
        let alpn = negotiate::alpn(&config.common.alpn, extensions.alpn, config.alpn_required)?;
        let info = &mut env.cx.info;
        info.alpn = alpn.map(Into::into);
        // A name in a form of its own is no reason to fail: the certificate's choice decides.
        info.server_name = extensions.server_name.and_then(DnsName::from_wire);
        info.post_handshake_auth =
            extensions.post_handshake_auth && config.post_handshake_auth.is_some();
        info.version = Some(version);

        let (psk, hashed) = match self.find_psk(&hello, message, suite, stage, env)? {
            psk13::Outcome::Settled(psk, hashed) => (psk, hashed),
            psk13::Outcome::Pending(pending) => {
                return Ok(AwaitLookup::new(self, message, pending).wait());
            }
        };
        // RFC 9846, Section 9.2: what a hello without a PSK must carry.
        if psk.is_none() && (share.is_none() || extensions.signature_algorithms.is_none()) {
            return Err(PeerError::MissingExtension.into());
        }
        let suite = psk.as_ref().map_or(suite, |psk| psk.suite);
        let share = share.filter(|_| psk.is_none() || !psk_alone(&hello, env));
        env.cx.info.cipher_suite = Some(suite.id);
        env.cx.info.group = share.map(|(group, _)| group.name());
        env.cx.transcript.start(suite.hash);
        env.cx.transcript.add_hashed(message.bytes, hashed);

        let accepted = psk.as_ref().is_some_and(|psk| psk.early_data);
        let early_data = self.early_data(extensions.early_data, accepted, env)?;
        // The private key of X25519, and the ServerHello's.
        let random = Drawn::<64>::from(config.common.provider.random)?;
        let exchange = match share {
            Some((group, share)) => Some(Exchange::respond(group, share, &random)?),
            None => None,
        };
        let agreed = Agreed {
            change_cipher_spec: self.retry.is_none() && !hello.session_id.is_empty(),
            ..agreed(&hello, suite, exchange, psk, random.next()?, env)?
        };
        let outcome = if agreed.psk.is_some() {
            agreed.answer_hello(None, env)?
        } else {
            let view = ClientHelloView::new(hello, message.body(), Settled::Tls13);
            agreed.choose_certificate(&view, env)?
        };
        Ok(StepOutcome {
            early_data,
            ..outcome
        })
    }

    /// Finds the share to answer, or the group to ask for. There is none where a PSK has to do
    /// without.
    fn choose_share<'a>(
        &self,
        hello: &ClientHello<'a>,
        suite: &'static Suite13,
        env: &Env<'_>,
    ) -> Result<Option<GroupChoice<'a>>, Error> {
        let extensions = &hello.extensions;
        let (groups, shares) = match (extensions.supported_groups, extensions.key_share) {
            (Some(groups), Some(shares)) => (groups, shares),
            _ if psk_alone(hello, env) => return Ok(None),
            _ => return Err(PeerError::MissingExtension.into()),
        };
        let choice = match negotiate::group(&env.config.common.groups, groups, shares) {
            Err(_) | Ok(GroupChoice::Retry(_)) if psk_alone(hello, env) => return Ok(None),
            choice => choice?,
        };
        let Some(retry) = &self.retry else {
            return Ok(Some(choice));
        };
        retry.check(hello, suite, shares)?;
        match choice {
            GroupChoice::Share(group, _) if group.name() == retry.group => Ok(Some(choice)),
            _ => Err(PeerError::KeyShareGroups.into()),
        }
    }

    fn find_psk(
        &self,
        hello: &ClientHello<'_>,
        message: Message<'_>,
        suite: &'static Suite13,
        stage: Stage,
        env: &Env<'_>,
    ) -> Result<psk13::Outcome, Error> {
        let modes = hello.extensions.psk_modes.unwrap_or_default();
        match hello.extensions.pre_shared_key {
            Some(offer) if modes.contains(&PSK_DHE_KE) || psk_alone(hello, env) => psk13::Search {
                hello,
                message,
                offer,
                suite,
                retried: self.retry.is_some(),
            }
            .run(stage, env),
            _ => Ok(psk13::Outcome::Settled(None, None)),
        }
    }

    /// What becomes of early data. RFC 9846, Section 4.3.10: it goes with a PSK alone.
    fn early_data(
        &self,
        announced: bool,
        accepted: bool,
        env: &mut Env<'_>,
    ) -> Result<EarlyData, Error> {
        if announced {
            env.cx.info.early_data = if accepted {
                EarlyDataStatus::Accepted
            } else {
                EarlyDataStatus::Rejected
            };
        }
        match (announced, &self.retry) {
            (true, None) if accepted => Ok(EarlyData::None),
            (true, None) => Ok(EarlyData::SkipUndecryptable),
            // RFC 9846, Section 4.2.2: early_data goes when the server asked again.
            (true, Some(_)) => Err(PeerError::SecondHelloChanged.into()),
            (false, _) => Ok(EarlyData::None),
        }
    }
}

/// Whether the client wants a PSK to do without a key exchange, and we let it (RFC 9846,
/// Section 4.3.9).
fn psk_alone(hello: &ClientHello<'_>, env: &Env<'_>) -> bool {
    let extensions = &hello.extensions;
    let modes = extensions.psk_modes.unwrap_or_default();
    env.config.psk_without_key_exchange
        && extensions.pre_shared_key.is_some()
        && modes.contains(&PSK_KE)
        && !modes.contains(&PSK_DHE_KE)
}

/// Keeps of a hello what is needed once the certificate is chosen.
fn agreed(
    hello: &ClientHello<'_>,
    suite: &'static Suite13,
    exchange: Option<Exchange>,
    psk: Option<ChosenPsk>,
    random: [u8; 32],
    env: &Env<'_>,
) -> Result<Agreed, Error> {
    let extensions = &hello.extensions;
    let schemes = extensions.signature_algorithms.unwrap_or_default();
    let resumed = matches!(
        &psk,
        Some(ChosenPsk {
            source: PskSource::Session(..),
            ..
        })
    );
    let compression = extensions.compress_certificate.unwrap_or_default();
    Ok(Agreed {
        suite,
        exchange,
        psk,
        tickets: tickets13::count(extensions, resumed, env),
        session_id: SessionId::copy(hello.session_id),
        schemes: schemes.iter().collect(),
        wanted: Wanted {
            ocsp: extensions.status_request,
            scts: extensions.scts,
        },
        compression: compression.iter().collect(),
        types: TypeOffers::read(extensions)?,
        acknowledge_name: env.cx.info.server_name.is_some(),
        wish: Wish {
            max_fragment_length: extensions.max_fragment_length,
            record_size_limit: extensions.record_size_limit,
        },
        random,
        change_cipher_spec: false,
    })
}

/// Checks what TLS 1.3 asks of every ClientHello, and chooses the suite.
fn check(hello: &ClientHello<'_>, env: &Env<'_>) -> Result<&'static Suite13, Error> {
    // RFC 9846, Section 4.2.2: it says nothing any more, but must say just that.
    if hello.legacy_version != ProtocolVersion::TLS12 {
        return Err(PeerError::LegacyVersion.into());
    }
    if hello.compression_methods != [0] {
        return Err(PeerError::Compression.into());
    }
    let config = env.config;
    negotiate::suite(
        &config.common.suites,
        hello.cipher_suites,
        config.client_suite_order,
    )
}

/// Sends a HelloRetryRequest (RFC 9846, Section 4.2.4).
fn ask_again(
    hello: &ClientHello<'_>,
    suite: &'static Suite13,
    group: &'static dyn KxGroup,
    message: Message<'_>,
    env: &mut Env<'_>,
) -> Result<StepOutcome<Step>, Error> {
    let cookie = if env.config.retry_cookie {
        let mut cookie = vec![0; COOKIE_LEN];
        env.config.common.provider.random.fill(&mut cookie)?;
        Some(cookie)
    } else {
        None
    };
    env.cx.info.retried = true;
    env.cx.transcript.add(message.bytes);
    env.cx.transcript.retry(suite.hash);
    let request = ServerHello {
        legacy_version: ProtocolVersion::TLS12,
        random: &RETRY_RANDOM,
        session_id: hello.session_id,
        cipher_suite: suite.id,
        compression_method: 0,
        extensions: ServerHelloExtensions {
            selected_version: Some(ProtocolVersion::TLS13),
            retry_group: Some(group.name()),
            cookie: cookie.as_deref(),
            ..ServerHelloExtensions::default()
        },
        block: &[],
    };
    env.cx
        .send(env.flight, HandshakeType::SERVER_HELLO, &mut |w| {
            request.write(w)
        })?;
    if !hello.session_id.is_empty() {
        env.flight.change_cipher_spec();
    }
    env.flight.end_flight()?;
    let retry = Retry {
        suite,
        group: group.name(),
        cookie,
        unchanging: unchanging(hello, suite),
    };
    let step = Step::ClientHello(AwaitClientHello {
        retry: Some(Box::new(retry)),
    });
    let early_data = if hello.extensions.early_data {
        env.cx.info.early_data = EarlyDataStatus::Rejected;
        EarlyData::SkipUntilHello
    } else {
        EarlyData::None
    };
    Ok(StepOutcome {
        early_data,
        ..StepOutcome::step(step)
    })
}

impl Retry {
    /// Checks the second hello against the first (RFC 9846, Section 4.2.2), and that it has
    /// the one share that was asked for (Section 4.3.8).
    fn check(
        &self,
        hello: &ClientHello<'_>,
        suite: &'static Suite13,
        shares: List<'_, KeyShareEntry<'_>>,
    ) -> Result<(), Error> {
        if suite.id != self.suite.id || !unchanging(hello, suite).ct_eq(self.unchanging.as_ref()) {
            return Err(PeerError::SecondHelloChanged.into());
        }
        if hello.extensions.cookie != self.cookie.as_deref() {
            return Err(PeerError::CookieMismatch.into());
        }
        let mut groups = shares.iter().map(|share| share.group);
        if groups.next() != Some(self.group) || groups.next().is_some() {
            return Err(PeerError::KeyShareGroups.into());
        }
        Ok(())
    }
}

/// A hash of all that a second ClientHello has to repeat, but for what has one legal value.
fn unchanging(hello: &ClientHello<'_>, suite: &'static Suite13) -> Digest {
    let mut hash = suite.hash.start();
    // Each variable part is preceded by its length, so that no two hellos run together.
    let mut add = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(hello.random);
    add(hello.session_id);
    add(hello.cipher_suites.as_bytes());
    for (typ, data) in hello.extensions.types() {
        let may_change = matches!(
            typ,
            ExtensionType::KEY_SHARE
                | ExtensionType::EARLY_DATA
                | ExtensionType::COOKIE
                | ExtensionType::PRE_SHARED_KEY
                | ExtensionType::PADDING
                // RFC 9849, Section 6.1: sealed anew, for servers that can open it.
                | ExtensionType::ENCRYPTED_CLIENT_HELLO
        );
        if !may_change {
            add(&typ.0.to_be_bytes());
            add(data);
        }
    }
    hash.finish()
}
