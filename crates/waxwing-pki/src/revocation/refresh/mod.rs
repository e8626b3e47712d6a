//! Keeping staples, lists and filters fresh, without I/O and without a clock.
//!
//! A [`Refresh`] is told the time and says what it needs: an HTTP request to be made, or to be
//! asked again later. What it holds stays while the source is down, until it ends. Each answer is
//! checked before it replaces another: most of these come over plain HTTP.
//!
//! ```text
//!   Refresh     holds the newest good value of a Job           here
//!   Schedule    when to ask: half-way, jitter, backoff         schedule.rs
//!   StapleJob   an OCSP response for our own certificate       jobs.rs
//!   ListJob     a revocation list of an issuer                 jobs.rs
//!   FilterJob   CRLite filters by a manifest                   jobs.rs
//! ```

mod jobs;
mod schedule;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::UnixTime;

#[cfg(feature = "crlite")]
pub use jobs::FilterJob;
pub use jobs::{ListJob, StapleJob};
use schedule::Schedule;

/// An HTTP request that the caller has to make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Where to.
    pub url: String,
    /// What to send, and its `Content-Type`: a POST. Without it, a GET.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// How many bytes of an answer are worth reading.
    pub max_answer: usize,
}

/// Something to fetch and check, again and again.
pub trait Job {
    /// What comes of it.
    type Value;

    /// The first request of a round.
    fn start(&mut self) -> Request;

    /// Takes the body of the answer to the last request.
    ///
    /// # Errors
    /// Why it is no good, in words.
    fn answer(&mut self, body: &[u8], now: UnixTime) -> Result<Progress<Self::Value>, String>;
}

/// What an answer leads to.
#[derive(Debug)]
pub enum Progress<V> {
    /// Another request of the same round.
    More(Request),
    /// The round is complete.
    Done(Fresh<V>),
}

/// A value and when it counts.
#[derive(Debug)]
pub struct Fresh<V> {
    /// What it is.
    pub value: V,
    /// When it was made.
    pub made: UnixTime,
    /// When it ends.
    pub until: UnixTime,
}

/// What [`Refresh::poll`] asks of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until then.
    Wait(UnixTime),
    /// This request; then [`Refresh::answer`].
    Needs(Request),
    /// What was held has ended, and must not be used any more. Said once.
    Ended,
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News<V> {
    /// There is a new value.
    Fresh(Arc<V>),
    /// The round goes on with another request.
    Underway,
    /// Nothing came of it, for this reason. What is held stays.
    Failed(String),
}

/// Holds the newest good value of a job. See the [module](self).
#[derive(Debug)]
pub struct Refresh<J: Job> {
    job: J,
    schedule: Schedule,
    state: State,
    held: Option<Held<J::Value>>,
}

#[derive(Debug)]
enum State {
    Idle,
    Asking(Request),
}

#[derive(Debug)]
struct Held<V> {
    value: Arc<V>,
    until: UnixTime,
}

impl<J: Job> Refresh<J> {
    /// Asks at once, and then around the middle of each answer's time. `seed` should be another
    /// number on each machine: it decides how far around, so that not all ask at the same time.
    #[must_use]
    pub const fn new(job: J, seed: u64) -> Self {
        Self {
            job,
            schedule: Schedule::new(seed),
            state: State::Idle,
            held: None,
        }
    }

    /// Asks no later than so long after an answer, however long that one counts. One day, if
    /// this is not called.
    #[must_use]
    pub const fn at_least_every(mut self, interval: Duration) -> Self {
        self.schedule.at_least_every(interval);
        self
    }

    /// The value, unless there is none or it has ended.
    #[must_use]
    pub fn value(&self, now: UnixTime) -> Option<&Arc<J::Value>> {
        let held = self.held.as_ref().filter(|held| now < held.until);
        held.map(|held| &held.value)
    }

    /// What to do now.
    pub fn poll(&mut self, now: UnixTime) -> Step {
        if self.held.as_ref().is_some_and(|held| now >= held.until) {
            self.held = None;
            return Step::Ended;
        }
        if let State::Asking(request) = &self.state {
            return Step::Needs(request.clone());
        }
        let next = self.schedule.next();
        if now >= next {
            return Step::Needs(self.ask());
        }
        let end = self.held.as_ref().map_or(next, |held| held.until);
        Step::Wait(next.min(end))
    }

    fn ask(&mut self) -> Request {
        let request = self.job.start();
        self.state = State::Asking(request.clone());
        request
    }

    /// Takes the body of an answer with a status of success, or what went wrong instead.
    pub fn answer(&mut self, answer: Result<&[u8], &str>, now: UnixTime) -> News<J::Value> {
        let State::Asking(request) = core::mem::replace(&mut self.state, State::Idle) else {
            return self.failed("nothing was asked".into(), now);
        };
        let outcome = match answer {
            Ok(body) if body.len() > request.max_answer => {
                Err(format!("{} bytes are too many", body.len()))
            }
            Ok(body) => self.job.answer(body, now),
            Err(reason) => Err(reason.to_string()),
        };
        match outcome {
            Ok(Progress::More(request)) => {
                self.state = State::Asking(request);
                News::Underway
            }
            Ok(Progress::Done(fresh)) if now < fresh.until => {
                self.schedule.succeeded(now, fresh.until);
                let value = Arc::new(fresh.value);
                self.held = Some(Held {
                    value: Arc::clone(&value),
                    until: fresh.until,
                });
                News::Fresh(value)
            }
            Ok(Progress::Done(fresh)) => {
                let reason = format!("it was made {} and ended {}", fresh.made, fresh.until);
                self.failed(reason, now)
            }
            Err(reason) => self.failed(reason, now),
        }
    }

    fn failed(&mut self, reason: String, now: UnixTime) -> News<J::Value> {
        self.schedule.failed(now);
        News::Failed(reason)
    }
}
