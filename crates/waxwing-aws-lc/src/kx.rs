//! (EC)DH groups.

use alloc::boxed::Box;
use alloc::vec::Vec;

use aws_lc_rs::agreement::{self, Algorithm, PrivateKey, PublicKey, UnparsedPublicKey};
use waxwing_crypto::{CryptoError, KeyShare, KxGroup, NamedGroup, SecureRandom, SharedSecret};
use zeroize::Zeroizing;

/// X25519 (RFC 7748).
pub static X25519: &dyn KxGroup = &AwsLcGroup {
    name: NamedGroup::X25519,
    algorithm: &agreement::X25519,
    public_len: X25519_LEN,
};
/// NIST P-256.
pub static SECP256R1: &dyn KxGroup = &AwsLcGroup {
    name: NamedGroup::SECP256R1,
    algorithm: &agreement::ECDH_P256,
    public_len: 1 + 2 * 32,
};
/// NIST P-384.
pub static SECP384R1: &dyn KxGroup = &AwsLcGroup {
    name: NamedGroup::SECP384R1,
    algorithm: &agreement::ECDH_P384,
    public_len: 1 + 2 * 48,
};
/// NIST P-521.
pub static SECP521R1: &dyn KxGroup = &AwsLcGroup {
    name: NamedGroup::SECP521R1,
    algorithm: &agreement::ECDH_P521,
    public_len: 1 + 2 * 66,
};

/// Bytes of an X25519 private key, public key and shared secret.
const X25519_LEN: usize = 32;
/// First byte of an uncompressed point (SEC 1, Section 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// An (EC)DH group of AWS-LC.
#[derive(Clone, Copy)]
struct AwsLcGroup {
    name: NamedGroup,
    algorithm: &'static Algorithm,
    public_len: usize,
}

impl AwsLcGroup {
    fn generate(&self, random: &dyn SecureRandom) -> Result<(PrivateKey, PublicKey), CryptoError> {
        let private = if self.name == NamedGroup::X25519 {
            // Any 32 bytes are a private key (RFC 7748, Section 5).
            let mut bytes = Zeroizing::new([0; X25519_LEN]);
            random.fill(&mut *bytes)?;
            PrivateKey::from_private_key(self.algorithm, &*bytes).map_err(|_| CryptoError::Failed)
        } else {
            // A scalar of a NIST curve has to be drawn below the group's order without bias.
            // AWS-LC does that, from its own generator.
            PrivateKey::generate(self.algorithm).map_err(|_| CryptoError::Failed)
        }?;
        let public = private
            .compute_public_key()
            .map_err(|_| CryptoError::Failed)?;
        Ok((private, public))
    }

    fn agree(&self, private: &PrivateKey, peer: &[u8]) -> Result<SharedSecret, CryptoError> {
        // The library would take compressed points and SubjectPublicKeyInfo too; TLS has
        // uncompressed points only (RFC 9846, Section 4.3.8.2). The library checks that the
        // point is on the curve, and refuses an all-zero X25519 secret (Section 7.4.2).
        let uncompressed =
            self.name == NamedGroup::X25519 || peer.first().copied() == Some(UNCOMPRESSED);
        if peer.len() != self.public_len || !uncompressed {
            return Err(CryptoError::InvalidPublicValue);
        }
        agreement::agree(
            private,
            UnparsedPublicKey::new(self.algorithm, peer),
            CryptoError::InvalidPublicValue,
            |secret| SharedSecret::concat(&[secret]),
        )
    }
}

impl KxGroup for AwsLcGroup {
    fn name(&self) -> NamedGroup {
        self.name
    }

    fn start(&self, random: &dyn SecureRandom) -> Result<Box<dyn KeyShare>, CryptoError> {
        let (private, public) = self.generate(random)?;
        Ok(Box::new(Share {
            group: *self,
            private,
            public,
        }))
    }

    fn respond(
        &self,
        random: &dyn SecureRandom,
        peer: &[u8],
    ) -> Result<(Vec<u8>, SharedSecret), CryptoError> {
        let (private, public) = self.generate(random)?;
        let secret = self.agree(&private, peer)?;
        Ok((public.as_ref().to_vec(), secret))
    }
}

/// The library erases the private key on drop.
struct Share {
    group: AwsLcGroup,
    private: PrivateKey,
    public: PublicKey,
}

impl KeyShare for Share {
    fn group(&self) -> NamedGroup {
        self.group.name
    }

    fn public(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn complete(
        self: Box<Self>,
        group: NamedGroup,
        peer: &[u8],
    ) -> Result<SharedSecret, CryptoError> {
        if group != self.group.name {
            return Err(CryptoError::Misuse);
        }
        self.group.agree(&self.private, peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out Alice's private key of RFC 7748, Section 6.1.
    struct Alice;

    impl SecureRandom for Alice {
        fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
            let key = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
            hex::decode_to_slice(key, buf).map_err(|_| CryptoError::Failed)
        }
    }

    #[test]
    fn x25519_draws_its_key_from_the_given_randomness() {
        let bob = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
        let bob = hex::decode(bob).unwrap();
        let (public, secret) = X25519.respond(&Alice, &bob).unwrap();
        assert_eq!(
            hex::encode(public),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        );
        assert_eq!(
            hex::encode(secret),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
        );
    }
}
