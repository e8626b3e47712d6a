//! Starting the runner, and reading what it wrote.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use crate::{Result, config};

/// How the runner calls a test that went well.
pub(crate) const PASS: &str = "PASS";
/// How it calls one that the shim could not do.
pub(crate) const SKIP: &str = "SKIP";

/// The runner with its files.
pub(crate) struct Runner {
    program: PathBuf,
    shim: PathBuf,
    files: TempDir,
}

#[derive(Deserialize)]
struct Results {
    tests: BTreeMap<String, Test>,
}

#[derive(Deserialize)]
struct Test {
    actual: String,
}

impl Runner {
    pub(crate) fn new(program: &Path) -> Result<Self> {
        Ok(Self {
            program: program.canonicalize()?,
            // Cargo puts both programs of this package into one folder.
            shim: env::current_exe()?.with_file_name("waxwing-bogo-shim"),
            files: TempDir::new()?,
        })
    }

    /// The names of all tests, disabled or not: a shim that can do nothing is asked for each.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let mut command = self.command("names.json");
        command.env("WAXWING_BOGO_SKIP_ALL", "1");
        command.arg("-include-disabled").stdout(Stdio::null());
        command.status()?;
        Ok(self.read("names.json")?.into_keys().collect())
    }

    /// Runs the tests; what became of each. What failed is told on the way, if wanted.
    pub(crate) fn run(&self, flags: &[&str], told: bool) -> Result<BTreeMap<String, String>> {
        let mut command = self.command("results.json");
        command.env("WAXWING_BOGO_REASONS", self.reasons_path());
        command.args(flags).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        // Lines about tests that passed or were skipped say nothing that the tables do not.
        for line in BufReader::new(output).lines() {
            let line = line?;
            if told
                && !line.is_empty()
                && !line.starts_with("PASSED")
                && !line.starts_with("UNIMPL")
            {
                println!("{line}");
            }
        }
        child.wait()?;
        self.read("results.json")
    }

    /// Why the shim skipped tests: how many for each reason.
    pub(crate) fn reasons(&self) -> Result<BTreeMap<String, usize>> {
        let mut counts = BTreeMap::new();
        for reason in fs::read_to_string(self.reasons_path())?.lines() {
            *counts.entry(reason.to_owned()).or_default() += 1;
        }
        Ok(counts)
    }

    fn reasons_path(&self) -> PathBuf {
        self.files.path().join("reasons")
    }

    fn command(&self, results: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            // The suite as a whole takes as long as it takes.
            .args(["-test.timeout", "0", "-allow-unimplemented"])
            .arg("-shim-path")
            .arg(&self.shim)
            .arg("-shim-config")
            .arg(config::path())
            .arg("-json-output")
            .arg(self.files.path().join(results));
        command
    }

    fn read(&self, results: &str) -> Result<BTreeMap<String, String>> {
        let bytes = fs::read(self.files.path().join(results))?;
        let results: Results = serde_json::from_slice(&bytes)?;
        let tests = results.tests.into_iter();
        Ok(tests.map(|(name, test)| (name, test.actual)).collect())
    }
}
