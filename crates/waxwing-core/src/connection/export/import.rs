//! A connection out of the bytes of an export.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use waxwing_crypto::{CipherSuite, CryptoProvider};

use super::super::halves::{ReadHalf, Role, WriteHalf};
use super::super::{Connection, State};
use super::{CLIENT, FORMAT, MAGIC, SERVER, Unfinished, info, keys};
use crate::codec::Reader;
use crate::messages::ProtocolVersion;
use crate::trace::Trace;
use crate::{DecodeError, Error, Note};

/// Why bytes cannot be made into a connection. Nothing of them shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// They do not begin as an export does.
    NotAnExport,
    /// They are in a form with this number, which this version of the library does not know.
    Format(u16),
    /// The connection speaks this version of TLS, which is not known, or not built in.
    Version(ProtocolVersion),
    /// The connection uses this cipher suite, which the provider does not have.
    CipherSuite(CipherSuite),
    /// A field is cut, too long, or followed by something.
    Malformed(DecodeError),
    /// This field has a value that nothing exports.
    Illegal(&'static str),
    /// The keys cannot be set up.
    Keys(Error),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnExport => f.write_str("these bytes are no exported connection"),
            Self::Format(number) => {
                write!(f, "an exported connection in the unknown format {number}")
            }
            Self::Version(version) => {
                write!(
                    f,
                    "an exported connection of {version}, which is not available"
                )
            }
            Self::CipherSuite(suite) => write!(
                f,
                "an exported connection with {suite}, which the crypto provider does not have"
            ),
            Self::Malformed(error) => write!(f, "a damaged exported connection: {error}"),
            Self::Illegal(field) => {
                write!(
                    f,
                    "a damaged exported connection: {field} has an illegal value"
                )
            }
            Self::Keys(error) => write!(f, "the keys of an exported connection: {error}"),
        }
    }
}

impl core::error::Error for ImportError {}

impl From<DecodeError> for ImportError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self::Keys(error)
    }
}

/// An imported connection.
#[derive(Debug)]
pub struct Imported<'a> {
    /// The connection.
    pub connection: Connection,
    /// What was exported with it: `plaintext` comes before anything that the connection has to
    /// say, `input` before anything from the transport, `output` before anything else to it.
    pub unfinished: Unfinished<'a>,
}

/// Makes connections out of what [`Connection::export`] gave.
///
/// It has to be done **once for each export**: see [`Exported`](super::Exported). No configuration
/// is needed. Padding and the sizes of records stay as they were.
#[derive(Clone)]
pub struct Importer<'a> {
    provider: &'a CryptoProvider,
    trace: Option<Arc<dyn Trace>>,
    peer_note: Option<Note>,
}

impl<'a> Importer<'a> {
    /// Connections will work with this provider, which needs to have their cipher suites; it may
    /// be another than before.
    #[must_use]
    pub const fn new(provider: &'a CryptoProvider) -> Self {
        Self {
            provider,
            trace: None,
            peer_note: None,
        }
    }

    /// Who is told what happens.
    #[must_use]
    pub fn trace(mut self, trace: Arc<dyn Trace>) -> Self {
        self.trace = Some(trace);
        self
    }

    /// What [`ConnectionInfo::peer_note`](crate::ConnectionInfo::peer_note) shall hold: what it
    /// held before was not exported.
    #[must_use]
    pub fn peer_note(mut self, note: Note) -> Self {
        self.peer_note = Some(note);
        self
    }

    /// Makes the connection.
    ///
    /// The bytes are taken as they are: beyond their form nothing tells whether they were changed.
    /// With wrong keys or numbers no record opens, here or at the peer, and the connection ends.
    ///
    /// # Errors
    /// Why they are no export that this build can go on with.
    pub fn import<'b>(&self, bytes: &'b [u8]) -> Result<Imported<'b>, ImportError> {
        let mut reader = Reader::new("export", bytes);
        if reader.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(ImportError::NotAnExport);
        }
        match reader.u16()? {
            FORMAT => {}
            other => return Err(ImportError::Format(other)),
        }
        let suite = keys::read_suite(&mut reader, self.provider)?;
        let role = match reader.u8()? {
            CLIENT => Role::Client,
            SERVER => Role::Server,
            _ => return Err(ImportError::Illegal("role")),
        };
        let trace = self.trace.clone();
        let read = ReadHalf::read(&mut reader, role, suite, trace.clone())?;
        let write = WriteHalf::read_state(&mut reader, suite, trace)?;
        let info = info::read(&mut reader, suite, self.peer_note.clone())?;
        let unfinished = Unfinished {
            plaintext: reader.vec24("plaintext")?.take_rest(),
            input: reader.vec24("input")?.take_rest(),
            output: reader.vec24("output")?.take_rest(),
        };
        reader.finish()?;
        Ok(Imported {
            connection: Connection {
                state: State::Traffic(Box::new(info), read, write, None),
                role,
            },
            unfinished,
        })
    }
}

impl fmt::Debug for Importer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer").finish_non_exhaustive()
    }
}
