//! Certificates that demand a staple (RFC 7633), judged by the policy as it is by default.

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, ServerCertRequest, ServerCertVerifier, Verdict,
};
use waxwing_pki::{KeyType, LocalAuthority, TrustAnchors, Verifier};

const NAME: &str = "www.example.org";
/// The extension's value, a SEQUENCE of one INTEGER: status_request.
const FEATURES: [u8; 5] = [0x30, 3, 2, 1, 5];

fn authority() -> LocalAuthority {
    let builder = LocalAuthority::builder("stapling").key_type(KeyType::P256);
    builder.issue(&PROVIDER).unwrap()
}

/// A certificate, with or without must-staple.
fn leaf(authority: &LocalAuthority, must_staple: bool) -> Vec<u8> {
    let mut leaf = authority.leaf([NAME.parse().unwrap()]);
    if must_staple {
        leaf = leaf.must_staple();
    }
    leaf.issue(&PROVIDER).unwrap().certificate().to_vec()
}

fn judge(anchor: &[u8], leaf: &[u8], ocsp: Option<&[u8]>) -> Verdict {
    let anchors = TrustAnchors::from_pem_or_der(anchor).unwrap();
    Verifier::new(&PROVIDER, anchors).verify(&ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain: &[leaf],
        name: &NAME.parse().unwrap(),
        ocsp,
        scts: None,
    })
}

#[track_caller]
fn assert_missing(verdict: &Verdict) {
    match verdict {
        Verdict::Rejected(rejection) => {
            assert_eq!(rejection.code, CertificateError::BadStatus, "{rejection}");
            assert!(rejection.to_string().contains("stapled no OCSP response"));
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_accepted(verdict: &Verdict) {
    assert!(matches!(verdict, Verdict::Accepted(_)), "{verdict:?}");
}

#[test]
fn who_demands_a_staple_comes_with_one() {
    let authority = authority();
    let anchor = authority.certificate();
    let demanding = leaf(&authority, true);
    assert_missing(&judge(anchor, &demanding, None));
    assert_missing(&judge(anchor, &demanding, Some(&[])));
    // What it says is for the revocation policy.
    assert_accepted(&judge(anchor, &demanding, Some(&[5])));
    assert_accepted(&judge(anchor, &leaf(&authority, false), None));
}

#[test]
fn other_features_demand_none_and_the_unreadable_count() {
    let original = leaf(&authority(), true);
    let at = original
        .windows(FEATURES.len())
        .position(|window| window == FEATURES)
        .unwrap();
    let with = |features: [u8; 5]| {
        let mut changed = original.clone();
        changed[at..at + FEATURES.len()].copy_from_slice(&features);
        // Trusted by itself, for its signature is broken now.
        judge(&changed, &changed, None)
    };
    assert_missing(&with(FEATURES));
    assert_accepted(&with([0x30, 3, 2, 1, 17]));
    assert_missing(&with([0x30, 3, 2, 2, 5]));
    assert_missing(&with([4, 3, 2, 1, 5]));
}
