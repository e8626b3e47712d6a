//! Stores for sessions that live in memory, and a clock that stands still.
//!
//! The unit tests of `waxwing-core` include this file as a module of their own, so it uses nothing
//! but what that crate exports, and names what is in the prelude elsewhere.

use std::boxed::Box;
use std::collections::HashMap;
use std::string::ToString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::vec::Vec;
use std::{fmt, vec};

use waxwing_core::{
    ClientSessions, Clock, ServerName, ServerSessions, Session, SessionLookup, UnixMillis,
};
use waxwing_crypto::{Aead, AeadKey, IV_LEN};

/// A clock that is set by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// Stands at some day of 2027.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1_800_000_000_000)))
    }

    /// Stands at this time.
    #[must_use]
    pub fn at(now: UnixMillis) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(now)))
    }

    /// Goes forward by so many milliseconds.
    pub fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    /// Shows this time.
    pub fn set(&self, now: UnixMillis) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        self.0.load(Ordering::Relaxed)
    }
}

/// A client's sessions: of TLS 1.3 each is given out once, of TLS 1.2 the last one again and
/// again.
#[derive(Debug, Default)]
pub struct MemoryClientSessions(Mutex<Vec<(ServerName, Session)>>);

impl MemoryClientSessions {
    /// An empty one.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How many there are, for all servers.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Session> {
        let sessions = self.0.lock().unwrap();
        sessions
            .iter()
            .map(|(_, session)| session.clone())
            .collect()
    }

    /// Writes all of them down and reads them again, as if another process did. What verifiers
    /// noted is lost.
    pub fn reload(&self) {
        for (_, session) in &mut *self.0.lock().unwrap() {
            let bytes = session.to_bytes().unwrap();
            *session = Session::from_bytes(&bytes).unwrap();
        }
    }
}

impl ClientSessions for MemoryClientSessions {
    fn take(&self, server: &ServerName) -> Option<Session> {
        let mut sessions = self.0.lock().unwrap();
        let last = sessions.iter().rposition(|(name, _)| name == server)?;
        if sessions[last].1.is_single_use() {
            Some(sessions.remove(last).1)
        } else {
            Some(sessions[last].1.clone())
        }
    }

    fn put(&self, server: &ServerName, session: Session) {
        let mut sessions = self.0.lock().unwrap();
        if !session.is_single_use() {
            sessions.retain(|(name, old)| name != server || old.is_single_use());
        }
        sessions.push((server.clone(), session));
    }
}

/// A server's sessions, which tickets and session ids are the names of.
#[derive(Debug, Default)]
pub struct MemorySessions {
    kept: Mutex<HashMap<Vec<u8>, Session>>,
    count: AtomicU64,
    /// Whether sessions without a ticket are kept.
    ids: bool,
    /// Whether answers come later.
    slow: bool,
}

impl MemorySessions {
    /// Gives out tickets alone.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Keeps sessions for clients without tickets, too.
    #[must_use]
    pub fn with_ids() -> Arc<Self> {
        Arc::new(Self {
            ids: true,
            ..Self::default()
        })
    }

    /// The same, but looks up nothing at once: see [`Self::look`].
    #[must_use]
    pub fn slow() -> Arc<Self> {
        Arc::new(Self {
            ids: true,
            slow: true,
            ..Self::default()
        })
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tickets were made.
    pub fn issued(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The answer to the question for this ticket or id.
    pub fn look(&self, handle: &[u8]) -> Option<Session> {
        let mut kept = self.kept.lock().unwrap();
        if kept.get(handle)?.is_single_use() {
            kept.remove(handle)
        } else {
            kept.get(handle).cloned()
        }
    }

    fn answer(&self, handle: &[u8]) -> SessionLookup {
        if self.slow {
            return SessionLookup::Pending;
        }
        match self.look(handle) {
            Some(session) => SessionLookup::Found(session),
            None => SessionLookup::None,
        }
    }
}

impl ServerSessions for MemorySessions {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let ticket = ["ticket ", &count.to_string()].concat().into_bytes();
        let mut kept = self.kept.lock().unwrap();
        kept.insert(ticket.clone(), session.clone());
        Some(ticket)
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        self.answer(ticket)
    }

    fn keeps_ids(&self) -> bool {
        self.ids
    }

    fn keep(&self, id: &[u8; 32], session: &Session) {
        let mut kept = self.kept.lock().unwrap();
        kept.insert(id.to_vec(), session.clone());
    }

    fn recall(&self, id: &[u8]) -> SessionLookup {
        self.answer(id)
    }
}

/// A server's sessions in the tickets themselves: a nonce, and the session under an AEAD.
pub struct SealedSessions {
    key: Box<dyn AeadKey>,
    tag_len: usize,
    count: AtomicU64,
}

impl SealedSessions {
    /// With a key made of this byte.
    ///
    /// # Panics
    /// If the AEAD takes no key of its own length.
    #[must_use]
    pub fn new(aead: &dyn Aead, key: u8) -> Arc<Self> {
        Arc::new(Self {
            key: aead.new_key(&vec![key; aead.key_len()]).unwrap(),
            tag_len: aead.tag_len(),
            count: AtomicU64::new(1),
        })
    }
}

impl ServerSessions for SealedSessions {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        let mut nonce = [0; IV_LEN];
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        nonce[4..].copy_from_slice(&count.to_be_bytes());
        let mut sealed = session.to_bytes()?.to_vec();
        sealed.resize(sealed.len() + self.tag_len, 0);
        self.key.seal_in_place(&nonce, b"", &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        let Some((nonce, sealed)) = ticket.split_first_chunk() else {
            return SessionLookup::None;
        };
        let mut sealed = sealed.to_vec();
        let opened = self.key.open_in_place(nonce, b"", &mut sealed);
        match opened.map(|len| Session::from_bytes(&sealed[..len])) {
            Ok(Ok(session)) => SessionLookup::Found(session),
            _ => SessionLookup::None,
        }
    }
}

impl fmt::Debug for SealedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSessions")
    }
}
