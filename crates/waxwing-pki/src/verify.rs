//! Checking the peer's chain against trust anchors.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_core::{
    CertificateType, ClientCertRequest, ClientCertVerifier, ServerCertRequest, ServerCertVerifier,
    Verdict, Verified,
};
use waxwing_crypto::CryptoProvider;

use crate::explain::verdict;
use crate::path::Judge;
use crate::revocation::{Evidence, Outcome, RevocationPolicy};
use crate::{Clock, Code, Failure, Peer, Policy, TrustAnchors};

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
    judge: Judge,
}

impl Verifier {
    /// Trusts `anchors`, checks signatures with `provider`, and takes the time from the system.
    #[must_use]
    pub fn new(provider: &CryptoProvider, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        Self {
            judge: Judge::new(provider, anchors.into()),
        }
    }

    /// Asks of chains what `policy` says. This includes its clock.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.judge.set_policy(policy);
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.judge.set_clock(clock);
        self
    }

    /// Asks whether the certificates are revoked. Nobody is asked if this is not called, and
    /// nobody is asked about a certificate that is itself trusted.
    #[must_use]
    pub fn revocation(mut self, policy: impl Into<Arc<RevocationPolicy>>) -> Self {
        self.judge.set_revocation(policy.into());
        self
    }

    /// How many accepted chains it remembers, [`MAX_VERDICTS`] if this is not called; 0 means none.
    ///
    /// Whoever shows, under the same name, exactly the bytes that were accepted before is
    /// accepted again without another look, within [`MAX_VERDICT_AGE`] and while nothing has
    /// expired or been replaced. The handshake's signature is checked each time. Only handshakes
    /// have to do with this: [`Self::examine`] always looks.
    ///
    /// [`MAX_VERDICTS`]: waxwing_core::limits::MAX_VERDICTS
    /// [`MAX_VERDICT_AGE`]: waxwing_core::limits::MAX_VERDICT_AGE
    #[must_use]
    pub fn verdict_cache(mut self, entries: usize) -> Self {
        self.judge.remember(entries);
        self
    }

    /// Trusts these as well.
    #[must_use]
    pub fn also_trust(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.judge.trust(anchors.into());
        self
    }

    /// The authorities it trusts.
    pub fn anchors(&self) -> impl Iterator<Item = &TrustAnchors> {
        self.judge.anchors().iter().map(AsRef::as_ref)
    }

    /// Judges what a server presented, and says all about a failure. The engine asks for the same
    /// through [`ServerCertVerifier`], unless the policy is one that is
    /// [apart from handshakes](Policy::apart_from_handshakes).
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn examine(&self, request: &ServerCertRequest<'_>) -> Result<Verified, Failure> {
        self.examination(request).result
    }

    /// As [`Self::examine`], with what the sources say that the policy for revocation asks.
    #[must_use]
    pub fn examination(&self, request: &ServerCertRequest<'_>) -> Examination {
        if let Err(failure) = only_certificates(request.certificate_type) {
            return failure.into();
        }
        let peer = Peer::Server(request.name);
        let evidence = Evidence::of_server(request.ocsp, request.scts);
        self.judge.examine(request.chain, peer, &evidence)
    }

    pub(crate) fn handshake(&self, request: &ServerCertRequest<'_>) -> Result<Verified, Failure> {
        only_certificates(request.certificate_type)?;
        let peer = Peer::Server(request.name);
        let evidence = Evidence::of_server(request.ocsp, request.scts);
        self.judge.handshake(request.chain, peer, &evidence)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        verdict(self.handshake(request))
    }
}

/// Accepts a client whose chain leads to a trust anchor (RFC 5280, Section 6), is valid now, and
/// may be used for clients. Whom the client may claim to be, and what that allows, is the
/// application's to decide: [`Identity`](crate::Identity) reads the certificate.
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
    judge: Judge,
    hints: bool,
    authorities: Vec<Vec<u8>>,
}

impl ClientVerifier {
    /// Trusts `anchors`, checks signatures with `provider`, and takes the time from the system.
    /// Clients are told the anchors' names.
    #[must_use]
    pub fn new(provider: &CryptoProvider, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        let judge = Judge::new(provider, anchors.into());
        Self {
            authorities: hints(judge.anchors()),
            judge,
            hints: true,
        }
    }

    /// Asks of chains what `policy` says. This includes its clock.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.judge.set_policy(policy);
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.judge.set_clock(clock);
        self
    }

    /// Asks whether the certificates are revoked. Nobody is asked if this is not called, and
    /// nobody is asked about a certificate that is itself trusted.
    #[must_use]
    pub fn revocation(mut self, policy: impl Into<Arc<RevocationPolicy>>) -> Self {
        self.judge.set_revocation(policy.into());
        self
    }

    /// How many accepted chains it remembers, [`MAX_VERDICTS`] if this is not called; 0 means none.
    ///
    /// Whoever shows exactly the bytes that were accepted before is
    /// accepted again without another look, within [`MAX_VERDICT_AGE`] and while nothing has
    /// expired or been replaced. The handshake's signature is checked each time. Only handshakes
    /// have to do with this: [`Self::examine`] always looks.
    ///
    /// Who has another's certificate can learn by the time it takes whether its owner was here
    /// lately.
    ///
    /// [`MAX_VERDICTS`]: waxwing_core::limits::MAX_VERDICTS
    /// [`MAX_VERDICT_AGE`]: waxwing_core::limits::MAX_VERDICT_AGE
    #[must_use]
    pub fn verdict_cache(mut self, entries: usize) -> Self {
        self.judge.remember(entries);
        self
    }

    /// Trusts these as well.
    #[must_use]
    pub fn also_trust(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.judge.trust(anchors.into());
        if self.hints {
            self.authorities = hints(self.judge.anchors());
        }
        self
    }

    /// Does not tell clients the names of the authorities that it trusts. Who has several
    /// certificates then has to know which one to show.
    #[must_use]
    pub fn without_hints(mut self) -> Self {
        self.hints = false;
        self.authorities.clear();
        self
    }

    /// The authorities it trusts.
    pub fn anchors(&self) -> impl Iterator<Item = &TrustAnchors> {
        self.judge.anchors().iter().map(AsRef::as_ref)
    }

    /// Judges what a client presented, and says all about a failure. The engine asks for the same
    /// through [`ClientCertVerifier`], unless the policy is one that is
    /// [apart from handshakes](Policy::apart_from_handshakes).
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn examine(&self, request: &ClientCertRequest<'_>) -> Result<Verified, Failure> {
        self.examination(request).result
    }

    /// As [`Self::examine`], with what the sources say that the policy for revocation asks.
    #[must_use]
    pub fn examination(&self, request: &ClientCertRequest<'_>) -> Examination {
        if let Err(failure) = only_certificates(request.certificate_type) {
            return failure.into();
        }
        let evidence = Evidence::of_client();
        self.judge.examine(request.chain, Peer::Client, &evidence)
    }

    pub(crate) fn handshake(&self, request: &ClientCertRequest<'_>) -> Result<Verified, Failure> {
        only_certificates(request.certificate_type)?;
        let evidence = Evidence::of_client();
        self.judge.handshake(request.chain, Peer::Client, &evidence)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        verdict(self.handshake(request))
    }

    fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }
}

/// All that is found out about a chain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Examination {
    /// Whether it is accepted; if not, the first rule that is broken.
    pub result: Result<Verified, Failure>,
    /// Whether its certificates are revoked, and who says so. `None` if nobody was asked, as if
    /// there is no policy for that, or the path to a trust anchor is not good in the first place.
    pub revocation: Option<Outcome>,
}

impl From<Failure> for Examination {
    fn from(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            revocation: None,
        }
    }
}

/// Bytes of all hints together, with their lengths. A CertificateRequest can carry 65535 (RFC
/// 5246, Section 7.4.4), but not every client reads that much.
const MAX_HINTS: usize = 1 << 14;

/// The subjects of all anchors, each once. If they are too many there are none: a client would
/// take a part of them for all.
fn hints(anchors: &[Arc<TrustAnchors>]) -> Vec<Vec<u8>> {
    let mut names: Vec<_> = anchors.iter().flat_map(|set| set.subjects()).collect();
    names.sort_unstable();
    names.dedup();
    let length: usize = names.iter().map(|name| name.len().saturating_add(2)).sum();
    if length > MAX_HINTS {
        names.clear();
    }
    names
}

/// No authority vouches for anything else.
fn only_certificates(typ: CertificateType) -> Result<(), Failure> {
    if typ == CertificateType::X509 {
        return Ok(());
    }
    let reason = "the peer has a raw public key, for which no authority vouches";
    Err(Failure::new(Code::RawPublicKey, reason))
}
