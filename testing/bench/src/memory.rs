//! Heap bytes and allocations of one connection through its life, for each side.

use std::fs;

use serde_json::{Value, json};

use crate::engines;
use crate::heap::{Account, Accounts};
use crate::pair::{Meter, Subject, Unmetered};
use crate::pki::Pki;
use crate::scenario::{Kind, Scenario, Writes};

/// Both sides' accounts at the stages of a connection's life.
struct Life {
    created: Accounts,
    handshake: Accounts,
    transferred: Accounts,
    writes: usize,
}

/// Keeps a copy of each account after the first call of its side, which makes the connection.
#[derive(Default)]
struct Stages {
    now: Accounts,
    client_created: Option<Account>,
    server_created: Option<Account>,
}

impl Meter for Stages {
    fn client(&mut self, work: &mut dyn FnMut()) {
        self.now.client(work);
        self.client_created.get_or_insert(self.now.client);
    }

    fn server(&mut self, work: &mut dyn FnMut()) {
        self.now.server(work);
        self.server_created.get_or_insert(self.now.server);
    }
}

fn observe(subject: &mut dyn Subject) -> Life {
    let writes = Writes::ALL[0];
    for _ in 0..3 {
        subject.handshake(&mut Unmetered);
        subject.transfer(writes, &mut Unmetered);
    }
    let mut stages = Stages::default();
    subject.handshake(&mut stages);
    let handshake = stages.now;
    // The first batch may grow buffers for good; what is reported are the allocations of the second.
    subject.transfer(writes, &mut stages);
    let warm = stages.now;
    subject.transfer(writes, &mut stages);
    let mut transferred = stages.now;
    transferred.client.allocations -= warm.client.allocations;
    transferred.server.allocations -= warm.server.allocations;
    Life {
        created: Accounts {
            client: stages.client_created.expect("the client ran"),
            server: stages.server_created.expect("the server ran"),
        },
        handshake,
        transferred,
        writes: writes.count,
    }
}

/// Both sides' accounts of a handshake that resumes. A session leaves the client's cache for it and
/// another one comes in.
fn observe_resumed(subject: &mut dyn Subject) -> Accounts {
    for _ in 0..3 {
        subject.handshake(&mut Unmetered);
    }
    let mut accounts = Accounts::default();
    subject.handshake(&mut accounts);
    accounts
}

/// Measures every library, in this process, whose C libraries must be counted already. The result
/// maps each name to its stages, each with the client's figure and the server's.
pub(crate) fn measure(pki: &Pki) -> Value {
    let mut lives = serde_json::Map::new();
    for name in engines::NAMES.into_iter().skip(1) {
        if let Some(mut subject) = engines::subject(name, pki, Scenario::BASE) {
            let mut life = stages(&observe(subject.as_mut()));
            life["object"] = json!(subject.object_sizes());
            let resumed = Scenario::BASE.kind(Kind::Resumed);
            if let Some(mut subject) = engines::subject(name, pki, resumed) {
                let accounts = observe_resumed(subject.as_mut());
                let both = |figure| both(&accounts, figure);
                life["resumed_peak"] = both(|account| account.peak as f64);
                life["resumed_live"] = both(|account| account.live as f64);
                life["resumed_allocations"] = both(|account| account.allocations as f64);
            }
            lives.insert(name.to_owned(), life);
        }
    }
    Value::Object(lives)
}

/// The resident memory of this process that each of `pairs` idle pairs takes, in bytes. To be called
/// once in a process.
pub(crate) fn resident(subject: &str, pairs: usize, pki: &Pki) -> f64 {
    let subject = engines::subject(subject, pki, Scenario::BASE);
    let mut subject = subject.expect("the parent asks for what there is");
    for _ in 0..10 {
        subject.handshake(&mut Unmetered);
    }
    let before = resident_now();
    for _ in 0..pairs {
        subject.handshake(&mut Unmetered);
        subject.keep();
    }
    (resident_now() - before) / pairs as f64
}

fn resident_now() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<f64>().ok())
        .expect("the line is in kB")
        * 1024.0
}

/// The keys of the resident memory, which is measured apart, and how many pairs there are.
pub(crate) const RESIDENT: [(&str, usize); 2] = [
    ("resident_per_pair", 10_000),
    ("resident_per_pair_of_many", 100_000),
];

/// As much as idle pairs may take. What would take more is left out.
pub(crate) const MAX_RESIDENT: f64 = 4e9;

/// Titles of the table's lines and the keys under which [`measure`] keeps them.
pub(crate) const STAGES: [(&str, &str); 14] = [
    ("object", "bytes of the connection object, beside the heap"),
    ("created_live", "live bytes, connection made"),
    ("handshake_peak", "peak bytes in the handshake"),
    ("handshake_live", "live bytes, handshake complete"),
    ("handshake_allocations", "allocations, new to complete"),
    (
        "handshake_c_allocations",
        "... those inside AWS-LC, BoringSSL or OpenSSL",
    ),
    ("transfer_peak", "peak bytes up to 512 KiB of data"),
    ("transfer_live", "live bytes after 512 KiB of data"),
    (
        "record_allocations",
        "allocations per 16 KiB record (client sends, server receives)",
    ),
    ("resumed_peak", "peak bytes in a resumed handshake"),
    ("resumed_live", "live bytes, resumed handshake complete"),
    ("resumed_allocations", "allocations of a resumed handshake"),
    (
        RESIDENT[0].0,
        "resident bytes of an idle pair, both sides together, of 10,000",
    ),
    (RESIDENT[1].0, "the same, of 100,000"),
];

/// A figure of the client and of the server.
fn both(accounts: &Accounts, figure: fn(&Account) -> f64) -> Value {
    json!([figure(&accounts.client), figure(&accounts.server)])
}

fn stages(life: &Life) -> Value {
    let writes = life.writes as f64;
    let records = [life.transferred.client, life.transferred.server]
        .map(|account| account.allocations as f64 / writes);
    json!({
        "created_live": both(&life.created, |account| account.live as f64),
        "handshake_peak": both(&life.handshake, |account| account.peak as f64),
        "handshake_live": both(&life.handshake, |account| account.live as f64),
        "handshake_allocations": both(&life.handshake, |account| account.allocations as f64),
        "handshake_c_allocations": both(&life.handshake, |account| account.c_allocations as f64),
        "transfer_peak": both(&life.transferred, |account| account.peak as f64),
        "transfer_live": both(&life.transferred, |account| account.live as f64),
        "record_allocations": records,
    })
}
