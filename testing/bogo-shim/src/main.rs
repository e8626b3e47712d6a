//! TLS connections of Waxwing's, as BoringSSL's test runner (BoGo) wants them.
//!
//! The runner starts this program once for each test. Flags say which side it is, how it is
//! configured and what has to come out; `docs/conformance.md` says how to run it all.
//!
//! ```text
//!   flags --> options --> config --> session (engine + transport) --> exchange, checks
//!                |           ^            |                              |
//!             absent:        +--------- memory, for the next connection <+
//!             exit 89                  errors: a name on stderr, exit 1
//! ```

#![forbid(unsafe_code)]

mod absent;
mod checks;
mod compress;
mod config;
mod credential;
mod errors;
mod exchange;
mod memory;
mod options;
mod policy;
mod psk;
mod seen;
mod session;
mod transport;
mod verify;

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use config::Setup;
use errors::Failure;
use exchange::Exchange;
use memory::Memory;
use options::{Plan, Refusal};
use session::Session;

/// Tells the runner to skip the test.
const UNIMPLEMENTED: u8 = 89;

/// If set, every test is skipped: that is how the names of all tests are found.
const SKIP_ALL: &str = "WAXWING_BOGO_SKIP_ALL";

/// Names a file to which each skipped test adds a line with its reason.
const REASONS: &str = "WAXWING_BOGO_REASONS";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    if arguments
        .iter()
        .any(|flag| flag == b"-is-handshaker-supported")
    {
        println!("No");
        return ExitCode::SUCCESS;
    }
    if env::var_os(SKIP_ALL).is_some() {
        return ExitCode::from(UNIMPLEMENTED);
    }
    let plan = match Plan::read(&arguments) {
        Ok(plan) => plan,
        Err(Refusal::Malformed(flag)) => {
            eprintln!("the value of {flag} is malformed");
            return ExitCode::FAILURE;
        }
        Err(Refusal::Absent(feature)) => return skip(feature),
        Err(Refusal::Unknown(flag)) => return skip(&format!("the unknown flag {flag}")),
    };
    match test(&plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn test(plan: &Plan) -> Result<(), Failure> {
    let memory = Memory::new();
    for number in 0..=plan.resumptions {
        connection(plan, &memory, number > 0)?;
    }
    Ok(())
}

/// The first connection, or one that resumes the session of the one before.
fn connection(plan: &Plan, memory: &Memory, resumed: bool) -> Result<(), Failure> {
    let options = if resumed {
        &plan.resumed
    } else {
        &plan.initial
    };
    if resumed && !options.server && !memory.ours.turn() {
        return Err(Failure::Unexpected("no session to offer".into()));
    }
    let mut session = Session::start(options, Setup::new(plan, memory, resumed)?)?;
    let exchange = Exchange {
        options,
        retry: &plan.retry,
        resumed,
        rejected: false,
    };
    let result = exchange.run(&mut session, memory);
    if options.expect.never_done && session.info().is_some_and(|info| info.exporter.is_some()) {
        return Err(Failure::Unexpected("the handshake was completed".into()));
    }
    session.finish();
    memory.clock.advance(options.resumption_delay * 1000);
    result
}

fn skip(reason: &str) -> ExitCode {
    eprintln!("skipped: {reason}");
    if let Some(path) = env::var_os(REASONS)
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path)
    {
        // One write, so that tests that run at the same time do not mix their lines.
        let _ = file.write_all(format!("{reason}\n").as_bytes());
    }
    ExitCode::from(UNIMPLEMENTED)
}
