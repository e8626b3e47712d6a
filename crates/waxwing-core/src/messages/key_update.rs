//! KeyUpdate (RFC 9846, Section 4.7.3).

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;
use crate::messages::HandshakeType;

/// The sender changes its keys; does it ask the receiver to do the same?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUpdate {
    /// `update_not_requested`
    NotRequested,
    /// `update_requested`
    Requested,
}

impl KeyUpdate {
    /// Reads the body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("KeyUpdate", body);
        let value = reader.u8()?;
        reader.finish()?;
        match value {
            0 => Ok(Self::NotRequested),
            1 => Ok(Self::Requested),
            _ => Err(PeerError::BadKeyUpdate.into()),
        }
    }

    /// The whole message, header included.
    pub(crate) const fn message(self) -> [u8; 5] {
        let request = match self {
            Self::NotRequested => 0,
            Self::Requested => 1,
        };
        [HandshakeType::KEY_UPDATE.0, 0, 0, 1, request]
    }

    /// Writes the body.
    pub(crate) fn write(self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.u8(match self {
            Self::NotRequested => 0,
            Self::Requested => 1,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, written};
    use super::*;

    #[test]
    fn two_values_are_legal() {
        for (value, message) in [(0, KeyUpdate::NotRequested), (1, KeyUpdate::Requested)] {
            assert_eq!(KeyUpdate::read(&[value]), Ok(message));
            assert_eq!(written(|w| message.write(w)), [value]);
            assert_eq!(message.message(), [24, 0, 0, 1, value]);
            assert_exact(&[value], &[], |body| KeyUpdate::read(body).map(|_| ()));
        }
        for value in 2..=u8::MAX {
            assert_eq!(
                KeyUpdate::read(&[value]),
                Err(PeerError::BadKeyUpdate.into())
            );
        }
    }
}
