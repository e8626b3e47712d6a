//! Tickets that OpenSSL's client shows to us and that are worth nothing, in both versions: they lead to
//! a full handshake, never to an error, and to nobody else's rights.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex};

use waxwing::pki::KeyType;
use waxwing::{
    ClientAuth, Clock, PROVIDER, ProtocolVersions, ServerConfig, ServerConfigBuilder,
    ServerSessions, Session, SessionLookup, SystemClock,
};
use waxwing_interop::openssl::{OPENSSL, SessionFile};
use waxwing_interop::{Identity, VERSIONS, peer};
use waxwing_server::{MemorySessions, TicketKeys};
use waxwing_testkit::pki::{self, Case};
use waxwing_testkit::sessions::ManualClock;

fn now() -> Arc<SystemClock> {
    Arc::new(SystemClock)
}

fn ticket_keys(clock: Arc<dyn Clock>) -> Arc<TicketKeys> {
    Arc::new(TicketKeys::new(&PROVIDER, clock).unwrap())
}

fn server(
    identity: &Identity,
    versions: ProtocolVersions,
    sessions: Arc<dyn ServerSessions>,
) -> ServerConfigBuilder {
    let builder = identity.server().versions(versions);
    builder.sessions(sessions, now())
}

/// Notes the tickets that it gives.
#[derive(Debug)]
struct Noted {
    keys: Arc<TicketKeys>,
    tickets: Mutex<Vec<Vec<u8>>>,
}

impl ServerSessions for Noted {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        let ticket = self.keys.issue(session)?;
        self.tickets.lock().unwrap().push(ticket.clone());
        Some(ticket)
    }

    fn find(&self, ticket: &[u8]) -> SessionLookup {
        self.keys.find(ticket)
    }
}

/// A client with a certificate gets a ticket; one without shows it, changed.
#[test]
fn forged_tickets_make_nobody_of_a_client() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let own = Identity::of(Case::Client(KeyType::P256));
    let mut certificate = vec!["-cert", own.chain(), "-key", own.key()];
    certificate.extend(["-cert_chain", own.intermediate()]);
    for versions in VERSIONS {
        let noted = Arc::new(Noted {
            keys: ticket_keys(now()),
            tickets: Mutex::default(),
        });
        let auth = ClientAuth::Optional(pki::client_verifier());
        let config = server(&identity, versions, noted.clone()).client_auth(auth);
        let config = config.keep_peer_chain(true).build().unwrap();
        let (file, session) = SessionFile::get(&identity, &config, &certificate);
        assert!(session.info().client_authenticated);
        let ticket = noted.tickets.lock().unwrap().last().unwrap().clone();
        // The name of the key, the nonce, what is sealed, and the tag at the end.
        for at in [0, 17, ticket.len() / 2, ticket.len() - 1] {
            let mut forged = ticket.clone();
            forged[at] ^= 0x10;
            file.replace_ticket(&ticket, &forged);
            let (_peer, session) = file.show(&config, &[]);
            let info = session.info();
            assert!(!info.resumed && !info.client_authenticated, "byte {at}");
            assert!(info.peer_chain.is_empty());
            file.replace_ticket(&forged, &ticket);
        }
        // As it was given, it stands for whom it was given to.
        let (_peer, session) = file.show(&config, &[]);
        assert!(session.info().resumed && session.info().client_authenticated);
        let chain = own.certified().chain().iter().map(Vec::as_slice);
        assert!(session.info().peer_chain.iter().map(|der| &**der).eq(chain));
    }
}

#[test]
fn old_foreign_and_repeated_tickets_are_not_taken() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let clock = ManualClock::at(SystemClock.now());
        let builder = identity.server().versions(versions);
        let builder = builder.sessions(ticket_keys(clock.clone()), clock.clone());
        let config = builder.session_lifetime(7000).build().unwrap();
        let (file, _) = SessionFile::get(&identity, &config, &[]);
        let resumed = |config: &Arc<ServerConfig>| file.show(config, &[]).1.info().resumed;
        let other = server(&identity, versions, ticket_keys(now()));
        assert!(!resumed(&other.build().unwrap()), "foreign");
        clock.advance(6_999_000);
        assert!(resumed(&config), "young enough");
        clock.advance(1000);
        assert!(!resumed(&config), "old");
    }
    // A server that keeps its sessions gives each out once.
    let once = MemorySessions::new(16, now(), PROVIDER.random);
    let config = server(&identity, ProtocolVersions::TLS13, Arc::new(once));
    let config = config.build().unwrap();
    let (file, _) = SessionFile::get(&identity, &config, &[]);
    let resumed = [(); 2].map(|()| file.show(&config, &[]).1.info().resumed);
    assert_eq!(resumed, [true, false], "repeated");
}
