//! The tables in `docs/conformance.md`.

use core::fmt::Write;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::outcome::Outcome;

const BEGIN: &str = "<!-- bogo: begin -->\n";
const END: &str = "<!-- bogo: end -->";

/// Writes the outcome between the markers.
pub(crate) fn write(outcome: &Outcome, again: &Outcome, commit: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let page = fs::read_to_string(&path)?;
    let page = replace(&page, &tables(outcome, again, commit, &today()?)?)?;
    Ok(fs::write(path, page)?)
}

fn today() -> Result<String> {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output()?;
    Ok(String::from_utf8(date.stdout)?.trim().to_owned())
}

fn replace(page: &str, tables: &str) -> Result<String> {
    let (front, rest) = page.split_once(BEGIN).ok_or("no begin of the tables")?;
    let (_, back) = rest.split_once(END).ok_or("no end of the tables")?;
    Ok(format!("{front}{BEGIN}{tables}{END}{back}"))
}

fn tables(outcome: &Outcome, again: &Outcome, commit: &str, date: &str) -> Result<String> {
    let sum = |reasons: &BTreeMap<String, usize>| reasons.values().sum::<usize>();
    let mut text = String::new();
    writeln!(
        text,
        "\nRun on {date} with the runner of BoringSSL's commit `{commit}`.\n"
    )?;
    writeln!(text, "| | Tests |\n|:--|--:|")?;
    writeln!(text, "| passed | {} |", outcome.passed)?;
    writeln!(text, "| failed | {} |", outcome.failed.len())?;
    writeln!(text, "| passed the hard way | {} |", again.passed)?;
    writeln!(text, "| failed the hard way | {} |", again.failed.len())?;
    writeln!(
        text,
        "| ask for what is absent | {} |",
        sum(&outcome.absent)
    )?;
    writeln!(text, "| disabled | {} |", sum(&outcome.disabled))?;
    writeln!(text, "| all | {} |", outcome.total)?;
    rows(&mut text, "What is absent", &outcome.absent)?;
    rows(&mut text, "Why a test is disabled", &outcome.disabled)?;
    writeln!(text)?;
    Ok(text)
}

/// One table of reasons, the largest first.
fn rows(text: &mut String, title: &str, reasons: &BTreeMap<String, usize>) -> Result<()> {
    writeln!(text, "\n| {title} | Tests |\n|:--|--:|")?;
    let mut reasons: Vec<_> = reasons.iter().collect();
    reasons.sort_by_key(|(_, count)| core::cmp::Reverse(**count));
    for (reason, count) in reasons {
        writeln!(text, "| {reason} | {count} |")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_what_stands_between_the_markers() {
        let outcome = Outcome {
            total: 6,
            passed: 1,
            failed: vec!["B".to_owned()],
            absent: BTreeMap::from([("QUIC".to_owned(), 1), ("DTLS".to_owned(), 2)]),
            disabled: BTreeMap::from([("off".to_owned(), 1)]),
        };
        let tables = tables(&outcome, &outcome, "abc", "2026-01-02").unwrap();
        let page = format!("front\n{BEGIN}old\n{END}\nback\n");
        let page = replace(&page, &tables).unwrap();
        assert!(page.starts_with(&format!("front\n{BEGIN}\nRun on 2026-01-02")));
        assert!(page.ends_with(&format!("| off | 1 |\n\n{END}\nback\n")));
        assert!(page.contains("| DTLS | 2 |\n| QUIC | 1 |\n"));
        assert!(!page.contains("old"));
        assert!(replace("no markers", &tables).is_err());
    }
}
