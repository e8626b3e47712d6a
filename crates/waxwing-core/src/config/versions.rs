//! Which protocol versions a configuration speaks.

use core::fmt;
use core::ops::BitOr;

use crate::messages::ProtocolVersion;

/// A set of protocol versions.
///
/// TLS 1.2 is there only with the feature `tls12`, and spoken only where it is asked for: what a
/// feature adds to a build never changes what a configuration does.
///
/// ```
/// use waxwing_core::{ProtocolVersion, ProtocolVersions};
///
/// let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
/// assert!(both.contains(ProtocolVersion::TLS12));
/// assert_eq!(both.max(), Some(ProtocolVersion::TLS13));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProtocolVersions(u8);

impl ProtocolVersions {
    /// TLS 1.2 (RFC 5246, frozen by RFC 9851).
    #[cfg(feature = "tls12")]
    pub const TLS12: Self = Self(1);
    /// TLS 1.3 (RFC 9846).
    pub const TLS13: Self = Self(2);

    /// The versions that this set can hold, oldest first.
    const KNOWN: &[(Self, ProtocolVersion)] = &[
        #[cfg(feature = "tls12")]
        (Self::TLS12, ProtocolVersion::TLS12),
        (Self::TLS13, ProtocolVersion::TLS13),
    ];

    /// Whether `version` is in the set.
    #[must_use]
    pub fn contains(self, version: ProtocolVersion) -> bool {
        self.iter().any(|own| own == version)
    }

    /// The newest version in the set.
    #[must_use]
    pub fn max(self) -> Option<ProtocolVersion> {
        self.iter().last()
    }

    /// The versions in the set, oldest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = ProtocolVersion> {
        Self::KNOWN
            .iter()
            .filter(move |(bit, _)| self.0 & bit.0 != 0)
            .map(|(_, version)| *version)
    }
}

impl BitOr for ProtocolVersions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for ProtocolVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
