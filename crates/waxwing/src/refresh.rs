//! Keeping OCSP responses, revocation lists and filters fresh: who waits, and who fetches.
//!
//! What to fetch and when is decided by [`Refresh`]; HTTP is the caller's, who knows its proxies
//! and its client. Here is what lies between: a thread, and a future for tokio.
//!
//! ```no_run
//! use std::io;
//! use std::sync::Arc;
//! use waxwing::pki::revocation::StaplingKey;
//! use waxwing::pki::revocation::refresh::{Refresh, Request, StapleJob};
//! use waxwing::refresh::{Refresher, Update};
//! use waxwing::{CertifiedKey, PROVIDER};
//!
//! # fn ask(key: Arc<CertifiedKey>, http: fn(&Request) -> io::Result<Vec<u8>>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let job = StapleJob::new(&PROVIDER, "http://ocsp.example/", &key.chain()[0], &key.chain()[1])?;
//! let key = Arc::new(StaplingKey::new(key));
//! let stapled = Arc::clone(&key);
//! let _refresher = Refresher::spawn(Refresh::new(job, 7), http, move |update| match update {
//!     Update::Fresh(response) => stapled.staple(Some(response.to_vec())),
//!     Update::Ended => stapled.staple(None),
//!     Update::Failed(reason) => eprintln!("no new OCSP response: {reason}"),
//! })?;
//! # Ok(())
//! # }
//! ```

use core::time::Duration;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use waxwing_pki::UnixTime;
use waxwing_pki::revocation::refresh::{Job, News, Refresh, Request, Step};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update<V> {
    /// There is a new value.
    Fresh(Arc<V>),
    /// The source gave nothing that counts, for this reason. What there was stays.
    Failed(String),
    /// What there was has ended, and must not be used any more.
    Ended,
}

impl<V> Update<V> {
    /// `None` while a round has not ended.
    fn of(news: News<V>) -> Option<Self> {
        match news {
            News::Fresh(value) => Some(Self::Fresh(value)),
            News::Failed(reason) => Some(Self::Failed(reason)),
            News::Underway => None,
        }
    }
}

/// A thread that keeps something fresh until this is dropped. A request that is under way then
/// is not waited for.
#[derive(Debug)]
pub struct Refresher {
    stop: Arc<Stop>,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Waits so long, or until it is time to stop; returns whether it is.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(stopped, pause, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Refresher {
    /// Starts a thread that asks `fetch` for the bodies of answers, and tells `update` what came
    /// of them. A status other than success should be an error.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn spawn<J>(
        mut refresh: Refresh<J>,
        mut fetch: impl FnMut(&Request) -> io::Result<Vec<u8>> + Send + 'static,
        mut update: impl FnMut(Update<J::Value>) + Send + 'static,
    ) -> io::Result<Self>
    where
        J: Job + Send + 'static,
        J::Value: Send + Sync + 'static,
    {
        let stop = Arc::new(Stop::default());
        let stopping = Arc::clone(&stop);
        let body = move || {
            while !stopping.wait(Duration::ZERO) {
                match refresh.poll(now()) {
                    Step::Wait(until) => {
                        stopping.wait(pause(now(), until));
                    }
                    Step::Ended => update(Update::Ended),
                    Step::Needs(request) => {
                        let answer = fetch(&request);
                        let news = take(&mut refresh, answer, now());
                        news.map(&mut update);
                    }
                }
            }
        };
        thread::Builder::new().name("refresh".into()).spawn(body)?;
        Ok(Self { stop })
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        let mut stopped = self
            .stop
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *stopped = true;
        self.stop.changed.notify_all();
    }
}

/// Keeps something fresh for as long as this future is polled. Asks `fetch` for the bodies of
/// answers, and tells `update` what came of them. A status other than success should be an error.
#[cfg(feature = "tokio")]
pub async fn keep_fresh<J, F>(
    refresh: Refresh<J>,
    fetch: impl FnMut(Request) -> F,
    update: impl FnMut(Update<J::Value>),
) -> core::convert::Infallible
where
    J: Job,
    F: Future<Output = io::Result<Vec<u8>>>,
{
    keep_fresh_by(now, refresh, fetch, update).await
}

/// As [`keep_fresh`], by another clock.
#[cfg(feature = "tokio")]
async fn keep_fresh_by<J, F>(
    now: impl Fn() -> UnixTime,
    mut refresh: Refresh<J>,
    mut fetch: impl FnMut(Request) -> F,
    mut update: impl FnMut(Update<J::Value>),
) -> core::convert::Infallible
where
    J: Job,
    F: Future<Output = io::Result<Vec<u8>>>,
{
    loop {
        match refresh.poll(now()) {
            Step::Wait(until) => tokio::time::sleep(pause(now(), until)).await,
            Step::Ended => update(Update::Ended),
            Step::Needs(request) => {
                let answer = fetch(request).await;
                let news = take(&mut refresh, answer, now());
                news.map(&mut update);
            }
        }
    }
}

fn take<J: Job>(
    refresh: &mut Refresh<J>,
    answer: io::Result<Vec<u8>>,
    now: UnixTime,
) -> Option<Update<J::Value>> {
    let answer = answer.map_err(|error| error.to_string());
    let answer = answer.as_deref().map_err(String::as_str);
    Update::of(refresh.answer(answer, now))
}

/// The longest pause: the clock may be set meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

fn pause(now: UnixTime, until: UnixTime) -> Duration {
    let seconds = until.seconds().saturating_sub(now.seconds());
    // A second at least: the clock shows whole ones.
    Duration::from_secs(seconds.max(1)).min(LONGEST_PAUSE)
}

/// A clock set before 1970 makes every answer one from the future, and so a failure.
fn now() -> UnixTime {
    UnixTime::now().unwrap_or(UnixTime::from_seconds(0))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use waxwing_pki::revocation::Crl;
    use waxwing_pki::revocation::refresh::ListJob;
    use waxwing_testkit::revocation::{Authority, CrlSpec, DAY, NOW};

    use super::*;

    const URL: &str = "http://crl.example/";

    fn job(authority: &Authority) -> Refresh<ListJob> {
        let job = ListJob::new(&crate::PROVIDER, URL, &authority.certificate);
        Refresh::new(job.expect("a certificate"), 1)
    }

    /// A list that was made `made` seconds after the test kit's time, for a day.
    fn list(authority: &Authority, made: i64) -> Vec<u8> {
        authority.crl(&CrlSpec {
            this_update: made,
            next_update: made + DAY,
            ..CrlSpec::default()
        })
    }

    #[test]
    fn a_thread_fetches_until_it_is_dropped() {
        let authority = Authority::root("Root");
        let made = i64::try_from(now().seconds()).unwrap() - i64::try_from(NOW.seconds()).unwrap();
        let der = list(&authority, made);
        let (sender, receiver) = mpsc::channel();
        let fetch = move |request: &Request| {
            assert_eq!(request.url, URL);
            Ok(der.clone())
        };
        let update = move |update: Update<Crl>| sender.send(update).expect("the test listens");
        let refresher = Refresher::spawn(job(&authority), fetch, update).unwrap();
        assert!(matches!(receiver.recv(), Ok(Update::Fresh(_))));
        drop(refresher);
        // The thread has ended, and the sender with it.
        assert!(receiver.recv().is_err());
    }

    #[cfg(feature = "tokio")]
    #[tokio::test(start_paused = true)]
    async fn a_source_that_is_down_for_two_days_is_asked_on_and_its_answer_dropped_in_time() {
        let authority = Authority::root("Root");
        let start = tokio::time::Instant::now();
        let elapsed = || start.elapsed().as_secs();
        let clock = || NOW.plus(start.elapsed());
        let mut seen = Vec::new();
        let fetch = |_| {
            let hours = elapsed() / 3600;
            let body = match hours {
                0 | 48.. => Ok(list(&authority, i64::try_from(elapsed()).unwrap())),
                _ => Err(io::Error::other("down")),
            };
            async move { body }
        };
        let run = keep_fresh_by(clock, job(&authority), fetch, |update| {
            seen.push((elapsed() / 3600, update));
        });
        let three_days = Duration::from_secs(3 * 24 * 3600);
        assert!(tokio::time::timeout(three_days, run).await.is_err());
        let fresh: Vec<_> = seen
            .iter()
            .filter(|(_, update)| matches!(update, Update::Fresh(_)))
            .map(|(hour, _)| *hour)
            .collect();
        assert!(fresh[0] == 0 && (48..50).contains(&fresh[1]), "{fresh:?}");
        let ended = seen
            .iter()
            .position(|(_, update)| matches!(update, Update::Ended));
        let ended = ended.expect("the answer ends");
        assert_eq!(seen[ended].0, 24);
        let failures = seen.len() - fresh.len() - 1;
        assert!((30..90).contains(&failures), "{failures}");
        assert!(seen[1..ended].iter().all(|(hour, _)| *hour >= 10));
    }
}
