//! Every kind of record at every stage of a connection of TLS 1.2.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;

use super::records::{Make, Outcome, check, outcome};
use super::{KEY_UPDATE, Stage, plain};
use crate::connection::event::{Answer, Event, PeerAction, Wait};
use crate::limits::{MAX_RENEGOTIATIONS, MAX_WARNING_ALERTS};
use crate::messages::HandshakeType as T;
use crate::record::Epoch;
use crate::testing::tls12::{client12, server12};
use crate::testing::{CERTIFICATE, Trust, server_key, verified};
use crate::{
    AlertDescription, CertifiedKey, ClientConfig, PeerError, ProtocolVersions, ServerConfig,
};

/// Where a connection stands, and whether the peer has changed its keys.
const STAGES: [(&str, Make, bool); 10] = [
    ("client, hello sent", || client_after(0), false),
    ("client, hello received", || client_after(1), false),
    ("client, flight sent", || client_after(4), false),
    ("client, keys there", || changed(client_after(4)), true),
    ("client, done", || Stage::established12(true), true),
    ("server, started", || server_after(0), false),
    ("server, flight sent", || server_after(1), false),
    ("server, share received", || server_after(2), false),
    ("server, keys there", || changed(server_after(2)), true),
    ("server, done", || Stage::established12(false), true),
];

fn client_after(messages: usize) -> Stage {
    let mut stage = Stage::client(client12(), server12());
    stage.give_messages(messages);
    stage
}

fn server_after(messages: usize) -> Stage {
    let mut stage = Stage::server(server12(), client12());
    stage.give_messages(messages);
    stage
}

fn changed(mut stage: Stage) -> Stage {
    stage.give(&plain(20, &[1])).unwrap();
    stage
}

/// A HelloRequest.
const HELLO_REQUEST: [u8; 4] = [0; 4];
/// A ClientHello, which nobody will read.
const CLIENT_HELLO: [u8; 5] = [1, 0, 0, 1, 7];

/// Records that come unprotected, then those that come protected, each with its outcome at each
/// of `STAGES`: RFC 5246, Section 7.1 for change_cipher_spec, 7.2 for alerts, 7.4.1.1 and 7.4.1.2
/// for the wish to renegotiate.
const PLAIN: [(u8, &[u8], &str); 18] = [
    (20, &[1], "cciccccicc"),
    (20, &[0], "cccccccccc"),
    (20, &[2], "cccccccccc"),
    (20, &[], "cccccccccc"),
    (20, &[1, 1], "cccccccccc"),
    (21, &[2, 40], "aaaxxaaaxx"),
    (21, &[1, 40], "iiixxiiixx"),
    (21, &[1, 0], "oooxxoooxx"),
    (21, &[1, 90], "iiixxiiixx"),
    (21, &[2, 90], "uuuxxuuuxx"),
    (21, &[1], "bbbxxbbbxx"),
    (21, &[], "eeexxeeexx"),
    (22, &KEY_UPDATE, "mmmxxmmmxx"),
    (22, &HELLO_REQUEST, "mmmxxmmmxx"),
    (22, &[], "eeexxeeexx"),
    (23, &[5; 40], "rrrxxrrrxx"),
    (24, &[1], "hhhxxhhhxx"),
    (0, &[1], "rrrxxrrrxx"),
];
const PROTECTED: [(u8, &[u8], &str); 15] = [
    (20, &[1], "---cc---cc"),
    (21, &[2, 40], "---aa---aa"),
    (21, &[1, 40], "---ii---ii"),
    (21, &[1, 0], "---op---op"),
    (21, &[2, 0], "---op---op"),
    (21, &[1, 90], "---ii---ii"),
    (21, &[2, 90], "---uu---uu"),
    (21, &[2, 40, 2, 40], "---bb---bb"),
    (21, &[], "---ee---ee"),
    (22, &[], "---ee---ee"),
    (22, &HELLO_REQUEST, "---mi---mm"),
    (22, &CLIENT_HELLO, "---mm---mi"),
    (23, &[5; 40], "---rd---rd"),
    (23, &[], "---ri---ri"),
    (24, &[1], "---hh---hh"),
];

#[test]
fn every_record_at_every_stage() {
    for (index, (name, make, keyed)) in STAGES.into_iter().enumerate() {
        for (typ, content, letters) in PLAIN {
            let what = alloc::format!("{name}: plain {typ} {content:?}");
            let expected = outcome(letters.chars().nth(index).unwrap());
            check(&mut make(), &plain(typ, content), &expected, &what);
        }
        for (typ, content, letters) in PROTECTED {
            let letter = letters.chars().nth(index).unwrap();
            assert_eq!(letter == '-', !keyed);
            if letter == '-' {
                continue;
            }
            let what = alloc::format!("{name}: protected {typ} {content:?}");
            let mut stage = make();
            let record = stage.protected(typ, content);
            check(&mut stage, &record, &outcome(letter), &what);
        }
    }
}

#[test]
fn every_content_type_of_255() {
    for (name, make, keyed) in STAGES {
        for typ in (0..20).chain(25..=255) {
            let mut stage = make();
            let record = if keyed {
                stage.protected(typ, &[1])
            } else {
                plain(typ, &[1])
            };
            let unexpected = Outcome::Fails(PeerError::UnexpectedRecord.into());
            check(&mut stage, &record, &unexpected, name);
        }
    }
}

/// While an answer is awaited nothing is taken from the input, and what came in the same record
/// is kept; the more so if a message is already held back, because the status did not come.
#[test]
fn messages_wait_for_the_verdict() {
    for (stapled, skip, coalesced) in [
        (false, false, false),
        (false, false, true),
        (true, false, false),
        (true, false, true),
        (true, true, false),
        (true, true, true),
    ] {
        let later = ClientConfig::builder(&PROVIDER, Arc::new(Trust::Later));
        let key = CertifiedKey::new(Vec::from([CERTIFICATE.to_vec()]), server_key());
        let key = if stapled {
            key.with_ocsp(b"a response".to_vec())
        } else {
            key
        };
        let server = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(key)));
        let old = ProtocolVersions::TLS12;
        let mut stage = Stage::client(later.versions(old), server.versions(old));
        let sent = core::mem::take(&mut stage.puppet.side.flight.sent);
        let kept = sent.iter().map(|(_, bytes)| bytes);
        let kept: Vec<_> = kept
            .filter(|bytes| !skip || bytes[0] != T::CERTIFICATE_STATUS.0)
            .cloned()
            .collect();
        let mut input = if coalesced {
            plain(22, &kept.concat())
        } else {
            kept.iter().flat_map(|bytes| plain(22, bytes)).collect()
        };
        let what = (stapled, skip, coalesced);
        let mut give = |stage: &mut Stage| {
            let progress = stage.connection.process(&mut input, &mut stage.out);
            let progress = progress.unwrap();
            input.drain(..progress.consumed);
            (progress.event, input.len())
        };
        let (event, left) = give(&mut stage);
        assert_eq!(event, Event::Wait(Wait::Verdict), "{what:?}");
        assert_eq!(left == 0, coalesced);
        assert_eq!(give(&mut stage), (Event::Wait(Wait::Verdict), left));
        assert!(stage.out.is_empty());
        let answer = Answer::Verdict(Ok(verified()));
        stage.connection.answer(answer, &mut stage.out).unwrap();
        let (event, left) = give(&mut stage);
        assert!(
            matches!(event, Event::NeedInput(_)) && left == 0,
            "{what:?}"
        );
        // Our flight is right only for a server that did send the status.
        assert!(!stage.out.is_empty());
    }
}

/// RFC 5246, Section 7.2.2: a warning ends nothing, but there is a limit to them; data between
/// them makes them harmless, and the refusals to renegotiate have a count of their own.
#[test]
fn warnings_are_counted_apart_from_renegotiations() {
    for client in [false, true] {
        let wish: &[u8] = if client {
            &HELLO_REQUEST
        } else {
            &CLIENT_HELLO
        };
        let mut stage = Stage::established12(client);
        stage.deliver();
        let warning = [1, AlertDescription::NO_RENEGOTIATION.0];
        for _ in 0..MAX_RENEGOTIATIONS {
            for _ in 0..MAX_WARNING_ALERTS {
                let record = stage.protected(21, &warning);
                assert_eq!(stage.give(&record), Ok(Vec::new()));
            }
            let record = stage.protected(22, wish);
            assert_eq!(stage.give(&record), Ok(Vec::new()));
            assert_eq!(stage.deliver(), [(21, Vec::from([1, 100]))]);
            let record = stage.protected(23, b"data");
            assert_eq!(stage.give(&record).unwrap().len(), 1);
        }
        // Data does not make up for wishes.
        let record = stage.protected(22, wish);
        let error = stage.refuse(&record);
        assert_eq!(error, PeerError::TooManyRenegotiations.into());

        // A wish does not make up for warnings.
        let mut stage = Stage::established12(client);
        for _ in 0..MAX_WARNING_ALERTS {
            let record = stage.protected(21, &warning);
            stage.give(&record).unwrap();
        }
        let record = stage.protected(22, wish);
        stage.give(&record).unwrap();
        stage.deliver();
        let record = stage.protected(21, &warning);
        assert_eq!(stage.refuse(&record), PeerError::TooManyWarnings.into());
    }
}

/// However the wish is cut, it is refused once; data goes on before and after it, not in it.
#[test]
fn a_wish_to_renegotiate_may_be_cut() {
    let hello = crate::testing::message(T::CLIENT_HELLO, &[7; 300]);
    for size in [1, 2, 3, 4, 5, 299, 304] {
        let mut stage = Stage::established12(false);
        stage.deliver();
        for part in hello.chunks(size) {
            let record = stage.protected(22, part);
            assert_eq!(stage.give(&record), Ok(Vec::new()), "{size}");
        }
        assert_eq!(stage.deliver(), [(21, Vec::from([1, 100]))], "{size}");
        let record = stage.protected(23, b"data");
        assert_eq!(stage.give(&record).unwrap().len(), 1);
    }
    let mut stage = Stage::established12(false);
    let part = stage.protected(22, &hello[..100]);
    stage.give(&part).unwrap();
    let record = stage.protected(23, b"data");
    assert_eq!(stage.refuse(&record), PeerError::InterleavedRecord.into());
}

/// After our close_notify nothing is sent any more, not even a refusal.
#[test]
fn nothing_is_refused_after_close_notify() {
    let mut stage = Stage::established12(true);
    stage.connection.close(&mut stage.out);
    stage.deliver();
    let record = stage.protected(22, &HELLO_REQUEST);
    assert_eq!(stage.give(&record), Ok(Vec::new()));
    assert!(stage.out.is_empty());
}

/// The peer changes keys once; the record with its Finished is the first under them.
#[test]
fn keys_change_with_change_cipher_spec() {
    for client in [false, true] {
        let mut stage = if client {
            client_after(4)
        } else {
            server_after(2)
        };
        let sent = core::mem::take(&mut stage.puppet.side.flight.sent);
        assert!(matches!(&sent[..], [(Epoch::Application, _)]));
        stage.give(&plain(20, &[1])).unwrap();
        let record = stage.protected(22, &sent[0].1);
        assert_eq!(
            stage.give(&record),
            Ok(Vec::from([Event::HandshakeComplete]))
        );
    }
}

/// The same with the two halves apart: the one that reads tells, the one that writes refuses, and
/// data goes on both ways.
#[test]
fn halves_refuse_to_renegotiate() {
    for client in [false, true] {
        let wish: &[u8] = if client {
            &HELLO_REQUEST
        } else {
            &CLIENT_HELLO
        };
        let mut stage = Stage::established12(client);
        stage.deliver();
        let mut records = Vec::new();
        for _ in 0..=MAX_RENEGOTIATIONS {
            records.push(stage.protected(22, wish));
            records.push(stage.protected(23, b"data"));
        }
        let Stage {
            connection,
            mut out,
            mut puppet,
        } = stage;
        let (mut read, mut write, _) = connection.split().unwrap();
        for pair in records.chunks_mut(2).take(MAX_RENEGOTIATIONS.into()) {
            let event = read.process(&mut pair[0]).unwrap().event;
            let Event::PeerAction(action @ PeerAction::RefuseRenegotiation) = event else {
                panic!("{event:?}");
            };
            write.apply(action, &mut out).unwrap();
            write.write(&[b"answer"], &mut out).unwrap();
            let told = puppet.receive(out.as_slice());
            out.clear();
            let expected = [(21, Vec::from([1, 100])), (23, b"answer".to_vec())];
            assert_eq!(told, expected);
            let event = read.process(&mut pair[1]).unwrap().event;
            assert!(matches!(event, Event::AppData(_)));
        }
        let last = records.len() - 2;
        let error = read.process(&mut records[last]).unwrap_err();
        assert_eq!(error, PeerError::TooManyRenegotiations.into());
        write.fail(&error, &mut out);
        let told = puppet.receive(out.as_slice());
        assert_eq!(told, [(21, Vec::from([2, 100]))]);
    }
}
