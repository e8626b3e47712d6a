//! What the hooks of a connection saw, for the checks after the handshake.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use waxwing_core::{
    CertChoice, CertResolver, CertificateRequestView, CertifiedKey, ClientCertResolver,
    ClientHelloView, KeyLog,
};
use waxwing_crypto::SignatureScheme;

use crate::options::Expectations;

/// Filled by the hooks.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first thing that was not as expected.
    pub(crate) wrong: Option<String>,
    /// The traffic secrets: the client's, then the server's.
    pub(crate) secrets: [Vec<u8>; 2],
}

/// Shared by a connection's hooks and its driver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Seen>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) {
        self.lock().wrong.get_or_insert_with(|| what.into());
    }
}

impl KeyLog for Shared {
    fn log(&self, label: &str, _client_random: &[u8; 32], secret: &[u8]) {
        let index = match label {
            "CLIENT_TRAFFIC_SECRET_0" => 0,
            "SERVER_TRAFFIC_SECRET_0" => 1,
            _ => return,
        };
        if let Some(slot) = self.lock().secrets.get_mut(index) {
            *slot = secret.to_vec();
        }
    }
}

/// Shows everybody the one certificate there is, and looks at what they say on the way.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub(crate) certificate: Option<Arc<CertifiedKey>>,
    pub(crate) later: bool,
    pub(crate) expect: Expectations,
    pub(crate) seen: Shared,
}

impl Resolver {
    pub(crate) fn look_at(&self, hello: &ClientHelloView<'_>) {
        if let Some(expected) = &self.expect.advertised_alpn
            && !hello.alpn().eq(expected.iter().map(Vec::as_slice))
        {
            self.seen.wrong("other protocols than advertised");
        }
        self.check_schemes(hello.signature_schemes());
    }

    pub(crate) fn look_at_request(&self, request: &CertificateRequestView<'_>) {
        if let Some(expected) = &self.expect.authorities
            && !request
                .certificate_authorities()
                .eq(expected.iter().map(Vec::as_slice))
        {
            self.seen.wrong("other authorities than expected");
        }
        self.check_schemes(request.signature_schemes());
    }

    fn check_schemes(&self, schemes: impl Iterator<Item = SignatureScheme>) {
        let prefs = &self.expect.peer_verify_prefs;
        if !prefs.is_empty() && !schemes.map(|scheme| scheme.0).eq(prefs.iter().copied()) {
            self.seen.wrong("other signature schemes");
        }
    }

    fn choose(&self) -> CertChoice {
        match &self.certificate {
            _ if self.later => CertChoice::Pending,
            Some(certificate) => CertChoice::Use(Arc::clone(certificate)),
            None => CertChoice::None,
        }
    }
}

impl CertResolver for Resolver {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        self.look_at(hello);
        self.choose()
    }
}

impl ClientCertResolver for Resolver {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        self.look_at_request(request);
        self.choose()
    }
}
