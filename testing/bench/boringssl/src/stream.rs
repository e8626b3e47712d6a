//! One end of a connection.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::{ptr, slice};

use boring::ssl::{ErrorCode, Ssl, SslStream};
use foreign_types_shared::ForeignTypeRef;

use crate::abi::{Rested, Wires};

pub(crate) struct Stream {
    tls: SslStream<Transport>,
    /// On a server: whether tickets wait, which only go out with the next write.
    tickets_wait: bool,
}

/// What BoringSSL reads and writes: the wires of the call that it is in.
struct Transport(*mut Wires);

impl Transport {
    fn wires(&mut self) -> &mut Wires {
        assert!(!self.0.is_null(), "only used within a call");
        // SAFETY: it was set by the call that is being made, and has no other user until that ends.
        unsafe { &mut *self.0 }
    }
}

impl Read for Transport {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let wires = self.wires();
        // SAFETY: the harness has so many bytes there.
        let mut rest = unsafe { slice::from_raw_parts(wires.input, wires.input_len) };
        if rest.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = rest.read(buf)?;
        (wires.input, wires.input_len) = (rest.as_ptr(), rest.len());
        Ok(len)
    }
}

impl Write for Transport {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let wires = self.wires();
        assert!(
            buf.len() <= wires.output_room - wires.written,
            "there is room"
        );
        // SAFETY: there is room, and the harness does not look until the call ends.
        unsafe {
            let end = wires.output.add(wires.written);
            ptr::copy_nonoverlapping(buf.as_ptr(), end, buf.len());
        }
        wires.written += buf.len();
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    /// `tickets` tells whether the scenario has some.
    pub(crate) fn new(ssl: Ssl, server: bool, tickets: bool) -> Self {
        // SAFETY: the connection is there and has not begun.
        unsafe {
            match server {
                true => boring_sys::SSL_set_accept_state(ssl.as_ptr()),
                false => boring_sys::SSL_set_connect_state(ssl.as_ptr()),
            }
        }
        let transport = Transport(ptr::null_mut());
        Self {
            tls: SslStream::new(ssl, transport).expect("a stream"),
            tickets_wait: server && tickets,
        }
    }

    /// Runs `work` with these wires, of which it takes all input.
    fn with<T>(
        &mut self,
        wires: &mut Wires,
        work: impl FnOnce(&mut SslStream<Transport>) -> T,
    ) -> T {
        self.tls.get_mut().0 = wires;
        let result = work(&mut self.tls);
        self.tls.get_mut().0 = ptr::null_mut();
        assert_eq!(wires.input_len, 0, "bytes were left");
        result
    }

    pub(crate) fn handshake(&mut self, wires: &mut Wires) -> bool {
        let complete = self.with(wires, |stream| match stream.do_handshake() {
            // What is left is early data on a server, and tickets on a client.
            Ok(()) => {
                if stream.get_mut().wires().input_len > 0 {
                    read_all(stream);
                }
                !is_in_init(stream)
            }
            Err(error) if error.code() == ErrorCode::WANT_READ => false,
            Err(error) => panic!("BoringSSL: {error}"),
        });
        if complete && self.tickets_wait {
            self.with(wires, flush);
            self.tickets_wait = false;
        }
        complete
    }

    /// The first flight with early data.
    pub(crate) fn send_early(&mut self, plain: &[u8], wires: &mut Wires) {
        self.with(wires, |stream| {
            stream.do_handshake().expect("it goes on without an answer");
            write(stream, plain);
        });
    }

    pub(crate) fn send(&mut self, plain: &[u8], wires: &mut Wires) {
        self.with(wires, |stream| write(stream, plain));
    }

    pub(crate) fn receive(&mut self, wires: &mut Wires) -> usize {
        self.with(wires, read_all)
    }

    pub(crate) fn rested(&self) -> Rested {
        let ssl = self.tls.ssl();
        // SAFETY: the function only looks at the connection.
        let early = unsafe { boring_sys::SSL_early_data_accepted(ssl.as_ptr()) };
        Rested {
            resumed: ssl.session_reused(),
            early: early == 1,
        }
    }
}

fn is_in_init(stream: &SslStream<Transport>) -> bool {
    // SAFETY: the function only looks at the connection.
    unsafe { boring_sys::SSL_in_init(stream.ssl().as_ptr()) == 1 }
}

fn flush(stream: &mut SslStream<Transport>) {
    // SAFETY: nothing is read from no bytes.
    let result = unsafe { boring_sys::SSL_write(stream.ssl().as_ptr(), ptr::null(), 0) };
    assert_eq!(result, 0);
}

fn write(stream: &mut SslStream<Transport>, plain: &[u8]) {
    let written = stream.ssl_write(plain).expect("the transport takes all");
    assert_eq!(written, plain.len());
}

/// Reads until there is no more input.
fn read_all(stream: &mut SslStream<Transport>) -> usize {
    let mut plain = [MaybeUninit::uninit(); 16_384];
    let mut received = 0;
    loop {
        match stream.ssl_read_uninit(&mut plain) {
            Ok(len) => received += len,
            Err(error) if error.code() == ErrorCode::WANT_READ => return received,
            Err(error) => panic!("BoringSSL: {error}"),
        }
    }
}
