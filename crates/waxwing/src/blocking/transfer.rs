//! Carrying bytes between a driver and a transport that blocks.

use std::io::{self, Read, Write};

use waxwing_core::Error;

use crate::buffer::{InBuf, Output, READ_AHEAD};
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
    let input = driver.input();
    let result = if input.is_empty_handed() {
        read_first(input, sock)
    } else {
        let result = uninterrupted(sock, input.room(hint));
        match result {
            Ok(0) | Err(_) => input.idle(),
            Ok(count) => input.filled(count),
        }
        result
    };
    match result {
        Ok(0) => driver.end_of_input().map_err(Failure::Tls),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Transport(error)),
    }
}

/// Reads where there is no memory for input: it may wait for long, and takes as much as arrives.
#[inline(never)]
fn read_first(input: &mut InBuf, sock: &mut impl Read) -> io::Result<usize> {
    let mut stack = [0; READ_AHEAD];
    let count = uninterrupted(sock, &mut stack)?;
    input.received(&stack[..count]);
    Ok(count)
}

fn uninterrupted(sock: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
    loop {
        match sock.read(to) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Takes as much as may wait; writes if it is worth it.
pub(super) fn write<'a>(
    driver: &mut impl Outbound,
    sock: &mut impl Write,
    parts: impl Iterator<Item = &'a [u8]> + Clone,
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
            // What is sealed is taken; it goes out with a later call.
            Err(error) if waits(&error) => {}
            result => result.map_err(Failure::Transport)?,
        }
    }
    Ok(count)
}

/// Writes what is sealed.
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

/// Seals and writes what waits, and flushes the transport.
pub(super) fn flush(driver: &mut impl Outbound, sock: &mut impl Write) -> io::Result<()> {
    driver.seal_gathered().map_err(into_io)?;
    flush_out(driver.output(), sock)
}

/// Writes what is sealed, and flushes the transport.
pub(super) fn flush_out(output: &mut Output, sock: &mut impl Write) -> io::Result<()> {
    write_out(output, sock)?;
    sock.flush()?;
    output.flushed();
    Ok(())
}
