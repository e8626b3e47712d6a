//! Why the program ends: exit codes, and failures that carry one.

use core::error::Error;
use core::fmt;
use std::io;

use waxwing::{AlertDescription, CertificateError, Incompatible, Rejection};

/// An exit code. `waxwing help exit-codes` explains them; scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Good = 0,
    Verdict = 1,
    Usage = 2,
    Network = 3,
    Tls = 4,
    Untrusted = 5,
    Revoked = 6,
    Bug = 70,
}

impl Code {
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The word for it in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Verdict => "verdict",
            Self::Usage => "usage",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::Untrusted => "untrusted",
            Self::Revoked => "revoked",
            Self::Bug => "bug",
        }
    }
}

/// What ended the program, and what the user can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    pub(crate) fn network(message: impl Into<String>) -> Self {
        Self::new(Code::Network, message)
    }

    pub(crate) fn tls(message: impl Into<String>) -> Self {
        Self::new(Code::Tls, message)
    }

    /// A file named by the user that cannot be used.
    pub(crate) fn file(path: &std::path::Path, error: &io::Error) -> Self {
        Self::usage(format!("{}: {}", path.display(), plain(error)))
    }

    /// Stdout that cannot be written to.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        Self::usage(format!("cannot write to stdout: {}", plain(error)))
    }

    pub(crate) const fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What went wrong on a connection, at whatever layer: the engine's error, if there is one
    /// below, decides the code.
    pub(crate) fn connection(doing: &str, error: &(dyn Error + 'static)) -> Self {
        match engine_error(error) {
            Some(waxwing::Error::Certificate(rejection)) => rejected(doing, rejection),
            Some(error) => {
                let hint = hint(error);
                let failure = Self::tls(format!("{doing}: {error}"));
                Self { hint, ..failure }
            }
            None => Self::tls(format!("{doing}: {}", chain(error))),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What the user can do about an error of the engine.
fn hint(error: &waxwing::Error) -> Option<&'static str> {
    match *error {
        waxwing::Error::Alert(AlertDescription::PROTOCOL_VERSION)
        | waxwing::Error::Incompatible(Incompatible::Version) => Some(
            "--min-version and --max-version say what is spoken; nothing before TLS 1.2 is safe \
             (RFC 8996)",
        ),
        waxwing::Error::Alert(AlertDescription::CERTIFICATE_REQUIRED) => {
            Some("--cert FILE and --key FILE show a certificate")
        }
        _ => None,
    }
}

fn rejected(doing: &str, rejection: &Rejection) -> Failure {
    let code = match rejection.code {
        CertificateError::Revoked => Code::Revoked,
        _ => Code::Untrusted,
    };
    let failure = Failure::new(code, format!("{doing}: {rejection}"));
    match rejection.code {
        CertificateError::UnknownIssuer | CertificateError::SelfSigned => {
            failure.with_hint("trust it with --ca FILE or --pin PIN, if you know whose it is")
        }
        CertificateError::NameMismatch => {
            failure.with_hint("--servername NAME expects another name")
        }
        _ => failure,
    }
}

/// The TLS engine's error somewhere below `error`.
fn engine_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a waxwing::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = below(error);
    }
    None
}

/// What caused `error`. An `io::Error` does not name what it wraps as its source.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// All messages from `error` downwards, without repetitions.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let message = match error.downcast_ref::<io::Error>() {
            Some(error) => plain(error),
            None => error.to_string(),
        };
        if !text.contains(&message) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&message);
        }
        next = below(error);
    }
    text
}

/// An I/O error without the number that the system has for it.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(error: waxwing::Error) -> io::Error {
        io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn the_engines_error_decides_however_deep_it_is() {
        let code = |error| Failure::connection("x", &wrapped(error)).code;
        let rejected = |code: CertificateError| waxwing::Error::from(Rejection::from(code));
        assert_eq!(code(rejected(CertificateError::Expired)), Code::Untrusted);
        assert_eq!(code(rejected(CertificateError::Revoked)), Code::Revoked);
        assert_eq!(code(waxwing::Error::Truncated), Code::Tls);
        let other = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::connection("x", &other).code, Code::Tls);
    }

    #[test]
    fn a_chain_says_each_thing_once() {
        let failure = Failure::connection("reading", &io::Error::other(io::Error::other("deep")));
        assert_eq!(failure.message, "reading: deep");
    }

    #[test]
    fn the_codes_are_frozen() {
        let all = [
            (Code::Good, 0),
            (Code::Verdict, 1),
            (Code::Usage, 2),
            (Code::Network, 3),
            (Code::Tls, 4),
            (Code::Untrusted, 5),
            (Code::Revoked, 6),
            (Code::Bug, 70),
        ];
        for (code, number) in all {
            assert_eq!(code.number(), number, "{}", code.word());
        }
    }
}
