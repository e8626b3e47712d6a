//! The system's OpenSSL, through a memory transport under its own BIO method.

use std::io::{self, Read, Write};
use std::mem::{self, MaybeUninit};

use openssl::pkey::PKey;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslSessionCacheMode, SslStream,
    SslVerifyMode, SslVersion,
};
use openssl::x509::X509;

use crate::pair::{Engine, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{Group, Scenario, Suite};

pub(crate) struct OpenSsl {
    client: SslContext,
    server: SslContext,
}

fn context(scenario: Scenario) -> Option<SslContextBuilder> {
    let suite = match scenario.suite {
        Suite::Aes128 => "TLS_AES_128_GCM_SHA256",
        Suite::Aes256 => "TLS_AES_256_GCM_SHA384",
        Suite::ChaCha20 => "TLS_CHACHA20_POLY1305_SHA256",
    };
    let group = match scenario.group {
        Group::X25519 => "X25519",
        Group::P256 => "P-256",
        Group::X25519MlKem768 => "X25519MLKEM768",
    };
    let mut context = SslContext::builder(SslMethod::tls()).expect("a context");
    context
        .set_min_proto_version(Some(SslVersion::TLS1_3))
        .expect("TLS 1.3 is there");
    context.set_ciphersuites(suite).expect("the suite is there");
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    // Fails for the hybrid group before OpenSSL 3.5.
    context.set_groups_list(group).ok()?;
    Some(context)
}

impl Engine for OpenSsl {
    const NAME: &'static str = "OpenSSL";

    type Out = Vec<u8>;
    type Client = SslStream<Transport>;
    type Server = SslStream<Transport>;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        let mut client = context(scenario)?;
        let root = X509::from_der(&pki.root).expect("the root is a certificate");
        client.cert_store_mut().add_cert(root).expect("an anchor");
        client.set_verify(SslVerifyMode::PEER);

        let mut server = context(scenario)?;
        let leaf = X509::from_der(&pki.leaf).expect("the leaf is a certificate");
        let intermediate = X509::from_der(&pki.intermediate).expect("a certificate");
        let key = PKey::private_key_from_der(&pki.key).expect("the key is PKCS #8");
        server.set_certificate(&leaf).expect("a usable leaf");
        server
            .add_extra_chain_cert(intermediate)
            .expect("a usable intermediate");
        server.set_private_key(&key).expect("the leaf's key");
        server
            .set_num_tickets(0)
            .expect("tickets can be turned off");

        Some(Self {
            client: client.build(),
            server: server.build(),
        })
    }

    fn client(&self, _out: &mut Vec<u8>) -> SslStream<Transport> {
        let mut ssl = Ssl::new(&self.client).expect("a connection");
        ssl.set_hostname(SERVER_NAME).expect("a DNS name");
        ssl.param_mut().set_host(SERVER_NAME).expect("a DNS name");
        ssl.set_connect_state();
        SslStream::new(ssl, Transport::default()).expect("a stream")
    }

    fn server(&self) -> SslStream<Transport> {
        let mut ssl = Ssl::new(&self.server).expect("a connection");
        ssl.set_accept_state();
        SslStream::new(ssl, Transport::default()).expect("a stream")
    }
}

/// What OpenSSL reads and writes. The wires of the pair are swapped in for a call and out again,
/// so no byte is copied besides OpenSSL's own reads and writes.
#[derive(Default)]
pub(crate) struct Transport {
    input: Vec<u8>,
    consumed: usize,
    out: Vec<u8>,
}

impl Read for Transport {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut rest = &self.input[self.consumed..];
        if rest.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = rest.read(buf)?;
        self.consumed += len;
        Ok(len)
    }
}

impl Write for Transport {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.out.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `work` with `input` and `out` in the place of the transport's own.
fn with_wires<T>(
    stream: &mut SslStream<Transport>,
    input: &mut Vec<u8>,
    out: &mut Vec<u8>,
    work: impl FnOnce(&mut SslStream<Transport>) -> T,
) -> T {
    let transport = stream.get_mut();
    mem::swap(&mut transport.input, input);
    mem::swap(&mut transport.out, out);
    let result = work(stream);
    let transport = stream.get_mut();
    assert_eq!(transport.consumed, transport.input.len(), "bytes were left");
    transport.consumed = 0;
    transport.input.clear();
    mem::swap(&mut transport.input, input);
    mem::swap(&mut transport.out, out);
    result
}

impl Peer for SslStream<Transport> {
    type Out = Vec<u8>;

    fn handshake(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
        with_wires(self, input, out, |stream| match stream.do_handshake() {
            Ok(()) => true,
            Err(error) if error.code() == ErrorCode::WANT_READ => false,
            Err(error) => panic!("OpenSSL: {error}"),
        })
    }

    fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        with_wires(self, &mut Vec::new(), out, |stream| {
            let written = stream
                .ssl_write(plain)
                .expect("the transport takes all bytes");
            assert_eq!(written, plain.len());
        });
    }

    fn receive(&mut self, input: &mut Vec<u8>) -> usize {
        let mut plain = [MaybeUninit::uninit(); 16_384];
        with_wires(self, input, &mut Vec::new(), |stream| {
            let mut received = 0;
            loop {
                match stream.ssl_read_uninit(&mut plain) {
                    Ok(len) => received += len,
                    Err(error) if error.code() == ErrorCode::WANT_READ => return received,
                    Err(error) => panic!("OpenSSL: {error}"),
                }
            }
        })
    }
}
