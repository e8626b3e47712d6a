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
