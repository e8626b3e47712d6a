//! How long something is valid still.

use waxwing::pki::UnixTime;

const DAY: u64 = 24 * 60 * 60;

/// Whole days, rounded towards the end of validity.
pub(crate) fn days_left(now: UnixTime, end: UnixTime) -> i64 {
    let days = |seconds: u64| i64::try_from(seconds / DAY).unwrap_or(i64::MAX);
    if now <= end {
        days(end.seconds() - now.seconds())
    } else {
        -days(now.seconds() - end.seconds()) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_left_are_whole_and_go_below_zero() {
        let end = UnixTime::from_seconds(10 * DAY);
        let at = |seconds| days_left(UnixTime::from_seconds(seconds), end);
        assert_eq!(at(0), 10);
        assert_eq!(at(9 * DAY + 1), 0);
        assert_eq!(at(10 * DAY), 0);
        assert_eq!(at(10 * DAY + 1), -1);
        assert_eq!(at(11 * DAY), -2);
    }
}
