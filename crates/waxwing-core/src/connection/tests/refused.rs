//! What is known by name and never spoken: a scripted peer offers it or uses it. The right alert
//! goes out, no key is ever made, and the trace names the thing and the document.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::Mutex;

use waxwing_crypto::CipherSuite;

use super::{Stage, plain};
use crate::connection::event::Event;
use crate::messages::HandshakeType as T;
use crate::testing::hellos::{ClientParts, ServerParts, vector8, vector16};
use crate::testing::tls12::{client_of_both, client12, server_of_both, server12};
use crate::testing::{client_builder, message, server_builder};
use crate::{
    AlertDescription as A, ClientConfigBuilder, Error, Refused as R, ServerConfigBuilder, Trace,
    TraceEvent,
};

/// What a trace tells of.
#[derive(Debug, Default)]
struct Told {
    refused: Vec<R>,
    keys: usize,
}

#[derive(Default)]
struct Watch(Mutex<Told>);

impl Trace for Watch {
    fn event(&self, event: &TraceEvent<'_>) {
        let mut told = self.0.lock().unwrap();
        match event {
            TraceEvent::Refused(refused) => told.refused.push(*refused),
            TraceEvent::Keys { .. } => told.keys += 1,
            _ => {}
        }
    }
}

impl Watch {
    fn take(&self) -> Told {
        core::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A stage whose connection is watched.
struct Scene {
    stage: Stage,
    watch: Arc<Watch>,
}

impl Scene {
    fn server(server: ServerConfigBuilder, client: ClientConfigBuilder) -> Self {
        let watch = Arc::new(Watch::default());
        let stage = Stage::server(server.trace(watch.clone()), client);
        Self { stage, watch }
    }

    fn client(client: ClientConfigBuilder, server: ServerConfigBuilder) -> Self {
        let watch = Arc::new(Watch::default());
        let stage = Stage::client(client.trace(watch.clone()), server);
        Self { stage, watch }
    }

    /// The record must fail with this alert, before there are keys; the trace names these things.
    fn refuses(mut self, record: &[u8], alert: A, expected: &[R]) {
        let error = self.stage.refuse(record);
        assert_eq!(error.alert(), Some(alert), "{error}");
        let told = self.watch.take();
        assert_eq!((told.refused.as_slice(), told.keys), (expected, 0));
    }

    /// The record is taken, and the trace names these things.
    fn takes(mut self, record: &[u8], expected: &[R]) -> Self {
        assert_eq!(self.stage.give(record), Ok(vec![]));
        assert_eq!(self.watch.take().refused, expected);
        self
    }
}

/// A server's answer to an edited hello.
#[derive(Clone, Copy)]
enum Answer<'a> {
    Refuses(A, &'a [R]),
    /// It goes on, and names these things.
    Takes(&'a [R]),
}

fn at_server(
    server: ServerConfigBuilder,
    client: ClientConfigBuilder,
    edit: impl Fn(&mut ClientParts),
    answer: Answer<'_>,
) {
    let mut scene = Scene::server(server, client);
    let (_, hello) = scene.stage.puppet.side.flight.sent.remove(0);
    let mut parts = ClientParts::of(&hello);
    edit(&mut parts);
    let record = plain(22, &parts.message());
    match answer {
        Answer::Refuses(alert, expected) => scene.refuses(&record, alert, expected),
        Answer::Takes(expected) => {
            let scene = scene.takes(&record, expected);
            assert!(!scene.stage.out.is_empty(), "the server answers");
        }
    }
}

/// What a server of TLS 1.2, and one of both versions, says to a hello of TLS 1.2.
fn hello12(edit: impl Fn(&mut ClientParts), answer: Answer<'_>) {
    at_server(server12(), client12(), &edit, answer);
    at_server(server_of_both(), client12(), &edit, answer);
}

/// What a client says to an edited ServerHello.
fn at_client(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
    edit: impl Fn(&mut ServerParts),
    alert: A,
    expected: &[R],
) {
    let mut scene = Scene::client(client, server);
    let (_, hello) = scene.stage.puppet.side.flight.sent.remove(0);
    let mut parts = ServerParts::of(&hello);
    edit(&mut parts);
    scene.refuses(&plain(22, &parts.message()), alert, expected);
}

/// What clients of TLS 1.2 and of both versions say to a ServerHello of TLS 1.2.
fn answer12(edit: impl Fn(&mut ServerParts), alert: A, expected: &[R]) {
    at_client(client12(), server12(), &edit, alert, expected);
    at_client(client_of_both(), server12(), &edit, alert, expected);
}

/// A server that is offered only these suites refuses; a client that they are chosen for too.
fn suites(suites: &[u16], alert: A, expected: R) {
    let parts = |parts: &mut ClientParts| parts.suites = suites.to_vec();
    hello12(parts, Answer::Refuses(alert, &[expected]));
    // In TLS 1.3 they are no better.
    at_server(
        server_builder(),
        client_builder(),
        parts,
        Answer::Refuses(alert, &[expected]),
    );
    // Beside something better they do no harm.
    let beside = |parts: &mut ClientParts| parts.suites.extend(suites);
    hello12(beside, Answer::Takes(&[expected]));
    for suite in suites {
        assert_eq!(crate::refused::suite(CipherSuite(*suite)), Some(expected));
        let choose = |parts: &mut ServerParts| parts.suite = *suite;
        answer12(choose, A::ILLEGAL_PARAMETER, &[expected]);
    }
}

/// A server does as if the extension were not there; a client refuses it as an answer.
fn extensions(types: &[u16], expected: R) {
    for typ in types {
        let offer = |parts: &mut ClientParts| parts.extensions.push(*typ, &[0, 1, 0]);
        hello12(offer, Answer::Takes(&[expected]));
        at_server(
            server_builder(),
            client_builder(),
            offer,
            Answer::Takes(&[expected]),
        );
        let answer = |parts: &mut ServerParts| parts.extensions.push(*typ, &[]);
        answer12(answer, A::UNSUPPORTED_EXTENSION, &[expected]);
    }
}

fn has_document(refused: R, document: &str) {
    assert_eq!(refused.document(), document);
}

/// RFC 6176.
#[test]
fn ssl_2() {
    has_document(R::Ssl2, "RFC 6176");
    let hello = [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80];
    // The same form was used to ask for later versions.
    let newer = [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80];
    for record in [hello, newer] {
        for server in [server_builder(), server12(), server_of_both()] {
            let scene = Scene::server(server, client12());
            scene.refuses(&record, A::PROTOCOL_VERSION, &[R::Ssl2]);
        }
    }
}

/// RFC 7568; RFC 8996.
#[test]
fn ssl_3_and_tls_1_0_and_1_1() {
    has_document(R::Ssl3, "RFC 7568");
    has_document(R::Tls10, "RFC 8996");
    has_document(R::Tls11, "RFC 8996");
    for (version, refused) in [(0x0300, R::Ssl3), (0x0301, R::Tls10), (0x0302, R::Tls11)] {
        let refuses = Answer::Refuses(A::PROTOCOL_VERSION, &[refused]);
        for server in [server_builder(), server12(), server_of_both()] {
            let old = |parts: &mut ClientParts| parts.version = version;
            at_server(server, client12(), old, refuses);
        }
        let list = [&[2], &version.to_be_bytes()[..]].concat();
        let only = |parts: &mut ClientParts| parts.extensions.set(43, &list);
        at_server(server_of_both(), client_of_both(), only, refuses);
        // Beside a newer one it does no harm.
        let list = [&[4, 3, 3], &version.to_be_bytes()[..]].concat();
        let beside = |parts: &mut ClientParts| parts.extensions.set(43, &list);
        at_server(server12(), client12(), beside, Answer::Takes(&[refused]));

        let choose = |parts: &mut ServerParts| parts.version = version;
        answer12(choose, A::PROTOCOL_VERSION, &[refused]);
    }
}

/// RFC 7465.
#[test]
fn rc4() {
    has_document(R::Rc4, "RFC 7465");
    let of_everybody = [0x0004, 0x0005, 0xc007, 0xc011, 0x008a];
    suites(&of_everybody, A::INSUFFICIENT_SECURITY, R::Rc4);
}

/// RFC 9325, Section 4.1; RFC 8996.
#[test]
fn null_anonymous_export_and_des() {
    let refused = A::HANDSHAKE_FAILURE;
    has_document(R::NoEncryption, "RFC 9325, Section 4.1");
    suites(&[0x0001, 0x0002, 0x003b, 0xc006], refused, R::NoEncryption);
    has_document(R::NoAuthentication, "RFC 9325, Section 4.1");
    suites(
        &[0x0018, 0x0034, 0x00a6, 0xc018],
        refused,
        R::NoAuthentication,
    );
    has_document(R::Export, "RFC 9325, Section 4.1");
    suites(&[0x0003, 0x0006, 0x0008, 0x0062], refused, R::Export);
    has_document(R::DesOrIdea, "RFC 8996");
    suites(&[0x0007, 0x0009, 0x0015], refused, R::DesOrIdea);
}

/// RFC 9325.
#[test]
fn triple_des() {
    has_document(R::TripleDes, "RFC 9325");
    let of_everybody = [0x000a, 0x0016, 0xc008, 0xc012];
    suites(&of_everybody, A::HANDSHAKE_FAILURE, R::TripleDes);
}

/// RFC 10015.
#[test]
fn rsa_key_exchange() {
    has_document(R::RsaKeyExchange, "RFC 10015");
    let of_everybody = [0x002f, 0x0035, 0x003c, 0x009c, 0x009d, 0xc09c];
    suites(&of_everybody, A::HANDSHAKE_FAILURE, R::RsaKeyExchange);
}

/// RFC 10015.
#[test]
fn finite_field_and_static_diffie_hellman() {
    has_document(R::FiniteFieldDiffieHellman, "RFC 10015");
    let ephemeral = [0x0033, 0x0039, 0x009e, 0x009f, 0xccaa];
    let refused = A::HANDSHAKE_FAILURE;
    suites(&ephemeral, refused, R::FiniteFieldDiffieHellman);
    has_document(R::StaticDiffieHellman, "RFC 10015");
    let fixed = [0x0031, 0x00a0, 0xc004, 0xc00e, 0xc02d, 0xc031];
    suites(&fixed, refused, R::StaticDiffieHellman);
}

/// RFC 9325, Section 4.2: with encrypt_then_mac or without.
#[test]
fn cbc() {
    has_document(R::Cbc, "RFC 9325, Section 4.2");
    let of_everybody = [0xc009, 0xc013, 0xc023, 0xc028];
    suites(&of_everybody, A::HANDSHAKE_FAILURE, R::Cbc);
    let with_the_extension = |parts: &mut ClientParts| {
        parts.suites = vec![0xc009];
        parts.extensions.push(22, &[]);
    };
    hello12(
        with_the_extension,
        Answer::Refuses(A::HANDSHAKE_FAILURE, &[R::Cbc]),
    );
}

#[test]
fn retired_suites() {
    for (ids, refused, document) in [
        (&[0x0096, 0x009a][..], R::Seed, "RFC 4162"),
        (&[0x0041, 0xc072], R::Camellia, "RFC 5932 and RFC 6367"),
        (&[0xc03c, 0xc05c], R::Aria, "RFC 6209"),
        (&[0x001e, 0x0020, 0x002b], R::Kerberos, "RFC 2712"),
        (&[0xc01a, 0xc01d], R::Srp, "RFC 5054"),
    ] {
        has_document(refused, document);
        suites(ids, A::HANDSHAKE_FAILURE, refused);
    }
}

#[test]
fn retired_extensions() {
    for (types, refused, document) in [
        (&[2][..], R::ClientCertificateUrl, "RFC 6066, Section 11.3"),
        (&[3], R::TrustedCaKeys, "RFC 6066, Section 6"),
        (&[6], R::UserMapping, "RFC 4681"),
        (&[7, 8], R::Authorization, "RFC 5878"),
        (&[9], R::OpenPgp, "RFC 6091"),
        (&[12], R::Srp, "RFC 5054"),
        (&[17], R::StatusRequestV2, "RFC 6961"),
        (&[24], R::TokenBinding, "RFC 8472"),
        (&[25], R::CachedInfo, "RFC 7924"),
        (&[17613], R::ApplicationSettings, "draft-vvv-tls-alps"),
        (&[30032], R::ChannelId, "draft-balfanz-tls-channelid"),
    ] {
        has_document(refused, document);
        extensions(types, refused);
    }
    // Their messages come out of order wherever they come.
    for (typ, refused) in [
        (T::SUPPLEMENTAL_DATA, R::SupplementalData),
        (T::CERTIFICATE_URL, R::ClientCertificateUrl),
    ] {
        let record = plain(22, &message(typ, &[0; 4]));
        let scene = Scene::server(server12(), client12());
        scene.refuses(&record, A::UNEXPECTED_MESSAGE, &[refused]);
        let scene = Scene::client(client12(), server12());
        scene.refuses(&record, A::UNEXPECTED_MESSAGE, &[refused]);
    }
}

/// RFC 9325, Section 3.3; RFC 9846, Section 4.2.2.
#[test]
fn compression() {
    has_document(R::Compression, "RFC 9325, Section 3.3");
    let refuses = Answer::Refuses(A::ILLEGAL_PARAMETER, &[R::Compression]);
    // DEFLATE (RFC 3749) and LZS (RFC 3943).
    for method in [1, 64] {
        let alone = |parts: &mut ClientParts| parts.compression = vec![method];
        hello12(alone, refuses);
        at_server(server_builder(), client_builder(), alone, refuses);
        let beside = |parts: &mut ClientParts| parts.compression = vec![method, 0];
        hello12(beside, Answer::Takes(&[R::Compression]));
        at_server(server_builder(), client_builder(), beside, refuses);
        let choose = |parts: &mut ServerParts| parts.compression = method;
        answer12(choose, A::ILLEGAL_PARAMETER, &[R::Compression]);
        let (client, server) = (client_builder(), server_builder());
        let refused = A::ILLEGAL_PARAMETER;
        at_client(client, server, choose, refused, &[R::Compression]);
    }
    // Null is what a server of TLS 1.2 chooses.
    let mut scene = Scene::server(server12(), client12());
    let (_, hello) = scene.stage.puppet.side.flight.sent.remove(0);
    let mut parts = ClientParts::of(&hello);
    parts.compression = vec![1, 0];
    scene.stage.give(&plain(22, &parts.message())).unwrap();
    let answer = ServerParts::of(&scene.stage.out.as_slice()[5..]);
    assert_eq!(answer.compression, 0);
}

/// RFC 9325, Section 4.6.
#[test]
fn truncated_hmac() {
    has_document(R::TruncatedHmac, "RFC 9325, Section 4.6");
    extensions(&[4], R::TruncatedHmac);
}

/// RFC 6520.
#[test]
fn heartbeat() {
    has_document(R::Heartbeat, "RFC 6520");
    extensions(&[15], R::Heartbeat);
    let request = [1, 0x40, 0];
    for scene in [
        Scene::server(server12(), client12()),
        Scene::server(server_builder(), client_builder()),
        Scene::client(client12(), server12()),
        Scene::client(client_builder(), server_builder()),
    ] {
        let record = plain(24, &request);
        scene.refuses(&record, A::UNEXPECTED_MESSAGE, &[R::Heartbeat]);
    }
    // Under the keys of an established connection too.
    for mut scene in established() {
        let record = scene.stage.protected(24, &request);
        let error = scene.stage.refuse(&record);
        assert_eq!(error.alert(), Some(A::UNEXPECTED_MESSAGE));
        assert_eq!(scene.watch.take().refused, [R::Heartbeat]);
    }
}

/// RFC 7301 replaced it.
#[test]
fn next_protocol_negotiation() {
    has_document(R::NextProtocol, "RFC 7301");
    extensions(&[13172], R::NextProtocol);
    let record = plain(22, &message(T::NEXT_PROTOCOL, &[2, b'h', b'2']));
    let mut scene = Scene::server(server12(), client12());
    scene.stage.give_messages(2);
    scene.refuses(&record, A::UNEXPECTED_MESSAGE, &[R::NextProtocol]);
}

/// Established connections of both roles and versions.
fn established() -> Vec<Scene> {
    let mut scenes = Vec::from([
        Scene::client(client12(), server12()),
        Scene::server(server12(), client12()),
        Scene::client(client_builder(), server_builder()),
        Scene::server(server_builder(), client_builder()),
    ]);
    for (scene, messages) in scenes.iter_mut().zip([5, 3, 5, 2]) {
        scene.stage.give_messages(messages);
        assert!(!scene.stage.connection.is_handshaking());
        scene.stage.deliver();
        assert!(scene.watch.take().keys >= 2);
    }
    scenes
}

/// RFC 9325, Section 3.5; RFC 9846 has no such thing.
#[test]
fn renegotiation() {
    has_document(R::Renegotiation, "RFC 9325, Section 3.5");
    let hello = message(T::CLIENT_HELLO, &[0; 50]);
    let request = message(T::HELLO_REQUEST, &[]);
    for (index, mut scene) in established().into_iter().enumerate() {
        let wish = if index % 2 == 0 { &request } else { &hello };
        let record = scene.stage.protected(22, wish);
        if index < 2 {
            assert_eq!(scene.stage.give(&record), Ok(vec![]));
            let warning = vec![1, A::NO_RENEGOTIATION.0];
            assert_eq!(scene.stage.deliver(), [(21, warning)]);
            let data = scene.stage.protected(23, b"data");
            let events = scene.stage.give(&data).unwrap();
            assert!(matches!(events[..], [Event::AppData(_)]));
        } else {
            let error = scene.stage.refuse(&record);
            assert_eq!(error.alert(), Some(A::UNEXPECTED_MESSAGE));
        }
        let told = scene.watch.take();
        assert_eq!((told.refused, told.keys), (vec![R::Renegotiation], 0));
    }
    // In a first handshake the extension says nothing.
    let again = vector8(&[7; 12]);
    hello12(
        |parts| parts.extensions.set(0xff01, &again),
        Answer::Refuses(A::HANDSHAKE_FAILURE, &[R::Renegotiation]),
    );
    answer12(
        |parts| parts.extensions.set(0xff01, &again),
        A::HANDSHAKE_FAILURE,
        &[R::Renegotiation],
    );
}

/// RFC 5746: served, unless the configuration is strict.
#[test]
fn peers_without_secure_renegotiation() {
    has_document(R::NoSecureRenegotiation, "RFC 5746");
    let without = |parts: &mut ClientParts| parts.extensions.remove(0xff01);
    hello12(without, Answer::Takes(&[]));
    let strict = server12().secure_renegotiation_required(true);
    let refuses = Answer::Refuses(A::HANDSHAKE_FAILURE, &[R::NoSecureRenegotiation]);
    at_server(strict, client12(), without, refuses);
    at_client(
        client12().secure_renegotiation_required(true),
        server12(),
        |parts| parts.extensions.remove(0xff01),
        A::HANDSHAKE_FAILURE,
        &[R::NoSecureRenegotiation],
    );
}

/// RFC 7627.
#[test]
fn sessions_without_extended_main_secret() {
    has_document(R::NoExtendedMainSecret, "RFC 7627");
    hello12(
        |parts| parts.extensions.remove(23),
        Answer::Refuses(A::HANDSHAKE_FAILURE, &[R::NoExtendedMainSecret]),
    );
    answer12(
        |parts| parts.extensions.remove(23),
        A::HANDSHAKE_FAILURE,
        &[R::NoExtendedMainSecret],
    );
}

/// RFC 9155.
#[test]
fn md5_and_sha1_signatures() {
    has_document(R::Md5OrSha1Signature, "RFC 9155");
    let refuses = Answer::Refuses(A::HANDSHAKE_FAILURE, &[R::Md5OrSha1Signature]);
    let only = |parts: &mut ClientParts| {
        let old = [1, 1, 1, 3, 2, 1, 2, 2, 2, 3];
        parts.extensions.set(13, &vector16(&old));
    };
    hello12(only, refuses);
    at_server(server_builder(), client_builder(), only, refuses);
    // That is also what it means to say nothing (RFC 5246, Section 7.4.1.4.1).
    hello12(|parts| parts.extensions.remove(13), refuses);
    hello12(
        |parts| parts.extensions.set(13, &vector16(&[2, 3, 4, 3])),
        Answer::Takes(&[R::Md5OrSha1Signature]),
    );

    // A server that signs like that.
    let mut scene = Scene::client(client12(), server12());
    scene.stage.give_messages(2);
    let (_, exchange) = scene.stage.puppet.side.flight.sent.remove(0);
    let mut body = exchange[4..].to_vec();
    body[36..38].copy_from_slice(&[2, 3]);
    let record = plain(22, &message(T::SERVER_KEY_EXCHANGE, &body));
    scene.refuses(&record, A::ILLEGAL_PARAMETER, &[R::Md5OrSha1Signature]);
}

/// RFC 9846, Section 4.2.3; RFC 7507.
#[test]
fn downgrades() {
    has_document(R::Downgrade, "RFC 9846, Section 4.2.3");
    for last in [0, 1] {
        at_client(
            client_of_both(),
            server12(),
            |parts| {
                parts.random[24..31].copy_from_slice(b"DOWNGRD");
                parts.random[31] = last;
            },
            A::ILLEGAL_PARAMETER,
            &[R::Downgrade],
        );
    }
    has_document(R::Fallback, "RFC 7507");
    at_server(
        server_of_both(),
        client12(),
        |parts| parts.suites.push(0x5600),
        Answer::Refuses(A::INAPPROPRIATE_FALLBACK, &[R::Fallback]),
    );
}

/// RFC 9155; RFC 9325: who judges certificates says why, and the trace names it.
#[test]
fn weak_certificates() {
    use crate::{CertificateError, ServerCertRequest, ServerCertVerifier, Verdict};

    #[derive(Debug)]
    struct Strict;

    impl ServerCertVerifier for Strict {
        fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
            Verdict::Rejected(CertificateError::TooWeak.into())
        }
    }

    has_document(R::WeakCertificate, "RFC 9155");
    let provider = &waxwing_aws_lc::PROVIDER;
    let strict = crate::ClientConfig::builder(provider, Arc::new(Strict));
    let mut scene = Scene::client(strict.versions(crate::ProtocolVersions::TLS12), server12());
    scene.stage.give_messages(1);
    let (_, certificate) = scene.stage.puppet.side.flight.sent.remove(0);
    let record = plain(22, &certificate);
    scene.refuses(&record, A::BAD_CERTIFICATE, &[R::WeakCertificate]);
}

/// Without a trace nothing is looked for, and the same happens.
#[test]
fn nobody_has_to_listen() {
    let mut stage = Stage::server(server12(), client12());
    let (_, hello) = stage.puppet.side.flight.sent.remove(0);
    let mut parts = ClientParts::of(&hello);
    parts.suites = vec![0x0005];
    let error = stage.refuse(&plain(22, &parts.message()));
    assert_eq!(error, Error::Incompatible(crate::Incompatible::OnlyRc4));
}
