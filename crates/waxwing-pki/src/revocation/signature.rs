//! Signatures over what is no certificate: lists, responses, timestamps.

use rustls_pki_types::SubjectPublicKeyInfoDer;
use webpki::{Error, RawPublicKeyEntity};

use crate::algorithms::Algorithms;

/// Whether `signature` over `message` was made with the key in `spki`. `algorithm` is the content
/// of the AlgorithmIdentifier.
pub(super) fn is_by(
    algorithms: &Algorithms,
    spki: &[u8],
    algorithm: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let spki = SubjectPublicKeyInfoDer::from(spki);
    let Ok(key) = RawPublicKeyEntity::try_from(&spki) else {
        return false;
    };
    // Several may have this identifier: those of ECDSA, one for each curve.
    algorithms
        .as_webpki()
        .into_iter()
        .filter(|known| known.signature_alg_id().as_ref() == algorithm)
        .map(|known| key.verify_signature(known, message, signature))
        .find(|outcome| {
            !matches!(
                outcome,
                Err(Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_))
            )
        })
        .is_some_and(|outcome| outcome.is_ok())
}
