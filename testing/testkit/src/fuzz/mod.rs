//! The bodies of the fuzz targets: plain functions of bytes, so that `testing/fuzz` can drive
//! them with libFuzzer and `tests/fuzz_seeds.rs` with the seeds alone.
//!
//! Each panics on a bug and returns otherwise. Except for `chains` and `messages`, the bytes are a script:
//! a few bytes choose the configuration, then each step is an operation and its arguments. The
//! engines run on [`crate::fake`], so no step has to guess a secret.
//!
//! ```text
//!   messages  a type and a body                       one reader, written back and read again
//!   client    what a server says   (Puppet)      <->  client engine
//!   server    what a client says   (Puppet)      <->  server engine, also behind an Acceptor
//!   records   engine -> damaged records          ->   engine after the handshake, also in halves
//!   pair      engine <-> damaged bytes          <->   engine: they never disagree
//!   mutated   engine <-> damaged messages       <->   engine: they never disagree
//!   chains    certificates and a trust anchor         everyone who judges or decodes them
//!   revocation  staples, timestamps, lists, filters  whoever judges revocation
//!   imported  an exported connection, damaged    ->   engine that goes on with it
//!   sessions  sessions and tickets, made up     ->   whoever reads, opens or resumes them
//!   chunks    one stream, whole and cut          ->   two engines: the same events
//! ```

#[cfg(feature = "chains")]
mod chains;
mod check;
mod chunks;
mod driven;
mod encoded;
mod hellos;
mod imported;
mod known;
mod mutated;
mod pair;
mod puppet;
mod records;
#[cfg(feature = "pki")]
mod revocation;
mod script;
mod session;
mod sessions;
mod wire;

/// What a target does with the bytes of a fuzzer.
pub type Target = fn(&[u8]);

/// The targets: a name, and what it does.
pub const TARGETS: &[(&str, Target)] = &[
    #[cfg(feature = "chains")]
    ("chains", chains::run),
    ("chunks", chunks::run),
    ("client", session::run_client),
    ("imported", imported::run),
    ("messages", messages),
    ("mutated", mutated::run),
    ("pair", pair::run),
    ("records", records::run),
    #[cfg(feature = "pki")]
    ("revocation", revocation::run),
    ("server", session::run_server),
    ("sessions", sessions::run),
];

/// Reads a handshake message: its type is the first byte, its body all others.
pub fn messages(data: &[u8]) {
    if let Some((typ, body)) = data.split_first() {
        waxwing_core::parse_for_fuzzing(*typ, body);
    }
}

#[cfg(feature = "chains")]
pub use chains::run as chains;
pub use chunks::run as chunks;
pub use imported::run as imported;
pub use mutated::run as mutated;
pub use pair::run as pair;
pub use records::run as records;
#[cfg(feature = "pki")]
pub use revocation::run as revocation;
pub use session::{run_client as client, run_server as server};
pub use sessions::run as sessions;
