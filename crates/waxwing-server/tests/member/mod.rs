//! Servers in processes of their own.
//!
//! ```text
//!   test -- relay, one after the other --> server 0, 1, 2 --> Redis
//!     `---- control: a line asks, a line answers ----^
//! ```
//!
//! A server process is this test binary, called for the one test that runs [`serve`], with what it
//! shall be in environment variables. It ends when its control connection does.

mod serve;

use core::time::Duration;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

use waxwing_interop::{Identity, Listener, Process};

pub(crate) use serve::serve;

const CONTROL: &str = "WAXWING_MEMBER_CONTROL";
const NUMBER: &str = "WAXWING_MEMBER_NUMBER";
const REDIS: &str = "WAXWING_MEMBER_REDIS";
const PERIOD: &str = "WAXWING_MEMBER_PERIOD";
const SESSIONS: &str = "WAXWING_MEMBER_SESSIONS";
const MANNER: &str = "WAXWING_MEMBER_MANNER";
const CHAIN: &str = "WAXWING_MEMBER_CHAIN";
const KEY: &str = "WAXWING_MEMBER_KEY";

/// What a server does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Says its number, then what it hears.
    Echo,
    /// Writes down what it takes as early data, and says its number.
    Record,
}

/// Where sessions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// In the tickets.
    Sealed,
    /// In Redis.
    Kept,
}

/// What all servers of a fleet have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) manner: Manner,
    pub(crate) sessions: Sessions,
    /// How long a ticket key seals.
    pub(crate) period: Duration,
}

/// What a server has counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Connections that ended in an error.
    pub(crate) failed: u64,
    /// Hellos with early data that the guard was asked about.
    pub(crate) asked: u64,
    /// Connections whose early data was taken.
    pub(crate) accepted: u64,
}

/// A running server.
pub(crate) struct Member {
    control: BufReader<TcpStream>,
    pub(crate) port: u16,
    /// Killed when this is dropped; what it printed is shown if the test fails.
    _process: Process,
}

impl Member {
    /// Starts a server, and waits until it serves.
    pub(crate) fn start(
        number: usize,
        settings: Settings,
        redis: &str,
        identity: &Identity,
    ) -> Self {
        let listener = Listener::bind().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "server_process", "--nocapture"])
            .env(CONTROL, listener.address())
            .env(NUMBER, number.to_string())
            .env(REDIS, redis)
            .env(PERIOD, settings.period.as_millis().to_string())
            .env(SESSIONS, format!("{:?}", settings.sessions))
            .env(MANNER, format!("{:?}", settings.manner))
            .env(CHAIN, identity.chain())
            .env(KEY, identity.key());
        let mut process = Process::start(&mut command);
        let control = listener.accept(&mut process).unwrap();
        let mut member = Self {
            control: BufReader::new(control),
            port: 0,
            _process: process,
        };
        member.port = member.hear().parse().unwrap();
        member
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        let line = line.strip_suffix('\n').expect("the server has ended");
        line.to_owned()
    }

    fn ask(&mut self, question: &str) -> String {
        let line = format!("{question}\n");
        self.control.get_mut().write_all(line.as_bytes()).unwrap();
        self.hear()
    }

    pub(crate) fn counts(&mut self) -> Counts {
        let numbers = numbers(&self.ask("counts"));
        let &[failed, asked, accepted] = numbers.as_slice() else {
            panic!("{numbers:?}");
        };
        Counts {
            failed,
            asked,
            accepted,
        }
    }

    /// The early data that was taken since the last call.
    pub(crate) fn taken(&mut self) -> Vec<u64> {
        numbers(&self.ask("taken"))
    }

    /// The name of the key that seals now.
    pub(crate) fn key(&mut self) -> String {
        self.ask("key")
    }

    /// Lets the guard's clock go forward by as long as a hello is taken.
    pub(crate) fn pass_window(&mut self) {
        self.ask("window");
    }
}

fn numbers(line: &str) -> Vec<u64> {
    let numbers = line.split_whitespace();
    numbers.map(|number| number.parse().unwrap()).collect()
}
