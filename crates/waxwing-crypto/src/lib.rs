//! What the Waxwing TLS engine asks of a cryptography library, and nothing more.
//!
//! A [`CryptoProvider`] is a value: a struct of references to primitives, passed explicitly.
//! There is no process-wide default and no Cargo feature that changes one. Each primitive is
//! chosen on its own, so the fastest library can serve each:
//!
//! ```text
//!   Hash       SHA-2 as a compression function; hashing, HMAC and HKDF are written here, once
//!   Aead       seals and opens one record; nonce, additional data and padding are the engine's
//!   KxGroup    key exchange in the shape of a KEM: start, respond, complete
//!   SigningKey / SignatureAlgorithm / KeyLoader
//!   SecureRandom
//! ```
//!
//! Nothing TLS-specific is left to a provider: record framing lives in `waxwing-core`, and the
//! key derivation of RFC 5869, RFC 9846, Section 7.1 and RFC 5246, Section 5 lives in [`kdf`].

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod aead;
pub mod der;
mod error;
mod hash;
mod hybrid;
mod ids;
pub mod kdf;
mod kem_group;
mod kx;
mod provider;
mod random;
mod sign;
mod spki;
mod suite;
#[cfg(feature = "test-vectors")]
pub mod vectors;

pub use aead::{Aead, AeadKey, IV_LEN, MAX_KEY_LEN, MAX_TAG_LEN};
pub use error::CryptoError;
pub use hash::{Compress, Digest, Hash, HashContext, HashId, HmacKey, MAX_HASH_LEN};
pub use hybrid::{Hybrid, Kem, KemDecapsulator, Order};
pub use ids::{CipherSuite, NamedGroup, SignatureScheme};
pub use kem_group::KemGroup;
pub use kx::{KeyShare, KxGroup, MAX_SHARED_SECRET_LEN, SharedSecret};
pub use provider::{CryptoProvider, ProviderFault};
pub use random::SecureRandom;
pub use sign::{
    KeyEncoding, KeyLoader, SignatureAlgorithm, Signing, SigningKey, VerifySignature,
    verify_with_spki, verify_with_spki12,
};
pub use spki::SubjectPublicKeyInfo;
pub use suite::{Authentication12, Nonce12, Suite12, Suite13, UseLimits};
