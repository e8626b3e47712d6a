//! What the tests share: clocks, stores that fail or stop, and a Redis server.

#![allow(dead_code, reason = "each test uses a part")]

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::oneshot;
use waxwing_core::{Session, SessionLookup};
use waxwing_interop::{Process, free_port, is_installed};
use waxwing_server::store::{Cond, Entry, Store, StoreError, StoreFuture, Version};
use waxwing_testkit::session_bytes::SessionBytes;

pub(crate) use waxwing_testkit::sessions::ManualClock;

pub(crate) const START: u64 = 1_700_000_000_000;
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const MINUTE: u64 = 60_000;

/// Ends a test that waits for what never comes.
pub(crate) struct Patience(Instant);

impl Patience {
    pub(crate) fn new() -> Self {
        Self(Instant::now() + waxwing_interop::PATIENCE)
    }

    /// Lets others work, unless it has taken too long.
    pub(crate) async fn wait(&self) {
        assert!(Instant::now() < self.0, "what was waited for never came");
        tokio::task::yield_now().await;
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    ManualClock::at(START)
}

/// A session that can be told by its mark.
pub(crate) fn session(mark: u32) -> Session {
    SessionBytes {
        issued_at: START,
        max_early_data: mark,
        ..SessionBytes::TLS13
    }
    .session()
}

/// The mark of a session that was found.
pub(crate) fn mark(lookup: SessionLookup) -> Option<u32> {
    match lookup {
        SessionLookup::Found(session) => Some(session.max_early_data()),
        SessionLookup::None => None,
        SessionLookup::Pending => panic!("nobody needs to be asked"),
    }
}

/// A store that can be made to fail, to hang, and to stop before the next put.
#[derive(Debug)]
pub(crate) struct Unsteady {
    inner: Arc<dyn Store>,
    pub(crate) is_down: AtomicBool,
    pub(crate) hangs: AtomicBool,
    /// Taken by a put of this key: it tells that it is there, and waits.
    gate: Mutex<Option<Gate>>,
}

#[derive(Debug)]
struct Gate {
    key: String,
    reached: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

impl Unsteady {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            is_down: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            gate: Mutex::default(),
        })
    }

    /// Stops the next put of this key. The first channel tells that it is there; a word on the second
    /// lets it go on.
    pub(crate) fn stop_at(&self, key: &str) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (reached, wait) = oneshot::channel();
        let (release, go_on) = oneshot::channel();
        let key = key.to_owned();
        *self.gate.lock().unwrap() = Some(Gate {
            key,
            reached,
            go_on,
        });
        (wait, release)
    }

    async fn pass(&self) -> Result<(), StoreError> {
        if self.hangs.load(Ordering::SeqCst) {
            core::future::pending::<()>().await;
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("it is switched off".to_owned()));
        }
        Ok(())
    }
}

impl Store for Unsteady {
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Entry>> {
        Box::pin(async move {
            self.pass().await?;
            let found = self.inner.get(key).await;
            // Others may be quicker before the answer is there.
            tokio::task::yield_now().await;
            found
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        condition: Cond,
        ttl: Option<Duration>,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            self.pass().await?;
            let gate = self.gate.lock().unwrap().take_if(|gate| gate.key == key);
            if let Some(gate) = gate {
                gate.reached.send(()).unwrap();
                gate.go_on.await.unwrap();
            }
            self.inner.put(key, value, condition, ttl).await
        })
    }

    fn del<'a>(&'a self, key: &'a str, condition: Cond) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.pass().await?;
            self.inner.del(key, condition).await
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            self.pass().await?;
            self.inner.list(prefix).await
        })
    }

    fn fast(&self) -> bool {
        self.inner.fast()
    }
}

/// A Redis server on a port of its own, which keeps nothing on disk.
pub(crate) struct Redis {
    pub(crate) port: u16,
    process: Process,
}

impl Redis {
    /// `None` if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        is_installed("redis-server").then(|| Self::start_on(free_port()))
    }

    pub(crate) fn start_on(port: u16) -> Self {
        let port_text = port.to_string();
        let arguments = ["--port", &port_text, "--bind", "127.0.0.1", "--save", ""];
        let arguments = arguments.iter().chain(&["--appendonly", "no"]);
        let mut process = Process::run("redis-server", arguments);
        process.wait_for("Ready to accept connections");
        Self { port, process }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }
}
