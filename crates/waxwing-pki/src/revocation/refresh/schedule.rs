//! When to ask again.

use core::time::Duration;

use crate::UnixTime;

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause between failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// The shortest time between a success and the next request, whatever the answer says of its
/// end: a source with a wrong clock should not be asked all the time.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// The longest time between a success and the next request, if the user says nothing else.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When to ask: around the middle of an answer's time, and later and later after failures.
#[derive(Debug)]
pub(super) struct Schedule {
    next: UnixTime,
    failures: u32,
    longest: Duration,
    random: u64,
}

impl Schedule {
    /// Asks at once.
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            next: UnixTime::from_seconds(0),
            failures: 0,
            longest: LONGEST,
            random: seed,
        }
    }

    pub(super) const fn at_least_every(&mut self, interval: Duration) {
        self.longest = interval;
    }

    pub(super) const fn next(&self) -> UnixTime {
        self.next
    }

    /// An answer came that counts until `until`.
    pub(super) fn succeeded(&mut self, now: UnixTime, until: UnixTime) {
        self.failures = 0;
        let left = Duration::from_secs(until.seconds().saturating_sub(now.seconds()));
        let shortest = SHORTEST.min(self.longest);
        let pause = (left / 2).clamp(shortest, self.longest);
        // Between nine tenths and all of it.
        self.next = now.plus(self.less(pause, 10));
    }

    /// No answer came, or no good one.
    pub(super) fn failed(&mut self, now: UnixTime) {
        let doubled = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        // Between half and all of it.
        self.next = now.plus(self.less(pause, 2));
    }

    /// Takes up to one `part`-th off `pause`.
    fn less(&mut self, pause: Duration, part: u32) -> Duration {
        let most = (pause / part).as_secs().saturating_add(1);
        let off = self.draw().checked_rem(most).unwrap_or(0);
        pause.saturating_sub(Duration::from_secs(off))
    }

    /// The generator SplitMix64: this is about load, not about secrets.
    const fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_000_000);

    fn pause(schedule: &Schedule) -> u64 {
        schedule.next().seconds() - NOW.seconds()
    }

    #[test]
    fn success_leads_to_the_middle_with_jitter() {
        let hours = |hours: u64| NOW.plus(Duration::from_secs(hours * 3600));
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let mut schedule = Schedule::new(seed);
            assert_eq!(schedule.next().seconds(), 0);
            schedule.succeeded(NOW, hours(20));
            let seconds = pause(&schedule);
            assert!((9 * 3600..=10 * 3600).contains(&seconds), "{seconds}");
            seen.insert(seconds);
        }
        assert!(seen.len() > 90, "{} different", seen.len());
        let mut schedule = Schedule::new(1);
        schedule.succeeded(NOW, hours(24 * 365));
        assert!(pause(&schedule) <= 24 * 3600);
        schedule.succeeded(NOW, NOW);
        assert!(pause(&schedule) >= 4 * 60);
        schedule.at_least_every(Duration::from_secs(60));
        schedule.succeeded(NOW, hours(20));
        assert!((54..=60).contains(&pause(&schedule)));
    }

    #[test]
    fn failures_back_off_to_an_hour_and_a_success_forgets_them() {
        let mut schedule = Schedule::new(7);
        for longest in [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600] {
            schedule.failed(NOW);
            let seconds = pause(&schedule);
            assert!((longest / 2..=longest).contains(&seconds), "{seconds}");
        }
        for _ in 0..100 {
            schedule.failed(NOW);
        }
        assert!((1800..=3600).contains(&pause(&schedule)));
        schedule.succeeded(NOW, NOW.plus(LONGEST));
        schedule.failed(NOW);
        assert!((30..=60).contains(&pause(&schedule)));
    }
}
