//! Handshake messages out of records (RFC 9846, Section 5.1): several in one record are lent
//! from it; one that is split over records is copied together here.

use alloc::vec::Vec;

use crate::Error;
use crate::error::{DecodeError, Problem};
use crate::limits::{MAX_CLIENT_HELLO, MAX_HANDSHAKE_MESSAGE};
use crate::messages::HandshakeType;

/// Bytes of a handshake message's header: its type and length (RFC 9846, Section 4).
const HEADER: usize = 4;

/// One whole handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) typ: HandshakeType,
    /// The message with its header of 4 bytes: what the transcript takes.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// The message without its header.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}

/// Holds the bytes of messages that cannot be handed out yet, and no memory otherwise.
#[derive(Default)]
pub(crate) struct Joiner {
    bytes: Vec<u8>,
    /// Bytes at the front of `bytes` that were handed out.
    taken: usize,
}

impl Joiner {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            taken: 0,
        }
    }

    /// Whether no bytes wait here: the stream of messages is at a boundary, as far as it was
    /// given to [`Self::take`].
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// The next message from what waits here and then from the front of `fragment`, the
    /// content of a handshake record. Call it until it returns `None`: then all of `fragment`
    /// was used, and the start of an incomplete message waits here for the next record.
    pub(crate) fn take<'a, 'f: 'a>(
        &'a mut self,
        fragment: &mut &'f [u8],
    ) -> Result<Option<Message<'a>>, Error> {
        self.done();
        if self.is_empty() {
            if let Some((typ, len)) = parse_header(fragment)?
                && let Some((bytes, rest)) = fragment.split_at_checked(len)
            {
                *fragment = rest;
                return Ok(Some(Message { typ, bytes }));
            }
            self.append(fragment, usize::MAX);
            return Ok(None);
        }
        self.append(fragment, HEADER);
        let Some((typ, len)) = parse_header(self.waiting())? else {
            return Ok(None);
        };
        self.append(fragment, len);
        let start = self.taken;
        let end = start.saturating_add(len);
        if end > self.bytes.len() {
            return Ok(None);
        }
        self.taken = end;
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        Ok(Some(Message { typ, bytes }))
    }

    /// Gives the memory back if nothing waits. [`Self::take`] does so too.
    pub(crate) fn done(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }

    /// Stores the unread rest of a record, because the handshake must wait for an answer. It
    /// comes out of later calls of [`Self::take`], with an empty fragment or before another.
    pub(crate) fn keep(&mut self, mut rest: &[u8]) {
        self.append(&mut rest, usize::MAX);
    }

    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Moves bytes from the front of `fragment` until `wanted` wait here.
    fn append(&mut self, fragment: &mut &[u8], wanted: usize) {
        let missing = wanted.saturating_sub(self.waiting().len());
        let (moved, rest) = fragment
            .split_at_checked(missing)
            .unwrap_or((*fragment, &[]));
        if moved.is_empty() {
            return;
        }
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(moved);
        *fragment = rest;
    }
}

/// Type and length, header included, of the message that starts here; `None` if its header is
/// not all there. A length over the limit is refused before anything waits for it.
fn parse_header(bytes: &[u8]) -> Result<Option<(HandshakeType, usize)>, Error> {
    let Some(&[typ, a, b, c]) = bytes.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let typ = HandshakeType(typ);
    let len = u32::from_be_bytes([0, a, b, c]) as usize;
    let limit = match typ {
        HandshakeType::CLIENT_HELLO => MAX_CLIENT_HELLO,
        _ => MAX_HANDSHAKE_MESSAGE,
    };
    if len > limit {
        let error = DecodeError {
            field: "handshake message",
            problem: Problem::Limit,
        };
        return Err(error.into());
    }
    Ok(Some((typ, len.saturating_add(HEADER))))
}
