//! An established pair: records of one side, damaged, reach the other.

use std::sync::Arc;

use waxwing_core::{Buffer, Connection, Event};

use super::driven::Driven;
use super::pair::{self, Records};
use super::puppet::Secrets;
use super::script::Script;
use super::session::{answers, client_config, server_config};
use super::wire::{record, records, sealed, sealed12};
use crate::fake;

/// Feeds damaged records to an established engine, or raw bytes to a fresh one.
pub fn run(data: &[u8]) {
    let script = &mut Script::new(data);
    match script.byte() % 8 {
        0 => raw_client(script),
        1 => raw_server(script),
        choice => Wire::new(choice, script).play(script),
    }
}

fn raw_client(script: &mut Script<'_>) {
    fake::seed_random(0);
    let config = client_config(0xff, 0, Arc::new(Secrets::default()));
    let mut out = Buffer::new();
    let name = "server.example".parse().expect("a name");
    let connection = Connection::client(config, name, &mut out).expect("a client");
    let cut = usize::from(script.byte());
    Driven::new(connection, out, answers(0, false)).feed(script.rest(), cut);
}

fn raw_server(script: &mut Script<'_>) {
    fake::seed_random(0);
    let config = server_config(0xff, 0, Arc::new(Secrets::default()));
    let connection = Connection::server(config);
    let cut = usize::from(script.byte());
    Driven::new(connection, Buffer::new(), answers(0, false)).feed(script.rest(), cut);
}

/// Bytes that one record is repeated up to, give or take its length.
const MOST_FLYING: usize = 1 << 16;

/// A sender, a receiver, and what is on its way between them.
struct Wire {
    sender: Driven,
    receiver: Driven,
    /// Whole records, unless the script damaged them.
    flying: Vec<Vec<u8>>,
    /// Bytes of the sender's output that are or were flying.
    taken: usize,
    /// Everything given to the sender.
    plain: Vec<u8>,
    /// Whether the suite in use protects anything.
    keyed: bool,
    tls12: bool,
    cut: usize,
}

impl Wire {
    fn new(choice: u8, script: &mut Script<'_>) -> Self {
        let keyed = choice & 1 == 0;
        let how = script.byte();
        let kind = match how >> 1 & 3 {
            1 => Records::Tls12,
            3 => Records::Tls12Explicit,
            _ => Records::Tls13,
        };
        let (mut client, mut server) = pair::established(keyed, kind);
        if how & 1 != 0 {
            client.split();
            server.split();
        }
        let (sender, receiver) = if choice & 2 == 0 {
            (client, server)
        } else {
            (server, client)
        };
        Self {
            taken: sender.sent.len(),
            sender,
            receiver,
            flying: Vec::new(),
            plain: Vec::new(),
            keyed,
            tls12: kind != Records::Tls13,
            cut: 0,
        }
    }

    fn play(mut self, script: &mut Script<'_>) {
        while !script.is_empty() && !self.receiver.is_over() {
            self.step(script);
        }
        self.deliver();
        if self.keyed {
            // What arrives is the start of what was sent, whatever happened on the way.
            assert!(self.plain.starts_with(&self.receiver.received));
            let events = &self.receiver.events;
            assert!(
                events.last() != Some(&Event::PeerClosed) || self.receiver.received == self.plain
            );
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 | 1 => self.write(script.bytes()),
            2 => self.write(&vec![script.byte(); usize::from(script.word())]),
            3 => {
                self.sender.update_key(script.flag());
                self.collect();
            }
            4 => {
                self.sender.close();
                self.collect();
            }
            5 => self.damage(script, |record, script| script.edit(record)),
            6 => self.damage(script, |record, script| {
                let place = script.place(record.len().saturating_sub(1));
                if let Some(byte) = record.get_mut(place) {
                    *byte ^= script.byte();
                }
            }),
            7 => self.damage(script, |record, script| {
                record.truncate(script.place(record.len()))
            }),
            8 => self.damage(script, |record, _| record.clear()),
            9 => self.damage(script, |bytes, script| {
                bytes.splice(0..0, record(script.byte(), script.bytes()));
            }),
            10 => {
                let tls12 = self.tls12;
                self.damage(script, |bytes, script| {
                    let (typ, padding) = (script.byte(), script.byte());
                    let content = script.bytes();
                    let record = if tls12 {
                        sealed12(typ, content)
                    } else {
                        sealed(typ, content, usize::from(padding))
                    };
                    bytes.splice(0..0, record);
                });
            }
            11 => self.damage(script, |bytes, script| {
                let count = 1 + usize::from(script.byte() % 48);
                // Repeating what was repeated grows fast.
                *bytes = bytes.repeat(count.min(1 + MOST_FLYING / (1 + bytes.len())));
            }),
            12 if self.flying.len() > 1 => {
                let len = self.flying.len() - 1;
                let (one, other) = (script.place(len), script.place(len));
                self.flying.swap(one, other);
            }
            13 => self.cut = usize::from(script.byte()),
            14 => self.answer_back(script),
            _ => self.deliver(),
        }
    }

    fn write(&mut self, data: &[u8]) {
        if self.sender.write(data) {
            self.plain.extend_from_slice(data);
        }
        self.collect();
    }

    /// Lets what the sender sent fly, record by record.
    fn collect(&mut self) {
        for (typ, body) in records(&self.sender.sent[self.taken..]) {
            self.flying.push(record(typ, body));
        }
        self.taken = self.sender.sent.len();
    }

    /// Damages one flying record; a new and empty one, if there is none.
    fn damage(&mut self, script: &mut Script<'_>, how: impl FnOnce(&mut Vec<u8>, &mut Script<'_>)) {
        if self.flying.is_empty() {
            self.flying.push(Vec::new());
        }
        let index = script.place(self.flying.len() - 1);
        how(&mut self.flying[index], script);
    }

    fn deliver(&mut self) {
        let bytes = core::mem::take(&mut self.flying).concat();
        self.receiver.feed(&bytes, self.cut);
    }

    /// The receiver sends something too, undamaged.
    fn answer_back(&mut self, script: &mut Script<'_>) {
        let before = self.receiver.sent.len();
        match script.byte() % 4 {
            0 => self.receiver.update_key(script.flag()),
            1 => self.receiver.close(),
            _ => {
                self.receiver.write(script.bytes());
            }
        }
        self.sender.feed(&self.receiver.sent[before..], 0);
        self.collect();
    }
}
