//! Sealing many small things under one key that many servers share.
//!
//! With random nonces of 96 bits under one key, a fleet would have to stop at 2^32 messages (NIST SP
//! 800-38D, Section 8.3), which no member of it can count. So each member seals under a key of its
//! own, the first 32 bytes of `HMAC(key, salt | label)`, whose salt it draws once. It counts what it
//! seals under that; beyond [`MAX_SEALED`] each message has a salt, and so a key, of its own. Two
//! members that draw the same salt by chance do no harm: they are then one member that counts twice.
//!
//! Nonces are drawn at random and not counted, because a process that forks would go on counting twice.
//!
//! ```text
//!   salt 12 | nonce 12 | ciphertext | tag 16
//! ```

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

use waxwing_crypto::{
    Aead, AeadKey, CipherSuite, CryptoProvider, HmacKey, IV_LEN, SecureRandom, Suite13,
};
use zeroize::Zeroizing;

/// Bytes of the keys of ciphers here.
pub(crate) const KEY_LEN: usize = 32;
const SALT_LEN: usize = 12;
/// Bytes before the ciphertext.
const HEAD_LEN: usize = SALT_LEN + IV_LEN;
/// Messages under one key. A quarter of what NIST SP 800-38D, Section 8.3 allows for, as processes
/// that came of a fork have the key in common and do not know of each other.
const MAX_SEALED: u32 = 1 << 30;
/// Preferred wherever it is, so that members with different providers agree.
const AES_256_GCM_SHA384: CipherSuite = CipherSuite(0x1302);

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
    const COUNT: usize = 3;

    /// The salt before it has a fixed length, so that these need not be free of prefixes.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Ticket => b"waxwing ticket 2",
            Self::Session => b"waxwing session 2",
            Self::Ring => b"waxwing ring 2",
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
            ours: Default::default(),
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
    /// What this process seals with, for each [`Purpose`], from when it first does.
    ours: [OnceLock<SaltedKey>; Purpose::COUNT],
}

/// A key that was derived for a salt.
struct SaltedKey {
    salt: [u8; SALT_LEN],
    key: Box<dyn AeadKey>,
    /// Messages so far, [`MAX_SEALED`] or a few more at most.
    sealed: AtomicU32,
}

impl SaltedKey {
    /// Whether it may seal one more message.
    fn has_turn(&self) -> bool {
        self.sealed.load(Ordering::Relaxed) < MAX_SEALED && {
            self.sealed.fetch_add(1, Ordering::Relaxed);
            true
        }
    }
}

impl SealingKey {
    /// `head` and then the sealed form of `plain`. `None` if there is no randomness.
    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        aad: &[u8],
        head: &[u8],
        plain: &[u8],
    ) -> Option<Vec<u8>> {
        let ours = self.ours(purpose)?;
        let other = if ours.has_turn() {
            None
        } else {
            Some(self.draw(purpose)?)
        };
        let SaltedKey { salt, key, .. } = other.as_ref().unwrap_or(ours);
        let mut nonce = [0; IV_LEN];
        self.random.fill(&mut nonce).ok()?;
        let start = head.len() + HEAD_LEN;
        let mut out = Vec::with_capacity(start + plain.len() + self.aead.tag_len());
        for part in [head, salt, &nonce, plain] {
            out.extend_from_slice(part);
        }
        out.resize(out.len() + self.aead.tag_len(), 0);
        let sealed = key.seal_in_place(&nonce, aad, out.get_mut(start..)?);
        // What is left after a failure is still the plaintext.
        if sealed.is_err() {
            drop(Zeroizing::new(out));
            return None;
        }
        Some(out)
    }

    /// Opens what [`Self::seal`] made, without its head; `None` if it did not, under this key and
    /// for this.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        aad: &[u8],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (salt, sealed) = sealed.split_first_chunk()?;
        let (nonce, sealed) = sealed.split_first_chunk()?;
        let ours = self.ours.get(purpose as usize)?.get();
        let other = match ours {
            Some(ours) if ours.salt == *salt => None,
            _ => Some(self.derive(purpose, *salt)?),
        };
        let key = &other.as_ref().or(ours)?.key;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let len = key.open_in_place(nonce, aad, &mut plain).ok()?;
        plain.truncate(len);
        Some(plain)
    }

    /// What this process seals with.
    fn ours(&self, purpose: Purpose) -> Option<&SaltedKey> {
        let place = self.ours.get(purpose as usize)?;
        if let Some(ours) = place.get() {
            return Some(ours);
        }
        let drawn = self.draw(purpose)?;
        // Whoever was first here: one serves as well as the other.
        Some(place.get_or_init(|| drawn))
    }

    /// A key for a salt that nobody has had.
    fn draw(&self, purpose: Purpose) -> Option<SaltedKey> {
        let mut salt = [0; SALT_LEN];
        self.random.fill(&mut salt).ok()?;
        self.derive(purpose, salt)
    }

    fn derive(&self, purpose: Purpose, salt: [u8; SALT_LEN]) -> Option<SaltedKey> {
        let derived = self.hmac.sign(&[&salt, purpose.label()]);
        let key = self.aead.new_key(derived.as_ref().get(..KEY_LEN)?).ok()?;
        Some(SaltedKey {
            salt,
            key,
            sealed: AtomicU32::new(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use waxwing_aws_lc::PROVIDER;

    use super::*;

    fn key(byte: u8) -> SealingKey {
        Algorithm::of(&PROVIDER).unwrap().sealing_key(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_purpose_alone() {
        let sealed = key(1)
            .seal(Purpose::Ticket, b"name", &[9], b"plain")
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

    fn seal(key: &SealingKey) -> Vec<u8> {
        key.seal(Purpose::Ticket, b"", b"", b"plain").unwrap()
    }

    fn opens(key: &SealingKey, sealed: &[u8]) -> bool {
        let plain = key.open(Purpose::Ticket, b"", sealed);
        plain.is_some_and(|plain| *plain == *b"plain")
    }

    #[test]
    fn the_same_thing_is_never_sealed_alike() {
        let ours = key(1);
        let sealed = [seal(&ours), seal(&ours), seal(&key(1))];
        let heads: HashSet<_> = sealed.iter().map(|sealed| &sealed[..HEAD_LEN]).collect();
        let bodies: HashSet<_> = sealed.iter().map(|sealed| &sealed[HEAD_LEN..]).collect();
        assert_eq!((heads.len(), bodies.len()), (3, 3));
    }

    #[test]
    fn each_member_seals_under_a_salt_of_its_own_and_opens_what_others_sealed() {
        let (ours, theirs) = (key(1), key(1));
        let (first, second, other) = (seal(&ours), seal(&ours), seal(&theirs));
        assert_eq!(first[..SALT_LEN], second[..SALT_LEN]);
        assert_ne!(first[..SALT_LEN], other[..SALT_LEN]);
        assert!(opens(&ours, &other) && opens(&theirs, &first) && opens(&key(1), &first));
        assert!(opens(&ours, &first) && opens(&ours, &second));
    }

    #[test]
    fn what_has_sealed_enough_seals_no_more() {
        let ours = key(1);
        let ordinary = seal(&ours);
        let counter = &ours.ours(Purpose::Ticket).unwrap().sealed;
        assert_eq!(counter.load(Ordering::Relaxed), 1);
        counter.store(MAX_SEALED - 1, Ordering::Relaxed);
        let last = seal(&ours);
        let beyond = [seal(&ours), seal(&ours)];
        let salts = [&last, &beyond[0], &beyond[1]].map(|sealed| &sealed[..SALT_LEN]);
        assert_eq!(salts[0], &ordinary[..SALT_LEN]);
        assert!(salts[0] != salts[1] && salts[1] != salts[2] && salts[0] != salts[2]);
        assert_eq!(
            counter.load(Ordering::Relaxed),
            MAX_SEALED,
            "it does not begin anew"
        );
        assert!(opens(&ours, &last) && beyond.iter().all(|sealed| opens(&ours, sealed)));
        assert!(opens(&key(1), &beyond[0]));
    }

    #[test]
    fn what_is_too_short_does_not_open() {
        let ours = key(1);
        let sealed = ours.seal(Purpose::Ticket, b"", b"", b"").unwrap();
        assert!(ours.open(Purpose::Ticket, b"", &sealed).is_some());
        for cut in 0..sealed.len() {
            assert!(ours.open(Purpose::Ticket, b"", &sealed[..cut]).is_none());
            assert!(key(1).open(Purpose::Ticket, b"", &sealed[..cut]).is_none());
        }
    }
}
