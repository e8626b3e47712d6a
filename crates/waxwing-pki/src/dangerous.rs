//! Going on although nobody vouches for the peer.
//!
//! A connection made this way is encrypted, but an attacker in between can be its other end.

use alloc::sync::Arc;
use core::fmt;

use waxwing_core::{Rejection, ServerCertRequest, ServerCertVerifier, Verdict, Verified};

use crate::end_entity;

type Report = dyn Fn(&Rejection) + Send + Sync;

/// **Insecure**: accepts every certificate whose key can be read.
///
/// The server must still prove that it holds the key of the certificate it shows.
pub struct AcceptAny {
    judge: Option<(Arc<dyn ServerCertVerifier>, Arc<Report>)>,
}

impl AcceptAny {
    /// Accepts without a word.
    #[must_use]
    pub const fn silently() -> Self {
        Self { judge: None }
    }

    /// Asks `judge` as well, and tells `report` what it would have been rejected for.
    #[must_use]
    pub fn reporting(
        judge: Arc<dyn ServerCertVerifier>,
        report: impl Fn(&Rejection) + Send + Sync + 'static,
    ) -> Self {
        Self {
            judge: Some((judge, Arc::new(report))),
        }
    }
}

impl ServerCertVerifier for AcceptAny {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        if let Some((judge, report)) = &self.judge
            && let Verdict::Rejected(rejection) = judge.verify(request)
        {
            report(&rejection);
        }
        let leaf = request.chain.first().copied().unwrap_or_default();
        end_entity::spki(leaf)
            .map(Verified::holder_of)
            .map_or_else(Verdict::Rejected, Verdict::Accepted)
    }
}

impl fmt::Debug for AcceptAny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptAny (INSECURE)")
    }
}
