//! However the bytes are cut on their way, the same happens: chunks of the transport, fragments
//! of messages over records, messages together in a record.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use waxwing_crypto::NamedGroup;

use super::super::establish::Establishing;
use super::super::halves::Role;
use super::super::{Connection, State};
use super::{Stage, plain};
use crate::connection::event::Event;
use crate::error::Misuse;
use crate::handshake::Handshake;
use crate::limits::{MAX_PLAINTEXT, RECORD_HEADER};
use crate::messages::HandshakeType;
use crate::record::stream::{Rx, Tx, TxFlight};
use crate::testing::tls12::{asking_server12, known_client12};
use crate::testing::{client_builder, message, name, server_builder};
use crate::{Buffer, Epoch, Error, RecordPadding};

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// A handshake, data both ways, key updates (in TLS 1.3), and both sides close.
    Honest,
    /// The same after a HelloRetryRequest.
    Retried,
    /// The two have no group in common.
    NoGroup,
    /// One bit of the server's first protected record is wrong.
    Tampered,
    /// The client closes, without protection, instead of its Finished.
    GivesUp,
    /// As Honest, in TLS 1.2, with a certificate of the client.
    Honest12,
    /// As Tampered, in TLS 1.2.
    Tampered12,
    /// As GivesUp, in TLS 1.2: instead of its whole second flight.
    GivesUp12,
}

impl Story {
    const ALL: [Self; 8] = [
        Self::Honest,
        Self::Retried,
        Self::NoGroup,
        Self::Tampered,
        Self::GivesUp,
        Self::Honest12,
        Self::Tampered12,
        Self::GivesUp12,
    ];

    const fn ends_well(self) -> bool {
        matches!(self, Self::Honest | Self::Retried | Self::Honest12)
    }

    const fn is_tls12(self) -> bool {
        matches!(self, Self::Honest12 | Self::Tampered12 | Self::GivesUp12)
    }
}

/// All that one side lived through. Parts of application data are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Life {
    events: Vec<Event>,
    received: Vec<u8>,
    error: Option<Error>,
}

struct End {
    connection: Connection,
    input: Vec<u8>,
    out: Buffer,
    life: Life,
}

impl End {
    /// Takes a chunk and processes it to the end.
    fn take(&mut self, chunk: &[u8]) {
        self.input.extend_from_slice(chunk);
        while self.life.error.is_none() {
            let result = self.connection.process(&mut self.input, &mut self.out);
            let progress = match result {
                Ok(progress) => progress,
                Err(error) => {
                    self.life.error = Some(error);
                    return;
                }
            };
            if let Event::AppData(range) = &progress.event {
                self.life.received.extend(&self.input[range.clone()]);
            }
            self.input.drain(..progress.consumed);
            match progress.event {
                Event::NeedInput(hint) => return self.check_hint(hint),
                Event::AppData(_) => {}
                Event::PeerClosed => {
                    if self.life.events.last() != Some(&Event::PeerClosed) {
                        self.life.events.push(Event::PeerClosed);
                    }
                    return;
                }
                event => self.life.events.push(event),
            }
        }
    }

    /// The hint completes the header or the record, and goes no further.
    fn check_hint(&self, hint: usize) {
        let end = match self.input.get(..RECORD_HEADER) {
            Some(header) => RECORD_HEADER + usize::from(u16::from_be_bytes([header[3], header[4]])),
            None => RECORD_HEADER,
        };
        assert_eq!(self.input.len() + hint, end);
        assert!(hint > 0);
    }
}

/// Two ends that cut their messages into fragments of this size, and a wire that cuts bytes
/// into chunks of these sizes, over and over.
struct Wire<'a> {
    client: End,
    server: End,
    story: Story,
    chunks: core::iter::Cycle<core::slice::Iter<'a, usize>>,
    /// Whether the bit is flipped already.
    tampered: bool,
    /// How often the client sent something.
    turns: usize,
}

fn end(handshake: Handshake, mut tx: Tx, out: Buffer, fragment: usize, role: Role) -> End {
    tx.max_fragment = fragment;
    let establishing = Establishing::new(handshake, Rx::new(), tx, RecordPadding::None);
    End {
        connection: Connection {
            state: State::Handshake(Box::new(establishing)),
            role,
        },
        input: Vec::new(),
        out,
        life: Life::default(),
    }
}

impl<'a> Wire<'a> {
    fn new(story: Story, fragment: usize, chunks: &'a [usize]) -> Self {
        let (client, server) = if story.is_tls12() {
            (known_client12(), asking_server12(true))
        } else {
            (client_builder(), server_builder())
        };
        let client = client.groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
        let groups = match story {
            Story::Retried => NamedGroup::SECP256R1,
            Story::NoGroup => NamedGroup::SECP384R1,
            _ => NamedGroup::X25519,
        };
        let server = server.groups([groups]);
        let (mut tx, mut out) = (Tx::new(), Buffer::new());
        tx.first_hello = true;
        tx.max_fragment = fragment;
        let mut flight = TxFlight {
            tx: &mut tx,
            out: &mut out,
        };
        let handshake = Handshake::client(client.build().unwrap(), name(), &mut flight);
        let client = end(handshake.unwrap(), tx, out, fragment, Role::Client);
        let handshake = Handshake::server(server.build().unwrap());
        let server = end(handshake, Tx::new(), Buffer::new(), fragment, Role::Server);
        Self {
            client,
            server,
            story,
            chunks: chunks.iter().cycle(),
            tampered: false,
            turns: 0,
        }
    }

    /// Carries everything both ways until nothing is left.
    fn settle(&mut self) {
        while !self.client.out.is_empty() || !self.server.out.is_empty() {
            let mut sent = self.client.out.as_slice().to_vec();
            self.client.out.clear();
            if matches!(self.story, Story::GivesUp | Story::GivesUp12) && self.turns == 1 {
                sent.clear();
                let mut gone = Stage::client(client_builder(), server_builder());
                gone.connection.close(&mut gone.out);
                sent.extend_from_slice(gone.out.as_slice());
            }
            self.turns += 1;
            cut(&mut self.chunks, &sent, |chunk| self.server.take(chunk));
            let mut sent = self.server.out.as_slice().to_vec();
            self.server.out.clear();
            if matches!(self.story, Story::Tampered | Story::Tampered12) && !self.tampered {
                self.tampered = tamper(&mut sent);
            }
            cut(&mut self.chunks, &sent, |chunk| self.client.take(chunk));
        }
    }

    /// What follows the handshake, if it succeeded.
    fn talk(&mut self) {
        let big: Vec<u8> = (0..40_000u32).map(|i| (i % 251) as u8).collect();
        for (from, first) in [(&mut self.client, true), (&mut self.server, false)] {
            let End {
                connection, out, ..
            } = from;
            connection.write(&[&big, b"", b"tail"], out).unwrap();
            let updated = connection.update_key(first, out);
            let expected = if self.story.is_tls12() {
                Err(Misuse::NoKeyUpdate.into())
            } else {
                Ok(())
            };
            assert_eq!(updated, expected);
            connection.write(&[b"after"], out).unwrap();
        }
        self.settle();
        self.client.connection.close(&mut self.client.out);
        self.settle();
        self.server.connection.close(&mut self.server.out);
        self.settle();
    }

    fn run(mut self) -> (Life, Life) {
        self.settle();
        if self.story.ends_well() {
            self.talk();
        }
        (self.client.life, self.server.life)
    }
}

fn cut<'a>(
    sizes: &mut impl Iterator<Item = &'a usize>,
    mut bytes: &[u8],
    mut take: impl FnMut(&[u8]),
) {
    while !bytes.is_empty() {
        let size = sizes.next().unwrap();
        let (chunk, rest) = bytes.split_at(bytes.len().min(*size));
        take(chunk);
        bytes = rest;
    }
}

/// Flips a bit in the first protected record, if there is one: the first that looks like data, or
/// that follows the change_cipher_spec of TLS 1.2.
fn tamper(sent: &mut [u8]) -> bool {
    let mut at = 0;
    let mut changed = false;
    while let Some(header) = sent.get(at..at + RECORD_HEADER) {
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if header[0] == 23 || changed && header[0] == 22 {
            sent[at + RECORD_HEADER] ^= 1;
            return true;
        }
        changed = header[0] == 20;
        at += RECORD_HEADER + len;
    }
    false
}

fn uncut(story: Story) -> (Life, Life) {
    Wire::new(story, MAX_PLAINTEXT, &[usize::MAX]).run()
}

#[test]
fn the_stories_are_what_they_are_called() {
    let (client, server) = uncut(Story::Honest);
    assert_eq!(client.events, [Event::HandshakeComplete, Event::PeerClosed]);
    assert_eq!(client, server);
    assert_eq!((client.received.len(), client.error), (40_009, None));
    assert_eq!(uncut(Story::Retried), uncut(Story::Honest));
    assert_eq!(uncut(Story::Honest12), uncut(Story::Honest));
    for story in Story::ALL.into_iter().filter(|story| !story.ends_well()) {
        let (client, server) = uncut(story);
        let given_up = matches!(story, Story::GivesUp | Story::GivesUp12);
        assert!(client.error.is_some() || given_up, "{story:?}");
        assert!(server.error.is_some(), "{story:?}");
    }
}

#[test]
fn single_bytes_are_the_same() {
    for story in Story::ALL {
        let bytes = Wire::new(story, MAX_PLAINTEXT, &[1]).run();
        assert_eq!(bytes, uncut(story), "{story:?}");
    }
}

fn any_story() -> impl Strategy<Value = Story> {
    prop::sample::select(Story::ALL.to_vec())
}

fn any_size() -> impl Strategy<Value = usize> {
    prop_oneof![1..8usize, 1..700usize, 1..=65_536usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_cut_is_the_same(
        story in any_story(),
        chunks in prop::collection::vec(any_size(), 1..24),
    ) {
        let cut = Wire::new(story, MAX_PLAINTEXT, &chunks).run();
        prop_assert_eq!(cut, uncut(story));
    }

    #[test]
    fn any_fragment_size_is_the_same(
        story in any_story(),
        fragment in prop_oneof![1..64usize, 1..=MAX_PLAINTEXT],
        chunks in prop::collection::vec(any_size(), 1..8),
    ) {
        let cut = Wire::new(story, fragment, &chunks).run();
        prop_assert_eq!(cut, uncut(story));
    }

    /// The server's messages under one key are one stream, cut into records anywhere.
    #[test]
    fn messages_share_and_cross_records(
        hello_cuts in prop::collection::vec(1..100usize, 0..5),
        cuts in prop::collection::vec(1..400usize, 0..30),
        tickets in 0..5usize,
        late_cuts in prop::collection::vec(1..50usize, 0..20),
    ) {
        let mut stage = Stage::client(client_builder(), server_builder());
        let sent = core::mem::take(&mut stage.puppet.side.flight.sent);
        let flight: Vec<u8> = sent[1..].iter().flat_map(|(_, b)| b.clone()).collect();
        let ticket = [&[0; 8][..], &[0], &[0, 3, 7, 7, 7], &[0, 0]].concat();
        let ticket = message(HandshakeType::NEW_SESSION_TICKET, &ticket);
        let late = [ticket.repeat(tickets), super::KEY_UPDATE.to_vec()].concat();
        let mut input = Vec::new();
        for (epoch, stream, cuts) in [
            (Epoch::Initial, &sent[0].1, hello_cuts),
            (Epoch::Handshake, &flight, cuts),
            (Epoch::Application, &late, late_cuts),
        ] {
            let mut rest = stream.as_slice();
            for size in cuts.into_iter().chain([usize::MAX]) {
                let (part, left) = rest.split_at(rest.len().min(size));
                rest = left;
                if !part.is_empty() {
                    input.extend(stage.puppet.sealed(epoch, 22, part));
                }
            }
        }
        stage.puppet.application.as_mut().unwrap().update().unwrap();
        input.extend(stage.protected(23, b"data"));
        let events = stage.give(&input).unwrap();
        prop_assert!(matches!(events[..], [Event::HandshakeComplete, Event::AppData(_)]));
    }

    /// The same in TLS 1.2, for a client and for a server that asks for a certificate.
    #[test]
    fn messages_of_tls12_share_and_cross_records(
        client: bool,
        cuts in prop::collection::vec(1..400usize, 0..30),
        late_cuts in prop::collection::vec(1..20usize, 0..6),
    ) {
        let mut stage = if client {
            Stage::client(known_client12(), asking_server12(true))
        } else {
            let mut stage = Stage::server(asking_server12(true), known_client12());
            stage.give_messages(1);
            stage
        };
        for (last, cuts) in [(false, cuts), (true, late_cuts)] {
            let sent = &mut stage.puppet.side.flight.sent;
            let (late, early): (Vec<_>, Vec<_>) =
                sent.drain(..).partition(|(epoch, _)| *epoch == Epoch::Application);
            sent.extend(late);
            let now = if last { core::mem::take(sent) } else { early };
            let epoch = now[0].0;
            let stream: Vec<u8> = now.into_iter().flat_map(|(_, bytes)| bytes).collect();
            let mut input = if last { plain(20, &[1]) } else { Vec::new() };
            let mut rest = stream.as_slice();
            for size in cuts.into_iter().chain([usize::MAX]) {
                let (part, left) = rest.split_at(rest.len().min(size));
                rest = left;
                if !part.is_empty() {
                    input.extend(stage.puppet.sealed(epoch, 22, part));
                }
            }
            let events = stage.give(&input).unwrap();
            prop_assert_eq!(events, vec![Event::HandshakeComplete; usize::from(last)]);
            stage.deliver();
        }
    }

    /// Reading just what the hints ask for never takes a byte that follows close_notify.
    #[test]
    fn hints_stop_at_the_end(data in prop::collection::vec(1..5000usize, 0..6)) {
        let mut stage = Stage::established(true);
        let mut wire = Vec::new();
        for len in data {
            wire.extend(stage.protected(23, &vec![7; len]));
        }
        wire.extend(stage.protected(21, &[1, 0]));
        let behind = b"not TLS any more";
        wire.extend(behind);
        let mut input = Vec::new();
        let mut wire = wire.as_slice();
        loop {
            let progress = stage.connection.process(&mut input, &mut stage.out).unwrap();
            input.drain(..progress.consumed);
            match progress.event {
                Event::NeedInput(hint) => {
                    let (read, rest) = wire.split_at(hint);
                    input.extend_from_slice(read);
                    wire = rest;
                }
                Event::PeerClosed => break,
                _ => {}
            }
        }
        prop_assert_eq!((input.len(), wire), (0, &behind[..]));
    }
}
