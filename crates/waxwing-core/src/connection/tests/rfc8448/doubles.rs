//! What stands in for a library where none takes the keys of the traces.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::Mutex;

use waxwing_aws_lc::{PROVIDER, X25519};
use waxwing_crypto::{
    CryptoError, CryptoProvider, KeyShare, KxGroup, NamedGroup, SecureRandom, SharedSecret,
    SignatureAlgorithm, SignatureScheme, Signing, SigningKey, VerifySignature,
};

use crate::messages::testing::bytes;
use crate::testing::rfc8448 as trace;
use crate::{ServerCertRequest, ServerCertVerifier, Verdict, Verified};

/// Draws the bytes it was made with, in order.
struct Fixed(Mutex<Vec<u8>>);

impl SecureRandom for Fixed {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
        let mut left = self.0.lock().unwrap();
        buf.copy_from_slice(&left[..buf.len()]);
        left.drain(..buf.len());
        Ok(())
    }
}

/// P-256 with the key pairs of Section 5: the private ones are not of use without a library
/// that takes them, so the shared secret stands in for them.
struct TraceP256;

const SHARED: &str = "c142ce13ca11b5c2233652e63ad3d97844f1621fbfb9de69d547dc8fedeabeb4";

/// The `len` bytes of `whole` that start with, or after, these.
pub(super) fn find<'a>(whole: &'a [u8], front: &[u8], after: bool, len: usize) -> &'a [u8] {
    let at = whole.windows(front.len()).position(|found| found == front);
    let start = at.unwrap() + if after { front.len() } else { 0 };
    &whole[start..start + len]
}

/// The key of P-256 in a hello.
fn p256_key(hello: &str) -> Vec<u8> {
    find(&bytes(hello), &[0, 0x17, 0, 65], true, 65).to_vec()
}

fn client_key() -> Vec<u8> {
    p256_key(trace::RETRY_SECOND_HELLO)
}

fn server_key() -> Vec<u8> {
    p256_key(trace::RETRY_SERVER_HELLO)
}

impl KxGroup for TraceP256 {
    fn name(&self) -> NamedGroup {
        NamedGroup::SECP256R1
    }

    fn start(&self, _: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError> {
        Ok(Box::new(TraceShare(client_key())))
    }

    fn respond(
        &self,
        _: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        assert_eq!(peer, client_key());
        Ok((server_key(), SharedSecret::concat(&[&bytes(SHARED)])?))
    }
}

struct TraceShare(Vec<u8>);

impl KeyShare for TraceShare {
    fn group(&self) -> NamedGroup {
        NamedGroup::SECP256R1
    }

    fn public(&self) -> &[u8] {
        &self.0
    }

    fn complete(self: Box<Self>, _: NamedGroup, peer: &[u8]) -> Result<SharedSecret, CryptoError> {
        assert_eq!(peer, server_key());
        SharedSecret::concat(&[&bytes(SHARED)])
    }
}

/// The key of the certificate has 1024 bits, which no library signs or checks with any more:
/// the signatures of the traces are taken for good, all others for bad.
#[derive(Debug)]
pub(super) struct TraceRsa(pub(super) Vec<u8>);

impl SigningKey for TraceRsa {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::RSA_PSS_RSAE_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Done(self.0.clone()))
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        None
    }
}

impl VerifySignature for TraceRsa {
    fn verify(&self, key: &[u8], _: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        if key == rsa_key() && signature == self.0 {
            Ok(())
        } else {
            Err(CryptoError::Unauthentic)
        }
    }
}

/// The certificate's SubjectPublicKeyInfo.
fn spki() -> Vec<u8> {
    let front = [0x30, 0x81, 0x9f, 0x30, 0x0d];
    find(&bytes(trace::CERTIFICATE), &front, false, 162).to_vec()
}

/// The content of its subjectPublicKey.
fn rsa_key() -> Vec<u8> {
    spki()[22..].to_vec()
}

const RSA_ENCRYPTION: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// The provider with the trace's chances. It lives for the whole test run.
pub(super) fn provider(random: Vec<u8>, signature: Vec<u8>) -> &'static CryptoProvider {
    let signatures = vec![SignatureAlgorithm {
        scheme: Some(SignatureScheme::RSA_PSS_RSAE_SHA256),
        key_algorithm: RSA_ENCRYPTION,
        signature_algorithm: &[],
        verifier: Box::leak(Box::new(TraceRsa(signature))),
    }];
    Box::leak(Box::new(CryptoProvider {
        groups: Box::leak(Box::new([X25519, &TraceP256 as &dyn KxGroup])),
        signatures: Box::leak(signatures.into_boxed_slice()),
        random: Box::leak(Box::new(Fixed(Mutex::new(random)))),
        ..PROVIDER
    }))
}

/// Trusts the certificate of the traces.
#[derive(Debug)]
pub(super) struct TrustTrace;

impl ServerCertVerifier for TrustTrace {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        assert_eq!(request.chain, [bytes(trace::CERTIFICATE)]);
        Verdict::Accepted(Verified::holder_of(spki()))
    }
}
