//! ServerHelloDone of TLS 1.2 (RFC 5246, Section 7.4.5).

use crate::Error;
use crate::codec::Reader;

/// The end of the server's first flight: a message without content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHelloDone;

impl ServerHelloDone {
    /// Reads the body, which is empty.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        Reader::new("ServerHelloDone", body).finish()?;
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_exact;
    use super::*;

    #[test]
    fn has_no_content() {
        assert_exact(&[], &[], |body| ServerHelloDone::read(body).map(|_| ()));
    }
}
