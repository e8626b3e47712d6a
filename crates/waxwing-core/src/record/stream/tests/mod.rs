//! Both sides together. Helpers are here; what is tested of each side has a file.

#![allow(clippy::arithmetic_side_effects)]

mod rx;
mod tx;

use alloc::vec;
use alloc::vec::Vec;

use super::{Opened, Rx, Tx, TxFlight};
use crate::limits::RECORD_HEADER;
use crate::messages::HandshakeType;
use crate::record::testing::keys;
use crate::record::{ContentType, Epoch, EpochKeys, Flight};
use crate::{Buffer, Error};

const HANDSHAKE: ContentType = ContentType::HANDSHAKE;
const DATA: ContentType = ContentType::APPLICATION_DATA;

fn application_keys() -> EpochKeys {
    keys(SUITE, Epoch::Application, 9)
}

const SUITE: &waxwing_crypto::Suite13 = &waxwing_aws_lc::TLS13_CHACHA20_POLY1305_SHA256;

/// A receiver under `keys`.
fn rx(keys: &EpochKeys) -> Rx {
    let mut rx = Rx::new();
    rx.install(keys).unwrap();
    rx
}

/// A sender under `keys`.
fn tx(keys: EpochKeys) -> Tx {
    let mut tx = Tx::new();
    let mut out = Buffer::new();
    flight(&mut tx, &mut out).install_write(keys).unwrap();
    assert!(out.is_empty());
    tx
}

fn flight<'a>(tx: &'a mut Tx, out: &'a mut Buffer) -> TxFlight<'a> {
    TxFlight { tx, out }
}

fn send_message(flight: &mut TxFlight<'_>, typ: u8, len: usize) -> Vec<u8> {
    let body = vec![typ; len];
    flight
        .message(HandshakeType(typ), &mut |writer| {
            writer.bytes(&body);
            Ok(())
        })
        .unwrap()
        .to_vec()
}

/// One record sealed with content of any type.
fn sealed(keys: &EpochKeys, typ: ContentType, content: &[u8]) -> Vec<u8> {
    let mut key = crate::record::protect::SealKey::new(keys).unwrap();
    let mut out = Buffer::new();
    key.seal(typ, content, 0, &mut out).unwrap();
    out.as_slice().to_vec()
}

/// One plaintext record.
fn plain(typ: u8, content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u16).to_be_bytes();
    [&[typ, 3, 3], len.as_slice(), content].concat()
}

/// The record at the front of `input`, its content copied.
fn open_one(rx: &mut Rx, input: &[u8]) -> Result<(ContentType, Vec<u8>), Error> {
    let mut input = input.to_vec();
    match rx.open(&mut input)? {
        Opened::Record {
            content_type,
            body,
            consumed,
        } => {
            assert_eq!(consumed, input.len());
            Ok((content_type, input[body].to_vec()))
        }
        other => panic!("{other:?}"),
    }
}

/// All records in `input`. Handshake content only adds to the joiner what is left over.
fn open_all(rx: &mut Rx, input: &[u8]) -> Result<Vec<(ContentType, Vec<u8>)>, Error> {
    let mut input = input.to_vec();
    let mut rest = input.as_mut_slice();
    let mut records = Vec::new();
    while !rest.is_empty() {
        match rx.open(rest)? {
            Opened::NeedInput(missing) => panic!("{missing} bytes missing"),
            Opened::Skipped { consumed } => rest = &mut rest[consumed..],
            Opened::Record {
                content_type,
                body,
                consumed,
            } => {
                records.push((content_type, rest[body].to_vec()));
                rest = &mut rest[consumed..];
            }
        }
    }
    Ok(records)
}

/// The lengths on the wire, header included, of the records in `bytes`.
fn record_lengths(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !bytes.is_empty() {
        let len = RECORD_HEADER + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        lengths.push(len);
        bytes = &bytes[len..];
    }
    lengths
}
