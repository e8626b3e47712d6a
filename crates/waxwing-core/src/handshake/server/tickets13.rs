//! The tickets that a server sends once the client has finished (RFC 9846, Section 4.7.1).

use alloc::vec;

use super::super::schedule13::ResumptionSource;
use super::{Env, resumption};
use crate::Error;
use crate::config::sessions::ServerSessionConfig;
use crate::limits::MAX_TICKET;
use crate::messages::client_hello::ClientExtensions;
use crate::messages::extensions::psk::{PSK_DHE_KE, PSK_KE};
use crate::messages::new_session_ticket::NewSessionTicket;
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::session::{Session, UnixMillis};

/// What was agreed on tickets.
#[derive(Clone, Copy)]
pub(super) struct TicketCount {
    /// How many to send.
    pub(super) count: u8,
    /// What to say of it to a client that asked (RFC 9149, Section 3).
    pub(super) expected: Option<u8>,
}

/// How many tickets this client gets.
pub(super) fn count(
    extensions: &ClientExtensions<'_>,
    resumed: bool,
    env: &Env<'_>,
) -> TicketCount {
    // RFC 9846, Section 4.3.9: none to a client that could not use it.
    let usable = |modes: &[u8]| {
        modes.contains(&PSK_DHE_KE)
            || modes.contains(&PSK_KE) && env.config.psk_without_key_exchange
    };
    let own = match &env.config.sessions {
        Some(sessions) if extensions.psk_modes.is_some_and(usable) => sessions.tickets,
        _ => 0,
    };
    let wanted = extensions.ticket_request.map(|request| {
        if resumed {
            request.resumption
        } else {
            request.new_session
        }
    });
    let count = wanted.map_or(own, |wanted| wanted.min(own));
    TicketCount {
        count,
        expected: wanted.map(|_| count),
    }
}

/// What is kept for the tickets until the client has finished.
pub(super) struct Issue {
    pub(super) source: ResumptionSource,
    pub(super) count: u8,
    /// When the peers proved who they are, if that was before.
    pub(super) authenticated_at: Option<UnixMillis>,
}

impl Issue {
    /// Sends the tickets. The transcript ends with the client's Finished.
    pub(super) fn send(&self, env: &mut Env<'_>) -> Result<(), Error> {
        let Some(sessions) = &env.config.sessions else {
            return Ok(());
        };
        let secret = self.source.secret(&env.cx.transcript.current())?;
        let mut age_adds = vec![0; usize::from(self.count).saturating_mul(4)];
        env.config.common.provider.random.fill(&mut age_adds)?;
        let version = ProtocolVersion::TLS13;
        let mut session = Session {
            max_early_data: env.config.early_data.as_ref().map_or(0, |own| own.max),
            ..resumption::template(version, self.authenticated_at, sessions, env)
        };
        for (nonce, age_add) in (0..self.count).zip(age_adds.as_chunks().0) {
            let nonce = [nonce];
            session.secret = secret.psk(&nonce)?;
            session.age_add = u32::from_be_bytes(*age_add);
            send_one(&session, nonce, sessions, env)?;
        }
        env.flight.end_flight()
    }
}

fn send_one(
    session: &Session,
    nonce: [u8; 1],
    sessions: &ServerSessionConfig,
    env: &mut Env<'_>,
) -> Result<(), Error> {
    let left = session.expires_at().saturating_sub(session.issued_at) / 1000;
    // The peers have to prove who they are soon: there is nothing left to resume.
    if left == 0 {
        return Ok(());
    }
    let ticket = sessions.store.issue(session);
    let Some(ticket) = ticket.filter(|ticket| (1..=MAX_TICKET).contains(&ticket.len())) else {
        return Ok(());
    };
    let message = NewSessionTicket {
        lifetime: u32::try_from(left).unwrap_or(u32::MAX),
        age_add: session.age_add,
        nonce: &nonce,
        ticket: &ticket,
        max_early_data: Some(session.max_early_data).filter(|max| *max > 0),
    };
    let typ = HandshakeType::NEW_SESSION_TICKET;
    env.cx
        .send_after(env.flight, typ, &mut |w| message.write(w))
}
