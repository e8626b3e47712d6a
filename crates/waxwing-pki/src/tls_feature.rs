//! What a certificate demands of its holder's TLS (RFC 7633).

use alloc::vec::Vec;

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Result};

use crate::revocation::Fields;

/// id-pe-tlsfeature (RFC 7633, Section 6).
pub(crate) const TLS_FEATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.24");
/// The number of the extension `status_request` (RFC 6066, Section 8), which a feature names.
const STATUS_REQUEST: u16 = 5;

/// Whether a TLSFeatures, the content of the extension, lists status_request.
pub(crate) fn lists_status_request(features: &[u8]) -> Result<bool> {
    Vec::<u16>::from_der(features).map(|features| features.contains(&STATUS_REQUEST))
}

/// Whether the certificate demands that an OCSP response comes with it (RFC 7633, Section 4).
/// An extension that cannot be read may say so.
pub(crate) fn must_staple(certificate: &Fields<'_>) -> bool {
    match certificate.extension(&TLS_FEATURE) {
        Ok(None) => false,
        Ok(Some(features)) => lists_status_request(&features).unwrap_or(true),
        Err(_) => true,
    }
}
