//! `openssl s_client` and `s_server`.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::crypto::{NamedGroup, SignatureScheme};
use waxwing::pki::{KeyType, TrustAnchors, Verifier};
use waxwing::{AlertDescription, ClientConfig, Direction, Error, PROVIDER, RecordPadding};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::payload::{MEBIBYTE, text};
use waxwing_interop::{
    Identity, Listener, Process, Session, Story, VERSIONS, count, for_all, free_port, peer,
};
use waxwing_testkit::pki::Case;

const LABEL: &str = "EXPORTER-waxwing-interop";

/// What `-keymatexport` printed, in lower case.
fn keying_material(output: &[u8]) -> String {
    let output = core::str::from_utf8(output).unwrap();
    let value = output
        .lines()
        .find_map(|line| line.trim().strip_prefix("Keying material: "));
    value.expect("an export").to_lowercase()
}

#[test]
fn client_carries_a_mebibyte_each_way_and_closes() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let data = text(MEBIBYTE);
    for versions in VERSIONS {
        let more = ["-quiet", "-naccept", "1", "-alpn", "echo"];
        let (mut peer, port) = s_server(&identity, &more);
        let config = Identity::client().alpn(["other", "echo"]);
        let config = config.versions(versions).build().unwrap();
        let mut session = Session::connect(&config, port).unwrap();
        assert_eq!(session.info().version, versions.max());
        assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
        peer.send(data.clone());
        assert!(session.read(data.len()).unwrap() == data);
        session.write(&data).unwrap();
        session.close().unwrap();
        assert!(peer.succeed() == data);
    }
}

#[test]
fn server_carries_a_mebibyte_each_way_and_closes() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let data = text(MEBIBYTE);
    for versions in VERSIONS {
        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &["-quiet", "-alpn", "other,echo"]);
        let config = identity.server().alpn(["echo"]);
        let config = config.versions(versions).build().unwrap();
        let mut session = Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap();
        assert_eq!(session.info().version, versions.max());
        assert_eq!(session.info().alpn.as_deref(), Some(&b"echo"[..]));
        let name = session.info().server_name.as_ref().unwrap();
        assert_eq!(name.as_str(), "localhost");
        peer.send(data.clone());
        assert!(session.read(data.len()).unwrap() == data);
        session.write(&data).unwrap();
        session.close().unwrap();
        assert!(peer.succeed() == data);
    }
}

/// KeyUpdate asked for by us, by the peer with a request and by the peer without one, and data
/// both ways under the keys after each.
fn update_keys(session: &mut Session, story: &Story, peer: &mut Process) {
    let mut round = 0;
    let mut exchange = |session: &mut Session, peer: &mut Process| {
        round += 1;
        let line = format!("line {round}\n");
        session.write(line.as_bytes()).unwrap();
        peer.wait_for(&line);
        peer.send(line.clone());
        assert_eq!(session.read_line().unwrap(), line.as_bytes());
    };
    exchange(session, peer);
    session.update_key(false).unwrap();
    exchange(session, peer);
    assert_eq!(
        (story.key_updates_sent(), story.key_updates_received()),
        (1, 0)
    );
    session.update_key(true).unwrap();
    exchange(session, peer);
    assert_eq!(
        (story.key_updates_sent(), story.key_updates_received()),
        (2, 1)
    );
    for (command, sent, received) in [("K\n", 3, 2), ("k\n", 3, 3)] {
        peer.send(command);
        // The first was the answer to our request.
        peer.wait_until("its KeyUpdate", |output, _| {
            let told = count(output, ">>> TLS 1.3, Handshake [length 0005], KeyUpdate");
            told == received
        });
        // We hear of it while we read, and answer before we write again.
        exchange(session, peer);
        exchange(session, peer);
        assert_eq!(story.key_updates_sent(), sent);
        assert_eq!(story.key_updates_received(), received);
    }
}

#[test]
fn client_updates_keys() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-naccept", "1", "-msg"]);
    let story = Story::new();
    let config = Identity::client().trace(Arc::<Story>::clone(&story));
    let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
    update_keys(&mut session, &story, &mut peer);
    session.close().unwrap();
    peer.succeed();
}

#[test]
fn server_updates_keys() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let mut peer = s_client(&identity, &listener, &["-msg"]);
    let story = Story::new();
    let config = identity.server().trace(Arc::<Story>::clone(&story));
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
    update_keys(&mut session, &story, &mut peer);
    session.close().unwrap();
    peer.succeed();
}

#[test]
fn client_tells_a_killed_server_from_one_that_closed() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let (mut peer, port) = s_server(&identity, &["-quiet"]);
        let mut session = Session::connect(&Identity::client_of(versions), port).unwrap();
        peer.send("hello\n");
        session.read(6).unwrap();
        peer.kill();
        let fault = session.read_to_close().unwrap_err();
        assert_eq!(fault.tls(), Some(&Error::Truncated), "{fault}");
    }
}

#[test]
fn server_tells_a_killed_client_from_one_that_closed() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &["-quiet"]);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&identity.server_of(versions), tcp).unwrap();
        session.write(b"hello\n").unwrap();
        peer.wait_for("hello\n");
        peer.kill();
        let fault = session.read_to_close().unwrap_err();
        assert_eq!(fault.tls(), Some(&Error::Truncated), "{fault}");
    }
}

#[test]
fn a_client_sees_that_we_vanished() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &[]);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&identity.server_of(versions), tcp).unwrap();
        session.write(b"hello\n").unwrap();
        peer.wait_for("hello\n");
        drop(session);
        peer.wait_for("unexpected eof while reading");
    }
}

#[test]
fn client_refuses_a_stranger_and_says_why() {
    peer!(OPENSSL);
    let identity = Identity::of(Case::Untrusted);
    for versions in VERSIONS {
        let (mut peer, port) = s_server(&identity, &[]);
        let fault = Session::connect(&Identity::client_of(versions), port).unwrap_err();
        assert!(
            matches!(fault.tls(), Some(Error::Certificate(_))),
            "{fault}"
        );
        peer.wait_for("alert unknown ca");
    }
}

#[test]
fn server_hears_that_it_is_refused() {
    peer!(OPENSSL);
    for versions in VERSIONS {
        for (case, alert) in [
            (Case::Untrusted, AlertDescription::UNKNOWN_CA),
            (Case::Expired, AlertDescription::CERTIFICATE_EXPIRED),
        ] {
            let identity = Identity::of(case);
            let listener = Listener::bind().unwrap();
            let mut peer = s_client(&identity, &listener, &[]);
            let tcp = listener.accept(&mut peer).unwrap();
            let fault = Session::accept(&identity.server_of(versions), tcp).unwrap_err();
            assert_eq!(fault.tls(), Some(&Error::Alert(alert)), "{fault}");
        }
    }
}

#[test]
fn client_follows_a_hello_retry_request() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (mut peer, port) = s_server(&identity, &["-quiet", "-naccept", "1", "-groups", "P-384"]);
    let config = Identity::client().groups([NamedGroup::X25519, NamedGroup::SECP384R1]);
    let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
    assert!(session.info().retried);
    assert_eq!(session.info().group, Some(NamedGroup::SECP384R1));
    session.write(b"after a retry\n").unwrap();
    session.close().unwrap();
    assert_eq!(peer.succeed(), b"after a retry\n");
}

#[test]
fn server_sends_a_hello_retry_request_with_and_without_cookie() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for cookie in [false, true] {
        let listener = Listener::bind().unwrap();
        let more = ["-quiet", "-groups", "X25519:P-384"];
        let mut peer = s_client(&identity, &listener, &more);
        let config = identity.server().groups([NamedGroup::SECP384R1]);
        let config = config.retry_cookie(cookie).build().unwrap();
        let mut session = Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap();
        assert!(session.info().retried);
        assert_eq!(session.info().group, Some(NamedGroup::SECP384R1));
        session.write(b"after a retry\n").unwrap();
        session.close().unwrap();
        assert_eq!(peer.succeed(), b"after a retry\n");
    }
}

#[test]
fn client_connects_with_and_without_middlebox_compatibility() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (_peer, port) = s_server(&identity, &["-rev"]);
    for on in [true, false] {
        let story = Story::new();
        let config = Identity::client().trace(Arc::<Story>::clone(&story));
        let config = config.middlebox_compatibility(on).build().unwrap();
        let mut session = Session::connect(&config, port).unwrap();
        session.write(b"abc\n").unwrap();
        assert_eq!(session.read(4).unwrap(), b"cba\n");
        assert_eq!(story.change_cipher_specs(Direction::Sent), usize::from(on));
        // This server sends it in any case, and we have to drop it in any case.
        assert_eq!(story.change_cipher_specs(Direction::Received), 1);
        session.close().unwrap();
    }
}

#[test]
fn server_follows_the_client_in_middlebox_compatibility() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for on in [true, false] {
        let listener = Listener::bind().unwrap();
        let off = ["-quiet", "-no_middlebox"];
        let mut peer = s_client(&identity, &listener, if on { &off[..1] } else { &off });
        let story = Story::new();
        let config = identity.server().trace(Arc::<Story>::clone(&story));
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&config.build().unwrap(), tcp).unwrap();
        let expected = usize::from(on);
        assert_eq!(story.change_cipher_specs(Direction::Sent), expected);
        assert_eq!(story.change_cipher_specs(Direction::Received), expected);
        session.close().unwrap();
        peer.succeed();
    }
}

#[test]
fn exporters_agree() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let more = ["-keymatexport", LABEL, "-keymatexportlen", "42"];
    for versions in VERSIONS {
        let (mut peer, port) = s_server(&identity, &more);
        let session = Session::connect(&Identity::client_of(versions), port).unwrap();
        let output = peer.wait_for("Secure Renegotiation");
        assert_eq!(keying_material(&output), session.export(LABEL, 42));

        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &more);
        let tcp = listener.accept(&mut peer).unwrap();
        let session = Session::accept(&identity.server_of(versions), tcp).unwrap();
        peer.wait_for("Keying material: ");
        // The whole line, and the one after it.
        let output = peer.wait_until("all of it", |output, _| {
            let rest = output
                .rsplit(|byte| *byte == b':')
                .next()
                .unwrap_or_default();
            count(output, "Keying material: ") == 1 && count(rest, "\n") > 0
        });
        assert_eq!(keying_material(&output), session.export(LABEL, 42));
    }
}

#[test]
fn our_server_name_chooses_the_servers_certificate() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let other = Identity::new(KeyType::P384);
    let mut more = vec!["-servername", "localhost"];
    more.extend(["-cert2", other.chain(), "-key2", other.key()]);
    // The chain of the second certificate is built from here.
    more.extend(["-CAfile", other.intermediate()]);
    let (_peer, port) = s_server(&identity, &more);
    for (send, scheme) in [
        (true, SignatureScheme::ECDSA_SECP384R1_SHA384),
        (false, SignatureScheme::ECDSA_SECP256R1_SHA256),
    ] {
        let config = Identity::client().send_server_name(send).build().unwrap();
        let session = Session::connect(&config, port).unwrap();
        assert_eq!(session.info().signature_scheme, Some(scheme));
    }
}

#[test]
fn small_records_and_padding_are_understood_both_ways() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let data = text(50_000);
    // Flights of both sides cut into 512 byte records; data padded to a multiple of 300.
    let more = ["-quiet", "-naccept", "1", "-max_send_frag", "512"];
    let (mut peer, port) = s_server(&identity, &more);
    let padding = RecordPadding::ToMultipleOf(300.try_into().unwrap());
    let config = Identity::client().record_padding(padding).build().unwrap();
    let mut session = Session::connect(&config, port).unwrap();
    peer.send(data.clone());
    assert!(session.read(data.len()).unwrap() == data);
    session.write(&data).unwrap();
    session.close().unwrap();
    assert!(peer.succeed() == data);

    let listener = Listener::bind().unwrap();
    let mut peer = s_client(&identity, &listener, &["-quiet", "-max_send_frag", "512"]);
    let config = identity.server().record_padding(padding).build().unwrap();
    let mut session = Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap();
    peer.send(data.clone());
    assert!(session.read(data.len()).unwrap() == data);
    session.write(&data).unwrap();
    session.close().unwrap();
    assert!(peer.succeed() == data);
}

#[test]
fn server_refuses_protocols_that_it_does_not_speak() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    for (option, value, alert) in [
        ("-alpn", "gopher", "no application protocol"),
        ("-groups", "X448", "handshake failure"),
        (
            "-ciphersuites",
            "TLS_AES_128_CCM_SHA256",
            "handshake failure",
        ),
    ] {
        let mut peer = s_client(&identity, &listener, &[option, value]);
        let config = identity.server().alpn(["echo"]).build().unwrap();
        Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap_err();
        peer.wait_for(alert);
    }
    let mut peer = s_client(&identity, &listener, &["-tls1_2"]);
    let config = identity.server().build().unwrap();
    Session::accept(&config, listener.accept(&mut peer).unwrap()).unwrap_err();
    peer.wait_for("alert protocol version");
}

#[test]
fn client_refuses_a_server_without_tls_1_3() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let (_peer, port) = s_server(&identity, &["-tls1_2"]);
    let config = Identity::client().build().unwrap();
    let fault = Session::connect(&config, port).unwrap_err();
    let expected = Error::Alert(AlertDescription::PROTOCOL_VERSION);
    assert_eq!(fault.tls(), Some(&expected), "{fault}");
}

#[test]
fn client_has_no_certificate_for_a_server_that_asks() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    let config = Identity::client().build().unwrap();
    let (_peer, port) = s_server(&identity, &["-rev", "-verify", "1"]);
    let mut session = Session::connect(&config, port).unwrap();
    session.write(b"abc\n").unwrap();
    assert_eq!(session.read(4).unwrap(), b"cba\n");

    let (_peer, port) = s_server(&identity, &["-rev", "-Verify", "1"]);
    // The server's refusal can only come after our side of the handshake is complete.
    let result = Session::connect(&config, port).and_then(|mut session| session.read_to_close());
    let fault = result.unwrap_err();
    let expected = Error::Alert(AlertDescription::CERTIFICATE_REQUIRED);
    assert_eq!(fault.tls(), Some(&expected), "{fault}");
}

#[test]
fn client_verifies_every_scheme_of_an_rsa_pss_key() {
    peer!(OPENSSL);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    let certificate = folder.path().join("certificate.pem");
    let (key, certificate) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let mut arguments = vec!["req", "-x509", "-newkey", "rsa-pss", "-nodes"];
    arguments.extend(["-pkeyopt", "rsa_keygen_bits:2048", "-days", "2"]);
    arguments.extend([
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]);
    arguments.extend(["-sha256", "-sigopt", "rsa_pss_saltlen:digest"]);
    arguments.extend(["-keyout", key, "-out", certificate]);
    Process::run(OPENSSL, arguments).succeed();
    let anchors = TrustAnchors::from_pem_or_der(&std::fs::read(certificate).unwrap()).unwrap();
    let verifier = Arc::new(Verifier::new(&PROVIDER, anchors));
    for_all(
        [
            SignatureScheme::RSA_PSS_PSS_SHA256,
            SignatureScheme::RSA_PSS_PSS_SHA384,
            SignatureScheme::RSA_PSS_PSS_SHA512,
        ],
        |scheme| {
            let port = free_port();
            let (address, scheme_name) = (format!("127.0.0.1:{port}"), scheme.to_string());
            let mut arguments = vec!["s_server", "-accept", &address, "-rev"];
            arguments.extend(["-cert", certificate, "-key", key, "-sigalgs", &scheme_name]);
            let _peer = Process::run(OPENSSL, arguments);
            let config = ClientConfig::builder(&PROVIDER, verifier.clone());
            let config = config.build().map_err(|error| error.to_string())?;
            let mut session = Session::connect(&config, port)?;
            if session.info().signature_scheme != Some(*scheme) {
                return Err(format!("agreed on {:?}", session.info().signature_scheme));
            }
            session.write(b"abc\n")?;
            session.read(4)?;
            Ok(())
        },
    );
}
