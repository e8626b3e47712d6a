//! CertificateStatus of TLS 1.2 (RFC 6066, Section 8). In TLS 1.3 the same structure stands in an
//! extension of the certificate.

use super::extensions::status_request;
use crate::Error;
use crate::codec::{Reader, Writer};

/// The status of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateStatus<'a> {
    /// The OCSP response in DER, not empty.
    pub(crate) response: &'a [u8],
}

impl<'a> CertificateStatus<'a> {
    /// Reads the body.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        let response = status_request::read_response(Reader::new("CertificateStatus", body))?;
        Ok(Self { response })
    }

    /// Writes the body.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        status_request::write_ocsp_response(w, self.response)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, malformed, written};
    use super::*;
    use crate::error::{PeerError, Problem};

    #[test]
    fn what_is_written_is_read() {
        let message = CertificateStatus { response: b"good" };
        let body = written(|w| message.write(w));
        assert_eq!(body, b"\x01\0\0\x04good");
        assert_eq!(CertificateStatus::read(&body), Ok(message));
        assert_exact(&body, &[], |body| CertificateStatus::read(body).map(|_| ()));
    }

    #[test]
    fn only_an_ocsp_response_can_have_been_asked_for() {
        let other = CertificateStatus::read(&[2, 0, 0, 1, 9]);
        assert_eq!(other, Err(PeerError::BadExtension.into()));
        let empty = malformed("OCSPResponse", Problem::Length);
        assert_eq!(CertificateStatus::read(&[1, 0, 0, 0]), Err(empty));
    }
}
