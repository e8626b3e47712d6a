//! Finished (RFC 9846, Section 4.5.3).

use crate::Error;
use crate::codec::Writer;

/// The MAC over the handshake so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished<'a> {
    /// As long as the hash of the cipher suite: to be compared in constant time, length included.
    pub(crate) verify_data: &'a [u8],
}

impl<'a> Finished<'a> {
    /// Reads the body.
    pub(crate) const fn read(body: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { verify_data: body })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.bytes(self.verify_data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::written;
    use super::*;

    #[test]
    fn the_body_is_the_mac() {
        let message = Finished::read(&[7; 32]).unwrap();
        assert_eq!(message.verify_data, [7; 32]);
        assert_eq!(written(|w| message.write(w)), [7; 32]);
    }
}
