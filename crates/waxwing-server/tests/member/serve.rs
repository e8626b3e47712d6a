//! What a server process does.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use waxwing::SystemClock;
use waxwing::tokio::{AnswerFuture, Answerer};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Buffer, Clock, Connection, EarlyDataStatus, Event, Question, ServerConfig, ServerSessions,
    UnixMillis,
};
use waxwing_pki::load_certified_key_files;
use waxwing_server::store::{RedisStore, Store};
use waxwing_server::{Schedule, ServerAnswers, SharedReplayGuard, SharedTicketKeys, StoreSessions};
use waxwing_testkit::session_bytes::SessionBytes;

use super::{CHAIN, CONTROL, KEY, MANNER, NUMBER, PERIOD, REDIS, SESSIONS};

const MASTER: [u8; 32] = [0x4d; 32];
/// For how long a hello with early data is taken: 10 s, whatever the clocks differ by.
const WINDOW: u64 = 20_000;
const MAX_EARLY: u32 = 1000;
/// A key is accepted for as many periods.
const ACCEPTED: u32 = 8;
/// Bytes of a key's name, which tickets begin with.
const NAME: usize = 16;

/// A system clock that can be put forward.
#[derive(Debug, Default)]
struct Shifted(AtomicU64);

impl Clock for Shifted {
    fn now(&self) -> UnixMillis {
        SystemClock.now() + self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Counters {
    failed: AtomicU64,
    asked: AtomicU64,
    accepted: AtomicU64,
    taken: Mutex<Vec<u64>>,
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Counts what the guard is asked.
#[derive(Clone)]
struct Answers {
    answers: ServerAnswers,
    counters: Arc<Counters>,
}

impl Answerer for Answers {
    fn answer(&mut self, question: Question<'_>) -> AnswerFuture {
        if matches!(question, Question::FirstUse { .. }) {
            add_one(&self.counters.asked);
        }
        self.answers.answer(question)
    }
}

struct Server {
    number: u8,
    config: Arc<ServerConfig>,
    answers: Answers,
    counters: Arc<Counters>,
    guards_clock: Arc<Shifted>,
    keys: Arc<SharedTicketKeys>,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// Is a server, if this process shall be one.
pub(crate) fn serve() {
    let Ok(control) = std::env::var(CONTROL) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let server = Arc::new(Server::new().await);
        let _refreshing = server.keys.spawn();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(Arc::clone(&server).accept_all(listener));
        let control = TcpStream::connect(control).await.unwrap();
        server.obey(control, port).await.unwrap();
    });
}

impl Server {
    async fn new() -> Self {
        let clock = Arc::new(SystemClock);
        let store = RedisStore::connect(&variable(REDIS), PROVIDER.random).await;
        let store: Arc<dyn Store> = Arc::new(store.unwrap());
        let period = Duration::from_millis(variable(PERIOD).parse().unwrap());
        let schedule = Schedule::new(period, Duration::ZERO, period * ACCEPTED).unwrap();
        let keys = SharedTicketKeys::with_schedule(
            &PROVIDER,
            clock.clone(),
            Arc::clone(&store),
            "web",
            &MASTER,
            schedule,
        );
        let keys = Arc::new(keys.unwrap());
        keys.refresh().await.unwrap();
        let guards_clock = Arc::new(Shifted::default());
        let guard = SharedReplayGuard::new(Arc::clone(&store), guards_clock.clone());
        let guard = Arc::new(guard.unwrap());
        let mut answers = ServerAnswers::new().guard(Arc::clone(&guard));
        let mut sessions: Arc<dyn ServerSessions> = keys.keys();
        if variable(SESSIONS) == "Kept" {
            let kept = StoreSessions::new(keys.keys(), store, clock.clone()).unwrap();
            let kept = Arc::new(kept);
            answers = answers.sessions(Arc::clone(&kept));
            sessions = kept;
        }
        let own = load_certified_key_files(&PROVIDER, variable(CHAIN), variable(KEY)).unwrap();
        let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(own)))
            .sessions(sessions, clock)
            .early_data(MAX_EARLY, guard);
        let counters = Arc::new(Counters::default());
        Self {
            number: variable(NUMBER).parse().unwrap(),
            config: config.build().unwrap(),
            answers: Answers {
                answers,
                counters: Arc::clone(&counters),
            },
            counters,
            guards_clock,
            keys,
        }
    }

    async fn accept_all(self: Arc<Self>, listener: TcpListener) {
        let records = variable(MANNER) == "Record";
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                let result = match records {
                    true => server.record(socket).await,
                    false => server.echo(socket).await,
                };
                if let Err(error) = result {
                    eprintln!("{error}");
                    add_one(&server.counters.failed);
                }
            });
        }
    }

    async fn echo(&self, socket: TcpStream) -> io::Result<()> {
        let (config, answers) = (Arc::clone(&self.config), self.answers.clone());
        let mut stream = waxwing::tokio::accept_with(config, socket, answers).await?;
        if stream.info().early_data == EarlyDataStatus::Accepted {
            add_one(&self.counters.accepted);
        }
        stream.write_all(&[self.number]).await?;
        stream.flush().await?;
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await?;
        stream.write_all(&heard).await?;
        stream.shutdown().await
    }

    /// Drives the engine itself, so that early data is seen although the handshake never ends.
    async fn record(&self, mut socket: TcpStream) -> io::Result<()> {
        let mut connection = Connection::server(Arc::clone(&self.config));
        let mut answers = self.answers.clone();
        let (mut input, mut out) = (Vec::new(), Buffer::new());
        loop {
            let progress = connection.process(&mut input, &mut out);
            let progress = progress.map_err(io::Error::other)?;
            if let Event::EarlyData(range) = progress.event.clone() {
                let number = input[range].try_into().unwrap();
                let number = u64::from_be_bytes(number);
                add_one(&self.counters.accepted);
                self.counters.taken.lock().unwrap().push(number);
            }
            input.drain(..progress.consumed);
            let done = match progress.event {
                Event::EarlyData(_) => Ok(()),
                Event::Wait(_) => {
                    let answer = answers.answer(connection.question().unwrap()).await;
                    connection.answer(answer, &mut out)
                }
                Event::HandshakeComplete => {
                    let written = connection.write(&[&[self.number]], &mut out);
                    written.map(|_| ())
                }
                Event::NeedInput(_) => {
                    socket.write_all(out.as_slice()).await?;
                    out.clear();
                    match socket.read_buf(&mut input).await? {
                        0 => return Ok(()),
                        _ => Ok(()),
                    }
                }
                event => panic!("{event:?}"),
            };
            done.map_err(io::Error::other)?;
        }
    }

    /// Answers the test until it has nothing more to ask.
    async fn obey(&self, control: TcpStream, port: u16) -> io::Result<()> {
        let (questions, mut replies) = control.into_split();
        let mut questions = BufReader::new(questions).lines();
        replies.write_all(format!("{port}\n").as_bytes()).await?;
        while let Some(question) = questions.next_line().await? {
            let reply = self.reply(&question);
            replies.write_all(format!("{reply}\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn reply(&self, question: &str) -> String {
        let counters = &self.counters;
        match question {
            "counts" => {
                let all = [&counters.failed, &counters.asked, &counters.accepted];
                let [failed, asked, accepted] = all.map(|count| count.load(Ordering::Relaxed));
                format!("{failed} {asked} {accepted}")
            }
            "taken" => {
                let taken = core::mem::take(&mut *counters.taken.lock().unwrap());
                let taken: Vec<_> = taken.iter().map(u64::to_string).collect();
                taken.join(" ")
            }
            "key" => {
                let ticket = self.keys.keys().issue(&SessionBytes::TLS13.session());
                format!("{:02x?}", &ticket.unwrap()[..NAME])
            }
            "window" => {
                self.guards_clock.0.fetch_add(WINDOW, Ordering::Relaxed);
                String::new()
            }
            other => panic!("{other}"),
        }
    }
}
