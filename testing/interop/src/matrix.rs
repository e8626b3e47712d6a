//! Every combination of what is agreed on in a handshake.

use waxwing::crypto::{CipherSuite, NamedGroup, SignatureScheme};
use waxwing::pki::KeyType;
use waxwing::{ConnectionInfo, ProtocolVersion, ProtocolVersions};

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

/// The cipher suites of TLS 1.2 for ECDSA and EdDSA keys, and OpenSSL's names.
pub const ECDSA_SUITES: [(CipherSuite, &str); 3] = [
    (
        CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ),
    (
        CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ),
    (
        CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ),
];

/// The cipher suites of TLS 1.2 for RSA keys, and OpenSSL's names.
pub const RSA_SUITES: [(CipherSuite, &str); 3] = [
    (
        CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
        "ECDHE-RSA-AES128-GCM-SHA256",
    ),
    (
        CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384,
        "ECDHE-RSA-AES256-GCM-SHA384",
    ),
    (
        CipherSuite::TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
        "ECDHE-RSA-CHACHA20-POLY1305",
    ),
];

/// The groups that every peer knows.
pub const GROUPS: [NamedGroup; 4] = [
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
];

const P256: SignatureScheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
const P384: SignatureScheme = SignatureScheme::ECDSA_SECP384R1_SHA384;
const P521: SignatureScheme = SignatureScheme::ECDSA_SECP521R1_SHA512;
/// In TLS 1.2 the name of a curve in a scheme says nothing.
const ANY_HASH: &[SignatureScheme] = &[P256, P384, P521];

/// The kinds of server key that every peer knows, and the schemes of TLS 1.3 that each can sign
/// with.
pub const KEYS: [(KeyType, &[SignatureScheme]); 6] = [
    (KeyType::P256, &[P256]),
    (KeyType::P384, &[P384]),
    (KeyType::P521, &[P521]),
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

const RSA_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
];

/// As [`KEYS`], with the schemes that our own keys sign with in TLS 1.2.
pub const KEYS12: [(KeyType, &[SignatureScheme]); 5] = [
    (KeyType::P256, &[P256]),
    (KeyType::P384, &[P384]),
    (KeyType::P521, &[P521]),
    (KeyType::Ed25519, &[SignatureScheme::ED25519]),
    (KeyType::Rsa2048, RSA_SCHEMES),
];

/// As [`KEYS12`], with the schemes that peers may sign with.
pub const THEIR_KEYS12: [(KeyType, &[SignatureScheme]); 5] = [
    (KeyType::P256, ANY_HASH),
    (KeyType::P384, ANY_HASH),
    (KeyType::P521, ANY_HASH),
    (KeyType::Ed25519, &[SignatureScheme::ED25519]),
    (KeyType::Rsa2048, RSA_SCHEMES),
];

/// What a handshake has to agree on.
#[derive(Clone, Copy, Debug)]
pub struct Combination {
    /// The version.
    pub version: ProtocolVersion,
    /// The group.
    pub group: NamedGroup,
    /// The kind of the server's key.
    pub key: KeyType,
    /// The signature scheme of the server.
    pub scheme: SignatureScheme,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// Its name in OpenSSL.
    pub suite_name: &'static str,
}

impl Combination {
    /// Every group and suite of TLS 1.3, with `scheme` by a `key`.
    #[must_use]
    pub fn all(key: KeyType, scheme: SignatureScheme) -> Vec<Self> {
        Self::with_suites(ProtocolVersion::TLS13, key, scheme, SUITES)
    }

    /// Every group and suite of TLS 1.2, with `scheme` by a `key`.
    #[must_use]
    pub fn all12(key: KeyType, scheme: SignatureScheme) -> Vec<Self> {
        let suites = match key {
            KeyType::Rsa2048 | KeyType::Rsa3072 => RSA_SUITES,
            _ => ECDSA_SUITES,
        };
        Self::with_suites(ProtocolVersion::TLS12, key, scheme, suites)
    }

    fn with_suites(
        version: ProtocolVersion,
        key: KeyType,
        scheme: SignatureScheme,
        suites: [(CipherSuite, &'static str); 3],
    ) -> Vec<Self> {
        let with_group = |group| {
            suites.into_iter().map(move |(suite, suite_name)| Self {
                version,
                group,
                key,
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
        let agreed = (
            info.version,
            info.group,
            info.cipher_suite,
            info.signature_scheme,
        );
        let expected = (
            Some(self.version),
            Some(self.group),
            Some(self.suite),
            Some(self.scheme),
        );
        if agreed == expected && !info.retried {
            Ok(())
        } else {
            Err(format!("agreed on {agreed:?}, retried: {}", info.retried))
        }
    }

    /// The version, as our own configurations take it.
    #[must_use]
    pub fn versions(&self) -> ProtocolVersions {
        if self.version == ProtocolVersion::TLS12 {
            ProtocolVersions::TLS12
        } else {
            ProtocolVersions::TLS13
        }
    }

    /// The groups that a client has to offer, this one first: in TLS 1.2 the curve of the
    /// server's certificate has to be among them (RFC 8422, Section 5.1).
    #[must_use]
    pub fn client_groups(&self) -> Vec<NamedGroup> {
        let curve = match self.key {
            KeyType::P256 => NamedGroup::SECP256R1,
            KeyType::P384 => NamedGroup::SECP384R1,
            KeyType::P521 => NamedGroup::SECP521R1,
            _ => self.group,
        };
        if self.version == ProtocolVersion::TLS12 && curve != self.group {
            vec![self.group, curve]
        } else {
            vec![self.group]
        }
    }

    /// The options that make OpenSSL's client offer this alone.
    #[must_use]
    pub fn openssl_client(&self) -> Vec<String> {
        let (version, suites) = if self.version == ProtocolVersion::TLS12 {
            ("-tls1_2", "-cipher")
        } else {
            ("-tls1_3", "-ciphersuites")
        };
        let groups: Vec<_> = self.client_groups().into_iter().map(openssl).collect();
        let options = [
            version,
            suites,
            self.suite_name,
            "-groups",
            &groups.join(":"),
            "-sigalgs",
            &self.openssl_schemes(),
        ];
        options.map(str::to_owned).into()
    }

    /// The signature schemes to allow in OpenSSL: this one, and that of the chain.
    fn openssl_schemes(&self) -> String {
        let chain = P256;
        if self.scheme == chain {
            // It does not take a name twice.
            chain.to_string()
        } else {
            format!("{}:{chain}", self.scheme)
        }
    }

    /// All of it as a priority string of GnuTLS for a client. It allows the scheme of the chain
    /// too.
    #[must_use]
    pub fn gnutls_client(&self) -> String {
        let groups: String = self
            .client_groups()
            .into_iter()
            .map(|group| format!(":+GROUP-{}", gnutls(group)))
            .collect();
        let (cipher, kx) = match self.suite {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => ("AES-128-GCM", ""),
            CipherSuite::TLS13_AES_256_GCM_SHA384 => ("AES-256-GCM", ""),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => ("CHACHA20-POLY1305", ""),
            CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256 => ("AES-128-GCM", "ECDHE-ECDSA"),
            CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384 => ("AES-256-GCM", "ECDHE-ECDSA"),
            CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256 => ("AES-128-GCM", "ECDHE-RSA"),
            CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384 => ("AES-256-GCM", "ECDHE-RSA"),
            CipherSuite::TLS12_ECDHE_RSA_CHACHA20_POLY1305_SHA256 => {
                ("CHACHA20-POLY1305", "ECDHE-RSA")
            }
            _ => ("CHACHA20-POLY1305", "ECDHE-ECDSA"),
        };
        let version = gnutls_version(self.version);
        let kx = match kx {
            "" => String::new(),
            kx => format!(":-KX-ALL:+{kx}"),
        };
        let scheme = gnutls_scheme(self.version, self.scheme);
        let chain = gnutls_scheme(self.version, P256);
        format!(
            "NORMAL:-VERS-ALL:+{version}:-GROUP-ALL{groups}:-CIPHER-ALL:+{cipher}{kx}:\
             -SIGN-ALL:+SIGN-{scheme}:+SIGN-{chain}"
        )
    }
}

/// A version as GnuTLS calls it.
#[must_use]
pub fn gnutls_version(version: ProtocolVersion) -> &'static str {
    if version == ProtocolVersion::TLS12 {
        "VERS-TLS1.2"
    } else {
        "VERS-TLS1.3"
    }
}

fn openssl(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::SECP256R1 => "P-256",
        NamedGroup::SECP384R1 => "P-384",
        _ => "P-521",
    }
}

fn gnutls(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::SECP256R1 => "SECP256R1",
        NamedGroup::SECP384R1 => "SECP384R1",
        _ => "SECP521R1",
    }
}

/// A scheme as GnuTLS calls it.
#[must_use]
pub fn gnutls_scheme(version: ProtocolVersion, scheme: SignatureScheme) -> &'static str {
    let old = version == ProtocolVersion::TLS12;
    match scheme {
        P256 if old => "ECDSA-SHA256",
        P384 if old => "ECDSA-SHA384",
        P521 if old => "ECDSA-SHA512",
        P256 => "ECDSA-SECP256R1-SHA256",
        P384 => "ECDSA-SECP384R1-SHA384",
        P521 => "ECDSA-SECP521R1-SHA512",
        SignatureScheme::ED25519 => "EdDSA-Ed25519",
        SignatureScheme::RSA_PKCS1_SHA256 => "RSA-SHA256",
        SignatureScheme::RSA_PKCS1_SHA384 => "RSA-SHA384",
        SignatureScheme::RSA_PKCS1_SHA512 => "RSA-SHA512",
        SignatureScheme::RSA_PSS_RSAE_SHA256 => "RSA-PSS-RSAE-SHA256",
        SignatureScheme::RSA_PSS_RSAE_SHA384 => "RSA-PSS-RSAE-SHA384",
        _ => "RSA-PSS-RSAE-SHA512",
    }
}
