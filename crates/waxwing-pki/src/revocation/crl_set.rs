//! Many revocation lists, found by issuer and replaced while in use.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::HashMap;

use super::chain::Link;
use super::crl::Crl;
use super::outcome::{Silence, Status};
use super::replaceable::Replaceable;
use super::when::When;
use crate::algorithms::Algorithms;
use waxwing_crypto::CryptoProvider;

/// The lists by the name of their issuer.
type ByIssuer = HashMap<Vec<u8>, Vec<Arc<Crl>>>;

/// Revocation lists that verifiers share. [`Self::replace`] changes them for all, while
/// connections go on: each check uses the set that was there when it began.
#[derive(Debug)]
pub struct CrlSet {
    algorithms: Algorithms,
    lists: Replaceable<ByIssuer>,
}

impl CrlSet {
    /// Holds `lists`, whose signatures `provider` checks.
    #[must_use]
    pub fn new(provider: &CryptoProvider, lists: impl IntoIterator<Item = Crl>) -> Self {
        Self {
            algorithms: Algorithms::of(provider),
            lists: Replaceable::new(by_issuer(lists.into_iter().map(Arc::new))),
        }
    }

    /// Holds these lists from now on, and no others.
    pub fn replace(&self, lists: impl IntoIterator<Item = Arc<Crl>>) {
        self.lists.replace(by_issuer(lists));
    }

    /// Which lists these are.
    pub(super) fn generation(&self) -> u64 {
        self.lists.generation()
    }

    /// The lists, in no order.
    #[must_use]
    pub fn lists(&self) -> Vec<Arc<Crl>> {
        self.lists
            .current()
            .values()
            .flatten()
            .map(Arc::clone)
            .collect()
    }

    /// What the lists say of a certificate: revoked if one says so, good if one covers it.
    pub(super) fn status(&self, link: &Link<'_>, when: When<'_>) -> Status {
        let current = self.lists.current();
        let lists = current.get(link.fields.issuer);
        let mut best = Status::Silent(Silence::Missing);
        for list in lists.into_iter().flatten() {
            let status = list.status(link, &self.algorithms, when);
            if rank(&status) > rank(&best) {
                best = status;
            }
        }
        best
    }
}

/// Which of several answers counts, and of several silences, which tells most.
const fn rank(status: &Status) -> u8 {
    match status {
        Status::Revoked { .. } => 5,
        Status::Good { .. } => 4,
        Status::Silent(Silence::Stale(_)) => 3,
        Status::Silent(Silence::Future(_)) => 2,
        Status::Silent(Silence::WrongSigner(_)) => 1,
        Status::Silent(_) => 0,
    }
}

fn by_issuer(lists: impl IntoIterator<Item = Arc<Crl>>) -> ByIssuer {
    let mut by_issuer = ByIssuer::new();
    for list in lists {
        let issuer = list.issuer().to_vec();
        by_issuer.entry(issuer).or_default().push(list);
    }
    by_issuer
}
