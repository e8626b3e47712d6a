//! The receiving direction as bytes; see [`super::super::export`].

use alloc::sync::Arc;

use super::{Levels, ReadHalf, Role};
use crate::codec::{Reader, Writer};
use crate::connection::export::ImportError;
use crate::connection::export::keys::{self, Suite};
use crate::record::protect::OpenKey;
use crate::record::stream::Rx;
use crate::trace::Trace;
use crate::{Error, Misuse};

impl ReadHalf {
    /// Whether a part of a message waits for the rest of it.
    pub(in crate::connection) fn is_mid_message(&self) -> bool {
        !self.rx.joiner.is_empty()
    }

    pub(in crate::connection) fn key(&self) -> Result<&OpenKey, Error> {
        Ok(self.rx.key().ok_or(Misuse::HandshakePending)?)
    }

    pub(in crate::connection) const fn role(&self) -> Role {
        self.role
    }

    /// Writes all of it but the role and the version, which both directions have in common.
    pub(in crate::connection) fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        keys::write(&self.key()?.carried(), writer)?;
        writer.u8(u8::from(self.closed));
        writer.u16(u16::try_from(self.rx.max_content).map_err(|_| Misuse::TooLong)?);
        writer.u8(self.rx.empty_records());
        writer.u8(self.key_updates);
        writer.u8(self.warnings);
        writer.u16(self.tickets);
        writer.u8(self.requests);
        #[cfg(feature = "tls12")]
        writer.u8(self.renegotiations);
        #[cfg(not(feature = "tls12"))]
        writer.u8(0);
        Ok(())
    }

    pub(in crate::connection) fn read(
        reader: &mut Reader<'_>,
        role: Role,
        suite: Suite,
        trace: Option<Arc<dyn Trace>>,
    ) -> Result<Self, ImportError> {
        let key = OpenKey::resume(&keys::read(reader, suite)?)?;
        let closed = keys::flags(reader, "receiving flags", 1)? != 0;
        let max_content = keys::record_size(reader, "largest record received")?;
        let empty_records = reader.u8()?;
        let levels = Levels::of(Some(suite.version()), crate::ProtocolVersions::TLS13);
        let mut half = Self::new(
            Rx::resume(key, max_content, empty_records),
            role,
            levels,
            trace,
            // The tickets of a client stay behind: whoever goes on has no store.
            None,
        );
        half.closed = closed;
        half.key_updates = reader.u8()?;
        half.warnings = reader.u8()?;
        half.tickets = reader.u16()?;
        half.requests = reader.u8()?;
        #[cfg(feature = "tls12")]
        {
            half.renegotiations = reader.u8()?;
        }
        #[cfg(not(feature = "tls12"))]
        keys::flags(reader, "renegotiations", 0)?;
        Ok(half)
    }
}
