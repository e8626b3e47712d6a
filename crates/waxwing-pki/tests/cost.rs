//! Chains built to be costly: what they cost is bounded. The figures are in docs/performance.md.

use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{CertificateType, ServerCertRequest};
use waxwing_crypto::{CryptoError, CryptoProvider, SignatureAlgorithm, VerifySignature};
use waxwing_pki::{Code, Failure, Policy, TrustAnchors, Verifier};

/// The most signatures that one chain may cost: webpki's limit of 100, and as many for chains that
/// are looked at a second time.
const MOST: usize = 200;

/// Counts signatures before it checks them.
struct Counting {
    verifier: &'static dyn VerifySignature,
    count: &'static AtomicUsize,
}

impl VerifySignature for Counting {
    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.verifier.verify(key, message, signature)
    }
}

/// The usual provider, and how many signatures it has checked.
fn counting() -> (CryptoProvider, &'static AtomicUsize) {
    let count: &AtomicUsize = Box::leak(Box::default());
    let signatures = PROVIDER.signatures.iter().map(|own| SignatureAlgorithm {
        scheme: own.scheme,
        key_algorithm: own.key_algorithm,
        signature_algorithm: own.signature_algorithm,
        verifier: Box::leak(Box::new(Counting {
            verifier: own.verifier,
            count,
        })),
    });
    let provider = CryptoProvider {
        signatures: Vec::leak(signatures.collect()),
        ..PROVIDER
    };
    (provider, count)
}

struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self { params, key: key() }
    }

    fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(key, &issuer).unwrap().der().to_vec()
    }

    fn certify(&self, other: &Self) -> Vec<u8> {
        self.issue(&other.params, &other.key)
    }

    fn root(&self) -> Vec<u8> {
        self.certify(self)
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(name: &str, names: &[String]) -> CertificateParams {
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

fn leaf(issuer: &Authority, names: &[String]) -> Vec<u8> {
    issuer.issue(&params("leaf", names), &key())
}

fn host() -> Vec<String> {
    vec!["a.example".to_owned()]
}

/// What came out, and how many signatures that took.
fn examine(chain: &[Vec<u8>], anchor: &[u8], policy: Policy) -> (Result<(), Failure>, usize) {
    let (provider, count) = counting();
    let anchors = TrustAnchors::from_pem_or_der(anchor).unwrap();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &chain,
        ocsp: None,
        scts: None,
        name: &"a.example".parse().unwrap(),
    };
    let verifier = Verifier::new(&provider, anchors).policy(policy);
    let outcome = verifier.examine(&request).map(drop);
    (outcome, count.load(Ordering::Relaxed))
}

#[test]
fn a_good_chain_costs_one_signature_for_each_certificate() {
    let (root, middle) = (Authority::new("Root"), Authority::new("Middle"));
    let chain = [leaf(&middle, &host()), root.certify(&middle)];
    let (outcome, count) = examine(&chain, &root.root(), Policy::new());
    assert_eq!((outcome, count), (Ok(()), 2));
    // What is sent besides costs nothing.
    let strangers = (0..8).map(|_| Authority::new("Stranger").root());
    let chain: Vec<_> = chain.into_iter().chain(strangers).collect();
    let (outcome, count) = examine(&chain, &root.root(), Policy::new());
    assert_eq!((outcome, count), (Ok(()), 2));
}

/// Every certificate has the root's name, so that each could be the issuer of each.
#[test]
fn many_authorities_of_one_name_cost_a_bounded_number_of_signatures() {
    for (size, policy) in [
        (9, Policy::new()),
        (60, Policy::new()),
        (60, Policy::new().dangerously_accept_any_time()),
    ] {
        let root = Authority::new("X");
        let ring: Vec<_> = (0..size).map(|_| Authority::new("X")).collect();
        let mut chain = vec![leaf(&ring[0], &host())];
        for (place, member) in ring.iter().enumerate() {
            chain.push(ring[(place + 1) % size].certify(member));
        }
        let (outcome, count) = examine(&chain, &root.root(), policy);
        println!("{size} authorities of one name: {count} signatures");
        assert!(outcome.is_err());
        assert!(count <= MOST, "{count}");
    }
}

/// Layers of authorities, each of which is certified by all of the layer above.
#[test]
fn layers_of_cross_certificates_cost_a_bounded_number_of_signatures() {
    let root = Authority::new("Layer 4");
    let layers: Vec<Vec<_>> = (0..4)
        .map(|layer| {
            (0..5)
                .map(|_| Authority::new(&format!("Layer {layer}")))
                .collect()
        })
        .collect();
    let mut chain = vec![leaf(&layers[0][0], &host())];
    for pair in layers.windows(2) {
        for lower in &pair[0] {
            chain.extend(pair[1].iter().map(|upper| upper.certify(lower)));
        }
    }
    // The last layer has the root's name in vain: another key signed.
    let impostor = Authority::new("Layer 4");
    chain.extend(layers[3].iter().map(|last| impostor.certify(last)));
    let (outcome, count) = examine(&chain, &root.root(), Policy::new());
    println!("4 layers of 5, all cross-certified: {count} signatures");
    assert!(outcome.is_err());
    assert!(count <= MOST, "{count}");
}

/// 1,000 names, each to be compared with 1,000 constraints.
#[test]
fn constraints_and_names_cost_a_bounded_number_of_comparisons() {
    let subtrees = (0..1_000).map(|i| GeneralSubtree::DnsName(format!("c{i}.example")));
    let constraints = NameConstraints {
        permitted_subtrees: vec![],
        excluded_subtrees: subtrees.collect(),
    };
    let names: Vec<_> = core::iter::once("a.example".to_owned())
        .chain((0..1_000).map(|i| format!("n{i}.example")))
        .collect();
    let (mut root, mut middle) = (Authority::new("Root"), Authority::new("Middle"));
    root.params.name_constraints = Some(constraints.clone());
    let chain = [leaf(&middle, &names), root.certify(&middle)];
    let (outcome, count) = examine(&chain, &root.root(), Policy::new());
    assert_eq!(outcome.unwrap_err().code, Code::ChainTooComplex);
    assert!(count <= MOST, "{count}");
    root.params.name_constraints = None;
    middle.params.name_constraints = Some(constraints);
    let chain = [leaf(&middle, &names), root.certify(&middle)];
    let (outcome, count) = examine(&chain, &root.root(), Policy::new());
    assert_eq!(outcome.unwrap_err().code, Code::ChainTooComplex);
    assert!(count <= MOST, "{count}");
}
