//! Questions that are answered later, wrong answers, and the ClientHello read beforehand.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;
use waxwing_crypto::{CryptoError, Signing};

use super::super::acceptor::{Accepting, Acceptor};
use super::super::event::{Answer, Event, Question, Wait};
use super::{KEY_UPDATE, Stage, plain};
use crate::error::Misuse;
use crate::testing::hellos::ClientParts;
use crate::testing::{
    CERTIFICATE, Side, SlowChoice, SlowKey, Trust, certified_key, client_builder, server_builder,
    server_key, verified,
};
use crate::{
    Buffer, CertificateError, CertifiedKey, ClientConfig, Connection, Error, Incompatible,
    ServerConfig,
};

/// A server, or client, that waits.
fn waiting(wait: Wait) -> Stage {
    let slow = || {
        Arc::new(CertifiedKey::new(
            vec![CERTIFICATE.to_vec()],
            Arc::new(SlowKey),
        ))
    };
    let mut stage = match wait {
        Wait::Certificate => {
            let builder = ServerConfig::builder(&PROVIDER, Arc::new(SlowChoice));
            Stage::server(builder, client_builder())
        }
        Wait::Signature => {
            let builder = ServerConfig::builder(&PROVIDER, Arc::new(slow()));
            Stage::server(builder, client_builder())
        }
        Wait::Verdict => {
            let builder = ClientConfig::builder(&PROVIDER, Arc::new(Trust::Later));
            Stage::client(builder, server_builder())
        }
        Wait::Session | Wait::Psk | Wait::FirstUse => unreachable!("no session is resumed here"),
    };
    let count = if wait == Wait::Verdict { 3 } else { 1 };
    for record in stage.puppet.records(count) {
        stage.give(&record).unwrap();
    }
    assert_eq!(stage.give(&[]), Ok(vec![Event::Wait(wait)]));
    stage
}

const WAITS: [Wait; 3] = [Wait::Certificate, Wait::Signature, Wait::Verdict];

/// What answers the question that is open.
fn right_answer(stage: &Stage) -> Answer {
    match stage.connection.question().unwrap() {
        Question::Certificate(hello) => {
            assert_eq!(hello.server_name(), Some("server.example"));
            Answer::Certificate(Some(certified_key()))
        }
        Question::Signature {
            key,
            scheme,
            message,
        } => {
            assert_eq!(key.chain(), [CERTIFICATE]);
            let Ok(Signing::Done(signature)) = server_key().sign(scheme, message) else {
                panic!("this key signs at once");
            };
            Answer::Signature(Ok(signature))
        }
        Question::Verdict(request) => {
            request.with(|request| assert_eq!(request.chain, [CERTIFICATE]));
            Answer::Verdict(Ok(verified()))
        }
        Question::ClientCertificate(_) | Question::ClientVerdict(_) => {
            unreachable!("no client is asked for a certificate here")
        }
        Question::Session { .. } | Question::Psk { .. } | Question::FirstUse { .. } => {
            unreachable!("no session is resumed here")
        }
    }
}

fn wrong_answers(wait: Wait) -> Vec<Answer> {
    let mut answers = Vec::new();
    if wait != Wait::Certificate {
        answers.push(Answer::Certificate(None));
        answers.push(Answer::Certificate(Some(certified_key())));
    }
    if wait != Wait::Signature {
        answers.push(Answer::Signature(Ok(vec![1; 70])));
        answers.push(Answer::Signature(Err(CryptoError::Failed)));
    }
    if wait != Wait::Verdict {
        answers.push(Answer::Verdict(Ok(verified())));
        let rejection = CertificateError::Expired.into();
        answers.push(Answer::Verdict(Err(rejection)));
    }
    answers.extend([
        Answer::Session(None),
        Answer::Psk(None),
        Answer::FirstUse(true),
    ]);
    answers
}

fn every_answer() -> Vec<Answer> {
    let mut answers = wrong_answers(Wait::Certificate);
    answers.extend(wrong_answers(Wait::Verdict));
    answers
}

fn answer(stage: &mut Stage, answer: Answer) -> Result<(), Error> {
    stage.connection.answer(answer, &mut stage.out)
}

#[test]
fn the_handshake_goes_on_with_the_answer() {
    for wait in WAITS {
        let mut stage = waiting(wait);
        let right = right_answer(&stage);
        let before = stage.out.len();
        answer(&mut stage, right).unwrap();
        assert_eq!(stage.out.len() > before, wait != Wait::Verdict);
        assert!(stage.connection.question().is_none());
        stage.deliver();
        let rest = stage.puppet.records(2).concat();
        assert_eq!(stage.give(&rest), Ok(vec![Event::HandshakeComplete]));
        let data = stage.protected(23, b"data");
        assert_eq!(stage.give(&data).unwrap().len(), 1);
    }
}

#[test]
fn answers_that_fit_no_question_change_nothing() {
    let refused = Err(Misuse::NoSuchQuestion.into());
    for wait in WAITS {
        let mut stage = waiting(wait);
        stage.deliver();
        for wrong in wrong_answers(wait) {
            assert_eq!(answer(&mut stage, wrong), refused);
            assert!(stage.out.is_empty());
            assert_eq!(stage.give(&[]), Ok(vec![Event::Wait(wait)]));
        }
        let right = right_answer(&stage);
        answer(&mut stage, right).unwrap();
        // Twice is once too often.
        for again in every_answer() {
            assert_eq!(answer(&mut stage, again), refused);
        }
        stage.deliver();
        let rest = stage.puppet.records(2).concat();
        assert_eq!(stage.give(&rest), Ok(vec![Event::HandshakeComplete]));
    }
    for mut stage in [
        Stage::client(client_builder(), server_builder()),
        Stage::server(server_builder(), client_builder()),
        Stage::established(true),
        Stage::established(false),
    ] {
        for wrong in every_answer() {
            assert_eq!(answer(&mut stage, wrong), refused);
        }
    }
}

#[test]
fn refusals_end_the_handshake() {
    let rejection = CertificateError::Expired.into();
    let long = CertifiedKey::new(vec![vec![7; 1 << 24]], server_key());
    for (wait, no, expected) in [
        (
            Wait::Certificate,
            Answer::Certificate(None),
            Incompatible::NoCertificate.into(),
        ),
        (
            Wait::Certificate,
            Answer::Certificate(Some(Arc::new(long))),
            Misuse::TooLong.into(),
        ),
        (
            Wait::Signature,
            Answer::Signature(Err(CryptoError::Failed)),
            CryptoError::Failed.into(),
        ),
        (
            Wait::Verdict,
            Answer::Verdict(Err(rejection)),
            Error::Certificate(alloc::boxed::Box::new(CertificateError::Expired.into())),
        ),
    ] {
        let mut stage = waiting(wait);
        stage.deliver();
        assert_eq!(answer(&mut stage, no), Err(expected.clone()));
        assert_eq!(stage.give(&[]), Err(expected.clone()), "errors are final");
        let told: Vec<_> = stage.deliver().into_iter().filter(|r| r.0 == 21).collect();
        let alert = expected.alert().map(|alert| (21, vec![2, alert.0]));
        assert_eq!(told, alert.into_iter().collect::<Vec<_>>());
    }
}

/// How a server takes its first bytes: what happens, and what it answers if it refuses.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    events: Result<Vec<Event>, Error>,
    alert: Vec<u8>,
}

fn outcome(mut connection: Connection, input: &[u8], mut out: Buffer) -> Outcome {
    let mut input = input.to_vec();
    let mut events = Vec::new();
    let result = loop {
        match connection.process(&mut input, &mut out) {
            Ok(progress) => {
                input.drain(..progress.consumed);
                events.push(progress.event.clone());
                if matches!(progress.event, Event::NeedInput(_)) {
                    break Ok(events);
                }
            }
            Err(error) => break Err(error),
        }
    };
    refused(result, &out)
}

/// The alert that answers a refusal is the last record of seven bytes.
fn refused(events: Result<Vec<Event>, Error>, out: &Buffer) -> Outcome {
    let plain = out.len() == 7;
    Outcome {
        alert: if events.is_err() && plain {
            out.as_slice().to_vec()
        } else {
            Vec::new()
        },
        events,
    }
}

fn directly(input: &[u8]) -> Outcome {
    let config = server_builder().build().unwrap();
    outcome(Connection::server(config), input, Buffer::new())
}

fn by_acceptor(input: &[u8], chunk: usize) -> Outcome {
    let mut acceptor = Acceptor::new();
    let mut out = Buffer::new();
    let (mut waiting, mut input) = (Vec::new(), input.to_vec());
    loop {
        match acceptor.process(&mut waiting, &mut out) {
            Ok((consumed, Accepting::HelloRead)) => {
                waiting.drain(..consumed);
                break;
            }
            Ok((consumed, Accepting::NeedInput(hint))) => {
                waiting.drain(..consumed);
                if input.is_empty() {
                    return refused(Ok(vec![Event::NeedInput(hint)]), &out);
                }
                waiting.extend(input.drain(..chunk.min(input.len())));
            }
            Err(error) => {
                assert_eq!(acceptor.process(&mut [], &mut out), Err(error.clone()));
                return refused(Err(error), &out);
            }
        }
    }
    assert!(out.is_empty());
    assert!(acceptor.hello().is_some());
    let config = server_builder().build().unwrap();
    waiting.extend(input);
    outcome(acceptor.accept(config), &waiting, out)
}

#[test]
fn an_acceptor_changes_nothing() {
    let hello = Side::client(client_builder()).sent().remove(0);
    let good = plain(22, &hello);
    let mut old = ClientParts::of(&hello);
    old.extensions.remove(43);
    let bytewise: Vec<u8> = hello.iter().flat_map(|byte| plain(22, &[*byte])).collect();
    let canceled = plain(21, &[1, 90]);
    let inputs: [(&str, Vec<u8>); 19] = [
        ("good", good.clone()),
        ("half", good[..100].to_vec()),
        ("in records of a byte", bytewise),
        ("old", plain(22, &old.message())),
        ("more behind", plain(22, &[&hello[..], &[20]].concat())),
        (
            "another message behind",
            plain(22, &[&hello[..], &KEY_UPDATE].concat()),
        ),
        ("twice", [good.clone(), good.clone()].concat()),
        (
            "change_cipher_spec behind",
            [&good[..], &plain(20, &[1])].concat(),
        ),
        (
            "change_cipher_spec first",
            [&plain(20, &[1]), &good[..]].concat(),
        ),
        (
            "within",
            [&plain(22, &hello[..9]), &plain(20, &[1])[..]].concat(),
        ),
        ("data first", plain(23, &[1; 30])),
        ("data behind", [&good[..], &plain(23, &[1; 30])].concat()),
        ("alert", plain(21, &[2, 40])),
        ("close", plain(21, &[1, 0])),
        ("long alert", plain(21, &[1, 0, 0])),
        ("canceled", [&canceled[..], &good].concat()),
        ("canceled too often", canceled.repeat(9)),
        ("out of order", plain(22, &KEY_UPDATE)),
        ("HTTP", b"GET / HTTP/1.1\r\n".to_vec()),
    ];
    for (name, input) in inputs {
        let expected = directly(&input);
        for chunk in [1, 5, 64, usize::MAX] {
            assert_eq!(by_acceptor(&input, chunk), expected, "{name} by {chunk}");
        }
    }
}
