//! A verifier that believes everybody, or nobody.

use waxwing_core::{
    CertificateError, ClientCertRequest, ClientCertVerifier, DnsName, ServerCertRequest,
    ServerCertVerifier, ServerName, Verdict,
};
use waxwing_pki::{Pin, PinnedVerifier};

use crate::seen::Shared;

/// Judges certificates by the test's wish alone, but for what the certificate says of its own
/// use.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    pub(crate) reject: bool,
    pub(crate) later: bool,
    pub(crate) expect_ocsp: bool,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) seen: Shared,
}

impl Judge {
    /// Decides on a server now.
    pub(crate) fn decide(&self, request: &ServerCertRequest<'_>) -> Verdict {
        if self.expect_ocsp && request.ocsp.is_none() {
            self.seen.wrong("no OCSP response to judge by");
        }
        if self.reject {
            return Verdict::Rejected(CertificateError::Refused.into());
        }
        let leaf = request.chain.first().copied().unwrap_or_default();
        PinnedVerifier::new([Pin::of_certificate(leaf)])
            .any_name()
            .any_time()
            .verify(request)
    }

    /// Decides on a client now.
    pub(crate) fn decide_client(&self, request: &ClientCertRequest<'_>) -> Verdict {
        let Ok(name) = "any.example".parse::<DnsName>() else {
            return Verdict::Rejected(CertificateError::NameMismatch.into());
        };
        self.decide(&ServerCertRequest {
            chain: request.chain,
            ocsp: None,
            name: &ServerName::Dns(name),
        })
    }
}

impl ServerCertVerifier for Judge {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        if self.later {
            return Verdict::Pending;
        }
        self.decide(request)
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
