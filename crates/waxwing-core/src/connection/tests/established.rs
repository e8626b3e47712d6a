//! After the handshake: messages, floods and limits.

use alloc::vec;
use alloc::vec::Vec;

use super::{KEY_UPDATE, Stage};
use crate::connection::event::Event;
use crate::limits::{MAX_EMPTY_RECORDS, MAX_KEY_UPDATES, MAX_TICKETS, MAX_WARNING_ALERTS};
use crate::messages::HandshakeType as T;
use crate::record::stream::Opened;
use crate::testing::message;
use crate::{AlertDescription, Error, PeerError};

/// A NewSessionTicket (RFC 9846, Section 4.7.1).
pub(super) fn ticket() -> Vec<u8> {
    let body = [&[0; 8][..], &[0], &[0, 3, 7, 7, 7], &[0, 0]].concat();
    message(T::NEW_SESSION_TICKET, &body)
}

#[test]
fn every_message_type() {
    for client in [false, true] {
        for typ in (0..=u8::MAX).map(T) {
            let mut stage = Stage::established(client);
            let bytes = match typ {
                T::KEY_UPDATE => KEY_UPDATE.to_vec(),
                T::NEW_SESSION_TICKET => ticket(),
                _ => message(typ, &[0; 4]),
            };
            let record = stage.protected(22, &bytes);
            // RFC 9846, Section 4.7: tickets go to clients; nobody offered to authenticate
            // later.
            if typ == T::KEY_UPDATE || client && typ == T::NEW_SESSION_TICKET {
                assert_eq!(stage.give(&record), Ok(vec![]), "{typ}");
            } else {
                let error = stage.refuse(&record);
                assert_eq!(error, PeerError::UnexpectedMessage.into(), "{typ}");
            }
        }
    }
}

#[test]
fn key_updates() {
    for (value, expected) in [
        (0, None),
        (1, None),
        (2, Some(PeerError::BadKeyUpdate)),
        (255, Some(PeerError::BadKeyUpdate)),
    ] {
        for client in [false, true] {
            let mut stage = Stage::established(client);
            let record = stage.protected(22, &message(T::KEY_UPDATE, &[value]));
            if let Some(error) = expected {
                assert_eq!(stage.refuse(&record), error.into());
                continue;
            }
            assert_eq!(stage.give(&record), Ok(vec![]));
            assert!(stage.out.is_empty());
            // From here on the new key counts, and the old one no more.
            let old = stage.protected(23, b"old");
            let key = stage.puppet.application.as_mut().unwrap();
            key.update().unwrap();
            let new = stage.protected(23, b"new");
            assert_eq!(stage.give(&new).unwrap().len(), 1);
            assert_eq!(stage.give(&old), Err(PeerError::BadRecordMac.into()));
        }
    }
}

/// RFC 9846, Section 4.7.3: whoever is silent answers several requests with one KeyUpdate, before
/// its next application data.
#[test]
fn requests_while_silent_have_one_answer() {
    for client in [false, true] {
        let mut stage = Stage::established(client);
        stage.deliver();
        for asked in [3, 0, 1] {
            for _ in 0..asked {
                let record = stage.protected(22, &message(T::KEY_UPDATE, &[1]));
                assert_eq!(stage.give(&record), Ok(vec![]));
                let key = stage.puppet.application.as_mut().unwrap();
                key.update().unwrap();
            }
            assert!(stage.out.is_empty());
            stage.connection.write(&[b"x"], &mut stage.out).unwrap();
            // Without data in it, a record has 22 bytes: header, content type and tag.
            let answer = if asked > 0 { 22 + KEY_UPDATE.len() } else { 0 };
            assert_eq!(stage.out.len(), answer + 22 + 1, "{asked}");
            stage.out.clear();
        }
    }
}

/// The values of the KeyUpdates that wait in the output.
fn updates_sent(stage: &mut Stage) -> Vec<u8> {
    let mut input = stage.out.as_slice().to_vec();
    stage.out.clear();
    let mut rest = input.as_mut_slice();
    let mut values = Vec::new();
    while !rest.is_empty() {
        let Ok(Opened::Record { body, consumed, .. }) = stage.puppet.rx.open(rest) else {
            panic!("no whole record");
        };
        let [24, 0, 0, 1, value] = rest[body] else {
            panic!("no KeyUpdate");
        };
        values.push(value);
        stage.puppet.rx.update_key().unwrap();
        rest = &mut rest[consumed..];
    }
    values
}

/// RFC 9846, Section 4.7.3: once asked, a peer is not asked again until it has updated.
#[test]
fn a_peer_is_asked_once() {
    for client in [false, true] {
        for answer in [0, 1] {
            let mut stage = Stage::established(client);
            stage.deliver();
            let ask = |stage: &mut Stage| {
                for ask_peer in [true, true, false, true] {
                    stage
                        .connection
                        .update_key(ask_peer, &mut stage.out)
                        .unwrap();
                }
                updates_sent(stage)
            };
            assert_eq!(ask(&mut stage), [1, 0, 0, 0]);
            let record = stage.protected(22, &message(T::KEY_UPDATE, &[answer]));
            assert_eq!(stage.give(&record), Ok(vec![]));
            // What was asked of us is answered by what we do ourselves.
            assert_eq!(ask(&mut stage), [1, 0, 0, 0]);
        }
    }
}

#[test]
fn a_key_update_ends_its_record() {
    let mut stage = Stage::established(true);
    let record = stage.protected(22, &[&KEY_UPDATE[..], &KEY_UPDATE].concat());
    let error = stage.refuse(&record);
    assert_eq!(error, PeerError::MessageSpansKeyChange.into());

    let mut stage = Stage::established(true);
    let record = stage.protected(22, &[&KEY_UPDATE[..], &[4]].concat());
    let error = stage.refuse(&record);
    assert_eq!(error, PeerError::MessageSpansKeyChange.into());

    // After other messages it may stand.
    let mut stage = Stage::established(true);
    let record = stage.protected(22, &[&ticket()[..], &KEY_UPDATE].concat());
    assert_eq!(stage.give(&record), Ok(vec![]));
}

#[test]
fn nothing_comes_between_the_parts_of_a_message() {
    for typ in [21, 23] {
        let mut stage = Stage::established(true);
        let part = stage.protected(22, &ticket()[..7]);
        assert_eq!(stage.give(&part), Ok(vec![]));
        let record = stage.protected(typ, &[1, 0]);
        let error = stage.refuse(&record);
        assert_eq!(error, PeerError::InterleavedRecord.into());
    }
}

/// Gives `record` until it is refused; how many were taken before.
fn flood(stage: &mut Stage, typ: u8, content: &[u8], after: impl Fn(&mut Stage)) -> (usize, Error) {
    for taken in 0..100_000 {
        let record = stage.protected(typ, content);
        match stage.give(&record) {
            Ok(_) => after(stage),
            Err(error) => return (taken, error),
        }
        stage.out.clear();
    }
    panic!("a flood without end");
}

fn update(stage: &mut Stage) {
    let key = stage.puppet.application.as_mut().unwrap();
    key.update().unwrap();
}

/// How a client ends a flood of such records.
pub(super) fn flood_of(typ: u8, content: &[u8]) -> Error {
    let after = if content == KEY_UPDATE {
        update
    } else {
        |_: &mut Stage| ()
    };
    flood(&mut Stage::established(true), typ, content, after).1
}

/// How a client (or server) of TLS 1.2 ends a flood of such records.
pub(super) fn flood12_of(client: bool, typ: u8, content: &[u8]) -> Error {
    flood(&mut Stage::established12(client), typ, content, |_| ()).1
}

#[test]
fn floods_end_at_their_limits() {
    let taken = |stage: &mut Stage, typ, content: &[u8]| flood(stage, typ, content, |_| ()).0;
    let mut stage = Stage::established(false);
    let (updates, _) = flood(&mut stage, 22, &KEY_UPDATE, update);
    assert_eq!(updates, usize::from(MAX_KEY_UPDATES));
    let mut stage = Stage::established(true);
    assert_eq!(taken(&mut stage, 22, &ticket()), usize::from(MAX_TICKETS));
    let mut stage = Stage::established(true);
    assert_eq!(taken(&mut stage, 23, &[]), usize::from(MAX_EMPTY_RECORDS));
    let mut stage = Stage::established(true);
    let canceled = [1, AlertDescription::USER_CANCELED.0];
    let warnings = taken(&mut stage, 21, &canceled);
    assert_eq!(warnings, usize::from(MAX_WARNING_ALERTS));
}

#[test]
fn data_between_ends_no_honest_stream() {
    let mut stage = Stage::established(true);
    for _ in 0..10 {
        for _ in 0..MAX_KEY_UPDATES {
            let record = stage.protected(22, &KEY_UPDATE);
            stage.give(&record).unwrap();
            stage.puppet.application.as_mut().unwrap().update().unwrap();
        }
        for _ in 0..MAX_EMPTY_RECORDS {
            let record = stage.protected(23, &[]);
            stage.give(&record).unwrap();
        }
        for _ in 0..MAX_WARNING_ALERTS {
            let record = stage.protected(21, &[1, AlertDescription::USER_CANCELED.0]);
            stage.give(&record).unwrap();
        }
        let record = stage.protected(23, b"x");
        assert_eq!(stage.give(&record).unwrap().len(), 1);
    }
}

#[test]
fn records_have_a_limit() {
    let mut stage = Stage::established(true);
    let error = stage.refuse(&[23, 3, 3, 0x41, 1]);
    assert_eq!(error, PeerError::RecordOverflow.into());
    let mut stage = Stage::established(true);
    let largest = stage.protected(23, &[7; 1 << 14]);
    assert_eq!(stage.give(&largest).unwrap().len(), 1);
}

#[test]
fn close_notify_ends_the_peers_direction() {
    let mut stage = Stage::established(true);
    let close = stage.protected(21, &[1, 0]);
    let behind = stage.protected(23, b"too late");
    let events = stage.give(&[close, behind.clone()].concat());
    assert_eq!(events, Ok(vec![Event::PeerClosed]));
    assert_eq!(stage.connection.end_of_input(), Ok(()));
    assert!(stage.out.is_empty());
    // What follows is not looked at.
    let mut input = behind;
    let progress = stage
        .connection
        .process(&mut input, &mut stage.out)
        .unwrap();
    assert_eq!((progress.consumed, progress.event), (0, Event::PeerClosed));
}

#[test]
fn nothing_is_sent_after_close_notify() {
    let mut stage = Stage::established(true);
    stage.deliver();
    stage.connection.close(&mut stage.out);
    assert_eq!(stage.deliver(), [(21, vec![1, 0])]);
    stage.connection.close(&mut stage.out);
    // Neither the answer to a request for new keys, nor the alert that an error calls for.
    let request = stage.protected(22, &message(T::KEY_UPDATE, &[1]));
    assert_eq!(stage.give(&request), Ok(vec![]));
    let wrong = stage.protected(23, b"under the old key");
    assert_eq!(stage.give(&wrong), Err(PeerError::BadRecordMac.into()));
    assert!(stage.out.is_empty());
}
