//! What a connection counts goes on being counted after an export.

use alloc::vec;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;

use super::established::ticket;
use super::{KEY_UPDATE, Stage};
use crate::connection::Connection;
use crate::connection::State;
use crate::connection::export::{ExportError, Importer};
use crate::connection::halves::Role;
use crate::limits::{
    MAX_EMPTY_RECORDS, MAX_KEY_UPDATES, MAX_RENEGOTIATIONS, MAX_TICKETS, MAX_WARNING_ALERTS,
};
use crate::testing::{client_builder, server_builder};
use crate::{AlertDescription, Error, Misuse, PeerError};

impl Stage {
    /// Goes on with a connection made of the exported one.
    fn replace(&mut self) {
        let gone = Connection {
            state: State::Failed(Misuse::Closed.into(), Default::default()),
            role: Role::Client,
        };
        let connection = core::mem::replace(&mut self.connection, gone);
        let exported = connection.export().unwrap();
        let imported = Importer::new(&PROVIDER).import(exported.as_bytes());
        self.connection = imported.unwrap().connection;
    }
}

/// Gives such records, with an export before each of some, until one is refused: how many were
/// taken.
fn taken(stage: &mut Stage, typ: u8, content: &[u8], update: bool) -> (usize, Error) {
    for count in 0.. {
        if count % 3 == 1 {
            stage.replace();
        }
        let record = stage.protected(typ, content);
        if let Err(error) = stage.give(&record) {
            return (count, error);
        }
        if update {
            stage.puppet.application.as_mut().unwrap().update().unwrap();
        }
    }
    unreachable!("a flood ends")
}

#[test]
fn floods_end_at_their_limits() {
    let canceled = [1, AlertDescription::USER_CANCELED.0];
    let cases: [(u8, &[u8], bool, usize, PeerError); 4] = [
        (
            22,
            &KEY_UPDATE,
            true,
            MAX_KEY_UPDATES.into(),
            PeerError::TooManyKeyUpdates,
        ),
        (
            22,
            &ticket(),
            false,
            MAX_TICKETS.into(),
            PeerError::TooManyTickets,
        ),
        (
            23,
            &[],
            false,
            MAX_EMPTY_RECORDS.into(),
            PeerError::TooManyEmptyRecords,
        ),
        (
            21,
            &canceled,
            false,
            MAX_WARNING_ALERTS.into(),
            PeerError::TooManyWarnings,
        ),
    ];
    for (typ, content, update, limit, error) in cases {
        let mut stage = Stage::established(true);
        assert_eq!(
            taken(&mut stage, typ, content, update),
            (limit, error.into())
        );
    }
    let mut stage = Stage::established12(true);
    let flood = taken(&mut stage, 22, &[0; 4], false);
    let error = PeerError::TooManyRenegotiations.into();
    assert_eq!(flood, (MAX_RENEGOTIATIONS.into(), error));
}

#[test]
fn a_message_in_parts_is_not_exported() {
    let mut stage = Stage::established(true);
    let whole = ticket();
    let (first, second) = whole.split_at(7);
    let record = stage.protected(22, first);
    assert_eq!(stage.give(&record), Ok(vec![]));
    assert_eq!(stage.connection.can_export(), Err(ExportError::MidMessage));
    let record = stage.protected(22, second);
    assert_eq!(stage.give(&record), Ok(vec![]));
    assert_eq!(stage.connection.can_export(), Ok(()));
}

#[test]
fn received_records_keep_their_limit() {
    // RFC 8449, Section 4: the content type counts.
    let cases = [(699, Ok(1)), (700, Err(PeerError::RecordOverflow.into()))];
    for (len, expected) in cases {
        let client = client_builder().record_size_limit(700);
        let mut stage = Stage::client(client, server_builder());
        stage.give_messages(5);
        stage.replace();
        let record = stage.protected(23, &vec![1; len]);
        let taken: Result<Vec<_>, _> = stage.give(&record);
        assert_eq!(taken.map(|events| events.len()), expected, "{len}");
    }
}
