//! Checks docs/standards.md, the ledger of what works: every row there, and every claim backed
//! by tests that exist. The tests that docs/attacks.md names must exist too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One row of four cells: in the ledger `| id | what | state | tests |`.
struct Row {
    id: String,
    state: String,
    tests: Vec<String>,
}

fn rows(document: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(root().join(document)).expect("a document");
    let table_rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let [id, _, state, tests, ""] = cells.as_slice() else {
            panic!("not a row of four cells: {line}");
        };
        // Names of tests stand between backquotes; the rest of the cell is for people.
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned);
        Some(Row {
            id: (*id).to_owned(),
            state: (*state).to_owned(),
            tests: tests.collect(),
        })
    });
    table_rows
        .filter(|row| row.id != "Row" && row.id != "Attack" && !row.id.starts_with(':'))
        .collect()
}

/// All test functions of the repository, as `file::function`. A `mod.rs` goes by its folder, and so
/// does a `tests.rs`.
fn test_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["crates", "testing"] {
        visit(&root().join(folder), &mut names);
    }
    names
}

fn visit(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            visit(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let named = if path.ends_with("mod.rs") || path.ends_with("tests.rs") {
                folder
            } else {
                &path
            };
            let file = named.file_stem().expect("a name").to_string_lossy();
            let source = std::fs::read_to_string(&path).expect("a source");
            names.extend(tests_in(&source).map(|function| format!("{file}::{function}")));
        }
    }
}

/// The functions that carry `#[test]` or its like.
fn tests_in(source: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    source.lines().map(str::trim).filter_map(move |line| {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        }
        let function = line.trim_start_matches("async ").strip_prefix("fn ")?;
        if !core::mem::take(&mut is_test) {
            return None;
        }
        let end = function.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        function.get(..end)
    })
}

/// `prefix.from` to `prefix.to`.
fn numbered(prefix: &str, to: usize) -> impl Iterator<Item = String> {
    (1..=to).map(move |number| format!("{prefix}.{number}"))
}

#[test]
fn every_row_is_in_the_ledger_once() {
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for (prefix, count) in [
        ("000", 17),
        ("001", 33),
        ("002", 18),
        ("003", 18),
        ("004", 14),
        ("A", 36),
        ("N", 23),
        ("R", 26),
    ] {
        expected.extend(numbered(prefix, count));
    }
    expected.extend(DRAFTS.iter().map(|draft| (*draft).to_owned()));
    expected.extend(RFCS.iter().map(|number| format!("RFC {number}")));
    let mut found = BTreeSet::new();
    for row in rows("docs/standards.md") {
        assert!(
            found.insert(row.id.clone()),
            "{} stands there twice",
            row.id
        );
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty(), "rows missing: {missing:?}");
    assert!(unknown.is_empty(), "rows nobody asked for: {unknown:?}");
}

#[test]
fn every_claim_names_a_test_that_exists() {
    let tests = test_functions();
    assert!(tests.contains("ledger::every_claim_names_a_test_that_exists"));
    let mut wrong = Vec::new();
    for Row {
        id,
        state,
        tests: named,
    } in rows("docs/standards.md")
    {
        match state.as_str() {
            "absent" if !named.is_empty() => wrong.push(format!("{id}: absent, but has a test")),
            "absent" => {}
            "partly" | "shown" | "refused" if named.is_empty() => {
                wrong.push(format!("{id}: {state} without a test"));
            }
            "partly" | "shown" | "refused" => {
                let unknown = named.iter().filter(|name| !tests.contains(*name));
                wrong.extend(unknown.map(|name| format!("{id}: there is no test {name}")));
            }
            other => wrong.push(format!("{id}: {other} is no state")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_against_an_attack_exists() {
    let tests = test_functions();
    let named: Vec<String> = rows("docs/attacks.md")
        .into_iter()
        .flat_map(|row| row.tests)
        .collect();
    assert!(!named.is_empty());
    let unknown: Vec<_> = named.iter().filter(|name| !tests.contains(*name)).collect();
    assert!(unknown.is_empty(), "there are no tests {unknown:?}");
}

#[test]
fn only_test_functions_count_as_tests() {
    let source = "#[test]\nfn one() {}\nfn helper() {}\n#[tokio::test]\nasync fn two() {\n}\n\
        proptest! {\n  #[test]\n  fn three(x in 0..1u8) {\n  }\n}\n\
        #[test]\n#[ignore = \"slow\"]\nfn four() {}";
    let found: Vec<_> = tests_in(source).collect();
    assert_eq!(found, ["one", "two", "three", "four"]);
}

/// Drafts that the list of documents in Pike's notes names.
const DRAFTS: &[&str] = &[
    "draft-hickman-netscape-ssl-00",
    "draft-freier-ssl-version3-02",
    "draft-ietf-tls-56-bit-ciphersuites-01",
    "draft-agl-tls-nextprotoneg",
];

/// The RFCs of that list, and those that replace or complete them for TLS 1.3.
const RFCS: &[u16] = &[
    2246, 2712, 3268, 3546, 3749, 3943, 4132, 4162, 4279, 4346, 4347, 4366, 4492, 4507, 4680, 4681,
    4785, 5054, 5077, 5081, 5116, 5238, 5246, 5288, 5289, 5430, 5469, 5487, 5489, 5746, 5869, 5878,
    5932, 6042, 6066, 6091, 6101, 6176, 6209, 6347, 6358, 6367, 6460, 6520, 6655, 6961, 6962, 7027,
    7250, 7251, 7301, 7366, 7457, 7465, 7507, 7525, 7568, 7627, 7685, 7748, 7905, 7918, 7919, 8422,
    8442, 8446, 8447, 8448, 8449, 8470, 8471, 8472, 8473, 8701, 8879, 8996, 9149, 9155, 9258, 9266,
    9325, 9525, 9846, 9850, 10015, 10024,
];
