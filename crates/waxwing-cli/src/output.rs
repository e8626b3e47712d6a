//! Results go to stdout, talk goes to stderr, and colours only where they are wanted.

use core::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::args::{Colour, OutputArgs};
use crate::exit::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const LABEL: Style = AnsiColor::Cyan.on_default();

/// How much to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    quiet: bool,
    verbose: u8,
    json: bool,
}

impl Talk {
    /// Takes note of the options; the choice of colours is for the whole program.
    pub(crate) fn new(args: &OutputArgs) -> Self {
        match args.color {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::AlwaysAnsi,
            Colour::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self {
            quiet: args.quiet,
            verbose: args.verbose,
            json: args.json,
        }
    }

    /// Whether -v was given.
    pub(crate) const fn verbose(self) -> bool {
        self.verbose > 0 && !self.quiet
    }

    /// Whether --json was given.
    pub(crate) const fn json(self) -> bool {
        self.json
    }

    /// Whether -q was given.
    pub(crate) const fn quiet(self) -> bool {
        self.quiet
    }

    /// Something the user should know.
    pub(crate) fn warn(self, message: impl fmt::Display) {
        if !self.quiet {
            line(format_args!("{WARNING}warning:{WARNING:#} {message}"));
        }
    }

    /// Something the user asked for with -v.
    pub(crate) fn detail(self, message: impl fmt::Display) {
        if self.verbose() {
            line(format_args!("{message}"));
        }
    }

    /// As [`Self::detail`], with a label in front.
    pub(crate) fn fact(self, label: &str, value: impl fmt::Display) {
        self.detail(format_args!("{LABEL}{label:<13}{LABEL:#} {value}"));
    }
}

/// Says why the program ends.
pub(crate) fn fail(failure: &Failure) {
    line(format_args!("{ERROR}error:{ERROR:#} {failure}"));
    if let Some(hint) = failure.hint {
        line(format_args!("  {LABEL}help:{LABEL:#} {hint}"));
    }
}

/// There is nobody to tell where stderr is gone.
fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Lines on stdout, each a label and a value.
#[derive(Debug, Default)]
pub(crate) struct Card(String);

impl Card {
    /// A line of its own.
    pub(crate) fn title(&mut self, text: impl fmt::Display) {
        self.0.push_str(&format!("{text}\n"));
    }

    /// A label and a value.
    pub(crate) fn row(&mut self, label: &str, value: impl fmt::Display) {
        let row = format!("  {LABEL}{label:<14}{LABEL:#} {value}\n");
        self.0.push_str(&row);
    }

    /// Prints them.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = anstream::stdout();
        out.write_all(self.0.as_bytes())?;
        out.flush()
    }
}

/// Prints text that ends a command.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints one document on one line of stdout.
pub(crate) fn json(document: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(document)?;
    text.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Makes text from a stranger safe for a terminal.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_strangers_do_not_reach_the_terminal() {
        assert_eq!(safe("a\x1b[2Jb\u{9b}c\td"), "a\u{fffd}[2Jb\u{fffd}c\td");
    }
}
