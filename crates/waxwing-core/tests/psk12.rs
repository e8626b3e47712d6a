//! Connections of TLS 1.2 that rest on a key that both sides have.

mod common;

use std::sync::{Arc, Mutex};

use common::{End, Pair, TrustOne, certified_key};
use waxwing_aws_lc::{PROVIDER, SUITES12_WITH_CCM};
use waxwing_core::{
    Answer, Buffer, ClientConfig, ClientConfigBuilder, ConfigError, Connection, Error, Event,
    ExternalPsk, Incompatible, PeerError, ProtocolVersion, ProtocolVersions, PskLookup,
    PskResolver, Question, ServerConfig, ServerConfigBuilder, Wait,
};
use waxwing_crypto::{Authentication12, CipherSuite, CryptoProvider, HashId, NamedGroup, Suite12};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions, MemorySessions};

static WITH_PSK: CryptoProvider = CryptoProvider {
    suites12: SUITES12_WITH_CCM,
    ..PROVIDER
};

const KEY: [u8; 20] = [0x4b; 20];
const BARE: CipherSuite = CipherSuite::TLS12_PSK_AES_128_GCM_SHA256;
const ECDHE: CipherSuite = CipherSuite::TLS12_ECDHE_PSK_AES_128_GCM_SHA256;

fn psk(identity: &[u8], key: &[u8]) -> ExternalPsk {
    ExternalPsk::new(identity, key, HashId::Sha256).unwrap()
}

fn psk_suites() -> impl Iterator<Item = &'static Suite12> {
    let suites = SUITES12_WITH_CCM.iter().copied();
    suites.filter(|suite| suite.authentication.is_psk())
}

/// Knows `lamp` and `lock`, at once or later, and remembers what it was asked.
#[derive(Debug, Default)]
struct Keys {
    hint: Option<&'static [u8]>,
    slow: bool,
    imported: bool,
    asked: Mutex<Vec<Vec<u8>>>,
}

impl Keys {
    fn key(&self, identity: &[u8]) -> Option<ExternalPsk> {
        let known = matches!(identity, b"lamp" | b"lock");
        let make = || {
            if self.imported {
                return ExternalPsk::importable(identity, &KEY, HashId::Sha256, b"").unwrap();
            }
            psk(identity, &KEY)
        };
        known.then(make)
    }
}

impl PskResolver for Keys {
    fn find(&self, identity: &[u8]) -> PskLookup {
        self.asked.lock().unwrap().push(identity.to_vec());
        match self.key(identity) {
            _ if self.slow => PskLookup::Pending,
            Some(psk) => PskLookup::Found(psk),
            None => PskLookup::None,
        }
    }

    fn hint(&self) -> Option<&[u8]> {
        self.hint
    }
}

fn client(psks: &[ExternalPsk]) -> ClientConfigBuilder {
    ClientConfig::builder(&WITH_PSK, Arc::new(TrustOne))
        .versions(ProtocolVersions::TLS12)
        .external_psks(psks.to_vec())
        .dangerous_psk_without_key_exchange(true)
}

fn server(keys: Keys) -> ServerConfigBuilder {
    ServerConfig::builder(&WITH_PSK, Arc::new(certified_key()))
        .versions(ProtocolVersions::TLS12)
        .external_psks(Arc::new(keys))
        .dangerous_psk_without_key_exchange(true)
}

fn lamp() -> ClientConfigBuilder {
    client(&[psk(b"lamp", &KEY)])
}

fn settled(client: ClientConfigBuilder, server: ServerConfigBuilder) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.settle().unwrap();
    pair.client.write(b"question");
    pair.server.write(b"answer");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"question");
    assert_eq!(pair.client.received, b"answer");
    pair
}

#[test]
fn every_suite_with_and_without_a_hint() {
    for suite in psk_suites() {
        for hint in [None, Some(&b"lock"[..]), Some(b"nobody")] {
            let both = [psk(b"lamp", &KEY), psk(b"lock", &KEY)];
            let keys = Keys {
                hint,
                ..Keys::default()
            };
            let pair = settled(client(&both).cipher_suites([suite.id]), server(keys));
            let chosen: &[u8] = if hint == Some(b"lock") {
                b"lock"
            } else {
                b"lamp"
            };
            let exchanges = suite.authentication == Authentication12::EcdhePsk;
            for end in [&pair.client, &pair.server] {
                let info = end.connection.info();
                assert_eq!(info.version, Some(ProtocolVersion::TLS12));
                assert_eq!(info.cipher_suite, Some(suite.id));
                assert_eq!(info.psk_identity.as_deref(), Some(chosen));
                assert_eq!(info.group, exchanges.then_some(NamedGroup::X25519));
                assert_eq!(info.signature_scheme, None);
                assert!(info.peer_note.is_none() && !info.resumed);
                assert!(info.extended_main_secret);
                assert_eq!(end.events, [Event::HandshakeComplete]);
            }
        }
    }
}

#[test]
fn every_group_serves() {
    for group in PROVIDER.groups {
        if group.name().allowed_in_tls12() {
            let pair = settled(
                lamp().cipher_suites([ECDHE]),
                server(Keys::default()).groups([group.name()]),
            );
            let info = pair.client.connection.info();
            assert_eq!(info.group, Some(group.name()));
        }
    }
}

#[test]
fn certificates_come_first_where_both_will_do() {
    let pair = settled(lamp(), server(Keys::default()));
    let info = pair.client.connection.info();
    assert_eq!(info.psk_identity, None);
    assert!(info.signature_scheme.is_some());
    // Unless the server says otherwise.
    let ours = SUITES12_WITH_CCM.iter().rev().map(|suite| suite.id);
    let pair = settled(lamp(), server(Keys::default()).cipher_suites(ours));
    assert_eq!(
        pair.client.connection.info().cipher_suite,
        Some(CipherSuite::TLS12_PSK_AES_128_CCM_8)
    );
}

#[test]
fn suites_need_a_key_and_consent() {
    // Nothing but such suites, and no use for them.
    let build = |builder: ClientConfigBuilder, id| builder.cipher_suites([id]).build().map(|_| ());
    let none = Err(ConfigError::NoSuite(ProtocolVersion::TLS12));
    assert_eq!(build(lamp(), BARE), Ok(()));
    assert_eq!(build(client(&[]), BARE), none);
    assert_eq!(build(client(&[]), ECDHE), none);
    let careful = lamp().dangerous_psk_without_key_exchange(false);
    assert_eq!(build(careful.clone(), BARE), none);
    assert_eq!(build(careful.clone(), ECDHE), Ok(()));
    let imported = ExternalPsk::importable(b"lamp", &KEY, HashId::Sha256, b"").unwrap();
    assert_eq!(build(client(&[imported]), ECDHE), none);
    let strict = server(Keys::default()).dangerous_psk_without_key_exchange(false);
    assert_eq!(
        strict.clone().cipher_suites([BARE]).build().map(|_| ()),
        none
    );
    // And where there are others, these are not spoken.
    let mut pair = Pair::new(lamp().cipher_suites([BARE]), strict);
    assert_eq!(pair.settle(), Err(Incompatible::CipherSuite.into()));
    let pair = settled(
        careful.cipher_suites([BARE, ECDHE]),
        server(Keys::default()),
    );
    assert_eq!(pair.client.connection.info().cipher_suite, Some(ECDHE));
}

/// Without looking inside nobody can tell one from the other.
#[test]
fn unknown_identities_fail_like_wrong_keys() {
    let wrong = psk(b"lamp", &[7; 20]);
    let unknown = psk(b"thief", &KEY);
    let long = psk(&[b'x'; 1024], &KEY);
    for suite in psk_suites() {
        for (psk, keys) in [
            (&wrong, Keys::default()),
            (&unknown, Keys::default()),
            (&long, Keys::default()),
            // One that is for TLS 1.3 alone.
            (
                &psk(b"lamp", &KEY),
                Keys {
                    imported: true,
                    ..Keys::default()
                },
            ),
        ] {
            let client = client(std::slice::from_ref(psk)).cipher_suites([suite.id]);
            let mut pair = Pair::new(client, server(keys));
            // The client's Finished comes under keys that the server does not have.
            assert_eq!(pair.settle(), Err(PeerError::BadRecordMac.into()));
            assert!(!pair.server.out.is_empty());
        }
    }
}

/// Runs a pair whose server finds keys later.
fn settle_slowly(
    pair: &mut Pair,
    find: impl Fn(&[u8]) -> Option<ExternalPsk>,
) -> Result<(), Error> {
    pair.settle()?;
    assert_eq!(pair.server.events, [Event::Wait(Wait::Psk)]);
    let Some(Question::Psk { identity }) = pair.server.connection.question() else {
        panic!("the key is asked for");
    };
    assert_eq!(identity, b"lamp");
    let answer = Answer::Psk(find(identity));
    let server = &mut pair.server;
    server.connection.answer(answer, &mut server.out)?;
    server.events.clear();
    server.run()?;
    pair.settle()
}

#[test]
fn keys_may_be_found_later() {
    let slow = || Keys {
        slow: true,
        ..Keys::default()
    };
    for suite in psk_suites() {
        let client = || lamp().cipher_suites([suite.id]);
        let mut pair = Pair::new(client(), server(slow()));
        settle_slowly(&mut pair, |identity| Some(psk(identity, &KEY))).unwrap();
        assert_eq!(pair.client.events, [Event::HandshakeComplete]);
        assert_eq!(pair.server.events, [Event::HandshakeComplete]);
        let mut pair = Pair::new(client(), server(slow()));
        let failed = settle_slowly(&mut pair, |_| None);
        assert_eq!(failed, Err(PeerError::BadRecordMac.into()));
    }
}

#[test]
fn one_byte_at_a_time() {
    for suite in psk_suites() {
        let client = lamp().cipher_suites([suite.id]).build().unwrap();
        let mut out = Buffer::new();
        let connection = Connection::client(client, common::name(), &mut out).unwrap();
        let mut client = End::new(connection);
        client.out = out;
        let config = server(Keys::default()).build().unwrap();
        let mut server = End::new(Connection::server(config));
        while !client.out.is_empty() || !server.out.is_empty() {
            for byte in core::mem::take(&mut client.out).as_slice() {
                server.input.push(*byte);
                server.run().unwrap();
            }
            for byte in core::mem::take(&mut server.out).as_slice() {
                client.input.push(*byte);
                client.run().unwrap();
            }
        }
        assert_eq!(client.events, [Event::HandshakeComplete]);
        assert_eq!(server.events, [Event::HandshakeComplete]);
    }
}

/// A session would have to say whose key it rests on.
#[test]
fn no_session_is_left() {
    let clock = ManualClock::new();
    let store = MemoryClientSessions::new();
    let kept = MemorySessions::with_ids();
    for _ in 0..2 {
        let client = lamp()
            .cipher_suites([ECDHE])
            .sessions(Arc::clone(&store) as _, Arc::clone(&clock) as _);
        let server =
            server(Keys::default()).sessions(Arc::clone(&kept) as _, Arc::clone(&clock) as _);
        let pair = settled(client, server);
        assert!(!pair.server.connection.info().resumed);
        assert!(store.is_empty() && kept.is_empty());
    }
}

#[test]
fn both_sides_export_the_same() {
    let pair = settled(lamp().cipher_suites([BARE]), server(Keys::default()));
    let export = |end: &End| {
        let mut out = [0; 32];
        let exporter = end.connection.info().exporter.as_ref().unwrap();
        exporter.export(b"EXPERIMENTAL", None, &mut out).unwrap();
        out
    };
    assert_eq!(export(&pair.client), export(&pair.server));
}
