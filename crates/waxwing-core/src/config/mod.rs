//! What both sides configure.

use core::fmt;

use waxwing_crypto::ProviderFault;

use crate::limits::MAX_ALPN_NAME;

pub(crate) mod client;
pub(crate) mod credentials;
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
        }
    }
}

impl core::error::Error for ConfigError {}

fn check_alpn(names: &[alloc::vec::Vec<u8>]) -> Result<(), ConfigError> {
    let fits = |name: &alloc::vec::Vec<u8>| (1..=MAX_ALPN_NAME).contains(&name.len());
    if names.iter().all(fits) {
        Ok(())
    } else {
        Err(ConfigError::AlpnName)
    }
}

/// Picks from what a provider has, in the order given.
fn pick<T: Copy>(
    wanted: &[u16],
    find: impl Fn(u16) -> Option<T>,
) -> Result<alloc::vec::Vec<T>, ConfigError> {
    if wanted.is_empty() {
        return Err(ConfigError::EmptyList);
    }
    wanted
        .iter()
        .map(|id| find(*id).ok_or(ConfigError::NotProvided(*id)))
        .collect()
}
