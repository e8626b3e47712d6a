//! The ClientHello, first and second, and the two answers to it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{CryptoError, KeyShare, NamedGroup, SecureRandom, SharedSecret, Suite13};

use super::super::schedule13::HandshakeSecrets;
use super::super::{SessionId, StepOutcome};
use super::hello_writer::{HelloWriter, Shape};
use super::tls13::{self, AwaitEncryptedExtensions};
use super::{Env, Step};
#[cfg(feature = "tls12")]
use super::{resume12, tls12};
use crate::config::client::ClientConfig;
use crate::messages::extensions::ExtensionSet;
use crate::messages::extensions::key_share::KeyShareEntry;
use crate::messages::server_hello::ServerHello;
use crate::messages::{ExtensionType, HandshakeType, ProtocolVersion};
use crate::record::joiner::Message;
#[cfg(feature = "tls12")]
use crate::session::Session;
use crate::{Error, Incompatible, PeerError};

/// What was offered, kept until the server has chosen.
pub(super) struct Offer {
    pub(super) shape: Shape,
    pub(super) session_id: SessionId,
    shares: Vec<Box<dyn KeyShare>>,
    /// Whether `shares` is the single one that a HelloRetryRequest asked for.
    pub(super) retrying: bool,
    sent: ExtensionSet,
    /// The session of TLS 1.2 that `session_id` stands for.
    #[cfg(feature = "tls12")]
    pub(super) session12: Option<Box<Session>>,
}

impl Offer {
    /// The ticket of TLS 1.2 to show; empty if there is none.
    pub(super) fn ticket12(&self) -> &[u8] {
        #[cfg(feature = "tls12")]
        if let Some(session) = &self.session12 {
            return &session.ticket;
        }
        &[]
    }
}

/// Sends the first ClientHello.
pub(super) fn start(env: &mut Env<'_>) -> Result<AwaitServerHello, Error> {
    let config = env.config;
    let random = config.common.provider.random;
    // One draw for all that a hello needs at random.
    let mut bytes = [[0u8; 32]; 3];
    random.fill(bytes.as_flattened_mut())?;
    let [client_random, session_id, seed] = bytes;
    env.cx.client_random = client_random;
    let tls13 = config.common.versions.contains(ProtocolVersion::TLS13);
    #[cfg(feature = "tls12")]
    let session12 = env
        .config
        .sessions
        .as_ref()
        .and_then(|sessions| sessions.store.take(env.name))
        .and_then(|session| resume12::offer(session, env));
    #[cfg(feature = "tls12")]
    let known_id = session12.as_deref().map(resume12::offered_id);
    #[cfg(not(feature = "tls12"))]
    let known_id: Option<Option<&[u8]>> = None;
    let session_id = SessionId::copy(match known_id {
        Some(Some(id)) => id,
        Some(None) => &session_id,
        None if config.middlebox_compatibility && tls13 => &session_id,
        None => &[],
    });
    let mut offer = Offer {
        shape: Shape::new(&seed, config.grease, config.permute_extensions),
        session_id,
        shares: if tls13 {
            first_shares(env, random)?
        } else {
            Vec::new()
        },
        retrying: false,
        sent: ExtensionSet::default(),
        #[cfg(feature = "tls12")]
        session12,
    };
    send_hello(&mut offer, None, env)?;
    Ok(AwaitServerHello {
        offer,
        retried: None,
    })
}

fn first_shares(env: &Env<'_>, random: &dyn SecureRandom) -> Result<Vec<Box<dyn KeyShare>>, Error> {
    let config = env.config;
    let mut shares: Vec<Box<dyn KeyShare>> = Vec::new();
    let count = match &config.key_share_groups {
        Some(_) => usize::MAX,
        None => config.key_shares,
    };
    let first = config.common.groups.iter().take(count);
    for group in first.filter(|group| may_share(config, group.name())) {
        if !covers(&shares, group.name()) {
            shares.push(group.start(random)?);
        }
    }
    let recalled = config
        .group_memory
        .as_ref()
        .and_then(|memory| memory.recall(env.name));
    let wanted = recalled.filter(|name| !shares.is_empty() && !covers(&shares, *name));
    if let Some(group) = config
        .common
        .groups
        .iter()
        .find(|group| Some(group.name()) == wanted)
    {
        shares = Vec::from([group.start(random)?]);
    }
    Ok(shares)
}

/// Whether the configuration allows for a share of this group.
fn may_share(config: &ClientConfig, name: NamedGroup) -> bool {
    let groups = config.key_share_groups.as_ref();
    groups.is_none_or(|groups| groups.contains(&name))
}

/// Whether one of `shares`, or the classical part of one, stands for this group.
fn covers(shares: &[Box<dyn KeyShare>], name: NamedGroup) -> bool {
    shares.iter().any(|share| {
        share.group() == name || share.classical_part().is_some_and(|(part, _)| part == name)
    })
}

/// The entries of `key_share`, in the order of `supported_groups` (RFC 9846, Section 4.3.8): for
/// each group its own share, or the part of a hybrid's share that serves it too.
pub(super) fn share_entries<'a>(
    offer: &'a Offer,
    config: &'a ClientConfig,
) -> impl Iterator<Item = (NamedGroup, &'a [u8])> {
    let shares = &offer.shares;
    config.common.groups.iter().filter_map(|group| {
        let name = group.name();
        let own = shares.iter().find(|share| share.group() == name);
        // The answer to a HelloRetryRequest has exactly one share.
        let mut parts = shares
            .iter()
            .filter(|_| !offer.retrying && may_share(config, name))
            .filter_map(|share| share.classical_part());
        own.map(|share| (name, share.public()))
            .or_else(|| parts.find(|(part, _)| *part == name))
    })
}

fn send_hello(offer: &mut Offer, cookie: Option<&[u8]>, env: &mut Env<'_>) -> Result<(), Error> {
    let mut sent = ExtensionSet::default();
    let random = env.cx.client_random;
    let hello = HelloWriter {
        offer,
        cookie,
        random: &random,
        config: env.config,
        name: env.name,
    };
    env.cx
        .send(env.flight, HandshakeType::CLIENT_HELLO, &mut |w| {
            hello.write(w, &mut sent)
        })?;
    offer.sent = sent;
    env.flight.end_flight()
}

/// The hello is out; the server chooses or asks again.
pub(super) struct AwaitServerHello {
    offer: Offer,
    /// What a HelloRetryRequest already settled.
    retried: Option<&'static Suite13>,
}

impl AwaitServerHello {
    /// Lets the server answer an extension that we did not send, for traces of other clients.
    #[cfg(test)]
    pub(super) fn also_sent(&mut self, typ: ExtensionType) {
        self.offer.sent.insert(typ);
    }

    pub(super) fn on_server_hello(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        let hello = ServerHello::read(message.body(), &self.offer.sent)?;
        #[cfg(feature = "tls12")]
        if self.leads_to_tls12(&hello, env)? {
            let sent = tls12::Sent {
                extensions: &self.offer.sent,
                session_id: self.offer.session_id.as_ref(),
                session: self.offer.session12,
            };
            return tls12::on_server_hello(&hello, sent, message, env);
        }
        let suite = self.check(&hello, env)?;
        if hello.is_retry() {
            self.on_retry(&hello, suite, message, env)
        } else {
            self.on_choice(&hello, suite, message, env)
        }
    }

    /// Whether the server chose TLS 1.2, and may.
    #[cfg(feature = "tls12")]
    fn leads_to_tls12(&self, hello: &ServerHello<'_>, env: &Env<'_>) -> Result<bool, Error> {
        let versions = env.config.common.versions;
        if hello.extensions.selected_version.is_some()
            || !versions.contains(ProtocolVersion::TLS12)
            || hello.legacy_version != ProtocolVersion::TLS12
            || hello.is_retry()
        {
            return Ok(false);
        }
        // RFC 9846, Section 4.2.3: such a server would have chosen TLS 1.3 if it had seen it.
        if versions.contains(ProtocolVersion::TLS13) && hello.is_downgraded() {
            return Err(PeerError::Downgrade.into());
        }
        if self.retried.is_some() {
            return Err(PeerError::RetrySuiteChanged.into());
        }
        Ok(true)
    }

    /// What ServerHello and HelloRetryRequest have in common (RFC 9846, Section 4.2.3).
    fn check(&self, hello: &ServerHello<'_>, env: &Env<'_>) -> Result<&'static Suite13, Error> {
        match hello.extensions.selected_version {
            None if hello.is_downgraded() => return Err(PeerError::Downgrade.into()),
            // A server that knows TLS 1.2 at best answers like this.
            None => return Err(Incompatible::Version.into()),
            Some(ProtocolVersion::TLS13)
                if env.config.common.versions.contains(ProtocolVersion::TLS13) => {}
            Some(_) => return Err(PeerError::VersionNotOffered.into()),
        }
        if hello.legacy_version != ProtocolVersion::TLS12 {
            return Err(PeerError::LegacyVersion.into());
        }
        if hello.session_id != self.offer.session_id.as_ref() {
            return Err(PeerError::SessionIdEcho.into());
        }
        if hello.compression_method != 0 {
            return Err(PeerError::Compression.into());
        }
        let offered = env
            .config
            .common
            .suites
            .iter()
            .find(|suite| suite.id == hello.cipher_suite);
        let suite = *offered.ok_or(PeerError::SuiteNotOffered)?;
        match self.retried {
            Some(before) if before.id != suite.id => Err(PeerError::RetrySuiteChanged.into()),
            _ => Ok(suite),
        }
    }

    /// Answers a HelloRetryRequest (RFC 9846, Section 4.2.4).
    fn on_retry(
        mut self,
        hello: &ServerHello<'_>,
        suite: &'static Suite13,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        if self.retried.is_some() {
            return Err(PeerError::SecondRetry.into());
        }
        let extensions = &hello.extensions;
        match extensions.retry_group {
            Some(name) => self.replace_shares(name, env)?,
            None if extensions.cookie.is_none() => {
                return Err(PeerError::RetryWithoutChange.into());
            }
            None => {}
        }
        env.cx.info.retried = true;
        env.cx.transcript.retry(suite.hash);
        env.cx.transcript.add(message.bytes);
        if env.config.middlebox_compatibility {
            env.flight.change_cipher_spec();
        }
        send_hello(&mut self.offer, extensions.cookie, env)?;
        let step = Self {
            offer: self.offer,
            retried: Some(suite),
        };
        Ok(StepOutcome::step(Step::ServerHello(step)))
    }

    /// The group must be one that we offered, but sent no share for (RFC 9846, Section 4.3.8).
    fn replace_shares(&mut self, name: NamedGroup, env: &Env<'_>) -> Result<(), Error> {
        let shared = share_entries(&self.offer, env.config).any(|(group, _)| group == name);
        let group = env
            .config
            .common
            .groups
            .iter()
            .find(|group| group.name() == name);
        match group {
            Some(group) if !shared => {
                self.offer.shares = Vec::from([group.start(env.config.common.provider.random)?]);
                self.offer.retrying = true;
                Ok(())
            }
            _ => Err(PeerError::RetryGroup.into()),
        }
    }

    /// The server chose: keys for the rest of the handshake.
    fn on_choice(
        self,
        hello: &ServerHello<'_>,
        suite: &'static Suite13,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        let share = hello
            .extensions
            .key_share
            .ok_or(PeerError::MissingExtension)?;
        let sent = self.offer.sent;
        let shared = Self::complete(self.offer, share, env.config)?;
        env.cx.transcript.start(suite.hash);
        env.cx.transcript.add(message.bytes);
        let secrets =
            HandshakeSecrets::new(suite, None, Some(&shared), &env.cx.transcript.current())?;
        env.cx.log_traffic(&secrets.traffic);
        let info = &mut env.cx.info;
        info.version = Some(ProtocolVersion::TLS13);
        info.cipher_suite = Some(suite.id);
        info.group = Some(share.group);
        info.post_handshake_auth = sent.contains(ExtensionType::POST_HANDSHAKE_AUTH);
        // After a retry it went out before the second ClientHello (RFC 9846, Appendix E.4).
        if env.config.middlebox_compatibility && self.retried.is_none() {
            env.flight.change_cipher_spec();
        }
        env.cx
            .install_write(env.flight, secrets.traffic.client_keys())?;
        let read = secrets.traffic.server_keys();
        let step = AwaitEncryptedExtensions { secrets, sent };
        let step = Step::Tls13(tls13::Step::EncryptedExtensions(step));
        Ok(StepOutcome::step(step).read_with(read))
    }

    /// Finds the share that the server answers, which must be one we sent.
    fn complete(
        offer: Offer,
        answer: KeyShareEntry<'_>,
        config: &ClientConfig,
    ) -> Result<SharedSecret, Error> {
        if !share_entries(&offer, config).any(|(group, _)| group == answer.group) {
            return Err(PeerError::GroupNotOffered.into());
        }
        // One's own share comes before the part of a hybrid that precedes it in the list.
        let mut shares = offer.shares;
        let own = shares
            .iter()
            .position(|share| share.group() == answer.group);
        let part = shares.iter().position(|share| {
            share
                .classical_part()
                .is_some_and(|(group, _)| group == answer.group)
        });
        let share = shares.swap_remove(own.or(part).ok_or(PeerError::GroupNotOffered)?);
        share
            .complete(answer.group, answer.key_exchange)
            .map_err(|error| match error {
                CryptoError::InvalidPublicValue => PeerError::BadKeyShare.into(),
                other => other.into(),
            })
    }
}
