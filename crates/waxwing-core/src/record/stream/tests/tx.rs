use core::num::NonZeroU16;

use proptest::prelude::*;

use super::*;
use crate::AlertDescription;
use crate::error::Misuse;
use crate::limits::MAX_PLAINTEXT;
use crate::messages::key_update::KeyUpdate;
use crate::record::RecordPadding;
use crate::record::testing::{handshake_keys, short_lived};

#[test]
fn a_flight_is_one_record_per_epoch() {
    let mut sender = Tx::new();
    let mut out = Buffer::new();
    let mut flight = flight(&mut sender, &mut out);
    let hello = send_message(&mut flight, 2, 90);
    assert_eq!(hello[..4], [2, 0, 0, 90]);
    flight.change_cipher_spec();
    flight.install_write(handshake_keys()).unwrap();
    let protected: Vec<u8> = [(8, 6), (11, 800), (15, 72), (20, 32)]
        .iter()
        .flat_map(|(typ, len)| send_message(&mut flight, *typ, *len))
        .collect();
    flight.install_write(short_lived()).unwrap();
    flight.end_flight().unwrap();
    sender
        .alert(1, AlertDescription::CLOSE_NOTIFY, &mut out)
        .unwrap();

    let wire = out.as_slice();
    let lengths = record_lengths(wire);
    assert_eq!(lengths[..2], [5 + 94, 6]);
    assert_eq!(lengths.len(), 4);
    let mut receiver = Rx::new();
    let start = open_all(&mut receiver, &wire[..105]).unwrap();
    assert_eq!(start[0], (HANDSHAKE, hello));
    assert_eq!(start[1], (ContentType::CHANGE_CIPHER_SPEC, vec![1]));
    receiver.install(&handshake_keys()).unwrap();
    let opened = open_one(&mut receiver, &wire[105..105 + lengths[2]]);
    assert_eq!(opened, Ok((HANDSHAKE, protected)));
    receiver.install(&short_lived()).unwrap();
    let opened = open_one(&mut receiver, &wire[105 + lengths[2]..]);
    assert_eq!(opened, Ok((ContentType::ALERT, vec![1, 0])));
}

#[test]
fn messages_are_cut_at_the_fragment_size() {
    let mut sender = Tx::new();
    sender.max_fragment = 64;
    let mut out = Buffer::new();
    let mut flight = flight(&mut sender, &mut out);
    let message = send_message(&mut flight, 11, 190);
    flight.end_flight().unwrap();
    assert_eq!(record_lengths(out.as_slice()), [69, 69, 69, 7]);
    let opened = open_all(&mut Rx::new(), out.as_slice()).unwrap();
    let joined: Vec<u8> = opened
        .into_iter()
        .flat_map(|(_, content)| content)
        .collect();
    assert_eq!(joined, message);
}

#[test]
fn only_the_first_hello_says_0x0301() {
    let mut sender = Tx::new();
    sender.first_hello = true;
    let mut versions = Vec::new();
    for _ in 0..2 {
        let mut out = Buffer::new();
        let mut flight = flight(&mut sender, &mut out);
        send_message(&mut flight, 1, 200);
        flight.end_flight().unwrap();
        versions.push(out.as_slice()[1..3].to_vec());
    }
    assert_eq!(versions, [[3, 1], [3, 3]]);
}

#[test]
fn a_message_that_fails_leaves_nothing_behind() {
    let mut sender = Tx::new();
    let mut out = Buffer::new();
    let mut flight = flight(&mut sender, &mut out);
    let sound = send_message(&mut flight, 2, 3);
    let failed = flight.message(HandshakeType(11), &mut |writer| {
        writer.bytes(&[1, 2, 3]);
        Err(Misuse::TooLong.into())
    });
    assert_eq!(failed, Err(Misuse::TooLong.into()));
    flight.end_flight().unwrap();
    assert_eq!(
        open_one(&mut Rx::new(), out.as_slice()),
        Ok((HANDSHAKE, sound))
    );
}

#[test]
fn writing_needs_a_key() {
    let mut out = Buffer::new();
    let refused = Tx::new().write(&[b"x"], RecordPadding::None, &mut out);
    assert_eq!(refused, Err(Misuse::HandshakePending.into()));
    assert!(out.is_empty());
}

#[test]
fn a_large_write_reserves_its_output_once() {
    for padding in [
        RecordPadding::None,
        RecordPadding::ToMultipleOf(NonZeroU16::new(4096).unwrap()),
    ] {
        let data = vec![5; 5 * MAX_PLAINTEXT + 100];
        let mut out = Buffer::new();
        let taken = tx(application_keys()).write(&[&data], padding, &mut out);
        assert_eq!(taken, Ok(data.len()));
        assert_eq!(out.capacity(), out.len());
    }
}

#[test]
fn keys_are_updated_before_their_limit_while_writing() {
    let mut sender = tx(short_lived());
    let mut receiver = rx(&short_lived());
    sender.max_fragment = 10;
    let data: Vec<u8> = (0..250).collect();
    let mut out = Buffer::new();
    sender
        .write(&[&data], RecordPadding::None, &mut out)
        .unwrap();
    let mut wire = out.as_slice().to_vec();
    let mut rest = wire.as_mut_slice();
    let (mut received, mut updates) = (Vec::new(), 0);
    while !rest.is_empty() {
        let Opened::Record {
            content_type,
            body,
            consumed,
        } = receiver.open(rest).unwrap()
        else {
            panic!("a whole record was expected");
        };
        if content_type == HANDSHAKE {
            assert_eq!(rest[body], [24, 0, 0, 1, 0]);
            receiver.update_key().unwrap();
            updates += 1;
        } else {
            received.extend_from_slice(&rest[body]);
        }
        rest = &mut rest[consumed..];
    }
    assert_eq!(received, data);
    // 25 records, 6 under each key.
    assert_eq!(updates, 4);
}

#[test]
fn a_key_update_on_request_asks_for_an_answer() {
    let mut sender = tx(short_lived());
    let mut receiver = rx(&short_lived());
    let mut out = Buffer::new();
    sender.key_update(KeyUpdate::Requested, &mut out).unwrap();
    let opened = open_one(&mut receiver, out.as_slice());
    assert_eq!(opened, Ok((HANDSHAKE, vec![24, 0, 0, 1, 1])));
    receiver.update_key().unwrap();
    out.clear();
    sender
        .write(&[b"after"], RecordPadding::None, &mut out)
        .unwrap();
    assert_eq!(
        open_one(&mut receiver, out.as_slice()),
        Ok((DATA, b"after".to_vec()))
    );
}

proptest! {
    #[test]
    fn slices_are_written_as_their_concatenation_is(
        lengths in prop::collection::vec(0..200usize, 0..12),
        max_fragment in 1..300usize,
        unit in 0..200u16,
    ) {
        let padding = NonZeroU16::new(unit).map_or(RecordPadding::None, RecordPadding::ToMultipleOf);
        let data: Vec<u8> = (0..lengths.iter().sum::<usize>()).map(|i| i as u8).collect();
        let mut parts = Vec::new();
        let mut rest = data.as_slice();
        for len in &lengths {
            let (part, left) = rest.split_at(*len);
            parts.push(part);
            rest = left;
        }
        let write = |parts: &[&[u8]]| {
            let mut sender = tx(application_keys());
            sender.max_fragment = max_fragment;
            let mut out = Buffer::new();
            assert_eq!(sender.write(parts, padding, &mut out), Ok(data.len()));
            out.as_slice().to_vec()
        };
        let wire = write(&parts);
        prop_assert_eq!(&wire, &write(&[&data]));
        let opened = open_all(&mut rx(&application_keys()), &wire).unwrap();
        let received: Vec<u8> = opened.into_iter().flat_map(|(_, content)| content).collect();
        prop_assert_eq!(received, data);
        let records = record_lengths(&wire);
        prop_assert!(records.iter().all(|len| *len <= max_fragment + RECORD_HEADER + 17));
    }
}
