//! Proves that the engine needs no standard library, and says how much memory a handshake takes.
//!
//! This program has a panic handler and an allocator of its own. If anything below
//! `waxwing-core` pulled `std` in, there would be two panic handlers and it would not link. It
//! then runs a client against a server, in each version, on a painted stack, over a fixed arena,
//! and prints the peaks. The cryptography is a stand-in (see `stub`): what is counted is the engine.

#![no_std]
#![no_main]

extern crate alloc;

#[cfg(all(feature = "client", feature = "server"))]
mod both;
mod equipment;
#[cfg(not(all(feature = "client", feature = "server")))]
mod one;
mod stub;

use core::fmt::Write as _;

#[cfg(all(feature = "client", feature = "server"))]
use both::run;
use equipment::{ARENA, Stdout, heap_peak, heap_used, run_on_painted_stack};
#[cfg(not(all(feature = "client", feature = "server")))]
use one::run;

/// The entry point that the C runtime calls.
// SAFETY: the only symbol of this name in the program, with the signature that C gives it.
#[unsafe(no_mangle)]
pub extern "C" fn main(_argc: i32, _argv: *const *const u8) -> i32 {
    let stack = run_on_painted_stack(run);
    let mut out = Stdout;
    let _ = writeln!(out, "done without std");
    let _ = writeln!(out, "stack peak: {stack} bytes");
    let _ = writeln!(out, "heap peak:  {} of {ARENA} bytes", heap_peak());
    let _ = writeln!(out, "heap after: {} bytes", heap_used());
    i32::from(heap_used() != 0)
}

/// All that is compiled in.
#[cfg(not(all(feature = "client", feature = "server")))]
fn versions() -> waxwing_core::ProtocolVersions {
    let versions = waxwing_core::ProtocolVersions::TLS13;
    #[cfg(feature = "tls12")]
    let versions = versions | waxwing_core::ProtocolVersions::TLS12;
    versions
}
