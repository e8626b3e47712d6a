//! Wall-clock figures: all subjects take turns, round after round, in one thread.
//!
//! A round measures every subject once, starting with another one each time, so that a change of the
//! machine's speed or load falls on all of them. Within a round the median of single handshakes or
//! batches counts, which a pre-emption cannot move. Ratios are taken within a round as well.

use std::time::{Duration, Instant};

use crate::engines;
use crate::pair::{Meter, Subject, Unmetered};
use crate::pki::Pki;
use crate::scenario::{Auth, Scenario, Suite, Writes};
use crate::stats::median;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds, at least five.
    pub(crate) rounds: usize,
    /// Handshakes of each subject in a round.
    pub(crate) handshakes: usize,
    /// Batches of writes of each subject in a round.
    pub(crate) batches: usize,
}

/// The time of each side's work since the last reset.
#[derive(Default)]
struct Clock {
    client: Duration,
    server: Duration,
}

impl Meter for Clock {
    fn client(&mut self, work: &mut dyn FnMut()) {
        let start = Instant::now();
        work();
        self.client += start.elapsed();
    }

    fn server(&mut self, work: &mut dyn FnMut()) {
        let start = Instant::now();
        work();
        self.server += start.elapsed();
    }
}

/// One subject's nanoseconds: for each round the median of its samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    /// Handshake: the client's share. Transfer: sending a batch.
    pub(crate) client: Vec<f64>,
    /// Handshake: the server's share. Transfer: receiving a batch.
    pub(crate) server: Vec<f64>,
}

/// One line of a table: the times of the subjects in the order of [`engines::NAMES`].
#[derive(Clone, Debug)]
pub(crate) struct Row<K> {
    pub(crate) key: K,
    pub(crate) times: Vec<Option<Times>>,
}

/// What a transfer is measured for.
pub(crate) type Transfer = (Suite, Writes);

/// Measures every handshake.
pub(crate) fn handshakes(pki: impl Fn(Auth) -> Pki, effort: Effort) -> Vec<Row<Scenario>> {
    let measure = |scenario: Scenario| {
        eprintln!("handshake {}", scenario.id());
        let mut subjects = subjects(&pki(scenario.auth), scenario);
        let times = in_turns(&mut subjects, effort.rounds, |subject, clock| {
            samples(effort.handshakes, clock, |clock| subject.handshake(clock))
        });
        Row {
            key: scenario,
            times,
        }
    };
    Scenario::handshakes().into_iter().map(measure).collect()
}

/// Measures every transfer.
pub(crate) fn transfers(pki: &Pki, effort: Effort) -> Vec<Row<Transfer>> {
    let mut rows = Vec::new();
    for suite in Suite::ALL {
        let scenario = Scenario {
            suite,
            ..Scenario::BASE
        };
        for writes in Writes::ALL {
            eprintln!(
                "transfer {} in writes of {} bytes",
                suite.name(),
                writes.size
            );
            let mut subjects = subjects(pki, scenario);
            let times = in_turns(&mut subjects, effort.rounds, |subject, clock| {
                // A fresh connection, so that no key is used up, and one batch to grow its buffers.
                subject.handshake(&mut Unmetered);
                subject.transfer(writes, &mut Unmetered);
                samples(effort.batches, clock, |clock| {
                    subject.transfer(writes, clock)
                })
            });
            rows.push(Row {
                key: (suite, writes),
                times,
            });
        }
    }
    rows
}

type Subjects = Vec<Option<Box<dyn Subject>>>;

/// All subjects that know the scenario, each of which has done a few handshakes already.
fn subjects(pki: &Pki, scenario: Scenario) -> Subjects {
    let subject = |name| {
        let mut subject = engines::subject(name, pki, scenario)?;
        for _ in 0..5 {
            subject.handshake(&mut Unmetered);
        }
        Some(subject)
    };
    engines::NAMES.into_iter().map(subject).collect()
}

/// Lets the subjects take turns; `measure` gives the client's and the server's time of one turn.
fn in_turns(
    subjects: &mut Subjects,
    rounds: usize,
    mut measure: impl FnMut(&mut dyn Subject, &mut Clock) -> (f64, f64),
) -> Vec<Option<Times>> {
    let mut times: Vec<_> = subjects
        .iter()
        .map(|s| s.as_ref().map(|_| Times::default()))
        .collect();
    let mut clock = Clock::default();
    for round in 0..rounds {
        for turn in 0..subjects.len() {
            let index = (round + turn) % subjects.len();
            if let (Some(subject), Some(times)) = (&mut subjects[index], &mut times[index]) {
                let (client, server) = measure(subject.as_mut(), &mut clock);
                times.client.push(client);
                times.server.push(server);
            }
        }
    }
    times
}

/// The medians of both sides' nanoseconds over `count` runs of `work`.
fn samples(count: usize, clock: &mut Clock, mut work: impl FnMut(&mut Clock)) -> (f64, f64) {
    let mut client = Vec::with_capacity(count);
    let mut server = Vec::with_capacity(count);
    for _ in 0..count {
        *clock = Clock::default();
        work(clock);
        client.push(clock.client.as_nanos() as f64);
        server.push(clock.server.as_nanos() as f64);
    }
    (median(&client), median(&server))
}
