//! The steps of client authentication in TLS 1.3 against every type of handshake message, as
//! [`super::orders`] does it for the others.

use alloc::vec;
use alloc::vec::Vec;

use crate::connection::event::{Answer, Wait};
use crate::handshake::Status;
use crate::messages::HandshakeType as T;
use crate::testing::client_auth::{
    TrustClient, asking_server, choosing_client, known_client, slow_client,
};
use crate::testing::{Side, certified_key, client_builder, message, verified};
use crate::{Error, PeerError};

/// Where a handshake with a CertificateRequest stands when a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    CertificateRequestReceived,
    OurCertificateChosen,
    Signing,
    ClientDone,
    ServerFinishedSent,
    ClientJudged,
    ClientCertificateReceived,
    NoClientCertificateReceived,
    ClientCertificateVerifyReceived,
    ServerDone,
}

/// What may come where: RFC 9846, Figure 1 of Section 2, and Section 4.5.
const ORDER: [(Point, &[T]); 10] = [
    (Point::CertificateRequestReceived, &[T::CERTIFICATE]),
    (Point::OurCertificateChosen, &[]),
    (Point::Signing, &[]),
    (Point::ClientDone, &[]),
    (Point::ServerFinishedSent, &[T::CERTIFICATE]),
    (Point::ClientJudged, &[]),
    (Point::ClientCertificateReceived, &[T::CERTIFICATE_VERIFY]),
    (Point::NoClientCertificateReceived, &[T::FINISHED]),
    (Point::ClientCertificateVerifyReceived, &[T::FINISHED]),
    (Point::ServerDone, &[]),
];

/// A client, a server, and what each said so far.
struct Scene {
    client: Side,
    server: Side,
    from_client: Vec<Vec<u8>>,
    from_server: Vec<Vec<u8>>,
}

impl Scene {
    /// After the server's first flight, of which the client was given `count` messages.
    fn new(client: crate::ClientConfigBuilder, trust: TrustClient, count: usize) -> Self {
        let mut scene = Self {
            client: Side::client(client),
            server: Side::server(asking_server(trust)),
            from_client: Vec::new(),
            from_server: Vec::new(),
        };
        let hello = scene.client.sent();
        scene.server.take(&hello[0]).unwrap();
        scene.from_server = scene.server.sent();
        for message in &scene.from_server[..count] {
            scene.client.take(message).unwrap();
        }
        // The messages of the last flight stand before the hello.
        scene.from_client = scene.client.sent();
        scene.from_client.extend(hello);
        scene
    }

    /// The server was given `count` messages of the client's answer.
    fn answered(client: crate::ClientConfigBuilder, trust: TrustClient, count: usize) -> Self {
        let mut scene = Self::new(client, trust, 6);
        for message in &scene.from_client[..count] {
            scene.server.take(message).unwrap();
        }
        scene
    }

    fn at(point: Point) -> Self {
        let (now, later) = (TrustClient::Now, TrustClient::Later);
        match point {
            Point::CertificateRequestReceived => Self::new(known_client(), now, 3),
            Point::OurCertificateChosen => Self::new(choosing_client(), now, 6),
            Point::Signing => Self::new(slow_client(), now, 6),
            Point::ClientDone | Point::ServerFinishedSent => Self::new(known_client(), now, 6),
            Point::ClientJudged => Self::answered(known_client(), later, 1),
            Point::ClientCertificateReceived => Self::answered(known_client(), now, 1),
            Point::NoClientCertificateReceived => Self::answered(client_builder(), now, 1),
            Point::ClientCertificateVerifyReceived => Self::answered(known_client(), now, 2),
            Point::ServerDone => Self::answered(known_client(), now, 3),
        }
    }

    /// The side that the point is about.
    fn side(&mut self, point: Point) -> &mut Side {
        match point {
            Point::CertificateRequestReceived
            | Point::OurCertificateChosen
            | Point::Signing
            | Point::ClientDone => &mut self.client,
            _ => &mut self.server,
        }
    }

    /// A message of that type that was really sent.
    fn genuine(&self, typ: T) -> Option<&Vec<u8>> {
        let mut sent = self.from_client.iter().chain(&self.from_server);
        sent.find(|bytes| bytes[0] == typ.0)
    }

    /// Every message of that type that was sent, and two that were not.
    fn messages(&self, typ: T) -> Vec<Vec<u8>> {
        let sent = self.from_client.iter().chain(&self.from_server);
        let mut messages: Vec<_> = sent.filter(|bytes| bytes[0] == typ.0).cloned().collect();
        messages.push(message(typ, &[]));
        messages.push(message(typ, &[0; 40]));
        messages
    }
}

#[test]
fn the_points_are_what_they_are_called() {
    for (point, accepted) in ORDER {
        let mut scene = Scene::at(point);
        let expected = match point {
            Point::OurCertificateChosen => Status::Wait(Wait::Certificate),
            Point::Signing => Status::Wait(Wait::Signature),
            Point::ClientJudged => Status::Wait(Wait::Verdict),
            Point::ClientDone | Point::ServerDone => Status::Done,
            _ => Status::Message,
        };
        assert_eq!(scene.side(point).status, expected, "{point:?}");
        assert_eq!(expected == Status::Message, !accepted.is_empty());
    }
}

#[test]
fn every_type_at_every_point() {
    let unexpected = Err(PeerError::UnexpectedMessage.into());
    for (point, accepted) in ORDER {
        let mut scene = Scene::at(point);
        for typ in (0..=u8::MAX).map(T).filter(|typ| !accepted.contains(typ)) {
            for bytes in scene.messages(typ) {
                let result = scene.side(point).take(&bytes);
                assert_eq!(result, unexpected, "{typ} at {point:?}");
            }
        }
        for typ in accepted {
            // An empty one is refused for what it is, not for its place.
            let mut other = Scene::at(point);
            let error = other.side(point).take(&message(*typ, &[])).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Decode(_) | Error::Peer(PeerError::BadFinished)
                ),
                "{typ} at {point:?}: {error:?}"
            );
            // Refusing changed nothing: what belongs here is still taken.
            let genuine = if point == Point::CertificateRequestReceived {
                scene.from_server[3].clone()
            } else {
                scene.genuine(*typ).unwrap().clone()
            };
            assert_eq!(scene.side(point).take(&genuine), Ok(()), "{point:?}");
        }
    }
}

#[test]
fn what_waits_for_an_answer_goes_on_with_it() {
    let all = [T::CERTIFICATE, T::CERTIFICATE_VERIFY, T::FINISHED];
    for (point, answer, sent) in [
        (
            Point::OurCertificateChosen,
            Answer::Certificate(Some(certified_key())),
            &all[..],
        ),
        (
            Point::OurCertificateChosen,
            Answer::Certificate(None),
            &[T::CERTIFICATE, T::FINISHED],
        ),
        (
            Point::Signing,
            Answer::Signature(Ok(vec![1, 2, 3])),
            &all[1..],
        ),
    ] {
        let mut scene = Scene::at(point);
        scene.client.answer(answer).unwrap();
        assert_eq!(scene.client.status, Status::Done);
        let found: Vec<_> = scene
            .client
            .sent()
            .iter()
            .map(|bytes| T(bytes[0]))
            .collect();
        assert_eq!(found, sent);
        assert_eq!(scene.client.read.len(), 2);
    }

    let mut scene = Scene::at(Point::ClientJudged);
    scene
        .server
        .answer(Answer::Verdict(Ok(verified())))
        .unwrap();
    for message in &scene.from_client[1..3] {
        assert_eq!(scene.server.status, Status::Message);
        scene.server.take(message).unwrap();
    }
    assert_eq!(scene.server.status, Status::Done);
}
