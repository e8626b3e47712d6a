//! Checking and making the messages that authenticate: CertificateVerify and Finished.

#[cfg(feature = "tls12")]
use waxwing_crypto::{Authentication12, verify_with_spki12};
use waxwing_crypto::{
    CryptoError, CryptoProvider, Digest, Hash, SignatureScheme, verify_with_spki,
};

use super::proof::{FinishedOk, SignatureOk};
use super::schedule13::verify_data;
use crate::config::verifier::Verified;
use crate::messages::certificate_verify::CertificateVerify;
use crate::messages::finished::Finished;
use crate::{Error, PeerError};

/// Checks a CertificateVerify (RFC 9846, Section 4.5.2). `content` is what its sender signs.
pub(crate) fn check_signature(
    provider: &CryptoProvider,
    message: &CertificateVerify<'_>,
    verified: &Verified,
    content: &[u8],
) -> Result<SignatureOk, Error> {
    let scheme = message.scheme;
    if !provider
        .handshake_schemes()
        .any(|offered| offered == scheme)
    {
        return Err(PeerError::SchemeNotOffered.into());
    }
    match verify_with_spki(
        provider,
        scheme,
        verified.spki(),
        content,
        message.signature,
    ) {
        Ok(()) => Ok(SignatureOk::after_verification()),
        Err(CryptoError::InvalidKey) => Err(PeerError::SchemeUnfit.into()),
        Err(_) => Err(PeerError::BadSignature.into()),
    }
}

/// Checks the peer's Finished (RFC 9846, Section 4.5.3). `base` is its traffic secret,
/// `transcript` covers everything before the message.
pub(crate) fn check_finished(
    hash: &'static Hash,
    base: &Digest,
    transcript: &Digest,
    message: &Finished<'_>,
) -> Result<FinishedOk, Error> {
    let expected = verify_data(hash, base, transcript)?;
    if expected.ct_eq(message.verify_data) {
        Ok(FinishedOk::after_verification())
    } else {
        Err(PeerError::BadFinished.into())
    }
}

/// Checks a signature of TLS 1.2, by the key of the peer's certificate (RFC 5246,
/// Section 7.4.1.4.1).
#[cfg(feature = "tls12")]
pub(super) fn check_signature12(
    provider: &CryptoProvider,
    scheme: SignatureScheme,
    verified: &Verified,
    content: &[u8],
    signature: &[u8],
) -> Result<SignatureOk, Error> {
    if !provider
        .handshake_schemes12()
        .any(|offered| offered == scheme)
    {
        return Err(PeerError::SchemeNotOffered.into());
    }
    match verify_with_spki12(provider, scheme, verified.spki(), content, signature) {
        Ok(()) => Ok(SignatureOk::after_verification()),
        Err(CryptoError::InvalidKey) => Err(PeerError::SchemeUnfit.into()),
        Err(_) => Err(PeerError::BadSignature.into()),
    }
}

/// Checks the peer's Finished of TLS 1.2 (RFC 5246, Section 7.4.9).
#[cfg(feature = "tls12")]
pub(super) fn check_finished12(
    expected: &Digest,
    message: &Finished<'_>,
) -> Result<FinishedOk, Error> {
    if expected.ct_eq(message.verify_data) {
        Ok(FinishedOk::after_verification())
    } else {
        Err(PeerError::BadFinished.into())
    }
}

/// The scheme that a key of `ours` signs with in TLS 1.2, if need be one for suites that
/// authenticate like that: the first of ours that the peer knows.
#[cfg(feature = "tls12")]
pub(super) fn pick_scheme12(
    ours: &[SignatureScheme],
    authentication: Option<Authentication12>,
    known: impl Fn(SignatureScheme) -> bool,
) -> Option<SignatureScheme> {
    ours.iter().copied().find(|scheme| {
        scheme
            .tls12_authentication()
            .is_some_and(|own| authentication.is_none_or(|wanted| own == wanted) && known(*scheme))
    })
}

/// The scheme that a key of `ours` signs with: the first of ours that TLS 1.3 allows and the
/// peer knows.
pub(crate) fn pick_scheme(
    ours: &[SignatureScheme],
    known: impl Fn(SignatureScheme) -> bool,
) -> Option<SignatureScheme> {
    ours.iter()
        .copied()
        .find(|scheme| scheme.allowed_in_tls13_handshake() && known(*scheme))
}
