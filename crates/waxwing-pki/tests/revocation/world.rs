//! A small world of authorities, and a server's certificate in it.

use std::sync::Arc;

use waxwing_aws_lc::PROVIDER;
use waxwing_pki::revocation::{
    Crl, CrlSet, Depth, Evidence, Mode, Outcome, Reason, RevocationPolicy, Status, VerifiedChain,
};
use waxwing_testkit::revocation::{Authority, CrlSpec, DAY, HOUR, Leaf, NOW, at};

pub(crate) const SERIAL: [u8; 2] = [7, 7];

/// A root, an authority under it, and a server's certificate.
pub(crate) struct World {
    pub(crate) root: Authority,
    pub(crate) authority: Authority,
    pub(crate) leaf: Vec<u8>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&Leaf::default())
    }

    pub(crate) fn with(leaf: &Leaf<'_>) -> Self {
        let root = Authority::root("Root");
        let authority = root.under("Authority");
        let (leaf, _) = authority.leaf(&Leaf {
            serial: SERIAL.to_vec(),
            ..leaf.clone()
        });
        Self {
            root,
            authority,
            leaf,
        }
    }

    pub(crate) fn judge(&self, policy: &RevocationPolicy, evidence: &Evidence<'_>) -> Outcome {
        let chain = [
            self.leaf.as_slice(),
            &self.authority.certificate,
            &self.root.certificate,
        ];
        policy.check(&VerifiedChain::in_order(&chain).unwrap(), evidence, NOW)
    }

    pub(crate) fn with_lists(&self, depth: Depth, lists: &[Vec<u8>]) -> Outcome {
        let policy = RevocationPolicy::new(&PROVIDER)
            .lists(set(lists), Mode::Hard)
            .depth(depth);
        self.judge(&policy, &Evidence::default())
    }

    pub(crate) fn crl(&self, spec: CrlSpec) -> Vec<u8> {
        self.authority.crl(&spec)
    }

    pub(crate) fn with_staple(&self, response: &[u8]) -> Status {
        let policy = RevocationPolicy::new(&PROVIDER).staple(Mode::Hard);
        let outcome = self.judge(&policy, &Evidence::of_server(Some(response), None));
        outcome.findings[0].status.clone()
    }
}

pub(crate) fn set(lists: &[Vec<u8>]) -> Arc<CrlSet> {
    let lists = lists.iter().map(|der| Crl::from_der(der.clone()).unwrap());
    Arc::new(CrlSet::new(&PROVIDER, lists))
}

pub(crate) const fn good(hours: i64) -> Status {
    Status::Good {
        until: at(hours * HOUR),
    }
}

pub(crate) const REVOKED: Status = Status::Revoked {
    since: Some(at(-DAY)),
    reason: Some(Reason::KeyCompromise),
};
