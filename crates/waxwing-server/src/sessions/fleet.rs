//! Ticket keys that many servers share.
//!
//! ```text
//!   refresh:  read stek/POOL -> take it over -> a key is due? -> lock/stek/POOL
//!                                                   -> read again, rotate, put(Is(what was read))
//! ```
//!
//! The lock only saves work. What keeps a member that was stopped in the middle from undoing the
//! work of others is the version in the last step.

use core::fmt;
use core::pin::pin;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::sleep;
use waxwing_core::{Clock, UnixMillis};
use waxwing_crypto::CryptoProvider;

use super::ring::{BadRing, Ring, Schedule};
use super::seal::{Algorithm, KEY_LEN, SealingKey};
use super::tickets::TicketKeys;
use crate::store::{Cond, Lease, Store, StoreError, Version, Watch};

/// How often each member looks, whether it hears of changes or not.
const REFRESH_EVERY: Duration = Duration::from_secs(60);
/// When a member looks again if another one is just making the next key.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The first pause after a failure; it doubles up to [`REFRESH_EVERY`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A member of a fleet whose servers take each other's tickets.
///
/// The keys are under `stek/POOL` in a [`Store`], sealed under a master key that only the members
/// know: a copy of the store opens no ticket. The next key is there a period before it is used, so
/// that no member meets a ticket whose key it does not know, unless it could not read the store for
/// all that time.
///
/// Handshakes never wait for the store. While it is down, each member goes on with the keys that it
/// has until they end, 24 hours after they began to seal; then handshakes are full ones.
///
/// ```
/// use std::sync::Arc;
/// use waxwing::{PROVIDER, SystemClock};
/// use waxwing_server::SharedTicketKeys;
/// use waxwing_server::store::{DirStore, StoreError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(SystemClock);
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("tls");
/// let store = Arc::new(DirStore::open(folder, PROVIDER.random, clock.clone())?);
/// # let master_key = [7; 32];
/// let member = SharedTicketKeys::new(&PROVIDER, clock, store, "web", &master_key)?;
/// let member = Arc::new(member);
/// // Optional: without, the first handshakes may be full ones.
/// member.refresh().await?;
/// let refreshing = member.spawn();
/// let tickets = member.keys();
/// // For `ServerConfigBuilder::sessions`. Keys are refreshed until `refreshing` is dropped.
/// # drop((tickets, refreshing));
/// # Ok(())
/// # }
/// ```
pub struct SharedTicketKeys {
    keys: Arc<TicketKeys>,
    store: Arc<dyn Store>,
    pool: String,
    key: String,
    master: SealingKey,
    health: Mutex<Health>,
}

/// How a member of a fleet is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it last read the keys of the fleet.
    pub refreshed_at: Option<UnixMillis>,
    /// Why it could not the last time, if it could not.
    pub error: Option<FleetError>,
}

/// Why a member cannot share keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetError {
    /// The provider has no cipher with keys of 256 bits.
    NoCipher,
    /// There is no randomness.
    NoRandomness,
    /// The store failed.
    Store(StoreError),
    /// The keys in the store are sealed under another master key, or for another pool.
    MasterKey,
    /// The keys in the store are for a cipher that this member's provider does not have.
    Cipher,
    /// What is in the store was not written by this release, or an earlier one.
    Layout,
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCipher => "the provider has no cipher with keys of 256 bits",
            Self::NoRandomness => "there is no randomness",
            Self::Store(error) => return error.fmt(f),
            Self::MasterKey => {
                "the shared ticket keys do not open: all members of the pool need the same master \
                 key. To start anew, remove the keys from the store"
            }
            Self::Cipher => "the shared ticket keys are for a cipher that this provider lacks",
            Self::Layout => "the shared ticket keys are in a form that this release does not know",
        })
    }
}

impl std::error::Error for FleetError {}

impl From<StoreError> for FleetError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<BadRing> for FleetError {
    fn from(bad: BadRing) -> Self {
        match bad {
            BadRing::Layout => Self::Layout,
            BadRing::MasterKey => Self::MasterKey,
            BadRing::Cipher => Self::Cipher,
        }
    }
}

impl SharedTicketKeys {
    /// A member of `pool`, which has no keys before its first [`Self::refresh`].
    ///
    /// `pool` becomes part of a key of the store. The master key must be 32 random bytes, the same
    /// for all members.
    ///
    /// # Errors
    /// If the provider is not up to it.
    pub fn new(
        provider: &CryptoProvider,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        pool: &str,
        master_key: &[u8; KEY_LEN],
    ) -> Result<Self, FleetError> {
        Self::with_schedule(provider, clock, store, pool, master_key, Schedule::DEFAULT)
    }

    /// As [`Self::new`], with another schedule; it should be the same for all members.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_schedule(
        provider: &CryptoProvider,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        pool: &str,
        master_key: &[u8; KEY_LEN],
        schedule: Schedule,
    ) -> Result<Self, FleetError> {
        let algorithm = Algorithm::of(provider).ok_or(FleetError::NoCipher)?;
        let keys = TicketKeys::without_keys(provider, clock, schedule);
        Ok(Self {
            keys: Arc::new(keys.ok_or(FleetError::NoRandomness)?),
            store,
            pool: pool.to_owned(),
            key: format!("stek/{pool}"),
            master: algorithm.sealing_key(master_key),
            health: Mutex::default(),
        })
    }

    /// The keys, for configurations and for
    /// [`StoreSessions`](crate::StoreSessions). They follow the fleet as long as this is refreshed.
    #[must_use]
    pub fn keys(&self) -> Arc<TicketKeys> {
        Arc::clone(&self.keys)
    }

    /// How it went the last time.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the fleet's keys, and makes the next one if it is due and nobody else does. Returns
    /// after how long to do so again.
    ///
    /// # Errors
    /// Nothing has changed then but that keys which have ended are erased.
    pub async fn refresh(&self) -> Result<Duration, FleetError> {
        let result = self.refresh_now().await;
        let now = self.keys.clock.now();
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.error = result.as_ref().err().cloned();
        if result.is_ok() {
            health.refreshed_at = Some(now);
        }
        result
    }

    async fn refresh_now(&self) -> Result<Duration, FleetError> {
        let now = self.keys.clock.now();
        self.keys.replace(self.keys.ring().pruned(now));
        let known = self.read().await?;
        if known.is_some() && now < self.keys.ring().due() {
            return Ok(self.pause(now));
        }
        let what = &self.key;
        let owner = format!("process {}", std::process::id());
        let lease = Lease::acquire(Arc::clone(&self.store), what, &owner).await?;
        let Some(lease) = lease else {
            return Ok(LOOK_AGAIN);
        };
        let rotated = self.rotate().await;
        lease.release().await;
        rotated?;
        Ok(self.pause(self.keys.clock.now()))
    }

    /// Takes over what is in the store; returns its version.
    async fn read(&self) -> Result<Option<Version>, FleetError> {
        let Some(entry) = self.store.get(&self.key).await? else {
            return Ok(None);
        };
        let algorithm = self.keys.algorithm;
        let ring = Ring::unwrap(algorithm, &self.master, &self.pool, &entry.value)?;
        self.adopt(ring);
        Ok(Some(entry.version))
    }

    /// What the store says is what the fleet does; keys that it has forgotten still open.
    fn adopt(&self, ring: Ring) {
        let now = self.keys.clock.now();
        let ours = self.keys.ring();
        self.keys.replace(ring.pruned(now).joined(&ours, now));
    }

    /// Makes the next key, as the holder of the lock.
    async fn rotate(&self) -> Result<(), FleetError> {
        // Somebody may have been faster, and have given the lock back by now.
        let known = self.read().await?;
        let now = self.keys.clock.now();
        let ring = self.keys.ring();
        if known.is_some() && now < ring.due() {
            return Ok(());
        }
        let algorithm = self.keys.algorithm;
        // If the store has lost the ring, ours goes on: tickets stay good.
        let next = ring
            .rotated(now, algorithm, &self.keys.schedule)
            .ok_or(FleetError::NoRandomness)?;
        let wrapped = next
            .wrap(algorithm, &self.master, &self.pool)
            .ok_or(FleetError::NoRandomness)?;
        let unchanged = known.map_or(Cond::Absent, Cond::Is);
        let ttl = Duration::from_millis(next.last_end().saturating_sub(now));
        match self
            .store
            .put(&self.key, &wrapped, unchanged, Some(ttl))
            .await
        {
            Ok(_) => {
                self.keys.replace(next);
                Ok(())
            }
            // We were too slow, and what we made was never seen by anybody.
            Err(StoreError::Conflict) => self.read().await.map(|_| ()),
            Err(error) => Err(error.into()),
        }
    }

    fn pause(&self, now: UnixMillis) -> Duration {
        let due = self.keys.ring().due().saturating_sub(now).max(1);
        REFRESH_EVERY.min(Duration::from_millis(due))
    }

    /// Refreshes for ever: when it hears of a change, and every minute. To be spawned, or see
    /// [`Self::spawn`].
    pub async fn run(&self) {
        let mut watch = self.store.watch(&self.key);
        let mut failed_pause = FIRST_PAUSE;
        loop {
            let pause = match self.refresh().await {
                Ok(pause) => {
                    failed_pause = FIRST_PAUSE;
                    pause
                }
                Err(_) => {
                    let pause = failed_pause;
                    failed_pause = REFRESH_EVERY.min(failed_pause * 2);
                    pause
                }
            };
            self.wait(pause, watch.as_mut()).await;
        }
    }

    async fn wait(&self, pause: Duration, watch: Option<&mut Watch>) {
        let mut over = pin!(sleep(self.spread(pause)));
        let Some(watch) = watch else {
            return over.await;
        };
        tokio::select! {
            () = &mut over => {}
            () = watch.changed() => {}
        }
    }

    /// The pause and up to an eighth more, so that members do not all come at once.
    fn spread(&self, pause: Duration) -> Duration {
        let random = self.keys.algorithm.random_bytes::<1>();
        let part = random.map_or(0, |random| u32::from(random[0]));
        pause + pause / 8 * part / 256
    }

    /// Runs [`Self::run`] on the current runtime until the task is dropped.
    #[must_use = "it ends when it is dropped"]
    pub fn spawn(self: &Arc<Self>) -> RefreshTask {
        let member = Arc::clone(self);
        RefreshTask(tokio::spawn(async move { member.run().await }))
    }
}

/// A task that refreshes keys. It ends when this is dropped.
#[derive(Debug)]
pub struct RefreshTask(JoinHandle<()>);

impl Drop for RefreshTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for SharedTicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTicketKeys")
            .field("pool", &self.pool)
            .field("store", &self.store)
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
