//! Guards against replay that servers share. The local one is tested beside its code.

mod common;

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;

use common::{ManualClock, Patience, Redis, Unsteady, clock};
use tokio::net::TcpListener;
use waxwing::tokio::Answerer;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{Answer, FirstUse, Question, ReplayGuard};
use waxwing_server::store::{Cond, DirStore, MemoryStore, RedisStore, Store};
use waxwing_server::{ServerAnswers, SharedReplayGuard};

const WINDOW: u32 = 20_000;

fn id(number: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id
}

/// A store that can fail, and two guards over it that have run for a window.
struct Site {
    clock: Arc<ManualClock>,
    steady: Arc<dyn Store>,
    store: Arc<Unsteady>,
    guards: [Arc<SharedReplayGuard>; 2],
}

impl Site {
    async fn new() -> Self {
        let clock = clock();
        let steady: Arc<dyn Store> = Arc::new(MemoryStore::new(100_000, clock.clone()));
        let store = Unsteady::new(Arc::clone(&steady));
        let guard = || {
            let guard = SharedReplayGuard::new(store.clone(), clock.clone());
            Arc::new(guard.unwrap())
        };
        let site = Self {
            guards: [guard(), guard()],
            clock,
            steady,
            store,
        };
        site.wait_until_ready().await;
        site
    }

    /// Each guard says no until it has seen the store for a window.
    async fn wait_until_ready(&self) {
        for (number, guard) in (9000..).zip(&self.guards) {
            assert!(!guard.answer(&id(number), WINDOW).await);
        }
        self.clock.advance(u64::from(WINDOW) - 1);
        for (number, guard) in (9100..).zip(&self.guards) {
            assert!(!guard.answer(&id(number), WINDOW).await);
        }
        self.clock.advance(1);
    }
}

#[tokio::test]
async fn a_hello_is_first_at_one_server_only() {
    let site = Site::new().await;
    let [a, b] = &site.guards;
    assert_eq!(a.first_use(&id(1), WINDOW), FirstUse::Pending);
    assert!(a.answer(&id(1), WINDOW).await);
    assert!(!a.answer(&id(1), WINDOW).await && !b.answer(&id(1), WINDOW).await);
    assert!(b.answer(&id(2), WINDOW).await);
    site.clock.advance(u64::from(WINDOW));
    assert!(!a.answer(&id(2), WINDOW).await, "to the end of the window");
    site.clock.advance(1000);
    assert!(
        site.steady.list("0rtt/0000000").await.unwrap().is_empty(),
        "and no longer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_at_most_one_hears_yes() {
    let site = Site::new().await;
    let mut first = 0;
    for number in 0..500 {
        let tasks: Vec<_> = (0..8)
            .map(|which| {
                let guard = Arc::clone(&site.guards[which % 2]);
                tokio::spawn(async move { guard.answer(&id(number), WINDOW).await })
            })
            .collect();
        let mut yes = 0;
        for task in tasks {
            yes += u32::from(task.await.unwrap());
        }
        // None, where the machine was too slow for the time that handshakes wait.
        assert!(yes <= 1, "{number}");
        first += yes;
    }
    assert!(first > 0);
}

#[tokio::test]
async fn a_store_that_is_down_means_no() {
    let site = Site::new().await;
    site.store.is_down.store(true, Ordering::SeqCst);
    assert!(!site.guards[0].answer(&id(1), WINDOW).await);
    site.store.is_down.store(false, Ordering::SeqCst);
    assert!(
        site.guards[0].answer(&id(1), WINDOW).await,
        "it was never stored"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_means_no_in_two_milliseconds() {
    let site = Site::new().await;
    site.store.hangs.store(true, Ordering::SeqCst);
    let before = tokio::time::Instant::now();
    assert!(!site.guards[0].answer(&id(1), WINDOW).await);
    assert_eq!(before.elapsed(), Duration::from_millis(2));
}

#[tokio::test]
async fn a_store_that_forgot_means_no_for_a_window() {
    let site = Site::new().await;
    assert!(site.guards[0].answer(&id(1), WINDOW).await);
    for key in site.steady.list("0rtt/").await.unwrap() {
        site.steady.del(&key, Cond::Any).await.unwrap();
    }
    for guard in &site.guards {
        assert!(!guard.answer(&id(1), WINDOW).await);
        assert!(!guard.answer(&id(2), WINDOW).await);
    }
    // Once more, while they wait.
    site.clock.advance(u64::from(WINDOW) / 2);
    site.steady.del("0rtt/epoch", Cond::Any).await.unwrap();
    site.wait_until_ready().await;
    assert!(site.guards[0].answer(&id(3), WINDOW).await);
    assert!(!site.guards[1].answer(&id(3), WINDOW).await);
}

#[tokio::test]
async fn a_clock_set_back_makes_the_wait_longer() {
    let site = Site::new().await;
    site.clock.set(common::START - 1);
    assert!(!site.guards[0].answer(&id(1), WINDOW).await);
}

#[tokio::test]
async fn slow_stores_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let store = DirStore::open(folder.path(), PROVIDER.random, clock.clone()).unwrap();
    assert!(SharedReplayGuard::new(Arc::new(store), clock).is_none());
}

#[tokio::test]
async fn the_answerer_asks_the_guard() {
    let site = Site::new().await;
    let mut answers = ServerAnswers::new().guard(Arc::clone(&site.guards[0]));
    for expected in [true, false] {
        let question = Question::FirstUse {
            id: &id(1),
            window: WINDOW,
        };
        let Answer::FirstUse(is_first) = answers.answer(question).await else {
            panic!("it answers what it was asked");
        };
        assert_eq!(is_first, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_that_is_stopped_and_started_again_lets_nothing_through() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let clock = clock();
    let store = RedisStore::connect(&redis.url(), PROVIDER.random)
        .await
        .unwrap();
    let guard = SharedReplayGuard::new(Arc::new(store), clock.clone()).unwrap();
    let mut next = 0..;
    // Answers may come too late on a machine that is busy: then the next hello is tried.
    let patience = Patience::new();
    let mut first = async |guard: &SharedReplayGuard| loop {
        patience.wait().await;
        let number = next.next().unwrap();
        if guard.answer(&id(number), WINDOW).await {
            return number;
        }
        clock.advance(u64::from(WINDOW));
    };
    let seen = first(&guard).await;
    assert!(!guard.answer(&id(seen), WINDOW).await);
    redis.kill();
    for number in 0..20 {
        assert!(!guard.answer(&id(7000 + number), WINDOW).await);
    }
    let _again = Redis::start_on(redis.port);
    // It has forgotten all, and the clock stands: nothing is first.
    for number in 0..200 {
        assert!(!guard.answer(&id(seen), WINDOW).await);
        assert!(!guard.answer(&id(8000 + number), WINDOW).await);
    }
    let later = first(&guard).await;
    assert!(!guard.answer(&id(later), WINDOW).await);
}

/// Tokio's clock stands: it goes on when there is nothing to do but to wait.
#[tokio::test(start_paused = true)]
async fn redis_that_says_nothing_means_no_in_two_milliseconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let store = RedisStore::connect_later(&url, PROVIDER.random).unwrap();
    let guard = SharedReplayGuard::new(Arc::new(store), clock()).unwrap();
    for number in 0..10 {
        let before = tokio::time::Instant::now();
        assert!(!guard.answer(&id(number), WINDOW).await);
        assert_eq!(before.elapsed(), Duration::from_millis(2));
    }
}
