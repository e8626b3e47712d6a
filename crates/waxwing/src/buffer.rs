//! The buffers of a stream: what arrived and is not used up, and what waits to be sent.
//!
//! Both give their memory back when there is nothing in them, so that an idle connection holds
//! none; and none is taken before something arrives.

use core::ops::Range;
use std::io;

use waxwing_core::Buffer;
use waxwing_core::limits::{MAX_PLAINTEXT, MAX_RECORD, RECORD_HEADER};

use crate::gathered::Gathered;

/// Bytes asked for at first: a whole record.
pub(crate) const READ_AHEAD: usize = MAX_RECORD;
/// Bytes of memory for input when the transport fills what it is offered.
const MAX_READ_AHEAD: usize = 64 * 1024;
/// Bytes waiting to be sent from which on nothing more is sealed.
const HIGH_WATER: usize = 64 * 1024;
/// Bytes waiting to be sent from which on no input is processed, since the peer may go on asking
/// for answers. Writing alone never gets there: if it stopped reading, two sides that both have
/// more to say than the transport holds would wait for each other.
const FLOOD: usize = 2 * HIGH_WATER;
/// Bytes waiting to be sent from which on a write hands them to the transport.
const WRITE_OUT: usize = MAX_PLAINTEXT;
/// Bytes of a write from which on it is sealed at once, although it might share a record with
/// others: to copy that much costs as much as a record does.
const LARGE: usize = 4096;
/// The same for the first write after a flush. It may be the last before the next, and then to
/// gather it would be in vain.
const LARGE_ALONE: usize = 1024;

/// How much to ask of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadAhead {
    /// Never more than what is known to belong to the TLS connection.
    Exact,
    /// As much as fits.
    Full,
}

/// Input: records that are not processed yet, and the plaintext of the last one that was.
///
/// ```text
///   memory:  | ... | plain | ... | waiting | room |
/// ```
///
/// The plaintext stays where it was opened until it is taken; only then is more input asked for.
#[derive(Debug)]
pub(crate) struct InBuf {
    /// Empty unless there is something to hold or to receive. All of it is initialised.
    memory: Vec<u8>,
    /// Takes the place of `memory` while that is empty: the beginning of a header.
    header: [u8; RECORD_HEADER],
    waiting: Range<usize>,
    plain: Range<usize>,
    /// Early data that was not taken yet; it comes before any other plaintext. How much there can be
    /// is for the server's configuration to bound.
    early: Vec<u8>,
    /// Bytes of it that were taken: moving the rest up for each of many small reads would cost the
    /// square of its length.
    early_taken: usize,
    /// Size of the next `memory`.
    size: usize,
    /// Bytes offered to the transport last.
    offered: usize,
    /// Whether the transport filled the memory offered last: more is on its way.
    busy: bool,
    pub(crate) read_ahead: ReadAhead,
}

impl InBuf {
    pub(crate) const fn new(read_ahead: ReadAhead) -> Self {
        Self {
            memory: Vec::new(),
            header: [0; RECORD_HEADER],
            waiting: 0..0,
            plain: 0..0,
            early: Vec::new(),
            early_taken: 0,
            size: READ_AHEAD,
            offered: 0,
            busy: false,
            read_ahead,
        }
    }

    /// Goes on with what another held: plaintext that was not taken, and what waits.
    pub(crate) fn resume(read_ahead: ReadAhead, plain: &[u8], waiting: &[u8]) -> Self {
        let mut input = Self::new(read_ahead);
        input.memory = [plain, waiting].concat();
        input.plain = 0..plain.len();
        input.waiting = plain.len()..input.memory.len();
        input
    }

    /// The same as [`Self::waiting`], to look at.
    pub(crate) fn unprocessed(&self) -> &[u8] {
        let storage = if self.memory.is_empty() {
            &self.header[..]
        } else {
            &self.memory
        };
        &storage[self.waiting.clone()]
    }

    /// The records, and parts of records, that wait to be processed.
    pub(crate) fn waiting(&mut self) -> &mut [u8] {
        let range = self.waiting.clone();
        &mut self.storage()[range]
    }

    /// The first `consumed` bytes waiting are done with; `plain` is a part of them.
    pub(crate) fn processed(&mut self, consumed: usize, plain: Range<usize>) {
        let start = self.waiting.start;
        self.plain = start + plain.start..start + plain.end;
        self.waiting.start += consumed;
        self.settle();
    }

    /// Keeps early data, which is a part of what waits: the handshake goes on without anybody
    /// reading.
    pub(crate) fn keep_early(&mut self, early: Range<usize>) {
        let mut kept = core::mem::take(&mut self.early);
        kept.extend_from_slice(&self.waiting()[early]);
        self.early = kept;
    }

    /// Plaintext that was not taken yet.
    pub(crate) fn plain(&self) -> &[u8] {
        if self.early.is_empty() {
            &self.memory[self.plain.clone()]
        } else {
            &self.early[self.early_taken..]
        }
    }

    /// Forgets the first `count` bytes of plaintext, or all if there are fewer.
    pub(crate) fn take(&mut self, count: usize) {
        if !self.early.is_empty() {
            self.early_taken += count.min(self.early.len() - self.early_taken);
            if self.early_taken == self.early.len() {
                self.early = Vec::new();
                self.early_taken = 0;
            }
            return;
        }
        self.plain.start += count.min(self.plain.len());
        self.settle();
    }

    /// Copies plaintext to `to`, and forgets it.
    pub(crate) fn take_into(&mut self, to: &mut [u8]) -> usize {
        let plain = self.plain();
        let count = plain.len().min(to.len());
        to[..count].copy_from_slice(&plain[..count]);
        self.take(count);
        count
    }

    /// Whether nothing is held but the beginning of a header, if at all. As long as nothing arrives,
    /// no memory shall be, so [`READ_AHEAD`] bytes are asked for elsewhere: on the stack.
    pub(crate) fn is_empty_handed(&self) -> bool {
        self.memory.is_empty() && self.read_ahead != ReadAhead::Exact
    }

    /// The transport put `data` elsewhere.
    pub(crate) fn received(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.memory = [self.unprocessed(), data].concat();
        self.waiting = 0..self.memory.len();
        self.plain = 0..0;
        self.note_pace(data.len() >= READ_AHEAD);
    }

    /// Where the transport shall put more. `hint` bytes at least are needed; no plaintext may
    /// be left.
    pub(crate) fn room(&mut self, hint: usize) -> &mut [u8] {
        debug_assert!(self.plain.is_empty(), "room is made where plaintext is");
        let needed = self.waiting.len().saturating_add(hint.max(1));
        let size = match self.read_ahead {
            ReadAhead::Exact => needed,
            ReadAhead::Full => needed.max(self.size),
        };
        self.gather(size);
        let end = match self.read_ahead {
            ReadAhead::Exact => size,
            _ if self.memory.is_empty() => size,
            _ => self.memory.len(),
        };
        let room = self.waiting.end..end;
        self.offered = room.len();
        &mut self.storage()[room]
    }

    /// The transport put `count` bytes into the room.
    pub(crate) fn filled(&mut self, count: usize) {
        let count = count.min(self.offered);
        self.waiting.end += count;
        self.note_pace(count == self.offered && self.read_ahead != ReadAhead::Exact);
    }

    const fn note_pace(&mut self, busy: bool) {
        self.busy = busy;
        if busy {
            self.size = MAX_READ_AHEAD;
        }
    }

    /// Nothing more will arrive soon: gives back what memory can be spared.
    pub(crate) fn idle(&mut self) {
        self.busy = false;
        self.settle();
        if self.plain.is_empty() && self.waiting.len() <= RECORD_HEADER && !self.memory.is_empty() {
            let count = self.waiting.len();
            self.header[..count].copy_from_slice(&self.memory[self.waiting.clone()]);
            self.release();
            self.waiting = 0..count;
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.release();
        self.waiting = 0..0;
        self.plain = 0..0;
        self.early = Vec::new();
        self.early_taken = 0;
    }

    /// Bytes of memory held.
    pub(crate) const fn capacity(&self) -> usize {
        self.memory.capacity() + self.early.capacity()
    }

    fn storage(&mut self) -> &mut [u8] {
        if self.memory.is_empty() {
            &mut self.header
        } else {
            &mut self.memory
        }
    }

    /// Moves what waits to the front of `size` bytes or more.
    fn gather(&mut self, size: usize) {
        let waiting = self.waiting.clone();
        let count = waiting.len();
        if size <= self.memory.len() || (self.memory.is_empty() && size <= RECORD_HEADER) {
            self.storage().copy_within(waiting, 0);
        } else {
            let mut memory = vec![0; size];
            memory[..count].copy_from_slice(&self.storage()[waiting]);
            self.memory = memory;
        }
        self.waiting = 0..count;
        self.plain = 0..0;
    }

    /// Everything is used up: the memory is, too, unless more is on its way.
    fn settle(&mut self) {
        if self.plain.is_empty() && self.waiting.is_empty() {
            self.waiting = 0..0;
            self.plain = 0..0;
            if !self.busy {
                self.release();
            }
        }
    }

    fn release(&mut self) {
        self.memory = Vec::new();
        self.size = READ_AHEAD;
        self.busy = false;
    }
}

/// Output: sealed records on their way to the transport, and what will become the next.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) buffer: Buffer,
    /// Comes after what is sealed.
    pub(crate) gathered: Gathered,
    /// Whether the transport took something since it was flushed last.
    pub(crate) unflushed: bool,
}

impl Output {
    pub(crate) const fn new(buffer: Buffer) -> Self {
        Self {
            buffer,
            gathered: Gathered::new(),
            unflushed: false,
        }
    }

    /// Whether there is something to seal, to write or to flush.
    pub(crate) const fn is_due(&self) -> bool {
        !self.buffer.is_empty() || !self.gathered.is_empty() || self.unflushed
    }

    /// Whether a write of `count` bytes should be sealed at once.
    pub(crate) const fn is_large(&self, count: usize) -> bool {
        count >= LARGE || (count >= LARGE_ALONE && !self.is_due())
    }

    /// Bytes that wait.
    const fn len(&self) -> usize {
        self.buffer.len() + self.gathered.len()
    }

    /// Bytes of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity() + self.gathered.capacity()
    }

    /// Reading goes on although this could not be written: what the peer said before it left can
    /// still be read. Whether the error is of that kind; then nothing more can be sent, and what
    /// waits is dropped.
    pub(crate) fn peer_left(&mut self, error: &io::Error) -> bool {
        let left = matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
        );
        if left {
            self.buffer.clear();
            self.gathered.clear();
            self.unflushed = false;
        }
        left
    }

    /// Whether so much waits that nothing more may be written.
    pub(crate) const fn is_full(&self) -> bool {
        self.len() >= HIGH_WATER
    }

    /// Whether so much waits that nothing may be read that could add to it.
    pub(crate) const fn is_flooded(&self) -> bool {
        self.len() >= FLOOD
    }

    /// Whether so much waits that it should be written.
    pub(crate) const fn is_worth_writing(&self) -> bool {
        self.buffer.len() >= WRITE_OUT
    }

    /// Bytes of plaintext that one write may take: whole records, one at least.
    pub(crate) const fn allowance(&self) -> usize {
        let left = HIGH_WATER.saturating_sub(self.buffer.len());
        if left < MAX_PLAINTEXT {
            MAX_PLAINTEXT
        } else {
            left - left % MAX_PLAINTEXT
        }
    }

    /// The transport took `count` bytes.
    pub(crate) fn written(&mut self, count: usize) {
        self.buffer.consume(count);
        self.unflushed = true;
    }

    /// The transport is flushed: gives the memory back if nothing waits.
    pub(crate) fn flushed(&mut self) {
        self.unflushed = false;
        self.buffer.release();
        self.gathered.release();
    }
}

/// Slices of one vectored write that are looked at; a write may take less than all.
const MAX_SLICES: usize = 64;

/// Calls `f` with the first `limit` bytes of `first` and then `parts`.
pub(crate) fn with_limited<'f, 'a: 'f, T>(
    first: &'f [u8],
    parts: impl Iterator<Item = &'a [u8]>,
    mut limit: usize,
    f: impl FnOnce(&[&'f [u8]]) -> T,
) -> T {
    let mut slices: [&[u8]; MAX_SLICES] = [&[]; MAX_SLICES];
    let mut count = 0;
    let mut add = |part: &'f [u8]| {
        let part = &part[..part.len().min(limit)];
        if !part.is_empty() {
            slices[count] = part;
            count += 1;
            limit -= part.len();
        }
        count < MAX_SLICES && limit > 0
    };
    let mut more = add(first);
    for part in parts {
        if !more {
            break;
        }
        more = add(part);
    }
    f(&slices[..count])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(input: &mut InBuf, hint: usize, data: &[u8]) {
        let room = input.room(hint);
        assert!(room.len() >= hint);
        room[..data.len()].copy_from_slice(data);
        input.filled(data.len());
    }

    #[test]
    fn a_partial_header_needs_no_memory() {
        let mut input = InBuf::new(ReadAhead::Exact);
        receive(&mut input, 5, &[1, 2]);
        receive(&mut input, 3, &[3]);
        assert_eq!(input.waiting(), [1, 2, 3]);
        assert_eq!(input.capacity(), 0);
        let mut input = InBuf::new(ReadAhead::Full);
        receive(&mut input, 5, &[1, 2]);
        assert!(input.capacity() >= MAX_RECORD);
        input.idle();
        assert_eq!(input.waiting(), [1, 2]);
        assert_eq!(input.capacity(), 0);
        receive(&mut input, 3, &[3, 4, 5, 6]);
        assert_eq!(input.waiting(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn plaintext_stays_until_taken_and_memory_goes_with_the_last_of_it() {
        let mut input = InBuf::new(ReadAhead::Full);
        receive(&mut input, 5, b"hhhhhplainttttnext");
        input.processed(14, 5..10);
        assert_eq!(input.plain(), b"plain");
        let mut to = [0; 3];
        assert_eq!(input.take_into(&mut to), 3);
        assert_eq!((&to, input.plain()), (b"pla", &b"in"[..]));
        input.take(2);
        assert_eq!(input.waiting(), b"next");
        receive(&mut input, 1, b"!");
        assert_eq!(input.waiting(), b"next!");
        input.processed(5, 0..0);
        assert_eq!(input.capacity(), 0);
    }

    #[test]
    fn what_arrives_while_no_memory_is_held_takes_no_more_than_it_needs() {
        let mut input = InBuf::new(ReadAhead::Full);
        assert!(input.is_empty_handed());
        input.received(&[]);
        assert_eq!(input.capacity(), 0);
        input.received(&[1, 2]);
        input.idle();
        assert!(
            input.is_empty_handed(),
            "the beginning of a header needs none"
        );
        input.received(b"plainnext");
        assert_eq!((input.waiting().len(), input.capacity()), (11, 11));
        assert!(!input.is_empty_handed());
        input.processed(7, 2..7);
        assert_eq!(input.plain(), b"plain");
        input.take(5);
        input.processed(4, 0..0);
        assert_eq!(input.capacity(), 0);
        assert!(!InBuf::new(ReadAhead::Exact).is_empty_handed());
    }

    #[test]
    fn memory_stays_while_as_much_arrives_as_was_asked_for() {
        let mut input = InBuf::new(ReadAhead::Full);
        input.received(&[0; READ_AHEAD]);
        input.processed(READ_AHEAD, 0..0);
        assert!(!input.is_empty_handed(), "more is on its way");
        assert_eq!(input.room(5).len(), MAX_READ_AHEAD);
    }

    #[test]
    fn another_buffer_goes_on_with_what_is_left() {
        for mode in [ReadAhead::Exact, ReadAhead::Full] {
            let mut input = InBuf::resume(mode, b"plain", b"nex");
            assert_eq!(
                (input.plain(), input.unprocessed()),
                (&b"plain"[..], &b"nex"[..])
            );
            input.take(5);
            receive(&mut input, 1, b"t");
            assert_eq!(input.plain(), b"");
            assert_eq!(input.unprocessed(), b"next");
            input.processed(4, 0..0);
            assert_eq!(input.capacity(), 0);
            receive(&mut input, 5, &[1, 2]);
            assert_eq!(input.unprocessed(), [1, 2]);
            assert_eq!(InBuf::resume(mode, b"", b"").capacity(), 0);
        }
    }

    #[test]
    fn exact_rooms_are_exact() {
        let mut input = InBuf::new(ReadAhead::Exact);
        assert_eq!(input.room(5).len(), 5);
        input.filled(5);
        for (hint, taken) in [(300, 120), (180, 180)] {
            assert_eq!(input.room(hint).len(), hint);
            input.filled(taken);
        }
        assert_eq!(input.waiting().len(), 305);
        input.processed(305, 0..0);
        assert_eq!(input.capacity(), 0);
    }

    #[test]
    fn a_busy_transport_gets_more_room_and_an_idle_one_none() {
        let mut input = InBuf::new(ReadAhead::Full);
        let first = input.room(5).len();
        input.filled(first);
        input.processed(first, 0..0);
        assert!(input.capacity() >= first, "more is on its way");
        assert_eq!(input.room(5).len(), MAX_READ_AHEAD);
        input.filled(100);
        input.processed(100, 0..0);
        assert_eq!(input.capacity(), 0);
    }

    #[test]
    fn a_write_takes_whole_records_and_never_too_many_slices() {
        let mut output = Output::new(Buffer::new());
        assert_eq!(output.allowance(), HIGH_WATER);
        output.buffer.extend_from_slice(&[0; 30]);
        assert_eq!(output.allowance(), HIGH_WATER - MAX_PLAINTEXT);
        output.buffer.extend_from_slice(&[0; HIGH_WATER]);
        assert!(output.is_full());
        assert_eq!(output.allowance(), MAX_PLAINTEXT);
        assert!(!output.is_flooded());

        let part = [7u8; 10];
        let parts = |limit| {
            let many = core::iter::repeat_n(&part[..], 100);
            with_limited(b"", many, limit, |parts| {
                (parts.len(), parts.concat().len())
            })
        };
        assert_eq!(parts(25), (3, 25));
        assert_eq!(parts(10_000), (MAX_SLICES, 10 * MAX_SLICES));
        let none = core::iter::empty();
        assert_eq!(with_limited(b"", none.clone(), 9, |parts| parts.len()), 0);
        assert_eq!(
            with_limited(b"first", none, 9, |parts| parts.concat()),
            b"first"
        );
        let two = with_limited(b"first", [b"second".as_slice()].into_iter(), 9, |parts| {
            parts.concat()
        });
        assert_eq!(two, b"firstseco");
    }
}
