//! What a certificate demands of its holder's TLS (RFC 7633).

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Result};

use super::der::{Fields, content, parts};

/// id-pe-tlsfeature (RFC 7633, Section 4.1).
const TLS_FEATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.24");
/// The number of the extension `status_request` (RFC 6066, Section 8).
const STATUS_REQUEST: u16 = 5;

/// Whether the certificate demands that an OCSP response comes with it.
pub(super) fn must_staple(certificate: &Fields<'_>) -> Result<bool> {
    let Some(features) = certificate.extension(&TLS_FEATURE)? else {
        return Ok(false);
    };
    for feature in parts(content(&features)?)? {
        if u16::from_der(feature)? == STATUS_REQUEST {
            return Ok(true);
        }
    }
    Ok(false)
}
