//! Sending what somebody else seals; see [`super::super::kernel`].

use super::WriteHalf;
use crate::connection::event::PeerAction;
use crate::connection::traced::key_updated;
use crate::messages::key_update::KeyUpdate;
use crate::{Error, Misuse};

impl WriteHalf {
    /// Takes note of the peer's KeyUpdate.
    pub(in crate::connection) const fn note_update(&mut self, action: PeerAction) {
        self.asked = false;
        self.owes_update |= matches!(action, PeerAction::UpdateKey);
    }

    /// Whether the next record should be a KeyUpdate, if that many more may be sealed.
    pub(in crate::connection) fn owes_update(&self, records_left: u64) -> bool {
        let updates = self.tx.traffic_secret().is_some();
        !self.closed && updates && (self.owes_update || records_left == 0)
    }

    /// The sequence number of the next record.
    pub(in crate::connection) fn sealed_elsewhere(&mut self, seq: u64) {
        if let Some(key) = self.tx.key_mut() {
            key.sealed_elsewhere(seq);
        }
    }

    pub(in crate::connection) const fn max_fragment(&self) -> usize {
        self.tx.max_fragment
    }

    /// The KeyUpdate after which the next key counts; the key is that one already.
    pub(in crate::connection) fn update_elsewhere(
        &mut self,
        ask_peer: bool,
    ) -> Result<[u8; 5], Error> {
        self.check_open()?;
        let ask = ask_peer && !self.asked;
        let update = if ask {
            KeyUpdate::Requested
        } else {
            KeyUpdate::NotRequested
        };
        let key = self.tx.key_mut().ok_or(Misuse::HandshakePending)?;
        key.update()?;
        self.owes_update = false;
        self.asked |= ask;
        if let Some(trace) = &self.trace {
            key_updated(&**trace, update);
        }
        Ok(update.message())
    }

    /// Nothing more is sent; whether something could have been.
    pub(in crate::connection) const fn end_elsewhere(&mut self) -> bool {
        !core::mem::replace(&mut self.closed, true)
    }
}
