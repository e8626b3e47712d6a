use proptest::prelude::*;

use super::*;
use crate::AlertDescription;
use crate::error::PeerError;
use crate::limits::{MAX_CIPHERTEXT, MAX_EMPTY_RECORDS, MAX_PLAINTEXT};
use crate::record::RecordPadding;
use crate::record::testing::{handshake_keys, short_lived};

#[test]
fn other_protocols_are_recognised_at_the_start_only() {
    let http = PeerError::PlaintextHttp;
    for (start, expected) in [
        (b"GET / HTTP/1.1".as_slice(), http),
        (b"POST /form", http),
        (b"HEAD /", http),
        (b"PUT /x", http),
        (b"DELETE /", http),
        (b"OPTIONS *", http),
        (b"PATCH /", http),
        (b"TRACE /", http),
        (b"CONNECT example.com:443", http),
        (b"PRI * HTTP/2.0", http),
        (b"HTTP/1.1 400 Bad Request", http),
        (b"\x80\x2e\x01\x03\x01\x00", PeerError::Ssl2Hello),
        (b"\xff\xff\x01\x00\x02\x00", PeerError::Ssl2Hello),
        (b"SSH-2.0-OpenSSH", PeerError::NotTls),
        (b"220 mail ESMTP", PeerError::NotTls),
        (b"\x16\xfe\xfd\x00\x00", PeerError::NotTls),
        (b"\x18\x03\x03\x00\x01", PeerError::Heartbeat),
    ] {
        for len in 0..RECORD_HEADER {
            let found = Rx::new().open(&mut start[..len].to_vec());
            assert_eq!(found, Ok(Opened::NeedInput(RECORD_HEADER - len)));
        }
        let found = Rx::new().open(&mut start.to_vec());
        assert_eq!(found, Err(expected.into()), "{start:?}");
    }
    // After a first record the same bytes are just a wrong record.
    let mut rx = Rx::new();
    open_one(&mut rx, &plain(22, &[0])).unwrap();
    let found = rx.open(&mut b"GET / HTTP/1.1".to_vec());
    assert_eq!(found, Err(PeerError::UnexpectedRecord.into()));
}

#[test]
fn headers_are_judged_before_the_body_comes() {
    let overflow = Some(PeerError::RecordOverflow);
    let unexpected = Some(PeerError::UnexpectedRecord);
    let heartbeat = Some(PeerError::Heartbeat);
    let change = Some(PeerError::UnexpectedChangeCipherSpec);
    let empty = Some(PeerError::EmptyHandshakeRecord);
    let max = MAX_PLAINTEXT as u16;
    let max_protected = MAX_CIPHERTEXT as u16;
    // The version must be ignored, after the first record (RFC 9846, Section 5.1).
    for (typ, major, len, without_key, with_key) in [
        (22, 3, max, None, unexpected),
        (22, 3, max + 1, overflow, unexpected),
        (22, 3, 0, empty, unexpected),
        (22, 2, 7, None, unexpected),
        (21, 3, 2, None, unexpected),
        (21, 3, 0, empty, unexpected),
        (20, 3, 1, None, None),
        (20, 3, 2, change, change),
        (20, 3, 0, change, change),
        (23, 3, max_protected, unexpected, None),
        (23, 3, max_protected + 1, unexpected, overflow),
        (23, 9, 40, unexpected, None),
        (24, 3, 1, heartbeat, heartbeat),
        (25, 3, 1, unexpected, unexpected),
        (0, 3, 1, unexpected, unexpected),
    ] {
        let [high, low] = len.to_be_bytes();
        let header = [typ, major, 3, high, low];
        for (keyed, expected) in [(false, without_key), (true, with_key)] {
            let mut rx = Rx::new();
            open_one(&mut rx, &plain(22, &[0])).unwrap();
            if keyed {
                rx.install(&short_lived()).unwrap();
            }
            let found = rx.open(&mut header.to_vec());
            let expected = match expected {
                Some(rule) => Err(rule.into()),
                None => Ok(Opened::NeedInput(usize::from(len))),
            };
            assert_eq!(found, expected, "{header:?}, protected: {keyed}");
        }
    }
}

#[test]
fn change_cipher_spec_is_one_byte_of_value_one_and_never_protected() {
    let rule: Error = PeerError::UnexpectedChangeCipherSpec.into();
    for mut rx in [Rx::new(), rx(&short_lived())] {
        let opened = open_one(&mut rx, &plain(20, &[1])).unwrap();
        assert_eq!(opened, (ContentType::CHANGE_CIPHER_SPEC, vec![1]));
        assert_eq!(open_one(&mut rx, &plain(20, &[2])), Err(rule.clone()));
    }
    let record = sealed(&short_lived(), ContentType::CHANGE_CIPHER_SPEC, &[1]);
    assert_eq!(open_one(&mut rx(&short_lived()), &record), Err(rule));
}

#[test]
fn content_types_inside_are_judged() {
    for (typ, content, rule) in [
        (HANDSHAKE, [].as_slice(), PeerError::EmptyHandshakeRecord),
        (ContentType::ALERT, &[], PeerError::EmptyHandshakeRecord),
        (ContentType(24), &[1], PeerError::Heartbeat),
        (ContentType(0xff), &[], PeerError::UnexpectedRecord),
        (ContentType(0), &[0, 0], PeerError::NoContentType),
    ] {
        let record = sealed(&short_lived(), typ, content);
        let found = open_one(&mut rx(&short_lived()), &record);
        assert_eq!(found, Err(rule.into()), "{typ:?}");
    }
}

#[test]
fn a_plaintext_alert_is_heard_until_the_peer_shows_keys() {
    let alert = plain(21, &[2, 40]);
    let unexpected = Err(PeerError::UnexpectedRecord.into());
    let mut waiting = rx(&handshake_keys());
    let opened = open_one(&mut waiting, &alert);
    assert_eq!(opened, Ok((ContentType::ALERT, vec![2, 40])));

    let record = sealed(&handshake_keys(), HANDSHAKE, &[1]);
    open_one(&mut waiting, &record).unwrap();
    assert_eq!(open_one(&mut waiting, &alert), unexpected);
    assert_eq!(open_one(&mut rx(&short_lived()), &alert), unexpected);
}

#[test]
fn empty_data_records_are_counted() {
    let mut sender = tx(application_keys());
    let mut receiver = rx(&application_keys());
    let mut key = crate::record::protect::SealKey::new(&application_keys()).unwrap();
    let mut sealed = |typ, content: &[u8]| {
        let mut out = Buffer::new();
        key.seal(typ, content, 0, &mut out).unwrap();
        out.as_slice().to_vec()
    };
    let warning = AlertDescription::USER_CANCELED.0;
    for _ in 0..3 {
        for _ in 0..MAX_EMPTY_RECORDS {
            assert_eq!(
                open_one(&mut receiver, &sealed(DATA, &[])),
                Ok((DATA, vec![]))
            );
        }
        assert!(open_one(&mut receiver, &sealed(DATA, &[1])).is_ok());
    }
    for _ in 0..MAX_EMPTY_RECORDS {
        open_one(&mut receiver, &sealed(DATA, &[])).unwrap();
        // Alerts between them do not help.
        open_one(&mut receiver, &sealed(ContentType::ALERT, &[1, warning])).unwrap();
    }
    let refused = open_one(&mut receiver, &sealed(DATA, &[]));
    assert_eq!(refused, Err(PeerError::TooManyEmptyRecords.into()));

    // We send none.
    let mut out = Buffer::new();
    let nothing = sender.write(&[&[], &[]], RecordPadding::None, &mut out);
    assert_eq!(nothing, Ok(0));
    assert!(out.is_empty());
}

#[test]
fn no_record_and_no_key_between_the_parts_of_a_message() {
    let interleaved = Err(PeerError::InterleavedRecord.into());
    for intruder in [plain(21, &[1, 0]), plain(20, &[1])] {
        let mut rx = Rx::new();
        rx.joiner.keep(&[2, 0, 0]);
        assert_eq!(open_one(&mut rx, &intruder), interleaved);
    }
    for typ in [DATA, ContentType::ALERT] {
        let mut rx = rx(&short_lived());
        rx.joiner.keep(&[4]);
        let intruder = sealed(&short_lived(), typ, &[1, 0]);
        assert_eq!(open_one(&mut rx, &intruder), interleaved);
    }
    let mut rx = rx(&handshake_keys());
    rx.joiner.keep(&[4]);
    let spans = Err(PeerError::MessageSpansKeyChange.into());
    assert_eq!(rx.install(&short_lived()), spans);
    assert_eq!(rx.update_key(), spans);
}

#[test]
fn early_data_is_dropped_until_a_record_opens() {
    let early = sealed(&application_keys(), DATA, &[7; 100]);
    let finished = sealed(&handshake_keys(), HANDSHAKE, &[20; 36]);
    let change = plain(20, &[1]);
    let wire = [&early, &early, &change, &finished].map(|r| r.as_slice());
    let exactly = 2 * early.len() as u32;
    let mac = Err(PeerError::BadRecordMac.into());

    let mut receiver = rx(&handshake_keys());
    receiver.skip_early_data(exactly);
    let opened = open_all(&mut receiver, &wire.concat()).unwrap();
    assert_eq!(opened[1], (HANDSHAKE, vec![20; 36]));

    let mut receiver = rx(&handshake_keys());
    receiver.skip_early_data(exactly * 2);
    open_all(&mut receiver, &wire.concat()).unwrap();
    // From here on nothing is dropped any more.
    assert_eq!(open_all(&mut receiver, &early), mac);

    let mut receiver = rx(&handshake_keys());
    receiver.skip_early_data(exactly - 1);
    assert_eq!(open_all(&mut receiver, &wire.concat()), mac);
    assert_eq!(open_all(&mut rx(&handshake_keys()), &early), mac);
}

#[test]
fn early_data_is_dropped_until_the_second_hello() {
    let early = sealed(&application_keys(), DATA, &[7; 100]);
    let hello = plain(22, &[1; 50]);
    let unexpected = Err(PeerError::UnexpectedRecord.into());

    let mut receiver = Rx::new();
    receiver.skip_early_data(early.len() as u32 * 2);
    let opened = open_all(&mut receiver, &[early.as_slice(), &hello].concat());
    assert_eq!(opened, Ok(vec![(HANDSHAKE, vec![1; 50])]));
    assert_eq!(open_all(&mut receiver, &early), unexpected);

    let mut receiver = Rx::new();
    receiver.skip_early_data(early.len() as u32);
    assert_eq!(open_all(&mut receiver, &early), Ok(vec![]));
    let mut receiver = Rx::new();
    receiver.skip_early_data(early.len() as u32 - 1);
    assert_eq!(open_all(&mut receiver, &early), unexpected);
    // Records without content use up the budget too.
    let mut receiver = Rx::new();
    receiver.skip_early_data(12);
    assert_eq!(
        open_all(&mut receiver, &plain(23, &[]).repeat(2)),
        Ok(vec![])
    );
    assert_eq!(open_all(&mut receiver, &plain(23, &[])), unexpected);
}

/// A conversation's bytes: a split hello, a change_cipher_spec, then records under keys.
fn conversation() -> (Vec<u8>, Vec<(ContentType, Vec<u8>)>) {
    let mut sender = Tx::new();
    let mut out = Buffer::new();
    sender.max_fragment = 50;
    let mut flight = flight(&mut sender, &mut out);
    let hello = send_message(&mut flight, 2, 90);
    flight.change_cipher_spec();
    flight.install_write(application_keys()).unwrap();
    let finished = send_message(&mut flight, 20, 32);
    flight.end_flight().unwrap();
    sender
        .write(&[&[9; 120]], RecordPadding::None, &mut out)
        .unwrap();
    sender
        .alert(1, AlertDescription::CLOSE_NOTIFY, &mut out)
        .unwrap();
    let records = vec![
        (HANDSHAKE, hello[..50].to_vec()),
        (HANDSHAKE, hello[50..].to_vec()),
        (ContentType::CHANGE_CIPHER_SPEC, vec![1]),
        (HANDSHAKE, finished),
        (DATA, vec![9; 50]),
        (DATA, vec![9; 50]),
        (DATA, vec![9; 20]),
        (ContentType::ALERT, vec![1, 0]),
    ];
    (out.as_slice().to_vec(), records)
}

/// Receives `wire`, reading as many bytes at a time as `next_read` makes of the hint.
fn receive(wire: &[u8], mut next_read: impl FnMut(usize) -> usize) -> Vec<(ContentType, Vec<u8>)> {
    let mut rx = Rx::new();
    let mut input = Vec::new();
    let mut unread = wire;
    let mut records = Vec::new();
    loop {
        match rx.open(&mut input).unwrap() {
            Opened::NeedInput(hint) => {
                assert!(hint >= 1);
                if unread.is_empty() {
                    assert!(input.is_empty());
                    return records;
                }
                let count = next_read(hint).clamp(1, unread.len());
                input.extend_from_slice(&unread[..count]);
                unread = &unread[count..];
            }
            Opened::Record {
                content_type,
                body,
                consumed,
            } => {
                if content_type == ContentType::CHANGE_CIPHER_SPEC {
                    rx.install(&application_keys()).unwrap();
                }
                records.push((content_type, input[body].to_vec()));
                input.drain(..consumed);
            }
            Opened::Skipped { .. } => panic!("nothing to skip"),
        }
    }
}

#[test]
fn following_the_hint_never_reads_past_a_record() {
    let (wire, records) = conversation();
    let mut ends = Vec::new();
    let mut reads = 0;
    let mut position = 0;
    let mut end = 0;
    for len in record_lengths(&wire) {
        end += len;
        ends.push(end);
    }
    let received = receive(&wire, |hint| {
        let end = ends.iter().find(|end| **end > position).copied().unwrap();
        assert!(
            position + hint <= end,
            "{hint} more at {position} pass {end}"
        );
        position += hint;
        reads += 1;
        hint
    });
    assert_eq!(received, records);
    assert_eq!(reads, 2 * records.len(), "a header and a body each");
}

proptest! {
    #[test]
    fn any_cut_of_the_input_gives_the_same_records(reads in prop::collection::vec(1..90usize, 1..40)) {
        let (wire, records) = conversation();
        let mut sizes = reads.iter().cycle();
        let received = receive(&wire, |_| *sizes.next().unwrap());
        prop_assert_eq!(received, records);
    }

    #[test]
    fn garbage_never_panics(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        typ in 18..26u8,
        keyed: bool,
        skipping: bool,
    ) {
        let mut rx = if keyed { rx(&handshake_keys()) } else { Rx::new() };
        if skipping {
            rx.skip_early_data(100);
        }
        if let [first, major, _, high, ..] = bytes.as_mut_slice() {
            (*first, *major, *high) = (typ, 3, *high & 1);
        }
        let mut rest = bytes.as_mut_slice();
        while let Ok(Opened::Record { consumed, .. } | Opened::Skipped { consumed }) = rx.open(rest) {
            prop_assert!(consumed >= RECORD_HEADER);
            rest = &mut rest[consumed..];
        }
    }
}

#[test]
fn a_limit_of_our_own_holds_for_protected_records() {
    let limit = 100;
    for (len, pad, fits) in [
        (100, 0, true),
        (90, 10, true),
        (101, 0, false),
        (90, 11, false),
    ] {
        let mut rx = rx(&application_keys());
        rx.max_content = limit;
        let mut key = crate::record::protect::SealKey::new(&application_keys()).unwrap();
        let mut out = Buffer::new();
        key.seal(DATA, &vec![7; len], pad, &mut out).unwrap();
        let opened = open_one(&mut rx, out.as_slice()).map(|(_, content)| content.len());
        let overflow: Error = PeerError::RecordOverflow.into();
        // RFC 8449, Section 4: padding counts.
        assert_eq!(
            opened,
            if fits { Ok(len) } else { Err(overflow) },
            "{len} + {pad}"
        );
    }
    #[cfg(feature = "tls12")]
    for (len, fits) in [(100, true), (101, false)] {
        let keys = crate::record::testing::keys12(
            &waxwing_aws_lc::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
            3,
        );
        let mut rx = Rx::new();
        rx.change_keys(&keys).unwrap();
        rx.max_content = limit;
        let mut key = crate::record::protect::SealKey::new12(&keys).unwrap();
        let mut out = Buffer::new();
        key.seal(DATA, &vec![7; len], 0, &mut out).unwrap();
        let opened = open_one(&mut rx, out.as_slice()).map(|(_, content)| content.len());
        let overflow: Error = PeerError::RecordOverflow.into();
        assert_eq!(opened, if fits { Ok(len) } else { Err(overflow) }, "{len}");
    }
}
