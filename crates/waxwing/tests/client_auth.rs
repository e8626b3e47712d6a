//! Clients that show a certificate, and decisions about it that are taken later.
#![cfg(feature = "tls12")]

mod common;

use std::io;
use std::sync::Arc;
use std::thread;

use common::{client_builder, name, pipe, server_builder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use waxwing::blocking::Stream;
use waxwing::crypto::{CryptoError, SignatureScheme, Signing, SigningKey};
use waxwing::pki::{Identity, KeyType};
use waxwing::tokio::{AnswerFuture, Setup, TlsStream};
use waxwing::{
    AlertDescription, Answer, CertChoice, CertificateRequestView, CertifiedKey, ClientAuth,
    ClientCertRequest, ClientCertResolver, ClientCertVerifier, ClientConfig, ClientConfigBuilder,
    Error, Misuse, ProtocolVersions, Question, ServerConfig, ServerConfigBuilder, Verdict,
    tls_error,
};
use waxwing_testkit::pki::{self, CLIENT_SUBJECT, Case};

const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];
const CLIENT: Case = Case::Client(KeyType::P256);

fn client(versions: ProtocolVersions) -> ClientConfigBuilder {
    client_builder().versions(versions)
}

fn server(versions: ProtocolVersions, client_auth: ClientAuth) -> ServerConfigBuilder {
    let builder = server_builder().versions(versions).keep_peer_chain(true);
    builder.client_auth(client_auth)
}

/// Leaves the choice of the client's certificate for later.
#[derive(Debug)]
struct LaterResolver;

impl ClientCertResolver for LaterResolver {
    fn resolve(&self, _request: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Pending
    }
}

/// Leaves signatures for later.
#[derive(Debug)]
struct LaterKey(Arc<dyn SigningKey>);

impl SigningKey for LaterKey {
    fn schemes(&self) -> &[SignatureScheme] {
        self.0.schemes()
    }

    fn sign(&self, _scheme: SignatureScheme, _message: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Pending)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        self.0.public_key()
    }
}

/// Leaves the verdict on clients for later; its hints are those of the test kit's verifier.
#[derive(Debug)]
struct LaterVerifier(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for LaterVerifier {
    fn verify(&self, _request: &ClientCertRequest<'_>) -> Verdict {
        Verdict::Pending
    }

    fn authorities(&self) -> &[Vec<u8>] {
        self.0.authorities()
    }
}

fn later_client(versions: ProtocolVersions) -> Arc<ClientConfig> {
    let builder = client(versions).client_certificate(Arc::new(LaterResolver));
    builder.build().unwrap()
}

fn later_server(versions: ProtocolVersions) -> Arc<ServerConfig> {
    let verifier = LaterVerifier(pki::client_verifier());
    let auth = ClientAuth::Required(Arc::new(verifier));
    server(versions, auth).build().unwrap()
}

fn later_key() -> Arc<CertifiedKey> {
    let real = pki::certified_key_for(CLIENT);
    let key = LaterKey(Arc::clone(real.key()));
    Arc::new(CertifiedKey::new(real.chain().to_vec(), Arc::new(key)))
}

/// Answers as it should be.
fn answer(question: Question<'_>) -> Answer {
    match question {
        Question::ClientCertificate(request) => {
            let verifier = pki::client_verifier();
            assert!(request.certificate_authorities().eq(verifier.authorities()));
            let ecdsa = SignatureScheme::ECDSA_SECP256R1_SHA256;
            assert!(request.signature_schemes().any(|scheme| scheme == ecdsa));
            Answer::Certificate(Some(later_key()))
        }
        Question::Signature {
            scheme, message, ..
        } => {
            let real = pki::certified_key_for(CLIENT);
            let Ok(Signing::Done(signature)) = real.key().sign(scheme, message) else {
                panic!("a key at hand signs at once");
            };
            Answer::Signature(Ok(signature))
        }
        Question::ClientVerdict(request) => {
            match request.with(|request| pki::client_verifier().verify(request)) {
                Verdict::Accepted(verified) => Answer::Verdict(Ok(verified)),
                Verdict::Rejected(rejection) => Answer::Verdict(Err(rejection)),
                Verdict::Pending => panic!("this verifier answers at once"),
            }
        }
        _ => panic!("an unknown question"),
    }
}

fn soon(question: Question<'_>) -> AnswerFuture {
    let answer = answer(question);
    Box::pin(async move {
        tokio::task::yield_now().await;
        answer
    })
}

/// The subject of the client, as the server knows it.
fn subject(chain: &[Box<[u8]>]) -> String {
    Identity::from_der(&chain[0]).unwrap().subject
}

#[tokio::test]
async fn everything_may_be_decided_later() {
    for versions in VERSIONS {
        let (near, far) = duplex(1 << 14);
        let (near, far) = tokio::join!(
            waxwing::tokio::connect_with(later_client(versions), name(), near, soon),
            waxwing::tokio::accept_with(later_server(versions), far, soon),
        );
        let (mut near, mut far) = (near.unwrap(), far.unwrap());
        assert!(near.info().client_auth_requested && far.info().client_authenticated);
        let scheme = Some(SignatureScheme::ECDSA_SECP256R1_SHA256);
        assert_eq!(near.info().client_signature_scheme, scheme);
        assert_eq!(far.info().client_signature_scheme, scheme);
        assert_eq!(subject(&far.info().peer_chain), CLIENT_SUBJECT);
        near.write_all(b"hello").await.unwrap();
        near.flush().await.unwrap();
        let mut received = [0; 5];
        far.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"hello");
    }
}

#[test]
fn blocking_streams_ask_in_line() {
    for versions in VERSIONS {
        let (near, far) = pipe::duplex(1 << 14);
        let server = thread::spawn(move || {
            let mut stream = Stream::server(later_server(versions), far);
            stream.handshake_with(answer).unwrap();
            stream.shutdown().unwrap();
            subject(&stream.info().peer_chain)
        });
        let mut stream = Stream::client(later_client(versions), name(), near).unwrap();
        stream.handshake_with(answer).unwrap();
        stream.shutdown().unwrap();
        assert_eq!(server.join().unwrap(), CLIENT_SUBJECT);
    }
}

/// Runs both handshakes, and on the client's side a read: in TLS 1.3 a client hears only then
/// what a server thinks of its certificate.
async fn outcomes(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> (Option<Error>, Option<Error>) {
    let (near, far) = duplex(1 << 14);
    let connect = async {
        let mut stream = Setup::new().connect(client, name(), near).await?;
        stream.read_u8().await
    };
    let accept = async {
        let mut stream: TlsStream<DuplexStream> = Setup::new().accept(server, far).await?;
        stream.write_all(b"x").await?;
        stream.shutdown().await
    };
    let (near, far) = tokio::join!(connect, accept);
    let heard = |error: io::Error| tls_error(&error).cloned();
    (near.err().and_then(heard), far.err().and_then(heard))
}

#[tokio::test]
async fn where_nobody_answers_both_sides_know() {
    let unanswered = Some(Error::Misuse(Misuse::Unanswered));
    let certified = Arc::new(pki::certified_key_for(CLIENT));
    let accepting = ClientAuth::Optional(pki::client_verifier());
    for versions in VERSIONS {
        // A client must not go on as nobody because nobody chose its certificate.
        let server = server(versions, accepting.clone()).build().unwrap();
        let (near, far) = outcomes(later_client(versions), server).await;
        assert_eq!(near, unanswered);
        let closed = Error::Alert(AlertDescription::CLOSE_NOTIFY);
        assert_eq!(far, Some(closed));

        let client = client(versions).client_certificate(certified.clone());
        let (near, far) = outcomes(client.build().unwrap(), later_server(versions)).await;
        assert_eq!(far, unanswered);
        let alert = Error::Alert(AlertDescription::CERTIFICATE_UNKNOWN);
        assert_eq!(near, Some(alert));
    }
}

#[tokio::test]
async fn a_server_s_reasons_reach_the_client_as_alerts() {
    for versions in VERSIONS {
        for (case, alert) in [
            (Case::ExpiredClient, AlertDescription::CERTIFICATE_EXPIRED),
            (Case::UntrustedClient, AlertDescription::UNKNOWN_CA),
            (
                Case::Good(KeyType::P256),
                AlertDescription::UNSUPPORTED_CERTIFICATE,
            ),
        ] {
            let auth = ClientAuth::Optional(pki::client_verifier());
            let server = server(versions, auth).build().unwrap();
            let certified = Arc::new(pki::certified_key_for(case));
            let client = client(versions).client_certificate(certified);
            let (near, far) = outcomes(client.build().unwrap(), server).await;
            assert_eq!(near, Some(Error::Alert(alert)), "{case:?}");
            assert!(matches!(far, Some(Error::Certificate(_))), "{far:?}");
        }
    }
}
