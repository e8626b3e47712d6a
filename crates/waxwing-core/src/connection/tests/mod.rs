//! A real connection against a puppet: a peer whose every record the test writes.

mod answers;
mod bad_input;
mod cuts;
mod early_data;
mod established;
mod exported;
mod failures;
mod post_handshake;
mod records;
mod records12;
mod refused;
mod rfc8448;

use alloc::vec;
use alloc::vec::Vec;

use super::Connection;
use super::event::{Event, Progress};
use crate::messages::HandshakeType;
use crate::record::protect::SealKey;
use crate::record::stream::{Opened, Rx};
use crate::record::{ContentType, Epoch};
use crate::testing::tls12::{client12, server12};
use crate::testing::{Side, client_builder, name, server_builder};
use crate::{Buffer, ClientConfigBuilder, Error, ServerConfigBuilder};

/// One plaintext record.
fn plain(typ: u8, content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u16).to_be_bytes();
    [&[typ, 3, 3], len.as_slice(), content].concat()
}

/// The peer of a connection: a handshake of its own, and the keys to say anything at all.
struct Puppet {
    side: Side,
    rx: Rx,
    handshake: Option<SealKey>,
    application: Option<SealKey>,
    /// Whether it sent its change_cipher_spec of TLS 1.2.
    changed: bool,
}

impl Puppet {
    fn new(side: Side) -> Self {
        Self {
            side,
            rx: Rx::new(),
            handshake: None,
            application: None,
            changed: false,
        }
    }

    fn seal_key(&mut self, epoch: Epoch) -> &mut SealKey {
        let place = match epoch {
            Epoch::Handshake => &mut self.handshake,
            _ => &mut self.application,
        };
        let flight = &self.side.flight;
        let keys = flight.keys.iter().find(|keys| keys.epoch == epoch);
        place.get_or_insert_with(|| match &flight.keys12 {
            Some(keys) => SealKey::new12(keys).unwrap(),
            None => SealKey::new(keys.unwrap()).unwrap(),
        })
    }

    /// One record as the peer protects it at that level.
    fn sealed(&mut self, epoch: Epoch, typ: u8, content: &[u8]) -> Vec<u8> {
        if epoch == Epoch::Initial {
            return plain(typ, content);
        }
        let mut out = Buffer::new();
        let key = self.seal_key(epoch);
        key.seal(ContentType(typ), content, 0, &mut out).unwrap();
        out.as_slice().to_vec()
    }

    /// The next messages that its handshake has to say, each in a record of its own. Before the
    /// first one under the keys of TLS 1.2 stands the change_cipher_spec.
    fn records(&mut self, most: usize) -> Vec<Vec<u8>> {
        let sent = &mut self.side.flight.sent;
        let sent: Vec<_> = sent.drain(..most.min(sent.len())).collect();
        let seal = |(epoch, bytes): (Epoch, Vec<u8>)| {
            let record = self.sealed(epoch, 22, &bytes);
            let change = self.side.is_tls12() && epoch == Epoch::Application && !self.changed;
            self.changed |= change;
            let change = if change { plain(20, &[1]) } else { Vec::new() };
            [change, record].concat()
        };
        sent.into_iter().map(seal).collect()
    }

    /// The records in `input`; messages of the handshake are taken, the others returned.
    fn receive(&mut self, input: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut input = input.to_vec();
        let mut rest = input.as_mut_slice();
        let mut others = Vec::new();
        while !rest.is_empty() {
            let opened = self.rx.open(rest).unwrap();
            let Opened::Record {
                content_type,
                body,
                consumed,
            } = opened
            else {
                panic!("{opened:?}");
            };
            let mut content = &rest[body];
            if content_type != ContentType::HANDSHAKE {
                others.push((content_type.0, content.to_vec()));
            }
            if content_type == ContentType::CHANGE_CIPHER_SPEC && self.side.is_tls12() {
                self.side.take_change_cipher_spec().unwrap();
                let keys = self.side.read12.as_ref().unwrap();
                self.rx.change_keys(keys).unwrap();
            }
            while content_type == ContentType::HANDSHAKE
                && let Some(message) = self.rx.joiner.take(&mut content).unwrap()
            {
                let installed = self.side.read.len();
                self.side.take(message.bytes).unwrap();
                self.rx.joiner.done();
                for keys in &self.side.read[installed..] {
                    self.rx.install(keys).unwrap();
                }
            }
            rest = &mut rest[consumed..];
        }
        others
    }
}

/// A connection and its puppet.
struct Stage {
    connection: Connection,
    out: Buffer,
    puppet: Puppet,
}

impl Stage {
    fn client(builder: ClientConfigBuilder, peer: ServerConfigBuilder) -> Self {
        let mut out = Buffer::new();
        let config = builder.build().unwrap();
        let mut stage = Self {
            connection: Connection::client(config, name(), &mut out).unwrap(),
            out,
            puppet: Puppet::new(Side::server(peer)),
        };
        stage.deliver();
        stage
    }

    fn server(builder: ServerConfigBuilder, peer: ClientConfigBuilder) -> Self {
        Self {
            connection: Connection::server(builder.build().unwrap()),
            out: Buffer::new(),
            puppet: Puppet::new(Side::client(peer)),
        }
    }

    /// Brings what the connection sent to the puppet; returns all but handshake records.
    fn deliver(&mut self) -> Vec<(u8, Vec<u8>)> {
        let others = self.puppet.receive(self.out.as_slice());
        self.out.clear();
        others
    }

    /// Gives the connection all of `input`; returns what happened until it needs more, or has
    /// to wait.
    fn give(&mut self, input: &[u8]) -> Result<Vec<Event>, Error> {
        let mut input = input.to_vec();
        let mut events = vec![];
        loop {
            let Progress { consumed, event } =
                self.connection.process(&mut input, &mut self.out)?;
            input.drain(..consumed);
            match event {
                Event::NeedInput(_) => {
                    assert!(input.is_empty(), "a part of a record was left");
                    return Ok(events);
                }
                Event::Wait(_) | Event::PeerClosed => {
                    events.push(event);
                    return Ok(events);
                }
                event => events.push(event),
            }
        }
    }

    /// Gives one record that must fail, and checks that the peer hears of it.
    fn refuse(&mut self, input: &[u8]) -> Error {
        self.deliver();
        let error = self.give(input).unwrap_err();
        let mut told = self.deliver();
        // The change_cipher_spec of compatibility mode may come before it.
        told.retain(|(typ, _)| *typ != 20);
        let alert = error.alert().map(|alert| (21, vec![2, alert.0]));
        assert_eq!(told, alert.into_iter().collect::<Vec<_>>(), "{error:?}");
        assert_eq!(self.give(&[]), Err(error.clone()), "errors are final");
        assert!(self.out.is_empty());
        error
    }

    /// Lets the two shake hands until `count` messages of the puppet were given.
    fn give_messages(&mut self, count: usize) {
        let mut given = 0;
        while given < count {
            let records = self.puppet.records(count - given);
            assert!(!records.is_empty(), "the puppet has nothing to say");
            for record in records {
                self.give(&record).unwrap();
                given += 1;
            }
            self.deliver();
        }
    }

    /// A client (or server) with its handshake behind it.
    fn established(client: bool) -> Self {
        let mut stage = if client {
            Self::client(client_builder(), server_builder())
        } else {
            Self::server(server_builder(), client_builder())
        };
        stage.give_messages(if client { 5 } else { 2 });
        assert!(!stage.connection.is_handshaking());
        stage
    }

    /// The same in TLS 1.2.
    fn established12(client: bool) -> Self {
        let mut stage = if client {
            Self::client(client12(), server12())
        } else {
            Self::server(server12(), client12())
        };
        stage.give_messages(if client { 5 } else { 3 });
        assert!(!stage.connection.is_handshaking());
        stage
    }

    /// A record of the established puppet.
    fn protected(&mut self, typ: u8, content: &[u8]) -> Vec<u8> {
        self.puppet.sealed(Epoch::Application, typ, content)
    }
}

const KEY_UPDATE: [u8; 5] = [HandshakeType::KEY_UPDATE.0, 0, 0, 1, 0];
