//! Counts heap blocks and bytes of one side at a time, those of the C libraries too.
//!
//! Rust code is counted by the global allocator. OpenSSL and AWS-LC are counted by the allocation
//! functions that [`count_c_libraries`] gives them; that is done only in the process that measures
//! memory, so that the timed processes run the libraries' own. Bytes are the sizes asked for, without
//! the allocator's rounding and headers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::pair::Meter;

static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static BLOCKS: AtomicU64 = AtomicU64::new(0);
static C_BLOCKS: AtomicU64 = AtomicU64::new(0);

/// The heap of one side: what it has now, the most it had, and how often it asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Bytes that are allocated now.
    pub(crate) live: i64,
    /// The most bytes that were allocated at once.
    pub(crate) peak: i64,
    /// Calls that allocated or grew a block.
    pub(crate) allocations: u64,
    /// Those of them that a C library made.
    pub(crate) c_allocations: u64,
}

impl Account {
    /// Runs `work` and books its blocks here. One thread only.
    fn charge(&mut self, work: &mut dyn FnMut()) {
        LIVE.store(self.live, Relaxed);
        PEAK.store(self.peak, Relaxed);
        BLOCKS.store(self.allocations, Relaxed);
        C_BLOCKS.store(self.c_allocations, Relaxed);
        COUNTING.store(true, Relaxed);
        work();
        COUNTING.store(false, Relaxed);
        self.live = LIVE.load(Relaxed);
        self.peak = PEAK.load(Relaxed);
        self.allocations = BLOCKS.load(Relaxed);
        self.c_allocations = C_BLOCKS.load(Relaxed);
    }
}

/// An account for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) client: Account,
    pub(crate) server: Account,
}

impl Meter for Accounts {
    fn client(&mut self, work: &mut dyn FnMut()) {
        self.client.charge(work);
    }

    fn server(&mut self, work: &mut dyn FnMut()) {
        self.server.charge(work);
    }
}

fn allocated(size: usize) {
    if COUNTING.load(Relaxed) {
        BLOCKS.fetch_add(1, Relaxed);
        let live = LIVE.fetch_add(size as i64, Relaxed) + size as i64;
        PEAK.fetch_max(live, Relaxed);
    }
}

fn allocated_by_c(size: usize) {
    allocated(size);
    if COUNTING.load(Relaxed) {
        C_BLOCKS.fetch_add(1, Relaxed);
    }
}

fn freed(size: usize) {
    if COUNTING.load(Relaxed) {
        LIVE.fetch_sub(size as i64, Relaxed);
    }
}

/// The system's allocator with its calls counted.
pub(crate) struct Counting;

// SAFETY: every call is passed to `System` unchanged; counting touches only atomics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        freed(layout.size());
        allocated(size);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Bytes before a C library's block, where its size is kept; keeps the alignment of `malloc`.
const PREFIX: usize = 16;

type CMalloc = unsafe extern "C" fn(usize, *const c_char, c_int) -> *mut c_void;
type CRealloc = unsafe extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void;
type CFree = unsafe extern "C" fn(*mut c_void, *const c_char, c_int);

unsafe extern "C" {
    /// OpenSSL's own; the crate `openssl-sys` does not declare it.
    fn CRYPTO_set_mem_functions(malloc: CMalloc, realloc: CRealloc, free: CFree) -> c_int;
}

/// Makes OpenSSL and AWS-LC allocate through the functions below. Call it before either is used.
pub(crate) fn count_c_libraries() {
    // SAFETY: the functions behave as malloc, realloc and free do, and nothing was allocated yet.
    let openssl = unsafe { CRYPTO_set_mem_functions(c_malloc, c_realloc, c_free) };
    // SAFETY: as above.
    let aws_lc = unsafe {
        aws_lc_sys::CRYPTO_set_mem_functions(Some(c_malloc), Some(c_realloc), Some(c_free))
    };
    assert_eq!((openssl, aws_lc), (1, 1), "a library has allocated already");
    crate::engines::count_heap(allocated_elsewhere, freed_elsewhere);
}

extern "C" fn allocated_elsewhere(size: usize) {
    allocated_by_c(size);
}

extern "C" fn freed_elsewhere(size: usize) {
    freed(size);
}

unsafe extern "C" fn c_malloc(size: usize, _file: *const c_char, _line: c_int) -> *mut c_void {
    allocated_by_c(size);
    // SAFETY: malloc takes any size; the prefix is written only into a block that has room for it.
    unsafe { with_prefix(libc::malloc(size + PREFIX), size) }
}

unsafe extern "C" fn c_realloc(
    block: *mut c_void,
    size: usize,
    file: *const c_char,
    line: c_int,
) -> *mut c_void {
    if block.is_null() {
        // SAFETY: the caller keeps the contract of realloc.
        return unsafe { c_malloc(size, file, line) };
    }
    // SAFETY: a block that is not null came from `c_malloc` or `c_realloc`, behind its prefix.
    unsafe {
        let start = block.cast::<u8>().sub(PREFIX);
        freed(start.cast::<usize>().read());
        allocated_by_c(size);
        with_prefix(libc::realloc(start.cast(), size + PREFIX), size)
    }
}

unsafe extern "C" fn c_free(block: *mut c_void, _file: *const c_char, _line: c_int) {
    if block.is_null() {
        return;
    }
    // SAFETY: a block that is not null came from `c_malloc` or `c_realloc`, behind its prefix.
    unsafe {
        let start = block.cast::<u8>().sub(PREFIX);
        freed(start.cast::<usize>().read());
        libc::free(start.cast());
    }
}

/// Keeps `size` in front of the block that is handed out.
///
/// # Safety
/// `start` is null or has room for the prefix and is aligned as malloc's blocks are.
unsafe fn with_prefix(start: *mut c_void, size: usize) -> *mut c_void {
    if start.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: given by the caller.
    unsafe {
        start.cast::<usize>().write(size);
        start.cast::<u8>().add(PREFIX).cast()
    }
}
