//! Bad input, one case or more for each rule that a peer can break. What is not in these tables
//! cannot happen, and has no place among the errors.

mod alerts;
mod client;
mod client12;
mod client_auth;
pub(super) mod compression;
mod post_handshake;
mod psk;
mod psk12;
mod raw_public_keys;
mod records;
mod records12;
mod resume12;
mod server;
mod server12;

use alloc::vec::Vec;

use crate::{Error, Incompatible, PeerError};

/// A name, the error that must come, and how to make it come.
type Case = (&'static str, Error, fn() -> Error);

fn cases() -> impl Iterator<Item = Case> {
    let tables = [
        records::CASES,
        records12::CASES,
        client::CASES,
        client12::CASES,
        server::CASES,
        server12::CASES,
        client_auth::CASES,
        compression::CASES,
        post_handshake::CASES,
        psk12::CASES,
        psk::CASES,
        raw_public_keys::CASES,
        resume12::CASES,
    ];
    tables.into_iter().flatten().cloned()
}

#[test]
fn each_case_fails_by_its_rule() {
    let wrong: Vec<_> = cases()
        .map(|(name, expected, run)| (name, expected, run()))
        .filter(|(_, expected, found)| found != expected)
        .collect();
    assert_eq!(wrong, []);
}

#[test]
fn every_rule_has_a_case() {
    let covered: Vec<Error> = cases().map(|(_, error, _)| error).collect();
    for rule in PeerError::ALL {
        assert!(covered.contains(&Error::Peer(*rule)), "{rule:?}");
    }
    for lack in Incompatible::ALL {
        assert!(covered.contains(&Error::Incompatible(*lack)), "{lack:?}");
    }
}

#[test]
fn names_are_told_apart() {
    let mut names: Vec<&str> = cases().map(|(name, ..)| name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
