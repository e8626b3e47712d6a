//! Until when a judgement stays the same.

use core::cell::Cell;

use crate::UnixTime;

/// The first moment at which a comparison with the clock comes out otherwise than it did.
///
/// A judgement depends on bytes that do not change and on the clock. Whatever compares with the
/// clock says so here, and from the time of the judgement until this moment the same bytes lead
/// to the same verdict.
#[derive(Debug)]
pub(crate) struct Horizon(Cell<UnixTime>);

impl Horizon {
    /// Nothing was compared yet.
    pub(crate) const fn endless() -> Self {
        Self(Cell::new(UnixTime::from_seconds(u64::MAX)))
    }

    /// It was asked whether `moment` has come, which is later than all before it.
    pub(crate) fn asked_for(&self, now: UnixTime, moment: UnixTime) {
        if now < moment {
            self.0.set(self.0.get().min(moment));
        }
    }

    /// It was asked whether `now` is within a validity, whose last second is `not_after`.
    pub(crate) fn asked_within(&self, now: UnixTime, not_before: UnixTime, not_after: UnixTime) {
        self.asked_for(now, not_before);
        if now <= not_after {
            let end = UnixTime::from_seconds(not_after.seconds().saturating_add(1));
            self.asked_for(now, end);
        }
    }

    /// Something compared with the clock, and nobody knows when that changes.
    pub(crate) fn unknown(&self) {
        self.0.set(UnixTime::from_seconds(0));
    }

    /// The first moment that may be different.
    pub(crate) const fn end(&self) -> UnixTime {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    #[test]
    fn the_next_moment_counts_and_those_gone_by_do_not() {
        let horizon = Horizon::endless();
        horizon.asked_for(at(50), at(40));
        horizon.asked_for(at(50), at(50));
        assert_eq!(horizon.end(), at(u64::MAX));
        horizon.asked_for(at(50), at(80));
        horizon.asked_for(at(50), at(90));
        assert_eq!(horizon.end(), at(80));
        horizon.unknown();
        assert_eq!(horizon.end(), at(0));
    }

    #[test]
    fn a_validity_has_two_ends() {
        for (now, end) in [(9, 10), (10, 21), (20, 21), (21, u64::MAX)] {
            let horizon = Horizon::endless();
            horizon.asked_within(at(now), at(10), at(20));
            assert_eq!(horizon.end(), at(end), "{now}");
        }
    }
}
