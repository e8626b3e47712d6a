//! Checking the peer's chain against trust anchors.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, Rejection,
    ServerCertRequest, ServerCertVerifier, Verdict, Verified,
};
use waxwing_crypto::CryptoProvider;
use webpki::EndEntityCert;

use crate::algorithms::Algorithms;
use crate::end_entity::{self, check_name, holder_of};
use crate::explain::{Case, wrong_purpose};
use crate::{Clock, Identity, Peer, TrustAnchors, UnixTime};

/// What servers and clients are judged by alike.
#[derive(Debug)]
struct Policy {
    anchors: Arc<TrustAnchors>,
    algorithms: Algorithms,
    clock: Clock,
}

impl Policy {
    fn new(provider: &CryptoProvider, anchors: Arc<TrustAnchors>) -> Self {
        Self {
            anchors,
            algorithms: Algorithms::of(provider),
            clock: Clock::System,
        }
    }

    fn judge(&self, typ: CertificateType, chain: &[&[u8]], peer: Peer<'_>) -> Verdict {
        // No authority vouches for anything else.
        if typ != CertificateType::X509 {
            return Verdict::Rejected(CertificateError::RawPublicKey.into());
        }
        self.check(chain, peer)
            .map_or_else(Verdict::Rejected, Verdict::Accepted)
    }

    fn check(&self, chain: &[&[u8]], peer: Peer<'_>) -> Result<Verified, Rejection> {
        let now = self.clock.now().ok_or(CertificateError::NoTime)?;
        let leaf = chain.first().ok_or(CertificateError::Malformed)?;
        let case = Case {
            chain,
            peer,
            now,
            anchors: self.anchors.len(),
        };
        let outcome = self.check_path(leaf, &case);
        if outcome.is_err() && self.anchors.hold_exactly(leaf) {
            return check_trusted(leaf, peer, now);
        }
        outcome
    }

    fn check_path(&self, leaf: &[u8], case: &Case<'_>) -> Result<Verified, Rejection> {
        let der = CertificateDer::from(leaf);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| case.rejection(&error))?;
        let intermediates: Vec<_> = case
            .chain
            .iter()
            .skip(1)
            .map(|der| CertificateDer::from(*der))
            .collect();
        certificate
            .verify_for_usage(
                &self.algorithms.as_webpki(),
                self.anchors.as_webpki(),
                &intermediates,
                case.now.for_webpki(),
                case.peer.usage(),
                None,
                None,
            )
            .map_err(|error| case.rejection(&error))?;
        if let Peer::Server(name) = case.peer {
            check_name(&certificate, name)?;
        }
        holder_of(leaf, certificate.subject_public_key_info().to_vec())
    }
}

/// The peer presents a certificate that the user named as trusted. Path building has no use
/// for it where it is marked as an authority, or where it is not its own issuer.
fn check_trusted(leaf: &[u8], peer: Peer<'_>, now: UnixTime) -> Result<Verified, Rejection> {
    let accepted = end_entity::accept(leaf, peer.name(), Some(now))?;
    match Identity::from_der(leaf) {
        Ok(identity) if !peer.fits(&identity) => Err(wrong_purpose(&identity, peer)),
        _ => Ok(accepted),
    }
}

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
    policy: Policy,
}

impl Verifier {
    /// Trusts `anchors`, checks signatures with `provider`, and takes the time from the system.
    #[must_use]
    pub fn new(provider: &CryptoProvider, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        Self {
            policy: Policy::new(provider, anchors.into()),
        }
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub const fn clock(mut self, clock: Clock) -> Self {
        self.policy.clock = clock;
        self
    }

    /// The authorities it trusts.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.policy.anchors
    }
}

impl ServerCertVerifier for Verifier {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        let peer = Peer::Server(request.name);
        self.policy
            .judge(request.certificate_type, request.chain, peer)
    }
}

/// Accepts a client whose chain leads to a trust anchor (RFC 5280, Section 6), is valid now, and
/// may be used for clients. Whom the client may claim to be, and what that allows, is the
/// application's to decide: [`Identity`] reads the certificate.
///
/// Every certificate that one of the anchors ever issues for clients is accepted, so the anchors
/// should be authorities that issue for this service alone.
///
/// ```
/// use std::sync::Arc;
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_core::ClientAuth;
/// use waxwing_pki::{ClientVerifier, LoadError, TrustAnchors};
///
/// # fn ask() -> Result<ClientAuth, LoadError> {
/// let anchors = TrustAnchors::from_file("clients-ca.pem")?;
/// let client_auth = ClientAuth::Required(Arc::new(ClientVerifier::new(&PROVIDER, anchors)));
/// # Ok(client_auth)
/// # }
/// ```
#[derive(Debug)]
pub struct ClientVerifier {
    policy: Policy,
    authorities: Vec<Vec<u8>>,
}

impl ClientVerifier {
    /// Trusts `anchors`, checks signatures with `provider`, and takes the time from the system.
    /// Clients are told the anchors' names.
    #[must_use]
    pub fn new(provider: &CryptoProvider, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        let policy = Policy::new(provider, anchors.into());
        Self {
            authorities: hints(&policy.anchors),
            policy,
        }
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub const fn clock(mut self, clock: Clock) -> Self {
        self.policy.clock = clock;
        self
    }

    /// Does not tell clients the names of the authorities that it trusts. Who has several
    /// certificates then has to know which one to show.
    #[must_use]
    pub fn without_hints(mut self) -> Self {
        self.authorities.clear();
        self
    }

    /// The authorities it trusts.
    #[must_use]
    pub fn anchors(&self) -> &TrustAnchors {
        &self.policy.anchors
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        self.policy
            .judge(request.certificate_type, request.chain, Peer::Client)
    }

    fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }
}

/// Bytes of all hints together, with their lengths. A CertificateRequest can carry 65535 (RFC
/// 5246, Section 7.4.4), but not every client reads that much.
const MAX_HINTS: usize = 1 << 14;

/// The subjects of `anchors`, each once. If they are too many there are none: a client would
/// take a part of them for all.
fn hints(anchors: &TrustAnchors) -> Vec<Vec<u8>> {
    let mut names = anchors.subjects();
    names.sort_unstable();
    names.dedup();
    let length: usize = names.iter().map(|name| name.len().saturating_add(2)).sum();
    if length > MAX_HINTS {
        names.clear();
    }
    names
}
