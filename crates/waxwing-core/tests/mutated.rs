//! Somebody between the two who changes, drops, repeats and reorders what goes over the wire: the
//! two may fail, but never both complete the handshake and disagree.

mod common;

use std::sync::Arc;

use common::{CERTIFICATE, End, Pair, certified_key, server_builder, server_key};
use proptest::prelude::*;
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    ClientAuth, ClientCertRequest, ClientCertVerifier, ClientConfig, ConnectionInfo, Event,
    ProtocolVersions, ServerCertRequest, ServerCertVerifier, Verdict, Verified,
};

const HEADER: usize = 5;

/// Takes any certificate for that of the one key: that it was the right one must show elsewhere.
#[derive(Debug)]
struct Gullible;

fn accepted() -> Verdict {
    Verdict::Accepted(Verified::holder_of(server_key().public_key().unwrap()))
}

impl ServerCertVerifier for Gullible {
    fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
        accepted()
    }
}

impl ClientCertVerifier for Gullible {
    fn verify(&self, _: &ClientCertRequest<'_>) -> Verdict {
        accepted()
    }
}

/// What the two speak.
#[derive(Clone, Copy, Debug)]
struct Setting {
    versions: ProtocolVersions,
    client_auth: bool,
}

const TLS12: ProtocolVersions = ProtocolVersions::TLS12;
const TLS13: ProtocolVersions = ProtocolVersions::TLS13;

fn pair(setting: Setting) -> Pair {
    let mut client = ClientConfig::builder(&PROVIDER, Arc::new(Gullible))
        .versions(setting.versions)
        .alpn(["h2", "http/1.1"])
        .keep_peer_chain(true);
    let mut server = server_builder()
        .versions(setting.versions)
        .alpn(["http/1.1", "h2"])
        .keep_peer_chain(true);
    if setting.client_auth {
        client = client.client_certificate(Arc::new(certified_key()));
        server = server.client_auth(ClientAuth::Optional(Arc::new(Gullible)));
    }
    Pair::new(client, server)
}

/// Something done to one record.
#[derive(Clone, Debug)]
enum Change {
    /// This byte, counted round and round, is XORed with this.
    Flip(usize, u8),
    /// The lowest bit of this byte after the header, counted round and round.
    FlipContent(usize),
    /// Everything from there on is lost, and the length in the header fits again.
    Cut(usize),
    /// These bytes come at the end, and the length fits again.
    Extend(Vec<u8>),
    /// It never arrives.
    Drop,
    /// It arrives twice.
    Twice,
    /// It arrives after the next one.
    Late,
    /// It comes with another type.
    Retype(u8),
}

fn fit_length(record: &mut [u8]) {
    let len = (record.len() - HEADER) as u16;
    record[3..HEADER].copy_from_slice(&len.to_be_bytes());
}

/// The records of one direction as they arrive.
fn change(records: Vec<Vec<u8>>, first: usize, changes: &[(usize, Change)]) -> Vec<u8> {
    let mut arriving = Vec::new();
    let mut late = Vec::new();
    for (index, mut record) in records.into_iter().enumerate() {
        let mut copies = 1;
        let mut waits = false;
        for (_, change) in changes.iter().filter(|(nth, _)| *nth == first + index) {
            match change {
                Change::Flip(at, with) => {
                    let at = at % record.len();
                    record[at] ^= with;
                }
                Change::FlipContent(at) => {
                    let at = HEADER + at % (record.len() - HEADER);
                    record[at] ^= 1;
                }
                Change::Cut(at) => {
                    record.truncate(HEADER + at % (record.len() - HEADER + 1));
                    fit_length(&mut record);
                }
                Change::Extend(bytes) => {
                    record.extend_from_slice(bytes);
                    fit_length(&mut record);
                }
                Change::Drop => copies = 0,
                Change::Twice => copies = 2,
                Change::Late => waits = true,
                Change::Retype(typ) => record[0] = *typ,
            }
        }
        let record = record.repeat(copies);
        if waits {
            late.extend(record);
        } else {
            arriving.extend(record);
            arriving.append(&mut late);
        }
    }
    arriving.append(&mut late);
    arriving
}

/// Takes what an end has to send, record by record.
fn records(end: &mut End) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut rest = end.out.as_slice();
    while !rest.is_empty() {
        let len = HEADER + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
        let (record, after) = rest.split_at(len);
        records.push(record.to_vec());
        rest = after;
    }
    end.out.clear();
    records
}

/// Brings what `from` has to send to `to`; returns how many records it was.
fn pass(from: &mut End, to: &mut End, sent: usize, changes: &[(usize, Change)]) -> usize {
    let records = records(from);
    let count = records.len();
    to.input.extend(change(records, sent, changes));
    // A failure shows later.
    let _ = to.run();
    count
}

/// Lets the two go on until nothing moves; `changes` name records by their number on the wire.
fn run(pair: &mut Pair, changes: &[(usize, Change)]) {
    let mut sent = 0;
    let Pair { client, server } = pair;
    while !client.out.is_empty() || !server.out.is_empty() {
        sent += pass(client, server, sent, changes);
        sent += pass(server, client, sent, changes);
    }
}

fn is_complete(end: &End) -> bool {
    end.events.contains(&Event::HandshakeComplete) && end.connection.failure().is_none()
}

/// Both complete means that both agree.
fn agree(pair: &Pair) {
    let [client, server] = [&pair.client, &pair.server].map(|end| end.connection.info());
    assert_eq!(client.version, server.version);
    assert_eq!(client.cipher_suite, server.cipher_suite);
    assert_eq!(client.group, server.group);
    assert_eq!(client.alpn, server.alpn);
    assert_eq!(client.signature_scheme, server.signature_scheme);
    assert_eq!(
        client.client_signature_scheme,
        server.client_signature_scheme
    );
    assert_eq!(client.extended_main_secret, server.extended_main_secret);
    assert_eq!(
        server.server_name.as_ref().map(|name| name.as_str()),
        Some("server.example")
    );
    assert_eq!(client.peer_chain.concat(), CERTIFICATE);
    let shown = client.client_signature_scheme.is_some();
    assert_eq!(server.client_authenticated, shown);
    assert_eq!(server.peer_chain.is_empty(), !shown);
    let export = |info: &ConnectionInfo| {
        let mut out = [0; 32];
        let exporter = info.exporter.as_ref().unwrap();
        exporter
            .export(b"EXPORTER-same", Some(b"context"), &mut out)
            .unwrap();
        out
    };
    assert_eq!(export(client), export(server));
}

const SETTINGS: [Setting; 4] = [
    Setting {
        versions: TLS12,
        client_auth: false,
    },
    Setting {
        versions: TLS12,
        client_auth: true,
    },
    Setting {
        versions: TLS13,
        client_auth: false,
    },
    Setting {
        versions: TLS13,
        client_auth: true,
    },
];

#[test]
fn without_a_change_both_complete() {
    for setting in SETTINGS {
        let mut pair = pair(setting);
        run(&mut pair, &[]);
        assert!(is_complete(&pair.client) && is_complete(&pair.server));
        agree(&pair);
        let info = pair.server.connection.info();
        assert_eq!(info.client_authenticated, setting.client_auth);
        assert_eq!(info.alpn.as_deref(), Some(&b"http/1.1"[..]));
    }
}

/// In TLS 1.2 every byte of every message goes unprotected until the Finished, which covers it.
#[test]
fn no_byte_of_a_message_can_be_changed() {
    for setting in &SETTINGS[..2] {
        // The records before the first change_cipher_spec are made of messages.
        let mut lengths = Vec::new();
        let mut whole = pair(*setting);
        let Pair { client, server } = &mut whole;
        for _ in 0..3 {
            let records = records(client);
            let messages = records.iter().take_while(|record| record[0] == 22);
            lengths.extend(messages.map(Vec::len));
            server.input.extend(records.concat());
            server.run().unwrap();
            core::mem::swap(client, server);
        }
        for (nth, len) in lengths.iter().enumerate() {
            // Signatures differ in length, so a record may be shorter than it was.
            for at in 0..*len - HEADER {
                let mut pair = pair(*setting);
                run(&mut pair, &[(nth, Change::FlipContent(at))]);
                let both = is_complete(&pair.client) && is_complete(&pair.server);
                assert!(!both, "byte {at} of record {nth}");
            }
        }
    }
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (0..2000usize, 1u8..).prop_map(|(at, with)| Change::Flip(at, with)),
        1 => (0..2000usize).prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Change::Extend),
        1 => Just(Change::Drop),
        1 => Just(Change::Twice),
        1 => Just(Change::Late),
        1 => (20u8..25).prop_map(Change::Retype),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_two_never_disagree(
        setting in prop::sample::select(SETTINGS.to_vec()),
        changes in prop::collection::vec((0..9usize, any_change()), 1..4),
    ) {
        let mut pair = pair(setting);
        run(&mut pair, &changes);
        if is_complete(&pair.client) && is_complete(&pair.server) {
            agree(&pair);
            // What went wrong later ends nothing that was agreed: data still arrives whole.
            pair.client.write(b"from the client");
            pair.server.write(b"from the server");
            run(&mut pair, &[]);
            let arrived = |end: &End, data: &[u8]| {
                end.received == data || end.connection.failure().is_some() || !end.input.is_empty()
            };
            prop_assert!(arrived(&pair.server, b"from the client"));
            prop_assert!(arrived(&pair.client, b"from the server"));
        }
    }
}
