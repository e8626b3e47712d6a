//! The traces of RFC 8448, Sections 3 to 5, through the real engine, byte for byte.
//!
//! What our side cannot say as the trace does (its ClientHello, EncryptedExtensions with other
//! extensions, another cookie) is replaced on its way out by [`Replay`], before it reaches the
//! transcript and the record layer. Everything else is made by the engine and compared.

mod doubles;
mod resumed;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, NamedGroup};

use super::super::establish::Establishing;
use super::super::halves::Role;
use super::super::{Connection, State};
use crate::codec::Writer;
use crate::connection::event::{Event, Progress};
use crate::handshake::{Handshake, Status};
use crate::messages::testing::{CLIENT_HELLO, ENCRYPTED_EXTENSIONS, HELLO_RETRY_REQUEST};
use crate::messages::testing::{SERVER_HELLO, bytes};
use crate::messages::{ExtensionType, HandshakeType as T};
use crate::record::joiner::Message;
use crate::record::stream::{Rx, Tx, TxFlight};
use crate::record::{EpochKeys, Flight};
use crate::testing::{Secrets, message, rfc8448 as trace};
use crate::{Buffer, CertifiedKey, ClientConfig, Error, RecordPadding, ServerConfig};
use doubles::{TraceRsa, TrustTrace, find, provider};

/// The signature of the CertificateVerify of Section 3 follows its scheme and length.
fn simple_signature() -> Vec<u8> {
    bytes(crate::messages::testing::CERTIFICATE_VERIFY)[4..].to_vec()
}

/// Everything that differs between the two traces.
struct Trace {
    hellos: Vec<Vec<u8>>,
    /// The answers to the hellos: at the end, the ServerHello.
    answers: Vec<Vec<u8>>,
    extensions: Vec<u8>,
    signature: Vec<u8>,
    /// What the server draws for its key share and for its random.
    server_random: Vec<u8>,
    client_random: Vec<u8>,
    group: NamedGroup,
    flight: Vec<u8>,
    finished: Vec<u8>,
    secrets: [(&'static str, &'static str); 5],
}

fn simple() -> Trace {
    let private = "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e";
    let answer = message(T::SERVER_HELLO, &bytes(SERVER_HELLO));
    Trace {
        hellos: vec![message(T::CLIENT_HELLO, &bytes(CLIENT_HELLO))],
        server_random: [bytes(private), answer[6..38].to_vec()].concat(),
        answers: vec![answer],
        extensions: bytes(ENCRYPTED_EXTENSIONS),
        signature: simple_signature(),
        // The first share is drawn after the client's random, session id and shape.
        client_random: [
            vec![0; 96],
            bytes("49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005"),
        ]
        .concat(),
        group: NamedGroup::X25519,
        flight: bytes(trace::SIMPLE_FLIGHT),
        finished: bytes(trace::SIMPLE_FINISHED),
        secrets: [
            (
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
            ),
            (
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
            ),
            (
                "CLIENT_TRAFFIC_SECRET_0",
                "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
            ),
            (
                "SERVER_TRAFFIC_SECRET_0",
                "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
            ),
            (
                "EXPORTER_SECRET",
                "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50",
            ),
        ],
    }
}

fn retried() -> Trace {
    let answer = message(T::SERVER_HELLO, &bytes(trace::RETRY_SERVER_HELLO));
    let second = [bytes(trace::RETRY_SECOND_HELLO), vec![0; 175]].concat();
    Trace {
        hellos: vec![
            message(T::CLIENT_HELLO, &bytes(trace::RETRY_FIRST_HELLO)),
            message(T::CLIENT_HELLO, &second),
        ],
        server_random: answer[6..38].to_vec(),
        answers: vec![
            message(T::SERVER_HELLO, &bytes(HELLO_RETRY_REQUEST)),
            answer,
        ],
        extensions: bytes(trace::RETRY_EXTENSIONS),
        signature: bytes(trace::RETRY_SIGNATURE),
        client_random: vec![0x42; 128],
        group: NamedGroup::SECP256R1,
        flight: bytes(trace::RETRY_FLIGHT),
        finished: bytes(trace::RETRY_FINISHED),
        secrets: [
            (
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "158aa7ab8855073582b41d674b4055cabcc534728f659314861b4e08e2011566",
            ),
            (
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "3403e781e2af7b6508da28574f6e95a1abf162de83a97927c37672a4a0cef8a1",
            ),
            (
                "CLIENT_TRAFFIC_SECRET_0",
                "75ecf4b972525aa0dcd057c9944d4cd5d82671d8843141d7dc2a4ff15a21dc51",
            ),
            (
                "SERVER_TRAFFIC_SECRET_0",
                "5c74f87df04225db0f8209c9de6429e49435fdefa7cad61864874d12f31cfc8d",
            ),
            (
                "EXPORTER_SECRET",
                "7c06d3ae106a3a374ace4837b3985cac67780a6e2c5c04b58319d584df09d223",
            ),
        ],
    }
}

/// Sends what the trace says in place of our own next message of that type, if it says so.
struct Replay<'a> {
    flight: TxFlight<'a>,
    instead: Vec<Vec<u8>>,
}

impl Flight for Replay<'_> {
    fn message(
        &mut self,
        typ: T,
        body: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        let mut own = Vec::new();
        body(&mut Writer::new(&mut own))?;
        let place = self.instead.iter().position(|bytes| bytes[0] == typ.0);
        if let Some(place) = place {
            own = self.instead.remove(place)[4..].to_vec();
        }
        self.flight.message(typ, &mut |w| {
            w.bytes(&own);
            Ok(())
        })
    }

    fn replaces(&self) -> bool {
        true
    }

    fn change_cipher_spec(&mut self) {
        self.flight.change_cipher_spec();
    }

    fn install_write(&mut self, keys: EpochKeys) -> Result<(), Error> {
        self.flight.install_write(keys)
    }

    fn leave_early_data(&mut self, keys: Option<EpochKeys>) -> Result<(), Error> {
        self.flight.leave_early_data(keys)
    }

    fn limit_records(&mut self, _: usize) {}

    #[cfg(feature = "tls12")]
    fn change_keys(&mut self, _: &crate::record::protect12::Keys12) -> Result<(), Error> {
        unreachable!("the traces are of TLS 1.3")
    }

    fn end_flight(&mut self) -> Result<(), Error> {
        self.flight.end_flight()
    }
}

/// A side that is fed messages and writes records.
struct Player {
    handshake: Handshake,
    rx: Rx,
    tx: Tx,
    out: Buffer,
}

impl Player {
    fn take(&mut self, bytes: &[u8], instead: Vec<Vec<u8>>) -> Status {
        let flight = TxFlight {
            tx: &mut self.tx,
            out: &mut self.out,
        };
        let mut replay = Replay { flight, instead };
        let typ = T(bytes[0]);
        let message = Message { typ, bytes };
        let outcome = self.handshake.on_message(message, &mut replay).unwrap();
        assert!(replay.instead.is_empty(), "not everything was said");
        if let Some(keys) = &outcome.read {
            self.rx.install(keys).unwrap();
        }
        outcome.status
    }

    fn sent(&mut self) -> Vec<u8> {
        let sent = self.out.as_slice().to_vec();
        self.out.clear();
        sent
    }

    /// Goes on as a connection.
    fn connection(self, role: Role) -> Connection {
        let Self {
            handshake, rx, tx, ..
        } = self;
        let establishing = Establishing::new(handshake, rx, tx, RecordPadding::None);
        Connection {
            state: State::Handshake(Box::new(establishing)),
            role,
        }
    }
}

/// A client at the end of the hellos.
fn client(trace: &Trace, secrets: Arc<Secrets>) -> Connection {
    let provider = provider(trace.client_random.clone(), trace.signature.clone());
    let config = ClientConfig::builder(provider, Arc::new(TrustTrace))
        .groups([NamedGroup::X25519, NamedGroup::SECP256R1])
        .middlebox_compatibility(false)
        .grease(false)
        .key_log(secrets);
    let (mut tx, mut out) = (Tx::new(), Buffer::new());
    tx.first_hello = true;
    let mut replay = Replay {
        flight: TxFlight {
            tx: &mut tx,
            out: &mut out,
        },
        instead: vec![trace.hellos[0].clone()],
    };
    let name = "server".parse().unwrap();
    let handshake = Handshake::client(config.build().unwrap(), name, &mut replay).unwrap();
    let mut player = Player {
        handshake,
        rx: Rx::new(),
        tx,
        out,
    };
    assert_eq!(player.sent(), record([22, 3, 1], &trace.hellos[0]));
    if let [_, second] = &trace.hellos[..] {
        let status = player.take(&trace.answers[0], vec![second.clone()]);
        assert_eq!(status, Status::Message);
        assert_eq!(player.sent(), record([22, 3, 3], second));
    }
    player.handshake.also_sent(ExtensionType::RECORD_SIZE_LIMIT);
    player.connection(Role::Client)
}

/// A server that has sent its flight.
fn server(trace: &Trace, secrets: Arc<Secrets>) -> Connection {
    // Drawn for a private key of X25519, whichever group it is.
    let random = [&trace.server_random[..], &[0; 32]].concat();
    let provider = provider(random, Vec::new());
    let chain = vec![bytes(trace::CERTIFICATE)];
    let key = CertifiedKey::new(chain, Arc::new(TraceRsa(trace.signature.clone())));
    let config = ServerConfig::builder(provider, Arc::new(Arc::new(key)))
        .groups([trace.group])
        .key_log(secrets);
    let mut player = Player {
        handshake: Handshake::server(config.build().unwrap()),
        rx: Rx::new(),
        tx: Tx::new(),
        out: Buffer::new(),
    };
    if let [first, _] = &trace.hellos[..] {
        player.take(first, vec![trace.answers[0].clone()]);
        assert_eq!(player.sent(), record([22, 3, 3], &trace.answers[0]));
        let cookie = find(&trace.answers[0], &[0, 0x2c, 0, 0x74, 0, 0x72], true, 114);
        player.handshake.expect_cookie(cookie.to_vec());
    }
    let extensions = message(T::ENCRYPTED_EXTENSIONS, &trace.extensions);
    player.take(trace.hellos.last().unwrap(), vec![extensions]);
    // ServerHello, Certificate, CertificateVerify, Finished and both records are our own.
    let hello = record([22, 3, 3], trace.answers.last().unwrap());
    assert_eq!(player.sent(), [hello, trace.flight.clone()].concat());
    player.connection(Role::Server)
}

fn record(front: [u8; 3], content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u16).to_be_bytes();
    [&front[..], &len, content].concat()
}

/// Gives a connection all of `input`, and returns what it says then: the event, the data that
/// goes with it, and what is to be sent.
fn give(connection: &mut Connection, input: &[u8]) -> (Event, Vec<u8>, Vec<u8>) {
    let (mut input, mut out) = (input.to_vec(), Buffer::new());
    let Progress { consumed, event } = connection.process(&mut input, &mut out).unwrap();
    assert_eq!(consumed, input.len(), "{event:?}");
    let data = match &event {
        Event::AppData(range) | Event::EarlyData(range) => input[range.clone()].to_vec(),
        _ => Vec::new(),
    };
    (event, data, out.as_slice().to_vec())
}

fn check_secrets(trace: &Trace, secrets: &Secrets) {
    for (label, secret) in trace.secrets {
        let found = secrets.find(label).unwrap();
        assert_eq!(found.as_ref(), bytes(secret), "{label}");
    }
}

/// A client through its handshake; its Finished is as in the trace.
fn established_client(trace: &Trace) -> Connection {
    let secrets = Arc::new(Secrets::default());
    let mut client = client(trace, secrets.clone());
    let answer = record([22, 3, 3], trace.answers.last().unwrap());
    let input = [answer, trace.flight.clone()].concat();
    let (event, _, sent) = give(&mut client, &input);
    assert_eq!(event, Event::HandshakeComplete);
    assert_eq!(sent, trace.finished);
    check_secrets(trace, &secrets);
    client
}

/// A server through its handshake; its flight is as in the trace.
fn established_server(trace: &Trace) -> Connection {
    let secrets = Arc::new(Secrets::default());
    let mut server = server(trace, secrets.clone());
    let (event, _, sent) = give(&mut server, &trace.finished);
    assert_eq!((event, sent), (Event::HandshakeComplete, vec![]));
    check_secrets(trace, &secrets);
    server
}

fn sends(connection: &mut Connection, send: impl FnOnce(&mut Connection, &mut Buffer)) -> Vec<u8> {
    let mut out = Buffer::new();
    send(connection, &mut out);
    out.as_slice().to_vec()
}

fn fifty() -> Vec<u8> {
    (0..50).collect()
}

#[test]
fn section_3_client() {
    let mut client = established_client(&simple());
    let (event, _, sent) = give(&mut client, &bytes(trace::SIMPLE_TICKET));
    assert!(matches!(event, Event::NeedInput(5)) && sent.is_empty());
    let sent = sends(&mut client, |client, out| {
        client.write(&[&fifty()], out).unwrap();
    });
    assert_eq!(sent, bytes(trace::SIMPLE_CLIENT_DATA));
    let (_, data, _) = give(&mut client, &bytes(trace::SIMPLE_SERVER_DATA));
    assert_eq!(data, fifty());
    let sent = sends(&mut client, Connection::close);
    assert_eq!(sent, bytes(trace::SIMPLE_CLIENT_CLOSE));
    let (event, ..) = give(&mut client, &bytes(trace::SIMPLE_SERVER_CLOSE));
    assert_eq!(event, Event::PeerClosed);
}

#[test]
fn section_3_server() {
    let mut server = established_server(&simple());
    // The trace's ticket takes the first sequence number. Ours says as much as it does.
    let State::Traffic(_, _, write, _) = &mut server.state else {
        panic!("not established");
    };
    let (mut input, mut out) = (bytes(trace::SIMPLE_TICKET), Buffer::new());
    let mut reader = Rx::new();
    reader.install(&server_keys()).unwrap();
    reader.open(&mut input).unwrap();
    let ticket = (T::NEW_SESSION_TICKET, input[5..5 + 205].to_vec());
    write.send_messages(&[ticket], &mut out).unwrap();
    assert_eq!(out.as_slice(), bytes(trace::SIMPLE_TICKET));

    let (_, data, _) = give(&mut server, &bytes(trace::SIMPLE_CLIENT_DATA));
    assert_eq!(data, fifty());
    let sent = sends(&mut server, |server, out| {
        server.write(&[&fifty()], out).unwrap();
    });
    assert_eq!(sent, bytes(trace::SIMPLE_SERVER_DATA));
    let (event, ..) = give(&mut server, &bytes(trace::SIMPLE_CLIENT_CLOSE));
    assert_eq!(event, Event::PeerClosed);
    let sent = sends(&mut server, Connection::close);
    assert_eq!(sent, bytes(trace::SIMPLE_SERVER_CLOSE));
}

fn server_keys() -> EpochKeys {
    let secret = bytes(simple().secrets[3].1);
    EpochKeys {
        epoch: crate::Epoch::Application,
        suite: &waxwing_aws_lc::TLS13_AES_128_GCM_SHA256,
        secret: Digest::from_slice(&secret).unwrap(),
    }
}

#[test]
fn section_5_client() {
    let mut client = established_client(&retried());
    assert!(client.info().retried);
    let sent = sends(&mut client, Connection::close);
    assert_eq!(sent, bytes(trace::RETRY_CLIENT_CLOSE));
    let (event, ..) = give(&mut client, &bytes(trace::RETRY_SERVER_CLOSE));
    assert_eq!(event, Event::PeerClosed);
}

#[test]
fn section_5_server() {
    let mut server = established_server(&retried());
    assert!(server.info().retried);
    let (event, ..) = give(&mut server, &bytes(trace::RETRY_CLIENT_CLOSE));
    assert_eq!(event, Event::PeerClosed);
    let sent = sends(&mut server, Connection::close);
    assert_eq!(sent, bytes(trace::RETRY_SERVER_CLOSE));
}

/// The expected values were computed apart from this code, from the exporter secret of the
/// trace by RFC 9846, Section 7.5.
#[test]
fn section_3_exporter() {
    let with_context = "84d4bc722c1f84e7b1d51cdca52109b5a81c497c8cb4275f50f78ffa2cdac6c9624e59d3
        3de38459";
    let without = "99ee6fa58c6a7c6357f3f69c7933592c9c8e5078ad4dab3ddd4ebd071a7156d304185f66
        877f6431";
    for connection in [established_client(&simple()), established_server(&simple())] {
        let exporter = connection.info().exporter.as_ref().unwrap();
        for (context, expected) in [(Some(&b"context"[..]), with_context), (None, without)] {
            let mut out = [0; 40];
            exporter
                .export(b"EXPORTER-waxwing", context, &mut out)
                .unwrap();
            assert_eq!(out[..], bytes(expected));
        }
    }
}
