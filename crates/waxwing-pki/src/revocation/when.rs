//! When an answer counts.

use core::time::Duration;

use x509_cert::certificate::Rfc5280;
use x509_cert::der::Decode;
use x509_cert::time::Validity;

use super::der::Fields;
use super::outcome::{Silence, Status};
use crate::UnixTime;
use crate::horizon::Horizon;

/// How far the clocks of issuers may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// The time of a check, and how much is forgiven.
#[derive(Clone, Copy, Debug)]
pub(super) struct When<'h> {
    pub(super) now: UnixTime,
    /// For how long an answer counts after its end.
    pub(super) grace: Duration,
    /// Learns what the time was compared with, if somebody wants to know.
    pub(super) horizon: Option<&'h Horizon>,
}

impl When<'_> {
    /// A check that forgives nothing.
    pub(super) const fn exactly(now: UnixTime) -> Self {
        Self {
            now,
            grace: Duration::ZERO,
            horizon: None,
        }
    }

    /// Somebody else compares the time with the validity of a certificate.
    pub(super) fn depends_on(self, certificate: &Fields<'_>) {
        let Some(horizon) = self.horizon else {
            return;
        };
        match Validity::<Rfc5280>::from_der(certificate.validity) {
            Ok(read) => {
                horizon.asked_within(self.now, read.not_before.into(), read.not_after.into())
            }
            Err(_) => horizon.unknown(),
        }
    }

    /// Whether `moment` has come.
    fn is_past(self, moment: UnixTime) -> bool {
        if let Some(horizon) = self.horizon {
            horizon.asked_for(self.now, moment);
        }
        self.now >= moment
    }

    /// Whether an answer that is good from `start` on counts already.
    pub(super) fn has_come(self, start: UnixTime) -> Result<(), Silence> {
        if self.is_past(start.minus(CLOCK_SKEW)) {
            return Ok(());
        }
        Err(Silence::Future(start))
    }

    /// What a good answer is worth that ends at `end`.
    pub(super) fn good_until(self, end: UnixTime) -> Status {
        let until = end.plus(self.grace);
        if self.is_past(until) {
            return Status::Silent(Silence::Stale(end));
        }
        Status::Good { until }
    }
}
