//! Runs BoringSSL's test runner (BoGo) on the shim and writes the outcome into
//! `docs/conformance.md`.
//!
//! ```text
//!   bogo RUNNER COMMIT     all tests; writes the tables
//!   bogo RUNNER --audit    only those that config.json disables; lists those that pass all the same
//! ```

#![forbid(unsafe_code)]

mod config;
mod outcome;
mod report;
mod runner;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use config::Config;
use outcome::Outcome;
use runner::Runner;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [runner, flag] if flag == "--audit" => audit(runner),
        [runner, commit] => all(runner, commit),
        _ => Err("usage: bogo RUNNER COMMIT, or bogo RUNNER --audit".into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The result of everything here that touches files and processes.
type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;

/// Makes everything harder for the engine: input byte by byte, answers late, servers behind an
/// acceptor, connections in two halves.
const PIECEMEAL: &str = "-async;-use-early-callback";

/// Runs all tests, twice. Whether none failed.
fn all(runner: &str, commit: &str) -> Result<bool> {
    let runner = Runner::new(Path::new(runner))?;
    let config = Config::load()?;
    let names = runner.names()?;
    let outcome = Outcome::new(&config, &names, &runner.run(&[], true)?, &runner.reasons()?);
    println!("{outcome}");
    let again = runner.run(&["-shim-extra-flags", PIECEMEAL], true)?;
    let again = Outcome::new(&config, &names, &again, &outcome.absent);
    println!("{again}");
    report::write(&outcome, &again, commit)?;
    Ok(outcome.failed.is_empty() && again.failed.is_empty())
}

/// Runs the disabled tests. Whether none of them passed.
fn audit(runner: &str) -> Result<bool> {
    let runner = Runner::new(Path::new(runner))?;
    let config = Config::load()?;
    let patterns = config.patterns();
    let results = runner.run(&["-include-disabled", "-test", &patterns], false)?;
    let mut clean = true;
    for (name, result) in results {
        if result == runner::PASS {
            println!("{name}: {}", config.reason(&name).unwrap_or_default());
            clean = false;
        }
    }
    Ok(clean)
}
