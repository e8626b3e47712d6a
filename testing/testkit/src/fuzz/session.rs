//! An engine against a [`Puppet`].

use std::sync::Arc;

use waxwing_core::{
    Buffer, CertChoice, CertResolver, CertificateRequestView, CertificateType, ClientAuth,
    ClientCertRequest, ClientCertResolver, ClientCertVerifier, ClientConfig, ClientHelloView,
    ClientSessions, Connection, ProtocolVersions, ServerCertRequest, ServerCertVerifier,
    ServerConfig, Verdict, Verified,
};
use waxwing_crypto::{CipherSuite, NamedGroup};

use super::check::{self, Watch};
use super::driven::{Answers, Driven};
use super::encoded::Encoded;
use super::hellos::new_session_ticket;
use super::known::{Known, MAX_EARLY_DATA, Shelf, psks};
use super::puppet::{Puppet, Role, Secrets};
use super::script::Script;
use super::wire::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, message, record};
use crate::compression::RUN_LENGTH;
use crate::fake::{self, PROVIDER};
use crate::sessions::{ManualClock, MemoryClientSessions};

/// The suites whose records a puppet can make.
const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
];

/// A client engine; the script is the server.
pub fn run_client(data: &[u8]) {
    Session::client(&mut Script::new(data), true);
}

/// A server engine; the script is the client.
pub fn run_server(data: &[u8]) {
    Session::server(&mut Script::new(data), true);
}

/// Asks for everything that can be asked for, or for nothing.
#[derive(Debug)]
struct Asking(bool);

impl Asking {
    fn judge(&self, chain: &[&[u8]]) -> Verdict {
        assert!((1..=waxwing_core::limits::MAX_CHAIN).contains(&chain.len()));
        if self.0 {
            Verdict::Pending
        } else {
            Verdict::Accepted(Verified::holder_of(fake::spki()))
        }
    }

    fn choose(&self) -> CertChoice {
        if self.0 {
            CertChoice::Pending
        } else {
            CertChoice::Use(fake::certified_key())
        }
    }
}

impl ServerCertVerifier for Asking {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        self.judge(request.chain)
    }
}

impl ClientCertVerifier for Asking {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        self.judge(request.chain)
    }
}

impl CertResolver for Asking {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        check::view(hello);
        self.choose()
    }
}

impl ClientCertResolver for Asking {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        assert!(request.signature_schemes().next().is_some());
        self.choose()
    }
}

/// The versions that an engine speaks; both unless said otherwise.
fn versions(how: u8) -> ProtocolVersions {
    match how >> 4 & 3 {
        1 => ProtocolVersions::TLS13,
        2 => ProtocolVersions::TLS12,
        _ => ProtocolVersions::TLS12 | ProtocolVersions::TLS13,
    }
}

pub(super) fn client_config(flags: u8, how: u8, log: Arc<Secrets>) -> Arc<ClientConfig> {
    let has = |bit: u8| flags >> bit & 1 == 1;
    let mut builder = ClientConfig::builder(&PROVIDER, Arc::new(Asking(has(0))))
        .versions(versions(how))
        .dangerous_without_extended_main_secret(how & 0x80 != 0)
        .cipher_suites(SUITES)
        .key_shares(usize::from(flags >> 6))
        .grease(has(1))
        .permute_extensions(has(1))
        .middlebox_compatibility(has(2))
        .request_ocsp(has(3))
        .keep_peer_chain(has(3))
        .send_server_name(has(4))
        .key_log(log)
        .trace(Arc::new(Watch));
    if has(5) {
        builder = builder
            .alpn(["h2", "http/1.1"])
            .certificate_authorities([b"a name".to_vec()]);
    }
    if has(3) {
        let types = [CertificateType::X509, CertificateType::RAW_PUBLIC_KEY];
        builder = builder
            .cert_decompressors(&[&RUN_LENGTH])
            .server_certificate_types(types);
    }
    if how & 0x40 != 0 {
        builder = builder.client_certificate(Arc::new(Asking(has(0))));
    }
    if how & 8 != 0 {
        // The older session where both versions are named, and where there is no other.
        let session = if how & 0x20 == 0 {
            Encoded::tls13()
        } else {
            Encoded::tls12()
        };
        let store = MemoryClientSessions::new();
        store.put(
            &"server.example".parse().expect("a name"),
            session.session(),
        );
        builder = builder
            .sessions(store, ManualClock::new())
            .early_data(true)
            .external_psks(psks())
            .dangerous_psk_without_key_exchange(true);
    }
    builder.build().expect("a good configuration")
}

pub(super) fn server_config(flags: u8, how: u8, log: Arc<Secrets>) -> Arc<ServerConfig> {
    let has = |bit: u8| flags >> bit & 1 == 1;
    let mut builder = ServerConfig::builder(&PROVIDER, Arc::new(Asking(has(0))))
        .versions(versions(how))
        .dangerous_without_extended_main_secret(how & 0x80 != 0)
        .cipher_suites(SUITES)
        .client_suite_order(has(1))
        .retry_cookie(has(2))
        .alpn_required(has(4))
        .key_log(log)
        .trace(Arc::new(Watch));
    if has(3) {
        builder = builder.alpn(["http/1.1", "h2"]);
    }
    if has(5) {
        builder = builder.groups([NamedGroup::SECP256R1]);
    }
    if has(6) {
        let verifier = Arc::new(Asking(has(0)));
        builder = builder.client_auth(if has(7) {
            ClientAuth::Required(verifier)
        } else {
            ClientAuth::Optional(verifier)
        });
    }
    if how & 0x40 != 0 {
        let known = Known::new(Arc::new(Shelf), has(0));
        builder = builder
            .sessions(known.clone(), ManualClock::new())
            .early_data(MAX_EARLY_DATA, known.clone())
            .external_psks(known)
            .dangerous_psk_without_key_exchange(has(1));
    }
    builder.build().expect("a good configuration")
}

/// How an engine's questions are answered.
pub(super) fn answers(flags: u8, may_be_late: bool) -> Answers {
    Answers {
        late: may_be_late && flags & 1 != 0,
        refuse: flags & 2 != 0,
        key: Some(if flags & 4 != 0 {
            fake::remote_key()
        } else {
            fake::certified_key()
        }),
        known: Some(Known::new(Arc::new(Shelf), false)),
    }
}

/// Bytes that records are repeated up to.
const MOST_REPEATED: usize = 1 << 16;
/// Bytes after which a session has lasted long enough.
const MOST_FED: usize = 1 << 20;

pub(super) struct Session {
    pub(super) driven: Driven,
    puppet: Puppet,
    /// Bytes per piece that the engine is fed with; 0 is all at once.
    cut: usize,
    /// Whether the engine does something by itself too.
    active: bool,
}

impl Session {
    /// Runs a script against a client; see [`Self::play`] for `active`.
    pub(super) fn client(script: &mut Script<'_>, active: bool) -> Self {
        fake::seed_random(0);
        let secrets = Arc::new(Secrets::default());
        let (flags, how) = (script.byte(), script.byte());
        let config = client_config(flags, how, Arc::clone(&secrets));
        let answers = answers(how, active);
        let mut out = Buffer::new();
        let name = "server.example".parse().expect("a name");
        let connection = Connection::client(config, name, &mut out).expect("a client");
        let driven = Driven::new(connection, out, answers);
        Self::start(Role::Server, driven, secrets, active, script)
    }

    /// Runs a script against a server, which is behind an [`Acceptor`] if `active`.
    pub(super) fn server(script: &mut Script<'_>, active: bool) -> Self {
        fake::seed_random(0);
        let secrets = Arc::new(Secrets::default());
        let (flags, how) = (script.byte(), script.byte());
        let config = server_config(flags, how, Arc::clone(&secrets));
        let answers = answers(how, active);
        let driven = if active && how & 8 != 0 {
            Driven::acceptor(config, answers)
        } else {
            Driven::new(Connection::server(config), Buffer::new(), answers)
        };
        Self::start(Role::Client, driven, secrets, active, script)
    }

    fn start(
        role: Role,
        driven: Driven,
        secrets: Arc<Secrets>,
        active: bool,
        script: &mut Script<'_>,
    ) -> Self {
        let mut session = Self {
            driven,
            puppet: Puppet::new(role, secrets, script),
            cut: 0,
            active,
        };
        session.driven.run();
        session.hear();
        session.play(script);
        session
    }

    /// Plays all steps. Unless `active`, the engine only listens.
    fn play(&mut self, script: &mut Script<'_>) {
        let enough = |driven: &Driven| driven.is_over() || driven.fed.len() > MOST_FED;
        while !script.is_empty() && !enough(&self.driven) {
            let bytes = self.step(script);
            self.driven.feed(&bytes, self.cut);
            self.hear();
            if self.driven.is_established() {
                check::complete(self.driven.info());
            }
        }
    }

    fn hear(&mut self) {
        let tls12 = self.driven.is_tls12();
        self.puppet.hear(&self.driven.sent, tls12);
    }

    /// One step: what the engine is fed with.
    fn step(&mut self, script: &mut Script<'_>) -> Vec<u8> {
        match script.byte() % 16 {
            0..=3 => {
                let message = self.puppet.canned(0, script);
                self.puppet.say(&message)
            }
            4 | 5 => {
                let kind = script.byte();
                let message = self.puppet.canned(kind, script);
                self.puppet.say(&message)
            }
            6 | 7 => {
                let kind = script.byte();
                let mut message = self.puppet.canned(kind, script);
                edit_body(&mut message, script);
                self.puppet.say(&message)
            }
            8 => {
                let (typ, body) = (script.byte(), script.bytes());
                let message = if body.is_empty() {
                    // Long, to be put together from many records.
                    message(typ, &vec![script.byte(); usize::from(script.word())])
                } else {
                    message(typ, body)
                };
                self.puppet.say(&message)
            }
            9 => {
                let (typ, padding) = (script.byte(), script.byte());
                self.puppet.put(typ, script.bytes(), usize::from(padding))
            }
            10 => script.bytes().to_vec(),
            11 => {
                self.puppet.fragment = usize::from(script.byte());
                self.puppet.coalesce = script.flag();
                self.cut = usize::from(script.byte());
                self.puppet.flush()
            }
            12 => self.ordinary_record(script),
            13 => {
                // Some limits are on how often something comes.
                let record = self.ordinary_record(script);
                let count = usize::from(script.byte());
                record.repeat(count.min(1 + MOST_REPEATED / record.len()))
            }
            14 => {
                self.driven.answer_late();
                Vec::new()
            }
            _ => {
                self.act(script);
                Vec::new()
            }
        }
    }

    /// Records that every peer may send at some time.
    fn ordinary_record(&self, script: &mut Script<'_>) -> Vec<u8> {
        match script.byte() % 11 {
            0 => record(CHANGE_CIPHER_SPEC, &[1]),
            1 => self.puppet.put(ALERT, &[1, 0], 0),
            2 => self.puppet.put(ALERT, &[script.byte(), script.byte()], 0),
            3 => self.puppet.put(APPLICATION_DATA, script.bytes(), 0),
            4 => self
                .puppet
                .protected(APPLICATION_DATA, &vec![1; usize::from(script.word())]),
            5 => record(ALERT, &[2, script.byte()]),
            6 => self.puppet.put(HANDSHAKE, &[24, 0, 0, 1, script.byte()], 0),
            7 => self.puppet.put(ALERT, &[1, 90], 0),
            // Early data for a server that has other keys, or none.
            8 => record(APPLICATION_DATA, &vec![1; usize::from(script.word())]),
            9 => self.puppet.put(APPLICATION_DATA, &[], 0),
            _ => {
                let ticket = message(4, &new_session_ticket());
                self.puppet.put(HANDSHAKE, &ticket, 0)
            }
        }
    }

    /// Something that the engine's own side does.
    fn act(&mut self, script: &mut Script<'_>) {
        let choice = script.byte() % 6;
        if !self.active {
            return;
        }
        match choice {
            0 => {
                self.driven.write(script.bytes());
            }
            1 => {
                self.driven.write(&vec![7; usize::from(script.word())]);
            }
            2 => self.driven.update_key(script.flag()),
            3 => self.driven.split(),
            4 => {
                self.driven.write_early(script.bytes());
            }
            _ => self.driven.close(),
        }
    }
}

/// Edits a message but keeps its header true to its length, so that it is not just cut off.
fn edit_body(whole: &mut Vec<u8>, script: &mut Script<'_>) {
    let mut body = whole.split_off(4);
    script.edit(&mut body);
    *whole = message(whole[0], &body);
}

#[cfg(test)]
mod tests {
    use waxwing_core::EarlyDataStatus;

    use super::super::hellos::RAW_PUBLIC_KEY;
    use super::*;

    /// All zeros: every message in its order, and nothing else.
    const IN_ORDER: [u8; 12] = [0; 12];

    /// What a puppet's choice of TLS 1.2 looks like, and what makes a server ask for more.
    const TLS12: u8 = 0x08;
    const ASKS: u8 = 0x40;
    const STATUS: u8 = 0x20;

    fn client(config: u8, how: u8, puppet: [u8; 2], steps: usize) -> Session {
        let script = [&[config, how], puppet.as_slice(), &IN_ORDER[..steps]].concat();
        Session::client(&mut Script::new(&script), true)
    }

    fn server(config: u8, how: u8, puppet: [u8; 2], steps: usize) -> Session {
        let script = [&[config, how], puppet.as_slice(), &IN_ORDER[..steps]].concat();
        Session::server(&mut Script::new(&script), true)
    }

    fn assert_complete(session: &Session, tls12: bool) {
        assert_eq!(session.driven.error, None);
        assert!(session.driven.is_established());
        assert_eq!(session.driven.is_tls12(), tls12);
    }

    #[test]
    fn a_puppet_completes_the_handshake_with_a_client() {
        for config in [0x50, 0x7e, 0xfe] {
            assert_complete(&client(config, 0, [0, config], 12), false);
        }
    }

    #[test]
    fn a_client_takes_a_compressed_certificate_if_it_offered_to() {
        let mut order = IN_ORDER;
        // After the steps of ServerHello and EncryptedExtensions: how the certificates come.
        order[4] = 64;
        for (config, taken) in [(0x58, true), (0x50, false)] {
            let script = [&[config, 0, 0, config], order.as_slice()].concat();
            let session = Session::client(&mut Script::new(&script), true);
            assert_eq!(session.driven.is_established(), taken);
        }
    }

    #[test]
    fn a_client_takes_a_raw_key_if_it_offered_to() {
        let mut order = IN_ORDER;
        order[2] = RAW_PUBLIC_KEY;
        for (config, taken) in [(0x58, true), (0x50, false)] {
            let script = [&[config, 0, 0, config], order.as_slice()].concat();
            let session = Session::client(&mut Script::new(&script), true);
            assert_eq!(session.driven.is_established(), taken);
        }
    }

    #[test]
    fn a_puppet_completes_the_handshake_with_a_server() {
        // By way of an acceptor or not, with a second hello or not.
        for (config, how) in [(0, 0), (0, 8), (0x25, 4)] {
            assert_complete(&server(config, how, [0, 0x4], 4), false);
        }
        // With a certificate of the client.
        let session = server(0xc0, 0, [0, 0x4], 8);
        assert_complete(&session, false);
        assert!(session.driven.info().client_authenticated);
    }

    /// What a client's puppet offers, and what a server's takes.
    const SESSION: u8 = 0x10;
    const KEY: u8 = 0x20;
    const EARLY: u8 = 0x40;
    const NAME: u8 = 0x08;
    const OTHER_SHARE: u8 = 0x02;
    /// Makes a server take that share.
    const GROUP: u8 = 0x20;

    #[test]
    fn a_puppet_resumes_and_sends_early_data_to_a_server() {
        for (config, offer, early, resumed) in [
            (GROUP, SESSION, EARLY, true),
            // Who knows the session answers later.
            (GROUP | 1, SESSION, EARLY, true),
            (GROUP, SESSION | KEY, 0, true),
            (0, SESSION | KEY, 0, true),
            (0, KEY, 0, false),
        ] {
            // The hello, early data, its end if it is taken, Finished.
            let end: &[u8] = if early == 0 { &[0] } else { &[0, 0] };
            let low = early | NAME | if config == 0 { 0 } else { OTHER_SHARE };
            let start = [config, 0x40, offer, low, 0, 12, 4, 0, 5];
            let start = if early == 0 { &start[..5] } else { &start[..] };
            // Without a share for the server's group there is a second hello.
            let again: &[u8] = if config == 0 { &[0] } else { &[] };
            let script = [start, again, end].concat();
            let session = Session::server(&mut Script::new(&script), true);
            assert_complete(&session, false);
            let info = session.driven.info();
            assert_eq!(
                (info.resumed, info.psk_identity.is_some()),
                (resumed, !resumed)
            );
            assert_eq!(
                session.driven.early,
                vec![1; if early == 0 { 0 } else { 5 }]
            );
        }
    }

    #[test]
    fn a_puppet_resumes_what_a_client_offers() {
        // The second time it takes the first key, the third without a key exchange.
        for choice in [2, 2 | 1 << 3, 2 | 4] {
            let session = client(0x50, 8, [0, choice], 4);
            assert_complete(&session, false);
            assert_eq!(session.driven.info().resumed, choice & 8 == 0);
        }
        // With early data, which goes out first.
        let early = [15, 4, 2, b'h', b'i'];
        let script = [&[0x50, 8, 0, 2][..], &early, &[0, 0, 8, 0]].concat();
        let session = Session::client(&mut Script::new(&script), true);
        assert_complete(&session, false);
        assert_eq!(session.driven.info().early_data, EarlyDataStatus::Accepted);
    }

    #[test]
    fn puppets_resume_sessions_of_tls12() {
        for choice in [2, 2 | 4] {
            let session = client(0x10, 0x38, [TLS12, choice], 3);
            assert_complete(&session, true);
            assert!(session.driven.info().resumed);
        }
        // By ticket and by session id, of which a server may have to be told.
        for (config, choice) in [(0, 2 | NAME), (0, 4 | NAME), (0, 1 | NAME)] {
            let resumed = choice & 1 == 0;
            let steps = if resumed { 2 } else { 3 };
            let session = server(config, 0x40, [TLS12, choice], steps);
            assert_complete(&session, true);
            assert_eq!(session.driven.info().resumed, resumed);
        }
    }

    #[test]
    fn a_puppet_completes_the_handshake_of_tls12_with_a_client() {
        // One byte for each message, and one more for the length of the chain.
        for (how, choice, parts, steps) in [
            (0, TLS12, 0, 6),
            // A client of TLS 1.2 alone, with a status.
            (0x20, TLS12, STATUS, 7),
            (0x40, TLS12 | ASKS, 0, 7),
        ] {
            let session = client(0x08, how, [choice, parts], steps);
            assert_complete(&session, true);
            let asked = session.driven.info().client_auth_requested;
            assert_eq!(asked, choice != TLS12);
        }
    }

    #[test]
    fn a_puppet_completes_the_handshake_of_tls12_with_a_server() {
        for (config, how, steps) in [(0, 0, 3), (0, 0x28, 3), (0xc1, 0, 6)] {
            let session = server(config, how, [TLS12, 0], steps);
            assert_complete(&session, true);
            let authenticated = session.driven.info().client_authenticated;
            assert_eq!(authenticated, config != 0);
        }
    }
}
