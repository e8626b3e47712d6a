//! Every step against every type of handshake message: accepted exactly where RFC 9846 lets it
//! come (Sections 2 and 4), refused as unexpected anywhere else.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::NamedGroup;

use crate::connection::event::{Answer, Wait};
use crate::handshake::Status;
use crate::messages::HandshakeType as T;
use crate::testing::{
    CERTIFICATE, Side, SlowChoice, SlowKey, Trust, certificate_request, certified_key,
    client_builder, message, server_builder, verified, with_request,
};
use crate::{CertifiedKey, ClientConfig, Error, PeerError};

/// Where a handshake stands when a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    ClientHelloSent,
    SecondClientHelloSent,
    ServerHelloReceived,
    EncryptedExtensionsReceived,
    CertificateRequestReceived,
    CertificateJudged,
    CertificateReceived,
    CertificateVerifyReceived,
    ServerStarted,
    RetrySent,
    CertificateChosen,
    Signing,
    ServerFinishedSent,
    ClientDone,
    ServerDone,
}

/// What may come where. The source is the RFC, not the code: Figure 1 of Section 2 for the order,
/// Section 4.4.2 for CertificateRequest, Section 4.2.4 for the second hellos. After the last
/// message of the handshake the connection judges, not the handshake.
const ORDER: [(Point, &[T]); 15] = [
    (Point::ClientHelloSent, &[T::SERVER_HELLO]),
    (Point::SecondClientHelloSent, &[T::SERVER_HELLO]),
    (Point::ServerHelloReceived, &[T::ENCRYPTED_EXTENSIONS]),
    (
        Point::EncryptedExtensionsReceived,
        &[T::CERTIFICATE_REQUEST, T::CERTIFICATE],
    ),
    (Point::CertificateRequestReceived, &[T::CERTIFICATE]),
    (Point::CertificateJudged, &[]),
    (Point::CertificateReceived, &[T::CERTIFICATE_VERIFY]),
    (Point::CertificateVerifyReceived, &[T::FINISHED]),
    (Point::ServerStarted, &[T::CLIENT_HELLO]),
    (Point::RetrySent, &[T::CLIENT_HELLO]),
    (Point::CertificateChosen, &[]),
    (Point::Signing, &[]),
    (Point::ServerFinishedSent, &[T::FINISHED]),
    (Point::ClientDone, &[]),
    (Point::ServerDone, &[]),
];

/// One side at some point, and messages that were really exchanged: those that come next for it
/// are among them.
struct Scene {
    side: Side,
    messages: Vec<Vec<u8>>,
}

impl Scene {
    /// A client that has received the first `count` of the server's messages.
    fn client(count: usize, request: bool, later: bool) -> Self {
        let trust = if later { Trust::Later } else { Trust::Now };
        let builder = ClientConfig::builder(&waxwing_aws_lc::PROVIDER, Arc::new(trust));
        let mut side = Side::client(builder);
        let mut server = Side::server(server_builder());
        let hello = side.sent();
        server.take(&hello[0]).unwrap();
        let mut flight = server.sent();
        let request_message = certificate_request(&[]);
        if request {
            let before = [hello[0].clone(), flight[0].clone()];
            let keys = &server.flight.keys[0];
            let rest = with_request(&before, &flight[1..], keys, request_message.clone());
            flight.splice(1.., rest);
        }
        for message in &flight[..count] {
            side.take(message).unwrap();
        }
        let mut messages = hello;
        messages.extend(flight);
        messages.push(request_message);
        messages.extend(side.sent());
        Self { side, messages }
    }

    /// Both sides after a HelloRetryRequest: the client has sent its second hello, the server
    /// has not received it.
    fn retried() -> (Self, Self) {
        let client = client_builder().groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
        let mut client = Side::client(client);
        let server = || server_builder().groups([NamedGroup::SECP256R1]);
        let mut waiting = Side::server(server());
        let mut complete = Side::server(server());
        let mut messages = client.sent();
        waiting.take(&messages[0]).unwrap();
        complete.take(&messages[0]).unwrap();
        let retry = waiting.sent();
        assert_eq!(retry, complete.sent());
        client.take(&retry[0]).unwrap();
        // The second hello stands before the first: it is the one to be accepted.
        messages.splice(0..0, client.sent());
        complete.take(&messages[0]).unwrap();
        let mut answer = complete.sent();
        // So does the ServerHello before the HelloRetryRequest.
        answer.extend(retry);
        messages.extend(answer);
        let client = Self {
            side: client,
            messages: messages.clone(),
        };
        let server = Self {
            side: waiting,
            messages,
        };
        (client, server)
    }

    fn server(builder: crate::ServerConfigBuilder) -> Self {
        let mut client = Side::client(client_builder());
        let mut side = Side::server(builder);
        let mut messages = client.sent();
        side.take(&messages[0]).unwrap();
        let mut partner = Side::server(server_builder());
        partner.take(&messages[0]).unwrap();
        messages.extend(partner.sent());
        // With the messages of a server that answers at once the client can finish.
        let flight = if side.status == Status::Message {
            side.sent()
        } else {
            messages[1..].to_vec()
        };
        for message in &flight {
            client.take(message).unwrap();
        }
        // The client's Finished stands before the server's: it is the one to be accepted.
        messages.splice(0..0, client.sent());
        Self { side, messages }
    }

    fn at(point: Point) -> Self {
        match point {
            Point::ClientHelloSent => Self::client(0, false, false),
            Point::SecondClientHelloSent => Self::retried().0,
            Point::ServerHelloReceived => Self::client(1, false, false),
            Point::EncryptedExtensionsReceived => Self::client(2, false, false),
            Point::CertificateRequestReceived => Self::client(3, true, false),
            Point::CertificateJudged => Self::client(3, false, true),
            Point::CertificateReceived => Self::client(3, false, false),
            Point::CertificateVerifyReceived => Self::client(4, false, false),
            Point::ClientDone => Self::client(5, false, false),
            Point::ServerStarted => {
                let mut scene = Self::client(0, false, false);
                scene.side = Side::server(server_builder());
                scene
            }
            Point::RetrySent => Self::retried().1,
            Point::CertificateChosen => {
                let provider = &waxwing_aws_lc::PROVIDER;
                Self::server(crate::ServerConfig::builder(provider, Arc::new(SlowChoice)))
            }
            Point::Signing => {
                let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(SlowKey));
                let provider = &waxwing_aws_lc::PROVIDER;
                Self::server(crate::ServerConfig::builder(
                    provider,
                    Arc::new(Arc::new(key)),
                ))
            }
            Point::ServerFinishedSent => Self::server(server_builder()),
            Point::ServerDone => {
                let mut scene = Self::server(server_builder());
                scene.side.take(&scene.messages[0]).unwrap();
                scene
            }
        }
    }
}

#[test]
fn the_points_are_what_they_are_called() {
    let status = |point| Scene::at(point).side.status;
    for (point, accepted) in ORDER {
        let expected = match point {
            Point::CertificateJudged => Status::Wait(Wait::Verdict),
            Point::CertificateChosen => Status::Wait(Wait::Certificate),
            Point::Signing => Status::Wait(Wait::Signature),
            Point::ClientDone | Point::ServerDone => Status::Done,
            _ => Status::Message,
        };
        assert_eq!(status(point), expected, "{point:?}");
        assert_eq!(expected == Status::Message, !accepted.is_empty());
    }
}

#[test]
fn every_type_at_every_point() {
    let unexpected = Err(PeerError::UnexpectedMessage.into());
    for (point, accepted) in ORDER {
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
            // An empty one is refused for what it is, not for its place.
            let error = Scene::at(point).side.take(&message(typ, &[])).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Decode(_) | Error::Peer(PeerError::BadFinished)
                ),
                "{typ} at {point:?}: {error:?}"
            );
        }
        // Refusing changed nothing: what belongs here is still taken.
        if let Some(next) = accepted.first() {
            let mut genuine = scene.messages.iter().filter(|bytes| bytes[0] == next.0);
            assert_eq!(
                scene.side.take(genuine.next().unwrap()),
                Ok(()),
                "{point:?}"
            );
        }
    }
}

#[test]
fn what_waits_for_an_answer_goes_on_with_it() {
    let mut scene = Scene::at(Point::CertificateJudged);
    scene.side.answer(Answer::Verdict(Ok(verified()))).unwrap();
    let later: Vec<_> = [T::CERTIFICATE_VERIFY, T::FINISHED]
        .map(|typ| scene.messages.iter().find(|bytes| bytes[0] == typ.0))
        .map(|found| found.unwrap().clone())
        .to_vec();
    for message in later {
        scene.side.take(&message).unwrap();
    }
    assert_eq!(scene.side.status, Status::Done);

    let mut scene = Scene::at(Point::CertificateChosen);
    let choice = Answer::Certificate(Some(certified_key()));
    scene.side.answer(choice).unwrap();
    assert_eq!(scene.side.status, Status::Message);
    let sent: Vec<_> = scene.side.sent().iter().map(|bytes| T(bytes[0])).collect();
    let flight = [
        T::SERVER_HELLO,
        T::ENCRYPTED_EXTENSIONS,
        T::CERTIFICATE,
        T::CERTIFICATE_VERIFY,
        T::FINISHED,
    ];
    assert_eq!(sent, flight);

    let mut scene = Scene::at(Point::Signing);
    scene
        .side
        .answer(Answer::Signature(Ok(vec![1, 2, 3])))
        .unwrap();
    assert_eq!(scene.side.status, Status::Message);
    let sent: Vec<_> = scene.side.sent().iter().map(|bytes| T(bytes[0])).collect();
    assert_eq!(sent, flight);
}
