//! Randomness.

use crate::CryptoError;

/// A cryptographically secure random number generator.
pub trait SecureRandom: Send + Sync {
    /// Fills `buf` with unpredictable bytes.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] if there is no entropy to be had.
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError>;
}
