//! Answers to what handshakes ask, from the stores here and from elsewhere.

use core::fmt;
use core::future::ready;
use std::sync::Arc;

use waxwing::tokio::{AnswerFuture, Answerer};
use waxwing_core::{Answer, CertificateError, Question, Rejection};
use waxwing_crypto::CryptoError;

use crate::replay::SharedReplayGuard;
use crate::sessions::StoreSessions;

/// Where questions go that nothing here answers.
type Others = dyn Fn(Question<'_>) -> AnswerFuture + Send + Sync;

/// Answers the questions of a server's handshakes, so that accepting stays one line.
///
/// It is cheap to clone: each connection gets its own. Questions that nobody here can answer are
/// answered with no: no session, no early data, no key, no certificate.
///
/// ```
/// use std::sync::Arc;
/// use tokio::net::TcpListener;
/// use waxwing::{PROVIDER, ServerConfig, ServerConfigBuilder, SystemClock};
/// use waxwing_server::store::MemoryStore;
/// use waxwing_server::{ServerAnswers, SharedReplayGuard, StoreSessions, TicketKeys};
///
/// fn configure(config: ServerConfigBuilder) -> Option<(ServerConfigBuilder, ServerAnswers)> {
///     let clock = Arc::new(SystemClock);
///     let store = Arc::new(MemoryStore::new(100_000, clock.clone()));
///     let keys = Arc::new(TicketKeys::new(&PROVIDER, clock.clone())?);
///     let sessions = Arc::new(StoreSessions::new(keys, store.clone(), clock.clone())?);
///     let guard = Arc::new(SharedReplayGuard::new(store, clock.clone())?);
///     let config = config
///         .sessions(sessions.clone(), clock)
///         .early_data(16_384, guard.clone());
///     Some((config, ServerAnswers::new().sessions(sessions).guard(guard)))
/// }
///
/// async fn serve(listener: TcpListener, config: Arc<ServerConfig>, answers: ServerAnswers) {
///     while let Ok((socket, _)) = listener.accept().await {
///         let handshake = waxwing::tokio::accept_with(config.clone(), socket, answers.clone());
///         tokio::spawn(async move {
///             let stream = handshake.await?;
///             // …
/// #           drop(stream);
///             std::io::Result::Ok(())
///         });
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct ServerAnswers {
    sessions: Option<Arc<StoreSessions>>,
    guard: Option<Arc<SharedReplayGuard>>,
    others: Option<Arc<Others>>,
}

impl ServerAnswers {
    /// Answers everything with no.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers where a session is asked for.
    #[must_use]
    pub fn sessions(mut self, sessions: Arc<StoreSessions>) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Answers whether early data is new.
    #[must_use]
    pub fn guard(mut self, guard: Arc<SharedReplayGuard>) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Answers everything else: certificates, signatures, verdicts, external keys.
    #[must_use]
    pub fn others(
        mut self,
        others: impl Fn(Question<'_>) -> AnswerFuture + Send + Sync + 'static,
    ) -> Self {
        self.others = Some(Arc::new(others));
        self
    }
}

impl Answerer for ServerAnswers {
    fn answer(&mut self, question: Question<'_>) -> AnswerFuture {
        match (&question, &self.sessions, &self.guard, &self.others) {
            (Question::Session { handle, is_id }, Some(sessions), ..) => {
                let sessions = Arc::clone(sessions);
                let (handle, is_id) = (handle.to_vec(), *is_id);
                Box::pin(async move { Answer::Session(sessions.answer(&handle, is_id).await) })
            }
            (Question::FirstUse { id, window }, _, Some(guard), _) => {
                let guard = Arc::clone(guard);
                let (id, window) = (**id, *window);
                Box::pin(async move { Answer::FirstUse(guard.answer(&id, window).await) })
            }
            (_, _, _, Some(others)) => others(question),
            _ => Box::pin(ready(no(&question))),
        }
    }
}

/// The answer of somebody who knows nothing.
fn no(question: &Question<'_>) -> Answer {
    match question {
        Question::Session { .. } => Answer::Session(None),
        Question::FirstUse { .. } => Answer::FirstUse(false),
        Question::Psk { .. } => Answer::Psk(None),
        Question::Certificate(_) | Question::ClientCertificate(_) => Answer::Certificate(None),
        Question::Verdict(_) | Question::ClientVerdict(_) => {
            Answer::Verdict(Err(Rejection::from(CertificateError::Refused)))
        }
        // A kind of question that is not known here ends the handshake in the same way.
        _ => Answer::Signature(Err(CryptoError::Failed)),
    }
}

impl fmt::Debug for ServerAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerAnswers")
            .field("sessions", &self.sessions)
            .field("guard", &self.guard)
            .field("others", &self.others.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_knows_nothing_says_no() {
        let mut answers = ServerAnswers::new();
        let session = Question::Session {
            handle: &[1; 32],
            is_id: false,
        };
        assert!(matches!(
            answers.answer(session).await,
            Answer::Session(None)
        ));
        let first = Question::FirstUse {
            id: &[1; 16],
            window: 10,
        };
        assert!(matches!(
            answers.answer(first).await,
            Answer::FirstUse(false)
        ));
        let psk = Question::Psk { identity: b"x" };
        assert!(matches!(answers.answer(psk).await, Answer::Psk(None)));
    }

    #[tokio::test]
    async fn the_rest_goes_to_the_others() {
        let others = |question: Question<'_>| -> AnswerFuture {
            let yes = matches!(question, Question::FirstUse { .. });
            Box::pin(ready(Answer::FirstUse(yes)))
        };
        let mut answers = ServerAnswers::new().others(others);
        let first = Question::FirstUse {
            id: &[1; 16],
            window: 10,
        };
        assert!(matches!(
            answers.answer(first).await,
            Answer::FirstUse(true)
        ));
    }
}
