//! What is asked of a chain, apart from whom to trust.

use crate::{Clock, public_key};

/// How many intermediate certificates a chain may have, if nothing else is said.
const DEFAULT_DEPTH: usize = 6;

/// What is asked of a chain, apart from whom to trust: for servers and clients alike.
///
/// The default is strict. What it refuses beyond a bare path is wrong by RFC 5280 or unsafe, and
/// no authority in the systems' stores needs it; see [`Profile`].
///
/// ```
/// use waxwing_pki::{Policy, Profile};
///
/// let public_only = Policy::new().profile(Profile::WebPki).max_intermediates(2);
/// let old_appliance = Policy::new().profile(Profile::Path);
/// # let _ = (public_only, old_appliance);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) profile: Profile,
    pub(crate) depth: usize,
    pub(crate) clock: Clock,
    pub(crate) min_rsa_bits: usize,
    pub(crate) min_curve_bits: usize,
    pub(crate) whole_chain: bool,
    pub(crate) purpose_required: bool,
    pub(crate) staple: Staple,
    pub(crate) any_name: bool,
    pub(crate) any_time: bool,
    pub(crate) apart: bool,
}

/// How much of what standards ask of certificates is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Profile {
    /// The path alone (RFC 5280, Section 6): signatures, validity, authority, constraints,
    /// purpose, names. Sizes of keys are checked in every profile.
    Path,
    /// Also what RFC 5280, Section 4 demands of certificates: what is critical, what belongs
    /// together, serial numbers, empty names; and the trust anchor's own validity, where its
    /// certificate is known.
    #[default]
    Strict,
    /// Also the Baseline Requirements of the CA/Browser Forum, for certificates of public
    /// authorities: key identifiers everywhere, extendedKeyUsage, the common name among the
    /// other names.
    WebPki,
}

/// When a stapled OCSP response must be there. What it says is checked elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Staple {
    /// Never.
    Ignored,
    /// If the certificate demands it: "must-staple" (RFC 7633).
    #[default]
    AsCertified,
    /// Always.
    Required,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            profile: Profile::Strict,
            depth: DEFAULT_DEPTH,
            clock: Clock::System,
            min_rsa_bits: public_key::MIN_RSA_BITS,
            min_curve_bits: public_key::MIN_CURVE_BITS,
            whole_chain: false,
            purpose_required: false,
            staple: Staple::AsCertified,
            any_name: false,
            any_time: false,
            apart: false,
        }
    }
}

impl Policy {
    /// The strict default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How much of what standards ask of certificates is checked.
    #[must_use]
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// How many intermediate certificates a chain may have between the peer's own and the trust
    /// anchor, what OpenSSL calls the depth. Self-issued ones do not count (RFC 5280, Section
    /// 4.2.1.9). Never are there more than 6, which is the default.
    #[must_use]
    pub const fn max_intermediates(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub const fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The shortest RSA modulus, in bits, for every key in the chain. Less than 2048, the
    /// default, has no effect.
    #[must_use]
    pub const fn min_rsa_bits(mut self, bits: usize) -> Self {
        if bits > public_key::MIN_RSA_BITS {
            self.min_rsa_bits = bits;
        }
        self
    }

    /// The smallest elliptic curve, in bits, for every key in the chain. Less than 256, the
    /// default, has no effect.
    #[must_use]
    pub const fn min_curve_bits(mut self, bits: usize) -> Self {
        if bits > public_key::MIN_CURVE_BITS {
            self.min_curve_bits = bits;
        }
        self
    }

    /// Asks for a chain up to a root, a certificate that is its own issuer. By default every
    /// trust anchor ends a chain, also an intermediate or the peer's own certificate.
    #[must_use]
    pub const fn whole_chain(mut self) -> Self {
        self.whole_chain = true;
        self
    }

    /// Asks for an extendedKeyUsage that names the purpose. By default a certificate without
    /// that extension is for every purpose (RFC 5280, Section 4.2.1.12).
    #[must_use]
    pub const fn require_purpose(mut self) -> Self {
        self.purpose_required = true;
        self
    }

    /// Judges certificates apart from any handshake, as RFC 5280 has it, which lets an authority's
    /// be the last of a path (Section 4.2.1.9): an authority's may come first, and keyUsage need
    /// not allow signatures.
    ///
    /// [`Verifier::examine`](crate::Verifier::examine) and its like heed this alone. Who shows such
    /// a certificate in a handshake is refused in any case: there the key has to sign (RFC 9846,
    /// Section 4.5.1.2).
    #[must_use]
    pub const fn apart_from_handshakes(mut self) -> Self {
        self.apart = true;
        self
    }

    /// When a server must staple an OCSP response.
    #[must_use]
    pub const fn staple(mut self, staple: Staple) -> Self {
        self.staple = staple;
        self
    }

    /// **Insecure**: accepts a server's certificate for whatever name. Who holds any
    /// certificate of any trusted authority can then be every server.
    #[must_use]
    pub const fn dangerously_accept_any_name(mut self) -> Self {
        self.any_name = true;
        self
    }

    /// **Insecure**: accepts certificates that are expired or not valid yet. Keys that leaked
    /// long ago, and authorities that were given up, are then as good as new ones.
    #[must_use]
    pub const fn dangerously_accept_any_time(mut self) -> Self {
        self.any_time = true;
        self
    }
}
