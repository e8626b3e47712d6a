//! Sessions of TLS 1.2 on a client: which is offered, how a server resumes it (RFC 5077,
//! Section 3.4; RFC 5246, Section 7.4.1.3), and what is kept for the next time.

use alloc::boxed::Box;

use waxwing_crypto::{CryptoError, Digest};

use super::super::schedule12::{MAIN_SECRET_LEN, MainSecret};
use super::Env;
use super::finish12::{Basis, Ending};
use super::session::{adopt_peer, template};
use super::tls12::{Outcome, Settled};
use crate::limits::MAX_TICKET;
use crate::messages::new_session_ticket12::NewSessionTicket12;
use crate::messages::server_hello12::ServerHelloExtensions12;
use crate::session::Session;
use crate::{Error, PeerError};

/// Seconds that a session is kept whose server does not say how long: RFC 5246, Appendix F.1.4,
/// suggests 24 hours as the upper limit.
const DEFAULT_LIFETIME: u32 = 86_400;

/// The session of TLS 1.2, taken from the store, if it can be offered.
pub(super) fn offer(session: Session, env: &Env<'_>) -> Option<Box<Session>> {
    let config = env.config;
    let common = &config.common;
    let mut suites = common.suites12.iter();
    let fits = session.secret.len() == MAIN_SECRET_LEN
        // RFC 5246, Section 7.4.1.2: its suite has to be in the hello.
        && suites.any(|suite| suite.id == session.cipher_suite)
        && (session.extended_main_secret || !common.require_extended_main_secret)
        && (!session.ticket.is_empty() || !session.session_id.is_empty());
    fits.then(|| Box::new(session))
}

/// The session id to offer it by; `None` for one at random, which only shows whether the server
/// takes the ticket (RFC 5077, Section 3.4).
pub(super) fn offered_id(session: &Session) -> Option<&[u8]> {
    session.ticket.is_empty().then_some(&*session.session_id)
}

/// The server resumes `session`: checks that it may do so in this way, and waits for its end.
pub(super) fn on_server_hello(
    session: Box<Session>,
    settled: Settled,
    extensions: &ServerHelloExtensions12<'_>,
    env: &mut Env<'_>,
) -> Result<Outcome, Error> {
    let suite = settled.suite;
    if suite.id != session.cipher_suite {
        return Err(PeerError::ResumedSuite.into());
    }
    // RFC 7627, Section 5.3.
    if extensions.extended_main_secret != session.extended_main_secret {
        return Err(PeerError::ResumedMainSecret.into());
    }
    adopt_peer(&session, env);
    let secret = MainSecret::resumed(suite, session.secret.as_ref(), settled.randoms(env));
    let secret = secret.ok_or(CryptoError::Misuse)?;
    env.cx.log_main_secret(&secret);
    let (client_keys, server_keys) = secret.keys()?;
    let ending = Ending {
        secret,
        basis: Basis::Resumed {
            session,
            client_keys: Box::new(client_keys),
        },
        ticket: None,
    };
    Ok(ending.expect(settled.ticket, Box::new(server_keys)))
}

/// A ticket that came, to be kept once the server's Finished is good (RFC 5077, Section 3.3).
pub(super) struct Ticket {
    lifetime: u32,
    bytes: Box<[u8]>,
}

impl Ticket {
    /// `None` if it is empty: the server gives none after all.
    pub(super) fn of(message: &NewSessionTicket12<'_>) -> Option<Self> {
        let usable = 1..=MAX_TICKET;
        usable.contains(&message.ticket.len()).then(|| Self {
            lifetime: match message.lifetime_hint {
                0 => DEFAULT_LIFETIME,
                hint => hint,
            },
            bytes: message.ticket.into(),
        })
    }
}

/// Keeps the session of a full handshake, if the server gave it a ticket or an id.
pub(super) fn keep_fresh(
    secret: &MainSecret,
    ticket: Option<Ticket>,
    session_id: &[u8],
    env: &Env<'_>,
) -> Result<(), Error> {
    let Some(sessions) = &env.config.sessions else {
        return Ok(());
    };
    // With a PSK a full handshake costs as little, and says whose key it rests on.
    let with_psk = secret.suite().authentication.is_psk();
    if with_psk || ticket.is_none() && session_id.is_empty() {
        return Ok(());
    }
    let now = sessions.clock.now();
    let (lifetime, ticket) = match ticket {
        Some(Ticket { lifetime, bytes }) => (lifetime, bytes),
        None => (DEFAULT_LIFETIME, Box::default()),
    };
    let session = Session {
        secret: Digest::from_slice(secret.as_bytes()).ok_or(CryptoError::Misuse)?,
        issued_at: now,
        lifetime,
        ticket,
        session_id: session_id.into(),
        ..template(now, env)
    };
    sessions.store.put(env.name, session);
    Ok(())
}

/// Keeps a session that was resumed under the new ticket that came. Without one, the store has it
/// still.
pub(super) fn keep_renewed(session: Session, ticket: Option<Ticket>, env: &Env<'_>) {
    if let (Some(sessions), Some(ticket)) = (&env.config.sessions, ticket) {
        let renewed = Session {
            issued_at: sessions.clock.now(),
            lifetime: ticket.lifetime,
            ticket: ticket.bytes,
            alpn: env.cx.info.alpn.clone().unwrap_or_default(),
            ..session
        };
        sessions.store.put(env.name, renewed);
    }
}
