//! A server's configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, CryptoProvider, NamedGroup};

use super::compression::CertDecompressor;
use super::credentials::CertResolver;
use super::psk::PskResolver;
use super::sessions::{Clock, EarlyDataConfig, ReplayGuard, ServerSessionConfig, ServerSessions};
use super::verifier::ClientAuth;
use super::versions::ProtocolVersions;
use super::{Chosen, Common, ConfigError, KeyLog, check_types, common_setters};
use crate::limits::{MAX_SESSION_CONTEXT, MAX_SESSION_LIFETIME};
use crate::messages::CertificateType;
use crate::record::RecordPadding;
use crate::trace::Trace;

/// How a server behaves. Made once, shared by all its connections.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub(crate) common: Common,
    pub(crate) certificates: Arc<dyn CertResolver>,
    pub(crate) alpn_required: bool,
    pub(crate) client_suite_order: bool,
    pub(crate) retry_cookie: bool,
    pub(crate) client_auth: Option<ClientAuth>,
    pub(crate) post_handshake_auth: Option<ClientAuth>,
    pub(crate) client_certificate_types: Vec<CertificateType>,
    pub(crate) keep_peer_chain: bool,
    pub(crate) sessions: Option<ServerSessionConfig>,
    pub(crate) early_data: Option<EarlyDataConfig>,
    pub(crate) psks: Option<Arc<dyn PskResolver>>,
    pub(crate) psk_without_key_exchange: bool,
}

impl ServerConfig {
    /// Starts from the defaults: every suite and group of the provider in its order, no ALPN.
    ///
    /// What has no sensible default is an argument: the cryptography, and who we are.
    pub fn builder(
        provider: &'static CryptoProvider,
        certificates: Arc<dyn CertResolver>,
    ) -> ServerConfigBuilder {
        ServerConfigBuilder {
            config: Self {
                common: Common::new(provider),
                certificates,
                alpn_required: true,
                client_suite_order: false,
                retry_cookie: false,
                client_auth: None,
                post_handshake_auth: None,
                client_certificate_types: Vec::from([CertificateType::X509]),
                keep_peer_chain: false,
                sessions: None,
                early_data: None,
                psks: None,
                psk_without_key_exchange: false,
            },
            chosen: Chosen::default(),
        }
    }

    /// The cryptography in use.
    #[must_use]
    pub const fn provider(&self) -> &'static CryptoProvider {
        self.common.provider
    }
}

/// Makes a [`ServerConfig`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerConfigBuilder {
    config: ServerConfig,
    chosen: Chosen,
}

impl ServerConfigBuilder {
    common_setters!();

    /// Whether a client that offers only other protocols is refused with
    /// `no_application_protocol` (default: yes, as RFC 7301, Section 3.2 says). A client that
    /// offers none is always served.
    pub const fn alpn_required(mut self, on: bool) -> Self {
        self.config.alpn_required = on;
        self
    }

    /// Whether the client's order of cipher suites decides (default: no, ours does).
    pub const fn client_suite_order(mut self, on: bool) -> Self {
        self.config.client_suite_order = on;
        self
    }

    /// Asks clients for a certificate (default: no).
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.config.client_auth = Some(client_auth);
        self
    }

    /// Judges certificates that clients are asked for after the handshake (RFC 9846,
    /// Section 4.7.2; default: none can be asked for). It takes a client that is ready for it,
    /// and `Connection::request_client_certificate`; nothing is asked by itself.
    ///
    /// Each connection then remembers its handshake, at the cost of some hundred bytes. HTTP/2
    /// forbids such requests (RFC 9113, Section 9.2.3).
    pub fn post_handshake_auth(mut self, client_auth: ClientAuth) -> Self {
        self.config.post_handshake_auth = Some(client_auth);
        self
    }

    /// Accepts these types of certificate from clients that are asked for one, the preferred one
    /// first (RFC 7250; default: X.509 alone). Clients that can show none of them are refused.
    ///
    /// A raw public key has no name and no issuer. The verifier has to know it: one that does
    /// not expect raw keys refuses them. Which types the server itself can show is up to its
    /// certificates.
    pub fn client_certificate_types(
        mut self,
        types: impl IntoIterator<Item = CertificateType>,
    ) -> Self {
        self.config.client_certificate_types = types.into_iter().collect();
        self
    }

    /// Whether a client's chain stays available after the handshake (default: no, it is some
    /// kilobytes per connection).
    pub const fn keep_peer_chain(mut self, on: bool) -> Self {
        self.config.keep_peer_chain = on;
        self
    }

    /// Gives clients sessions to resume, and resumes them (default: every handshake is a full
    /// one).
    pub fn sessions(mut self, store: Arc<dyn ServerSessions>, clock: Arc<dyn Clock>) -> Self {
        self.config.sessions = Some(ServerSessionConfig::new(store, clock));
        self
    }

    /// Sends so many tickets after each handshake of TLS 1.3, or as many as the client asks for if
    /// that is less (RFC 9149; default: 2). In TLS 1.2 it is one or none.
    ///
    /// It comes after [`Self::sessions`].
    pub const fn tickets(mut self, count: u8) -> Self {
        if let Some(sessions) = &mut self.config.sessions {
            sessions.tickets = count;
        }
        self
    }

    /// Sessions live for so many seconds, at most seven days (default: 12 hours). It comes after
    /// [`Self::sessions`].
    pub const fn session_lifetime(mut self, seconds: u32) -> Self {
        if let Some(sessions) = &mut self.config.sessions {
            sessions.lifetime = if seconds < MAX_SESSION_LIFETIME {
                seconds
            } else {
                MAX_SESSION_LIFETIME
            };
        }
        self
    }

    /// Resumes only sessions of configurations with the same context, at most 255 bytes: services
    /// that share a store but not their clients' rights need different ones (default: empty).
    ///
    /// It comes after [`Self::sessions`].
    pub fn session_context(mut self, context: &[u8]) -> Self {
        if let Some(sessions) = &mut self.config.sessions {
            sessions.context = context.into();
        }
        self
    }

    /// Takes up to `max` bytes of early data from clients that resume (RFC 9846, Section 2.3;
    /// default: none). The guard sees to it that none is taken twice.
    pub fn early_data(mut self, max: u32, guard: Arc<dyn ReplayGuard>) -> Self {
        self.config.early_data = Some(EarlyDataConfig { max, guard });
        self
    }

    /// Shares keys with clients (default: none). A client that uses one proves with it who it is.
    pub fn external_psks(mut self, psks: Arc<dyn PskResolver>) -> Self {
        self.config.psks = Some(psks);
        self
    }

    /// Does without a key exchange where a client wants to use a PSK and offers nothing better
    /// (`psk_ke`; default: no). Who learns the PSK later can then read everything that was ever
    /// said under it.
    pub const fn dangerous_psk_without_key_exchange(mut self, allow: bool) -> Self {
        self.config.psk_without_key_exchange = allow;
        self
    }

    /// Whether a HelloRetryRequest carries a cookie that the client must return (RFC 9846,
    /// Section 4.3.2; default: no, this server remembers its clients).
    pub const fn retry_cookie(mut self, on: bool) -> Self {
        self.config.retry_cookie = on;
        self
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// The first fault found.
    pub fn build(self) -> Result<Arc<ServerConfig>, ConfigError> {
        let mut config = self.config;
        config.common.resolve(&self.chosen)?;
        #[cfg(feature = "tls12")]
        config
            .common
            .retain_psk_suites(config.psks.is_some(), config.psk_without_key_exchange)?;
        check_types(&config.client_certificate_types)?;
        if let Some(sessions) = &config.sessions
            && sessions.context.len() > MAX_SESSION_CONTEXT
        {
            return Err(ConfigError::SessionContext);
        }
        Ok(Arc::new(config))
    }
}
