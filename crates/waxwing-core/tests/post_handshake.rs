//! Client certificates after the handshake (RFC 9846, Section 4.7.2), between two engines.

mod common;

use std::sync::{Arc, Mutex};

use common::client_auth::{Case, GOOD, Shows, Time, run};
use common::{CERTIFICATE, End, Pair, client_builder, has_note, server_builder, server_key};
use waxwing_core::{
    Answer, CertifiedKey, ClientConfigBuilder, Direction, Error, Event, HandshakeType, Misuse,
    PeerError, ProtocolVersions, ServerConfigBuilder, Trace, TraceEvent, Wait,
};
use waxwing_crypto::{NamedGroup, SignatureScheme};

/// What an established pair needs for it.
fn client() -> ClientConfigBuilder {
    client_builder()
        .client_certificate(Arc::new(GOOD))
        .post_handshake_auth(true)
}

fn server() -> ServerConfigBuilder {
    server_builder().post_handshake_auth(GOOD.auth())
}

fn established(client: ClientConfigBuilder, server: ServerConfigBuilder) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.settle().unwrap();
    pair.client.events.clear();
    pair.server.events.clear();
    pair
}

fn request(end: &mut End) -> Result<(), Error> {
    end.connection.request_client_certificate(&mut end.out)
}

#[test]
fn every_way_for_it_to_go() {
    for case in Case::all() {
        let mut pair = case.later_pair();
        pair.settle().unwrap();
        for end in [&pair.client, &pair.server] {
            let info = end.connection.info();
            assert!(info.post_handshake_auth);
            assert!(!info.client_auth_requested && !info.client_authenticated);
        }
        request(&mut pair.server).unwrap();
        let (waits, result) = run(&mut pair, case);
        let info = pair.server.connection.info();
        let shown = result.clone().map(|()| info.client_authenticated);
        assert_eq!(shown, case.result(), "{case:?}");
        assert_eq!(waits, case.waits(), "{case:?}");
        if result.is_err() {
            // Nobody is taken for who he did not prove to be.
            assert!(info.peer_chain.is_empty() && !info.client_authenticated);
            assert!(!has_note(&pair.server));
            continue;
        }
        let client = pair.client.connection.info();
        assert!(client.client_auth_requested);
        let event = if shown == Ok(true) {
            Event::ClientAuthenticated
        } else {
            Event::ClientDeclined
        };
        assert_eq!(pair.server.events.last(), Some(&event));
        assert_eq!(has_note(&pair.server), shown == Ok(true), "{case:?}");
        let scheme = (shown == Ok(true)).then_some(SignatureScheme::ECDSA_SECP256R1_SHA256);
        assert_eq!(info.client_signature_scheme, scheme);
        assert_eq!(client.client_signature_scheme, scheme);
        let chain: Vec<&[u8]> = info.peer_chain.iter().map(|der| &**der).collect();
        let expected = (shown == Ok(true)).then_some(CERTIFICATE);
        assert_eq!(chain, expected.into_iter().collect::<Vec<_>>());
        pair.client.write(b"from the client");
        pair.server.write(b"from the server");
        pair.settle().unwrap();
        assert_eq!(pair.server.received, b"from the client");
        assert_eq!(pair.client.received, b"from the server");
    }
}

#[test]
fn both_sides_have_to_agree() {
    let no = Err(Misuse::NoPostHandshakeAuth.into());
    let old = ProtocolVersions::TLS12;
    for (client, server) in [
        (client_builder(), server()),
        (client(), server_builder()),
        // Asking in the handshake is another matter.
        (client(), server_builder().client_auth(GOOD.auth())),
        (client().versions(old), server().versions(old)),
    ] {
        let mut pair = established(client, server);
        assert!(!pair.server.connection.info().post_handshake_auth);
        for end in [&mut pair.client, &mut pair.server] {
            assert_eq!(request(end), no);
            assert!(end.out.is_empty());
        }
    }
    // A client has nothing to ask for.
    let mut pair = established(client(), server());
    assert_eq!(request(&mut pair.client), no);
    assert!(pair.client.out.is_empty());
}

#[test]
fn requests_wait_for_the_handshake_and_for_each_other() {
    let mut pair = Pair::new(client(), server());
    let early = Err(Misuse::HandshakePending.into());
    assert_eq!(request(&mut pair.server), early);
    pair.settle().unwrap();
    request(&mut pair.server).unwrap();
    let again = Err(Misuse::RequestOpen.into());
    assert_eq!(request(&mut pair.server), again);
    pair.settle().unwrap();
    assert_eq!(pair.server.events.last(), Some(&Event::ClientAuthenticated));
    pair.server.connection.close(&mut pair.server.out);
    let closed = Err(Misuse::WriteClosed.into());
    assert_eq!(request(&mut pair.server), closed);
}

/// Keeps the messages of one type that are sent.
#[derive(Debug)]
struct Sent(HandshakeType, Mutex<Vec<Vec<u8>>>);

impl Trace for Sent {
    fn event(&self, event: &TraceEvent<'_>) {
        if let TraceEvent::Message {
            direction: Direction::Sent,
            typ,
            bytes,
        } = event
            && *typ == self.0
        {
            self.1.lock().unwrap().push(bytes.to_vec());
        }
    }
}

/// RFC 9846, Section 4.4.2: a context comes once in a connection, and nobody can foresee it.
#[test]
fn each_request_has_its_own_context() {
    let requests = Arc::new(Sent(HandshakeType::CERTIFICATE_REQUEST, Mutex::default()));
    let answers = Arc::new(Sent(HandshakeType::CERTIFICATE, Mutex::default()));
    let mut pair = established(
        client().trace(answers.clone()),
        server().trace(requests.clone()),
    );
    for _ in 0..5 {
        request(&mut pair.server).unwrap();
        pair.settle().unwrap();
    }
    assert_eq!(pair.server.events, vec![Event::ClientAuthenticated; 5]);
    let context = |message: &Vec<u8>| {
        assert_eq!(message[4], 32);
        message[5..37].to_vec()
    };
    let contexts: Vec<_> = requests.1.lock().unwrap().iter().map(context).collect();
    let answered: Vec<_> = answers.1.lock().unwrap().iter().map(context).collect();
    assert_eq!(contexts, answered);
    let mut different = contexts;
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 5);
}

#[test]
fn a_client_may_show_its_certificate_in_the_handshake_and_again() {
    let mut pair = established(client(), server().client_auth(GOOD.auth()));
    assert!(pair.server.connection.info().client_authenticated);
    request(&mut pair.server).unwrap();
    pair.settle().unwrap();
    assert_eq!(pair.server.events, [Event::ClientAuthenticated]);
}

#[test]
fn it_works_after_a_retry() {
    let client = client().groups([NamedGroup::X25519, NamedGroup::SECP256R1]);
    let server = server().groups([NamedGroup::SECP256R1]);
    let mut pair = established(client, server);
    assert!(pair.client.connection.info().retried);
    request(&mut pair.server).unwrap();
    pair.settle().unwrap();
    assert_eq!(pair.server.events, [Event::ClientAuthenticated]);
}

/// RFC 9846, Section 4.5: the Finished is made with the sender's current secret.
#[test]
fn keys_may_change_at_any_time() {
    let case = Case {
        choice: Time::Later,
        signature: Time::Later,
        ..GOOD
    };
    let mut pair = case.later_pair();
    pair.settle().unwrap();
    let update = |end: &mut End, ask| end.connection.update_key(ask, &mut end.out).unwrap();
    for _ in 0..3 {
        pair.server.events.clear();
        update(&mut pair.client, true);
        update(&mut pair.server, true);
        request(&mut pair.server).unwrap();
        update(&mut pair.server, false);
        pair.settle().unwrap();
        for _ in 0..2 {
            update(&mut pair.client, false);
            let client = &mut pair.client;
            let (_, answer) = case.answer(client.connection.question().unwrap());
            client.connection.answer(answer, &mut client.out).unwrap();
            client.run().unwrap();
        }
        update(&mut pair.client, true);
        pair.settle().unwrap();
        assert_eq!(pair.server.events, [Event::ClientAuthenticated]);
    }
}

/// The client's answer may take its time: what it writes meanwhile goes out, and what the server
/// writes comes after the answer.
#[test]
fn data_goes_on_while_an_answer_is_awaited() {
    let case = Case {
        signature: Time::Later,
        ..GOOD
    };
    let mut pair = case.later_pair();
    pair.settle().unwrap();
    request(&mut pair.server).unwrap();
    pair.server.write(b"behind the request");
    pair.settle().unwrap();
    assert_eq!(
        pair.client.events.last(),
        Some(&Event::Wait(Wait::Signature))
    );
    for part in [&b"while "[..], b"signing"] {
        pair.client.write(part);
        pair.server.write(b", and more");
        pair.settle().unwrap();
    }
    assert_eq!(pair.server.received, b"while signing");
    assert_eq!(pair.client.received, b"");
    assert!(!pair.server.connection.info().client_authenticated);
    let client = &mut pair.client;
    let (_, answer) = case.answer(client.connection.question().unwrap());
    client.connection.answer(answer, &mut client.out).unwrap();
    pair.client.run().unwrap();
    assert_eq!(
        pair.client.received,
        b"behind the request, and more, and more"
    );
    pair.settle().unwrap();
    assert!(pair.server.connection.info().client_authenticated);
}

/// While the verdict is awaited, a server goes on sending.
#[test]
fn a_server_may_write_while_it_judges() {
    let case = Case {
        verdict: Time::Later,
        ..GOOD
    };
    let mut pair = case.later_pair();
    pair.settle().unwrap();
    request(&mut pair.server).unwrap();
    pair.settle().unwrap();
    pair.client.write(b"behind the answer");
    pair.server.write(b"patience");
    pair.settle().unwrap();
    assert_eq!(pair.client.received, b"patience");
    assert_eq!(pair.server.received, b"");
    let server = &mut pair.server;
    let (_, answer) = case.answer(server.connection.question().unwrap());
    server.connection.answer(answer, &mut server.out).unwrap();
    pair.server.run().unwrap();
    assert_eq!(pair.server.events.last(), Some(&Event::ClientAuthenticated));
    assert_eq!(pair.server.received, b"behind the answer");
}

#[test]
fn a_long_chain_takes_many_records() {
    let chain = vec![CERTIFICATE.to_vec(), vec![7; 40_000]];
    let key = Arc::new(CertifiedKey::new(chain, server_key()));
    let mut pair = established(
        client().client_certificate(Arc::new(key)),
        server_builder()
            .record_size_limit(64)
            .post_handshake_auth(waxwing_core::ClientAuth::Required(Arc::new(TrustAll))),
    );
    request(&mut pair.server).unwrap();
    pair.settle().unwrap();
    assert_eq!(pair.server.events, [Event::ClientAuthenticated]);
    // Nothing of it is kept that the configuration does not ask for.
    assert!(pair.server.connection.info().peer_chain.is_empty());
}

#[derive(Debug)]
struct TrustAll;

impl waxwing_core::ClientCertVerifier for TrustAll {
    fn verify(&self, _: &waxwing_core::ClientCertRequest<'_>) -> waxwing_core::Verdict {
        let spki = server_key().public_key().unwrap();
        waxwing_core::Verdict::Accepted(waxwing_core::Verified::holder_of(spki))
    }
}

/// After its close_notify a client has no say, and nobody is asked for its answer.
#[test]
fn a_client_that_has_closed_does_not_answer() {
    let case = Case {
        choice: Time::Later,
        ..GOOD
    };
    let mut pair = case.later_pair();
    pair.settle().unwrap();
    pair.client.connection.close(&mut pair.client.out);
    request(&mut pair.server).unwrap();
    pair.server.write(b"still for you");
    pair.settle().unwrap();
    assert!(pair.client.connection.question().is_none());
    assert_eq!(pair.client.received, b"still for you");
    assert_eq!(pair.server.events.last(), Some(&Event::PeerClosed));

    // Closing makes the answer to an open question void.
    for signature in [Time::Now, Time::Later] {
        let case = Case { signature, ..case };
        let mut pair = case.later_pair();
        pair.settle().unwrap();
        request(&mut pair.server).unwrap();
        pair.settle().unwrap();
        let client = &mut pair.client;
        if signature == Time::Later {
            let (_, answer) = case.answer(client.connection.question().unwrap());
            client.connection.answer(answer, &mut client.out).unwrap();
        }
        client.connection.close(&mut client.out);
        let (_, answer) = case.answer(client.connection.question().unwrap());
        client.connection.answer(answer, &mut client.out).unwrap();
        pair.settle().unwrap();
        assert!(!pair.server.connection.info().client_authenticated);
        assert_eq!(pair.server.events.last(), Some(&Event::PeerClosed));
    }
}

#[test]
fn answers_of_another_kind_change_nothing() {
    let refused = Err(Misuse::NoSuchQuestion.into());
    let case = Case {
        choice: Time::Later,
        signature: Time::Later,
        verdict: Time::Later,
        ..GOOD
    };
    let mut pair = case.later_pair();
    pair.settle().unwrap();
    let early = Answer::Certificate(None);
    let client = &mut pair.client;
    let result = client.connection.answer(early, &mut client.out);
    assert_eq!(result, refused);
    request(&mut pair.server).unwrap();
    for _ in 0..3 {
        pair.settle().unwrap();
        let ends = [&mut pair.client, &mut pair.server];
        let asked = ends
            .into_iter()
            .find(|end| end.connection.question().is_some());
        let End {
            connection, out, ..
        } = asked.unwrap();
        let (wait, answer) = case.answer(connection.question().unwrap());
        for wrong in [Wait::Certificate, Wait::Signature, Wait::Verdict] {
            let wrong_answer = match wrong {
                Wait::Certificate => Answer::Certificate(None),
                Wait::Signature => Answer::Signature(Ok(vec![1])),
                _ => Answer::Verdict(Err(waxwing_core::CertificateError::Expired.into())),
            };
            if wrong != wait {
                assert_eq!(connection.answer(wrong_answer, out), refused);
                assert!(out.is_empty());
            }
        }
        connection.answer(answer, out).unwrap();
    }
    pair.server.run().unwrap();
    assert!(pair.server.connection.info().client_authenticated);
}

/// Each direction alone can neither ask nor answer.
#[test]
fn it_ends_where_a_connection_is_split() {
    let unexpected = Err(PeerError::UnexpectedMessage.into());
    // The client is split when it is asked.
    let mut pair = established(client(), server());
    request(&mut pair.server).unwrap();
    common::carry(&mut pair.server, &mut pair.client);
    let (mut read, ..) = pair.client.connection.split().unwrap();
    let result = read.process(&mut pair.client.input).map(|_| ());
    assert_eq!(result, unexpected);

    // The server is split when it is answered.
    let mut pair = established(client(), server());
    request(&mut pair.server).unwrap();
    common::carry(&mut pair.server, &mut pair.client);
    pair.client.run().unwrap();
    common::carry(&mut pair.client, &mut pair.server);
    let (mut read, ..) = pair.server.connection.split().unwrap();
    let result = read.process(&mut pair.server.input).map(|_| ());
    assert_eq!(result, unexpected);
}

/// A client that only offers it, without a certificate, says that it has none.
#[test]
fn a_client_without_a_certificate_says_so() {
    let optional = Case {
        required: false,
        shows: Shows::Nothing,
        ..GOOD
    };
    let mut pair = established(
        client_builder().post_handshake_auth(true),
        server_builder().post_handshake_auth(optional.auth()),
    );
    request(&mut pair.server).unwrap();
    pair.settle().unwrap();
    assert_eq!(pair.server.events, [Event::ClientDeclined]);
}

/// Keeps whether a ClientHello offers it.
#[derive(Debug)]
struct Offer(Mutex<Option<bool>>);

impl waxwing_core::CertResolver for Offer {
    fn resolve(&self, hello: &waxwing_core::ClientHelloView<'_>) -> waxwing_core::CertChoice {
        let offer = hello
            .extensions()
            .find(|(typ, _)| *typ == waxwing_core::ExtensionType::POST_HANDSHAKE_AUTH);
        // RFC 9846, Section 4.3.6: without content.
        assert!(offer.is_none_or(|(_, content)| content.is_empty()));
        *self.0.lock().unwrap() = Some(offer.is_some());
        waxwing_core::CertChoice::None
    }
}

#[test]
fn it_is_offered_in_tls13_by_those_who_want_it() {
    let (old, new) = (ProtocolVersions::TLS12, ProtocolVersions::TLS13);
    for (wanted, versions, expected) in [
        (false, new, false),
        (true, new, true),
        (true, old | new, true),
        (true, old, false),
    ] {
        let offer = Arc::new(Offer(Mutex::default()));
        let server = waxwing_core::ServerConfig::builder(&waxwing_aws_lc::PROVIDER, offer.clone());
        let client = client_builder().post_handshake_auth(wanted);
        let mut pair = Pair::new(client.versions(versions), server.versions(old | new));
        assert!(pair.settle().is_err());
        assert_eq!(*offer.0.lock().unwrap(), Some(expected), "{versions:?}");
    }
}
