//! One thread, and ten thousand handshakes that all wait at the same time: for a session, for a
//! certificate, for a signature and for a verdict. None of them waits for another one.
//!
//! Time here is a number. It goes on only when nothing is left to do but to wait, so what takes twice
//! as long as the answers of one handshake is a handshake that had to queue. Memory is what the engine
//! takes from the Rust allocator; the crypto library's own is in `testing/bench`.

mod common;

use core::cell::Cell;
use core::cmp::Reverse;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};

use common::{CERTIFICATE, certified_key, name, server_key};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Answer, Buffer, CertChoice, CertResolver, CertifiedKey, ClientConfig, ClientHelloView,
    ClientSessions, Connection, Event, Question, ServerCertRequest, ServerCertVerifier,
    ServerConfig, ServerName, Session, Verdict, Verified, Wait,
};
use waxwing_crypto::{CryptoError, SignatureScheme, Signing, SigningKey};
use waxwing_testkit::sessions::{ManualClock, MemorySessions};

const HANDSHAKES: usize = 10_000;
/// How long an answer takes.
const ANSWER: u64 = 50;
/// What each handshake asks for, in this order.
const WAITS: [Wait; 4] = [
    Wait::Session,
    Wait::Certificate,
    Wait::Signature,
    Wait::Verdict,
];
/// Bytes of heap that a handshake may hold while it waits: a client, a server.
const MOST_HEAP: [isize; 2] = [7000, 4800];

/// The system's allocator, with an account for each side.
struct Counting;

thread_local! {
    static SIDE: Cell<usize> = const { Cell::new(NOBODY) };
    static LIVE: [Cell<isize>; 3] = const { [Cell::new(0), Cell::new(0), Cell::new(0)] };
}

const CLIENT: usize = 0;
const SERVER: usize = 1;
const NOBODY: usize = 2;

fn count(bytes: isize) {
    LIVE.with(|live| {
        let account = &live[SIDE.get()];
        account.set(account.get() + bytes);
    });
}

fn live() -> [isize; 2] {
    LIVE.with(|live| [live[CLIENT].get(), live[SERVER].get()])
}

/// Does `work` at the cost of one side.
fn charge<T>(side: usize, work: impl FnOnce() -> T) -> T {
    SIDE.set(side);
    let result = work();
    SIDE.set(NOBODY);
    result
}

// SAFETY: every call goes to the system's allocator as it came; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Leaves every decision for later.
#[derive(Debug)]
struct Later;

impl CertResolver for Later {
    fn resolve(&self, _: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

impl SigningKey for Later {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Pending)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        server_key().public_key()
    }
}

impl ServerCertVerifier for Later {
    fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
        Verdict::Pending
    }
}

/// Offers the same session each time, so that each server has one to look for.
#[derive(Debug, Default)]
struct Last(Mutex<Option<Session>>);

impl ClientSessions for Last {
    fn take(&self, _: &ServerName) -> Option<Session> {
        self.0.lock().unwrap().clone()
    }

    fn put(&self, _: &ServerName, session: Session) {
        *self.0.lock().unwrap() = Some(session);
    }
}

/// What all handshakes share.
struct World {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    certified: Arc<CertifiedKey>,
}

impl World {
    fn new() -> Self {
        let (clock, sessions) = (ManualClock::new(), Arc::new(Last::default()));
        let client = ClientConfig::builder(&PROVIDER, Arc::new(Later))
            .sessions(sessions.clone(), clock.clone());
        let server = |resolver| ServerConfig::builder(&PROVIDER, resolver);
        // The session comes from a server that decides at once.
        let quick =
            server(Arc::new(certified_key())).sessions(MemorySessions::new(), clock.clone());
        let slow = server(Arc::new(Later))
            .sessions(MemorySessions::slow(), clock)
            .tickets(0);
        let certified = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(Later));
        let mut world = Self {
            client: client.build().unwrap(),
            server: quick.build().unwrap(),
            certified: Arc::new(certified),
        };
        let mut out = Buffer::new();
        let mut first = Handshake::new(&world, &mut out);
        assert_eq!(first.run(&mut out), [Some(Wait::Verdict), None]);
        first.answer(CLIENT, &world, &mut out);
        assert_eq!(first.run(&mut out), [None; 2]);
        assert!(sessions.0.lock().unwrap().is_some());
        world.server = slow.build().unwrap();
        world
    }

    /// The answer, as it comes from elsewhere.
    fn answer(&self, question: Question<'_>) -> Answer {
        match question {
            // Unknown by now: so there is a full handshake.
            Question::Session { .. } => Answer::Session(None),
            Question::Certificate(_) => Answer::Certificate(Some(Arc::clone(&self.certified))),
            Question::Signature {
                scheme, message, ..
            } => {
                let Ok(Signing::Done(signature)) = server_key().sign(scheme, message) else {
                    panic!("this key signs at once");
                };
                Answer::Signature(Ok(signature))
            }
            Question::Verdict(_) => {
                Answer::Verdict(Ok(Verified::holder_of(server_key().public_key().unwrap())))
            }
            other => panic!("{other:?}"),
        }
    }
}

/// One side: an engine, and what it could not process yet.
struct End {
    connection: Connection,
    unread: Vec<u8>,
    waits: Option<Wait>,
}

impl End {
    const fn new(connection: Connection) -> Self {
        Self {
            connection,
            unread: Vec::new(),
            waits: None,
        }
    }

    /// Goes on until an answer or more input is needed.
    fn run(&mut self, out: &mut Buffer) {
        while self.waits.is_none() {
            let progress = self.connection.process(&mut self.unread, out).unwrap();
            self.unread.drain(..progress.consumed);
            match progress.event {
                Event::Wait(wait) => self.waits = Some(wait),
                Event::NeedInput(_) => break,
                Event::HandshakeComplete => {}
                other => panic!("{other:?}"),
            }
        }
        self.unread.shrink_to_fit();
    }
}

struct Handshake([End; 2]);

impl Handshake {
    fn new(world: &World, out: &mut Buffer) -> Self {
        let client = charge(CLIENT, || {
            Connection::client(Arc::clone(&world.client), name(), out).unwrap()
        });
        let server = charge(SERVER, || Connection::server(Arc::clone(&world.server)));
        let mut handshake = Self([End::new(client), End::new(server)]);
        handshake.deliver(SERVER, out);
        handshake
    }

    fn deliver(&mut self, to: usize, out: &mut Buffer) -> bool {
        let is_new = !out.is_empty();
        charge(to, || self.0[to].unread.extend_from_slice(out.as_slice()));
        out.clear();
        is_new
    }

    /// Goes on until nobody can without an answer; what each side began to wait for.
    fn run(&mut self, out: &mut Buffer) -> [Option<Wait>; 2] {
        let waited = [CLIENT, SERVER].map(|side| self.0[side].waits.is_some());
        let mut moved = true;
        while moved {
            moved = false;
            for side in [SERVER, CLIENT] {
                charge(side, || self.0[side].run(out));
                moved |= self.deliver(1 - side, out);
            }
        }
        [CLIENT, SERVER].map(|side| self.0[side].waits.filter(|_| !waited[side]))
    }

    /// Answers what a side waits for, and says what that was.
    fn answer(&mut self, side: usize, world: &World, out: &mut Buffer) -> Wait {
        let end = &mut self.0[side];
        let answer = world.answer(end.connection.question().unwrap());
        charge(side, || end.connection.answer(answer, out).unwrap());
        let answered = end.waits.take().unwrap();
        self.deliver(1 - side, out);
        answered
    }

    fn is_complete(&self) -> bool {
        self.0.iter().all(|end| !end.connection.is_handshaking())
    }
}

/// How it went.
#[derive(Default)]
struct Outcome {
    elapsed: u64,
    /// How many waited for the same at once, in the order of [`WAITS`].
    most: [usize; 4],
    /// The heap of all clients and of all servers at that time.
    heap: [[isize; 2]; 4],
}

/// Many handshakes, begun at the same time.
struct Crowd {
    world: World,
    all: Vec<Handshake>,
    out: Buffer,
    /// When an answer comes, in which handshake and for which side.
    coming: BinaryHeap<Reverse<(u64, usize, usize)>>,
    /// In the order of [`WAITS`].
    waiting: [usize; 4],
    /// What was taken before they began.
    before: [isize; 2],
    outcome: Outcome,
}

fn place(wait: Wait) -> usize {
    WAITS.iter().position(|known| *known == wait).unwrap()
}

impl Crowd {
    fn new(number: usize) -> Self {
        let (world, before, mut out) = (World::new(), live(), Buffer::new());
        let all = (0..number).map(|_| Handshake::new(&world, &mut out));
        Self {
            all: all.collect(),
            world,
            out,
            coming: BinaryHeap::new(),
            waiting: [0; 4],
            before,
            outcome: Outcome::default(),
        }
    }

    /// Lets one go on, and remembers when the answers come that it asks for.
    fn run(&mut self, index: usize) {
        let new = self.all[index].run(&mut self.out);
        for (side, wait) in new.into_iter().enumerate() {
            let Some(place) = wait.map(place) else {
                continue;
            };
            let due = self.outcome.elapsed + ANSWER;
            self.coming.push(Reverse((due, index, side)));
            self.waiting[place] += 1;
            if self.waiting[place] > self.outcome.most[place] {
                let heap = [CLIENT, SERVER].map(|side| live()[side] - self.before[side]);
                self.outcome.most[place] = self.waiting[place];
                self.outcome.heap[place] = heap;
            }
        }
    }

    /// Answers each question after [`ANSWER`], until all are complete.
    fn finish(mut self) -> Outcome {
        for index in 0..self.all.len() {
            self.run(index);
        }
        while let Some(Reverse((due, index, side))) = self.coming.pop() {
            self.outcome.elapsed = due;
            let answered = self.all[index].answer(side, &self.world, &mut self.out);
            self.waiting[place(answered)] -= 1;
            self.run(index);
        }
        assert!(self.all.iter().all(Handshake::is_complete));
        self.outcome
    }
}

#[test]
fn ten_thousand_handshakes_wait_as_long_as_one() {
    let one = Crowd::new(1).finish();
    assert_eq!((one.elapsed, one.most), (4 * ANSWER, [1; 4]));
    let all = Crowd::new(HANDSHAKES).finish();
    assert_eq!(all.elapsed, one.elapsed);
    assert_eq!(all.most, [HANDSHAKES; 4], "all wait at the same time");
    for (wait, heap) in WAITS.iter().zip(all.heap) {
        let [client, server] = heap.map(|bytes| bytes / HANDSHAKES as isize);
        println!("waiting for {wait:?}: client {client} bytes, server {server} bytes");
        for (bytes, most) in [client, server].into_iter().zip(MOST_HEAP) {
            assert!(bytes > 0, "something is counted");
            assert!(bytes <= most, "{wait:?}: {bytes} bytes");
        }
    }
}
