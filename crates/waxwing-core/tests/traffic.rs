//! What happens to application data on its way: keys that wear out, padding.

mod common;

use core::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{End, Pair, TrustOne, certified_key, client_builder, server_builder};
use waxwing_aws_lc::{AES_128_GCM, PROVIDER, SHA256};
use waxwing_core::{
    ClientConfig, Direction, Event, HandshakeType, RecordPadding, ServerConfig, Trace, TraceEvent,
};
use waxwing_crypto::{CipherSuite, CryptoProvider, Suite13, UseLimits};

/// A suite whose keys are worn out after 16 records.
static SHORT_LIVED: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_128_GCM_SHA256,
    aead: AES_128_GCM,
    hash: &SHA256,
    limits: UseLimits { seal_records: 16 },
};

static SHORT_LIVED_PROVIDER: CryptoProvider = CryptoProvider {
    suites13: &[&SHORT_LIVED],
    ..PROVIDER
};

/// Counts the KeyUpdates that come and go.
#[derive(Default)]
struct Updates {
    received: AtomicUsize,
    sent: AtomicUsize,
}

impl Trace for Updates {
    fn event(&self, event: &TraceEvent<'_>) {
        if let TraceEvent::Message {
            direction,
            typ: HandshakeType::KEY_UPDATE,
            ..
        } = event
        {
            let count = match direction {
                Direction::Received => &self.received,
                Direction::Sent => &self.sent,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn keys_are_changed_before_they_wear_out() {
    let updates = [Arc::new(Updates::default()), Arc::new(Updates::default())];
    let client = ClientConfig::builder(&SHORT_LIVED_PROVIDER, Arc::new(TrustOne));
    let server = ServerConfig::builder(&SHORT_LIVED_PROVIDER, Arc::new(certified_key()));
    let client = client.trace(updates[0].clone());
    let server = server.trace(updates[1].clone());
    let mut pair = Pair::new(client, server);
    pair.settle().unwrap();
    for round in 0..1000u32 {
        pair.client.write(&round.to_be_bytes());
        pair.server.write(&(!round).to_be_bytes());
        // Sometimes many records wait in the output.
        if round % 7 == 0 {
            pair.settle().unwrap();
        }
    }
    let big: Vec<u8> = (0..1_000_000u32).map(|i| i as u8).collect();
    pair.client.write(&big);
    pair.settle().unwrap();
    let expected: Vec<u8> = (0..1000u32).flat_map(u32::to_be_bytes).collect();
    assert_eq!(pair.server.received, [expected, big].concat());
    let expected: Vec<u8> = (0..1000u32).flat_map(|i| (!i).to_be_bytes()).collect();
    assert_eq!(pair.client.received, expected);
    // Nothing but data is to be seen of it outside.
    assert_eq!(pair.client.events, [Event::HandshakeComplete]);
    assert_eq!(pair.server.events, [Event::HandshakeComplete]);
    // The client sent 1000 records and 62 more of the big write, the server 1000.
    for (updates, records) in updates.iter().zip([1000, 1062]) {
        let count = updates.received.load(Ordering::Relaxed);
        assert!(count >= records / 16, "{count} key updates");
        assert!(count <= records / 8, "{count} key updates");
    }
    for (ours, theirs) in [(0, 1), (1, 0)] {
        let sent = updates[ours].sent.load(Ordering::Relaxed);
        assert_eq!(sent, updates[theirs].received.load(Ordering::Relaxed));
    }
}

/// The lengths of the records in `end`'s output, without their headers.
fn record_lengths(end: &End) -> Vec<usize> {
    let mut rest = end.out.as_slice();
    let mut lengths = Vec::new();
    while let [_, _, _, high, low, body @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        lengths.push(len);
        rest = &body[len..];
    }
    lengths
}

#[test]
fn padding_hides_lengths() {
    let content_type_and_tag = 1 + 16;
    for unit in [1, 64, 1000, 16_384, 65_535] {
        let padding = RecordPadding::ToMultipleOf(NonZeroU16::new(unit).unwrap());
        let client = client_builder().record_padding(padding);
        let mut pair = Pair::new(client, server_builder().record_padding(padding));
        pair.settle().unwrap();
        let mut sent = Vec::new();
        for len in [
            1, 63, 64, 65, 999, 1000, 1001, 5000, 16_383, 16_384, 16_385, 50_000,
        ] {
            let data = vec![len as u8; len];
            pair.client.write(&data);
            sent.extend(data);
            let lengths = record_lengths(&pair.client);
            assert_eq!(lengths.len(), len.div_ceil(16_384));
            for length in lengths {
                let content = length - content_type_and_tag;
                assert!(content <= 16_384);
                assert!(
                    content == 16_384 || content % usize::from(unit) == 0,
                    "{content}"
                );
            }
            pair.settle().unwrap();
        }
        assert_eq!(pair.server.received, sent);
    }
}

#[test]
fn without_padding_a_record_is_as_long_as_its_content() {
    let mut pair = Pair::established();
    pair.client.write(&[7; 100]);
    assert_eq!(record_lengths(&pair.client), [100 + 1 + 16]);
}

#[test]
fn writing_nothing_sends_nothing() {
    let mut pair = Pair::established();
    pair.client.write(&[]);
    assert!(pair.client.out.is_empty());
}
