//! Resumption in TLS 1.3 (RFC 9846, Sections 2.2 and 4.7.1): what is resumed, what is not, and that
//! what is not leads to a full handshake and to nothing worse.

mod common;

use std::sync::{Arc, Mutex};

use common::client_auth::{Case, GOOD, Time, run};
use common::{
    CERTIFICATE, End, Pair, TrustOne, client_builder, has_note, name, server_builder, server_key,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::limits::MAX_TICKET;
use waxwing_core::{
    Answer, ClientConfigBuilder, ClientSessions, Event, PeerError, Question, ServerCertRequest,
    ServerCertVerifier, ServerConfigBuilder, ServerSessions, Session, SessionLookup, Verdict,
    Verified, Wait,
};
use waxwing_crypto::{CipherSuite, NamedGroup};
use waxwing_testkit::sessions::{
    ManualClock, MemoryClientSessions, MemorySessions, SealedSessions,
};

const DAY: u64 = 86_400_000;
/// Where the secret, with the byte for its length, stands in an encoded session.
const SECRET: usize = 38;

/// Two ends that remember.
struct World {
    clock: Arc<ManualClock>,
    ours: Arc<MemoryClientSessions>,
    theirs: Arc<dyn ServerSessions>,
    verifier: Arc<TrustOne>,
}

impl World {
    fn new(theirs: Arc<dyn ServerSessions>) -> Self {
        Self {
            clock: ManualClock::new(),
            ours: MemoryClientSessions::new(),
            theirs,
            verifier: Arc::new(TrustOne),
        }
    }

    fn sealed() -> Self {
        Self::new(SealedSessions::new(PROVIDER.suites13[0].aead, 7))
    }

    fn client(&self) -> ClientConfigBuilder {
        let verifier: Arc<dyn ServerCertVerifier> = self.verifier.clone();
        waxwing_core::ClientConfig::builder(&PROVIDER, verifier)
            .sessions(self.ours.clone(), self.clock.clone())
    }

    fn server(&self) -> ServerConfigBuilder {
        server_builder().sessions(self.theirs.clone(), self.clock.clone())
    }

    /// A connection that leaves tickets.
    fn connect(&self) -> Pair {
        self.connect_with(self.client(), self.server())
    }

    fn connect_with(&self, client: ClientConfigBuilder, server: ServerConfigBuilder) -> Pair {
        let mut pair = Pair::new(client, server);
        pair.settle().unwrap();
        talk(&mut pair);
        pair
    }
}

/// Data goes both ways, and both ends agree on what they agreed on.
fn talk(pair: &mut Pair) {
    pair.client.write(b"ping");
    pair.server.write(b"pong");
    pair.settle().unwrap();
    assert!(pair.server.received.ends_with(b"ping"));
    assert!(pair.client.received.ends_with(b"pong"));
    let infos = [&pair.client, &pair.server].map(|end| end.connection.info());
    let [client, server] = infos;
    assert_eq!(client.resumed, server.resumed);
    assert_eq!(client.cipher_suite, server.cipher_suite);
    assert_eq!(client.alpn, server.alpn);
    assert_eq!(client.group, server.group);
    let export = |end: &End| {
        let mut out = [0; 32];
        let exporter = end.connection.info().exporter.as_ref().unwrap();
        exporter.export(b"EXPORTER-x", None, &mut out).unwrap();
        out
    };
    assert_eq!(export(&pair.client), export(&pair.server));
}

fn resumed(pair: &Pair) -> bool {
    pair.client.connection.info().resumed
}

#[test]
fn both_kinds_of_store_lead_to_resumption() {
    for world in [World::sealed(), World::new(MemorySessions::new())] {
        let first = world.connect();
        assert!(!resumed(&first));
        assert_eq!(world.ours.len(), 2);
        let second = world.connect();
        assert!(resumed(&second));
        // One was used, two are new.
        assert_eq!(world.ours.len(), 3);
        assert!(has_note(&second.client));
        let info = second.client.connection.info();
        assert_eq!(info.signature_scheme, None);
        assert!(info.group.is_some());
    }
}

#[test]
fn a_resumed_connection_knows_its_peers_certificates() {
    let world = World::sealed();
    world.connect();
    let pair = world.connect_with(world.client().keep_peer_chain(true), world.server());
    let info = pair.client.connection.info();
    assert!(info.resumed);
    assert_eq!(info.peer_chain, [CERTIFICATE.into()]);
}

#[test]
fn sessions_chain_but_not_beyond_seven_days() {
    let world = World::sealed();
    let server = || world.server().session_lifetime(3 * 86_400);
    world.connect_with(world.client(), server());
    for day in [2, 2, 2] {
        world.clock.advance(day * DAY);
        assert!(resumed(&world.connect_with(world.client(), server())));
    }
    // What was issued on day 6 lives for one day, not for three.
    let last = world.ours.all().pop().unwrap();
    assert_eq!(last.expires_at(), 1_800_000_000_000 + 7 * DAY);
    world.clock.advance(DAY);
    assert!(!resumed(&world.connect_with(world.client(), server())));
}

#[test]
fn an_old_ticket_is_of_no_use() {
    let world = World::sealed();
    world.connect();
    let sessions = world.ours.all();
    world.clock.advance(43_200_000 - 1);
    assert!(resumed(&world.connect()));
    world.clock.advance(1);
    for session in sessions {
        world.ours.put(&name(), session);
        // The client does not offer it.
        let pair = Pair::new(world.client(), world.server());
        assert!(!offers_psk(&pair.client));
    }
}

/// Whether a client's first flight has a `pre_shared_key`: its type is followed by its length,
/// which ends with the hello.
fn offers_psk(client: &End) -> bool {
    let hello = client.out.as_slice();
    hello.windows(2).enumerate().any(|(at, typ)| {
        let len = hello.get(at + 2..at + 4);
        typ == [0, 41]
            && len.is_some_and(|len| {
                at + 4 + usize::from(u16::from_be_bytes([len[0], len[1]])) == hello.len()
            })
    })
}

/// Gives out tickets as long as they may be, which stand for the last session.
#[derive(Debug, Default)]
struct LongTickets(Mutex<Option<Session>>);

impl ServerSessions for LongTickets {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        *self.0.lock().unwrap() = Some(session.clone());
        Some(vec![7; MAX_TICKET])
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        assert_eq!(ticket.len(), MAX_TICKET);
        let last = self.0.lock().unwrap().clone();
        last.map_or(SessionLookup::None, SessionLookup::Found)
    }
}

/// A hello with the longest ticket is not too long for our own servers.
#[test]
fn the_longest_ticket_serves() {
    let world = World::new(Arc::new(LongTickets::default()));
    // One ticket, so that the last is the one that the client has.
    let pair = || {
        let mut pair = Pair::new(world.client(), world.server().tickets(1));
        pair.settle().unwrap();
        resumed(&pair)
    };
    assert!(!pair());
    assert!(pair());
}

#[test]
fn each_ticket_is_used_once() {
    let world = World::sealed();
    world.connect();
    let mut tickets: Vec<_> = (0..3)
        .filter_map(|_| world.ours.take(&name()))
        .map(|session| session.to_bytes().unwrap())
        .collect();
    assert_eq!(tickets.len(), 2);
    tickets.dedup();
    assert_eq!(tickets.len(), 2);
}

#[test]
fn as_many_tickets_come_as_both_want() {
    let counts = |own: u8, wanted: Option<(u8, u8)>| {
        let world = World::sealed();
        let client = || match wanted {
            Some((new, resumed)) => world.client().ticket_request(new, resumed),
            None => world.client(),
        };
        world.connect_with(client(), world.server().tickets(own));
        let first = world.ours.len();
        if first == 0 {
            return (0, 0);
        }
        world.connect_with(client(), world.server().tickets(own));
        (first, world.ours.len() + 1 - first)
    };
    assert_eq!(counts(2, None), (2, 2));
    assert_eq!(counts(0, None), (0, 0));
    assert_eq!(counts(5, Some((3, 1))), (3, 1));
    assert_eq!(counts(2, Some((10, 10))), (2, 2));
    assert_eq!(counts(2, Some((0, 0))), (0, 0));
}

/// What differs between the connection that left the ticket and the one that shows it.
#[test]
fn what_does_not_fit_leads_to_a_full_handshake() {
    type Change = fn(&World) -> (ClientConfigBuilder, ServerConfigBuilder);
    let changes: [(&str, Change); 6] = [
        ("another context", |world| {
            (world.client(), world.server().session_context(b"other"))
        }),
        ("no name", |world| {
            (world.client().send_server_name(false), world.server())
        }),
        ("another hash", |world| {
            let sha384 = [CipherSuite::TLS13_AES_256_GCM_SHA384];
            (world.client(), world.server().cipher_suites(sha384))
        }),
        ("no store", |world| (world.client(), server_builder())),
        ("another key", |world| {
            let theirs = SealedSessions::new(PROVIDER.suites13[0].aead, 8);
            let clock = world.clock.clone();
            (world.client(), server_builder().sessions(theirs, clock))
        }),
        ("a client that has to say who it is", |world| {
            let client = world.client().client_certificate(Arc::new(GOOD));
            (client, world.server().client_auth(GOOD.auth()))
        }),
    ];
    for (what, change) in changes {
        let world = World::sealed();
        let sha256 = [CipherSuite::TLS13_AES_128_GCM_SHA256];
        world.connect_with(world.client(), world.server().cipher_suites(sha256));
        let (client, server) = change(&world);
        let mut pair = Pair::new(client, server);
        assert!(offers_psk(&pair.client), "{what}");
        pair.settle().unwrap();
        talk(&mut pair);
        assert!(!resumed(&pair), "{what}");
    }
}

#[test]
fn another_suite_of_the_same_hash_will_do() {
    let world = World::sealed();
    let aes = [CipherSuite::TLS13_AES_128_GCM_SHA256];
    let chacha = [CipherSuite::TLS13_CHACHA20_POLY1305_SHA256];
    world.connect_with(world.client(), world.server().cipher_suites(aes));
    let pair = world.connect_with(world.client(), world.server().cipher_suites(chacha));
    assert!(resumed(&pair));
    assert_eq!(pair.client.connection.info().cipher_suite, Some(chacha[0]));
}

#[test]
fn protocols_are_negotiated_anew() {
    let world = World::sealed();
    let connect = |protocol: &str| {
        let client = world.client().alpn([protocol]);
        let server = world.server().alpn(["h2", "http/1.1"]);
        world.connect_with(client, server)
    };
    connect("h2");
    let pair = connect("http/1.1");
    assert!(resumed(&pair));
    let alpn = pair.client.connection.info().alpn.as_deref();
    assert_eq!(alpn, Some(&b"http/1.1"[..]));
}

#[test]
fn a_retry_keeps_what_can_be_kept() {
    let world = World::sealed();
    world.connect();
    let client = || {
        let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
        world.client().groups(groups)
    };
    let server = || world.server().groups([NamedGroup::SECP256R1]);
    let pair = world.connect_with(client(), server());
    assert!(pair.client.connection.info().retried);
    assert!(resumed(&pair));
    // Of another hash there is nothing to keep.
    let sha384 = [CipherSuite::TLS13_AES_256_GCM_SHA384];
    let pair = world.connect_with(client(), server().cipher_suites(sha384));
    assert!(pair.client.connection.info().retried);
    assert!(!resumed(&pair));
}

#[test]
fn forged_and_damaged_tickets_lead_to_a_full_handshake() {
    let world = World::sealed();
    world.connect();
    let whole = world.ours.take(&name()).unwrap().to_bytes().unwrap();
    // What comes before it are five short fields, which start with the secret.
    let mut ticket = SECRET;
    for _ in 0..5 {
        ticket += 1 + usize::from(whole[ticket]);
    }
    let len = usize::from(u16::from_be_bytes([whole[ticket], whole[ticket + 1]]));
    let ticket = ticket + 2..ticket + 2 + len;
    assert!(len > 100);
    for at in ticket.step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        world
            .ours
            .put(&name(), Session::from_bytes(&bytes).unwrap());
        let mut pair = Pair::new(world.client(), world.server());
        assert!(offers_psk(&pair.client));
        pair.settle().unwrap();
        talk(&mut pair);
        assert!(!resumed(&pair), "{at}");
    }
}

/// A client that knows the ticket but not the secret.
#[test]
fn a_wrong_binder_ends_the_handshake() {
    let world = World::sealed();
    world.connect();
    let mut bytes = world.ours.take(&name()).unwrap().to_bytes().unwrap();
    bytes[SECRET + 1] ^= 1;
    world
        .ours
        .put(&name(), Session::from_bytes(&bytes).unwrap());
    let mut pair = Pair::new(world.client(), world.server());
    let error = pair.settle().unwrap_err();
    assert_eq!(error, PeerError::BadBinder.into());
}

/// Counts how often it is asked.
#[derive(Debug)]
struct Counting(Mutex<usize>, bool);

impl Counting {
    fn new(trusts: bool) -> Arc<Self> {
        Arc::new(Self(Mutex::new(0), trusts))
    }

    fn asked(&self) -> usize {
        *self.0.lock().unwrap()
    }
}

impl ServerCertVerifier for Counting {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        *self.0.lock().unwrap() += 1;
        assert_eq!(request.name, &name());
        if self.1 {
            let key = server_key().public_key().unwrap();
            Verdict::Accepted(Verified::holder_of(key))
        } else {
            Verdict::Rejected(waxwing_core::CertificateError::Expired.into())
        }
    }
}

#[test]
fn a_server_is_judged_again_by_whoever_has_not_judged_it() {
    let world = World::sealed();
    let client = |verifier: &Arc<Counting>| {
        waxwing_core::ClientConfig::builder(&PROVIDER, verifier.clone())
            .sessions(world.ours.clone(), world.clock.clone())
    };
    let first = Counting::new(true);
    world.connect_with(client(&first), world.server());
    assert!(resumed(&world.connect_with(client(&first), world.server())));
    assert_eq!(first.asked(), 1);
    // Another one, which accepts it.
    let second = Counting::new(true);
    assert!(resumed(
        &world.connect_with(client(&second), world.server())
    ));
    assert_eq!(second.asked(), 1);
    // The same, but the session comes from somewhere else.
    world.ours.reload();
    assert!(resumed(
        &world.connect_with(client(&second), world.server())
    ));
    assert_eq!(second.asked(), 2);
    // One that does not accept it has nothing to offer.
    let strict = Counting::new(false);
    world.ours.reload();
    let pair = Pair::new(client(&strict), world.server());
    assert!(!offers_psk(&pair.client));
    assert_eq!(strict.asked(), 1);
}

/// A connection with a client that has a certificate, to a server that judges it like this.
fn connect_known(world: &World, case: Case) -> (Pair, Vec<Wait>) {
    let client = world.client().client_certificate(Arc::new(GOOD));
    let server = world
        .server()
        .client_auth(case.auth())
        .keep_peer_chain(true);
    let mut pair = Pair::new(client, server);
    let (waits, result) = run(&mut pair, case);
    result.unwrap();
    talk(&mut pair);
    (pair, waits)
}

#[test]
fn a_client_comes_back_as_who_it_was() {
    let world = World::sealed();
    connect_known(&world, GOOD);
    for verdict in [Time::Now, Time::Later] {
        let (pair, waits) = connect_known(&world, Case { verdict, ..GOOD });
        let info = pair.server.connection.info();
        assert!(info.resumed);
        assert!(info.client_authenticated);
        assert!(has_note(&pair.server));
        assert_eq!(info.peer_chain, [CERTIFICATE.into()]);
        assert_eq!(waits.is_empty(), verdict == Time::Now);
    }
    // It does not become nobody: where nobody is asked, this session is not for us.
    let client = world.client().client_certificate(Arc::new(GOOD));
    let pair = world.connect_with(client, world.server());
    assert!(!resumed(&pair));
    assert!(!pair.server.connection.info().client_authenticated);
}

/// Revoked since: the full handshake that follows says so.
#[test]
fn a_client_that_is_not_accepted_any_more_does_not_resume() {
    for verdict in [Time::Now, Time::Later] {
        let world = World::sealed();
        connect_known(&world, GOOD);
        let case = Case {
            accepted: false,
            verdict,
            ..GOOD
        };
        let client = world.client().client_certificate(Arc::new(GOOD));
        let mut pair = Pair::new(client, world.server().client_auth(case.auth()));
        assert!(offers_psk(&pair.client));
        let (_, result) = run(&mut pair, case);
        assert_eq!(result.map(|()| true), case.result());
        assert!(!pair.server.connection.info().resumed);
    }
}

#[test]
fn a_store_may_answer_later() {
    let slow = MemorySessions::slow();
    let world = World::new(slow.clone());
    world.connect();
    for known in [true, false] {
        let mut pair = Pair::new(world.client(), world.server());
        pair.settle().unwrap();
        assert_eq!(pair.server.events, [Event::Wait(Wait::Session)]);
        // Nothing goes on before the answer, and no other answer is one.
        let server = &mut pair.server;
        server.run().unwrap();
        let wrong = server
            .connection
            .answer(Answer::FirstUse(true), &mut server.out);
        assert!(wrong.is_err());
        let Some(Question::Session { handle, is_id }) = server.connection.question() else {
            panic!("the session is asked for");
        };
        assert!(!is_id);
        let session = slow.look(handle).filter(|_| known);
        let answer = Answer::Session(session);
        server.connection.answer(answer, &mut server.out).unwrap();
        server.run().unwrap();
        pair.settle().unwrap();
        talk(&mut pair);
        assert_eq!(resumed(&pair), known);
    }
}

/// A store that hands out whatever it is asked for.
#[derive(Debug)]
struct Careless(Mutex<Option<Session>>);

impl ServerSessions for Careless {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        *self.0.lock().unwrap() = Some(session.clone());
        Some(vec![1; 20])
    }

    fn find(&self, _: &[u8]) -> SessionLookup {
        let kept = self.0.lock().unwrap().clone();
        kept.map_or(SessionLookup::None, SessionLookup::Found)
    }
}

/// That a store keeps what has expired must not matter.
#[test]
fn the_engine_checks_what_a_store_finds() {
    let careless = Arc::new(Careless(Mutex::new(None)));
    let world = World::new(careless.clone());
    world.connect();
    assert!(resumed(&world.connect()));
    let kept = careless.0.lock().unwrap().clone().unwrap();
    let sessions = world.ours.all();
    // The client's clock stands still, the server's goes on.
    let late = ManualClock::new();
    late.set(kept.expires_at());
    world.ours.put(&name(), sessions[0].clone());
    let server = server_builder().sessions(careless, late);
    assert!(!resumed(&world.connect_with(world.client(), server)));
}

#[test]
fn without_a_store_nothing_is_kept_or_asked_for() {
    let world = World::sealed();
    let mut pair = Pair::new(client_builder(), world.server());
    pair.settle().unwrap();
    talk(&mut pair);
    // Such a client does not say that it could use a PSK, so it gets no tickets.
    let handshake = pair.client.events.len();
    assert_eq!(handshake, 1);
    assert!(world.ours.is_empty());
}

#[test]
fn any_cut_resumes_the_same() {
    for size in [1, 2, 5, 100] {
        let world = World::sealed();
        world.connect();
        let mut pair = Pair::new(world.client(), world.server());
        for _ in 0..10 {
            feed(&mut pair, true, size);
            feed(&mut pair, false, size);
        }
        talk(&mut pair);
        assert!(resumed(&pair), "{size}");
    }
}

fn feed(pair: &mut Pair, to_server: bool, size: usize) {
    let (from, to) = if to_server {
        (&mut pair.client, &mut pair.server)
    } else {
        (&mut pair.server, &mut pair.client)
    };
    let bytes = from.out.as_slice().to_vec();
    from.out.clear();
    for piece in bytes.chunks(size) {
        to.input.extend_from_slice(piece);
        to.run().unwrap();
    }
}
