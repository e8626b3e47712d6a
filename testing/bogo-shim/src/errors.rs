//! Names for what went wrong, as `config.json` knows them.

use core::fmt;

use waxwing_core::Error;

/// Why a test did not go well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine ended the connection.
    Tls(Error),
    /// The connection is not what the test expects.
    Unexpected(String),
    /// A file or the transport failed us.
    Environment(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Tls(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The words are for people, the name is for the runner.
            Self::Tls(error) => write!(f, "{} ({error})", name(error)),
            Self::Unexpected(what) => write!(f, "Unexpected: {what}"),
            Self::Environment(what) => write!(f, "Environment: {what}"),
        }
    }
}

/// The name of an error: its kind, and which of that kind.
///
/// The runner looks for a name anywhere in our words, so no name is part of another: each ends
/// with a bracket.
pub(crate) fn name(error: &Error) -> String {
    match error {
        Error::Decode(decode) => format!("Decode({}, {:?})", decode.field, decode.problem),
        Error::Peer(rule) => format!("Peer({rule:?})"),
        Error::Incompatible(lack) => format!("Incompatible({lack:?})"),
        Error::Certificate(rejection) => format!("Certificate({:?})", rejection.code),
        Error::Alert(alert) => format!("Alert({alert})"),
        Error::Truncated => "End(Truncated)".to_owned(),
        Error::HandshakeCut => "End(HandshakeCut)".to_owned(),
        Error::Misuse(misuse) => format!("Misuse({misuse:?})"),
        Error::Crypto(error) => format!("Crypto({error:?})"),
        other => format!("Other({other:?})"),
    }
}
