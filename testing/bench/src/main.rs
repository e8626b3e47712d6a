//! Measures Waxwing beside rustls, BoringSSL and OpenSSL in one run; see docs/performance.md.

mod engines;
mod goals;
mod heap;
mod icount;
mod limit;
mod machine;
mod memory;
mod pair;
mod pki;
mod primitives;
mod report;
mod scenario;
mod sizes;
mod sockets;
mod stats;
mod streams;
mod wall;

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use serde_json::Value;

use crate::icount::Work;
use crate::pki::Pki;
use crate::scenario::Scenario;
use crate::wall::Effort;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

#[derive(Parser)]
#[command(about = "Measures Waxwing beside its peers and writes docs/performance.md")]
struct Args {
    #[command(subcommand)]
    command: Task,
    /// Few samples, and of the instruction counts only one handshake: under a minute.
    #[arg(long, global = true)]
    quick: bool,
    /// Rounds in which the libraries take turns.
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(5..))]
    rounds: Option<u16>,
}

#[derive(Subcommand)]
enum Task {
    /// Everything below.
    All,
    /// The time of handshakes.
    Handshakes,
    /// The speed of application data.
    Bulk,
    /// The primitives of two libraries.
    Primitives,
    /// Small writes through streams.
    Streams,
    /// Heap bytes and allocations.
    Memory,
    /// Instruction counts, with valgrind.
    Icount {
        /// Compares some of Waxwing's with those accepted before; fails if one has grown by over 2 %.
        #[arg(long)]
        check: bool,
        /// Accepts them as they are now.
        #[arg(long, conflicts_with = "check")]
        accept: bool,
    },
    /// Web servers on the loopback interface.
    Sockets,
    /// Bytes of code by what is compiled in.
    Sizes,
    /// Runs one subject's work with marks for callgrind.
    #[command(hide = true)]
    Repeat {
        subject: String,
        work: String,
        /// Times; more of them for a sampling profiler, which sees the harness as well.
        #[arg(default_value_t = icount::REPEAT)]
        times: usize,
    },
    /// Counts heap blocks in this process and prints JSON.
    #[command(hide = true)]
    Heap,
    /// Prints the resident bytes of each of many idle pairs.
    #[command(hide = true)]
    Idle { subject: String, pairs: usize },
    /// Serves HTTPS until its standard input ends.
    #[command(hide = true)]
    Serve { subject: String },
}

impl Args {
    fn effort(&self) -> Effort {
        let (rounds, handshakes, batches) = if self.quick {
            (5, 40, 40)
        } else {
            (15, 200, 150)
        };
        Effort {
            rounds: self.rounds.map_or(rounds, usize::from),
            handshakes,
            batches,
        }
    }
}

/// `perf` below the target directory that this program was built in.
fn output_dir() -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    let target = program
        .ancestors()
        .nth(2)
        .expect("target/release/waxwing-bench");
    target.join("perf")
}

fn main() -> ExitCode {
    let args = Args::parse();
    let dir = output_dir();
    let pki = |auth| Pki::load_or_create(&dir.join("chains"), auth);
    let base = || pki(Scenario::BASE.auth);
    let effort = args.effort();
    let all = matches!(args.command, Task::All);

    match &args.command {
        Task::Repeat {
            subject,
            work,
            times,
        } => {
            let work = Work::from_id(work).expect("the parent gives an id");
            icount::repeat(subject, work, &pki(work.scenario().auth), *times);
            return ExitCode::SUCCESS;
        }
        Task::Heap => {
            heap::count_c_libraries();
            println!("{}", memory::measure(&base()));
            return ExitCode::SUCCESS;
        }
        Task::Idle { subject, pairs } => {
            println!("{}", memory::resident(subject, *pairs, &base()));
            return ExitCode::SUCCESS;
        }
        Task::Serve { subject } => {
            return match sockets::serve(subject, &base()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            };
        }
        Task::Icount { check: true, .. } => {
            return match icount::gate::check(pki, &dir) {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            };
        }
        Task::Icount { accept: true, .. } => {
            icount::gate::accept(pki, &dir);
            return ExitCode::SUCCESS;
        }
        _ => {}
    }

    let mut report = report::Report::open(&dir, effort);
    if all || matches!(args.command, Task::Handshakes) {
        report.handshakes(&wall::handshakes(pki, effort));
    }
    if all || matches!(args.command, Task::Bulk) {
        report.transfers(&wall::transfers(&base(), effort));
    }
    if all || matches!(args.command, Task::Primitives) {
        report.primitives(&primitives::measure(pki, effort.rounds));
    }
    if all || matches!(args.command, Task::Streams) {
        report.streams(&streams::measure(&base(), effort));
    }
    if all || matches!(args.command, Task::Memory) {
        // Made here if it is missing: making it in the child would use the libraries too early.
        base();
        report.memory(&memory_of_children(if args.quick { 20 } else { 1 }));
    }
    if all || matches!(args.command, Task::Icount { .. }) {
        let count = |work: Work| {
            eprintln!("instructions of {}", work.id());
            let pki = pki(work.scenario().auth);
            let subjects = engines::NAMES.into_iter();
            let counts = subjects
                .map(|name| icount::count(name, work, &pki, &dir))
                .collect();
            (work, counts)
        };
        let counts: Vec<_> = Work::list(args.quick).into_iter().map(count).collect();
        report.instructions(&counts);
    }
    if all || matches!(args.command, Task::Sockets) {
        base();
        let rounds = if args.quick { 3 } else { 9 };
        report.sockets(&sockets::measure(&base(), &dir, rounds, args.quick));
    }
    if all || matches!(args.command, Task::Sizes) {
        report.sizes(&sizes::measure(&dir));
    }
    match report.save() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waxwing-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs this program again to measure memory: once with the C libraries' allocations counted, and
/// for each library with many idle pairs, or with so many by `divisor`.
fn memory_of_children(divisor: usize) -> Value {
    let mut lives = json_of_child(&["heap"]);
    for (name, life) in lives.as_object_mut().into_iter().flatten() {
        for (key, pairs) in memory::RESIDENT {
            let pairs = pairs / divisor;
            let expected = life[memory::RESIDENT[0].0].as_f64().unwrap_or(0.0) * pairs as f64;
            if expected > memory::MAX_RESIDENT {
                continue;
            }
            eprintln!("{pairs} idle pairs of {name}");
            life[key] = json_of_child(&["idle", name, &pairs.to_string()]);
        }
    }
    lives
}

fn json_of_child(arguments: &[&str]) -> Value {
    let program = env::current_exe().expect("the path of this program");
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the child starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the child prints JSON")
}
