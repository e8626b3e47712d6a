//! The two directions after the handshake. They share nothing: each can live in a thread or task
//! of its own, without a lock. What a peer's message asks of our sending direction travels as a
//! value, [`PeerAction`].

use alloc::boxed::Box;
use alloc::sync::Arc;

mod carried;
mod elsewhere;

pub use super::write_half::WriteHalf;

use super::event::{Event, PeerAction, Progress};
use super::post_handshake::Later;
use super::tickets::Tickets;
use super::traced::opened;
use crate::config::versions::ProtocolVersions;
use crate::error::Misuse;
#[cfg(feature = "tls12")]
use crate::limits::MAX_RENEGOTIATIONS;
use crate::limits::{MAX_CERTIFICATE_REQUESTS, MAX_KEY_UPDATES, MAX_TICKETS, MAX_WARNING_ALERTS};
use crate::messages::alert::Alert;
#[cfg(feature = "tls12")]
use crate::messages::hello_request::HelloRequest;
use crate::messages::key_update::KeyUpdate;
use crate::messages::new_session_ticket::NewSessionTicket;
use crate::messages::{HandshakeType, ProtocolVersion};
use crate::record::ContentType;
use crate::record::joiner::Message;
use crate::record::stream::{Opened, Rx};
use crate::trace::{Direction, Trace, TraceEvent};
use crate::{AlertDescription, Epoch, Error, PeerError, refused};

/// Which side of the connection we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We spoke first.
    Client,
    /// We answered.
    Server,
}

/// What the level of an alert means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Levels {
    /// Nothing: in TLS 1.3 the description alone decides (RFC 9846, Section 6).
    Ignored,
    /// Up to TLS 1.2 a warning ends nothing (RFC 5246, Section 7.2.2).
    #[cfg(feature = "tls12")]
    Matter,
}

impl Levels {
    /// Those of `version`; before it is known, those of the older one if that may still come.
    pub(super) fn of(version: Option<ProtocolVersion>, offered: ProtocolVersions) -> Self {
        #[cfg(feature = "tls12")]
        if match version {
            Some(version) => version == ProtocolVersion::TLS12,
            None => offered.contains(ProtocolVersion::TLS12),
        } {
            return Self::Matter;
        }
        let _ = (version, offered);
        Self::Ignored
    }
}

/// Counts alerts that are no reason to end, and judges the rest (RFC 9846, Section 6).
///
/// Returns whether it was close_notify.
pub(super) fn judge_alert(alert: &Alert, levels: Levels, warnings: &mut u8) -> Result<bool, Error> {
    let ends_nothing = match alert.description {
        AlertDescription::CLOSE_NOTIFY => return Ok(true),
        AlertDescription::USER_CANCELED if levels == Levels::Ignored => true,
        _ => levels != Levels::Ignored && alert.level == Alert::WARNING,
    };
    if !ends_nothing {
        // Every other alert is an error (Section 6.2).
        return Err(Error::Alert(alert.description));
    }
    *warnings = warnings.saturating_add(1);
    if *warnings > MAX_WARNING_ALERTS {
        return Err(PeerError::TooManyWarnings.into());
    }
    Ok(false)
}

/// The receiving direction of an established connection.
pub struct ReadHalf {
    rx: Rx,
    role: Role,
    closed: bool,
    /// KeyUpdates since the last application data.
    key_updates: u8,
    warnings: u8,
    tickets: u16,
    /// CertificateRequests since the last application data.
    requests: u8,
    #[cfg(feature = "tls12")]
    renegotiations: u8,
    levels: Levels,
    failed: Option<Error>,
    trace: Option<Arc<dyn Trace>>,
    /// Makes sessions of tickets, on a client that keeps them.
    sessions: Option<Box<Tickets>>,
}

impl ReadHalf {
    pub(super) const fn new(
        rx: Rx,
        role: Role,
        levels: Levels,
        trace: Option<Arc<dyn Trace>>,
        sessions: Option<Box<Tickets>>,
    ) -> Self {
        Self {
            rx,
            role,
            levels,
            #[cfg(feature = "tls12")]
            renegotiations: 0,
            closed: false,
            key_updates: 0,
            warnings: 0,
            tickets: 0,
            requests: 0,
            failed: None,
            trace,
            sessions,
        }
    }

    /// Opens records in place until there is something to tell; see [`Event`].
    ///
    /// # Errors
    /// Any breach of the protocol. Give the error to [`WriteHalf::fail`], send what that wrote,
    /// and close the transport. The same error comes again from every later call.
    pub fn process(&mut self, input: &mut [u8]) -> Result<Progress, Error> {
        self.process_with(input, None)
    }

    /// The same; messages that both directions are needed for go to `later`.
    #[inline(always)]
    pub(super) fn process_with(
        &mut self,
        input: &mut [u8],
        later: Option<&mut dyn Later>,
    ) -> Result<Progress, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.take(input, later) {
            Ok(progress) => Ok(progress),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Nothing is received from now on.
    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error.clone());
        error
    }

    /// Takes records until there is something to tell.
    #[inline(always)]
    fn take(
        &mut self,
        input: &mut [u8],
        mut later: Option<&mut dyn Later>,
    ) -> Result<Progress, Error> {
        let mut consumed = 0;
        // Messages behind one that there was something to tell of come before any new record.
        if !self.rx.joiner.is_empty()
            && let Some(event) = self.messages(&[], reborrow(&mut later))?
        {
            return Ok(Progress { consumed, event });
        }
        loop {
            if self.closed {
                return Ok(Progress {
                    consumed,
                    event: Event::PeerClosed,
                });
            }
            let rest = input.get_mut(consumed..).unwrap_or_default();
            match self.record(rest, reborrow(&mut later))? {
                (taken, Some(event)) => {
                    let event = match event {
                        Event::AppData(range) => Event::AppData(
                            consumed.saturating_add(range.start)
                                ..consumed.saturating_add(range.end),
                        ),
                        other => other,
                    };
                    return Ok(Progress {
                        consumed: consumed.saturating_add(taken),
                        event,
                    });
                }
                (taken, None) => consumed = consumed.saturating_add(taken),
            }
        }
    }

    /// Whether close_notify has come.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Judges the end of the transport: it is an error unless close_notify came first.
    ///
    /// # Errors
    /// [`Error::Truncated`], or what [`Self::process`] failed with.
    pub fn end_of_input(&self) -> Result<(), Error> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None if self.closed => Ok(()),
            None => Err(Error::Truncated),
        }
    }

    /// Takes one record: how many bytes it was, and what it says to the caller.
    #[inline(always)]
    fn record(
        &mut self,
        input: &mut [u8],
        later: Option<&mut dyn Later>,
    ) -> Result<(usize, Option<Event>), Error> {
        let outer = input.first().copied();
        let opened = self.rx.open(input)?;
        if let Some(trace) = &self.trace {
            self::opened(&**trace, outer, &opened);
        }
        let (content_type, body, consumed) = match opened {
            Opened::NeedInput(hint) => return Ok((0, Some(Event::NeedInput(hint)))),
            Opened::Skipped { consumed } => return Ok((consumed, None)),
            Opened::Record {
                content_type,
                body,
                consumed,
            } => (content_type, body, consumed),
        };
        let event = match content_type {
            ContentType::APPLICATION_DATA
                if later.as_ref().is_some_and(|later| later.is_amid()) =>
            {
                return Err(PeerError::AnswerInterrupted.into());
            }
            ContentType::APPLICATION_DATA if body.is_empty() => None,
            ContentType::APPLICATION_DATA => {
                self.on_data();
                Some(Event::AppData(body))
            }
            other => self.control(other, input.get(body).unwrap_or_default(), later)?,
        };
        Ok((consumed, event))
    }

    /// Takes the content of a record that is no application data.
    #[cold]
    fn control(
        &mut self,
        typ: ContentType,
        content: &[u8],
        later: Option<&mut dyn Later>,
    ) -> Result<Option<Event>, Error> {
        match typ {
            ContentType::HANDSHAKE => self.messages(content, later),
            ContentType::ALERT => self.on_alert(content),
            ContentType::CHANGE_CIPHER_SPEC => Err(PeerError::UnexpectedChangeCipherSpec.into()),
            _ => Err(PeerError::UnexpectedRecord.into()),
        }
    }

    /// Data came: what comes without data between starts anew.
    #[inline]
    const fn on_data(&mut self) {
        self.requests = 0;
        self.key_updates = 0;
        self.warnings = 0;
        self.tickets = 0;
    }

    fn on_alert(&mut self, content: &[u8]) -> Result<Option<Event>, Error> {
        let alert = Alert::read(content)?;
        if let Some(trace) = &self.trace {
            let Alert { description, .. } = alert;
            trace.event(&TraceEvent::Alert {
                direction: Direction::Received,
                description,
            });
        }
        self.closed = judge_alert(&alert, self.levels, &mut self.warnings)?;
        Ok(self.closed.then_some(Event::PeerClosed))
    }

    /// Handles the messages in one record. A KeyUpdate is always the last of its record: the
    /// bytes after it would be under the old key (RFC 9846, Section 5.1).
    fn messages(
        &mut self,
        mut fragment: &[u8],
        mut later: Option<&mut dyn Later>,
    ) -> Result<Option<Event>, Error> {
        #[cfg(feature = "tls12")]
        if self.levels == Levels::Matter {
            return Ok(self.messages12(fragment)?.map(Event::PeerAction));
        }
        let mut update = None;
        while let Some((message, secret)) = self.rx.message(&mut fragment)? {
            if let Some(trace) = &self.trace {
                let Message { typ, bytes } = message;
                trace.event(&TraceEvent::Message {
                    direction: Direction::Received,
                    typ,
                    bytes,
                });
                refused::tell_established(&**trace, typ);
            }
            if let Some(later) = reborrow(&mut later)
                && later.expects(message.typ)
            {
                if message.typ == HandshakeType::CERTIFICATE_REQUEST {
                    self.requests = self.requests.saturating_add(1);
                    if self.requests > MAX_CERTIFICATE_REQUESTS {
                        return Err(PeerError::TooManyCertificateRequests.into());
                    }
                }
                let secret = secret.ok_or(Misuse::NoPostHandshakeAuth)?;
                if let Some(event) = later.on_message(message, secret)? {
                    self.rx.joiner.keep(fragment);
                    return Ok(Some(event));
                }
                continue;
            }
            // RFC 9846, Section 4.7.2: the messages of one answer come one after the other.
            if later.as_ref().is_some_and(|later| later.is_amid()) {
                return Err(PeerError::UnexpectedMessage.into());
            }
            match message.typ {
                HandshakeType::KEY_UPDATE => {
                    update = Some(KeyUpdate::read(message.body())?);
                    break;
                }
                HandshakeType::NEW_SESSION_TICKET if self.role == Role::Client => {
                    let ticket = NewSessionTicket::read(message.body())?;
                    if let Some(sessions) = &self.sessions {
                        sessions.take(&ticket)?;
                    }
                    self.tickets = self.tickets.saturating_add(1);
                    if self.tickets > MAX_TICKETS {
                        return Err(PeerError::TooManyTickets.into());
                    }
                }
                _ => return Err(PeerError::UnexpectedMessage.into()),
            }
        }
        match update {
            Some(request) => {
                let action = self.on_key_update(request, fragment)?;
                Ok(Some(Event::PeerAction(action)))
            }
            None => Ok(None),
        }
    }

    /// Handles the messages in one record of TLS 1.2: all that can come is the wish to
    /// renegotiate, which is refused (RFC 5246, Sections 7.4.1.1 and 7.4.1.2; RFC 9325,
    /// Section 3.5).
    #[cfg(feature = "tls12")]
    fn messages12(&mut self, mut fragment: &[u8]) -> Result<Option<PeerAction>, Error> {
        let mut asked = None;
        while let Some(message) = self.rx.joiner.take(&mut fragment)? {
            if let Some(trace) = &self.trace {
                let Message { typ, bytes } = message;
                trace.event(&TraceEvent::Message {
                    direction: Direction::Received,
                    typ,
                    bytes,
                });
                refused::tell_established(&**trace, typ);
            }
            match (message.typ, self.role) {
                (HandshakeType::HELLO_REQUEST, Role::Client) => {
                    HelloRequest::read(message.body())?;
                }
                (HandshakeType::CLIENT_HELLO, Role::Server) => {}
                _ => return Err(PeerError::UnexpectedMessage.into()),
            }
            self.renegotiations = self.renegotiations.saturating_add(1);
            if self.renegotiations > MAX_RENEGOTIATIONS {
                return Err(PeerError::TooManyRenegotiations.into());
            }
            asked = Some(PeerAction::RefuseRenegotiation);
        }
        Ok(asked)
    }

    fn on_key_update(&mut self, request: KeyUpdate, rest: &[u8]) -> Result<PeerAction, Error> {
        if !rest.is_empty() {
            return Err(PeerError::MessageSpansKeyChange.into());
        }
        self.key_updates = self.key_updates.saturating_add(1);
        if self.key_updates > MAX_KEY_UPDATES {
            return Err(PeerError::TooManyKeyUpdates.into());
        }
        self.rx.update_key()?;
        if let Some(trace) = &self.trace {
            let epoch = Epoch::Application;
            trace.event(&TraceEvent::Keys {
                direction: Direction::Received,
                epoch,
            });
        }
        Ok(match request {
            KeyUpdate::Requested => PeerAction::UpdateKey,
            KeyUpdate::NotRequested => PeerAction::KeyUpdated,
        })
    }
}

/// The same once more, for a shorter time.
fn reborrow<'a>(later: &'a mut Option<&mut dyn Later>) -> Option<&'a mut dyn Later> {
    match later {
        Some(later) => Some(&mut **later),
        None => None,
    }
}

impl core::fmt::Debug for ReadHalf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReadHalf")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

const _: () = assert!(size_of::<ReadHalf>() + size_of::<WriteHalf>() <= 512);
