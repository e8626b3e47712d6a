//! Keys that both sides knew before, in TLS 1.3 (RFC 9846, Section 2.2; RFC 9257; RFC 9258).

mod common;

use std::sync::Arc;

use common::{End, Pair, client_builder, server_builder};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    Answer, Event, ExternalPsk, PeerError, PskLookup, PskResolver, Question, ServerConfigBuilder,
    Wait,
};
use waxwing_crypto::{CipherSuite, HashId};
use waxwing_testkit::sessions::{ManualClock, MemoryClientSessions, SealedSessions};

const KEY: [u8; 32] = [0x4b; 32];

fn plain(identity: &[u8]) -> ExternalPsk {
    ExternalPsk::new(identity, &KEY, HashId::Sha256).unwrap()
}

fn imported(context: &[u8]) -> ExternalPsk {
    ExternalPsk::importable(b"device", &KEY, HashId::Sha256, context).unwrap()
}

#[derive(Debug)]
struct Keys {
    keys: Vec<ExternalPsk>,
    later: bool,
}

impl Keys {
    fn of(keys: impl IntoIterator<Item = ExternalPsk>) -> Arc<Self> {
        Arc::new(Self {
            keys: keys.into_iter().collect(),
            later: false,
        })
    }

    fn look(&self, identity: &[u8]) -> Option<ExternalPsk> {
        let mut keys = self.keys.iter();
        keys.find(|key| key.identity() == identity).cloned()
    }
}

impl PskResolver for Keys {
    fn find(&self, identity: &[u8]) -> PskLookup {
        match self.look(identity) {
            _ if self.later => PskLookup::Pending,
            Some(key) => PskLookup::Found(key),
            None => PskLookup::None,
        }
    }
}

fn server(keys: impl IntoIterator<Item = ExternalPsk>) -> ServerConfigBuilder {
    server_builder().external_psks(Keys::of(keys))
}

/// The identity that both sides say the connection rests on.
fn identity(pair: &mut Pair) -> Option<Vec<u8>> {
    pair.settle().unwrap();
    pair.client.write(b"ping");
    pair.server.write(b"pong");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"ping");
    let of = |end: &End| {
        end.connection
            .info()
            .psk_identity
            .as_deref()
            .map(<[u8]>::to_vec)
    };
    assert_eq!(of(&pair.client), of(&pair.server));
    assert!(!pair.client.connection.info().resumed);
    of(&pair.client)
}

#[test]
fn the_first_key_that_is_known_is_used() {
    let offer = [plain(b"one"), plain(b"two"), plain(b"three")];
    let client = || client_builder().external_psks(offer.clone());
    let known = [plain(b"three"), plain(b"two")];
    let mut pair = Pair::new(client(), server(known));
    assert_eq!(identity(&mut pair), Some(b"two".to_vec()));
    // No certificate was shown, and the key exchange took place all the same.
    let info = pair.client.connection.info();
    assert_eq!(info.signature_scheme, None);
    assert!(info.group.is_some());
    let mut pair = Pair::new(client(), server([plain(b"four")]));
    assert_eq!(identity(&mut pair), None);
    assert!(pair.client.connection.info().signature_scheme.is_some());
}

#[test]
fn a_key_decides_which_hash_is_used() {
    let sha384 = ExternalPsk::new(b"k", &KEY, HashId::Sha384).unwrap();
    for key in [plain(b"k"), sha384] {
        let suites = PROVIDER.suites13.iter().map(|suite| suite.id);
        let client = client_builder()
            .cipher_suites(suites)
            .external_psks([key.clone()]);
        let mut pair = Pair::new(client, server([key]));
        assert_eq!(identity(&mut pair), Some(b"k".to_vec()));
    }
}

#[test]
fn imported_keys_work_under_every_hash_and_their_context_alone() {
    for suite in PROVIDER.suites13 {
        let client = |context: &[u8]| {
            client_builder()
                .cipher_suites([suite.id])
                .external_psks([imported(context)])
        };
        let mut pair = Pair::new(client(b"a"), server([imported(b"a")]));
        assert_eq!(identity(&mut pair), Some(b"device".to_vec()), "{suite:?}");
        let mut pair = Pair::new(client(b"a"), server([imported(b"b")]));
        assert_eq!(identity(&mut pair), None);
        // The same key as it is would be another key.
        let mut pair = Pair::new(client(b"a"), server([plain(b"device")]));
        assert_eq!(identity(&mut pair), None);
    }
}

#[test]
fn another_key_under_the_same_identity_ends_the_handshake() {
    let other = ExternalPsk::new(b"k", &[1; 32], HashId::Sha256).unwrap();
    let client = client_builder().external_psks([plain(b"k")]);
    let mut pair = Pair::new(client, server([other]));
    let error = pair.settle().unwrap_err();
    assert_eq!(error, PeerError::BadBinder.into());
}

#[test]
fn a_resolver_may_answer_later() {
    for known in [true, false] {
        let keys = Arc::new(Keys {
            keys: vec![imported(b"")],
            later: true,
        });
        let client = client_builder().external_psks([imported(b"")]);
        let mut pair = Pair::new(client, server_builder().external_psks(keys.clone()));
        pair.settle().unwrap();
        let mut asked = 0;
        while let Some(Question::Psk { identity }) = pair.server.connection.question() {
            assert_eq!(identity, b"device");
            let answer = Answer::Psk(keys.look(identity).filter(|_| known));
            let server = &mut pair.server;
            assert_eq!(server.events.pop(), Some(Event::Wait(Wait::Psk)));
            server.connection.answer(answer, &mut server.out).unwrap();
            server.run().unwrap();
            asked += 1;
        }
        // It is offered for each of the hashes.
        assert_eq!(asked, if known { 1 } else { 2 });
        assert_eq!(identity(&mut pair).is_some(), known);
    }
}

#[test]
fn a_key_exchange_is_left_out_only_where_both_want_that() {
    let client = |allow| {
        client_builder()
            .external_psks([plain(b"k")])
            .dangerous_psk_without_key_exchange(allow)
    };
    // Ours prefers the exchange wherever the client offers it.
    for (ours, theirs) in [(true, true), (true, false), (false, true)] {
        let server = server([plain(b"k")]).dangerous_psk_without_key_exchange(theirs);
        let mut pair = Pair::new(client(ours), server);
        assert_eq!(identity(&mut pair), Some(b"k".to_vec()));
        assert!(pair.server.connection.info().group.is_some());
    }
}

#[test]
fn tickets_of_such_connections_are_good_for_as_long_as_the_process_lives() {
    let clock = ManualClock::new();
    let ours = MemoryClientSessions::new();
    let theirs = SealedSessions::new(PROVIDER.suites13[0].aead, 7);
    let verifier = Arc::new(common::TrustOne);
    let suites = [CipherSuite::TLS13_AES_128_GCM_SHA256];
    let client = || {
        waxwing_core::ClientConfig::builder(&PROVIDER, verifier.clone())
            .sessions(ours.clone(), clock.clone())
            .cipher_suites(suites)
    };
    let server = || server([plain(b"k")]).sessions(theirs.clone(), clock.clone());
    let mut pair = Pair::new(client().external_psks([plain(b"k")]), server());
    assert!(identity(&mut pair).is_some());
    let mut pair = Pair::new(client(), server());
    pair.settle().unwrap();
    assert!(pair.client.connection.info().resumed);
    // Read from bytes, nothing says who the server is.
    ours.reload();
    let mut pair = Pair::new(client(), server());
    pair.settle().unwrap();
    assert!(!pair.client.connection.info().resumed);
}
