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
    /// Both, under the hash that will most likely be the one.
    Foreseen(HashContext, Vec<u8>),
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
            Self::Foreseen(hash, bytes) => {
                hash.update(message);
                bytes.extend_from_slice(message);
            }
            #[cfg(feature = "tls12")]
            Self::Logged(hash, bytes) => {
                hash.update(message);
                bytes.extend_from_slice(message);
            }
        }
    }

    /// Adds a whole message, where a binder has been made or checked: `hashed` is then the hash of
    /// everything before and this message.
    pub(crate) fn add_hashed(&mut self, message: &[u8], hashed: Option<HashContext>) {
        match (&mut *self, hashed) {
            (Self::Buffered(bytes), Some(hashed)) => {
                let mut bytes = core::mem::take(bytes);
                bytes.extend_from_slice(message);
                *self = Self::Foreseen(hashed, bytes);
            }
            (Self::Running(hash), Some(hashed)) if hash.hash().id() == hashed.hash().id() => {
                *hash = hashed;
            }
            _ => self.add(message),
        }
    }

    /// From here on the hash is known. Does nothing if it already was.
    pub(crate) fn start(&mut self, hash: &'static Hash) {
        if let Self::Buffered(_) | Self::Foreseen(..) = self {
            *self = Self::Running(self.fork(hash, &[]));
        }
    }

    /// As [`Self::start`], but the messages are kept too.
    #[cfg(feature = "tls12")]
    pub(crate) fn start_logged(&mut self, hash: &'static Hash) {
        if let Self::Buffered(bytes) | Self::Foreseen(_, bytes) = self {
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
            Self::Buffered(_) | Self::Foreseen(..) => None,
            Self::Running(hash) => Some(hash),
            #[cfg(feature = "tls12")]
            Self::Logged(hash, _) => Some(hash),
        }
    }

    /// The hash of everything so far and then `more`, given in parts, under this hash function,
    /// which is the running one if there is one. It can go on.
    pub(crate) fn fork(&self, hash: &'static Hash, more: &[&[u8]]) -> HashContext {
        let mut running = match self {
            Self::Foreseen(running, _) if running.hash().id() == hash.id() => running.clone(),
            Self::Buffered(bytes) | Self::Foreseen(_, bytes) => {
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
        running
    }

    /// The hash of everything so far; of nothing, as an empty digest, before it is known.
    pub(crate) fn current(&self) -> Digest {
        match self {
            Self::Buffered(_) | Self::Foreseen(..) => Digest::zeros(0),
            Self::Running(hash) => hash.fork_finish(),
            #[cfg(feature = "tls12")]
            Self::Logged(hash, _) => hash.fork_finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use waxwing_aws_lc::PROVIDER;
    use waxwing_crypto::HashId;

    use super::*;

    fn hash(id: HashId) -> &'static Hash {
        PROVIDER.hash(id).unwrap()
    }

    /// What a binder's hash becomes, whichever hash is chosen in the end.
    #[test]
    fn a_message_hashed_before_counts_once() {
        for (foreseen, chosen) in [
            (HashId::Sha256, HashId::Sha256),
            (HashId::Sha256, HashId::Sha384),
            (HashId::Sha384, HashId::Sha256),
        ] {
            let mut transcript = Transcript::new();
            let mut hashed = transcript.fork(hash(foreseen), &[b"hello, "]);
            hashed.update(b"binders");
            transcript.add_hashed(b"hello, binders", Some(hashed));
            assert!(transcript.current().is_empty(), "no hash is chosen yet");
            let expected = hash(chosen).digest(&[b"hello, binders"]);
            let early = transcript.fork(hash(chosen), &[]).finish();
            assert!(early.ct_eq(expected.as_ref()));
            transcript.add(b", more");
            transcript.start(hash(chosen));
            transcript.add(b", most");
            let expected = hash(chosen).digest(&[b"hello, binders, more, most"]);
            assert!(transcript.current().ct_eq(expected.as_ref()));
        }
    }

    /// After a HelloRetryRequest, and on a server.
    #[test]
    fn a_message_hashed_before_is_not_hashed_again() {
        let mut transcript = Transcript::new();
        transcript.start(hash(HashId::Sha256));
        transcript.add(b"before, ");
        let hashed = transcript.fork(hash(HashId::Sha256), &[b"hello"]);
        transcript.add_hashed(b"not looked at", Some(hashed));
        let expected = hash(HashId::Sha256).digest(&[b"before, hello"]);
        assert!(transcript.current().ct_eq(expected.as_ref()));
        let other = hash(HashId::Sha384).start();
        transcript.add_hashed(b"!", Some(other));
        transcript.add_hashed(b"!", None);
        let expected = hash(HashId::Sha256).digest(&[b"before, hello!!"]);
        assert!(transcript.current().ct_eq(expected.as_ref()));
    }
}
