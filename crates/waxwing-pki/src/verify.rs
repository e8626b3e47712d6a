//! Checking the peer's chain against trust anchors.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;

use rustls_pki_types::CertificateDer;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, Rejection,
    ServerCertRequest, ServerCertVerifier, Verdict, Verified,
};
use waxwing_crypto::CryptoProvider;
use webpki::{EndEntityCert, VerifiedPath};

use crate::algorithms::Algorithms;
use crate::end_entity::{self, check_name, holder_of};
use crate::explain::{Case, wrong_purpose};
use crate::revocation::{Evidence, RevocationPolicy, VerifiedChain};
use crate::{Clock, Identity, Peer, TrustAnchors, UnixTime};

/// What servers and clients are judged by alike.
#[derive(Debug)]
struct Policy {
    anchors: Arc<TrustAnchors>,
    algorithms: Algorithms,
    clock: Clock,
    revocation: Option<Arc<RevocationPolicy>>,
}

impl Policy {
    fn new(provider: &CryptoProvider, anchors: Arc<TrustAnchors>) -> Self {
        Self {
            anchors,
            algorithms: Algorithms::of(provider),
            clock: Clock::System,
            revocation: None,
        }
    }

    fn judge(
        &self,
        typ: CertificateType,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Verdict {
        // No authority vouches for anything else.
        if typ != CertificateType::X509 {
            return Verdict::Rejected(CertificateError::RawPublicKey.into());
        }
        self.check(chain, peer, evidence)
            .map_or_else(Verdict::Rejected, Verdict::Accepted)
    }

    fn check(
        &self,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Result<Verified, Rejection> {
        let now = self.clock.now().ok_or(CertificateError::NoTime)?;
        let leaf = chain.first().ok_or(CertificateError::Malformed)?;
        let case = Case {
            chain,
            peer,
            now,
            anchors: self.anchors.len(),
        };
        let outcome = self.check_path(leaf, &case, evidence);
        if outcome.is_err() && self.anchors.hold_exactly(leaf) {
            return check_trusted(leaf, peer, now);
        }
        outcome
    }

    fn check_path(
        &self,
        leaf: &[u8],
        case: &Case<'_>,
        evidence: &Evidence<'_>,
    ) -> Result<Verified, Rejection> {
        let der = CertificateDer::from(leaf);
        let certificate = EndEntityCert::try_from(&der).map_err(|error| case.rejection(&error))?;
        let intermediates: Vec<_> = case
            .chain
            .iter()
            .skip(1)
            .map(|der| CertificateDer::from(*der))
            .collect();
        let revocation = Revocation {
            policy: self.revocation.as_deref(),
            evidence,
            refused: Cell::new(None),
        };
        certificate
            .verify_for_usage(
                &self.algorithms.as_webpki(),
                self.anchors.as_webpki(),
                &intermediates,
                case.now.for_webpki(),
                case.peer.usage(),
                None,
                Some(&|path| revocation.check(path, case)),
            )
            .map_err(|error| match revocation.refused.take() {
                Some(rejection) => rejection,
                None => case.rejection(&error),
            })?;
        if let Peer::Server(name) = case.peer {
            check_name(&certificate, name)?;
        }
        holder_of(leaf, certificate.subject_public_key_info().to_vec())
    }
}

/// Asks of each path that webpki finds whether its certificates are revoked: there may be
/// another one.
struct Revocation<'a> {
    policy: Option<&'a RevocationPolicy>,
    evidence: &'a Evidence<'a>,
    /// Why the last path was refused.
    refused: Cell<Option<Rejection>>,
}

impl Revocation<'_> {
    fn check(&self, path: &VerifiedPath<'_>, case: &Case<'_>) -> Result<(), webpki::Error> {
        let Some(policy) = self.policy else {
            return Ok(());
        };
        let chain = VerifiedChain::of(path, case.chain).ok_or(webpki::Error::BadDer)?;
        let outcome = policy.check(&chain, self.evidence, case.now);
        outcome.into_result().map_err(|rejection| {
            self.refused.set(Some(rejection));
            webpki::Error::CertRevoked
        })
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

    /// Asks whether the certificates are revoked. Nobody is asked if this is not called.
    #[must_use]
    pub fn revocation(mut self, policy: impl Into<Arc<RevocationPolicy>>) -> Self {
        self.policy.revocation = Some(policy.into());
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
        let evidence = Evidence::of_server(request.ocsp, request.scts);
        let peer = Peer::Server(request.name);
        self.policy
            .judge(request.certificate_type, request.chain, peer, &evidence)
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

    /// Asks whether the certificates are revoked. Nobody is asked if this is not called.
    #[must_use]
    pub fn revocation(mut self, policy: impl Into<Arc<RevocationPolicy>>) -> Self {
        self.policy.revocation = Some(policy.into());
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
        let (peer, evidence) = (Peer::Client, Evidence::of_client());
        self.policy
            .judge(request.certificate_type, request.chain, peer, &evidence)
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
