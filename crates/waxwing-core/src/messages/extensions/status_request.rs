//! `status_request` (RFC 6066, Section 8; RFC 9846, Section 4.5.1.1).

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;

/// The CertificateStatusType of OCSP.
const OCSP: u8 = 1;

/// Reads the client's request: whether it is one for OCSP. Other types are of unknown form.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<bool, Error> {
    if reader.u8()? != OCSP {
        return Ok(false);
    }
    let mut responders = reader.vec16("responder_id_list")?;
    while !responders.is_empty() {
        responders.vec16("ResponderID")?.non_empty()?;
    }
    reader.vec16("request_extensions")?;
    reader.finish()?;
    Ok(true)
}

/// Reads the CertificateStatus of a CertificateEntry: an OCSP response in DER.
pub(crate) fn read_response(mut reader: Reader<'_>) -> Result<&[u8], Error> {
    // Only OCSP can have been asked for.
    if reader.u8()? != OCSP {
        return Err(PeerError::BadExtension.into());
    }
    let response = reader.vec24("OCSPResponse")?.non_empty()?.take_rest();
    reader.finish()?;
    Ok(response)
}

/// Writes the client's request for OCSP, without wishes about the responder.
pub(crate) fn write_status_request(w: &mut Writer<'_>) -> Result<(), Error> {
    w.u8(OCSP);
    w.vec16(|_| Ok(()))?;
    w.vec16(|_| Ok(()))
}

/// Writes the CertificateStatus of a CertificateEntry.
pub(crate) fn write_ocsp_response(w: &mut Writer<'_>, response: &[u8]) -> Result<(), Error> {
    w.u8(OCSP);
    w.vec24(|w| {
        w.bytes(response);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::messages::testing::{assert_exact, malformed, written};

    fn request(data: &[u8]) -> Result<bool, Error> {
        read(Reader::new("status_request", data))
    }

    fn response(data: &[u8]) -> Result<&[u8], Error> {
        read_response(Reader::new("status_request", data))
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(write_status_request);
        assert_eq!(data, [1, 0, 0, 0, 0]);
        assert_eq!(request(&data), Ok(true));
        assert_exact(&data, &[], |data| request(data).map(|_| ()));

        let data = written(|w| write_ocsp_response(w, b"good"));
        assert_eq!(response(&data), Ok(&b"good"[..]));
        assert_exact(&data, &[], |data| response(data).map(|_| ()));
    }

    #[test]
    fn requests_of_other_types_are_not_for_ocsp() {
        assert_eq!(request(&[2, 7]), Ok(false));
        assert_eq!(
            request(&[]),
            Err(malformed("status_request", Problem::Short))
        );
    }

    #[test]
    fn lists_of_responders_are_checked() {
        assert_eq!(request(&[1, 0, 3, 0, 1, 9, 0, 1, 5]), Ok(true));
        let empty = malformed("ResponderID", Problem::Length);
        assert_eq!(request(&[1, 0, 2, 0, 0, 0, 0]), Err(empty));
    }

    #[test]
    fn responses_are_ocsp_and_not_empty() {
        assert_eq!(
            response(&[2, 0, 0, 1, 9]),
            Err(PeerError::BadExtension.into())
        );
        let empty = malformed("OCSPResponse", Problem::Length);
        assert_eq!(response(&[1, 0, 0, 0]), Err(empty));
    }
}
