//! The sending direction after the handshake. See [`super::halves`] for the other one.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::Digest;

mod carried;
mod elsewhere;

use super::event::PeerAction;
use super::traced::{failed, key_updated, sent};
use crate::error::Misuse;
use crate::messages::HandshakeType;
use crate::messages::alert::Alert;
use crate::messages::key_update::KeyUpdate;
use crate::record::RecordPadding;
use crate::record::stream::Tx;
use crate::trace::{Direction, Trace, TraceEvent};
use crate::{AlertDescription, Buffer, Error};

/// The sending direction of an established connection.
pub struct WriteHalf {
    tx: Tx,
    padding: RecordPadding,
    closed: bool,
    /// Whether the peer was asked to update its key, and has not done so yet.
    asked: bool,
    /// Whether the peer asked for an update of our key, and has not got it yet.
    owes_update: bool,
    trace: Option<Arc<dyn Trace>>,
}

impl WriteHalf {
    pub(super) const fn new(tx: Tx, padding: RecordPadding, trace: Option<Arc<dyn Trace>>) -> Self {
        Self {
            tx,
            padding,
            closed: false,
            asked: false,
            owes_update: false,
            trace,
        }
    }

    /// Seals the concatenation of `parts`, all of it, straight from there into `out`.
    ///
    /// Keeps nothing back and never blocks; how much waits in `out` is the caller's to bound.
    /// Returns the bytes taken, which is all of them.
    ///
    /// # Errors
    /// [`Misuse::WriteClosed`] after [`Self::close`], [`Self::fail`] or an earlier error;
    /// [`Error::Crypto`] if the provider fails. Then some of `parts` may be in `out`. In TLS 1.2,
    /// [`Misuse::KeyWornOut`] if the key must not protect that much more: nothing is sent, and
    /// the connection should be closed.
    #[inline]
    pub fn write(&mut self, parts: &[&[u8]], out: &mut Buffer) -> Result<usize, Error> {
        self.check_open()?;
        if self.owes_update {
            self.update_key(false, out)?;
        }
        let padding = self.padding;
        let by_itself = KeyUpdate::NotRequested;
        self.traced(out, by_itself, |tx, out| tx.write(parts, padding, out))
    }

    /// Does what the peer asked for, or takes note of it.
    ///
    /// A new key is due before the next application data, and one is enough for all requests
    /// until then (RFC 9846, Section 4.7.3): [`Self::write`] sends it.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the provider fails.
    #[cfg_attr(
        not(feature = "tls12"),
        expect(unused_variables, reason = "only a refusal of TLS 1.2 is sent at once")
    )]
    pub fn apply(&mut self, action: PeerAction, out: &mut Buffer) -> Result<(), Error> {
        match action {
            #[cfg(feature = "tls12")]
            PeerAction::RefuseRenegotiation => return self.refuse_renegotiation(out),
            PeerAction::KeyUpdated => self.asked = false,
            PeerAction::UpdateKey => {
                self.asked = false;
                self.owes_update = true;
            }
        }
        Ok(())
    }

    /// A warning, after which everything goes on (RFC 5246, Section 7.2.2).
    #[cfg(feature = "tls12")]
    fn refuse_renegotiation(&mut self, out: &mut Buffer) -> Result<(), Error> {
        if self.closed {
            return Ok(());
        }
        let description = AlertDescription::NO_RENEGOTIATION;
        let none = KeyUpdate::NotRequested;
        self.traced(out, none, |tx, out| {
            tx.alert(Alert::WARNING, description, out)
        })?;
        if let Some(trace) = &self.trace {
            trace.event(&TraceEvent::Alert {
                direction: Direction::Sent,
                description,
            });
        }
        Ok(())
    }

    /// Changes the sending key now; with `ask_peer`, the peer changes its own in turn. It also
    /// happens by itself before the limit of the cipher is reached (RFC 9846, Section 5.5).
    ///
    /// A peer that was asked before and has not answered yet is not asked again: Section 4.7.3
    /// forbids it.
    ///
    /// # Errors
    /// As [`Self::write`]; [`Misuse::NoKeyUpdate`] in TLS 1.2.
    pub fn update_key(&mut self, ask_peer: bool, out: &mut Buffer) -> Result<(), Error> {
        self.check_open()?;
        let ask = ask_peer && !self.asked;
        let update = if ask {
            KeyUpdate::Requested
        } else {
            KeyUpdate::NotRequested
        };
        self.traced(out, update, |tx, out| tx.key_update(update, out))?;
        self.owes_update = false;
        self.asked |= ask;
        Ok(())
    }

    /// The traffic secret of what is sent next, if that is not application data.
    pub(super) fn traffic_secret(&mut self, out: &mut Buffer) -> Result<&Digest, Error> {
        if self.tx.needs_update() {
            self.update_key(false, out)?;
        }
        Ok(self
            .tx
            .traffic_secret()
            .ok_or(Misuse::NoPostHandshakeAuth)?)
    }

    /// Sends whole handshake messages.
    pub(super) fn send_messages(
        &mut self,
        messages: &[(HandshakeType, Vec<u8>)],
        out: &mut Buffer,
    ) -> Result<(), Error> {
        self.check_open()?;
        let none = KeyUpdate::NotRequested;
        self.traced(out, none, |tx, out| tx.messages(messages, out))?;
        if let Some(trace) = &self.trace {
            for (typ, bytes) in messages {
                trace.event(&TraceEvent::Message {
                    direction: Direction::Sent,
                    typ: *typ,
                    bytes,
                });
            }
        }
        Ok(())
    }

    /// Whether nothing more can be sent.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Sends close_notify: nothing more will be sent. Receiving goes on (RFC 9846, Section 6.1).
    /// The second time it does nothing.
    pub fn close(&mut self, out: &mut Buffer) {
        self.alert(Alert::WARNING, AlertDescription::CLOSE_NOTIFY, out);
    }

    /// Tells the peer of an error of the receiving direction, if it is for the peer. Nothing
    /// more will be sent.
    pub fn fail(&mut self, error: &Error, out: &mut Buffer) {
        if let Some(trace) = &self.trace {
            failed(&**trace, error);
        }
        if let Some(description) = error.alert() {
            self.alert(Alert::FATAL, description, out);
        }
        self.closed = true;
    }

    fn alert(&mut self, level: u8, description: AlertDescription, out: &mut Buffer) {
        if self.closed {
            return;
        }
        self.closed = true;
        // An alert that cannot be sealed is lost: there is nobody left to tell.
        let none = KeyUpdate::NotRequested;
        let _ = self.traced(out, none, |tx, out| tx.alert(level, description, out));
        if let Some(trace) = &self.trace {
            trace.event(&TraceEvent::Alert {
                direction: Direction::Sent,
                description,
            });
        }
    }

    const fn check_open(&self) -> Result<(), Error> {
        if self.closed {
            Err(Error::Misuse(Misuse::WriteClosed))
        } else {
            Ok(())
        }
    }

    /// Sends something; KeyUpdates among it are `update`. If that fails in the middle, the peer may have a part of the data or be
    /// ahead by a key, so nothing can follow.
    fn traced<T>(
        &mut self,
        out: &mut Buffer,
        update: KeyUpdate,
        send: impl FnOnce(&mut Tx, &mut Buffer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = out.len();
        let updates = self.tx.key_updates;
        let result = send(&mut self.tx, out);
        // Misuse is found before anything is sent. Nothing is stored where all is well: the next
        // call reads this together with its neighbours.
        if matches!(&result, Err(error) if !matches!(error, Error::Misuse(_))) {
            self.closed = true;
        }
        if let Some(trace) = &self.trace {
            sent(&**trace, out, before);
            for _ in 0..self.tx.key_updates.wrapping_sub(updates) {
                key_updated(&**trace, update);
            }
        }
        result
    }
}

impl core::fmt::Debug for WriteHalf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WriteHalf")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
