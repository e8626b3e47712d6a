//! What the hooks of a connection saw, for the checks after the handshake.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use waxwing_core::{
    CertChoice, CertResolver, CertificateRequestView, CertifiedKey, ClientCertResolver,
    ClientHelloView, Direction, KeyLog, Trace, TraceEvent,
};
use waxwing_crypto::SignatureScheme;

use crate::credential::Credential;
use crate::options::Expectations;

/// Filled by the hooks.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first thing that was not as expected.
    pub(crate) wrong: Option<String>,
    /// The number of the credential that was chosen.
    pub(crate) credential: Option<i32>,
    /// Whether the connection has begun.
    pub(crate) started: bool,
    /// The last handshake message that came.
    pub(crate) message: Option<u8>,
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

impl Trace for Shared {
    fn event(&self, event: &TraceEvent<'_>) {
        if let TraceEvent::Message {
            direction: Direction::Received,
            typ,
            ..
        } = event
        {
            self.lock().message = Some(typ.0);
        }
    }
}

/// Shows everybody the first certificate that will do, and looks at what they say on the way.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub(crate) credentials: Vec<Credential>,
    /// The application has no certificate to give, whoever asks.
    pub(crate) refuse: bool,
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

    fn look_at_request(&self, request: &CertificateRequestView<'_>) {
        if let Some(expected) = &self.expect.authorities
            && !request
                .certificate_authorities()
                .eq(expected.iter().map(Vec::as_slice))
        {
            self.seen.wrong("other authorities than expected");
        }
        if let Some(expected) = &self.expect.certificate_types
            && request.tls12_certificate_types() != expected
        {
            self.seen.wrong("other kinds of keys than expected");
        }
        self.check_schemes(request.signature_schemes());
    }

    /// The certificate for a client.
    pub(crate) fn for_client(&self, hello: &ClientHelloView<'_>) -> Option<Arc<CertifiedKey>> {
        self.look_at(hello);
        let authorities: Vec<_> = hello.certificate_authorities().collect();
        self.first(&authorities, |key| hello.can_use(key))
    }

    /// The certificate for a server.
    pub(crate) fn for_server(
        &self,
        request: &CertificateRequestView<'_>,
    ) -> Option<Arc<CertifiedKey>> {
        self.look_at_request(request);
        let authorities: Vec<_> = request.certificate_authorities().collect();
        self.first(&authorities, |key| request.can_use(key))
    }

    /// The first that the peer can use. If it can use none, the engine says why.
    fn first(
        &self,
        authorities: &[&[u8]],
        can_use: impl Fn(&CertifiedKey) -> bool,
    ) -> Option<Arc<CertifiedKey>> {
        let own = self.credentials.iter().filter(|_| !self.refuse);
        let mut own = own.filter(|credential| credential.may_be_shown_to(authorities));
        let chosen = own
            .clone()
            .find(|credential| can_use(&credential.certified))
            .or_else(|| own.next())?;
        self.seen.lock().credential = Some(chosen.number);
        Some(Arc::clone(&chosen.certified))
    }

    /// The credential that this certificate is part of.
    pub(crate) fn credential_of(&self, certified: &Arc<CertifiedKey>) -> Option<&Credential> {
        let mut own = self.credentials.iter();
        own.find(|credential| Arc::ptr_eq(&credential.certified, certified))
    }

    fn check_schemes(&self, schemes: impl Iterator<Item = SignatureScheme>) {
        let prefs = &self.expect.peer_verify_prefs;
        if !prefs.is_empty() && !schemes.map(|scheme| scheme.0).eq(prefs.iter().copied()) {
            self.seen.wrong("other signature schemes");
        }
    }
}

fn choice(certified: Option<Arc<CertifiedKey>>) -> CertChoice {
    certified.map_or(CertChoice::None, CertChoice::Use)
}

impl CertResolver for Resolver {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        if self.later {
            return CertChoice::Pending;
        }
        choice(self.for_client(hello))
    }
}

impl ClientCertResolver for Resolver {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        if self.later {
            return CertChoice::Pending;
        }
        choice(self.for_server(request))
    }
}
