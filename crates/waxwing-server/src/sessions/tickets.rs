//! Sessions inside tickets, sealed under a ring of keys.
//!
//! ```text
//!   ticket: name of the key 16 | salt 12 | nonce 12 | sealed session | tag 16
//! ```
//!
//! The name is additional data of the AEAD. See [`seal`](super::seal) for what the salt is for.

use core::fmt;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use waxwing_core::limits::MAX_TICKET;
use waxwing_core::{Clock, ServerSessions, Session, SessionLookup, UnixMillis};
use waxwing_crypto::CryptoProvider;
use zeroize::Zeroizing;

use super::ring::{NAME_LEN, Ring, Schedule};
use super::seal::{Algorithm, Purpose};

/// A ring of keys, and sessions that are sealed under them and kept by the clients.
///
/// Nothing is stored, however many clients there are. A ticket can be used more than once until it
/// ends: early data needs a [`ReplayGuard`](waxwing_core::ReplayGuard) besides.
///
/// Handshakes read the ring without waiting for anybody; whoever finds that a new key is due makes
/// it. Keys are erased when they have ended, or when this is dropped. A server that has no handshakes
/// for days keeps its last keys until it is asked again, or [`Self::rotate`] is called.
///
/// ```
/// use std::sync::Arc;
/// use waxwing::{PROVIDER, ServerConfigBuilder, SystemClock};
/// use waxwing_server::TicketKeys;
///
/// fn resume(config: ServerConfigBuilder) -> Option<ServerConfigBuilder> {
///     let clock = Arc::new(SystemClock);
///     let tickets = TicketKeys::new(&PROVIDER, clock.clone())?;
///     Some(config.sessions(Arc::new(tickets), clock))
/// }
/// ```
pub struct TicketKeys {
    pub(super) algorithm: Algorithm,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) schedule: Schedule,
    ring: RwLock<Arc<Ring>>,
    /// Held by who makes the next ring. `None` if that comes from elsewhere.
    rotating: Option<Mutex<()>>,
}

impl TicketKeys {
    /// Keys for one process, which change on the usual [`Schedule`].
    ///
    /// `None` if the provider has no cipher with keys of 256 bits, or no randomness.
    #[must_use]
    pub fn new(provider: &CryptoProvider, clock: Arc<dyn Clock>) -> Option<Self> {
        Self::with_schedule(provider, clock, Schedule::DEFAULT)
    }

    /// As [`Self::new`], with another schedule.
    #[must_use]
    pub fn with_schedule(
        provider: &CryptoProvider,
        clock: Arc<dyn Clock>,
        schedule: Schedule,
    ) -> Option<Self> {
        let mut keys = Self::without_keys(provider, clock, schedule)?;
        keys.rotating = Some(Mutex::default());
        keys.rotate();
        keys.ring().current(keys.clock.now())?;
        Some(keys)
    }

    /// A ring that is empty until [`Self::replace`] fills it.
    pub(super) fn without_keys(
        provider: &CryptoProvider,
        clock: Arc<dyn Clock>,
        schedule: Schedule,
    ) -> Option<Self> {
        let algorithm = Algorithm::of(provider)?;
        Some(Self {
            algorithm,
            clock,
            schedule,
            ring: RwLock::new(Arc::new(Ring::empty(algorithm)?)),
            rotating: None,
        })
    }

    /// Makes a new key if one is due, and erases those that have ended.
    pub fn rotate(&self) {
        self.rotate_at(self.clock.now());
    }

    /// The ring after that.
    fn rotate_at(&self, now: UnixMillis) -> Arc<Ring> {
        let ring = self.ring();
        if now < ring.due() && now < ring.first_end() {
            return ring;
        }
        let Some(rotating) = &self.rotating else {
            return ring;
        };
        // Somebody else is at it: the ring that there is serves until then.
        let Ok(_turn) = rotating.try_lock() else {
            return ring;
        };
        // Without randomness there is no new key, but old ones still have to go.
        let rotated = self.ring().rotated(now, self.algorithm, &self.schedule);
        self.replace(rotated.unwrap_or_else(|| ring.pruned(now)));
        self.ring()
    }

    pub(super) fn ring(&self) -> Arc<Ring> {
        // A lock for as long as it takes to count a reference.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, ring: Ring) {
        let ring = Arc::new(ring);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }

    /// Seals bytes under the key of the hour, its name in front.
    pub(super) fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let now = self.clock.now();
        let ring = self.rotate_at(now);
        let key = ring.current(now)?;
        let aad = joined(&key.name, context);
        key.sealing.seal(purpose, &aad, &key.name, plain)
    }

    /// Opens what [`Self::seal`] sealed here, or at another who has the same ring.
    pub(super) fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (name, sealed) = sealed.split_first_chunk::<NAME_LEN>()?;
        let ring = self.ring();
        let key = ring.find(name, self.clock.now())?;
        key.sealing.open(purpose, &joined(name, context), sealed)
    }
}

/// What the AEAD takes as additional data. A ticket has no context.
fn joined<'a>(name: &'a [u8; NAME_LEN], context: &[u8]) -> Cow<'a, [u8]> {
    if context.is_empty() {
        Cow::Borrowed(name)
    } else {
        Cow::Owned([name, context].concat())
    }
}

impl ServerSessions for TicketKeys {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        let ticket = self.seal(Purpose::Ticket, &[], &session.to_bytes()?)?;
        (ticket.len() <= MAX_TICKET).then_some(ticket)
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        let plain = self.open(Purpose::Ticket, &[], ticket);
        let session = plain.and_then(|plain| Session::from_bytes(&plain).ok());
        session.map_or(SessionLookup::None, SessionLookup::Found)
    }
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKeys")
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use waxwing_aws_lc::PROVIDER;
    use waxwing_testkit::session_bytes::SessionBytes;
    use waxwing_testkit::sessions::ManualClock;

    use super::*;

    const START: UnixMillis = 1_700_000_000_000;
    const HOUR: u64 = 3_600_000;

    fn keys() -> (TicketKeys, Arc<ManualClock>) {
        let clock = ManualClock::at(START);
        (TicketKeys::new(&PROVIDER, clock.clone()).unwrap(), clock)
    }

    fn session() -> Session {
        SessionBytes {
            issued_at: START,
            max_early_data: 77,
            ..SessionBytes::TLS13
        }
        .session()
    }

    fn opens(keys: &TicketKeys, ticket: &[u8]) -> bool {
        match keys.find(ticket) {
            SessionLookup::Found(found) => {
                assert_eq!(found.to_bytes(), session().to_bytes());
                true
            }
            SessionLookup::None => false,
            SessionLookup::Pending => panic!("a ticket needs nobody else"),
        }
    }

    #[test]
    fn a_ticket_holds_the_session() {
        let (keys, _) = keys();
        let ticket = keys.issue(&session()).unwrap();
        assert!(opens(&keys, &ticket));
        assert!(opens(&keys, &ticket), "more than once");
        let plain = session().to_bytes().unwrap();
        assert_eq!(ticket.len(), plain.len() + 56);
        assert!(ticket.len() < 200, "{}", ticket.len());
    }

    #[test]
    fn no_ticket_that_was_changed_opens() {
        let (keys, _) = keys();
        let ticket = keys.issue(&session()).unwrap();
        for at in 0..ticket.len() {
            for bit in 0..8 {
                let mut changed = ticket.clone();
                changed[at] ^= 1 << bit;
                assert!(!opens(&keys, &changed), "byte {at}, bit {bit}");
            }
            assert!(!opens(&keys, &ticket[..at]));
        }
        assert!(!opens(&keys, &[&ticket[..], &[0]].concat()));
        assert!(!opens(&keys, &[0; 200]));
    }

    #[test]
    fn keys_of_other_servers_do_not_open_it() {
        let ticket = keys().0.issue(&session()).unwrap();
        assert!(!opens(&keys().0, &ticket));
    }

    #[test]
    fn a_ticket_ends_with_its_key() {
        let (keys, clock) = keys();
        let ticket = keys.issue(&session()).unwrap();
        for _ in 0..23 {
            clock.advance(HOUR);
            let other = keys.issue(&session()).unwrap();
            assert!(opens(&keys, &ticket) && opens(&keys, &other));
        }
        clock.advance(HOUR);
        assert!(!opens(&keys, &ticket));
        keys.rotate();
        let names = keys.ring().names();
        assert!(
            !names.iter().any(|name| *name == ticket[..NAME_LEN]),
            "erased"
        );
    }

    #[test]
    fn every_ticket_serves_for_seventeen_hours() {
        let (keys, clock) = keys();
        for _ in 0..20 {
            let ticket = keys.issue(&session()).unwrap();
            let now = clock.now();
            clock.advance(17 * HOUR);
            assert!(opens(&keys, &ticket));
            clock.set(now + HOUR);
        }
    }

    #[test]
    fn the_key_that_seals_changes_every_six_hours() {
        let (keys, clock) = keys();
        let mut names = Vec::new();
        for _ in 0..48 {
            let ticket = keys.issue(&session()).unwrap();
            names.push(ticket[..NAME_LEN].to_vec());
            clock.advance(HOUR);
        }
        names.dedup();
        // 48 hours are eight periods, or seven if all the jitter is used.
        assert!((7..=8).contains(&names.len()), "{}", names.len());
    }

    #[test]
    fn a_session_too_long_for_a_ticket_gets_none() {
        let (keys, _) = keys();
        let long = SessionBytes {
            certificate: MAX_TICKET,
            ..SessionBytes::TLS13
        };
        assert!(keys.issue(&long.session()).is_none());
    }

    #[test]
    fn threads_rotate_and_seal_at_once() {
        let (keys, clock) = keys();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        clock.advance(60_000);
                        let ticket = keys.issue(&session()).unwrap();
                        assert!(opens(&keys, &ticket));
                    }
                });
            }
        });
    }

    #[test]
    fn nothing_of_the_keys_is_shown() {
        let (keys, _) = keys();
        let shown = format!("{keys:?}");
        assert!(shown.contains("schedule") && shown.len() < 120, "{shown}");
    }
}
