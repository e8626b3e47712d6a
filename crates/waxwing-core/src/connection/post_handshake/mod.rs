//! Authenticating a client after the handshake (RFC 9846, Section 4.7.2), where both sides agreed
//! to it: what of the handshake is kept for that, and what has come of it so far.
//!
//! ```text
//!   server: Asking                                client: Answering
//!   request    -> CertificateRequest          ->  choose, sign
//!   on_message <- Certificate,                <-
//!                 CertificateVerify (unless the list of certificates is empty),
//!                 Finished
//! ```
//!
//! It takes both directions, so only a whole connection does it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, HashContext};

use super::event::{Answer, Event, Question, Wait};
use super::halves::WriteHalf;
use super::info::ConnectionInfo;
use crate::codec::Writer;
#[cfg(feature = "client")]
use crate::config::client::ClientConfig;
#[cfg(feature = "server")]
use crate::config::server::ServerConfig;
use crate::error::Misuse;
use crate::messages::HandshakeType;
use crate::record::joiner::Message;
use crate::{Buffer, Error};

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

/// What a connection does with messages that authenticate a client after the handshake.
#[allow(
    clippy::large_enum_variant,
    reason = "one box holds it, and each side has its own"
)]
pub(crate) enum PostHandshake {
    #[cfg(feature = "client")]
    Client(client::Answering),
    #[cfg(feature = "server")]
    Server(server::Asking),
}

const _: () = assert!(size_of::<PostHandshake>() <= 320);

/// What of the connection they may use.
pub(super) struct Env<'a> {
    pub(super) info: &'a mut ConnectionInfo,
    pub(super) write: &'a mut WriteHalf,
    pub(super) out: &'a mut Buffer,
}

impl PostHandshake {
    /// For a client. The transcript ends with its Finished.
    #[cfg(feature = "client")]
    pub(crate) const fn client(config: Arc<ClientConfig>, transcript: HashContext) -> Self {
        Self::Client(client::Answering::new(config, transcript))
    }

    /// For a server. The transcript ends with the client's Finished.
    #[cfg(feature = "server")]
    pub(crate) const fn server(config: Arc<ServerConfig>, transcript: HashContext) -> Self {
        Self::Server(server::Asking::new(config, transcript))
    }

    /// Joins it with the rest of its connection.
    pub(super) const fn with<'a>(&'a mut self, env: Env<'a>) -> Whole<'a> {
        Whole { later: self, env }
    }

    /// Asks the client for a certificate.
    #[cfg(feature = "server")]
    pub(super) fn request(&mut self, env: &mut Env<'_>) -> Result<(), Error> {
        match self {
            #[cfg(feature = "client")]
            Self::Client(_) => Err(Misuse::NoPostHandshakeAuth.into()),
            Self::Server(server) => server.request(env),
        }
    }

    /// What has to be answered before anything else can be received.
    pub(super) const fn waits(&self) -> Option<Wait> {
        match self {
            #[cfg(feature = "client")]
            Self::Client(client) => client.waits(),
            #[cfg(feature = "server")]
            Self::Server(server) => server.waits(),
        }
    }

    /// Whether a client was asked for its certificate and has not answered.
    pub(super) const fn is_amid_request(&self) -> bool {
        match self {
            // Each request is answered when it comes, unless a question is open.
            #[cfg(feature = "client")]
            Self::Client(_) => false,
            #[cfg(feature = "server")]
            Self::Server(server) => server.is_amid_request(),
        }
    }

    /// The question that this stands for.
    pub(super) fn question(&self) -> Option<Question<'_>> {
        match self {
            #[cfg(feature = "client")]
            Self::Client(client) => client.question(),
            #[cfg(feature = "server")]
            Self::Server(server) => server.question(),
        }
    }

    /// Takes the answer to that question. An answer of another kind changes nothing.
    pub(super) fn answer(&mut self, answer: Answer, env: &mut Env<'_>) -> Result<(), Error> {
        match self {
            #[cfg(feature = "client")]
            Self::Client(client) => client.answer(answer, env),
            #[cfg(feature = "server")]
            Self::Server(server) => server.answer(answer, env),
        }
    }
}

/// Takes the messages that neither direction of a connection is enough for.
pub(super) trait Later {
    /// Whether a message of this type may come now.
    fn expects(&self, typ: HandshakeType) -> bool;

    /// Whether the next message has to be one that it expects, with nothing before it.
    fn is_amid(&self) -> bool;

    /// Takes a message that it expects; `secret` is the sender's current traffic secret. What
    /// there is to tell comes before any further message.
    fn on_message(&mut self, message: Message<'_>, secret: &Digest)
    -> Result<Option<Event>, Error>;
}

/// All that is needed.
pub(super) struct Whole<'a> {
    later: &'a mut PostHandshake,
    env: Env<'a>,
}

impl Later for Whole<'_> {
    fn expects(&self, typ: HandshakeType) -> bool {
        match &*self.later {
            #[cfg(feature = "client")]
            PostHandshake::Client(_) => typ == HandshakeType::CERTIFICATE_REQUEST,
            #[cfg(feature = "server")]
            PostHandshake::Server(server) => server.expects(typ),
        }
    }

    fn is_amid(&self) -> bool {
        match &*self.later {
            #[cfg(feature = "client")]
            PostHandshake::Client(_) => false,
            #[cfg(feature = "server")]
            PostHandshake::Server(server) => server.is_amid(),
        }
    }

    fn on_message(
        &mut self,
        message: Message<'_>,
        secret: &Digest,
    ) -> Result<Option<Event>, Error> {
        match self.later {
            #[cfg(feature = "client")]
            PostHandshake::Client(client) => {
                // A request is authenticated by its record alone.
                let _ = secret;
                client.on_request(message, &mut self.env)
            }
            #[cfg(feature = "server")]
            PostHandshake::Server(server) => server.on_message(message, secret, &mut self.env),
        }
    }
}

/// Messages that are sent together, at the end of a transcript.
struct Speech {
    transcript: HashContext,
    messages: Vec<(HandshakeType, Vec<u8>)>,
}

impl Speech {
    const fn after(transcript: HashContext) -> Self {
        Self {
            transcript,
            messages: Vec::new(),
        }
    }

    fn add(
        &mut self,
        typ: HandshakeType,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        writer.u8(typ.0);
        writer.vec24(body)?;
        self.transcript.update(&bytes);
        self.messages.push((typ, bytes));
        Ok(())
    }

    fn send(&self, env: &mut Env<'_>) -> Result<(), Error> {
        env.write.send_messages(&self.messages, env.out)
    }
}
