//! A fleet of three processes with one Redis, and clients that meet another process each time.
//!
//! Early data is sent again and again: [`REPLAYS`] copies of recorded flights.

mod common;
mod member;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::Redis;
use member::{Manner, Member, Sessions, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use waxwing::tokio::Setup;
use waxwing::{ClientSessionCache, SystemClock};
use waxwing_core::{
    Buffer, ClientConfig, ClientSessions, Connection, EarlyDataStatus, ServerName, Session,
};
use waxwing_interop::{Identity, PATIENCE};
use waxwing_pki::KeyType;

const SERVERS: usize = 3;
/// Connections, one after the other.
const VISITS: usize = 1000;
/// Copies of early data that are sent.
const REPLAYS: usize = 10_000;
/// Copies of each.
const COPIES: usize = 20;
/// Flights that are recorded and sent before the next ones: hellos are taken for ten seconds.
const FLIGHTS: usize = 25;
/// Copies that are sent at the same time, once each has been seen.
const SENDERS: usize = 15;
const SAID: &[u8] = b"say it";

const ECHO: Settings = Settings {
    manner: Manner::Echo,
    sessions: Sessions::Sealed,
    period: Duration::from_secs(3600),
};

/// Is no test of its own: the others call this binary for it.
#[test]
fn server_process() {
    member::serve();
}

/// Three servers, and a relay that gives each connection to the next one.
struct Fleet {
    members: Vec<Member>,
    redis: Redis,
    relay: u16,
    /// One fleet at a time: guards wait for two milliseconds, and two processors are all there is.
    _alone: MutexGuard<'static, ()>,
}

impl Fleet {
    /// `None` if there is no Redis on this machine.
    async fn start(settings: Settings) -> Option<Self> {
        static ALONE: AsyncMutex<()> = AsyncMutex::const_new(());
        let alone = ALONE.lock().await;
        let redis = Redis::start()?;
        let identity = Identity::new(KeyType::P256);
        let members: Vec<_> = (0..SERVERS)
            .map(|number| Member::start(number, settings, &redis.url(), &identity))
            .collect();
        let ports: Vec<_> = members.iter().map(|member| member.port).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            for port in ports.iter().cycle() {
                let (mut near, _) = listener.accept().await.unwrap();
                let port = *port;
                tokio::spawn(async move {
                    near.set_nodelay(true)?;
                    let mut far = connect(port).await?;
                    copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
        Some(Self {
            members,
            redis,
            relay,
            _alone: alone,
        })
    }

    /// How many connections failed in the servers' view.
    fn failed(&mut self) -> u64 {
        let members = self.members.iter_mut();
        members.map(|member| member.counts().failed).sum()
    }

    /// Until each server takes early data: its guard has to have seen Redis for a while.
    async fn take_early_data(&mut self, visitor: &Visitor) {
        let before = [0, 1, 2].map(|number: usize| self.members[number].counts().accepted);
        let deadline = Instant::now() + PATIENCE;
        for (number, before) in before.into_iter().enumerate() {
            while self.members[number].counts().accepted == before {
                assert!(Instant::now() < deadline, "early data is never taken");
                visitor.visit(self.members[number].port).await;
                self.members.iter_mut().for_each(Member::pass_window);
            }
        }
    }
}

async fn connect(port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn name() -> ServerName {
    "localhost".parse().unwrap()
}

/// What a client learns from one connection.
struct Visit {
    server: u8,
    resumed: bool,
    early_data: EarlyDataStatus,
}

/// A client that comes again.
struct Visitor(Arc<ClientConfig>);

impl Visitor {
    fn new() -> Self {
        let clock = Arc::new(SystemClock);
        let cache = ClientSessionCache::new(1, clock.clone());
        let config = Identity::client().sessions(Arc::new(cache), clock);
        Self(config.early_data(true).build().unwrap())
    }

    /// A whole connection: what is said comes back, early or not.
    async fn visit(&self, port: u16) -> Visit {
        let all = async {
            let setup = Setup::new().early_data(SAID);
            let socket = connect(port).await?;
            let mut stream = setup.connect(Arc::clone(&self.0), name(), socket).await?;
            let server = stream.read_u8().await?;
            stream.shutdown().await?;
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await?;
            assert_eq!(heard, SAID);
            io::Result::Ok(Visit {
                server,
                resumed: stream.info().resumed,
                early_data: stream.info().early_data,
            })
        };
        timeout(PATIENCE, all).await.unwrap().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_resumes_what_another_began() {
    let Some(mut fleet) = Fleet::start(ECHO).await else {
        return;
    };
    let visitor = Visitor::new();
    let mut last = visitor.visit(fleet.relay).await;
    assert!(!last.resumed);
    let mut resumed = 0;
    for _ in 0..VISITS {
        let visit = visitor.visit(fleet.relay).await;
        assert_ne!(visit.server, last.server, "it is another process");
        resumed += usize::from(visit.resumed);
        last = visit;
    }
    println!("{resumed} of {VISITS} connections resumed");
    assert!(resumed * 100 >= VISITS * 99, "{resumed}");
    assert_eq!(fleet.failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_change_under_load_and_no_handshake_fails() {
    let settings = Settings {
        period: Duration::from_secs(3),
        ..ECHO
    };
    let Some(mut fleet) = Fleet::start(settings).await else {
        return;
    };
    let is_over = Arc::new(AtomicBool::new(false));
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        let (is_over, counts, relay) = (Arc::clone(&is_over), Arc::clone(&counts), fleet.relay);
        clients.spawn(async move {
            let visitor = Visitor::new();
            visitor.visit(relay).await;
            while !is_over.load(Ordering::Relaxed) {
                let visit = visitor.visit(relay).await;
                counts[usize::from(visit.resumed)].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    // The first keys, and three more that each server came to use.
    let (mut keys, visitor) = (vec![HashSet::new(); SERVERS], Visitor::new());
    let deadline = Instant::now() + 2 * PATIENCE;
    while keys.iter().any(|keys| keys.len() < 4) {
        assert!(Instant::now() < deadline, "keys do not change");
        visitor.visit(fleet.relay).await;
        for (member, keys) in fleet.members.iter_mut().zip(&mut keys) {
            keys.insert(member.key());
        }
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let [full, resumed] = [0, 1].map(|index: usize| counts[index].load(Ordering::Relaxed));
    println!("{resumed} of {} connections resumed", full + resumed);
    assert!(resumed * 100 >= (full + resumed) * 99, "{full} {resumed}");
    assert_eq!(fleet.failed(), 0);
    assert!(keys.iter().all(|other| *other == keys[0]), "the same keys");
}

/// Listens in the place of Redis, and never says a word.
async fn fall_silent(port: u16) -> JoinHandle<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.unwrap());
        }
    })
}

/// Connections while nobody can tell what is new: they complete, and early data is said again.
async fn visit_without_early_data(fleet: &Fleet, visitor: &Visitor, resumed: bool) {
    for number in 0..60 {
        let visit = visitor.visit(fleet.relay).await;
        assert_eq!(visit.resumed, resumed, "{number}");
        assert_eq!(visit.early_data, EarlyDataStatus::Rejected, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_handshakes_go_on_and_early_data_waits() {
    for sessions in [Sessions::Sealed, Sessions::Kept] {
        let Some(mut fleet) = Fleet::start(Settings { sessions, ..ECHO }).await else {
            return;
        };
        let visitor = Visitor::new();
        fleet.take_early_data(&visitor).await;
        // Sessions that are kept in Redis are out of reach; those in tickets are not.
        let resumed = sessions == Sessions::Sealed;
        fleet.redis.kill();
        visit_without_early_data(&fleet, &visitor, resumed).await;
        let silent = fall_silent(fleet.redis.port).await;
        visit_without_early_data(&fleet, &visitor, resumed).await;
        silent.abort();
        assert!(silent.await.unwrap_err().is_cancelled());
        fleet.redis = Redis::start_on(fleet.redis.port);
        if resumed {
            // It has forgotten what was taken before.
            visit_without_early_data(&fleet, &visitor, resumed).await;
        }
        fleet.take_early_data(&visitor).await;
        assert_eq!(fleet.failed(), 0);
    }
}

/// Offers its last session again and again, as no honest client does with early data.
#[derive(Debug, Default)]
struct Last(Mutex<Option<Session>>);

impl ClientSessions for Last {
    fn take(&self, _: &ServerName) -> Option<Session> {
        self.0.lock().unwrap().clone()
    }

    fn put(&self, _: &ServerName, session: Session) {
        *self.0.lock().unwrap() = Some(session);
    }
}

/// Records what a client sends first.
struct Recorder {
    /// Without early data.
    visiting: Arc<ClientConfig>,
    early: Arc<ClientConfig>,
    next: u64,
}

impl Recorder {
    fn new() -> Self {
        let sessions = Arc::new(Last::default());
        let config = |early| {
            let config = Identity::client().sessions(sessions.clone(), Arc::new(SystemClock));
            config.early_data(early).build().unwrap()
        };
        Self {
            visiting: config(false),
            early: config(true),
            next: 0,
        }
    }

    /// Gets a ticket.
    async fn visit(&self, port: u16) {
        let all = async {
            let socket = connect(port).await?;
            let config = Arc::clone(&self.visiting);
            let mut stream = waxwing::tokio::connect(config, name(), socket).await?;
            stream.read_u8().await
        };
        timeout(PATIENCE, all).await.unwrap().unwrap();
    }

    /// A hello with a number as its early data.
    fn flight(&mut self) -> Arc<[u8]> {
        let mut out = Buffer::new();
        let client = Connection::client(Arc::clone(&self.early), name(), &mut out);
        let number = self.next.to_be_bytes();
        self.next += 1;
        assert_eq!(client.unwrap().write_early(&number, &mut out), Ok(8));
        out.as_slice().into()
    }
}

/// Sends a flight and waits until the server has answered and closed.
async fn send(port: u16, flight: Arc<[u8]>) {
    let all = async {
        let mut socket = connect(port).await?;
        socket.write_all(&flight).await?;
        socket.shutdown().await?;
        socket.read_to_end(&mut Vec::new()).await
    };
    assert!(timeout(PATIENCE, all).await.unwrap().unwrap() > 0);
}

/// What all servers took since the last call.
fn taken(members: &mut [Member]) -> Vec<u64> {
    members.iter_mut().flat_map(Member::taken).collect()
}

/// Sends each flight to all servers at once, and then many copies of all of them.
async fn replay(ports: [u16; SERVERS], flights: &[Arc<[u8]>]) {
    for flight in flights {
        let copies = ports.map(|port| send(port, Arc::clone(flight)));
        copies.into_iter().collect::<JoinSet<_>>().join_all().await;
    }
    let copies = (SERVERS..COPIES).flat_map(|_| flights.iter().cloned());
    let copies: Vec<_> = copies.zip(ports.into_iter().cycle()).collect();
    let mut senders = JoinSet::new();
    for first in 0..SENDERS {
        let copies: Vec<_> = copies
            .iter()
            .skip(first)
            .step_by(SENDERS)
            .cloned()
            .collect();
        senders.spawn(async move {
            for (flight, port) in copies {
                send(port, flight).await;
            }
        });
    }
    senders.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_replays_none_is_taken_twice() {
    let settings = Settings {
        manner: Manner::Record,
        ..ECHO
    };
    let Some(mut fleet) = Fleet::start(settings).await else {
        return;
    };
    let ports = [0, 1, 2].map(|number: usize| fleet.members[number].port);
    let mut recorder = Recorder::new();
    recorder.visit(ports[0]).await;
    for (number, port) in ports.into_iter().enumerate() {
        let deadline = Instant::now() + PATIENCE;
        while fleet.members[number].taken().is_empty() {
            assert!(Instant::now() < deadline, "early data is never taken");
            send(port, recorder.flight()).await;
            fleet.members.iter_mut().for_each(Member::pass_window);
        }
    }
    let asked = |members: &mut [Member]| -> u64 {
        members.iter_mut().map(|member| member.counts().asked).sum()
    };
    let (before, mut all, mut flights) = (asked(&mut fleet.members), Vec::new(), Vec::new());
    taken(&mut fleet.members);
    for _ in 0..REPLAYS / (FLIGHTS * COPIES) {
        recorder.visit(ports[0]).await;
        flights = (0..FLIGHTS).map(|_| recorder.flight()).collect();
        replay(ports, &flights).await;
        all.extend(taken(&mut fleet.members));
    }
    // Each copy came as far as the guard: no other check did its work.
    let asked = asked(&mut fleet.members) - before;
    assert_eq!(asked, REPLAYS as u64);
    println!("{} of {} flights were taken", all.len(), REPLAYS / COPIES);
    assert!(!all.is_empty());
    let different: HashSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "one was taken twice");
    // A Redis that has forgotten them is no way around that.
    fleet.redis.kill();
    fleet.redis = Redis::start_on(fleet.redis.port);
    for flight in flights {
        for port in ports {
            send(port, Arc::clone(&flight)).await;
        }
    }
    assert!(taken(&mut fleet.members).is_empty());
    assert_eq!(fleet.failed(), 0);
}
