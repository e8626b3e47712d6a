//! BoringSSL, if the library around it was built: a workspace member of its own, as its functions have
//! the names of OpenSSL's.

use std::env;
use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr::NonNull;
use std::sync::OnceLock;

use crate::engines::groups_list;
use crate::pair::{Basis, Engine, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{EARLY, Kind, Scenario, Suite, Version};

#[path = "../../boringssl/src/abi.rs"]
mod abi;

pub(crate) use abi::Told;
use abi::{Functions, Setup, Wires};

const LIBRARY: &str = "libwaxwing_bench_boringssl.so";
/// The name of its only symbol, a [`Functions`].
const SYMBOL: &CStr = c"WAXWING_BENCH_BORINGSSL";

/// The library, looked for where this program is.
fn functions() -> Option<&'static Functions> {
    static LOADED: OnceLock<Option<&'static Functions>> = OnceLock::new();
    *LOADED.get_or_init(|| {
        let program = env::current_exe().expect("the path of this program");
        let path = program.with_file_name(LIBRARY);
        let path = CString::new(path.as_os_str().as_bytes()).expect("a path has no zero");
        // SAFETY: loading it runs no code but that of the C libraries; its only symbol is a table of
        // functions, and it is never unloaded.
        unsafe {
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
            if library.is_null() {
                return None;
            }
            let table = libc::dlsym(library, SYMBOL.as_ptr());
            table.cast::<Functions>().as_ref()
        }
    })
}

/// Tells of every block from here on. Nothing happens if there is no BoringSSL.
pub(crate) fn count_heap(allocated: Told, freed: Told) {
    if let Some(functions) = functions() {
        // SAFETY: the listeners only count.
        unsafe { (functions.count)(allocated, freed) };
    }
}

pub(crate) struct BoringSsl {
    functions: &'static Functions,
    engine: NonNull<c_void>,
}

impl Engine for BoringSsl {
    const NAME: &'static str = "BoringSSL";

    type Out = Vec<u8>;
    type Client = Stream;
    type Server = Stream;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        // It lets nobody choose among the suites of TLS 1.3.
        if scenario.suite != Suite::Aes128 {
            return None;
        }
        let early = match scenario.kind {
            Kind::EarlyData => EARLY.as_slice(),
            _ => &[],
        };
        let groups = groups_list(scenario);
        let setup = Setup {
            root: pki.root.as_slice().into(),
            intermediate: pki.intermediate.as_slice().into(),
            leaf: pki.leaf.as_slice().into(),
            key: pki.key.as_slice().into(),
            name: SERVER_NAME.as_bytes().into(),
            groups: groups.as_bytes().into(),
            tls12: scenario.version == Version::Tls12,
            mutual: scenario.kind.is_mutual(),
            resumes: scenario.kind.resumes(),
            early: early.into(),
        };
        let functions = functions()?;
        // SAFETY: the bytes are there for the call.
        let engine = unsafe { (functions.engine)(&setup) };
        NonNull::new(engine).map(|engine| Self { functions, engine })
    }

    fn client(&self, out: &mut Vec<u8>) -> Stream {
        self.stream(false, out)
    }

    fn server(&self) -> Stream {
        self.stream(true, &mut Vec::new())
    }

    fn basis(client: &Stream) -> Basis {
        // SAFETY: the stream is there.
        let rested = unsafe { (client.functions.rested)(client.stream.as_ptr()) };
        Basis {
            resumed: rested.resumed,
            early: rested.early,
        }
    }
}

impl BoringSsl {
    fn stream(&self, server: bool, out: &mut Vec<u8>) -> Stream {
        let stream = with_wires(&mut Vec::new(), out, |wires| {
            // SAFETY: the engine is there.
            unsafe { (self.functions.stream)(self.engine.as_ptr(), server, wires) }
        });
        Stream {
            functions: self.functions,
            stream: NonNull::new(stream).expect("a stream"),
        }
    }
}

impl Drop for BoringSsl {
    fn drop(&mut self) {
        // SAFETY: the streams hold what they need of it, and it is not used again.
        unsafe { (self.functions.drop_engine)(self.engine.as_ptr()) };
    }
}

/// One end of a connection.
pub(crate) struct Stream {
    functions: &'static Functions,
    stream: NonNull<c_void>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: it is not used again.
        unsafe { (self.functions.drop_stream)(self.stream.as_ptr()) };
    }
}

/// Runs `work`, which takes all of `input` and writes behind what is in `out`.
fn with_wires<T>(input: &mut Vec<u8>, out: &mut Vec<u8>, work: impl FnOnce(&mut Wires) -> T) -> T {
    let room = out.spare_capacity_mut();
    let mut wires = Wires {
        input: input.as_ptr(),
        input_len: input.len(),
        output: room.as_mut_ptr().cast(),
        output_room: room.len(),
        written: 0,
    };
    let result = work(&mut wires);
    let written = wires.written;
    assert!(written <= room.len());
    // SAFETY: so many bytes were written behind those that were there.
    unsafe { out.set_len(out.len() + written) };
    input.clear();
    result
}

impl Peer for Stream {
    type Out = Vec<u8>;

    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        with_wires(input, out, |wires| {
            // SAFETY: the stream is there.
            unsafe { (self.functions.handshake)(self.stream.as_ptr(), wires) }
        })
    }

    fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        with_wires(&mut Vec::new(), out, |wires| {
            // SAFETY: the stream is there, and the bytes are for the call.
            unsafe { (self.functions.send)(self.stream.as_ptr(), plain.into(), wires) };
        });
    }

    fn receive(&mut self, input: &mut Vec<u8>) -> usize {
        with_wires(input, &mut Vec::new(), |wires| {
            // SAFETY: the stream is there.
            unsafe { (self.functions.receive)(self.stream.as_ptr(), wires) }
        })
    }
}
