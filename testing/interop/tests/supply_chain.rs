//! Holds the crates of this workspace to the lists in `deny.toml`, without cargo-deny: banned
//! crates, licences, and where crates come from.
//!
//! What counts is what Cargo builds for this machine, dependencies of build scripts and tests
//! included. The lock file is no measure: it also names optional crates that nothing enables.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &str) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The strings in the list `key = [ … ]` of `deny.toml`.
fn list(key: &str) -> BTreeSet<String> {
    let text = read("deny.toml");
    let start = format!("\n{key} = [");
    let (_, rest) = text.split_once(&start).expect("the list is in deny.toml");
    let (list, _) = rest.split_once("\n]").expect("the list ends");
    // Every second part between quotation marks is a string.
    let strings = list.split('"').skip(1).step_by(2);
    strings.map(str::to_owned).collect()
}

/// Name and licence of each crate that is built.
fn built_crates() -> BTreeSet<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--workspace", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build,dev", "--format", "{p}|{l}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {stderr}");
    let stdout = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    let crates = stdout.lines().filter_map(|line| {
        let (package, licence) = line.split_once('|')?;
        let (name, _) = package.split_once(' ')?;
        // A crate that was shown before carries a mark.
        let licence = licence.trim_end_matches(" (*)");
        Some((name.to_owned(), licence.to_owned()))
    });
    crates.collect()
}

#[test]
fn no_banned_crate_is_built() {
    let banned = list("deny");
    assert!(banned.contains("rustls") && banned.contains("openssl-sys"));
    let crates = built_crates();
    assert!(crates.iter().any(|(name, _)| name == "waxwing-core"));
    let found: Vec<_> = crates
        .iter()
        .filter(|(name, _)| banned.contains(name))
        .collect();
    assert!(found.is_empty(), "banned crates are built: {found:?}");
}

#[test]
fn every_licence_is_allowed() {
    let allowed = list("allow");
    assert!(allowed.contains("MIT"));
    let exceptions = exceptions();
    let crates = built_crates();
    let refused: Vec<_> = crates
        .iter()
        .filter(|(name, licence)| {
            let own = exceptions
                .iter()
                .filter(|(crate_name, _)| crate_name == name);
            let own = own.map(|(_, licence)| licence.clone());
            !permits(licence, &allowed.iter().cloned().chain(own).collect())
        })
        .collect();
    assert!(refused.is_empty(), "licences not in deny.toml: {refused:?}");
}

/// Crates that may have a licence which others may not, and that licence.
fn exceptions() -> Vec<(String, String)> {
    let text = read("deny.toml");
    let (_, rest) = text.split_once("\nexceptions = [").expect("the list");
    let (list, _) = rest.split_once("\n]").expect("the list ends");
    let strings: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    let pairs = strings.chunks_exact(2);
    assert!(pairs.remainder().is_empty(), "one licence for each crate");
    pairs
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

#[test]
fn every_exception_is_needed() {
    let allowed = list("allow");
    let crates = built_crates();
    for (name, licence) in exceptions() {
        let needed = crates.iter().any(|(built, theirs)| {
            *built == name && *theirs == licence && !permits(theirs, &allowed)
        });
        assert!(needed, "{name} is not built under {licence} alone");
    }
}

#[test]
fn every_crate_comes_from_crates_io() {
    let lock = read("Cargo.lock");
    let sources: BTreeSet<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .collect();
    let crates_io = "\"registry+https://github.com/rust-lang/crates.io-index\"";
    assert_eq!(sources, BTreeSet::from([crates_io]));
}

/// Whether an SPDX expression can be met with licences of `allowed`. AND binds closer than OR;
/// a slash is OR, as older crates write it; an exception makes a licence another one.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ")
        .replace(" WITH ", "-WITH-");
    let mut tokens = spaced.split_whitespace().peekable();
    let met = any_of(&mut tokens, allowed);
    met && tokens.next().is_none()
}

type Tokens<'a> = core::iter::Peekable<core::str::SplitWhitespace<'a>>;

fn any_of(tokens: &mut Tokens<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(tokens, allowed);
    while tokens.next_if_eq(&"OR").is_some() {
        met |= all_of(tokens, allowed);
    }
    met
}

fn all_of(tokens: &mut Tokens<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(tokens, allowed);
    while tokens.next_if_eq(&"AND").is_some() {
        met &= one(tokens, allowed);
    }
    met
}

fn one(tokens: &mut Tokens<'_>, allowed: &BTreeSet<String>) -> bool {
    if tokens.next_if_eq(&"(").is_some() {
        return any_of(tokens, allowed) && tokens.next() == Some(")");
    }
    tokens
        .next()
        .is_some_and(|licence| allowed.contains(licence))
}

#[test]
fn licence_expressions_are_read_right() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned()]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("GPL-3.0 AND MIT OR ISC", true),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("ISC AND (GPL-3.0 OR Zlib) AND MIT", false),
        ("MIT WITH Some-exception", false),
        ("MIT WITH Some-exception OR ISC", true),
        ("", false),
        ("MIT ISC", false),
    ] {
        assert_eq!(permits(expression, &allowed), expected, "{expression}");
    }
}
