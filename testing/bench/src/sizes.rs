//! How large the engine is, by what is compiled in: builds `testing/no-std` for size with several
//! sets of features, and adds up the symbols of each part.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// The builds: how they are called, and their features.
pub(crate) const BUILDS: [(&str, &str); 5] = [
    ("client, TLS 1.3", "client"),
    ("server, TLS 1.3", "server"),
    ("client, both versions", "client,tls12"),
    ("server, both versions", "server,tls12"),
    ("all", "client,server,tls12"),
];

/// The parts of the engine, each by what the names of its functions contain: the first that fits
/// counts. What was inlined counts where it went.
const PARTS: [(&str, &[&str]); 9] = [
    (
        "TLS 1.2 alone",
        &["tls12", "protect12", "schedule12", "12::"],
    ),
    ("handshake, client", &["waxwing_core::handshake::client"]),
    ("handshake, server", &["waxwing_core::handshake::server"]),
    ("handshake, shared", &["waxwing_core::handshake"]),
    (
        "messages, codec",
        &["waxwing_core::messages", "waxwing_core::codec"],
    ),
    ("records", &["waxwing_core::record"]),
    ("connection", &["waxwing_core::connection"]),
    ("configuration, errors, rest", &["waxwing_core::"]),
    ("hash, HMAC, HKDF", &["waxwing_crypto::"]),
];

/// The name of the row with the sums.
pub(crate) const SUM: &str = "engine and key derivation";

/// The names of the rows.
pub(crate) fn rows() -> impl Iterator<Item = &'static str> {
    PARTS.iter().map(|(part, _)| *part).chain([SUM])
}

/// Bytes of code of each part in each build.
///
/// # Panics
/// If a build fails, or one without TLS 1.2 contains a symbol of it.
pub(crate) fn measure(dir: &Path) -> Value {
    let builds = BUILDS.iter().map(|(name, features)| {
        eprintln!("size of {name}");
        let symbols = symbols(features, dir);
        if !features.contains("tls12") {
            let stray = symbols.iter().find(|(name, _)| name.contains("tls12"));
            assert_eq!(stray, None, "TLS 1.2 in a build without it");
        }
        ((*name).to_owned(), json!(by_part(&symbols)))
    });
    Value::Object(builds.collect())
}

fn by_part(symbols: &[(String, u64)]) -> BTreeMap<&'static str, u64> {
    let mut parts = BTreeMap::new();
    for (name, bytes) in symbols
        .iter()
        .filter(|(name, _)| name.contains("waxwing_c"))
    {
        let fits = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
        if let Some((part, _)) = PARTS.iter().find(|(_, marks)| fits(marks)) {
            *parts.entry(*part).or_default() += bytes;
            *parts.entry(SUM).or_default() += bytes;
        }
    }
    parts
}

/// The functions of one build, with their sizes.
fn symbols(features: &str, dir: &Path) -> Vec<(String, u64)> {
    let target = dir.join("sizes");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--no-default-features"])
        .args(["--features", features, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../no-std/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the build with {features} failed");
    let output = Command::new("nm")
        .args(["--print-size", "--demangle", "--defined-only"])
        .arg(target.join("release/waxwing-no-std"))
        .output()
        .expect("nm is part of binutils");
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines().filter_map(function).collect()
}

/// A line of `nm` if it is for code: address, size, type, name.
fn function(line: &str) -> Option<(String, u64)> {
    let mut fields = line.splitn(4, ' ');
    let _address = fields.next()?;
    let size = u64::from_str_radix(fields.next()?, 16).ok()?;
    let kind = fields.next()?;
    matches!(kind, "t" | "T").then_some(())?;
    Some((fields.next()?.to_owned(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_counted_by_part() {
        let lines = [
            "0000000000001000 0000000000000010 t waxwing_core::handshake::client::hello::start",
            "0000000000001010 0000000000000020 t waxwing_core::handshake::client::tls12::judge",
            "0000000000001030 0000000000000040 d waxwing_core::handshake::TABLE",
            "0000000000001070 0000000000000080 t main",
        ];
        let symbols: Vec<_> = lines.into_iter().filter_map(function).collect();
        let parts = by_part(&symbols);
        assert_eq!(parts["handshake, client"], 0x10);
        assert_eq!(parts["TLS 1.2 alone"], 0x20);
        assert_eq!(parts[SUM], 0x30);
    }
}
