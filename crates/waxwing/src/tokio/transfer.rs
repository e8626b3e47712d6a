//! Carrying bytes between a driver and a transport that is polled.

use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::sync::Arc;
use std::task::Wake;

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::buffer::{InBuf, Output, READ_AHEAD};
use crate::driver::{Inbound, Outbound};
use crate::error::into_io;

/// Reads once from the transport; its end is judged by the driver.
pub(super) fn poll_receive(
    driver: &mut impl Inbound,
    io: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    hint: usize,
) -> Poll<io::Result<()>> {
    let more = ready!(poll_read_some(driver.input(), io, cx, hint))?;
    Poll::Ready(if more {
        Ok(())
    } else {
        driver.end_of_input().map_err(into_io)
    })
}

/// Reads once from the transport; `false` at its end.
pub(super) fn poll_read_some(
    input: &mut InBuf,
    io: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    hint: usize,
) -> Poll<io::Result<bool>> {
    if input.is_empty_handed() {
        return poll_read_first(input, io, cx);
    }
    let mut room = ReadBuf::new(input.room(hint));
    let result = Pin::new(io).poll_read(cx, &mut room);
    let count = room.filled().len();
    if count == 0 {
        input.idle();
    } else {
        input.filled(count);
    }
    result.map_ok(|()| count > 0)
}

/// The same where there is no memory for input: it takes as much as arrives.
#[inline(never)]
fn poll_read_first(
    input: &mut InBuf,
    io: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
) -> Poll<io::Result<bool>> {
    let mut stack = [const { MaybeUninit::uninit() }; READ_AHEAD];
    let mut room = ReadBuf::uninit(&mut stack);
    let result = Pin::new(io).poll_read(cx, &mut room);
    input.received(room.filled());
    let more = !room.filled().is_empty();
    result.map_ok(|()| more)
}

/// Writes what is sealed.
pub(super) fn poll_write_out(
    output: &mut Output,
    io: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !output.buffer.is_empty() {
        let count = ready!(Pin::new(&mut *io).poll_write(cx, output.buffer.as_slice()))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        output.written(count);
    }
    Poll::Ready(Ok(()))
}

/// Writes what is sealed, and flushes the transport.
pub(super) fn poll_flush_out(
    output: &mut Output,
    io: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    ready!(poll_write_out(output, io, cx))?;
    ready!(Pin::new(io).poll_flush(cx))?;
    output.flushed();
    Poll::Ready(Ok(()))
}

/// Takes as much as may wait; writes if it is worth it.
pub(super) fn poll_write<'a>(
    driver: &mut impl Outbound,
    io: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
    parts: impl Iterator<Item = &'a [u8]> + Clone,
) -> Poll<io::Result<usize>> {
    if driver.output().is_full() {
        match poll_write_out(driver.output(), io, cx) {
            Poll::Pending if driver.output().is_full() => return Poll::Pending,
            Poll::Pending => {}
            Poll::Ready(result) => result?,
        }
    }
    let count = driver.accept(parts).map_err(into_io)?;
    if driver.output().is_worth_writing() {
        // What is sealed is taken. If the transport is busy, it goes out with a later call.
        if let Poll::Ready(result) = poll_write_out(driver.output(), io, cx) {
            result?;
        }
    }
    Poll::Ready(Ok(count))
}

/// Who waits for the transport's sending direction.
///
/// A task that reads may have to write, too; the transport remembers only the last waker it was
/// given. So whoever waits hands in a waker that wakes both.
#[derive(Debug)]
pub(super) struct Senders {
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// On whose behalf the transport is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Reader,
    Writer,
}

impl Senders {
    pub(super) const fn new() -> Self {
        Self {
            reader: None,
            writer: None,
        }
    }

    /// Calls `poll` with a context that wakes everybody who waits.
    pub(super) fn poll<T>(
        &mut self,
        side: Side,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let (own, other) = match side {
            Side::Reader => (&mut self.reader, &self.writer),
            Side::Writer => (&mut self.writer, &self.reader),
        };
        let result = match other {
            Some(other) if !other.will_wake(cx.waker()) => {
                let both = Waker::from(Arc::new(Both(cx.waker().clone(), other.clone())));
                poll(&mut Context::from_waker(&both))
            }
            _ => poll(cx),
        };
        match (&result, own) {
            (Poll::Ready(_), own) => *own = None,
            (Poll::Pending, Some(own)) => own.clone_from(cx.waker()),
            (Poll::Pending, own) => *own = Some(cx.waker().clone()),
        }
        result
    }
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}
