//! The time of day, from the system.

use std::time::{SystemTime, UNIX_EPOCH};

use waxwing_core::{Clock, UnixMillis};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Now; 0 if the system believes that it is before 1970.
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            UnixMillis::try_from(since.as_millis()).unwrap_or(UnixMillis::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_in_milliseconds_of_this_age() {
        const IN_2020: UnixMillis = 1_577_836_800_000;
        const IN_2200: UnixMillis = 7_258_118_400_000;
        assert!((IN_2020..IN_2200).contains(&SystemClock.now()));
    }
}
