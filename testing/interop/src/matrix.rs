//! Every combination of what is agreed on in a handshake.

use waxwing::ConnectionInfo;
use waxwing::crypto::{CipherSuite, NamedGroup, SignatureScheme};
use waxwing::pki::KeyType;

/// The cipher suites of TLS 1.3 that every peer knows, and their common names.
pub const SUITES: [(CipherSuite, &str); 3] = [
    (
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_128_GCM_SHA256",
    ),
    (
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        "TLS_AES_256_GCM_SHA384",
    ),
    (
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_CHACHA20_POLY1305_SHA256",
    ),
];

/// The groups that every peer knows.
pub const GROUPS: [NamedGroup; 4] = [
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
];

/// The kinds of server key that every peer knows, and the schemes that each can sign with.
pub const KEYS: [(KeyType, &[SignatureScheme]); 6] = [
    (KeyType::P256, &[SignatureScheme::ECDSA_SECP256R1_SHA256]),
    (KeyType::P384, &[SignatureScheme::ECDSA_SECP384R1_SHA384]),
    (KeyType::P521, &[SignatureScheme::ECDSA_SECP521R1_SHA512]),
    (KeyType::Ed25519, &[SignatureScheme::ED25519]),
    (
        KeyType::Rsa2048,
        &[
            SignatureScheme::RSA_PSS_RSAE_SHA256,
            SignatureScheme::RSA_PSS_RSAE_SHA384,
            SignatureScheme::RSA_PSS_RSAE_SHA512,
        ],
    ),
    (KeyType::Rsa3072, &[SignatureScheme::RSA_PSS_RSAE_SHA256]),
];

/// What a handshake has to agree on.
#[derive(Clone, Copy, Debug)]
pub struct Combination {
    /// The group.
    pub group: NamedGroup,
    /// The signature scheme of the server.
    pub scheme: SignatureScheme,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// Its common name.
    pub suite_name: &'static str,
}

impl Combination {
    /// Every group and suite, with `scheme`.
    #[must_use]
    pub fn all(scheme: SignatureScheme) -> Vec<Self> {
        let with_group = |group| {
            SUITES.into_iter().map(move |(suite, suite_name)| Self {
                group,
                scheme,
                suite,
                suite_name,
            })
        };
        GROUPS.into_iter().flat_map(with_group).collect()
    }

    /// Whether this is what was agreed.
    ///
    /// # Errors
    /// What was agreed instead.
    pub fn check(&self, info: &ConnectionInfo) -> Result<(), String> {
        let agreed = (info.group, info.cipher_suite, info.signature_scheme);
        let expected = (Some(self.group), Some(self.suite), Some(self.scheme));
        if agreed == expected && !info.retried {
            Ok(())
        } else {
            Err(format!("agreed on {agreed:?}, retried: {}", info.retried))
        }
    }

    /// The group as OpenSSL calls it.
    #[must_use]
    pub fn openssl_group(&self) -> &'static str {
        match self.group {
            NamedGroup::X25519 => "X25519",
            NamedGroup::SECP256R1 => "P-256",
            NamedGroup::SECP384R1 => "P-384",
            _ => "P-521",
        }
    }

    /// The signature schemes to allow in OpenSSL: this one, and that of the chain.
    #[must_use]
    pub fn openssl_schemes(&self) -> String {
        let chain = SignatureScheme::ECDSA_SECP256R1_SHA256;
        if self.scheme == chain {
            // It does not take a name twice.
            chain.to_string()
        } else {
            format!("{}:{chain}", self.scheme)
        }
    }

    /// All of it as a priority string of GnuTLS. It allows the scheme of the chain too.
    #[must_use]
    pub fn gnutls_priority(&self) -> String {
        let group = match self.group {
            NamedGroup::X25519 => "X25519",
            NamedGroup::SECP256R1 => "SECP256R1",
            NamedGroup::SECP384R1 => "SECP384R1",
            _ => "SECP521R1",
        };
        let cipher = match self.suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => "AES-128-GCM",
            CipherSuite::TLS13_AES_256_GCM_SHA384 => "AES-256-GCM",
            _ => "CHACHA20-POLY1305",
        };
        let scheme = gnutls_scheme(self.scheme);
        format!(
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-{group}:-CIPHER-ALL:+{cipher}:\
             -SIGN-ALL:+SIGN-{scheme}:+SIGN-ECDSA-SECP256R1-SHA256"
        )
    }
}

/// A scheme as GnuTLS calls it.
#[must_use]
pub fn gnutls_scheme(scheme: SignatureScheme) -> &'static str {
    match scheme {
        SignatureScheme::ECDSA_SECP256R1_SHA256 => "ECDSA-SECP256R1-SHA256",
        SignatureScheme::ECDSA_SECP384R1_SHA384 => "ECDSA-SECP384R1-SHA384",
        SignatureScheme::ECDSA_SECP521R1_SHA512 => "ECDSA-SECP521R1-SHA512",
        SignatureScheme::ED25519 => "EdDSA-Ed25519",
        SignatureScheme::RSA_PSS_RSAE_SHA256 => "RSA-PSS-RSAE-SHA256",
        SignatureScheme::RSA_PSS_RSAE_SHA384 => "RSA-PSS-RSAE-SHA384",
        _ => "RSA-PSS-RSAE-SHA512",
    }
}
