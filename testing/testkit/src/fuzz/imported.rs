//! An exported connection, damaged or made up: it is refused, or what is imported bears whatever
//! comes.

use waxwing_core::{Buffer, Connection, Error, Event, Importer, Unfinished};

use super::driven::Driven;
use super::pair::{self, Records};
use super::script::Script;
use super::session::answers;
use crate::fake;

/// Imports what the bytes say, or a connection that they damage.
pub fn run(data: &[u8]) {
    let script = &mut Script::new(data);
    let choice = script.byte();
    if choice & 3 == 0 {
        fake::seed_random(0);
        if let Some(connection) = import(script.rest()) {
            bear(connection, &[0; 64]);
        }
        return;
    }
    let keyed = choice & 4 != 0;
    let kind = match choice >> 3 & 3 {
        1 => Records::Tls12,
        3 => Records::Tls12Explicit,
        _ => Records::Tls13,
    };
    let (client, server) = pair::established(keyed, kind);
    let (own, peer) = if choice & 32 == 0 {
        (client, server)
    } else {
        (server, client)
    };
    Moving { own, peer }.play(script, keyed);
}

/// A connection that is to move, and its peer.
struct Moving {
    own: Driven,
    peer: Driven,
}

impl Moving {
    fn play(mut self, script: &mut Script<'_>, keyed: bool) {
        for _ in 0..script.byte() % 8 {
            self.step(script);
        }
        let unfinished = Unfinished {
            plaintext: script.bytes(),
            input: script.bytes(),
            output: script.bytes(),
        };
        let connection = self.own.into_connection();
        let exported = connection.export_with(&unfinished);
        let exported = exported.expect("an established connection");
        let mut bytes = exported.as_bytes().to_vec();
        for _ in 0..script.byte() % 4 {
            script.edit(&mut bytes);
        }
        let Some(connection) = import(&bytes) else {
            assert_ne!(bytes, exported.as_bytes(), "refused what was exported");
            return;
        };
        let data = script.bytes();
        let before = self.peer.sent.len();
        self.peer.write(data);
        if bytes != exported.as_bytes() {
            let received = bear(connection, &self.peer.sent[before..]);
            assert!(!keyed || data.starts_with(&received));
            return;
        }
        let own = Driven::new(connection, Buffer::new(), answers(0, false));
        go_on(own, self.peer, before, data, script.flag());
    }

    /// Something happens before the export.
    fn step(&mut self, script: &mut Script<'_>) {
        let (from, to) = if script.flag() {
            (&mut self.own, &mut self.peer)
        } else {
            (&mut self.peer, &mut self.own)
        };
        let before = from.sent.len();
        match script.byte() % 4 {
            0 => from.update_key(script.flag()),
            _ => {
                from.write(script.bytes());
            }
        }
        to.feed(&from.sent[before..], 0);
    }
}

/// Undamaged, everything arrives.
fn go_on(mut own: Driven, mut peer: Driven, before: usize, data: &[u8], ask: bool) {
    own.feed(&peer.sent[before..], 0);
    assert_eq!(own.received, data);
    let (before, known) = (peer.received.len(), peer.sent.len());
    own.update_key(ask);
    own.write(b"after the move");
    own.close();
    peer.feed(&own.sent, 7);
    assert_eq!(&peer.received[before..], b"after the move");
    peer.close();
    own.feed(&peer.sent[known..], 0);
    for side in [own, peer] {
        assert_eq!(side.error, None);
        assert_eq!(side.events.last(), Some(&Event::PeerClosed));
    }
}

/// Imports; what can be imported is exported again as it was.
fn import(bytes: &[u8]) -> Option<Connection> {
    let importer = Importer::new(&fake::PROVIDER);
    let read = || importer.import(bytes);
    let imported = read().map_err(|error| error.to_string()).ok()?;
    let unfinished = imported.unfinished;
    let again = imported.connection.export_with(&unfinished);
    let again = again.expect("what can be imported can be exported");
    assert!(again.as_bytes() == bytes, "another export");
    read().ok().map(|imported| imported.connection)
}

/// Does everything with a connection whose keys and counters may have any value: it may fail, but
/// in order. What it received.
fn bear(mut connection: Connection, records: &[u8]) -> Vec<u8> {
    let mut out = Buffer::new();
    let mut received = Vec::new();
    let _ = connection.write(&[b"some", &[7; 300]], &mut out);
    let mut input = records.to_vec();
    let error = loop {
        match connection.process(&mut input, &mut out) {
            Err(error) => break Some(error),
            Ok(progress) => {
                assert!(progress.consumed <= input.len());
                if let Event::AppData(place) = &progress.event {
                    received.extend_from_slice(&input[place.clone()]);
                }
                input.drain(..progress.consumed);
                if let Event::NeedInput(_) | Event::PeerClosed = progress.event {
                    break None;
                }
            }
        }
    };
    match error {
        Some(error) => {
            let again = connection.process(&mut input, &mut out);
            assert_eq!(again, Err(error));
        }
        None => {
            let updated = connection.update_key(true, &mut out);
            assert!(matches!(
                updated,
                Ok(()) | Err(Error::Misuse(_) | Error::Crypto(_))
            ));
        }
    }
    connection.close(&mut out);
    let _ = connection.into_kernel();
    received
}
