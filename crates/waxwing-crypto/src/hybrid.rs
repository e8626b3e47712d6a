//! Hybrids of an (EC)DH group and a KEM: the two values and the two secrets, one after the
//! other (RFC 10024).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::{CryptoError, KeyShare, KxGroup, NamedGroup, SecureRandom, SharedSecret};

/// A key encapsulation mechanism.
pub trait Kem: Send + Sync {
    /// Bytes of an encapsulation key: what the first side sends.
    fn public_len(&self) -> usize;

    /// Bytes of a ciphertext: what the second side sends.
    fn ciphertext_len(&self) -> usize;

    /// Makes a key pair.
    ///
    /// # Errors
    /// [`CryptoError::Failed`] if the library fails.
    fn generate(&self) -> Result<Box<dyn KemDecapsulator>, CryptoError>;

    /// Returns a ciphertext for the holder of `public`, and the secret in it.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicValue`] if `public` is malformed.
    fn encapsulate(&self, public: &[u8]) -> Result<(Vec<u8>, SharedSecret), CryptoError>;
}

/// The private half of a [`Kem`] key pair.
pub trait KemDecapsulator: Send + Sync {
    /// The encapsulation key.
    fn public(&self) -> &[u8];

    /// Opens a ciphertext.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicValue`] if it is malformed.
    fn decapsulate(&self, ciphertext: &[u8]) -> Result<SharedSecret, CryptoError>;
}

/// Which part stands first, in the public values and in the secret alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// SecP256r1MLKEM768 and SecP384r1MLKEM1024.
    ClassicalFirst,
    /// X25519MLKEM768, whose name says the opposite (RFC 10024 explains why).
    KemFirst,
}

impl Order {
    fn join<'a>(self, classical: &'a [u8], kem: &'a [u8]) -> [&'a [u8]; 2] {
        match self {
            Self::ClassicalFirst => [classical, kem],
            Self::KemFirst => [kem, classical],
        }
    }

    /// Splits into (classical, kem), given the length of the KEM's part.
    fn split(self, joined: &[u8], kem_len: usize) -> Result<(&[u8], &[u8]), CryptoError> {
        let classical_len = joined
            .len()
            .checked_sub(kem_len)
            .ok_or(CryptoError::InvalidPublicValue)?;
        Ok(match self {
            Self::ClassicalFirst => joined.split_at(classical_len),
            Self::KemFirst => {
                let (kem, classical) = joined.split_at(kem_len);
                (classical, kem)
            }
        })
    }
}

/// A hybrid group.
pub struct Hybrid {
    /// Its code point.
    pub name: NamedGroup,
    /// The (EC)DH group.
    pub classical: &'static dyn KxGroup,
    /// The KEM.
    pub kem: &'static dyn Kem,
    /// Which part stands first.
    pub order: Order,
}

impl KxGroup for Hybrid {
    fn name(&self) -> NamedGroup {
        self.name
    }

    fn start(&self, random: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError> {
        let classical = self.classical.start(random)?;
        let kem = self.kem.generate()?;
        let public = self.order.join(classical.public(), kem.public()).concat();
        Ok(Box::new(HybridShare {
            name: self.name,
            order: self.order,
            ciphertext_len: self.kem.ciphertext_len(),
            classical,
            kem,
            public,
        }))
    }

    fn respond(
        &self,
        random: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        let (classical, kem) = self.order.split(peer, self.kem.public_len())?;
        let (classical_public, classical_secret) = self.classical.respond(random, classical)?;
        let (ciphertext, kem_secret) = self.kem.encapsulate(kem)?;
        let public = self.order.join(&classical_public, &ciphertext).concat();
        let secrets = self
            .order
            .join(classical_secret.as_ref(), kem_secret.as_ref());
        Ok((public, SharedSecret::concat(&secrets)?))
    }
}

struct HybridShare {
    name: NamedGroup,
    order: Order,
    ciphertext_len: usize,
    classical: Box<dyn KeyShare>,
    kem: Box<dyn KemDecapsulator>,
    public: Vec<u8>,
}

impl KeyShare for HybridShare {
    fn group(&self) -> NamedGroup {
        self.name
    }

    fn public(&self) -> &[u8] {
        &self.public
    }

    fn classical_part(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.classical.group(), self.classical.public()))
    }

    fn complete(
        self: Box<Self>,
        group: NamedGroup,
        peer: &[u8],
    ) -> Result<SharedSecret, CryptoError> {
        if group != self.name {
            return self.classical.complete(group, peer);
        }
        let (classical, kem) = self.order.split(peer, self.ciphertext_len)?;
        let kem_secret = self.kem.decapsulate(kem)?;
        let classical_group = self.classical.group();
        let classical_secret = self.classical.complete(classical_group, classical)?;
        SharedSecret::concat(
            &self
                .order
                .join(classical_secret.as_ref(), kem_secret.as_ref()),
        )
    }
}
