//! Paths of plain certificates, which need not be decoded to be held to the policy.

use alloc::vec::Vec;

use webpki::VerifiedPath;

use super::Plain;
use crate::explain::Case;
use crate::path::{Check, Judge};
use crate::rules::Role;
use crate::{Failure, Profile};

impl Judge {
    /// The certificate, if it breaks no rule of a handshake by this policy, and that is seen at
    /// once. What [`Profile::WebPki`] asks for beyond the others is not looked at here.
    pub(crate) fn plain<'a>(
        &self,
        der: &'a [u8],
        role: Role,
        case: &Case<'_>,
    ) -> Option<Plain<'a>> {
        let usual = self.policy.profile <= Profile::Strict && !self.policy.purpose_required;
        if !usual || case.apart {
            return None;
        }
        Plain::read(der).filter(|plain| plain.is_good(role, self.strength()))
    }
}

impl Check<'_> {
    /// How many intermediates a path has, if all of it is plain and the policy allows as many.
    pub(crate) fn plain_intermediates(&self, path: &VerifiedPath<'_>) -> Option<usize> {
        let leaf = self.plain?;
        self.time(leaf.not_before, leaf.not_after);
        let mut count: usize = 0;
        for certificate in path.intermediate_certificates() {
            let der = certificate.der();
            let plain = self.judge.plain(&der, Role::Intermediate, self.case)?;
            if plain.is_self_issued() {
                return None;
            }
            self.time(plain.not_before, plain.not_after);
            count = count.checked_add(1)?;
        }
        let mut anchors = self.candidates.like(path.anchor());
        let all_plain = anchors.all(|anchor| !anchor.is_constrained());
        (all_plain && count <= self.judge.policy.depth).then_some(count)
    }

    /// As [`Self::hold`], for a path whose certificates are good.
    pub(crate) fn plain_path(&self, path: &VerifiedPath<'_>, count: usize) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for anchor in self.candidates.like(path.anchor()) {
            outcome = self.anchor(anchor, count);
            if let (Ok(()), Some(policy)) = (&outcome, &self.judge.revocation) {
                let above = path.intermediate_certificates().map(|one| one.der());
                let ders = core::iter::once(path.end_entity().der()).chain(above);
                let places: Vec<_> = ders.map(|der| self.place(&der)).collect();
                outcome = self.revocation(policy, &places, anchor);
            }
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}
