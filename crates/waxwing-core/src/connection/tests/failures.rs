//! What is left of a connection after an error.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, Ordering};

use waxwing_aws_lc::{AES_128_GCM, PROVIDER, SHA256};
use waxwing_crypto::{
    Aead, AeadKey, Authentication12, CipherSuite, CryptoError, CryptoProvider, Digest, IV_LEN,
    Nonce12, Suite12, Suite13, UseLimits,
};

use super::{Stage, plain};
use crate::connection::halves::{Role, WriteHalf};
use crate::connection::{Connection, State};
use crate::error::Misuse;
use crate::record::stream::{Tx, TxFlight};
use crate::record::{Epoch, EpochKeys, Flight, RecordPadding};
use crate::testing::tls12::server12;
use crate::testing::{Side, Trust, client_builder, server_builder};
use crate::{Acceptor, Buffer, ClientConfig, Error, PeerError, ProtocolVersions};

/// A key of it breaks after two records.
static BRITTLE: Suite13 = Suite13 {
    id: CipherSuite::TLS13_AES_128_GCM_SHA256,
    aead: &Brittle,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
};

/// The same in TLS 1.2.
static BRITTLE12: Suite12 = Suite12 {
    id: CipherSuite::TLS12_ECDHE_ECDSA_AES_128_GCM_SHA256,
    aead: &Brittle,
    hash: &SHA256,
    limits: UseLimits::AES_GCM,
    nonce: Nonce12::Explicit,
    authentication: Authentication12::Ecdsa,
};

static BRITTLE_PROVIDER: CryptoProvider = CryptoProvider {
    suites12: &[&BRITTLE12],
    ..PROVIDER
};

struct Brittle;

struct BrittleKey {
    key: Box<dyn AeadKey>,
    left: AtomicU8,
}

impl Aead for Brittle {
    fn key_len(&self) -> usize {
        AES_128_GCM.key_len()
    }

    fn new_key(&self, key: &[u8]) -> Result<Box<dyn AeadKey>, CryptoError> {
        Ok(Box::new(BrittleKey {
            key: AES_128_GCM.new_key(key)?,
            left: AtomicU8::new(2),
        }))
    }
}

impl AeadKey for BrittleKey {
    fn seal(
        &self,
        nonce: &[u8; IV_LEN],
        aad: &[u8],
        plain: &[u8],
        tail: &[u8],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        match self.left.load(Ordering::Relaxed) {
            0 => Err(CryptoError::Failed),
            left => {
                self.left.store(left - 1, Ordering::Relaxed);
                self.key.seal(nonce, aad, plain, tail, out)
            }
        }
    }

    fn seal_in_place(&self, _: &[u8; IV_LEN], _: &[u8], _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Failed)
    }

    fn open_in_place(
        &self,
        _: &[u8; IV_LEN],
        _: &[u8],
        _: &mut [u8],
    ) -> Result<usize, CryptoError> {
        Err(CryptoError::Failed)
    }
}

fn brittle() -> WriteHalf {
    let mut tx = Tx::new();
    let keys = EpochKeys {
        epoch: Epoch::Application,
        suite: &BRITTLE,
        secret: Digest::from_slice(&[7; 32]).unwrap(),
    };
    let mut flight = TxFlight {
        tx: &mut tx,
        out: &mut Buffer::new(),
    };
    flight.install_write(keys).unwrap();
    WriteHalf::new(tx, RecordPadding::None, None)
}

#[test]
fn nothing_follows_a_write_that_failed_in_the_middle() {
    let data: Vec<u8> = (0..50_000u32).map(|i| i as u8).collect();
    let mut out = Buffer::new();
    let mut half = brittle();
    assert_eq!(
        half.write(&[&data], &mut out),
        Err(CryptoError::Failed.into())
    );
    let sent = out.len();
    assert_eq!(
        half.write(&[b"more"], &mut out),
        Err(Misuse::WriteClosed.into())
    );
    half.close(&mut out);
    assert_eq!(out.len(), sent);
}

#[test]
fn a_connection_that_could_not_send_has_failed() {
    let stage = Stage::established(true);
    let (read, _, info) = stage.connection.split().unwrap();
    let mut connection = Connection {
        state: State::Traffic(Box::new(info), read, brittle(), None),
        role: Role::Client,
    };
    let mut out = Buffer::new();
    connection.update_key(false, &mut out).unwrap();
    connection.write(&[b"one"], &mut out).unwrap();
    connection.write(&[b"two"], &mut out).unwrap();
    let error = Err(Error::Crypto(CryptoError::Failed));
    assert_eq!(connection.update_key(false, &mut out), error);
    out.clear();
    assert_eq!(connection.write(&[b"more"], &mut out).map(drop), error);
    assert_eq!(connection.process(&mut [], &mut out).map(drop), error);
    connection.close(&mut out);
    assert!(out.is_empty());
    assert!(connection.info().cipher_suite.is_some());
}

/// The client's key seals its Finished and nothing more than one record; it opens none. Nothing
/// that was not sealed goes out in the clear instead.
#[test]
fn a_key_of_tls12_that_fails_ends_the_connection() {
    let old = ProtocolVersions::TLS12;
    let trust = Arc::new(Trust::Now);
    let client = ClientConfig::builder(&BRITTLE_PROVIDER, trust).versions(old);
    let mut stage = Stage::client(client, server12());
    stage.give_messages(4);
    stage.deliver();
    stage.give(&plain(20, &[1])).unwrap();
    let finished = stage.puppet.side.flight.sent.remove(0).1;
    let record = stage.protected(22, &finished);
    let failed: Error = CryptoError::Failed.into();
    assert_eq!(stage.give(&record), Err(failed.clone()));
    assert_eq!(stage.connection.failure(), Some(&failed));
    // Two records are what the key seals: the Finished, and the alert.
    assert_eq!(stage.deliver(), [(21, vec![2, 80])]);
    stage.connection.close(&mut stage.out);
    assert!(stage.out.is_empty());
}

#[test]
fn a_read_half_repeats_its_error() {
    let mut stage = Stage::established(true);
    let mut good = stage.protected(23, b"good");
    let (mut read, ..) = stage.connection.split().unwrap();
    let mut forged = good.clone();
    forged[7] ^= 1;
    let error: Error = PeerError::BadRecordMac.into();
    assert_eq!(read.process(&mut forged), Err(error.clone()));
    assert_eq!(read.process(&mut good), Err(error.clone()));
    assert_eq!(read.end_of_input(), Err(error));
}

#[test]
fn a_handshake_ends_when_it_is_closed() {
    for client in [true, false] {
        let mut stage = if client {
            Stage::client(client_builder(), server_builder())
        } else {
            Stage::server(server_builder(), client_builder())
        };
        let records = stage.puppet.records(1);
        stage.connection.close(&mut stage.out);
        assert_eq!(stage.deliver(), [(21, vec![1, 0])]);
        let closed: Error = Misuse::Closed.into();
        assert_eq!(stage.give(&records[0]), Err(closed.clone()));
        stage.connection.close(&mut stage.out);
        assert!(stage.out.is_empty(), "nothing follows close_notify");
        assert_eq!(stage.connection.end_of_input(), Err(closed));
    }
}

#[test]
fn an_acceptor_that_failed_leads_to_a_connection_that_has() {
    let mut acceptor = Acceptor::new();
    let mut out = Buffer::new();
    let error: Error = PeerError::PlaintextHttp.into();
    let refused = acceptor.process(&mut b"GET / HTTP/1.1".to_vec(), &mut out);
    assert_eq!(refused, Err(error.clone()));
    out.clear();
    let mut client = Side::client(client_builder());
    let mut hello = plain(22, &client.sent()[0]);
    let mut connection = acceptor.accept(server_builder().build().unwrap());
    assert_eq!(connection.process(&mut hello, &mut out), Err(error));
    assert!(out.is_empty(), "the client heard of it before");
}
