//! Early data (RFC 9846, Sections 2.3, 4.3.10 and 8): taken once, in time and for what it was said;
//! otherwise the handshake goes on without it, and nothing is lost or heard twice.

mod common;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use common::{End, Pair, TrustOne, carry, client_builder, name, server_builder};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Answer, Buffer, ClientConfig, ClientConfigBuilder, Connection, EarlyDataStatus, Error, Event,
    FirstUse, Misuse, PeerError, Question, ReplayGuard, ServerConfigBuilder, Wait,
};
use waxwing_crypto::{CipherSuite, NamedGroup};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions, SealedSessions};

/// Remembers everything.
#[derive(Debug, Default)]
struct Guard {
    seen: Mutex<HashSet<[u8; 16]>>,
    later: bool,
}

impl Guard {
    fn is_new(&self, id: &[u8; 16]) -> bool {
        self.seen.lock().unwrap().insert(*id)
    }
}

impl ReplayGuard for Guard {
    fn first_use(&self, id: &[u8; 16], window: u32) -> FirstUse {
        // A hello is taken until its age is 10 s off, in either direction.
        assert_eq!(window, 20_000);
        match self.later {
            true => FirstUse::Pending,
            false if self.is_new(id) => FirstUse::Yes,
            false => FirstUse::No,
        }
    }
}

struct World {
    clock: Arc<ManualClock>,
    ours: Arc<MemoryClientSessions>,
    theirs: Arc<SealedSessions>,
    verifier: Arc<TrustOne>,
    guard: Arc<Guard>,
}

const MAX: u32 = 1000;

impl World {
    /// A client with a session that early data may go with.
    fn new() -> Self {
        Self::with_guard(Guard::default())
    }

    fn with_guard(guard: Guard) -> Self {
        let world = Self {
            clock: ManualClock::new(),
            ours: MemoryClientSessions::new(),
            theirs: SealedSessions::new(PROVIDER.suites13[0].aead, 7),
            verifier: Arc::new(TrustOne),
            guard: Arc::new(guard),
        };
        let suites = [CipherSuite::TLS13_AES_128_GCM_SHA256];
        let mut pair = Pair::new(world.client(), world.server().cipher_suites(suites));
        pair.settle().unwrap();
        assert_eq!(world.ours.all()[0].max_early_data(), MAX);
        world
    }

    fn client(&self) -> ClientConfigBuilder {
        ClientConfig::builder(&PROVIDER, self.verifier.clone())
            .sessions(self.ours.clone(), self.clock.clone())
            .early_data(true)
            .alpn(["a", "b"])
    }

    fn server(&self) -> ServerConfigBuilder {
        server_builder()
            .sessions(self.theirs.clone(), self.clock.clone())
            .early_data(MAX, self.guard.clone())
            .alpn(["a"])
    }

    fn pair(&self) -> Pair {
        Pair::new(self.client(), self.server())
    }
}

fn write_early(end: &mut End, data: &[u8]) -> Result<usize, Error> {
    end.connection.write_early(data, &mut end.out)
}

fn statuses(pair: &Pair) -> [EarlyDataStatus; 2] {
    [&pair.client, &pair.server].map(|end| end.connection.info().early_data)
}

/// The handshake is complete without early data, which is then said again.
fn check_rejected(pair: &mut Pair, resumed: bool) {
    pair.settle().unwrap();
    assert_eq!(statuses(pair), [EarlyDataStatus::Rejected; 2]);
    assert_eq!(pair.client.connection.info().resumed, resumed);
    assert!(pair.server.received.is_empty());
    assert!(pair.client.connection.info().early_exporter.is_none());
    pair.client.write(b"again");
    pair.server.write(b"yes");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"again");
    assert_eq!(pair.client.received, b"yes");
}

#[test]
fn early_data_arrives_before_the_handshake_ends() {
    let world = World::new();
    let mut pair = world.pair();
    assert_eq!(pair.client.connection.early_data_left(), 1000);
    assert_eq!(write_early(&mut pair.client, b"early"), Ok(5));
    carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    assert_eq!(pair.server.received, b"early");
    assert!(pair.server.connection.is_handshaking());
    // The answer needs no round trip either.
    pair.server.write(b"answer");
    carry(&mut pair.server, &mut pair.client);
    pair.client.run().unwrap();
    assert_eq!(pair.client.received, b"answer");
    pair.settle().unwrap();
    assert_eq!(statuses(&pair), [EarlyDataStatus::Accepted; 2]);
    pair.client.write(b", late");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"early, late");
    assert_eq!(pair.server.early, 1);
}

/// Between the server's answer and its Finished there is no telling where the client's early data
/// ends: it may go on until then.
#[test]
fn early_data_goes_on_until_the_server_has_answered() {
    let world = World::new();
    let mut pair = world.pair();
    write_early(&mut pair.client, b"one ").unwrap();
    carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    write_early(&mut pair.client, b"two").unwrap();
    carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    assert_eq!(pair.server.received, b"one two");
    pair.settle().unwrap();
    let error = write_early(&mut pair.client, b"three");
    assert_eq!(error, Err(Misuse::EarlyDataLimit.into()));
    pair.client.write(b"!");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"one two!");
}

#[test]
fn both_sides_export_the_same_early() {
    let world = World::new();
    let mut pair = world.pair();
    carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    let export = |end: &End| {
        let mut out = [0; 16];
        let exporter = end.connection.info().early_exporter.as_ref().unwrap();
        exporter.export(b"EXPORTER-x", None, &mut out).unwrap();
        out
    };
    assert_eq!(export(&pair.client), export(&pair.server));
}

#[test]
fn no_more_is_sent_or_taken_than_the_session_allows() {
    let world = World::new();
    let mut pair = world.pair();
    assert_eq!(write_early(&mut pair.client, &[1; 1500]), Ok(1000));
    assert_eq!(pair.client.connection.early_data_left(), 0);
    let error = write_early(&mut pair.client, b"x");
    assert_eq!(error, Err(Misuse::EarlyDataLimit.into()));
    pair.settle().unwrap();
    assert_eq!(pair.server.received.len(), 1000);

    // A server that allows for less by now than it did.
    let server = world.server().early_data(999, world.guard.clone());
    let mut pair = Pair::new(world.client(), server);
    write_early(&mut pair.client, &[1; 1000]).unwrap();
    let error = pair.settle().unwrap_err();
    assert_eq!(error, PeerError::TooMuchEarlyData.into());
}

#[test]
fn a_copy_is_not_taken() {
    for later in [false, true] {
        let world = World::with_guard(Guard {
            later,
            ..Guard::default()
        });
        let mut pair = world.pair();
        write_early(&mut pair.client, b"pay").unwrap();
        let flight = pair.client.out.as_slice().to_vec();
        let mut taken = Vec::new();
        // The original and two copies, to servers that share the guard.
        for _ in 0..3 {
            let mut server = End::new(Connection::server(world.server().build().unwrap()));
            server.input.extend_from_slice(&flight);
            server.run().unwrap();
            if later {
                assert_eq!(server.events, [Event::Wait(Wait::FirstUse)]);
                let Some(Question::FirstUse { id, window }) = server.connection.question() else {
                    panic!("it is asked whether the hello is new");
                };
                assert_eq!(window, 20_000);
                let new = world.guard.is_new(id);
                let answer = Answer::FirstUse(new);
                server.connection.answer(answer, &mut server.out).unwrap();
                server.run().unwrap();
            }
            assert!(server.connection.info().resumed);
            taken.push(server.received);
        }
        assert_eq!(taken, [b"pay".to_vec(), vec![], vec![]]);
    }
}

#[test]
fn early_data_that_is_not_taken_is_said_again() {
    let world = World::new();
    for (what, server) in [
        (
            "off",
            server_builder()
                .sessions(world.theirs.clone(), world.clock.clone())
                .alpn(["a"]),
        ),
        ("another protocol", world.server().alpn(["b"])),
        (
            "another suite",
            world
                .server()
                .cipher_suites([CipherSuite::TLS13_CHACHA20_POLY1305_SHA256]),
        ),
    ] {
        let session = world.ours.all().pop().unwrap();
        let mut pair = Pair::new(world.client(), server);
        write_early(&mut pair.client, b"lost").expect(what);
        check_rejected(&mut pair, true);
        waxwing_core::ClientSessions::put(&*world.ours, &name(), session);
    }
    // And where nothing is resumed at all.
    let mut pair = Pair::new(world.client(), server_builder().alpn(["a"]));
    write_early(&mut pair.client, b"lost").unwrap();
    check_rejected(&mut pair, false);
}

#[test]
fn a_hello_that_is_too_old_or_too_young_brings_none() {
    for (off, accepted) in [(10_000, true), (10_001, false)] {
        for server_is_late in [true, false] {
            let world = World::new();
            world.clock.advance(50_000);
            let theirs = ManualClock::new();
            theirs.advance(if server_is_late {
                50_000 + off
            } else {
                50_000 - off
            });
            let server = server_builder()
                .sessions(world.theirs.clone(), theirs)
                .early_data(MAX, world.guard.clone())
                .alpn(["a"]);
            let mut pair = Pair::new(world.client(), server);
            write_early(&mut pair.client, b"x").unwrap();
            pair.settle().unwrap();
            let status = pair.server.connection.info().early_data;
            assert_eq!(status == EarlyDataStatus::Accepted, accepted, "{off}");
            assert!(pair.server.connection.info().resumed);
        }
    }
}

#[test]
fn a_retry_ends_early_data() {
    let world = World::new();
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let client = world.client().groups(groups);
    let server = world.server().groups([NamedGroup::SECP256R1]);
    let mut pair = Pair::new(client, server);
    write_early(&mut pair.client, b"lost").unwrap();
    check_rejected(&mut pair, true);
    assert!(pair.client.connection.info().retried);
    assert_eq!(pair.client.connection.early_data_left(), 0);
}

/// RFC 9846, Appendix E.3: the client must not go on in TLS 1.2, whose server takes early data for
/// something else.
#[cfg(feature = "tls12")]
#[test]
fn a_server_that_fell_back_to_tls12_ends_the_connection() {
    use waxwing_core::{Incompatible, ProtocolVersions};

    for early in [true, false] {
        let world = World::new();
        let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
        let client = world.client().versions(both).early_data(early);
        let server = server_builder().versions(ProtocolVersions::TLS12);
        let mut pair = Pair::new(client, server);
        carry(&mut pair.client, &mut pair.server);
        // It chokes on the change_cipher_spec before the early data, but has answered the hello.
        assert_eq!(pair.server.run().is_err(), early);
        carry(&mut pair.server, &mut pair.client);
        let result = pair.client.run();
        if early {
            assert_eq!(result, Err(Incompatible::EarlyDataVersion.into()));
        } else {
            assert_eq!(result, Ok(()));
            pair.settle().unwrap();
        }
    }
}

#[test]
fn nothing_is_sent_early_without_leave() {
    let world = World::new();
    for client in [
        world.client().early_data(false),
        // The server could not go on with that protocol.
        world.client().alpn(["b"]),
        world
            .client()
            .cipher_suites([CipherSuite::TLS13_CHACHA20_POLY1305_SHA256]),
        client_builder().early_data(true),
    ] {
        let mut pair = Pair::new(client, world.server().alpn(["a", "b"]));
        assert_eq!(pair.client.connection.early_data_left(), 0);
        let error = write_early(&mut pair.client, b"x");
        assert_eq!(error, Err(Misuse::EarlyDataLimit.into()));
        pair.settle().unwrap();
        assert_eq!(statuses(&pair), [EarlyDataStatus::NotOffered; 2]);
    }
}

#[test]
fn a_server_says_nothing_before_its_finished_or_to_who_is_unknown() {
    let mut server = End::new(Connection::server(server_builder().build().unwrap()));
    let mut out = Buffer::new();
    let error = server.connection.write(&[b"x"], &mut out);
    assert_eq!(error, Err(Misuse::HandshakePending.into()));
    let mut pair = common::client_auth::GOOD.pair();
    carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    let server = &mut pair.server;
    let error = server.connection.write(&[b"x"], &mut server.out);
    assert_eq!(error, Err(Misuse::HandshakePending.into()));
    pair.settle().unwrap();
    pair.server.write(b"now");
    pair.settle().unwrap();
    assert_eq!(pair.client.received, b"now");
}

#[test]
fn any_cut_takes_the_same() {
    for size in [1, 3, 64] {
        let world = World::new();
        let mut pair = world.pair();
        write_early(&mut pair.client, b"early").unwrap();
        for _ in 0..4 {
            let bytes = pair.client.out.as_slice().to_vec();
            pair.client.out.clear();
            for piece in bytes.chunks(size) {
                pair.server.input.extend_from_slice(piece);
                pair.server.run().unwrap();
            }
            carry(&mut pair.server, &mut pair.client);
            pair.client.run().unwrap();
        }
        assert_eq!(pair.server.received, b"early");
        assert_eq!(statuses(&pair), [EarlyDataStatus::Accepted; 2]);
    }
}
