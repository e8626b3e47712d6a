//! The time of day, as certificates need it.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::time::SystemTime;

use x509_cert::der::DateTime;

use crate::{Code, Failure};

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// So many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// What the system's clock shows; `None` if that is before 1970.
    #[must_use]
    pub fn now() -> Option<Self> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.ok().map(|since| Self(since.as_secs()))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Later by `duration`.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// Earlier by `duration`, but not before 1970.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    pub(crate) const fn for_webpki(self) -> rustls_pki_types::UnixTime {
        rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(self.0))
    }
}

impl From<x509_cert::time::Time> for UnixTime {
    fn from(time: x509_cert::time::Time) -> Self {
        Self(time.to_unix_duration().as_secs())
    }
}

/// Prints the form of RFC 3339, such as `2026-02-28T12:00:00Z`.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_unix_duration(Duration::from_secs(self.0)) {
            Ok(date) => date.fmt(f),
            Err(_) => f.write_str("after the year 9999"),
        }
    }
}

impl FromStr for UnixTime {
    type Err = InvalidTime;

    /// The form that [`Self`] prints, such as `2026-02-28T12:00:00Z`, from 1970 on.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        text.parse()
            .map(|date: DateTime| Self(date.unix_duration().as_secs()))
            .map_err(|_| InvalidTime(text.into()))
    }
}

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTime(String);

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is no time: it must be like 2026-02-28T12:00:00Z"
        )
    }
}

impl core::error::Error for InvalidTime {}

/// Where a verifier takes the time from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Always this time: for tests, and for judging a certificate at another date.
    Fixed(UnixTime),
}

impl Clock {
    /// The time; `None` if the system's clock is set before 1970.
    #[must_use]
    pub fn now(self) -> Option<UnixTime> {
        match self {
            Self::System => UnixTime::now(),
            Self::Fixed(time) => Some(time),
        }
    }

    /// The time, without which nothing can be judged.
    pub(crate) fn known(self) -> Result<UnixTime, Failure> {
        self.now().ok_or_else(|| {
            let reason = "the clock is set before 1970, so validity cannot be checked";
            Failure::new(Code::NoTime, reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339() {
        let text = |seconds| UnixTime::from_seconds(seconds).to_string();
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(text(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(text(u64::MAX), "after the year 9999");
    }

    #[test]
    fn reads_what_it_prints_and_nothing_else() {
        for seconds in [0, 1_709_210_096, 253_402_300_799] {
            let time = UnixTime::from_seconds(seconds);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        for bad in [
            "",
            "2026-02-28",
            "2026-02-30T12:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            let error = bad.parse::<UnixTime>().unwrap_err();
            assert!(error.to_string().contains("2026-02-28T12:00:00Z"));
        }
    }
}
