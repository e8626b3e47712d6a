//! Resuming a session of TLS 1.2, which a ticket (RFC 5077) or a session id (RFC 5246,
//! Section 7.3) names.
//!
//! ```text
//!   AwaitSession              only if the store answers later
//!   AwaitVerdict              on the client's certificate, only if the verifier answers later
//!                             -> ServerHello, NewSessionTicket (if renewed),
//!                                change_cipher_spec, Finished
//!   AwaitChangeCipherSpec     <- change_cipher_spec
//!   AwaitFinished             <- Finished
//! ```
//!
//! Whatever does not fit leads to a full handshake, with one exception (RFC 7627, Section 5.3).

use alloc::boxed::Box;

use waxwing_crypto::{CryptoError, Digest, Suite12};

use super::super::auth::check_finished12;
use super::super::schedule12::{MAIN_SECRET_LEN, MainSecret, Randoms};
use super::super::{StepOutcome, negotiate};
use super::Env;
use super::finish12::send_finished;
use super::resumption::{self, Client};
use super::tickets12::Renewed;
use super::tls12::{self, Outcome, Step, full_handshake};
use crate::config::sessions::SessionLookup;
use crate::config::verifier::Verified;
use crate::connection::event::{OwnedClientCertRequest, Question, Wait};
use crate::limits::MAX_TICKET;
use crate::messages::ProtocolVersion;
use crate::messages::client_hello::ClientHello;
use crate::messages::finished::Finished;
use crate::messages::server_hello12::ServerHelloExtensions12;
use crate::record::joiner::Message;
use crate::record::protect12::Keys12;
use crate::session::{Session, UnixMillis};
use crate::{Error, PeerError, Rejection};

/// What a hello names a session by, and whether that is a session id.
fn handle<'a>(hello: &ClientHello<'a>) -> Option<(&'a [u8], bool)> {
    match hello.extensions.session_ticket {
        // RFC 5077, Section 3.4: the session id beside a ticket names nothing.
        Some(ticket @ [_, ..]) => Some((ticket, false)),
        _ if hello.session_id.is_empty() => None,
        _ => Some((hello.session_id, true)),
    }
}

/// Resumes what the hello names, or goes on with a full handshake.
pub(super) fn start(
    hello: ClientHello<'_>,
    body: &[u8],
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let Some(sessions) = &env.config.sessions else {
        return full_handshake(hello, body, env);
    };
    let found = match handle(&hello) {
        Some((ticket, false)) if ticket.len() <= MAX_TICKET => sessions.store.find(ticket),
        Some((id, true)) => sessions.store.recall(id),
        _ => SessionLookup::None,
    };
    match found {
        SessionLookup::Found(session) => decide(session, hello, body, env),
        SessionLookup::None => full_handshake(hello, body, env),
        SessionLookup::Pending => {
            let step = AwaitSession { hello: body.into() };
            Ok(Step::Session(Box::new(step)).wait(Wait::Session))
        }
    }
}

/// The store will answer later.
pub(super) struct AwaitSession {
    /// The ClientHello's body.
    hello: Box<[u8]>,
}

impl AwaitSession {
    pub(super) fn question(&self) -> Option<Question<'_>> {
        // It was read before, so it can be read again.
        let (handle, is_id) = handle(&ClientHello::read(&self.hello).ok()?)?;
        Some(Question::Session { handle, is_id })
    }

    pub(super) fn on_session(
        self,
        session: Option<Session>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let hello = ClientHello::read(&self.hello)?;
        match session {
            Some(session) => decide(session, hello, &self.hello, env),
            None => full_handshake(hello, &self.hello, env),
        }
    }
}

/// A session that fits the hello and the configuration.
struct Fit {
    session: Session,
    suite: &'static Suite12,
    now: UnixMillis,
}

impl Fit {
    fn check(
        session: Session,
        hello: &ClientHello<'_>,
        env: &Env<'_>,
    ) -> Result<Option<Self>, Error> {
        let config = env.config;
        let Some(sessions) = &config.sessions else {
            return Ok(None);
        };
        let now = sessions.clock.now();
        // RFC 5246, Section 7.4.1.2: the client offers the session's suite still.
        let suites = &config.common.suites12;
        let suite = suites.iter().find(|suite| suite.id == session.cipher_suite);
        let suite = suite.filter(|suite| hello.cipher_suites.contains(&suite.id));
        let Some(suite) = suite.copied() else {
            return Ok(None);
        };
        let fits = session.secret.len() == MAIN_SECRET_LEN
            && resumption::fits(&session, ProtocolVersion::TLS12, env);
        if !fits {
            return Ok(None);
        }
        // RFC 7627, Section 5.3.
        match (
            session.extended_main_secret,
            hello.extensions.extended_main_secret,
        ) {
            (true, false) => Err(PeerError::ResumedMainSecret.into()),
            (false, true) => Ok(None),
            // Without it on both sides, the hello was refused before, unless the configuration
            // takes such clients.
            _ => Ok(Some(Self {
                session,
                suite,
                now,
            })),
        }
    }
}

/// Resumes this session if it fits.
fn decide(
    session: Session,
    hello: ClientHello<'_>,
    body: &[u8],
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let Some(fit) = Fit::check(session, &hello, env)? else {
        return full_handshake(hello, body, env);
    };
    match resumption::judge_client(&fit.session, env) {
        Client::Unknown => full_handshake(hello, body, env),
        Client::Welcome(verified) => fit.resume(verified.as_ref(), &hello, env),
        Client::Later(request) => {
            let step = AwaitVerdict {
                fit,
                hello: body.into(),
                request,
            };
            Ok(Step::ResumedVerdict(Box::new(step)).wait(Wait::Verdict))
        }
    }
}

/// The verifier will answer later.
pub(super) struct AwaitVerdict {
    fit: Fit,
    /// The ClientHello's body.
    hello: Box<[u8]>,
    pub(super) request: OwnedClientCertRequest,
}

impl AwaitVerdict {
    pub(super) fn on_verdict(
        self,
        verdict: Result<Verified, Rejection>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let hello = ClientHello::read(&self.hello)?;
        match verdict {
            Ok(verified) => self.fit.resume(Some(&verified), &hello, env),
            // It may have another certificate now.
            Err(_) => full_handshake(hello, &self.hello, env),
        }
    }
}

impl Fit {
    /// Sends our flight of the abbreviated handshake.
    fn resume(
        self,
        client: Option<&Verified>,
        hello: &ClientHello<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let Self {
            session,
            suite,
            now,
        } = self;
        let config = env.config;
        let offered = &hello.extensions;
        // RFC 7301, Section 3.1: agreed anew, whatever the session says.
        let alpn = negotiate::alpn(&config.common.alpn, offered.alpn, config.alpn_required)?;
        let info = &mut env.cx.info;
        info.cipher_suite = Some(suite.id);
        info.alpn = alpn.map(Into::into);
        resumption::adopt(&session, client, env);
        env.cx.transcript.start(suite.hash);
        let renewed = match (&config.sessions, offered.session_ticket) {
            (Some(sessions), Some(_)) => Renewed::make(&session, now, sessions),
            _ => None,
        };
        let server_random = tls12::server_random(env)?;
        // What is said of certificates, names and points belongs to full handshakes (RFC 6066,
        // Sections 3 and 8; RFC 6962, Section 3.3.1; RFC 8422, Section 4); the length of records is
        // agreed anew (RFC 8449, Section 4).
        let extensions = ServerHelloExtensions12 {
            session_ticket: renewed.is_some(),
            ..ServerHelloExtensions12::default()
        };
        // RFC 5077, Section 3.4; RFC 5246, Section 7.4.1.3: the same id says that it is resumed.
        let id = hello.session_id;
        tls12::send_agreed(hello, suite, &server_random, id, extensions, env)?;
        if let Some(renewed) = renewed {
            renewed.send(env)?;
        }
        let randoms = Randoms {
            client: env.cx.client_random,
            server: server_random,
        };
        let secret = MainSecret::resumed(suite, session.secret.as_ref(), randoms);
        let secret = secret.ok_or(CryptoError::Misuse)?;
        env.cx.log_main_secret(&secret);
        let (client_keys, server_keys) = secret.keys()?;
        send_finished(&secret, &server_keys, env)?;
        let step = AwaitChangeCipherSpec {
            expected: secret.client_verify_data(&env.cx.transcript.current())?,
            secret,
            client_keys: Box::new(client_keys),
        };
        Ok(Step::ResumedChangeCipherSpec(Box::new(step)).next())
    }
}

/// The client switches to the new keys. It sends nothing before.
pub(super) struct AwaitChangeCipherSpec {
    secret: MainSecret,
    /// The `verify_data` of the client's Finished.
    expected: Digest,
    client_keys: Box<Keys12>,
}

impl AwaitChangeCipherSpec {
    /// The next step, and the keys from here on.
    pub(super) fn on_change_cipher_spec(self) -> (AwaitFinished, Box<Keys12>) {
        let Self {
            secret,
            expected,
            client_keys,
        } = self;
        (AwaitFinished { secret, expected }, client_keys)
    }
}

/// Does the client know the session's secret?
pub(super) struct AwaitFinished {
    secret: MainSecret,
    expected: Digest,
}

impl AwaitFinished {
    pub(super) fn on_finished(
        self,
        message: Message<'_>,
        env: &mut Env<'_>,
    ) -> Result<Outcome, Error> {
        let proof = check_finished12(&self.expected, &Finished::read(message.body())?)?;
        env.cx.info.exporter = Some(self.secret.exporter());
        Ok(StepOutcome::done(proof))
    }
}
