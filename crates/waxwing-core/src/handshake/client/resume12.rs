//! Sessions of TLS 1.2 on a client: which is offered, how a server resumes it (RFC 5077,
//! Section 3.4; RFC 5246, Section 7.4.1.3), and what is kept for the next time.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;

use waxwing_crypto::{CryptoError, Digest, Suite12};

use super::super::schedule12::{MAIN_SECRET_LEN, MainSecret};
use super::Env;
use super::finish12::{Basis, Ending};
use super::tls12::{Outcome, Settled};
use crate::config::verifier::{ServerCertRequest, Verdict};
use crate::limits::MAX_TICKET;
use crate::messages::ProtocolVersion;
use crate::messages::new_session_ticket12::NewSessionTicket12;
use crate::messages::server_hello12::ServerHelloExtensions12;
use crate::session::{Session, Vouched};
use crate::{Error, PeerError};

/// Seconds that a session is kept whose server does not say how long: RFC 5246, Appendix F.1.4,
/// suggests 24 hours as the upper limit.
const DEFAULT_LIFETIME: u32 = 86_400;

/// The session of TLS 1.2, taken from the store, as it can be offered; `None` if it cannot.
pub(super) fn offer(session: Session, env: &Env<'_>) -> Option<Box<Session>> {
    let config = env.config;
    let common = &config.common;
    let now = config.sessions.as_ref()?.clock.now();
    let mut suites = common.suites12.iter();
    let fits = session.version == ProtocolVersion::TLS12
        && common.versions.contains(ProtocolVersion::TLS12)
        && session.secret.len() == MAIN_SECRET_LEN
        && session.is_valid_at(now)
        // RFC 5246, Section 7.4.1.2: its suite has to be in the hello.
        && suites.any(|suite| suite.id == session.cipher_suite)
        && *session.server_name == *env.name.to_string()
        && (session.extended_main_secret || !common.require_extended_main_secret)
        && (!session.ticket.is_empty() || !session.session_id.is_empty())
        && session.ticket.len() <= MAX_TICKET
        && config
            .server_certificate_types
            .contains(&session.peer.certificate_type);
    if !fits {
        return None;
    }
    vouch(session, env).map(Box::new)
}

/// The session id to offer it by; `None` for one at random, which only shows whether the server
/// takes the ticket (RFC 5077, Section 3.4).
pub(super) fn offered_id(session: &Session) -> Option<&[u8]> {
    session.ticket.is_empty().then_some(&*session.session_id)
}

/// Sees to it that the verifier of this configuration accepts the session's server.
fn vouch(mut session: Session, env: &Env<'_>) -> Option<Session> {
    let verifier = &env.config.verifier;
    if session.vouched.is_by(verifier) {
        return Some(session);
    }
    let peer = &session.peer;
    if peer.chain.is_empty() {
        return None;
    }
    let verdict = verifier.verify(&ServerCertRequest {
        certificate_type: peer.certificate_type,
        chain: &peer.chain(),
        ocsp: peer.ocsp.as_deref(),
        scts: peer.scts.as_deref(),
        name: env.name,
    });
    // One that answers later is asked in a full handshake.
    let Verdict::Accepted(verified) = verdict else {
        return None;
    };
    session.vouched = Vouched {
        by: Some(Arc::downgrade(verifier)),
        note: verified.note().cloned(),
    };
    Some(session)
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
    let info = &mut env.cx.info;
    info.resumed = true;
    info.server_certificate_type = session.peer.certificate_type;
    info.peer_note = session.vouched.note.clone();
    if env.config.keep_peer_chain {
        info.peer_chain = session.peer.chain.to_vec();
        info.ocsp = session.peer.ocsp.clone();
        info.scts = session.peer.scts.clone();
    }
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
    let info = &env.cx.info;
    let suite: &Suite12 = secret.suite();
    let (lifetime, ticket) = match ticket {
        Some(Ticket { lifetime, bytes }) => (lifetime, bytes),
        None => (DEFAULT_LIFETIME, Box::default()),
    };
    let session = Session {
        version: ProtocolVersion::TLS12,
        cipher_suite: suite.id,
        secret: Digest::from_slice(secret.as_bytes()).ok_or(CryptoError::Misuse)?,
        issued_at: now,
        authenticated_at: now,
        lifetime,
        age_add: 0,
        max_early_data: 0,
        server_name: env.name.to_string().into(),
        alpn: info.alpn.clone().unwrap_or_default(),
        context: Box::default(),
        extended_main_secret: info.extended_main_secret,
        ticket,
        session_id: session_id.into(),
        peer: env.cx.peer.clone(),
        vouched: Vouched {
            by: Some(Arc::downgrade(&env.config.verifier)),
            note: info.peer_note.clone(),
        },
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
