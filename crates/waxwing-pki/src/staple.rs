//! Whether a stapled OCSP response has to be there.

use alloc::vec::Vec;

use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::identity::TLS_FEATURE;
use crate::policy::Staple;
use crate::{Code, Failure};

/// status_request (RFC 6066, Section 8), as a feature of TLS.
const STATUS_REQUEST: u16 = 5;

/// Asks for a staple where `policy` or the certificate says that there must be one.
pub(crate) fn check_staple(
    leaf: &[u8],
    staple: Option<&[u8]>,
    policy: Staple,
) -> Result<(), Failure> {
    if staple.is_some_and(|response| !response.is_empty()) {
        return Ok(());
    }
    let reason = match policy {
        Staple::Ignored => return Ok(()),
        Staple::Required => "the server stapled no OCSP response, and one is required",
        Staple::AsCertified if must_staple(leaf) => {
            "the server stapled no OCSP response, which its certificate says it does"
        }
        Staple::AsCertified => return Ok(()),
    };
    Err(Failure::new(Code::StapleMissing, reason))
}

/// Whether the certificate says that its server staples (RFC 7633, Section 4). An extension that
/// cannot be read may say so.
fn must_staple(leaf: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(leaf) else {
        return false;
    };
    let extensions = certificate.tbs_certificate().extensions();
    extensions
        .into_iter()
        .flatten()
        .filter(|extension| extension.extn_id == TLS_FEATURE)
        .any(|extension| {
            let features = Vec::<u16>::from_der(extension.extn_value.as_bytes());
            features.map_or(true, |features| features.contains(&STATUS_REQUEST))
        })
}
