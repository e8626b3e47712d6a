//! What a program needs that has no standard library: an allocator, a panic handler, output, and
//! a stack whose depth can be measured. Besides the counting allocators of tests and benchmarks,
//! this is the only unsafe code here.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use linked_list_allocator::LockedHeap;

/// Bytes that both ends together may allocate.
pub const ARENA: usize = 64 * 1024;
/// Bytes of the stack that the connection runs on.
const STACK: usize = 256 * 1024;
/// What an untouched byte of the stack holds.
const PAINT: u8 = 0xa5;

#[repr(align(4096))]
struct Memory<const N: usize>(UnsafeCell<[u8; N]>);

// SAFETY: each static of this type is handed out once: the arena to the allocator, which has a
// lock, and the stack to the one thread that runs on it; it is read only after that has ended.
unsafe impl<const N: usize> Sync for Memory<N> {}

static ARENA_MEMORY: Memory<ARENA> = Memory(UnsafeCell::new([0; ARENA]));
static STACK_MEMORY: Memory<STACK> = Memory(UnsafeCell::new([PAINT; STACK]));

/// The heap, and the most that was ever in use.
struct Counting {
    heap: LockedHeap,
    ready: AtomicUsize,
    peak: AtomicUsize,
}

#[global_allocator]
static HEAP: Counting = Counting {
    heap: LockedHeap::empty(),
    ready: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
};

// SAFETY: allocation and release are the inner heap's; counting beside them changes nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.ready.swap(1, Ordering::AcqRel) == 0 {
            // SAFETY: the arena is static, used for nothing else, and given away once.
            unsafe { self.heap.lock().init(ARENA_MEMORY.0.get().cast(), ARENA) };
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is passed on.
        let place = unsafe { self.heap.alloc(layout) };
        self.peak.fetch_max(heap_used(), Ordering::Relaxed);
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`; `place` came from
        // the inner heap.
        unsafe { self.heap.dealloc(place, layout) };
    }
}

/// Bytes allocated now.
pub fn heap_used() -> usize {
    HEAP.heap.lock().used()
}

/// The most bytes that were ever allocated.
pub fn heap_peak() -> usize {
    HEAP.peak.load(Ordering::Relaxed)
}

/// `pthread_attr_t`: 56 bytes on x86-64, 64 on aarch64; aligned like a word.
#[repr(C, align(16))]
struct ThreadAttributes([u8; 128]);

// SAFETY: the C library of the system, with the signatures of POSIX.
#[link(name = "c")]
unsafe extern "C" {
    fn write(file: c_int, bytes: *const c_void, count: usize) -> isize;
    fn abort() -> !;
    fn pthread_attr_init(attributes: *mut ThreadAttributes) -> c_int;
    fn pthread_attr_setstack(
        attributes: *mut ThreadAttributes,
        stack: *mut c_void,
        size: usize,
    ) -> c_int;
    fn pthread_create(
        thread: *mut usize,
        attributes: *const ThreadAttributes,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_join(thread: usize, result: *mut *mut c_void) -> c_int;
}

/// Runs `task` on the painted stack; returns how many bytes of it were touched. The C library
/// puts its own record of the thread there too.
pub fn run_on_painted_stack(task: extern "C" fn()) -> usize {
    extern "C" fn start(task: *mut c_void) -> *mut c_void {
        // SAFETY: the argument is the function pointer that `pthread_create` was given below.
        let task: extern "C" fn() = unsafe { core::mem::transmute(task) };
        task();
        ptr::null_mut()
    }
    let mut attributes = ThreadAttributes([0; 128]);
    let mut thread = 0;
    let stack = STACK_MEMORY.0.get();
    // SAFETY: all pointers are valid for the calls; the stack is static, aligned, and no other
    // thread uses it. The thread has ended when `pthread_join` returns.
    let failed = unsafe {
        pthread_attr_init(&raw mut attributes) != 0
            || pthread_attr_setstack(&raw mut attributes, stack.cast(), STACK) != 0
            || pthread_create(
                &raw mut thread,
                &raw const attributes,
                start,
                task as *mut c_void,
            ) != 0
            || pthread_join(thread, ptr::null_mut()) != 0
    };
    assert!(!failed, "the thread could not run");
    // SAFETY: the thread is gone, so nothing writes there any more.
    let stack = unsafe { &*stack };
    let untouched = stack.iter().take_while(|byte| **byte == PAINT).count();
    STACK - untouched
}

/// The standard output.
pub struct Stdout;

impl fmt::Write for Stdout {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: pointer and length are those of a string.
        let written = unsafe { write(1, text.as_ptr().cast(), text.len()) };
        if usize::try_from(written) == Ok(text.len()) {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    use fmt::Write as _;
    let _ = writeln!(Stdout, "{info}");
    // SAFETY: takes nothing and does not return.
    unsafe { abort() }
}

/// What precompiled `alloc` names for unwinding. Nothing unwinds here: a panic aborts.
// SAFETY: nothing else in the program defines this symbol, and nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
