//! Early data that a server does not accept is stepped over (RFC 9846, Section 4.3.10).

use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::NamedGroup;

use super::{Stage, plain};
use crate::connection::event::Event;
use crate::handshake::transcript::Transcript;
use crate::limits::MAX_SKIPPED_EARLY_DATA;
use crate::testing::hellos::ClientParts;
use crate::testing::{client_builder, server_builder};
use crate::{Epoch, PeerError, ServerConfigBuilder};

const EARLY_DATA: u16 = 42;

/// A record as one looks that this server has no key for.
fn early(len: usize) -> Vec<u8> {
    plain(23, &vec![0x5a; len])
}

/// A server that has received a hello with early_data.
fn offered(server: ServerConfigBuilder) -> Stage {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1];
    let mut stage = Stage::server(server, client_builder().groups(groups));
    let side = &mut stage.puppet.side;
    let mut hello = ClientParts::of(&side.sent()[0]);
    hello.extensions.push(EARLY_DATA, &[]);
    let hello = hello.message();
    side.handshake.cx.transcript = Transcript::Buffered(hello.clone());
    stage.give(&plain(22, &hello)).unwrap();
    stage
}

fn accepting() -> Stage {
    offered(server_builder())
}

fn retrying() -> Stage {
    offered(server_builder().groups([NamedGroup::SECP256R1]))
}

/// As many records as the limit allows, and how many bytes are left of it.
fn up_to_the_limit() -> (Vec<u8>, usize) {
    let record = early(10_000);
    let limit = MAX_SKIPPED_EARLY_DATA as usize;
    (record.repeat(limit / record.len()), limit % record.len())
}

#[test]
fn records_that_do_not_open_are_dropped() {
    let mut stage = accepting();
    let (records, left) = up_to_the_limit();
    assert_eq!(stage.give(&records), Ok(vec![]));
    assert_eq!(stage.give(&early(left - 5)), Ok(vec![]));
    stage.deliver();
    let rest = stage.puppet.records(1).concat();
    let input = [plain(20, &[1]), rest].concat();
    assert_eq!(stage.give(&input), Ok(vec![Event::HandshakeComplete]));
    let data = stage.protected(23, b"data");
    assert_eq!(stage.give(&data).unwrap().len(), 1);
    // The skipping is over.
    let error = stage.refuse(&early(100));
    assert_eq!(error, PeerError::BadRecordMac.into());
}

#[test]
fn the_first_record_that_opens_ends_the_skipping() {
    let mut stage = accepting();
    stage.deliver();
    let finished = stage.puppet.side.sent().remove(0);
    let part = stage.puppet.sealed(Epoch::Handshake, 22, &finished[..5]);
    assert_eq!(stage.give(&[early(50), part].concat()), Ok(vec![]));
    assert_eq!(stage.refuse(&early(50)), PeerError::BadRecordMac.into());
}

#[test]
fn records_before_the_second_hello_are_dropped() {
    let mut stage = retrying();
    let (records, left) = up_to_the_limit();
    assert_eq!(stage.give(&records), Ok(vec![]));
    assert_eq!(stage.give(&early(left - 5)), Ok(vec![]));
    stage.deliver();
    let hello = stage.puppet.records(1).concat();
    assert_eq!(stage.give(&[plain(20, &[1]), hello].concat()), Ok(vec![]));
    stage.deliver();
    let finished = stage.puppet.records(1).concat();
    assert_eq!(stage.give(&finished), Ok(vec![Event::HandshakeComplete]));
}

#[test]
fn no_early_data_follows_the_second_hello() {
    let mut stage = retrying();
    stage.give(&early(50)).unwrap();
    stage.deliver();
    let hello = stage.puppet.records(1).concat();
    assert_eq!(stage.give(&hello), Ok(vec![]));
    assert_eq!(stage.refuse(&early(50)), PeerError::BadRecordMac.into());
}

#[test]
fn there_is_a_limit() {
    for (make, rule) in [
        (accepting as fn() -> Stage, PeerError::BadRecordMac),
        (retrying, PeerError::UnexpectedRecord),
    ] {
        let mut stage = make();
        let (records, left) = up_to_the_limit();
        stage.give(&records).unwrap();
        assert_eq!(stage.refuse(&early(left - 4)), rule.into());
    }
}

#[test]
fn nothing_is_dropped_without_the_offer() {
    let mut stage = Stage::server(server_builder(), client_builder());
    stage.give_messages(1);
    assert_eq!(stage.refuse(&early(50)), PeerError::BadRecordMac.into());
}
