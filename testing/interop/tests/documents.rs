//! Keeps the documents true: the README's examples are those that are compiled, its commands are
//! there, and every link and path leads to something.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All documents that people wrote.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/adr", "docs/internals"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn the_readme_shows_the_examples_as_they_are_compiled() {
    let readme = read(&root().join("README.md"));
    for example in ["client", "server"] {
        let path = root().join(format!("crates/waxwing/examples/{example}.rs"));
        let block = format!("```rust\n{}```\n", read(&path));
        assert!(readme.contains(&block), "{example}.rs differs");
    }
}

#[test]
fn the_readme_has_exactly_two_commands() {
    let readme = read(&root().join("README.md"));
    let commands: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("    cargo "))
        .collect();
    assert_eq!(
        commands,
        [
            "run --release -p waxwing-cli -- serve .",
            "test --workspace"
        ]
    );
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = read(&document);
        let folder = document.parent().expect("a folder");
        // A link is `](target)`.
        for rest in text.split("](").skip(1) {
            let (target, _) = rest.split_once(')').expect("the link ends");
            let target = target.split('#').next().unwrap_or_default();
            let external = target.starts_with("https://");
            if !external && !target.is_empty() && !folder.join(target).exists() {
                dead.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_path_that_is_named_exists() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = read(&document);
        for line in text.lines().filter(|line| !line.starts_with("    ")) {
            // Every second part between backquotes is code.
            for code in line.split('`').skip(1).step_by(2) {
                let is_path = ["crates/", "testing/", "docs/"]
                    .iter()
                    .any(|start| code.starts_with(start));
                // Capitals stand for something, as in testing/fuzz/seeds/TARGET.
                let is_pattern = code
                    .split('/')
                    .any(|part| part.starts_with(char::is_uppercase) && !part.contains('.'));
                let is_name = code
                    .chars()
                    .all(|c| c.is_alphanumeric() || "/._-".contains(c));
                if is_path && is_name && !is_pattern && !root().join(code).exists() {
                    missing.push(format!("{}: {code}", document.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
