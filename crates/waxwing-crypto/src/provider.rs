//! A provider: the set of primitives that a configuration works with.

use core::fmt;

use crate::{
    CipherSuite, Hash, HashId, KeyLoader, KxGroup, NamedGroup, SecureRandom, SignatureAlgorithm,
    SignatureScheme, Suite12, Suite13,
};

/// The primitives, each chosen on its own. Lists are in order of preference.
#[derive(Clone, Copy)]
pub struct CryptoProvider {
    /// TLS 1.3 cipher suites.
    pub suites13: &'static [&'static Suite13],
    /// TLS 1.2 cipher suites; none if the provider is for TLS 1.3 alone.
    pub suites12: &'static [&'static Suite12],
    /// Key exchange groups.
    pub groups: &'static [&'static dyn KxGroup],
    /// Signatures that can be checked, in handshakes and in certificates.
    pub signatures: &'static [SignatureAlgorithm],
    /// Loads private keys.
    pub keys: &'static dyn KeyLoader,
    /// Randomness.
    pub random: &'static dyn SecureRandom,
}

/// Why [`CryptoProvider::check`] does not accept a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderFault {
    /// There is no cipher suite for TLS 1.3.
    NoSuites,
    /// There is no key exchange group.
    NoGroups,
    /// There is no signature that TLS 1.3 can use.
    NoSignatures,
    /// One code point is listed twice.
    Repeated(u16),
}

impl fmt::Display for ProviderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuites => f.write_str("the crypto provider has no cipher suite for TLS 1.3"),
            Self::NoGroups => f.write_str("the crypto provider has no key exchange group"),
            Self::NoSignatures => {
                f.write_str("the crypto provider has no signature algorithm for TLS 1.3")
            }
            Self::Repeated(id) => write!(f, "the crypto provider lists 0x{id:04x} twice"),
        }
    }
}

impl core::error::Error for ProviderFault {}

impl CryptoProvider {
    /// Whether a handshake could succeed at all with this set.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), ProviderFault> {
        if self.suites13.is_empty() {
            return Err(ProviderFault::NoSuites);
        }
        if self.groups.is_empty() {
            return Err(ProviderFault::NoGroups);
        }
        if self.handshake_schemes().next().is_none() {
            return Err(ProviderFault::NoSignatures);
        }
        no_repeats(self.suites13.iter().map(|suite| suite.id.0))?;
        no_repeats(self.suites12.iter().map(|suite| suite.id.0))?;
        no_repeats(self.groups.iter().map(|group| group.name().0))
    }

    /// The TLS 1.3 suite with this code point.
    #[must_use]
    pub fn suite13(&self, id: CipherSuite) -> Option<&'static Suite13> {
        self.suites13.iter().copied().find(|suite| suite.id == id)
    }

    /// The TLS 1.2 suite with this code point.
    #[must_use]
    pub fn suite12(&self, id: CipherSuite) -> Option<&'static Suite12> {
        self.suites12.iter().copied().find(|suite| suite.id == id)
    }

    /// The hash function with this name, of one of the suites.
    #[must_use]
    pub fn hash(&self, id: HashId) -> Option<&'static Hash> {
        let of13 = self.suites13.iter().map(|suite| suite.hash);
        let of12 = self.suites12.iter().map(|suite| suite.hash);
        of13.chain(of12).find(|hash| hash.id() == id)
    }

    /// The group with this code point.
    #[must_use]
    pub fn group(&self, name: NamedGroup) -> Option<&'static dyn KxGroup> {
        self.groups
            .iter()
            .copied()
            .find(|group| group.name() == name)
    }

    /// The schemes that can be checked in a TLS 1.3 CertificateVerify, in order of preference.
    pub fn handshake_schemes(&self) -> impl Iterator<Item = SignatureScheme> + '_ {
        self.signature_schemes()
            .filter(|scheme| scheme.allowed_in_tls13_handshake())
    }

    /// The schemes that can be checked in a TLS 1.2 ServerKeyExchange or CertificateVerify, in
    /// order of preference.
    pub fn handshake_schemes12(&self) -> impl Iterator<Item = SignatureScheme> + '_ {
        self.signature_schemes()
            .filter(|scheme| scheme.allowed_in_tls12_handshake())
    }

    /// Every scheme that can be checked, in handshakes or certificates, each once.
    pub fn signature_schemes(&self) -> impl Iterator<Item = SignatureScheme> + '_ {
        let signatures = self.signatures;
        signatures
            .iter()
            .enumerate()
            .filter_map(move |(index, algorithm)| {
                let scheme = algorithm.scheme?;
                let seen = signatures
                    .iter()
                    .take(index)
                    .any(|other| other.scheme == Some(scheme));
                (!seen).then_some(scheme)
            })
    }
}

fn no_repeats(ids: impl Iterator<Item = u16> + Clone) -> Result<(), ProviderFault> {
    for (index, id) in ids.clone().enumerate() {
        if ids.clone().take(index).any(|other| other == id) {
            return Err(ProviderFault::Repeated(id));
        }
    }
    Ok(())
}

impl fmt::Debug for CryptoProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CryptoProvider")
            .field("suites13", &self.suites13)
            .field("suites12", &self.suites12)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}
