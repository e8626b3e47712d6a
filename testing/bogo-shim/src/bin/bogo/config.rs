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

    /// Why this test is disabled, if it is.
    pub(crate) fn reason(&self, test: &str) -> Option<&str> {
        let found = self
            .disabled
            .iter()
            .find(|(pattern, _)| matches(pattern, test));
        found.map(|(_, reason)| reason.as_str())
    }
}

/// Whether `text` fits the pattern, in which `*` stands for anything. The runner knows more than
/// that, which nobody needs.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((front, rest)) => text.strip_prefix(front).is_some_and(|text| {
            (0..=text.len()).any(|skip| text.get(skip..).is_some_and(|text| matches(rest, text)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text) in [("a", "a"), ("*-b", "a-b"), ("a*c*e", "abcde"), ("*", "")] {
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
            assert!(!pattern.contains(['?', '[', ']', '\\', '/']), "{pattern}");
            assert_ne!(pattern.trim_matches('*'), "", "that would be every test");
        }
    }
}
