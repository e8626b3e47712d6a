//! Web servers on the loopback interface: the same hyper server on Waxwing and on rustls, and nginx
//! with the system's OpenSSL if it is installed.
//!
//! Each server is a process with one thread; the client is one thread of this process, the same for
//! all, and is kept away from the server's processor if there are two. The servers take turns.

mod client;
mod nginx;
mod process;
mod serve;
mod strace;

use std::path::Path;

use serde_json::{Value, json};

pub(crate) use serve::serve;

use crate::pki::Pki;
use crate::stats::{Summary, median, summarise};
use client::Client;
use process::{Pinned, Server};

/// Names of the servers, in the order of the columns.
pub(crate) const SERVERS: [&str; 3] = ["Waxwing", "rustls", "nginx"];

/// What is asked of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// The name in the tables.
    pub(crate) title: &'static str,
    /// Bytes of each answer.
    pub(crate) size: usize,
    /// Requests that are under way at the same time, each on a connection of its own.
    pub(crate) connections: usize,
    /// Requests on each connection before it is closed; 0 for all.
    pub(crate) per_connection: usize,
    /// Requests in each round.
    pub(crate) requests: usize,
}

/// Bytes of the short and the long answer.
pub(crate) const SIZES: [usize; 2] = [1024, 1024 * 1024];

pub(crate) const LOADS: [Load; 3] = [
    Load {
        title: "1 KiB, 16 kept connections",
        size: SIZES[0],
        connections: 16,
        per_connection: 0,
        requests: 8_000,
    },
    Load {
        title: "1 MiB, 4 kept connections",
        size: SIZES[1],
        connections: 4,
        per_connection: 0,
        requests: 400,
    },
    Load {
        title: "1 KiB, a connection each",
        size: SIZES[0],
        connections: 4,
        per_connection: 1,
        requests: 800,
    },
];

impl Load {
    fn shortened(self, divisor: usize) -> Self {
        Self {
            requests: self.requests / divisor,
            ..self
        }
    }
}

/// The rounds of one server under one load.
#[derive(Default)]
pub(crate) struct Figures {
    /// Nanoseconds from the first request to the last answer, by request.
    wall: Vec<f64>,
    /// Nanoseconds that the server's process ran for, by request.
    busy: Vec<f64>,
    /// System calls of the server by request, if strace is installed.
    calls: Option<f64>,
}

impl Figures {
    pub(crate) fn wall(&self) -> Summary {
        summarise(&self.wall)
    }

    pub(crate) fn busy(&self) -> Summary {
        summarise(&self.busy)
    }

    pub(crate) fn calls(&self) -> Option<f64> {
        self.calls
    }

    /// Our processor time by theirs, taken within each round.
    pub(crate) fn busy_ratio(&self, theirs: &Self) -> f64 {
        let ratios = self.busy.iter().zip(&theirs.busy);
        median(
            &ratios
                .map(|(ours, theirs)| ours / theirs)
                .collect::<Vec<_>>(),
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "wall_ns": self.wall().median,
            "busy_ns": self.busy().median,
            "rounds": {"wall_ns": self.wall, "busy_ns": self.busy},
            "system_calls": self.calls,
        })
    }
}

/// The figures of each load by server, in the order of [`SERVERS`].
pub(crate) type Table = Vec<(Load, Vec<Option<Figures>>)>;

/// Measures all servers under all loads.
pub(crate) fn measure(pki: &Pki, dir: &Path, rounds: usize, quick: bool) -> Table {
    // On a busy machine a thread that may not move waits for long, and a quick run is for such.
    let _pinned = (!quick).then(Pinned::new);
    let client = Client::new(pki);
    let servers = SERVERS.map(|name| Server::start(name, pki, dir, !quick));
    let measure = |load: Load| {
        eprintln!("sockets: {}", load.title);
        let load = load.shortened(if quick { 10 } else { 1 });
        (load, under(load, &client, &servers, rounds))
    };
    LOADS.into_iter().map(measure).collect()
}

fn under(
    load: Load,
    client: &Client,
    servers: &[Option<Server>],
    rounds: usize,
) -> Vec<Option<Figures>> {
    let figures = servers
        .iter()
        .map(|s| s.as_ref().map(|_| Figures::default()));
    let mut figures: Vec<_> = figures.collect();
    for server in servers.iter().flatten() {
        client.run(server.port(), load.shortened(10));
    }
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let index = (round + turn) % servers.len();
            if let (Some(server), Some(figures)) = (&servers[index], &mut figures[index]) {
                let before = server.busy();
                let wall = client.run(server.port(), load);
                let busy = server.busy() - before;
                figures.wall.push(by_request(wall, load));
                figures.busy.push(by_request(busy, load));
            }
        }
    }
    for (server, figures) in servers.iter().zip(&mut figures) {
        if let (Some(server), Some(figures)) = (server, figures) {
            let load = load.shortened(4);
            let calls = strace::count(server.id(), || {
                client.run(server.port(), load);
            });
            figures.calls = calls.map(|calls| calls / load.requests as f64);
        }
    }
    figures
}

fn by_request(time: std::time::Duration, load: Load) -> f64 {
    time.as_nanos() as f64 / load.requests as f64
}
