//! The steps of a handshake that rests on a PSK, with early data and without, against every type of
//! handshake message, as [`super::orders`] does it for the others.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::connection::event::{Answer, Wait};
use crate::connection::info::EarlyDataStatus;
use crate::handshake::Status;
use crate::messages::HandshakeType as T;
use crate::testing::psk::{Guard, MAX_EARLY_DATA, SlowKeys, World, shared_key};
use crate::testing::sessions::MemorySessions;
use crate::testing::{Side, client_builder, message, server_builder};
use crate::{ClientConfigBuilder, Error, PeerError, ServerConfigBuilder};

/// Where such a handshake stands when a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    ClientHelloSent,
    ServerHelloReceived,
    EncryptedExtensionsReceived,
    ClientDone,
    SessionAsked,
    KeyAsked,
    FirstUseAsked,
    ServerFinishedSent,
    EarlyDataRejected,
    EarlyDataAccepted,
    EarlyDataEnded,
    ServerDone,
}

/// What may come where: RFC 9846, Figures 3 and 4 of Section 2. No certificate comes with a PSK, and
/// EndOfEarlyData exactly where early data was accepted (Section 4.6).
const ORDER: [(Point, &[T]); 12] = [
    (Point::ClientHelloSent, &[T::SERVER_HELLO]),
    (Point::ServerHelloReceived, &[T::ENCRYPTED_EXTENSIONS]),
    (Point::EncryptedExtensionsReceived, &[T::FINISHED]),
    (Point::ClientDone, &[]),
    (Point::SessionAsked, &[]),
    (Point::KeyAsked, &[]),
    (Point::FirstUseAsked, &[]),
    (Point::ServerFinishedSent, &[T::FINISHED]),
    (Point::EarlyDataRejected, &[T::FINISHED]),
    (Point::EarlyDataAccepted, &[T::END_OF_EARLY_DATA]),
    (Point::EarlyDataEnded, &[T::FINISHED]),
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
    /// After the server's flight, of which the client was given `count` messages; after that the
    /// server was given `answered` of the client's.
    fn new(
        client: ClientConfigBuilder,
        server: ServerConfigBuilder,
        count: usize,
        answered: usize,
    ) -> Self {
        let mut scene = Self {
            client: Side::client(client),
            server: Side::server(server),
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
        for message in &scene.from_client[..answered] {
            scene.server.take(message).unwrap();
        }
        scene
    }

    /// Of a session.
    fn resumed(count: usize, answered: usize) -> Self {
        let world = World::new();
        let client = world.client(client_builder());
        Self::new(client, world.server(), count, answered)
    }

    /// Of a session, with early data.
    fn early(guard: Guard, count: usize, answered: usize) -> Self {
        let world = World::new();
        let client = world.client(client_builder()).early_data(true);
        let server = world.server().early_data(MAX_EARLY_DATA, Arc::new(guard));
        Self::new(client, server, count, answered)
    }

    fn at(point: Point) -> Self {
        match point {
            Point::ClientHelloSent => Self::resumed(0, 0),
            Point::ServerHelloReceived => Self::resumed(1, 0),
            Point::EncryptedExtensionsReceived => Self::resumed(2, 0),
            Point::ClientDone | Point::ServerFinishedSent => Self::resumed(3, 0),
            Point::SessionAsked => {
                let world = World::with(MemorySessions::slow());
                let client = world.client(client_builder());
                Self::new(client, world.server(), 0, 0)
            }
            Point::KeyAsked => {
                let client = client_builder().external_psks([shared_key()]);
                let server = server_builder().external_psks(Arc::new(SlowKeys));
                Self::new(client, server, 0, 0)
            }
            Point::FirstUseAsked => Self::early(Guard::Later, 0, 0),
            Point::EarlyDataRejected => Self::early(Guard::No, 3, 0),
            Point::EarlyDataAccepted => Self::early(Guard::Yes, 3, 0),
            Point::EarlyDataEnded => Self::early(Guard::Yes, 3, 1),
            Point::ServerDone => Self::early(Guard::Yes, 3, 2),
        }
    }

    /// The side that the point is about.
    fn side(&mut self, point: Point) -> &mut Side {
        match point {
            Point::ClientHelloSent
            | Point::ServerHelloReceived
            | Point::EncryptedExtensionsReceived
            | Point::ClientDone => &mut self.client,
            _ => &mut self.server,
        }
    }

    /// A message of that type that was really sent to this side.
    fn genuine(&self, typ: T, point: Point) -> Vec<u8> {
        let (first, second) = match point {
            Point::ClientHelloSent
            | Point::ServerHelloReceived
            | Point::EncryptedExtensionsReceived
            | Point::ClientDone => (&self.from_server, &self.from_client),
            _ => (&self.from_client, &self.from_server),
        };
        let mut sent = first.iter().chain(second);
        sent.find(|bytes| bytes[0] == typ.0).unwrap().clone()
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

fn types(messages: &[Vec<u8>]) -> Vec<T> {
    messages.iter().map(|bytes| T(bytes[0])).collect()
}

#[test]
fn the_points_are_what_they_are_called() {
    for (point, accepted) in ORDER {
        let mut scene = Scene::at(point);
        let expected = match point {
            Point::SessionAsked => Status::Wait(Wait::Session),
            Point::KeyAsked => Status::Wait(Wait::Psk),
            Point::FirstUseAsked => Status::Wait(Wait::FirstUse),
            Point::ClientDone | Point::ServerDone => Status::Done,
            _ => Status::Message,
        };
        assert_eq!(scene.side(point).status, expected, "{point:?}");
        assert_eq!(expected == Status::Message, !accepted.is_empty());
        let early_data = match point {
            Point::EarlyDataRejected => EarlyDataStatus::Rejected,
            Point::EarlyDataAccepted | Point::EarlyDataEnded | Point::ServerDone => {
                EarlyDataStatus::Accepted
            }
            _ => continue,
        };
        let info = &scene.side(point).handshake.cx.info;
        assert_eq!(info.early_data, early_data, "{point:?}");
    }
}

#[test]
fn the_flights_are_those_of_the_figures() {
    let short = [T::SERVER_HELLO, T::ENCRYPTED_EXTENSIONS, T::FINISHED];
    for (point, last) in [
        (Point::ClientDone, &[T::FINISHED, T::CLIENT_HELLO][..]),
        (Point::EarlyDataRejected, &[T::FINISHED, T::CLIENT_HELLO]),
        (
            Point::EarlyDataAccepted,
            &[T::END_OF_EARLY_DATA, T::FINISHED, T::CLIENT_HELLO],
        ),
    ] {
        let scene = Scene::at(point);
        assert_eq!(types(&scene.from_server), short, "{point:?}");
        assert_eq!(types(&scene.from_client), last, "{point:?}");
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
            // One of another length is refused for what it is, not for its place.
            let body: &[u8] = if *typ == T::END_OF_EARLY_DATA {
                &[0]
            } else {
                &[]
            };
            let mut other = Scene::at(point);
            let error = other.side(point).take(&message(*typ, body)).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Decode(_) | Error::Peer(PeerError::BadFinished)
                ),
                "{typ} at {point:?}: {error:?}"
            );
            // Refusing changed nothing: what belongs here is still taken.
            let genuine = scene.genuine(*typ, point);
            assert_eq!(scene.side(point).take(&genuine), Ok(()), "{point:?}");
        }
    }
}

#[test]
fn what_waits_for_an_answer_goes_on_with_it() {
    let session = |scene: &Scene| {
        let Some(crate::Question::Session { handle, .. }) = scene.server.handshake.question()
        else {
            panic!("no session is asked for");
        };
        handle.to_vec()
    };
    let short = [T::SERVER_HELLO, T::ENCRYPTED_EXTENSIONS, T::FINISHED];
    let full = [
        T::SERVER_HELLO,
        T::ENCRYPTED_EXTENSIONS,
        T::CERTIFICATE,
        T::CERTIFICATE_VERIFY,
        T::FINISHED,
    ];
    for (point, good, flight) in [
        (Point::SessionAsked, true, &short[..]),
        (Point::SessionAsked, false, &full),
        (Point::KeyAsked, true, &short),
        (Point::KeyAsked, false, &full),
        (Point::FirstUseAsked, true, &short),
        (Point::FirstUseAsked, false, &short),
    ] {
        let mut scene = Scene::at(point);
        let answer = match point {
            Point::SessionAsked if good => {
                let handle = session(&scene);
                let world = World::with(MemorySessions::slow());
                Answer::Session(world.theirs.look(&handle))
            }
            Point::SessionAsked => Answer::Session(None),
            Point::KeyAsked => Answer::Psk(good.then(shared_key)),
            _ => Answer::FirstUse(good),
        };
        scene.server.answer(answer).unwrap();
        let sent = scene.server.sent();
        assert_eq!(types(&sent), flight, "{point:?} {good}");
        for message in &sent {
            scene.client.take(message).unwrap();
        }
        for message in scene.client.sent() {
            assert_eq!(scene.server.status, Status::Message);
            scene.server.take(&message).unwrap();
        }
        assert_eq!(scene.server.status, Status::Done, "{point:?} {good}");
    }
}
