//! The `waxwing` command: serve and fetch over HTTPS, make and check certificates, and see what
//! TLS does.
//!
//! A thin layer over the library's public interface, so each command doubles as an example.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod exit;
mod help;
mod output;
mod resolve;
mod tls;
mod trace;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use args::{Command, CommandLine};
use exit::{Code, Failure};
use output::Talk;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let code = match catch_unwind(AssertUnwindSafe(|| run(&line))) {
        Ok(Ok(())) => Code::Good,
        Ok(Err(failure)) => {
            output::fail(&failure);
            failure.code
        }
        // The panic has said on stderr what happened and where.
        Err(_) => Code::Bug,
    };
    ExitCode::from(code.number())
}

fn run(line: &CommandLine) -> Result<(), Failure> {
    let talk = Talk::new(&line.output);
    if let Some(text) = line.command.explanation() {
        return match output::print(text) {
            Ok(()) => Ok(()),
            Err(error) => Err(Failure::stdout(&error)),
        };
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Code::Bug, format!("no runtime: {error}")))?;
    let result = runtime.block_on(async {
        match &line.command {
            Command::Serve(args) => commands::serve::run(args, talk).await,
            Command::Get(args) => commands::get::run(args, talk).await,
            Command::Cert(args) => commands::cert::run(args, talk).await,
            Command::ExitCodes | Command::Environment => Ok(()),
        }
    });
    // A read of stdin may never return: nobody waits for it.
    runtime.shutdown_background();
    result
}
