//! The transcript: every handshake message, in order, under the suite's hash
//! (RFC 9846, Section 4.1).
//!
//! In TLS 1.2 a client's signature covers the messages themselves, under a hash of its own
//! (RFC 5246, Section 7.4.8). They are kept while such a signature may come, and no longer.

use alloc::vec::Vec;

use waxwing_crypto::{Digest, Hash, HashContext};

use crate::messages::HandshakeType;

/// Messages so far: kept as they are until the hash is known, from then on as a running hash.
pub(crate) enum Transcript {
    Buffered(Vec<u8>),
    Running(HashContext),
    /// Both, while a client's signature may come.
    #[cfg(feature = "tls12")]
    Logged(HashContext, Vec<u8>),
}

impl Transcript {
    pub(crate) const fn new() -> Self {
        Self::Buffered(Vec::new())
    }

    /// Adds a whole message.
    pub(crate) fn add(&mut self, message: &[u8]) {
        match self {
            Self::Buffered(bytes) => bytes.extend_from_slice(message),
            Self::Running(hash) => hash.update(message),
            #[cfg(feature = "tls12")]
            Self::Logged(hash, bytes) => {
                hash.update(message);
                bytes.extend_from_slice(message);
            }
        }
    }

    /// From here on the hash is known. Does nothing if it already was.
    pub(crate) fn start(&mut self, hash: &'static Hash) {
        if let Self::Buffered(bytes) = self {
            let mut running = hash.start();
            running.update(bytes);
            *self = Self::Running(running);
        }
    }

    /// As [`Self::start`], but the messages are kept too.
    #[cfg(feature = "tls12")]
    pub(crate) fn start_logged(&mut self, hash: &'static Hash) {
        if let Self::Buffered(bytes) = self {
            let mut running = hash.start();
            running.update(bytes);
            *self = Self::Logged(running, core::mem::take(bytes));
        }
    }

    /// The messages themselves, which are not kept any longer.
    #[cfg(feature = "tls12")]
    pub(crate) fn take_log(&mut self) -> Vec<u8> {
        let this = core::mem::replace(self, Self::new());
        let (this, log) = match this {
            Self::Logged(hash, log) => (Self::Running(hash), log),
            other => (other, Vec::new()),
        };
        *self = this;
        log
    }

    /// Replaces what is there, a first ClientHello, by the synthetic message_hash that stands
    /// for it after a HelloRetryRequest.
    pub(crate) fn retry(&mut self, hash: &'static Hash) {
        self.start(hash);
        let digest = self.current();
        let mut running = hash.start();
        running.update(&[HandshakeType::MESSAGE_HASH.0, 0, 0, digest.len() as u8]);
        running.update(digest.as_ref());
        *self = Self::Running(running);
    }

    /// The running hash, if there is one yet.
    pub(crate) fn into_hash(self) -> Option<HashContext> {
        match self {
            Self::Buffered(_) => None,
            Self::Running(hash) => Some(hash),
            #[cfg(feature = "tls12")]
            Self::Logged(hash, _) => Some(hash),
        }
    }

    /// The hash of everything so far and then `more`, given in parts, under this hash function, which is the running one
    /// if there is one.
    pub(crate) fn with(&self, hash: &'static Hash, more: &[&[u8]]) -> Digest {
        let mut running = match self {
            Self::Buffered(bytes) => {
                let mut running = hash.start();
                running.update(bytes);
                running
            }
            Self::Running(running) => running.clone(),
            #[cfg(feature = "tls12")]
            Self::Logged(running, _) => running.clone(),
        };
        for part in more {
            running.update(part);
        }
        running.finish()
    }

    /// The hash of everything so far; of nothing, as an empty digest, before it is known.
    pub(crate) fn current(&self) -> Digest {
        match self {
            Self::Buffered(_) => Digest::zeros(0),
            Self::Running(hash) => hash.fork_finish(),
            #[cfg(feature = "tls12")]
            Self::Logged(hash, _) => hash.fork_finish(),
        }
    }
}
