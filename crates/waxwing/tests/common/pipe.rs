//! A transport in memory that blocks, or says that it would.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// No more will be written.
    ended: bool,
    /// Nobody will read any more.
    abandoned: bool,
}

/// One direction.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    blocks: bool,
}

impl Shared {
    /// The state once it no longer `waits`.
    fn ready(&self, waits: impl Fn(&State) -> bool) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap();
        if !self.blocks && waits(&state) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self
            .changed
            .wait_while(state, |state| waits(state))
            .unwrap())
    }
}

/// The end that is read from.
#[derive(Debug)]
pub(crate) struct Reader(Arc<Shared>);

/// The end that is written to. Dropping it ends the data.
#[derive(Debug)]
pub(crate) struct Writer(Arc<Shared>);

fn pipe(capacity: usize, blocks: bool) -> (Writer, Reader) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        changed: Condvar::new(),
        capacity,
        blocks,
    });
    (Writer(Arc::clone(&shared)), Reader(shared))
}

impl Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let waits = |state: &State| state.bytes.is_empty() && !state.ended;
        let mut state = self.0.ready(waits)?;
        let count = state.bytes.read(to)?;
        self.0.changed.notify_all();
        Ok(count)
    }
}

impl Write for Writer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let waits = |state: &State| state.bytes.len() >= self.0.capacity && !state.abandoned;
        let mut state = self.0.ready(waits)?;
        if state.abandoned {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = data.len().min(self.0.capacity - state.bytes.len());
        state.bytes.extend(&data[..count]);
        self.0.changed.notify_all();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().abandoned = true;
        self.0.changed.notify_all();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().ended = true;
        self.0.changed.notify_all();
    }
}

/// Both directions.
#[derive(Debug)]
pub(crate) struct Duplex {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

/// Two ends with a wire between them that holds `capacity` bytes each way.
pub(crate) fn duplex(capacity: usize) -> (Duplex, Duplex) {
    wire(capacity, true)
}

/// As [`duplex`]; with `blocks` off, nothing ever waits.
pub(crate) fn wire(capacity: usize, blocks: bool) -> (Duplex, Duplex) {
    let (to_server, from_client) = pipe(capacity, blocks);
    let (to_client, from_server) = pipe(capacity, blocks);
    (
        Duplex {
            reader: from_server,
            writer: to_server,
        },
        Duplex {
            reader: from_client,
            writer: to_client,
        },
    )
}

impl Read for Duplex {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.reader.read(to)
    }
}

impl Write for Duplex {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.writer.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
