//! Handshakes of TLS 1.2 without records.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_aws_lc::{PROVIDER, SUITES12_WITH_CCM};
use waxwing_crypto::{CipherSuite, CryptoProvider, HashId};

use super::client_auth::TrustClient;
use super::sessions::{ManualClock, MemoryClientSessions, MemorySessions};
use super::{Side, Trust, certified_key, client_builder, message, name, server_builder};
use crate::messages::HandshakeType;
use crate::record::Epoch;
use crate::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ClientSessions, Error, ExternalPsk,
    ProtocolVersions, PskLookup, PskResolver, ServerConfig, ServerConfigBuilder, Session,
};

/// A client of TLS 1.2 alone.
pub(crate) fn client12() -> ClientConfigBuilder {
    client_builder().versions(ProtocolVersions::TLS12)
}

/// A server of TLS 1.2 alone.
pub(crate) fn server12() -> ServerConfigBuilder {
    server_builder().versions(ProtocolVersions::TLS12)
}

/// A client that speaks TLS 1.2 and TLS 1.3.
pub(crate) fn client_of_both() -> ClientConfigBuilder {
    client_builder().versions(ProtocolVersions::TLS12 | ProtocolVersions::TLS13)
}

/// A server that speaks TLS 1.2 and TLS 1.3.
pub(crate) fn server_of_both() -> ServerConfigBuilder {
    server_builder().versions(ProtocolVersions::TLS12 | ProtocolVersions::TLS13)
}

/// A client with a certificate.
pub(crate) fn known_client12() -> ClientConfigBuilder {
    client12().client_certificate(Arc::new(certified_key()))
}

/// A server that asks for a certificate, and must get one if it is `required`.
pub(crate) fn asking_server12(required: bool) -> ServerConfigBuilder {
    let verifier = Arc::new(TrustClient::Now);
    server12().client_auth(if required {
        ClientAuth::Required(verifier)
    } else {
        ClientAuth::Optional(verifier)
    })
}

/// Brings all messages of `from` to `to`, and the change_cipher_spec before the Finished. `edit`
/// may change each on its way.
pub(crate) fn carry(
    from: &mut Side,
    to: &mut Side,
    edit: &mut impl FnMut(Vec<u8>) -> Vec<u8>,
) -> Result<(), Error> {
    let sent: Vec<_> = from.flight.sent.drain(..).collect();
    for (epoch, bytes) in sent {
        if epoch == Epoch::Application {
            to.take_change_cipher_spec()?;
        }
        to.take(&edit(bytes))?;
    }
    Ok(())
}

/// What comes of a handshake in which the body of every message of this type was edited.
pub(crate) fn with_edited(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
    typ: HandshakeType,
    edit: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<(), Error> {
    let (mut client, mut server) = (Side::client(client), Side::server(server));
    let mut edit = |bytes: Vec<u8>| {
        if bytes[0] == typ.0 {
            message(typ, &edit(&bytes[4..]))
        } else {
            bytes
        }
    };
    while !client.flight.sent.is_empty() || !server.flight.sent.is_empty() {
        carry(&mut client, &mut server, &mut edit)?;
        carry(&mut server, &mut client, &mut edit)?;
    }
    Ok(())
}

/// The stores of both sides, and the clock that they share.
pub(crate) struct Stores {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) client: Arc<MemoryClientSessions>,
    pub(crate) server: Arc<MemorySessions>,
}

impl Stores {
    pub(crate) fn new(server: Arc<MemorySessions>) -> Self {
        Self {
            clock: ManualClock::new(),
            client: MemoryClientSessions::new(),
            server,
        }
    }

    /// With the session of a full handshake in them.
    pub(crate) fn after(
        server_store: Arc<MemorySessions>,
        client: ClientConfigBuilder,
        server: ServerConfigBuilder,
    ) -> Self {
        let stores = Self::new(server_store);
        let client = Side::client(stores.client(client));
        let server = Side::server(stores.server(server));
        stores.run(client, server);
        assert_eq!(stores.client.len(), 1);
        stores
    }

    /// With a session that a ticket names.
    pub(crate) fn with_ticket() -> Self {
        Self::after(MemorySessions::new(), client12(), server12())
    }

    fn run(&self, mut client: Side, mut server: Side) {
        let unchanged = &mut |bytes| bytes;
        for _ in 0..2 {
            carry(&mut client, &mut server, unchanged).unwrap();
            carry(&mut server, &mut client, unchanged).unwrap();
        }
    }

    pub(crate) fn client(&self, builder: ClientConfigBuilder) -> ClientConfigBuilder {
        builder.sessions(Arc::clone(&self.client) as _, Arc::clone(&self.clock) as _)
    }

    pub(crate) fn server(&self, builder: ServerConfigBuilder) -> ServerConfigBuilder {
        builder.sessions(Arc::clone(&self.server) as _, Arc::clone(&self.clock) as _)
    }

    /// Goes on to where servers renew tickets.
    pub(crate) fn age(self) -> Self {
        self.clock.advance(22_000_000);
        self
    }

    /// Changes the client's session.
    pub(crate) fn change(&self, edit: impl FnOnce(&mut Session)) {
        let mut session = self.client.all().remove(0);
        edit(&mut session);
        self.client.put(&name(), session);
    }
}

/// The provider of these tests, with the suites of PSKs.
static WITH_PSK: CryptoProvider = CryptoProvider {
    suites12: SUITES12_WITH_CCM,
    ..PROVIDER
};

/// Knows one key, now or later.
#[derive(Debug)]
pub(crate) enum OneKey {
    Now,
    Later,
}

impl PskResolver for OneKey {
    fn find(&self, _: &[u8]) -> PskLookup {
        match self {
            Self::Now => PskLookup::Found(one_key()),
            Self::Later => PskLookup::Pending,
        }
    }

    fn hint(&self) -> Option<&[u8]> {
        Some(b"hint")
    }
}

pub(crate) fn one_key() -> ExternalPsk {
    ExternalPsk::new(b"one", &[0x4b; 16], HashId::Sha256).unwrap()
}

/// A client of TLS 1.2 with that key alone, for these suites.
pub(crate) fn psk_client12(suite: CipherSuite) -> ClientConfigBuilder {
    ClientConfig::builder(&WITH_PSK, Arc::new(Trust::Now))
        .versions(ProtocolVersions::TLS12)
        .cipher_suites([suite])
        .external_psks([one_key()])
        .dangerous_psk_without_key_exchange(true)
}

/// A server of TLS 1.2 that finds it.
pub(crate) fn psk_server12(key: OneKey) -> ServerConfigBuilder {
    ServerConfig::builder(&WITH_PSK, Arc::new(certified_key()))
        .versions(ProtocolVersions::TLS12)
        .external_psks(Arc::new(key))
        .dangerous_psk_without_key_exchange(true)
}
