//! The handshake: which message means what, and what follows from it.
//!
//! One box holds a shared [`Context`] and the current step of one side. A step is a small struct
//! with exactly what is known at that point; it takes a message by value and gives the next one.
//! Handlers never see a message out of order: the driver asks the step first what it expects.
//!
//! Nothing here knows records. Messages go out through [`Flight`]; new read keys are returned.

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

use crate::codec::Writer;
use crate::config::versions::ProtocolVersions;
use crate::config::{Common, KeyLog};
use crate::connection::event::{Answer, Question, Wait};
use crate::connection::info::{ConnectionInfo, EarlyDataStatus};
use crate::connection::post_handshake::PostHandshake;
use crate::connection::tickets::Tickets;
use crate::limits::MAX_PLAINTEXT;
use crate::messages::HandshakeType;
use crate::record::joiner::Message;
#[cfg(feature = "tls12")]
use crate::record::protect12::Keys12;
use crate::record::{Epoch, EpochKeys, Flight};
use crate::session::PeerIdentity;
use crate::trace::{Direction, Trace, TraceEvent};
use crate::{Error, PeerError, refused};

pub(crate) mod auth;
mod certificate_type;
#[cfg(feature = "client")]
pub(crate) mod client;
pub(crate) mod compression;
mod drawn;
pub(crate) mod negotiate;
pub(crate) mod proof;
pub(crate) mod record_limits;
#[cfg(feature = "tls12")]
pub(crate) mod schedule12;
pub(crate) mod schedule13;
#[cfg(feature = "server")]
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub(crate) mod transcript;

use waxwing_crypto::Digest;

use schedule13::{ApplicationSecrets, TrafficSecrets};
use transcript::Transcript;

/// What all steps of either side share.
pub(crate) struct Context {
    pub(crate) info: ConnectionInfo,
    /// What the configuration speaks.
    pub(crate) versions: ProtocolVersions,
    /// Bytes of content that the peer's records may have from here on.
    pub(crate) max_received: usize,
    pub(crate) transcript: Transcript,
    pub(crate) client_random: [u8; 32],
    /// What may be sent before the handshake is complete.
    pub(crate) may_send: MaySend,
    /// Bytes of early data that may still be received.
    pub(crate) early_data_left: Option<u32>,
    /// Makes sessions of the tickets that a server sends.
    pub(crate) tickets: Option<Box<Tickets>>,
    /// What the peer showed, for the session that this connection may leave. Nothing is kept
    /// without a store for sessions.
    pub(crate) peer: PeerIdentity,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) trace: Option<Arc<dyn Trace>>,
}

const _: () = assert!(size_of::<Context>() <= 1024);

impl Context {
    fn new(config: &Common) -> Self {
        Self {
            info: ConnectionInfo::default(),
            versions: config.versions,
            max_received: MAX_PLAINTEXT,
            transcript: Transcript::new(),
            client_random: [0; 32],
            may_send: MaySend::Nothing,
            early_data_left: None,
            tickets: None,
            peer: PeerIdentity::default(),
            key_log: config.key_log.clone(),
            trace: config.trace.clone(),
        }
    }

    /// The server does not take our early data: none is sent from here on, and what was sent has to
    /// be sent again. What follows goes out under these keys, or unprotected.
    fn reject_early_data(
        &mut self,
        keys: Option<EpochKeys>,
        flight: &mut dyn Flight,
    ) -> Result<(), Error> {
        self.may_send = MaySend::Nothing;
        self.info.early_data = EarlyDataStatus::Rejected;
        self.info.early_exporter = None;
        let epoch = keys.as_ref().map_or(Epoch::Initial, |keys| keys.epoch);
        flight.leave_early_data(keys)?;
        if let Some(trace) = &self.trace {
            trace.event(&TraceEvent::Keys {
                direction: Direction::Sent,
                epoch,
            });
        }
        Ok(())
    }

    /// Sends one message and adds it to the transcript.
    fn send(
        &mut self,
        flight: &mut dyn Flight,
        typ: HandshakeType,
        body: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let bytes = flight.message(typ, body)?;
        self.transcript.add(bytes);
        self.trace_sent(typ, bytes);
        Ok(())
    }

    fn trace_sent(&self, typ: HandshakeType, bytes: &[u8]) {
        if let Some(trace) = &self.trace {
            trace.event(&TraceEvent::Message {
                direction: Direction::Sent,
                typ,
                bytes,
            });
        }
    }

    /// Changes the sending keys.
    fn install_write(&self, flight: &mut dyn Flight, keys: EpochKeys) -> Result<(), Error> {
        let epoch = keys.epoch;
        flight.install_write(keys)?;
        if let Some(trace) = &self.trace {
            trace.event(&TraceEvent::Keys {
                direction: Direction::Sent,
                epoch,
            });
        }
        Ok(())
    }

    /// Sends a message that is not part of the handshake.
    fn send_after(
        &self,
        flight: &mut dyn Flight,
        typ: HandshakeType,
        body: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let bytes = flight.message(typ, body)?;
        self.trace_sent(typ, bytes);
        Ok(())
    }

    /// Changes the sending keys, in TLS 1.2.
    #[cfg(feature = "tls12")]
    fn change_keys(&self, flight: &mut dyn Flight, keys: &Keys12) -> Result<(), Error> {
        flight.change_keys(keys)?;
        if let Some(trace) = &self.trace {
            trace.event(&TraceEvent::Keys {
                direction: Direction::Sent,
                epoch: Epoch::Application,
            });
        }
        Ok(())
    }

    /// Logs under the labels of RFC 9850, Section 2.1.
    fn log_traffic(&self, secrets: &TrafficSecrets) {
        let (client, server) = match secrets.epoch() {
            Epoch::Application => ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"),
            _ => (
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            ),
        };
        self.log_secret(client, &secrets.client);
        self.log_secret(server, &secrets.server);
    }

    /// Logs the secrets of early data.
    fn log_early(&self, traffic: &Digest, exporter: &Digest) {
        self.log_secret("CLIENT_EARLY_TRAFFIC_SECRET", traffic);
        self.log_secret("EARLY_EXPORTER_SECRET", exporter);
    }

    /// Logs the secrets of the application epoch.
    fn log_application(&self, secrets: &ApplicationSecrets) {
        self.log_traffic(&secrets.traffic);
        self.log_secret("EXPORTER_SECRET", &secrets.exporter);
    }

    /// Logs the one secret of TLS 1.2 (RFC 9850, Section 2.2).
    #[cfg(feature = "tls12")]
    fn log_main_secret(&self, secret: &schedule12::MainSecret) {
        self.log_secret("CLIENT_RANDOM", secret.as_bytes());
    }

    fn log_secret(&self, label: &str, secret: &(impl AsRef<[u8]> + ?Sized)) {
        if let Some(log) = &self.key_log {
            log.log(label, &self.client_random, secret.as_ref());
        }
    }
}

/// The `legacy_session_id` (RFC 9846, Section 4.2.2): at most 32 bytes, kept to compare or echo.
#[derive(Clone, Copy)]
struct SessionId {
    bytes: [u8; 32],
    len: usize,
}

impl SessionId {
    /// Copies the first 32 bytes; the reader of the message saw that there are no more.
    fn copy(from: &[u8]) -> Self {
        let mut bytes = [0; 32];
        let len = from.len().min(bytes.len());
        for (place, byte) in bytes.iter_mut().zip(from) {
            *place = *byte;
        }
        Self { bytes, len }
    }
}

impl AsRef<[u8]> for SessionId {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What may be sent while the handshake goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaySend {
    Nothing,
    /// A client: so many bytes of early data more.
    EarlyData(u32),
    /// A server that has sent its Finished: anything (RFC 9846, Section 4.5.3).
    HalfRtt,
}

/// What a step leads to.
struct StepOutcome<S> {
    next: Next<S>,
    /// Keys for what the peer sends from here on.
    read: Option<EpochKeys>,
    /// Whether the peer may have sent early data that nobody will read.
    early_data: EarlyData,
}

impl<S> StepOutcome<S> {
    const fn step(next: S) -> Self {
        Self {
            next: Next::Step(next),
            read: None,
            early_data: EarlyData::None,
        }
    }

    const fn wait(next: S, wait: Wait) -> Self {
        Self {
            next: Next::Wait(next, wait),
            read: None,
            early_data: EarlyData::None,
        }
    }

    const fn done(proof: proof::FinishedOk) -> Self {
        Self {
            next: Next::Done(proof),
            read: None,
            early_data: EarlyData::None,
        }
    }

    fn read_with(self, keys: EpochKeys) -> Self {
        Self {
            read: Some(keys),
            ..self
        }
    }
}

enum Next<S> {
    Step(S),
    Wait(S, Wait),
    Done(proof::FinishedOk),
}

/// Early data that a server has to step over (RFC 9846, Section 4.3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EarlyData {
    /// None was announced.
    None,
    /// Drop records that do not decrypt until one does.
    SkipUndecryptable,
    /// Drop application data until the second ClientHello.
    SkipUntilHello,
}

/// What the driver has to do after a message or an answer.
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) read: Option<EpochKeys>,
    pub(crate) early_data: EarlyData,
}

/// Where the handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The next message may come.
    Message,
    /// No message may be given until this is answered.
    Wait(Wait),
    /// Complete.
    Done,
}

impl<S> StepOutcome<S> {
    /// Stores the next step in `step`; what is left is for the driver.
    fn store(self, step: &mut Option<S>) -> Outcome {
        let (next, status) = match self.next {
            Next::Step(next) => (Some(next), Status::Message),
            Next::Wait(next, wait) => (Some(next), Status::Wait(wait)),
            Next::Done(proof::FinishedOk { .. }) => (None, Status::Done),
        };
        *step = next;
        Outcome {
            status,
            read: self.read,
            early_data: self.early_data,
        }
    }
}

/// What a change_cipher_spec means.
pub(crate) enum ChangeCipherSpec {
    /// Nothing: it is there for middleboxes (RFC 9846, Section 5).
    Ignored,
    /// Records from now on are protected with these keys (RFC 5246, Section 7.1).
    #[cfg(feature = "tls12")]
    Keys(Box<Keys12>),
}

/// A handshake in progress.
pub(crate) struct Handshake {
    pub(crate) cx: Context,
    side: Side,
}

#[allow(
    clippy::large_enum_variant,
    reason = "one box holds the whole handshake"
)]
enum Side {
    #[cfg(feature = "client")]
    Client(client::Client),
    #[cfg(feature = "server")]
    Server(server::Server),
}

impl Handshake {
    /// Takes the next message from the peer.
    pub(crate) fn on_message(
        &mut self,
        message: Message<'_>,
        flight: &mut dyn Flight,
    ) -> Result<Outcome, Error> {
        if let Some(trace) = &self.cx.trace {
            let Message { typ, bytes } = message;
            trace.event(&TraceEvent::Message {
                direction: Direction::Received,
                typ,
                bytes,
            });
            refused::tell(&**trace, message);
        }
        let expected = match &self.side {
            #[cfg(feature = "client")]
            Side::Client(client) => client.expects(message.typ),
            #[cfg(feature = "server")]
            Side::Server(server) => server.expects(message.typ),
        };
        if !expected {
            return Err(PeerError::UnexpectedMessage.into());
        }
        match &mut self.side {
            #[cfg(feature = "client")]
            Side::Client(client) => client.on_message(message, &mut self.cx, flight),
            #[cfg(feature = "server")]
            Side::Server(server) => server.on_message(message, &mut self.cx, flight),
        }
    }

    /// The question that the last outcome's `Wait` stands for.
    pub(crate) fn question(&self) -> Option<Question<'_>> {
        match &self.side {
            #[cfg(feature = "client")]
            Side::Client(client) => client.question(),
            #[cfg(feature = "server")]
            Side::Server(server) => server.question(),
        }
    }

    /// Takes the answer to that question. An answer of another kind changes nothing.
    pub(crate) fn answer(
        &mut self,
        answer: Answer,
        flight: &mut dyn Flight,
    ) -> Result<Outcome, Error> {
        match &mut self.side {
            #[cfg(feature = "client")]
            Side::Client(client) => client.answer(answer, &mut self.cx, flight),
            #[cfg(feature = "server")]
            Side::Server(server) => server.answer(answer, &mut self.cx, flight),
        }
    }

    /// What is left of a complete handshake: what was agreed, and who authenticates a client
    /// later, if that is part of it.
    pub(crate) fn finish(self) -> (ConnectionInfo, Option<PostHandshake>) {
        let Context {
            info, transcript, ..
        } = self.cx;
        if !info.post_handshake_auth {
            return (info, None);
        }
        let later = transcript.into_hash().map(|transcript| match self.side {
            #[cfg(feature = "client")]
            Side::Client(client) => PostHandshake::client(client.config, transcript),
            #[cfg(feature = "server")]
            Side::Server(server) => PostHandshake::server(server.config, transcript),
        });
        (info, later)
    }

    #[cfg(test)]
    pub(crate) fn also_sent(&mut self, typ: crate::ExtensionType) {
        if let Side::Client(client) = &mut self.side {
            client.also_sent(typ);
        }
    }

    #[cfg(test)]
    pub(crate) fn expect_cookie(&mut self, cookie: alloc::vec::Vec<u8>) {
        if let Side::Server(server) = &mut self.side {
            server.expect_cookie(cookie);
        }
    }

    /// Takes a change_cipher_spec.
    pub(crate) fn on_change_cipher_spec(&mut self) -> Result<ChangeCipherSpec, Error> {
        match &mut self.side {
            #[cfg(feature = "client")]
            Side::Client(client) => client.on_change_cipher_spec(),
            #[cfg(feature = "server")]
            Side::Server(server) => server.on_change_cipher_spec(),
        }
    }
}
