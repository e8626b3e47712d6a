//! The sending direction as bytes; see [`super::super::export`].

use alloc::sync::Arc;
use core::num::NonZeroU16;

use super::WriteHalf;
use crate::codec::{Reader, Writer};
use crate::connection::export::ImportError;
use crate::connection::export::keys::{self, Suite};
use crate::record::RecordPadding;
use crate::record::protect::SealKey;
use crate::record::stream::Tx;
use crate::trace::Trace;
use crate::{Error, Misuse};

const CLOSED: u8 = 1;
const ASKED: u8 = 2;
const OWES_UPDATE: u8 = 4;

impl WriteHalf {
    pub(in crate::connection) fn key(&self) -> Result<&SealKey, Error> {
        Ok(self.tx.key().ok_or(Misuse::HandshakePending)?)
    }

    /// Writes all of it but the version, which both directions have in common.
    pub(in crate::connection) fn write_state(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        keys::write(&self.key()?.carried(), writer)?;
        let flags = [
            (self.closed, CLOSED),
            (self.asked, ASKED),
            (self.owes_update, OWES_UPDATE),
        ];
        writer.u8(keys::set(&flags));
        writer.u16(u16::try_from(self.tx.max_fragment).map_err(|_| Misuse::TooLong)?);
        writer.u16(match self.padding {
            RecordPadding::None => 0,
            RecordPadding::ToMultipleOf(unit) => unit.get(),
        });
        Ok(())
    }

    pub(in crate::connection) fn read_state(
        reader: &mut Reader<'_>,
        suite: Suite,
        trace: Option<Arc<dyn Trace>>,
    ) -> Result<Self, ImportError> {
        let key = SealKey::resume(&keys::read(reader, suite)?)?;
        let flags = keys::flags(reader, "sending flags", CLOSED | ASKED | OWES_UPDATE)?;
        let max_fragment = keys::record_size(reader, "largest record sent")?;
        let padding = match NonZeroU16::new(reader.u16()?) {
            None => RecordPadding::None,
            Some(unit) => RecordPadding::ToMultipleOf(unit),
        };
        let mut half = Self::new(Tx::resume(key, max_fragment), padding, trace);
        half.closed = flags & CLOSED != 0;
        half.asked = flags & ASKED != 0;
        half.owes_update = flags & OWES_UPDATE != 0;
        Ok(half)
    }
}
