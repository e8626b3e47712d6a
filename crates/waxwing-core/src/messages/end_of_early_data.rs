//! EndOfEarlyData (RFC 9846, Section 4.6).

use crate::Error;
use crate::codec::Reader;

/// The end of early data: a message without content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndOfEarlyData;

impl EndOfEarlyData {
    /// Reads the body, which is empty.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        Reader::new("EndOfEarlyData", body).finish()?;
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_exact;
    use super::*;

    #[test]
    fn has_no_content() {
        assert_exact(&[], &[], |body| EndOfEarlyData::read(body).map(|_| ()));
    }
}
