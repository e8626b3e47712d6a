//! Decisions that are taken elsewhere, and later.

mod common;

use std::io;
use std::sync::{Arc, Mutex};

use common::patience::give_up_after;
use common::pipe;
use common::slow::{Manner, Slow};
use common::{client_builder, client_config, name, server_builder, server_config};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use waxwing::blocking::Stream;
use waxwing::crypto::{CryptoError, SignatureScheme, Signing, SigningKey};
use waxwing::pki::KeyType;
use waxwing::tokio::{AnswerFuture, LazyAccept, TlsStream};
use waxwing::{
    AlertDescription, Answer, CertChoice, CertResolver, CertificateError, CertifiedKey,
    ClientConfig, ClientHelloView, Error, Misuse, PROVIDER, Question, Rejection, ServerCertRequest,
    ServerCertVerifier, ServerConfig, Verdict, tls_error,
};
use waxwing_testkit::pki;

/// Leaves the choice of the certificate for later.
#[derive(Debug)]
struct LaterResolver;

impl CertResolver for LaterResolver {
    fn resolve(&self, _hello: &ClientHelloView<'_>) -> CertChoice {
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

/// Leaves the verdict for later.
#[derive(Debug)]
struct LaterVerifier;

impl ServerCertVerifier for LaterVerifier {
    fn verify(&self, _request: &ServerCertRequest<'_>) -> Verdict {
        Verdict::Pending
    }
}

fn later_server() -> Arc<ServerConfig> {
    ServerConfig::builder(&PROVIDER, Arc::new(LaterResolver))
        .build()
        .unwrap()
}

fn later_client() -> Arc<ClientConfig> {
    ClientConfig::builder(&PROVIDER, Arc::new(LaterVerifier))
        .build()
        .unwrap()
}

fn later_key() -> Arc<CertifiedKey> {
    let real = pki::certified_key(KeyType::P256);
    let key = LaterKey(Arc::clone(real.key()));
    Arc::new(CertifiedKey::new(real.chain().to_vec(), Arc::new(key)))
}

/// Answers as it should be.
fn answer(question: Question<'_>) -> Answer {
    match question {
        Question::Certificate(hello) => {
            assert_eq!(hello.server_name(), Some("localhost"));
            Answer::Certificate(Some(later_key()))
        }
        Question::Signature {
            scheme, message, ..
        } => {
            let real = pki::certified_key(KeyType::P256);
            let Ok(Signing::Done(signature)) = real.key().sign(scheme, message) else {
                panic!("a key at hand signs at once");
            };
            Answer::Signature(Ok(signature))
        }
        Question::Verdict(request) => match request.with(|request| pki::verifier().verify(request))
        {
            Verdict::Accepted(verified) => Answer::Verdict(Ok(verified)),
            Verdict::Rejected(rejection) => Answer::Verdict(Err(rejection)),
            Verdict::Pending => panic!("this verifier answers at once"),
        },
        _ => panic!("an unknown question"),
    }
}

/// An answerer whose answers come from another task, one for each message of `permits`.
fn remote(
    permits: mpsc::Receiver<()>,
) -> impl FnMut(Question<'_>) -> AnswerFuture + Send + 'static {
    let permits = Arc::new(Mutex::new(Some(permits)));
    move |question| {
        let answer = answer(question);
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            let mut receiver = permits.lock().unwrap().take().unwrap();
            receiver.recv().await.unwrap();
            *permits.lock().unwrap() = Some(receiver);
            answer
        })
    }
}

async fn talks<C, S>(mut client: TlsStream<C>, mut server: TlsStream<S>)
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    client.write_all(b"hello").await.unwrap();
    client.flush().await.unwrap();
    let mut received = [0; 5];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"hello");
}

#[tokio::test]
async fn slow_answers_on_both_sides() {
    let (client, server) = duplex(1 << 16);
    let (allow_client, client_permits) = mpsc::channel(1);
    let (allow_server, server_permits) = mpsc::channel(1);
    let connecting = tokio::spawn(waxwing::tokio::connect_with(
        later_client(),
        name(),
        client,
        remote(client_permits),
    ));
    let accepting = tokio::spawn(waxwing::tokio::accept_with(
        later_server(),
        server,
        remote(server_permits),
    ));
    // Certificate and signature; the client waits for both.
    for _ in 0..2 {
        tokio::task::yield_now().await;
        assert!(!connecting.is_finished());
        allow_server.send(()).await.unwrap();
    }
    tokio::task::yield_now().await;
    assert!(!accepting.is_finished());
    allow_client.send(()).await.unwrap();
    let client = connecting.await.unwrap().unwrap();
    let server = accepting.await.unwrap().unwrap();
    talks(client, server).await;
}

#[tokio::test]
async fn a_bad_answer_ends_the_handshake() {
    let (client, server) = duplex(1 << 16);
    let refuse = |_: Question<'_>| -> AnswerFuture {
        Box::pin(async {
            let rejection = Rejection::from(CertificateError::Revoked);
            Answer::Verdict(Err(rejection))
        })
    };
    let (client, server) = tokio::join!(
        waxwing::tokio::connect_with(later_client(), name(), client, refuse),
        waxwing::tokio::accept(server_config(), server),
    );
    let expected = Error::from(Rejection::from(CertificateError::Revoked));
    assert_eq!(tls_error(&client.unwrap_err()), Some(&expected));
    let alert = Error::Alert(AlertDescription::CERTIFICATE_REVOKED);
    assert_eq!(tls_error(&server.unwrap_err()), Some(&alert));
}

#[tokio::test]
async fn where_nobody_answers_both_sides_know() {
    let unanswered = Error::Misuse(Misuse::Unanswered);
    let heard =
        |result: io::Result<TlsStream<DuplexStream>>| tls_error(&result.unwrap_err()).cloned();

    let (client, server) = duplex(1 << 16);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(later_client(), name(), client),
        waxwing::tokio::accept(server_config(), server),
    );
    assert_eq!(heard(client), Some(unanswered.clone()));
    let alert = Error::Alert(AlertDescription::CERTIFICATE_UNKNOWN);
    assert_eq!(heard(server), Some(alert));

    let signs_later = ServerConfig::builder(&PROVIDER, Arc::new(later_key()))
        .build()
        .unwrap();
    for (config, alert) in [
        (later_server(), AlertDescription::UNRECOGNIZED_NAME),
        (signs_later, AlertDescription::INTERNAL_ERROR),
    ] {
        let (client, server) = duplex(1 << 16);
        let (client, server) = tokio::join!(
            waxwing::tokio::connect(client_config(), name(), client),
            waxwing::tokio::accept(config, server),
        );
        assert_eq!(heard(server), Some(unanswered.clone()));
        assert_eq!(heard(client), Some(Error::Alert(alert)));
    }
}

#[test]
fn blocking_streams_ask_in_line() {
    let (client, server) = pipe::duplex(1 << 16);
    let server = std::thread::spawn(move || {
        let mut stream = Stream::server(later_server(), server);
        stream.handshake_with(answer).unwrap();
        stream.shutdown().unwrap();
    });
    let mut stream = Stream::client(later_client(), name(), client).unwrap();
    stream.handshake_with(answer).unwrap();
    stream.shutdown().unwrap();
    server.join().unwrap();
}

#[tokio::test]
async fn the_hello_is_read_before_the_configuration_is_chosen() {
    let (client, server) = duplex(100);
    let config = client_builder().alpn(["h2", "http/1.1"]).build().unwrap();
    let connecting = tokio::spawn(waxwing::tokio::connect(config, name(), client));
    let mut lazy = LazyAccept::new(Slow::new(server, Manner::HESITANT));
    while give_up_after(1, lazy.hello()).await.is_none() {}
    let hello = lazy.hello().await.unwrap();
    assert_eq!(hello.server_name(), Some("localhost"));
    let alpn: Vec<_> = hello.alpn().collect();
    assert_eq!(alpn, [&b"h2"[..], b"http/1.1"]);
    let config = server_builder().alpn(["http/1.1"]).build().unwrap();
    let server = lazy.accept(config).await.unwrap();
    let client = connecting.await.unwrap().unwrap();
    assert_eq!(client.info().alpn.as_deref(), Some(&b"http/1.1"[..]));
    talks(client, server).await;
}

#[tokio::test]
async fn accepting_lazily_without_looking_works_too() {
    let (client, server) = duplex(1000);
    let (client, server) = tokio::join!(
        waxwing::tokio::connect(client_config(), name(), client),
        LazyAccept::new(server).accept(server_config()),
    );
    talks(client.unwrap(), server.unwrap()).await;
}

#[tokio::test]
async fn what_is_no_hello_is_answered_with_an_alert() {
    let (mut client, server) = duplex(1000);
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut lazy = LazyAccept::new(server);
    let error = lazy.hello().await.unwrap_err();
    assert!(matches!(tls_error(&error), Some(Error::Peer(_))));
    let error = lazy.accept(server_config()).await.unwrap_err();
    assert!(matches!(tls_error(&error), Some(Error::Peer(_))));
    let mut alert = Vec::new();
    client.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 70]);

    let (client, server) = duplex(1000);
    drop(client);
    let error = LazyAccept::new(server).hello().await.unwrap_err();
    assert_eq!(tls_error(&error), Some(&Error::HandshakeCut));
}
