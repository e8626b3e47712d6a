//! A client's configuration.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::{CipherSuite, CryptoProvider, NamedGroup};

use super::compression::CertDecompressor;
use super::credentials::ClientCertResolver;
use super::psk::ExternalPsk;
use super::sessions::{ClientSessionConfig, ClientSessions, Clock};
use super::verifier::ServerCertVerifier;
use super::versions::ProtocolVersions;
use super::{Chosen, Common, ConfigError, KeyLog, TicketRequest, check_types, common_setters};
use crate::ServerName;
use crate::messages::CertificateType;
use crate::messages::extensions::max_fragment_length::MaxFragmentLength;
use crate::record::RecordPadding;
use crate::trace::Trace;

/// Remembers which group a server asked for, so that the next connection to it needs no
/// HelloRetryRequest (RFC 9846, Section 4.2.4).
pub trait GroupMemory: Send + Sync + fmt::Debug {
    /// The group that this server asked for last, if it is known.
    fn recall(&self, server: &ServerName) -> Option<NamedGroup>;

    /// This server asked for this group, and has proved to be this server.
    fn remember(&self, server: &ServerName, group: NamedGroup);
}

/// How a client behaves. Made once, shared by all its connections.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(crate) common: Common,
    pub(crate) verifier: Arc<dyn ServerCertVerifier>,
    pub(crate) key_shares: usize,
    /// Exactly these instead, if chosen.
    pub(crate) key_share_groups: Option<Vec<NamedGroup>>,
    pub(crate) send_server_name: bool,
    pub(crate) grease: bool,
    pub(crate) permute_extensions: bool,
    pub(crate) middlebox_compatibility: bool,
    pub(crate) request_ocsp: bool,
    pub(crate) request_scts: bool,
    pub(crate) keep_peer_chain: bool,
    pub(crate) certificate_authorities: Vec<Vec<u8>>,
    pub(crate) group_memory: Option<Arc<dyn GroupMemory>>,
    pub(crate) certificates: Option<Arc<dyn ClientCertResolver>>,
    pub(crate) post_handshake_auth: bool,
    pub(crate) server_certificate_types: Vec<CertificateType>,
    pub(crate) client_certificate_types: Vec<CertificateType>,
    pub(crate) max_fragment_length: Option<MaxFragmentLength>,
    pub(crate) sessions: Option<ClientSessionConfig>,
    pub(crate) ticket_request: Option<TicketRequest>,
    pub(crate) early_data: bool,
    pub(crate) psks: Vec<ExternalPsk>,
    pub(crate) psk_without_key_exchange: bool,
}

impl ClientConfig {
    /// Starts from the defaults: every suite and group of the provider in its order, no ALPN.
    ///
    /// What has no sensible default is an argument: the cryptography, and whom to trust.
    pub fn builder(
        provider: &'static CryptoProvider,
        verifier: Arc<dyn ServerCertVerifier>,
    ) -> ClientConfigBuilder {
        ClientConfigBuilder {
            config: Self {
                common: Common::new(provider),
                verifier,
                key_shares: 1,
                key_share_groups: None,
                send_server_name: true,
                grease: true,
                permute_extensions: true,
                middlebox_compatibility: true,
                request_ocsp: true,
                request_scts: false,
                keep_peer_chain: false,
                certificate_authorities: Vec::new(),
                group_memory: None,
                certificates: None,
                post_handshake_auth: false,
                server_certificate_types: Vec::from([CertificateType::X509]),
                client_certificate_types: Vec::from([CertificateType::X509]),
                max_fragment_length: None,
                sessions: None,
                ticket_request: None,
                early_data: false,
                psks: Vec::new(),
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

/// Makes a [`ClientConfig`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientConfigBuilder {
    config: ClientConfig,
    chosen: Chosen,
}

impl ClientConfigBuilder {
    common_setters!();

    /// Sends key shares for this many of the first groups (default 1; 0 asks every server to
    /// choose, at the cost of a round trip).
    ///
    /// The classical part of a hybrid share is offered too where its group is among the groups:
    /// it costs its bytes, but no second key generation.
    pub const fn key_shares(mut self, count: usize) -> Self {
        self.config.key_shares = count;
        self
    }

    /// Sends key shares for exactly these groups instead, which must be among the groups. They go
    /// out in the order of the groups (RFC 9846, Section 4.3.8).
    pub fn key_share_groups(mut self, groups: impl IntoIterator<Item = NamedGroup>) -> Self {
        self.config.key_share_groups = Some(groups.into_iter().collect());
        self
    }

    /// Uses what servers asked for before: a share for that group is sent instead of the usual
    /// ones, unless they cover it (default: nothing is remembered).
    pub fn group_memory(mut self, memory: Arc<dyn GroupMemory>) -> Self {
        self.config.group_memory = Some(memory);
        self
    }

    /// Shows a certificate to servers that ask for one (default: none is shown).
    pub fn client_certificate(mut self, certificates: Arc<dyn ClientCertResolver>) -> Self {
        self.config.certificates = Some(certificates);
        self
    }

    /// Whether servers may also ask for a certificate after the handshake, at any time (RFC 9846,
    /// Section 4.7.2; default: no, that ends the connection). Which one to show is decided as in
    /// the handshake: see [`Self::client_certificate`].
    ///
    /// Each connection then remembers its handshake, at the cost of some hundred bytes. HTTP/2
    /// forbids such requests (RFC 9113, Section 9.2.3).
    pub const fn post_handshake_auth(mut self, on: bool) -> Self {
        self.config.post_handshake_auth = on;
        self
    }

    /// Accepts these types of certificate from servers, the preferred one first (RFC 7250;
    /// default: X.509 alone).
    ///
    /// A raw public key has no name and no issuer. The verifier has to know it: one that does
    /// not expect raw keys refuses them.
    pub fn server_certificate_types(
        mut self,
        types: impl IntoIterator<Item = CertificateType>,
    ) -> Self {
        self.config.server_certificate_types = types.into_iter().collect();
        self
    }

    /// Has certificates of these types to show, the preferred one first (RFC 7250; default:
    /// X.509 alone). A server that asks for one chooses among them, and
    /// [`Self::client_certificate`] has to come up with one of the type that it chose.
    pub fn client_certificate_types(
        mut self,
        types: impl IntoIterator<Item = CertificateType>,
    ) -> Self {
        self.config.client_certificate_types = types.into_iter().collect();
        self
    }

    /// Asks the server for short records in both directions (RFC 6066, Section 4). Servers that
    /// know it keep to it; for those that do not, nothing changes.
    ///
    /// Its successor is [`Self::record_size_limit`]; a server that knows both follows that one.
    pub const fn max_fragment_length(mut self, length: MaxFragmentLength) -> Self {
        self.config.max_fragment_length = Some(length);
        self
    }

    /// Resumes sessions from this store, and keeps new ones there (default: nothing is resumed).
    pub fn sessions(mut self, store: Arc<dyn ClientSessions>, clock: Arc<dyn Clock>) -> Self {
        self.config.sessions = Some(ClientSessionConfig { store, clock });
        self
    }

    /// Tells servers how many tickets are wanted: after a new session, and after a resumed one
    /// (RFC 9149; default: nothing is said, and servers send what they like).
    pub const fn ticket_request(mut self, new_session: u8, resumption: u8) -> Self {
        self.config.ticket_request = Some(TicketRequest {
            new_session,
            resumption,
        });
        self
    }

    /// Whether early data may be sent with sessions that allow for it (default: no): see
    /// `Connection::write_early`.
    ///
    /// It is sent under keys without forward secrecy, and whoever records it can send it again
    /// (RFC 9846, Section 2.3): only say in it what may be heard twice.
    pub const fn early_data(mut self, on: bool) -> Self {
        self.config.early_data = on;
        self
    }

    /// Offers these keys, after the session if there is one (default: none). A server that takes
    /// one proves with it who it is, and shows no certificate.
    pub fn external_psks(mut self, psks: impl IntoIterator<Item = ExternalPsk>) -> Self {
        self.config.psks = psks.into_iter().collect();
        self
    }

    /// Lets servers do without a key exchange where there is a PSK (`psk_ke`; default: no). Who
    /// learns the PSK later can then read everything that was ever said under it.
    pub const fn dangerous_psk_without_key_exchange(mut self, allow: bool) -> Self {
        self.config.psk_without_key_exchange = allow;
        self
    }

    /// Whether to send `server_name` (default: yes).
    pub const fn send_server_name(mut self, on: bool) -> Self {
        self.config.send_server_name = on;
        self
    }

    /// Whether to send the reserved values of RFC 8701, so that servers stay used to unknown
    /// ones (default: yes).
    pub const fn grease(mut self, on: bool) -> Self {
        self.config.grease = on;
        self
    }

    /// Whether to send the extensions of each ClientHello in random order (default: yes).
    pub const fn permute_extensions(mut self, on: bool) -> Self {
        self.config.permute_extensions = on;
        self
    }

    /// Whether to look like a TLS 1.2 resumption to middleboxes (RFC 9846, Appendix E.4;
    /// default: yes).
    pub const fn middlebox_compatibility(mut self, on: bool) -> Self {
        self.config.middlebox_compatibility = on;
        self
    }

    /// Whether to ask for a stapled OCSP response (default: yes).
    pub const fn request_ocsp(mut self, on: bool) -> Self {
        self.config.request_ocsp = on;
        self
    }

    /// Whether to ask for signed certificate timestamps (RFC 6962, Section 3.3.1; default: no).
    /// Most certificates carry theirs inside, and come with them unasked.
    pub const fn request_scts(mut self, on: bool) -> Self {
        self.config.request_scts = on;
        self
    }

    /// Whether the server's chain stays available after the handshake (default: no, it is some
    /// kilobytes per connection).
    pub const fn keep_peer_chain(mut self, on: bool) -> Self {
        self.config.keep_peer_chain = on;
        self
    }

    /// Tells servers which authorities the client trusts, by their distinguished names in DER
    /// (RFC 9846, Section 4.3.4). Default: none, nothing is sent.
    pub fn certificate_authorities(mut self, names: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.config.certificate_authorities = names.into_iter().collect();
        self
    }

    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// The first fault found.
    pub fn build(self) -> Result<Arc<ClientConfig>, ConfigError> {
        let mut config = self.config;
        config.common.resolve(&self.chosen)?;
        let psks = config.psks.into_iter();
        config.psks = psks
            .map(|psk| psk.prepared(config.common.provider))
            .collect();
        #[cfg(feature = "tls12")]
        config.common.retain_psk_suites(
            config.psks.iter().any(|psk| !psk.is_imported()),
            config.psk_without_key_exchange,
        )?;
        check_types(&config.server_certificate_types)?;
        check_types(&config.client_certificate_types)?;
        let groups = &config.common.groups;
        for name in config.key_share_groups.iter().flatten() {
            if !groups.iter().any(|group| group.name() == *name) {
                return Err(ConfigError::ShareWithoutGroup(*name));
            }
        }
        Ok(Arc::new(config))
    }
}
