//! A store in a directory, for the processes of one machine.
//!
//! Each value is a file, and replaced by renaming, so that readers see the old one or the new one.
//! Those who change something hold a lock on the file `.lock`, which the system lets go of when a
//! process dies, and look at the version under it. See `file_name.rs` for the names.
//!
//! ```text
//!   "WXD" 1 | ends u64 (0: never) | version 16 | value
//! ```

use core::fmt;
use core::time::Duration;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use waxwing_core::{Clock, UnixMillis};
use waxwing_crypto::SecureRandom;

use super::file_name::{part_of_file, part_of_folder, path_of};
use super::{
    Cond, Entry, Store, StoreError, StoreFuture, VERSION_LEN, Version, check, check_key, millis,
    new_version,
};

const MAGIC: [u8; 4] = *b"WXD\x01";
const LOCK: &str = ".lock";
const TEMPORARY: &str = ".new";
/// How long to wait for another process that changes something.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks at the lock, which tells nobody when it is free.
const LOCK_POLL: Duration = Duration::from_millis(2);
/// How deep keys may be nested: a guard against folders that lead back to themselves.
const MAX_DEPTH: usize = super::MAX_KEY;

/// Keeps each value in a file, readable by its owner alone: for the processes of one machine.
///
/// It does not belong on a network file system, where locks may not be what they seem. Files are
/// read and written on tokio's threads for blocking work.
#[derive(Clone)]
pub struct DirStore {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    random: &'static dyn SecureRandom,
    clock: Arc<dyn Clock>,
}

/// A file as it is read.
struct Item {
    ends: UnixMillis,
    version: [u8; VERSION_LEN],
    value: Vec<u8>,
}

impl DirStore {
    /// Opens a directory; makes it if need be. `random` makes versions, `clock` measures lives.
    ///
    /// # Errors
    /// Of the file system.
    pub fn open(
        root: impl Into<PathBuf>,
        random: &'static dyn SecureRandom,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let root = root.into();
        make_folder(&root)?;
        let inner = Inner {
            root,
            random,
            clock,
        };
        // Somebody may have died while writing. Nobody else writes as long as we have the lock.
        let lock = inner.lock().map_err(io::Error::other)?;
        match fs::remove_file(inner.root.join(TEMPORARY)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        drop(lock);
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    fn run<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&inner)).await;
            done.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
        })
    }
}

impl Store for DirStore {
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Entry>> {
        let key = key.to_owned();
        self.run(move |inner| {
            check_key(&key)?;
            let item = inner.read(&key, &inner.path(&key)?)?;
            Ok(item.map(|item| Entry {
                value: item.value,
                version: Version::new(item.version),
            }))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        condition: Cond,
        ttl: Option<Duration>,
    ) -> StoreFuture<'a, Version> {
        let (key, value) = (key.to_owned(), value.to_vec());
        self.run(move |inner| inner.put(&key, &value, &condition, ttl))
    }

    fn del<'a>(&'a self, key: &'a str, condition: Cond) -> StoreFuture<'a, ()> {
        let key = key.to_owned();
        self.run(move |inner| inner.del(&key, &condition))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        let prefix = prefix.to_owned();
        self.run(move |inner| {
            let mut keys = Vec::new();
            inner.collect(&inner.root, "", MAX_DEPTH, &mut keys)?;
            keys.retain(|key| key.starts_with(&prefix));
            Ok(keys)
        })
    }

    /// It is not: each answer costs a file, and a wait for whoever writes.
    fn fast(&self) -> bool {
        false
    }
}

impl Inner {
    fn path(&self, key: &str) -> Result<PathBuf, StoreError> {
        Ok(self.root.join(path_of(key)?))
    }

    fn put(
        &self,
        key: &str,
        value: &[u8],
        condition: &Cond,
        ttl: Option<Duration>,
    ) -> Result<Version, StoreError> {
        check(key, value)?;
        let path = self.path(key)?;
        let version = new_version(self.random)?;
        let ends = ttl.map_or(0, |ttl| self.clock.now().saturating_add(millis(ttl)));
        let _lock = self.lock()?;
        self.demand(key, &path, condition)?;
        if let Some(folder) = path.parent() {
            make_folder(folder).map_err(unavailable)?;
        }
        let parts = [&MAGIC, &ends.to_be_bytes()[..], &version, value];
        self.replace(&path, &parts.concat()).map_err(unavailable)?;
        Ok(Version::new(version))
    }

    fn del(&self, key: &str, condition: &Cond) -> Result<(), StoreError> {
        check_key(key)?;
        let path = self.path(key)?;
        let _lock = self.lock()?;
        self.demand(key, &path, condition)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unavailable(error)),
            _ => Ok(()),
        }
    }

    fn demand(&self, key: &str, path: &Path, condition: &Cond) -> Result<(), StoreError> {
        if *condition == Cond::Any {
            return Ok(());
        }
        let item = self.read(key, path)?;
        let stored = item.as_ref().map(|item| &item.version[..]);
        condition
            .holds(stored)
            .then_some(())
            .ok_or(StoreError::Conflict)
    }

    /// What a file holds, unless it has ended.
    fn read(&self, key: &str, path: &Path) -> Result<Option<Item>, StoreError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            // A part of the path may be missing too.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let item = Item::of(&bytes).ok_or_else(|| StoreError::Damaged(key.to_owned()))?;
        let is_there = item.ends == 0 || self.clock.now() < item.ends;
        Ok(is_there.then_some(item))
    }

    /// Waits for the lock; it is let go of when the file is dropped.
    fn lock(&self) -> Result<File, StoreError> {
        let file = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(self.root.join(LOCK))
            .map_err(unavailable)?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(unavailable(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(LOCK_POLL);
                }
                Err(TryLockError::WouldBlock) => {
                    let reason = "another process holds its lock".to_owned();
                    return Err(StoreError::Unavailable(reason));
                }
            }
        }
    }

    /// Puts a file into place at once and for good.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.root.join(TEMPORARY);
        let mut file =
            match private(OpenOptions::new().write(true).create_new(true)).open(&temporary) {
                // Ours is the lock, so whoever left it is dead.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    fs::remove_file(&temporary)?;
                    private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?
                }
                other => other?,
            };
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        if let (true, Some(folder)) = (cfg!(unix), path.parent()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// The keys below a folder whose parts so far are `before`.
    fn collect(
        &self,
        folder: &Path,
        before: &str,
        depth: usize,
        keys: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unavailable(error)),
        };
        for entry in entries {
            let entry = entry.map_err(unavailable)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let kind = entry.file_type().map_err(unavailable)?;
            if kind.is_dir() && depth > 0 {
                if let Some(part) = part_of_folder(name) {
                    let before = format!("{before}{part}/");
                    self.collect(&entry.path(), &before, depth - 1, keys)?;
                }
            } else if let Some(part) = part_of_file(name) {
                let key = format!("{before}{part}");
                if self.read(&key, &entry.path())?.is_some() {
                    keys.push(key);
                }
            }
        }
        Ok(())
    }
}

impl Item {
    fn of(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (ends, rest) = rest.split_first_chunk::<8>()?;
        let (version, value) = rest.split_first_chunk::<VERSION_LEN>()?;
        Some(Self {
            ends: UnixMillis::from_be_bytes(*ends),
            version: *version,
            value: value.to_vec(),
        })
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// Values may be secrets: files are for their owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl fmt::Debug for DirStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirStore")
            .field("root", &self.inner.root)
            .finish_non_exhaustive()
    }
}
