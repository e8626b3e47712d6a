//! When an answer counts.

use core::time::Duration;

use super::outcome::{Silence, Status};
use crate::UnixTime;

/// How far the clocks of issuers may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// The time of a check, and how much is forgiven.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) now: UnixTime,
    /// For how long an answer counts after its end.
    pub(super) grace: Duration,
}

impl When {
    /// Whether an answer that is good from `start` on counts already.
    pub(super) fn has_come(self, start: UnixTime) -> Result<(), Silence> {
        if start > self.now.plus(CLOCK_SKEW) {
            return Err(Silence::Future(start));
        }
        Ok(())
    }

    /// What a good answer is worth that ends at `end`.
    pub(super) fn good_until(self, end: UnixTime) -> Status {
        let until = end.plus(self.grace);
        if self.now >= until {
            return Status::Silent(Silence::Stale(end));
        }
        Status::Good { until }
    }
}
