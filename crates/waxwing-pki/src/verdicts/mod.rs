//! Chains that were accepted, so that the next handshake with the same peer does not judge them
//! again. The decision, and why it is safe, is in docs/adr/0022.
//!
//! ```text
//!   key.rs     what the verdict is about: all that came from the peer, and its name
//!   table.rs   where verdicts are kept, how many, and which go first
//! ```
//!
//! A verdict counts only
//!  - in the verifier that came to it, while nothing about that verifier is changed;
//!  - for exactly the bytes that were judged;
//!  - from when they were judged until the clock passes one of the moments that the judgement
//!    compared it with ([`Horizon`](crate::horizon::Horizon)), and no longer than
//!    [`MAX_VERDICT_AGE`];
//!  - while the lists and filters that were asked are the same.

mod key;
mod table;

use core::fmt;
use core::time::Duration;

use waxwing_core::Verified;
use waxwing_core::limits::{MAX_VERDICT_AGE, MAX_VERDICTS};

pub(crate) use key::Question;
use table::{Kept, Table};

use crate::revocation::{Evidence, Generation};
use crate::{Peer, UnixTime};

/// What one verifier remembers.
pub(crate) struct Verdicts {
    /// `None` if nothing is to be remembered.
    table: Option<Table>,
}

/// When, and with which lists, a verdict is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Circumstances {
    pub(crate) now: UnixTime,
    /// Taken before anything is judged, so that what was judged by older lists is never taken for
    /// what newer ones say.
    pub(crate) generation: Generation,
}

impl Verdicts {
    /// Remembers so many at most; none, if that is 0.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            table: (entries > 0).then(|| Table::new(entries)),
        }
    }

    /// The same room with nothing in it.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.table.as_ref().map_or(0, Table::room))
    }

    /// What is to be asked; `None` if nothing is remembered.
    pub(crate) fn question(
        &self,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Option<Question> {
        let table = self.table.as_ref()?;
        Some(table.question(chain, peer, evidence))
    }

    /// The verdict, if it is known and still counts.
    pub(crate) fn answer(&self, question: &Question, at: Circumstances) -> Option<Verified> {
        self.table.as_ref()?.find(question, at)
    }

    /// Remembers that the peer was accepted, by a judgement that stays the same before `end`.
    pub(crate) fn keep(
        &self,
        question: &Question,
        at: Circumstances,
        end: UnixTime,
        verified: &Verified,
    ) {
        let end = end.min(at.now.plus(Duration::from_secs(MAX_VERDICT_AGE)));
        let Some(table) = self.table.as_ref().filter(|_| at.now < end) else {
            return;
        };
        table.insert(question, Kept::new(question, at, end, verified.clone()));
    }
}

impl Default for Verdicts {
    fn default() -> Self {
        Self::new(MAX_VERDICTS)
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = self.table.as_ref().map_or(0, Table::room);
        f.debug_struct("Verdicts")
            .field("room", &room)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
