//! BoringSSL as a peer of the benchmark, behind functions with the C calling convention.

mod abi;
mod engine;
mod heap;
mod stream;

use std::ffi::c_void;
use std::slice;

use abi::{Bytes, Functions, Rested, Setup, Wires};
use engine::Engine;
use stream::Stream;

/// What the harness asks for by name.
// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
static WAXWING_BENCH_BORINGSSL: Functions = Functions {
    engine,
    drop_engine,
    stream,
    drop_stream,
    handshake,
    send,
    receive,
    rested,
    count: heap::count,
};

impl Bytes {
    /// # Safety
    /// The bytes are there for as long as the result is used.
    unsafe fn get<'a>(self) -> &'a [u8] {
        // SAFETY: given by the caller.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }
}

unsafe extern "C" fn engine(setup: &Setup) -> *mut c_void {
    // SAFETY: the harness keeps what it points to for the call.
    let engine = unsafe { Engine::new(setup) };
    engine.map_or(std::ptr::null_mut(), |engine| {
        Box::into_raw(Box::new(engine)).cast()
    })
}

unsafe extern "C" fn drop_engine(engine: *mut c_void) {
    // SAFETY: it came from `engine`, and the harness has no stream of it any more.
    drop(unsafe { Box::from_raw(engine.cast::<Engine>()) });
}

unsafe extern "C" fn stream(engine: *mut c_void, server: bool, wires: &mut Wires) -> *mut c_void {
    // SAFETY: it came from `engine`.
    let engine = unsafe { &*engine.cast::<Engine>() };
    let stream = match server {
        true => engine.server(),
        false => engine.client(wires),
    };
    Box::into_raw(Box::new(stream)).cast()
}

unsafe extern "C" fn drop_stream(stream: *mut c_void) {
    // SAFETY: it came from `stream`.
    drop(unsafe { Box::from_raw(stream.cast::<Stream>()) });
}

unsafe extern "C" fn handshake(stream: *mut c_void, wires: &mut Wires) -> bool {
    // SAFETY: it came from `stream`, and the harness has one thread.
    unsafe { &mut *stream.cast::<Stream>() }.handshake(wires)
}

unsafe extern "C" fn send(stream: *mut c_void, plain: Bytes, wires: &mut Wires) {
    // SAFETY: as above, and the harness keeps the bytes for the call.
    unsafe { (*stream.cast::<Stream>()).send(plain.get(), wires) }
}

unsafe extern "C" fn receive(stream: *mut c_void, wires: &mut Wires) -> usize {
    // SAFETY: as above.
    unsafe { &mut *stream.cast::<Stream>() }.receive(wires)
}

unsafe extern "C" fn rested(stream: *mut c_void) -> Rested {
    // SAFETY: as above.
    unsafe { &*stream.cast::<Stream>() }.rested()
}
