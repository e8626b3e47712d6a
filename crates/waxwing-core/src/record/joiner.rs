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

    /// Whether more waits here than one message.
    pub(crate) fn holds_more(&self) -> bool {
        let first = parse_header(self.waiting());
        matches!(first, Ok(Some((_, len))) if len < self.waiting().len())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects)]

    use super::*;

    fn message(typ: u8, len: usize) -> Vec<u8> {
        let mut bytes = alloc::vec![typ, 0, (len >> 8) as u8, len as u8];
        bytes.extend((0..len).map(|i| (i as u8) ^ typ));
        bytes
    }

    /// All that `joiner` makes of `fragment`.
    fn take_all(joiner: &mut Joiner, mut fragment: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Some(message) = joiner.take(&mut fragment).unwrap() {
            assert_eq!(message.typ.0, message.bytes[0]);
            assert_eq!(message.body(), &message.bytes[4..]);
            messages.push(message.bytes.to_vec());
        }
        assert!(fragment.is_empty());
        messages
    }

    fn sample() -> (Vec<Vec<u8>>, Vec<u8>) {
        let messages = alloc::vec![
            message(2, 30),
            message(8, 0),
            message(11, 17),
            message(24, 1)
        ];
        let stream = messages.concat();
        (messages, stream)
    }

    #[test]
    fn any_two_cuts_give_the_same_messages() {
        let (messages, stream) = sample();
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let mut joiner = Joiner::new();
                let mut taken = take_all(&mut joiner, &stream[..first]);
                taken.extend(take_all(&mut joiner, &stream[first..second]));
                taken.extend(take_all(&mut joiner, &stream[second..]));
                assert_eq!(taken, messages, "cut at {first} and {second}");
                assert!(joiner.is_empty());
                assert_eq!(joiner.bytes.capacity(), 0);
            }
        }
    }

    #[test]
    fn single_bytes_give_the_same_messages() {
        let (messages, stream) = sample();
        let mut joiner = Joiner::new();
        let mut taken = Vec::new();
        for byte in &stream {
            taken.extend(take_all(&mut joiner, &[*byte]));
        }
        assert_eq!(taken, messages);
    }

    #[test]
    fn whole_messages_are_lent_not_copied() {
        let (_, stream) = sample();
        let mut joiner = Joiner::new();
        let mut fragment = stream.as_slice();
        let message = joiner.take(&mut fragment).unwrap().unwrap();
        assert!(core::ptr::eq(message.bytes, &raw const stream[..34]));
        assert_eq!(joiner.bytes.capacity(), 0);
    }

    #[test]
    fn what_was_kept_comes_first() {
        let (messages, stream) = sample();
        let next = message(20, 32);
        for cut in 0..=stream.len() {
            let mut joiner = Joiner::new();
            let mut fragment = stream.as_slice();
            // The first message makes the handshake wait; the record goes on.
            joiner.take(&mut fragment).unwrap().unwrap();
            let (kept, later) = stream.split_at(cut.max(34));
            joiner.keep(&kept[34..]);
            assert_eq!(joiner.is_empty(), kept.len() == 34);
            let mut taken = take_all(&mut joiner, &[]);
            taken.extend(take_all(&mut joiner, &[later, next.as_slice()].concat()));
            assert_eq!(taken[..3], messages[1..]);
            assert_eq!(taken[3..], *core::slice::from_ref(&next));
            assert!(joiner.is_empty());
        }
    }

    #[test]
    fn a_message_taken_from_the_joiner_no_longer_counts_as_waiting() {
        let (_, stream) = sample();
        let mut joiner = Joiner::new();
        assert_eq!(take_all(&mut joiner, &stream[..20]).len(), 0);
        assert!(!joiner.is_empty());
        let mut fragment = &stream[20..34];
        assert!(joiner.take(&mut fragment).unwrap().is_some());
        assert!(joiner.is_empty() && fragment.is_empty());
        assert_ne!(joiner.bytes.capacity(), 0);
        joiner.done();
        assert_eq!(joiner.bytes.capacity(), 0);
    }

    #[test]
    fn messages_that_always_straddle_records_do_not_pile_up() {
        let stream = message(4, 96).repeat(100);
        let mut joiner = Joiner::new();
        let mut count = take_all(&mut joiner, &stream[..50]).len();
        for record in stream[50..].chunks(100) {
            count += take_all(&mut joiner, record).len();
            assert!(joiner.bytes.len() <= 150);
        }
        assert_eq!(count, 100);
    }

    #[test]
    fn the_length_is_judged_as_soon_as_it_is_known() {
        let limit: Error = DecodeError {
            field: "handshake message",
            problem: Problem::Limit,
        }
        .into();
        for (header, allowed) in [
            ([1, 0x00, 0x40, 0x00], true),
            ([1, 0x00, 0x40, 0x01], false),
            ([11, 0x01, 0x00, 0x00], true),
            ([11, 0x01, 0x00, 0x01], false),
            ([99, 0xff, 0xff, 0xff], false),
        ] {
            for cut in 0..=4 {
                let mut joiner = Joiner::new();
                let (mut first, mut second) = header.split_at(cut);
                let taken = joiner
                    .take(&mut first)
                    .map(|message| assert_eq!(message, None))
                    .and_then(|()| joiner.take(&mut second).map(|m| assert_eq!(m, None)));
                let expected = if allowed { Ok(()) } else { Err(limit.clone()) };
                assert_eq!(taken, expected, "{header:?} cut at {cut}");
            }
        }
    }
}
