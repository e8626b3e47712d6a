//! Bytes on the wire to records and back. Knows no handshake message's meaning.
//!
//! [`Flight`] is where handshake and record layer meet on the way out; on the way in the driver
//! takes whole messages from the [`joiner`] and hands them to the handshake.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use waxwing_crypto::{Digest, Suite13};

use crate::Error;
use crate::codec::Writer;
use crate::messages::HandshakeType;
#[cfg(feature = "tls12")]
use crate::record::protect12::Keys12;

mod gather;
pub(crate) mod joiner;
pub(crate) mod protect;
#[cfg(feature = "tls12")]
pub(crate) mod protect12;
pub(crate) mod stream;
#[cfg(test)]
mod testing;

pub use protect::RecordPadding;

/// The type of a record's content (RFC 9846, Section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentType(pub(crate) u8);

impl ContentType {
    pub(crate) const CHANGE_CIPHER_SPEC: Self = Self(20);
    pub(crate) const ALERT: Self = Self(21);
    pub(crate) const HANDSHAKE: Self = Self(22);
    pub(crate) const APPLICATION_DATA: Self = Self(23);
    /// RFC 6520; not spoken.
    pub(crate) const HEARTBEAT: Self = Self(24);
}

/// Which keys protect a message: the vocabulary that TLS, DTLS and QUIC share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Epoch {
    /// No protection: hellos.
    Initial,
    /// Early data.
    Early,
    /// Handshake traffic keys.
    Handshake,
    /// Application traffic keys.
    Application,
}

/// What a record layer (or QUIC) needs to protect one direction of one epoch.
pub(crate) struct EpochKeys {
    pub(crate) epoch: Epoch,
    pub(crate) suite: &'static Suite13,
    /// The traffic secret (RFC 9846, Section 7.1).
    pub(crate) secret: Digest,
}

/// What the handshake may ask of the layer below.
///
/// TLS puts messages into records, DTLS keeps them until they are acknowledged, QUIC carries
/// them in CRYPTO frames and takes the secrets: none of it shows here. Read keys are not
/// installed through this trait; a step returns them, and the driver decides when they apply.
pub(crate) trait Flight {
    /// Encodes one handshake message; returns its bytes, header included, for the transcript.
    fn message(
        &mut self,
        typ: HandshakeType,
        body: &mut dyn FnMut(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<&[u8], Error>;

    /// Whether it may send another message in place of ours, for traces of other clients.
    #[cfg(test)]
    fn replaces(&self) -> bool {
        false
    }

    /// Sends the change_cipher_spec of middlebox compatibility (RFC 9846, Appendix E.4).
    /// Nothing where there are no middleboxes to please.
    fn change_cipher_spec(&mut self);

    /// Messages from now on go out under these keys.
    fn install_write(&mut self, keys: EpochKeys) -> Result<(), Error>;

    /// The server does not take our early data: what we send from now on goes out under these
    /// keys, or unprotected again if it asked for another ClientHello. Nothing is said with that,
    /// so the server may be in the middle of its flight.
    fn leave_early_data(&mut self, keys: Option<EpochKeys>) -> Result<(), Error>;

    /// No record from now on has more than so many bytes of content (RFC 8449), or than before.
    fn limit_records(&mut self, max_content: usize);

    /// Sends the change_cipher_spec of TLS 1.2 (RFC 5246, Section 7.1): messages from now on go
    /// out under these keys.
    #[cfg(feature = "tls12")]
    fn change_keys(&mut self, keys: &Keys12) -> Result<(), Error>;

    /// The flight is complete: nothing more until the peer answers.
    fn end_flight(&mut self) -> Result<(), Error>;
}
