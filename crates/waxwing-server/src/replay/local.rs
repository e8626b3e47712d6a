//! A guard for one process.
//!
//! What was seen is in two sets. New hellos go into the younger one; when that has been filled for a
//! whole window it becomes the older one, and what was the older one is forgotten. So a hello is
//! remembered for one window at least, and two at most, and forgetting costs nothing.

use core::fmt;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use waxwing_core::{Clock, FirstUse, ReplayGuard, UnixMillis};

/// By how much the clock may step back, in milliseconds, and nothing is lost.
const TOLERANCE: u64 = 1000;

/// Remembers the hellos with early data that this process has seen.
///
/// It is for servers that share their tickets with nobody. In doubt it says no: when it is full, when
/// the clock has been set back, and for one window after its start, as it cannot know what was seen
/// before (RFC 9846, Section 8.2).
pub struct LocalReplayGuard {
    clock: Arc<dyn Clock>,
    capacity: usize,
    seen: Mutex<Seen>,
}

struct Seen {
    /// What the clock said at the start, if something may have been seen before that.
    since: Option<UnixMillis>,
    /// The latest time that the clock has shown.
    latest: UnixMillis,
    younger: HashSet<[u8; 16]>,
    older: HashSet<[u8; 16]>,
    /// When the younger set was begun.
    begun: UnixMillis,
}

impl LocalReplayGuard {
    /// Remembers up to `capacity` hellos for each window, and as many of the window before.
    #[must_use]
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let seen = Seen {
            since: Some(now),
            latest: now,
            younger: HashSet::new(),
            older: HashSet::new(),
            begun: now,
        };
        Self {
            clock,
            capacity,
            seen: Mutex::new(seen),
        }
    }

    /// The same for a process whose ticket keys are as new as the guard, and stay its own: then there
    /// is no ticket that somebody could have used before, and early data is taken from the start.
    #[must_use]
    pub fn beside_new_keys(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        let mut guard = Self::new(capacity, clock);
        let seen = guard.seen.get_mut();
        seen.unwrap_or_else(PoisonError::into_inner).since = None;
        guard
    }
}

impl ReplayGuard for LocalReplayGuard {
    fn first_use(&self, id: &[u8; 16], window: u32) -> FirstUse {
        let now = self.clock.now();
        // Nothing that holds the lock can panic half way through a change.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_first(id, u64::from(window), self.capacity, now) {
            FirstUse::Yes
        } else {
            FirstUse::No
        }
    }
}

impl Seen {
    fn is_first(&mut self, id: &[u8; 16], window: u64, capacity: usize, now: UnixMillis) -> bool {
        if now.saturating_add(TOLERANCE) < self.latest {
            // What was seen at that time may be forgotten already.
            return false;
        }
        self.latest = self.latest.max(now);
        self.forget(window.saturating_add(TOLERANCE));
        if self.older.contains(id) || self.younger.len() >= capacity {
            return false;
        }
        // It is remembered even where the answer is no for another reason.
        let is_new = self.younger.insert(*id);
        let knows_all = |since| self.latest - since >= window;
        is_new && self.since.is_none_or(knows_all)
    }

    /// Forgets what was seen longer ago than `window`.
    fn forget(&mut self, window: u64) {
        let age = self.latest - self.begun;
        if age < window {
            return;
        }
        self.older = if age < window.saturating_mul(2) {
            core::mem::take(&mut self.younger)
        } else {
            self.younger = HashSet::new();
            HashSet::new()
        };
        self.begun = self.latest;
    }
}

impl fmt::Debug for LocalReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalReplayGuard")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use waxwing_testkit::sessions::ManualClock;

    use super::*;

    const WINDOW: u32 = 10_000;
    const START: UnixMillis = 1_000_000;

    /// A guard that has run for a window.
    fn guard(capacity: usize) -> (LocalReplayGuard, Arc<ManualClock>) {
        let clock = ManualClock::at(START);
        let guard = LocalReplayGuard::new(capacity, clock.clone());
        clock.advance(u64::from(WINDOW));
        (guard, clock)
    }

    fn id(number: u32) -> [u8; 16] {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id
    }

    fn is_first(guard: &LocalReplayGuard, number: u32) -> bool {
        match guard.first_use(&id(number), WINDOW) {
            FirstUse::Yes => true,
            FirstUse::No => false,
            FirstUse::Pending => panic!("memory needs nobody else"),
        }
    }

    #[test]
    fn beside_new_keys_there_was_nothing_before() {
        let clock = ManualClock::at(START);
        let guard = LocalReplayGuard::beside_new_keys(100, clock.clone());
        assert!(is_first(&guard, 1));
        assert!(!is_first(&guard, 1));
        let guard = LocalReplayGuard::new(100, clock);
        assert!(!is_first(&guard, 1));
    }

    #[test]
    fn a_hello_is_first_once() {
        let (guard, _) = guard(100);
        assert!(is_first(&guard, 1) && is_first(&guard, 2));
        assert!(!is_first(&guard, 1) && !is_first(&guard, 2));
    }

    #[test]
    fn it_is_remembered_for_the_whole_window_whenever_it_came() {
        for came in (0..30_000).step_by(700) {
            let (guard, clock) = guard(100);
            clock.advance(came);
            assert!(is_first(&guard, 1));
            for later in (0..=u64::from(WINDOW)).step_by(500) {
                clock.set(START + u64::from(WINDOW) + came + later);
                assert!(!is_first(&guard, 1), "{came} {later}");
                is_first(&guard, 1_000 + u32::try_from(later).unwrap());
            }
        }
    }

    #[test]
    fn it_is_forgotten_some_time_after() {
        let (guard, clock) = guard(100);
        for number in 0..100 {
            assert!(is_first(&guard, number));
        }
        clock.advance(60_000);
        assert!(is_first(&guard, 200));
        let seen = guard.seen.lock().unwrap();
        assert_eq!((seen.younger.len(), seen.older.len()), (1, 0));
    }

    #[test]
    fn after_the_start_nothing_is_first_for_a_window() {
        let clock = ManualClock::at(START);
        let guard = LocalReplayGuard::new(100, clock.clone());
        assert!(!is_first(&guard, 1));
        clock.advance(u64::from(WINDOW) - 1);
        assert!(!is_first(&guard, 2));
        clock.advance(1);
        assert!(is_first(&guard, 3));
        assert!(!is_first(&guard, 1) && !is_first(&guard, 2));
    }

    #[test]
    fn when_it_is_full_nothing_is_first() {
        let (guard, clock) = guard(10);
        let yes = (0..1000).filter(|number| is_first(&guard, *number)).count();
        assert_eq!(yes, 10);
        clock.advance(u64::from(WINDOW) + TOLERANCE);
        assert!(is_first(&guard, 2000), "room again in the next window");
        assert!(!is_first(&guard, 0), "and still remembered");
    }

    #[test]
    fn a_clock_set_back_makes_nothing_first() {
        let (guard, clock) = guard(100);
        let now = clock.now();
        assert!(is_first(&guard, 1));
        clock.advance(3_600_000);
        assert!(is_first(&guard, 2));
        clock.set(now);
        assert!(!is_first(&guard, 1) && !is_first(&guard, 3));
        clock.set(now + 3_600_000 - TOLERANCE);
        assert!(is_first(&guard, 4));
    }

    #[test]
    fn of_eight_threads_at_most_one_hears_yes() {
        let (guard, _) = guard(10_000);
        for number in 0..500 {
            let yes = std::thread::scope(|scope| {
                let guard = &guard;
                let thread = |_| scope.spawn(move || is_first(guard, number));
                let threads: Vec<_> = (0..8).map(thread).collect();
                let answers = threads.into_iter().map(|thread| thread.join().unwrap());
                answers.filter(|yes| *yes).count()
            });
            assert_eq!(yes, 1, "{number}");
        }
    }
}
