//! Certificates of every kind, good and bad, made at run time.
//!
//! Each is made when it is first asked for and then kept until the process ends. The names of
//! servers are `localhost`, `127.0.0.1`, `::1`, `example.com` and `*.example.com`, and all are
//! valid from yesterday for 30 days, where the [`Case`] does not say otherwise.

use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::CertifiedKey;
use waxwing_crypto::{KeyEncoding, SubjectPublicKeyInfo};
use waxwing_pki::{ClientVerifier, KeyType, TrustAnchors, UnixTime, Verifier, to_pem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The names of every leaf that has no other.
pub const NAMES: [&str; 5] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "example.com",
    "*.example.com",
];
/// The name of [`Case::OtherName`].
pub const OTHER_NAME: &str = "other.example";
/// The subject of every client's certificate but [`Case::ClientOnly`].
pub const CLIENT_SUBJECT: &str = "CN=Waxwing test client";

/// A chain and key: a server's, unless it is said to be a client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// A leaf with this kind of key, under the P-256 intermediate and root.
    Good(KeyType),
    /// A leaf, an intermediate and a root that all have RSA keys.
    AllRsa,
    /// Expired since yesterday.
    Expired,
    /// Valid from tomorrow.
    NotYetValid,
    /// For [`OTHER_NAME`] only.
    OtherName,
    /// With a common name, but without subjectAltName.
    NoNames,
    /// For clients only.
    ClientOnly,
    /// A client's, with this kind of key: [`CLIENT_SUBJECT`], under the same authorities.
    Client(KeyType),
    /// A client's, which expired yesterday.
    ExpiredClient,
    /// A client's, which is valid from tomorrow.
    FutureClient,
    /// A client's, under a root that nobody trusts.
    UntrustedClient,
    /// Good, but the intermediate certificate is not in the chain.
    NoIntermediate,
    /// Under a root that nobody trusts, which is in the chain.
    Untrusted,
    /// Self-signed, with cA false.
    SelfSigned,
    /// Self-signed, with cA true, as `openssl req -x509` makes them.
    SelfSignedAuthority,
}

/// A chain and its key.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The certificates in DER, the leaf first; without the root unless the [`Case`] says so.
    pub chain: Vec<Vec<u8>>,
    /// The private key in PKCS#8 DER.
    pub key: Vec<u8>,
}

impl Credentials {
    /// The leaf in DER.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.chain[0]
    }

    /// The chain in PEM.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain
            .iter()
            .map(|der| to_pem("CERTIFICATE", der).to_string())
            .collect()
    }

    /// The private key in PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        to_pem("PRIVATE KEY", &self.key).to_string()
    }
}

/// An authority: its certificate in DER, and what signs.
struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

struct Hierarchy {
    root: Authority,
    intermediate: Authority,
}

impl Hierarchy {
    fn new(name: &str, key_type: KeyType) -> Self {
        let root = authority(&format!("{name} root"), key_type, None);
        let intermediate = authority(
            &format!("{name} intermediate"),
            key_type,
            Some(&root.issuer),
        );
        Self { root, intermediate }
    }
}

static MAIN: LazyLock<Hierarchy> = LazyLock::new(|| Hierarchy::new("Waxwing test", KeyType::P256));
static RSA: LazyLock<Hierarchy> =
    LazyLock::new(|| Hierarchy::new("Waxwing RSA test", KeyType::Rsa2048));
static UNTRUSTED: LazyLock<Hierarchy> =
    LazyLock::new(|| Hierarchy::new("Waxwing stranger", KeyType::P256));

static MADE: LazyLock<Mutex<HashMap<Case, Arc<Credentials>>>> = LazyLock::new(Mutex::default);

/// The root of all but [`Case::AllRsa`] and the bad ones, in DER.
#[must_use]
pub fn root() -> &'static [u8] {
    &MAIN.root.certificate
}

/// The root of [`Case::AllRsa`] in DER.
#[must_use]
pub fn rsa_root() -> &'static [u8] {
    &RSA.root.certificate
}

/// The intermediate under [`root`], in DER.
#[must_use]
pub fn intermediate() -> &'static [u8] {
    &MAIN.intermediate.certificate
}

/// Trust in [`root`] alone.
///
/// # Panics
/// Never, unless `waxwing-pki` cannot read its own kind of certificate.
#[must_use]
pub fn anchors() -> TrustAnchors {
    TrustAnchors::from_pem_or_der(root()).expect("a root of this test kit")
}

/// Accepts what leads to [`root`].
#[must_use]
pub fn verifier() -> Arc<Verifier> {
    Arc::new(Verifier::new(&PROVIDER, anchors()))
}

/// Accepts clients whose certificates lead to [`root`].
#[must_use]
pub fn client_verifier() -> Arc<ClientVerifier> {
    Arc::new(ClientVerifier::new(&PROVIDER, anchors()))
}

/// The chain and key for `case`.
#[must_use]
pub fn credentials(case: Case) -> Arc<Credentials> {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(made.entry(case).or_insert_with(|| Arc::new(make(case))))
}

/// A leaf with this kind of key, ready for a server; see [`Case::Good`].
///
/// # Panics
/// If the provider cannot load the key.
#[must_use]
pub fn certified_key(key_type: KeyType) -> Arc<CertifiedKey> {
    certified_key_for(Case::Good(key_type))
}

/// The chain and key of `case`, ready for a server.
///
/// # Panics
/// If the provider cannot load the key.
#[must_use]
pub fn certified_key_for(case: Case) -> Arc<CertifiedKey> {
    let credentials = credentials(case);
    let key = PROVIDER.keys.load(KeyEncoding::Pkcs8, &credentials.key);
    let key = key.expect("a key of this test kit");
    Arc::new(CertifiedKey::new(credentials.chain.clone(), key))
}

/// Files for programs that are no part of this workspace.
#[derive(Clone, Debug)]
pub struct PemFiles {
    /// The chain, the leaf first.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// What to trust for it.
    pub anchor: PathBuf,
}

/// Writes the files of `case` into `dir`: `chain.pem`, `key.pem` and `anchor.pem`.
///
/// # Errors
/// What writing runs into.
pub fn write_pem(case: Case, dir: &Path) -> io::Result<PemFiles> {
    let credentials = credentials(case);
    let anchor = match case {
        Case::AllRsa => rsa_root(),
        Case::SelfSigned | Case::SelfSignedAuthority => credentials.leaf(),
        _ => root(),
    };
    let files = PemFiles {
        chain: dir.join("chain.pem"),
        key: dir.join("key.pem"),
        anchor: dir.join("anchor.pem"),
    };
    std::fs::write(&files.chain, credentials.chain_pem())?;
    std::fs::write(&files.key, credentials.key_pem())?;
    std::fs::write(&files.anchor, &*to_pem("CERTIFICATE", anchor))?;
    Ok(files)
}

fn make(case: Case) -> Credentials {
    match case {
        Case::Good(key_type) => issue(&MAIN, key_type, leaf_params(&NAMES)),
        Case::AllRsa => issue(&RSA, KeyType::Rsa2048, leaf_params(&NAMES)),
        Case::OtherName => issue(&MAIN, KeyType::P256, leaf_params(&[OTHER_NAME])),
        Case::NoNames => {
            let mut params = leaf_params(&[]);
            params
                .distinguished_name
                .push(DnType::CommonName, "localhost");
            issue(&MAIN, KeyType::P256, params)
        }
        Case::Expired => {
            let mut params = leaf_params(&NAMES);
            params.not_before -= 30 * DAY;
            params.not_after -= 30 * DAY;
            issue(&MAIN, KeyType::P256, params)
        }
        Case::NotYetValid => {
            let mut params = leaf_params(&NAMES);
            params.not_before += 2 * DAY;
            issue(&MAIN, KeyType::P256, params)
        }
        Case::ClientOnly => {
            let mut params = leaf_params(&NAMES);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            issue(&MAIN, KeyType::P256, params)
        }
        Case::Client(key_type) => issue(&MAIN, key_type, client_params()),
        Case::ExpiredClient => {
            let mut params = client_params();
            params.not_before -= 30 * DAY;
            params.not_after -= 30 * DAY;
            issue(&MAIN, KeyType::P256, params)
        }
        Case::FutureClient => {
            let mut params = client_params();
            params.not_before += 2 * DAY;
            issue(&MAIN, KeyType::P256, params)
        }
        Case::UntrustedClient => issue(&UNTRUSTED, KeyType::P256, client_params()),
        Case::NoIntermediate => {
            let mut credentials = issue(&MAIN, KeyType::P256, leaf_params(&NAMES));
            credentials.chain.truncate(1);
            credentials
        }
        Case::Untrusted => {
            let mut credentials = issue(&UNTRUSTED, KeyType::P256, leaf_params(&NAMES));
            credentials.chain.push(UNTRUSTED.root.certificate.clone());
            credentials
        }
        Case::SelfSigned => self_signed(IsCa::ExplicitNoCa),
        Case::SelfSignedAuthority => self_signed(IsCa::Ca(BasicConstraints::Unconstrained)),
    }
}

fn issue(hierarchy: &Hierarchy, key_type: KeyType, params: CertificateParams) -> Credentials {
    let key = key_type.generate().expect("key generation").to_vec();
    let public = LeafKey::of(key_type, &key);
    let intermediate = &hierarchy.intermediate;
    let leaf = params
        .signed_by(&public, &intermediate.issuer)
        .expect("parameters of a leaf");
    let chain = vec![leaf.der().to_vec(), intermediate.certificate.clone()];
    Credentials { chain, key }
}

fn self_signed(is_ca: IsCa) -> Credentials {
    let key = key_pair(KeyType::P256);
    let mut params = leaf_params(&NAMES);
    params
        .distinguished_name
        .push(DnType::CommonName, "Waxwing self-signed test");
    params.is_ca = is_ca;
    params.extended_key_usages.clear();
    let leaf = params.self_signed(&key).expect("parameters of a leaf");
    Credentials {
        chain: vec![leaf.der().to_vec()],
        key: key.serialize_der(),
    }
}

fn authority(
    name: &str,
    key_type: KeyType,
    issuer: Option<&Issuer<'static, KeyPair>>,
) -> Authority {
    let key = key_pair(key_type);
    let mut params = params(&[]);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let certificate = certificate
        .expect("parameters of an authority")
        .der()
        .to_vec();
    Authority {
        certificate,
        issuer: Issuer::new(params, key),
    }
}

fn leaf_params(names: &[&str]) -> CertificateParams {
    let mut params = params(names);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn client_params() -> CertificateParams {
    let mut params = leaf_params(&[]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
        .distinguished_name
        .push(DnType::CommonName, "Waxwing test client");
    params
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("ASCII names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    let now = UnixTime::now().expect("a clock after 1970");
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.minus(DAY).seconds());
    params.not_after = params.not_before + 30 * DAY;
    params
}

/// The key of an authority.
fn key_pair(key_type: KeyType) -> KeyPair {
    let key = key_type.generate().expect("key generation");
    KeyPair::try_from(key.as_slice()).expect("a key that rcgen can sign with")
}

/// The public half of a leaf's key.
struct LeafKey {
    algorithm: &'static rcgen::SignatureAlgorithm,
    bits: Vec<u8>,
}

impl LeafKey {
    fn of(key_type: KeyType, private: &[u8]) -> Self {
        let algorithm = match key_type {
            KeyType::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyType::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyType::P521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            KeyType::Ed25519 => &rcgen::PKCS_ED25519,
            KeyType::Rsa2048 | KeyType::Rsa3072 => &rcgen::PKCS_RSA_SHA256,
            KeyType::MlDsa44 => &rcgen::PKCS_ML_DSA_44,
            KeyType::MlDsa65 => &rcgen::PKCS_ML_DSA_65,
            KeyType::MlDsa87 => &rcgen::PKCS_ML_DSA_87,
            other => panic!("{other} has no fixture"),
        };
        let key = PROVIDER
            .keys
            .load(KeyEncoding::Pkcs8, private)
            .expect("a generated key");
        let spki = key.public_key().expect("a key that knows its public half");
        let spki = SubjectPublicKeyInfo::parse(&spki).expect("a SubjectPublicKeyInfo");
        Self {
            algorithm,
            bits: spki.public_key.to_vec(),
        }
    }
}

impl PublicKeyData for LeafKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}
