//! The PSKs that a ClientHello offers (RFC 9846, Section 4.3.11), and the early data under the
//! first of them (Section 4.3.10).

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, CryptoError, Hash, HashContext, Suite13};

use super::super::MaySend;
use super::super::schedule13::{EarlySecret, PskOrigin};
use super::super::transcript::Transcript;
use super::Env;
use crate::codec::Writer;
use crate::config::client::ClientConfig;
use crate::connection::info::{EarlyDataStatus, Exporter};
use crate::messages::HandshakeType;
use crate::messages::extensions::psk::{PskIdentity, write_offer};
use crate::record::{Epoch, EpochKeys};
use crate::session::{Session, UnixMillis};
use crate::{Error, PeerError};

/// A PSK on offer.
pub(super) struct OfferedPsk {
    identity: Box<[u8]>,
    obfuscated_ticket_age: u32,
    early: EarlySecret,
    pub(super) source: PskSource,
}

/// Where it comes from.
pub(super) enum PskSource {
    Session(Box<Session>),
    /// The identity that the application knows, and whether the key is imported.
    External(Box<[u8]>, bool),
}

impl OfferedPsk {
    const fn origin(&self) -> PskOrigin {
        match self.source {
            PskSource::Session(_) => PskOrigin::Resumption,
            PskSource::External(_, true) => PskOrigin::Imported,
            PskSource::External(_, false) => PskOrigin::External,
        }
    }

    fn hash(&self) -> &'static Hash {
        self.early.hash()
    }
}

/// A PSK that the server took.
pub(super) struct TakenPsk {
    pub(super) early: EarlySecret,
    pub(super) source: PskSource,
    /// Whether it was the first on offer, the only one that early data goes with.
    first: bool,
}

/// Everything that one ClientHello says of PSKs.
#[derive(Default)]
pub(super) struct PskOffer {
    psks: Vec<OfferedPsk>,
    /// What protects early data, if it is announced.
    early_data: Option<EarlyOffer>,
}

/// Early data that is announced.
struct EarlyOffer {
    suite: &'static Suite13,
    /// In bytes.
    max: u32,
}

impl PskOffer {
    /// What to offer: the session, then the configured keys.
    pub(super) fn new(session: Option<Session>, env: &Env<'_>) -> Result<Self, Error> {
        let mut offer = Self::default();
        if let Some(session) = session {
            offer.add_session(session, env);
        }
        offer.add_external(env.config)?;
        Ok(offer)
    }

    fn add_session(&mut self, mut session: Session, env: &Env<'_>) {
        let config = env.config;
        let Some(hash) = hash_of(&session, config) else {
            return;
        };
        let now = config.sessions.as_ref().map(|own| own.clock.now());
        let age = now.unwrap_or_default().saturating_sub(session.issued_at);
        // RFC 9846, Section 4.3.11.1: in milliseconds, modulo 2^32.
        let obfuscated_ticket_age = (age as u32).wrapping_add(session.age_add);
        self.early_data = early_data(&session, config);
        self.psks.push(OfferedPsk {
            identity: core::mem::take(&mut session.ticket),
            obfuscated_ticket_age,
            early: EarlySecret::new(hash, session.secret.as_ref()),
            source: PskSource::Session(Box::new(session)),
        });
    }

    fn add_external(&mut self, config: &ClientConfig) -> Result<(), Error> {
        if config.psks.is_empty() {
            return Ok(());
        }
        let hashes = distinct_hashes(&config.common.suites);
        for psk in &config.psks {
            for hash in &hashes {
                let own = |id| config.common.provider.hash(id);
                let Some(ready) = psk.for_tls13(hash, own)? else {
                    continue;
                };
                self.psks.push(OfferedPsk {
                    early: ready.early.clone(),
                    identity: ready.identity.clone(),
                    obfuscated_ticket_age: 0,
                    source: PskSource::External(psk.identity().into(), ready.imported),
                });
            }
        }
        Ok(())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.psks.is_empty()
    }

    /// Whether early data is announced.
    pub(super) const fn has_early_data(&self) -> bool {
        self.early_data.is_some()
    }

    /// The server asked for another ClientHello under this suite: what goes with another hash is
    /// not offered again (RFC 9846, Section 4.2.2), and no early data follows.
    pub(super) fn retain(&mut self, suite: &'static Suite13) {
        self.psks.retain(|psk| psk.hash().id() == suite.hash.id());
        self.early_data = None;
    }

    /// Writes the extension's content, with zeros for binders.
    pub(super) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        let entry = |psk: &'_ OfferedPsk| psk.hash().output_len();
        let offers = self.psks.iter().map(|psk| {
            let identity = PskIdentity {
                identity: &psk.identity,
                obfuscated_ticket_age: psk.obfuscated_ticket_age,
            };
            (identity, entry(psk))
        });
        write_offer(w, offers)
    }

    /// Replaces the zeros at the end of the hello whose body starts at `start` (RFC 9846,
    /// Section 4.3.11.2). Gives the hash of the whole hello and what came before, under the hash of
    /// the first PSK, for the case that the server takes it.
    pub(super) fn bind(
        &self,
        w: &mut Writer<'_>,
        start: usize,
        transcript: &Transcript,
    ) -> Result<Option<HashContext>, Error> {
        let Some(first) = self.psks.first() else {
            return Ok(None);
        };
        let binders: usize = self
            .psks
            .iter()
            .map(|psk| psk.hash().output_len().saturating_add(1))
            .sum();
        let body = w.since(start);
        let [_, a, b, c] = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
        let header = [HandshakeType::CLIENT_HELLO.0, a, b, c];
        let end = body.len().saturating_sub(binders).saturating_sub(2);
        let covered = [&header[..], body.get(..end).unwrap_or_default()];
        let mut hello = transcript.fork(first.hash(), &covered);
        let digest = hello.fork_finish();
        let mut other = None;
        for hash in self.psks.iter().map(OfferedPsk::hash) {
            if hash.id() != first.hash().id() && other.is_none() {
                other = Some((hash.id(), transcript.fork(hash, &covered).finish()));
            }
        }
        w.truncate(w.position().saturating_sub(binders));
        for psk in &self.psks {
            let digest = match &other {
                _ if psk.hash().id() == first.hash().id() => &digest,
                Some((id, other)) if psk.hash().id() == *id => other,
                // No suite has a third hash.
                _ => return Err(CryptoError::Misuse.into()),
            };
            let binder = psk.early.binder(psk.origin(), digest)?;
            w.vec8(|w| {
                w.bytes(binder.as_ref());
                Ok(())
            })?;
        }
        hello.update(w.since(start).get(end..).unwrap_or_default());
        Ok(Some(hello))
    }

    /// The first ClientHello is out: from here on early data may be sent.
    pub(super) fn start_early_data(&self, env: &mut Env<'_>) -> Result<(), Error> {
        let (Some(EarlyOffer { suite, max }), Some(psk)) = (&self.early_data, self.psks.first())
        else {
            return Ok(());
        };
        let hello = env.cx.transcript.fork(suite.hash, &[]).finish();
        let secret = psk.early.traffic(&hello)?;
        let exporter = psk.early.exporter(&hello)?;
        env.cx.log_early(&secret, &exporter);
        if env.config.middlebox_compatibility {
            env.flight.change_cipher_spec();
        }
        let keys = EpochKeys {
            epoch: Epoch::Early,
            suite,
            secret,
        };
        env.cx.install_write(env.flight, keys)?;
        env.cx.info.early_data = EarlyDataStatus::Offered;
        env.cx.info.early_exporter = Some(Box::new(Exporter::tls13(suite.hash, exporter)));
        env.cx.may_send = MaySend::EarlyData(*max);
        Ok(())
    }

    /// Which PSK the server took, by its place (RFC 9846, Section 4.3.11).
    pub(super) fn taken(mut self, index: u16, suite: &'static Suite13) -> Result<TakenPsk, Error> {
        let index = usize::from(index);
        if index >= self.psks.len() {
            return Err(PeerError::PskNotOffered.into());
        }
        let OfferedPsk { early, source, .. } = self.psks.swap_remove(index);
        if early.hash().id() != suite.hash.id() {
            return Err(PeerError::PskHash.into());
        }
        Ok(TakenPsk {
            early,
            source,
            first: index == 0,
        })
    }
}

impl TakenPsk {
    /// When the peers proved who they are, if this goes back to that.
    pub(super) fn authenticated_at(&self) -> Option<UnixMillis> {
        match &self.source {
            PskSource::Session(session) => Some(session.authenticated_at),
            PskSource::External(..) => None,
        }
    }

    /// Checks that early data may be accepted with this PSK, this suite and this protocol
    /// (RFC 9846, Section 4.3.10).
    pub(super) fn check_early_data(
        &self,
        suite: Option<CipherSuite>,
        alpn: Option<&[u8]>,
    ) -> Result<(), Error> {
        match &self.source {
            PskSource::Session(session)
                if self.first
                    && suite == Some(session.cipher_suite)
                    && alpn.unwrap_or_default() == &*session.alpn =>
            {
                Ok(())
            }
            _ => Err(PeerError::EarlyDataUnfit.into()),
        }
    }
}

/// The hash that a session's secret is for, if a suite that we offer has it.
fn hash_of(session: &Session, config: &ClientConfig) -> Option<&'static Hash> {
    let suite = config.common.provider.suite13(session.cipher_suite)?;
    let offered = &config.common.suites;
    offered
        .iter()
        .any(|offered| offered.hash.id() == suite.hash.id())
        .then_some(suite.hash)
}

/// Whether early data goes with this session: the server must be able to go on with the same suite
/// and protocol.
fn early_data(session: &Session, config: &ClientConfig) -> Option<EarlyOffer> {
    let suites = &config.common.suites;
    let suite = *suites.iter().find(|own| own.id == session.cipher_suite)?;
    let alpn = &config.common.alpn;
    let protocol = session.alpn.is_empty() || alpn.iter().any(|name| **name == *session.alpn);
    (config.early_data && session.max_early_data > 0 && protocol).then_some(EarlyOffer {
        suite,
        max: session.max_early_data,
    })
}

/// The hashes of these suites, each once.
fn distinct_hashes(suites: &[&'static Suite13]) -> Vec<&'static Hash> {
    let mut hashes: Vec<&'static Hash> = Vec::new();
    for suite in suites {
        if !hashes.iter().any(|hash| hash.id() == suite.hash.id()) {
            hashes.push(suite.hash);
        }
    }
    hashes
}
