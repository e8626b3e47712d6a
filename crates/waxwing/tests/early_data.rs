//! Early data over streams: said once by the client, heard once by the server, whatever the server
//! does with it.

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use common::{client_builder, name, server_builder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use waxwing::blocking::Stream;
use waxwing::tokio::Setup;
use waxwing::{
    ClientConfig, EarlyDataStatus, FirstUse, PROVIDER, ReplayGuard, ServerConfig,
    ServerConfigBuilder,
};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions, SealedSessions};

/// Says the same to everybody.
#[derive(Debug)]
struct Same(FirstUse);

impl ReplayGuard for Same {
    fn first_use(&self, _: &[u8; 16], _: u32) -> FirstUse {
        self.0
    }
}

const MAX: u32 = 100;

struct World {
    client: Arc<ClientConfig>,
    clock: Arc<ManualClock>,
    theirs: Arc<SealedSessions>,
}

impl World {
    /// A client that has been here before.
    fn new() -> Self {
        let clock = ManualClock::new();
        let world = Self {
            client: client_builder()
                .sessions(MemoryClientSessions::new(), clock.clone())
                .early_data(true)
                .build()
                .unwrap(),
            clock,
            theirs: SealedSessions::new(PROVIDER.suites13[0].aead, 7),
        };
        let (mut near, mut far) = streams(&world.client, &world.server(FirstUse::Yes));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                far.write_all(b"x").unwrap();
                far.flush().unwrap();
            });
            near.read_exact(&mut [0]).unwrap();
        });
        world
    }

    fn builder(&self) -> ServerConfigBuilder {
        server_builder().sessions(self.theirs.clone(), self.clock.clone())
    }

    fn server(&self, answer: FirstUse) -> Arc<ServerConfig> {
        let guard = Arc::new(Same(answer));
        self.builder().early_data(MAX, guard).build().unwrap()
    }
}

fn streams(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> (Stream<UnixStream>, Stream<UnixStream>) {
    let (near, far) = UnixStream::pair().unwrap();
    let near = Stream::client(client.clone(), name(), near).unwrap();
    (near, Stream::server(server.clone(), far))
}

/// More than early data can take, and less.
const LENGTHS: [usize; 4] = [0, 1, 100, 250];

#[test]
fn what_is_said_early_is_read_once() {
    for answer in [FirstUse::Yes, FirstUse::No] {
        for len in LENGTHS {
            let world = World::new();
            let data = common::pattern(len);
            let (mut near, mut far) = streams(&world.client, &world.server(answer));
            std::thread::scope(|scope| {
                let server = scope.spawn(move || {
                    let mut heard = Vec::new();
                    far.read_to_end(&mut heard).unwrap();
                    (heard, far.info().early_data)
                });
                near.handshake_with_early_data(&data).unwrap();
                near.write_all(b"!").unwrap();
                near.close_notify().unwrap();
                let (heard, status) = server.join().unwrap();
                assert_eq!(heard, [&data[..], b"!"].concat());
                let expected = match answer {
                    FirstUse::Yes => EarlyDataStatus::Accepted,
                    _ => EarlyDataStatus::Rejected,
                };
                assert_eq!(status, expected);
                assert_eq!(near.info().early_data, expected);
            });
        }
    }
}

/// The client waits for the answer before it completes the handshake.
#[test]
fn a_server_answers_before_the_handshake_is_complete() {
    let world = World::new();
    let (near, far) = UnixStream::pair().unwrap();
    let mut out = waxwing::Buffer::new();
    let mut client = waxwing::Connection::client(world.client.clone(), name(), &mut out).unwrap();
    client.write_early(b"question", &mut out).unwrap();
    let mut near = near;
    near.write_all(out.as_slice()).unwrap();
    let mut far = Stream::server(world.server(FirstUse::Yes), far);
    let mut question = [0; 20];
    assert_eq!(far.read_early(&mut question[..5]).unwrap(), 5);
    assert_eq!(far.read_early(&mut question[5..]).unwrap(), 3);
    assert_eq!(&question[..8], b"question");
    assert!(far.is_handshaking());
    far.write_all(b"answer").unwrap();
    far.flush().unwrap();
    assert!(far.is_handshaking());
    // All of that is on the way now.
    let mut near = Stream::with_output(client, waxwing::Buffer::new(), near);
    let mut answer = [0; 6];
    near.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");
    near.write_all(b", thanks").unwrap();
    near.close_notify().unwrap();
    assert_eq!(far.read_early(&mut question).unwrap(), 0);
    assert!(!far.is_handshaking());
    let mut rest = String::new();
    far.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, ", thanks");
}

#[test]
fn without_early_data_there_is_none_to_read() {
    let world = World::new();
    let config = world.builder().build().unwrap();
    let (mut near, mut far) = streams(&world.client, &config);
    std::thread::scope(|scope| {
        scope.spawn(move || near.handshake_with_early_data(b"data").unwrap());
        assert_eq!(far.read_early(&mut [0; 9]).unwrap(), 0);
        let mut heard = [0; 4];
        far.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"data");
    });
}

#[tokio::test]
async fn what_is_said_early_is_read_once_by_tasks_too() {
    for answer in [FirstUse::Yes, FirstUse::No] {
        for len in LENGTHS {
            let world = World::new();
            let data = common::pattern(len);
            let (near, far) = tokio::io::duplex(64);
            let setup = Setup::new().early_data(data.clone());
            let server = world.server(answer);
            let server = tokio::spawn(async move {
                let mut far = waxwing::tokio::accept(server, far).await.unwrap();
                let mut heard = Vec::new();
                far.read_to_end(&mut heard).await.unwrap();
                heard
            });
            let connecting = setup.connect(world.client.clone(), name(), near);
            let mut near = connecting.await.unwrap();
            near.write_all(b"!").await.unwrap();
            near.shutdown().await.unwrap();
            assert_eq!(server.await.unwrap(), [&data[..], b"!"].concat());
        }
    }
}
