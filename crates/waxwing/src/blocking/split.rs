//! The two directions of a connection, for two threads.

use std::io::{self, BufRead, IoSlice, Read, Write};

use waxwing_core::{ConnectionInfo, Event};

use super::transfer::{Failure, flush, flush_out, read_some, write};
use crate::driver::{Inbound, Outbound, Receiver, Sender};
use crate::error::into_io;

/// The receiving direction; see [`Stream::into_split`](super::Stream::into_split).
///
/// It cannot send: flush the [`WriteStream`] before waiting for an answer here. If receiving
/// fails, the peer hears of it with the next write or flush there.
pub struct ReadStream<R> {
    receiver: Receiver,
    sock: R,
}

impl<R> ReadStream<R> {
    pub(super) const fn new(receiver: Receiver, sock: R) -> Self {
        Self { receiver, sock }
    }

    /// What was agreed.
    #[must_use]
    pub fn info(&self) -> &ConnectionInfo {
        &self.receiver.info
    }

    /// Bytes of memory that the buffer holds now.
    #[must_use]
    pub const fn buffer_memory(&self) -> usize {
        self.receiver.memory()
    }

    /// The transport.
    pub const fn get_ref(&self) -> &R {
        &self.sock
    }

    /// The transport alone. What was not read is lost.
    pub fn into_inner(self) -> R {
        self.sock
    }
}

impl<R: Read> ReadStream<R> {
    /// Makes plaintext available; `false` after close_notify.
    fn fill_plain(&mut self) -> io::Result<bool> {
        loop {
            match self.receiver.fill().map_err(into_io)? {
                Event::AppData(_) => return Ok(true),
                Event::PeerClosed => return Ok(false),
                Event::NeedInput(hint) => read_some(&mut self.receiver, &mut self.sock, hint)?,
                _ => {}
            }
        }
    }
}

impl<R: Read> Read for ReadStream<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() || !self.fill_plain()? {
            return Ok(0);
        }
        Ok(self.receiver.input().take_into(to))
    }
}

/// The plaintext is handed out where it was decrypted.
impl<R: Read> BufRead for ReadStream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill_plain()?;
        Ok(self.receiver.input().plain())
    }

    fn consume(&mut self, count: usize) {
        self.receiver.input().take(count);
    }
}

impl<R: core::fmt::Debug> core::fmt::Debug for ReadStream<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReadStream")
            .field("sock", &self.sock)
            .finish_non_exhaustive()
    }
}

/// The sending direction; see [`Stream::into_split`](super::Stream::into_split).
pub struct WriteStream<W> {
    sender: Sender,
    sock: W,
}

impl<W> WriteStream<W> {
    pub(super) const fn new(sender: Sender, sock: W) -> Self {
        Self { sender, sock }
    }

    /// What was agreed.
    #[must_use]
    pub fn info(&self) -> &ConnectionInfo {
        &self.sender.info
    }

    /// Bytes of memory that the buffer holds now.
    #[must_use]
    pub fn buffer_memory(&self) -> usize {
        self.sender.memory()
    }

    /// The transport.
    pub const fn get_ref(&self) -> &W {
        &self.sock
    }

    /// The transport alone. What was not flushed is lost.
    pub fn into_inner(self) -> W {
        self.sock
    }
}

impl<W: Write> WriteStream<W> {
    /// Sends close_notify and flushes: nothing more can be written.
    ///
    /// # Errors
    /// Of the transport; or what receiving failed with, which is then what the peer is told.
    pub fn close_notify(&mut self) -> io::Result<()> {
        let attended = self.sender.attend();
        self.sender.close().map_err(into_io)?;
        flush_out(self.sender.output(), &mut self.sock)?;
        attended.map_err(into_io)
    }

    /// Changes the sending key now; with `ask_peer`, the peer changes its own in turn.
    ///
    /// # Errors
    /// After [`Self::close_notify`], or if the connection failed.
    pub fn update_key(&mut self, ask_peer: bool) -> io::Result<()> {
        self.sender.update_key(ask_peer).map_err(into_io)
    }

    fn write_parts<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<usize> {
        write(&mut self.sender, &mut self.sock, parts).map_err(|failure| {
            if let Failure::Tls(_) = failure {
                // The alert goes out as well as can be done now; the failure is what counts.
                let _ = flush_out(self.sender.output(), &mut self.sock);
            }
            failure.into()
        })
    }
}

impl<W: Write> Write for WriteStream<W> {
    /// Small writes wait together for a flush; see the [module](super).
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_parts(core::iter::once(data))
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_parts(data.iter().map(|slice| &**slice))
    }

    /// Sends what waits. An error of anything that was written before comes here at the latest.
    fn flush(&mut self) -> io::Result<()> {
        let attended = self.sender.attend();
        let flushed = flush(&mut self.sender, &mut self.sock);
        attended.map_err(into_io)?;
        flushed
    }
}

impl<W: core::fmt::Debug> core::fmt::Debug for WriteStream<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WriteStream")
            .field("sock", &self.sock)
            .finish_non_exhaustive()
    }
}
