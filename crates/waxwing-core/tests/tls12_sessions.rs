//! Sessions of TLS 1.2: what is resumed, what is not, and what is known of the peer then.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::{
    CERTIFICATE, NOTE, Pair, certified_key, client_builder, has_note, server_builder, server_key,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Answer, CertificateError, CertificateType, ClientAuth, ClientCertRequest, ClientCertVerifier,
    ClientConfig, ClientConfigBuilder, ClientSessions, Event, ProtocolVersion, ProtocolVersions,
    Question, ServerCertRequest, ServerCertVerifier, ServerConfigBuilder, ServerSessions, Session,
    SessionLookup, Verdict, Verified, Wait,
};
use waxwing_crypto::CipherSuite;
use waxwing_testkit::sessions::{
    ManualClock, MemoryClientSessions, MemorySessions, SealedSessions,
};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn client12() -> ClientConfigBuilder {
    client_builder().versions(ProtocolVersions::TLS12)
}

fn server12() -> ServerConfigBuilder {
    server_builder().versions(ProtocolVersions::TLS12)
}

/// The stores of both sides, and their clock.
struct World {
    clock: Arc<ManualClock>,
    client: Arc<MemoryClientSessions>,
    server: Arc<dyn ServerSessions>,
}

impl World {
    fn new(server: Arc<dyn ServerSessions>) -> Self {
        Self {
            clock: ManualClock::new(),
            client: MemoryClientSessions::new(),
            server,
        }
    }

    fn sealed() -> Self {
        Self::new(sealed(1))
    }

    fn client(&self, builder: ClientConfigBuilder) -> ClientConfigBuilder {
        builder.sessions(Arc::clone(&self.client) as _, Arc::clone(&self.clock) as _)
    }

    fn server(&self, builder: ServerConfigBuilder) -> ServerConfigBuilder {
        builder.sessions(Arc::clone(&self.server), Arc::clone(&self.clock) as _)
    }

    fn pair(&self, client: ClientConfigBuilder, server: ServerConfigBuilder) -> Pair {
        Pair::new(self.client(client), self.server(server))
    }

    /// Runs a whole connection, and sends data both ways.
    fn connect(&self, client: ClientConfigBuilder, server: ServerConfigBuilder) -> Pair {
        let mut pair = self.pair(client, server);
        pair.settle().unwrap();
        exchange(&mut pair);
        pair
    }

    /// A world in which such a pair has met once.
    fn after(self, client: ClientConfigBuilder, server: ServerConfigBuilder) -> Self {
        assert!(!resumed(&self.connect(client, server)));
        assert_eq!(self.client.len(), 1);
        self
    }

    fn session(&self) -> Session {
        self.client.all().remove(0)
    }
}

fn sealed(key: u8) -> Arc<SealedSessions> {
    SealedSessions::new(PROVIDER.suites13[0].aead, key)
}

fn exchange(pair: &mut Pair) {
    pair.client.write(b"a question");
    pair.server.write(b"an answer");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"a question");
    assert_eq!(pair.client.received, b"an answer");
}

/// Whether both sides say that it was resumed.
fn resumed(pair: &Pair) -> bool {
    let client = pair.client.connection.info();
    let server = pair.server.connection.info();
    assert_eq!(client.resumed, server.resumed);
    assert_eq!(client.cipher_suite, server.cipher_suite);
    assert_eq!(client.version, Some(ProtocolVersion::TLS12));
    // A full handshake has a key exchange, a resumption has none.
    assert_eq!(client.group.is_none(), client.resumed);
    assert_eq!(server.group.is_none(), server.resumed);
    assert_eq!(client.signature_scheme.is_none(), client.resumed);
    client.resumed
}

#[test]
fn a_ticket_resumes_again_and_again() {
    for store in [sealed(1) as Arc<dyn ServerSessions>, MemorySessions::new()] {
        let world = World::new(store).after(client12(), server12());
        let secret = world.session().to_bytes();
        for _ in 0..3 {
            let pair = world.connect(client12(), server12());
            assert!(resumed(&pair));
            assert_eq!(pair.client.events, [Event::HandshakeComplete]);
            assert_eq!(pair.server.events, [Event::HandshakeComplete]);
            let info = pair.client.connection.info();
            assert!(info.extended_main_secret && info.secure_renegotiation);
        }
        // No new ticket came.
        assert_eq!(world.session().to_bytes(), secret);
    }
}

#[test]
fn a_session_id_resumes_where_there_are_no_tickets() {
    let world = World::new(MemorySessions::with_ids());
    let server = || server12().tickets(0);
    let no_tickets = |world: &World| world.server(server12()).tickets(0);
    let mut pair = Pair::new(world.client(client12()), no_tickets(&world));
    pair.settle().unwrap();
    assert!(!resumed(&pair));
    for _ in 0..2 {
        let mut pair = Pair::new(world.client(client12()), no_tickets(&world));
        pair.settle().unwrap();
        assert!(resumed(&pair));
        exchange(&mut pair);
    }
    // Before `sessions` it has no effect.
    assert!(resumed(&world.connect(client12(), server())));
    // A store that keeps none gives a full handshake each time.
    let world = World::new(sealed(1));
    for _ in 0..2 {
        let mut pair = Pair::new(world.client(client12()), no_tickets(&world));
        pair.settle().unwrap();
        assert!(!resumed(&pair));
    }
}

#[test]
fn suites_of_every_kind_resume() {
    for id in [0xc02b, 0xc02c, 0xcca9].map(CipherSuite) {
        let client = || client12().cipher_suites([id]);
        let world = World::sealed().after(client(), server12());
        let pair = world.connect(client12(), server12());
        assert!(resumed(&pair));
        let info = pair.client.connection.info();
        assert_eq!(info.cipher_suite, Some(id));
    }
}

#[test]
fn both_versions_and_middleboxes_do_not_hinder() {
    let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
    for store in [
        sealed(1) as Arc<dyn ServerSessions>,
        MemorySessions::with_ids(),
    ] {
        let world = World::new(store).after(client12(), server12());
        for compatible in [true, false] {
            let client = client_builder().versions(both);
            let client = client.middlebox_compatibility(compatible);
            assert!(resumed(&world.connect(client, server12())));
        }
        assert!(resumed(
            &world.connect(client12(), server_builder().versions(both))
        ));
    }
}

#[test]
fn one_byte_at_a_time() {
    for age in [0, 7 * HOUR] {
        let world = World::sealed().after(client12(), server12());
        world.clock.advance(age);
        let mut pair = world.pair(client12(), server12());
        while !pair.client.out.is_empty() || !pair.server.out.is_empty() {
            for byte in core::mem::take(&mut pair.client.out).as_slice() {
                pair.server.input.push(*byte);
                pair.server.run().unwrap();
            }
            for byte in core::mem::take(&mut pair.server.out).as_slice() {
                pair.client.input.push(*byte);
                pair.client.run().unwrap();
            }
        }
        assert!(resumed(&pair));
        exchange(&mut pair);
    }
}

#[test]
fn exporters_agree_and_differ_from_those_before() {
    let world = World::sealed();
    let export = |pair: &Pair| {
        [&pair.client, &pair.server].map(|end| {
            let mut out = [0; 32];
            let exporter = end.connection.info().exporter.as_ref().unwrap();
            exporter.export(b"EXPERIMENTAL", None, &mut out).unwrap();
            out
        })
    };
    let [first, same] = export(&world.connect(client12(), server12()));
    assert_eq!(first, same);
    let [second, same] = export(&world.connect(client12(), server12()));
    assert_eq!(second, same);
    assert_ne!(first, second);
}

/// RFC 7301, Section 3.1.
#[test]
fn alpn_is_agreed_anew() {
    let world = World::sealed().after(client12().alpn(["h2"]), server12().alpn(["h2"]));
    let pair = world.connect(client12().alpn(["h3"]), server12().alpn(["h2", "h3"]));
    assert!(resumed(&pair));
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.connection.info().alpn.as_deref(), Some(&b"h3"[..]));
    }
    let pair = world.connect(client12(), server12().alpn(["h2"]));
    assert!(resumed(&pair));
    assert_eq!(pair.client.connection.info().alpn, None);
}

/// RFC 8449, Section 4.
#[test]
fn the_length_of_records_is_agreed_anew() {
    let world = World::sealed().after(client12(), server12());
    let mut pair = world.pair(client12().record_size_limit(100), server12());
    pair.settle().unwrap();
    assert!(resumed(&pair));
    pair.server.write(&[7; 1000]);
    let length = u16::from_be_bytes([pair.server.out.as_slice()[3], pair.server.out.as_slice()[4]]);
    assert_eq!(length, 100 + 24);
    pair.settle().unwrap();
    assert_eq!(pair.client.received, [7; 1000]);
}

/// Nothing about a ticket that is of no use fails the handshake.
#[test]
fn useless_tickets_lead_to_a_full_handshake() {
    let world = World::sealed().after(client12(), server12());
    // Another key, as after a rotation.
    let foreign = World {
        server: sealed(2),
        client: Arc::clone(&world.client),
        clock: Arc::clone(&world.clock),
    };
    assert!(!resumed(&foreign.connect(client12(), server12())));
    // The ticket that came with that is another one, which the first server cannot open.
    assert!(!resumed(&world.connect(client12(), server12())));
    assert!(resumed(&world.connect(client12(), server12())));
    // A server without sessions.
    let mut pair = Pair::new(world.client(client12()), server12());
    pair.settle().unwrap();
    assert!(!resumed(&pair));
    assert!(resumed(&world.connect(client12(), server12())));
}

/// A store that changes the one session that it has.
#[derive(Debug)]
struct Editing(Mutex<Option<Session>>, fn(&Session) -> Session);

impl ServerSessions for Editing {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        *self.0.lock().unwrap() = Some(session.clone());
        Some(b"ticket".to_vec())
    }

    fn find(&self, _: &[u8]) -> SessionLookup {
        let kept = self.0.lock().unwrap();
        SessionLookup::Found((self.1)(kept.as_ref().unwrap()))
    }
}

/// An encoded session, with this byte changed.
fn changed(session: &Session, at: usize, value: u8) -> Session {
    let mut bytes = session.to_bytes().unwrap().to_vec();
    bytes[at] = value;
    Session::from_bytes(&bytes).unwrap()
}

#[test]
fn sessions_that_do_not_fit_lead_to_a_full_handshake() {
    // Byte 4 begins the version, 6 the suite, 8 has the flags, and 38 the length of the secret: see
    // `docs/internals/sessions.md`.
    type Edit = fn(&Session) -> Session;
    let cases: [(&str, Edit); 5] = [
        ("nothing", Session::clone),
        ("the version", |session| changed(session, 5, 4)),
        ("extended main secret", |session| changed(session, 8, 0)),
        ("an unknown suite", |session| changed(session, 7, 0x24)),
        ("the length of the secret", |session| {
            let mut bytes = session.to_bytes().unwrap().to_vec();
            assert_eq!(bytes[38], 48);
            bytes.splice(38..87, [&[32], &[7; 32][..]].concat());
            Session::from_bytes(&bytes).unwrap()
        }),
    ];
    for (what, edit) in cases {
        let store = Arc::new(Editing(Mutex::new(None), edit));
        let world = World::new(store).after(client12(), server12());
        let pair = world.connect(client12(), server12());
        assert_eq!(resumed(&pair), what == "nothing", "{what}");
    }
}

#[test]
fn suites_that_are_gone_are_not_resumed() {
    let [small, big] = [0xc02b, 0xc02c].map(CipherSuite);
    let world = World::sealed().after(client12().cipher_suites([small]), server12());
    let only = client12().cipher_suites([big]);
    assert!(!resumed(&world.connect(only, server12())));
    let world = World::sealed().after(client12().cipher_suites([small]), server12());
    let only = server12().cipher_suites([big]);
    assert!(!resumed(&world.connect(client12(), only)));
}

#[test]
fn sessions_end() {
    let week = 7 * DAY;
    let patient = |world: &World| world.server(server12()).session_lifetime(u32::MAX);
    let connect = |world: &World| {
        let mut pair = Pair::new(world.client(client12()), patient(world));
        pair.settle().unwrap();
        resumed(&pair)
    };
    let world = World::sealed();
    assert!(!connect(&world));
    world.clock.advance(week - 1);
    assert!(connect(&world));
    world.clock.advance(1);
    assert!(!connect(&world));
    // By default it is twelve hours.
    let world = World::sealed().after(client12(), server12());
    world.clock.advance(12 * HOUR);
    assert!(!resumed(&world.connect(client12(), server12())));
}

/// A client that believes in it still, or whose clock is wrong, changes nothing.
#[test]
fn servers_judge_the_time_themselves() {
    for now in [12 * HOUR, 0] {
        let world = World::sealed().after(client12(), server12());
        let start = 1_800_000_000_000;
        let late = World {
            clock: ManualClock::new(),
            client: Arc::clone(&world.client),
            server: Arc::clone(&world.server),
        };
        // From before it was issued, or after its end.
        late.clock
            .set(if now == 0 { start - 1 } else { start + now });
        let mut pair = Pair::new(world.client(client12()), late.server(server12()));
        pair.settle().unwrap();
        assert!(!resumed(&pair));
    }
}

/// A new ticket comes in the second half of the old one's life, and what ends a week after the
/// proof of who the peers are ends then.
#[test]
fn tickets_are_renewed_when_it_helps() {
    let store = MemorySessions::new();
    let world = World::new(Arc::clone(&store) as _).after(client12(), server12());
    world.clock.advance(6 * HOUR - 1);
    assert!(resumed(&world.connect(client12(), server12())));
    assert_eq!(store.issued(), 1);
    let mut expires = world.session().expires_at();
    world.clock.advance(1);
    for count in 2.. {
        let pair = world.connect(client12(), server12());
        if !resumed(&pair) {
            break;
        }
        let now = world.session().expires_at();
        if store.issued() == count {
            assert!(now > expires);
            assert_eq!(world.client.len(), 1);
            expires = now;
        }
        assert!(count < 100);
        world.clock.advance(6 * HOUR);
    }
    // It started at 1 800 000 000 000.
    assert_eq!(expires, 1_800_000_000_000 + 7 * DAY);
}

#[test]
fn a_server_that_gives_no_ticket_after_all_sends_an_empty_one() {
    #[derive(Debug)]
    struct Nothing;
    impl ServerSessions for Nothing {
        fn issue(&self, _: &Session) -> Option<Vec<u8>> {
            None
        }
        fn find(&self, _: &[u8]) -> SessionLookup {
            SessionLookup::None
        }
    }
    /// More than a client would keep.
    #[derive(Debug)]
    struct Long;
    impl ServerSessions for Long {
        fn issue(&self, _: &Session) -> Option<Vec<u8>> {
            Some(vec![7; waxwing_core::limits::MAX_TICKET + 1])
        }
        fn find(&self, _: &[u8]) -> SessionLookup {
            SessionLookup::None
        }
    }
    for store in [Arc::new(Nothing) as Arc<dyn ServerSessions>, Arc::new(Long)] {
        let world = World::new(store);
        assert!(!resumed(&world.connect(client12(), server12())));
        assert!(world.client.is_empty());
    }
}

/// RFC 6066, Section 3.
#[test]
fn another_name_is_not_resumed() {
    let world = World::sealed().after(client12(), server12());
    let anonymous = client12().send_server_name(false);
    assert!(!resumed(&world.connect(anonymous, server12())));
    // The ticket that came without a name is good without a name.
    let anonymous = client12().send_server_name(false);
    assert!(resumed(&world.connect(anonymous, server12())));
    assert!(!resumed(&world.connect(client12(), server12())));
}

/// A store that confuses servers does no harm.
#[test]
fn a_session_of_another_server_is_not_offered() {
    #[derive(Debug)]
    struct Confused(Arc<MemoryClientSessions>);
    impl ClientSessions for Confused {
        fn take(&self, _: &waxwing_core::ServerName) -> Option<Session> {
            self.0.all().pop()
        }
        fn put(&self, _: &waxwing_core::ServerName, session: Session) {
            let other = "other.example".parse().unwrap();
            let bytes = session.to_bytes().unwrap().to_vec();
            let at = bytes.windows(6).position(|part| part == b"server").unwrap();
            let mut bytes = bytes;
            bytes[at..at + 6].copy_from_slice(b"secret");
            self.0.put(&other, Session::from_bytes(&bytes).unwrap());
        }
    }
    let world = World::sealed();
    let store = Arc::new(Confused(MemoryClientSessions::new()));
    for _ in 0..2 {
        let clock = Arc::clone(&world.clock);
        let client = client12().sessions(Arc::clone(&store) as _, clock);
        let mut pair = Pair::new(client, world.server(server12()));
        pair.settle().unwrap();
        assert!(!resumed(&pair));
        assert!(!store.0.is_empty());
    }
}

#[test]
fn services_with_other_contexts_do_not_share_sessions() {
    let world = World::sealed().after(client12(), server12());
    let admin = |world: &World| world.server(server12()).session_context(b"admin");
    let mut pair = Pair::new(world.client(client12()), admin(&world));
    pair.settle().unwrap();
    assert!(!resumed(&pair));
    let mut pair = Pair::new(world.client(client12()), admin(&world));
    pair.settle().unwrap();
    assert!(resumed(&pair));
    assert!(!resumed(&world.connect(client12(), server12())));
}

/// RFC 7627, Section 5.3: without the extension on either side only where both accept that.
#[test]
fn sessions_without_extended_main_secret_need_consent() {
    let lax_client = || client12().dangerous_without_extended_main_secret(true);
    let lax_server = || server12().dangerous_without_extended_main_secret(true);
    let world = World::new(MemorySessions::new()).after(client12(), server12());
    let old = changed(&world.session(), 8, 0);
    world.client.put(&common::name(), old);
    // A strict client does not offer it.
    assert!(!resumed(&world.connect(client12(), lax_server())));
    assert_eq!(
        changed(&world.session(), 8, 1).to_bytes(),
        world.session().to_bytes()
    );
    assert!(resumed(&world.connect(lax_client(), lax_server())));
}

/// Counts how often it is asked.
#[derive(Debug, Default)]
struct Counting {
    asked: AtomicUsize,
    refuses: AtomicBool,
}

impl Counting {
    fn verdict(&self, chain: &[&[u8]]) -> Verdict {
        assert_eq!(chain, [CERTIFICATE]);
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.refuses.load(Ordering::Relaxed) {
            return Verdict::Rejected(CertificateError::Revoked.into());
        }
        let verified = Verified::holder_of(server_key().public_key().unwrap());
        Verdict::Accepted(verified.with_note(Arc::new(NOTE)))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Counting {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        assert_eq!(request.name, &common::name());
        self.verdict(request.chain)
    }
}

impl ClientCertVerifier for Counting {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        assert_eq!(request.certificate_type, CertificateType::X509);
        self.verdict(request.chain)
    }
}

fn trusting(verifier: &Arc<Counting>) -> ClientConfigBuilder {
    let verifier = Arc::clone(verifier);
    ClientConfig::builder(&PROVIDER, verifier).versions(ProtocolVersions::TLS12)
}

#[test]
fn a_client_knows_its_server_again() {
    let verifier = Arc::new(Counting::default());
    let client = || trusting(&verifier).keep_peer_chain(true);
    let world = World::sealed().after(client(), server12());
    let pair = world.connect(client(), server12());
    assert!(resumed(&pair));
    assert!(has_note(&pair.client));
    let chain = &pair.client.connection.info().peer_chain;
    assert!(chain.iter().map(|der| &**der).eq([CERTIFICATE]));
    assert_eq!(verifier.asked(), 1);
    // From another process it is judged anew, once for each use.
    world.client.reload();
    let pair = world.connect(client(), server12());
    assert!(resumed(&pair) && has_note(&pair.client));
    assert_eq!(verifier.asked(), 2);
    let pair = world.connect(trusting(&verifier), server12());
    assert!(resumed(&pair));
    assert!(pair.client.connection.info().peer_chain.is_empty());
    assert_eq!(verifier.asked(), 3);
}

#[test]
fn another_verifier_judges_for_itself() {
    let first = Arc::new(Counting::default());
    let world = World::sealed().after(trusting(&first), server12());
    let second = Arc::new(Counting::default());
    assert!(resumed(&world.connect(trusting(&second), server12())));
    assert_eq!((first.asked(), second.asked()), (1, 1));
    // What it does not accept is not offered, so that the full handshake fails as it must.
    second.refuses.store(true, Ordering::Relaxed);
    let mut pair = world.pair(trusting(&second), server12());
    pair.settle().unwrap_err();
    assert!(!pair.client.connection.info().resumed);
    assert_eq!(second.asked(), 3);
}

fn known() -> ClientConfigBuilder {
    client12().client_certificate(Arc::new(certified_key()))
}

#[test]
fn a_server_knows_its_client_again() {
    let verifier = Arc::new(Counting::default());
    for required in [true, false] {
        let auth = || {
            let verifier = Arc::clone(&verifier) as _;
            if required {
                ClientAuth::Required(verifier)
            } else {
                ClientAuth::Optional(verifier)
            }
        };
        let server = || server12().client_auth(auth()).keep_peer_chain(true);
        for store in [sealed(1) as Arc<dyn ServerSessions>, MemorySessions::new()] {
            let world = World::new(store).after(known(), server());
            let before = verifier.asked();
            let pair = world.connect(known(), server());
            assert!(resumed(&pair));
            // It is asked again: what it trusts may have changed.
            assert_eq!(verifier.asked(), before + 1);
            let info = pair.server.connection.info();
            assert!(info.client_authenticated && has_note(&pair.server));
            assert!(info.peer_chain.iter().map(|der| &**der).eq([CERTIFICATE]));
            assert_eq!(info.client_signature_scheme, None);
            let client = pair.client.connection.info();
            assert!(!client.client_auth_requested);
        }
    }
}

#[test]
fn a_client_that_is_not_trusted_any_more_is_asked_again() {
    let verifier = Arc::new(Counting::default());
    let auth = || ClientAuth::Optional(Arc::clone(&verifier) as _);
    let world = World::sealed().after(known(), server12().client_auth(auth()));
    verifier.refuses.store(true, Ordering::Relaxed);
    // Now it shows none, which is allowed.
    let pair = world.connect(client12(), server12().client_auth(auth()));
    assert!(!resumed(&pair));
    assert!(!pair.server.connection.info().client_authenticated);
    assert!(!has_note(&pair.server));
}

#[test]
fn who_the_client_is_has_to_fit_the_configuration() {
    let required = || {
        let verifier = Arc::new(Counting::default());
        server12().client_auth(ClientAuth::Required(verifier))
    };
    // Nobody, where somebody is asked for.
    let world = World::sealed().after(client12(), server12());
    let pair = world.connect(known(), required());
    assert!(!resumed(&pair));
    assert!(pair.server.connection.info().client_authenticated);
    // Somebody, where nobody is asked for.
    let pair = world.connect(known(), server12());
    assert!(!resumed(&pair));
    assert!(!pair.server.connection.info().client_authenticated);
    // Somebody by a type of certificate that is not taken any more.
    let world = World::sealed().after(known(), required());
    let raw = required().client_certificate_types([CertificateType::RAW_PUBLIC_KEY]);
    let mut pair = world.pair(known(), raw);
    pair.settle().unwrap_err();
    assert!(!pair.server.connection.info().resumed);
    // Nobody, where it does not matter.
    let optional = || {
        let verifier = Arc::new(Counting::default());
        server12().client_auth(ClientAuth::Optional(verifier))
    };
    let world = World::sealed().after(client12(), optional());
    assert!(resumed(&world.connect(client12(), optional())));
}

/// Runs a pair whose server looks sessions up later. Returns how often it was asked.
fn settle_slowly(pair: &mut Pair, look: impl Fn(&[u8], bool) -> Option<Session>) -> usize {
    let mut asked = 0;
    loop {
        pair.settle().unwrap();
        if pair.server.events.last() != Some(&Event::Wait(Wait::Session)) {
            return asked;
        }
        let Some(Question::Session { handle, is_id }) = pair.server.connection.question() else {
            panic!("the session is asked for");
        };
        let answer = Answer::Session(look(handle, is_id));
        let server = &mut pair.server;
        server.connection.answer(answer, &mut server.out).unwrap();
        server.events.clear();
        server.run().unwrap();
        asked += 1;
    }
}

#[test]
fn stores_may_answer_later() {
    for tickets in [1, 0] {
        let store = MemorySessions::slow();
        let world = World::new(Arc::clone(&store) as _);
        let pair = || {
            let server = world.server(server12()).tickets(tickets);
            Pair::new(world.client(client12()), server)
        };
        let look = |handle: &[u8], is_id| {
            assert_eq!(is_id, tickets == 0);
            store.look(handle)
        };
        let mut first = pair();
        assert_eq!(settle_slowly(&mut first, look), 0);
        assert!(!resumed(&first));
        let mut second = pair();
        assert_eq!(settle_slowly(&mut second, look), 1);
        assert!(resumed(&second));
        exchange(&mut second);
        let mut third = pair();
        assert_eq!(settle_slowly(&mut third, |_, _| None), 1);
        assert!(!resumed(&third));
        exchange(&mut third);
    }
}

/// A handshake that fails leaves nothing behind, and does not spoil what there is.
#[test]
fn only_complete_handshakes_leave_sessions() {
    let store = MemorySessions::new();
    let world = World::new(Arc::clone(&store) as _);
    let mut pair = world.pair(client12(), server12());
    common::carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    common::carry(&mut pair.server, &mut pair.client);
    pair.client.run().unwrap();
    // The client's last record is its Finished.
    let mut bytes = pair.client.out.as_slice().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    pair.server.input = bytes;
    pair.server.run().unwrap_err();
    assert!(store.is_empty() && world.client.is_empty());
}
