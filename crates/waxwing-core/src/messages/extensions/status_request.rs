//! `status_request` (RFC 6066, Section 8; RFC 9846, Section 4.4.2.1).

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
