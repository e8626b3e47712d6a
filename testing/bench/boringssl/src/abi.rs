//! What goes between the harness and the library around BoringSSL; both compile this file.

use std::ffi::c_void;

/// Bytes that are only read, for as long as a call takes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Bytes {
    pub(crate) data: *const u8,
    pub(crate) len: usize,
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

/// A scenario.
#[repr(C)]
pub(crate) struct Setup {
    pub(crate) root: Bytes,
    pub(crate) intermediate: Bytes,
    pub(crate) leaf: Bytes,
    pub(crate) key: Bytes,
    /// The name of the server in its certificate.
    pub(crate) name: Bytes,
    /// The names of the groups, with colons between them.
    pub(crate) groups: Bytes,
    pub(crate) tls12: bool,
    pub(crate) mutual: bool,
    pub(crate) resumes: bool,
    /// What a client says early; empty if it does not.
    pub(crate) early: Bytes,
}

/// Where a call reads from, all of it, and writes to, as far as there is room.
#[repr(C)]
pub(crate) struct Wires {
    pub(crate) input: *const u8,
    pub(crate) input_len: usize,
    pub(crate) output: *mut u8,
    pub(crate) output_room: usize,
    /// Bytes that were written.
    pub(crate) written: usize,
}

/// What a handshake rested on.
#[repr(C)]
pub(crate) struct Rested {
    pub(crate) resumed: bool,
    pub(crate) early: bool,
}

/// All that the library can do. `engine` and `stream` are what `engine` and `stream` returned.
#[repr(C)]
pub(crate) struct Functions {
    pub(crate) engine: unsafe extern "C" fn(setup: &Setup) -> *mut c_void,
    pub(crate) drop_engine: unsafe extern "C" fn(engine: *mut c_void),
    pub(crate) stream:
        unsafe extern "C" fn(engine: *mut c_void, server: bool, wires: &mut Wires) -> *mut c_void,
    pub(crate) drop_stream: unsafe extern "C" fn(stream: *mut c_void),
    pub(crate) handshake: unsafe extern "C" fn(stream: *mut c_void, wires: &mut Wires) -> bool,
    pub(crate) send: unsafe extern "C" fn(stream: *mut c_void, plain: Bytes, wires: &mut Wires),
    pub(crate) receive: unsafe extern "C" fn(stream: *mut c_void, wires: &mut Wires) -> usize,
    pub(crate) rested: unsafe extern "C" fn(stream: *mut c_void) -> Rested,
    /// From here on every block that is allocated or freed is told, with its size.
    pub(crate) count: unsafe extern "C" fn(allocated: Told, freed: Told),
}

/// Hears of a block's size.
pub(crate) type Told = extern "C" fn(usize);
