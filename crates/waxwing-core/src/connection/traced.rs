//! Tells a [`Trace`] of records, from outside the record layer.

use crate::limits::RECORD_HEADER;
use crate::messages::key_update::KeyUpdate;
use crate::record::stream::Opened;
use crate::trace::{Direction, Trace, TraceEvent};
use crate::{Buffer, Epoch, Error, HandshakeType, Refused};

/// Tells of a record that was received. `outer` is the first byte that it had.
pub(super) fn opened(trace: &dyn Trace, outer: Option<u8>, opened: &Opened) {
    let (consumed, inner) = match opened {
        Opened::NeedInput(_) => return,
        Opened::Skipped { consumed } => (*consumed, None),
        Opened::Record {
            content_type,
            body,
            consumed,
        } => (*consumed, Some((content_type.0, body.len()))),
    };
    trace.event(&TraceEvent::Record {
        direction: Direction::Received,
        outer_type: outer.unwrap_or_default(),
        length: consumed.saturating_sub(RECORD_HEADER),
        inner,
    });
}

/// Tells of a failure, and of what it stands for.
pub(super) fn failed(trace: &dyn Trace, error: &Error) {
    if let Some(refused) = Refused::of_error(error) {
        trace.event(&TraceEvent::Refused(refused));
    }
    trace.event(&TraceEvent::Failed(error));
}

/// Tells of a KeyUpdate that was sent, and of the key that follows it.
pub(super) fn key_updated(trace: &dyn Trace, update: KeyUpdate) {
    let direction = Direction::Sent;
    trace.event(&TraceEvent::Message {
        direction,
        typ: HandshakeType::KEY_UPDATE,
        bytes: &update.message(),
    });
    trace.event(&TraceEvent::Keys {
        direction,
        epoch: Epoch::Application,
    });
}

/// Tells of the records that were added to `out` after the first `before` bytes.
pub(super) fn sent(trace: &dyn Trace, out: &Buffer, before: usize) {
    let mut rest = out.as_slice().get(before..).unwrap_or_default();
    while let Some((&[outer_type, _, _, high, low], body)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let direction = Direction::Sent;
        trace.event(&TraceEvent::Record {
            direction,
            outer_type,
            length,
            inner: None,
        });
        rest = body.get(length..).unwrap_or_default();
    }
}
