//! Sealing many small things under one key that many servers share.
//!
//! Every message is sealed under a key of its own: the first 32 bytes of
//! `HMAC(key, salt | label)`, with 24 random bytes of salt. With random nonces of 96 bits under one
//! key, a fleet would have to stop at 2^32 messages (NIST SP 800-38D, Section 8.3), which no member
//! of it can count. Salts of 192 bits have no such bound in practice: with 2^64 messages two of them
//! are the same with a probability of 2^-65. As a derived key seals one message, its nonce is zero.
//!
//! ```text
//!   salt 24 | ciphertext | tag 16
//! ```

use waxwing_crypto::{Aead, CipherSuite, CryptoProvider, HmacKey, IV_LEN, SecureRandom, Suite13};
use zeroize::Zeroizing;

/// Bytes of the keys of ciphers here.
pub(crate) const KEY_LEN: usize = 32;
const SALT_LEN: usize = 24;
/// Preferred wherever it is, so that members with different providers agree.
const AES_256_GCM_SHA384: CipherSuite = CipherSuite(0x1302);
const NONCE: [u8; IV_LEN] = [0; IV_LEN];

/// What a key is used for. Nothing sealed for one purpose opens for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A ticket that a client shows.
    Ticket,
    /// A session in a store.
    Session,
    /// The ring of ticket keys in a store.
    Ring,
}

impl Purpose {
    /// The salt before it has a fixed length, so that these need not be free of prefixes.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Ticket => b"waxwing ticket 1",
            Self::Session => b"waxwing session 1",
            Self::Ring => b"waxwing ring 1",
        }
    }
}

/// A cipher, a hash and randomness out of a provider.
#[derive(Clone, Copy)]
pub(crate) struct Algorithm {
    suite: &'static Suite13,
    pub(crate) random: &'static dyn SecureRandom,
}

impl Algorithm {
    /// `None` if the provider has no cipher with keys of 256 bits.
    pub(crate) fn of(provider: &CryptoProvider) -> Option<Self> {
        let strong = |suite: &&'static Suite13| suite.aead.key_len() == KEY_LEN;
        let suite = provider
            .suite13(AES_256_GCM_SHA384)
            .or_else(|| provider.suites13.iter().copied().find(strong))?;
        Some(Self {
            suite,
            random: provider.random,
        })
    }

    /// What to call it where members have to agree.
    pub(crate) const fn id(self) -> u16 {
        self.suite.id.0
    }

    pub(crate) fn hmac_key(self, key: &[u8]) -> HmacKey {
        self.suite.hash.hmac_key(key)
    }

    pub(crate) fn sealing_key(self, key: &[u8; KEY_LEN]) -> SealingKey {
        SealingKey {
            hmac: self.hmac_key(key),
            aead: self.suite.aead,
            random: self.random,
        }
    }

    /// Random bytes; `None` if there is no entropy to be had.
    pub(crate) fn random_bytes<const N: usize>(self) -> Option<Zeroizing<[u8; N]>> {
        let mut bytes = Zeroizing::new([0; N]);
        self.random.fill(&mut *bytes).ok()?;
        Some(bytes)
    }
}

/// A key that seals any number of messages.
pub(crate) struct SealingKey {
    hmac: HmacKey,
    aead: &'static dyn Aead,
    random: &'static dyn SecureRandom,
}

impl SealingKey {
    /// Appends the sealed form of `plain` to `out`. `None` if there is no randomness.
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        aad: &[u8],
        plain: &[u8],
        mut out: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let mut salt = [0; SALT_LEN];
        self.random.fill(&mut salt).ok()?;
        out.reserve(SALT_LEN + plain.len() + self.aead.tag_len());
        out.extend_from_slice(&salt);
        let start = out.len();
        out.extend_from_slice(plain);
        out.resize(out.len() + self.aead.tag_len(), 0);
        let sealed = self.with_key(&salt, purpose, |key| {
            key.seal_in_place(&NONCE, aad, out.get_mut(start..)?).ok()
        });
        // What is left after a failure is still the plaintext.
        if sealed.is_none() {
            drop(Zeroizing::new(out));
            return None;
        }
        Some(out)
    }

    /// Opens what [`Self::seal`] appended; `None` if it did not, under this key and for this.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        aad: &[u8],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (salt, sealed) = sealed.split_first_chunk::<SALT_LEN>()?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let len = self.with_key(salt, purpose, |key| {
            key.open_in_place(&NONCE, aad, &mut plain).ok()
        })?;
        plain.truncate(len);
        Some(plain)
    }

    fn with_key<T>(
        &self,
        salt: &[u8; SALT_LEN],
        purpose: Purpose,
        work: impl FnOnce(&dyn waxwing_crypto::AeadKey) -> Option<T>,
    ) -> Option<T> {
        let derived = self.hmac.sign(&[salt, purpose.label()]);
        let key = self.aead.new_key(derived.as_ref().get(..KEY_LEN)?).ok()?;
        work(&*key)
    }
}

#[cfg(test)]
mod tests {
    use waxwing_aws_lc::PROVIDER;

    use super::*;

    fn key(byte: u8) -> SealingKey {
        Algorithm::of(&PROVIDER).unwrap().sealing_key(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_purpose_alone() {
        let sealed = key(1)
            .seal(Purpose::Ticket, b"name", b"plain", vec![9])
            .unwrap();
        assert_eq!(sealed[0], 9);
        let sealed = &sealed[1..];
        assert_eq!(sealed.len(), 24 + 5 + 16);
        let open = |key: SealingKey, purpose, aad: &[u8]| key.open(purpose, aad, sealed);
        assert_eq!(
            open(key(1), Purpose::Ticket, b"name").unwrap().as_slice(),
            b"plain"
        );
        assert!(open(key(2), Purpose::Ticket, b"name").is_none());
        assert!(open(key(1), Purpose::Session, b"name").is_none());
        assert!(open(key(1), Purpose::Ring, b"name").is_none());
        assert!(open(key(1), Purpose::Ticket, b"other").is_none());
    }

    #[test]
    fn the_same_thing_is_never_sealed_alike() {
        let seal = || {
            key(1)
                .seal(Purpose::Ticket, b"", b"plain", Vec::new())
                .unwrap()
        };
        assert_ne!(seal()[..24], seal()[..24]);
        assert_ne!(seal()[24..], seal()[24..]);
    }

    #[test]
    fn what_is_too_short_does_not_open() {
        let sealed = key(1).seal(Purpose::Ticket, b"", b"", Vec::new()).unwrap();
        assert!(key(1).open(Purpose::Ticket, b"", &sealed).is_some());
        for cut in 0..sealed.len() {
            assert!(key(1).open(Purpose::Ticket, b"", &sealed[..cut]).is_none());
        }
    }
}
