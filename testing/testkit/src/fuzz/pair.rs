//! Two engines with each other, and an attacker between them.

use std::sync::Arc;

use waxwing_core::limits::MAX_CERTIFICATE_REQUESTS;
use waxwing_core::{
    Buffer, CertChoice, CertificateRequestView, ClientAuth, ClientCertResolver, ClientConfig,
    Connection, EarlyDataStatus, Event, ProtocolVersions, RecordPadding, ServerConfig,
};
use waxwing_crypto::{CipherSuite, NamedGroup};

use super::check::{self, Watch};
use super::driven::{Answers, Driven};
use super::known::Shared;
use super::script::Script;
use super::session::answers;
use crate::fake::{self, AcceptAll, PROVIDER};

const OPEN: CipherSuite = CipherSuite::TLS13_AES_128_GCM_SHA256;
const OPEN_SHA384: CipherSuite = CipherSuite::TLS13_AES_256_GCM_SHA384;
const KEYED: CipherSuite = CipherSuite::TLS13_CHACHA20_POLY1305_SHA256;
const OPEN12: CipherSuite = CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256;
const KEYED12: CipherSuite = CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256;
const KEYED12_SHA384: CipherSuite = CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384;

/// What protects the records of an established pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    Tls13,
    /// The nonce is the sequence number's.
    Tls12,
    /// Each record has its nonce with it, and only the additional data has the number.
    Tls12Explicit,
}

/// A client and a server whose handshake is complete.
pub(super) fn established(keyed: bool, records: Records) -> (Driven, Driven) {
    fake::seed_random(0);
    let (versions, suite) = match (records, keyed) {
        (Records::Tls13, false) => (ProtocolVersions::TLS13, OPEN),
        (Records::Tls13, true) => (ProtocolVersions::TLS13, KEYED),
        (_, false) => (ProtocolVersions::TLS12, OPEN12),
        (Records::Tls12, true) => (ProtocolVersions::TLS12, KEYED12),
        (Records::Tls12Explicit, true) => (ProtocolVersions::TLS12, KEYED12_SHA384),
    };
    let client = ClientConfig::builder(&PROVIDER, Arc::new(AcceptAll)).versions(versions);
    let client = client.cipher_suites([suite]);
    let server = ServerConfig::builder(&PROVIDER, Arc::new(fake::certified_key()));
    let server = server.versions(versions);
    let mut pair = Pair::new(
        client.build().expect("a good configuration"),
        server.build().expect("a good configuration"),
        answers(0, false),
    );
    pair.settle();
    assert!(pair.client.driven.is_established() && pair.server.driven.is_established());
    (pair.client.driven, pair.server.driven)
}

/// Connections in one run, at most.
const MOST_CONNECTIONS: usize = 4;

/// Two engines under attack: each may fail, but both never complete and disagree. Without an
/// attack everything arrives. Later connections build on earlier ones.
pub fn run(data: &[u8]) {
    fake::seed_random(0);
    let script = &mut Script::new(data);
    let flags = script.word();
    let more = script.byte();
    let shared = Shared::new(more);
    let mut answers = answers(more & 4, false);
    answers.known = Some(Arc::clone(&shared.known));
    let (client, server) = configs(flags, &shared);
    let mut history = History {
        keyed: flags & (1 << 14 | 3 << 1) == 2 << 1,
        ..History::default()
    };
    let next = |history: &History| {
        let (client, server) = (Arc::clone(&client), Arc::clone(&server));
        let mut pair = Pair::new(client, server, answers.clone());
        pair.splits = !authenticates_later(flags);
        pair.client.number = history.offered.len() as u8;
        pair.client.earlier.clone_from(&history.flight);
        pair
    };
    if shared.has_earlier() {
        history.end(next(&history));
        shared.between();
    }
    while history.offered.len() < MOST_CONNECTIONS {
        let mut pair = next(&history);
        while !script.is_empty() && !pair.is_done {
            history.attacked |= pair.step(script);
        }
        history.end(pair);
        if script.is_empty() {
            break;
        }
        shared.between();
    }
}

/// What came of the connections so far.
#[derive(Default)]
struct History {
    /// Whether records of every epoch are protected.
    keyed: bool,
    attacked: bool,
    /// The early data that each client sent.
    offered: Vec<Vec<u8>>,
    /// For which of them it arrived.
    arrived: Vec<usize>,
    /// Clients that had some to send, and servers that took some.
    offers: usize,
    taken: usize,
    /// What the last client sent.
    flight: Vec<u8>,
}

impl History {
    /// Checks what has to hold at the end of a connection.
    fn end(&mut self, mut pair: Pair) {
        if !self.attacked {
            pair.settle();
        }
        self.early_data(&pair);
        let both = pair.ends();
        let complete = |end: &&End| {
            end.driven.events.contains(&Event::HandshakeComplete) && end.driven.error.is_none()
        };
        if both.iter().all(complete) {
            check::agree(both[0].driven.info(), both[1].driven.info());
        }
        if self.attacked || check::is_misread(&both[0].early, both[1].driven.info()) {
            return;
        }
        for end in both {
            assert_eq!(end.driven.error, None);
            assert!(end.driven.is_established());
        }
        assert_eq!(both[0].driven.received, both[1].written);
        assert_eq!(both[1].driven.received, both[0].written);
        let answered = |event: &&Event| **event == Event::ClientAuthenticated;
        let answers = both[1].driven.events.iter().filter(answered).count();
        assert_eq!(answers, usize::from(both[1].requests));
    }

    /// Early data arrives once at most, and as it was sent.
    fn early_data(&mut self, pair: &Pair) {
        let [client, server] = pair.ends().map(|end| &end.driven);
        self.flight.clone_from(&client.sent);
        self.offered.push(pair.client.early.clone());
        assert!(client.early.is_empty());
        self.offers += usize::from(client.info().early_data != EarlyDataStatus::NotOffered);
        let is_taken = server.info().early_data == EarlyDataStatus::Accepted;
        self.taken += usize::from(is_taken);
        assert!(self.taken <= self.offers);
        assert!(is_taken || server.early.is_empty());
        if !self.attacked {
            let expected = if is_taken {
                &pair.client.early
            } else {
                &[][..]
            };
            assert_eq!(server.early, expected);
        }
        if let (true, Some(owner)) = (self.keyed, server.early.first()) {
            let owner = usize::from(*owner);
            assert!(self.offered[owner].starts_with(&server.early));
            assert!(!self.arrived.contains(&owner), "early data arrived twice");
            self.arrived.push(owner);
        }
    }
}

/// Two configurations that have everything needed in common.
fn configs(flags: u16, shared: &Shared) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let has = |bit: u8| flags >> bit & 1 == 1;
    let padding = if has(0) {
        RecordPadding::ToMultipleOf(64.try_into().expect("not zero"))
    } else {
        RecordPadding::None
    };
    let tls12 = has(14);
    let (versions, suites) = match (tls12, flags >> 1 & 3) {
        (false, 0) => (ProtocolVersions::TLS13, vec![OPEN]),
        (false, 1) => (ProtocolVersions::TLS13, vec![OPEN_SHA384, OPEN]),
        (false, 2) => (ProtocolVersions::TLS13, vec![KEYED]),
        (false, _) => (ProtocolVersions::TLS13, vec![OPEN, KEYED, OPEN_SHA384]),
        (true, 0) => (ProtocolVersions::TLS12, vec![OPEN12]),
        (true, 1) => (ProtocolVersions::TLS12, vec![KEYED12_SHA384, OPEN12]),
        (true, 2) => (ProtocolVersions::TLS12, vec![KEYED12]),
        // The client speaks both, and the server nothing newer.
        (true, _) => {
            let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
            (both, vec![OPEN, OPEN12, KEYED12])
        }
    };
    let mut client = ClientConfig::builder(&PROVIDER, Arc::new(AcceptAll))
        .versions(versions)
        .cipher_suites(suites)
        .key_shares(usize::from(flags >> 3 & 3))
        .grease(has(5))
        .middlebox_compatibility(has(6))
        .keep_peer_chain(has(7))
        .record_padding(padding)
        .trace(Arc::new(Watch));
    let mut server = ServerConfig::builder(&PROVIDER, Arc::new(fake::remote_key()))
        .versions(if tls12 {
            ProtocolVersions::TLS12
        } else {
            ProtocolVersions::TLS13
        })
        .client_suite_order(has(8))
        .retry_cookie(has(9))
        .record_padding(padding)
        .trace(Arc::new(Watch));
    if has(10) {
        client = client.alpn(["h2", "http/1.1"]);
    }
    if has(11) {
        server = server.alpn(["http/1.1", "h2"]);
    }
    if has(12) {
        server = server.groups([NamedGroup::SECP256R1, NamedGroup::X25519]);
    }
    if has(13) {
        client = client.groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
    }
    if has(15) {
        client = client.client_certificate(Arc::new(fake::remote_key()));
        server = server.client_auth(ClientAuth::Optional(Arc::new(AcceptAll)));
    }
    if authenticates_later(flags) {
        client = client
            .client_certificate(Arc::new(Later))
            .post_handshake_auth(true);
        server = server.post_handshake_auth(ClientAuth::Required(Arc::new(AcceptAll)));
    }
    (
        shared.client(client).build().expect("a good configuration"),
        shared.server(server).build().expect("a good configuration"),
    )
}

/// Whether the client can be asked for a certificate after the handshake too: in TLS 1.3, where it
/// can be asked in the handshake, and for one bit more.
const fn authenticates_later(flags: u16) -> bool {
    flags & (1 << 15 | 1 << 14 | 1 << 8) == 1 << 15 | 1 << 8
}

/// Leaves the choice of a client's certificate to the driver.
#[derive(Debug)]
struct Later;

impl ClientCertResolver for Later {
    fn resolve(&self, _request: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

/// Bytes in flight from which on none are repeated.
const MOST_FLYING: usize = 1 << 18;

/// Bytes of early data from which on no more is written: there are not many records then, so that
/// who skips them does not meet its limit.
const MOST_EARLY: usize = 64;

/// One side, and what it sent that did not arrive yet.
pub(super) struct End {
    pub(super) driven: Driven,
    /// Bytes of its output that left already.
    left: usize,
    flying: Vec<u8>,
    written: Vec<u8>,
    /// KeyUpdates are limited, so only a few are asked for.
    updates: u8,
    /// So are certificates.
    requests: u8,
    /// Early data that went out. It begins with the number of the connection.
    early: Vec<u8>,
    number: u8,
    /// What the client sent in the connection before.
    earlier: Vec<u8>,
}

impl End {
    const fn new(driven: Driven) -> Self {
        Self {
            driven,
            left: 0,
            flying: Vec::new(),
            written: Vec::new(),
            updates: 0,
            requests: 0,
            early: Vec::new(),
            number: 0,
            earlier: Vec::new(),
        }
    }

    /// Early data that went out.
    pub(super) fn early(&self) -> &[u8] {
        &self.early
    }

    /// Sends early data, if that is possible.
    pub(super) fn write_early(&mut self, data: &[u8]) {
        let mut text = data.to_vec();
        if self.early.is_empty() {
            text.insert(0, self.number);
        }
        if text.is_empty() {
            return;
        }
        let len = self.driven.write_early(&text);
        self.early.extend_from_slice(&text[..len]);
    }

    /// What it sent since the last time.
    pub(super) fn take_flying(&mut self) -> Vec<u8> {
        self.leave();
        core::mem::take(&mut self.flying)
    }

    fn leave(&mut self) {
        self.flying
            .extend_from_slice(&self.driven.sent[self.left..]);
        self.left = self.driven.sent.len();
    }
}

/// Two engines.
pub(super) struct Pair {
    client: End,
    server: End,
    /// Whether a connection may be split: what is agreed on for later ends with it.
    splits: bool,
    /// Whether the next connection shall begin.
    is_done: bool,
}

impl Pair {
    pub(super) fn new(
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
        answers: Answers,
    ) -> Self {
        let mut out = Buffer::new();
        let name = "server.example".parse().expect("a name");
        let connection = Connection::client(client, name, &mut out).expect("a client");
        let client = Driven::new(connection, out, answers.clone());
        let server = Driven::new(Connection::server(server), Buffer::new(), answers);
        Self {
            client: End::new(client),
            server: End::new(server),
            splits: true,
            is_done: false,
        }
    }

    pub(super) const fn ends(&self) -> [&End; 2] {
        [&self.client, &self.server]
    }

    pub(super) const fn ends_mut(&mut self) -> [&mut End; 2] {
        [&mut self.client, &mut self.server]
    }

    /// Whether one of the two sent something that did not leave yet.
    pub(super) fn is_moving(&self) -> bool {
        let mut ends = self.ends().into_iter();
        ends.any(|end| end.driven.sent.len() > end.left || !end.flying.is_empty())
    }

    /// Lets everything arrive until nobody has anything to say.
    pub(super) fn settle(&mut self) {
        loop {
            self.client.leave();
            self.server.leave();
            if self.client.flying.is_empty() && self.server.flying.is_empty() {
                return;
            }
            arrive(&mut self.client, &mut self.server, usize::MAX, 0);
            arrive(&mut self.server, &mut self.client, usize::MAX, 0);
        }
    }

    /// One step; returns whether it was an attack.
    fn step(&mut self, script: &mut Script<'_>) -> bool {
        let choice = script.byte();
        let (one, other) = if choice & 0x80 == 0 {
            (&mut self.client, &mut self.server)
        } else {
            (&mut self.server, &mut self.client)
        };
        one.leave();
        match choice % 16 {
            0..=2 => arrive(one, other, usize::MAX, 0),
            3 => {
                let count = usize::from(script.word());
                arrive(one, other, count, usize::from(script.byte()));
            }
            5 if choice & 0x40 != 0 && one.early.len() < MOST_EARLY => {
                one.write_early(script.bytes());
            }
            4 | 5 => {
                let data = script.bytes();
                if one.driven.write(data) {
                    one.written.extend_from_slice(data);
                }
            }
            6 => {
                let data = vec![script.byte(); usize::from(script.word())];
                if one.driven.write(&data) {
                    one.written.extend_from_slice(&data);
                }
            }
            7 if choice & 0x40 != 0 && one.requests < MAX_CERTIFICATE_REQUESTS => {
                one.requests += u8::from(one.driven.request_client_certificate());
            }
            7 if one.updates < 8 => {
                one.updates += 1;
                one.driven.update_key(script.flag());
            }
            8 if self.splits => one.driven.split(),
            9 if choice & 0x40 != 0 => self.is_done = true,
            9 => self.settle(),
            10 | 11 => {
                script.edit(&mut one.flying);
                return true;
            }
            12 | 13 => {
                let place = script.place(one.flying.len().saturating_sub(1));
                let change = script.byte();
                if let Some(byte) = one.flying.get_mut(place) {
                    *byte ^= change;
                }
                return true;
            }
            14 if choice & 0x40 != 0 && !one.earlier.is_empty() => {
                one.flying.clone_from(&one.earlier);
                return true;
            }
            14 => {
                one.flying.truncate(script.place(one.flying.len()));
                return true;
            }
            15 => {
                let (start, end) = (
                    script.place(one.flying.len()),
                    script.place(one.flying.len()),
                );
                let part = one.flying[start.min(end)..end.max(start)].to_vec();
                let place = script.place(one.flying.len());
                if one.flying.len() < MOST_FLYING {
                    one.flying.splice(place..place, part);
                }
                return true;
            }
            _ => {}
        }
        false
    }
}

/// The first `count` flying bytes of `from` reach `to`, in pieces of `cut` bytes.
fn arrive(from: &mut End, to: &mut End, count: usize, cut: usize) {
    let count = count.min(from.flying.len());
    let bytes: Vec<u8> = from.flying.drain(..count).collect();
    to.driven.feed(&bytes, cut);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sessions that are sealed, early data, and a connection before the script, under a suite that
    /// protects, with a share.
    const START: [u8; 3] = [0, 0xc, 0x53];
    /// The client writes early data; what it sent arrives; the next connection begins; it sends what
    /// it sent in the one before.
    const EARLY: [u8; 5] = [0x45, 3, b'a', b'b', b'c'];
    const ARRIVE: u8 = 0;
    const NEXT: u8 = 0x49;
    const AGAIN: u8 = 0x4e;

    #[test]
    fn early_data_arrives_in_the_second_connection_and_not_again() {
        let copied = [&START[..], &EARLY, &[ARRIVE, NEXT, AGAIN, ARRIVE]].concat();
        run(&copied);
        // The original is lost, so that the copy is the first to arrive; the second is not.
        let lost = [&START[..], &EARLY, &[NEXT, AGAIN, ARRIVE]].concat();
        run(&lost);
        // Damaged in every place.
        for place in 0..=255 {
            run(&[&START[..], &EARLY, &[12, 0, place, 1, ARRIVE]].concat());
        }
        run(&[&START[..], &EARLY, &[ARRIVE, 0x80, ARRIVE]].concat());
    }
}
