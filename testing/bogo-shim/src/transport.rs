//! The connection to the runner, and what came over it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};

use waxwing_core::Buffer;

use crate::errors::Failure;
use crate::options::Options;

/// Bytes read from the socket at once.
const READ: usize = 1 << 14;

/// The socket, and received bytes that the engine has not consumed.
pub(crate) struct Transport {
    stream: TcpStream,
    received: Vec<u8>,
    /// How much of `received` the engine may see.
    shown: usize,
    piecemeal: bool,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Environment(error.to_string())
    }
}

impl Transport {
    /// Connects, and says which test this is.
    pub(crate) fn connect(options: &Options) -> Result<Self, Failure> {
        let address = if options.ipv6 {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        } else {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        };
        let mut stream = TcpStream::connect((address, options.port))?;
        stream.set_nodelay(true)?;
        stream.write_all(&options.shim_id.to_le_bytes())?;
        Ok(Self {
            stream,
            received: Vec::new(),
            shown: 0,
            piecemeal: options.piecemeal,
        })
    }

    /// What the engine may see.
    pub(crate) fn input(&mut self) -> &mut [u8] {
        self.received.get_mut(..self.shown).unwrap_or_default()
    }

    /// The engine is done with the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.received.drain(..count);
        self.shown -= count;
    }

    /// Shows more to the engine, and waits for it if need be. False at the end of the stream.
    pub(crate) fn more(&mut self) -> bool {
        if self.shown == self.received.len() {
            let old = self.received.len();
            self.received.resize(old + READ, 0);
            // A reset after the runner's last word is an end like any other.
            let count = self.stream.read(&mut self.received[old..]).unwrap_or(0);
            self.received.truncate(old + count);
            if count == 0 {
                return false;
            }
        }
        self.shown = if self.piecemeal {
            self.shown + 1
        } else {
            self.received.len()
        };
        true
    }

    /// Sends all of `out`.
    ///
    /// What cannot be sent is dropped: the peer is gone, and its last words are still to be read.
    pub(crate) fn send(&mut self, out: &mut Buffer) {
        let _ = self.stream.write_all(out.as_slice());
        out.clear();
    }

    /// Ends our side, and waits for the peer to end its own.
    pub(crate) fn finish(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }
}
