//! Who may do a thing now: a lock that ends by itself.

use core::fmt;
use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

use tokio::time::sleep;

use super::{Cond, Store, StoreError, Version};

/// How long a lock lasts unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(60);
/// How often it is renewed: two renewals may fail before it ends.
pub const RENEW_EVERY: Duration = Duration::from_secs(20);

/// A lock among all who use a store: `lock/WHAT`, for [`LEASE`].
///
/// A lock that ends by itself cannot keep out a holder who was stopped for longer than that, and
/// then goes on. So the lock only saves work; what is right in the end has to be put with
/// [`Cond::Is`] the version that was read *after* the lock was acquired: that fails if anybody else
/// has been there since.
pub struct Lease {
    store: Arc<dyn Store>,
    key: String,
    owner: String,
    version: Version,
}

/// Somebody else has the lock by now, or nobody could be asked for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseLost;

impl fmt::Display for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lock was lost before the work was done")
    }
}

impl std::error::Error for LeaseLost {}

impl Lease {
    /// Takes the lock `lock/WHAT`, unless somebody has it. `owner` is for people who look.
    ///
    /// # Errors
    /// Of the store.
    pub async fn acquire(
        store: Arc<dyn Store>,
        what: &str,
        owner: &str,
    ) -> Result<Option<Self>, StoreError> {
        let key = format!("lock/{what}");
        let put = store.put(&key, owner.as_bytes(), Cond::Absent, Some(LEASE));
        let version = match put.await {
            Ok(version) => version,
            Err(StoreError::Conflict) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Self {
            store,
            key,
            owner: owner.to_owned(),
            version,
        }))
    }

    /// Makes it last [`LEASE`] from now on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is lost; others of the store.
    pub async fn renew(&mut self) -> Result<(), StoreError> {
        let still_ours = Cond::Is(self.version.clone());
        let owner = self.owner.as_bytes();
        let put = self.store.put(&self.key, owner, still_ours, Some(LEASE));
        self.version = put.await?;
        Ok(())
    }

    /// Does some work and renews the lock every [`RENEW_EVERY`] meanwhile.
    ///
    /// # Errors
    /// If it is lost. The work is dropped then, wherever it stands.
    pub async fn hold<T>(&mut self, work: impl Future<Output = T>) -> Result<T, LeaseLost> {
        let mut work = pin!(work);
        let mut failures = 0;
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(RENEW_EVERY) => {}
            }
            match self.renew().await {
                Ok(()) => failures = 0,
                Err(StoreError::Conflict) => return Err(LeaseLost),
                Err(_) => failures += 1,
            }
            if RENEW_EVERY * (failures + 1) > LEASE {
                return Err(LeaseLost);
            }
        }
    }

    /// Gives it back. If that fails it ends by itself.
    pub async fn release(self) {
        let _ = self.store.del(&self.key, Cond::Is(self.version)).await;
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::future::pending;

    use tokio::time::Instant;
    use waxwing_core::{Clock, UnixMillis};

    use super::*;
    use crate::store::MemoryStore;

    /// Tokio's clock, which tests can stop.
    #[derive(Debug)]
    struct TokioClock(Instant);

    impl Clock for TokioClock {
        fn now(&self) -> UnixMillis {
            UnixMillis::try_from(self.0.elapsed().as_millis()).unwrap()
        }
    }

    fn store() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new(8, Arc::new(TokioClock(Instant::now()))))
    }

    async fn acquire(store: &Arc<dyn Store>, owner: &str) -> Option<Lease> {
        Lease::acquire(Arc::clone(store), "work", owner)
            .await
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_has_it() {
        let store = store();
        let lease = acquire(&store, "a").await.unwrap();
        assert!(acquire(&store, "b").await.is_none());
        let seen = store.get("lock/work").await.unwrap().unwrap();
        assert_eq!(seen.value, b"a");
        lease.release().await;
        assert!(acquire(&store, "b").await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_itself_and_the_next_owner_is_left_alone() {
        let store = store();
        let mut late = acquire(&store, "a").await.unwrap();
        tokio::time::advance(LEASE).await;
        let _next = acquire(&store, "b").await.unwrap();
        assert_eq!(late.renew().await, Err(StoreError::Conflict));
        late.release().await;
        let seen = store.get("lock/work").await.unwrap().unwrap();
        assert_eq!(seen.value, b"b");
    }

    #[tokio::test(start_paused = true)]
    async fn it_lasts_as_long_as_the_work() {
        let store = store();
        let mut lease = acquire(&store, "a").await.unwrap();
        let done = lease.hold(async {
            sleep(LEASE * 10).await;
            acquire(&store, "b").await.is_none()
        });
        assert_eq!(done.await, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn work_stops_when_it_is_lost() {
        let store = store();
        let mut lease = acquire(&store, "a").await.unwrap();
        store.del("lock/work", Cond::Any).await.unwrap();
        assert_eq!(lease.hold(pending::<()>()).await, Err(LeaseLost));
    }
}
