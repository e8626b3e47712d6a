//! Checking the peer's certificate, a server's or a client's. The engine asks; `waxwing-pki` or the application answers.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use crate::messages::CertificateType;
use crate::{Rejection, ServerName};

/// Decides whether a server is who it says.
pub trait ServerCertVerifier: Send + Sync + fmt::Debug {
    /// Judges the chain.
    ///
    /// A verifier that has to ask elsewhere returns [`Verdict::Pending`]; the engine then asks
    /// its caller (`Wait::Verdict`).
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict;
}

/// What a server presented, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct ServerCertRequest<'a> {
    /// What the chain is. Others than X.509 come only where the configuration accepts them.
    pub certificate_type: CertificateType,
    /// The certificates in DER, the server's own first. Never empty. Where the type is
    /// `RawPublicKey` it is one SubjectPublicKeyInfo in DER instead, which says nothing of whose
    /// it is: a verifier has to know it.
    pub chain: &'a [&'a [u8]],
    /// The stapled OCSP response, if any (RFC 6066, Section 8).
    pub ocsp: Option<&'a [u8]>,
    /// The SignedCertificateTimestampList that came in the handshake, if it was asked for and
    /// there is one (RFC 6962, Section 3.3.1): encoded, with its length in front.
    pub scts: Option<&'a [u8]>,
    /// Whom the client wants to talk to.
    pub name: &'a ServerName,
}

/// Decides whether a client is who it says.
pub trait ClientCertVerifier: Send + Sync + fmt::Debug {
    /// Judges the chain.
    ///
    /// A verifier that has to ask elsewhere returns [`Verdict::Pending`]; the engine then asks
    /// its caller (`Wait::Verdict`).
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict;

    /// The distinguished names, in DER, of the authorities whose certificates are accepted: a
    /// hint that clients choose by (RFC 9846, Section 4.3.4). None by default.
    fn authorities(&self) -> &[Vec<u8>] {
        &[]
    }
}

/// What a client presented.
#[derive(Clone, Copy, Debug)]
pub struct ClientCertRequest<'a> {
    /// What the chain is. Others than X.509 come only where the configuration accepts them.
    pub certificate_type: CertificateType,
    /// The certificates in DER, the client's own first. Never empty. Where the type is
    /// `RawPublicKey` it is one SubjectPublicKeyInfo in DER instead, which says nothing of whose
    /// it is: a verifier has to know it.
    pub chain: &'a [&'a [u8]],
}

/// Whether a server asks its clients for a certificate, and who judges it.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// A client that has none is served too; one that shows one must be accepted.
    Optional(Arc<dyn ClientCertVerifier>),
    /// A client that has none is refused with `certificate_required`.
    Required(Arc<dyn ClientCertVerifier>),
}

impl ClientAuth {
    /// Who judges the certificates.
    #[must_use]
    pub fn verifier(&self) -> &Arc<dyn ClientCertVerifier> {
        match self {
            Self::Optional(verifier) | Self::Required(verifier) => verifier,
        }
    }

    /// Whether a client without a certificate is refused.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self, Self::Required(_))
    }
}

/// What a verifier answers.
#[derive(Debug)]
pub enum Verdict {
    /// The peer is who it says, if it proves to hold this key.
    Accepted(Verified),
    /// It is not trusted.
    Rejected(Rejection),
    /// The answer will come later, through the engine's `answer`.
    Pending,
}

/// What a verifier wants the application to know of an accepted peer. The engine only carries it.
pub type Note = Arc<dyn Any + Send + Sync>;

/// The outcome of a successful verification: the key that the handshake must be signed with.
#[derive(Clone, Debug)]
pub struct Verified {
    spki: Vec<u8>,
    note: Option<Note>,
}

impl Verified {
    /// States that the holder of the key in `spki` (a DER SubjectPublicKeyInfo) is the peer.
    ///
    /// For verifiers only: whoever makes one vouches for the peer.
    #[must_use]
    pub const fn holder_of(spki: Vec<u8>) -> Self {
        Self { spki, note: None }
    }

    /// Adds what [`ConnectionInfo::peer_note`](crate::ConnectionInfo::peer_note) will hold once
    /// the peer has proved to have the key.
    #[must_use]
    pub fn with_note(mut self, note: Note) -> Self {
        self.note = Some(note);
        self
    }

    /// What was added with [`Self::with_note`].
    #[must_use]
    pub const fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// The DER SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }
}
