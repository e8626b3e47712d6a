//! Every step of TLS 1.2 against every type of handshake message and against change_cipher_spec:
//! taken exactly where RFC 5246 lets it come (Section 7.3), refused as unexpected anywhere else.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::CipherSuite;

use crate::config::credentials::{CertChoice, CertificateRequestView, ClientCertResolver};
use crate::connection::event::{Answer, Question, Wait};
use crate::error::Misuse;
use crate::handshake::Status;
use crate::messages::HandshakeType as T;
use crate::record::Epoch;
use crate::testing::client_auth::TrustClient;
use crate::testing::sessions::MemorySessions;
use crate::testing::tls12::{
    OneKey, Stores, asking_server12, carry, client_of_both, client12, known_client12, psk_client12,
    psk_server12, server12,
};
use crate::testing::{
    CERTIFICATE, Side, SlowChoice, SlowKey, Trust, certified_key, message, server_builder, verified,
};
use crate::{
    CertificateError, CertifiedKey, ClientAuth, ClientConfig, ClientConfigBuilder, Error,
    PeerError, ProtocolVersions, ServerConfig, ServerConfigBuilder,
};

/// Where a handshake stands when something comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    ClientHelloSent,
    ClientHelloOfBothSent,
    ServerHelloReceived,
    /// The certificate came from a server that announced its status.
    CertificateReceived,
    /// The certificate, or its status, is good.
    CertificateAccepted,
    CertificateJudged,
    StatusJudged,
    /// Instead of the status that was announced, the next message came.
    MissingStatusJudged,
    ServerKeyExchangeReceived,
    CertificateRequestReceived,
    ClientCertificateChosen,
    ClientSigning,
    ClientFinishedSent,
    ChangeCipherSpecReceived,
    ClientDone,
    /// The server chose a suite with a PSK alone, or with a key exchange too.
    PskServerHelloReceived,
    EcdhePskServerHelloReceived,
    PskServerKeyExchangeReceived,
    /// Our Finished is out, and a ticket was promised.
    TicketPromised,
    TicketReceived,
    Resumed,
    ResumedTicketPromised,
    ResumedTicketReceived,
    ResumedChangeCipherSpecReceived,
    ResumedClientDone,
    ServerStarted,
    ServerCertificateChosen,
    ServerSigning,
    ServerHelloDoneSent,
    CertificateRequestSent,
    ClientCertificateJudged,
    ClientCertificateAccepted,
    /// The client was asked for a certificate, and has none.
    NoClientCertificate,
    SignatureDue,
    ClientMessagesReceived,
    SignatureReceived,
    ChangeCipherSpecOfClientReceived,
    ServerDone,
    PskServerHelloDoneSent,
    PskLookedUp,
    PskFound,
    SessionLookedUp,
    /// The client's certificate of then.
    OldCertificateJudged,
    ResumedFinishedSent,
    ResumedChangeCipherSpecOfClientReceived,
    ResumedServerDone,
}

use Point as P;

/// Which handshake messages may come where, and whether change_cipher_spec may. The source is the
/// RFCs, not the code: Figure 1 of RFC 5246, Section 7.3; RFC 6066, Section 8, for
/// CertificateStatus; Figure 2 of RFC 5246 and Figures 1 and 2 of RFC 5077 for sessions;
/// RFC 4279, Section 2, and RFC 5489, Section 2, for PSKs. A HelloRequest, which a client may ignore while it shakes hands
/// (Section 7.4.1.1), is refused here like any other message out of place. After the last message
/// of the handshake the connection judges, not the handshake.
const ORDER: [(Point, &[T], bool); 46] = [
    (P::ClientHelloSent, &[T::SERVER_HELLO], false),
    // It may become TLS 1.3, where change_cipher_spec is ignored (RFC 9846, Section 5).
    (P::ClientHelloOfBothSent, &[T::SERVER_HELLO], true),
    (P::ServerHelloReceived, &[T::CERTIFICATE], false),
    (
        P::CertificateReceived,
        &[T::CERTIFICATE_STATUS, T::SERVER_KEY_EXCHANGE],
        false,
    ),
    (P::CertificateAccepted, &[T::SERVER_KEY_EXCHANGE], false),
    (P::CertificateJudged, &[], false),
    (P::StatusJudged, &[], false),
    (P::MissingStatusJudged, &[], false),
    (
        P::ServerKeyExchangeReceived,
        &[T::CERTIFICATE_REQUEST, T::SERVER_HELLO_DONE],
        false,
    ),
    (
        P::CertificateRequestReceived,
        &[T::SERVER_HELLO_DONE],
        false,
    ),
    (P::ClientCertificateChosen, &[], false),
    (P::ClientSigning, &[], false),
    (P::ClientFinishedSent, &[], true),
    (P::ChangeCipherSpecReceived, &[T::FINISHED], false),
    (P::ClientDone, &[], false),
    (
        P::PskServerHelloReceived,
        &[T::SERVER_KEY_EXCHANGE, T::SERVER_HELLO_DONE],
        false,
    ),
    (
        P::EcdhePskServerHelloReceived,
        &[T::SERVER_KEY_EXCHANGE],
        false,
    ),
    (
        P::PskServerKeyExchangeReceived,
        &[T::SERVER_HELLO_DONE],
        false,
    ),
    (P::TicketPromised, &[T::NEW_SESSION_TICKET], false),
    (P::TicketReceived, &[], true),
    (P::Resumed, &[], true),
    (P::ResumedTicketPromised, &[T::NEW_SESSION_TICKET], false),
    (P::ResumedTicketReceived, &[], true),
    (P::ResumedChangeCipherSpecReceived, &[T::FINISHED], false),
    (P::ResumedClientDone, &[], false),
    (P::ServerStarted, &[T::CLIENT_HELLO], false),
    (P::ServerCertificateChosen, &[], false),
    (P::ServerSigning, &[], false),
    (P::ServerHelloDoneSent, &[T::CLIENT_KEY_EXCHANGE], false),
    (P::CertificateRequestSent, &[T::CERTIFICATE], false),
    (P::ClientCertificateJudged, &[], false),
    (
        P::ClientCertificateAccepted,
        &[T::CLIENT_KEY_EXCHANGE],
        false,
    ),
    (P::NoClientCertificate, &[T::CLIENT_KEY_EXCHANGE], false),
    (P::SignatureDue, &[T::CERTIFICATE_VERIFY], false),
    (P::ClientMessagesReceived, &[], true),
    (P::SignatureReceived, &[], true),
    (P::ChangeCipherSpecOfClientReceived, &[T::FINISHED], false),
    (P::ServerDone, &[], false),
    (P::PskServerHelloDoneSent, &[T::CLIENT_KEY_EXCHANGE], false),
    (P::PskLookedUp, &[], false),
    (P::PskFound, &[], true),
    (P::SessionLookedUp, &[], false),
    (P::OldCertificateJudged, &[], false),
    (P::ResumedFinishedSent, &[], true),
    (
        P::ResumedChangeCipherSpecOfClientReceived,
        &[T::FINISHED],
        false,
    ),
    (P::ResumedServerDone, &[], false),
];

const PSK: CipherSuite = CipherSuite::TLS12_PSK_AES_128_GCM_SHA256;
const ECDHE_PSK: CipherSuite = CipherSuite::TLS12_ECDHE_PSK_AES_128_GCM_SHA256;

/// One side at some point, and messages that were really exchanged: those that come next for it
/// are among them, before others of the same type.
struct Scene {
    side: Side,
    messages: Vec<Vec<u8>>,
}

/// A resolver that chooses later.
#[derive(Debug)]
struct SlowClientChoice;

impl ClientCertResolver for SlowClientChoice {
    fn resolve(&self, _: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

fn slow_client() -> ClientConfigBuilder {
    let later = ClientConfig::builder(&PROVIDER, Arc::new(Trust::Later));
    later.versions(ProtocolVersions::TLS12)
}

fn slow_key() -> Arc<CertifiedKey> {
    let chain = vec![CERTIFICATE.to_vec()];
    Arc::new(CertifiedKey::new(chain, Arc::new(SlowKey)))
}

/// A server with a status for its certificate.
fn stapling_server() -> ServerConfigBuilder {
    let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], crate::testing::server_key());
    let key = Arc::new(key.with_ocsp(b"a response".to_vec()));
    ServerConfig::builder(&PROVIDER, Arc::new(key)).versions(ProtocolVersions::TLS12)
}

impl Scene {
    /// A client that received the first `count` messages of the server, its change_cipher_spec
    /// counted too. `skip` names one that is left out.
    fn client(
        builder: ClientConfigBuilder,
        server: ServerConfigBuilder,
        count: usize,
        skip: Option<T>,
    ) -> Self {
        let (mut side, mut server) = (Side::client(builder), Side::server(server));
        let mut messages = side.sent();
        server.take(&messages[0]).unwrap();
        let mut flight = server.sent();
        messages.extend(flight.iter().cloned());
        flight.retain(|bytes| Some(T(bytes[0])) != skip);
        for message in flight.iter().take(count) {
            side.take(message).unwrap();
        }
        let more = count.saturating_sub(flight.len());
        if more > 0 {
            give(&side.sent(), &mut server);
            let finished = server.sent();
            side.take_change_cipher_spec().unwrap();
            if more > 1 {
                side.take(&finished[0]).unwrap();
            }
            messages.extend(finished);
        }
        Self { side, messages }
    }

    /// A server that received the ClientHello and then the first `count` messages of a client,
    /// its change_cipher_spec counted too.
    fn server(builder: ServerConfigBuilder, client: ClientConfigBuilder, count: usize) -> Self {
        let (mut side, mut client) = (Side::server(builder), Side::client(client));
        let mut messages = client.sent();
        side.take(&messages[0]).unwrap();
        for message in side.sent() {
            client.take(&message).unwrap();
            messages.push(message);
        }
        let sent: Vec<_> = client.flight.sent.drain(..).collect();
        let before: Vec<_> = sent
            .iter()
            .filter(|(epoch, _)| *epoch == Epoch::Initial)
            .collect();
        for (_, message) in before.iter().take(count) {
            side.take(message).unwrap();
        }
        if count > before.len() {
            side.take_change_cipher_spec().unwrap();
        }
        if count > sent.len() {
            side.take(&sent[before.len()].1).unwrap();
        }
        // The client's messages stand before the server's of the same type: they are to be taken.
        messages.splice(0..0, sent.into_iter().map(|(_, bytes)| bytes));
        Self { side, messages }
    }

    /// A server that waits after the ClientHello.
    fn slow_server(builder: ServerConfigBuilder) -> Self {
        let mut scene = Self::server(server12(), client12(), 0);
        let mut side = Side::server(builder.versions(ProtocolVersions::TLS12));
        let hello = scene
            .messages
            .iter()
            .find(|bytes| bytes[0] == T::CLIENT_HELLO.0);
        side.take(hello.unwrap()).unwrap();
        scene.side = side;
        scene
    }

    /// A client that received the first `count` messages of a server that knows the session of
    /// these stores, its change_cipher_spec counted too.
    fn resumed_client(stores: &Stores, count: usize) -> Self {
        let mut side = Side::client(stores.client(client12()));
        let mut server = Side::server(stores.server(server12()));
        let mut messages = side.sent();
        server.take(&messages[0]).unwrap();
        let flight: Vec<_> = server.flight.sent.drain(..).collect();
        give_some(&flight, &mut side, count);
        messages.extend(flight.into_iter().map(|(_, bytes)| bytes));
        Self { side, messages }
    }

    /// The same, of a full handshake that leaves a ticket: from its last flight on.
    fn left_a_ticket(count: usize) -> Self {
        let stores = Stores::new(MemorySessions::new());
        let mut side = Side::client(stores.client(client12()));
        let mut server = Side::server(stores.server(server12()));
        server.take(&side.sent()[0]).unwrap();
        server
            .sent()
            .iter()
            .for_each(|bytes| side.take(bytes).unwrap());
        give(&side.sent(), &mut server);
        let flight: Vec<_> = server.flight.sent.drain(..).collect();
        give_some(&flight, &mut side, count);
        let messages = flight.into_iter().map(|(_, bytes)| bytes).collect();
        Self { side, messages }
    }

    /// A server that knows the session of these stores, and received the first `count` messages of
    /// a client after its hello.
    fn resumed_server(stores: &Stores, server: ServerConfigBuilder, count: usize) -> Self {
        let mut client = Side::client(stores.client(client12()));
        let mut side = Side::server(stores.server(server));
        let hello = client.sent().remove(0);
        side.take(&hello).unwrap();
        let unchanged = &mut |bytes| bytes;
        // It may wait for an answer, and have sent nothing yet.
        carry(&mut side, &mut client, unchanged).unwrap();
        let flight: Vec<_> = client.flight.sent.drain(..).collect();
        give_some(&flight, &mut side, count);
        let finished = flight.into_iter().map(|(_, bytes)| bytes);
        let messages = finished.chain([hello]).collect();
        Self { side, messages }
    }

    fn at(point: Point) -> Self {
        let client = |builder, count| Self::client(builder, stapling_server(), count, None);
        let asked = |builder, count| Self::client(builder, asking_server12(true), count, None);
        let server = |builder, count| Self::server(asking_server12(false), builder, count);
        let psk = |suite, count| {
            Self::client(psk_client12(suite), psk_server12(OneKey::Now), count, None)
        };
        let psk_server =
            |key, count| Self::server(psk_server12(key), psk_client12(ECDHE_PSK), count);
        match point {
            P::ClientHelloSent => client(client12(), 0),
            P::ClientHelloOfBothSent => client(client_of_both(), 0),
            P::ServerHelloReceived => client(client12(), 1),
            P::CertificateReceived => client(client12(), 2),
            P::CertificateAccepted => client(client12(), 3),
            P::CertificateJudged => Self::client(slow_client(), server12(), 2, None),
            P::StatusJudged => client(slow_client(), 3),
            P::MissingStatusJudged => {
                let skip = Some(T::CERTIFICATE_STATUS);
                Self::client(slow_client(), stapling_server(), 3, skip)
            }
            P::ServerKeyExchangeReceived => asked(known_client12(), 3),
            P::CertificateRequestReceived => asked(known_client12(), 4),
            P::ClientCertificateChosen => {
                asked(client12().client_certificate(Arc::new(SlowClientChoice)), 5)
            }
            P::ClientSigning => asked(client12().client_certificate(Arc::new(slow_key())), 5),
            P::ClientFinishedSent => asked(known_client12(), 5),
            P::ChangeCipherSpecReceived => asked(known_client12(), 6),
            P::ClientDone => asked(known_client12(), 7),
            P::PskServerHelloReceived => psk(PSK, 1),
            P::EcdhePskServerHelloReceived => psk(ECDHE_PSK, 1),
            P::PskServerKeyExchangeReceived => psk(ECDHE_PSK, 2),
            P::TicketPromised => Self::left_a_ticket(0),
            P::TicketReceived => Self::left_a_ticket(1),
            P::Resumed => Self::resumed_client(&Stores::with_ticket(), 1),
            P::ResumedTicketPromised => Self::resumed_client(&Stores::with_ticket().age(), 1),
            P::ResumedTicketReceived => Self::resumed_client(&Stores::with_ticket().age(), 2),
            P::ResumedChangeCipherSpecReceived => Self::resumed_client(&Stores::with_ticket(), 2),
            P::ResumedClientDone => Self::resumed_client(&Stores::with_ticket(), 3),
            P::ServerStarted => {
                let mut scene = Self::server(server12(), client12(), 0);
                scene.side = Side::server(server12());
                scene
            }
            P::ServerCertificateChosen => {
                Self::slow_server(ServerConfig::builder(&PROVIDER, Arc::new(SlowChoice)))
            }
            P::ServerSigning => {
                Self::slow_server(ServerConfig::builder(&PROVIDER, Arc::new(slow_key())))
            }
            P::ServerHelloDoneSent => Self::server(server12(), client12(), 0),
            P::CertificateRequestSent => server(known_client12(), 0),
            P::ClientCertificateJudged => {
                let auth = ClientAuth::Required(Arc::new(TrustClient::Later));
                Self::server(server12().client_auth(auth), known_client12(), 1)
            }
            P::ClientCertificateAccepted => server(known_client12(), 1),
            P::NoClientCertificate => server(client12(), 1),
            P::SignatureDue => server(known_client12(), 2),
            P::ClientMessagesReceived => server(client12(), 2),
            P::SignatureReceived => server(known_client12(), 3),
            P::ChangeCipherSpecOfClientReceived => server(known_client12(), 4),
            P::ServerDone => server(known_client12(), 5),
            P::PskServerHelloDoneSent => psk_server(OneKey::Now, 0),
            P::PskLookedUp => psk_server(OneKey::Later, 1),
            P::PskFound => psk_server(OneKey::Now, 1),
            P::SessionLookedUp => {
                let slow = Stores::after(MemorySessions::slow(), client12(), server12());
                Self::resumed_server(&slow, server12(), 0)
            }
            P::OldCertificateJudged => {
                let asking = asking_server12(true);
                let stores = Stores::after(MemorySessions::new(), known_client12(), asking);
                let auth = ClientAuth::Required(Arc::new(TrustClient::Later));
                Self::resumed_server(&stores, server12().client_auth(auth), 0)
            }
            P::ResumedFinishedSent => Self::resumed_server(&Stores::with_ticket(), server12(), 0),
            P::ResumedChangeCipherSpecOfClientReceived => {
                Self::resumed_server(&Stores::with_ticket(), server12(), 1)
            }
            P::ResumedServerDone => Self::resumed_server(&Stores::with_ticket(), server12(), 2),
        }
    }
}

/// Gives the first `count` messages of a flight, with a change_cipher_spec before the first one
/// that is protected, counted too.
fn give_some(flight: &[(Epoch, Vec<u8>)], to: &mut Side, count: usize) {
    let mut left = count;
    let mut changed = false;
    for (epoch, bytes) in flight {
        if *epoch == Epoch::Application && !changed && left > 0 {
            to.take_change_cipher_spec().unwrap();
            changed = true;
            left -= 1;
        }
        if left == 0 {
            return;
        }
        to.take(bytes).unwrap();
        left -= 1;
    }
}

/// Gives a server what a client sent, with a change_cipher_spec before the last message.
fn give(sent: &[Vec<u8>], server: &mut Side) {
    let (finished, before) = sent.split_last().unwrap();
    for message in before {
        server.take(message).unwrap();
    }
    server.take_change_cipher_spec().unwrap();
    server.take(finished).unwrap();
}

#[test]
fn the_points_are_what_they_are_called() {
    for (point, accepted, change) in ORDER {
        let side = Scene::at(point).side;
        let expected = match point {
            P::CertificateJudged
            | P::StatusJudged
            | P::MissingStatusJudged
            | P::OldCertificateJudged
            | P::ClientCertificateJudged => Status::Wait(Wait::Verdict),
            P::SessionLookedUp => Status::Wait(Wait::Session),
            P::PskLookedUp => Status::Wait(Wait::Psk),
            P::ClientCertificateChosen | P::ServerCertificateChosen => {
                Status::Wait(Wait::Certificate)
            }
            P::ClientSigning | P::ServerSigning => Status::Wait(Wait::Signature),
            P::ClientDone | P::ServerDone | P::ResumedClientDone | P::ResumedServerDone => {
                Status::Done
            }
            _ => Status::Message,
        };
        assert_eq!(side.status, expected, "{point:?}");
        let goes_on = change || !accepted.is_empty();
        assert_eq!(expected == Status::Message, goes_on, "{point:?}");
        let started = matches!(
            point,
            P::ClientHelloSent | P::ClientHelloOfBothSent | P::ServerStarted
        );
        assert_eq!(side.is_tls12(), !started, "{point:?}");
    }
}

#[test]
fn every_type_at_every_point() {
    let unexpected = Err(PeerError::UnexpectedMessage.into());
    for (point, accepted, _) in ORDER {
        let mut scene = Scene::at(point);
        for typ in (0..=u8::MAX).map(T) {
            let known = scene.messages.iter().filter(|bytes| bytes[0] == typ.0);
            let mut bodies: Vec<Vec<u8>> = known.cloned().collect();
            bodies.push(message(typ, &[]));
            bodies.push(message(typ, &[0; 40]));
            if !accepted.contains(&typ) {
                for bytes in bodies {
                    assert_eq!(scene.side.take(&bytes), unexpected, "{typ} at {point:?}");
                }
                continue;
            }
            // One that really came is taken.
            let mut fresh = Scene::at(point);
            let genuine = fresh.messages.iter().find(|bytes| bytes[0] == typ.0);
            let genuine = genuine.unwrap().clone();
            assert_eq!(fresh.side.take(&genuine), Ok(()), "{typ} at {point:?}");
            // A spoiled one is refused for what it is, not for its place.
            let error = Scene::at(point).side.take(&message(typ, &[0xff]));
            assert!(
                matches!(
                    error,
                    Err(Error::Decode(_)
                        | Error::Peer(
                            PeerError::BadFinished | PeerError::CurveType | PeerError::BadExtension
                        ))
                ),
                "{typ} at {point:?}: {error:?}"
            );
        }
        // Refusing changed nothing: what belongs here is still taken.
        if let Some(next) = accepted.first() {
            let mut genuine = scene.messages.iter().filter(|bytes| bytes[0] == next.0);
            let genuine = genuine.next().unwrap();
            assert_eq!(scene.side.take(genuine), Ok(()), "{point:?}");
        }
    }
}

/// CVE-2014-0224: out of its place it would bring keys that nobody agreed on.
#[test]
fn change_cipher_spec_at_every_point() {
    for (point, _, accepted) in ORDER {
        let mut side = Scene::at(point).side;
        if side.status == Status::Done {
            continue;
        }
        let before = side.read12.is_some();
        let result = side.take_change_cipher_spec();
        if accepted {
            assert_eq!(result, Ok(()), "{point:?}");
        } else {
            let unexpected = PeerError::UnexpectedChangeCipherSpec.into();
            assert_eq!(result, Err(unexpected), "{point:?}");
        }
        let brings_keys = accepted && point != P::ClientHelloOfBothSent;
        assert_eq!(side.read12.is_some(), before || brings_keys, "{point:?}");
    }
}

/// The types of what a side has sent since the last time.
fn types(side: &mut Side) -> Vec<T> {
    side.sent().iter().map(|bytes| T(bytes[0])).collect()
}

#[test]
fn what_waits_for_an_answer_goes_on_with_it() {
    for point in [
        P::CertificateJudged,
        P::StatusJudged,
        P::MissingStatusJudged,
    ] {
        let mut scene = Scene::at(point);
        scene.side.answer(Answer::Verdict(Ok(verified()))).unwrap();
        assert_eq!(scene.side.status, Status::Message);
        // What stood in for the status has been taken with the answer.
        let rest: &[T] = match point {
            P::MissingStatusJudged => &[T::SERVER_HELLO_DONE],
            _ => &[T::SERVER_KEY_EXCHANGE, T::SERVER_HELLO_DONE],
        };
        for typ in rest {
            let genuine = scene.messages.iter().find(|bytes| bytes[0] == typ.0);
            scene.side.take(genuine.unwrap()).unwrap();
        }
        let flight = [T::CLIENT_KEY_EXCHANGE, T::FINISHED];
        assert_eq!(types(&mut scene.side), flight, "{point:?}");
    }

    let mut scene = Scene::at(P::ClientCertificateChosen);
    let choice = Answer::Certificate(Some(certified_key()));
    scene.side.answer(choice).unwrap();
    assert_eq!(
        types(&mut scene.side),
        [
            T::CERTIFICATE,
            T::CLIENT_KEY_EXCHANGE,
            T::CERTIFICATE_VERIFY,
            T::FINISHED
        ]
    );

    let mut scene = Scene::at(P::ClientSigning);
    assert_eq!(
        types(&mut scene.side),
        [T::CERTIFICATE, T::CLIENT_KEY_EXCHANGE]
    );
    let signature = Answer::Signature(Ok(vec![1, 2, 3]));
    scene.side.answer(signature).unwrap();
    assert_eq!(types(&mut scene.side), [T::CERTIFICATE_VERIFY, T::FINISHED]);

    let mut scene = Scene::at(P::ServerCertificateChosen);
    let choice = Answer::Certificate(Some(certified_key()));
    scene.side.answer(choice).unwrap();
    assert_eq!(
        types(&mut scene.side),
        [
            T::SERVER_HELLO,
            T::CERTIFICATE,
            T::SERVER_KEY_EXCHANGE,
            T::SERVER_HELLO_DONE
        ]
    );

    let mut scene = Scene::at(P::ServerSigning);
    assert_eq!(types(&mut scene.side), [T::SERVER_HELLO, T::CERTIFICATE]);
    let signature = Answer::Signature(Ok(vec![1, 2, 3]));
    scene.side.answer(signature).unwrap();
    assert_eq!(
        types(&mut scene.side),
        [T::SERVER_KEY_EXCHANGE, T::SERVER_HELLO_DONE]
    );

    let mut scene = Scene::at(P::ClientCertificateJudged);
    scene.side.answer(Answer::Verdict(Ok(verified()))).unwrap();
    let genuine = scene.messages.iter();
    let mut genuine = genuine.filter(|bytes| bytes[0] == T::CLIENT_KEY_EXCHANGE.0);
    assert_eq!(scene.side.take(genuine.next().unwrap()), Ok(()));
}

/// The types that a server sends which resumes, and which does not.
const RESUMING: [T; 2] = [T::SERVER_HELLO, T::FINISHED];
const STARTING: [T; 4] = [
    T::SERVER_HELLO,
    T::CERTIFICATE,
    T::SERVER_KEY_EXCHANGE,
    T::SERVER_HELLO_DONE,
];

#[test]
fn a_session_that_is_looked_up_is_resumed_or_not() {
    let slow = Stores::after(MemorySessions::slow(), client12(), server12());
    let scene = || Scene::resumed_server(&slow, server12(), 0).side;
    let mut side = scene();
    let Some(Question::Session {
        handle,
        is_id: false,
    }) = side.handshake.question()
    else {
        panic!("the session is asked for");
    };
    let session = slow.server.look(handle);
    assert!(session.is_some());
    side.answer(Answer::Session(session)).unwrap();
    assert_eq!(types(&mut side), RESUMING);
    let mut side = scene();
    side.answer(Answer::Session(None)).unwrap();
    assert_eq!(types(&mut side), STARTING);
    // An answer of another kind changes nothing.
    let mut side = scene();
    let wrong = side.answer(Answer::Certificate(None));
    assert_eq!(wrong, Err(Misuse::NoSuchQuestion.into()));
    side.answer(Answer::Session(None)).unwrap();
}

#[test]
fn a_certificate_of_then_that_is_judged_is_accepted_or_asked_for_again() {
    let mut scene = Scene::at(P::OldCertificateJudged);
    let Some(Question::ClientVerdict(request)) = scene.side.handshake.question() else {
        panic!("the certificate is asked about");
    };
    request.with(|request| assert_eq!(request.chain, [CERTIFICATE]));
    scene.side.answer(Answer::Verdict(Ok(verified()))).unwrap();
    assert_eq!(types(&mut scene.side), RESUMING);
    assert!(scene.side.handshake.cx.info.client_authenticated);

    let mut scene = Scene::at(P::OldCertificateJudged);
    let no = Answer::Verdict(Err(CertificateError::Revoked.into()));
    scene.side.answer(no).unwrap();
    assert!(types(&mut scene.side).contains(&T::CERTIFICATE_REQUEST));
    assert!(!scene.side.handshake.cx.info.client_authenticated);
}

/// A client that shows none, though it could choose later, goes on without.
#[test]
fn no_certificate_is_an_answer_too() {
    let mut scene = Scene::at(P::ClientCertificateChosen);
    scene.side.answer(Answer::Certificate(None)).unwrap();
    let sent = scene.side.sent();
    assert_eq!(sent[0], message(T::CERTIFICATE, &[0, 0, 0]));
    let types: Vec<_> = sent[1..].iter().map(|bytes| T(bytes[0])).collect();
    assert_eq!(types, [T::CLIENT_KEY_EXCHANGE, T::FINISHED]);
}

/// A server of both versions sends the same messages as one of TLS 1.2 alone.
#[test]
fn the_flights_are_those_of_the_figure() {
    let old = server12();
    let both = server_builder().versions(ProtocolVersions::TLS12 | ProtocolVersions::TLS13);
    for server in [old, both] {
        let mut client = Side::client(client12());
        let mut server = Side::server(server);
        server.take(&client.sent()[0]).unwrap();
        let flight = server.sent();
        let sent: Vec<_> = flight.iter().map(|bytes| T(bytes[0])).collect();
        assert_eq!(
            sent,
            [
                T::SERVER_HELLO,
                T::CERTIFICATE,
                T::SERVER_KEY_EXCHANGE,
                T::SERVER_HELLO_DONE
            ]
        );
        assert_eq!(server.flight.flights, 1);
        for message in &flight {
            client.take(message).unwrap();
        }
        assert_eq!(client.flight.flights, 2);
        give(&client.sent(), &mut server);
        assert_eq!(server.status, Status::Done);
        assert_eq!(types(&mut server), [T::FINISHED]);
        assert_eq!(server.flight.flights, 2);
    }
}
