//! Which of a client's PSKs we take (RFC 9846, Section 4.3.11), and whether we take its early data
//! (Section 4.3.10).
//!
//! ```text
//!   Search -> Session   what the store says of an identity
//!          -> Client    what the verifier says of the session's client
//!          -> Psk       what the resolver says of an identity
//!          -> FirstUse  what the guard says of the hello
//! ```
//!
//! Each answer may come later; the search then goes on where it was.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{Hash, HashContext, Suite13};

use super::super::negotiate;
use super::super::schedule13::{EarlySecret, PskOrigin};
use super::Env;
use super::resumption::{self, Client};
use crate::config::psk::{ExternalPsk, ImportedIdentity, PskLookup};
use crate::config::sessions::{FirstUse, SessionLookup};
use crate::config::verifier::Verified;
use crate::connection::event::{OwnedClientCertRequest, Question, Wait};
use crate::limits::{EARLY_DATA_AGE_WINDOW, MAX_PSK_IDENTITIES, MAX_TICKET};
use crate::messages::ProtocolVersion;
use crate::messages::client_hello::ClientHello;
use crate::messages::extensions::psk::{OfferedPsks, PskIdentity};
use crate::record::joiner::Message;
use crate::session::Session;
use crate::{Error, PeerError, Rejection};

/// For how long a hello with early data is remembered, in milliseconds: it is refused by its age
/// after that (RFC 9846, Section 8.3).
const REMEMBERED: u32 = 2 * EARLY_DATA_AGE_WINDOW;

/// A PSK that we take.
pub(super) struct ChosenPsk {
    pub(super) index: u16,
    pub(super) early: EarlySecret,
    /// Its hash is the PSK's.
    pub(super) suite: &'static Suite13,
    pub(super) source: PskSource,
    /// Whether early data is accepted.
    pub(super) early_data: bool,
}

/// Where it comes from.
pub(super) enum PskSource {
    /// The session, and the verdict on its client if that showed a certificate.
    Session(Box<Session>, Option<Verified>),
    /// The identity that the application knows.
    External(Box<[u8]>),
}

/// How far the search has got.
#[expect(
    clippy::large_enum_variant,
    reason = "a value that lives for one step of the search"
)]
pub(super) enum Stage {
    /// Identities from this place on are still to be looked at.
    Search(usize),
    Session(usize, Option<Session>),
    Client(usize, Box<Session>, Result<Verified, Rejection>),
    Psk(usize, Option<ExternalPsk>),
    FirstUse(Box<ChosenPsk>, bool),
}

/// What it came to.
#[expect(
    clippy::large_enum_variant,
    reason = "a value that lives for one step of the search"
)]
pub(super) enum Outcome {
    /// The PSK, and the hash of what came before and the hello, if it was made for a binder.
    Settled(Option<ChosenPsk>, Option<HashContext>),
    Pending(Pending),
}

/// What an answer is waited for.
pub(super) enum Pending {
    Session(usize, Box<[u8]>),
    Client(usize, Box<Session>, OwnedClientCertRequest),
    Psk(usize, Box<[u8]>),
    FirstUse(Box<ChosenPsk>, [u8; 16]),
}

impl Pending {
    pub(super) const fn wait(&self) -> Wait {
        match self {
            Self::Session(..) => Wait::Session,
            Self::Client(..) => Wait::Verdict,
            Self::Psk(..) => Wait::Psk,
            Self::FirstUse(..) => Wait::FirstUse,
        }
    }

    pub(super) fn question(&self) -> Question<'_> {
        match self {
            Self::Session(_, handle) => Question::Session {
                handle,
                is_id: false,
            },
            Self::Client(_, _, request) => Question::ClientVerdict(request),
            Self::Psk(_, identity) => Question::Psk { identity },
            Self::FirstUse(_, id) => Question::FirstUse {
                id,
                window: REMEMBERED,
            },
        }
    }
}

/// What the search looks at.
pub(super) struct Search<'a> {
    pub(super) hello: &'a ClientHello<'a>,
    pub(super) message: Message<'a>,
    pub(super) offer: OfferedPsks<'a>,
    /// What was negotiated without a PSK.
    pub(super) suite: &'static Suite13,
    /// Whether this is the second hello, which has to keep to the suite.
    pub(super) retried: bool,
}

impl Search<'_> {
    pub(super) fn run(&self, mut stage: Stage, env: &Env<'_>) -> Result<Outcome, Error> {
        loop {
            let step = match stage {
                Stage::Search(index) => self.look_up_session(index, env),
                Stage::Session(index, Some(session)) => self.on_session(index, session, env)?,
                Stage::Session(index, None) => self.look_up_psk(index, env),
                Stage::Client(index, session, Ok(verified)) => {
                    let early = self.early_secret(&session);
                    self.take_session(index, session, early, None, Some(verified), env)
                }
                Stage::Client(index, _, Err(_)) => Step::On(Stage::Search(next(index))),
                Stage::Psk(index, Some(psk)) => self.on_psk(index, &psk, env)?,
                Stage::Psk(index, None) => Step::On(Stage::Search(next(index))),
                Stage::FirstUse(mut chosen, new) => {
                    chosen.early_data = new;
                    Step::End(Outcome::Settled(Some(*chosen), None))
                }
            };
            match step {
                Step::On(next) => stage = next,
                Step::End(outcome) => return Ok(outcome),
            }
        }
    }

    fn identity(&self, index: usize) -> Option<PskIdentity<'_>> {
        let mut identities = self.offer.identities.iter().take(MAX_PSK_IDENTITIES);
        identities.nth(index)
    }

    fn look_up_session(&self, index: usize, env: &Env<'_>) -> Step {
        let Some(PskIdentity { identity, .. }) = self.identity(index) else {
            return Step::End(Outcome::Settled(None, None));
        };
        let lookup = match &env.config.sessions {
            Some(sessions) if identity.len() <= MAX_TICKET => sessions.store.find(identity),
            _ => SessionLookup::None,
        };
        match lookup {
            SessionLookup::Found(session) => Step::On(Stage::Session(index, Some(session))),
            SessionLookup::None => Step::On(Stage::Session(index, None)),
            SessionLookup::Pending => Step::wait(Pending::Session(index, identity.into())),
        }
    }

    fn on_session(&self, index: usize, session: Session, env: &Env<'_>) -> Result<Step, Error> {
        let suite = env.config.common.provider.suite13(session.cipher_suite);
        let fits = resumption::fits(&session, ProtocolVersion::TLS13, env)
            && suite.is_some_and(|suite| suite.hash.id() == self.suite.hash.id());
        if !fits {
            return Ok(Step::On(Stage::Search(next(index))));
        }
        // Tickets can be read on the wire: nobody is asked about a client for who only saw one.
        let early = self.early_secret(&session);
        let hello = self.check_binder(index, &early, PskOrigin::Resumption, env)?;
        let session = Box::new(session);
        match resumption::judge_client(&session, env) {
            Client::Welcome(verified) => {
                Ok(self.take_session(index, session, early, Some(hello), verified, env))
            }
            Client::Later(request) => Ok(Step::wait(Pending::Client(index, session, request))),
            Client::Unknown => Ok(Step::On(Stage::Search(next(index)))),
        }
    }

    fn early_secret(&self, session: &Session) -> EarlySecret {
        EarlySecret::new(self.suite.hash, session.secret.as_ref())
    }

    /// The binder is good, and the client may come back.
    fn take_session(
        &self,
        index: usize,
        session: Box<Session>,
        early: EarlySecret,
        hello: Option<HashContext>,
        verified: Option<Verified>,
        env: &Env<'_>,
    ) -> Step {
        let guard = self.may_take_early_data(index, &session, env);
        let mut chosen = ChosenPsk {
            index: u16::try_from(index).unwrap_or_default(),
            early,
            suite: self.suite,
            source: PskSource::Session(session, verified),
            early_data: false,
        };
        if let (true, Some(config)) = (guard, &env.config.early_data) {
            let id = self.hello_id();
            match config.guard.first_use(&id, REMEMBERED) {
                FirstUse::Yes => chosen.early_data = true,
                FirstUse::No => {}
                FirstUse::Pending => {
                    return Step::wait(Pending::FirstUse(Box::new(chosen), id));
                }
            }
        }
        Step::End(Outcome::Settled(Some(chosen), hello))
    }

    /// Everything that RFC 9846, Section 4.3.10 asks for but that the hello is new.
    fn may_take_early_data(&self, index: usize, session: &Session, env: &Env<'_>) -> bool {
        let info = &env.cx.info;
        self.hello.extensions.early_data
            && !self.retried
            && index == 0
            && session.max_early_data > 0
            && session.cipher_suite == self.suite.id
            && *session.alpn == *info.alpn.as_deref().unwrap_or_default()
            && self.is_fresh(session, env)
    }

    /// Whether the client's idea of the ticket's age is near ours (RFC 9846, Section 8.3).
    fn is_fresh(&self, session: &Session, env: &Env<'_>) -> bool {
        let (Some(sessions), Some(identity)) = (&env.config.sessions, self.identity(0)) else {
            return false;
        };
        let theirs = identity.obfuscated_ticket_age.wrapping_sub(session.age_add);
        let ours = sessions.clock.now().saturating_sub(session.issued_at);
        u64::from(theirs).abs_diff(ours) <= u64::from(EARLY_DATA_AGE_WINDOW)
    }

    /// What this hello is known by: the start of its first binder, which covers its random.
    fn hello_id(&self) -> [u8; 16] {
        let first = self.offer.binders.iter().next();
        let id = first.and_then(|binder| binder.0.first_chunk().copied());
        id.unwrap_or_default()
    }

    fn look_up_psk(&self, index: usize, env: &Env<'_>) -> Step {
        let (Some(psks), Some(identity)) = (&env.config.psks, self.identity(index)) else {
            return Step::On(Stage::Search(next(index)));
        };
        // RFC 9258, Section 5.1: what an imported key is known by is within.
        let name = match ImportedIdentity::read(identity.identity) {
            Some(imported) => imported.external_identity,
            None => identity.identity,
        };
        match psks.find(name) {
            PskLookup::Found(psk) => Step::On(Stage::Psk(index, Some(psk))),
            PskLookup::None => Step::On(Stage::Psk(index, None)),
            PskLookup::Pending => Step::wait(Pending::Psk(index, name.into())),
        }
    }

    fn on_psk(&self, index: usize, psk: &ExternalPsk, env: &Env<'_>) -> Result<Step, Error> {
        let common = &env.config.common;
        for suite in self.suites(env) {
            let own = |id| common.provider.hash(id);
            let Some(ready) = psk.for_tls13(suite.hash, own)? else {
                continue;
            };
            if self.identity(index).map(|own| own.identity) != Some(&*ready.identity) {
                continue;
            }
            let early = ready.early.clone();
            let origin = if ready.imported {
                PskOrigin::Imported
            } else {
                PskOrigin::External
            };
            let hello = self.check_binder(index, &early, origin, env)?;
            let chosen = ChosenPsk {
                index: u16::try_from(index).unwrap_or_default(),
                early,
                suite,
                source: PskSource::External(psk.identity().into()),
                early_data: false,
            };
            return Ok(Step::End(Outcome::Settled(Some(chosen), Some(hello))));
        }
        Ok(Step::On(Stage::Search(next(index))))
    }

    /// The suite that was negotiated, then the best of each other hash: a key is for one hash.
    fn suites(&self, env: &Env<'_>) -> Vec<&'static Suite13> {
        let mut suites = Vec::from([self.suite]);
        if self.retried {
            return suites;
        }
        let known = |suites: &[&'static Suite13], hash: &Hash| {
            suites.iter().any(|suite| suite.hash.id() == hash.id())
        };
        loop {
            let ours = env.config.common.suites.iter().copied();
            let others: Vec<&'static Suite13> =
                ours.filter(|suite| !known(&suites, suite.hash)).collect();
            let theirs = self.hello.cipher_suites;
            match negotiate::suite(&others, theirs, env.config.client_suite_order) {
                Ok(suite) => suites.push(suite),
                Err(_) => return suites,
            }
        }
    }

    /// RFC 9846, Section 4.3.11: a PSK that is taken must have a valid binder. Gives the hash of
    /// what came before and the whole hello.
    fn check_binder(
        &self,
        index: usize,
        early: &EarlySecret,
        origin: PskOrigin,
        env: &Env<'_>,
    ) -> Result<HashContext, Error> {
        let bytes = self.message.bytes;
        let end = bytes.len().saturating_sub(self.offer.uncovered());
        let (covered, binders) = bytes.split_at_checked(end).unwrap_or_default();
        let mut hello = env.cx.transcript.fork(early.hash(), &[covered]);
        let expected = early.binder(origin, &hello.fork_finish())?;
        let binder = self.offer.binders.iter().nth(index);
        if binder.is_some_and(|binder| expected.ct_eq(binder.0)) {
            hello.update(binders);
            Ok(hello)
        } else {
            Err(PeerError::BadBinder.into())
        }
    }
}

/// Where one look at an identity leads.
enum Step {
    On(Stage),
    End(Outcome),
}

impl Step {
    const fn wait(pending: Pending) -> Self {
        Self::End(Outcome::Pending(pending))
    }
}

const fn next(index: usize) -> usize {
    index.saturating_add(1)
}
