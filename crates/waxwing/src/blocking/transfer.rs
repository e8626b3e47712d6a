//! Carrying bytes between a driver and a transport that blocks.

use std::io::{self, Read, Write};

use waxwing_core::Error;

use crate::buffer::Output;
use crate::driver::{Inbound, Outbound};
use crate::error::into_io;

/// What failed.
pub(super) enum Failure {
    Tls(Error),
    Transport(io::Error),
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Tls(error) => into_io(error),
            Failure::Transport(error) => error,
        }
    }
}

/// Whether the transport could not do it now, but may later.
pub(super) fn waits(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// Reads once from the transport.
pub(super) fn read_some(
    driver: &mut impl Inbound,
    sock: &mut impl Read,
    hint: usize,
) -> Result<(), Failure> {
    loop {
        let input = driver.input();
        match sock.read(input.room(hint)) {
            Ok(0) => {
                input.idle();
                return driver.end_of_input().map_err(Failure::Tls);
            }
            Ok(count) => {
                input.filled(count);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                input.idle();
                return Err(Failure::Transport(error));
            }
        }
    }
}

/// Seals as much as may wait; writes if it is worth it.
pub(super) fn write<'a>(
    driver: &mut impl Outbound,
    sock: &mut impl Write,
    parts: impl Iterator<Item = &'a [u8]>,
) -> Result<usize, Failure> {
    driver.attend().map_err(Failure::Tls)?;
    if driver.output().is_full() {
        match write_out(driver.output(), sock) {
            Err(error) if waits(&error) && !driver.output().is_full() => {}
            result => result.map_err(Failure::Transport)?,
        }
    }
    let count = driver.accept(parts).map_err(Failure::Tls)?;
    let output = driver.output();
    if output.is_worth_writing() {
        match write_out(output, sock) {
            // What was sealed is taken; it goes out with a later call.
            Err(error) if waits(&error) => {}
            result => result.map_err(Failure::Transport)?,
        }
    }
    Ok(count)
}

/// Writes what waits.
pub(super) fn write_out(output: &mut Output, sock: &mut impl Write) -> io::Result<()> {
    while !output.buffer.is_empty() {
        match sock.write(output.buffer.as_slice()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => output.written(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes what waits, and flushes the transport.
pub(super) fn flush_out(output: &mut Output, sock: &mut impl Write) -> io::Result<()> {
    write_out(output, sock)?;
    sock.flush()?;
    output.flushed();
    Ok(())
}
