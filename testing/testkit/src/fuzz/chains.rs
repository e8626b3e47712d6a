//! Certificates as a peer may send them, before everyone who reads them.

use std::sync::{Arc, LazyLock};

use waxwing_core::{
    CertificateType, ClientCertRequest, ServerCertRequest, ServerCertVerifier, ServerName, Verdict,
};
use waxwing_pki::dangerous::AcceptAny;
use waxwing_pki::{
    ClientVerifier, Clock, Identity, Pin, PinnedVerifier, Policy, Profile, PublicKeyKind,
    ReportingVerifier, Staple, TrustAnchors, UnixTime, Verifier,
};

use crate::fake;

/// As many certificates as the engine lets through.
const MAX_CHAIN: usize = waxwing_core::limits::MAX_CHAIN;

/// Within the validity of the seeds: 2026-01-01.
const NOW: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// Texts may hold a few names and two labels of what strangers wrote.
const LONGEST_TEXT: usize = 16_384;

/// Reads a chain: each certificate after two bytes of length; the last one is the trust anchor.
/// Any signature is good, as long as it is there, so that no check behind it is out of reach.
pub fn run(data: &[u8]) {
    let mut certificates = split(data);
    let Some(anchor) = certificates.pop() else {
        return;
    };
    let anchors = Arc::new(TrustAnchors::from_pem_or_der(anchor).unwrap_or_default());
    for der in certificates.iter().chain([&anchor]) {
        read_alone(der);
    }
    let mut stricter = None;
    for profile in [Profile::WebPki, Profile::Strict, Profile::Path] {
        let policy = Policy::new().profile(profile).clock(Clock::Fixed(NOW));
        let accepted = judge(&certificates, &anchors, policy.clone());
        // Handshakes ask for more.
        let apart = judge(&certificates, &anchors, policy.apart_from_handshakes());
        assert!(apart || !accepted, "{profile:?}");
        // Who is good enough for a strict profile is so for all others.
        if stricter == Some(true) {
            assert!(accepted, "{profile:?}");
        }
        stricter = Some(accepted);
    }
    let lax = Policy::new()
        .profile(Profile::Path)
        .dangerously_accept_any_name()
        .dangerously_accept_any_time()
        .staple(Staple::Ignored);
    let accepted = judge(&certificates, &anchors, lax);
    assert!(accepted || stricter != Some(true), "less is asked for");
}

fn split(mut data: &[u8]) -> Vec<&[u8]> {
    let mut certificates = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (certificate, rest) = rest.split_at(length);
        certificates.push(certificate);
        data = rest;
        if certificates.len() > MAX_CHAIN {
            break;
        }
    }
    certificates
}

fn read_alone(der: &[u8]) {
    if let Ok(identity) = Identity::from_der(der) {
        check_text(&identity.to_string().replace('\n', ""), usize::MAX);
        let _ = identity.label();
    }
    let _ = PublicKeyKind::of_spki(der);
}

fn check_text(text: &str, longest: usize) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.len() <= longest, "{text}");
}

/// Whether a server is accepted. Everyone else who judges is asked as well.
fn judge(chain: &[&[u8]], anchors: &Arc<TrustAnchors>, policy: Policy) -> bool {
    static NAME: LazyLock<ServerName> = LazyLock::new(|| "a.example".parse().expect("a name"));
    let request = ServerCertRequest {
        certificate_type: CertificateType::X509,
        chain,
        ocsp: None,
        scts: None,
        name: &NAME,
    };
    let verifier = Verifier::new(&fake::PROVIDER, Arc::clone(anchors)).policy(policy.clone());
    let outcome = verifier.examine(&request);
    if let Err(failure) = &outcome {
        check_text(&failure.to_string(), LONGEST_TEXT);
    }
    let clients = ClientVerifier::new(&fake::PROVIDER, Arc::clone(anchors)).policy(policy);
    if let Err(failure) = clients.examine(&ClientCertRequest {
        certificate_type: CertificateType::X509,
        chain,
    }) {
        check_text(&failure.to_string(), LONGEST_TEXT);
    }
    let leaf = chain.first().copied().unwrap_or_default();
    let pinned = PinnedVerifier::new([Pin::of_certificate(leaf)])
        .any_name()
        .any_time();
    let _ = ServerCertVerifier::verify(&pinned, &request);
    let any = AcceptAny::silently().verify(&request);
    let reporting = ReportingVerifier::of_servers(verifier);
    let reported = ServerCertVerifier::verify(&reporting, &request);
    // Who can be accepted without a question can be reported on, and no other.
    assert_eq!(
        matches!(any, Verdict::Accepted(_)),
        matches!(reported, Verdict::Accepted(_))
    );
    outcome.is_ok()
}
