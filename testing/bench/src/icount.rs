//! Instruction counts under callgrind: one child process for each subject, work and side.
//!
//! The child warms up first; then callgrind collects only inside [`waxwing_bench_client`] or
//! [`waxwing_bench_server`], whichever it was told to toggle at.

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

pub(crate) mod gate;

use crate::engines;
use crate::pair::{Meter, Unmetered};
use crate::pki::Pki;
use crate::scenario::{Scenario, Writes};

/// Times that the child repeats what is counted.
pub(crate) const REPEAT: usize = 4;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Handshake(Scenario),
    /// Records of the base scenario.
    Transfer(Writes),
}

impl Work {
    /// All that the table shows, or its first lines.
    pub(crate) fn list(quick: bool) -> Vec<Self> {
        if quick {
            return vec![Self::Handshake(Scenario::BASE)];
        }
        Self::with_records(Scenario::handshakes())
    }

    /// What is counted in every change.
    pub(crate) fn representatives() -> Vec<Self> {
        Self::with_records(Scenario::representatives())
    }

    fn with_records(handshakes: Vec<Scenario>) -> Vec<Self> {
        let records = [Writes::ALL[0], Writes::ALL[3]].map(Self::Transfer);
        let handshakes = handshakes.into_iter().map(Self::Handshake);
        handshakes.chain(records).collect()
    }

    /// A name without spaces, used as an argument and as a key of the summary.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Handshake(scenario) => scenario.id(),
            Self::Transfer(writes) => writes.size.to_string(),
        }
    }

    /// The work with this [`Work::id`].
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let writes = Writes::ALL
            .into_iter()
            .find(|writes| writes.size.to_string() == id);
        match Scenario::from_id(id) {
            Some(scenario) => Some(Self::Handshake(scenario)),
            None => writes.map(Self::Transfer),
        }
    }

    pub(crate) fn scenario(self) -> Scenario {
        match self {
            Self::Handshake(scenario) => scenario,
            Self::Transfer(_) => Scenario::BASE,
        }
    }
}

/// Instructions of one handshake, or of one record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Count {
    /// All of them.
    pub(crate) total: f64,
    /// Those outside of the primitives of AWS-LC: the protocol, the key schedule's glue, memory.
    pub(crate) rest: f64,
    /// Those of them in Rust: neither glue inside AWS-LC nor the C library's memory and copies, which
    /// depend on the machine's C compiler, C library and processor.
    pub(crate) rust: f64,
}

/// Client (or sender) and server (or receiver).
pub(crate) type Counts = [Count; 2];

/// Counts `work` of `subject`, or gives `None` if it lacks what is asked for.
pub(crate) fn count(subject: &str, work: Work, pki: &Pki, dir: &Path) -> Option<Counts> {
    engines::subject(subject, pki, work.scenario())?;
    let side = |toggle| count_side(subject, work, toggle, dir);
    // Side by side: the counts do not move with the load.
    let counts = thread::scope(|scope| {
        let client = scope.spawn(|| side("waxwing_bench_client"));
        let server = side("waxwing_bench_server");
        [client.join().expect("valgrind ran"), server]
    });
    Some(counts)
}

fn count_side(subject: &str, work: Work, toggle: &str, dir: &Path) -> Count {
    let profile = dir.join(format!("callgrind.{subject}.{}.{toggle}.out", work.id()));
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(format!("--toggle-collect={toggle}"))
        .arg(std::env::current_exe().expect("the path of this program"))
        .args(["repeat", subject, &work.id()])
        .stdout(Stdio::null())
        .status()
        .expect("valgrind is installed");
    assert!(status.success(), "valgrind failed: {status}");
    let text = fs::read_to_string(&profile).expect("callgrind wrote its profile");
    let repeats = match work {
        Work::Handshake(_) => REPEAT as f64,
        Work::Transfer(writes) => (REPEAT * writes.count) as f64,
    };
    let functions = self_costs(&text);
    let sum = |count: fn(&str) -> bool| {
        let costs = functions.iter().filter(|(name, _)| count(name));
        costs.map(|(_, cost)| *cost as f64).sum::<f64>() / repeats
    };
    Count {
        total: sum(|_| true),
        rest: sum(|name| !is_primitive(name)),
        rust: sum(|name| !is_primitive(name) && name.contains("::")),
    }
}

/// The child's part: warms up, then repeats the work with the marks around it.
pub(crate) fn repeat(subject: &str, work: Work, pki: &Pki, times: usize) {
    let subject = engines::subject(subject, pki, work.scenario());
    let mut subject = subject.expect("the parent asks for what there is");
    subject.handshake(&mut Unmetered);
    match work {
        Work::Handshake(_) => {
            for _ in 0..times {
                subject.handshake(&mut Marks);
            }
        }
        Work::Transfer(writes) => {
            subject.transfer(writes, &mut Unmetered);
            for _ in 0..times {
                subject.transfer(writes, &mut Marks);
            }
        }
    }
}

struct Marks;

impl Meter for Marks {
    fn client(&mut self, work: &mut dyn FnMut()) {
        waxwing_bench_client(work);
    }

    fn server(&mut self, work: &mut dyn FnMut()) {
        waxwing_bench_server(work);
    }
}

// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn waxwing_bench_client(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from becoming a jump, and the two functions from being merged.
    black_box("client");
}

// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn waxwing_bench_server(work: &mut dyn FnMut()) {
    work();
    black_box("server");
}

/// The instructions of each function itself, without those it calls, out of a callgrind profile.
///
/// Lines that matter: `fn=(id) name` (the name only the first time), `cfn=(id) name`, which names
/// a callee, `calls=…`, whose next line is the callee's cost, and `position cost`.
fn self_costs(profile: &str) -> HashMap<String, u64> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut costs: HashMap<String, u64> = HashMap::new();
    let mut function = "";
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = resolve(&mut names, name);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            resolve(&mut names, name);
        } else if line.starts_with("calls=") {
            lines.next();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line
                .split(' ')
                .nth(1)
                .and_then(|cost| cost.parse::<u64>().ok());
            *costs.entry(function.to_owned()).or_default() += cost.unwrap_or(0);
        }
    }
    costs
}

/// The name of `(id) name` or, by what was seen before, of `(id)`.
fn resolve<'a>(names: &mut HashMap<&'a str, &'a str>, field: &'a str) -> &'a str {
    match field.split_once(' ') {
        Some((id, name)) => {
            names.insert(id, name);
            name
        }
        None => names.get(field).copied().unwrap_or(field),
    }
}

/// Parts of the names of AWS-LC's functions that do arithmetic, hash blocks or encrypt. What is left
/// is what a TLS library can do something about.
const PRIMITIVES: [&str; 22] = [
    "25519",
    "BN_",
    "Keccak",
    "aes_",
    "aesni",
    "beeu_",
    "bignum_",
    "block_data_order",
    "bn_",
    "chacha20",
    "ec_GFp",
    "gcm",
    "ghash",
    "keccak",
    "ml_kem",
    "mlkem",
    "mul_mont",
    "nistz256",
    "p256_",
    "poly1305",
    "rsaz",
    "shake",
];

/// Only C functions and the block function of `sha2` are primitives; the rest of Rust is glue.
fn is_primitive(function: &str) -> bool {
    if function.contains("::") {
        return function.contains("sha2::") && function.contains("compress");
    }
    PRIMITIVES.iter().any(|part| function.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callees_are_not_counted_twice() {
        let profile =
            "fn=(1) outer\n10 5\ncfn=(2) inner\ncalls=1 20\n11 100\n12 1\n\nfn=(2)\n20 100\n";
        let costs = self_costs(profile);
        assert_eq!(costs["outer"], 6);
        assert_eq!(costs["inner"], 100);
    }

    #[test]
    fn ids_lead_back_to_the_work() {
        for work in Work::list(false) {
            assert_eq!(Work::from_id(&work.id()), Some(work));
        }
    }
}
