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
use super::Stage;
use crate::connection::event::Event;
use crate::handshake::Handshake;
use crate::limits::{MAX_PLAINTEXT, RECORD_HEADER};
use crate::messages::HandshakeType;
use crate::record::stream::{Rx, Tx, TxFlight};
use crate::testing::{client_builder, message, name, server_builder};
use crate::{Buffer, Epoch, Error, RecordPadding};

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// A handshake, data both ways, key updates, and both sides close.
    Honest,
    /// The same after a HelloRetryRequest.
    Retried,
    /// The two have no group in common.
    NoGroup,
    /// One bit of the server's first protected record is wrong.
    Tampered,
    /// The client closes, without protection, instead of its Finished.
    GivesUp,
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
        let client = client_builder().groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
        let groups = match story {
            Story::Retried => NamedGroup::SECP256R1,
            Story::NoGroup => NamedGroup::SECP384R1,
            _ => NamedGroup::X25519,
        };
        let server = server_builder().groups([groups]);
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
        }
    }

    /// Carries everything both ways until nothing is left.
    fn settle(&mut self) {
        while !self.client.out.is_empty() || !self.server.out.is_empty() {
            let mut sent = self.client.out.as_slice().to_vec();
            self.client.out.clear();
            if self.story == Story::GivesUp && self.client.life.events.len() == 1 {
                sent.clear();
                let mut gone = Stage::client(client_builder(), server_builder());
                gone.connection.close(&mut gone.out);
                sent.extend_from_slice(gone.out.as_slice());
            }
            cut(&mut self.chunks, &sent, |chunk| self.server.take(chunk));
            let mut sent = self.server.out.as_slice().to_vec();
            self.server.out.clear();
            if self.story == Story::Tampered && !self.tampered {
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
            connection.update_key(first, out).unwrap();
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
        if matches!(self.story, Story::Honest | Story::Retried) {
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

/// Flips a bit in the first protected record, if there is one.
fn tamper(sent: &mut [u8]) -> bool {
    let mut at = 0;
    while let Some(header) = sent.get(at..at + RECORD_HEADER) {
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if header[0] == 23 {
            sent[at + RECORD_HEADER] ^= 1;
            return true;
        }
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
    for story in [Story::NoGroup, Story::Tampered, Story::GivesUp] {
        let (client, server) = uncut(story);
        assert!(
            client.error.is_some() || story == Story::GivesUp,
            "{story:?}"
        );
        assert!(server.error.is_some(), "{story:?}");
    }
}

fn any_story() -> impl Strategy<Value = Story> {
    prop::sample::select(vec![
        Story::Honest,
        Story::Retried,
        Story::NoGroup,
        Story::Tampered,
        Story::GivesUp,
    ])
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
