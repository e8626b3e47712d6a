//! Authentication after the handshake: every type of message at every point, floods, and what
//! comes between. The puppet's answers are made here, apart from the code that makes ours.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_crypto::{Digest, HashContext, NamedGroup, SignatureScheme, Signing};

use super::bad_input::compression::{ALGORITHM, Copy, compressed};
use super::{KEY_UPDATE, Stage};
use crate::codec::Writer;
use crate::connection::event::{Answer, Event, Wait};
use crate::connection::tests::established::ticket;
use crate::handshake::schedule13::verify_data;
use crate::handshake::transcript::Transcript;
use crate::limits::MAX_CERTIFICATE_REQUESTS;
use crate::messages::HandshakeType as T;
use crate::messages::certificate::{Certificate, Stapled};
use crate::messages::certificate_verify::{CertificateVerify, client_signed_content};
use crate::record::Epoch;
use crate::record::stream::Opened;
use crate::testing::client_auth::{TrustClient, choosing_client, known_client, slow_client};
use crate::testing::{
    CERTIFICATE, certificate_request, client_builder, message, server_builder, server_key, verified,
};
use crate::{ClientAuth, ClientConfigBuilder, Error, PeerError, ServerConfigBuilder};

/// A server that agreed with its puppet.
fn agreed(builder: ServerConfigBuilder) -> Stage {
    // One group will do.
    let groups = [NamedGroup::X25519];
    let client = client_builder().groups(groups).post_handshake_auth(true);
    let mut stage = Stage::server(builder.groups(groups), client);
    stage.give_messages(2);
    assert!(!stage.connection.is_handshaking());
    stage.deliver();
    stage
}

/// One that judges like that, and needs no certificate.
pub(super) fn optional(trust: TrustClient) -> Stage {
    let auth = ClientAuth::Optional(Arc::new(trust));
    agreed(server_builder().post_handshake_auth(auth))
}

/// One that needs a certificate.
pub(super) fn strict() -> Stage {
    let auth = ClientAuth::Required(Arc::new(TrustClient::Now));
    agreed(server_builder().post_handshake_auth(auth))
}

/// A client that agreed to it.
pub(super) fn client(builder: ClientConfigBuilder) -> Stage {
    let builder = builder.groups([NamedGroup::X25519]);
    let mut stage = Stage::client(builder.post_handshake_auth(true), server_builder());
    stage.give_messages(5);
    assert!(!stage.connection.is_handshaking());
    stage.deliver();
    stage
}

/// The contents of the records that wait in the output.
fn contents(stage: &mut Stage) -> Vec<u8> {
    let mut input = stage.out.as_slice().to_vec();
    stage.out.clear();
    let mut rest = input.as_mut_slice();
    let mut contents = Vec::new();
    while !rest.is_empty() {
        let Ok(Opened::Record { body, consumed, .. }) = stage.puppet.rx.open(rest) else {
            panic!("no whole record");
        };
        contents.extend_from_slice(&rest[body]);
        rest = &mut rest[consumed..];
    }
    contents
}

/// Lets the server ask; its request.
pub(super) fn ask(stage: &mut Stage) -> Vec<u8> {
    stage
        .connection
        .request_client_certificate(&mut stage.out)
        .unwrap();
    let request = contents(stage);
    assert_eq!(request[0], T::CERTIFICATE_REQUEST.0);
    request
}

/// How a Certificate goes out.
type Form = fn(&[u8]) -> Vec<u8>;

const AS_IT_IS: Form = |body| message(T::CERTIFICATE, body);

/// A client's answer to `request` with this chain, over a transcript that ends with its own
/// Finished: RFC 9846, Section 4.5.
fn answer_over(
    mut transcript: HashContext,
    secret: &Digest,
    request: &[u8],
    chain: &[&[u8]],
    form: Form,
) -> Vec<Vec<u8>> {
    transcript.update(request);
    let mut messages = Vec::new();
    let mut add = |transcript: &mut HashContext, message: Vec<u8>| {
        transcript.update(&message);
        messages.push(message);
    };
    let context = &request[5..5 + usize::from(request[4])];
    let mut body = Vec::new();
    Certificate::write(
        &mut Writer::new(&mut body),
        context,
        chain,
        Stapled::default(),
    )
    .unwrap();
    add(&mut transcript, form(&body));
    if !chain.is_empty() {
        let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
        let content = client_signed_content(transcript.fork_finish().as_ref());
        let Ok(Signing::Done(signature)) = server_key().sign(scheme, &content) else {
            panic!("this key signs at once");
        };
        let signature = signature.as_slice();
        let mut body = Vec::new();
        let verify = CertificateVerify { scheme, signature };
        verify.write(&mut Writer::new(&mut body)).unwrap();
        add(&mut transcript, message(T::CERTIFICATE_VERIFY, &body));
    }
    let mac = verify_data(transcript.hash(), secret, &transcript.fork_finish()).unwrap();
    add(&mut transcript, message(T::FINISHED, mac.as_ref()));
    messages
}

/// The puppet's answer.
pub(super) fn answer(stage: &mut Stage, request: &[u8], chain: &[&[u8]]) -> Vec<Vec<u8>> {
    answer_in(AS_IT_IS, stage, request, chain)
}

fn answer_in(form: Form, stage: &mut Stage, request: &[u8], chain: &[&[u8]]) -> Vec<Vec<u8>> {
    let Transcript::Running(transcript) = &stage.puppet.side.handshake.cx.transcript else {
        panic!("the hash is known");
    };
    let transcript = transcript.clone();
    let key = stage.puppet.seal_key(Epoch::Application);
    let secret = key.traffic_secret().unwrap().clone();
    answer_over(transcript, &secret, request, chain, form)
}

/// Where things stand when a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    ClientEstablished,
    ClientAnswered,
    ServerEstablished,
    RequestSent,
    CertificateReceived,
    NoCertificateReceived,
    CertificateVerifyReceived,
    ServerAnswered,
}

/// What may come where: RFC 9846, Section 4.7. In the middle of an answer nothing else may
/// (Section 4.7.2).
const ORDER: [(Point, &[T]); 8] = [
    (
        Point::ClientEstablished,
        &[T::NEW_SESSION_TICKET, T::KEY_UPDATE, T::CERTIFICATE_REQUEST],
    ),
    (
        Point::ClientAnswered,
        &[T::NEW_SESSION_TICKET, T::KEY_UPDATE, T::CERTIFICATE_REQUEST],
    ),
    (Point::ServerEstablished, &[T::KEY_UPDATE]),
    (Point::RequestSent, &[T::KEY_UPDATE, T::CERTIFICATE]),
    (Point::CertificateReceived, &[T::CERTIFICATE_VERIFY]),
    (Point::NoCertificateReceived, &[T::FINISHED]),
    (Point::CertificateVerifyReceived, &[T::FINISHED]),
    (Point::ServerAnswered, &[T::KEY_UPDATE]),
];

/// A connection at that point, and messages of its peer.
fn scene(point: Point) -> (Stage, Vec<Vec<u8>>) {
    let mut messages = vec![KEY_UPDATE.to_vec(), ticket(), certificate_request(&[7])];
    let given = match point {
        Point::ClientEstablished | Point::ClientAnswered => {
            let mut stage = client(known_client());
            if point == Point::ClientAnswered {
                let request = stage.protected(22, &certificate_request(&[6]));
                assert_eq!(stage.give(&request), Ok(vec![]));
                contents(&mut stage);
            }
            return (stage, messages);
        }
        Point::ServerEstablished | Point::RequestSent => 0,
        Point::CertificateReceived | Point::NoCertificateReceived => 1,
        Point::CertificateVerifyReceived => 2,
        Point::ServerAnswered => 3,
    };
    let mut stage = optional(TrustClient::Now);
    let request = if point == Point::ServerEstablished {
        certificate_request(&[7; 32])
    } else {
        ask(&mut stage)
    };
    let chain: &[&[u8]] = match point {
        Point::NoCertificateReceived => &[],
        _ => &[CERTIFICATE],
    };
    let answer = answer(&mut stage, &request, chain);
    for message in &answer[..given] {
        let record = stage.protected(22, message);
        let events = if given == 3 && message[0] == T::FINISHED.0 {
            vec![Event::ClientAuthenticated]
        } else {
            vec![]
        };
        assert_eq!(stage.give(&record), Ok(events));
    }
    messages.extend(answer);
    (stage, messages)
}

#[test]
fn every_type_at_every_point() {
    for (point, accepted) in ORDER {
        let (_, messages) = scene(point);
        for typ in (0..=u8::MAX).map(T) {
            let genuine = messages.iter().position(|bytes| bytes[0] == typ.0);
            let genuine = |messages: &[Vec<u8>]| genuine.map(|index| messages[index].clone());
            let (mut stage, messages) = scene(point);
            if accepted.contains(&typ) {
                let record = stage.protected(22, &genuine(&messages).unwrap());
                assert!(stage.give(&record).is_ok(), "{typ} at {point:?}");
                // An empty one is refused for what it is, not for its place.
                let (mut stage, _) = scene(point);
                let record = stage.protected(22, &message(typ, &[]));
                let error = stage.refuse(&record);
                assert!(
                    matches!(
                        error,
                        Error::Decode(_) | Error::Peer(PeerError::BadFinished)
                    ),
                    "{typ} at {point:?}: {error:?}"
                );
                continue;
            }
            let bytes = genuine(&messages).unwrap_or_else(|| message(typ, &[0; 4]));
            let record = stage.protected(22, &bytes);
            let error = stage.refuse(&record);
            assert_eq!(
                error,
                PeerError::UnexpectedMessage.into(),
                "{typ} at {point:?}"
            );
        }
    }
}

#[test]
fn data_may_come_before_and_behind_an_answer_but_not_within() {
    for (point, _) in ORDER {
        let (mut stage, _) = scene(point);
        let amid = matches!(
            point,
            Point::CertificateReceived
                | Point::NoCertificateReceived
                | Point::CertificateVerifyReceived
        );
        for content in [&b"data"[..], b""] {
            let record = stage.protected(23, content);
            if amid {
                let error = stage.refuse(&record);
                assert_eq!(error, PeerError::AnswerInterrupted.into(), "{point:?}");
                break;
            }
            assert!(stage.give(&record).is_ok(), "{point:?}");
        }
    }
}

/// What came with the message that leads to a question waits for the answer.
#[test]
fn nothing_is_received_before_the_answer() {
    let mut stage = optional(TrustClient::Later);
    let request = ask(&mut stage);
    let messages = answer(&mut stage, &request, &[CERTIFICATE]);
    let update = KEY_UPDATE.to_vec();
    let record = stage.protected(22, &[&messages.concat()[..], &update].concat());
    let wait = Event::Wait(Wait::Verdict);
    assert_eq!(stage.give(&record), Ok(vec![wait.clone()]));
    stage.puppet.application.as_mut().unwrap().update().unwrap();
    let data = stage.protected(23, b"data");
    for input in [&data[..], &[], b"no record at all"] {
        let mut input = input.to_vec();
        let progress = stage
            .connection
            .process(&mut input, &mut stage.out)
            .unwrap();
        assert_eq!((progress.consumed, progress.event), (0, wait.clone()));
    }
    let yes = Answer::Verdict(Ok(verified()));
    stage.connection.answer(yes, &mut stage.out).unwrap();
    let events = stage.give(&data).unwrap();
    assert!(
        matches!(events[..], [Event::ClientAuthenticated, Event::AppData(_)]),
        "{events:?}"
    );

    // The same for a client.
    for (builder, kind) in [
        (choosing_client(), Wait::Certificate),
        (slow_client(), Wait::Signature),
    ] {
        let mut stage = client(builder);
        let requests = certificate_request(&[7]).repeat(2);
        let record = stage.protected(22, &[&requests[..], &update].concat());
        let wait = Event::Wait(kind);
        assert_eq!(stage.give(&record), Ok(vec![wait.clone()]));
        stage.puppet.application.as_mut().unwrap().update().unwrap();
        let data = stage.protected(23, b"data");
        let answer = |stage: &mut Stage| {
            let answer = match kind {
                Wait::Certificate => Answer::Certificate(None),
                _ => Answer::Signature(Ok(vec![1])),
            };
            stage.connection.answer(answer, &mut stage.out)
        };
        assert_eq!(answer(&mut stage), Ok(()));
        // The second of the two requests.
        assert_eq!(stage.give(&data), Ok(vec![wait]));
        assert_eq!(answer(&mut stage), Ok(()));
        assert_eq!(stage.give(&data).unwrap().len(), 1);
    }
}

/// Our answers are as the puppet would make them: same transcript, same key.
#[test]
fn a_client_answers_as_the_rfc_says() {
    let mut stage = client(known_client());
    let Transcript::Running(transcript) = &stage.puppet.side.handshake.cx.transcript else {
        panic!("the hash is known");
    };
    let transcript = transcript.clone();
    for generation in 0..3 {
        let mut client = stage.puppet.side.read[1].secret.clone();
        for _ in 0..generation {
            let suite = stage.puppet.side.read[1].suite;
            let key = suite.hash.hmac_key(client.as_ref());
            client = waxwing_crypto::kdf::derive(&key, b"traffic upd", &[]).unwrap();
        }
        let request = certificate_request(&[generation, 8, 9]);
        let record = stage.protected(22, &request);
        assert_eq!(stage.give(&record), Ok(vec![]));
        let sent = contents(&mut stage);
        let ours = answer_over(
            transcript.clone(),
            &client,
            &request,
            &[CERTIFICATE],
            AS_IT_IS,
        );
        assert_eq!(sent[..ours[0].len()], ours[0]);
        // ECDSA signs differently each time, so what covers the signature does too.
        let verify = &sent[ours[0].len()..];
        assert_eq!(verify[0], T::CERTIFICATE_VERIFY.0);
        let (verify, finished) = verify.split_at(4 + usize::from(verify[3]));
        let mut transcript = transcript.clone();
        for message in [&request[..], &ours[0], verify] {
            transcript.update(message);
        }
        let mac = verify_data(transcript.hash(), &client, &transcript.fork_finish()).unwrap();
        assert_eq!(finished, message(T::FINISHED, mac.as_ref()));

        stage.connection.update_key(false, &mut stage.out).unwrap();
        assert_eq!(contents(&mut stage), KEY_UPDATE);
        stage.puppet.rx.update_key().unwrap();
    }
}

/// Gives requests until one is refused; how many were taken before.
pub(super) fn flood() -> (u8, Error) {
    let mut stage = client(client_builder());
    for taken in 0..u8::MAX {
        let record = stage.protected(22, &certificate_request(&[taken]));
        if let Err(error) = stage.give(&record) {
            return (taken, error);
        }
        contents(&mut stage);
    }
    panic!("a flood without end");
}

#[test]
fn requests_have_a_limit() {
    assert_eq!(flood().0, MAX_CERTIFICATE_REQUESTS);
    // Data between them ends no honest stream; empty records are no data.
    let mut stage = client(client_builder());
    for _ in 0..3 {
        for index in 0..MAX_CERTIFICATE_REQUESTS {
            let record = stage.protected(22, &certificate_request(&[index]));
            assert_eq!(stage.give(&record), Ok(vec![]));
            let record = stage.protected(23, b"");
            assert_eq!(stage.give(&record), Ok(vec![]));
        }
        let record = stage.protected(23, b"x");
        assert_eq!(stage.give(&record).unwrap().len(), 1);
    }
}

/// The transcript has the message as it was sent (RFC 8879, Section 4).
#[test]
fn an_answer_may_be_compressed_if_that_was_offered() {
    let form: Form = |body| compressed(ALGORITHM, body.len(), body);
    let auth = ClientAuth::Required(Arc::new(TrustClient::Now));
    let builder = server_builder().post_handshake_auth(auth);
    let mut stage = agreed(builder.cert_decompressors(&[&Copy]));
    let request = ask(&mut stage);
    let messages = answer_in(form, &mut stage, &request, &[CERTIFICATE]);
    let record = stage.protected(22, &messages.concat());
    assert_eq!(stage.give(&record), Ok(vec![Event::ClientAuthenticated]));

    let mut stage = strict();
    let request = ask(&mut stage);
    let messages = answer_in(form, &mut stage, &request, &[CERTIFICATE]);
    let record = stage.protected(22, &messages.concat());
    let error = stage.refuse(&record);
    assert_eq!(error, PeerError::UnexpectedMessage.into());
}
