//! Sessions in a store that servers share.

mod common;

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::Arc;

use common::{ManualClock, Patience, Redis, START, Unsteady, clock, session};
use waxwing::tokio::Answerer;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{Answer, Question, ServerSessions, Session, SessionLookup};
use waxwing_server::store::{Cond, DirStore, MemoryStore, RedisStore, Store};
use waxwing_server::{ServerAnswers, StoreSessions, TicketKeys};
use waxwing_testkit::session_bytes::SessionBytes;

fn old_session() -> Session {
    SessionBytes {
        issued_at: START,
        max_early_data: 12,
        ..SessionBytes::TLS12
    }
    .session()
}

struct Site {
    clock: Arc<ManualClock>,
    keys: Arc<TicketKeys>,
    steady: Arc<dyn Store>,
    store: Arc<Unsteady>,
}

impl Site {
    fn new() -> Self {
        let clock = clock();
        let steady: Arc<dyn Store> = Arc::new(MemoryStore::new(10_000, clock.clone()));
        Self::over(steady, clock)
    }

    fn over(steady: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        Self {
            keys: Arc::new(TicketKeys::new(&PROVIDER, clock.clone()).unwrap()),
            store: Unsteady::new(Arc::clone(&steady)),
            steady,
            clock,
        }
    }

    fn server(&self) -> StoreSessions {
        let (keys, clock) = (Arc::clone(&self.keys), self.clock.clone());
        StoreSessions::new(keys, self.store.clone(), clock).unwrap()
    }

    /// Waits until so many sessions are written.
    async fn written(&self, count: usize) -> Vec<String> {
        let patience = Patience::new();
        loop {
            let keys = self.steady.list("sess/").await.unwrap();
            if keys.len() == count {
                return keys;
            }
            patience.wait().await;
        }
    }
}

async fn mark(server: &StoreSessions, ticket: &[u8]) -> Option<u32> {
    assert!(matches!(server.find(ticket), SessionLookup::Pending));
    let session = server.answer(ticket, false).await?;
    Some(session.max_early_data())
}

#[tokio::test]
async fn a_session_goes_from_one_server_to_another_once() {
    let site = Site::new();
    let (a, b) = (site.server(), site.server());
    let (new, old) = (
        a.issue(&session(7)).unwrap(),
        a.issue(&old_session()).unwrap(),
    );
    site.written(2).await;
    assert_eq!(mark(&b, &new).await, Some(7));
    assert_eq!(mark(&a, &new).await, None, "used");
    assert_eq!(mark(&b, &old).await, Some(12));
    assert_eq!(mark(&a, &old).await, Some(12));
    site.written(1).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_who_have_read_it_one_gets_the_session() {
    let site = Site::new();
    let (a, b) = (site.server(), site.server());
    let ticket = a.issue(&session(7)).unwrap();
    site.written(1).await;
    // Each waits between reading and removing.
    let (first, second) = tokio::join!(a.answer(&ticket, false), b.answer(&ticket, false));
    assert_eq!([first, second].iter().flatten().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_servers_one_gets_the_session() {
    let site = Site::new();
    let servers: Vec<_> = (0..8).map(|_| Arc::new(site.server())).collect();
    let mut found = 0;
    for round in 1..=200 {
        let ticket: Arc<[u8]> = servers[0].issue(&session(7)).unwrap().into();
        site.written(1).await;
        let tasks: Vec<_> = servers
            .iter()
            .map(|server| {
                let (server, ticket) = (Arc::clone(server), Arc::clone(&ticket));
                tokio::spawn(async move { server.answer(&ticket, false).await })
            })
            .collect();
        let mut of_this_round = 0;
        for task in tasks {
            of_this_round += usize::from(task.await.unwrap().is_some());
        }
        assert!(of_this_round <= 1, "round {round}");
        found += of_this_round;
        for key in site.steady.list("sess/").await.unwrap() {
            // Where the machine was too slow for the time that handshakes wait.
            site.steady.del(&key, Cond::Any).await.unwrap();
        }
    }
    assert!(found > 0);
}

#[tokio::test]
async fn strange_tickets_are_not_asked_for() {
    let site = Site::new();
    let server = site.server();
    for ticket in [&[][..], &[1; 31], &[1; 33], &[1; 16_000]] {
        assert!(matches!(server.find(ticket), SessionLookup::None));
        assert!(server.answer(ticket, false).await.is_none());
    }
    assert_eq!(mark(&server, &[1; 32]).await, None);
}

#[tokio::test]
async fn the_store_sees_neither_sessions_nor_tickets() {
    let site = Site::new();
    let server = site.server();
    let ticket = server.issue(&session(7)).unwrap();
    let [key] = &site.written(1).await[..] else {
        panic!("there is one");
    };
    let entry = site.steady.get(key).await.unwrap().unwrap();
    let plain = session(7).to_bytes().unwrap();
    for hidden in plain.windows(12).chain(ticket.windows(12)) {
        assert!(!entry.value.windows(12).any(|window| window == hidden));
    }
    assert!(!key.contains(&format!(
        "{:02x}{:02x}{:02x}",
        ticket[0], ticket[1], ticket[2]
    )));
}

#[tokio::test]
async fn what_was_changed_in_the_store_is_no_session() {
    let site = Site::new();
    let server = site.server();
    let ticket = server.issue(&session(7)).unwrap();
    let first = site.written(1).await.remove(0);
    let entry = site.steady.get(&first).await.unwrap().unwrap();
    let other = server.issue(&session(8)).unwrap();
    let keys = site.written(2).await;
    let second = keys.iter().find(|key| **key != first).unwrap();
    // One session in the place of another.
    let put = site.steady.put(second, &entry.value, Cond::Any, None);
    put.await.unwrap();
    assert_eq!(mark(&server, &other).await, None);
    for at in [0, 16, entry.value.len() - 1] {
        let mut changed = entry.value.clone();
        changed[at] ^= 1;
        let put = site.steady.put(&first, &changed, Cond::Any, None);
        put.await.unwrap();
        assert_eq!(mark(&server, &ticket).await, None);
    }
    let put = site.steady.put(&first, &entry.value, Cond::Any, None);
    put.await.unwrap();
    assert_eq!(
        mark(&server, &ticket).await,
        Some(7),
        "all was due to the changes"
    );
}

#[tokio::test]
async fn session_ids_are_kept_only_where_asked_for_and_not_for_long() {
    let site = Site::new();
    let id = [9; 32];
    let without = site.server();
    assert!(!without.keeps_ids());
    assert!(matches!(without.recall(&id), SessionLookup::None));
    let with = site.server().keep_ids(true);
    assert!(with.keeps_ids());
    with.keep(&id, &old_session());
    site.written(1).await;
    assert!(matches!(with.recall(&id), SessionLookup::Pending));
    assert!(with.answer(&id, true).await.is_some());
    assert!(with.answer(&id, true).await.is_some());
    assert!(with.answer(&id, false).await.is_none(), "it is no ticket");
    site.clock.advance(600_000);
    assert!(with.answer(&id, true).await.is_none());
}

#[tokio::test]
async fn sessions_end_with_their_lives() {
    let site = Site::new();
    let server = site.server();
    let ticket = server.issue(&old_session()).unwrap();
    site.written(1).await;
    site.clock.advance(43_200_000 - 1);
    assert_eq!(mark(&server, &ticket).await, Some(12));
    site.clock.advance(1);
    assert_eq!(mark(&server, &ticket).await, None);
    assert!(
        server.issue(&old_session()).is_none(),
        "it has ended already"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_nobody_up() {
    let site = Site::new();
    let server = site.server();
    let ticket = server.issue(&session(7)).unwrap();
    site.written(1).await;
    site.store.hangs.store(true, Ordering::SeqCst);
    let before = tokio::time::Instant::now();
    assert_eq!(mark(&server, &ticket).await, None);
    assert_eq!(before.elapsed(), Duration::from_millis(5));
    // Those that wait to be written are bounded.
    let issued = (0..10_000)
        .filter(|_| server.issue(&session(7)).is_some())
        .count();
    assert_eq!(issued, 1024);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let more = (0..10_000)
        .filter(|_| server.issue(&session(7)).is_some())
        .count();
    assert_eq!(more, 33, "which are being written");
    site.store.hangs.store(false, Ordering::SeqCst);
    assert_eq!(mark(&server, &ticket).await, Some(7));
}

#[tokio::test]
async fn a_store_that_is_down_means_full_handshakes() {
    let site = Site::new();
    let server = site.server();
    let ticket = server.issue(&session(7)).unwrap();
    site.written(1).await;
    site.store.is_down.store(true, Ordering::SeqCst);
    assert_eq!(mark(&server, &ticket).await, None);
    site.store.is_down.store(false, Ordering::SeqCst);
    assert_eq!(mark(&server, &ticket).await, Some(7));
}

#[tokio::test]
async fn slow_stores_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let store = DirStore::open(folder.path(), PROVIDER.random, clock.clone()).unwrap();
    let keys = Arc::new(TicketKeys::new(&PROVIDER, clock.clone()).unwrap());
    assert!(StoreSessions::new(keys, Arc::new(store), clock).is_none());
}

#[tokio::test]
async fn the_answerer_fetches_the_session() {
    let site = Site::new();
    let server = Arc::new(site.server().keep_ids(true));
    let ticket = server.issue(&session(7)).unwrap();
    let id = [5; 32];
    server.keep(&id, &old_session());
    site.written(2).await;
    let mut answers = ServerAnswers::new().sessions(server);
    for (handle, is_id, expected) in [(&ticket[..], false, 7), (&id, true, 12)] {
        let Answer::Session(Some(found)) =
            answers.answer(Question::Session { handle, is_id }).await
        else {
            panic!("it is there");
        };
        assert_eq!(found.max_early_data(), expected);
    }
}

#[tokio::test]
async fn redis_may_carry_the_sessions() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = RedisStore::connect(&redis.url(), PROVIDER.random)
        .await
        .unwrap();
    let site = Site::over(Arc::new(store), clock());
    let (a, b) = (site.server(), site.server());
    // An answer may come too late on a machine that is busy.
    let patience = Patience::new();
    loop {
        patience.wait().await;
        let ticket = a.issue(&session(7)).unwrap();
        site.written(1).await;
        if let Some(found) = mark(&b, &ticket).await {
            assert_eq!(found, 7);
            assert_eq!(mark(&a, &ticket).await, None);
            break;
        }
        for key in site.steady.list("sess/").await.unwrap() {
            site.steady.del(&key, Cond::Any).await.unwrap();
        }
    }
    let ticket = a.issue(&session(7)).unwrap();
    site.written(1).await;
    redis.kill();
    assert_eq!(mark(&a, &ticket).await, None);
}
