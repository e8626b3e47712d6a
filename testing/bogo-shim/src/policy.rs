//! BoringSSL's compliance policies, each a configuration of ours: versions, suites, groups and
//! signatures.

use waxwing_crypto::{CipherSuite, NamedGroup, SignatureScheme};

/// What a policy allows, the preferred first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether TLS 1.2 is spoken beside TLS 1.3.
    pub(crate) tls12: bool,
    pub(crate) suites: &'static [CipherSuite],
    /// Empty if the policy does not care.
    pub(crate) groups: &'static [NamedGroup],
    /// Empty if the policy does not care.
    pub(crate) schemes: &'static [SignatureScheme],
}

const AES_256: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384,
    CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
];

const CNSA_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
];

static FIPS_202205: Policy = Policy {
    tls12: true,
    suites: &[
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
        CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
        CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
        CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384,
    ],
    groups: &[NamedGroup::SECP256R1, NamedGroup::SECP384R1],
    schemes: &[
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
    ],
};

static WPA_202304: Policy = Policy {
    tls12: true,
    suites: &AES_256,
    groups: &[NamedGroup::SECP384R1],
    schemes: &[
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
    ],
};

static CNSA_202407: Policy = Policy {
    tls12: false,
    suites: &[
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    ],
    groups: &[],
    schemes: &[],
};

static CNSA1_202603: Policy = Policy {
    tls12: true,
    suites: &AES_256,
    groups: &[NamedGroup::MLKEM1024, NamedGroup::SECP384R1],
    schemes: CNSA_SCHEMES,
};

static CNSA2_202603: Policy = Policy {
    tls12: false,
    suites: &[CipherSuite::TLS13_AES_256_GCM_SHA384],
    groups: &[NamedGroup::MLKEM1024],
    schemes: CNSA_SCHEMES,
};

/// The policy that a flag asks for.
pub(crate) fn of_flag(flag: &str) -> Option<&'static Policy> {
    Some(match flag {
        "-fips-202205" => &FIPS_202205,
        "-wpa-202304" => &WPA_202304,
        "-cnsa-202407" => &CNSA_202407,
        "-cnsa1-202603" => &CNSA1_202603,
        "-cnsa2-202603" => &CNSA2_202603,
        _ => return None,
    })
}
