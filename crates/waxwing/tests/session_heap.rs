//! What one kept session costs a client, for `docs/performance.md`.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

use waxwing::{ClientSessionCache, ClientSessions, ServerName};
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

const SERVERS: usize = 1000;

/// Bytes of heap for each session, with so many for each of [`SERVERS`] servers. A ticket has 200
/// bytes; certificates are read with each session here, while those of one connection share them.
fn bytes_each(tickets: usize, certificate: usize) -> usize {
    let ticket = SessionBytes {
        ticket: 200,
        certificate,
        ..SessionBytes::TLS13
    };
    let before = LIVE.get();
    let cache = ClientSessionCache::new(SERVERS, ManualClock::at(0));
    for server in 0..SERVERS {
        let name: ServerName = format!("www{server}.example.org").parse().unwrap();
        for _ in 0..tickets {
            cache.put(&name, ticket.session());
        }
    }
    assert_eq!(cache.servers(), SERVERS);
    usize::try_from(LIVE.get() - before).unwrap() / (SERVERS * tickets)
}

#[test]
fn a_session_in_a_clients_memory_is_small() {
    for (tickets, most) in [(1, 1800), (2, 1200), (4, 900)] {
        let (without, with) = (bytes_each(tickets, 0), bytes_each(tickets, 1000));
        println!("{tickets} tickets of a server: {without} bytes each, {with} with a certificate");
        assert!(without < most, "{tickets}: {without}");
        assert!(
            (1000..1100).contains(&(with - without)),
            "{tickets}: {with}"
        );
    }
}
