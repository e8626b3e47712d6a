//! The shape that every library is driven in: two peers in one thread, joined by byte vectors.
//!
//! No sockets, no other thread and no copy between the peers: what one side wrote is handed to the
//! other as it is. Each call of a side goes through a [`Meter`], which times it, counts its heap or
//! lets callgrind collect; nothing else is metered.

use crate::pki::Pki;
use crate::scenario::{Scenario, Writes};

/// A library set up for one scenario.
pub(crate) trait Engine: Sized {
    /// The name in the tables.
    const NAME: &'static str;

    type Client: Peer;
    type Server: Peer;

    /// Makes both configurations, or `None` if the library lacks what the scenario asks for.
    fn new(pki: &Pki, scenario: Scenario) -> Option<Self>;

    /// A new client connection; its first flight is appended to `out` unless the library writes it
    /// at the first [`Peer::handshake`].
    fn client(&self, out: &mut Vec<u8>) -> Self::Client;

    /// A new server connection.
    fn server(&self) -> Self::Server;
}

/// One end of a connection.
pub(crate) trait Peer {
    /// Takes all of `input`, leaving it empty, and appends what is to be sent to `out`. Returns
    /// whether the handshake is complete for this side.
    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool;

    /// Makes one application write and appends its record to `out`.
    fn send(&mut self, plain: &[u8], out: &mut Vec<u8>);

    /// Takes all records in `input`, leaving it empty. Returns the plaintext bytes that were made
    /// visible to the application as slices.
    fn receive(&mut self, input: &mut Vec<u8>) -> usize;
}

/// What is measured around the calls of each side.
pub(crate) trait Meter {
    /// Runs `work` of the client.
    fn client(&mut self, work: &mut dyn FnMut());

    /// Runs `work` of the server.
    fn server(&mut self, work: &mut dyn FnMut());
}

/// Runs the work and measures nothing: for warming up.
pub(crate) struct Unmetered;

impl Meter for Unmetered {
    fn client(&mut self, work: &mut dyn FnMut()) {
        work();
    }

    fn server(&mut self, work: &mut dyn FnMut()) {
        work();
    }
}

/// Something with the two operations that the tables are about.
pub(crate) trait Subject {
    /// Makes a fresh pair and completes the handshake on both sides. Connections of an earlier
    /// handshake are dropped before, outside the meter.
    fn handshake(&mut self, meter: &mut dyn Meter);

    /// The client writes a batch, then the server reads all of it.
    fn transfer(&mut self, writes: Writes, meter: &mut dyn Meter);
}

/// A [`Subject`] made of a library's two peers.
pub(crate) struct Pair<E: Engine> {
    engine: E,
    peers: Option<(E::Client, E::Server)>,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    plain: Vec<u8>,
}

/// Room for a batch in either direction, so that the wires never grow while something is metered.
const WIRE_CAPACITY: usize = 512 * 1024;

/// More flights than any handshake has; reaching it means that the peers do not agree.
const MAX_FLIGHTS: usize = 10;

impl<E: Engine> Pair<E> {
    pub(crate) fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        Some(Self {
            engine: E::new(pki, scenario)?,
            peers: None,
            to_server: Vec::with_capacity(WIRE_CAPACITY),
            to_client: Vec::with_capacity(WIRE_CAPACITY),
            plain: vec![0x61; Writes::ALL[0].size],
        })
    }
}

impl<E: Engine> Subject for Pair<E> {
    fn handshake(&mut self, meter: &mut dyn Meter) {
        let Self {
            engine,
            peers,
            to_server,
            to_client,
            ..
        } = self;
        *peers = None;
        to_server.clear();
        to_client.clear();

        let (mut client, mut server) = (None, None);
        meter.client(&mut || client = Some(engine.client(to_server)));
        meter.server(&mut || server = Some(engine.server()));
        let mut client = client.expect("the meter runs its work");
        let mut server = server.expect("the meter runs its work");

        let (mut client_done, mut server_done) = (false, false);
        if to_server.is_empty() {
            meter.client(&mut || client_done = client.handshake(to_client, to_server));
        }
        for _ in 0..MAX_FLIGHTS {
            if client_done && server_done && to_server.is_empty() && to_client.is_empty() {
                *peers = Some((client, server));
                return;
            }
            if !to_server.is_empty() {
                meter.server(&mut || server_done = server.handshake(to_server, to_client));
            }
            if !to_client.is_empty() {
                meter.client(&mut || client_done = client.handshake(to_client, to_server));
            }
        }
        panic!("{}: the handshake does not complete", E::NAME);
    }

    fn transfer(&mut self, writes: Writes, meter: &mut dyn Meter) {
        let Self {
            peers,
            to_server,
            plain,
            ..
        } = self;
        let (client, server) = peers.as_mut().expect("a handshake came before");
        let plain = &plain[..writes.size];
        meter.client(&mut || {
            for _ in 0..writes.count {
                client.send(plain, to_server);
            }
        });
        let mut received = 0;
        meter.server(&mut || received = server.receive(to_server));
        assert_eq!(received, writes.bytes(), "{}: bytes were lost", E::NAME);
    }
}
