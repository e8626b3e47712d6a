//! Whole handshakes with fleets: resumed anywhere, early data taken once.

mod common;

use std::sync::Arc;

use common::{ManualClock, Patience};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use waxwing::ClientSessionCache;
use waxwing::tokio::Answerer;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Buffer, ClientConfig, Connection, EarlyDataStatus, Event, ReplayGuard, ServerConfig,
    ServerConfigBuilder, ServerName, ServerSessions, UnixMillis,
};
use waxwing_pki::KeyType;
use waxwing_server::store::{MemoryStore, Store};
use waxwing_server::{
    LocalReplayGuard, MemorySessions, ServerAnswers, SharedReplayGuard, SharedTicketKeys,
    StoreSessions, TicketKeys,
};
use waxwing_testkit::pki;

const WINDOW: UnixMillis = 20_000;
const MAX_EARLY: u32 = 1000;

struct World {
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    client: Arc<ClientConfig>,
}

fn name() -> ServerName {
    "localhost".parse().unwrap()
}

fn server() -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, Arc::new(pki::certified_key(KeyType::P256)))
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new();
        let cache = Arc::new(ClientSessionCache::new(10, clock.clone()));
        let client = ClientConfig::builder(&PROVIDER, pki::verifier())
            .sessions(cache, clock.clone())
            .early_data(true)
            .build();
        Self {
            store: Arc::new(MemoryStore::new(1000, clock.clone())),
            client: client.unwrap(),
            clock,
        }
    }

    fn member(&self) -> SharedTicketKeys {
        let (clock, store) = (self.clock.clone(), Arc::clone(&self.store));
        SharedTicketKeys::new(&PROVIDER, clock, store, "web", &[7; 32]).unwrap()
    }

    fn server(&self, sessions: Arc<dyn ServerSessions>) -> Arc<ServerConfig> {
        let server = server().sessions(sessions, self.clock.clone());
        server.build().unwrap()
    }

    fn early_server(
        &self,
        sessions: Arc<dyn ServerSessions>,
        guard: Arc<dyn ReplayGuard>,
    ) -> Arc<ServerConfig> {
        let server = server().sessions(sessions, self.clock.clone());
        server.early_data(MAX_EARLY, guard).build().unwrap()
    }

    /// A connection over which the client gets new tickets. Whether it was resumed.
    async fn visit(&self, server: &Arc<ServerConfig>, answers: &ServerAnswers) -> bool {
        let (near, far) = duplex(1 << 14);
        let (client, server) = (Arc::clone(&self.client), Arc::clone(server));
        let (near, far) = tokio::join!(
            waxwing::tokio::connect(client, name(), near),
            waxwing::tokio::accept_with(server, far, answers.clone()),
        );
        let (mut near, mut far) = (near.unwrap(), far.unwrap());
        far.write_all(b"x").await.unwrap();
        far.flush().await.unwrap();
        // Tickets stand before the data.
        near.read_u8().await.unwrap();
        assert_eq!(near.info().resumed, far.info().resumed);
        near.info().resumed
    }

    /// What a client with early data sends first.
    fn early_flight(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Buffer::new();
        let client = Connection::client(Arc::clone(&self.client), name(), &mut out);
        let mut client = client.unwrap();
        assert_eq!(client.write_early(data, &mut out), Ok(data.len()));
        out.as_slice().to_vec()
    }
}

/// The early data that a server takes from this flight.
async fn take(config: &Arc<ServerConfig>, answers: &ServerAnswers, flight: &[u8]) -> Vec<u8> {
    let mut server = Connection::server(Arc::clone(config));
    let (mut input, mut out, mut taken) = (flight.to_vec(), Buffer::new(), Vec::new());
    loop {
        let progress = server.process(&mut input, &mut out).unwrap();
        if let Event::EarlyData(range) = progress.event.clone() {
            taken.extend_from_slice(&input[range]);
        }
        input.drain(..progress.consumed);
        match progress.event {
            Event::NeedInput(_) => {
                assert!(server.info().resumed);
                return taken;
            }
            Event::Wait(_) => {
                let answer = answers.clone().answer(server.question().unwrap());
                server.answer(answer.await, &mut out).unwrap();
            }
            Event::EarlyData(_) => {
                assert_eq!(server.info().early_data, EarlyDataStatus::Accepted);
            }
            event => panic!("{event:?}"),
        }
    }
}

#[tokio::test]
async fn every_server_of_a_fleet_resumes() {
    let world = World::new();
    let members: Vec<_> = (0..3).map(|_| world.member()).collect();
    for member in &members {
        member.refresh().await.unwrap();
    }
    let servers: Vec<_> = members
        .iter()
        .map(|member| world.server(member.keys()))
        .collect();
    let answers = ServerAnswers::new();
    assert!(!world.visit(&servers[0], &answers).await);
    for visit in 1..30 {
        // Half an hour at a time, through two rotations.
        world.clock.advance(30 * 60_000);
        for member in &members {
            member.refresh().await.unwrap();
        }
        assert!(
            world.visit(&servers[visit % 3], &answers).await,
            "visit {visit}"
        );
    }
    // A server without these keys just does a full handshake.
    let stranger = TicketKeys::new(&PROVIDER, world.clock.clone()).unwrap();
    assert!(
        !world
            .visit(&world.server(Arc::new(stranger)), &answers)
            .await
    );
}

#[tokio::test]
async fn sessions_of_one_process_are_resumed_from_its_memory() {
    let world = World::new();
    let sessions = MemorySessions::new(100, world.clock.clone(), PROVIDER.random);
    let sessions = Arc::new(sessions);
    let server = world.server(sessions.clone());
    let answers = ServerAnswers::new();
    assert!(!world.visit(&server, &answers).await);
    assert_eq!(sessions.len(), 2);
    assert!(world.visit(&server, &answers).await);
}

#[tokio::test(start_paused = true)]
async fn sessions_in_a_store_are_resumed_by_any_server_that_asks() {
    let world = World::new();
    let keys = Arc::new(TicketKeys::new(&PROVIDER, world.clock.clone()).unwrap());
    let server = || {
        let (keys, clock) = (Arc::clone(&keys), world.clock.clone());
        let sessions = StoreSessions::new(keys, Arc::clone(&world.store), clock);
        let sessions = Arc::new(sessions.unwrap());
        let answers = ServerAnswers::new().sessions(sessions.clone());
        (world.server(sessions), answers)
    };
    let servers = [server(), server()];
    for visit in 0..6 {
        let (server, answers) = &servers[visit % 2];
        assert_eq!(world.visit(server, answers).await, visit > 0);
        let patience = Patience::new();
        while world.store.list("sess/").await.unwrap().len() < visit + 2 {
            patience.wait().await;
        }
    }
    // Where nobody answers the handshake is a full one.
    assert!(!world.visit(&servers[0].0, &ServerAnswers::new()).await);
}

#[tokio::test(start_paused = true)]
async fn early_data_is_taken_once_in_the_whole_fleet() {
    let world = World::new();
    let keys = Arc::new(TicketKeys::new(&PROVIDER, world.clock.clone()).unwrap());
    let server = || {
        let guard = SharedReplayGuard::new(Arc::clone(&world.store), world.clock.clone());
        let guard = Arc::new(guard.unwrap());
        let answers = ServerAnswers::new().guard(guard.clone());
        (world.early_server(keys.clone(), guard), answers)
    };
    let servers = [server(), server(), server()];
    let (first, answers) = &servers[0];
    for expected in [&b""[..], b"pay"] {
        // At first the guards have not watched the store for long enough.
        world.visit(first, answers).await;
        let flight = world.early_flight(b"pay");
        let mut taken = Vec::new();
        for copy in 0..30 {
            let (server, answers) = &servers[copy % 3];
            taken.extend(take(server, answers, &flight).await);
        }
        assert_eq!(taken, expected);
        world.clock.advance(WINDOW);
    }
}

#[tokio::test]
async fn early_data_is_taken_once_by_one_process() {
    let world = World::new();
    let keys = Arc::new(TicketKeys::new(&PROVIDER, world.clock.clone()).unwrap());
    let guard = LocalReplayGuard::new(100, world.clock.clone());
    let server = world.early_server(keys, Arc::new(guard));
    let answers = ServerAnswers::new();
    world.visit(&server, &answers).await;
    world.clock.advance(WINDOW);
    let flight = world.early_flight(b"pay");
    assert_eq!(take(&server, &answers, &flight).await, b"pay");
    for _ in 0..10 {
        world.clock.advance(WINDOW / 25);
        assert_eq!(take(&server, &answers, &flight).await, b"");
    }
}

#[tokio::test]
async fn over_sockets_too() {
    let world = World::new();
    let keys = Arc::new(TicketKeys::new(&PROVIDER, world.clock.clone()).unwrap());
    let server = world.server(keys);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut stream = waxwing::tokio::accept(Arc::clone(&server), socket)
                .await
                .unwrap();
            stream.write_all(b"x").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    for resumed in [false, true, true] {
        let socket = TcpStream::connect(address).await.unwrap();
        let client = Arc::clone(&world.client);
        let mut stream = waxwing::tokio::connect(client, name(), socket)
            .await
            .unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(
            (all.as_slice(), stream.info().resumed),
            (&b"x"[..], resumed)
        );
    }
}
