//! A server's configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, CryptoProvider, KxGroup, NamedGroup, Suite13};

use super::credentials::CertResolver;
use super::{ConfigError, KeyLog, check_alpn, pick};
use crate::record::RecordPadding;
use crate::trace::Trace;

/// How a server behaves. Made once, shared by all its connections.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub(crate) provider: &'static CryptoProvider,
    pub(crate) certificates: Arc<dyn CertResolver>,
    pub(crate) suites: Vec<&'static Suite13>,
    pub(crate) groups: Vec<&'static dyn KxGroup>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) alpn_required: bool,
    pub(crate) client_suite_order: bool,
    pub(crate) retry_cookie: bool,
    pub(crate) padding: RecordPadding,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) trace: Option<Arc<dyn Trace>>,
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
                provider,
                certificates,
                suites: provider.suites13.to_vec(),
                groups: provider.groups.to_vec(),
                alpn: Vec::new(),
                alpn_required: true,
                client_suite_order: false,
                retry_cookie: false,
                padding: RecordPadding::None,
                key_log: None,
                trace: None,
            },
            suites: None,
            groups: None,
        }
    }

    /// The cryptography in use.
    #[must_use]
    pub const fn provider(&self) -> &'static CryptoProvider {
        self.provider
    }
}

/// Makes a [`ServerConfig`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerConfigBuilder {
    config: ServerConfig,
    suites: Option<Vec<u16>>,
    groups: Option<Vec<u16>>,
}

impl ServerConfigBuilder {
    /// Speaks these protocols, the preferred one first (RFC 7301).
    pub fn alpn<N: AsRef<[u8]>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.config.alpn = names
            .into_iter()
            .map(|name| name.as_ref().to_vec())
            .collect();
        self
    }

    /// Whether a client that offers only other protocols is refused with
    /// `no_application_protocol` (default: yes, as RFC 7301, Section 3.2 says). A client that
    /// offers none is always served.
    pub const fn alpn_required(mut self, on: bool) -> Self {
        self.config.alpn_required = on;
        self
    }

    /// Accepts these cipher suites only, the preferred one first.
    pub fn cipher_suites(mut self, suites: impl IntoIterator<Item = CipherSuite>) -> Self {
        self.suites = Some(suites.into_iter().map(|suite| suite.0).collect());
        self
    }

    /// Whether the client's order of cipher suites decides (default: no, ours does).
    pub const fn client_suite_order(mut self, on: bool) -> Self {
        self.config.client_suite_order = on;
        self
    }

    /// Accepts these groups only, the preferred one first.
    pub fn groups(mut self, groups: impl IntoIterator<Item = NamedGroup>) -> Self {
        self.groups = Some(groups.into_iter().map(|group| group.0).collect());
        self
    }

    /// Whether a HelloRetryRequest carries a cookie that the client must return (RFC 9846,
    /// Section 4.2.2; default: no, this server remembers its clients).
    pub const fn retry_cookie(mut self, on: bool) -> Self {
        self.config.retry_cookie = on;
        self
    }

    /// Hides the length of application data (RFC 9846, Section 5.4).
    pub const fn record_padding(mut self, padding: RecordPadding) -> Self {
        self.config.padding = padding;
        self
    }

    /// Gives all secrets away, for debugging (RFC 9850).
    pub fn key_log(mut self, log: Arc<dyn KeyLog>) -> Self {
        self.config.key_log = Some(log);
        self
    }

    /// Tells what connections do.
    pub fn trace(mut self, trace: Arc<dyn Trace>) -> Self {
        self.config.trace = Some(trace);
        self
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// The first fault found.
    pub fn build(self) -> Result<Arc<ServerConfig>, ConfigError> {
        let mut config = self.config;
        config.provider.check()?;
        check_alpn(&config.alpn)?;
        if let Some(suites) = &self.suites {
            config.suites = pick(suites, |id| config.provider.suite13(CipherSuite(id)))?;
        }
        if let Some(groups) = &self.groups {
            config.groups = pick(groups, |id| config.provider.group(NamedGroup(id)))?;
        }
        Ok(Arc::new(config))
    }
}
