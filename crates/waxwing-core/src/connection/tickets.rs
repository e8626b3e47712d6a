//! Makes sessions of the tickets that a server of TLS 1.3 sends (RFC 9846, Section 4.7.1).

use crate::config::sessions::ClientSessionConfig;
use crate::handshake::schedule13::ResumptionSecret;
use crate::limits::{MAX_SESSION_LIFETIME, MAX_TICKET};
use crate::messages::new_session_ticket::NewSessionTicket;
use crate::session::Session;
use crate::{Error, ServerName};

/// What of a client's handshake is kept for its tickets.
pub(crate) struct Tickets {
    pub(crate) sessions: ClientSessionConfig,
    pub(crate) name: ServerName,
    pub(crate) secret: ResumptionSecret,
    /// What all sessions of this connection have in common.
    pub(crate) template: Session,
}

impl Tickets {
    /// Keeps the session that this ticket is for, unless it is none to keep.
    pub(super) fn take(&self, message: &NewSessionTicket<'_>) -> Result<(), Error> {
        // RFC 9846, Section 4.7.1: a lifetime of zero says that it is of no use.
        if message.lifetime == 0 || message.ticket.len() > MAX_TICKET {
            return Ok(());
        }
        let session = Session {
            secret: self.secret.psk(message.nonce)?,
            issued_at: self.sessions.clock.now(),
            // The same section: no client keeps a ticket for longer.
            lifetime: message.lifetime.min(MAX_SESSION_LIFETIME),
            age_add: message.age_add,
            max_early_data: message.max_early_data.unwrap_or_default(),
            ticket: message.ticket.into(),
            ..self.template.clone()
        };
        self.sessions.store.put(&self.name, session);
        Ok(())
    }
}
