//! Witnesses: values that exist only if a check was passed.
//!
//! A step that must not be reached without a check demands the witness as an argument, so that
//! leaving the check out does not compile.

/// The peer signed the transcript with the key of its certificate.
#[derive(Debug)]
pub(crate) struct SignatureOk(());

impl SignatureOk {
    /// For [`super::auth`] alone, after the signature verified.
    pub(super) const fn after_verification() -> Self {
        Self(())
    }
}

/// The peer's Finished matches the transcript.
#[derive(Debug)]
pub(crate) struct FinishedOk {
    _after_verification: (),
}

impl FinishedOk {
    /// For [`super::auth`] alone, after the comparison.
    pub(super) const fn after_verification() -> Self {
        Self {
            _after_verification: (),
        }
    }
}
