//! A session of TLS 1.3 that both sides know, and the hooks that go with it.

use alloc::boxed::Box;
use alloc::sync::Arc;

use waxwing_crypto::{CipherSuite, Digest, HashId};

use super::sessions::{ManualClock, MemoryClientSessions, MemorySessions};
use super::{CERTIFICATE, name, server_builder};
use crate::session::{PeerIdentity, Session, Vouched};
use crate::{
    CertificateType, ClientConfigBuilder, ClientSessions, Clock, ExternalPsk, FirstUse,
    ProtocolVersion, PskLookup, PskResolver, ReplayGuard, ServerConfigBuilder, ServerSessions,
};

/// Bytes of early data that the session allows for.
pub(crate) const MAX_EARLY_DATA: u32 = 100;

/// Says of every hello the same.
#[derive(Debug)]
pub(crate) enum Guard {
    Yes,
    No,
    Later,
}

impl ReplayGuard for Guard {
    fn first_use(&self, _: &[u8; 16], _: u32) -> FirstUse {
        match self {
            Self::Yes => FirstUse::Yes,
            Self::No => FirstUse::No,
            Self::Later => FirstUse::Pending,
        }
    }
}

/// A session that both sides know.
pub(crate) struct World {
    clock: Arc<ManualClock>,
    ours: Arc<MemoryClientSessions>,
    pub(crate) theirs: Arc<MemorySessions>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(MemorySessions::new())
    }

    /// With this store on the server.
    pub(crate) fn with(theirs: Arc<MemorySessions>) -> Self {
        let clock = ManualClock::new();
        let session = Session {
            version: ProtocolVersion::TLS13,
            cipher_suite: CipherSuite::TLS13_AES_128_GCM_SHA256,
            secret: Digest::from_slice(&[5; 32]).unwrap(),
            issued_at: clock.now(),
            authenticated_at: clock.now(),
            lifetime: 60,
            age_add: 0,
            max_early_data: MAX_EARLY_DATA,
            server_name: "server.example".into(),
            alpn: Box::default(),
            context: Box::default(),
            extended_main_secret: false,
            ticket: Box::default(),
            session_id: Box::default(),
            peer: PeerIdentity::default(),
            vouched: Vouched::default(),
        };
        let ticket = theirs.issue(&session).unwrap();
        let ours = MemoryClientSessions::new();
        let chain = [CERTIFICATE];
        let session = Session {
            ticket: ticket.into(),
            peer: PeerIdentity::keep(CertificateType::X509, &chain, None, None),
            ..session
        };
        ours.put(&name(), session);
        Self {
            clock,
            ours,
            theirs,
        }
    }

    pub(crate) fn client(&self, builder: ClientConfigBuilder) -> ClientConfigBuilder {
        builder.sessions(self.ours.clone(), self.clock.clone())
    }

    pub(crate) fn server(&self) -> ServerConfigBuilder {
        server_builder().sessions(self.theirs.clone(), self.clock.clone())
    }
}

/// A key that both sides have.
pub(crate) fn shared_key() -> ExternalPsk {
    ExternalPsk::new(b"device", &[7; 32], HashId::Sha256).unwrap()
}

/// Knows the one key, but does not say so at once.
#[derive(Debug)]
pub(crate) struct SlowKeys;

impl PskResolver for SlowKeys {
    fn find(&self, identity: &[u8]) -> PskLookup {
        assert_eq!(identity, shared_key().identity());
        PskLookup::Pending
    }
}
