//! One chain for every peer: leaf, intermediate and root of one key type, made once by rcgen and
//! kept on disk, so that every process of a run (and every run) signs and verifies the same bytes.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::scenario::Auth;

/// The name that the leaf is issued for and the client asks for.
pub(crate) const SERVER_NAME: &str = "bench.example";

/// A chain and its key and the root that the peers trust, all DER. Where clients are asked for a
/// certificate they show the same: its leaf is good for both sides.
pub(crate) struct Pki {
    /// Trust anchor.
    pub(crate) root: Vec<u8>,
    /// Issuer of the leaf.
    pub(crate) intermediate: Vec<u8>,
    /// The certificate of the server, and of a client.
    pub(crate) leaf: Vec<u8>,
    /// PKCS #8 (version 1) private key of the leaf.
    pub(crate) key: Vec<u8>,
}

impl Pki {
    /// Reads the chain for `auth` below `dir`, making it first if it is not there.
    pub(crate) fn load_or_create(dir: &Path, auth: Auth) -> Self {
        let dir = dir.join(auth.name());
        let file = |name: &str| fs::read(dir.join(name)).ok();
        let stored = (
            file("root.der"),
            file("intermediate.der"),
            file("leaf.der"),
            file("key.der"),
        );
        if let (Some(root), Some(intermediate), Some(leaf), Some(key)) = stored {
            return Self {
                root,
                intermediate,
                leaf,
                key,
            };
        }
        let new = Self::create(auth);
        fs::create_dir_all(&dir).expect("the target directory is writable");
        for (name, bytes) in [
            ("root.der", &new.root),
            ("intermediate.der", &new.intermediate),
            ("leaf.der", &new.leaf),
            ("key.der", &new.key),
        ] {
            fs::write(dir.join(name), bytes).expect("the target directory is writable");
        }
        new
    }

    fn create(auth: Auth) -> Self {
        let root_key = generate_key(auth);
        let root_params = authority("Waxwing bench root", BasicConstraints::Unconstrained);
        let root = root_params
            .self_signed(&root_key)
            .expect("the root is valid");
        let root_issuer = Issuer::new(root_params, root_key);

        let middle_key = generate_key(auth);
        let middle_params = authority(
            "Waxwing bench intermediate",
            BasicConstraints::Constrained(0),
        );
        let middle = middle_params
            .signed_by(&middle_key, &root_issuer)
            .expect("the intermediate is valid");
        let middle_issuer = Issuer::new(middle_params, middle_key);

        let leaf_key = generate_key(auth);
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()]).expect("a DNS name");
        params
            .distinguished_name
            .push(DnType::CommonName, SERVER_NAME);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let leaf = params
            .signed_by(&leaf_key, &middle_issuer)
            .expect("the leaf is valid");

        Self {
            root: root.der().to_vec(),
            intermediate: middle.der().to_vec(),
            leaf: leaf.der().to_vec(),
            key: pkcs8_v1(auth, leaf_key.serialize_der()),
        }
    }
}

fn authority(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn generate_key(auth: Auth) -> KeyPair {
    match auth {
        Auth::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        Auth::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
        Auth::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    }
    .expect("the key can be generated")
}

/// OpenSSL 3.0 refuses version 2 (RFC 5958), which carries the public key and is what aws-lc-rs
/// writes for Ed25519. The private key is found behind the header common to both versions.
fn pkcs8_v1(auth: Auth, der: Vec<u8>) -> Vec<u8> {
    const ED25519_V1: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    if auth != Auth::Ed25519 {
        return der;
    }
    let seed = der
        .get(16..48)
        .expect("an Ed25519 key has a seed of 32 bytes");
    [&ED25519_V1, seed].concat()
}
