//! ClientKeyExchange of the ECDHE suites of TLS 1.2 (RFC 8422, Section 5.7).

use crate::Error;
use crate::codec::{Reader, Writer};

/// The client's share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientKeyExchange<'a> {
    /// The public value, not empty: that of the certificate's key, which it could also mean, is
    /// used by no suite here.
    pub(crate) public: &'a [u8],
}

impl<'a> ClientKeyExchange<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new("ClientKeyExchange", body);
        let public = reader.vec8("ECPoint")?.non_empty()?.take_rest();
        reader.finish()?;
        Ok(Self { public })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.vec8(|w| {
            w.bytes(self.public);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::Problem;

    #[test]
    fn what_is_written_is_read() {
        let message = ClientKeyExchange { public: &[4, 5, 6] };
        let body = written(|w| message.write(w));
        assert_eq!(body, [3, 4, 5, 6]);
        assert_eq!(ClientKeyExchange::read(&body), Ok(message));
        assert_exact(&body, &[], |body| ClientKeyExchange::read(body).map(|_| ()));
    }

    #[test]
    fn the_public_value_is_not_empty() {
        let empty = malformed("ECPoint", Problem::Length);
        assert_eq!(ClientKeyExchange::read(&[0]), Err(empty));
        // RFC 8422, Section 5.7: the form for a key in the certificate, ECDH without ephemeral.
        let nothing = malformed("ClientKeyExchange", Problem::Short);
        assert_eq!(ClientKeyExchange::read(&[]), Err(nothing));
    }
}
