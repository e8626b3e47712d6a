//! What happens to application data in TLS 1.2: keys that wear out and cannot be changed, and what
//! a connection tells of itself.

mod common;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use common::{Pair, TrustOne, certified_key, client_builder, server_builder};
use waxwing_aws_lc::{AES_128_GCM, CHACHA20_POLY1305, PROVIDER, SHA256};
use waxwing_core::limits::MAX_PLAINTEXT;
use waxwing_core::{
    AlertDescription, ClientConfig, ClientConfigBuilder, Error, Event, KeyLog, Misuse,
    ProtocolVersions, RecordPadding, ServerConfig, ServerConfigBuilder, Trace, TraceEvent,
};
use waxwing_crypto::{Authentication12, CipherSuite, CryptoProvider, Nonce12, Suite12, UseLimits};

/// Records that a key of these suites may protect.
const LIFE: u64 = 16;

static SHORT_LIVED: [&Suite12; 2] = [
    &Suite12 {
        id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
        aead: AES_128_GCM,
        hash: &SHA256,
        limits: UseLimits { seal_records: LIFE },
        nonce: Nonce12::Explicit,
        authentication: Authentication12::Ecdsa,
    },
    &Suite12 {
        id: CipherSuite::TLS12_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
        aead: CHACHA20_POLY1305,
        hash: &SHA256,
        limits: UseLimits { seal_records: LIFE },
        nonce: Nonce12::Implicit,
        authentication: Authentication12::Ecdsa,
    },
];

static SHORT_LIVED_PROVIDER: CryptoProvider = CryptoProvider {
    suites12: &SHORT_LIVED,
    ..PROVIDER
};

fn client12() -> ClientConfigBuilder {
    client_builder().versions(ProtocolVersions::TLS12)
}

fn server12() -> ServerConfigBuilder {
    server_builder().versions(ProtocolVersions::TLS12)
}

fn established() -> Pair {
    let mut pair = Pair::new(client12(), server12());
    pair.settle().unwrap();
    pair
}

fn short_lived(suite: CipherSuite) -> Pair {
    let old = ProtocolVersions::TLS12;
    let client = ClientConfig::builder(&SHORT_LIVED_PROVIDER, Arc::new(TrustOne));
    let server = ServerConfig::builder(&SHORT_LIVED_PROVIDER, Arc::new(certified_key()));
    let client = client.versions(old).cipher_suites([suite]);
    let mut pair = Pair::new(client, server.versions(old));
    pair.settle().unwrap();
    pair
}

/// RFC 9325, Section 4.4: when a key is worn out the connection ends, cleanly.
#[test]
fn a_worn_out_key_sends_no_data_but_says_goodbye() {
    for suite in SHORT_LIVED {
        let mut pair = short_lived(suite.id);
        let client = &mut pair.client;
        let mut written = 0u64;
        let error = loop {
            match client.connection.write(&[b"x"], &mut client.out) {
                Ok(_) => written += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error, Misuse::KeyWornOut.into());
        // One record went into the Finished, some are kept back for alerts.
        assert!((LIFE / 2..LIFE).contains(&written), "{written}");
        let before = client.out.len();
        for _ in 0..3 {
            let again = client.connection.write(&[b"x"], &mut client.out);
            assert_eq!(again, Err(error.clone()));
        }
        assert_eq!(client.out.len(), before);
        // Nothing to send needs no key.
        assert_eq!(client.connection.write(&[b""], &mut client.out), Ok(0));
        client.connection.close(&mut client.out);
        assert!(client.out.len() > before);
        pair.settle().unwrap();
        assert_eq!(pair.server.received.len() as u64, written);
        assert_eq!(pair.server.events.last(), Some(&Event::PeerClosed));
        assert_eq!(pair.server.connection.end_of_input(), Ok(()));
        // The other direction has a key of its own.
        pair.server.write(b"still here");
        pair.settle().unwrap();
        assert_eq!(pair.client.received, b"still here");
    }
}

/// A write is sent as a whole or not at all.
#[test]
fn a_write_that_is_too_much_for_the_key_sends_nothing() {
    let mut pair = short_lived(SHORT_LIVED[0].id);
    let client = &mut pair.client;
    let most = 20 * MAX_PLAINTEXT;
    let refused = client.connection.write(&[&vec![7; most]], &mut client.out);
    assert_eq!(refused, Err(Misuse::KeyWornOut.into()));
    assert!(client.out.is_empty());
    let fits = 5 * MAX_PLAINTEXT;
    client.write(&vec![7; fits]);
    pair.settle().unwrap();
    assert_eq!(pair.server.received.len(), fits);
}

#[test]
fn keys_cannot_be_changed_and_nothing_breaks() {
    let mut pair = established();
    for end in [&mut pair.client, &mut pair.server] {
        for ask_peer in [false, true] {
            let refused = end.connection.update_key(ask_peer, &mut end.out);
            assert_eq!(refused, Err(Misuse::NoKeyUpdate.into()));
        }
        assert!(end.out.is_empty());
        end.write(b"as before");
    }
    pair.settle().unwrap();
    assert_eq!(pair.client.received, b"as before");
    assert_eq!(pair.server.received, b"as before");

    let (_, mut write, _) = pair.client.connection.split().unwrap();
    let mut out = pair.client.out;
    let refused = write.update_key(true, &mut out);
    assert_eq!(refused, Err(Misuse::NoKeyUpdate.into()));
    assert_eq!(write.write(&[b"half"], &mut out), Ok(4));
    pair.server.input.extend_from_slice(out.as_slice());
    pair.server.run().unwrap();
    assert_eq!(pair.server.received, b"as beforehalf");
}

/// RFC 9846, Section 5.4, is for TLS 1.3: records of TLS 1.2 have no place for padding.
#[test]
fn padding_is_not_for_tls12() {
    let padding = RecordPadding::ToMultipleOf(1000.try_into().unwrap());
    let mut pair = Pair::new(client12().record_padding(padding), server12());
    pair.settle().unwrap();
    pair.client.write(&[7; 100]);
    // Header, explicit nonce, content, tag.
    assert_eq!(pair.client.out.len(), 5 + 8 + 100 + 16);
}

/// A line as RFC 9850 has it.
type Line = (String, [u8; 32], Vec<u8>);

#[derive(Default)]
struct Log(Mutex<Vec<Line>>);

impl KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8; 32], secret: &[u8]) {
        let line = (label.to_owned(), *client_random, secret.to_vec());
        self.0.lock().unwrap().push(line);
    }
}

/// RFC 9850, Section 2.2: one line, with the main secret.
#[test]
fn one_secret_is_logged() {
    let logs = [Arc::new(Log::default()), Arc::new(Log::default())];
    let mut pair = Pair::new(
        client12().key_log(logs[0].clone()),
        server12().key_log(logs[1].clone()),
    );
    // The record of the ClientHello: header, message header, version, random.
    let random = pair.client.out.as_slice()[11..43].to_vec();
    pair.settle().unwrap();
    let [client, server] = logs.map(|log| core::mem::take(&mut *log.0.lock().unwrap()));
    assert_eq!(client, server);
    let [(label, logged, secret)] = &client[..] else {
        panic!("{} lines", client.len());
    };
    assert_eq!(label, "CLIENT_RANDOM");
    assert_eq!((logged.as_slice(), secret.len()), (random.as_slice(), 48));
}

/// The story of a connection, in short.
#[derive(Default)]
struct Story(Mutex<String>);

impl Trace for Story {
    fn event(&self, event: &TraceEvent<'_>) {
        let mut story = self.0.lock().unwrap();
        match event {
            TraceEvent::Record {
                direction,
                outer_type,
                ..
            } => writeln!(story, "{direction} record {outer_type}"),
            TraceEvent::Message { direction, typ, .. } => {
                writeln!(story, "{direction} {typ}")
            }
            TraceEvent::Alert {
                direction,
                description,
            } => writeln!(story, "{direction} alert {description}"),
            TraceEvent::Keys { direction, epoch } => {
                writeln!(story, "{direction} keys {epoch:?}")
            }
            TraceEvent::HandshakeComplete => writeln!(story, "complete"),
            TraceEvent::Failed(error) => writeln!(story, "failed: {error}"),
            _ => Ok(()),
        }
        .unwrap();
    }
}

#[test]
fn a_trace_tells_the_story() {
    let stories = [Arc::new(Story::default()), Arc::new(Story::default())];
    let mut pair = Pair::new(
        client12().trace(stories[0].clone()),
        server12().trace(stories[1].clone()),
    );
    pair.settle().unwrap();
    pair.client.connection.close(&mut pair.client.out);
    pair.settle().unwrap();
    let [client, server] = stories.map(|story| core::mem::take(&mut *story.0.lock().unwrap()));
    let expected = "\
        sent client_hello\n\
        sent record 22\n\
        received record 22\n\
        received server_hello\n\
        received certificate\n\
        received server_key_exchange\n\
        received server_hello_done\n\
        sent client_key_exchange\n\
        sent keys Application\n\
        sent finished\n\
        sent record 22\n\
        sent record 20\n\
        sent record 22\n\
        received record 20\n\
        received keys Application\n\
        received record 22\n\
        received finished\n\
        complete\n\
        sent record 21\n\
        sent alert close_notify\n";
    assert_eq!(client, expected);
    let expected = "\
        received record 22\n\
        received client_hello\n\
        sent server_hello\n\
        sent certificate\n\
        sent server_key_exchange\n\
        sent server_hello_done\n\
        sent record 22\n\
        received record 22\n\
        received client_key_exchange\n\
        received record 20\n\
        received keys Application\n\
        received record 22\n\
        received finished\n\
        sent keys Application\n\
        sent finished\n\
        sent record 20\n\
        sent record 22\n\
        complete\n\
        received record 21\n\
        received alert close_notify\n";
    assert_eq!(server, expected);
}

/// The first data of a client waits for the server's Finished: a flight that is not proven yet
/// protects nothing (RFC 7918 calls it False Start, and it is not done here).
#[test]
fn no_data_goes_before_the_server_s_finished() {
    let mut pair = Pair::new(client12(), server12());
    common::carry(&mut pair.client, &mut pair.server);
    pair.server.run().unwrap();
    common::carry(&mut pair.server, &mut pair.client);
    pair.client.run().unwrap();
    assert!(!pair.client.out.is_empty(), "the client's Finished");
    let early = pair
        .client
        .connection
        .write(&[b"early"], &mut pair.client.out);
    assert_eq!(early, Err(Misuse::HandshakePending.into()));
    pair.settle().unwrap();
    pair.client.write(b"in time");
    pair.settle().unwrap();
    assert_eq!(pair.server.received, b"in time");
}

/// A spoiled record ends both directions, and the peer is told under the keys in use.
#[test]
fn a_spoiled_record_ends_the_connection() {
    let mut pair = established();
    pair.client.write(b"data");
    let mut wire = pair.client.out.as_slice().to_vec();
    pair.client.out.clear();
    *wire.last_mut().unwrap() ^= 1;
    pair.server.input = wire;
    let error = pair.server.run().unwrap_err();
    assert_eq!(error, waxwing_core::PeerError::BadRecordMac.into());
    common::carry(&mut pair.server, &mut pair.client);
    let alert = Error::Alert(AlertDescription::BAD_RECORD_MAC);
    assert_eq!(pair.client.run(), Err(alert));
}
