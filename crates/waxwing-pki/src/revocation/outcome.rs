//! What was found, and what follows from it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::sct::Report;
use crate::{Code, Failure, Identity, UnixTime};

/// Who may know whether a certificate is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The OCSP response that came with the certificate (RFC 6066, Section 8).
    Staple,
    /// A revocation list (RFC 5280, Section 5).
    Crl,
    /// A CRLite filter.
    Crlite,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Staple => "stapled OCSP response",
            Self::Crl => "revocation list",
            Self::Crlite => "CRLite filter",
        })
    }
}

/// Why a certificate was revoked (RFC 5280, Section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// keyCompromise
    KeyCompromise,
    /// cACompromise
    CaCompromise,
    /// affiliationChanged
    AffiliationChanged,
    /// superseded
    Superseded,
    /// cessationOfOperation
    CessationOfOperation,
    /// certificateHold: it may become valid again.
    CertificateHold,
    /// privilegeWithdrawn
    PrivilegeWithdrawn,
    /// aACompromise
    AaCompromise,
}

impl Reason {
    /// The reason with this number; `None` for unspecified (0) and for numbers that no source of
    /// the whole truth may give.
    pub(super) const fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        })
    }
}

/// Why a source gives no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silence {
    /// It says nothing of this certificate, or there is none.
    Missing,
    /// It was good until then.
    Stale(UnixTime),
    /// It is good from then on only.
    Future(UnixTime),
    /// It is not signed by the issuer, nor by whom the issuer lets sign; what is wrong.
    WrongSigner(&'static str),
    /// It cannot be read.
    Malformed(String),
    /// The responder does not know the certificate (OCSP's status "unknown").
    Unknown,
    /// The responder reports this error instead of an answer (RFC 6960, Section 4.2.1).
    Responder(&'static str),
    /// The certificate is too new for the filter, or in none of the logs that it covers.
    NotCovered,
    /// The filter has nothing of this issuer.
    NotEnrolled,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is none for it"),
            Self::Stale(until) => write!(f, "it was good until {until} only"),
            Self::Future(from) => write!(f, "it is good from {from} on only"),
            Self::WrongSigner(words) => write!(f, "its signer is not the issuer: {words}"),
            Self::Malformed(words) => write!(f, "it is malformed: {words}"),
            Self::Unknown => f.write_str("the responder does not know the certificate"),
            Self::Responder(words) => write!(f, "the responder answers {words}"),
            Self::NotCovered => {
                f.write_str("the certificate is too new for it, or in none of its logs")
            }
            Self::NotEnrolled => f.write_str("it does not cover the issuer"),
        }
    }
}

/// What a source says of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It is not revoked, which is known until then.
    Good {
        /// When the answer ends.
        until: UnixTime,
    },
    /// It is revoked.
    Revoked {
        /// Since when, if the source tells.
        since: Option<UnixTime>,
        /// Why, if the source tells.
        reason: Option<Reason>,
    },
    /// Nothing that counts.
    Silent(Silence),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { until } => write!(f, "good, which is known until {until}"),
            Self::Revoked { since, reason } => {
                f.write_str("revoked")?;
                if let Some(since) = since {
                    write!(f, " since {since}")?;
                }
                match reason {
                    Some(reason) => write!(f, " ({reason})"),
                    None => Ok(()),
                }
            }
            Self::Silent(silence) => silence.fmt(f),
        }
    }
}

/// What one source says of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which certificate of the chain, counted from 0, the end entity.
    pub certificate: usize,
    /// Who says it.
    pub source: Source,
    /// What.
    pub status: Status,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.status)
    }
}

/// Which rule of the policy decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// A source vouches for the end entity, and nothing speaks against the chain.
    Good,
    /// Nobody knows, and the policy does not insist.
    NotKnown,
    /// A certificate is revoked.
    Revoked,
    /// The certificate demands a stapled response (RFC 7633), and no good one came.
    MustStaple,
    /// A source that the policy insists on has no answer that counts.
    SourceSilent,
    /// The policy insists on one source at least, and none has an answer that counts.
    AllSilent,
    /// Too few logs vouch for the certificate (RFC 6962).
    NotLogged,
}

/// What a [`RevocationPolicy`](super::RevocationPolicy) comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The rule that decided.
    pub decision: Decision,
    /// The finding that decided, if one did.
    pub winner: Option<Finding>,
    /// All findings: by certificate, and then in the order of [`Source`].
    pub findings: Vec<Finding>,
    /// The certificate that the decision is about: its subject, or else a name of it.
    pub subject: String,
    /// What the logs say, if the policy asks.
    pub transparency: Option<Report>,
}

impl Outcome {
    /// Whether the chain may be used.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self.decision, Decision::Good | Decision::NotKnown)
    }

    /// Which certificate of the chain the decision is about, counted from 0, the end entity.
    #[must_use]
    pub fn place(&self) -> usize {
        self.winner.as_ref().map_or(0, |winner| winner.certificate)
    }

    /// The rule that is broken; `None` if the chain may be used.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        Some(match self.decision {
            Decision::Good | Decision::NotKnown => return None,
            Decision::Revoked => Code::Revoked,
            Decision::MustStaple => Code::StapleMissing,
            Decision::NotLogged => Code::NotLogged,
            Decision::SourceSilent | Decision::AllSilent => match &self.winner {
                Some(Finding {
                    source: Source::Staple,
                    status: Status::Silent(silence),
                    ..
                }) => match silence {
                    Silence::Missing => Code::StapleMissing,
                    Silence::Unknown => Code::StatusUnknown,
                    _ => Code::BadStatus,
                },
                Some(Finding {
                    status: Status::Silent(silence),
                    ..
                }) => match silence {
                    Silence::Stale(_) => Code::ListExpired,
                    Silence::Future(_) => Code::ListNotYetValid,
                    Silence::WrongSigner(_) => Code::ListSignature,
                    _ => Code::ListMissing,
                },
                _ => Code::ListMissing,
            },
        })
    }

    /// The failure that follows; `None` if the chain may be used.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.code().map(|code| Failure::new(code, self.to_string()))
    }
}

/// One sentence: whom it is about, what was decided, and by which source.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        match (self.decision, &self.winner) {
            (Decision::Good, Some(winner)) => write!(f, "{subject} is not revoked: {winner}"),
            (Decision::Revoked, Some(winner)) => write!(f, "{subject} is revoked: {winner}"),
            (Decision::Good | Decision::NotKnown | Decision::Revoked, _) => {
                write!(f, "nobody says whether {subject} is revoked")
            }
            (Decision::MustStaple, winner) => {
                write!(f, "{subject} demands a good stapled response (RFC 7633)")?;
                match winner {
                    Some(winner) => write!(f, ", but {winner}"),
                    None => Ok(()),
                }
            }
            (Decision::SourceSilent, Some(winner)) => write!(
                f,
                "whether {subject} is revoked has to be known, but {winner}"
            ),
            (Decision::SourceSilent | Decision::AllSilent, _) => {
                write!(
                    f,
                    "whether {subject} is revoked has to be known, and nobody says"
                )?;
                let mut before = "";
                for finding in &self.findings {
                    let open = if before.is_empty() { " (" } else { before };
                    write!(f, "{open}{finding}")?;
                    before = "; ";
                }
                f.write_str(if before.is_empty() { "" } else { ")" })
            }
            (Decision::NotLogged, _) => {
                write!(f, "{subject} is not in enough logs")?;
                match &self.transparency {
                    Some(report) => write!(f, ": {report}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What to call a certificate.
pub(super) fn label(certificate: &[u8]) -> String {
    Identity::from_der(certificate).map_or_else(
        |_| "a certificate that cannot be decoded".into(),
        |identity| identity.label(),
    )
}
