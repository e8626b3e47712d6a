//! Report mode: the handshake completes, and the application hears what is wrong.
#![cfg(feature = "tls12")]

mod common;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;

use common::{client_builder, pipe, server_builder};
use waxwing::blocking::Stream;
use waxwing::crypto::KeyEncoding;
use waxwing::pki::{ClientVerifier, Code, KeyType, Report, ReportingVerifier, Verifier};
use waxwing::pki::{Failure, TrustAnchors};
use waxwing::{
    CertifiedKey, ClientAuth, ClientConfig, PROVIDER, ProtocolVersions, ServerConfig, ServerName,
};
use waxwing_testkit::mistakes::{self, Mistake};
use waxwing_testkit::pki::{self, Case};

const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];

/// Runs both handshakes and sends a byte each way. What each side has to report, if anything.
fn reports(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName,
) -> io::Result<(Option<Report>, Option<Report>)> {
    let (near, far) = pipe::duplex(1 << 14);
    let server = thread::spawn(move || {
        let mut stream = Stream::server(server, far);
        stream.handshake()?;
        let report = Report::of(stream.info()).cloned();
        stream.read_exact(&mut [0])?;
        stream.write_all(b"x")?;
        stream.shutdown()?;
        io::Result::Ok(report)
    });
    let mut stream = Stream::client(client, name, near)?;
    stream.handshake()?;
    let report = Report::of(stream.info()).cloned();
    stream.write_all(b"x")?;
    stream.read_exact(&mut [0])?;
    stream.shutdown()?;
    let from_server = server.join().unwrap()?;
    Ok((report, from_server))
}

/// What a reporting client has to say of a server with this mistake.
fn report_on(mistake: &Mistake, versions: ProtocolVersions) -> io::Result<Report> {
    let key = PROVIDER.keys.load(KeyEncoding::Pkcs8, mistakes::leaf_key());
    let key = Arc::new(CertifiedKey::new(mistake.chain.clone(), key.unwrap()));
    let server = ServerConfig::builder(&PROVIDER, Arc::new(key)).versions(versions);
    let anchors = TrustAnchors::from_pem_or_der(&mistake.anchor).unwrap();
    let verifier = ReportingVerifier::of_servers(Verifier::new(&PROVIDER, anchors));
    let client = ClientConfig::builder(&PROVIDER, Arc::new(verifier)).versions(versions);
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    let (report, none) = reports(client, server, mistake.host.parse().unwrap())?;
    assert_eq!(none, None, "the server had nobody to report on");
    Ok(report.expect("a report"))
}

#[test]
fn connections_to_servers_with_mistakes_complete_and_carry_the_code() {
    for mistake in mistakes::ALL.iter() {
        for versions in VERSIONS {
            let outcome = report_on(mistake, versions);
            // Where there is no key, nothing can be proved.
            if mistake.code == Code::Malformed.name() && outcome.is_err() {
                continue;
            }
            let report = outcome.expect(mistake.what);
            assert!(!report.is_authorized(), "{}", mistake.what);
            let failure: &Failure = report.failure.as_ref().unwrap();
            assert_eq!(failure.code.name(), mistake.code, "{}", mistake.what);
            assert_eq!(report.authorization_error(), Some(failure.node_code));
        }
    }
}

#[test]
fn good_servers_are_authorized_and_other_verifiers_report_nothing() {
    let (chain, anchor) = mistakes::none();
    let good = Mistake {
        what: "nothing",
        chain,
        anchor,
        host: mistakes::HOST,
        code: "",
        hint: "",
        openssl: None,
    };
    for versions in VERSIONS {
        let report = report_on(&good, versions).unwrap();
        assert!(report.is_authorized() && report.authorization_error().is_none());
        let client = client_builder().versions(versions).build().unwrap();
        let server = server_builder().versions(versions).build().unwrap();
        let found = reports(client, server, common::name()).unwrap();
        assert_eq!(found, (None, None));
    }
}

#[test]
fn clients_are_reported_on_too() {
    for versions in VERSIONS {
        for (case, expected) in [
            (Case::Client(KeyType::P256), None),
            (Case::ExpiredClient, Some("CERT_HAS_EXPIRED")),
            (Case::FutureClient, Some("CERT_NOT_YET_VALID")),
            (Case::Good(KeyType::P256), Some("INVALID_PURPOSE")),
            (
                Case::UntrustedClient,
                Some("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
            ),
            (Case::SelfSigned, Some("DEPTH_ZERO_SELF_SIGNED_CERT")),
        ] {
            let verifier = ClientVerifier::new(&PROVIDER, pki::anchors());
            let verifier = ReportingVerifier::of_clients(verifier);
            let auth = ClientAuth::Required(Arc::new(verifier));
            let server = server_builder().versions(versions).client_auth(auth);
            let key = pki::certified_key_for(case);
            let client = client_builder().versions(versions);
            let client = client.client_certificate(Arc::new(key));
            let (client, server) = (client.build().unwrap(), server.build().unwrap());
            let (_, report) = reports(client, server, common::name()).unwrap();
            let report = report.expect("a report");
            assert_eq!(report.authorization_error(), expected, "{case:?}");
            assert_eq!(report.is_authorized(), expected.is_none());
        }
    }
}
