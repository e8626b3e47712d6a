//! A small store that many servers share: bytes under names, with versions and an end.
//!
//! ```text
//!   Store         get, put, del, list, watch      this file
//!   MemoryStore   one process                     memory.rs
//!   DirStore      one machine                     dir.rs
//!   RedisStore    one site (feature `redis`)      redis.rs
//!   Lease         who may do a thing now          lease.rs
//! ```
//!
//! A value has a version, which no other value of that key ever had. "Put this if the version is
//! still that one" is all that locks, rings of keys and single-use tokens need: see
//! `docs/adr/0019-a-store-is-five-functions.md`.

use core::fmt;
use core::future::pending;
use core::pin::Pin;
use core::time::Duration;

use tokio::sync::watch;

mod dir;
mod file_name;
mod lease;
mod memory;
#[cfg(feature = "redis")]
mod redis;

pub use dir::DirStore;
pub use lease::{LEASE, Lease, LeaseLost, RENEW_EVERY};
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;

/// Bytes of a key at most.
pub const MAX_KEY: usize = 512;
/// Bytes of a value at most.
pub const MAX_VALUE: usize = 1 << 20;

/// What a store answers, later.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Bytes under names, shared by those who use the same store.
///
/// A key is 1 to [`MAX_KEY`] visible characters of ASCII; `/` separates its parts, none of which is
/// empty. A future that is dropped may or may not have had its effect.
pub trait Store: Send + Sync + fmt::Debug {
    /// What is stored under this key, unless it has ended.
    ///
    /// # Errors
    /// If the store cannot say.
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Entry>>;

    /// Stores at most [`MAX_VALUE`] bytes, if the condition holds, until `ttl` is over. Looking and
    /// storing are one step: of two that ask for the same condition at most one succeeds.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the condition does not hold; others if the store cannot do it.
    fn put<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        condition: Cond,
        ttl: Option<Duration>,
    ) -> StoreFuture<'a, Version>;

    /// Removes what is stored, if the condition holds. [`Cond::Any`] also succeeds if there is
    /// nothing; [`Cond::Absent`] never makes sense here, and is a conflict if there is something.
    ///
    /// # Errors
    /// As [`Self::put`].
    fn del<'a>(&'a self, key: &'a str, condition: Cond) -> StoreFuture<'a, ()>;

    /// The keys that begin so, in no order.
    ///
    /// # Errors
    /// If the store cannot say.
    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>>;

    /// Tells of changes under keys that begin so. `None`: look from time to time.
    fn watch(&self, prefix: &str) -> Option<Watch> {
        let _ = prefix;
        None
    }

    /// Whether it answers soon enough to be asked within a handshake: in about a millisecond.
    fn fast(&self) -> bool;
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub value: Vec<u8>,
    /// Which value of this key it is.
    pub version: Version,
}

/// Tells one value of a key from any other that it has, had or will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(Box<[u8]>);

impl Version {
    /// A store's own name for a version.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// As the store named it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What must be so for a change to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cond {
    /// Nothing.
    Any,
    /// Nothing is stored under the key.
    Absent,
    /// This version is stored under the key.
    Is(Version),
}

impl Cond {
    /// Whether it holds where this version is stored.
    fn holds(&self, stored: Option<&[u8]>) -> bool {
        match self {
            Self::Any => true,
            Self::Absent => stored.is_none(),
            Self::Is(version) => stored == Some(version.as_bytes()),
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The condition does not hold: somebody else was faster.
    Conflict,
    /// It is no key, for this reason.
    InvalidKey(&'static str),
    /// The value is longer than [`MAX_VALUE`].
    TooLong,
    /// There is no room left.
    Full,
    /// The store cannot be reached, or refuses, or takes too long. Nobody knows whether a change was
    /// made.
    Unavailable(String),
    /// What is stored there was not written by this library.
    Damaged(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("somebody else changed the value first"),
            Self::InvalidKey(reason) => write!(f, "no key for a store: {reason}"),
            Self::TooLong => write!(f, "a value has at most {MAX_VALUE} bytes"),
            Self::Full => f.write_str("the store is full"),
            Self::Unavailable(reason) => write!(f, "the store does not answer: {reason}"),
            Self::Damaged(key) => write!(f, "what is stored under {key} is not ours"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Tells when something changes. It may also tell when nothing has changed.
#[derive(Debug)]
pub struct Watch(watch::Receiver<()>);

impl Watch {
    /// Tells whenever the sender sends. A sender that is gone tells nothing any more.
    #[must_use]
    pub const fn new(changes: watch::Receiver<()>) -> Self {
        Self(changes)
    }

    /// Waits for a change since the last call.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}

/// Whether it is a key, and if not why.
fn check_key(key: &str) -> Result<(), StoreError> {
    let reason = if key.is_empty() {
        "it is empty"
    } else if key.len() > MAX_KEY {
        "it is too long"
    } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        "it has other characters than visible ones of ASCII"
    } else if key.split('/').any(str::is_empty) {
        "a part between slashes is empty"
    } else {
        return Ok(());
    };
    Err(StoreError::InvalidKey(reason))
}

/// Whether this can be stored under that key.
fn check(key: &str, value: &[u8]) -> Result<(), StoreError> {
    check_key(key)?;
    if value.len() > MAX_VALUE {
        return Err(StoreError::TooLong);
    }
    Ok(())
}

/// Bytes of a version that an engine here makes.
const VERSION_LEN: usize = 16;

/// A version that was never there: 128 random bits.
fn new_version(random: &dyn waxwing_crypto::SecureRandom) -> Result<[u8; VERSION_LEN], StoreError> {
    let mut version = [0; VERSION_LEN];
    let filled = random.fill(&mut version);
    filled.map_err(|_| StoreError::Unavailable("there is no randomness".to_owned()))?;
    Ok(version)
}

/// A time to live as whole milliseconds, at least one.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
