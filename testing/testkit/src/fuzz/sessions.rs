//! Sessions and tickets that are damaged or made up: what can be read is written again as it was,
//! no ticket opens that was not issued, and an engine resumes only what fits.

use std::sync::Arc;

use waxwing_core::limits::{MAX_CHAIN, MAX_SESSION_BYTES, MAX_SESSION_LIFETIME};
use waxwing_core::{
    ClientAuth, ClientConfig, ClientSessions, ConnectionInfo, Event, ProtocolVersions,
    ServerConfig, ServerName, ServerSessions, Session, SessionLookup,
};
use waxwing_crypto::{CipherSuite, CryptoProvider, Suite13};

use super::check::{self, Watch};
use super::encoded::{Encoded, NOW};
use super::known::{Known, MAX_EARLY_DATA};
use super::pair::Pair;
use super::script::Script;
use super::session::answers;
use crate::fake::{self, AcceptAll, KEYED_SHA256, SHA384};
use crate::sessions::{ManualClock, SealedSessions};

/// Reads bytes, opens tickets or resumes sessions.
pub fn run(data: &[u8]) {
    fake::seed_random(0);
    let script = &mut Script::new(data);
    match script.byte() % 4 {
        0 => read(script.rest()),
        1 => read_changed(script),
        2 => open(script),
        _ => resume(script),
    }
}

/// What can be read is written again byte for byte.
fn read(bytes: &[u8]) {
    let Ok(session) = Session::from_bytes(bytes) else {
        return;
    };
    assert!(bytes.len() <= MAX_SESSION_BYTES);
    let again = session.to_bytes().expect("what was read can be written");
    assert!(*again == bytes, "another encoding");
    let copy = Session::from_bytes(&again).expect("what was written can be read");
    assert_eq!(copy.to_bytes(), session.to_bytes());
    let end = session.expires_at();
    assert!(!session.is_valid_at(end));
    if let Some(last) = end.checked_sub(1) {
        let shown = format!("{session:?}");
        assert!(shown.len() < 2048, "{shown}");
        assert!(!session.is_valid_at(last) || last < end);
    }
}

fn changed(mut session: Encoded, script: &mut Script<'_>) -> Encoded {
    for _ in 0..script.byte() % 8 {
        session.change(script);
    }
    session
}

/// The session that the script chooses, with other values in its fields.
fn made_up(script: &mut Script<'_>) -> Encoded {
    let session = if script.flag() {
        Encoded::tls12()
    } else {
        Encoded::tls13()
    };
    changed(session, script)
}

/// An encoding whose fields are right in form, and then its bytes are changed.
fn read_changed(script: &mut Script<'_>) {
    let fields = made_up(script);
    let mut bytes = fields.bytes();
    assert_eq!(Session::from_bytes(&bytes).is_ok(), is_readable(&fields));
    read(&bytes);
    for _ in 0..=script.byte() % 4 {
        script.edit(&mut bytes);
        read(&bytes);
    }
}

/// Whether fields of this kind are a session's.
fn is_readable(fields: &Encoded) -> bool {
    let filled = fields.chain.iter().all(|der| !der.is_empty());
    !fields.secret.is_empty()
        && fields.session_id.len() <= 32
        && fields.chain.len() <= MAX_CHAIN
        && filled
        && std::str::from_utf8(&fields.name).is_ok()
}

/// Tickets, some of them issued: only those open, and as what they were issued for.
fn open(script: &mut Script<'_>) {
    let clock = ManualClock::at(NOW);
    let keys = keys(script.byte(), &clock);
    let mut issued: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for _ in 0..=script.byte() % 4 {
        let Ok(session) = Session::from_bytes(&made_up(script).bytes()) else {
            continue;
        };
        let bytes = session.to_bytes().expect("what was read can be written");
        if let Some(ticket) = keys.issue(&session) {
            issued.push((ticket, bytes.to_vec()));
        }
    }
    for (ticket, session) in &issued {
        assert_eq!(found(&*keys, ticket).as_deref(), Some(session.as_slice()));
    }
    while !script.is_empty() {
        let mut ticket = forged(&issued, script);
        if script.byte().is_multiple_of(8) {
            clock.advance(u64::from(script.word()) << 12);
        }
        for _ in 0..script.byte() % 3 {
            script.edit(&mut ticket);
        }
        if let Some(session) = found(&*keys, &ticket) {
            let mut issued = issued.iter();
            assert!(
                issued.any(|(real, of)| *real == ticket && *of == session),
                "a ticket that nobody issued"
            );
        }
    }
}

fn keys(choice: u8, clock: &Arc<ManualClock>) -> Arc<dyn ServerSessions> {
    #[cfg(feature = "tickets")]
    if choice & 1 == 0 {
        return ring(clock);
    }
    let _ = clock;
    SealedSessions::new(KEYED_SHA256.aead, choice)
}

/// A true cipher with randomness that is the same each time.
#[cfg(feature = "tickets")]
fn ring(clock: &Arc<ManualClock>) -> Arc<dyn ServerSessions> {
    let provider = CryptoProvider {
        suites13: waxwing_aws_lc::PROVIDER.suites13,
        ..PROVIDER
    };
    let keys = waxwing_server::TicketKeys::new(&provider, clock.clone());
    Arc::new(keys.expect("a cipher with keys of 256 bits"))
}

/// A ticket out of parts of others, or out of nothing.
fn forged(issued: &[(Vec<u8>, Vec<u8>)], script: &mut Script<'_>) -> Vec<u8> {
    let mut pick = || -> &[u8] {
        let nth = usize::from(script.byte());
        let ticket = issued.get(nth % issued.len().max(1));
        ticket.map_or(&[], |(ticket, _)| ticket)
    };
    let (one, other) = (pick(), pick());
    let cut = script.place(one.len());
    if script.flag() {
        return script.bytes().to_vec();
    }
    let rest = other.get(cut..).unwrap_or_default();
    [&one[..cut], rest].concat()
}

/// The encoding of what a ticket opens to.
fn found(keys: &dyn ServerSessions, ticket: &[u8]) -> Option<Vec<u8>> {
    match keys.find(ticket) {
        SessionLookup::Found(session) => {
            let bytes = session.to_bytes().expect("what was read can be written");
            Some(bytes.to_vec())
        }
        SessionLookup::None => None,
        SessionLookup::Pending => unreachable!("a ticket needs nobody else"),
    }
}

/// Gives the same session whoever asks, or a few.
#[derive(Debug)]
struct Any(Session);

impl ClientSessions for Any {
    fn take(&self, _server: &ServerName) -> Option<Session> {
        Some(self.0.clone())
    }

    fn put(&self, _server: &ServerName, session: Session) {
        assert_eq!(session.server_name(), "server.example");
        assert!(session.is_valid_at(NOW));
        assert!(session.expires_at() <= NOW + u64::from(MAX_SESSION_LIFETIME) * 1000);
    }
}

impl ServerSessions for Any {
    fn issue(&self, session: &Session) -> Option<Vec<u8>> {
        assert!(session.is_valid_at(NOW));
        Some(b"another ticket".to_vec())
    }

    fn find(&self, _ticket: &[u8]) -> SessionLookup {
        SessionLookup::Found(self.0.clone())
    }

    fn keeps_ids(&self) -> bool {
        true
    }

    fn keep(&self, _id: &[u8; 32], session: &Session) {
        assert!(session.is_valid_at(NOW));
    }

    fn recall(&self, _id: &[u8]) -> SessionLookup {
        SessionLookup::Found(self.0.clone())
    }
}

/// What the stores of both sides return is made up: the handshake fails or not, and is resumed only
/// with a session that fits.
fn resume(script: &mut Script<'_>) {
    let choice = script.word();
    let ours = made_up(script);
    let theirs = changed(server_side(&ours, choice), script);
    let read = |fields: &Encoded| Session::from_bytes(&fields.bytes());
    let (Ok(own), Ok(other)) = (read(&ours), read(&theirs)) else {
        return;
    };
    let setting = Setting(choice);
    let known = Known::new(Arc::new(Any(other)), setting.has(0));
    let mut answers = answers(0, false);
    answers.known = Some(known.clone());
    let (client, server) = setting.configs(own, known);
    let mut pair = Pair::new(client, server, answers);
    let [client, _] = pair.ends_mut();
    client.write_early(b" piece");
    pair.settle();
    let [client, server] = pair.ends();
    let complete = |end: &super::pair::End| {
        end.driven.events.contains(&Event::HandshakeComplete) && end.driven.error.is_none()
    };
    if server.driven.info().resumed {
        setting.assert_fits_server(&theirs, server.driven.info());
    }
    if client.driven.info().resumed {
        setting.assert_fits_client(&ours, client.driven.info());
    }
    assert!(client.early().starts_with(&server.driven.early));
    let (ours_done, theirs_done) = (complete(client), complete(server));
    if ours_done && theirs_done {
        check::agree(client.driven.info(), server.driven.info());
        if client.driven.info().resumed {
            assert_eq!(ours.secret, theirs.secret);
        }
    }
    // Where the server's session is good, nothing else stands in the way.
    if ours == Encoded::tls13() && theirs == server_side(&ours, choice) && setting.has_tls13() {
        for end in [client, server] {
            assert_eq!(end.driven.error, None);
        }
        assert!(ours_done && theirs_done);
        assert!(client.driven.info().resumed || !setting.resumes());
    }
}

/// What a server that asks for certificates or not remembers of this.
fn server_side(ours: &Encoded, choice: u16) -> Encoded {
    let theirs = ours.clone().of_server();
    if Setting(choice).has(1) {
        Encoded {
            chain: ours.chain.clone(),
            ..theirs
        }
    } else {
        theirs
    }
}

/// What the two speak, bit by bit: 0 that the store answers later, 1 that the server asks for
/// certificates, 2 its context, 3 and 4 the versions of the client, 5 and 6 those of the server,
/// 7 to 9 the suites, 10 ALPN, 11 a second hello, 12 main secrets of all kinds, 13 that the client
/// sends no name.
#[derive(Clone, Copy)]
struct Setting(u16);

/// The suites of TLS 1.3 that [`fake::PROVIDER`] has, but each protects its records: early data that
/// is not taken can be told from what is.
static PROVIDER: CryptoProvider = CryptoProvider {
    suites13: &[
        &Suite13 {
            id: CipherSuite::TLS13_AES_128_GCM_SHA256,
            ..KEYED_SHA256
        },
        &Suite13 {
            id: CipherSuite::TLS13_AES_256_GCM_SHA384,
            hash: &SHA384,
            ..KEYED_SHA256
        },
        &KEYED_SHA256,
    ],
    ..fake::PROVIDER
};

/// What a server's context is, if it has one.
const CONTEXT: &[u8] = b"c";

impl Setting {
    const fn has(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }

    fn versions(self, bit: u8) -> ProtocolVersions {
        match self.0 >> bit & 3 {
            1 => ProtocolVersions::TLS13,
            2 => ProtocolVersions::TLS12,
            _ => ProtocolVersions::TLS12 | ProtocolVersions::TLS13,
        }
    }

    fn has_tls13(self) -> bool {
        let tls13 = waxwing_core::ProtocolVersion::TLS13;
        self.versions(3).contains(tls13) && self.versions(5).contains(tls13)
    }

    /// The suites of the server.
    fn suites(self) -> Vec<CipherSuite> {
        let (sha256, sha384, chacha, old) = (
            CipherSuite::TLS13_AES_128_GCM_SHA256,
            CipherSuite::TLS13_AES_256_GCM_SHA384,
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
            CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
        );
        let older = CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384;
        match self.0 >> 7 & 7 {
            0 | 1 => vec![sha256, sha384, old, older],
            2 => vec![sha384, sha256, older, old],
            3 => vec![chacha, old],
            4 => vec![sha256, old],
            5 => vec![sha384, older],
            6 => vec![chacha, sha384, older, old],
            _ => vec![sha256, chacha, old, older],
        }
    }

    fn context(self) -> &'static [u8] {
        if self.has(2) { CONTEXT } else { &[] }
    }

    /// Whether a client with the usual session of TLS 1.3 resumes it at a server that has that.
    fn resumes(self) -> bool {
        !self.has(2) && !self.has(13) && self.suites()[0] != CipherSuite::TLS13_AES_256_GCM_SHA384
    }

    fn configs(self, own: Session, known: Arc<Known>) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        let clock = ManualClock::at(NOW);
        let mut client = ClientConfig::builder(&PROVIDER, Arc::new(AcceptAll))
            .versions(self.versions(3))
            .key_shares(if self.has(11) { 0 } else { 1 })
            .dangerous_without_extended_main_secret(self.has(12))
            .send_server_name(!self.has(13))
            .sessions(Arc::new(Any(own)), clock.clone())
            .early_data(true)
            .trace(Arc::new(Watch));
        let mut server = ServerConfig::builder(&PROVIDER, Arc::new(fake::certified_key()))
            .versions(self.versions(5))
            .cipher_suites(self.suites())
            .dangerous_without_extended_main_secret(self.has(12))
            .sessions(known.clone(), clock)
            .session_context(self.context())
            .early_data(MAX_EARLY_DATA, known)
            .trace(Arc::new(Watch));
        if self.has(1) {
            let auth = ClientAuth::Optional(Arc::new(AcceptAll));
            server = server.client_auth(auth);
        }
        if self.has(10) {
            client = client.alpn(["h2", "http/1.1"]);
            server = server.alpn(["http/1.1", "h2"]);
        }
        (
            client.build().expect("a good configuration"),
            server.build().expect("a good configuration"),
        )
    }

    /// What holds on both sides for a session that is resumed.
    fn assert_fits(session: &Encoded, info: &ConnectionInfo) {
        assert_eq!(info.version.map(|version| version.0), Some(session.version));
        let end = |from: u64, seconds: u32| from.saturating_add(u64::from(seconds) * 1000);
        assert!(session.issued_at <= NOW && NOW < end(session.issued_at, session.lifetime));
        assert!(NOW < end(session.authenticated_at, MAX_SESSION_LIFETIME));
        let suite = info.cipher_suite.expect("a suite");
        if session.version == 0x0304 {
            assert_eq!(is_sha384(suite.0), is_sha384(session.suite));
        } else {
            assert_eq!(suite.0, session.suite);
            assert_eq!(info.extended_main_secret, session.flags & 1 != 0);
        }
    }

    fn assert_fits_server(self, session: &Encoded, info: &ConnectionInfo) {
        Self::assert_fits(session, info);
        assert_eq!(session.context, self.context());
        let name = info.server_name.as_ref().map_or("", |name| name.as_str());
        assert_eq!(session.name, name.as_bytes());
        assert!(self.has(1) || session.chain.is_empty());
        assert_eq!(info.client_authenticated, !session.chain.is_empty());
    }

    fn assert_fits_client(self, session: &Encoded, info: &ConnectionInfo) {
        Self::assert_fits(session, info);
        assert!(self.versions(3).contains(info.version.expect("a version")));
        assert_eq!(session.name, b"server.example");
        assert!(!session.chain.is_empty(), "nobody says who the server is");
        assert_eq!(session.certificate_type, 0);
    }
}

const fn is_sha384(suite: u16) -> bool {
    matches!(suite, 0x1302 | 0xc02c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No change to either session.
    const NOTHING: [u8; 2] = [0, 0];

    #[test]
    fn sessions_that_fit_are_resumed() {
        for choice in 0..=u16::MAX {
            if choice % 7 == 0 {
                run(&[&[3][..], &choice.to_be_bytes(), &[0], &NOTHING].concat());
                run(&[&[3][..], &choice.to_be_bytes(), &[1], &NOTHING].concat());
            }
        }
    }

    #[test]
    fn every_field_of_either_session_may_be_anything() {
        for version in [0, 1] {
            for field in 0..16 {
                for value in [0, 1, 2, 3, 4, 9, 0xff] {
                    let change = [1, field, value, value, value, value];
                    for setting in [[0x10, 0], [0x10, 2]] {
                        let start = [&[3][..], &setting, &[version]].concat();
                        run(&[&start[..], &change].concat());
                        run(&[&start[..], &[0], &change].concat());
                    }
                    run(&[&[1, version][..], &change].concat());
                }
            }
        }
    }

    #[test]
    fn no_ticket_opens_that_was_not_issued() {
        for kind in [0, 1] {
            let issue = [2, kind, 1, 0, 0, 1, 0];
            for cut in 0..=255 {
                run(&[&issue[..], &[0, 1, 0, cut, 0, 1, 0]].concat());
                run(&[&issue[..], &[0, 0, 0, cut, 0, 1, 1, 0, cut, 1, 1, 7]].concat());
            }
        }
    }
}
