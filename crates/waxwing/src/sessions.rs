//! A client's sessions, in memory.
//!
//! ```text
//!   servers   name -> Kept   tickets (each used once), and a session of TLS 1.2 (used again)
//!   order     use  -> name   oldest first: who has to go when there are too many
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use waxwing_core::{ClientSessions, Clock, ServerName, Session, UnixMillis};

/// Tickets kept for one server: enough for the connections that a browser opens at once. A server
/// sends two by default, for each connection.
const MAX_TICKETS_PER_SERVER: usize = 4;

/// Keeps a client's sessions in memory, for the servers used last.
///
/// Of each server it keeps up to four tickets of TLS 1.3, which are given out once, the newest
/// first, and one session of TLS 1.2, which serves until it has expired. Secrets are erased when
/// they are dropped.
///
/// ```
/// use std::sync::Arc;
/// use waxwing::{ClientConfigBuilder, ClientSessionCache, SystemClock};
///
/// fn resume(config: ClientConfigBuilder) -> ClientConfigBuilder {
///     let clock = Arc::new(SystemClock);
///     let sessions = ClientSessionCache::new(256, clock.clone());
///     config.sessions(Arc::new(sessions), clock)
/// }
/// ```
pub struct ClientSessionCache {
    clock: Arc<dyn Clock>,
    servers: usize,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    servers: HashMap<Arc<ServerName>, Kept>,
    order: Order,
}

/// The servers by when they were used last.
#[derive(Default)]
struct Order {
    names: BTreeMap<u64, Arc<ServerName>>,
    uses: u64,
}

/// The sessions with one server.
#[derive(Default)]
struct Kept {
    /// When it was used last, as a place in the order.
    used: u64,
    /// The newest last.
    tickets: Vec<Session>,
    reusable: Option<Session>,
}

impl ClientSessionCache {
    /// Keeps sessions for up to this many servers.
    #[must_use]
    pub fn new(servers: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            servers,
            cache: Mutex::default(),
        }
    }

    /// For how many servers there are sessions now; some may have expired.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.with(|cache| cache.servers.len())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Cache) -> T) -> T {
        // Nothing that holds the lock can panic half way through a change.
        work(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientSessions for ClientSessionCache {
    fn take(&self, server: &ServerName) -> Option<Session> {
        let now = self.clock.now();
        self.with(|cache| {
            let kept = cache.servers.get_mut(server)?;
            kept.drop_expired(now);
            let ticket = kept.tickets.pop();
            let session = ticket.or_else(|| kept.reusable.clone());
            if kept.is_empty() {
                cache.remove(server);
            } else {
                kept.touch(&mut cache.order);
            }
            session
        })
    }

    fn put(&self, server: &ServerName, session: Session) {
        let now = self.clock.now();
        if self.servers == 0 || session.expires_at() <= now {
            return;
        }
        self.with(|cache| {
            if let Some(kept) = cache.servers.get_mut(server) {
                kept.drop_expired(now);
                kept.add(session);
                kept.touch(&mut cache.order);
                return;
            }
            while cache.servers.len() >= self.servers {
                cache.remove_oldest();
            }
            cache.insert(Arc::new(server.clone()), session);
        });
    }
}

impl Cache {
    fn remove(&mut self, server: &ServerName) {
        if let Some(kept) = self.servers.remove(server) {
            self.order.names.remove(&kept.used);
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((_, server)) = self.order.names.pop_first() {
            self.servers.remove(&*server);
        }
    }

    fn insert(&mut self, server: Arc<ServerName>, session: Session) {
        let mut kept = Kept {
            used: self.order.next(Arc::clone(&server)),
            ..Kept::default()
        };
        kept.add(session);
        self.servers.insert(server, kept);
    }
}

impl Order {
    /// The server is the one used last.
    fn next(&mut self, server: Arc<ServerName>) -> u64 {
        self.uses += 1;
        self.names.insert(self.uses, server);
        self.uses
    }
}

impl Kept {
    fn touch(&mut self, order: &mut Order) {
        if self.used == order.uses {
            return;
        }
        if let Some(server) = order.names.remove(&self.used) {
            self.used = order.next(server);
        }
    }

    fn drop_expired(&mut self, now: UnixMillis) {
        self.tickets.retain(|session| now < session.expires_at());
        self.reusable.take_if(|session| session.expires_at() <= now);
    }

    fn add(&mut self, session: Session) {
        if !session.is_single_use() {
            self.reusable = Some(session);
            return;
        }
        if self.tickets.len() >= MAX_TICKETS_PER_SERVER {
            self.tickets.remove(0);
        }
        // Room for one more only: most servers have one or two, and a session is large.
        self.tickets.reserve_exact(1);
        self.tickets.push(session);
    }

    const fn is_empty(&self) -> bool {
        self.tickets.is_empty() && self.reusable.is_none()
    }
}

impl fmt::Debug for ClientSessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSessionCache")
            .field("servers", &self.servers())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use waxwing_testkit::session_bytes::SessionBytes;
    use waxwing_testkit::sessions::ManualClock;

    use super::*;

    fn name(name: &str) -> ServerName {
        name.parse().unwrap()
    }

    /// A ticket that can be told by its early data.
    fn ticket(mark: u32, issued_at: UnixMillis) -> Session {
        SessionBytes {
            issued_at,
            lifetime: 100,
            max_early_data: mark,
            ..SessionBytes::TLS13
        }
        .session()
    }

    fn old_session(mark: u32, issued_at: UnixMillis) -> Session {
        SessionBytes {
            issued_at,
            lifetime: 100,
            max_early_data: mark,
            ..SessionBytes::TLS12
        }
        .session()
    }

    fn cache(servers: usize) -> (ClientSessionCache, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000_000);
        (ClientSessionCache::new(servers, clock.clone()), clock)
    }

    fn mark(cache: &ClientSessionCache, server: &str) -> Option<u32> {
        cache
            .take(&name(server))
            .map(|session| session.max_early_data())
    }

    #[test]
    fn tickets_are_given_out_once_the_newest_first() {
        let (cache, _) = cache(8);
        for number in 1..=3 {
            cache.put(&name("a.example"), ticket(number, 1_000_000));
        }
        let taken: Vec<_> = (0..4).map(|_| mark(&cache, "a.example")).collect();
        assert_eq!(taken, [Some(3), Some(2), Some(1), None]);
        assert_eq!(cache.servers(), 0);
    }

    #[test]
    fn of_many_tickets_the_last_four_stay() {
        let (cache, _) = cache(8);
        for number in 1..=9 {
            cache.put(&name("a.example"), ticket(number, 1_000_000));
        }
        let taken: Vec<_> = (0..5).map(|_| mark(&cache, "a.example")).collect();
        assert_eq!(taken, [Some(9), Some(8), Some(7), Some(6), None]);
    }

    #[test]
    fn a_session_of_tls12_serves_again_after_the_tickets() {
        let (cache, _) = cache(8);
        cache.put(&name("a.example"), old_session(1, 1_000_000));
        cache.put(&name("a.example"), ticket(2, 1_000_000));
        cache.put(&name("a.example"), old_session(3, 1_000_000));
        let taken: Vec<_> = (0..3).map(|_| mark(&cache, "a.example")).collect();
        assert_eq!(taken, [Some(2), Some(3), Some(3)]);
    }

    #[test]
    fn what_has_expired_is_gone() {
        let (cache, clock) = cache(8);
        cache.put(&name("a.example"), ticket(1, 1_000_000));
        cache.put(&name("a.example"), old_session(2, 1_000_000));
        clock.set(1_050_000);
        cache.put(&name("a.example"), ticket(3, 1_050_000));
        clock.set(1_100_000);
        assert_eq!(mark(&cache, "a.example"), Some(3));
        assert_eq!(mark(&cache, "a.example"), None);
        assert_eq!(cache.servers(), 0);
        cache.put(&name("a.example"), ticket(4, 1_000_000));
        assert_eq!(cache.servers(), 0, "expired before it was kept");
    }

    #[test]
    fn servers_do_not_mix() {
        let (cache, _) = cache(8);
        cache.put(&name("a.example"), ticket(1, 1_000_000));
        cache.put(&name("192.0.2.1"), ticket(2, 1_000_000));
        assert_eq!(mark(&cache, "b.example"), None);
        assert_eq!(mark(&cache, "192.0.2.1"), Some(2));
        assert_eq!(mark(&cache, "a.example"), Some(1));
    }

    #[test]
    fn the_server_not_used_for_longest_goes_first() {
        let (cache, _) = cache(2);
        cache.put(&name("a.example"), old_session(1, 1_000_000));
        cache.put(&name("b.example"), old_session(2, 1_000_000));
        assert_eq!(mark(&cache, "a.example"), Some(1));
        cache.put(&name("c.example"), old_session(3, 1_000_000));
        assert_eq!(cache.servers(), 2);
        assert_eq!(mark(&cache, "b.example"), None);
        assert_eq!(mark(&cache, "a.example"), Some(1));
        assert_eq!(mark(&cache, "c.example"), Some(3));
    }

    #[test]
    fn a_cache_for_no_server_keeps_nothing() {
        let (cache, _) = cache(0);
        cache.put(&name("a.example"), ticket(1, 1_000_000));
        assert_eq!(mark(&cache, "a.example"), None);
    }

    #[test]
    fn many_threads_never_get_the_same_ticket() {
        let (cache, _) = cache(8);
        let taken = std::thread::scope(|scope| {
            for number in 1..=4 {
                cache.put(&name("a.example"), ticket(number, 1_000_000));
            }
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| mark(&cache, "a.example")))
                .collect();
            let marks = threads
                .into_iter()
                .filter_map(|thread| thread.join().unwrap());
            let mut marks: Vec<_> = marks.collect();
            marks.sort_unstable();
            marks
        });
        assert_eq!(taken, [1, 2, 3, 4]);
    }
}
