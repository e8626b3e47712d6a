//! Reads a ClientHello first; the configuration is chosen afterwards.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Connection;
use super::halves::{Levels, judge_alert};
use crate::config::credentials::{ClientHelloView, Settled};
use crate::config::server::ServerConfig;
use crate::messages::HandshakeType;
use crate::messages::alert::Alert;
use crate::messages::client_hello::ClientHello;
use crate::record::ContentType;
use crate::record::stream::{Opened, Rx, Tx};
use crate::{AlertDescription, Buffer, Error, PeerError};

/// A server that has not decided yet how to serve.
///
/// ```text
///   process ... process -> Accepting::HelloRead    hello() -> accept(config) -> Connection
/// ```
pub struct Acceptor {
    rx: Rx,
    /// The whole message once it is there, header included, and what followed it.
    hello: Option<(Vec<u8>, Vec<u8>)>,
    failed: Option<Error>,
    warnings: u8,
}

/// How far an [`Acceptor`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepting {
    /// At least this many more bytes are needed.
    NeedInput(usize),
    /// The ClientHello is there.
    HelloRead,
}

impl Acceptor {
    /// Waits for a ClientHello.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx: Rx::new(),
            hello: None,
            failed: None,
            warnings: 0,
        }
    }

    /// Takes records from the front of `input`; returns how many bytes it consumed.
    ///
    /// # Errors
    /// Anything but a well-formed ClientHello. An alert for the peer is in `out` then.
    pub fn process(
        &mut self,
        input: &mut [u8],
        out: &mut Buffer,
    ) -> Result<(usize, Accepting), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.read_hello(input).inspect_err(|error| {
            self.failed = Some(error.clone());
            if let Some(alert) = error.alert() {
                // A plaintext alert cannot fail.
                let _ = Tx::new().alert(Alert::FATAL, alert, out);
            }
        })
    }

    fn read_hello(&mut self, input: &mut [u8]) -> Result<(usize, Accepting), Error> {
        let mut consumed = 0;
        while self.hello.is_none() {
            let rest = input.get_mut(consumed..).unwrap_or_default();
            match self.rx.open(rest)? {
                Opened::NeedInput(hint) => return Ok((consumed, Accepting::NeedInput(hint))),
                Opened::Skipped { consumed: taken } => consumed = consumed.saturating_add(taken),
                Opened::Record {
                    content_type,
                    body,
                    consumed: taken,
                } => {
                    consumed = consumed.saturating_add(taken);
                    self.record(content_type, rest.get(body).unwrap_or_default())?;
                }
            }
        }
        Ok((consumed, Accepting::HelloRead))
    }

    fn record(&mut self, content_type: ContentType, mut content: &[u8]) -> Result<(), Error> {
        match content_type {
            ContentType::HANDSHAKE => {}
            ContentType::ALERT => return self.on_alert(content),
            // RFC 9846, Section 5: never before the first ClientHello.
            ContentType::CHANGE_CIPHER_SPEC => {
                return Err(PeerError::UnexpectedChangeCipherSpec.into());
            }
            _ => return Err(PeerError::UnexpectedRecord.into()),
        }
        let Some(message) = self.rx.joiner.take(&mut content)? else {
            return Ok(());
        };
        if message.typ != HandshakeType::CLIENT_HELLO {
            return Err(PeerError::UnexpectedMessage.into());
        }
        ClientHello::read(message.body())?;
        self.hello = Some((message.bytes.to_vec(), content.to_vec()));
        Ok(())
    }

    fn on_alert(&mut self, content: &[u8]) -> Result<(), Error> {
        if judge_alert(&Alert::read(content)?, Levels::Ignored, &mut self.warnings)? {
            return Err(Error::Alert(AlertDescription::CLOSE_NOTIFY));
        }
        Ok(())
    }

    /// What the client says, once it is there.
    #[must_use]
    pub fn hello(&self) -> Option<ClientHelloView<'_>> {
        let body = self.hello.as_ref()?.0.get(4..)?;
        let hello = ClientHello::read(body).ok()?;
        Some(ClientHelloView::new(hello, body, Settled::Nothing))
    }

    /// Goes on with this configuration. Call [`Connection::process`] next, if need be with no
    /// input: the ClientHello is handled there, and an error of [`Self::process`] comes again.
    #[must_use]
    pub fn accept(mut self, config: Arc<ServerConfig>) -> Connection {
        if let Some(error) = self.failed {
            return Connection::failed(error);
        }
        if let Some((hello, rest)) = self.hello {
            self.rx.joiner.keep(&hello);
            self.rx.joiner.keep(&rest);
        }
        Connection::server_after(config, self.rx)
    }
}

impl Default for Acceptor {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Acceptor")
            .field("hello", &self.hello.is_some())
            .finish_non_exhaustive()
    }
}
