//! Handshakes of TLS 1.2 without records: who says what under which keys, what guards against a
//! downgrade, and peers that know less than we do.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use waxwing_aws_lc::PROVIDER;

use crate::handshake::Status;
use crate::handshake::transcript::Transcript;
use crate::messages::HandshakeType as T;
use crate::record::Epoch;
use crate::record::protect12::Keys12;
use crate::testing::hellos::{ClientParts, ServerParts};
use crate::testing::tls12::{
    asking_server12, carry, client_of_both, client12, known_client12, server_of_both, server12,
};
use crate::testing::{CERTIFICATE, Secrets, Side, server_key};
use crate::{
    CertifiedKey, ClientConfigBuilder, Error, PeerError, ProtocolVersions, ServerConfig,
    ServerConfigBuilder,
};

const STATUS_REQUEST: u16 = 5;
const EXTENDED_MAIN_SECRET: u16 = 23;
const SUPPORTED_VERSIONS: u16 = 43;
const RENEGOTIATION_INFO: u16 = 0xff01;
const EMPTY_RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;
const FALLBACK_SCSV: u16 = 0x5600;

/// Lets both go on until nobody has anything to say.
fn finish(client: &mut Side, server: &mut Side) -> Result<(), Error> {
    let unchanged = &mut |bytes| bytes;
    while !client.flight.sent.is_empty() || !server.flight.sent.is_empty() {
        carry(client, server, unchanged)?;
        carry(server, client, unchanged)?;
    }
    assert_eq!((client.status, server.status), (Status::Done, Status::Done));
    Ok(())
}

/// A client that said something else than it did, and believes it did, so that the handshake can
/// go on.
fn with_hello(builder: ClientConfigBuilder, edit: impl Fn(&mut ClientParts)) -> Side {
    let mut client = Side::client(builder);
    let (_, hello) = &mut client.flight.sent[0];
    let mut parts = ClientParts::of(hello);
    edit(&mut parts);
    *hello = parts.message();
    client.handshake.cx.transcript = Transcript::Buffered(hello.clone());
    client
}

/// Makes a server believe that it sent exactly these messages, after this hello.
fn rewrite(server: &mut Side, hello: &[u8], sent: &[Vec<u8>]) {
    let suite = server.handshake.cx.info.cipher_suite.unwrap();
    let mut transcript = Transcript::new();
    transcript.start(PROVIDER.suite12(suite).unwrap().hash);
    transcript.add(hello);
    sent.iter().for_each(|message| transcript.add(message));
    server.handshake.cx.transcript = transcript;
}

/// Lets the two shake hands, with an edited ServerHello and without messages of this type of the
/// server.
fn with_server_hello(
    client: &mut Side,
    server: &mut Side,
    edit: impl Fn(&mut ServerParts),
    without: Option<T>,
) -> Result<(), Error> {
    let hello = client.sent().remove(0);
    server.take(&hello).unwrap();
    let mut flight = server.sent();
    let mut parts = ServerParts::of(&flight[0]);
    edit(&mut parts);
    flight[0] = parts.message();
    flight.retain(|bytes| Some(T(bytes[0])) != without);
    rewrite(server, &hello, &flight);
    for message in &flight {
        client.take(message)?;
    }
    finish(client, server)
}

fn random_end(server: &Side) -> Vec<u8> {
    ServerParts::of(&server.flight.sent[0].1).random[24..].to_vec()
}

#[test]
fn a_handshake_without_records() {
    let mut client = Side::client(known_client12());
    let mut server = Side::server(asking_server12(true));
    let levels = |side: &Side| -> Vec<(Epoch, T)> {
        let sent = side.flight.sent.iter();
        sent.map(|(epoch, bytes)| (*epoch, T(bytes[0]))).collect()
    };
    let unchanged = &mut |bytes| bytes;
    carry(&mut client, &mut server, unchanged).unwrap();
    let plain = |types: &[T]| -> Vec<(Epoch, T)> {
        types.iter().map(|typ| (Epoch::Initial, *typ)).collect()
    };
    let flight = [
        T::SERVER_HELLO,
        T::CERTIFICATE,
        T::SERVER_KEY_EXCHANGE,
        T::CERTIFICATE_REQUEST,
        T::SERVER_HELLO_DONE,
    ];
    assert_eq!(levels(&server), plain(&flight));
    carry(&mut server, &mut client, unchanged).unwrap();
    let mut flight = plain(&[
        T::CERTIFICATE,
        T::CLIENT_KEY_EXCHANGE,
        T::CERTIFICATE_VERIFY,
    ]);
    flight.push((Epoch::Application, T::FINISHED));
    assert_eq!(levels(&client), flight);
    carry(&mut client, &mut server, unchanged).unwrap();
    assert_eq!(server.status, Status::Done);
    assert_eq!(levels(&server), [(Epoch::Application, T::FINISHED)]);
    carry(&mut server, &mut client, unchanged).unwrap();
    assert_eq!(client.status, Status::Done);

    let bytes = |keys: Option<&Keys12>| {
        let keys = keys.unwrap();
        (keys.suite.id, *keys.key, *keys.iv)
    };
    let from_client = bytes(client.flight.keys12.as_ref());
    let from_server = bytes(server.flight.keys12.as_ref());
    assert_eq!(bytes(server.read12.as_deref()), from_client);
    assert_eq!(bytes(client.read12.as_deref()), from_server);
    assert_ne!(from_client, from_server);
    assert!(client.handshake.cx.info.exporter.is_some());
    // Nothing of TLS 1.3 was used on the way.
    assert!(client.flight.keys.is_empty() && client.read.is_empty());
    assert!(server.flight.keys.is_empty() && server.read.is_empty());
}

/// RFC 9846, Section 4.2.3.
#[test]
fn only_a_server_of_tls13_marks_the_downgrade() {
    for (server, marks) in [(server12(), false), (server_of_both(), true)] {
        let mut client = Side::client(client12());
        let mut server = Side::server(server);
        server.take(&client.flight.sent[0].1).unwrap();
        assert_eq!(random_end(&server) == b"DOWNGRD\x01", marks);
        let unchanged = &mut |bytes| bytes;
        client.sent();
        carry(&mut server, &mut client, unchanged).unwrap();
        finish(&mut client, &mut server).unwrap();
    }
    // In TLS 1.3 there is nothing to mark.
    let mut client = Side::client(client_of_both());
    let mut server = Side::server(server_of_both());
    server.take(&client.sent()[0]).unwrap();
    assert_ne!(random_end(&server), b"DOWNGRD\x01");
}

#[test]
fn somebody_who_removes_tls13_is_found_out() {
    let mut client = Side::client(client_of_both());
    let mut server = Side::server(server_of_both());
    let mut parts = ClientParts::of(&client.sent()[0]);
    parts.extensions.set(SUPPORTED_VERSIONS, &[2, 3, 3]);
    server.take(&parts.message()).unwrap();
    let refused = client.take(&server.sent()[0]);
    assert_eq!(refused, Err(PeerError::Downgrade.into()));
}

/// A client that never speaks TLS 1.3 has nothing to lose.
#[test]
fn a_client_of_tls12_alone_ignores_the_marks() {
    for last in [0, 1] {
        let mut client = Side::client(client12());
        let mut server = Side::server(server12());
        server.take(&client.sent()[0]).unwrap();
        let mut parts = ServerParts::of(&server.sent()[0]);
        parts.random[24..31].copy_from_slice(b"DOWNGRD");
        parts.random[31] = last;
        assert_eq!(client.take(&parts.message()), Ok(()));
    }
}

/// RFC 7507, Section 3.
#[test]
fn a_fallback_is_refused_only_where_it_costs_something() {
    let fallback = |parts: &mut ClientParts| parts.suites.push(FALLBACK_SCSV);
    for (client, server, expected) in [
        (client12(), server12(), Ok(())),
        (client12(), server_of_both(), Err(PeerError::Fallback)),
        (client_of_both(), server_of_both(), Ok(())),
        (client_of_both(), server12(), Ok(())),
    ] {
        let mut client = with_hello(client, fallback);
        let mut server = Side::server(server);
        let result = server.take(&client.sent()[0]);
        assert_eq!(result, expected.map_err(Error::from));
    }
    // To a version that this server does not even speak.
    let mut client = with_hello(client12(), |parts| {
        parts.version = 0x0302;
        parts.suites.push(FALLBACK_SCSV);
    });
    let result = Side::server(server12()).take(&client.sent()[0]);
    assert_eq!(result, Err(PeerError::Fallback.into()));
}

/// What two sides agree on if the client does not know of extended_main_secret.
fn without_extended_main_secret(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
) -> Result<(Side, Side), Error> {
    let mut client = with_hello(client, |parts| {
        parts.extensions.remove(EXTENDED_MAIN_SECRET)
    });
    let mut server = Side::server(server);
    finish(&mut client, &mut server)?;
    Ok((client, server))
}

/// RFC 7627: without it, only peers that were told of the danger go on.
#[test]
fn the_main_secret_is_bound_to_the_handshake_unless_told_otherwise() {
    let tolerant = |on| client12().dangerous_without_extended_main_secret(on);
    let lenient = |on| server12().dangerous_without_extended_main_secret(on);
    let refused: Error = crate::Incompatible::ExtendedMainSecret.into();
    for (ours, theirs) in [(false, false), (true, false), (false, true)] {
        let result = without_extended_main_secret(tolerant(ours), lenient(theirs));
        assert_eq!(result.err(), Some(refused.clone()));
    }
    let secrets = [Arc::new(Secrets::default()), Arc::new(Secrets::default())];
    let client = tolerant(true).key_log(secrets[0].clone());
    let server = lenient(true).key_log(secrets[1].clone());
    let (client, server) = without_extended_main_secret(client, server).unwrap();
    let [ours, theirs] = secrets.map(|secrets| secrets.find("CLIENT_RANDOM").unwrap());
    assert_eq!((ours.len(), ours.as_ref()), (48, theirs.as_ref()));
    let export = |side: &Side| {
        assert!(!side.handshake.cx.info.extended_main_secret);
        let mut out = [0; 32];
        let exporter = side.handshake.cx.info.exporter.as_ref().unwrap();
        exporter.export(b"label", None, &mut out).unwrap();
        out
    };
    assert_eq!(export(&client), export(&server));
}

/// RFC 7627, Section 5.1: a server does not answer what was not asked, a client uses what both
/// know.
#[test]
fn extended_main_secret_is_an_answer() {
    let mut client = with_hello(
        client12().dangerous_without_extended_main_secret(true),
        |parts| parts.extensions.remove(EXTENDED_MAIN_SECRET),
    );
    let lenient = server12().dangerous_without_extended_main_secret(true);
    let mut server = Side::server(lenient);
    server.take(&client.sent()[0]).unwrap();
    let parts = ServerParts::of(&server.sent()[0]);
    assert_eq!(parts.extensions.get(EXTENDED_MAIN_SECRET), None);

    // Tolerance is not preference.
    let tolerant = client12().dangerous_without_extended_main_secret(true);
    let lenient = server12().dangerous_without_extended_main_secret(true);
    let (mut client, mut server) = (Side::client(tolerant), Side::server(lenient));
    finish(&mut client, &mut server).unwrap();
    assert!(client.handshake.cx.info.extended_main_secret);
    assert!(server.handshake.cx.info.extended_main_secret);
}

/// RFC 5746, Section 3.6: the suite that stands for the extension is as good.
#[test]
fn secure_renegotiation_is_signalled_in_two_ways() {
    type Edit = fn(&mut ClientParts);
    let extension: Edit = |_| ();
    let suite: Edit = |parts| {
        parts.extensions.remove(RENEGOTIATION_INFO);
        parts.suites.push(EMPTY_RENEGOTIATION_INFO_SCSV);
    };
    let neither: Edit = |parts| parts.extensions.remove(RENEGOTIATION_INFO);
    let refused: Error = crate::Incompatible::SecureRenegotiation.into();
    for (edit, strict, expected) in [
        (extension, true, Ok(true)),
        (suite, true, Ok(true)),
        (neither, true, Err(refused)),
        (extension, false, Ok(true)),
        (suite, false, Ok(true)),
        (neither, false, Ok(false)),
    ] {
        let mut client = with_hello(client12(), edit);
        let mut server = Side::server(server12().secure_renegotiation_required(strict));
        let result = server.take(&client.sent()[0]);
        let result = result.map(|()| server.handshake.cx.info.secure_renegotiation);
        assert_eq!(result, expected);
        if let Ok(signalled) = result {
            let parts = ServerParts::of(&server.sent()[0]);
            let answer = parts.extensions.get(RENEGOTIATION_INFO);
            assert_eq!(answer, signalled.then_some(&[0][..]));
        }
    }
}

#[test]
fn a_client_goes_on_without_secure_renegotiation_unless_it_is_strict() {
    let remove = |parts: &mut ServerParts| parts.extensions.remove(RENEGOTIATION_INFO);
    let strict = crate::Incompatible::SecureRenegotiation.into();
    for (required, expected) in [(false, Ok(())), (true, Err(strict))] {
        let mut client = Side::client(client12().secure_renegotiation_required(required));
        let mut server = Side::server(server12());
        let result = with_server_hello(&mut client, &mut server, remove, None);
        assert_eq!(result, expected);
        assert!(!client.handshake.cx.info.secure_renegotiation);
    }
}

/// Sessions are not resumed, so they have no names: ours is never repeated, theirs are let pass.
#[test]
fn session_ids_name_nothing() {
    let mut client = with_hello(client12(), |parts| parts.session_id = vec![7; 32]);
    let mut server = Side::server(server12());
    server.take(&client.flight.sent[0].1).unwrap();
    assert!(
        ServerParts::of(&server.flight.sent[0].1)
            .session_id
            .is_empty()
    );
    client.sent();
    carry(&mut server, &mut client, &mut |bytes| bytes).unwrap();
    finish(&mut client, &mut server).unwrap();

    for client in [client12(), client_of_both()] {
        let mut client = Side::client(client);
        let mut server = Side::server(server12());
        let rename = |parts: &mut ServerParts| parts.session_id = vec![9; 32];
        let result = with_server_hello(&mut client, &mut server, rename, None);
        assert_eq!(result, Ok(()));
    }
}

/// RFC 6066, Section 8: a status that was announced may be missing.
#[test]
fn an_announced_status_may_be_missing() {
    let stapling = || {
        let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], server_key());
        let key = Arc::new(key.with_ocsp(b"a response".to_vec()));
        let builder = ServerConfig::builder(&PROVIDER, Arc::new(key));
        builder.versions(ProtocolVersions::TLS12)
    };
    for (without, expected) in [
        (None, Some(&b"a response"[..])),
        (Some(T::CERTIFICATE_STATUS), None),
    ] {
        let mut client = Side::client(client12().keep_peer_chain(true));
        let mut server = Side::server(stapling());
        let announced = |parts: &mut ServerParts| {
            assert_eq!(parts.extensions.get(STATUS_REQUEST), Some(&[][..]));
        };
        with_server_hello(&mut client, &mut server, announced, without).unwrap();
        assert_eq!(client.handshake.cx.info.ocsp.as_deref(), expected);
    }
    // Who does not ask gets none.
    let mut client = Side::client(client12().request_ocsp(false));
    let mut server = Side::server(stapling());
    server.take(&client.sent()[0]).unwrap();
    let flight = server.sent();
    assert!(
        flight
            .iter()
            .all(|bytes| bytes[0] != T::CERTIFICATE_STATUS.0)
    );
    let parts = ServerParts::of(&flight[0]);
    assert_eq!(parts.extensions.get(STATUS_REQUEST), None);
}

/// RFC 8422, Section 4: a client without a list of groups leaves the choice to us; Section 5.1.2:
/// one without a list of point formats reads uncompressed points.
#[test]
fn clients_may_leave_groups_and_point_formats_out() {
    let mut client = with_hello(client12(), |parts| {
        parts.extensions.remove(10);
        parts.extensions.remove(11);
    });
    let mut server = Side::server(server12());
    server.take(&client.flight.sent[0].1).unwrap();
    let parts = ServerParts::of(&server.flight.sent[0].1);
    assert_eq!(parts.extensions.get(11), None);
    client.sent();
    carry(&mut server, &mut client, &mut |bytes| bytes).unwrap();
    finish(&mut client, &mut server).unwrap();
}
