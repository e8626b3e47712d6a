//! A server's certificate whose staple changes.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{PoisonError, RwLock};

use waxwing_core::{CertChoice, CertResolver, CertifiedKey, ClientHelloView};

/// One certificate for every client, with an OCSP response that can be replaced while the server
/// runs.
///
/// Each replacement makes the key anew, without compressed forms: [`Self::replace`] takes one
/// that was made otherwise.
#[derive(Debug)]
pub struct StaplingKey {
    current: RwLock<Arc<CertifiedKey>>,
}

impl StaplingKey {
    /// Shows this certificate, with the response that it has already, if any.
    #[must_use]
    pub const fn new(key: Arc<CertifiedKey>) -> Self {
        Self {
            current: RwLock::new(key),
        }
    }

    /// Staples this response (in DER) from now on, or none.
    pub fn staple(&self, response: Option<Vec<u8>>) {
        let current = self.current();
        let key = CertifiedKey::new(current.chain().to_vec(), Arc::clone(current.key()));
        self.replace(Arc::new(match response {
            Some(response) => key.with_ocsp(response),
            None => key,
        }));
    }

    /// Shows this certificate from now on.
    pub fn replace(&self, key: Arc<CertifiedKey>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// What is shown now.
    #[must_use]
    pub fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CertResolver for StaplingKey {
    fn resolve(&self, _hello: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::Use(self.current())
    }
}
