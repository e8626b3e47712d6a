//! What both sides configure.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::{CipherSuite, CryptoProvider, KxGroup, NamedGroup, ProviderFault, Suite13};

use crate::limits::MAX_ALPN_NAME;
use crate::record::RecordPadding;
use crate::trace::Trace;

#[cfg(feature = "client")]
pub(crate) mod client;
pub(crate) mod credentials;
#[cfg(feature = "server")]
pub(crate) mod server;
pub(crate) mod verifier;

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
    /// A list of suites or groups names something twice (RFC 9846, Section 4.3.7).
    Repeated(u16),
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
        }
    }
}

impl core::error::Error for ConfigError {}

/// What both sides configure alike.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) provider: &'static CryptoProvider,
    pub(crate) suites: Vec<&'static Suite13>,
    pub(crate) groups: Vec<&'static dyn KxGroup>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) padding: RecordPadding,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) trace: Option<Arc<dyn Trace>>,
}

impl Common {
    fn new(provider: &'static CryptoProvider) -> Self {
        Self {
            provider,
            suites: provider.suites13.to_vec(),
            groups: provider.groups.to_vec(),
            alpn: Vec::new(),
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
        if let Some(suites) = &chosen.suites {
            self.suites = pick(suites, |id| self.provider.suite13(CipherSuite(id)))?;
        }
        if let Some(groups) = &chosen.groups {
            self.groups = pick(groups, |id| self.provider.group(NamedGroup(id)))?;
        }
        Ok(())
    }
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
    for (index, id) in wanted.iter().enumerate() {
        if wanted.iter().take(index).any(|earlier| earlier == id) {
            return Err(ConfigError::Repeated(*id));
        }
    }
    wanted
        .iter()
        .map(|id| find(*id).ok_or(ConfigError::NotProvided(*id)))
        .collect()
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

        /// Speaks these cipher suites only, the preferred one first.
        pub fn cipher_suites(mut self, suites: impl IntoIterator<Item = CipherSuite>) -> Self {
            self.chosen.suites = Some(suites.into_iter().map(|suite| suite.0).collect());
            self
        }

        /// Speaks these groups only, the preferred one first.
        pub fn groups(mut self, groups: impl IntoIterator<Item = NamedGroup>) -> Self {
            self.chosen.groups = Some(groups.into_iter().map(|group| group.0).collect());
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
