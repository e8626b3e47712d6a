//! What outlives a connection: sessions, the time, and who vouches for the server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    ClientSessions, FirstUse, ReplayGuard, ServerName, ServerSessions, Session, SessionLookup,
};
use waxwing_testkit::sessions::{ManualClock, SealedSessions};

use crate::options::Options;
use crate::verify::Bench;

/// Shared by the connections of a test.
pub(crate) struct Memory {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) bench: Arc<Bench>,
    pub(crate) ours: Arc<OwnSessions>,
    sealed: Arc<SealedSessions>,
    ids: Arc<Mutex<HashMap<Vec<u8>, Session>>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            clock: ManualClock::new(),
            bench: Arc::default(),
            ours: Arc::default(),
            sealed: SealedSessions::new(PROVIDER.suites13[0].aead, 0),
            ids: Arc::default(),
        }
    }

    /// The sessions of a server's next connection.
    pub(crate) fn theirs(&self, options: &Options) -> Arc<GivenSessions> {
        Arc::new(GivenSessions {
            sealed: Arc::clone(&self.sealed),
            ids: Arc::clone(&self.ids),
            issues: !options.no_ticket && !options.skip_ticket,
            finds: !options.no_ticket,
            later: options.piecemeal,
            kept: AtomicBool::new(false),
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client's sessions: each connection resumes what the one before it came by.
#[derive(Debug, Default)]
pub(crate) struct OwnSessions(Mutex<Own>);

#[derive(Debug, Default)]
struct Own {
    /// What the connection resumes.
    offer: Option<Session>,
    /// What it came by last.
    fresh: Option<Session>,
}

impl OwnSessions {
    /// A connection begins. Whether there is a session to resume.
    pub(crate) fn turn(&self) -> bool {
        let mut own = locked(&self.0);
        own.offer = own.fresh.take();
        own.offer.is_some()
    }

    /// What the connection came by.
    pub(crate) fn fresh(&self) -> Option<Session> {
        locked(&self.0).fresh.clone()
    }
}

impl ClientSessions for OwnSessions {
    fn take(&self, _: &ServerName) -> Option<Session> {
        locked(&self.0).offer.take()
    }

    fn put(&self, _: &ServerName, session: Session) {
        locked(&self.0).fresh = Some(session);
    }
}

/// A server's sessions, as one connection may use them.
#[derive(Debug)]
pub(crate) struct GivenSessions {
    sealed: Arc<SealedSessions>,
    ids: Arc<Mutex<HashMap<Vec<u8>, Session>>>,
    issues: bool,
    finds: bool,
    /// No question is answered at once.
    later: bool,
    kept: AtomicBool,
}

impl GivenSessions {
    /// Whether a session was kept under an id.
    pub(crate) fn kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// Looks now.
    pub(crate) fn look(&self, handle: &[u8], is_id: bool) -> Option<Session> {
        if is_id {
            return locked(&self.ids).get(handle).cloned();
        }
        match self.sealed.find(handle) {
            SessionLookup::Found(session) if self.finds => Some(session),
            _ => None,
        }
    }

    fn answer(&self, handle: &[u8], is_id: bool) -> SessionLookup {
        if self.later {
            return SessionLookup::Pending;
        }
        let found = self.look(handle, is_id);
        found.map_or(SessionLookup::None, SessionLookup::Found)
    }
}

impl ServerSessions for GivenSessions {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        self.sealed.issue(session).filter(|_| self.issues)
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        self.answer(ticket, false)
    }

    fn keeps_ids(&self) -> bool {
        true
    }

    fn keep(&self, id: &[u8; 32], session: &Session) {
        locked(&self.ids).insert(id.to_vec(), session.clone());
        self.kept.store(true, Ordering::Relaxed);
    }

    fn recall(&self, id: &[u8]) -> SessionLookup {
        self.answer(id, true)
    }
}

/// Takes every hello for a new one: the runner sends none twice.
#[derive(Debug)]
pub(crate) struct Credulous {
    pub(crate) later: bool,
}

impl ReplayGuard for Credulous {
    fn first_use(&self, _: &[u8; 16], _: u32) -> FirstUse {
        if self.later {
            FirstUse::Pending
        } else {
            FirstUse::Yes
        }
    }
}
