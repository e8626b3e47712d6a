//! Where verdicts are kept.
//!
//! A table of a fixed number of short rows, each with a lock of its own that is held for a look at
//! the row. The peer decides which row, and has a part of it at most: so one peer that shows ever
//! new chains, all of them good, only drives out its own.

use alloc::boxed::Box;
use alloc::vec::Vec;
use std::collections::hash_map::RandomState;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use waxwing_core::Verified;

use super::{Circumstances, Question};
use crate::revocation::{Evidence, Generation};
use crate::{Peer, UnixTime};

/// Verdicts in one row.
const ROW: usize = 8;
/// Verdicts of one peer. Honest ones have two: chains for two kinds of keys, or the staple before
/// and after a change.
const PER_PEER: usize = 4;

/// One verdict.
#[derive(Debug)]
pub(super) struct Kept {
    key: [u8; 32],
    owner: u64,
    generation: Generation,
    /// When it was judged.
    since: UnixTime,
    /// The first moment when it does not count any more.
    end: UnixTime,
    verified: Verified,
}

impl Kept {
    pub(super) const fn new(
        question: &Question,
        at: Circumstances,
        end: UnixTime,
        verified: Verified,
    ) -> Self {
        Self {
            key: question.key,
            owner: question.owner,
            generation: at.generation,
            since: at.now,
            end,
            verified,
        }
    }

    /// Before `since` nobody has judged, and a clock that was set back may be the right one.
    fn counts(&self, at: Circumstances) -> bool {
        self.since <= at.now && at.now < self.end && self.generation == at.generation
    }
}

/// All verdicts of one verifier.
#[derive(Debug)]
pub(super) struct Table {
    rows: OnceLock<Box<[Mutex<Vec<Kept>>]>>,
    /// Makes it impossible to foretell who shares a row with whom.
    hasher: RandomState,
    room: usize,
}

impl Table {
    /// Has room for so many verdicts, of which there is one at least, in whole rows.
    pub(super) fn new(entries: usize) -> Self {
        let row = entries.clamp(1, ROW);
        Self {
            rows: OnceLock::new(),
            hasher: RandomState::new(),
            room: (entries.max(1) / row).saturating_mul(row),
        }
    }

    /// How many verdicts there can be.
    pub(super) const fn room(&self) -> usize {
        self.room
    }

    pub(super) fn question(
        &self,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Question {
        Question::of(&self.hasher, chain, peer, evidence)
    }

    pub(super) fn find(&self, question: &Question, at: Circumstances) -> Option<Verified> {
        let mut row = self.row(question)?;
        let place = row.iter().position(|kept| kept.key == question.key)?;
        let kept = row.remove(place);
        if !kept.counts(at) {
            return None;
        }
        let verified = kept.verified.clone();
        row.insert(0, kept);
        Some(verified)
    }

    /// Keeps it as the one that was used last.
    pub(super) fn insert(&self, question: &Question, kept: Kept) {
        let Some(mut row) = self.row(question) else {
            return;
        };
        row.retain(|other| other.key != kept.key);
        let own = row.iter().filter(|other| other.owner == kept.owner);
        let leaves = if own.count() >= PER_PEER.min(self.width()) {
            row.iter().rposition(|other| other.owner == kept.owner)
        } else if row.len() >= self.width() {
            row.len().checked_sub(1)
        } else {
            None
        };
        if let Some(place) = leaves {
            row.remove(place);
        }
        row.insert(0, kept);
    }

    fn width(&self) -> usize {
        self.room.min(ROW)
    }

    /// The row of a peer. What it holds is whole after every step, so a panic elsewhere while it
    /// was locked spoils nothing.
    fn row(&self, question: &Question) -> Option<MutexGuard<'_, Vec<Kept>>> {
        let rows = self.rows.get_or_init(|| {
            let count = self.room / self.width();
            (0..count).map(|_| Mutex::default()).collect()
        });
        let place = question.owner.checked_rem(rows.len() as u64)?;
        let row = rows.get(usize::try_from(place).ok()?)?;
        Some(row.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Circumstances {
        Circumstances {
            now: UnixTime::from_seconds(seconds),
            generation: Generation::default(),
        }
    }

    fn question(key: u8, owner: u64) -> Question {
        Question {
            key: [key; 32],
            owner,
        }
    }

    fn insert(table: &Table, question: &Question) {
        let end = UnixTime::from_seconds(200);
        let verified = Verified::holder_of(question.key.to_vec());
        table.insert(question, Kept::new(question, at(100), end, verified));
    }

    fn count(table: &Table) -> usize {
        let rows = table.rows.get().into_iter().flatten();
        rows.map(|row| row.lock().unwrap().len()).sum()
    }

    #[test]
    fn there_are_never_more_than_there_is_room_for() {
        for (entries, room) in [(1, 1), (3, 3), (8, 8), (20, 16), (100, 96)] {
            let table = Table::new(entries);
            for owner in 0..2_000_u64 {
                insert(&table, &question(u8::try_from(owner % 251).unwrap(), owner));
            }
            assert_eq!((table.room(), count(&table)), (room, room), "{entries}");
        }
    }

    #[test]
    fn a_peer_with_many_chains_drives_out_its_own_alone() {
        let table = Table::new(ROW);
        let victims = [1, 2, 3, 4].map(|key| question(key, key.into()));
        for victim in &victims {
            insert(&table, victim);
        }
        for key in 10..200 {
            insert(&table, &question(key, 99));
        }
        assert_eq!(count(&table), ROW);
        for victim in &victims {
            assert!(table.find(victim, at(100)).is_some());
        }
        // Its last ones are there.
        for key in 196..200 {
            assert!(table.find(&question(key, 99), at(100)).is_some(), "{key}");
        }
        assert!(table.find(&question(195, 99), at(100)).is_none());
    }

    #[test]
    fn who_was_not_seen_for_longest_goes_first() {
        let table = Table::new(3);
        let peers = [1, 2, 3, 4].map(|key| question(key, key.into()));
        for peer in &peers[..3] {
            insert(&table, peer);
        }
        assert!(table.find(&peers[0], at(100)).is_some());
        insert(&table, &peers[3]);
        assert!(table.find(&peers[1], at(100)).is_none());
        for place in [0, 2, 3] {
            let found = table.find(&peers[place], at(100)).unwrap();
            assert_eq!(found.spki(), peers[place].key);
        }
    }

    #[test]
    fn a_verdict_twice_takes_one_place() {
        let table = Table::new(8);
        for _ in 0..5 {
            insert(&table, &question(1, 1));
        }
        assert_eq!(count(&table), 1);
    }

    #[test]
    fn a_verdict_counts_in_its_time_alone_and_goes_when_it_does_not() {
        let table = Table::new(8);
        for (time, counts) in [(99, false), (100, true), (199, true), (200, false)] {
            insert(&table, &question(1, 1));
            let found = table.find(&question(1, 1), at(time));
            assert_eq!(found.is_some(), counts, "{time}");
            assert_eq!(count(&table), usize::from(counts));
        }
    }
}
