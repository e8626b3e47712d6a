//! What engines under test know from before: sessions, keys, and which hellos they have seen.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use waxwing_core::{
    ClientConfigBuilder, ExternalPsk, FirstUse, PskLookup, PskResolver, ReplayGuard,
    ServerConfigBuilder, ServerSessions, Session, SessionLookup,
};
use waxwing_crypto::HashId;

use super::encoded::Encoded;
use crate::fake::KEYED_SHA256;
use crate::sessions::{ManualClock, MemoryClientSessions, MemorySessions, SealedSessions};

/// Bytes of early data that go with a session.
pub(super) const MAX_EARLY_DATA: u32 = 512;

/// The keys that everyone shares with everyone: one as it is, and one to be imported.
pub(super) fn psks() -> [ExternalPsk; 2] {
    [
        ExternalPsk::new(PLAIN_IDENTITY, &PLAIN_KEY, HashId::Sha256),
        ExternalPsk::importable(b"imported", &[0x4c; 32], HashId::Sha256, b"context"),
    ]
    .map(|psk| psk.expect("a good key"))
}

pub(super) const PLAIN_IDENTITY: &[u8] = b"plain";
pub(super) const PLAIN_KEY: [u8; 32] = [0x4b; 32];

/// What a server asks: answered at once, or when it is asked again through the engine.
pub(super) struct Known {
    store: Arc<dyn ServerSessions>,
    psks: Vec<ExternalPsk>,
    seen: Mutex<HashSet<[u8; 16]>>,
    later: bool,
}

impl Known {
    pub(super) fn new(store: Arc<dyn ServerSessions>, later: bool) -> Arc<Self> {
        Arc::new(Self {
            store,
            psks: psks().to_vec(),
            seen: Mutex::default(),
            later,
        })
    }

    /// The answer to the question of a session.
    pub(super) fn session(&self, handle: &[u8], is_id: bool) -> Option<Session> {
        let found = if is_id {
            self.store.recall(handle)
        } else {
            self.store.find(handle)
        };
        match found {
            SessionLookup::Found(session) => Some(session),
            SessionLookup::None => None,
            SessionLookup::Pending => unreachable!("the stores in use are not slow"),
        }
    }

    /// The answer to the question of a key.
    pub(super) fn psk(&self, identity: &[u8]) -> Option<ExternalPsk> {
        let mut psks = self.psks.iter();
        psks.find(|psk| psk.identity() == identity).cloned()
    }

    /// The answer to the question whether a hello is new.
    pub(super) fn is_new(&self, id: &[u8; 16]) -> bool {
        let mut seen = self.seen.lock().expect("no panic while locked");
        seen.insert(*id)
    }
}

impl ServerSessions for Known {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        self.store.issue(session)
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        if self.later {
            SessionLookup::Pending
        } else {
            self.store.find(ticket)
        }
    }

    fn keeps_ids(&self) -> bool {
        self.store.keeps_ids()
    }

    fn keep(&self, id: &[u8; 32], session: &Session) {
        self.store.keep(id, session);
    }

    fn recall(&self, id: &[u8]) -> SessionLookup {
        if self.later {
            SessionLookup::Pending
        } else {
            self.store.recall(id)
        }
    }
}

impl PskResolver for Known {
    fn find(&self, identity: &[u8]) -> PskLookup {
        if self.later {
            return PskLookup::Pending;
        }
        self.psk(identity).map_or(PskLookup::None, PskLookup::Found)
    }
}

impl ReplayGuard for Known {
    fn first_use(&self, id: &[u8; 16], _window: u32) -> FirstUse {
        if self.later {
            FirstUse::Pending
        } else if self.is_new(id) {
            FirstUse::Yes
        } else {
            FirstUse::No
        }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

/// A ticket of TLS 1.3 that every server knows to which a puppet speaks.
pub(super) const TICKET: &[u8] = b"a ticket";
/// The same of TLS 1.2.
pub(super) const TICKET12: &[u8] = b"an old ticket";
/// A session id of TLS 1.2.
pub(super) const SESSION_ID: [u8; 32] = [7; 32];

/// The sessions of servers to which puppets speak.
#[derive(Debug)]
pub(super) struct Shelf;

impl Shelf {
    fn look(session: &Encoded) -> SessionLookup {
        SessionLookup::Found(session.session())
    }
}

impl ServerSessions for Shelf {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        session.to_bytes().map(|bytes| bytes[..16].to_vec())
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        match ticket {
            TICKET => Self::look(&Encoded::tls13().of_server()),
            TICKET12 => Self::look(&Encoded::tls12().of_server()),
            _ => SessionLookup::None,
        }
    }

    fn keeps_ids(&self) -> bool {
        true
    }

    fn recall(&self, id: &[u8]) -> SessionLookup {
        if id == SESSION_ID {
            Self::look(&Encoded::tls12().of_server())
        } else {
            SessionLookup::None
        }
    }
}

/// What a client and a server have in common over several connections, bit by bit.
pub(super) struct Shared {
    choice: u8,
    clock: Arc<ManualClock>,
    ours: Arc<MemoryClientSessions>,
    pub(super) known: Arc<Known>,
}

impl Shared {
    pub(super) const SESSIONS: u8 = 1;
    const SEALED: u8 = 1 << 1;
    const LATER: u8 = 1 << 3;
    const EARLY_DATA: u8 = 1 << 4;
    pub(super) const PSKS: u8 = 1 << 5;
    /// The script begins with a connection after another one.
    const AGAIN: u8 = 1 << 6;
    /// The client's process is another one each time.
    const RELOADED: u8 = 1 << 7;

    pub(super) fn new(choice: u8) -> Self {
        let store: Arc<dyn ServerSessions> = if choice & Self::SEALED != 0 {
            SealedSessions::new(KEYED_SHA256.aead, 7)
        } else {
            MemorySessions::with_ids()
        };
        Self {
            choice,
            clock: ManualClock::new(),
            ours: MemoryClientSessions::new(),
            known: Known::new(store, choice & Self::LATER != 0),
        }
    }

    pub(super) const fn has(&self, bit: u8) -> bool {
        self.choice & bit != 0
    }

    /// Whether there is a connection before the script.
    pub(super) const fn has_earlier(&self) -> bool {
        self.has(Self::SESSIONS) && self.has(Self::AGAIN)
    }

    pub(super) fn client(&self, mut builder: ClientConfigBuilder) -> ClientConfigBuilder {
        if self.has(Self::SESSIONS) {
            builder = builder
                .sessions(self.ours.clone(), self.clock.clone())
                .early_data(self.has(Self::EARLY_DATA));
        }
        if self.has(Self::PSKS) {
            builder = builder.external_psks(psks());
        }
        builder
    }

    pub(super) fn server(&self, mut builder: ServerConfigBuilder) -> ServerConfigBuilder {
        if self.has(Self::SESSIONS) {
            builder = builder.sessions(self.known.clone(), self.clock.clone());
        }
        if self.has(Self::EARLY_DATA) {
            builder = builder.early_data(MAX_EARLY_DATA, self.known.clone());
        }
        if self.has(Self::PSKS) {
            builder = builder.external_psks(self.known.clone());
        }
        builder
    }

    /// A second passes between two connections.
    pub(super) fn between(&self) {
        self.clock.advance(1000);
        if self.has(Self::RELOADED) {
            self.ours.reload();
        }
    }
}
