//! Keys for the kernel, which is played by aws-lc-rs itself: whoever seals and opens with nothing
//! but what `KernelKey` tells has to be understood by a connection that has all.

mod common;

use std::sync::Arc;

use aws_lc_rs::aead;
use common::client_auth::GOOD;
use common::{End, Pair, TrustOne, certified_key, server_builder};
use waxwing_aws_lc::{AES_128_GCM, PROVIDER, SHA256};
use waxwing_core::limits::{MAX_KEY_UPDATES, MAX_TICKETS};
use waxwing_core::{
    AlertDescription, ClientConfig, Connection, Error, Event, ExportError, ForKernel, KernelEvent,
    KernelKey, KernelTraffic, Misuse, PeerError, ProtocolVersion, ProtocolVersions, ServerConfig,
};
use waxwing_crypto::{
    Authentication12, CipherSuite, CryptoProvider, Nonce12, Suite12, Suite13, UseLimits,
};

/// One direction, as the kernel keeps it: `struct tls12_crypto_info_…`, taken apart by its layout.
struct Kernel {
    tls13: bool,
    explicit: bool,
    iv: Vec<u8>,
    salt: Vec<u8>,
    key: aead::LessSafeKey,
    rec_seq: u64,
}

impl Kernel {
    fn new(key: &KernelKey) -> Self {
        let info = key.crypto_info();
        let (version, rest) = info.split_first_chunk().unwrap();
        let (cipher, rest) = rest.split_first_chunk().unwrap();
        let version = u16::from_ne_bytes(*version);
        // TLS_CIPHER_…: …_IV_SIZE, …_KEY_SIZE, …_SALT_SIZE.
        let (algorithm, iv, key_len, salt) = match u16::from_ne_bytes(*cipher) {
            51 => (&aead::AES_128_GCM, 8, 16, 4),
            52 => (&aead::AES_256_GCM, 8, 32, 4),
            54 => (&aead::CHACHA20_POLY1305, 12, 32, 0),
            other => panic!("an unknown cipher {other}"),
        };
        assert_eq!(key.version(), ProtocolVersion(version));
        let (iv, rest) = rest.split_at(iv);
        let (raw, rest) = rest.split_at(key_len);
        let (salt, rec_seq) = rest.split_at(salt);
        assert_eq!((iv, raw), (key.iv(), key.key()));
        assert_eq!((salt, rec_seq), (key.salt(), &key.rec_seq()[..]));
        let unbound = aead::UnboundKey::new(algorithm, raw).unwrap();
        Self {
            tls13: version == 0x0304,
            explicit: version == 0x0303 && !salt.is_empty(),
            iv: iv.to_vec(),
            salt: salt.to_vec(),
            key: aead::LessSafeKey::new(unbound),
            rec_seq: u64::from_be_bytes(rec_seq.try_into().unwrap()),
        }
    }

    fn nonce(&self, explicit: &[u8]) -> aead::Nonce {
        let mut nonce: Vec<u8> = [&self.salt[..], &self.iv].concat();
        if self.explicit {
            nonce[4..].copy_from_slice(explicit);
        } else {
            let number = self.rec_seq.to_be_bytes();
            nonce[4..]
                .iter_mut()
                .zip(number)
                .for_each(|(byte, number)| *byte ^= number);
        }
        aead::Nonce::try_assume_unique_for_key(&nonce).unwrap()
    }

    fn aad(&self, typ: u8, len: usize, record: usize) -> Vec<u8> {
        let number = self.rec_seq.to_be_bytes();
        let len = (len as u16).to_be_bytes();
        let record = (record as u16).to_be_bytes();
        if self.tls13 {
            [&[23, 3, 3], &record[..]].concat()
        } else {
            [&number[..], &[typ, 3, 3], &len].concat()
        }
    }

    fn advance(&mut self) {
        self.rec_seq += 1;
        if self.explicit {
            let counter = u64::from_be_bytes(self.iv[..].try_into().unwrap()) + 1;
            self.iv = counter.to_be_bytes().to_vec();
        }
    }

    fn seal(&mut self, typ: u8, content: &[u8]) -> Vec<u8> {
        let mut body = content.to_vec();
        if self.tls13 {
            body.push(typ);
        }
        let explicit = if self.explicit {
            self.iv.clone()
        } else {
            Vec::new()
        };
        let len = explicit.len() + body.len() + 16;
        let aad = aead::Aad::from(self.aad(typ, content.len(), len));
        let nonce = self.nonce(&explicit);
        self.key
            .seal_in_place_append_tag(nonce, aad, &mut body)
            .unwrap();
        self.advance();
        let outer = if self.tls13 { 23 } else { typ };
        let header = [&[outer, 3, 3], &(len as u16).to_be_bytes()[..]].concat();
        [header, explicit, body].concat()
    }

    /// The records in `bytes`: their types and contents.
    fn open(&mut self, mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut records = Vec::new();
        while let [outer, _, _, high, low, rest @ ..] = bytes {
            let (record, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            bytes = rest;
            let (explicit, sealed) = record.split_at(if self.explicit { 8 } else { 0 });
            let mut body = sealed.to_vec();
            let aad = aead::Aad::from(self.aad(*outer, sealed.len() - 16, record.len()));
            let nonce = self.nonce(explicit);
            let len = self.key.open_in_place(nonce, aad, &mut body).unwrap().len();
            body.truncate(len);
            let typ = if self.tls13 {
                body.pop().unwrap()
            } else {
                *outer
            };
            self.advance();
            records.push((typ, body));
        }
        records
    }
}

/// An application whose kernel does the records.
struct Offloaded {
    send: Kernel,
    receive: Kernel,
    traffic: KernelTraffic,
    received: Vec<u8>,
}

impl Offloaded {
    fn new(connection: Connection) -> Self {
        let ForKernel {
            receive,
            send,
            traffic,
        } = connection.into_kernel().unwrap();
        Self {
            send: Kernel::new(&send),
            receive: Kernel::new(&receive),
            traffic,
            received: Vec::new(),
        }
    }

    /// Takes what the peer sent; what came that is no data.
    fn run(&mut self, peer: &mut End) -> Result<Vec<KernelEvent>, Error> {
        let mut events = Vec::new();
        for record in records(peer.out.as_slice()) {
            for (typ, content) in self.receive.open(record) {
                let event = self.traffic.received(typ, &content)?;
                if let KernelEvent::ReceiveKey(key) = &event {
                    self.receive = Kernel::new(key);
                }
                if typ == 23 {
                    self.received.extend(content);
                } else {
                    events.push(event);
                }
            }
        }
        peer.out.clear();
        Ok(events)
    }

    fn send(&mut self, peer: &mut End, typ: u8, content: &[u8]) -> Result<(), Error> {
        peer.input.extend(self.send.seal(typ, content));
        self.traffic.set_send_sequence(self.send.rec_seq);
        peer.run()
    }

    fn update_key(&mut self, peer: &mut End, ask: bool) {
        let update = self.traffic.update_key(ask).unwrap();
        self.send(peer, 22, &update.message).unwrap();
        self.send = Kernel::new(&update.send);
        self.traffic.set_send_sequence(self.send.rec_seq);
    }

    fn exchange(&mut self, peer: &mut End) {
        peer.received.clear();
        self.received.clear();
        for len in [1, 1000, 16_384] {
            self.send(peer, 23, &vec![7; len]).unwrap();
            peer.write(&vec![9; len]);
        }
        self.run(peer).unwrap();
        assert!(peer.received == vec![7; 17_385]);
        assert!(self.received == vec![9; 17_385]);
    }
}

/// The records of a stream, header included.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while let [_, _, _, high, low, ..] = bytes {
        let len = 5 + usize::from(u16::from_be_bytes([*high, *low]));
        let (record, rest) = bytes.split_at(len);
        records.push(record);
        bytes = rest;
    }
    records
}

fn pair_of(provider: &'static CryptoProvider, versions: ProtocolVersions) -> Pair {
    let client = ClientConfig::builder(provider, Arc::new(TrustOne)).versions(versions);
    let server = ServerConfig::builder(provider, Arc::new(certified_key())).versions(versions);
    let mut pair = Pair::new(client, server);
    pair.settle().unwrap();
    // In the middle of traffic: the numbers differ in both directions.
    pair.client.write(b"one");
    pair.server.write(b"two");
    pair.server.write(b"three");
    pair.settle().unwrap();
    pair
}

/// Every suite that the keys of these tests can be used with.
fn suites() -> Vec<(&'static CryptoProvider, ProtocolVersions)> {
    let new = |suites13, suites12| -> &'static CryptoProvider {
        Box::leak(Box::new(CryptoProvider {
            suites13,
            suites12,
            ..PROVIDER
        }))
    };
    let tls13 = PROVIDER.suites13.iter().map(|suite| {
        let suites = core::slice::from_ref(suite);
        (new(suites, PROVIDER.suites12), ProtocolVersions::TLS13)
    });
    let fit = |suite: &&&Suite12| suite.authentication == Authentication12::Ecdsa;
    let tls12 = PROVIDER.suites12.iter().filter(fit).map(|suite| {
        let suites = core::slice::from_ref(suite);
        (new(PROVIDER.suites13, suites), ProtocolVersions::TLS12)
    });
    tls13.chain(tls12).collect()
}

/// An offloaded client or server, and its peer.
fn offloaded(
    provider: &'static CryptoProvider,
    versions: ProtocolVersions,
    client: bool,
) -> (Offloaded, End) {
    let Pair {
        client: near,
        server: far,
    } = pair_of(provider, versions);
    if client {
        (Offloaded::new(near.connection), far)
    } else {
        (Offloaded::new(far.connection), near)
    }
}

#[test]
fn every_suite_carries_data_and_goodbyes() {
    let suites = suites();
    assert_eq!(suites.len(), 6);
    for (provider, versions) in suites {
        for client in [true, false] {
            let (mut own, mut peer) = offloaded(provider, versions, client);
            let suite = own.traffic.info().cipher_suite;
            assert_eq!(suite, peer.connection.info().cipher_suite);
            own.exchange(&mut peer);
            let close = own.traffic.close().unwrap();
            own.send(&mut peer, 21, &close).unwrap();
            assert_eq!(peer.events.last(), Some(&Event::PeerClosed));
            assert_eq!(own.traffic.close(), None);
            assert_eq!(own.traffic.end_of_input(), Err(Error::Truncated));
            peer.connection.close(&mut peer.out);
            let events = own.run(&mut peer).unwrap();
            assert!(matches!(events[..], [KernelEvent::PeerClosed]));
            assert_eq!(own.traffic.end_of_input(), Ok(()));
        }
    }
}

#[test]
fn keys_change_in_both_directions() {
    for suite in PROVIDER.suites13 {
        let provider: &'static CryptoProvider = Box::leak(Box::new(CryptoProvider {
            suites13: core::slice::from_ref(suite),
            ..PROVIDER
        }));
        for client in [true, false] {
            let (mut own, mut peer) = offloaded(provider, ProtocolVersions::TLS13, client);
            for _ in 0..3 {
                peer.connection.update_key(false, &mut peer.out).unwrap();
                let events = own.run(&mut peer).unwrap();
                assert!(matches!(events[..], [KernelEvent::ReceiveKey(_)]));
                assert!(!own.traffic.is_update_due());
                own.exchange(&mut peer);
                own.update_key(&mut peer, false);
                own.exchange(&mut peer);
            }
        }
    }
}

/// RFC 9846, Section 4.7.3.
#[test]
fn requests_for_keys_are_answered_and_not_repeated() {
    let (mut own, mut peer) = offloaded(&PROVIDER, ProtocolVersions::TLS13, true);
    peer.connection.update_key(true, &mut peer.out).unwrap();
    own.run(&mut peer).unwrap();
    assert!(own.traffic.is_update_due());
    own.update_key(&mut peer, true);
    assert!(!own.traffic.is_update_due());
    // The peer has not answered: it is not asked again.
    let update = own.traffic.update_key(true).unwrap();
    assert_eq!(update.message, [24, 0, 0, 1, 0]);
    own.send(&mut peer, 22, &update.message).unwrap();
    own.send = Kernel::new(&update.send);
    peer.write(b"the answer comes before this");
    let events = own.run(&mut peer).unwrap();
    assert!(matches!(events[..], [KernelEvent::ReceiveKey(_)]));
    assert!(!own.traffic.is_update_due());
    let update = own.traffic.update_key(true).unwrap();
    assert_eq!(update.message, [24, 0, 0, 1, 1]);
}

const LIFE: u64 = 16;

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

#[test]
fn worn_out_keys_are_told_of_in_time() {
    let (mut own, mut peer) = offloaded(&SHORT_LIVED, ProtocolVersions::TLS13, true);
    // One record came before; two are kept back.
    for left in (1..=13).rev() {
        assert_eq!(own.traffic.records_left(), left);
        assert!(!own.traffic.is_update_due());
        own.send(&mut peer, 23, b"x").unwrap();
    }
    assert_eq!(own.traffic.records_left(), 0);
    assert!(own.traffic.is_update_due());
    own.update_key(&mut peer, false);
    assert_eq!(own.traffic.records_left(), LIFE - 2);
    own.exchange(&mut peer);

    let (own, _) = offloaded(&SHORT_LIVED, ProtocolVersions::TLS12, true);
    let left = own.traffic.records_left();
    assert!((1..LIFE).contains(&left));
    let mut traffic = own.traffic;
    traffic.set_send_sequence(LIFE);
    assert_eq!(traffic.records_left(), 0);
    assert!(!traffic.is_update_due());
    assert_eq!(
        traffic.update_key(false).unwrap_err(),
        Misuse::NoKeyUpdate.into()
    );
}

#[test]
fn what_breaks_a_rule_has_its_alert() {
    let key_update = [24, 0, 0, 1, 0];
    let ticket = [&[4, 0, 0, 16][..], &[0; 8], &[0], &[0, 3, 7, 7, 7], &[0, 0]].concat();
    let cases: [(u8, Vec<u8>, Error, Option<u8>); 7] = [
        (
            22,
            vec![20, 0, 0, 0],
            PeerError::UnexpectedMessage.into(),
            Some(10),
        ),
        (
            22,
            vec![24, 0, 0, 1, 2],
            PeerError::BadKeyUpdate.into(),
            Some(47),
        ),
        (
            22,
            [key_update, key_update].concat(),
            PeerError::MessageSpansKeyChange.into(),
            Some(10),
        ),
        (22, vec![], PeerError::EmptyHandshakeRecord.into(), Some(10)),
        (
            20,
            vec![1],
            PeerError::UnexpectedChangeCipherSpec.into(),
            Some(10),
        ),
        (24, vec![1], PeerError::Heartbeat.into(), Some(10)),
        (
            21,
            vec![2, 80],
            Error::Alert(AlertDescription::INTERNAL_ERROR),
            None,
        ),
    ];
    for (typ, content, error, alert) in cases {
        let (mut own, _) = offloaded(&PROVIDER, ProtocolVersions::TLS13, true);
        assert_eq!(own.traffic.received(typ, &content).unwrap_err(), error);
        assert_eq!(own.traffic.received(23, b"x").unwrap_err(), error);
        assert_eq!(own.traffic.end_of_input(), Err(error.clone()));
        assert_eq!(own.traffic.fail(&error), alert.map(|alert| [2, alert]));
        assert_eq!(own.traffic.close(), None);
    }
    // Messages may come in parts, and several in one record; tickets have a limit.
    let (mut own, _) = offloaded(&PROVIDER, ProtocolVersions::TLS13, true);
    let (first, second) = ticket.split_at(7);
    for part in [first, second, &[&ticket[..], &key_update].concat()] {
        own.traffic.received(22, part).unwrap();
    }
    own.traffic.received(23, b"data between").unwrap();
    for _ in 0..MAX_TICKETS {
        own.traffic.received(22, &ticket).unwrap();
    }
    let refused = own.traffic.received(22, &ticket).unwrap_err();
    assert_eq!(refused, PeerError::TooManyTickets.into());
    let (mut own, _) = offloaded(&PROVIDER, ProtocolVersions::TLS13, false);
    for _ in 0..MAX_KEY_UPDATES {
        own.traffic.received(22, &key_update).unwrap();
    }
    let refused = own.traffic.received(22, &key_update).unwrap_err();
    assert_eq!(refused, PeerError::TooManyKeyUpdates.into());
}

#[test]
fn renegotiation_is_refused() {
    let (mut own, mut peer) = offloaded(&PROVIDER, ProtocolVersions::TLS12, true);
    let event = own.traffic.received(22, &[0, 0, 0, 0]).unwrap();
    let KernelEvent::SendAlert(alert) = event else {
        panic!("{event:?}");
    };
    assert_eq!(alert, [1, AlertDescription::NO_RENEGOTIATION.0]);
    own.send(&mut peer, 21, &alert).unwrap();
    own.exchange(&mut peer);
}

#[test]
fn what_the_kernel_cannot_do_stays_a_connection() {
    let fresh = Connection::server(server_builder().build().unwrap());
    let (fresh, reason) = fresh.into_kernel().unwrap_err();
    assert_eq!(reason, ExportError::HandshakePending);
    assert!(fresh.is_handshaking());

    static STRANGE: CryptoProvider = CryptoProvider {
        suites13: &[&Suite13 {
            id: CipherSuite::TLS13_AES_128_CCM_8_SHA256,
            aead: AES_128_GCM,
            hash: &SHA256,
            limits: UseLimits::AES_GCM,
        }],
        ..PROVIDER
    };
    let mut pair = pair_of(&STRANGE, ProtocolVersions::TLS13);
    let (connection, reason) = pair.client.connection.into_kernel().unwrap_err();
    let suite = CipherSuite::TLS13_AES_128_CCM_8_SHA256;
    assert_eq!(reason, ExportError::NotForKernel(suite));
    pair.client.connection = connection;
    pair.client.received.clear();
    pair.server.write(b"goes on");
    pair.settle().unwrap();
    assert_eq!(pair.client.received, b"goes on");

    let mut pair = GOOD.later_pair();
    pair.settle().unwrap();
    let server = &mut pair.server;
    server
        .connection
        .request_client_certificate(&mut server.out)
        .unwrap();
    let (_, reason) = pair.server.connection.into_kernel().unwrap_err();
    assert_eq!(reason, ExportError::RequestOpen);
}

#[test]
fn keys_are_not_printed_and_limits_are_told() {
    let (own, _) = offloaded(&PROVIDER, ProtocolVersions::TLS13, true);
    assert_eq!(own.traffic.max_sent_fragment(), 16_384);
    let pair = pair_of(&PROVIDER, ProtocolVersions::TLS13);
    let keys = pair.client.connection.into_kernel().unwrap();
    let printed = format!("{:?}", keys.send);
    assert_eq!(printed, "KernelKey(TLSv1.3, TLS_AES_128_GCM_SHA256)");
}
