//! Checking a server's chain against trust anchors.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;
use waxwing_core::{
    CertificateError, Rejection, ServerCertRequest, ServerCertVerifier, Verdict, Verified,
};
use waxwing_crypto::CryptoProvider;
use webpki::{EndEntityCert, KeyUsage};

use crate::algorithms::Algorithms;
use crate::end_entity::{self, check_name, holder_of};
use crate::explain::{Case, wrong_purpose};
use crate::{Clock, Identity, TrustAnchors, UnixTime};

/// Accepts a server whose chain leads to a trust anchor (RFC 5280, Section 6), is valid now,
/// may be used for servers, and names the server (RFC 9525).
///
/// ```
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_pki::{TrustAnchors, Verifier};
///
/// let verifier = Verifier::new(&PROVIDER, TrustAnchors::bundled());
/// # let _ = verifier;
/// ```
#[derive(Debug)]
pub struct Verifier {
    anchors: Arc<TrustAnchors>,
    algorithms: Algorithms,
    clock: Clock,
}

impl Verifier {
    /// Trusts `anchors`, checks signatures with `provider`, and takes the time from the system.
    #[must_use]
    pub fn new(provider: &CryptoProvider, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        Self {
            anchors: anchors.into(),
            algorithms: Algorithms::of(provider),
            clock: Clock::System,
        }
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub const fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The authorities it trusts.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    fn check(&self, request: &ServerCertRequest<'_>) -> Result<Verified, Rejection> {
        let now = self.clock.now().ok_or(CertificateError::NoTime)?;
        let (leaf, intermediates) = request
            .chain
            .split_first()
            .ok_or(CertificateError::Malformed)?;
        let outcome = self.check_path(request, leaf, intermediates, now);
        if outcome.is_err() && self.anchors.hold_exactly(leaf) {
            return check_trusted(leaf, request, now);
        }
        outcome
    }

    fn check_path(
        &self,
        request: &ServerCertRequest<'_>,
        leaf: &[u8],
        intermediates: &[&[u8]],
        now: UnixTime,
    ) -> Result<Verified, Rejection> {
        let case = Case {
            chain: request.chain,
            name: request.name,
            now,
            anchors: self.anchors.len(),
        };
        let der = CertificateDer::from(leaf);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| case.rejection(&error))?;
        let intermediates: Vec<_> = intermediates
            .iter()
            .map(|der| CertificateDer::from(*der))
            .collect();
        certificate
            .verify_for_usage(
                &self.algorithms.as_webpki(),
                self.anchors.as_webpki(),
                &intermediates,
                now.for_webpki(),
                KeyUsage::server_auth(),
                None,
                None,
            )
            .map_err(|error| case.rejection(&error))?;
        check_name(&certificate, request.name)?;
        holder_of(leaf, certificate.subject_public_key_info().to_vec())
    }
}

/// The server presents a certificate that the user named as trusted. Path building has no use
/// for it where it is marked as an authority, or where it is not its own issuer.
fn check_trusted(
    leaf: &[u8],
    request: &ServerCertRequest<'_>,
    now: UnixTime,
) -> Result<Verified, Rejection> {
    let accepted = end_entity::accept(leaf, Some(request.name), Some(now))?;
    match Identity::from_der(leaf) {
        Ok(identity) if !identity.for_servers => Err(wrong_purpose(&identity)),
        _ => Ok(accepted),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        self.check(request)
            .map_or_else(Verdict::Rejected, Verdict::Accepted)
    }
}
