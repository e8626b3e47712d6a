//! Certificates that go compressed (RFC 8879), between two engines.

mod common;

use std::sync::{Arc, Mutex};

use common::{Pair, client_builder, server_builder, server_key};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertChoice, CertCompressor, CertDecompressor, CertResolver, CertificateCompressionAlgorithm,
    CertifiedKey, ClientAuth, ClientCertRequest, ClientCertVerifier, ClientConfig,
    ClientConfigBuilder, ClientHelloView, ConfigError, Direction, ExtensionType, HandshakeType,
    ProtocolVersions, ServerCertRequest, ServerCertVerifier, ServerConfig, ServerConfigBuilder,
    Trace, TraceEvent, Verdict, Verified,
};
use waxwing_testkit::compression::RunLength;

const ONE: RunLength = RunLength(CertificateCompressionAlgorithm(0xff01));
const TWO: RunLength = RunLength(CertificateCompressionAlgorithm(0xff02));
const OTHER: RunLength = RunLength(CertificateCompressionAlgorithm(0xff03));

/// A certificate that run lengths make smaller, and one that they do not.
const LONG: [u8; 1000] = [7; 1000];
const PLAIN: &[u8] = b"a certificate";
const STAPLE: [u8; 500] = [9; 500];

fn key(certificate: &[u8]) -> CertifiedKey {
    CertifiedKey::new(vec![certificate.to_vec()], server_key())
}

/// Accepts whoever holds the one key.
#[derive(Debug)]
struct TrustKey;

fn verdict() -> Verdict {
    Verdict::Accepted(Verified::holder_of(server_key().public_key().unwrap()))
}

impl ServerCertVerifier for TrustKey {
    fn verify(&self, _: &ServerCertRequest<'_>) -> Verdict {
        verdict()
    }
}

impl ClientCertVerifier for TrustKey {
    fn verify(&self, _: &ClientCertRequest<'_>) -> Verdict {
        verdict()
    }
}

fn client(decompressors: &[&'static dyn CertDecompressor]) -> ClientConfigBuilder {
    let builder = ClientConfig::builder(&PROVIDER, Arc::new(TrustKey));
    let builder = builder.keep_peer_chain(true);
    builder.cert_decompressors(decompressors)
}

fn server(key: CertifiedKey) -> ServerConfigBuilder {
    let builder = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(key)));
    builder.keep_peer_chain(true)
}

/// The messages with certificates that one side sent.
#[derive(Default)]
struct Sent(Mutex<Vec<(HandshakeType, Vec<u8>)>>);

impl Trace for Sent {
    fn event(&self, event: &TraceEvent<'_>) {
        if let TraceEvent::Message {
            direction: Direction::Sent,
            typ: typ @ (HandshakeType::CERTIFICATE | HandshakeType::COMPRESSED_CERTIFICATE),
            bytes,
        } = event
        {
            self.0.lock().unwrap().push((*typ, bytes[4..].to_vec()));
        }
    }
}

impl Sent {
    /// The algorithm of the one message, if it was compressed.
    fn algorithm(&self) -> Option<CertificateCompressionAlgorithm> {
        let messages = self.0.lock().unwrap();
        let [(typ, body)] = messages.as_slice() else {
            panic!("not one message: {messages:?}");
        };
        (*typ == HandshakeType::COMPRESSED_CERTIFICATE)
            .then(|| CertificateCompressionAlgorithm(u16::from_be_bytes([body[0], body[1]])))
    }
}

/// Establishes the pair; tells how the server's certificates went.
fn servers_way(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
) -> (Pair, Option<CertificateCompressionAlgorithm>) {
    let sent = Arc::new(Sent::default());
    let mut pair = Pair::new(client, server.trace(sent.clone()));
    pair.settle().unwrap();
    assert!(!pair.server.connection.is_handshaking());
    (pair, sent.algorithm())
}

#[test]
fn certificates_come_out_as_they_went_in() {
    let compressors: [&[&dyn CertCompressor]; 2] = [&[], &[&ONE]];
    for compressors in compressors {
        let key = key(&LONG).with_compression(compressors);
        let (pair, algorithm) = servers_way(client(&[&ONE]), server(key));
        assert_eq!(algorithm, compressors.first().map(|_| ONE.0));
        let info = pair.client.connection.info();
        assert_eq!(info.peer_chain, [LONG.into()]);
        assert_eq!(info.ocsp, None);
    }
}

#[test]
fn our_order_decides_among_what_the_peer_knows() {
    type Known = &'static [&'static dyn CertDecompressor];
    let cases: [(Known, Option<RunLength>); 6] = [
        (&[], None),
        (&[&OTHER], None),
        (&[&ONE], Some(ONE)),
        (&[&TWO], Some(TWO)),
        (&[&TWO, &ONE], Some(ONE)),
        (&[&OTHER, &TWO], Some(TWO)),
    ];
    for (known, expected) in cases {
        let key = key(&LONG).with_compression(&[&ONE, &TWO]);
        let (_, algorithm) = servers_way(client(known), server(key));
        assert_eq!(algorithm, expected.map(|expected| expected.0));
    }
}

#[test]
fn what_gets_no_smaller_goes_as_it_is() {
    let key = key(PLAIN).with_compression(&[&ONE]);
    let (pair, algorithm) = servers_way(client(&[&ONE]), server(key));
    assert_eq!(algorithm, None);
    assert_eq!(pair.client.connection.info().peer_chain, [PLAIN.into()]);
}

#[test]
fn a_staple_is_compressed_for_those_who_want_it() {
    let stapled = || key(&LONG).with_ocsp(STAPLE.to_vec());
    for wanted in [true, false] {
        let client = client(&[&ONE]).request_ocsp(wanted);
        let key = stapled().with_compression(&[&ONE]);
        let (pair, algorithm) = servers_way(client, server(key));
        assert_eq!(algorithm, Some(ONE.0));
        let ocsp = pair.client.connection.info().ocsp.as_deref();
        assert_eq!(ocsp, wanted.then_some(&STAPLE[..]));
    }
    // A staple that came after the compression is in none of its forms.
    let late = key(&LONG)
        .with_compression(&[&ONE])
        .with_ocsp(STAPLE.to_vec());
    let (pair, algorithm) = servers_way(client(&[&ONE]), server(late));
    assert_eq!(algorithm, None);
    let ocsp = pair.client.connection.info().ocsp.as_deref();
    assert_eq!(ocsp, Some(&STAPLE[..]));
}

#[test]
fn client_certificates_are_compressed_likewise() {
    type Known = &'static [&'static dyn CertDecompressor];
    let cases: [(Known, Option<RunLength>); 3] =
        [(&[], None), (&[&OTHER], None), (&[&TWO], Some(TWO))];
    for (known, expected) in cases {
        let own = key(&LONG).with_compression(&[&ONE, &TWO]);
        let sent = Arc::new(Sent::default());
        let client = client(&[]).client_certificate(Arc::new(Arc::new(own)));
        let auth = ClientAuth::Required(Arc::new(TrustKey));
        let server = server(key(PLAIN)).client_auth(auth);
        let server = server.cert_decompressors(known);
        let mut pair = Pair::new(client.trace(sent.clone()), server);
        pair.settle().unwrap();
        assert_eq!(sent.algorithm(), expected.map(|expected| expected.0));
        let info = pair.server.connection.info();
        assert!(info.client_authenticated);
        assert_eq!(info.peer_chain, [LONG.into()]);
    }
}

#[test]
fn a_client_without_a_certificate_says_so_plainly() {
    let sent = Arc::new(Sent::default());
    let auth = ClientAuth::Optional(Arc::new(TrustKey));
    let server = server(key(PLAIN)).client_auth(auth);
    let server = server.cert_decompressors(&[&ONE]);
    let mut pair = Pair::new(client(&[]).trace(sent.clone()), server);
    pair.settle().unwrap();
    assert_eq!(sent.algorithm(), None);
}

/// What was compressed in advance has the empty context of the handshake.
#[test]
fn after_the_handshake_a_client_sends_its_certificate_as_it_is() {
    let own = key(&LONG).with_compression(&[&ONE]);
    let sent = Arc::new(Sent::default());
    let client = client(&[]).client_certificate(Arc::new(Arc::new(own)));
    let auth = ClientAuth::Required(Arc::new(TrustKey));
    let server = server(key(PLAIN)).post_handshake_auth(auth);
    let server = server.cert_decompressors(&[&ONE]);
    let client = client.post_handshake_auth(true);
    let mut pair = Pair::new(client.trace(sent.clone()), server);
    pair.settle().unwrap();
    let end = &mut pair.server;
    let asked = end.connection.request_client_certificate(&mut end.out);
    assert_eq!(asked, Ok(()));
    pair.settle().unwrap();
    assert_eq!(sent.algorithm(), None);
    assert_eq!(pair.server.connection.info().peer_chain, [LONG.into()]);
}

/// Notes whether the client offers to decompress.
#[derive(Debug)]
struct Offers(Mutex<Vec<bool>>);

impl CertResolver for Offers {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        let mut types = hello.extensions().map(|(typ, _)| typ);
        let offers = types.any(|typ| typ == ExtensionType::COMPRESS_CERTIFICATE);
        self.0.lock().unwrap().push(offers);
        CertChoice::Use(Arc::new(key(&LONG).with_compression(&[&ONE])))
    }
}

#[test]
fn there_is_none_of_it_in_tls12() {
    let (new, old) = (ProtocolVersions::TLS13, ProtocolVersions::TLS12);
    let offers = Arc::new(Offers(Mutex::default()));
    for (versions, served, compressed) in [
        (new, new, true),
        (old, old, false),
        (old | new, new, true),
        (old | new, old, false),
    ] {
        let sent = Arc::new(Sent::default());
        let server = ServerConfig::builder(&PROVIDER, offers.clone());
        let server = server.versions(served).trace(sent.clone());
        let mut pair = Pair::new(client(&[&ONE]).versions(versions), server);
        pair.settle().unwrap();
        assert_eq!(sent.algorithm().is_some(), compressed);
    }
    assert_eq!(*offers.0.lock().unwrap(), [true, false, true, true]);
}

#[test]
fn each_way_is_named_once() {
    let repeated = Some(ConfigError::Repeated(0xff01));
    let client = client_builder().cert_decompressors(&[&ONE, &TWO, &ONE]);
    assert_eq!(client.build().err(), repeated);
    let server = server_builder().cert_decompressors(&[&ONE, &ONE]);
    assert_eq!(server.build().err(), repeated);
    assert!(
        server_builder()
            .cert_decompressors(&[&ONE, &TWO])
            .build()
            .is_ok()
    );
}
