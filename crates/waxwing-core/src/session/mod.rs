//! Sessions: what is left of a handshake so that a later one can build on it
//! (RFC 9846, Section 2.2; RFC 5246, Section 7.4.1.2; RFC 5077).
//!
//! A client keeps what it needs to show a ticket and prove that it knows the secret behind it. A
//! server needs the same facts back from the ticket, plus what it must hold the client to. Both are
//! a [`Session`]; its encoding is in [`format`](self::format) and in `docs/internals/sessions.md`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::{CipherSuite, Digest};

use crate::config::verifier::{Note, ServerCertVerifier};
use crate::limits::MAX_SESSION_LIFETIME;
use crate::messages::{CertificateType, ProtocolVersion};

mod format;
#[cfg(test)]
mod tests;

pub use format::InvalidSession;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
pub type UnixMillis = u64;

/// What is needed to resume a connection: a secret, and what it may be used for.
///
/// Whoever has it can take the client's or the server's place: keep its bytes as a key is kept.
/// The secret is erased when the session is dropped, and [`fmt::Debug`] does not show it.
#[derive(Clone)]
pub struct Session {
    pub(crate) version: ProtocolVersion,
    pub(crate) cipher_suite: CipherSuite,
    /// The PSK of TLS 1.3, the main secret of TLS 1.2.
    pub(crate) secret: Digest,
    /// When the client received it, or the server made it.
    pub(crate) issued_at: UnixMillis,
    /// When the peers last proved who they are, which no resumption renews.
    pub(crate) authenticated_at: UnixMillis,
    /// In seconds from `issued_at` on.
    pub(crate) lifetime: u32,
    /// `ticket_age_add`, in milliseconds (RFC 9846, Section 4.7.1).
    pub(crate) age_add: u32,
    /// Bytes of early data that go with it; 0 if none may.
    pub(crate) max_early_data: u32,
    /// On a server: the name that the client asked for. On a client: whom it asked.
    pub(crate) server_name: String,
    /// Empty if none was agreed on.
    pub(crate) alpn: Box<[u8]>,
    /// On a server: which of its services this is for.
    pub(crate) context: Box<[u8]>,
    /// In TLS 1.2: whether the secret is bound to the whole handshake (RFC 7627).
    pub(crate) extended_main_secret: bool,
    /// On a client: what to show the server. On a server: empty.
    pub(crate) ticket: Box<[u8]>,
    /// In TLS 1.2, on a client: the session id, if the server gave one.
    pub(crate) session_id: Box<[u8]>,
    pub(crate) peer: PeerIdentity,
    /// Who vouches for the peer in this process; not part of the encoding.
    pub(crate) vouched: Vouched,
}

/// Who the peer showed to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeerIdentity {
    pub(crate) certificate_type: CertificateType,
    /// Its certificates in DER, its own first; empty if it showed none.
    pub(crate) chain: Arc<[Box<[u8]>]>,
    pub(crate) ocsp: Option<Box<[u8]>>,
    pub(crate) scts: Option<Box<[u8]>>,
}

impl PeerIdentity {
    /// Keeps what a verifier is asked about.
    pub(crate) fn keep(
        certificate_type: CertificateType,
        chain: &[&[u8]],
        ocsp: Option<&[u8]>,
        scts: Option<&[u8]>,
    ) -> Self {
        Self {
            certificate_type,
            chain: chain.iter().map(|der| Box::from(*der)).collect(),
            ocsp: ocsp.map(Into::into),
            scts: scts.map(Into::into),
        }
    }

    /// The chain as a verifier takes it.
    pub(crate) fn chain(&self) -> Vec<&[u8]> {
        self.chain.iter().map(|der| &**der).collect()
    }
}

/// What is known of a session's peer beyond its bytes, for as long as the process lives.
#[derive(Clone, Default)]
pub(crate) struct Vouched {
    /// The verifier that accepted the peer.
    pub(crate) by: Option<Weak<dyn ServerCertVerifier>>,
    /// What it wants known of the peer.
    pub(crate) note: Option<Note>,
}

impl Vouched {
    /// Whether it was this verifier.
    pub(crate) fn is_by(&self, verifier: &Arc<dyn ServerCertVerifier>) -> bool {
        self.by
            .as_ref()
            .and_then(Weak::upgrade)
            .is_some_and(|by| Arc::ptr_eq(&by, verifier))
    }
}

impl Session {
    /// The protocol version that it resumes.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The cipher suite of the connection that it comes from.
    #[must_use]
    pub const fn cipher_suite(&self) -> CipherSuite {
        self.cipher_suite
    }

    /// The server's name, as the client gave it; empty if it gave none.
    #[must_use]
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The application protocol agreed on; empty if there was none.
    #[must_use]
    pub fn alpn(&self) -> &[u8] {
        &self.alpn
    }

    /// Bytes of early data that may go with it; 0 if none may.
    #[must_use]
    pub const fn max_early_data(&self) -> u32 {
        self.max_early_data
    }

    /// Whether it should be used once only, so that connections cannot be linked (RFC 9846,
    /// Appendix C.4). A session of TLS 1.2 serves many times.
    #[must_use]
    pub fn is_single_use(&self) -> bool {
        self.version == ProtocolVersion::TLS13
    }

    /// When it ends: no side accepts it from then on. At most seven days after the peers last
    /// proved who they are (RFC 9846, Section 4.7.1).
    #[must_use]
    pub const fn expires_at(&self) -> UnixMillis {
        const MILLIS: u64 = 1000;
        let own = self
            .issued_at
            .saturating_add((self.lifetime as u64).saturating_mul(MILLIS));
        let last = self
            .authenticated_at
            .saturating_add((MAX_SESSION_LIFETIME as u64).saturating_mul(MILLIS));
        if own < last { own } else { last }
    }

    /// Whether it can be used at this time. One from the future cannot: a clock is wrong, and with
    /// it the age.
    #[must_use]
    pub const fn is_valid_at(&self, now: UnixMillis) -> bool {
        self.issued_at <= now && now < self.expires_at()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("version", &self.version)
            .field("cipher_suite", &self.cipher_suite)
            .field("server_name", &self.server_name)
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
