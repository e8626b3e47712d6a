//! Runs Waxwing against other people's TLS programs, over loopback.
//!
//! ```text
//!   Process    a peer: started, heard out, killed in the end            process.rs
//!   Listener   where a peer's client connects to us                     net.rs
//!   Session    our end of one connection                                session.rs
//!   Story      what happened on our end, message by message             story.rs
//!   Identity   a certificate of the test kit, as files and as our own   identity.rs
//!   authority  certificates, lists and responses by OpenSSL             authority.rs
//!   payload    what is sent                                             payload.rs
//!   matrix     every combination that can be agreed on                 matrix.rs
//!   limbo      other people's certificate chains, good and bad           limbo.rs
//!   openssl, gnutls, scripts   how peers are started                     openssl.rs …
//! ```
//!
//! Every wait ends: at the deadline of the peer, or at the timeout of the socket. A test whose
//! peer is not installed says so and passes, unless `WAXWING_REQUIRE_PEERS=1`.

#![forbid(unsafe_code)]

pub mod authority;
pub mod gnutls;
mod identity;
pub mod limbo;
pub mod matrix;
mod net;
pub mod openssl;
pub mod payload;
mod process;
pub mod scripts;
mod session;
mod story;

use std::path::Path;

use waxwing::ProtocolVersions;

pub use identity::Identity;
pub use net::{Listener, PATIENCE, connect, free_port};
pub use process::{Process, contains, count};
pub use session::{Fault, Session};
pub use story::Story;

/// Returns from the test if a program is not there: `peer!("openssl")`.
#[macro_export]
macro_rules! peer {
    ($program:expr) => {
        if !$crate::is_installed($program) {
            return;
        }
    };
}

/// Whether `program` can be run: a name to find in `PATH`, or a path.
///
/// # Panics
/// If it cannot, and `WAXWING_REQUIRE_PEERS=1` demands it.
#[must_use]
pub fn is_installed(program: impl AsRef<Path>) -> bool {
    let program = program.as_ref();
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Joining an absolute path gives that path.
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        let required = std::env::var_os("WAXWING_REQUIRE_PEERS").is_some_and(|set| set == "1");
        assert!(!required, "{} is not installed", program.display());
        println!("skipped: {} is not installed", program.display());
    }
    found
}

/// Each version alone.
pub const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];

/// Enough of them to see a pattern. Each may have taken all its time.
const MAX_FAILURES: usize = 3;

/// Runs `check` for every case, and fails at the end with what went wrong.
///
/// # Panics
/// If a check failed.
pub fn for_all<T: core::fmt::Debug>(
    cases: impl IntoIterator<Item = T>,
    mut check: impl FnMut(&T) -> Result<(), String>,
) {
    let mut count = 0usize;
    let mut failures = Vec::new();
    for case in cases {
        count += 1;
        if let Err(failure) = check(&case) {
            failures.push(format!("{case:?}: {failure}"));
        }
        if failures.len() == MAX_FAILURES {
            break;
        }
    }
    assert!(count > 0, "there were no cases");
    assert!(
        failures.is_empty(),
        "{} of {count} cases failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
