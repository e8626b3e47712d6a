//! A guard for all servers that share a store.
//!
//! ```text
//!   0rtt/ID     put if absent: whoever succeeds was first
//!   0rtt/epoch  a value that is never replaced: if it is another one, the store has lost what it knew
//! ```

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::timeout;
use waxwing_core::{Clock, FirstUse, ReplayGuard, UnixMillis};

use crate::hex;
use crate::store::{Cond, Store, StoreError, Version};

/// How long a handshake waits; then it goes on without early data.
const PATIENCE: Duration = Duration::from_millis(2);
const EPOCH: &str = "0rtt/epoch";
/// What is added to each life, as the clocks of the store and of its users differ.
const MARGIN: Duration = Duration::from_secs(1);

/// Remembers the hellos with early data that any server of a fleet has seen.
///
/// Handshakes ask with a question: give the server an [`answerer`](crate::ServerAnswers). An answer
/// is waited for 2 milliseconds at most. In doubt the answer is no: when the store cannot be reached
/// or says nothing in time, and for one window after it has lost what it knew, which shows by a value
/// that it would have lost too. A server that starts also waits for one window, since it cannot tell
/// since when that value is there.
///
/// A Redis server that fails over to a replica may lose what it was told last, and keep the rest. If
/// that must not happen, switch early data off.
pub struct SharedReplayGuard {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The store's life as it was seen last, and since when.
    epoch: Mutex<Option<(Version, UnixMillis)>>,
}

impl SharedReplayGuard {
    /// A guard that keeps what was seen in `store`. `clock` only measures spans. `None` if the store
    /// is too slow for handshakes ([`Store::fast`]).
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Option<Self> {
        store.fast().then(|| Self {
            store,
            clock,
            epoch: Mutex::default(),
        })
    }

    /// Whether this hello is the first of its kind: what
    /// [`Question::FirstUse`](waxwing_core::Question::FirstUse) asks for.
    pub async fn answer(&self, id: &[u8; 16], window: u32) -> bool {
        match timeout(PATIENCE, self.ask(id, window)).await {
            Ok(Ok(is_first)) => is_first,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn ask(&self, id: &[u8; 16], window: u32) -> Result<bool, StoreError> {
        let life = Duration::from_millis(u64::from(window)) + MARGIN;
        let key = format!("0rtt/{}", hex(id));
        match self.store.put(&key, b"", Cond::Absent, Some(life)).await {
            Ok(_) => {}
            Err(StoreError::Conflict) => return Ok(false),
            Err(error) => return Err(error),
        }
        // Asked afterwards: if the store lost what it knew before or after that, it shows here.
        let epoch = self.epoch().await?;
        Ok(self.is_known_since(epoch, u64::from(window)))
    }

    /// Which life of the store this is.
    async fn epoch(&self) -> Result<Version, StoreError> {
        if let Some(entry) = self.store.get(EPOCH).await? {
            return Ok(entry.version);
        }
        match self.store.put(EPOCH, b"", Cond::Absent, None).await {
            // Another member was faster.
            Err(StoreError::Conflict) => match self.store.get(EPOCH).await? {
                Some(entry) => Ok(entry.version),
                None => Err(StoreError::Conflict),
            },
            other => other,
        }
    }

    /// Whether we have seen this life of the store for a whole window.
    fn is_known_since(&self, epoch: Version, window: u64) -> bool {
        let now = self.clock.now();
        let mut known = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            // A clock that was set back makes the wait longer.
            Some((version, since)) if *version == epoch => {
                now.checked_sub(*since).is_some_and(|age| age >= window)
            }
            _ => {
                *known = Some((epoch, now));
                false
            }
        }
    }
}

impl ReplayGuard for SharedReplayGuard {
    fn first_use(&self, _id: &[u8; 16], _window: u32) -> FirstUse {
        FirstUse::Pending
    }
}

impl fmt::Debug for SharedReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedReplayGuard")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
