//! Going on although nobody vouches for the peer.
//!
//! A connection made this way is encrypted, but an attacker in between can be its other end.

use alloc::sync::Arc;
use core::fmt;

use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, Rejection,
    ServerCertRequest, ServerCertVerifier, Verdict, Verified,
};

use crate::end_entity;
use crate::explain::{reject, verdict};

type Report = dyn Fn(&Rejection) + Send + Sync;

/// **Insecure**: accepts every server's certificate whose key can be read, and every raw public key.
///
/// The server must still prove that it holds the key of the certificate it shows.
pub struct AcceptAny {
    judge: Option<(Arc<dyn ServerCertVerifier>, Arc<Report>)>,
}

impl AcceptAny {
    /// Accepts without a word.
    #[must_use]
    pub const fn silently() -> Self {
        Self { judge: None }
    }

    /// Asks `judge` as well, and tells `report` what it would have been rejected for.
    #[must_use]
    pub fn reporting(
        judge: Arc<dyn ServerCertVerifier>,
        report: impl Fn(&Rejection) + Send + Sync + 'static,
    ) -> Self {
        Self {
            judge: Some((judge, Arc::new(report))),
        }
    }
}

impl ServerCertVerifier for AcceptAny {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        if let Some((judge, report)) = &self.judge
            && let Verdict::Rejected(rejection) = judge.verify(request)
        {
            report(&rejection);
        }
        accept_any(request.certificate_type, request.chain)
    }
}

impl fmt::Debug for AcceptAny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptAny (INSECURE)")
    }
}

/// **Insecure**: accepts every client's certificate whose key can be read, whoever issued it and
/// whatever it says, and every raw public key.
///
/// The client must still prove that it holds the key. That is of use where the application looks
/// the key up by itself before it trusts anything that the client sends.
#[derive(Clone, Copy, Default)]
pub struct AcceptAnyClient;

impl ClientCertVerifier for AcceptAnyClient {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        accept_any(request.certificate_type, request.chain)
    }
}

impl fmt::Debug for AcceptAnyClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptAnyClient (INSECURE)")
    }
}

fn accept_any(typ: CertificateType, chain: &[&[u8]]) -> Verdict {
    match chain.first() {
        Some(spki) if typ == CertificateType::RAW_PUBLIC_KEY => {
            Verdict::Accepted(Verified::holder_of(spki.to_vec()))
        }
        Some(leaf) => verdict(end_entity::spki(leaf).map(Verified::holder_of)),
        None => Verdict::Rejected(reject(
            CertificateError::Malformed,
            "there is no certificate",
        )),
    }
}
