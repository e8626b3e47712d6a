//! An engine against a [`Puppet`].

use std::sync::Arc;

use waxwing_core::{
    Buffer, CertChoice, CertResolver, ClientConfig, ClientHelloView, Connection, ServerCertRequest,
    ServerCertVerifier, ServerConfig, Verdict, Verified,
};
use waxwing_crypto::{CipherSuite, NamedGroup};

use super::check::{self, Watch};
use super::driven::{Answers, Driven};
use super::hellos::new_session_ticket;
use super::puppet::{Puppet, Role, Secrets};
use super::script::Script;
use super::wire::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, message, record, sealed,
};
use crate::compression::RUN_LENGTH;
use crate::fake::{self, PROVIDER};

/// The suites whose records a puppet can make.
const SUITES: [CipherSuite; 2] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
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

impl ServerCertVerifier for Asking {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        assert!((1..=waxwing_core::limits::MAX_CHAIN).contains(&request.chain.len()));
        if self.0 {
            Verdict::Pending
        } else {
            Verdict::Accepted(Verified::holder_of(fake::spki()))
        }
    }
}

impl CertResolver for Asking {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        check::view(hello);
        if self.0 {
            CertChoice::Pending
        } else {
            CertChoice::Use(fake::certified_key())
        }
    }
}

pub(super) fn client_config(flags: u8, log: Arc<Secrets>) -> Arc<ClientConfig> {
    let has = |bit: u8| flags >> bit & 1 == 1;
    let mut builder = ClientConfig::builder(&PROVIDER, Arc::new(Asking(has(0))))
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
        builder = builder.cert_decompressors(&[&RUN_LENGTH]);
    }
    builder.build().expect("a good configuration")
}

pub(super) fn server_config(flags: u8, log: Arc<Secrets>) -> Arc<ServerConfig> {
    let has = |bit: u8| flags >> bit & 1 == 1;
    let mut builder = ServerConfig::builder(&PROVIDER, Arc::new(Asking(has(0))))
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
        let config = client_config(script.byte(), Arc::clone(&secrets));
        let answers = answers(script.byte(), active);
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
        let config = server_config(script.byte(), Arc::clone(&secrets));
        let flags = script.byte();
        let answers = answers(flags, active);
        let driven = if active && flags & 8 != 0 {
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
        session.puppet.hear(&session.driven.sent);
        session.play(script);
        session
    }

    /// Plays all steps. Unless `active`, the engine only listens.
    fn play(&mut self, script: &mut Script<'_>) {
        let enough = |driven: &Driven| driven.is_over() || driven.fed.len() > MOST_FED;
        while !script.is_empty() && !enough(&self.driven) {
            let bytes = self.step(script);
            self.driven.feed(&bytes, self.cut);
            self.puppet.hear(&self.driven.sent);
            if self.driven.is_established() {
                check::complete(self.driven.info());
            }
        }
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
            4 => sealed(APPLICATION_DATA, &vec![1; usize::from(script.word())], 0),
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
        let choice = script.byte() % 5;
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
    use super::*;

    /// All zeros: every message in its order, and nothing else.
    const IN_ORDER: [u8; 12] = [0; 12];

    #[test]
    fn a_puppet_completes_the_handshake_with_a_client() {
        for config in [0x50, 0x7e, 0xfe] {
            let script = [&[config, 0, 0, config], IN_ORDER.as_slice()].concat();
            let session = Session::client(&mut Script::new(&script), true);
            assert_eq!(session.driven.error, None);
            assert!(session.driven.is_established());
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
    fn a_puppet_completes_the_handshake_with_a_server() {
        // By way of an acceptor or not, with a second hello or not.
        for (config, answers) in [(0, 0), (0, 8), (0x25, 4)] {
            let script = [&[config, answers, 0, 0x4], IN_ORDER[..4].as_ref()].concat();
            let session = Session::server(&mut Script::new(&script), true);
            assert_eq!(session.driven.error, None);
            assert!(session.driven.is_established());
        }
    }
}
