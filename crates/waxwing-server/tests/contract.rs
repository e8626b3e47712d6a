//! What every store must do, asked of each.

mod common;

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use common::{ManualClock, Patience, Redis, clock};
use waxwing_aws_lc::PROVIDER;
use waxwing_interop::Process;
use waxwing_server::store::{
    Cond, DirStore, MAX_KEY, MAX_VALUE, MemoryStore, RedisStore, Store, StoreError, Version,
};

const SHORT: Duration = Duration::from_millis(40);

/// A store, and how time goes on for it.
struct Subject {
    store: Arc<dyn Store>,
    /// `None` if the store has a clock of its own.
    clock: Option<Arc<ManualClock>>,
}

impl Subject {
    /// Waits until what was stored under the key for [`SHORT`] has ended.
    async fn see_the_end_of(&self, key: &str) {
        if let Some(clock) = &self.clock {
            clock.advance(39);
            assert!(self.store.get(key).await.unwrap().is_some(), "not yet");
            clock.advance(1);
            assert!(self.store.get(key).await.unwrap().is_none());
        } else {
            // A clock of its own has to be waited for.
            let patience = Patience::new();
            while self.store.get(key).await.unwrap().is_some() {
                patience.wait().await;
            }
        }
    }

    async fn put(&self, key: &str, value: &str, condition: Cond) -> Result<Version, StoreError> {
        self.store.put(key, value.as_bytes(), condition, None).await
    }

    async fn value(&self, key: &str) -> Option<Vec<u8>> {
        let entry = self.store.get(key).await.unwrap();
        entry.map(|entry| entry.value)
    }
}

async fn keeps_the_contract(subject: &Subject) {
    puts_and_gets(subject).await;
    compares_before_it_puts(subject).await;
    compares_before_it_deletes(subject).await;
    forgets_in_time(subject).await;
    lists(subject).await;
    refuses_bad_keys(subject).await;
    lets_one_of_many_win(subject).await;
}

async fn puts_and_gets(subject: &Subject) {
    assert_eq!(subject.value("a/b").await, None);
    let first = subject.put("a/b", "one", Cond::Any).await.unwrap();
    let entry = subject.store.get("a/b").await.unwrap().unwrap();
    assert_eq!(
        (entry.value.as_slice(), &entry.version),
        (&b"one"[..], &first)
    );
    let second = subject.put("a/b", "one", Cond::Any).await.unwrap();
    assert_ne!(first, second, "the same bytes are another version");
    let all_bytes: Vec<u8> = (0..=255).cycle().take(MAX_VALUE).collect();
    let put = subject.store.put("a/b", &all_bytes, Cond::Any, None);
    put.await.unwrap();
    assert_eq!(subject.value("a/b").await.unwrap(), all_bytes);
    let put = subject.store.put("a/b", b"", Cond::Any, None);
    put.await.unwrap();
    assert_eq!(subject.value("a/b").await.unwrap(), b"");
    // Keys that a file system might take for the same, or for something else.
    for key in [
        "a", "A", "a/B", "../x", "a/./b", ".", "%61", "a=", "a*[?]\\b",
    ] {
        assert_eq!(subject.value(key).await, None, "{key}");
        subject.put(key, key, Cond::Absent).await.unwrap();
    }
    for key in [
        "a", "A", "a/B", "../x", "a/./b", ".", "%61", "a=", "a*[?]\\b",
    ] {
        assert_eq!(subject.value(key).await.unwrap(), key.as_bytes());
        subject.store.del(key, Cond::Any).await.unwrap();
    }
    assert_eq!(subject.value("a/b").await.unwrap(), b"");
    subject.store.del("a/b", Cond::Any).await.unwrap();
}

async fn compares_before_it_puts(subject: &Subject) {
    let conflict = Err(StoreError::Conflict);
    let first = subject.put("k", "1", Cond::Absent).await.unwrap();
    assert_eq!(subject.put("k", "2", Cond::Absent).await, conflict);
    let second = subject
        .put("k", "2", Cond::Is(first.clone()))
        .await
        .unwrap();
    assert_eq!(
        subject.put("k", "3", Cond::Is(first.clone())).await,
        conflict
    );
    for wrong in [&b""[..], b"0123456789abcdef", b"2"] {
        let wrong = Cond::Is(Version::new(wrong));
        assert_eq!(subject.put("k", "3", wrong.clone()).await, conflict);
        assert_eq!(subject.put("missing", "3", wrong).await, conflict);
    }
    assert_eq!(subject.value("k").await.unwrap(), b"2");
    subject
        .store
        .del("k", Cond::Is(second.clone()))
        .await
        .unwrap();
    // What is made anew is another version, though all is as at first.
    subject.put("k", "1", Cond::Absent).await.unwrap();
    for old in [first, second] {
        assert_eq!(subject.put("k", "4", Cond::Is(old)).await, conflict);
    }
    subject.store.del("k", Cond::Any).await.unwrap();
}

async fn compares_before_it_deletes(subject: &Subject) {
    let conflict = Err(StoreError::Conflict);
    subject.store.del("d", Cond::Any).await.unwrap();
    subject.store.del("d", Cond::Absent).await.unwrap();
    let first = subject.put("d", "1", Cond::Any).await.unwrap();
    let second = subject.put("d", "2", Cond::Any).await.unwrap();
    assert_eq!(subject.store.del("d", Cond::Is(first)).await, conflict);
    assert_eq!(subject.store.del("d", Cond::Absent).await, conflict);
    assert_eq!(subject.value("d").await.unwrap(), b"2");
    subject
        .store
        .del("d", Cond::Is(second.clone()))
        .await
        .unwrap();
    assert_eq!(subject.value("d").await, None);
    assert_eq!(subject.store.del("d", Cond::Is(second)).await, conflict);
}

async fn forgets_in_time(subject: &Subject) {
    let store = &subject.store;
    let first = store
        .put("t", b"1", Cond::Absent, Some(SHORT))
        .await
        .unwrap();
    subject.see_the_end_of("t").await;
    let late = store.put("t", b"2", Cond::Is(first), None).await;
    assert_eq!(
        late,
        Err(StoreError::Conflict),
        "what has ended has no version"
    );
    assert!(!store.list("t").await.unwrap().contains(&"t".to_owned()));
    let second = store
        .put("t", b"2", Cond::Absent, Some(SHORT))
        .await
        .unwrap();
    // A new value has a life of its own.
    let third = store.put("t", b"3", Cond::Is(second), None).await.unwrap();
    store.put("u", b"1", Cond::Any, Some(SHORT)).await.unwrap();
    subject.see_the_end_of("u").await;
    assert_eq!(subject.value("t").await.unwrap(), b"3");
    store
        .put("t", b"4", Cond::Is(third), Some(SHORT))
        .await
        .unwrap();
    subject.see_the_end_of("t").await;
}

async fn lists(subject: &Subject) {
    for key in [
        "list/a", "list/b/c", "list/ab", "lister", "li*t/x", "list/[a]",
    ] {
        subject.put(key, "", Cond::Any).await.unwrap();
    }
    for (prefix, expected) in [
        ("list/", &["list/a", "list/ab", "list/b/c", "list/[a]"][..]),
        ("list/a", &["list/a", "list/ab"]),
        (
            "list",
            &["list/a", "list/ab", "list/b/c", "list/[a]", "lister"],
        ),
        ("li*", &["li*t/x"]),
        ("list/[", &["list/[a]"]),
        ("nothing", &[]),
    ] {
        let found = subject.store.list(prefix).await.unwrap();
        assert_eq!(found.len(), expected.len(), "{prefix}: {found:?}");
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected.iter().copied().collect(), "{prefix}");
    }
    for key in subject.store.list("li").await.unwrap() {
        subject.store.del(&key, Cond::Any).await.unwrap();
    }
    assert_eq!(subject.store.list("").await.unwrap(), Vec::<String>::new());
}

async fn refuses_bad_keys(subject: &Subject) {
    let long = "k".repeat(MAX_KEY + 1);
    for key in ["", "/a", "a/", "a//b", "a b", "a\nb", "ä", "a\0", &long] {
        let get = subject.store.get(key).await.unwrap_err();
        assert!(matches!(get, StoreError::InvalidKey(_)), "{key:?}");
        let put = subject.put(key, "", Cond::Any).await.unwrap_err();
        assert!(matches!(put, StoreError::InvalidKey(_)), "{key:?}");
        let del = subject.store.del(key, Cond::Any).await.unwrap_err();
        assert!(matches!(del, StoreError::InvalidKey(_)), "{key:?}");
    }
    let longest = format!("{0}/{0}", "k".repeat(250));
    subject.put(&longest, "", Cond::Any).await.unwrap();
    subject.store.del(&longest, Cond::Any).await.unwrap();
    let too_much = vec![0; MAX_VALUE + 1];
    let put = subject.store.put("a", &too_much, Cond::Any, None);
    assert_eq!(put.await, Err(StoreError::TooLong));
}

/// Adds one to a number so many times, each until it succeeds.
async fn count(store: &dyn Store, times: usize) {
    let mut done = 0;
    while done < times {
        let entry = store.get("n").await.unwrap().unwrap();
        let number: usize = String::from_utf8(entry.value).unwrap().parse().unwrap();
        let next = (number + 1).to_string();
        let unchanged = Cond::Is(entry.version);
        match store.put("n", next.as_bytes(), unchanged, None).await {
            Ok(_) => done += 1,
            Err(error) => assert_eq!(error, StoreError::Conflict),
        }
    }
}

/// Many add to the same number: nothing is lost.
async fn lets_one_of_many_win(subject: &Subject) {
    const TASKS: usize = 8;
    const EACH: usize = 10;
    subject.put("n", "0", Cond::Absent).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let store = Arc::clone(&subject.store);
            tokio::spawn(async move { count(&*store, EACH).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected = (TASKS * EACH).to_string();
    assert_eq!(subject.value("n").await.unwrap(), expected.as_bytes());
    subject.store.del("n", Cond::Any).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_the_contract() {
    let clock = clock();
    let store = Arc::new(MemoryStore::new(100, clock.clone()));
    assert!(store.fast());
    let clock = Some(clock);
    keeps_the_contract(&Subject { store, clock }).await;
}

#[tokio::test]
async fn memory_is_bounded_and_what_has_ended_makes_room() {
    let clock = clock();
    let store = MemoryStore::new(10, clock.clone());
    for i in 0..10 {
        let ttl = Some(Duration::from_secs(10));
        store
            .put(&format!("k{i}"), b"", Cond::Any, ttl)
            .await
            .unwrap();
    }
    let full = store.put("more", b"", Cond::Any, None).await;
    assert_eq!(full, Err(StoreError::Full));
    store.put("k0", b"x", Cond::Any, None).await.unwrap();
    clock.advance(10_000);
    store.put("more", b"", Cond::Any, None).await.unwrap();
    let mut left = store.list("").await.unwrap();
    left.sort_unstable();
    assert_eq!(left, ["k0", "more"]);
}

#[tokio::test]
async fn memory_tells_of_changes_under_a_prefix() {
    let store = MemoryStore::new(10, clock());
    let mut watch = store.watch("stek/").unwrap();
    store.put("stek/web", b"", Cond::Any, None).await.unwrap();
    watch.changed().await;
    store.put("other", b"", Cond::Any, None).await.unwrap();
    let quiet = tokio::time::timeout(Duration::ZERO, watch.changed());
    assert!(quiet.await.is_err(), "of other keys it tells nothing");
    store.del("stek/web", Cond::Any).await.unwrap();
    watch.changed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_directory_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let path = folder.path().join("a/store");
    let store = DirStore::open(path, PROVIDER.random, clock.clone()).unwrap();
    assert!(!store.fast());
    let store = Arc::new(store);
    let clock = Some(clock);
    keeps_the_contract(&Subject { store, clock }).await;
}

/// The folder that a process of the next test counts in.
const FOLDER: &str = "WAXWING_TEST_FOLDER";

#[tokio::test]
async fn processes_share_a_directory() {
    const PROCESSES: usize = 3;
    let folder = tempfile::tempdir().unwrap();
    let open = || DirStore::open(folder.path(), PROVIDER.random, clock()).unwrap();
    open().put("n", b"0", Cond::Absent, None).await.unwrap();
    let this = std::env::current_exe().unwrap();
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut command = std::process::Command::new(&this);
            command.args(["--exact", "a_process_that_counts", "--ignored"]);
            Process::start(command.env(FOLDER, folder.path()))
        })
        .collect();
    for process in &mut processes {
        process.succeed();
    }
    let expected = (PROCESSES * 25).to_string();
    let entry = open().get("n").await.unwrap().unwrap();
    assert_eq!(entry.value, expected.as_bytes());
}

#[tokio::test]
#[ignore = "run by the test before, in processes of its own"]
async fn a_process_that_counts() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let store = DirStore::open(folder, PROVIDER.random, clock()).unwrap();
    count(&store, 25).await;
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let store = DirStore::open(&root, PROVIDER.random, clock()).unwrap();
    store.put("a/b", b"secret", Cond::Any, None).await.unwrap();
    for (path, expected) in [("", 0o700), ("a", 0o700), ("a/b=", 0o600), (".lock", 0o600)] {
        let mode = std::fs::metadata(root.join(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, expected, "{path}");
    }
}

#[tokio::test]
async fn what_a_dead_writer_left_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let open = || DirStore::open(folder.path(), PROVIDER.random, clock()).unwrap();
    let store = open();
    std::fs::write(folder.path().join(".new"), b"half").unwrap();
    store.put("a", b"whole", Cond::Absent, None).await.unwrap();
    assert_eq!(store.get("a").await.unwrap().unwrap().value, b"whole");
    std::fs::write(folder.path().join(".new"), b"half").unwrap();
    let store = open();
    assert!(!folder.path().join(".new").exists());
    std::fs::write(folder.path().join("README"), b"not ours").unwrap();
    std::fs::write(folder.path().join("b="), b"not ours").unwrap();
    let damaged = StoreError::Damaged("b".to_owned());
    assert_eq!(store.get("b").await, Err(damaged));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_keeps_the_contract() {
    let Some(redis) = Redis::start() else { return };
    let store = RedisStore::connect(&redis.url(), PROVIDER.random)
        .await
        .unwrap();
    assert!(store.fast());
    let store = Arc::new(store);
    let clock = None;
    keeps_the_contract(&Subject { store, clock }).await;
}

#[tokio::test]
async fn redis_that_goes_fails_and_that_comes_back_works() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = RedisStore::connect(&redis.url(), PROVIDER.random)
        .await
        .unwrap();
    store.put("a", b"1", Cond::Any, None).await.unwrap();
    redis.kill();
    for _ in 0..3 {
        let error = store.get("a").await.unwrap_err();
        let StoreError::Unavailable(reason) = error else {
            panic!("{error}");
        };
        assert!(reason.contains("127.0.0.1"), "{reason}");
    }
    let gone = RedisStore::connect(&redis.url(), PROVIDER.random).await;
    assert!(matches!(gone, Err(StoreError::Unavailable(_))));
    let early = RedisStore::connect_later(&redis.url(), PROVIDER.random).unwrap();
    let _again = Redis::start_on(redis.port);
    // It lost everything with its memory. The first request may still meet the broken connection.
    let patience = Patience::new();
    let get = async |store: &RedisStore| loop {
        patience.wait().await;
        if let Ok(found) = store.get("a").await {
            return found;
        }
    };
    assert_eq!(get(&store).await, None);
    assert_eq!(get(&early).await, None);
}
