//! Both sides show a certificate, in one process: cargo run --example mutual

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use waxwing::pki::{ClientVerifier, Identity, SelfSigned, TrustAnchors, Verifier};
use waxwing::{CertifiedKey, ClientAuth, ClientConfig, Connector, PROVIDER, ServerConfig, pki};

fn main() -> Result<(), Box<dyn Error>> {
    // In life, each side makes its own, and the other one gets the certificate without the key.
    let server = SelfSigned::builder(["localhost".parse()?]).issue(PROVIDER.random)?;
    let alice = SelfSigned::builder(["alice@example.org".parse()?]);
    let alice = alice.for_clients().issue(PROVIDER.random)?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let guests = TrustAnchors::from_pem_or_der(alice.certificate())?;
    let own = load(&server)?;
    let serving = thread::spawn(move || greet(&listener, own, guests));

    let verifier = Verifier::new(
        &PROVIDER,
        TrustAnchors::from_pem_or_der(server.certificate())?,
    );
    let config = ClientConfig::builder(&PROVIDER, Arc::new(verifier))
        .client_certificate(Arc::new(load(&alice)?))
        .build()?;
    let tcp = TcpStream::connect(address)?;
    let mut stream = Connector::new(config).connect("localhost".parse()?, tcp)?;
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting)?;
    println!("{greeting}");
    assert_eq!(greeting, "Hello, CN=alice@example.org");
    serving.join().expect("the server does not panic");
    Ok(())
}

fn load(made: &SelfSigned) -> Result<Arc<CertifiedKey>, pki::LoadError> {
    pki::load_certified_key(&PROVIDER, made.certificate(), made.key()).map(Arc::new)
}

/// Greets one client by its name.
fn greet(listener: &TcpListener, own: Arc<CertifiedKey>, guests: TrustAnchors) {
    let verifier = ClientVerifier::new(&PROVIDER, guests);
    let config = ServerConfig::builder(&PROVIDER, Arc::new(own))
        .client_auth(ClientAuth::Required(Arc::new(verifier)))
        .keep_peer_chain(true)
        .build()
        .expect("a usual configuration");
    let (tcp, _) = listener.accept().expect("a connection");
    let mut stream = waxwing::serve(config, tcp).expect("a client with a certificate");
    let who = Identity::from_der(&stream.info().peer_chain[0]).expect("it was checked");
    write!(stream, "Hello, {}", who.label()).expect("the client listens");
    stream.close_notify().expect("the client listens");
}
