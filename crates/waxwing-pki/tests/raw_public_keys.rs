//! Raw public keys (RFC 7250): nobody vouches for one, so it has to be known.

use std::sync::{Arc, Mutex};

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, ClientCertRequest, ClientCertVerifier, Rejection,
    ServerCertRequest, ServerCertVerifier, Verdict,
};
use waxwing_pki::dangerous::{AcceptAny, AcceptAnyClient};
use waxwing_pki::{ClientVerifier, Clock, KeyType, Pin, PinnedVerifier, UnixTime, Verifier};
use waxwing_testkit::pki;

/// The key accepted, or why it was not.
type Outcome = Result<Vec<u8>, CertificateError>;

fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Accepted(verified) => Ok(verified.spki().to_vec()),
        Verdict::Rejected(Rejection { code, .. }) => Err(code),
        Verdict::Pending => panic!("nothing is left for later"),
    }
}

fn judge_server(
    verifier: &dyn ServerCertVerifier,
    typ: CertificateType,
    chain: &[&[u8]],
) -> Outcome {
    outcome(verifier.verify(&ServerCertRequest {
        certificate_type: typ,
        chain,
        ocsp: None,
        scts: None,
        name: &"localhost".parse().unwrap(),
    }))
}

fn judge_client(
    verifier: &dyn ClientCertVerifier,
    typ: CertificateType,
    chain: &[&[u8]],
) -> Outcome {
    outcome(verifier.verify(&ClientCertRequest {
        certificate_type: typ,
        chain,
    }))
}

const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;
const X509: CertificateType = CertificateType::X509;

fn spki(key_type: KeyType) -> Vec<u8> {
    pki::certified_key(key_type).key().public_key().unwrap()
}

#[test]
fn a_pinned_key_is_accepted_and_no_other() {
    let (known, other) = (spki(KeyType::P256), spki(KeyType::Ed25519));
    // Names and dates are not even asked for.
    let verifier =
        PinnedVerifier::new([Pin::of_spki(&known)]).clock(Clock::Fixed(UnixTime::from_seconds(0)));
    assert_eq!(judge_server(&verifier, RAW, &[&known]), Ok(known.clone()));
    assert_eq!(judge_client(&verifier, RAW, &[&known]), Ok(known.clone()));
    let mismatch = Err(CertificateError::PinMismatch);
    assert_eq!(judge_server(&verifier, RAW, &[&other]), mismatch);
    assert_eq!(judge_client(&verifier, RAW, &[&other]), mismatch);
    let nobody = PinnedVerifier::new([]);
    assert_eq!(judge_server(&nobody, RAW, &[&known]), mismatch);
}

#[test]
fn the_pin_of_a_certificate_is_none_of_its_key() {
    let key = pki::certified_key(KeyType::P256);
    let certificate = &key.chain()[0];
    let spki = spki(KeyType::P256);
    let verifier = PinnedVerifier::new([Pin::of_certificate(certificate)]);
    let mismatch = Err(CertificateError::PinMismatch);
    assert_eq!(judge_server(&verifier, RAW, &[&spki]), mismatch);
    assert_eq!(
        judge_server(&verifier, X509, &[certificate]),
        Ok(spki.clone())
    );
    // Even the same bytes are not the same thing.
    let verifier = PinnedVerifier::new([Pin::of_certificate(&spki)]);
    assert_eq!(judge_server(&verifier, RAW, &[&spki]), mismatch);
}

#[test]
fn a_pin_does_not_make_a_weak_key_strong() {
    let weak = weak_key();
    let verifier = PinnedVerifier::new([Pin::of_spki(&weak)]);
    let too_weak = Err(CertificateError::TooWeak);
    assert_eq!(judge_server(&verifier, RAW, &[&weak]), too_weak);
}

/// The SubjectPublicKeyInfo of an RSA key of 1024 bits.
fn weak_key() -> Vec<u8> {
    let modulus = [&[0x02, 0x81, 0x81, 0x00][..], &[0xab; 128]].concat();
    let numbers = [&modulus[..], &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    let key = [&[0x30, 0x81, numbers.len() as u8][..], &numbers].concat();
    let bits = [&[0x03, 0x81, key.len() as u8 + 1, 0x00][..], &key].concat();
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let content = [&algorithm[..], &bits].concat();
    [&[0x30, 0x81, content.len() as u8][..], &content].concat()
}

#[test]
fn authorities_do_not_vouch_for_bare_keys() {
    let spki = spki(KeyType::P256);
    let refused = Err(CertificateError::RawPublicKey);
    let verifier = Verifier::new(&PROVIDER, pki::anchors());
    assert_eq!(judge_server(&verifier, RAW, &[&spki]), refused);
    let verifier = ClientVerifier::new(&PROVIDER, pki::anchors());
    assert_eq!(judge_client(&verifier, RAW, &[&spki]), refused);
    // Nor does it help to send a good certificate under the wrong flag.
    let key = pki::certified_key(KeyType::P256);
    let chain: Vec<&[u8]> = key.chain().iter().map(Vec::as_slice).collect();
    let verifier = Verifier::new(&PROVIDER, pki::anchors());
    assert_eq!(judge_server(&verifier, RAW, &chain), refused);
    assert_eq!(judge_server(&verifier, X509, &chain), Ok(spki));
}

#[test]
fn who_accepts_anything_accepts_bare_keys_and_still_tells() {
    let spki = spki(KeyType::P256);
    assert_eq!(
        judge_client(&AcceptAnyClient, RAW, &[&spki]),
        Ok(spki.clone())
    );
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let judge = Arc::new(Verifier::new(&PROVIDER, pki::anchors()));
    let verifier = AcceptAny::reporting(judge, move |rejection| {
        heard.lock().unwrap().push(rejection.code);
    });
    assert_eq!(judge_server(&verifier, RAW, &[&spki]), Ok(spki));
    assert_eq!(*told.lock().unwrap(), [CertificateError::RawPublicKey]);
}
