//! ML-KEM, and its hybrids with the (EC)DH groups.

use alloc::boxed::Box;
use alloc::vec::Vec;

use aws_lc_rs::kem::{self, Algorithm, AlgorithmId, Ciphertext, DecapsulationKey};
use aws_lc_rs::kem::{EncapsulationKey, EncapsulationKeyBytes};
use waxwing_crypto::{
    CryptoError, Hybrid, Kem, KemDecapsulator, KemGroup, KxGroup, NamedGroup, Order, SharedSecret,
};

use crate::kx::{SECP256R1, SECP384R1, X25519};

/// ML-KEM-768 (FIPS 203).
pub static ML_KEM_768: &dyn Kem = &AwsLcKem {
    algorithm: &kem::ML_KEM_768,
    public_len: 1184,
    ciphertext_len: 1088,
};
/// ML-KEM-1024 (FIPS 203).
pub static ML_KEM_1024: &dyn Kem = &AwsLcKem {
    algorithm: &kem::ML_KEM_1024,
    public_len: 1568,
    ciphertext_len: 1568,
};

/// X25519MLKEM768 (RFC 10024).
pub static X25519_MLKEM768: &dyn KxGroup = &Hybrid {
    name: NamedGroup::X25519_MLKEM768,
    classical: X25519,
    kem: ML_KEM_768,
    order: Order::KemFirst,
};
/// SecP256r1MLKEM768 (RFC 10024).
pub static SECP256R1_MLKEM768: &dyn KxGroup = &Hybrid {
    name: NamedGroup::SECP256R1_MLKEM768,
    classical: SECP256R1,
    kem: ML_KEM_768,
    order: Order::ClassicalFirst,
};
/// SecP384r1MLKEM1024 (RFC 10024).
pub static SECP384R1_MLKEM1024: &dyn KxGroup = &Hybrid {
    name: NamedGroup::SECP384R1_MLKEM1024,
    classical: SECP384R1,
    kem: ML_KEM_1024,
    order: Order::ClassicalFirst,
};

/// MLKEM768, without a classical part (draft-ietf-tls-mlkem). Not in
/// [`GROUPS`](crate::GROUPS): for those who have to, in a provider of their own.
pub static MLKEM768: &dyn KxGroup = &KemGroup {
    name: NamedGroup::MLKEM768,
    kem: ML_KEM_768,
};
/// MLKEM1024, as [`MLKEM768`].
pub static MLKEM1024: &dyn KxGroup = &KemGroup {
    name: NamedGroup::MLKEM1024,
    kem: ML_KEM_1024,
};

/// A KEM of AWS-LC.
struct AwsLcKem {
    algorithm: &'static Algorithm<AlgorithmId>,
    public_len: usize,
    ciphertext_len: usize,
}

impl Kem for AwsLcKem {
    fn public_len(&self) -> usize {
        self.public_len
    }

    fn ciphertext_len(&self) -> usize {
        self.ciphertext_len
    }

    fn generate(&self) -> Result<Box<dyn KemDecapsulator>, CryptoError> {
        let failed = |_| CryptoError::Failed;
        let private = DecapsulationKey::generate(self.algorithm).map_err(failed)?;
        let public = private
            .encapsulation_key()
            .and_then(|public| public.key_bytes())
            .map_err(failed)?;
        Ok(Box::new(Decapsulator {
            private,
            public,
            ciphertext_len: self.ciphertext_len,
        }))
    }

    fn encapsulate(&self, public: &[u8]) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        // The first step checks the length, the second that each coefficient is below the
        // modulus (FIPS 203, Section 7.2).
        let (ciphertext, secret) = EncapsulationKey::new(self.algorithm, public)
            .map_err(|_| CryptoError::InvalidPublicValue)?
            .encapsulate()
            .map_err(|_| CryptoError::InvalidPublicValue)?;
        let secret = SharedSecret::concat(&[secret.as_ref()])?;
        Ok((ciphertext.as_ref().to_vec(), secret))
    }
}

/// The library erases the private key on drop.
struct Decapsulator {
    private: DecapsulationKey,
    public: EncapsulationKeyBytes<'static>,
    ciphertext_len: usize,
}

impl KemDecapsulator for Decapsulator {
    fn public(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn decapsulate(&self, ciphertext: &[u8]) -> Result<SharedSecret, CryptoError> {
        // Any ciphertext of the right length opens, if not to the sender's secret: ML-KEM
        // rejects implicitly (FIPS 203, Section 6.3).
        if ciphertext.len() != self.ciphertext_len {
            return Err(CryptoError::InvalidPublicValue);
        }
        let secret = self
            .private
            .decapsulate(Ciphertext::from(ciphertext))
            .map_err(|_| CryptoError::InvalidPublicValue)?;
        SharedSecret::concat(&[secret.as_ref()])
    }
}
