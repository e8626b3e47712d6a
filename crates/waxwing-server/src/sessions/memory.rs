//! A server's sessions in the memory of its process; the tickets only name them.
//!
//! The names are random, so that which shard a session falls into is not for a client to choose.

use core::fmt;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use waxwing_core::{Clock, ServerSessions, Session, SessionLookup, UnixMillis};
use waxwing_crypto::SecureRandom;
use zeroize::Zeroizing;

/// Bytes of a handle: what a ticket consists of.
const HANDLE_LEN: usize = 32;
type Handle = [u8; HANDLE_LEN];
/// Parts with a lock of their own.
const SHARDS: usize = 16;

/// Keeps a server's sessions in memory.
///
/// A ticket is 32 random bytes. A session of TLS 1.3 is forgotten when its ticket is shown, so that
/// it is used once only, and whoever steals the server's memory later finds nothing of it. Those of
/// TLS 1.2 stay until they end. Session ids are kept too, for clients that know no tickets.
///
/// When it is full the oldest session has to go.
pub struct MemorySessions {
    clock: Arc<dyn Clock>,
    random: &'static dyn SecureRandom,
    tickets: Table,
    ids: Table,
}

impl MemorySessions {
    /// Has room for about `capacity` sessions behind tickets, and as many behind session ids. Each
    /// takes about 250 bytes (`docs/performance.md`), and what the client's certificates take.
    #[must_use]
    pub fn new(capacity: usize, clock: Arc<dyn Clock>, random: &'static dyn SecureRandom) -> Self {
        Self {
            clock,
            random,
            tickets: Table::new(capacity),
            ids: Table::new(capacity),
        }
    }

    /// How many sessions there are now; some may have expired.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tickets.len() + self.ids.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn look_up(&self, table: &Table, handle: &[u8]) -> SessionLookup {
        let found = handle
            .try_into()
            .ok()
            .and_then(|handle| table.find(handle, self.clock.now()));
        found.map_or(SessionLookup::None, SessionLookup::Found)
    }
}

impl ServerSessions for MemorySessions {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        let mut handle = [0; HANDLE_LEN];
        self.random.fill(&mut handle).ok()?;
        let kept = self.tickets.keep(&handle, session, self.clock.now());
        kept.then(|| handle.to_vec())
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        self.look_up(&self.tickets, ticket)
    }

    fn keeps_ids(&self) -> bool {
        true
    }

    fn keep(&self, id: &[u8; 32], session: &Session) {
        // If there is no room, or not any more, a full handshake follows.
        self.ids.keep(id, session, self.clock.now());
    }

    fn recall(&self, id: &[u8]) -> SessionLookup {
        self.look_up(&self.ids, id)
    }
}

struct Table {
    shards: [Mutex<Shard>; SHARDS],
    capacity_of_shard: usize,
}

#[derive(Default)]
struct Shard {
    sessions: HashMap<Handle, Kept>,
    /// The oldest first. Sessions that were taken are still named here for a while.
    order: VecDeque<Handle>,
}

struct Kept {
    ends: UnixMillis,
    /// Encoded, which takes less than half of the memory.
    session: Zeroizing<Box<[u8]>>,
}

impl Table {
    fn new(capacity: usize) -> Self {
        Self {
            shards: Default::default(),
            capacity_of_shard: capacity.div_ceil(SHARDS),
        }
    }

    fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).sessions.len())
            .sum()
    }

    fn shard(&self, handle: &Handle) -> &Mutex<Shard> {
        let [first, ..] = *handle;
        &self.shards[usize::from(first) % SHARDS]
    }

    fn keep(&self, handle: &Handle, session: &Session, now: UnixMillis) -> bool {
        let Some(bytes) = session.to_bytes() else {
            return false;
        };
        if self.capacity_of_shard == 0 || session.expires_at() <= now {
            return false;
        }
        let kept = Kept {
            ends: session.expires_at(),
            session: Zeroizing::new(bytes.as_slice().into()),
        };
        let mut shard = lock(self.shard(handle));
        if shard.sessions.insert(*handle, kept).is_none() {
            shard.order.push_back(*handle);
        }
        shard.make_room(self.capacity_of_shard, now);
        true
    }

    fn find(&self, handle: &Handle, now: UnixMillis) -> Option<Session> {
        let mut shard = lock(self.shard(handle));
        let kept = shard.sessions.get(handle)?;
        let session = Session::from_bytes(&kept.session).ok();
        let stays = now < kept.ends && session.as_ref().is_some_and(|found| !found.is_single_use());
        let is_valid = now < kept.ends;
        if !stays {
            shard.sessions.remove(handle);
        }
        session.filter(|_| is_valid)
    }
}

impl Shard {
    /// Drops the oldest until there are few enough, and those at the front that have ended.
    fn make_room(&mut self, capacity: usize, now: UnixMillis) {
        while let Some(oldest) = self.order.front() {
            let has_ended = self
                .sessions
                .get(oldest)
                .is_none_or(|kept| kept.ends <= now);
            if !has_ended && self.sessions.len() <= capacity {
                break;
            }
            self.sessions.remove(oldest);
            self.order.pop_front();
        }
        // Sessions in the middle that were taken must not make the order grow for ever.
        if self.order.len() > 2 * capacity.max(8) {
            let sessions = &self.sessions;
            self.order.retain(|handle| sessions.contains_key(handle));
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> std::sync::MutexGuard<'_, Shard> {
    // Nothing that holds the lock can panic half way through a change.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use waxwing_aws_lc::PROVIDER;
    use waxwing_testkit::session_bytes::SessionBytes;
    use waxwing_testkit::sessions::ManualClock;

    use super::*;

    fn sessions(capacity: usize) -> (MemorySessions, Arc<ManualClock>) {
        let clock = ManualClock::at(0);
        let sessions = MemorySessions::new(capacity, clock.clone(), PROVIDER.random);
        (sessions, clock)
    }

    fn new(mark: u32) -> Session {
        SessionBytes {
            lifetime: 100,
            max_early_data: mark,
            ..SessionBytes::TLS13
        }
        .session()
    }

    fn old(mark: u32) -> Session {
        SessionBytes {
            lifetime: 100,
            max_early_data: mark,
            ..SessionBytes::TLS12
        }
        .session()
    }

    fn mark(lookup: SessionLookup) -> Option<u32> {
        match lookup {
            SessionLookup::Found(session) => Some(session.max_early_data()),
            SessionLookup::None => None,
            SessionLookup::Pending => panic!("memory needs nobody else"),
        }
    }

    #[test]
    fn a_ticket_of_tls13_is_used_once_and_one_of_tls12_again() {
        let (sessions, _) = sessions(100);
        let (first, second) = (
            sessions.issue(&new(1)).unwrap(),
            sessions.issue(&old(2)).unwrap(),
        );
        assert_eq!((first.len(), second.len()), (32, 32));
        assert_eq!(mark(sessions.find(&first)), Some(1));
        assert_eq!(mark(sessions.find(&first)), None);
        assert_eq!(mark(sessions.find(&second)), Some(2));
        assert_eq!(mark(sessions.find(&second)), Some(2));
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn session_ids_and_tickets_are_apart() {
        let (sessions, _) = sessions(100);
        let id = [7; 32];
        sessions.keep(&id, &old(1));
        assert_eq!(mark(sessions.recall(&id)), Some(1));
        assert_eq!(mark(sessions.recall(&id)), Some(1));
        assert_eq!(mark(sessions.find(&id)), None);
        let ticket = sessions.issue(&old(2)).unwrap();
        assert_eq!(mark(sessions.recall(&ticket)), None);
    }

    #[test]
    fn what_has_ended_is_gone() {
        let (sessions, clock) = sessions(100);
        let ticket = sessions.issue(&old(1)).unwrap();
        clock.set(99_999);
        assert_eq!(mark(sessions.find(&ticket)), Some(1));
        clock.set(100_000);
        assert_eq!(mark(sessions.find(&ticket)), None);
        assert!(sessions.is_empty());
        assert_eq!(
            sessions.issue(&old(1)),
            None,
            "it has ended before it is kept"
        );
    }

    #[test]
    fn it_holds_no_more_than_it_should() {
        let (sessions, _) = sessions(64);
        let tickets: Vec<_> = (0..10_000)
            .map(|i| sessions.issue(&new(i)).unwrap())
            .collect();
        assert!(sessions.len() <= 64, "{}", sessions.len());
        let last = tickets.last().unwrap();
        assert_eq!(
            mark(sessions.find(last)),
            Some(9999),
            "the oldest goes, not the newest"
        );
        assert_eq!(mark(sessions.find(&tickets[0])), None);
        // Taken sessions leave nothing behind that grows.
        for _ in 0..10_000 {
            let ticket = sessions.issue(&new(1)).unwrap();
            sessions.find(&ticket);
        }
        let orders = sessions
            .tickets
            .shards
            .iter()
            .map(|shard| lock(shard).order.len());
        assert!(orders.max().unwrap() <= 17);
        assert_eq!(
            MemorySessions::new(0, ManualClock::at(0), PROVIDER.random).issue(&new(1)),
            None
        );
    }

    #[test]
    fn strange_tickets_name_nothing() {
        let (sessions, _) = sessions(8);
        let ticket = sessions.issue(&new(1)).unwrap();
        for len in 0..32 {
            assert_eq!(mark(sessions.find(&ticket[..len])), None);
        }
        assert_eq!(mark(sessions.find(&[&ticket[..], &[0]].concat())), None);
        assert_eq!(mark(sessions.recall(&[])), None);
        assert_eq!(mark(sessions.find(&ticket)), Some(1));
    }

    #[test]
    fn of_many_threads_one_gets_the_session() {
        let (sessions, _) = sessions(8);
        for _ in 0..100 {
            let ticket = sessions.issue(&new(1)).unwrap();
            let found = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| scope.spawn(|| mark(sessions.find(&ticket))))
                    .collect();
                threads
                    .into_iter()
                    .filter_map(|thread| thread.join().unwrap())
                    .count()
            });
            assert_eq!(found, 1);
        }
    }
}
