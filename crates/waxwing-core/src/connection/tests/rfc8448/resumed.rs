//! The trace of RFC 8448, Section 4: resumes the connection of Section 3, with early data.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, Digest, NamedGroup};

use super::doubles::{TraceRsa, TrustTrace, provider};
use super::{Player, Replay, fifty, give, record, sends};
use crate::connection::Connection;
use crate::connection::event::Event;
use crate::connection::halves::Role;
use crate::connection::info::EarlyDataStatus;
use crate::handshake::Handshake;
use crate::messages::testing::bytes;
use crate::messages::{CertificateType, ExtensionType, HandshakeType as T, ProtocolVersion};
use crate::record::stream::{Rx, Tx, TxFlight};
use crate::session::{PeerIdentity, Session, Vouched};
use crate::testing::sessions::{ManualClock, MemoryClientSessions};
use crate::testing::{Secrets, message, rfc8448 as trace};
use crate::{
    Buffer, CertifiedKey, ClientConfig, ClientSessions, Clock, FirstUse, ReplayGuard, ServerConfig,
    ServerSessions, SessionLookup,
};

const CLIENT_PRIVATE: &str = "bff91188283846dd6a2134ef7180ca2b0b14fb10dce707b5098c0dddc813b2df";
const SERVER_PRIVATE: &str = "de5b4476e7b490b2652d338acbf2948066f255f9440e23b98fc69835298dc107";
const EARLY_DATA: &[u8] = b"ABCDEF";
const MAX_EARLY_DATA: u32 = 1024;

const SECRETS: [(&str, &str); 7] = [
    (
        "CLIENT_EARLY_TRAFFIC_SECRET",
        "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62",
    ),
    (
        "EARLY_EXPORTER_SECRET",
        "b2026866610937d7423e5be90862ccf24c0e6091186d34f812089ff5be2ef7df",
    ),
    (
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "2faac08f851d35fea3604fcb4de82dc62c9b164a70974d0462e27f1ab278700f",
    ),
    (
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "fe927ae271312e8bf0275b581c54eef020450dc4ecffaa05a1a35d27518e7803",
    ),
    (
        "CLIENT_TRAFFIC_SECRET_0",
        "2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1",
    ),
    (
        "SERVER_TRAFFIC_SECRET_0",
        "cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691",
    ),
    (
        "EXPORTER_SECRET",
        "3fd93d4ffddc98e64b14dd107aedf8ee4add23f4510f58a4592d0b201bee56b4",
    ),
];

/// The session of Section 3, six milliseconds before it is resumed.
fn session(clock: &ManualClock) -> Session {
    let chain = bytes(trace::CERTIFICATE);
    let session = Session {
        version: ProtocolVersion::TLS13,
        cipher_suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
        secret: Digest::from_slice(&bytes(trace::TICKET_SECRET)).unwrap(),
        issued_at: clock.now(),
        authenticated_at: clock.now(),
        lifetime: 30,
        age_add: 0xfad6_aac5,
        max_early_data: MAX_EARLY_DATA,
        server_name: "server".into(),
        alpn: Box::default(),
        context: Box::default(),
        extended_main_secret: false,
        ticket: bytes(trace::TICKET).into(),
        session_id: Box::default(),
        peer: PeerIdentity::keep(CertificateType::X509, &[&chain], None, None),
        vouched: Vouched::default(),
    };
    clock.advance(6);
    session
}

fn hello() -> Vec<u8> {
    let [before, after] = trace::RESUMED_OFFER.map(bytes);
    let front = bytes(trace::RESUMED_HELLO);
    let body = [front, vec![0; 87], before, bytes(trace::TICKET), after].concat();
    message(T::CLIENT_HELLO, &body)
}

fn server_hello() -> Vec<u8> {
    message(T::SERVER_HELLO, &bytes(trace::RESUMED_SERVER_HELLO))
}

fn check_secrets(secrets: &Secrets) {
    for (label, secret) in SECRETS {
        let found = secrets.find(label).unwrap();
        assert_eq!(found.as_ref(), bytes(secret), "{label}");
    }
}

/// A client that has sent its hello.
fn client(secrets: Arc<Secrets>) -> Connection {
    let clock = ManualClock::new();
    let store = MemoryClientSessions::new();
    let name = "server".parse().unwrap();
    store.put(&name, session(&clock));
    let random = [vec![0; 96], bytes(CLIENT_PRIVATE)].concat();
    let config = ClientConfig::builder(provider(random, Vec::new()), Arc::new(TrustTrace))
        .groups([NamedGroup::X25519])
        .middlebox_compatibility(false)
        .grease(false)
        .sessions(store, clock)
        .early_data(true)
        .key_log(secrets);
    let (mut tx, mut out) = (Tx::new(), Buffer::new());
    tx.first_hello = true;
    let mut replay = Replay {
        flight: TxFlight {
            tx: &mut tx,
            out: &mut out,
        },
        instead: vec![hello()],
    };
    let handshake = Handshake::client(config.build().unwrap(), name, &mut replay).unwrap();
    let mut player = Player {
        handshake,
        rx: Rx::new(),
        tx,
        out,
    };
    assert_eq!(player.sent(), record([22, 3, 1], &hello()));
    player.handshake.also_sent(ExtensionType::RECORD_SIZE_LIMIT);
    player.connection(Role::Client)
}

/// Knows the one ticket.
#[derive(Debug)]
struct OneSession(Session);

impl ServerSessions for OneSession {
    fn issue(&self, _: &Session) -> Option<Vec<u8>> {
        None
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        assert_eq!(ticket, bytes(trace::TICKET));
        SessionLookup::Found(Session {
            peer: PeerIdentity::default(),
            ..self.0.clone()
        })
    }
}

#[derive(Debug)]
struct New;

impl ReplayGuard for New {
    fn first_use(&self, id: &[u8; 16], _: u32) -> FirstUse {
        assert!(hello().windows(16).any(|found| found == id));
        FirstUse::Yes
    }
}

/// A server that has sent its flight.
fn server(secrets: Arc<Secrets>) -> Connection {
    let clock = ManualClock::new();
    let store = Arc::new(OneSession(session(&clock)));
    let random = [bytes(SERVER_PRIVATE), server_hello()[6..38].to_vec()].concat();
    let key = CertifiedKey::new(Vec::new(), Arc::new(TraceRsa(Vec::new())));
    let config = ServerConfig::builder(provider(random, Vec::new()), Arc::new(Arc::new(key)))
        .groups([NamedGroup::X25519])
        .sessions(store, clock)
        .tickets(0)
        .early_data(MAX_EARLY_DATA, Arc::new(New))
        .key_log(secrets);
    let mut player = Player {
        handshake: Handshake::server(config.build().unwrap()),
        rx: Rx::new(),
        tx: Tx::new(),
        out: Buffer::new(),
    };
    let extensions = message(T::ENCRYPTED_EXTENSIONS, &bytes(trace::RESUMED_EXTENSIONS));
    // Ours has the extensions of the ServerHello in another order.
    player.take(&hello(), vec![server_hello(), extensions]);
    let answer = record([22, 3, 3], &server_hello());
    let flight = bytes(trace::RESUMED_FLIGHT);
    assert_eq!(player.sent(), [answer, flight].concat());
    player.connection(Role::Server)
}

#[test]
fn section_4_client() {
    let secrets = Arc::new(Secrets::default());
    let mut client = client(secrets.clone());
    let sent = sends(&mut client, |client, out| {
        client.write_early(EARLY_DATA, out).unwrap();
    });
    assert_eq!(sent, bytes(trace::RESUMED_EARLY_DATA));
    let answer = record([22, 3, 3], &server_hello());
    let input = [answer, bytes(trace::RESUMED_FLIGHT)].concat();
    let (event, _, sent) = give(&mut client, &input);
    assert_eq!(event, Event::HandshakeComplete);
    assert_eq!(sent, bytes(trace::RESUMED_FINISHED));
    check_secrets(&secrets);
    assert!(client.info().resumed);
    assert_eq!(client.info().early_data, EarlyDataStatus::Accepted);
    let sent = sends(&mut client, |client, out| {
        client.write(&[&fifty()], out).unwrap();
    });
    assert_eq!(sent, bytes(trace::RESUMED_CLIENT_DATA));
    let (_, data, _) = give(&mut client, &bytes(trace::RESUMED_SERVER_DATA));
    assert_eq!(data, fifty());
    let sent = sends(&mut client, Connection::close);
    assert_eq!(sent, bytes(trace::RESUMED_CLIENT_CLOSE));
    let (event, ..) = give(&mut client, &bytes(trace::RESUMED_SERVER_CLOSE));
    assert_eq!(event, Event::PeerClosed);
}

#[test]
fn section_4_server() {
    let secrets = Arc::new(Secrets::default());
    let mut server = server(secrets.clone());
    let (event, data, _) = give(&mut server, &bytes(trace::RESUMED_EARLY_DATA));
    assert!(matches!(event, Event::EarlyData(_)));
    assert_eq!(data, EARLY_DATA);
    let (event, _, sent) = give(&mut server, &bytes(trace::RESUMED_FINISHED));
    assert_eq!((event, sent), (Event::HandshakeComplete, vec![]));
    check_secrets(&secrets);
    assert!(server.info().resumed);
    assert_eq!(server.info().early_data, EarlyDataStatus::Accepted);
    let (_, data, _) = give(&mut server, &bytes(trace::RESUMED_CLIENT_DATA));
    assert_eq!(data, fifty());
    let sent = sends(&mut server, |server, out| {
        server.write(&[&fifty()], out).unwrap();
    });
    assert_eq!(sent, bytes(trace::RESUMED_SERVER_DATA));
    let (event, ..) = give(&mut server, &bytes(trace::RESUMED_CLIENT_CLOSE));
    assert_eq!(event, Event::PeerClosed);
    let sent = sends(&mut server, Connection::close);
    assert_eq!(sent, bytes(trace::RESUMED_SERVER_CLOSE));
}
