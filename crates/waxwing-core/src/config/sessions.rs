//! Where sessions are kept, and who says what time it is. The engine asks; `waxwing`,
//! `waxwing-server` or the application answers.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::ServerName;
use crate::session::{Session, UnixMillis};

/// Tells the time of day. The engine has no clock of its own, and needs one only for sessions.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now. A clock that jumps makes sessions unusable, never unsafe.
    fn now(&self) -> UnixMillis;
}

/// Keeps a client's sessions.
///
/// One store serves any number of connections and configurations; a session whose server was
/// accepted by another verifier is judged again before it is used. Do not share it between
/// configurations that show different client certificates.
pub trait ClientSessions: Send + Sync + fmt::Debug {
    /// Takes a session for this server. One that is single-use ([`Session::is_single_use`]) must
    /// not be given out again.
    fn take(&self, server: &ServerName) -> Option<Session>;

    /// Keeps a session for later. A server may give several for one connection.
    fn put(&self, server: &ServerName, session: Session);
}

/// Keeps a server's sessions: in the tickets themselves, sealed, or in a store that the tickets
/// name.
///
/// [`Self::issue`] and [`Self::find`] are all that it takes. What a store answers is checked by the
/// engine: one that has expired or does not fit the hello only leads to a full handshake.
pub trait ServerSessions: Send + Sync + fmt::Debug {
    /// Makes a ticket, at most [`MAX_TICKET`](crate::limits::MAX_TICKET) bytes that nobody else
    /// can guess or forge. `None`: the client gets none.
    fn issue(&self, session: &Session) -> Option<Vec<u8>>;

    /// Finds the session that a ticket stands for. A store that hands out names should forget a
    /// single-use session ([`Session::is_single_use`]) that it has found.
    fn find(&self, ticket: &[u8]) -> SessionLookup;

    /// Whether [`Self::keep`] keeps something. By default it does not, and nobody gets an id.
    fn keeps_ids(&self) -> bool {
        false
    }

    /// Keeps a session of TLS 1.2 under this id, for clients that know no tickets (RFC 5246,
    /// Section 7.4.1.2).
    fn keep(&self, id: &[u8; 32], session: &Session) {
        let _ = (id, session);
    }

    /// Finds the session with this id. By default there is none.
    fn recall(&self, id: &[u8]) -> SessionLookup {
        let _ = id;
        SessionLookup::None
    }
}

/// What a store answers.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one call, and a box would be made for each session found"
)]
pub enum SessionLookup {
    /// The session.
    Found(Session),
    /// There is none, or it is not known: a full handshake follows.
    None,
    /// The answer will come later, through the engine's `answer`.
    Pending,
}

/// Sees to it that early data is accepted once only (RFC 9846, Section 8).
///
/// All servers that share tickets must share the guard, or accept no early data.
pub trait ReplayGuard: Send + Sync + fmt::Debug {
    /// Whether this ClientHello, known by `id`, is seen for the first time within the last
    /// `window` milliseconds. When in doubt, say [`FirstUse::No`]: the handshake goes on without
    /// early data.
    fn first_use(&self, id: &[u8; 16], window: u32) -> FirstUse;
}

/// What a [`ReplayGuard`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstUse {
    /// It is, and will not be again.
    Yes,
    /// It was seen before, or nobody knows.
    No,
    /// The answer will come later, through the engine's `answer`.
    Pending,
}

/// A client's sessions and the clock that goes with them.
#[derive(Clone, Debug)]
pub(crate) struct ClientSessionConfig {
    pub(crate) store: Arc<dyn ClientSessions>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A server's sessions, and how they are given out.
#[derive(Clone, Debug)]
pub(crate) struct ServerSessionConfig {
    pub(crate) store: Arc<dyn ServerSessions>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Tickets after a handshake, unless the client asks for less.
    pub(crate) tickets: u8,
    /// In seconds, at most [`MAX_SESSION_LIFETIME`](crate::limits::MAX_SESSION_LIFETIME).
    pub(crate) lifetime: u32,
    /// Which of the server's services the sessions are for.
    pub(crate) context: Vec<u8>,
}

impl ServerSessionConfig {
    pub(crate) const fn new(store: Arc<dyn ServerSessions>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            tickets: 2,
            lifetime: 43_200,
            context: Vec::new(),
        }
    }
}

/// Early data that a server takes.
#[derive(Clone, Debug)]
pub(crate) struct EarlyDataConfig {
    /// In bytes for one connection.
    pub(crate) max: u32,
    pub(crate) guard: Arc<dyn ReplayGuard>,
}
