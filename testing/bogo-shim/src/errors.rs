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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::Deserialize;
    use waxwing_core::{CertificateError, Incompatible, PeerError, Rejection};

    use super::*;

    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "ErrorMap")]
        errors: BTreeMap<String, Vec<String>>,
    }

    /// The names of all errors that a peer can bring about, but for those that carry more than
    /// a rule.
    fn names() -> BTreeSet<String> {
        let peer = PeerError::ALL.iter().map(|rule| Error::Peer(*rule));
        let lacks = Incompatible::ALL.iter().map(|lack| Error::from(*lack));
        let certificates = CertificateError::ALL.iter();
        let certificates = certificates.map(|code| Rejection::from(*code).into());
        let ends = [Error::Truncated, Error::HandshakeCut];
        let all = peer.chain(lacks).chain(certificates).chain(ends);
        all.map(|error| name(&error)).collect()
    }

    #[test]
    fn every_error_has_a_name_of_its_own() {
        let names = names();
        let count = PeerError::ALL.len() + Incompatible::ALL.len() + CertificateError::ALL.len();
        assert_eq!(names.len(), count + 2);
        for name in &names {
            let inside = names.iter().filter(|other| other.contains(name.as_str()));
            assert_eq!(inside.count(), 1, "{name} is part of another name");
        }
        assert!(names.contains("Peer(BadFinished)"));
        assert!(names.contains("Certificate(Refused)"));
    }

    #[test]
    fn the_runners_errors_are_mapped_to_names_that_exist() {
        let config: Config = serde_json::from_str(include_str!("../config.json")).unwrap();
        let names = names();
        for (theirs, ours) in &config.errors {
            assert!(!ours.is_empty(), "{theirs}");
            for name in ours {
                // The kind is enough where a message is malformed; an alert has any name, and a
                // check of the shim's is in its own words.
                let known = name == "Decode("
                    || name.starts_with("Alert(")
                    || name.starts_with("Unexpected: ")
                    || names.contains(name);
                assert!(known, "{theirs} is mapped to {name}, which is no error");
            }
        }
    }
}
