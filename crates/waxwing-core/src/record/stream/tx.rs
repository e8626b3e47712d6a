//! The sending side: packs handshake messages and application data into records.

use alloc::vec::Vec;

use waxwing_crypto::Digest;

use crate::codec::Writer;
use crate::error::Misuse;
use crate::limits::{MAX_PLAINTEXT, RECORD_HEADER};
use crate::messages::HandshakeType;
use crate::messages::key_update::KeyUpdate;
use crate::record::gather::Gather;
use crate::record::protect::{SealKey, record_header};
#[cfg(feature = "tls12")]
use crate::record::protect12::Keys12;
use crate::record::{ContentType, EpochKeys, Flight, RecordPadding};
use crate::{AlertDescription, Buffer, Error, PeerError};

/// The version in every record header but those of the first ClientHello.
const TLS12_VERSION: u16 = 0x0303;
/// The version in the record headers of the first ClientHello (RFC 9846, Section 5.1).
const TLS10_VERSION: u16 = 0x0301;

/// Bytes that a flight makes room for with its first message: enough for most messages, so that they
/// are not moved while they grow.
const USUAL_MESSAGE: usize = 512;

/// The sending state of a connection.
pub(crate) struct Tx {
    key: Option<SealKey>,
    /// Messages of the current flight that are not in a record yet.
    pending: Vec<u8>,
    /// Most bytes of content in one record, 1 to 2^14.
    pub(crate) max_fragment: usize,
    /// Whether the next messages are the first ClientHello, whose records say 0x0301.
    pub(crate) first_hello: bool,
    /// Whether the peer has said more already than what we are to answer.
    pub(crate) interrupted: bool,
    /// How many KeyUpdates were sent, modulo 2^32.
    pub(crate) key_updates: u32,
}

impl Tx {
    pub(crate) const fn new() -> Self {
        Self::with_max_fragment(MAX_PLAINTEXT)
    }

    /// Sends so many bytes of content in one record at most.
    pub(crate) const fn with_max_fragment(max_fragment: usize) -> Self {
        Self {
            key: None,
            pending: Vec::new(),
            max_fragment,
            first_hello: false,
            interrupted: false,
            key_updates: 0,
        }
    }

    /// Goes on where another stopped, after the handshake.
    pub(crate) fn resume(key: SealKey, max_fragment: usize) -> Self {
        let mut tx = Self::with_max_fragment(max_fragment);
        tx.key = Some(key);
        tx
    }

    /// What seals the next record.
    pub(crate) const fn key(&self) -> Option<&SealKey> {
        self.key.as_ref()
    }

    /// The same, to move it on without sealing anything.
    pub(crate) const fn key_mut(&mut self) -> Option<&mut SealKey> {
        self.key.as_mut()
    }

    /// Messages go in turns: nothing that follows what ends the peer's turn can have been said by
    /// somebody who waited for our answer.
    fn check_turn(&self, otherwise: PeerError) -> Result<(), Error> {
        if self.interrupted {
            return Err(otherwise.into());
        }
        Ok(())
    }

    /// Sends an alert (RFC 9846, Section 6), after what is pending.
    pub(crate) fn alert(
        &mut self,
        level: u8,
        description: AlertDescription,
        out: &mut Buffer,
    ) -> Result<(), Error> {
        self.flush(out)?;
        self.record(ContentType::ALERT, &[level, description.0], out)
    }

    /// Sends application data: the concatenation of `parts`, all of it, cut into records.
    /// Keys are updated on the way when their limit comes near. Returns the bytes taken.
    #[inline]
    pub(crate) fn write(
        &mut self,
        parts: &[&[u8]],
        padding: RecordPadding,
        out: &mut Buffer,
    ) -> Result<usize, Error> {
        let max = self.record_content();
        let total = parts
            .iter()
            .fold(0, |sum: usize, part| sum.saturating_add(part.len()));
        self.flush(out)?;
        // Most writes are one record: that is not worth a division, and makes its own room.
        let (full_records, last) = if total <= max {
            (0, total)
        } else {
            let full_records = total.checked_div(max).unwrap_or_default();
            (full_records, total.checked_rem(max).unwrap_or_default())
        };
        let key = self.sealing()?;
        // RFC 9325, Section 4.4: a key of TLS 1.2 cannot be updated, so it ends here.
        let records = (full_records as u64).saturating_add(u64::from(last > 0));
        let updates = match key.records_left() {
            Some(left) if left < records => return Err(Misuse::KeyWornOut.into()),
            left => left.is_none(),
        };
        if full_records > 0 {
            let overhead = key.overhead();
            let record_space = |len| pad(padding, len, max).saturating_add(overhead);
            let space = full_records
                .saturating_mul(record_space(max))
                .saturating_add(if last > 0 { record_space(last) } else { 0 });
            out.space(space.saturating_add(total));
        }
        let mut from = Gather::new(parts);
        let mut left = total;
        while left > 0 {
            if updates && self.sealing()?.needs_update() {
                self.key_update(KeyUpdate::NotRequested, out)?;
            }
            let len = left.min(max);
            self.sealing()?.seal_gather(
                ContentType::APPLICATION_DATA,
                &mut from,
                len,
                pad(padding, len, max),
                out,
            )?;
            left = left.saturating_sub(len);
        }
        Ok(total)
    }

    /// Sends a KeyUpdate and moves on to the next generation of keys (RFC 9846, Section
    /// 4.7.3).
    pub(crate) fn key_update(&mut self, update: KeyUpdate, out: &mut Buffer) -> Result<(), Error> {
        let key = self.sealing()?;
        if key.records_left().is_some() {
            return Err(Misuse::NoKeyUpdate.into());
        }
        self.flush(out)?;
        let key = self.sealing()?;
        key.seal(ContentType::HANDSHAKE, &update.message(), 0, out)?;
        key.update()?;
        self.key_updates = self.key_updates.wrapping_add(1);
        Ok(())
    }

    /// Sends whole handshake messages.
    pub(crate) fn messages(
        &mut self,
        messages: &[(HandshakeType, Vec<u8>)],
        out: &mut Buffer,
    ) -> Result<(), Error> {
        for (_, bytes) in messages {
            self.pending.extend_from_slice(bytes);
        }
        self.flush(out)?;
        self.pending = Vec::new();
        Ok(())
    }

    /// Whether the next record should be a KeyUpdate.
    pub(crate) fn needs_update(&self) -> bool {
        self.key.as_ref().is_some_and(SealKey::needs_update)
    }

    /// The traffic secret of TLS 1.3 that protects the next record.
    pub(crate) fn traffic_secret(&self) -> Option<&Digest> {
        self.key.as_ref().and_then(SealKey::traffic_secret)
    }

    fn sealing(&mut self) -> Result<&mut SealKey, Error> {
        Ok(self.key.as_mut().ok_or(Misuse::HandshakePending)?)
    }

    fn record_content(&self) -> usize {
        self.max_fragment.clamp(1, MAX_PLAINTEXT)
    }

    /// Sends the pending messages, if there are any.
    #[inline]
    fn flush(&mut self, out: &mut Buffer) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.flush_pending(out)
    }

    /// Puts the pending messages into as few records as they fit. If that fails, they stay.
    #[inline(never)]
    fn flush_pending(&mut self, out: &mut Buffer) -> Result<(), Error> {
        let mut pending = core::mem::take(&mut self.pending);
        let sent = pending
            .chunks(self.record_content())
            .try_for_each(|content| self.record(ContentType::HANDSHAKE, content, out));
        if sent.is_ok() {
            pending.clear();
            self.first_hello = false;
        }
        self.pending = pending;
        sent
    }

    /// Writes one record, protected if there is a key.
    fn record(&mut self, typ: ContentType, content: &[u8], out: &mut Buffer) -> Result<(), Error> {
        match &mut self.key {
            Some(key) => key.seal(typ, content, 0, out),
            None => {
                let version = if self.first_hello && typ == ContentType::HANDSHAKE {
                    TLS10_VERSION
                } else {
                    TLS12_VERSION
                };
                plaintext_record(typ, version, content, out)
            }
        }
    }
}

/// Padding for a record of `len` bytes, which must not grow beyond `max`.
fn pad(padding: RecordPadding, len: usize, max: usize) -> usize {
    padding.padding_for(len).min(max.saturating_sub(len))
}

fn plaintext_record(
    typ: ContentType,
    version: u16,
    content: &[u8],
    out: &mut Buffer,
) -> Result<(), Error> {
    let len = u16::try_from(content.len()).map_err(|_| Misuse::TooLong)?;
    let header = record_header(typ, version, len);
    out.space(RECORD_HEADER.saturating_add(content.len()));
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    Ok(())
}

/// A flight of handshake messages on its way into records.
pub(crate) struct TxFlight<'a> {
    pub(crate) tx: &'a mut Tx,
    pub(crate) out: &'a mut Buffer,
}

impl Flight for TxFlight<'_> {
    fn message(
        &mut self,
        typ: HandshakeType,
        body: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        self.tx.check_turn(PeerError::UnexpectedMessage)?;
        let pending = &mut self.tx.pending;
        let start = pending.len();
        if start == 0 {
            pending.reserve(USUAL_MESSAGE);
        }
        let mut writer = Writer::new(pending);
        writer.u8(typ.0);
        if let Err(error) = writer.vec24(|writer| body(writer)) {
            pending.truncate(start);
            return Err(error);
        }
        Ok(pending.get(start..).unwrap_or_default())
    }

    fn change_cipher_spec(&mut self) {
        // If the messages before it cannot be sent they stay pending, and what comes next in
        // the flight fails over them again and reports it.
        if self.tx.flush(self.out).is_ok() {
            let typ = ContentType::CHANGE_CIPHER_SPEC;
            self.out
                .extend_from_slice(&record_header(typ, TLS12_VERSION, 1));
            self.out.extend_from_slice(&[1]);
        }
    }

    fn install_write(&mut self, keys: EpochKeys) -> Result<(), Error> {
        self.tx.check_turn(PeerError::MessageSpansKeyChange)?;
        self.tx.flush(self.out)?;
        self.tx.key = Some(SealKey::new(&keys)?);
        Ok(())
    }

    fn leave_early_data(&mut self, keys: Option<EpochKeys>) -> Result<(), Error> {
        self.tx.flush(self.out)?;
        self.tx.key = match keys {
            Some(keys) => Some(SealKey::new(&keys)?),
            None => None,
        };
        Ok(())
    }

    fn limit_records(&mut self, max_content: usize) {
        self.tx.max_fragment = self.tx.max_fragment.min(max_content);
    }

    #[cfg(feature = "tls12")]
    fn change_keys(&mut self, keys: &Keys12) -> Result<(), Error> {
        self.tx.check_turn(PeerError::UnexpectedMessage)?;
        self.tx.flush(self.out)?;
        self.tx
            .record(ContentType::CHANGE_CIPHER_SPEC, &[1], self.out)?;
        self.tx.key = Some(SealKey::new12(keys)?);
        Ok(())
    }

    fn end_flight(&mut self) -> Result<(), Error> {
        self.tx.flush(self.out)?;
        self.tx.pending = Vec::new();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_memory_is_held_between_flights() {
        let (mut tx, mut out) = (Tx::new(), Buffer::new());
        let mut flight = TxFlight {
            tx: &mut tx,
            out: &mut out,
        };
        flight
            .message(HandshakeType::FINISHED, &mut |_| Ok(()))
            .unwrap();
        flight.end_flight().unwrap();
        assert_eq!(out.as_slice(), [22, 3, 3, 0, 4, 20, 0, 0, 0]);
        assert_eq!(tx.pending.capacity(), 0);
    }
}
