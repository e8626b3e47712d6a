//! What a connection tells its driver, asks it, and is told.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use waxwing_crypto::{CryptoError, SignatureScheme};

use crate::Rejection;
use crate::config::credentials::{CertificateRequestView, CertifiedKey, ClientHelloView};
use crate::config::psk::ExternalPsk;
use crate::config::verifier::{ClientCertRequest, ServerCertRequest, Verified};
use crate::messages::CertificateType;
use crate::session::Session;

/// How far a call to `process` got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input that are done with. When `event` is [`Event::AppData`], take the
    /// data out before dropping them.
    pub consumed: usize,
    /// Why the call returned.
    pub event: Event,
}

/// Why a call to `process` returned.
// The tag fills a word. If it were one byte, the seven after it, of which most events have no use,
// would be copied along in pieces, and a processor stalls on a read across pieces just written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(usize)]
#[non_exhaustive]
pub enum Event {
    /// More input is needed: at least this many bytes beyond those not consumed (never 0).
    /// Reading just as many never takes a byte that belongs to what follows the TLS connection.
    NeedInput(usize),
    /// Application data stands at this place in the input. May be called for repeatedly.
    AppData(Range<usize>),
    /// On a server that accepts it: early data stands at this place in the input. Whoever sent it
    /// knows the session's secret, but its flight may be a copy of one sent before, to another
    /// server that does not share our [`ReplayGuard`](crate::ReplayGuard): do nothing with it that
    /// must not be done twice (RFC 9846, Section 8; RFC 8470).
    EarlyData(Range<usize>),
    /// The handshake, or the authentication of a client after it, cannot go on without an
    /// answer: see `question` and `answer`. Until then nothing is received.
    Wait(Wait),
    /// The handshake is complete; application data may be sent.
    HandshakeComplete,
    /// On a server, after `request_client_certificate`: the client showed a certificate that was
    /// accepted, and proved to hold its key. The connection's `info` tells more.
    ClientAuthenticated,
    /// On a server, after `request_client_certificate`: the client shows no certificate.
    ClientDeclined,
    /// The peer sent close_notify: it will send nothing more. Input after it is not TLS.
    PeerClosed,
    /// The peer wants something of the sending direction. Only a `ReadHalf` says so; give the
    /// value to the `WriteHalf`.
    PeerAction(PeerAction),
}

const _: () = assert!(size_of::<Event>() <= 32);

/// Something that a peer's message asks of our sending direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the write half has to hear of it"]
#[non_exhaustive]
pub enum PeerAction {
    /// The peer wants to renegotiate, which is refused with a warning (RFC 5746, Section 4.5).
    #[cfg(feature = "tls12")]
    RefuseRenegotiation,
    /// The peer updated its own key: from here on it may be asked to again.
    KeyUpdated,
    /// The same, and the peer asks for our update in turn (RFC 9846, Section 4.7.3).
    UpdateKey,
}

/// What the handshake, or the authentication of a client after it, waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// The choice of our certificate.
    Certificate,
    /// A signature with our key.
    Signature,
    /// The judgement of the peer's certificate.
    Verdict,
    /// The session that a client wants to resume.
    Session,
    /// The key that a client wants to use.
    Psk,
    /// Whether a client's early data is new.
    FirstUse,
}

/// The open question, with what is needed to answer it.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a borrowed view that lives for one call"
)]
#[non_exhaustive]
pub enum Question<'a> {
    /// Which certificate should this client see? Answered by [`Answer::Certificate`].
    Certificate(ClientHelloView<'a>),
    /// Which certificate should the server see? Answered by [`Answer::Certificate`].
    ClientCertificate(CertificateRequestView<'a>),
    /// Sign this message with our key. Answered by [`Answer::Signature`].
    Signature {
        /// The certificate and key chosen before.
        key: &'a Arc<CertifiedKey>,
        /// The scheme to use.
        scheme: SignatureScheme,
        /// The message itself, not a hash of it.
        message: &'a [u8],
    },
    /// Is this server who it says? Answered by [`Answer::Verdict`].
    Verdict(&'a OwnedServerCertRequest),
    /// Is this client who it says? Answered by [`Answer::Verdict`].
    ClientVerdict(&'a OwnedClientCertRequest),
    /// Which session does this stand for? Answered by [`Answer::Session`].
    Session {
        /// The ticket, or the session id of TLS 1.2.
        handle: &'a [u8],
        /// Whether it is a session id.
        is_id: bool,
    },
    /// Which key does this client mean? Answered by [`Answer::Psk`].
    Psk {
        /// The identity; of an imported key the external one.
        identity: &'a [u8],
    },
    /// Is this hello seen for the first time? Answered by [`Answer::FirstUse`].
    FirstUse {
        /// What it is known by.
        id: &'a [u8; 16],
        /// For how long that must be remembered, in milliseconds.
        window: u32,
    },
}

/// A [`ServerCertRequest`] that waits for its answer, so it owns what it holds.
#[derive(Debug)]
pub struct OwnedServerCertRequest {
    pub(crate) certificate_type: CertificateType,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) ocsp: Option<Vec<u8>>,
    pub(crate) scts: Option<Vec<u8>>,
    pub(crate) name: crate::ServerName,
}

impl OwnedServerCertRequest {
    /// Calls `f` with the borrowed form.
    pub fn with<T>(&self, f: impl FnOnce(&ServerCertRequest<'_>) -> T) -> T {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        f(&ServerCertRequest {
            certificate_type: self.certificate_type,
            chain: &chain,
            ocsp: self.ocsp.as_deref(),
            scts: self.scts.as_deref(),
            name: &self.name,
        })
    }
}

/// A [`ClientCertRequest`] that waits for its answer, so it owns what it holds.
#[derive(Debug)]
pub struct OwnedClientCertRequest {
    pub(crate) certificate_type: CertificateType,
    pub(crate) chain: Vec<Vec<u8>>,
}

impl OwnedClientCertRequest {
    /// Calls `f` with the borrowed form.
    pub fn with<T>(&self, f: impl FnOnce(&ClientCertRequest<'_>) -> T) -> T {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        f(&ClientCertRequest {
            certificate_type: self.certificate_type,
            chain: &chain,
        })
    }
}

/// The answer to a [`Question`].
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a value that is handed over once"
)]
#[non_exhaustive]
pub enum Answer {
    /// This certificate. `None` ends a server's handshake with `unrecognized_name`; a client
    /// goes on and shows none.
    Certificate(Option<Arc<CertifiedKey>>),
    /// The signature, or that there will be none.
    Signature(Result<Vec<u8>, CryptoError>),
    /// The peer is accepted or not.
    Verdict(Result<Verified, Rejection>),
    /// This session; without one a full handshake follows.
    Session(Option<Session>),
    /// This key; without one a full handshake follows, if the client offers that.
    Psk(Option<ExternalPsk>),
    /// Whether the hello is new. If it is not, or nobody knows, the handshake goes on without
    /// early data.
    FirstUse(bool),
}
