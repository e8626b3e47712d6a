//! Connections that are exported in the middle of things and imported again.

mod common;

use core::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::client_auth::{GOOD, Time};
use common::{CERTIFICATE, End, Pair, TrustOne, certified_key, client_builder, server_builder};
use common::{carry, has_note};
use waxwing_aws_lc::{AES_128_GCM, PROVIDER, SHA256};
use waxwing_core::limits::MAX_PLAINTEXT;
use waxwing_core::{
    Buffer, ClientConfig, Connection, DecodeError, Direction, Error, Event, ExportError, Exported,
    HandshakeType, ImportError, Importer, Misuse, PeerError, Problem, ProtocolVersion,
    ProtocolVersions, RecordPadding, ServerConfig, Trace, TraceEvent, Unfinished,
};
use waxwing_crypto::{
    Authentication12, CipherSuite, CryptoProvider, Nonce12, Suite12, Suite13, UseLimits,
};

/// Where the sequence number of the receiving direction stands, and its secret.
const SEQUENCE: core::ops::Range<usize> = 11..19;
const SECRET_LEN: usize = 19;

fn export(end: &mut End) -> Exported {
    let none = Connection::server(server_builder().build().unwrap());
    let connection = core::mem::replace(&mut end.connection, none);
    connection.export().map_err(|(_, reason)| reason).unwrap()
}

/// Exports the connection of `end` and goes on with what is made of that.
fn replace(end: &mut End, provider: &CryptoProvider) {
    let exported = export(end);
    end.connection = import(provider, exported.as_bytes());
}

fn import(provider: &CryptoProvider, bytes: &[u8]) -> Connection {
    Importer::new(provider).import(bytes).unwrap().connection
}

fn import_error(bytes: &[u8]) -> ImportError {
    Importer::new(&PROVIDER).import(bytes).unwrap_err()
}

/// Data in both directions.
fn exchange(pair: &mut Pair, what: &str) {
    for len in [1, 100, MAX_PLAINTEXT, 3 * MAX_PLAINTEXT + 5] {
        let data = [what.as_bytes(), &vec![len as u8; len]].concat();
        pair.client.received.clear();
        pair.server.received.clear();
        pair.client.write(&data);
        pair.server.write(&data);
        pair.settle().unwrap();
        assert!(
            pair.client.received == data && pair.server.received == data,
            "{what}"
        );
    }
}

fn update_keys(pair: &mut Pair) {
    for ask in [false, true] {
        for end in [&mut pair.client, &mut pair.server] {
            end.connection.update_key(ask, &mut end.out).unwrap();
        }
        exchange(pair, "under new keys");
    }
}

/// Both sides close, and hear of it.
fn close(pair: &mut Pair) {
    for end in [&mut pair.client, &mut pair.server] {
        end.connection.close(&mut end.out);
    }
    pair.settle().unwrap();
    for end in [&mut pair.client, &mut pair.server] {
        assert_eq!(end.events.last(), Some(&Event::PeerClosed));
        assert_eq!(end.connection.end_of_input(), Ok(()));
        let refused = end.connection.write(&[b"x"], &mut end.out);
        assert_eq!(refused, Err(Misuse::WriteClosed.into()));
    }
}

/// A provider with this suite alone.
fn only13(suite: &'static Suite13) -> &'static CryptoProvider {
    Box::leak(Box::new(CryptoProvider {
        suites13: Box::leak(Box::new([suite])),
        ..PROVIDER
    }))
}

fn only12(suite: &'static Suite12) -> &'static CryptoProvider {
    Box::leak(Box::new(CryptoProvider {
        suites12: Box::leak(Box::new([suite])),
        ..PROVIDER
    }))
}

fn pair_of(provider: &'static CryptoProvider, versions: ProtocolVersions) -> Pair {
    let client = ClientConfig::builder(provider, Arc::new(TrustOne)).versions(versions);
    let server = ServerConfig::builder(provider, Arc::new(certified_key())).versions(versions);
    let mut pair = Pair::new(client, server);
    pair.settle().unwrap();
    pair
}

/// A pair of each version.
fn pairs() -> [Pair; 2] {
    [ProtocolVersions::TLS13, ProtocolVersions::TLS12].map(|versions| pair_of(&PROVIDER, versions))
}

#[test]
fn every_suite_goes_on_with_new_keys_and_a_goodbye() {
    for suite in PROVIDER.suites13 {
        let provider = only13(suite);
        for sides in 1..4 {
            let mut pair = pair_of(provider, ProtocolVersions::TLS13);
            for round in 0..3 {
                exchange(&mut pair, "before");
                if sides & 1 != 0 {
                    replace(&mut pair.client, provider);
                }
                if sides & 2 != 0 {
                    replace(&mut pair.server, provider);
                }
                assert_eq!(pair.client.connection.info().cipher_suite, Some(suite.id));
                exchange(&mut pair, "after");
                if round != 1 {
                    update_keys(&mut pair);
                }
            }
            close(&mut pair);
        }
    }
}

#[test]
fn every_suite_of_tls_1_2_goes_on_to_a_goodbye() {
    let fit = |suite: &&&Suite12| suite.authentication == Authentication12::Ecdsa;
    let suites: Vec<_> = PROVIDER.suites12.iter().filter(fit).collect();
    assert_eq!(suites.len(), 3);
    for suite in suites {
        let provider = only12(suite);
        for sides in 1..4 {
            let mut pair = pair_of(provider, ProtocolVersions::TLS12);
            for _ in 0..3 {
                exchange(&mut pair, "before");
                if sides & 1 != 0 {
                    replace(&mut pair.client, provider);
                }
                if sides & 2 != 0 {
                    replace(&mut pair.server, provider);
                }
                assert_eq!(pair.server.connection.info().cipher_suite, Some(suite.id));
                exchange(&mut pair, "after");
            }
            for end in [&mut pair.client, &mut pair.server] {
                let refused = end.connection.update_key(false, &mut end.out);
                assert_eq!(refused, Err(Misuse::NoKeyUpdate.into()));
            }
            close(&mut pair);
        }
    }
}

/// All that can be told of a connection, but for its note.
fn told(end: &End) -> String {
    let info = end.connection.info();
    let mut material = [0; 40];
    let exporter = info.exporter.as_ref().unwrap();
    exporter
        .export(b"label", Some(b"context"), &mut material)
        .unwrap();
    format!("{info:?} {material:?}").replace("peer_note: Some(Any { .. })", "peer_note: None")
}

#[test]
fn what_was_agreed_goes_along() {
    for versions in [ProtocolVersions::TLS12, ProtocolVersions::TLS13] {
        let client = client_builder()
            .client_certificate(Arc::new(certified_key()))
            .versions(versions)
            .alpn(["other", "echo"])
            .keep_peer_chain(true);
        let server = server_builder()
            .versions(versions)
            .alpn(["echo"])
            .keep_peer_chain(true);
        let mut pair = Pair::new(client, server);
        pair.settle().unwrap();
        assert!(has_note(&pair.client));
        for end in [&mut pair.client, &mut pair.server] {
            let before = told(end);
            replace(end, &PROVIDER);
            assert_eq!(told(end), before);
        }
        let info = pair.client.connection.info();
        assert_eq!(info.alpn.as_deref(), Some(&b"echo"[..]));
        assert_eq!(info.peer_chain, [Box::from(CERTIFICATE)]);
        let info = pair.server.connection.info();
        assert_eq!(
            info.server_name.as_ref().unwrap().as_str(),
            "server.example"
        );
        // A note is no bytes; the importing side may have one of its own.
        assert!(!has_note(&pair.client));
        let exported = export(&mut pair.client);
        let importer = Importer::new(&PROVIDER).peer_note(Arc::new(common::NOTE));
        pair.client.connection = importer.import(exported.as_bytes()).unwrap().connection;
        assert!(has_note(&pair.client));
    }
}

#[test]
fn padding_and_sizes_of_records_go_along() {
    let padding = RecordPadding::ToMultipleOf(NonZeroU16::new(300).unwrap());
    let client = client_builder()
        .record_padding(padding)
        .record_size_limit(700);
    let mut pair = Pair::new(client, server_builder());
    pair.settle().unwrap();
    replace(&mut pair.client, &PROVIDER);
    replace(&mut pair.server, &PROVIDER);
    pair.client.write(b"short");
    // Header, padded content, content type and tag.
    assert_eq!(pair.client.out.len(), 5 + 300 + 1 + 16);
    pair.server.write(&[7; 2000]);
    let mut rest = pair.server.out.as_slice();
    while let [_, _, _, high, low, body @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        assert!(len <= 700 + 16);
        rest = &body[len..];
    }
    pair.settle().unwrap();
    assert_eq!(pair.client.received, [7; 2000]);
    assert_eq!(pair.server.received, b"short");
}

const LIFE: u64 = 16;

/// Suites whose keys are worn out after [`LIFE`] records.
static SHORT_LIVED: CryptoProvider = CryptoProvider {
    suites13: &[&Suite13 {
        id: CipherSuite::TLS13_AES_128_GCM_SHA256,
        aead: AES_128_GCM,
        hash: &SHA256,
        limits: UseLimits { seal_records: LIFE },
    }],
    suites12: &[&Suite12 {
        id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
        aead: AES_128_GCM,
        hash: &SHA256,
        limits: UseLimits { seal_records: LIFE },
        nonce: Nonce12::Explicit,
        authentication: Authentication12::Ecdsa,
    }],
    ..PROVIDER
};

/// Counts the KeyUpdates that are sent.
#[derive(Default)]
struct Updates(AtomicUsize);

impl Trace for Updates {
    fn event(&self, event: &TraceEvent<'_>) {
        if let TraceEvent::Message {
            direction: Direction::Sent,
            typ: HandshakeType::KEY_UPDATE,
            ..
        } = event
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// After which of 40 small writes a KeyUpdate had been sent, with an export before write `at`.
fn updates(at: Option<usize>) -> Vec<usize> {
    let updates = Arc::new(Updates::default());
    let client = ClientConfig::builder(&SHORT_LIVED, Arc::new(TrustOne)).trace(updates.clone());
    let server = ServerConfig::builder(&SHORT_LIVED, Arc::new(certified_key()));
    let mut pair = Pair::new(client, server);
    pair.settle().unwrap();
    let mut seen = Vec::new();
    for write in 0..40 {
        if at == Some(write) {
            let exported = export(&mut pair.client);
            let importer = Importer::new(&SHORT_LIVED).trace(updates.clone());
            pair.client.connection = importer.import(exported.as_bytes()).unwrap().connection;
        }
        pair.client.write(&[write as u8]);
        pair.settle().unwrap();
        if updates.0.swap(0, Ordering::Relaxed) > 0 {
            seen.push(write);
        }
    }
    assert_eq!(pair.server.received, (0..40).collect::<Vec<u8>>());
    seen
}

#[test]
fn keys_wear_out_at_the_same_record_wherever_they_are() {
    let expected = updates(None);
    assert_eq!(expected, [14, 28]);
    for at in 0..40 {
        assert_eq!(updates(Some(at)), expected, "exported before {at}");
    }
}

#[test]
fn keys_of_tls_1_2_end_at_the_same_record_wherever_they_are() {
    let last = |at: Option<usize>| {
        let mut pair = pair_of(&SHORT_LIVED, ProtocolVersions::TLS12);
        for write in 0.. {
            if at == Some(write) {
                replace(&mut pair.client, &SHORT_LIVED);
            }
            let written = pair.client.connection.write(&[b"x"], &mut pair.client.out);
            if written != Ok(1) {
                assert_eq!(written, Err(Misuse::KeyWornOut.into()));
                return write;
            }
        }
        unreachable!("keys wear out");
    };
    let expected = last(None);
    assert!((8..16).contains(&expected));
    for at in 0..=expected {
        assert_eq!(last(Some(at)), expected);
    }
}

/// RFC 9846, Section 4.7.3: who was asked is not asked again, and who was asked answers.
#[test]
fn open_requests_for_keys_go_along() {
    let mut pair = Pair::established();
    pair.client
        .connection
        .update_key(true, &mut pair.client.out)
        .unwrap();
    replace(&mut pair.client, &PROVIDER);
    let before = pair.client.out.len();
    pair.client
        .connection
        .update_key(true, &mut pair.client.out)
        .unwrap();
    carry(&mut pair.client, &mut pair.server);
    assert!(before > 0);
    pair.server.run().unwrap();
    replace(&mut pair.server, &PROVIDER);
    // The answer, and then the data: 27 and 23 bytes.
    pair.server.write(b"x");
    assert_eq!(pair.server.out.len(), 27 + 23);
    pair.server.write(b"y");
    assert_eq!(pair.server.out.len(), 27 + 23 + 23);
    pair.settle().unwrap();
    assert_eq!(pair.client.received, b"xy");
}

#[test]
fn closed_directions_stay_closed() {
    for mut pair in pairs() {
        pair.client.connection.close(&mut pair.client.out);
        replace(&mut pair.client, &PROVIDER);
        let refused = pair.client.connection.write(&[b"x"], &mut pair.client.out);
        assert_eq!(refused, Err(Misuse::WriteClosed.into()));
        let before = pair.client.out.len();
        pair.client.connection.close(&mut pair.client.out);
        assert_eq!(pair.client.out.len(), before);
        pair.settle().unwrap();
        replace(&mut pair.server, &PROVIDER);
        assert_eq!(pair.server.connection.end_of_input(), Ok(()));
        assert_eq!(pair.client.connection.end_of_input(), Err(Error::Truncated));
        pair.server.write(b"still open");
        pair.settle().unwrap();
        assert_eq!(pair.client.received, b"still open");
    }
}

#[test]
fn unfinished_business_goes_along() {
    let mut pair = Pair::established();
    pair.server.write(b"ciphertext");
    let unfinished = Unfinished {
        plaintext: b"plaintext",
        input: pair.server.out.as_slice(),
        output: b"output",
    };
    let exported = pair.client.connection.export_with(&unfinished).unwrap();
    let imported = Importer::new(&PROVIDER)
        .import(exported.as_bytes())
        .unwrap();
    assert_eq!(imported.unfinished, unfinished);
    let mut client = End::new(imported.connection);
    client.input.extend_from_slice(imported.unfinished.input);
    client.run().unwrap();
    assert_eq!(client.received, b"ciphertext");
}

#[test]
fn what_is_too_long_is_not_exported() {
    let long = vec![0; 1 << 24];
    let parts = [
        Unfinished {
            plaintext: &long,
            ..Unfinished::default()
        },
        Unfinished {
            input: &long,
            ..Unfinished::default()
        },
        Unfinished {
            output: &long,
            ..Unfinished::default()
        },
    ];
    let mut pair = Pair::established();
    let mut connection = pair.client.connection;
    for part in parts {
        let (same, reason) = connection.export_with(&part).unwrap_err();
        assert_eq!(reason, ExportError::TooLong);
        connection = same;
    }
    pair.client = End::new(connection);
    exchange(&mut pair, "as if nothing had happened");
}

/// The connection must come back as it was.
fn refused(end: &mut End) -> ExportError {
    let none = Connection::server(server_builder().build().unwrap());
    let connection = core::mem::replace(&mut end.connection, none);
    assert!(connection.can_export().is_err());
    let (connection, reason) = connection.export().unwrap_err();
    assert_eq!(connection.can_export(), Err(reason.clone()));
    end.connection = connection;
    reason
}

#[test]
fn handshakes_are_not_exported() {
    for versions in [ProtocolVersions::TLS12, ProtocolVersions::TLS13] {
        let client = client_builder().versions(versions);
        let mut pair = Pair::new(client, server_builder().versions(versions));
        let mut steps = 0;
        while pair.client.connection.is_handshaking() || pair.server.connection.is_handshaking() {
            for end in [&mut pair.client, &mut pair.server] {
                if end.connection.is_handshaking() {
                    assert_eq!(refused(end), ExportError::HandshakePending);
                }
            }
            let (from, to) = match steps % 2 {
                0 => (&mut pair.client, &mut pair.server),
                _ => (&mut pair.server, &mut pair.client),
            };
            carry(from, to);
            to.run().unwrap();
            steps += 1;
        }
        pair.settle().unwrap();
        exchange(&mut pair, "nothing happened");
    }
}

#[test]
fn failures_are_not_exported() {
    for mut pair in pairs() {
        pair.client.input = b"\x17\x03\x03\x00\x20not a record of this connection.".to_vec();
        let error = pair.client.run().unwrap_err();
        assert_eq!(error, PeerError::BadRecordMac.into());
        assert_eq!(refused(&mut pair.client), ExportError::Failed(error));
    }
}

#[test]
fn open_questions_and_requests_are_not_exported() {
    let case = common::client_auth::Case {
        choice: Time::Later,
        verdict: Time::Later,
        ..GOOD
    };
    let mut pair = case.later_pair();
    pair.settle().unwrap();
    assert_eq!(pair.server.connection.can_export(), Ok(()));
    let server = &mut pair.server;
    server
        .connection
        .request_client_certificate(&mut server.out)
        .unwrap();
    assert_eq!(refused(server), ExportError::RequestOpen);
    pair.settle().unwrap();
    assert_eq!(
        pair.client.events.last(),
        Some(&Event::Wait(waxwing_core::Wait::Certificate))
    );
    assert_eq!(refused(&mut pair.client), ExportError::QuestionOpen);
    let (_, answer) = case.answer(pair.client.connection.question().unwrap());
    pair.client
        .connection
        .answer(answer, &mut pair.client.out)
        .unwrap();
    pair.settle().unwrap();
    assert_eq!(refused(&mut pair.server), ExportError::QuestionOpen);
    let (_, answer) = case.answer(pair.server.connection.question().unwrap());
    pair.server
        .connection
        .answer(answer, &mut pair.server.out)
        .unwrap();
    pair.server.run().unwrap();
    assert_eq!(pair.server.events.last(), Some(&Event::ClientAuthenticated));
    // Now both can go, but without the right to ask again.
    for end in [&mut pair.client, &mut pair.server] {
        assert!(end.connection.info().post_handshake_auth);
        replace(end, &PROVIDER);
        assert!(!end.connection.info().post_handshake_auth);
    }
    let server = &mut pair.server;
    assert!(server.connection.info().client_authenticated);
    let refused = server
        .connection
        .request_client_certificate(&mut server.out);
    assert_eq!(refused, Err(Misuse::NoPostHandshakeAuth.into()));
    exchange(&mut pair, "goes on");
}

/// What `bytes` make: if a connection comes out, it has to bear what comes.
fn bear(bytes: &[u8], records: &[u8]) -> Result<Connection, ImportError> {
    let mut connection = Importer::new(&PROVIDER).import(bytes)?.connection;
    let mut out = Buffer::new();
    let mut input = records.to_vec();
    // Whatever is wrong with it has to be an error at most.
    let _ = connection.write(&[b"data", &[1; 20_000]], &mut out);
    let _ = connection.update_key(true, &mut out);
    while let Ok(progress) = connection.process(&mut input, &mut out) {
        input.drain(..progress.consumed);
        if matches!(progress.event, Event::NeedInput(_) | Event::PeerClosed) {
            break;
        }
    }
    connection.close(&mut out);
    Ok(connection)
}

#[test]
fn every_cut_and_every_change_is_refused_or_harmless() {
    for versions in [ProtocolVersions::TLS12, ProtocolVersions::TLS13] {
        let client = client_builder().versions(versions).keep_peer_chain(true);
        let mut pair = Pair::new(client, server_builder().versions(versions));
        pair.settle().unwrap();
        pair.server.write(b"what comes next");
        let records = pair.server.out.as_slice().to_vec();
        let exported = export(&mut pair.client);
        let bytes = exported.as_bytes();
        for len in 0..bytes.len() {
            assert!(bear(&bytes[..len], &records).is_err(), "{len} bytes");
        }
        let trailing = [bytes, &[0]].concat();
        let expected = DecodeError {
            field: "export",
            problem: Problem::Trailing,
        };
        assert_eq!(import_error(&trailing), expected.into());
        let mut accepted = 0;
        for at in 0..bytes.len() {
            for change in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                let mut changed = bytes.to_vec();
                changed[at] ^= change;
                accepted += usize::from(bear(&changed, &records).is_ok());
            }
        }
        // Most of it are secrets and numbers, which nothing tells from others.
        assert!(accepted > bytes.len());
    }
}

#[test]
fn with_wrong_keys_or_numbers_no_record_opens() {
    for mut pair in pairs() {
        let exported = export(&mut pair.client);
        let bytes = exported.as_bytes();
        let secret_len = usize::from(bytes[SECRET_LEN]);
        assert!(secret_len >= 16);
        let secret = SECRET_LEN + 1..SECRET_LEN + 1 + secret_len;
        pair.server.write(b"data");
        for at in SEQUENCE.chain(secret) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x10;
            let mut client = End::new(import(&PROVIDER, &changed));
            client.input = pair.server.out.as_slice().to_vec();
            assert_eq!(client.run(), Err(PeerError::BadRecordMac.into()), "{at}");
        }
        let mut client = End::new(import(&PROVIDER, bytes));
        carry(&mut pair.server, &mut client);
        client.run().unwrap();
        assert_eq!(client.received, b"data");
    }
}

#[test]
fn what_cannot_be_imported_is_named() {
    let mut pair = Pair::established();
    let exported = export(&mut pair.client);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = exported.as_bytes().to_vec();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        import_error(&changed)
    };
    assert_eq!(import_error(b""), ImportError::NotAnExport);
    assert_eq!(import_error(b"-----BEGIN"), ImportError::NotAnExport);
    assert_eq!(with(4, &[0, 2]), ImportError::Format(2));
    assert_eq!(
        with(6, &[3, 2]),
        ImportError::Version(ProtocolVersion::TLS11)
    );
    assert_eq!(
        with(6, &[3, 5]),
        ImportError::Version(ProtocolVersion(0x0305))
    );
    let ccm = CipherSuite::TLS13_AES_128_CCM_SHA256;
    assert_eq!(with(8, &ccm.0.to_be_bytes()), ImportError::CipherSuite(ccm));
    assert_eq!(with(10, &[2]), ImportError::Illegal("role"));
    let texts = [
        (
            with(4, &[0, 2]),
            "an exported connection in the unknown format 2",
        ),
        (
            with(8, &ccm.0.to_be_bytes()),
            "an exported connection with TLS_AES_128_CCM_SHA256, which the crypto provider does not \
             have",
        ),
        (
            import_error(&exported.as_bytes()[..30]),
            "a damaged exported connection: malformed message: secret ends too early",
        ),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn exports_are_not_printed() {
    let mut pair = Pair::established();
    let exported = export(&mut pair.client);
    assert_eq!(format!("{exported:?}"), "Exported");
    let unfinished = Unfinished {
        plaintext: b"secret",
        ..Unfinished::default()
    };
    let printed = format!("{unfinished:?}");
    assert_eq!(printed, "Unfinished { plaintext: 6, input: 0, output: 0 }");
}
