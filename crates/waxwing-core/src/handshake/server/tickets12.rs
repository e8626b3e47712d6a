//! What a server of TLS 1.2 leaves its clients for later: a ticket (RFC 5077) or a session id
//! (RFC 5246, Section 7.3).

use alloc::vec::Vec;

use waxwing_crypto::{CryptoError, Digest};

use super::super::schedule12::MainSecret;
use super::Env;
use super::resumption;
use crate::Error;
use crate::config::sessions::ServerSessionConfig;
use crate::limits::MAX_TICKET;
use crate::messages::new_session_ticket12::NewSessionTicket12;
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::session::{Session, UnixMillis};

/// What the ServerHello of a full handshake promised.
#[derive(Clone, Copy)]
pub(super) enum Promise {
    Nothing,
    /// A NewSessionTicket, which now has to come (RFC 5077, Section 3.3).
    Ticket,
    /// That the session goes by this id.
    Id([u8; 32]),
}

impl Promise {
    /// What to promise a client, which knows of tickets or not.
    pub(super) fn make(knows_tickets: bool, env: &Env<'_>) -> Result<Self, Error> {
        Ok(match &env.config.sessions {
            Some(sessions) if knows_tickets && sessions.tickets > 0 => Self::Ticket,
            Some(sessions) if sessions.store.keeps_ids() => {
                let mut id = [0; 32];
                env.config.common.provider.random.fill(&mut id)?;
                Self::Id(id)
            }
            _ => Self::Nothing,
        })
    }

    /// The id for the ServerHello.
    pub(super) const fn session_id(&self) -> &[u8] {
        match self {
            Self::Id(id) => id,
            // RFC 5077, Section 3.4: beside a ticket it should be empty.
            Self::Nothing | Self::Ticket => &[],
        }
    }

    /// Keeps it, when the client's Finished is good: all that the session vouches for is proved.
    pub(super) fn fulfil(self, secret: &MainSecret, env: &mut Env<'_>) -> Result<(), Error> {
        let Some(sessions) = &env.config.sessions else {
            return Ok(());
        };
        match self {
            Self::Nothing => Ok(()),
            Self::Ticket => {
                let session = fresh(sessions, secret, env)?;
                // RFC 5077, Section 3.3: if there is none after all, an empty one has to come.
                let ticket = issue(sessions, &session).unwrap_or_default();
                send(&ticket, sessions.lifetime, env)
            }
            Self::Id(id) => {
                sessions.store.keep(&id, &fresh(sessions, secret, env)?);
                Ok(())
            }
        }
    }
}

/// The session that this handshake makes. There is none without extended_main_secret unless the
/// configuration accepts such handshakes (RFC 7627, Section 5.3).
fn fresh(
    sessions: &ServerSessionConfig,
    secret: &MainSecret,
    env: &Env<'_>,
) -> Result<Session, Error> {
    Ok(Session {
        secret: Digest::from_slice(secret.as_bytes()).ok_or(CryptoError::Misuse)?,
        ..resumption::template(ProtocolVersion::TLS12, None, sessions, env)
    })
}

fn issue(sessions: &ServerSessionConfig, session: &Session) -> Option<Vec<u8>> {
    let ticket = sessions.store.issue(session)?;
    (ticket.len() <= MAX_TICKET).then_some(ticket)
}

fn send(ticket: &[u8], lifetime_hint: u32, env: &mut Env<'_>) -> Result<(), Error> {
    let message = NewSessionTicket12 {
        lifetime_hint,
        ticket,
    };
    let typ = HandshakeType::NEW_SESSION_TICKET;
    env.cx.send(env.flight, typ, &mut |w| message.write(w))
}

/// A ticket that takes the place of the one that was just used.
pub(super) struct Renewed {
    ticket: Vec<u8>,
    lifetime: u32,
}

impl Renewed {
    /// Makes one if it serves a purpose: in its second half, and if the new one lives longer. A
    /// ticket of TLS 1.2 can be used again, and goes over the wire in the clear: to change it with
    /// each connection would cost bytes and hide nothing.
    pub(super) fn make(
        session: &Session,
        now: UnixMillis,
        sessions: &ServerSessionConfig,
    ) -> Option<Self> {
        const MILLIS: u64 = 1000;
        let age = now.saturating_sub(session.issued_at);
        let half = u64::from(session.lifetime).saturating_mul(MILLIS / 2);
        if sessions.tickets == 0 || age < half {
            return None;
        }
        let renewed = Session {
            issued_at: now,
            lifetime: sessions.lifetime,
            ..session.clone()
        };
        let ends = renewed.expires_at();
        if ends <= session.expires_at() {
            return None;
        }
        let left = ends.saturating_sub(now) / MILLIS;
        Some(Self {
            ticket: issue(sessions, &renewed)?,
            lifetime: u32::try_from(left).unwrap_or(sessions.lifetime),
        })
    }

    pub(super) fn send(&self, env: &mut Env<'_>) -> Result<(), Error> {
        send(&self.ticket, self.lifetime, env)
    }
}
