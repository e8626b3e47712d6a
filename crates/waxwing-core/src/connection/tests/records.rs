//! Every kind of record at every stage of a connection.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::NamedGroup;

use super::{KEY_UPDATE, Stage, plain};
use crate::connection::event::{Answer, Event, Wait};
use crate::limits::MAX_CHANGE_CIPHER_SPEC;
use crate::record::Epoch;
use crate::testing::{Trust, client_builder, server_builder, verified};
use crate::{AlertDescription, ClientConfig, Error, PeerError};

/// Where a connection stands. The puppet's next record is protected as the last column says.
const STAGES: [(&str, Make, Epoch); 9] = [
    ("client, hello sent", client_started, Epoch::Initial),
    ("client, second hello sent", client_retried, Epoch::Initial),
    ("client, keys there", || client_after(1), Epoch::Handshake),
    ("client, keys used", || client_after(2), Epoch::Handshake),
    (
        "client, done",
        || Stage::established(true),
        Epoch::Application,
    ),
    ("server, started", server_started, Epoch::Initial),
    ("server, retry sent", server_retried, Epoch::Initial),
    ("server, flight sent", server_waiting, Epoch::Handshake),
    (
        "server, done",
        || Stage::established(false),
        Epoch::Application,
    ),
];

pub(super) type Make = fn() -> Stage;

fn client_started() -> Stage {
    Stage::client(client_builder(), server_builder())
}

fn client_retried() -> Stage {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let server = server_builder().groups([NamedGroup::SECP256R1]);
    let mut stage = Stage::client(client_builder().groups(groups), server);
    stage.give_messages(1);
    assert!(stage.connection.info().retried);
    stage
}

fn client_after(messages: usize) -> Stage {
    let mut stage = client_started();
    stage.give_messages(messages);
    stage
}

fn server_started() -> Stage {
    Stage::server(server_builder(), client_builder())
}

fn server_retried() -> Stage {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let server = server_builder().groups([NamedGroup::SECP256R1]);
    let mut stage = Stage::server(server, client_builder().groups(groups));
    stage.give_messages(1);
    assert!(stage.connection.info().retried);
    stage
}

fn server_waiting() -> Stage {
    let mut stage = server_started();
    stage.give_messages(1);
    stage
}

/// What a record leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing is told of it.
    Ignored,
    /// It is application data.
    Data,
    /// It is the end of the peer's data.
    Closed,
    /// It ends the connection.
    Fails(Error),
}

/// One letter for each outcome in tables of records.
pub(super) fn outcome(letter: char) -> Outcome {
    Outcome::Fails(match letter {
        'i' => return Outcome::Ignored,
        'd' => return Outcome::Data,
        'p' => return Outcome::Closed,
        'a' => Error::Alert(AlertDescription::HANDSHAKE_FAILURE),
        'o' => Error::Alert(AlertDescription::CLOSE_NOTIFY),
        'u' => Error::Alert(AlertDescription::USER_CANCELED),
        'c' => PeerError::UnexpectedChangeCipherSpec.into(),
        'e' => PeerError::EmptyHandshakeRecord.into(),
        'm' => PeerError::UnexpectedMessage.into(),
        'n' => PeerError::NoContentType.into(),
        'h' => PeerError::Heartbeat.into(),
        'r' => PeerError::UnexpectedRecord.into(),
        'x' => PeerError::BadRecordMac.into(),
        'b' => PeerError::BadAlert.into(),
        other => panic!("{other}"),
    })
}

/// Records that come unprotected, then those that come protected, each with its outcome at
/// each of `STAGES`: RFC 9846, Section 5 for change_cipher_spec, 5.1 for empty records, 5.2 for
/// what must be protected, 6 for alerts.
const PLAIN: [(u8, &[u8], &str); 13] = [
    (20, &[1], "iiiicciic"),
    (20, &[0], "ccccccccc"),
    (20, &[2], "ccccccccc"),
    (20, &[], "ccccccccc"),
    (20, &[1, 1], "ccccccccc"),
    (21, &[2, 40], "aaarraaar"),
    (21, &[1], "bbbrrbbbr"),
    (21, &[], "eeerreeer"),
    (22, &KEY_UPDATE, "mmrrrmmrr"),
    (22, &[], "eerrreerr"),
    (23, &[5; 40], "rrxxxrrxx"),
    (24, &[1], "hhhhhhhhh"),
    (0, &[1], "rrrrrrrrr"),
];
const PROTECTED: [(u8, &[u8], &str); 10] = [
    (20, &[1], "--ccc--cc"),
    (21, &[2, 40], "--aaa--aa"),
    (21, &[1, 40], "--aaa--aa"),
    (21, &[2, 40, 2, 40], "--bbb--bb"),
    (21, &[], "--eee--ee"),
    (22, &[], "--eee--ee"),
    (23, &[5; 40], "--rrd--rd"),
    (23, &[], "--rri--ri"),
    (24, &[1], "--hhh--hh"),
    (0, &[0; 9], "--nnn--nn"),
];

pub(super) fn check(stage: &mut Stage, record: &[u8], expected: &Outcome, what: &str) {
    match expected {
        Outcome::Ignored => assert_eq!(stage.give(record), Ok(Vec::new()), "{what}"),
        Outcome::Data => {
            let events = stage.give(record).unwrap();
            assert!(matches!(events[..], [Event::AppData(_)]), "{what}");
        }
        Outcome::Closed => {
            assert_eq!(
                stage.give(record),
                Ok(Vec::from([Event::PeerClosed])),
                "{what}"
            );
        }
        Outcome::Fails(error) => assert_eq!(stage.refuse(record), *error, "{what}"),
    }
}

#[test]
fn every_record_at_every_stage() {
    for (index, (name, make, epoch)) in STAGES.into_iter().enumerate() {
        for (typ, content, letters) in PLAIN {
            let what = alloc::format!("{name}: plain {typ} {content:?}");
            let expected = outcome(letters.chars().nth(index).unwrap());
            check(&mut make(), &plain(typ, content), &expected, &what);
        }
        for (typ, content, letters) in PROTECTED {
            let letter = letters.chars().nth(index).unwrap();
            assert_eq!(letter == '-', epoch == Epoch::Initial);
            if letter == '-' {
                continue;
            }
            let what = alloc::format!("{name}: protected {typ} {content:?}");
            let mut stage = make();
            let record = stage.puppet.sealed(epoch, typ, content);
            check(&mut stage, &record, &outcome(letter), &what);
        }
    }
}

#[test]
fn change_cipher_spec_has_a_limit() {
    let mut stage = client_started();
    for _ in 0..MAX_CHANGE_CIPHER_SPEC {
        assert_eq!(stage.give(&plain(20, &[1])), Ok(Vec::new()));
    }
    let error = stage.refuse(&plain(20, &[1]));
    assert_eq!(error, PeerError::UnexpectedChangeCipherSpec.into());
}

/// While an answer is awaited nothing is taken from the input, and what came in the same record
/// is kept.
#[test]
fn messages_wait_for_the_verdict() {
    for coalesced in [false, true] {
        let later = ClientConfig::builder(&PROVIDER, Arc::new(Trust::Later));
        let mut stage = Stage::client(later, server_builder());
        let records = if coalesced {
            let sent = core::mem::take(&mut stage.puppet.side.flight.sent);
            let rest: Vec<u8> = sent[1..].iter().flat_map(|(_, b)| b.clone()).collect();
            let hello = stage.puppet.sealed(Epoch::Initial, 22, &sent[0].1);
            Vec::from([hello, stage.puppet.sealed(Epoch::Handshake, 22, &rest)])
        } else {
            stage.puppet.records(5)
        };
        let mut input = records.concat();
        let mut give = |stage: &mut Stage| {
            let progress = stage.connection.process(&mut input, &mut stage.out);
            let progress = progress.unwrap();
            input.drain(..progress.consumed);
            (progress.event, progress.consumed, input.len())
        };
        let (event, _, left) = give(&mut stage);
        assert_eq!(event, Event::Wait(Wait::Verdict));
        assert_eq!(left == 0, coalesced);
        assert_eq!(give(&mut stage), (Event::Wait(Wait::Verdict), 0, left));
        assert!(stage.connection.question().is_some());
        let answer = Answer::Verdict(Ok(verified()));
        stage.connection.answer(answer, &mut stage.out).unwrap();
        assert!(stage.connection.question().is_none());
        assert_eq!(give(&mut stage), (Event::HandshakeComplete, left, 0));
    }
}
