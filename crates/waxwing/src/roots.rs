//! Whom to trust by default.

use std::io;
use std::sync::Arc;

use waxwing_core::ServerCertVerifier;
use waxwing_crypto::CryptoProvider;
use waxwing_pki::{TrustAnchors, Verifier};

/// A verifier that trusts the system's roots (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR`
/// name); where there are none, the roots of Mozilla's programme that come with `waxwing-pki`.
///
/// # Errors
/// If the environment names roots and they cannot be loaded.
pub fn default_verifier(provider: &CryptoProvider) -> io::Result<Arc<dyn ServerCertVerifier>> {
    let anchors = TrustAnchors::system_or_bundled().map_err(io::Error::other)?;
    Ok(Arc::new(Verifier::new(provider, anchors)))
}
