//! A KEM as a key exchange group of its own (draft-ietf-tls-mlkem): the first side sends an
//! encapsulation key, the second a ciphertext.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::{
    CryptoError, Kem, KemDecapsulator, KeyShare, KxGroup, NamedGroup, SecureRandom, SharedSecret,
};

/// A group that is a KEM and nothing else. What breaks the KEM breaks the connection: a
/// [`Hybrid`](crate::Hybrid) is the safer choice.
pub struct KemGroup {
    /// Its code point.
    pub name: NamedGroup,
    /// The KEM.
    pub kem: &'static dyn Kem,
}

impl KxGroup for KemGroup {
    fn name(&self) -> NamedGroup {
        self.name
    }

    fn start(&self, _: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError> {
        Ok(Box::new(KemShare {
            name: self.name,
            ciphertext_len: self.kem.ciphertext_len(),
            key: self.kem.generate()?,
        }))
    }

    fn respond(
        &self,
        _: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        if peer.len() != self.kem.public_len() {
            return Err(CryptoError::InvalidPublicValue);
        }
        self.kem.encapsulate(peer)
    }
}

struct KemShare {
    name: NamedGroup,
    ciphertext_len: usize,
    key: Box<dyn KemDecapsulator>,
}

impl KeyShare for KemShare {
    fn group(&self) -> NamedGroup {
        self.name
    }

    fn public(&self) -> &[u8] {
        self.key.public()
    }

    fn complete(
        self: Box<Self>,
        group: NamedGroup,
        peer: &[u8],
    ) -> Result<SharedSecret, CryptoError> {
        if group != self.name {
            return Err(CryptoError::Misuse);
        }
        if peer.len() != self.ciphertext_len {
            return Err(CryptoError::InvalidPublicValue);
        }
        self.key.decapsulate(peer)
    }
}
