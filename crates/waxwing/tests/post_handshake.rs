//! Clients that are asked for a certificate after the handshake, over streams.

mod common;

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;

use common::slow::{Manner, Slow};
use common::{client_builder, name, pipe, server_builder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use waxwing::blocking::Stream;
use waxwing::crypto::{CryptoError, SignatureScheme, Signing, SigningKey};
use waxwing::pki::{Identity, KeyType};
use waxwing::tokio::{AnswerFuture, TlsStream};
use waxwing::{
    AlertDescription, Answer, CertChoice, CertificateRequestView, CertifiedKey, ClientAuth,
    ClientCertRequest, ClientCertResolver, ClientCertVerifier, ClientConfig, Error, Misuse,
    Question, ServerConfig, Verdict, tls_error,
};
use waxwing_testkit::pki::{self, CLIENT_SUBJECT, Case};

const CLIENT: Case = Case::Client(KeyType::P256);

/// Leaves the choice for later.
#[derive(Debug)]
struct LaterResolver;

impl ClientCertResolver for LaterResolver {
    fn resolve(&self, _: &CertificateRequestView<'_>) -> CertChoice {
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

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Signing, CryptoError> {
        Ok(Signing::Pending)
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        self.0.public_key()
    }
}

/// Leaves verdicts for later.
#[derive(Debug)]
struct LaterVerifier;

impl ClientCertVerifier for LaterVerifier {
    fn verify(&self, _: &ClientCertRequest<'_>) -> Verdict {
        Verdict::Pending
    }
}

fn later_key() -> Arc<CertifiedKey> {
    let real = pki::certified_key_for(CLIENT);
    let key = LaterKey(Arc::clone(real.key()));
    Arc::new(CertifiedKey::new(real.chain().to_vec(), Arc::new(key)))
}

fn client(certificates: Arc<dyn ClientCertResolver>) -> Arc<ClientConfig> {
    let builder = client_builder().client_certificate(certificates);
    builder.post_handshake_auth(true).build().unwrap()
}

/// A client that shows its certificate at once.
fn known() -> Arc<ClientConfig> {
    client(Arc::new(pki::certified_key_for(CLIENT)))
}

fn server(auth: ClientAuth) -> Arc<ServerConfig> {
    let builder = server_builder().post_handshake_auth(auth);
    builder.keep_peer_chain(true).build().unwrap()
}

fn strict() -> Arc<ServerConfig> {
    server(ClientAuth::Required(pki::client_verifier()))
}

/// Answers what is left for later, some rounds of the executor later.
fn soon(question: Question<'_>) -> AnswerFuture {
    let answer = match question {
        Question::ClientCertificate(_) => Answer::Certificate(Some(later_key())),
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
    };
    Box::pin(async move {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        answer
    })
}

/// Asks the client that sends one byte, and answers it with another; whether the client showed
/// a certificate, or `None` if it ended without an answer.
async fn serve<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    stream: &mut TlsStream<S>,
) -> std::io::Result<Option<bool>> {
    assert_eq!(stream.client_answer().await?, None);
    let question = stream.read_u8().await?;
    stream.request_client_certificate()?;
    let again = stream.request_client_certificate().unwrap_err();
    let open = Error::Misuse(Misuse::RequestOpen);
    assert_eq!(tls_error(&again), Some(&open));
    let Some(known) = stream.client_answer().await? else {
        return Ok(None);
    };
    assert_eq!(stream.info().client_authenticated, known);
    stream.write_u8(question + u8::from(known)).await?;
    stream.shutdown().await?;
    Ok(Some(known))
}

async fn ask<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    stream: &mut TlsStream<S>,
) -> std::io::Result<u8> {
    stream.write_u8(7).await?;
    stream.flush().await?;
    stream.read_u8().await
}

/// What both sides of a connection come to.
async fn outcomes(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> (std::io::Result<u8>, std::io::Result<Option<bool>>) {
    let (near, far) = duplex(1 << 14);
    let near = async {
        let mut stream = waxwing::tokio::connect(client, name(), near).await?;
        ask(&mut stream).await
    };
    let far = async {
        let mut stream = waxwing::tokio::accept(server, far).await?;
        let known = serve(&mut stream).await;
        if matches!(known, Ok(Some(true))) {
            let chain = &stream.info().peer_chain;
            let subject = Identity::from_der(&chain[0]).unwrap().subject;
            assert_eq!(subject, CLIENT_SUBJECT);
        }
        known
    };
    tokio::join!(near, far)
}

fn heard<T: std::fmt::Debug>(result: std::io::Result<T>) -> Option<Error> {
    tls_error(&result.unwrap_err()).cloned()
}

#[tokio::test]
async fn a_server_asks_when_it_wants_to_know() {
    let (answer, known) = outcomes(known(), strict()).await;
    assert_eq!((answer.unwrap(), known.unwrap()), (8, Some(true)));
    let anonymous = client_builder().post_handshake_auth(true);
    let optional = server(ClientAuth::Optional(pki::client_verifier()));
    let (answer, known) = outcomes(anonymous.build().unwrap(), optional).await;
    assert_eq!((answer.unwrap(), known.unwrap()), (7, Some(false)));
}

#[tokio::test]
async fn clients_that_are_refused_hear_of_it() {
    let anonymous = client_builder().post_handshake_auth(true);
    let (near, far) = outcomes(anonymous.build().unwrap(), strict()).await;
    let alert = AlertDescription::CERTIFICATE_REQUIRED;
    assert_eq!(heard(near), Some(Error::Alert(alert)));
    let missing = waxwing::Incompatible::NoClientCertificate;
    assert_eq!(heard(far), Some(missing.into()));

    let (_, far) = outcomes(unready(), strict()).await;
    let no = Error::Misuse(Misuse::NoPostHandshakeAuth);
    assert_eq!(heard(far), Some(no));
}

/// One that knows nothing of it.
fn unready() -> Arc<ClientConfig> {
    client_builder().build().unwrap()
}

#[tokio::test]
async fn everything_may_be_decided_later() {
    let verifier = ClientAuth::Required(Arc::new(LaterVerifier));
    let config = server(verifier);
    for manner in [|| Manner::BYTEWISE, || Manner::HESITANT] {
        let (near, far) = duplex(1 << 14);
        let (near, far) = (Slow::new(near, manner()), Slow::new(far, manner()));
        let near = async {
            let config = client(Arc::new(LaterResolver));
            let mut stream = waxwing::tokio::connect_with(config, name(), near, soon).await?;
            ask(&mut stream).await
        };
        let far = async {
            let mut stream = waxwing::tokio::accept_with(Arc::clone(&config), far, soon).await?;
            serve(&mut stream).await
        };
        let (answer, known) = tokio::join!(near, far);
        assert_eq!((answer.unwrap(), known.unwrap()), (8, Some(true)));
    }
}

#[tokio::test]
async fn where_nobody_answers_both_sides_know() {
    let unanswered = || Some(Error::Misuse(Misuse::Unanswered));
    // The choice: the client ends its side.
    let (near, far) = outcomes(client(Arc::new(LaterResolver)), strict()).await;
    assert_eq!(heard(near), unanswered());
    assert_eq!(far.unwrap(), None);
    // The signature.
    let (near, far) = outcomes(client(Arc::new(later_key())), strict()).await;
    assert_eq!(heard(near), unanswered());
    let alert = Error::Alert(AlertDescription::INTERNAL_ERROR);
    assert_eq!(heard(far), Some(alert));
    // The verdict.
    let later = server(ClientAuth::Required(Arc::new(LaterVerifier)));
    let (near, far) = outcomes(known(), later).await;
    assert_eq!(heard(far), unanswered());
    let alert = Error::Alert(AlertDescription::CERTIFICATE_UNKNOWN);
    assert_eq!(heard(near), Some(alert));
}

/// Data that was sent before the answer is read before it.
#[tokio::test]
async fn data_comes_before_the_answer() {
    let (near, far) = duplex(1 << 14);
    let near = async {
        let mut stream = waxwing::tokio::connect(known(), name(), near)
            .await
            .unwrap();
        stream.write_all(b"early").await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'!');
    };
    let far = async {
        let mut stream: TlsStream<DuplexStream> =
            waxwing::tokio::accept(strict(), far).await.unwrap();
        stream.request_client_certificate().unwrap();
        assert_eq!(stream.client_answer().await.unwrap(), None);
        let mut data = [0; 5];
        stream.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"early");
        assert_eq!(stream.client_answer().await.unwrap(), Some(true));
        stream.write_u8(b'!').await.unwrap();
        stream.shutdown().await.unwrap();
    };
    tokio::join!(near, far);
}

#[test]
fn blocking_streams_do_it_likewise() {
    let (near, far) = pipe::duplex(1 << 14);
    let server = thread::spawn(move || {
        let mut stream = Stream::server(strict(), far);
        assert!(stream.request_client_certificate().is_err());
        assert_eq!(stream.client_answer().unwrap(), None);
        let mut question = [0];
        stream.read_exact(&mut question).unwrap();
        stream.request_client_certificate().unwrap();
        assert_eq!(stream.client_answer().unwrap(), Some(true));
        assert!(stream.info().client_authenticated);
        stream.write_all(&[question[0] + 1]).unwrap();
        stream.shutdown().unwrap();
    });
    let mut stream = Stream::client(known(), name(), near).unwrap();
    stream.write_all(&[7]).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [8]);
    stream.shutdown().unwrap();
    server.join().unwrap();
}

#[test]
fn blocking_streams_ask_nobody_after_the_handshake() {
    let unanswered = Some(Error::Misuse(Misuse::Unanswered));
    for in_advance in [false, true] {
        let (near, far) = pipe::duplex(1 << 14);
        let server = thread::spawn(move || {
            let mut stream = Stream::server(strict(), far);
            stream.handshake().unwrap();
            stream.write_all(b"x").unwrap();
            stream.request_client_certificate().unwrap();
            stream.flush().unwrap();
            // The client ends its side without an answer.
            assert_eq!(stream.client_answer().unwrap(), None);
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        });
        let config = client(Arc::new(LaterResolver));
        let mut stream = Stream::client(config, name(), near).unwrap();
        // The request comes with the data, and so is here when that was read.
        stream.read_exact(&mut [0]).unwrap();
        let result = if in_advance {
            stream.has_plaintext().map(|_| ())
        } else {
            stream.read(&mut [0]).map(|_| ())
        };
        assert_eq!(heard(result), unanswered);
        server.join().unwrap();
    }
}

/// Streams can be shared although answers on their way cannot.
#[test]
fn streams_are_sync() {
    fn sync<T: Send + Sync>() {}
    sync::<TlsStream<DuplexStream>>();
}
