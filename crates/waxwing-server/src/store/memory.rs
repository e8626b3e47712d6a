//! A store within one process.

use core::fmt;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use waxwing_core::{Clock, UnixMillis};

use super::{
    Cond, Entry, Store, StoreError, StoreFuture, Version, Watch, check, check_key, millis,
};

/// Keeps everything in memory: for one process, and for tests.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    items: HashMap<String, Item>,
    /// Puts so far; each is a version.
    puts: u64,
    /// When values that have ended were looked for.
    swept: UnixMillis,
    watchers: Vec<(String, watch::Sender<()>)>,
}

struct Item {
    value: Vec<u8>,
    version: [u8; 8],
    ends: Option<UnixMillis>,
}

impl Item {
    fn is_there(&self, now: UnixMillis) -> bool {
        self.ends.is_none_or(|ends| now < ends)
    }
}

impl MemoryStore {
    /// Has room for this many values, and measures their lives by this clock.
    #[must_use]
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            capacity,
            inner: Mutex::default(),
        }
    }

    fn with<T>(
        &self,
        key: &str,
        work: impl FnOnce(&mut Inner, UnixMillis) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        check_key(key)?;
        let now = self.clock.now();
        // Nothing that holds the lock can panic half way through a change.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut inner, now)
    }

    fn put_now(
        &self,
        key: &str,
        value: &[u8],
        condition: &Cond,
        ttl: Option<Duration>,
    ) -> Result<Version, StoreError> {
        check(key, value)?;
        self.with(key, |inner, now| {
            if !condition.holds(inner.version(key, now)) {
                return Err(StoreError::Conflict);
            }
            if !inner.items.contains_key(key) && inner.items.len() >= self.capacity {
                inner.sweep(now);
                if inner.items.len() >= self.capacity {
                    return Err(StoreError::Full);
                }
            }
            inner.puts += 1;
            let version = inner.puts.to_be_bytes();
            let item = Item {
                value: value.to_vec(),
                version,
                ends: ttl.map(|ttl| now.saturating_add(millis(ttl))),
            };
            inner.items.insert(key.to_owned(), item);
            inner.tell(key);
            Ok(Version::new(version))
        })
    }
}

impl Inner {
    fn version(&self, key: &str, now: UnixMillis) -> Option<&[u8]> {
        let item = self.items.get(key).filter(|item| item.is_there(now))?;
        Some(&item.version)
    }

    /// Drops what has ended; not again within a second, as it looks at everything.
    fn sweep(&mut self, now: UnixMillis) {
        if now.abs_diff(self.swept) >= 1000 {
            self.swept = now;
            self.items.retain(|_, item| item.is_there(now));
        }
    }

    /// Tells those who watch this key, and forgets those who do not watch any more.
    fn tell(&mut self, key: &str) {
        self.watchers.retain(|(prefix, sender)| {
            if key.starts_with(prefix.as_str()) {
                sender.send_replace(());
            }
            sender.receiver_count() > 0
        });
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Entry>> {
        let found = self.with(key, |inner, now| {
            let item = inner.items.get(key).filter(|item| item.is_there(now));
            Ok(item.map(|item| Entry {
                value: item.value.clone(),
                version: Version::new(item.version),
            }))
        });
        Box::pin(async { found })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        condition: Cond,
        ttl: Option<Duration>,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move { self.put_now(key, value, &condition, ttl) })
    }

    fn del<'a>(&'a self, key: &'a str, condition: Cond) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.with(key, |inner, now| {
                if !condition.holds(inner.version(key, now)) {
                    return Err(StoreError::Conflict);
                }
                if inner.items.remove(key).is_some() {
                    inner.tell(key);
                }
                Ok(())
            })
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            let now = self.clock.now();
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let items = inner.items.iter();
            let found = items.filter(|(key, item)| key.starts_with(prefix) && item.is_there(now));
            Ok(found.map(|(key, _)| key.clone()).collect())
        })
    }

    fn watch(&self, prefix: &str) -> Option<Watch> {
        let (sender, receiver) = watch::channel(());
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.watchers.push((prefix.to_owned(), sender));
        Some(Watch::new(receiver))
    }

    fn fast(&self) -> bool {
        true
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
