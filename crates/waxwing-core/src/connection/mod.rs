//! The public engine: bytes in, bytes out, events.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use alloc::boxed::Box;
use alloc::sync::Arc;

#[cfg(feature = "client")]
use crate::config::client::ClientConfig;
#[cfg(feature = "server")]
use crate::config::server::ServerConfig;
use crate::error::Misuse;
use crate::handshake::Handshake;
use crate::messages::alert::Alert;
use crate::record::stream::{Rx, Tx, TxFlight};
use crate::{AlertDescription, Buffer, Error, ServerName};

#[cfg(feature = "server")]
pub(crate) mod acceptor;
mod establish;
pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod halves;
pub(crate) mod info;
pub(crate) mod kernel;
pub(crate) mod post_handshake;
#[cfg(test)]
mod tests;
pub(crate) mod tickets;
mod traced;
mod write_half;

use establish::Establishing;
use event::{Answer, Event, Progress, Question};
use halves::{Levels, ReadHalf, Role, WriteHalf};
use info::ConnectionInfo;
use post_handshake::{Env, PostHandshake};

/// A TLS connection without a transport.
///
/// The caller owns both buffers. Give what arrives to [`Self::process`], send what is in `out`
/// after every call, and that is all:
///
/// ```text
///   transport --> input --> process --> Event::AppData(place in input)
///   transport <-- out   <-- process, write, answer, close
/// ```
///
/// After an error, `out` may hold an alert for the peer: send it, then close the transport.
/// Every error is final, but for [`Error::Misuse`], which changes nothing unless it is
/// [`Misuse::TooLong`].
pub struct Connection {
    state: State,
    role: Role,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the large one is what a connection lives in"
)]
enum State {
    Handshake(Box<Establishing>),
    Traffic(
        Box<ConnectionInfo>,
        ReadHalf,
        WriteHalf,
        Option<Box<PostHandshake>>,
    ),
    Failed(Error, Box<ConnectionInfo>),
}

impl Connection {
    /// Starts a client; its ClientHello is in `out`.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the provider fails, [`Misuse::TooLong`] if a configured value does
    /// not fit.
    #[cfg(feature = "client")]
    pub fn client(
        config: Arc<ClientConfig>,
        name: ServerName,
        out: &mut Buffer,
    ) -> Result<Self, Error> {
        let padding = config.common.padding;
        let trace = config.common.trace.clone();
        let before = out.len();
        let mut tx = Tx::with_max_fragment(config.common.max_sent_fragment.into());
        tx.first_hello = true;
        let handshake = Handshake::client(config, name, &mut TxFlight { tx: &mut tx, out })?;
        if let Some(trace) = trace {
            traced::sent(&*trace, out, before);
        }
        let establishing = Establishing::new(handshake, Rx::new(), tx, padding);
        Ok(Self {
            state: State::Handshake(Box::new(establishing)),
            role: Role::Client,
        })
    }

    /// Starts a server, which waits for a ClientHello.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn server(config: Arc<ServerConfig>) -> Self {
        Self::server_after(config, Rx::new())
    }

    /// Starts a server that has received something already.
    #[cfg(feature = "server")]
    fn server_after(config: Arc<ServerConfig>, rx: Rx) -> Self {
        let padding = config.common.padding;
        let tx = Tx::with_max_fragment(config.common.max_sent_fragment.into());
        let establishing = Establishing::new(Handshake::server(config), rx, tx, padding);
        Self {
            state: State::Handshake(Box::new(establishing)),
            role: Role::Server,
        }
    }

    /// A server that failed before it began.
    #[cfg(feature = "server")]
    fn failed(error: Error) -> Self {
        Self {
            state: State::Failed(error, Box::default()),
            role: Role::Server,
        }
    }

    /// Takes records from the front of `input` until there is something to tell.
    ///
    /// Records are opened in place: after [`Event::AppData`] the plaintext stands in `input`,
    /// at the place that the event gives. Call again with what was not consumed until the event
    /// is [`Event::NeedInput`].
    ///
    /// # Errors
    /// Any breach of the protocol, or the failure to agree. The same error comes again from
    /// every later call.
    pub fn process(&mut self, input: &mut [u8], out: &mut Buffer) -> Result<Progress, Error> {
        let result = match &mut self.state {
            // First, and with a return of its own: nearly all calls take this way.
            State::Traffic(_, read, write, None) => {
                let read = |input: &mut [u8], _: &mut _, _: &mut _| read.process_with(input, None);
                match process_traffic(read, write, input, out) {
                    Ok(progress) => return Ok(progress),
                    Err(error) => Err(error),
                }
            }
            State::Traffic(info, read, write, Some(later)) => {
                process_with_later(info, read, write, later, input, out)
            }
            State::Handshake(establishing) => establishing.process(input, out),
            State::Failed(error, _) => return Err(error.clone()),
        };
        match result {
            Ok(progress) => {
                if progress.event == Event::HandshakeComplete {
                    self.establish();
                }
                Ok(progress)
            }
            Err(error) => Err(self.fail(error, out)),
        }
    }

    /// Seals the concatenation of `plain`, all of it, straight from there into `out`.
    ///
    /// A server may do so as soon as it has sent its Finished, before the client is known to be
    /// there (RFC 9846, Section 2.3), unless the client is asked for a certificate: data must not
    /// go to somebody who has yet to say who it is.
    ///
    /// Never blocks and keeps nothing back: how much waits in `out` is the caller's to bound.
    /// Returns the bytes taken, which is all of them.
    ///
    /// # Errors
    /// [`Misuse::HandshakePending`] before the handshake is complete, [`Misuse::WriteClosed`]
    /// after [`Self::close`]; [`Error::Crypto`] if the provider fails; the connection's error if
    /// it has failed.
    pub fn write(&mut self, plain: &[&[u8]], out: &mut Buffer) -> Result<usize, Error> {
        if let State::Handshake(establishing) = &mut self.state {
            let result = establishing.write_half_rtt(plain, out);
            return self.judged(result, out);
        }
        self.send(out, |write, out| write.write(plain, out))
    }

    /// Sends early data: as much of it as the session that is being resumed allows for, which may
    /// be less than all, and nothing once the server has answered.
    ///
    /// A server need not take it. When the handshake is complete, [`ConnectionInfo::early_data`]
    /// says whether it did; if not, all of it has to be sent again with [`Self::write`]. Early data
    /// can be recorded and sent to the server again by anybody: see
    /// [`ClientConfigBuilder::early_data`](crate::ClientConfigBuilder::early_data).
    ///
    /// Returns the bytes taken.
    ///
    /// # Errors
    /// [`Misuse::EarlyDataLimit`] if none can be sent now, or none any more; else as
    /// [`Self::write`].
    #[cfg(feature = "client")]
    pub fn write_early(&mut self, plain: &[u8], out: &mut Buffer) -> Result<usize, Error> {
        let result = match &mut self.state {
            State::Handshake(establishing) => establishing.write_early(plain, out),
            State::Traffic(..) => Err(Misuse::EarlyDataLimit.into()),
            State::Failed(error, _) => Err(error.clone()),
        };
        self.judged(result, out)
    }

    /// Whether [`Self::write`] can be called: after the handshake, and on a server some time before
    /// its end.
    #[must_use]
    pub const fn may_write(&self) -> bool {
        match &self.state {
            State::Handshake(establishing) => establishing.may_write_half_rtt(),
            State::Traffic(..) => true,
            State::Failed(..) => false,
        }
    }

    /// Bytes of early data that can be sent now.
    #[must_use]
    pub const fn early_data_left(&self) -> usize {
        match &self.state {
            State::Handshake(establishing) => establishing.early_data_left(),
            _ => 0,
        }
    }

    /// The question that [`Event::Wait`] stands for.
    #[must_use]
    pub fn question(&self) -> Option<Question<'_>> {
        match &self.state {
            State::Handshake(establishing) => establishing.handshake.question(),
            State::Traffic(.., Some(later)) => later.question(),
            _ => None,
        }
    }

    /// Answers the open question. Then call [`Self::process`] again, if need be with no input.
    ///
    /// # Errors
    /// [`Misuse::NoSuchQuestion`] if the answer fits no open question, which changes nothing;
    /// else as [`Self::process`].
    pub fn answer(&mut self, answer: Answer, out: &mut Buffer) -> Result<(), Error> {
        let result = match &mut self.state {
            State::Handshake(establishing) => establishing.answer(answer, out),
            State::Traffic(info, _, write, Some(later)) => {
                later.answer(answer, &mut Env { info, write, out })
            }
            _ => return Err(Misuse::NoSuchQuestion.into()),
        };
        match result {
            Ok(()) => Ok(()),
            Err(error @ Error::Misuse(Misuse::NoSuchQuestion)) => Err(error),
            Err(error) => Err(self.fail(error, out)),
        }
    }

    /// Changes the sending key now; with `ask_peer`, the peer changes its own in turn. It also
    /// happens by itself before the limit of the cipher is reached (RFC 9846, Section 5.5).
    ///
    /// A peer that has not answered an earlier request is not asked again (Section 4.7.3).
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn update_key(&mut self, ask_peer: bool, out: &mut Buffer) -> Result<(), Error> {
        self.send(out, |write, out| write.update_key(ask_peer, out))
    }

    /// Asks the client for a certificate, as a server whose configuration says so
    /// (`ServerConfigBuilder::post_handshake_auth`) may at any time after the handshake, if the
    /// client agreed (RFC 9846, Section 4.7.2): see [`ConnectionInfo::post_handshake_auth`].
    ///
    /// Sooner or later [`Self::process`] tells of the answer with [`Event::ClientAuthenticated`]
    /// or [`Event::ClientDeclined`]. Application data goes on meanwhile.
    ///
    /// # Errors
    /// [`Misuse::NoPostHandshakeAuth`] if it was not agreed on, [`Misuse::RequestOpen`] if the
    /// last request is not answered yet; else as [`Self::write`].
    #[cfg(feature = "server")]
    pub fn request_client_certificate(&mut self, out: &mut Buffer) -> Result<(), Error> {
        let result = match &mut self.state {
            State::Handshake(_) => Err(Misuse::HandshakePending.into()),
            State::Traffic(info, _, write, Some(later)) => {
                later.request(&mut Env { info, write, out })
            }
            State::Traffic(..) => Err(Misuse::NoPostHandshakeAuth.into()),
            State::Failed(error, _) => Err(error.clone()),
        };
        self.judged(result, out)
    }

    fn send<T>(
        &mut self,
        out: &mut Buffer,
        send: impl FnOnce(&mut WriteHalf, &mut Buffer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = match &mut self.state {
            State::Handshake(_) => Err(Misuse::HandshakePending.into()),
            State::Traffic(_, _, write, _) => send(write, out),
            State::Failed(error, _) => Err(error.clone()),
        };
        self.judged(result, out)
    }

    /// Every error is final, but for misuse.
    #[inline]
    fn judged<T>(&mut self, result: Result<T, Error>, out: &mut Buffer) -> Result<T, Error> {
        match result {
            Ok(done) => Ok(done),
            Err(error @ Error::Misuse(_)) => Err(error),
            Err(error) => Err(self.fail(error, out)),
        }
    }

    /// Sends close_notify: nothing more will be sent. Receiving goes on (RFC 9846,
    /// Section 6.1). The second time it does nothing.
    ///
    /// A handshake cannot go on without sending: it ends here, with [`Misuse::Closed`].
    pub fn close(&mut self, out: &mut Buffer) {
        match &mut self.state {
            State::Handshake(establishing) => {
                establishing.alert(Alert::WARNING, AlertDescription::CLOSE_NOTIFY, out);
                let info = core::mem::take(&mut establishing.handshake.cx.info);
                self.state = State::Failed(Misuse::Closed.into(), Box::new(info));
            }
            State::Traffic(_, _, write, _) => write.close(out),
            State::Failed(..) => {}
        }
    }

    /// Judges the end of the transport: it is an error unless close_notify came first.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::HandshakeCut`], or the connection's error if it has failed.
    pub fn end_of_input(&self) -> Result<(), Error> {
        match &self.state {
            State::Handshake(_) => Err(Error::HandshakeCut),
            State::Traffic(_, read, ..) => read.end_of_input(),
            State::Failed(error, _) => Err(error.clone()),
        }
    }

    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What was agreed, as far as the handshake got.
    #[must_use]
    pub const fn info(&self) -> &ConnectionInfo {
        match &self.state {
            State::Handshake(establishing) => &establishing.handshake.cx.info,
            State::Traffic(info, ..) | State::Failed(_, info) => info,
        }
    }

    /// Whether the handshake is still going on.
    #[must_use]
    pub const fn is_handshaking(&self) -> bool {
        matches!(self.state, State::Handshake(_))
    }

    /// What the connection failed with, if it has.
    #[must_use]
    pub const fn failure(&self) -> Option<&Error> {
        match &self.state {
            State::Failed(error, _) => Some(error),
            _ => None,
        }
    }

    /// Splits an established connection into its two directions, which share nothing.
    ///
    /// Authentication after the handshake needs both: it ends here. A request for it that comes
    /// later, or the answer to one that is open, ends the connection.
    ///
    /// # Errors
    /// The connection itself, if the handshake is not complete or it has failed.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the connection, given back"
    )]
    pub fn split(self) -> Result<(ReadHalf, WriteHalf, ConnectionInfo), Self> {
        match self.state {
            State::Traffic(info, read, write, _) => Ok((read, write, *info)),
            state => Err(Self {
                state,
                role: self.role,
            }),
        }
    }

    /// The handshake is complete: drops everything that was only for it.
    #[inline(never)]
    fn establish(&mut self) {
        let done = State::Failed(Misuse::Closed.into(), Box::default());
        self.state = match core::mem::replace(&mut self.state, done) {
            State::Handshake(establishing) => {
                let Establishing {
                    mut handshake,
                    mut rx,
                    tx,
                    padding,
                    ..
                } = *establishing;
                // A Finished that came in parts is done with.
                rx.joiner.done();
                let levels = Levels::of(handshake.cx.info.version, handshake.cx.versions);
                let trace = handshake.cx.trace.clone();
                let tickets = handshake.cx.tickets.take();
                let (info, later) = handshake.finish();
                State::Traffic(
                    Box::new(info),
                    ReadHalf::new(rx, self.role, levels, trace.clone(), tickets),
                    WriteHalf::new(tx, padding, trace),
                    later.map(Box::new),
                )
            }
            other => other,
        };
    }

    /// Ends the connection: the peer hears of it, the state becomes the error.
    #[cold]
    #[inline(never)]
    fn fail(&mut self, error: Error, out: &mut Buffer) -> Error {
        let done = State::Failed(error.clone(), Box::default());
        let info = match core::mem::replace(&mut self.state, done) {
            State::Handshake(mut establishing) => {
                if let Some(trace) = establishing.trace() {
                    traced::failed(&**trace, &error);
                }
                if let Some(description) = error.alert() {
                    establishing.alert(Alert::FATAL, description, out);
                }
                Box::new(establishing.handshake.cx.info)
            }
            State::Traffic(info, _, mut write, _) => {
                write.fail(&error, out);
                info
            }
            State::Failed(_, info) => info,
        };
        self.state = State::Failed(error.clone(), info);
        error
    }
}

/// Where a client may have to authenticate later.
#[inline(never)]
fn process_with_later(
    info: &mut ConnectionInfo,
    read: &mut ReadHalf,
    write: &mut WriteHalf,
    later: &mut PostHandshake,
    input: &mut [u8],
    out: &mut Buffer,
) -> Result<Progress, Error> {
    if let Some(wait) = later.waits() {
        return Ok(Progress {
            consumed: 0,
            event: Event::Wait(wait),
        });
    }
    let read = |input: &mut [u8], write: &mut _, out: &mut _| {
        let env = Env { info, write, out };
        read.process_with(input, Some(&mut later.with(env)))
    };
    process_traffic(read, write, input, out)
}

/// Both directions at hand: what the peer asks of the sending one is done at once.
#[inline(always)]
fn process_traffic(
    mut read: impl FnMut(&mut [u8], &mut WriteHalf, &mut Buffer) -> Result<Progress, Error>,
    write: &mut WriteHalf,
    input: &mut [u8],
    out: &mut Buffer,
) -> Result<Progress, Error> {
    let mut before = 0usize;
    loop {
        let rest = input.get_mut(before..).unwrap_or_default();
        let Progress { consumed, event } = read(rest, write, out)?;
        let event = match event {
            Event::PeerAction(action) => {
                write.apply(action, out)?;
                before = before.saturating_add(consumed);
                continue;
            }
            Event::AppData(range) => {
                Event::AppData(before.saturating_add(range.start)..before.saturating_add(range.end))
            }
            other => other,
        };
        return Ok(Progress {
            consumed: before.saturating_add(consumed),
            event,
        });
    }
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let state = match &self.state {
            State::Handshake(_) => "handshake",
            State::Traffic(..) => "established",
            State::Failed(..) => "failed",
        };
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("state", &state)
            .finish()
    }
}
