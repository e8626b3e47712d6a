//! A verifier that believes everybody, or nobody.

use std::sync::{Mutex, PoisonError};

use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, ServerCertRequest,
    ServerCertVerifier, Verdict,
};
use waxwing_pki::{Pin, PinnedVerifier};

use crate::seen::Shared;

/// Judges certificates by the test's wish alone, but for what the certificate says of its own
/// use.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    pub(crate) reject: bool,
    /// The same where a client offers a session.
    pub(crate) reject_session: bool,
    pub(crate) later: bool,
    pub(crate) expect_ocsp: bool,
    pub(crate) reject_ocsp: bool,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) seen: Shared,
}

impl Judge {
    /// Decides on a server now.
    pub(crate) fn decide(&self, request: &ServerCertRequest<'_>) -> Verdict {
        if self.expect_ocsp && request.ocsp.is_none() {
            self.seen.wrong("no OCSP response to judge by");
        }
        if self.reject_ocsp {
            return Verdict::Rejected(CertificateError::BadStatus.into());
        }
        self.wish(request.certificate_type, request.chain, |pinned| {
            ServerCertVerifier::verify(pinned, request)
        })
    }

    /// Decides on a client now.
    pub(crate) fn decide_client(&self, request: &ClientCertRequest<'_>) -> Verdict {
        self.wish(request.certificate_type, request.chain, |pinned| {
            ClientCertVerifier::verify(pinned, request)
        })
    }

    fn wish(
        &self,
        typ: CertificateType,
        chain: &[&[u8]],
        believe: impl FnOnce(&PinnedVerifier) -> Verdict,
    ) -> Verdict {
        let reject = if self.seen.lock().started {
            self.reject
        } else {
            self.reject_session
        };
        if reject {
            return Verdict::Rejected(CertificateError::Refused.into());
        }
        let leaf = chain.first().copied().unwrap_or_default();
        let pin = if typ == CertificateType::RAW_PUBLIC_KEY {
            Pin::of_spki(leaf)
        } else {
            Pin::of_certificate(leaf)
        };
        believe(&PinnedVerifier::new([pin]).any_name().any_time())
    }
}

impl ClientCertVerifier for Judge {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        if self.later {
            return Verdict::Pending;
        }
        self.decide_client(request)
    }

    fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }
}

/// The verifier of all of a client's connections, which the engine knows again when it resumes a
/// session. Each connection brings its own judge.
#[derive(Debug, Default)]
pub(crate) struct Bench(Mutex<Option<Judge>>);

impl Bench {
    /// From here on `judge` decides.
    pub(crate) fn seat(&self, judge: Judge) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(judge);
    }
}

impl ServerCertVerifier for Bench {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // A session is judged before the connection begins, when nobody can wait.
            Some(judge) if judge.later && judge.seen.lock().started => Verdict::Pending,
            Some(judge) => judge.decide(request),
            None => Verdict::Rejected(CertificateError::Refused.into()),
        }
    }
}
