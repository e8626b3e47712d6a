//! The gate: Waxwing's instruction counts against those of a checked-in file.
//!
//! Only instructions in Rust count, without those of the primitives: the protocol, certificates, the
//! key schedule and its hashing around the blocks. They depend on the sources and the compiler alone,
//! but for random values (the order of extensions, lengths of signatures), which move them by some
//! hundredths of a percent. What AWS-LC and the C library do is left out, as it depends on the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Count, Work, count};
use crate::engines::WAXWING;
use crate::machine;
use crate::pki::Pki;
use crate::scenario::Auth;

/// The most that a count may change by, in percent of what it was.
const TOLERANCE: u64 = 2;

/// Counts by the work's name, and by side.
type Instructions = BTreeMap<String, BTreeMap<String, u64>>;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("icount-baseline.json")
}

/// Counts again. A work that Waxwing cannot do yet has no count.
fn measure(pki: impl Fn(Auth) -> Pki, dir: &Path) -> Instructions {
    let count = |work: Work| {
        eprintln!("instructions of {}", work.id());
        let [client, server] = count(WAXWING, work, &pki(work.scenario().auth), dir)?;
        let side = |name: &str, count: Count| (name.to_owned(), count.rust.round() as u64);
        let sides = BTreeMap::from([side("client", client), side("server", server)]);
        Some((work.id(), sides))
    };
    Work::representatives()
        .into_iter()
        .filter_map(count)
        .collect()
}

/// Makes today's counts those that later ones are compared with.
pub(crate) fn accept(pki: impl Fn(Auth) -> Pki, dir: &Path) {
    let counts = measure(pki, dir);
    let json = json!({"compiler": machine::compiler(), "instructions": counts});
    let text = serde_json::to_string_pretty(&json).expect("names and numbers") + "\n";
    fs::write(file(), text).expect("the sources are writable");
    println!("written: {}", file().display());
}

/// Whether no count has grown by more than the tolerance; says which did.
pub(crate) fn check(pki: impl Fn(Auth) -> Pki, dir: &Path) -> bool {
    if !machine::has("valgrind") {
        println!("SKIPPED: instruction counts need valgrind, which is not installed");
        return true;
    }
    let text = fs::read_to_string(file()).expect("the baseline is checked in");
    let baseline: Value = serde_json::from_str(&text).expect("the baseline is JSON");
    let compiler = machine::compiler();
    if baseline["compiler"] != compiler {
        println!(
            "SKIPPED: the accepted instruction counts are those of {}, this is {compiler}.\nMake new \
             ones with `just icount --accept`.",
            baseline["compiler"]
        );
        return true;
    }
    let accepted = serde_json::from_value(baseline["instructions"].clone());
    let faults = faults(&accepted.expect("names and numbers"), &measure(pki, dir));
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("No instruction count has grown by more than {TOLERANCE} %.");
    } else {
        println!(
            "If that has to be so, accept it with `just icount --accept`, and say why in the commit."
        );
    }
    faults.is_empty()
}

/// Why `now` is not acceptable. Says on the way what has become less.
fn faults(accepted: &Instructions, now: &Instructions) -> Vec<String> {
    let mut faults = Vec::new();
    for (work, sides) in now {
        for (side, &count) in sides {
            let Some(&before) = accepted.get(work).and_then(|sides| sides.get(side)) else {
                faults.push(format!(
                    "{work}, {side}: {count} instructions, not accepted yet"
                ));
                continue;
            };
            let growth = count as f64 / before as f64 - 1.0;
            let line = format!(
                "{work}, {side}: {before} -> {count} instructions, {:+.1} %",
                growth * 100.0
            );
            if count * 100 > before * (100 + TOLERANCE) {
                faults.push(line);
            } else if count * 100 < before * (100 - TOLERANCE) {
                println!("{line}: accept it, so that it stays");
            }
        }
    }
    let lost = accepted.keys().filter(|work| !now.contains_key(*work));
    faults.extend(lost.map(|work| format!("{work}: not counted any more")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(client: u64, server: u64) -> Instructions {
        let sides = [("client", client), ("server", server)];
        let sides = sides.map(|(side, count)| (side.to_owned(), count));
        Instructions::from([("work".to_owned(), BTreeMap::from(sides))])
    }

    #[test]
    fn growth_beyond_the_tolerance_is_a_fault() {
        let accepted = counts(10_000, 10_000);
        assert_eq!(faults(&accepted, &counts(10_200, 5_000)), [""; 0]);
        assert_eq!(
            faults(&accepted, &counts(10_000, 10_201)),
            ["work, server: 10000 -> 10201 instructions, +2.0 %"]
        );
    }

    #[test]
    fn new_and_lost_works_are_faults() {
        assert_eq!(faults(&Instructions::new(), &counts(1, 2)).len(), 2);
        assert_eq!(faults(&counts(1, 2), &Instructions::new()).len(), 1);
    }
}
