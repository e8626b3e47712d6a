//! Randomness.

use aws_lc_rs::rand;
use waxwing_crypto::{CryptoError, SecureRandom};

/// AWS-LC's generator, one for each thread, seeded by the operating system.
pub static RANDOM: &dyn SecureRandom = &AwsLcRandom;

struct AwsLcRandom;

impl SecureRandom for AwsLcRandom {
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
        rand::fill(buf).map_err(|_| CryptoError::Failed)
    }
}
