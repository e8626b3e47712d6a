//! What a run amounts to.

use core::fmt;
use std::collections::BTreeMap;

use crate::config::Config;
use crate::runner::{PASS, SKIP};

/// The counts of a run.
pub(crate) struct Outcome {
    pub(crate) total: usize,
    pub(crate) passed: usize,
    pub(crate) failed: Vec<String>,
    /// Tests that ask for what is absent: how many for each reason.
    pub(crate) absent: BTreeMap<String, usize>,
    /// Tests that a pattern disables: how many for each reason.
    pub(crate) disabled: BTreeMap<String, usize>,
}

impl Outcome {
    pub(crate) fn new(
        config: &Config,
        names: &[String],
        results: &BTreeMap<String, String>,
        absent: &BTreeMap<String, usize>,
    ) -> Self {
        let mut disabled = BTreeMap::new();
        let reasons = names.iter().filter_map(|name| config.reason(name));
        for reason in reasons {
            *disabled.entry(reason.to_owned()).or_default() += 1;
        }
        Self {
            total: names.len(),
            passed: results.values().filter(|result| *result == PASS).count(),
            failed: results
                .iter()
                .filter(|(_, result)| *result != PASS && *result != SKIP)
                .map(|(name, _)| name.clone())
                .collect(),
            absent: absent.clone(),
            disabled,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |reasons: &BTreeMap<String, usize>| reasons.values().sum::<usize>();
        write!(
            f,
            "{} tests: {} passed, {} failed, {} ask for what is absent, {} disabled",
            self.total,
            self.passed,
            self.failed.len(),
            count(&self.absent),
            count(&self.disabled),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_is_counted_once() {
        let config: Config = serde_json::from_str(r#"{"DisabledTests": {"D-*": "off"}}"#).unwrap();
        let names = ["A", "B", "C", "D-1", "D-2"].map(String::from);
        let results = [("A", "PASS"), ("B", "FAIL"), ("C", "SKIP")];
        let results = results.map(|(name, result)| (name.to_owned(), result.to_owned()));
        let absent = BTreeMap::from([("QUIC".to_owned(), 1)]);
        let outcome = Outcome::new(&config, &names, &results.into(), &absent);
        assert_eq!(outcome.failed, ["B"]);
        assert_eq!(
            outcome.to_string(),
            "5 tests: 1 passed, 1 failed, 1 ask for what is absent, 2 disabled"
        );
        assert_eq!(outcome.disabled, BTreeMap::from([("off".to_owned(), 2)]));
    }
}
