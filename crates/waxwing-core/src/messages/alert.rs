//! Alert (RFC 9846, Section 6): not a handshake message, but a record's content.

use crate::Error;
use crate::alert::AlertDescription;
use crate::codec::Writer;
use crate::error::PeerError;

/// An alert as it stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    /// 1 is a warning, 2 is fatal; TLS 1.3 ignores it, the description says it all.
    pub(crate) level: u8,
    pub(crate) description: AlertDescription,
}

impl Alert {
    /// The level of close_notify and user_canceled.
    pub(crate) const WARNING: u8 = 1;
    /// The level of everything else.
    pub(crate) const FATAL: u8 = 2;

    /// Reads the content of an alert record: exactly one alert (RFC 9846, Section 5.1).
    pub(crate) fn read(content: &[u8]) -> Result<Self, Error> {
        let &[level, description] = content else {
            return Err(PeerError::BadAlert.into());
        };
        Ok(Self {
            level,
            description: AlertDescription(description),
        })
    }

    /// Writes the content of an alert record.
    pub(crate) fn write(self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.bytes(&[self.level, self.description.0]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::written;
    use super::*;

    #[test]
    fn an_alert_is_two_bytes() {
        let alert = Alert::read(&[2, 80]).unwrap();
        assert_eq!(
            (alert.level, alert.description),
            (2, AlertDescription::INTERNAL_ERROR)
        );
        assert_eq!(written(|w| alert.write(w)), [2, 80]);
        for content in [&[][..], &[2], &[2, 80, 0], &[1, 0, 1, 0]] {
            assert_eq!(Alert::read(content), Err(PeerError::BadAlert.into()));
        }
    }
}
