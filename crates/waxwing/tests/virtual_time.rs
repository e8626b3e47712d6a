//! Ten thousand handshakes as tasks of one thread, each of which is answered four times, after 50 ms
//! each: they take as long as one. Tokio's clock goes on only when no task has anything to do.
//!
//! The same without tokio, and what it costs in memory, is in `waxwing-core/tests/ten_thousand.rs`.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use waxwing::crypto::{CryptoError, SignatureScheme, Signing, SigningKey};
use waxwing::pki::KeyType;
use waxwing::tokio::{AnswerFuture, accept_with, connect_with};
use waxwing::{
    Answer, CertChoice, CertResolver, CertifiedKey, ClientConfig, ClientHelloView, ClientSessions,
    PROVIDER, Question, ServerCertRequest, ServerCertVerifier, ServerConfig, ServerName, Session,
    Verdict, Verified,
};
use waxwing_testkit::pki;
use waxwing_testkit::sessions::{ManualClock, MemorySessions};

const HANDSHAKES: usize = 10_000;
const ANSWER: Duration = Duration::from_millis(50);

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
        pki::certified_key(KeyType::P256).key().public_key()
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

/// Answers that are on their way, and how many these were at most.
#[derive(Default)]
struct Desk {
    open: AtomicUsize,
    most: AtomicUsize,
}

/// What all handshakes share.
struct World {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    real: Arc<CertifiedKey>,
    certified: Arc<CertifiedKey>,
    desk: Desk,
}

impl World {
    fn new() -> Arc<Self> {
        let (clock, sessions) = (ManualClock::new(), Arc::new(Last::default()));
        let real = pki::certified_key(KeyType::P256);
        let client =
            ClientConfig::builder(&PROVIDER, Arc::new(Later)).sessions(sessions, clock.clone());
        let server = ServerConfig::builder(&PROVIDER, Arc::new(Later))
            .sessions(MemorySessions::slow(), clock);
        let certified = CertifiedKey::new(real.chain().to_vec(), Arc::new(Later));
        Arc::new(Self {
            client: client.build().unwrap(),
            server: server.build().unwrap(),
            certified: Arc::new(certified),
            real,
            desk: Desk::default(),
        })
    }

    fn answer(&self, question: &Question<'_>) -> Answer {
        match question {
            // Unknown by now: so there is a full handshake.
            Question::Session { .. } => Answer::Session(None),
            Question::Certificate(_) => Answer::Certificate(Some(Arc::clone(&self.certified))),
            Question::Signature {
                scheme, message, ..
            } => {
                let Ok(Signing::Done(signature)) = self.real.key().sign(*scheme, message) else {
                    panic!("this key signs at once");
                };
                Answer::Signature(Ok(signature))
            }
            Question::Verdict(_) => {
                let key = self.real.key().public_key().unwrap();
                Answer::Verdict(Ok(Verified::holder_of(key)))
            }
            other => panic!("{other:?}"),
        }
    }

    /// Answers late.
    fn answerer(self: Arc<Self>) -> impl FnMut(Question<'_>) -> AnswerFuture + Send {
        move |question| {
            let (world, answer) = (Arc::clone(&self), self.answer(&question));
            Box::pin(async move {
                let open = world.desk.open.fetch_add(1, Ordering::Relaxed) + 1;
                world.desk.most.fetch_max(open, Ordering::Relaxed);
                sleep(ANSWER).await;
                world.desk.open.fetch_sub(1, Ordering::Relaxed);
                answer
            })
        }
    }

    /// A whole connection; the server's ticket is taken along.
    async fn connect(self: Arc<Self>) {
        let (near, far) = duplex(1 << 14);
        let accepting = async {
            let answerer = Arc::clone(&self).answerer();
            let mut far = accept_with(Arc::clone(&self.server), far, answerer)
                .await
                .unwrap();
            far.write_all(b"x").await.unwrap();
            far.flush().await.unwrap();
        };
        let connecting = async {
            let (config, answerer) = (Arc::clone(&self.client), Arc::clone(&self).answerer());
            let name = "localhost".parse().unwrap();
            let mut near = connect_with(config, name, near, answerer).await.unwrap();
            assert!(!near.info().resumed);
            near.read_u8().await.unwrap();
        };
        tokio::join!(accepting, connecting);
    }

    /// How long so many take that begin at the same time.
    async fn at_once(self: &Arc<Self>, number: usize) -> Duration {
        let (before, mut all) = (Instant::now(), JoinSet::new());
        for _ in 0..number {
            all.spawn(Arc::clone(self).connect());
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
        before.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_handshakes_take_as_long_as_one() {
    let world = World::new();
    // The first client has no session that a server would look for.
    let first = world.at_once(1).await;
    let one = world.at_once(1).await;
    assert!(one >= 4 * ANSWER && first < one, "{first:?} {one:?}");
    let all = world.at_once(HANDSHAKES).await;
    println!("one takes {one:?}, {HANDSHAKES} take {all:?}");
    assert!(all < 2 * one, "{all:?}");
    assert_eq!(world.desk.most.load(Ordering::Relaxed), HANDSHAKES);
}
