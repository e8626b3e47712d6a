//! `config.json`: which tests are disabled and why, and what our errors are called there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::Result;

/// The file, in the runner's own form.
#[derive(Deserialize)]
pub(crate) struct Config {
    #[serde(rename = "DisabledTests")]
    disabled: BTreeMap<String, String>,
}

/// Where the file is.
pub(crate) fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config.json")
}

impl Config {
    pub(crate) fn load() -> Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(path())?)?)
    }

    /// The patterns of all that is disabled, as the runner takes them.
    pub(crate) fn patterns(&self) -> String {
        let patterns: Vec<_> = self.disabled.keys().map(String::as_str).collect();
        patterns.join(";")
    }

    /// Why this test is disabled, if it is.
    pub(crate) fn reason(&self, test: &str) -> Option<&str> {
        let found = self
            .disabled
            .iter()
            .find(|(pattern, _)| matches(pattern, test));
        found.map(|(_, reason)| reason.as_str())
    }
}

/// Whether `text` fits the pattern, in which `*` stands for anything and `[^AB]` for one
/// character but those. The runner knows more than that, which nobody needs.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut rest = text.chars();
    match pattern.next() {
        None => text.is_empty(),
        Some('*') => {
            let pattern = pattern.as_str();
            let mut starts = text.char_indices().map(|(start, _)| start);
            starts.any(|start| text.get(start..).is_some_and(|text| matches(pattern, text)))
                || matches(pattern, "")
        }
        Some('[') => {
            let class = pattern.as_str().strip_prefix('^');
            let class = class.and_then(|class| class.split_once(']'));
            let (Some((others, pattern)), Some(first)) = (class, rest.next()) else {
                return false;
            };
            !others.contains(first) && matches(pattern, rest.as_str())
        }
        Some(own) => rest.next() == Some(own) && matches(pattern.as_str(), rest.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_the_runner() {
        for (pattern, text) in [
            ("a", "a"),
            ("*-b", "a-b"),
            ("a*c*e", "abcde"),
            ("*", ""),
            ("[^XY]*-c", "b-c"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("*-b", "a-bc"),
            ("a*c*e", "abde"),
            ("a*", "ba"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn every_pattern_has_a_reason_and_no_other_meaning() {
        let config = Config::load().unwrap();
        assert!(!config.disabled.is_empty());
        for (pattern, reason) in &config.disabled {
            assert!(reason.trim().len() > 3, "{pattern} has no reason");
            assert!(!pattern.contains(['?', '\\', '/']), "{pattern}");
            assert_eq!(pattern.matches('[').count(), pattern.matches("[^").count());
            assert!(!matches(pattern, "A test like any other"), "{pattern}");
        }
    }
}
