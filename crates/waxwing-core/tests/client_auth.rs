//! Client certificates in TLS 1.3, between two engines.

mod common;

use std::sync::Arc;

use common::client_auth::{Case, Shows, Time, run};
use common::{CERTIFICATE, Pair, certified_key, client_builder, has_note, server_builder};
use waxwing_core::{
    Answer, CertificateError, CertifiedKey, ClientAuth, Connection, Error, Event, Misuse, Wait,
};
use waxwing_crypto::{CryptoError, SignatureScheme, Signing, SigningKey};

#[test]
fn every_way_for_it_to_go() {
    for case in Case::all() {
        let mut pair = case.pair();
        let (waits, result) = run(&mut pair, case);
        let info = pair.server.connection.info();
        let shown = result.clone().map(|()| info.client_authenticated);
        assert_eq!(shown, case.result(), "{case:?}");
        assert_eq!(waits, case.waits(), "{case:?}");
        let client = pair.client.connection.info();
        assert!(client.client_auth_requested);
        if result.is_err() {
            assert!(!has_note(&pair.server), "{case:?}");
            continue;
        }
        assert_eq!(has_note(&pair.server), shown == Ok(true), "{case:?}");
        assert!(has_note(&pair.client));
        let scheme = (shown == Ok(true)).then_some(SignatureScheme::ECDSA_SECP256R1_SHA256);
        assert_eq!(info.client_signature_scheme, scheme);
        assert_eq!(client.client_signature_scheme, scheme);
        let chain: Vec<&[u8]> = info.peer_chain.iter().map(|der| &**der).collect();
        let expected = (shown == Ok(true)).then_some(CERTIFICATE);
        assert_eq!(chain, expected.into_iter().collect::<Vec<_>>());
        for end in [&pair.client, &pair.server] {
            let complete = |event: &&Event| **event == Event::HandshakeComplete;
            assert_eq!(end.events.iter().filter(complete).count(), 1);
        }
        pair.client.write(b"from the client");
        pair.server.write(b"from the server");
        pair.settle().unwrap();
        assert_eq!(pair.server.received, b"from the client");
        assert_eq!(pair.client.received, b"from the server");
        let export = |end: &common::End| {
            let exporter = end.connection.info().exporter.as_ref().unwrap();
            exporter.channel_binding().unwrap()
        };
        assert_eq!(export(&pair.client), export(&pair.server));
    }
}

#[test]
fn a_client_that_is_not_asked_shows_nothing() {
    let pair = Pair::established();
    assert!(!pair.client.connection.info().client_auth_requested);
    assert!(!pair.server.connection.info().client_authenticated);
}

/// Nobody to answer for it: the client is still asked, and says that it has none.
#[test]
fn a_client_without_a_certificate_says_so() {
    let case = Case::all().next().unwrap();
    let optional = ClientAuth::Optional(Arc::new(case));
    let mut pair = Pair::new(client_builder(), server_builder().client_auth(optional));
    pair.settle().unwrap();
    assert!(pair.client.connection.info().client_auth_requested);
    assert!(!pair.server.connection.info().client_authenticated);
}

/// A key that signs in no way that TLS 1.3 allows.
#[derive(Debug)]
struct OldKey;

impl SigningKey for OldKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::RSA_PKCS1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Err(CryptoError::Misuse)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn a_key_that_the_server_cannot_check_is_not_shown() {
    let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], Arc::new(OldKey));
    let client = client_builder().client_certificate(Arc::new(Arc::new(key)));
    let case = Case::all().next().unwrap();
    let optional = ClientAuth::Optional(Arc::new(case));
    let mut pair = Pair::new(client, server_builder().client_auth(optional));
    // RFC 9846, Section 4.5.1.4: then the list is empty.
    pair.settle().unwrap();
    assert!(pair.client.connection.info().client_auth_requested);
    assert!(!pair.server.connection.info().client_authenticated);
}

/// A client's Finished comes with its answer: what the server sends meanwhile waits.
#[test]
fn data_of_the_server_waits_for_the_clients_answer() {
    let case = Case {
        shows: Shows::Certificate,
        required: true,
        accepted: true,
        choice: Time::Later,
        signature: Time::Now,
        verdict: Time::Now,
    };
    let mut pair = case.pair();
    pair.settle().unwrap();
    assert_eq!(
        pair.client.events.last(),
        Some(&Event::Wait(Wait::Certificate))
    );
    let written = pair
        .client
        .connection
        .write(&[b"early"], &mut pair.client.out);
    assert_eq!(written, Err(Misuse::HandshakePending.into()));
    // Bytes that look like nothing yet: they are not looked at.
    pair.client.input.extend([23, 3, 3, 0, 1, 0]);
    pair.client.run().unwrap();
    assert_eq!(pair.client.input.len(), 6);
    pair.client.input.clear();
    let answer = Answer::Certificate(Some(certified_key()));
    let client = &mut pair.client;
    client.connection.answer(answer, &mut client.out).unwrap();
    pair.client.run().unwrap();
    pair.settle().unwrap();
    assert!(pair.server.connection.info().client_authenticated);
}

#[test]
fn answers_of_another_kind_change_nothing() {
    let refused = Err(Misuse::NoSuchQuestion.into());
    let later = Case {
        shows: Shows::Certificate,
        required: true,
        accepted: true,
        choice: Time::Later,
        signature: Time::Later,
        verdict: Time::Later,
    };
    let mut pair = later.pair();
    for _ in 0..3 {
        pair.settle().unwrap();
        let ends = [&mut pair.client, &mut pair.server];
        let asked = ends
            .into_iter()
            .find(|end| end.connection.question().is_some());
        let end = asked.unwrap();
        let (wait, answer) = later.answer(end.connection.question().unwrap());
        let wrong = [
            (Wait::Certificate, Answer::Certificate(None)),
            (Wait::Signature, Answer::Signature(Ok(vec![1]))),
            (
                Wait::Verdict,
                Answer::Verdict(Err(CertificateError::Expired.into())),
            ),
        ];
        for (kind, wrong) in wrong {
            if kind != wait {
                assert_eq!(give(&mut end.connection, wrong), refused);
            }
        }
        end.connection.answer(answer, &mut end.out).unwrap();
        end.run().unwrap();
    }
    pair.settle().unwrap();
    assert!(pair.server.connection.info().client_authenticated);
}

fn give(connection: &mut Connection, answer: Answer) -> Result<(), Error> {
    connection.answer(answer, &mut waxwing_core::Buffer::new())
}
