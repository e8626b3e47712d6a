//! The ClientHello, first and second, and the two answers to it.

use alloc::boxed::Box;

use waxwing_crypto::Suite13;

use super::super::drawn::Drawn;
use super::super::schedule13::HandshakeSecrets;
use super::super::{SessionId, StepOutcome};
use super::hello_writer::{HelloWriter, Shape};
use super::psk13::{PskOffer, PskSource};
use super::session;
use super::shares::Shares;
use super::tls13::{self, AwaitEncryptedExtensions};
use super::{Env, Step};
#[cfg(feature = "tls12")]
use super::{resume12, tls12};
use crate::messages::extensions::ExtensionSet;
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
    pub(super) shares: Shares,
    sent: ExtensionSet,
    pub(super) psk: PskOffer,
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
    // What a hello says at random, and the private key of X25519.
    let random = Drawn::<128>::from(config.common.provider.random)?;
    env.cx.client_random = random.next()?;
    let session_id = random.next::<32>()?;
    let seed = random.next()?;
    let tls13 = config.common.versions.contains(ProtocolVersion::TLS13);
    // One session is taken from the store, whichever version it is of.
    let session = session::take(env);
    #[cfg(feature = "tls12")]
    let (session, session12) = match session {
        Some(old) if old.version == ProtocolVersion::TLS12 => (None, resume12::offer(old, env)),
        session => (session, None),
    };
    let psk = if tls13 {
        PskOffer::new(session, env)?
    } else {
        PskOffer::default()
    };
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
            Shares::first(&random, env)?
        } else {
            Shares::default()
        },
        sent: ExtensionSet::default(),
        #[cfg(feature = "tls12")]
        session12,
        psk,
    };
    send_hello(&mut offer, None, env)?;
    offer.psk.start_early_data(env)?;
    Ok(AwaitServerHello {
        offer,
        retried: None,
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
        transcript: &env.cx.transcript,
    };
    let typ = HandshakeType::CLIENT_HELLO;
    let mut hashed = None;
    #[cfg(test)]
    let replaces = env.flight.replaces();
    let bytes = env.flight.message(typ, &mut |w| {
        hashed = hello.write(w, &mut sent)?;
        Ok(())
    })?;
    #[cfg(test)]
    let hashed = hashed.filter(|_| !replaces);
    env.cx.transcript.add_hashed(bytes, hashed);
    env.cx.trace_sent(typ, bytes);
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
        // RFC 9846, Appendix E.3: it would take the early data for broken records.
        if self.offer.psk.has_early_data() {
            return Err(Incompatible::EarlyDataVersion.into());
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
            Some(name) => self.offer.shares.replace(name, env)?,
            None if extensions.cookie.is_none() => {
                return Err(PeerError::RetryWithoutChange.into());
            }
            None => {}
        }
        env.cx.info.retried = true;
        env.cx.transcript.retry(suite.hash);
        env.cx.transcript.add(message.bytes);
        if self.offer.psk.has_early_data() {
            // RFC 9846, Section 4.3.10: it is not accepted, and none follows the second hello.
            env.cx.reject_early_data(None, env.flight)?;
        } else if env.config.middlebox_compatibility {
            env.flight.change_cipher_spec();
        }
        self.offer.psk.retain(suite);
        send_hello(&mut self.offer, extensions.cookie, env)?;
        let step = Self {
            offer: self.offer,
            retried: Some(suite),
        };
        Ok(StepOutcome::step(Step::ServerHello(step)))
    }

    /// The server chose: keys for the rest of the handshake.
    fn on_choice(
        self,
        hello: &ServerHello<'_>,
        suite: &'static Suite13,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<StepOutcome<Step>, Error> {
        let Offer {
            sent, shares, psk, ..
        } = self.offer;
        let early_data = psk.has_early_data();
        let psk = match hello.extensions.pre_shared_key {
            Some(index) => Some(psk.taken(index, suite)?),
            None => None,
        };
        let shared = match hello.extensions.key_share {
            Some(share) => Some(shares.complete(share, env.config)?),
            // RFC 9846, Section 4.3.9: what we allowed for is all that can do without.
            None if psk.is_some() && env.config.psk_without_key_exchange => None,
            None => return Err(PeerError::MissingExtension.into()),
        };
        env.cx.transcript.start(suite.hash);
        env.cx.transcript.add(message.bytes);
        let early = psk.as_ref().map(|psk| &psk.early);
        let transcript = env.cx.transcript.current();
        let secrets = HandshakeSecrets::new(suite, early, shared.as_ref(), &transcript)?;
        env.cx.log_traffic(&secrets.traffic);
        let info = &mut env.cx.info;
        info.version = Some(ProtocolVersion::TLS13);
        info.cipher_suite = Some(suite.id);
        info.group = hello.extensions.key_share.map(|share| share.group);
        info.post_handshake_auth = sent.contains(ExtensionType::POST_HANDSHAKE_AUTH);
        match psk.as_ref().map(|psk| &psk.source) {
            Some(PskSource::Session(session)) => session::adopt_peer(session, env),
            Some(PskSource::External(identity, _)) => {
                env.cx.info.psk_identity = Some(identity.clone());
            }
            None => {}
        }
        let read = secrets.traffic.server_keys();
        if early_data {
            // It may go on until the server says what it does with it. Without a PSK that is clear.
            if psk.is_none() {
                let keys = secrets.traffic.client_keys();
                env.cx.reject_early_data(Some(keys), env.flight)?;
            }
        } else {
            // After a retry it went out before the second ClientHello (RFC 9846, Appendix E.4).
            if env.config.middlebox_compatibility && self.retried.is_none() {
                env.flight.change_cipher_spec();
            }
            env.cx
                .install_write(env.flight, secrets.traffic.client_keys())?;
        }
        let step = AwaitEncryptedExtensions { secrets, sent, psk };
        let step = Step::Tls13(tls13::Step::EncryptedExtensions(Box::new(step)));
        Ok(StepOutcome::step(step).read_with(read))
    }
}
