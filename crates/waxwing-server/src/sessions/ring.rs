//! The ring of ticket keys: which key seals now, which are accepted, and when there is a new one.
//! It is told the time, and does nothing by itself.
//!
//! ```text
//!            start                          start + 24 h
//!   key 1      |==seals==|---accepted------------|
//!   key 2                |==seals==|---accepted------------|
//!   key 3  (next) made when key 2 starts  |==seals==|---...
//! ```

use core::time::Duration;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use waxwing_core::UnixMillis;
use waxwing_crypto::HmacKey;
use zeroize::Zeroizing;

use super::seal::{Algorithm, KEY_LEN, Purpose, SealingKey};

/// Bytes of a key's name, which tickets show.
pub(crate) const NAME_LEN: usize = 16;
/// Keys that a ring has at most. With the usual schedule there are five.
const MAX_KEYS: usize = 32;
const MAGIC: [u8; 4] = *b"WXK\x01";

/// When keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    period: u64,
    jitter: u64,
    accepted: u64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Schedule {
    /// A new key every 6 hours and up to 10 minutes more, accepted for 24 hours: the next key, the
    /// one that seals, and three before it. A ticket serves for 17 hours at least, which is more than
    /// sessions live by default.
    pub const DEFAULT: Self = Self {
        period: 6 * HOUR,
        jitter: HOUR / 6,
        accepted: 24 * HOUR,
    };

    /// A new key after each `period` and a random part of `jitter`. It is accepted until `accepted`
    /// is over, from the time on when it begins to seal.
    ///
    /// `None` if `period` is under a second, or `accepted` is shorter than `period` and `jitter`
    /// together, or more than 16 times as long as `period`.
    #[must_use]
    pub fn new(period: Duration, jitter: Duration, accepted: Duration) -> Option<Self> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).ok();
        let schedule = Self {
            period: millis(period)?,
            jitter: millis(jitter)?,
            accepted: millis(accepted)?,
        };
        let least = schedule.period.checked_add(schedule.jitter)?;
        let most = schedule.period.checked_mul(16)?;
        let is_right = schedule.period >= 1000 && (least..=most).contains(&schedule.accepted);
        is_right.then_some(schedule)
    }
}

const HOUR: u64 = 3_600_000;

/// One key.
pub(crate) struct Key {
    pub(crate) name: [u8; NAME_LEN],
    secret: Zeroizing<[u8; KEY_LEN]>,
    pub(crate) sealing: SealingKey,
    /// From when on it seals.
    pub(crate) starts: UnixMillis,
    /// From when on it is accepted no more.
    pub(crate) ends: UnixMillis,
}

impl Key {
    fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && bool::from(self.secret.as_slice().ct_eq(other.secret.as_slice()))
            && (self.starts, self.ends) == (other.starts, other.ends)
    }

    fn generate(
        algorithm: Algorithm,
        starts: UnixMillis,
        schedule: &Schedule,
    ) -> Option<Arc<Self>> {
        let secret = algorithm.random_bytes()?;
        Some(Arc::new(Self {
            name: *algorithm.random_bytes()?,
            sealing: algorithm.sealing_key(&secret),
            secret,
            starts,
            ends: starts.saturating_add(schedule.accepted),
        }))
    }
}

/// All keys at one time. Rings that follow each other share what stays.
#[derive(Clone)]
pub(crate) struct Ring {
    /// In the order in which they start.
    keys: Vec<Arc<Key>>,
    /// Keys that only open: those that another ring had before this one took its place.
    others: Vec<Arc<Key>>,
    index_secret: Arc<Zeroizing<[u8; KEY_LEN]>>,
    /// Turns handles into names in a store. It stays when keys change.
    pub(crate) index: HmacKey,
}

impl Ring {
    /// A ring without keys: nothing is sealed, nothing opens.
    pub(crate) fn empty(algorithm: Algorithm) -> Option<Self> {
        let index_secret = algorithm.random_bytes()?;
        Some(Self {
            keys: Vec::new(),
            others: Vec::new(),
            index: algorithm.hmac_key(&*index_secret),
            index_secret: Arc::new(index_secret),
        })
    }

    /// The key that seals now.
    ///
    /// A clock that is behind finds no key that has started; the first one then has for others.
    pub(crate) fn current(&self, now: UnixMillis) -> Option<&Key> {
        let started = self.keys.iter().rev().find(|key| key.starts <= now);
        let key = started.or_else(|| self.keys.first())?;
        (now < key.ends).then_some(&**key)
    }

    /// The key with this name, if it is still accepted. One that seals only later is: the clock of
    /// who sealed may be ahead.
    pub(crate) fn find(&self, name: &[u8; NAME_LEN], now: UnixMillis) -> Option<&Key> {
        let mut keys = self.keys.iter().chain(&self.others);
        let key = keys.find(|key| key.name == *name && now < key.ends)?;
        Some(key)
    }

    /// When there must be another key: when the last one begins to seal. At once, if there is none.
    pub(crate) fn due(&self) -> UnixMillis {
        self.keys.last().map_or(0, |key| key.starts)
    }

    /// When the first key ends that has not been dropped.
    pub(crate) fn first_end(&self) -> UnixMillis {
        let keys = self.keys.iter().chain(&self.others);
        keys.map(|key| key.ends).min().unwrap_or(UnixMillis::MAX)
    }

    /// How long the last key is accepted.
    pub(crate) fn last_end(&self) -> UnixMillis {
        self.keys.iter().map(|key| key.ends).max().unwrap_or(0)
    }

    /// Without the keys that have ended.
    pub(crate) fn pruned(&self, now: UnixMillis) -> Self {
        let mut ring = self.clone();
        ring.keys.retain(|key| now < key.ends);
        ring.others.retain(|key| now < key.ends);
        ring
    }

    /// The ring that follows at this time, which has a key that seals and one that comes next.
    /// `None` if there is no randomness.
    pub(crate) fn rotated(
        &self,
        now: UnixMillis,
        algorithm: Algorithm,
        schedule: &Schedule,
    ) -> Option<Self> {
        let mut ring = self.pruned(now);
        // Nobody rotated for long: what the last key sealed now would not live for a period.
        let least = now.saturating_add(schedule.period);
        if ring.last_end() <= least {
            ring.keys.push(Key::generate(algorithm, now, schedule)?);
        }
        if ring.due() <= now {
            let pause = schedule
                .period
                .saturating_add(some(schedule.jitter, algorithm)?);
            // If it is late already, all still have to hear of it before it seals.
            let heard = now.saturating_add(schedule.period / 16);
            let next = ring.due().saturating_add(pause).max(heard);
            ring.keys.push(Key::generate(algorithm, next, schedule)?);
        }
        Some(ring)
    }

    /// This ring, and the keys of another that it does not have, to open what they sealed. What the
    /// other has already derived of a key that both have is kept.
    pub(crate) fn joined(mut self, other: &Self, now: UnixMillis) -> Self {
        for key in &mut self.keys {
            if let Some(same) = other.keys.iter().find(|known| known.is(key)) {
                *key = Arc::clone(same);
            }
        }
        for key in other.keys.iter().chain(&other.others) {
            if self.find(&key.name, now).is_none() && now < key.ends {
                self.others.push(Arc::clone(key));
            }
        }
        // A store that loses everything again and again must not make this grow for ever.
        let surplus = self.others.len().saturating_sub(MAX_KEYS);
        self.others.drain(..surplus);
        self
    }

    /// Names of the keys, in the order in which they start.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<[u8; NAME_LEN]> {
        self.keys.iter().map(|key| key.name).collect()
    }

    /// Its bytes, sealed for this pool.
    ///
    /// ```text
    ///   "WXK" 1 | salt, nonce, and sealed: cipher suite u16 | index 32 | keys: name 16, secret 32,
    ///             starts u64, ends u64
    /// ```
    pub(crate) fn wrap(
        &self,
        algorithm: Algorithm,
        master: &SealingKey,
        pool: &str,
    ) -> Option<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(2 + KEY_LEN + self.keys.len() * 64));
        plain.extend_from_slice(&algorithm.id().to_be_bytes());
        plain.extend_from_slice(&**self.index_secret);
        for key in &self.keys {
            plain.extend_from_slice(&key.name);
            plain.extend_from_slice(&*key.secret);
            plain.extend_from_slice(&key.starts.to_be_bytes());
            plain.extend_from_slice(&key.ends.to_be_bytes());
        }
        master.seal(Purpose::Ring, pool.as_bytes(), &MAGIC, &plain)
    }

    /// Reads what [`Self::wrap`] wrote.
    pub(crate) fn unwrap(
        algorithm: Algorithm,
        master: &SealingKey,
        pool: &str,
        bytes: &[u8],
    ) -> Result<Self, BadRing> {
        let sealed = bytes.strip_prefix(&MAGIC).ok_or(BadRing::Layout)?;
        let plain = master
            .open(Purpose::Ring, pool.as_bytes(), sealed)
            .ok_or(BadRing::MasterKey)?;
        let (suite, rest) = plain.split_first_chunk().ok_or(BadRing::Layout)?;
        if u16::from_be_bytes(*suite) != algorithm.id() {
            return Err(BadRing::Cipher);
        }
        let (index, rest) = rest.split_first_chunk().ok_or(BadRing::Layout)?;
        let (keys, []) = rest.as_chunks::<64>() else {
            return Err(BadRing::Layout);
        };
        if keys.len() > MAX_KEYS {
            return Err(BadRing::Layout);
        }
        let keys: Option<Vec<_>> = keys.iter().map(|key| read_key(algorithm, key)).collect();
        let mut keys = keys.ok_or(BadRing::Layout)?;
        keys.sort_by_key(|key| key.starts);
        Ok(Self {
            keys,
            others: Vec::new(),
            index: algorithm.hmac_key(index),
            index_secret: Arc::new(Zeroizing::new(*index)),
        })
    }
}

fn read_key(algorithm: Algorithm, bytes: &[u8; 64]) -> Option<Arc<Key>> {
    let (name, rest) = bytes.split_first_chunk()?;
    let (secret, rest) = rest.split_first_chunk()?;
    let (starts, ends) = rest.split_first_chunk()?;
    Some(Arc::new(Key {
        name: *name,
        secret: Zeroizing::new(*secret),
        sealing: algorithm.sealing_key(secret),
        starts: u64::from_be_bytes(*starts),
        ends: u64::from_be_bytes(ends.try_into().ok()?),
    }))
}

/// A random number up to `most`. That it is not quite uniform does no harm to a delay.
fn some(most: u64, algorithm: Algorithm) -> Option<u64> {
    let random = u64::from_be_bytes(*algorithm.random_bytes()?);
    Some(most.checked_add(1).map_or(random, |bound| random % bound))
}

/// Why the bytes in a store are no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRing {
    /// Written by something else, or by a later release.
    Layout,
    /// Sealed under another master key, or for another pool.
    MasterKey,
    /// For a cipher that this member's provider does not have.
    Cipher,
}

#[cfg(test)]
mod tests {
    use waxwing_aws_lc::PROVIDER;

    use super::*;

    const NOW: UnixMillis = 1_000 * HOUR;

    fn algorithm() -> Algorithm {
        Algorithm::of(&PROVIDER).unwrap()
    }

    fn schedule() -> Schedule {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Schedule::new(hours(6), Duration::ZERO, hours(24)).unwrap()
    }

    fn at(ring: &Ring, now: UnixMillis) -> Ring {
        ring.rotated(now, algorithm(), &schedule()).unwrap()
    }

    fn first() -> Ring {
        at(&Ring::empty(algorithm()).unwrap(), NOW)
    }

    fn seals(ring: &Ring, now: UnixMillis) -> [u8; NAME_LEN] {
        ring.current(now).unwrap().name
    }

    #[test]
    fn a_new_ring_has_the_key_that_seals_and_the_next() {
        let ring = first();
        assert_eq!(ring.names().len(), 2);
        assert_eq!(seals(&ring, NOW), ring.names()[0]);
        assert_eq!(ring.due(), NOW + 6 * HOUR);
        assert!(Ring::empty(algorithm()).unwrap().current(NOW).is_none());
    }

    #[test]
    fn the_next_key_is_known_a_period_ahead_and_five_are_kept() {
        let mut ring = first();
        for step in 1..=20 {
            let now = NOW + step * 6 * HOUR;
            let next = *ring.names().last().unwrap();
            // Who has not heard of it yet seals with the same key as who has.
            assert_eq!(seals(&ring, now), next);
            let before = ring;
            ring = at(&before, now);
            assert_eq!(seals(&ring, now), next);
            assert!(ring.names().len() <= 5);
            let last = *ring.names().last().unwrap();
            assert!(ring.find(&last, now).is_some() && before.find(&last, now).is_none());
            let due = at(&ring, now + 6 * HOUR - 1);
            assert_eq!(due.names(), ring.names(), "nothing is due yet");
        }
        assert_eq!(ring.names().len(), 5);
    }

    #[test]
    fn a_key_ends_when_it_should_whether_it_is_dropped_or_not() {
        let ring = first();
        let name = ring.names()[0];
        assert!(ring.find(&name, NOW + 24 * HOUR - 1).is_some());
        assert!(ring.find(&name, NOW + 24 * HOUR).is_none());
        assert_eq!(ring.first_end(), NOW + 24 * HOUR);
        let pruned = ring.pruned(NOW + 24 * HOUR);
        assert_eq!(pruned.names(), ring.names()[1..]);
        // Nobody rotates: the last key seals until its own end.
        assert!(ring.current(NOW + 30 * HOUR - 1).is_some());
        assert!(ring.current(NOW + 30 * HOUR).is_none());
    }

    #[test]
    fn after_a_long_sleep_there_are_new_keys() {
        let ring = first();
        let now = NOW + 1000 * HOUR;
        let next = at(&ring, now);
        assert_eq!(next.names().len(), 2);
        assert!(next.current(now).is_some());
        assert!(next.due() > now);
        assert!(
            ring.names()
                .iter()
                .all(|name| next.find(name, now).is_none())
        );
    }

    #[test]
    fn a_key_that_comes_late_is_still_known_before_it_seals() {
        let ring = first();
        let now = NOW + 6 * HOUR + 10 * HOUR;
        let next = at(&ring, now);
        assert_eq!(seals(&next, now), ring.names()[1]);
        assert_eq!(next.due(), now + 6 * HOUR / 16);
        // Unless the last key is so old that its tickets would be of little use.
        let now = NOW + 6 * HOUR + 18 * HOUR;
        let next = at(&ring, now);
        assert!(!ring.names().contains(&seals(&next, now)));
        assert_eq!(next.due(), now + 6 * HOUR);
    }

    #[test]
    fn a_clock_that_is_behind_seals_with_the_first_key() {
        let ring = first();
        assert_eq!(seals(&ring, NOW - HOUR), ring.names()[0]);
    }

    #[test]
    fn jitter_stays_within_its_bound() {
        let minute = 60_000;
        let schedule = Schedule {
            jitter: minute,
            ..schedule()
        };
        let empty = Ring::empty(algorithm()).unwrap();
        let dues: Vec<_> = (0..64)
            .map(|_| empty.rotated(NOW, algorithm(), &schedule).unwrap().due())
            .collect();
        let bounds = NOW + 6 * HOUR..=NOW + 6 * HOUR + minute;
        assert!(dues.iter().all(|due| bounds.contains(due)));
        assert!(dues.iter().any(|due| *due != dues[0]));
    }

    #[test]
    fn rings_are_wrapped_for_one_pool_under_one_master_key() {
        let ring = at(&first(), NOW + 6 * HOUR);
        let master = |byte| algorithm().sealing_key(&[byte; 32]);
        let wrapped = ring.wrap(algorithm(), &master(1), "web").unwrap();
        let unwrap =
            |byte, pool, bytes: &[u8]| Ring::unwrap(algorithm(), &master(byte), pool, bytes);
        let read = unwrap(1, "web", &wrapped).ok().unwrap();
        let mut again = unwrap(1, "web", &wrapped).ok().unwrap().joined(&ring, NOW);
        let same = again.keys.iter().zip(&ring.keys);
        assert!(same.into_iter().all(|(new, old)| Arc::ptr_eq(new, old)));
        assert!(again.others.is_empty());
        // A key that only has the name is not the same.
        let mut other = Key::generate(algorithm(), NOW, &schedule()).unwrap();
        Arc::get_mut(&mut other).unwrap().name = ring.keys[0].name;
        again.keys[0] = Arc::clone(&other);
        assert!(Arc::ptr_eq(&again.joined(&ring, NOW).keys[0], &other));
        assert_eq!(read.names(), ring.names());
        assert_eq!(
            (read.due(), read.first_end()),
            (ring.due(), ring.first_end())
        );
        let failure = |result: Result<Ring, BadRing>| result.err().unwrap();
        assert_eq!(failure(unwrap(2, "web", &wrapped)), BadRing::MasterKey);
        assert_eq!(failure(unwrap(1, "mail", &wrapped)), BadRing::MasterKey);
        assert_eq!(failure(unwrap(1, "web", b"WXK\x02")), BadRing::Layout);
        for cut in 4..wrapped.len() {
            assert_eq!(
                failure(unwrap(1, "web", &wrapped[..cut])),
                BadRing::MasterKey
            );
        }
        for secret in ring.keys.iter().map(|key| &*key.secret) {
            assert!(!wrapped.windows(8).any(|window| window == &secret[..8]));
        }
    }

    #[test]
    fn joined_keys_open_and_never_seal() {
        let (ours, theirs) = (first(), at(&first(), NOW + 6 * HOUR));
        let now = NOW + 6 * HOUR;
        let joined = ours.clone().joined(&theirs, now);
        assert_eq!(seals(&joined, now), seals(&ours, now));
        assert!(
            theirs
                .names()
                .iter()
                .all(|name| joined.find(name, now).is_some())
        );
        assert_eq!(joined.names(), ours.names());
        let wrapped = joined.wrap(algorithm(), &algorithm().sealing_key(&[1; 32]), "web");
        let read = Ring::unwrap(
            algorithm(),
            &algorithm().sealing_key(&[1; 32]),
            "web",
            &wrapped.unwrap(),
        );
        assert_eq!(read.ok().unwrap().names(), ours.names());
        let many = (0..100).fold(ours, |ring, _| ring.joined(&first(), NOW));
        assert_eq!(many.others.len(), MAX_KEYS);
    }

    #[test]
    fn schedules_that_cannot_work_are_refused() {
        let new = |period, jitter, accepted| {
            let [period, jitter, accepted] = [period, jitter, accepted].map(Duration::from_secs);
            Schedule::new(period, jitter, accepted).is_some()
        };
        assert!(new(60, 10, 70) && new(60, 0, 960));
        assert!(!new(60, 10, 69) && !new(60, 0, 961) && !new(0, 0, 10));
    }
}
