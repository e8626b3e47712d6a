//! Whether a stapled OCSP response has to be there.

use crate::plain::Plain;
use crate::policy::Staple;
use crate::revocation::Fields;
use crate::tls_feature::must_staple;
use crate::{Code, Failure};

/// Asks for a staple where `policy` or the certificate says that there must be one. A plain one
/// says nothing about it.
pub(crate) fn check_staple(
    leaf: &[u8],
    plain: Option<&Plain<'_>>,
    staple: Option<&[u8]>,
    policy: Staple,
) -> Result<(), Failure> {
    if staple.is_some_and(|response| !response.is_empty()) {
        return Ok(());
    }
    let reason = match policy {
        Staple::Ignored => return Ok(()),
        Staple::Required => "the server stapled no OCSP response, and one is required",
        Staple::AsCertified if plain.is_none() && demanded_by(leaf) => {
            "the server stapled no OCSP response, which its certificate says it does"
        }
        Staple::AsCertified => return Ok(()),
    };
    Err(Failure::new(Code::StapleMissing, reason))
}

/// Whether the certificate says that its server staples. One that cannot be read may say so.
fn demanded_by(leaf: &[u8]) -> bool {
    Fields::of(leaf).map_or(true, |leaf| must_staple(&leaf))
}
