//! BoringSSL's allocations: as it makes them by itself, and told to who wants to count them.

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use crate::abi::Told;

static LISTENERS: OnceLock<(Told, Told)> = OnceLock::new();

/// Bytes before a block, where its size is kept; keeps the alignment of `malloc`.
const PREFIX: usize = 16;

pub(crate) unsafe extern "C" fn count(allocated: Told, freed: Told) {
    LISTENERS.get_or_init(|| (allocated, freed));
}

/// Found by BoringSSL through its name.
// SAFETY: no other symbol of this library has this name.
#[unsafe(no_mangle)]
extern "C" fn OPENSSL_memory_alloc(size: usize) -> *mut c_void {
    if let Some((allocated, _)) = LISTENERS.get() {
        allocated(size);
    }
    // SAFETY: malloc takes any size; the prefix is written only into a block that has room for it.
    unsafe {
        let start = libc::malloc(size + PREFIX);
        if start.is_null() {
            return ptr::null_mut();
        }
        start.cast::<usize>().write(size);
        start.cast::<u8>().add(PREFIX).cast()
    }
}

/// Found by BoringSSL through its name. Has to erase the block, as its own does.
///
/// # Safety
/// The block is not null and came from [`OPENSSL_memory_alloc`].
// SAFETY: no other symbol of this library has this name.
#[unsafe(no_mangle)]
unsafe extern "C" fn OPENSSL_memory_free(block: *mut c_void) {
    // SAFETY: given by the caller; the size stands in front.
    unsafe {
        let size = OPENSSL_memory_get_size(block);
        if let Some((_, freed)) = LISTENERS.get() {
            freed(size);
        }
        boring_sys::OPENSSL_cleanse(block, size);
        libc::free(block.cast::<u8>().sub(PREFIX).cast());
    }
}

/// Found by BoringSSL through its name.
///
/// # Safety
/// The block is not null and came from [`OPENSSL_memory_alloc`].
// SAFETY: no other symbol of this library has this name.
#[unsafe(no_mangle)]
unsafe extern "C" fn OPENSSL_memory_get_size(block: *mut c_void) -> usize {
    // SAFETY: given by the caller.
    unsafe { block.cast::<u8>().sub(PREFIX).cast::<usize>().read() }
}
