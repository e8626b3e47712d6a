//! An established connection as bytes, and back: so that a process can be restarted, or replaced
//! by another, under a connection that goes on.
//!
//! ```text
//!   mod.rs      Connection::export, Exported
//!   import.rs   Importer, ImportError
//!   keys.rs     one direction's secret and sequence number, and small fields
//!   info.rs     what was agreed
//! ```
//!
//! The format is in docs/internals/connection-export.md. What an exporter or a direction is made
//! of is written and read next to its type, in a file `carried.rs`.

use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::CipherSuite;
use zeroize::Zeroizing;

use super::{Connection, State};
use crate::Error;
use crate::codec::Writer;
use crate::connection::halves::Role;
use crate::error::Misuse;

mod import;
mod info;
pub(super) mod keys;

pub use import::{ImportError, Imported, Importer};

/// What every export begins with.
const MAGIC: &[u8; 4] = b"WxTC";
/// The number of this form. Whatever changes it, even by one byte, gets a new number.
const FORMAT: u16 = 1;
const CLIENT: u8 = 0;
const SERVER: u8 = 1;
/// Bytes of all fields that do not grow, at most.
const FIXED: usize = 384;

/// An established connection as bytes.
///
/// **These bytes are the secret keys of the connection.** Whoever has them can read and forge
/// everything that is sent, and whoever can change them can make this side send what is easily
/// broken. Keep them out of logs and files, and hand them only to a process that would be trusted
/// with the connection itself.
///
/// **Never import twice**, and never go on with an older copy: two connections would seal different
/// records under the same key and nonce, which gives away both plaintexts and, with AES-GCM, the
/// means to forge (RFC 9846, Section 5.3; RFC 5116, Section 5.1.1).
///
/// They are erased when this is dropped, and never printed.
pub struct Exported(Zeroizing<Vec<u8>>);

impl Exported {
    /// The bytes, for [`Importer::import`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exported")
    }
}

/// What lies in a driver's buffers between a connection and its transport, and between it and the
/// application. A connection itself keeps nothing of it, so it has to go along, or be used up
/// before. Each part has fewer than 2^24 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished<'a> {
    /// Plaintext that came out of the connection, and that the application has not taken.
    pub plaintext: &'a [u8],
    /// What came from the transport, and was not consumed by [`Connection::process`].
    pub input: &'a [u8],
    /// What the connection wrote, and the transport has not taken.
    pub output: &'a [u8],
}

impl fmt::Debug for Unfinished<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unfinished")
            .field("plaintext", &self.plaintext.len())
            .field("input", &self.input.len())
            .field("output", &self.output.len())
            .finish()
    }
}

/// Why a connection cannot be exported now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The handshake is not complete.
    HandshakePending,
    /// The connection has failed.
    Failed(Error),
    /// A handshake message came in part: process more input first.
    MidMessage,
    /// A question waits for its answer (see [`Connection::question`]).
    QuestionOpen,
    /// The client was asked for its certificate, and has not answered yet.
    RequestOpen,
    /// Something is longer than its field.
    TooLong,
    /// The kernel knows no such cipher suite.
    NotForKernel(CipherSuite),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection cannot be exported: ")?;
        match self {
            Self::HandshakePending => f.write_str("the handshake is not complete"),
            Self::Failed(error) => error.fmt(f),
            Self::MidMessage => f.write_str("a handshake message has come only in part"),
            Self::QuestionOpen => f.write_str("a question waits for its answer"),
            Self::RequestOpen => {
                f.write_str("the client has not answered the last request for a certificate")
            }
            Self::TooLong => f.write_str("something is longer than its field"),
            Self::NotForKernel(suite) => write!(f, "the kernel does not know {suite}"),
        }
    }
}

impl core::error::Error for ExportError {}

impl From<Error> for ExportError {
    fn from(error: Error) -> Self {
        match error {
            Error::Misuse(Misuse::TooLong) => Self::TooLong,
            other => Self::Failed(other),
        }
    }
}

impl Connection {
    /// Whether [`Self::export`] would succeed now.
    ///
    /// # Errors
    /// Why not.
    pub fn can_export(&self) -> Result<(), ExportError> {
        match &self.state {
            State::Handshake(_) => Err(ExportError::HandshakePending),
            State::Failed(error, _) => Err(ExportError::Failed(error.clone())),
            State::Traffic(_, read, _, later) => match later {
                Some(later) if later.waits().is_some() => Err(ExportError::QuestionOpen),
                Some(later) if later.is_amid_request() => Err(ExportError::RequestOpen),
                _ if read.is_mid_message() => Err(ExportError::MidMessage),
                _ => Ok(()),
            },
        }
    }

    /// Turns an established connection into bytes, with which [`Importer`] makes it again,
    /// elsewhere. See [`Exported`] for how they have to be treated.
    ///
    /// It is as it was in everything but these:
    ///
    /// - [`ConnectionInfo::peer_note`](crate::ConnectionInfo::peer_note) is no bytes and stays
    ///   behind, and so does the receiver of traces: `Importer` takes new ones.
    /// - Authentication of the client after the handshake needs a configuration: it ends here, as
    ///   in [`Self::split`], and `post_handshake_auth` says so afterwards.
    ///
    /// What the buffers of the caller hold is the caller's: input that was not consumed has to be
    /// given to the new connection before any other, and output goes out before any other. It can
    /// be carried along with [`Self::export_with`].
    ///
    /// ```
    /// use waxwing_core::{Connection, Event, Importer};
    /// # use std::sync::Arc;
    /// # use waxwing_aws_lc::PROVIDER;
    /// # use waxwing_core::{
    /// #     Buffer, CertifiedKey, ClientConfig, ServerCertRequest, ServerCertVerifier, ServerConfig,
    /// #     Verdict, Verified,
    /// # };
    /// # use waxwing_crypto::{KeyEncoding, SigningKey};
    /// # fn key() -> Arc<dyn SigningKey> {
    /// #     let key = include_bytes!("../../../../waxwing-crypto/src/vectors/data/p256.pk8.der");
    /// #     PROVIDER.keys.load(KeyEncoding::Pkcs8, key).unwrap()
    /// # }
    /// # #[derive(Debug)]
    /// # struct Trust;
    /// # impl ServerCertVerifier for Trust {
    /// #     fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
    /// #         Verdict::Accepted(Verified::holder_of(key().public_key().unwrap()))
    /// #     }
    /// # }
    /// # fn carry(from: &mut Buffer, to: &mut Connection, out: &mut Buffer) -> Vec<u8> {
    /// #     let (mut input, mut data) = (from.as_slice().to_vec(), Vec::new());
    /// #     from.clear();
    /// #     loop {
    /// #         let progress = to.process(&mut input, out).unwrap();
    /// #         match progress.event {
    /// #             Event::NeedInput(_) => return data,
    /// #             Event::AppData(place) => data.extend_from_slice(&input[place]),
    /// #             _ => {}
    /// #         }
    /// #         input.drain(..progress.consumed);
    /// #     }
    /// # }
    /// # let certified = CertifiedKey::new(vec![b"a certificate".to_vec()], key());
    /// # let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(certified))).build()?;
    /// # let mut server = Connection::server(config);
    /// # let config = ClientConfig::builder(&PROVIDER, Arc::new(Trust)).build()?;
    /// # let (mut to_server, mut to_client) = (Buffer::new(), Buffer::new());
    /// # let mut client = Connection::client(config, "a.example".parse()?, &mut to_server)?;
    /// # for _ in 0..2 {
    /// #     carry(&mut to_server, &mut server, &mut to_client);
    /// #     carry(&mut to_client, &mut client, &mut to_server);
    /// # }
    /// // In the old process:
    /// let exported = server.export().map_err(|(_, reason)| reason)?;
    ///
    /// // In the new one, which got the bytes and the socket:
    /// let mut server = Importer::new(&PROVIDER).import(exported.as_bytes())?.connection;
    /// server.write(&[b"here I am again"], &mut to_client)?;
    /// # assert_eq!(carry(&mut to_client, &mut client, &mut to_server), b"here I am again");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The connection itself, unchanged, and why it cannot be exported now.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the connection, given back"
    )]
    pub fn export(self) -> Result<Exported, (Self, ExportError)> {
        self.export_with(&Unfinished::default())
    }

    /// The same, with what the caller's buffers hold: [`Imported::unfinished`] gives it back.
    ///
    /// # Errors
    /// As [`Self::export`]; [`ExportError::TooLong`] if a part has 2^24 bytes or more.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the connection, given back"
    )]
    pub fn export_with(self, unfinished: &Unfinished<'_>) -> Result<Exported, (Self, ExportError)> {
        let encoded = self
            .can_export()
            .and_then(|()| Ok(self.encode(unfinished)?));
        match encoded {
            Ok(exported) => Ok(exported),
            Err(reason) => Err((self, reason)),
        }
    }

    fn encode(&self, unfinished: &Unfinished<'_>) -> Result<Exported, Error> {
        let State::Traffic(info, read, write, _) = &self.state else {
            return Err(Misuse::HandshakePending.into());
        };
        let Unfinished {
            plaintext,
            input,
            output,
        } = *unfinished;
        // Memory that a growing vector leaves behind would not be erased.
        let capacity = [info::size(info), plaintext.len(), input.len(), output.len()]
            .iter()
            .fold(FIXED, |sum: usize, len| sum.saturating_add(*len));
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        let mut writer = Writer::new(&mut bytes);
        writer.bytes(MAGIC);
        writer.u16(FORMAT);
        keys::write_suite(&read.key()?.carried(), &mut writer);
        writer.u8(match read.role() {
            Role::Client => CLIENT,
            Role::Server => SERVER,
        });
        read.write(&mut writer)?;
        write.write_state(&mut writer)?;
        info::write(info, &mut writer)?;
        for part in [plaintext, input, output] {
            writer.vec24(|writer| {
                writer.bytes(part);
                Ok(())
            })?;
        }
        debug_assert!(bytes.len() <= capacity, "a copy of secrets is left behind");
        Ok(Exported(bytes))
    }
}
