//! A peer that says what the script makes it say, with a transcript and a key schedule of its
//! own: its Finished is right whatever was said before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use waxwing_core::KeyLog;
use waxwing_crypto::{Hash, kdf};

use super::encoded::{PSK_LEN, SECRET};
use super::hellos::{self, HeardClientHello, HeardServerHello, Parts, RETRY_RANDOM};
use super::known::PLAIN_KEY;
use super::script::Script;
use super::wire::{
    self, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, message, opened, opened12, record,
    records, sealed, sealed12,
};
use crate::fake::{SHA256, SHA384};

const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const END_OF_EARLY_DATA: u8 = 5;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;
const CERTIFICATE_STATUS: u8 = 22;
const KEY_UPDATE: u8 = 24;
const COMPRESSED_CERTIFICATE: u8 = 25;
const MESSAGE_HASH: u8 = 254;

const AES_256_GCM_SHA384: u16 = 0x1302;
const ECDHE_ECDSA_AES_128_GCM_SHA256: u16 = 0xc02b;

/// The secrets of the engine under test, by label.
#[derive(Default)]
pub(super) struct Secrets(Mutex<HashMap<String, Vec<u8>>>);

impl KeyLog for Secrets {
    fn log(&self, label: &str, _client_random: &[u8; 32], secret: &[u8]) {
        let mut secrets = self.0.lock().expect("no panic while locked");
        secrets.insert(label.to_owned(), secret.to_vec());
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

pub(super) struct Puppet {
    role: Role,
    secrets: Arc<Secrets>,
    /// Which parts its hello has, and in TLS 1.2 its flight.
    parts: Parts,
    /// Whether it speaks TLS 1.2, whatever the engine does.
    tls12: bool,
    /// Whether the engine sent its change_cipher_spec of TLS 1.2.
    engine_changed: bool,
    /// Whether the engine asked for a certificate.
    asked: bool,
    /// Whether it said that it has no certificate but a raw public key.
    raw_key: bool,
    /// Whether the engine, a server, takes our early data.
    takes_early_data: bool,
    /// Whether the engine, a server, resumed a session of TLS 1.2.
    resumed12: bool,
    suite: u16,
    transcript: Vec<u8>,
    client_hello: HeardClientHello,
    server_hello: Option<HeardServerHello>,
    /// Bytes of the engine's output that were read.
    heard: usize,
    /// Which message comes next if the script does not care.
    next: usize,
    is_sealing: bool,
    /// Handshake bytes not yet in a record.
    waiting: Vec<u8>,
    pub(super) coalesce: bool,
    /// Bytes of handshake messages in one record; 0 is as many as fit.
    pub(super) fragment: usize,
}

impl Puppet {
    pub(super) fn new(role: Role, secrets: Arc<Secrets>, script: &mut Script<'_>) -> Self {
        let choice = script.word();
        Self {
            role,
            secrets,
            parts: Parts(choice),
            tls12: Parts(choice).has(Parts::TLS12),
            engine_changed: false,
            asked: false,
            raw_key: false,
            takes_early_data: false,
            resumed12: false,
            suite: if Parts(choice).has(Parts::TLS12) {
                ECDHE_ECDSA_AES_128_GCM_SHA256
            } else {
                0x1301 + (choice & 1)
            },
            transcript: Vec::new(),
            client_hello: HeardClientHello::default(),
            server_hello: None,
            heard: 0,
            next: 0,
            is_sealing: false,
            waiting: Vec::new(),
            coalesce: false,
            fragment: 0,
        }
    }

    /// Reads what the engine sent since the last time; `tls12` says which version it speaks.
    pub(super) fn hear(&mut self, sent: &[u8], tls12: bool) {
        let new = &sent[self.heard..];
        self.heard = sent.len();
        let mut stream = Vec::new();
        for (typ, body) in records(new) {
            let (typ, content) = match typ {
                typ if self.engine_changed => (typ, opened12(body)),
                APPLICATION_DATA => opened(body),
                typ => (typ, body),
            };
            self.engine_changed |= tls12 && typ == CHANGE_CIPHER_SPEC;
            if typ == HANDSHAKE {
                stream.extend_from_slice(content);
            }
        }
        let mut rest = stream.as_slice();
        while let Some((typ, mut after)) = rest.split_first() {
            let body = wire::take::<3>(&mut after).expect("a whole message");
            let (bytes, later) = rest.split_at(rest.len() - after.len());
            if *typ != KEY_UPDATE {
                self.hear_message(*typ, body, bytes, tls12);
            }
            rest = later;
        }
    }

    fn hear_message(&mut self, typ: u8, body: &[u8], bytes: &[u8], tls12: bool) {
        match typ {
            CLIENT_HELLO => {
                self.client_hello = HeardClientHello::read(body).expect("a whole ClientHello");
            }
            SERVER_HELLO => {
                let heard = HeardServerHello::read(body).expect("a whole ServerHello");
                self.suite = heard.suite;
                if heard.is_retry {
                    self.retry();
                    self.next = 0;
                } else {
                    self.is_sealing = !tls12;
                }
                self.server_hello = Some(heard);
            }
            CERTIFICATE_REQUEST => self.asked = true,
            ENCRYPTED_EXTENSIONS => {
                let taken = hellos::takes_early_data(body);
                self.takes_early_data = taken.expect("whole EncryptedExtensions");
            }
            // In a full handshake it comes after ours.
            FINISHED if tls12 && self.next < 2 => self.resumed12 = true,
            _ => {}
        }
        self.transcript.extend_from_slice(bytes);
    }

    /// RFC 9846, Section 4.1: the first ClientHello becomes its hash.
    fn retry(&mut self) {
        let digest = self.hash().digest(&[&self.transcript]);
        self.transcript = message(MESSAGE_HASH, digest.as_ref());
    }

    fn hash(&self) -> &'static Hash {
        if self.suite == AES_256_GCM_SHA384 {
            &SHA384
        } else {
            &SHA256
        }
    }

    /// The `kind`th message, or the next one in order if `kind` is 0.
    pub(super) fn canned(&mut self, kind: u8, script: &mut Script<'_>) -> Vec<u8> {
        if self.tls12 {
            return self.canned12(kind, script);
        }
        let kind = match kind % 11 {
            0 => self.next_in_order(),
            kind => kind,
        };
        match kind {
            1 => self.hello(),
            2 => self.retry_request(script),
            3 => {
                let parts = script.byte();
                self.raw_key = parts & hellos::RAW_PUBLIC_KEY != 0;
                message(ENCRYPTED_EXTENSIONS, &hellos::encrypted_extensions(parts))
            }
            4 => message(CERTIFICATE_REQUEST, &hellos::certificate_request()),
            5 => {
                let shape = script.byte();
                let count = (1 + shape % 128) % 12;
                let body = hellos::certificate(count, shape >= 128, self.raw_key);
                if shape & 64 == 0 {
                    message(CERTIFICATE, &body)
                } else {
                    message(COMPRESSED_CERTIFICATE, &hellos::compressed(&body))
                }
            }
            6 => message(CERTIFICATE_VERIFY, &hellos::certificate_verify()),
            7 => message(FINISHED, &self.verify_data()),
            8 => message(NEW_SESSION_TICKET, &hellos::new_session_ticket()),
            10 => message(END_OF_EARLY_DATA, &[]),
            _ => message(KEY_UPDATE, &[script.byte() % 3]),
        }
    }

    /// What comes next in a good handshake, and after it something that may come.
    fn next_in_order(&mut self) -> u8 {
        let order: &[u8] = match self.role {
            Role::Server if self.parts.resumes(&self.client_hello) => &[1, 3, 7, 8],
            Role::Server => &[1, 3, 5, 6, 7, 8],
            Role::Client if self.takes_early_data => &[1, 10, 7],
            Role::Client if self.asked => &[1, 5, 6, 7],
            Role::Client => &[1, 7],
        };
        let kind = order.get(self.next).copied().unwrap_or(9);
        self.next += 1;
        kind
    }

    /// The same in TLS 1.2.
    fn canned12(&mut self, kind: u8, script: &mut Script<'_>) -> Vec<u8> {
        let kind = match kind % 12 {
            0 => self.next_in_order12(),
            kind => kind,
        };
        match kind {
            1 => self.hello(),
            2 => {
                let count = (1 + script.byte() % 128) % 12;
                message(CERTIFICATE, &hellos::certificate12(count))
            }
            3 => message(CERTIFICATE_STATUS, &hellos::certificate_status()),
            4 => {
                let body = hellos::server_key_exchange(&self.client_hello);
                message(SERVER_KEY_EXCHANGE, &body)
            }
            5 => message(CERTIFICATE_REQUEST, &hellos::certificate_request12()),
            6 => message(SERVER_HELLO_DONE, &[]),
            7 => message(CLIENT_KEY_EXCHANGE, &hellos::client_key_exchange()),
            8 => message(CERTIFICATE_VERIFY, &hellos::certificate_verify()),
            9 => message(FINISHED, &self.verify_data12()),
            10 => message(NEW_SESSION_TICKET, &hellos::new_session_ticket12()),
            _ => message(HELLO_REQUEST, &[]),
        }
    }

    /// What comes next in a good handshake of TLS 1.2, and after it the wish to renegotiate.
    fn next_in_order12(&mut self) -> u8 {
        let status = self.parts.has(Parts::STATUS_REQUEST);
        let gives = self.parts.gives_ticket(&self.client_hello);
        let resumes = self.parts.resumes(&self.client_hello);
        let order: &[u8] = match (self.role, self.parts.has(Parts::ASKS), status) {
            (Role::Server, ..) if resumes && gives => &[1, 10, 9],
            (Role::Server, ..) if resumes => &[1, 9],
            (Role::Server, false, false) if gives => &[1, 2, 4, 6, 10, 9],
            (Role::Server, false, false) => &[1, 2, 4, 6, 9],
            (Role::Server, false, true) => &[1, 2, 3, 4, 6, 9],
            (Role::Server, true, false) => &[1, 2, 4, 5, 6, 9],
            (Role::Server, true, true) => &[1, 2, 3, 4, 5, 6, 9],
            (Role::Client, ..) if self.resumed12 => &[1, 9],
            (Role::Client, ..) if self.asked => &[1, 2, 7, 8, 9],
            (Role::Client, ..) => &[1, 7, 9],
        };
        let again = if self.role == Role::Client { 1 } else { 11 };
        let kind = order.get(self.next).copied().unwrap_or(again);
        self.next += 1;
        kind
    }

    fn hello(&self) -> Vec<u8> {
        match self.role {
            Role::Client => {
                let retry = self.server_hello.as_ref();
                let mut hello = message(CLIENT_HELLO, &hellos::client_hello(self.parts, retry));
                hellos::bind(self.parts, &mut hello, |covered, is_session| {
                    self.binder(covered, is_session)
                });
                hello
            }
            Role::Server if self.tls12 => {
                let body = hellos::server_hello12(&self.client_hello, self.suite, self.parts);
                message(SERVER_HELLO, &body)
            }
            Role::Server => {
                let body = hellos::server_hello(&self.client_hello, self.suite, None, self.parts);
                message(SERVER_HELLO, &body)
            }
        }
    }

    /// Asks for one of the groups that were offered.
    fn retry_request(&self, script: &mut Script<'_>) -> Vec<u8> {
        let groups = &self.client_hello.groups;
        let choice = usize::from(script.byte());
        let group = groups.get(choice % (groups.len() + 1)).copied();
        let retry = Some((group.unwrap_or(choice as u16), script.bytes()));
        let body = hellos::server_hello(&self.client_hello, self.suite, retry, self.parts);
        message(SERVER_HELLO, &body)
    }

    /// RFC 9846, Section 4.3.11.2: the binder of our session or key in a hello of which this much
    /// is covered.
    fn binder(&self, covered: &[u8], is_session: bool) -> Vec<u8> {
        let (psk, label): (&[u8], &[u8]) = if is_session {
            (&SECRET[..PSK_LEN], b"res binder")
        } else {
            (&PLAIN_KEY, b"ext binder")
        };
        let early = kdf::extract(&SHA256, &[], psk);
        let derive = |secret: &[u8], label: &[u8], context: &[u8]| {
            kdf::derive(&SHA256.hmac_key(secret), label, context).expect("lengths that fit")
        };
        let key = derive(early.as_ref(), label, SHA256.digest(&[]).as_ref());
        let key = derive(key.as_ref(), b"finished", &[]);
        let transcript = SHA256.digest(&[&self.transcript, covered]);
        let mac = SHA256.hmac_key(key.as_ref()).sign(&[transcript.as_ref()]);
        mac.as_ref().to_vec()
    }

    /// RFC 9846, Section 4.5.3; over no secret if there is none yet.
    fn verify_data(&self) -> Vec<u8> {
        let hash = self.hash();
        let label = match self.role {
            Role::Client => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Role::Server => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        };
        let secrets = self.secrets.0.lock().expect("no panic while locked");
        let secret = secrets.get(label).map_or(&[][..], Vec::as_slice);
        let key = kdf::derive(&hash.hmac_key(secret), b"finished", &[]).expect("lengths that fit");
        let transcript = hash.digest(&[&self.transcript]);
        let mac = hash.hmac_key(key.as_ref()).sign(&[transcript.as_ref()]);
        mac.as_ref().to_vec()
    }

    /// RFC 5246, Section 7.4.9; over no secret if there is none yet.
    fn verify_data12(&self) -> Vec<u8> {
        let hash = self.hash();
        let label: &[u8] = match self.role {
            Role::Client => b"client finished",
            Role::Server => b"server finished",
        };
        let secrets = self.secrets.0.lock().expect("no panic while locked");
        let secret = secrets.get("CLIENT_RANDOM").map_or(&[][..], Vec::as_slice);
        let transcript = hash.digest(&[&self.transcript]);
        let mut out = vec![0; 12];
        kdf::prf12(
            &hash.hmac_key(secret),
            label,
            &[transcript.as_ref()],
            &mut out,
        )
        .expect("lengths that fit");
        out
    }

    /// Puts `bytes`, which should be a message, into records; they come out at once or together
    /// with the next one. The Finished of TLS 1.2 comes after a change_cipher_spec.
    pub(super) fn say(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut before = Vec::new();
        if self.tls12 && bytes.first() == Some(&FINISHED) && !self.is_sealing {
            before = self.flush();
            before.extend(record(CHANGE_CIPHER_SPEC, &[1]));
            self.is_sealing = true;
        }
        before.extend(self.say_message(bytes));
        before
    }

    fn say_message(&mut self, bytes: &[u8]) -> Vec<u8> {
        let is_hello = bytes.first() == Some(&SERVER_HELLO) && self.role == Role::Server;
        let is_retry = bytes.get(6..38) == Some(RETRY_RANDOM.as_slice());
        if is_hello && is_retry {
            self.retry();
            self.next = 0;
        }
        self.transcript.extend_from_slice(bytes);
        self.waiting.extend_from_slice(bytes);
        let out = if self.coalesce {
            Vec::new()
        } else {
            self.flush()
        };
        if is_hello && !is_retry && !self.tls12 {
            self.is_sealing = true;
        }
        out
    }

    /// The records of all that waits.
    pub(super) fn flush(&mut self) -> Vec<u8> {
        let waiting = core::mem::take(&mut self.waiting);
        let most = if self.fragment == 0 {
            1 << 14
        } else {
            self.fragment
        };
        let mut out = Vec::new();
        for part in waiting.chunks(most) {
            out.extend(self.put(HANDSHAKE, part, 0));
        }
        out
    }

    /// A record with the protection that the puppet has reached.
    pub(super) fn put(&self, typ: u8, content: &[u8], padding: usize) -> Vec<u8> {
        if !self.is_sealing {
            record(typ, content)
        } else if self.tls12 {
            sealed12(typ, content)
        } else {
            sealed(typ, content, padding)
        }
    }

    /// A protected record, whether the keys for it are there or not.
    pub(super) fn protected(&self, typ: u8, content: &[u8]) -> Vec<u8> {
        if self.tls12 {
            sealed12(typ, content)
        } else {
            sealed(typ, content, 0)
        }
    }
}
