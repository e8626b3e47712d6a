//! A server's sessions in a store that others share; the tickets only name them.
//!
//! ```text
//!   ticket: handle, 32 random bytes
//!   sess/HMAC(handle)  ->  the session, sealed under the ring of ticket keys
//! ```
//!
//! Who can read the store learns neither a session nor a ticket: the names are made with a secret of
//! the ring.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use waxwing_core::{Clock, ServerSessions, Session, SessionLookup};

use super::seal::Purpose;
use super::tickets::TicketKeys;
use crate::hex;
use crate::store::{Cond, Store};

const HANDLE_LEN: usize = 32;
/// How long a handshake waits; then it is a full one.
const PATIENCE: Duration = Duration::from_millis(5);
/// Sessions of TLS 1.2 are for clients that come back soon, and can be used more than once.
const MAX_LIFE_OF_IDS: Duration = Duration::from_secs(600);
/// Sessions that wait to be written. When there are more, clients get no tickets.
const MAX_WAITING: usize = 1024;
/// Sessions that are being written.
const MAX_WRITING: usize = 32;

/// What a handle is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Ticket,
    Id,
}

impl Kind {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Ticket => b"ticket",
            Self::Id => b"id",
        }
    }
}

/// Keeps a server's sessions in a store that is shared by many servers.
///
/// A ticket is 32 random bytes. A session of TLS 1.3 is removed when its ticket is shown, so that it
/// is used once only in the whole fleet. Sealed tickets ([`TicketKeys`] alone) need no store and no
/// waiting; this is for those who want single use, or have clients that know session ids only.
///
/// Handshakes ask for sessions with a question: give the server an
/// [`answerer`](crate::ServerAnswers). An answer is waited for 5 milliseconds at most; without one
/// the handshake is a full one. Writing is done in the background: a ticket may reach the client a
/// moment before its session reaches the store.
pub struct StoreSessions {
    keys: Arc<TicketKeys>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    writes: mpsc::Sender<Write>,
    keep_ids: bool,
}

/// A session on its way into the store.
struct Write {
    key: String,
    value: Vec<u8>,
    ttl: Duration,
}

impl StoreSessions {
    /// Sessions in `store`, sealed under `keys`, which the servers must share too: see
    /// [`SharedTicketKeys::keys`](crate::SharedTicketKeys::keys). To be called within a tokio runtime,
    /// which then writes them. `None` if the store is too slow for handshakes ([`Store::fast`]).
    #[must_use]
    pub fn new(
        keys: Arc<TicketKeys>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        if !store.fast() {
            return None;
        }
        let (writes, queue) = mpsc::channel(MAX_WAITING);
        tokio::spawn(write_all(Arc::clone(&store), queue));
        Some(Self {
            keys,
            store,
            clock,
            writes,
            keep_ids: false,
        })
    }

    /// Whether sessions of TLS 1.2 are kept under session ids too, for 10 minutes (default: no).
    ///
    /// Few clients need that today, and such a session's secret stays in the store for all that time.
    #[must_use]
    pub fn keep_ids(mut self, on: bool) -> Self {
        self.keep_ids = on;
        self
    }

    /// The session behind a ticket, or behind a session id: what
    /// [`Question::Session`](waxwing_core::Question::Session) asks for. `None` if there is none, or the
    /// store does not say in time.
    pub async fn answer(&self, handle: &[u8], is_id: bool) -> Option<Session> {
        let kind = if is_id { Kind::Id } else { Kind::Ticket };
        let handle = handle.try_into().ok()?;
        timeout(PATIENCE, self.fetch(kind, handle)).await.ok()?
    }

    async fn fetch(&self, kind: Kind, handle: &[u8; HANDLE_LEN]) -> Option<Session> {
        let (key, context) = self.name(kind, handle);
        let entry = self.store.get(&key).await.ok()??;
        let plain = self.keys.open(Purpose::Session, &context, &entry.value)?;
        let session = Session::from_bytes(&plain).ok()?;
        if session.is_single_use() {
            // Of all that have read it only the one that removes it may use it.
            let removed = self.store.del(&key, Cond::Is(entry.version)).await;
            removed.ok()?;
        }
        Some(session)
    }

    /// The key of the store, and what binds the value to it.
    fn name(&self, kind: Kind, handle: &[u8; HANDLE_LEN]) -> (String, Vec<u8>) {
        let name = self.keys.ring().index.sign(&[handle, kind.label()]);
        let name = name.as_ref().get(..16).unwrap_or_default().to_vec();
        (format!("sess/{}", hex(&name)), name)
    }

    /// Queues a session; whether there was room.
    fn write(&self, kind: Kind, handle: &[u8; HANDLE_LEN], session: &Session) -> Option<()> {
        let left = session.expires_at().checked_sub(self.clock.now())?;
        let mut ttl = Duration::from_millis(left);
        if ttl.is_zero() {
            return None;
        }
        if let Kind::Id = kind {
            ttl = ttl.min(MAX_LIFE_OF_IDS);
        }
        let (key, context) = self.name(kind, handle);
        let value = self
            .keys
            .seal(Purpose::Session, &context, &session.to_bytes()?)?;
        self.writes.try_send(Write { key, value, ttl }).ok()
    }

    fn look_up(handle: &[u8]) -> SessionLookup {
        if handle.len() == HANDLE_LEN {
            SessionLookup::Pending
        } else {
            SessionLookup::None
        }
    }
}

/// Writes what comes, some at a time, until nobody can send any more.
async fn write_all(store: Arc<dyn Store>, mut queue: mpsc::Receiver<Write>) {
    let mut writing = JoinSet::new();
    while let Some(Write { key, value, ttl }) = queue.recv().await {
        while writing.try_join_next().is_some() {}
        if writing.len() >= MAX_WRITING {
            writing.join_next().await;
        }
        let store = Arc::clone(&store);
        writing.spawn(async move {
            // Without it the client's next handshake is a full one, which needs no report.
            let _ = store.put(&key, &value, Cond::Any, Some(ttl)).await;
        });
    }
    writing.join_all().await;
}

impl ServerSessions for StoreSessions {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        let handle = self.keys.algorithm.random_bytes()?;
        self.write(Kind::Ticket, &handle, session)?;
        Some(handle.to_vec())
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        Self::look_up(ticket)
    }

    fn keeps_ids(&self) -> bool {
        self.keep_ids
    }

    fn keep(&self, id: &[u8; 32], session: &Session) {
        // What cannot be written is not found, and a full handshake follows.
        let _ = self.write(Kind::Id, id, session);
    }

    fn recall(&self, id: &[u8]) -> SessionLookup {
        if self.keep_ids {
            Self::look_up(id)
        } else {
            SessionLookup::None
        }
    }
}

impl fmt::Debug for StoreSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSessions")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
