//! Receiving what somebody else opened; see [`super::super::kernel`].

use super::ReadHalf;
use crate::connection::event::Event;
use crate::record::ContentType;
use crate::{Error, PeerError};

impl ReadHalf {
    /// Takes the content of one record.
    pub(in crate::connection) fn take_opened(
        &mut self,
        typ: ContentType,
        content: &[u8],
    ) -> Result<Option<Event>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.closed {
            return Ok(Some(Event::PeerClosed));
        }
        self.opened(typ, content)
            .inspect_err(|error| self.failed = Some(error.clone()))
    }

    fn opened(&mut self, typ: ContentType, content: &[u8]) -> Result<Option<Event>, Error> {
        self.rx.check_content(typ, content.len())?;
        match typ {
            ContentType::APPLICATION_DATA if content.is_empty() => Ok(None),
            ContentType::APPLICATION_DATA => {
                self.on_data();
                Ok(None)
            }
            ContentType::HANDSHAKE => self.messages(content, None),
            ContentType::ALERT => self.on_alert(content),
            ContentType::CHANGE_CIPHER_SPEC => Err(PeerError::UnexpectedChangeCipherSpec.into()),
            _ => Err(PeerError::UnexpectedRecord.into()),
        }
    }
}
