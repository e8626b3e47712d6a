//! The shape that every library is driven in: two peers in one thread, joined in memory.
//!
//! The harness copies what one side wrote to where the other reads, as sockets would. Each call of a
//! side goes through a [`Meter`], which times it, counts its heap or lets callgrind collect; nothing
//! else is metered, that copy neither.

use crate::pki::Pki;
use crate::scenario::{Kind, Scenario, Writes};

/// A library set up for one scenario.
pub(crate) trait Engine: Sized {
    /// The name in the tables.
    const NAME: &'static str;

    type Out: Outgoing;
    type Client: Peer<Out = Self::Out>;
    type Server: Peer<Out = Self::Out>;

    /// Makes both configurations, or `None` if the library lacks what the scenario asks for.
    fn new(pki: &Pki, scenario: Scenario) -> Option<Self>;

    /// A new client connection; its first flight is appended to `out` unless the library writes it
    /// at the first [`Peer::handshake`]. Early data goes with it if the scenario has it and there is
    /// a session that allows for it.
    fn client(&self, out: &mut Self::Out) -> Self::Client;

    /// A new server connection.
    fn server(&self) -> Self::Server;

    /// What a client's handshake rested on.
    fn basis(client: &Self::Client) -> Basis;
}

/// What a handshake rested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Basis {
    /// Whether it resumed an earlier one.
    pub(crate) resumed: bool,
    /// Whether the server took early data.
    pub(crate) early: bool,
}

impl Basis {
    /// What it has to be, so that nothing else is measured instead.
    fn of(kind: Kind) -> Self {
        Self {
            resumed: kind.resumes(),
            early: kind == Kind::EarlyData,
        }
    }
}

/// What a library appends its output to: kept by the application, empty but grown before the meter
/// runs.
pub(crate) trait Outgoing: Default {
    /// Makes room for this many bytes.
    fn reserve(&mut self, capacity: usize);

    /// What waits to be sent.
    fn bytes(&self) -> &[u8];

    /// Forgets what waits, but keeps the memory.
    fn clear(&mut self);
}

impl Outgoing for Vec<u8> {
    fn reserve(&mut self, capacity: usize) {
        Self::reserve(self, capacity);
    }

    fn bytes(&self) -> &[u8] {
        self
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

/// One end of a connection.
pub(crate) trait Peer {
    type Out: Outgoing;

    /// Takes all of `input`, leaving it empty, and appends what is to be sent to `out`: early data
    /// before the end of the handshake, and tickets after it, too. Returns whether the handshake is
    /// complete for this side.
    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Self::Out) -> bool;

    /// Makes one application write and appends its record to `out`.
    fn send(&mut self, plain: &[u8], out: &mut Self::Out);

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

    /// Bytes of the client's and of the server's connection object, wherever the application puts it.
    fn object_sizes(&self) -> [usize; 2];

    /// Keeps the pair of the last handshake alive, and idle, until the subject is dropped.
    fn keep(&mut self);

    /// The client writes a batch, then the server reads all of it.
    fn transfer(&mut self, writes: Writes, meter: &mut dyn Meter);
}

/// A [`Subject`] made of a library's two peers.
pub(crate) struct Pair<E: Engine> {
    engine: E,
    kind: Kind,
    peers: Option<(E::Client, E::Server)>,
    idle: Vec<(E::Client, E::Server)>,
    to_server: Wire<E::Out>,
    to_client: Wire<E::Out>,
    plain: Vec<u8>,
}

/// One direction: where the sender writes and where the receiver reads.
struct Wire<O> {
    sent: O,
    received: Vec<u8>,
}

/// Room for a batch, so that no wire grows while something is metered.
const WIRE_CAPACITY: usize = 512 * 1024;

/// More flights than any handshake has; reaching it means that the peers do not agree.
const MAX_FLIGHTS: usize = 10;

impl<O: Outgoing> Wire<O> {
    fn new() -> Self {
        let mut sent = O::default();
        sent.reserve(WIRE_CAPACITY);
        Self {
            sent,
            received: Vec::with_capacity(WIRE_CAPACITY),
        }
    }

    fn clear(&mut self) {
        self.sent.clear();
        self.received.clear();
    }

    /// Carries what was sent to the receiver; false if there was nothing.
    fn carry(&mut self) -> bool {
        let bytes = self.sent.bytes();
        let any = !bytes.is_empty();
        self.received.extend_from_slice(bytes);
        self.sent.clear();
        any
    }
}

impl<E: Engine> Pair<E> {
    pub(crate) fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        let mut pair = Self {
            engine: E::new(pki, scenario)?,
            kind: scenario.kind,
            peers: None,
            idle: Vec::new(),
            to_server: Wire::new(),
            to_client: Wire::new(),
            plain: vec![0x61; Writes::ALL[0].size],
        };
        // What later handshakes rest on: a ticket, or a chain that is known.
        pair.shake(&mut Unmetered);
        Some(pair)
    }

    fn shake(&mut self, meter: &mut dyn Meter) {
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
        meter.client(&mut || client = Some(engine.client(&mut to_server.sent)));
        meter.server(&mut || server = Some(engine.server()));
        let mut client = client.expect("the meter runs its work");
        let mut server = server.expect("the meter runs its work");

        let (mut client_done, mut server_done) = (false, false);
        let mut client_turn = to_server.sent.bytes().is_empty();
        for _ in 0..MAX_FLIGHTS {
            if client_turn {
                let (input, out) = (&mut to_client.received, &mut to_server.sent);
                meter.client(&mut || client_done |= client.handshake(input, out));
            }
            if to_server.carry() {
                let (input, out) = (&mut to_server.received, &mut to_client.sent);
                meter.server(&mut || server_done |= server.handshake(input, out));
            }
            client_turn = to_client.carry();
            if client_done && server_done && !client_turn {
                *peers = Some((client, server));
                return;
            }
        }
        panic!("{}: the handshake does not complete", E::NAME);
    }
}

impl<E: Engine> Subject for Pair<E> {
    fn handshake(&mut self, meter: &mut dyn Meter) {
        self.shake(meter);
        let basis = self.peers.as_ref().map(|(client, _)| E::basis(client));
        assert_eq!(basis, Some(Basis::of(self.kind)), "{}", E::NAME);
    }

    fn object_sizes(&self) -> [usize; 2] {
        [size_of::<E::Client>(), size_of::<E::Server>()]
    }

    fn keep(&mut self) {
        self.idle.extend(self.peers.take());
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
                client.send(plain, &mut to_server.sent);
            }
        });
        to_server.carry();
        let mut received = 0;
        meter.server(&mut || received = server.receive(&mut to_server.received));
        assert_eq!(received, writes.bytes(), "{}: bytes were lost", E::NAME);
    }
}
