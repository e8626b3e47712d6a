//! Memory: a record of application data takes none, an idle connection little. Counted is what
//! the engine takes from the Rust allocator; the crypto library's own is in `testing/bench`.

mod common;

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

use common::{End, Pair, client_builder, server_builder};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{Event, ProtocolVersions};
use waxwing_crypto::{Authentication12, CipherSuite};

/// Bytes of heap that an established connection may hold, beside its own.
const MOST_IDLE_HEAP: isize = 544;

/// The system's allocator, with an account for each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn count(calls: usize, bytes: isize) {
    CALLS.set(CALLS.get() + calls);
    LIVE.set(LIVE.get() + bytes);
}

// SAFETY: every call goes to the system's allocator as it came; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that `work` makes.
fn allocations(work: impl FnOnce()) -> usize {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

/// Processes all of `input`, in place; returns the bytes of application data in it.
fn receive(end: &mut End, mut input: &mut [u8]) -> usize {
    let mut received = 0;
    loop {
        let progress = end.connection.process(input, &mut end.out).unwrap();
        match progress.event {
            Event::AppData(range) => received += range.len(),
            Event::NeedInput(_) => return received,
            other => panic!("{other:?}"),
        }
        input = &mut input[progress.consumed..];
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(core::hint::black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| ()), 0);
}

/// Sends records of many lengths one way, and checks that neither side takes memory for it.
fn one_way(from: &mut End, to: &mut End) {
    let data = vec![7; 100_000];
    let mut wire = vec![0; 120_000];
    // The output grows once, here.
    from.write(&data);
    let sent = from.out.len();
    wire[..sent].copy_from_slice(from.out.as_slice());
    receive(to, &mut wire[..sent]);
    for len in [0, 1, 100, 16_384, 16_385, 100_000] {
        from.out.clear();
        let (head, tail) = data[..len].split_at(len / 3);
        let sending = allocations(|| {
            from.connection.write(&[head, tail], &mut from.out).unwrap();
        });
        assert_eq!(sending, 0, "{len} bytes sent");
        let input = &mut wire[..from.out.len()];
        input.copy_from_slice(from.out.as_slice());
        let mut received = 0;
        let receiving = allocations(|| received = receive(to, input));
        assert_eq!((receiving, received), (0, len), "{len} bytes received");
    }
}

#[test]
fn application_data_takes_no_memory() {
    let mut pair = Pair::established();
    one_way(&mut pair.client, &mut pair.server);
    one_way(&mut pair.server, &mut pair.client);
}

fn established12(suite: CipherSuite) -> Pair {
    let old = ProtocolVersions::TLS12;
    let client = client_builder().versions(old).cipher_suites([suite]);
    let mut pair = Pair::new(client, server_builder().versions(old));
    pair.settle().unwrap();
    pair
}

/// The suites of TLS 1.2 that the key of these tests can serve.
fn suites12() -> impl Iterator<Item = CipherSuite> {
    let suites = PROVIDER.suites12.iter();
    let suites = suites.filter(|suite| suite.authentication == Authentication12::Ecdsa);
    suites.map(|suite| suite.id)
}

#[test]
fn application_data_of_tls12_takes_no_memory_either() {
    for suite in suites12() {
        let mut pair = established12(suite);
        one_way(&mut pair.client, &mut pair.server);
        one_way(&mut pair.server, &mut pair.client);
    }
}

/// Bytes that dropping `value` gives back.
fn heap_of<T>(value: T) -> isize {
    let before = LIVE.get();
    drop(value);
    before - LIVE.get()
}

/// What is left of a handshake: the handles of two AEAD keys, and what was agreed; in TLS 1.2 the
/// randoms too, which exporters need.
#[test]
fn an_idle_connection_is_small() {
    for pair in suites12().map(established12).chain([Pair::established()]) {
        for (side, end) in [("client", pair.client), ("server", pair.server)] {
            let heap = heap_of(end.connection);
            assert!(heap > 0, "something is counted");
            assert!(heap <= MOST_IDLE_HEAP, "{side}: {heap} bytes");
        }
    }
}
