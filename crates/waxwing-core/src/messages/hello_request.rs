//! HelloRequest of TLS 1.2 (RFC 5246, Section 7.4.1.1).

use crate::Error;
use crate::codec::Reader;

/// A server's wish for another handshake: a message without content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HelloRequest;

impl HelloRequest {
    /// Reads the body, which is empty.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        Reader::new("HelloRequest", body).finish()?;
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_exact;
    use super::*;

    #[test]
    fn has_no_content() {
        assert_exact(&[], &[], |body| HelloRequest::read(body).map(|_| ()));
    }
}
