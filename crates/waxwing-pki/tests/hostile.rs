//! Certificates that a hostile peer may send: whatever the bytes, an answer and no panic.

use proptest::prelude::*;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, ServerCertRequest, ServerCertVerifier, Verdict,
};
use waxwing_pki::dangerous::AcceptAny;
use waxwing_pki::{
    Identity, KeyType, Pin, PinnedVerifier, PublicKeyKind, TrustAnchors, Verifier,
    load_certified_key,
};
use waxwing_testkit::pki::{self, Case};

/// Asks everyone who reads certificates of peers. Only the insecure one may accept.
fn ask_all(chain: &[&[u8]]) -> Verdict {
    let name = "localhost".parse().unwrap();
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain,
        ocsp: None,
        scts: None,
        name: &name,
    };
    let _ = AcceptAny::silently().verify(&request);
    let good = pki::credentials(Case::SelfSignedAuthority);
    let pinned = PinnedVerifier::new([Pin::of_certificate(good.leaf())]);
    assert!(matches!(pinned.verify(&request), Verdict::Rejected(_)));
    let leaf = chain.first().copied().unwrap_or_default();
    if let Ok(identity) = Identity::from_der(leaf) {
        let shown = identity.to_string();
        assert!(
            !shown.chars().any(|c| c.is_control() && c != '\n'),
            "{shown:?}"
        );
    }
    let verdict = pki::verifier().verify(&request);
    if let Verdict::Rejected(rejection) = &verdict {
        let shown = rejection.to_string();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
    verdict
}

#[test]
fn no_single_changed_byte_goes_unnoticed() {
    for case in [Case::Good(KeyType::P256), Case::SelfSigned, Case::NoNames] {
        let credentials = pki::credentials(case);
        for place in 0..credentials.leaf().len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut leaf = credentials.leaf().to_vec();
                leaf[place] ^= flip;
                let verdict = ask_all(&[&leaf, pki::intermediate()]);
                assert!(
                    matches!(verdict, Verdict::Rejected(_)),
                    "{case:?} {place} {flip:#x}"
                );
            }
        }
    }
}

#[test]
fn a_changed_intermediate_is_no_bridge() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    for place in 0..pki::intermediate().len() {
        let mut intermediate = pki::intermediate().to_vec();
        intermediate[place] ^= 0x01;
        let verdict = ask_all(&[credentials.leaf(), &intermediate]);
        assert!(matches!(verdict, Verdict::Rejected(_)), "{place}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let credentials = pki::credentials(Case::Good(KeyType::P256));
    let leaf = credentials.leaf();
    for len in 0..leaf.len() {
        let verdict = ask_all(&[&leaf[..len], pki::intermediate()]);
        assert!(matches!(verdict, Verdict::Rejected(_)), "{len}");
    }
    let longer = [leaf, &[0]].concat();
    assert!(matches!(
        ask_all(&[&longer, pki::intermediate()]),
        Verdict::Rejected(_)
    ));
}

#[test]
fn many_intermediates_of_one_name_end_in_too_complex_or_unknown() {
    let stranger = pki::credentials(Case::Untrusted);
    let mut chain = vec![stranger.leaf()];
    chain.extend(std::iter::repeat_n(stranger.chain[1].as_slice(), 500));
    let Verdict::Rejected(rejection) = ask_all(&chain) else {
        panic!("accepted")
    };
    assert!(
        [
            CertificateError::TooComplex,
            CertificateError::UnknownIssuer
        ]
        .contains(&rejection.code),
        "{rejection}"
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = ask_all(&[&bytes]);
        let _ = PublicKeyKind::of_spki(&bytes);
        let _ = TrustAnchors::from_pem_or_der(&bytes);
        let _ = load_certified_key(&PROVIDER, &bytes, &bytes);
    }

    #[test]
    fn several_changed_bytes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kind in prop::sample::select(&KeyType::ALL[..5]),
    ) {
        let credentials = pki::credentials(Case::Good(kind));
        let mut leaf = credentials.leaf().to_vec();
        for (place, byte) in changes {
            let place = place.index(leaf.len());
            leaf[place] = byte;
        }
        let unchanged = leaf == credentials.leaf();
        let accepted = matches!(ask_all(&[&leaf, pki::intermediate()]), Verdict::Accepted(_));
        prop_assert_eq!(accepted, unchanged);
        let anchors = TrustAnchors::from_pem_or_der(&leaf);
        if let Ok(anchors) = anchors {
            let name = "localhost".parse().unwrap();
            let request = ServerCertRequest { certificate_type: CertificateType::X509,
        chain: &[&leaf], ocsp: None, scts: None, name: &name };
            let _ = Verifier::new(&PROVIDER, anchors).verify(&request);
        }
    }
}
