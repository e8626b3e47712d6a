//! Clients with certificates, and servers that ask for them.

use alloc::sync::Arc;
use alloc::vec;

use super::{CERTIFICATE, SlowKey, certified_key, client_builder, server_builder, verified};
use crate::config::credentials::CertificateRequestView;
use crate::{
    CertChoice, CertifiedKey, ClientAuth, ClientCertRequest, ClientCertResolver,
    ClientCertVerifier, ClientConfigBuilder, ServerConfigBuilder, Verdict,
};

/// Accepts any client as the holder of [`super::server_key`], now or later.
#[derive(Debug)]
pub(crate) enum TrustClient {
    Now,
    Later,
}

impl ClientCertVerifier for TrustClient {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        assert_eq!(request.chain, [CERTIFICATE]);
        match self {
            Self::Now => Verdict::Accepted(verified()),
            Self::Later => Verdict::Pending,
        }
    }
}

/// Chooses later.
#[derive(Debug)]
struct SlowClientChoice;

impl ClientCertResolver for SlowClientChoice {
    fn resolve(&self, _: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

/// A client that shows its certificate at once.
pub(crate) fn known_client() -> ClientConfigBuilder {
    client_builder().client_certificate(Arc::new(certified_key()))
}

/// A client that will choose its certificate later.
pub(crate) fn choosing_client() -> ClientConfigBuilder {
    client_builder().client_certificate(Arc::new(SlowClientChoice))
}

/// A client that will sign later.
pub(crate) fn slow_client() -> ClientConfigBuilder {
    let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(SlowKey));
    client_builder().client_certificate(Arc::new(Arc::new(key)))
}

/// A server that serves nobody without a certificate.
pub(crate) fn strict_server() -> ServerConfigBuilder {
    server_builder().client_auth(ClientAuth::Required(Arc::new(TrustClient::Now)))
}

/// A server that asks, and judges like that.
pub(crate) fn asking_server(trust: TrustClient) -> ServerConfigBuilder {
    server_builder().client_auth(ClientAuth::Optional(Arc::new(trust)))
}
