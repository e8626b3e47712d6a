//! Two engines with each other, and an attacker between them who reads and writes every message,
//! protected or not: the suites in use protect nothing. Only the Finished is out of reach.

use std::sync::Arc;

use waxwing_core::{
    CertificateType, CertifiedKey, ClientAuth, ClientConfig, EarlyDataStatus, Event,
    ProtocolVersions, ServerConfig,
};
use waxwing_crypto::CipherSuite;

use super::check::{self, Watch};
use super::known::Shared;
use super::pair::{End, Pair};
use super::script::Script;
use super::session::answers;
use super::wire::{
    APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, message, opened, opened12, record, records,
    sealed, sealed12, take,
};
use crate::compression::RUN_LENGTH;
use crate::fake::{self, AcceptAll, PROVIDER};

/// The suites that protect nothing.
const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
];

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Things done in one session, at most.
const MOST_CHANGES: usize = 16;

/// A whole session and one that builds on it, with whatever the script does to them. Each side may
/// fail; if both complete the handshake they agree, and if nothing was done to it they do complete.
pub fn run(data: &[u8]) {
    fake::seed_random(0);
    let script = &mut Script::new(data);
    let setting = Setting(script.word());
    let shared = Shared::new(script.byte());
    let (client, server) = setting.configs(&shared);
    let mut answers = answers(if setting.has(3) { 4 } else { 0 }, false);
    answers.known = Some(Arc::clone(&shared.known));
    let mut attack = Attack::read(script);
    let mut nothing = Attack::default();
    let count = if shared.has(Shared::SESSIONS) { 2 } else { 1 };
    for nth in 0..count {
        let (client, server) = (Arc::clone(&client), Arc::clone(&server));
        let mut pair = Pair::new(client, server, answers.clone());
        let attack = if shared.has_earlier() && nth == 0 {
            &mut nothing
        } else {
            &mut attack
        };
        connect(setting, shared.has(Shared::PSKS), &mut pair, attack);
        shared.between();
    }
}

/// One session.
fn connect(setting: Setting, knows_keys: bool, pair: &mut Pair, attack: &mut Attack) {
    let mut relays = [Relay::default(), Relay::default()];
    let [client, _] = pair.ends_mut();
    client.write_early(b" piece");
    client.write_early(b" and another");
    while pair.is_moving() {
        let [client, server] = pair.ends_mut();
        relays[0].pass(client, server, attack);
        relays[1].pass(server, client, attack);
    }
    let [client, server] = pair.ends();
    let complete = |end: &End| {
        end.driven.events.contains(&Event::HandshakeComplete) && end.driven.error.is_none()
    };
    let both = complete(client) && complete(server);
    let (ours, theirs) = (client.driven.info(), server.driven.info());
    if !attack.done && !check::is_misread(client.early(), theirs) {
        assert_eq!(
            [client, server].map(|end| end.driven.error.as_ref()),
            [None; 2]
        );
        assert!(both, "nobody did anything");
    }
    let is_taken = theirs.early_data == EarlyDataStatus::Accepted;
    assert!(is_taken || server.driven.early.is_empty());
    if !attack.done {
        let sent: &[u8] = if is_taken { client.early() } else { &[] };
        assert_eq!(server.driven.early, sent);
    }
    if both {
        check::agree(ours, theirs);
        let by_key = ours.psk_identity.is_some() || ours.resumed;
        if !(by_key && ours.peer_chain.is_empty() && knows_keys) {
            assert_eq!(ours.peer_chain, chain(&setting.key()));
        }
        let shown = theirs.client_authenticated;
        let expected = if shown {
            chain(&setting.key())
        } else {
            Vec::new()
        };
        assert_eq!(theirs.peer_chain, expected);
        let name = theirs.server_name.as_ref().map(|name| name.as_str());
        assert_eq!(name, Some("server.example"));
    }
}

fn chain(key: &CertifiedKey) -> Vec<Box<[u8]>> {
    let chain = key.chain().iter();
    chain.map(|der| der.as_slice().into()).collect()
}

/// What the two speak, bit by bit.
#[derive(Clone, Copy)]
struct Setting(u16);

impl Setting {
    const fn has(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }

    /// The key of both: it signs at once or later, with a short chain, a longer one and a
    /// response, one that can be compressed, or none at all.
    fn key(self) -> Arc<CertifiedKey> {
        let key = if self.has(3) {
            fake::remote_key()
        } else {
            fake::certified_key()
        };
        let signer = Arc::clone(key.key());
        if self.has(14) {
            let long = CertifiedKey::new(vec![vec![7; 300]], signer);
            return Arc::new(long.with_compression(&[&RUN_LENGTH]));
        }
        if self.has(15) {
            let raw = CertifiedKey::raw_public_key(signer);
            return Arc::new(raw.expect("a key that tells its public half"));
        }
        key
    }

    /// The types of certificate that are taken, and shown.
    fn types(self) -> Vec<CertificateType> {
        if self.has(15) && !self.has(14) {
            vec![CertificateType::RAW_PUBLIC_KEY]
        } else {
            vec![CertificateType::X509]
        }
    }

    fn configs(self, shared: &Shared) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
        let (old, new) = (ProtocolVersions::TLS12, ProtocolVersions::TLS13);
        let both = old | new;
        let (ours, theirs) = match self.0 & 7 {
            0 => (new, new),
            1 => (old, old),
            2 => (both, old),
            3 => (old, both),
            4 => (new, both),
            5 => (both, new),
            _ => (both, both),
        };
        let mut client = ClientConfig::builder(&PROVIDER, Arc::new(AcceptAll))
            .versions(ours)
            .cipher_suites(SUITES)
            .middlebox_compatibility(self.has(5))
            .request_ocsp(self.has(6))
            .grease(self.has(7))
            .key_shares(if self.has(8) { 0 } else { 2 })
            .dangerous_without_extended_main_secret(self.has(9))
            .keep_peer_chain(true)
            .server_certificate_types(self.types())
            .client_certificate_types(self.types())
            .cert_decompressors(&[&RUN_LENGTH])
            .trace(Arc::new(Watch));
        let mut server = ServerConfig::builder(&PROVIDER, Arc::new(self.key()))
            .versions(theirs)
            .cipher_suites(SUITES)
            .client_suite_order(self.has(10))
            .retry_cookie(self.has(11))
            .dangerous_without_extended_main_secret(self.has(9))
            .keep_peer_chain(true)
            .client_certificate_types(self.types())
            .cert_decompressors(&[&RUN_LENGTH])
            .trace(Arc::new(Watch));
        if self.has(4) {
            client = client.client_certificate(Arc::new(self.key()));
            let auth = ClientAuth::Optional(Arc::new(AcceptAll));
            server = server.client_auth(auth);
        }
        if self.has(12) {
            client = client.alpn(["h2", "http/1.1"]);
            server = server.alpn(["http/1.1", "h2"]);
        }
        if self.has(13) {
            client = client.record_size_limit(64);
            server = server.record_size_limit(100);
        }
        (
            shared.client(client).build().expect("a good configuration"),
            shared.server(server).build().expect("a good configuration"),
        )
    }
}

/// Something done to one message or record.
#[derive(Debug)]
enum Change {
    Flip(u16, u8),
    /// These bytes in the place of that many.
    Splice(u16, u8, Vec<u8>),
    WithoutExtension(u8),
    Retype(u8),
    Drop,
    Twice,
    /// It arrives after the next one.
    Late,
    /// It arrives in two records.
    Split(u16),
    /// This record comes before it, protected as it is.
    Before(u8, Vec<u8>),
    /// Instead of it comes the message with that number that the other side sent.
    Reflect(u8),
}

impl Change {
    fn read(script: &mut Script<'_>) -> Self {
        match script.byte() % 11 {
            0 | 1 => Self::Flip(script.word(), script.byte()),
            2 => Self::Splice(script.word(), script.byte() % 16, script.bytes().to_vec()),
            3 => Self::WithoutExtension(script.byte()),
            4 => Self::Retype(script.byte()),
            5 => Self::Drop,
            6 => Self::Twice,
            7 => Self::Late,
            8 => Self::Split(script.word()),
            9 => Self::Before(script.byte(), script.bytes().to_vec()),
            _ => Self::Reflect(script.byte()),
        }
    }
}

/// All that will be done, each to the message or record with that number.
#[derive(Default)]
struct Attack {
    changes: Vec<(usize, Change)>,
    count: usize,
    /// Whether anything was done.
    done: bool,
    /// The messages of both sides so far.
    seen: Vec<Vec<u8>>,
}

impl Attack {
    fn read(script: &mut Script<'_>) -> Self {
        let mut changes = Vec::new();
        while !script.is_empty() && changes.len() < MOST_CHANGES {
            changes.push((usize::from(script.byte() % 64), Change::read(script)));
        }
        Self {
            changes,
            ..Self::default()
        }
    }

    /// What becomes of a unit.
    fn apply(&mut self, mut unit: Unit) -> Fate {
        let number = self.count;
        self.count += 1;
        let mut fate = Fate::default();
        let mut copies = 1;
        for (_, change) in self.changes.iter().filter(|(nth, _)| *nth == number) {
            self.done = true;
            match change {
                Change::Flip(at, with) => unit.edit(|body| {
                    let at = usize::from(*at) % body.len().max(1);
                    if let Some(byte) = body.get_mut(at) {
                        *byte ^= with;
                    }
                }),
                Change::Splice(at, count, bytes) => unit.edit(|body| {
                    let start = usize::from(*at) % (body.len() + 1);
                    let end = body.len().min(start + usize::from(*count));
                    body.splice(start..end, bytes.iter().copied());
                }),
                Change::WithoutExtension(nth) => {
                    let client = unit.content.first() == Some(&CLIENT_HELLO);
                    if client || unit.content.first() == Some(&SERVER_HELLO) {
                        unit.edit(|body| {
                            // A hello that was spoiled before stays as it is.
                            without_extension(body, client, *nth);
                        });
                    }
                }
                Change::Retype(typ) => match unit.content.first_mut() {
                    Some(first) if unit.typ == HANDSHAKE => *first = *typ,
                    _ => unit.typ = *typ,
                },
                Change::Drop => copies = 0,
                Change::Twice => copies = 2,
                Change::Late => fate.is_late = true,
                Change::Split(at) => unit.split = Some(usize::from(*at)),
                Change::Before(typ, content) => fate.units.push(Unit {
                    typ: *typ,
                    content: content.clone(),
                    protection: unit.protection,
                    split: None,
                    most: unit.most,
                }),
                Change::Reflect(nth) => {
                    let count = self.seen.len().max(1);
                    if let Some(other) = self.seen.get(usize::from(*nth) % count) {
                        unit.typ = HANDSHAKE;
                        unit.content.clone_from(other);
                    }
                }
            }
        }
        fate.units.extend(core::iter::repeat_n(unit, copies));
        fate
    }
}

/// Takes one extension out of a hello's body, with every length right.
fn without_extension(body: &mut Vec<u8>, client: bool, nth: u8) -> Option<()> {
    let mut rest = body.get(34..)?;
    take::<1>(&mut rest)?;
    if client {
        take::<2>(&mut rest)?;
        take::<1>(&mut rest)?;
    } else {
        rest = rest.get(3..)?;
    }
    let head = body.len() - rest.len();
    let mut block = take::<2>(&mut rest)?;
    let mut extensions = Vec::new();
    while let Some((_, mut after)) = block.split_at_checked(2) {
        take::<2>(&mut after)?;
        let (extension, later) = block.split_at(block.len() - after.len());
        extensions.push(extension.to_vec());
        block = later;
    }
    if !extensions.is_empty() {
        extensions.remove(usize::from(nth) % extensions.len());
    }
    let block = super::wire::vec::<2>(&extensions.concat());
    body.truncate(head);
    body.extend(block);
    Some(())
}

/// How a record is protected.
#[derive(Clone, Copy)]
enum Protection {
    None,
    Tls12,
    Tls13,
}

/// A handshake message, or a record of another kind.
#[derive(Clone)]
struct Unit {
    typ: u8,
    content: Vec<u8>,
    protection: Protection,
    split: Option<usize>,
    /// Bytes in one record.
    most: usize,
}

impl Unit {
    /// Edits the body of a message, whose length stays right, or the content of a record.
    fn edit(&mut self, edit: impl FnOnce(&mut Vec<u8>)) {
        if self.typ == HANDSHAKE && self.content.len() >= 4 {
            let mut body = self.content.split_off(4);
            edit(&mut body);
            self.content = message(self.content[0], &body);
        } else {
            edit(&mut self.content);
        }
    }

    fn wire(&self) -> Vec<u8> {
        let at = self.split.unwrap_or_default() % (self.content.len() + 1);
        let (first, second) = self.content.split_at(at);
        let mut out = Vec::new();
        for part in first.chunks(self.most).chain(second.chunks(self.most)) {
            out.extend(match self.protection {
                Protection::None => record(self.typ, part),
                Protection::Tls12 => sealed12(self.typ, part),
                Protection::Tls13 => sealed(self.typ, part, 0),
            });
        }
        out
    }
}

/// What arrives in the place of one unit.
#[derive(Default)]
struct Fate {
    units: Vec<Unit>,
    is_late: bool,
}

/// One direction.
#[derive(Default)]
struct Relay {
    /// Whether the sender changed its keys, in TLS 1.2.
    changed: bool,
    /// The start of a message that is cut over records.
    part: Vec<u8>,
    /// Bytes in the longest record of this message.
    most: usize,
    /// What waits until something else has arrived.
    late: Vec<u8>,
}

impl Relay {
    /// Brings what `from` has to send to `to`, but for what the attack does to it.
    fn pass(&mut self, from: &mut End, to: &mut End, attack: &mut Attack) {
        let mut arriving = Vec::new();
        for unit in self.units(from) {
            let message = (unit.typ == HANDSHAKE).then(|| unit.content.clone());
            let Fate { units, is_late } = attack.apply(unit);
            let wire: Vec<u8> = units.iter().flat_map(Unit::wire).collect();
            if is_late {
                self.late.extend(wire);
            } else {
                arriving.extend(wire);
                arriving.append(&mut self.late);
            }
            attack.seen.extend(message);
        }
        // What nothing follows is late enough.
        arriving.append(&mut self.late);
        to.driven.feed(&arriving, 0);
    }

    fn units(&mut self, from: &mut End) -> Vec<Unit> {
        let bytes = from.take_flying();
        let tls12 = from.driven.is_tls12();
        let mut units = Vec::new();
        for (outer, body) in records(&bytes) {
            let (typ, content, protection) = if self.changed {
                (outer, opened12(body), Protection::Tls12)
            } else if outer == APPLICATION_DATA {
                let (typ, content) = opened(body);
                (typ, content, Protection::Tls13)
            } else {
                (outer, body, Protection::None)
            };
            self.changed |= tls12 && outer == CHANGE_CIPHER_SPEC;
            if self.part.is_empty() {
                self.most = 1;
            }
            self.most = self.most.max(content.len());
            let mut add = |content: Vec<u8>| {
                units.push(Unit {
                    typ,
                    content,
                    protection,
                    split: None,
                    most: self.most,
                });
            };
            if typ != HANDSHAKE {
                add(content.to_vec());
                continue;
            }
            self.part.extend_from_slice(content);
            while let Some(len) = whole_message(&self.part) {
                let rest = self.part.split_off(len);
                add(core::mem::replace(&mut self.part, rest));
            }
        }
        units
    }
}

/// The length of the message that `bytes` start with, if it is all there.
fn whole_message(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes.get(1..)?;
    take::<3>(&mut rest)?;
    Some(bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to have sessions, and none.
    const SHARED: [u8; 10] = [0, 0x01, 0x11, 0x13, 0x1b, 0x51, 0x93, 0x20, 0x31, 0xf9];

    #[test]
    fn every_setting_completes_if_nobody_does_anything() {
        for setting in 0..=u16::MAX {
            // Not each with each: that would be too many.
            if setting & 0x3dc0 == 0 || setting % 41 == 0 {
                let shared = SHARED[usize::from(setting) % SHARED.len()];
                let [high, low] = setting.to_be_bytes();
                run(&[high, low, shared]);
                run(&[high, low, 0]);
            }
        }
    }

    #[test]
    fn every_message_matters() {
        for setting in [0u16, 1, 2, 3, 0x10, 0x11, 0x19, 0x4010, 0x8010, 0x8011] {
            for shared in [0, 0x51, 0x53] {
                for nth in 0..14 {
                    for change in [&[0, 0, 1, 0x40][..], &[3, 1], &[5], &[6], &[7], &[8, 0, 9]] {
                        let [high, low] = setting.to_be_bytes();
                        run(&[&[high, low, shared, nth], change].concat());
                    }
                }
            }
        }
    }

    /// What became of the second of two sessions.
    fn second(setting: u16, shared: u8) -> (bool, EarlyDataStatus, bool) {
        fake::seed_random(0);
        let shared = Shared::new(shared);
        let (client, server) = Setting(setting).configs(&shared);
        let mut answers = answers(0, false);
        answers.known = Some(Arc::clone(&shared.known));
        let mut last = None;
        for _ in 0..2 {
            let (client, server) = (Arc::clone(&client), Arc::clone(&server));
            let mut pair = Pair::new(client, server, answers.clone());
            let knows_keys = shared.has(Shared::PSKS);
            let nothing = &mut Attack::default();
            connect(Setting(setting), knows_keys, &mut pair, nothing);
            shared.between();
            last = Some(pair);
        }
        let pair = last.unwrap();
        let info = pair.ends()[1].driven.info();
        (info.resumed, info.early_data, info.psk_identity.is_some())
    }

    #[test]
    fn second_sessions_build_on_the_first() {
        use EarlyDataStatus::{Accepted, NotOffered, Rejected};
        const RETRY: u16 = 1 << 8;
        for (setting, shared, expected) in [
            (0, 0x00, (false, NotOffered, false)),
            (0, 0x01, (true, NotOffered, false)),
            (0, 0x11, (true, Accepted, false)),
            // Sealed, asked for later, in another process, with a client's certificate.
            (0, 0x1b, (true, Accepted, false)),
            (0, 0x93, (true, Accepted, false)),
            (0x10, 0x13, (true, Accepted, false)),
            (RETRY, 0x13, (true, Rejected, false)),
            (0, 0x20, (false, NotOffered, true)),
            (0, 0x28, (false, NotOffered, true)),
            (1, 0x01, (true, NotOffered, false)),
            (0x11, 0x09, (true, NotOffered, false)),
            (2, 0x83, (true, NotOffered, false)),
        ] {
            assert_eq!(second(setting, shared), expected, "{setting:x} {shared:x}");
        }
    }

    #[test]
    fn an_extension_is_taken_out_whole() {
        let hello = |extensions: &[u8]| {
            let fixed = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
            [&fixed[..], &super::super::wire::vec::<2>(extensions)].concat()
        };
        let mut body = hello(&[0, 1, 0, 1, 9, 0, 2, 0, 0, 0, 3, 0, 0]);
        without_extension(&mut body, true, 1).unwrap();
        assert_eq!(body, hello(&[0, 1, 0, 1, 9, 0, 3, 0, 0]));
        without_extension(&mut body, true, 2).unwrap();
        assert_eq!(body, hello(&[0, 3, 0, 0]));
    }
}
