//! Issuing a certificate for a server or a client that has none.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, RsaKeySize, SanType, SerialNumber, date_time_ymd,
};
use waxwing_crypto::{CryptoError, SecureRandom};
use zeroize::{Zeroize, Zeroizing};

use crate::pem::to_pem;
use crate::{AltName, UnixTime};

/// Browsers refuse longer ones even where an administrator installed them.
const DEFAULT_VALIDITY: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Clocks of clients may be a little slow.
const BACKDATE: Duration = Duration::from_secs(60 * 60);
/// The last second that a certificate can express (RFC 5280, Section 4.1.2.5.2).
const LAST_SECOND: u64 = 253_402_300_799;
/// RFC 5280, Section 4.1.2.2: at most 20 bytes.
const SERIAL_LEN: usize = 20;
/// RFC 5280, Appendix A.1, ub-common-name.
const MAX_COMMON_NAME: usize = 64;

/// A kind of key that can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA on P-256: small, fast, known to every client.
    #[default]
    P256,
    /// ECDSA on P-384
    P384,
    /// ECDSA on P-521
    P521,
    /// Ed25519; browsers do not take it.
    Ed25519,
    /// RSA of 2048 bits, for old clients.
    Rsa2048,
    /// RSA of 3072 bits
    Rsa3072,
    /// ML-DSA-44, safe against quantum computers; few clients know it yet.
    MlDsa44,
    /// ML-DSA-65
    MlDsa65,
    /// ML-DSA-87
    MlDsa87,
}

impl KeyType {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Ed25519,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The name by which [`FromStr`] knows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::MlDsa44 => "ml-dsa-44",
            Self::MlDsa65 => "ml-dsa-65",
            Self::MlDsa87 => "ml-dsa-87",
        }
    }

    /// Makes a new private key: PKCS#8 in DER, unencrypted.
    ///
    /// # Errors
    /// [`IssueError::Library`] if the cryptography library fails.
    pub fn generate(self) -> Result<Zeroizing<Vec<u8>>, IssueError> {
        self.key_pair().map(to_pkcs8).map_err(IssueError::library)
    }

    fn key_pair(self) -> Result<KeyPair, rcgen::Error> {
        let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        match self {
            Self::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            Self::P521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
            Self::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            Self::Rsa2048 => rsa(RsaKeySize::_2048),
            Self::Rsa3072 => rsa(RsaKeySize::_3072),
            Self::MlDsa44 => KeyPair::generate_for(&rcgen::PKCS_ML_DSA_44),
            Self::MlDsa65 => KeyPair::generate_for(&rcgen::PKCS_ML_DSA_65),
            Self::MlDsa87 => KeyPair::generate_for(&rcgen::PKCS_ML_DSA_87),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(text: &str) -> Result<Self, UnknownKeyType> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownKeyType(text.into()))
    }
}

/// A text that names no [`KeyType`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKeyType(String);

impl fmt::Display for UnknownKeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = KeyType::ALL.iter().map(|kind| kind.as_str()).collect();
        write!(
            f,
            "{:?} is no type of key; there are {}",
            self.0,
            known.join(", ")
        )
    }
}

impl core::error::Error for UnknownKeyType {}

/// A new self-signed certificate and its key.
#[derive(Clone)]
pub struct SelfSigned {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl SelfSigned {
    /// Begins one with these names; for a server, unless told otherwise.
    pub fn builder(names: impl IntoIterator<Item = AltName>) -> SelfSignedBuilder {
        SelfSignedBuilder {
            names: names.into_iter().collect(),
            key_type: KeyType::default(),
            not_before: None,
            validity: DEFAULT_VALIDITY,
            purpose: ExtendedKeyUsagePurpose::ServerAuth,
        }
    }

    /// The certificate in DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        to_pem("CERTIFICATE", &self.certificate).to_string()
    }

    /// The private key in PKCS#8 DER, unencrypted.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The private key in PKCS#8 PEM, unencrypted.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        to_pem("PRIVATE KEY", &self.key)
    }
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned")
            .field("certificate", &hex::encode(&self.certificate))
            .finish_non_exhaustive()
    }
}

/// What a [`SelfSigned`] shall be like.
#[derive(Clone, Debug)]
pub struct SelfSignedBuilder {
    names: Vec<AltName>,
    key_type: KeyType,
    not_before: Option<UnixTime>,
    validity: Duration,
    purpose: ExtendedKeyUsagePurpose,
}

impl SelfSignedBuilder {
    /// For a client instead of a server. A server that has it as a trust anchor of its
    /// [`ClientVerifier`](crate::ClientVerifier) lets in whoever holds its key.
    #[must_use]
    pub fn for_clients(mut self) -> Self {
        self.purpose = ExtendedKeyUsagePurpose::ClientAuth;
        self
    }

    /// The kind of key; ECDSA on P-256 unless told otherwise.
    #[must_use]
    pub const fn key_type(mut self, key_type: KeyType) -> Self {
        self.key_type = key_type;
        self
    }

    /// When its validity begins; one hour ago unless told otherwise.
    #[must_use]
    pub const fn valid_from(mut self, not_before: UnixTime) -> Self {
        self.not_before = Some(not_before);
        self
    }

    /// How long it is valid; 365 days unless told otherwise.
    #[must_use]
    pub const fn valid_for(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    /// Makes the key and the certificate. The serial number comes from `random`.
    ///
    /// # Errors
    /// If there is no name, a name is not ASCII, the dates cannot be expressed, or the
    /// cryptography library fails.
    pub fn issue(&self, random: &dyn SecureRandom) -> Result<SelfSigned, IssueError> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = self.subject_alt_names()?;
        params.distinguished_name = self.subject();
        params.serial_number = Some(SerialNumber::from(serial(random)?));
        let not_before = match self.not_before {
            Some(time) => time,
            None => UnixTime::now().ok_or(IssueError::Dates)?.minus(BACKDATE),
        };
        let not_after = not_before.plus(self.validity);
        if not_after.seconds() > LAST_SECOND {
            return Err(IssueError::Dates);
        }
        let epoch = date_time_ymd(1970, 1, 1);
        params.not_before = epoch + Duration::from_secs(not_before.seconds());
        params.not_after = epoch + Duration::from_secs(not_after.seconds());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.purpose.clone()];
        let key = self.key_type.key_pair().map_err(IssueError::library)?;
        let certificate = params.self_signed(&key).map_err(IssueError::library)?;
        Ok(SelfSigned {
            certificate: certificate.der().to_vec(),
            key: to_pkcs8(key),
        })
    }

    fn subject_alt_names(&self) -> Result<Vec<SanType>, IssueError> {
        if self.names.is_empty() {
            return Err(IssueError::NoName);
        }
        self.names
            .iter()
            .map(|name| {
                let ascii = |text: &String| {
                    text.as_str()
                        .try_into()
                        .map_err(|_| IssueError::Name(name.clone()))
                };
                Ok(match name {
                    AltName::Dns(text) => SanType::DnsName(ascii(text)?),
                    AltName::Email(text) => SanType::Rfc822Name(ascii(text)?),
                    AltName::Uri(text) => SanType::URI(ascii(text)?),
                    AltName::Ip(address) => SanType::IpAddress(*address),
                    AltName::Other(_) => return Err(IssueError::Name(name.clone())),
                })
            })
            .collect()
    }

    /// For people, and for servers' hints: clients look at subjectAltName alone.
    fn subject(&self) -> DistinguishedName {
        let mut subject = DistinguishedName::new();
        let first = self
            .names
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let common_name = if first.len() <= MAX_COMMON_NAME {
            &*first
        } else {
            "self-signed"
        };
        subject.push(DnType::CommonName, common_name);
        subject
    }
}

/// Why no certificate was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueError {
    /// No name was given.
    NoName,
    /// This name cannot be put into a certificate.
    Name(AltName),
    /// The dates are out of range, or the system's clock is set before 1970.
    Dates,
    /// The cryptography library failed.
    Library(String),
}

impl IssueError {
    fn library(error: rcgen::Error) -> Self {
        Self::Library(error.to_string())
    }
}

impl From<CryptoError> for IssueError {
    fn from(error: CryptoError) -> Self {
        Self::Library(error.to_string())
    }
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("a certificate needs at least one name"),
            Self::Name(name) => write!(f, "{name:?} cannot be put into a certificate"),
            Self::Dates => f.write_str("the dates of the certificate cannot be expressed"),
            Self::Library(reason) => write!(f, "the certificate could not be made: {reason}"),
        }
    }
}

impl core::error::Error for IssueError {}

/// A positive number of exactly 20 bytes (RFC 5280, Section 4.1.2.2), 158 bits of it random.
fn serial(random: &dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
    let mut serial = vec![0; SERIAL_LEN];
    random.fill(&mut serial)?;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    Ok(serial)
}

/// The private key in PKCS#8, in a form that everyone reads.
///
/// OpenSSL 3.0 does not read version 2 of RFC 5958, which has the public key at its end and is
/// what AWS-LC writes for Ed25519. That one is rewritten in the version 1 of RFC 8410, Section 7.
fn to_pkcs8(mut pair: KeyPair) -> Zeroizing<Vec<u8>> {
    const V1: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const V2: &[u8] = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const SEED_LEN: usize = 32;
    let der = Zeroizing::new(pair.serialize_der());
    pair.zeroize();
    match der.strip_prefix(V2).and_then(|rest| rest.get(..SEED_LEN)) {
        Some(seed) => Zeroizing::new([V1, seed].concat()),
        None => der,
    }
}
