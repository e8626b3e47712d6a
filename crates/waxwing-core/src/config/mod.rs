//! What both sides configure.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

#[cfg(feature = "tls12")]
use waxwing_crypto::{Authentication12, Suite12};
use waxwing_crypto::{
    CipherSuite, CryptoProvider, KxGroup, NamedGroup, ProviderFault, SignatureScheme, Suite13,
};

use crate::limits::MAX_ALPN_NAME;
use crate::messages::{CertificateType, ProtocolVersion};
use crate::record::RecordPadding;
use crate::trace::Trace;

use compression::CertDecompressor;
use versions::ProtocolVersions;

#[cfg(feature = "client")]
pub(crate) mod client;
pub(crate) mod compression;
pub(crate) mod credentials;
pub(crate) mod psk;
#[cfg(feature = "server")]
pub(crate) mod server;
pub(crate) mod sessions;
pub(crate) mod verifier;
pub(crate) mod versions;

/// The limits that RFC 8449, Section 4 allows to ask for.
const RECORD_SIZE_LIMITS: RangeInclusive<u16> = 64..=(1 << 14) + 1;
/// Shorter records than those would be all overhead; longer ones are illegal.
const MAX_SENT_FRAGMENTS: RangeInclusive<u16> = 64..=1 << 14;

/// Receives secrets in the form of RFC 9850, for debugging with a packet analyser.
///
/// Whoever holds them can read the connection.
pub trait KeyLog: Send + Sync {
    /// One line: `label client_random secret`, the latter two in hexadecimal.
    fn log(&self, label: &str, client_random: &[u8; 32], secret: &[u8]);
}

impl fmt::Debug for dyn KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLog")
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The crypto provider lacks something.
    Provider(ProviderFault),
    /// An ALPN name is empty or longer than 255 bytes (RFC 7301, Section 3.1).
    AlpnName,
    /// A list of suites or groups names something that the provider does not have.
    NotProvided(u16),
    /// A list of suites or groups is empty.
    EmptyList,
    /// A list of suites, groups or decompressors names something twice (RFC 9846, Section 4.3.7).
    Repeated(u16),
    /// A key share is to be sent for a group that is not among the groups (RFC 9846,
    /// Section 4.3.8).
    ShareWithoutGroup(NamedGroup),
    /// A list of certificate types is empty, names one twice, or one that is neither X.509 nor a
    /// raw public key.
    CertificateTypes,
    /// A record size limit is outside 64 to 16385 (RFC 8449, Section 4).
    RecordSizeLimit(u16),
    /// A maximum for what is sent in one record is outside 64 to 16384.
    MaxSentFragment(u16),
    /// A context of sessions is longer than 255 bytes.
    SessionContext,
    /// No cipher suite is there for a version that is to be spoken.
    NoSuite(ProtocolVersion),
    /// No group is there for the one version that is to be spoken.
    NoGroup(ProtocolVersion),
}

impl From<ProviderFault> for ConfigError {
    fn from(fault: ProviderFault) -> Self {
        Self::Provider(fault)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(fault) => fault.fmt(f),
            Self::AlpnName => f.write_str("an ALPN name must have 1 to 255 bytes"),
            Self::NotProvided(id) => write!(f, "the crypto provider does not have 0x{id:04x}"),
            Self::EmptyList => f.write_str("a list of suites or groups is empty"),
            Self::Repeated(id) => write!(f, "a list names 0x{id:04x} twice"),
            Self::ShareWithoutGroup(name) => {
                write!(f, "a key share for {name}, which is not among the groups")
            }
            Self::CertificateTypes => {
                f.write_str("certificate types are X.509, RawPublicKey, or both in some order")
            }
            Self::RecordSizeLimit(limit) => {
                write!(f, "a record size limit must be 64 to 16385, not {limit}")
            }
            Self::MaxSentFragment(bytes) => {
                write!(
                    f,
                    "at most 64 to 16384 bytes are sent in a record, not {bytes}"
                )
            }
            Self::SessionContext => {
                f.write_str("a context of sessions must have at most 255 bytes")
            }
            Self::NoSuite(version) => write!(f, "there is no cipher suite for {version}"),
            Self::NoGroup(version) => write!(f, "there is no key exchange group for {version}"),
        }
    }
}

impl core::error::Error for ConfigError {}

/// How many tickets a client wants (RFC 9149, Section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TicketRequest {
    pub(crate) new_session: u8,
    pub(crate) resumption: u8,
}

/// What both sides configure alike.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) provider: &'static CryptoProvider,
    pub(crate) versions: ProtocolVersions,
    /// Empty if TLS 1.3 is not spoken.
    pub(crate) suites: Vec<&'static Suite13>,
    /// Empty if TLS 1.2 is not spoken.
    #[cfg(feature = "tls12")]
    pub(crate) suites12: Vec<&'static Suite12>,
    pub(crate) groups: Vec<&'static dyn KxGroup>,
    /// All that the provider can check, in handshakes or certificates. It takes a comparison of each
    /// with each to tell, so it is told once.
    pub(crate) signature_schemes: Vec<SignatureScheme>,
    pub(crate) alpn: Vec<Vec<u8>>,
    #[cfg(feature = "tls12")]
    pub(crate) require_extended_main_secret: bool,
    #[cfg(feature = "tls12")]
    pub(crate) require_secure_renegotiation: bool,
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) max_sent_fragment: u16,
    pub(crate) decompressors: Vec<&'static dyn CertDecompressor>,
    pub(crate) padding: RecordPadding,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) trace: Option<Arc<dyn Trace>>,
}

impl Common {
    fn new(provider: &'static CryptoProvider) -> Self {
        Self {
            provider,
            versions: ProtocolVersions::TLS13,
            suites: Vec::new(),
            #[cfg(feature = "tls12")]
            suites12: Vec::new(),
            groups: provider.groups.to_vec(),
            signature_schemes: provider.signature_schemes().collect(),
            alpn: Vec::new(),
            #[cfg(feature = "tls12")]
            require_extended_main_secret: true,
            #[cfg(feature = "tls12")]
            require_secure_renegotiation: false,
            record_size_limit: None,
            max_sent_fragment: *MAX_SENT_FRAGMENTS.end(),
            decompressors: Vec::new(),
            padding: RecordPadding::None,
            key_log: None,
            trace: None,
        }
    }

    /// Checks that the parts fit together, and looks up what was chosen by name.
    fn resolve(&mut self, chosen: &Chosen) -> Result<(), ConfigError> {
        self.provider.check()?;
        if !self
            .alpn
            .iter()
            .all(|name| (1..=MAX_ALPN_NAME).contains(&name.len()))
        {
            return Err(ConfigError::AlpnName);
        }
        match self.record_size_limit {
            Some(limit) if !RECORD_SIZE_LIMITS.contains(&limit) => {
                return Err(ConfigError::RecordSizeLimit(limit));
            }
            _ => {}
        }
        if !MAX_SENT_FRAGMENTS.contains(&self.max_sent_fragment) {
            return Err(ConfigError::MaxSentFragment(self.max_sent_fragment));
        }
        let decompressors: Vec<u16> = self.decompressors.iter().map(|d| d.algorithm().0).collect();
        check_distinct(&decompressors)?;
        self.resolve_suites(chosen.suites.as_deref())?;
        if let Some(groups) = &chosen.groups {
            self.groups = pick(groups, |id| self.provider.group(NamedGroup(id)))?;
        }
        // Beside TLS 1.3 it does no harm: then TLS 1.2 is just not agreed on.
        #[cfg(feature = "tls12")]
        if !self.versions.contains(ProtocolVersion::TLS13) && self.groups12().next().is_none() {
            return Err(ConfigError::NoGroup(ProtocolVersion::TLS12));
        }
        Ok(())
    }
}

impl Common {
    /// The groups that TLS 1.2 can use, in order of preference.
    #[cfg(feature = "tls12")]
    pub(crate) fn groups12(&self) -> impl Iterator<Item = &'static dyn KxGroup> {
        let groups = self.groups.iter().copied();
        groups.filter(|group| group.name().allowed_in_tls12())
    }

    /// The suites of each version spoken: those chosen, or all that the provider has.
    fn resolve_suites(&mut self, chosen: Option<&[u16]>) -> Result<(), ConfigError> {
        let provider = self.provider;
        if let Some(ids) = chosen {
            let known = |id: u16| {
                let id = CipherSuite(id);
                (provider.suite13(id).is_some() || provider.suite12(id).is_some()).then_some(())
            };
            pick(ids, known)?;
        }
        if self.versions.contains(ProtocolVersion::TLS13) {
            self.suites = wanted(provider.suites13, chosen, |suite| suite.id)
                .ok_or(ConfigError::NoSuite(ProtocolVersion::TLS13))?;
        }
        #[cfg(feature = "tls12")]
        if self.versions.contains(ProtocolVersion::TLS12) {
            self.suites12 = wanted(provider.suites12, chosen, |suite| suite.id)
                .ok_or(ConfigError::NoSuite(ProtocolVersion::TLS12))?;
        }
        Ok(())
    }
}

#[cfg(feature = "tls12")]
impl Common {
    /// Leaves out the suites of TLS 1.2 with a PSK that are of no use: without such `keys`, and
    /// those without a key exchange unless it may be `bare`.
    fn retain_psk_suites(&mut self, keys: bool, bare: bool) -> Result<(), ConfigError> {
        let keys = keys && cfg!(feature = "psk12");
        self.suites12.retain(|suite| match suite.authentication {
            Authentication12::EcdhePsk => keys,
            Authentication12::Psk => keys && bare,
            Authentication12::Ecdsa | Authentication12::Rsa => true,
        });
        if self.suites12.is_empty() && self.versions.contains(ProtocolVersion::TLS12) {
            return Err(ConfigError::NoSuite(ProtocolVersion::TLS12));
        }
        Ok(())
    }
}

/// Of the suites that a provider has for one version, those chosen, in the order of the choice;
/// `None` if that is none at all.
fn wanted<T>(
    provided: &[&'static T],
    chosen: Option<&[u16]>,
    id: impl Fn(&T) -> CipherSuite,
) -> Option<Vec<&'static T>> {
    let suites: Vec<&'static T> = match chosen {
        None => provided.to_vec(),
        Some(ids) => ids
            .iter()
            .filter_map(|wanted| {
                provided
                    .iter()
                    .find(|suite| id(suite).0 == *wanted)
                    .copied()
            })
            .collect(),
    };
    (!suites.is_empty()).then_some(suites)
}

/// Code points chosen from what the provider has.
#[derive(Clone, Debug, Default)]
struct Chosen {
    suites: Option<Vec<u16>>,
    groups: Option<Vec<u16>>,
}

/// Picks from what a provider has, in the order given.
fn pick<T: Copy>(wanted: &[u16], find: impl Fn(u16) -> Option<T>) -> Result<Vec<T>, ConfigError> {
    if wanted.is_empty() {
        return Err(ConfigError::EmptyList);
    }
    check_distinct(wanted)?;
    wanted
        .iter()
        .map(|id| find(*id).ok_or(ConfigError::NotProvided(*id)))
        .collect()
}

/// Takes a list of certificate types if it makes sense.
fn check_types(types: &[CertificateType]) -> Result<(), ConfigError> {
    const X509: CertificateType = CertificateType::X509;
    const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;
    match types {
        [X509] | [RAW] | [X509, RAW] | [RAW, X509] => Ok(()),
        _ => Err(ConfigError::CertificateTypes),
    }
}

fn check_distinct(ids: &[u16]) -> Result<(), ConfigError> {
    for (index, id) in ids.iter().enumerate() {
        if ids.iter().take(index).any(|earlier| earlier == id) {
            return Err(ConfigError::Repeated(*id));
        }
    }
    Ok(())
}

/// The setters that both builders have.
macro_rules! common_setters {
    () => {
        /// Speaks these protocols by ALPN, the preferred one first (RFC 7301).
        pub fn alpn<N: AsRef<[u8]>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
            self.config.common.alpn = names
                .into_iter()
                .map(|name| name.as_ref().to_vec())
                .collect();
            self
        }

        /// Speaks these protocol versions (default: TLS 1.3 alone).
        pub const fn versions(mut self, versions: ProtocolVersions) -> Self {
            self.config.common.versions = versions;
            self
        }

        /// Speaks these cipher suites only, the preferred one first. For each version that is
        /// spoken there must be one.
        pub fn cipher_suites(mut self, suites: impl IntoIterator<Item = CipherSuite>) -> Self {
            self.chosen.suites = Some(suites.into_iter().map(|suite| suite.0).collect());
            self
        }

        /// Speaks these groups only, the preferred one first.
        pub fn groups(mut self, groups: impl IntoIterator<Item = NamedGroup>) -> Self {
            self.chosen.groups = Some(groups.into_iter().map(|group| group.0).collect());
            self
        }

        /// Accepts peers of TLS 1.2 that do not bind their secrets to the whole handshake
        /// (RFC 7627; default: no, they are refused).
        ///
        /// A server in the middle can then make two connections have the same secrets (the
        /// triple handshake attack), which breaks channel bindings and exporters.
        #[cfg(feature = "tls12")]
        pub const fn dangerous_without_extended_main_secret(mut self, accept: bool) -> Self {
            self.config.common.require_extended_main_secret = !accept;
            self
        }

        /// Whether peers of TLS 1.2 that do not signal secure renegotiation (RFC 5746) are
        /// refused. By default they are served: nothing is ever renegotiated here, so the attack
        /// that the signal is for cannot work on this side.
        #[cfg(feature = "tls12")]
        pub const fn secure_renegotiation_required(mut self, on: bool) -> Self {
            self.config.common.require_secure_renegotiation = on;
            self
        }

        /// Accepts records of at most so many bytes, 64 to 16385 (RFC 8449). In TLS 1.3 one of
        /// them is for the content type, and padding counts.
        ///
        /// A client asks the server to keep to it; a server tells those clients that know of
        /// limits, and keeps to theirs in any case. By default a client says nothing.
        pub const fn record_size_limit(mut self, bytes: u16) -> Self {
            self.config.common.record_size_limit = Some(bytes);
            self
        }

        /// Sends at most so many bytes of content in one record, 64 to 16384 (default: 16384, the
        /// most that RFC 9846, Section 5.1 allows). Padding counts, and handshake messages are cut
        /// as application data is.
        ///
        /// Nothing is said of it to the peer, whose own limits, if there are any, hold as well.
        /// Short records reach the peer's application sooner over slow links; each costs 21
        /// to 29 bytes.
        pub const fn max_sent_fragment(mut self, bytes: u16) -> Self {
            self.config.common.max_sent_fragment = bytes;
            self
        }

        /// Lets the peer compress its certificates in these ways, in TLS 1.3 (RFC 8879; default:
        /// in none). `waxwing::compression` has some.
        pub fn cert_decompressors(mut self, known: &[&'static dyn CertDecompressor]) -> Self {
            self.config.common.decompressors = known.to_vec();
            self
        }

        /// Hides the length of application data (RFC 9846, Section 5.4).
        pub const fn record_padding(mut self, padding: RecordPadding) -> Self {
            self.config.common.padding = padding;
            self
        }

        /// Gives all secrets away, for debugging (RFC 9850).
        pub fn key_log(mut self, log: Arc<dyn KeyLog>) -> Self {
            self.config.common.key_log = Some(log);
            self
        }

        /// Tells what connections do.
        pub fn trace(mut self, trace: Arc<dyn Trace>) -> Self {
            self.config.common.trace = Some(trace);
            self
        }
    };
}
use common_setters;
