//! Small writes through blocking streams: many of them, and then one flush.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rustls::{ServerConnection, StreamOwned};
use waxwing::blocking::Stream;

use crate::engines::{rustls_server, waxwing_client, waxwing_server};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::Scenario;
use crate::stats::median;
use crate::wall::Effort;

/// Bytes of each write.
pub(crate) const SIZE: usize = 64;
/// Writes before each flush.
pub(crate) const WRITES: usize = 1024;
/// The libraries, in the order of the columns.
pub(crate) const NAMES: [&str; 2] = ["Waxwing", "rustls"];

/// Nanoseconds for each write in each round, of the libraries in the order of [`NAMES`].
pub(crate) fn measure(pki: &Pki, effort: Effort) -> [Vec<f64>; 2] {
    let mut streams = [waxwing(pki), rustls(pki)];
    let mut rounds = [Vec::new(), Vec::new()];
    for round in 0..effort.rounds {
        for turn in 0..streams.len() {
            let index = (round + turn) % streams.len();
            let batches: Vec<_> = (0..effort.batches)
                .map(|_| batch(&mut streams[index]))
                .collect();
            rounds[index].push(median(&batches));
        }
    }
    rounds
}

fn batch(stream: &mut impl Write) -> f64 {
    let data = [0x61; SIZE];
    let start = Instant::now();
    for _ in 0..WRITES {
        stream.write_all(&data).expect("the wire takes everything");
    }
    stream.flush().expect("the wire takes everything");
    start.elapsed().as_nanos() as f64 / WRITES as f64
}

fn waxwing(pki: &Pki) -> Box<dyn Write> {
    let (client, server) = wire();
    let mut server = Stream::server(waxwing_server(pki, Scenario::BASE), server);
    shake_hands(pki, client, || server.handshake());
    Box::new(server)
}

fn rustls(pki: &Pki) -> Box<dyn Write> {
    let (client, mut server) = wire();
    let config = Arc::new(rustls_server(pki, Scenario::BASE));
    let mut conn = ServerConnection::new(config).expect("the configuration is usable");
    shake_hands(pki, client, || conn.complete_io(&mut server).map(|_| ()));
    Box::new(StreamOwned::new(conn, server))
}

/// Lets a client and a server have their turns until both are done; the client leaves then.
fn shake_hands(pki: &Pki, client: End, mut server: impl FnMut() -> io::Result<()>) {
    let config = waxwing_client(pki, Scenario::BASE);
    let name = SERVER_NAME.parse().expect("a DNS name");
    let mut client = Stream::client(config, name, client).expect("the configuration is usable");
    loop {
        let sides = [client.handshake(), server()];
        if sides.iter().all(Result::is_ok) {
            return;
        }
        for error in sides.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
        }
    }
}

type Bytes = Rc<RefCell<VecDeque<u8>>>;

/// One end of a wire in memory. What nobody will read is dropped.
struct End {
    incoming: Bytes,
    outgoing: Bytes,
}

fn wire() -> (End, End) {
    let (to_server, to_client) = (Bytes::default(), Bytes::default());
    let client = End {
        incoming: Rc::clone(&to_client),
        outgoing: Rc::clone(&to_server),
    };
    let server = End {
        incoming: to_server,
        outgoing: to_client,
    };
    (client, server)
}

impl Read for End {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.incoming.borrow_mut().read(to)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for End {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if Rc::strong_count(&self.outgoing) > 1 {
            self.outgoing.borrow_mut().extend(data);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
