//! Members of a fleet who share ticket keys, on a clock that tests move.

mod common;

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;

use common::{HOUR, MINUTE, ManualClock, Patience, Redis, START, Unsteady, clock, mark, session};
use tokio::time::Instant;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{Clock, ServerSessions, UnixMillis};
use waxwing_server::store::{Cond, DirStore, LEASE, MemoryStore, RedisStore, Store, StoreError};
use waxwing_server::{FleetError, Schedule, SharedTicketKeys};

const MASTER: [u8; 32] = [0x4d; 32];

fn memory(clock: &Arc<ManualClock>) -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(100, clock.clone()))
}

fn member(store: &Arc<dyn Store>, clock: &Arc<ManualClock>) -> SharedTicketKeys {
    member_with(store, clock, &MASTER).unwrap()
}

fn member_with(
    store: &Arc<dyn Store>,
    clock: &Arc<ManualClock>,
    master: &[u8; 32],
) -> Result<SharedTicketKeys, FleetError> {
    let (store, clock) = (Arc::clone(store), clock.clone());
    // Without jitter, so that the hours in these tests are exact.
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let schedule = Schedule::new(hours(6), Duration::ZERO, hours(24)).unwrap();
    SharedTicketKeys::with_schedule(&PROVIDER, clock, store, "web", master, schedule)
}

fn issue(member: &SharedTicketKeys) -> Vec<u8> {
    member.keys().issue(&session(7)).unwrap()
}

fn opens(member: &SharedTicketKeys, ticket: &[u8]) -> bool {
    mark(member.keys().find(ticket)).is_some()
}

/// The key that a ticket is sealed under.
fn name(ticket: &[u8]) -> &[u8] {
    &ticket[..16]
}

#[tokio::test]
async fn a_ticket_of_one_opens_at_the_other() {
    let clock = clock();
    let store = memory(&clock);
    let (a, b) = (member(&store, &clock), member(&store, &clock));
    assert!(a.keys().issue(&session(7)).is_none(), "no keys yet");
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    assert!(opens(&b, &issue(&a)) && opens(&a, &issue(&b)));
    assert_eq!(name(&issue(&a)), name(&issue(&b)));
}

#[tokio::test]
async fn through_days_of_rotation_every_ticket_opens_everywhere() {
    let clock = clock();
    let store = memory(&clock);
    let members: Vec<_> = (0..3).map(|_| member(&store, &clock)).collect();
    let mut names = Vec::new();
    for minute in 0..3 * 24 * 60 {
        // They look at different times, and one of them rarely.
        for (which, member) in members.iter().enumerate() {
            if minute < 5 || minute % [1, 7, 61][which] == 0 {
                member.refresh().await.unwrap();
            }
        }
        if minute >= 5 {
            for from in &members {
                let ticket = issue(from);
                assert!(
                    members.iter().all(|to| opens(to, &ticket)),
                    "minute {minute}"
                );
                names.push(name(&ticket).to_vec());
            }
        }
        clock.advance(MINUTE);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 12, "a key for each six hours of three days");
}

#[tokio::test]
async fn who_misses_a_whole_period_still_knows_the_key_in_use() {
    let clock = clock();
    let store = memory(&clock);
    let (active, slow) = (member(&store, &clock), member(&store, &clock));
    active.refresh().await.unwrap();
    clock.advance(6 * HOUR);
    active.refresh().await.unwrap();
    slow.refresh().await.unwrap();
    // The key after next is made when the next one begins to seal.
    clock.advance(6 * HOUR);
    active.refresh().await.unwrap();
    clock.advance(6 * HOUR - 1);
    active.refresh().await.unwrap();
    assert!(opens(&slow, &issue(&active)) && opens(&active, &issue(&slow)));
    clock.advance(1);
    assert!(!opens(&slow, &issue(&active)), "two periods are too long");
}

#[tokio::test]
async fn a_holder_who_was_paused_changes_nothing() {
    let clock = clock();
    let store = memory(&clock);
    let other = member(&store, &clock);
    // At first when there is nothing, then when the key is due.
    for round in 0..2 {
        let unsteady = Unsteady::new(Arc::clone(&store));
        let view: Arc<dyn Store> = unsteady.clone();
        let paused = Arc::new(member(&view, &clock));
        let (reached, go_on) = unsteady.stop_at("stek/web");
        let refreshing = tokio::spawn({
            let paused = Arc::clone(&paused);
            async move { paused.refresh().await }
        });
        reached.await.unwrap();
        // Its lock holds for now, and then it does not any more.
        other.refresh().await.unwrap();
        let before = store.get("stek/web").await.unwrap();
        assert_eq!(before.is_some(), round == 1);
        clock.advance(u64::try_from(LEASE.as_millis()).unwrap());
        other.refresh().await.unwrap();
        let done = store.get("stek/web").await.unwrap().unwrap();
        assert_ne!(before.as_ref(), Some(&done), "the other one rotated");
        go_on.send(()).unwrap();
        refreshing.await.unwrap().unwrap();
        assert_eq!(store.get("stek/web").await.unwrap().unwrap(), done);
        assert_eq!(name(&issue(&paused)), name(&issue(&other)));
        assert!(opens(&other, &issue(&paused)) && opens(&paused, &issue(&other)));
        clock.advance(6 * HOUR);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_who_start_at_once_agree() {
    for round in 0..20 {
        let clock = clock();
        let store = memory(&clock);
        let members: Vec<_> = (0..8).map(|_| Arc::new(member(&store, &clock))).collect();
        let starting: Vec<_> = members
            .iter()
            .map(|member| {
                let member = Arc::clone(member);
                tokio::spawn(async move { member.refresh().await.unwrap() })
            })
            .collect();
        for task in starting {
            task.await.unwrap();
        }
        for member in &members {
            member.refresh().await.unwrap();
        }
        let ticket = issue(&members[0]);
        for member in &members {
            assert!(opens(member, &ticket), "round {round}");
            assert_eq!(name(&issue(member)), name(&ticket), "round {round}");
        }
    }
}

#[tokio::test]
async fn without_the_store_the_keys_serve_until_they_end() {
    let clock = clock();
    let steady = memory(&clock);
    let unsteady = Unsteady::new(Arc::clone(&steady));
    let store: Arc<dyn Store> = unsteady.clone();
    let (a, b) = (member(&store, &clock), member(&store, &clock));
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    let (old, health) = (issue(&a), a.health());
    assert_eq!(health.refreshed_at, Some(START));
    unsteady.is_down.store(true, Ordering::SeqCst);
    for hour in 1..30 {
        clock.advance(HOUR);
        let down = a.refresh().await.unwrap_err();
        assert!(matches!(
            down,
            FleetError::Store(StoreError::Unavailable(_))
        ));
        assert!(b.refresh().await.is_err());
        assert!(opens(&b, &issue(&a)), "hour {hour}");
        assert_eq!(opens(&b, &old), hour < 24, "hour {hour}");
    }
    assert_eq!(a.health().refreshed_at, Some(START));
    assert!(a.health().error.is_some());
    clock.advance(HOUR);
    assert!(a.refresh().await.is_err());
    assert!(
        a.keys().issue(&session(7)).is_none(),
        "the last key has ended"
    );
    unsteady.is_down.store(false, Ordering::SeqCst);
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    assert!(opens(&b, &issue(&a)));
    assert_eq!(a.health().error, None);
}

#[tokio::test]
async fn a_store_that_lost_everything_gets_the_ring_back() {
    let clock = clock();
    let store = memory(&clock);
    let (a, b) = (member(&store, &clock), member(&store, &clock));
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    let old = issue(&a);
    store.del("stek/web", Cond::Any).await.unwrap();
    b.refresh().await.unwrap();
    let new = member(&store, &clock);
    new.refresh().await.unwrap();
    assert!(opens(&new, &old) && opens(&a, &issue(&new)));
    // Even if a stranger was there first, no ticket is lost by those who had the keys.
    store.del("stek/web", Cond::Any).await.unwrap();
    let stranger = member(&store, &clock);
    stranger.refresh().await.unwrap();
    a.refresh().await.unwrap();
    assert!(opens(&a, &old) && opens(&a, &issue(&stranger)) && opens(&stranger, &issue(&a)));
}

#[tokio::test]
async fn another_master_key_is_told_and_changes_nothing() {
    let clock = clock();
    let store = memory(&clock);
    let right = member(&store, &clock);
    right.refresh().await.unwrap();
    let stored = store.get("stek/web").await.unwrap();
    let wrong = member_with(&store, &clock, &[1; 32]).unwrap();
    assert_eq!(wrong.refresh().await, Err(FleetError::MasterKey));
    assert_eq!(wrong.health().error, Some(FleetError::MasterKey));
    assert!(wrong.keys().issue(&session(7)).is_none());
    clock.advance(7 * HOUR);
    assert_eq!(wrong.refresh().await, Err(FleetError::MasterKey));
    assert_eq!(store.get("stek/web").await.unwrap(), stored);
    store
        .put("stek/web", b"garbage", Cond::Any, None)
        .await
        .unwrap();
    assert_eq!(right.refresh().await, Err(FleetError::Layout));
    assert!(opens(&right, &issue(&right)), "what it has it keeps");
}

#[tokio::test]
async fn members_look_when_the_next_key_is_due() {
    let clock = clock();
    let store = memory(&clock);
    let member = member(&store, &clock);
    assert_eq!(member.refresh().await, Ok(Duration::from_secs(60)));
    clock.set(START + 6 * HOUR - 10_000);
    assert_eq!(member.refresh().await, Ok(Duration::from_secs(10)));
}

/// Tokio's clock, which goes on by itself while tests wait.
#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> UnixMillis {
        START + UnixMillis::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_keep_a_fleet_together_for_days() {
    let clock = Arc::new(TokioClock(Instant::now()));
    let steady: Arc<dyn Store> = Arc::new(MemoryStore::new(100, clock.clone()));
    let unsteady = Unsteady::new(steady);
    let new = || {
        let store = unsteady.clone();
        let member = SharedTicketKeys::new(&PROVIDER, clock.clone(), store, "web", &MASTER);
        Arc::new(member.unwrap())
    };
    let members = [new(), new()];
    let tasks = members.each_ref().map(SharedTicketKeys::spawn);
    let mut last = Vec::new();
    for hour in 0..72 {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        // For a while there is no store.
        let is_down = (30..40).contains(&hour);
        unsteady.is_down.store(is_down, Ordering::SeqCst);
        let tickets = members.each_ref().map(|member| issue(member));
        for member in &members {
            assert!(
                tickets.iter().all(|ticket| opens(member, ticket)),
                "hour {hour}"
            );
        }
        last = tickets[0].clone();
    }
    assert!(members.iter().all(|member| member.health().error.is_none()));
    drop(tasks);
    tokio::time::sleep(Duration::from_secs(48 * 3600)).await;
    assert!(!opens(&members[0], &last));
    assert!(
        members[0].keys().issue(&session(7)).is_none(),
        "nobody refreshes any more"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_is_heard_at_once() {
    let clock = Arc::new(TokioClock(Instant::now()));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(100, clock.clone()));
    let new = || {
        let store = Arc::clone(&store);
        let member = SharedTicketKeys::new(&PROVIDER, clock.clone(), store, "web", &MASTER);
        Arc::new(member.unwrap())
    };
    let (hears, changes) = (new(), new());
    let _task = hears.spawn();
    tokio::time::sleep(Duration::from_secs(1)).await;
    store.del("stek/web", Cond::Any).await.unwrap();
    tokio::task::yield_now().await;
    changes.refresh().await.unwrap();
    let (before, patience) = (Instant::now(), Patience::new());
    while !opens(&hears, &issue(&changes)) {
        patience.wait().await;
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_directory_is_enough_for_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let open = || -> Arc<dyn Store> {
        Arc::new(DirStore::open(folder.path(), PROVIDER.random, clock.clone()).unwrap())
    };
    let (a, b) = (member(&open(), &clock), member(&open(), &clock));
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    assert!(opens(&b, &issue(&a)));
}

#[tokio::test]
async fn redis_may_go_and_come_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let clock = clock();
    let open = async || {
        let store = RedisStore::connect(&redis.url(), PROVIDER.random).await;
        let store: Arc<dyn Store> = Arc::new(store.unwrap());
        store
    };
    let (a, b) = (member(&open().await, &clock), member(&open().await, &clock));
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    assert!(opens(&b, &issue(&a)) && opens(&a, &issue(&b)));
    redis.kill();
    clock.advance(HOUR);
    assert!(a.refresh().await.is_err());
    assert!(opens(&b, &issue(&a)), "nobody needs it for that");
    let _again = Redis::start_on(redis.port);
    let patience = Patience::new();
    for member in [&a, &b] {
        while member.refresh().await.is_err() {
            patience.wait().await;
        }
    }
    assert!(opens(&b, &issue(&a)));
}
