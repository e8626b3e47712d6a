//! What one kept session costs a server, for `docs/performance.md`.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{ReplayGuard, ServerSessions};
use waxwing_server::{LocalReplayGuard, MemorySessions};
use waxwing_testkit::session_bytes::SessionBytes;
use waxwing_testkit::sessions::ManualClock;

/// The system's allocator, which knows for each thread what it holds.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get() + layout.size() as isize);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Enough for tables that double to be half full, full and in between.
const COUNTS: [usize; 3] = [10_000, 14_000, 20_000];

/// Bytes of heap that `work` leaves behind, for each of so many.
fn each<T>(count: usize, work: impl FnOnce(usize) -> T) -> (isize, T) {
    let before = LIVE.get();
    let result = work(count);
    ((LIVE.get() - before) / count as isize, result)
}

#[test]
fn a_session_in_a_servers_memory_is_small() {
    for count in COUNTS {
        let session = SessionBytes::TLS13.session();
        let (bytes, sessions) = each(count, |count| {
            let clock = ManualClock::at(0);
            let sessions = MemorySessions::new(2 * count, clock, PROVIDER.random);
            for _ in 0..count {
                sessions.issue(&session).unwrap();
            }
            sessions
        });
        assert_eq!(sessions.len(), count);
        println!("{count} sessions in a server's memory: {bytes} bytes each");
        assert!(bytes < 400, "{bytes}");
    }
}

#[test]
fn a_hello_in_a_guards_memory_is_small() {
    for count in COUNTS {
        let clock = ManualClock::at(0);
        let guard = LocalReplayGuard::new(count, clock);
        let (bytes, ()) = each(count, |count| {
            for number in 0..count {
                let _ = guard.first_use(&(number as u128).to_be_bytes(), 20_000);
            }
        });
        println!("{count} hellos in a guard's memory: {bytes} bytes each");
        assert!(bytes < 64, "{bytes}");
    }
}
