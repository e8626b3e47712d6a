//! A connection in its handshake: drives handshake and record layer.

use alloc::sync::Arc;

use super::event::{Answer, Event, Progress, Wait};
use super::halves::{Levels, judge_alert};
use super::traced::{opened, sent};
use crate::error::Misuse;
use crate::handshake::{ChangeCipherSpec, EarlyData, Handshake, MaySend, Outcome, Status};
use crate::limits::{MAX_CHANGE_CIPHER_SPEC, MAX_SKIPPED_EARLY_DATA};
use crate::messages::alert::Alert;
use crate::record::stream::{Opened, Rx, Tx, TxFlight};
use crate::record::{ContentType, RecordPadding};
use crate::trace::{Direction, Trace, TraceEvent};
use crate::{AlertDescription, Buffer, Epoch, Error, PeerError};

/// Everything that exists only until the handshake is complete, in one box.
pub(super) struct Establishing {
    pub(super) handshake: Handshake,
    pub(super) rx: Rx,
    pub(super) tx: Tx,
    pub(super) padding: RecordPadding,
    waiting: Option<Wait>,
    /// Whether an answer completed the handshake, which is yet to be told.
    complete: bool,
    change_cipher_specs: u8,
    warnings: u8,
}

impl Establishing {
    pub(super) const fn new(handshake: Handshake, rx: Rx, tx: Tx, padding: RecordPadding) -> Self {
        Self {
            handshake,
            rx,
            tx,
            padding,
            waiting: None,
            complete: false,
            change_cipher_specs: 0,
            warnings: 0,
        }
    }

    pub(super) const fn trace(&self) -> Option<&Arc<dyn Trace>> {
        self.handshake.cx.trace.as_ref()
    }

    /// How alerts count in the version agreed on, or in those that may come.
    pub(super) fn levels(&self) -> Levels {
        let cx = &self.handshake.cx;
        Levels::of(cx.info.version, cx.versions)
    }

    /// Seals early data, as much as may still be sent.
    pub(super) fn write_early(&mut self, plain: &[u8], out: &mut Buffer) -> Result<usize, Error> {
        let MaySend::EarlyData(left) = self.handshake.cx.may_send else {
            return Err(Misuse::EarlyDataLimit.into());
        };
        let taken = plain.get(..left as usize).unwrap_or(plain);
        if taken.is_empty() && !plain.is_empty() {
            return Err(Misuse::EarlyDataLimit.into());
        }
        let sent = self.seal(&[taken], out)?;
        let left = left.saturating_sub(u32::try_from(sent).unwrap_or(u32::MAX));
        self.handshake.cx.may_send = MaySend::EarlyData(left);
        Ok(sent)
    }

    /// Bytes of early data that may still be sent.
    pub(super) const fn early_data_left(&self) -> usize {
        match self.handshake.cx.may_send {
            MaySend::EarlyData(left) => left as usize,
            _ => 0,
        }
    }

    /// Whether a server may say something before it has heard the client's Finished.
    pub(super) const fn may_write_half_rtt(&self) -> bool {
        matches!(self.handshake.cx.may_send, MaySend::HalfRtt)
    }

    /// Seals what a server says before it has heard the client's Finished.
    pub(super) fn write_half_rtt(
        &mut self,
        plain: &[&[u8]],
        out: &mut Buffer,
    ) -> Result<usize, Error> {
        if self.handshake.cx.may_send != MaySend::HalfRtt {
            return Err(Misuse::HandshakePending.into());
        }
        self.seal(plain, out)
    }

    fn seal(&mut self, plain: &[&[u8]], out: &mut Buffer) -> Result<usize, Error> {
        let before = out.len();
        let sent = self.tx.write(plain, self.padding, out)?;
        if let Some(trace) = self.trace() {
            self::sent(&**trace, out, before);
        }
        Ok(sent)
    }

    /// Takes records until there is something to tell.
    #[inline(never)]
    pub(super) fn process(
        &mut self,
        input: &mut [u8],
        out: &mut Buffer,
    ) -> Result<Progress, Error> {
        let mut consumed = 0;
        // Messages that had to wait for an answer come before any new record.
        let mut event = match self.waiting {
            Some(wait) => Some(Event::Wait(wait)),
            None if self.complete => Some(Event::HandshakeComplete),
            None => self.messages(&[], out)?,
        };
        loop {
            if let Some(event) = event {
                return Ok(Progress { consumed, event });
            }
            let rest = input.get_mut(consumed..).unwrap_or_default();
            let outer = rest.first().copied();
            let opened = self.rx.open(rest)?;
            if let Some(trace) = self.trace() {
                self::opened(&**trace, outer, &opened);
            }
            event = match opened {
                Opened::NeedInput(hint) => Some(Event::NeedInput(hint)),
                Opened::Skipped { consumed: taken } => {
                    consumed = consumed.saturating_add(taken);
                    None
                }
                Opened::Record {
                    content_type,
                    body,
                    consumed: taken,
                } if content_type == ContentType::APPLICATION_DATA => {
                    self.count_early_data(body.len())?;
                    let start = consumed.saturating_add(body.start);
                    let end = consumed.saturating_add(body.end);
                    consumed = consumed.saturating_add(taken);
                    (!body.is_empty()).then_some(Event::EarlyData(start..end))
                }
                Opened::Record {
                    content_type,
                    body,
                    consumed: taken,
                } => {
                    consumed = consumed.saturating_add(taken);
                    self.record(content_type, rest.get(body).unwrap_or_default(), out)?
                }
            };
        }
    }

    /// Early data came: it may, up to the limit that the session names (RFC 9846,
    /// Section 4.3.10).
    fn count_early_data(&mut self, len: usize) -> Result<(), Error> {
        let cx = &mut self.handshake.cx;
        let Some(left) = cx.early_data_left else {
            return Err(PeerError::UnexpectedRecord.into());
        };
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        let left = left.checked_sub(len).ok_or(PeerError::TooMuchEarlyData)?;
        cx.early_data_left = Some(left);
        Ok(())
    }

    fn record(
        &mut self,
        content_type: ContentType,
        content: &[u8],
        out: &mut Buffer,
    ) -> Result<Option<Event>, Error> {
        match content_type {
            ContentType::HANDSHAKE => self.messages(content, out),
            ContentType::ALERT => self.on_alert(content),
            ContentType::CHANGE_CIPHER_SPEC => self.on_change_cipher_spec(),
            _ => Err(PeerError::UnexpectedRecord.into()),
        }
    }

    /// Gives the messages of one record to the handshake.
    fn messages(&mut self, mut fragment: &[u8], out: &mut Buffer) -> Result<Option<Event>, Error> {
        loop {
            let before = out.len();
            let more = self.rx.joiner.holds_more();
            let Some(message) = self.rx.joiner.take(&mut fragment)? else {
                return Ok(None);
            };
            self.tx.interrupted = more || !fragment.is_empty();
            let mut flight = TxFlight {
                tx: &mut self.tx,
                out,
            };
            let outcome = self.handshake.on_message(message, &mut flight)?;
            if let Some(event) = self.follow(outcome, fragment, out, before)? {
                return Ok(Some(event));
            }
        }
    }

    /// Does what a step of the handshake led to. `rest` is what its record still holds.
    fn follow(
        &mut self,
        outcome: Outcome,
        rest: &[u8],
        out: &Buffer,
        before: usize,
    ) -> Result<Option<Event>, Error> {
        if let Some(trace) = self.trace() {
            sent(&**trace, out, before);
        }
        self.rx.max_content = self.handshake.cx.max_received;
        if let Some(keys) = &outcome.read {
            // RFC 9846, Section 5.1: a message before a key change ends its record.
            if !rest.is_empty() {
                return Err(PeerError::MessageSpansKeyChange.into());
            }
            self.rx.install(keys)?;
            self.trace_read_keys(keys.epoch);
        }
        if outcome.early_data != EarlyData::None {
            self.rx.skip_early_data(MAX_SKIPPED_EARLY_DATA);
        }
        match outcome.status {
            Status::Message => Ok(None),
            Status::Wait(wait) => {
                self.rx.joiner.keep(rest);
                self.waiting = Some(wait);
                Ok(Some(Event::Wait(wait)))
            }
            // Nothing of the handshake comes after its end.
            Status::Done if !(rest.is_empty() && self.rx.joiner.is_empty()) => {
                Err(PeerError::UnexpectedMessage.into())
            }
            Status::Done => {
                if let Some(trace) = self.trace() {
                    trace.event(&TraceEvent::HandshakeComplete);
                }
                Ok(Some(Event::HandshakeComplete))
            }
        }
    }

    fn on_alert(&mut self, content: &[u8]) -> Result<Option<Event>, Error> {
        let alert = Alert::read(content)?;
        if let Some(trace) = self.trace() {
            let Alert { description, .. } = alert;
            trace.event(&TraceEvent::Alert {
                direction: Direction::Received,
                description,
            });
        }
        // Closing in the middle of the handshake ends it like an error (RFC 9846, Section 6.1).
        if judge_alert(&alert, self.levels(), &mut self.warnings)? {
            return Err(Error::Alert(AlertDescription::CLOSE_NOTIFY));
        }
        Ok(None)
    }

    fn on_change_cipher_spec(&mut self) -> Result<Option<Event>, Error> {
        match self.handshake.on_change_cipher_spec()? {
            ChangeCipherSpec::Ignored => {
                self.change_cipher_specs = self.change_cipher_specs.saturating_add(1);
                if self.change_cipher_specs > MAX_CHANGE_CIPHER_SPEC {
                    return Err(PeerError::UnexpectedChangeCipherSpec.into());
                }
            }
            #[cfg(feature = "tls12")]
            ChangeCipherSpec::Keys(keys) => {
                self.rx.change_keys(&keys)?;
                self.trace_read_keys(Epoch::Application);
            }
        }
        Ok(None)
    }

    fn trace_read_keys(&self, epoch: Epoch) {
        if let Some(trace) = self.trace() {
            let direction = Direction::Received;
            trace.event(&TraceEvent::Keys { direction, epoch });
        }
    }

    /// Takes an answer. What it leads to beyond that is told by the next `process`, which also
    /// handles the messages that waited for it.
    pub(super) fn answer(&mut self, answer: Answer, out: &mut Buffer) -> Result<(), Error> {
        let before = out.len();
        self.tx.interrupted = !self.rx.joiner.is_empty();
        let mut flight = TxFlight {
            tx: &mut self.tx,
            out,
        };
        let outcome = self.handshake.answer(answer, &mut flight)?;
        self.waiting = None;
        let event = self.follow(outcome, &[], out, before)?;
        self.complete = event == Some(Event::HandshakeComplete);
        Ok(())
    }

    /// Sends an alert, the last there is, as well as can be done now.
    pub(super) fn alert(&mut self, level: u8, description: AlertDescription, out: &mut Buffer) {
        let before = out.len();
        // An alert that cannot be sealed is lost: there is nobody left to tell.
        let _ = self.tx.alert(level, description, out);
        if let Some(trace) = self.trace() {
            sent(&**trace, out, before);
            trace.event(&TraceEvent::Alert {
                direction: Direction::Sent,
                description,
            });
        }
    }
}
