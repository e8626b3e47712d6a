//! The system's OpenSSL, through a memory transport under its own BIO method.

use std::ffi::c_int;
use std::io::{self, Read, Write};
use std::mem::{self, MaybeUninit};
use std::sync::{Arc, Mutex};

use foreign_types_shared::ForeignTypeRef;
use openssl::pkey::PKey;
use openssl::ssl::{
    ErrorCode, ShutdownState, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions,
    SslSession, SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;

use crate::engines::groups_list;
use crate::pair::{Basis, Engine, Peer};
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::{EARLY, Kind, MAX_EARLY, Scenario, Suite, Version};

pub(crate) struct OpenSsl {
    client: SslContext,
    server: SslContext,
    sessions: Sessions,
    resumes: bool,
    early: bool,
}

/// The client's last session. OpenSSL leaves keeping them to the application.
type Sessions = Arc<Mutex<Option<SslSession>>>;

fn context(scenario: Scenario) -> Option<SslContextBuilder> {
    let suite = match scenario.suite {
        Suite::Aes128 => "TLS_AES_128_GCM_SHA256",
        Suite::Aes256 => "TLS_AES_256_GCM_SHA384",
        Suite::ChaCha20 => "TLS_CHACHA20_POLY1305_SHA256",
    };
    let version = match scenario.version {
        Version::Tls13 => SslVersion::TLS1_3,
        Version::Tls12 => SslVersion::TLS1_2,
    };
    let mut context = SslContext::builder(SslMethod::tls()).expect("a context");
    let limits = [
        context.set_min_proto_version(Some(version)),
        context.set_max_proto_version(Some(version)),
    ];
    assert!(limits.iter().all(Result::is_ok), "the version is there");
    context.set_ciphersuites(suite).expect("the suite is there");
    context
        .set_cipher_list("ECDHE+AES128+AESGCM")
        .expect("suites of TLS 1.2 are there");
    if !scenario.kind.resumes() {
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        context.set_options(SslOptions::NO_TICKET);
    }
    // Fails for the hybrid group before OpenSSL 3.5.
    context.set_groups_list(&groups_list(scenario)).ok()?;
    Some(context)
}

fn trust(context: &mut SslContextBuilder, pki: &Pki, mode: SslVerifyMode) {
    let root = X509::from_der(&pki.root).expect("the root is a certificate");
    context.cert_store_mut().add_cert(root).expect("an anchor");
    context.set_verify(mode);
}

fn certify(context: &mut SslContextBuilder, pki: &Pki) {
    let leaf = X509::from_der(&pki.leaf).expect("the leaf is a certificate");
    let intermediate = X509::from_der(&pki.intermediate).expect("a certificate");
    let key = PKey::private_key_from_der(&pki.key).expect("the key is PKCS #8");
    context.set_certificate(&leaf).expect("a usable leaf");
    context
        .add_extra_chain_cert(intermediate)
        .expect("a usable intermediate");
    context.set_private_key(&key).expect("the leaf's key");
}

fn client_context(pki: &Pki, scenario: Scenario, sessions: &Sessions) -> Option<SslContext> {
    let mut client = context(scenario)?;
    trust(&mut client, pki, SslVerifyMode::PEER);
    if scenario.kind.is_mutual() {
        certify(&mut client, pki);
    }
    if scenario.kind.resumes() {
        let only_callback = SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL;
        client.set_session_cache_mode(only_callback);
        let sessions = Arc::clone(sessions);
        client.set_new_session_callback(move |_, session| {
            *sessions.lock().expect("one thread") = Some(session);
        });
    }
    Some(client.build())
}

fn server_context(pki: &Pki, scenario: Scenario) -> Option<SslContext> {
    let mut server = context(scenario)?;
    certify(&mut server, pki);
    if scenario.kind.is_mutual() {
        let required = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
        trust(&mut server, pki, required);
    }
    let tickets = usize::from(scenario.kind.resumes());
    server
        .set_num_tickets(tickets)
        .expect("the number can be set");
    if scenario.kind == Kind::EarlyData {
        server.set_max_early_data(MAX_EARLY).expect("a limit");
    }
    Some(server.build())
}

impl Engine for OpenSsl {
    const NAME: &'static str = "OpenSSL";

    type Out = Vec<u8>;
    type Client = SslStream<Transport>;
    type Server = SslStream<Transport>;

    fn new(pki: &Pki, scenario: Scenario) -> Option<Self> {
        let sessions = Sessions::default();
        Some(Self {
            client: client_context(pki, scenario, &sessions)?,
            server: server_context(pki, scenario)?,
            sessions,
            resumes: scenario.kind.resumes(),
            early: scenario.kind == Kind::EarlyData,
        })
    }

    fn client(&self, out: &mut Vec<u8>) -> SslStream<Transport> {
        let mut ssl = Ssl::new(&self.client).expect("a connection");
        ssl.set_hostname(SERVER_NAME).expect("a DNS name");
        ssl.param_mut().set_host(SERVER_NAME).expect("a DNS name");
        ssl.set_connect_state();
        // A session of TLS 1.2 serves again; one of TLS 1.3 is replaced by the next ticket.
        let session = self.sessions.lock().expect("one thread").clone();
        if let Some(session) = &session {
            // SAFETY: the session is of a connection of the same context.
            unsafe { ssl.set_session(session) }.expect("the session is usable");
        }
        let transport = Transport {
            session_matters: self.resumes,
            ..Transport::default()
        };
        let mut stream = SslStream::new(ssl, transport).expect("a stream");
        if self.early && session.is_some() {
            let taken = with_wires(&mut stream, &mut Vec::new(), out, |stream| {
                stream.write_early_data(&EARLY)
            });
            assert_eq!(taken.expect("the session allows for it"), EARLY.len());
        }
        stream
    }

    fn server(&self) -> SslStream<Transport> {
        let mut ssl = Ssl::new(&self.server).expect("a connection");
        ssl.set_accept_state();
        let transport = Transport {
            early_to_come: self.early,
            session_matters: self.resumes,
            ..Transport::default()
        };
        SslStream::new(ssl, transport).expect("a stream")
    }

    fn basis(client: &SslStream<Transport>) -> Basis {
        // SAFETY: the function only looks at the connection.
        let early = unsafe { SSL_get_early_data_status(client.ssl().as_ptr()) };
        Basis {
            resumed: client.ssl().session_reused(),
            early: early == EARLY_DATA_ACCEPTED,
        }
    }
}

const EARLY_DATA_ACCEPTED: c_int = 2;

unsafe extern "C" {
    /// OpenSSL's own; the crate `openssl-sys` does not declare it.
    fn SSL_get_early_data_status(ssl: *const openssl_sys::SSL) -> c_int;
}

/// What OpenSSL reads and writes. The wires of the pair are swapped in for a call and out again,
/// so no byte is copied besides OpenSSL's own reads and writes.
#[derive(Default)]
pub(crate) struct Transport {
    input: Vec<u8>,
    consumed: usize,
    out: Vec<u8>,
    /// On a server: whether the client may still send early data.
    early_to_come: bool,
    /// Whether a later connection rests on this one.
    session_matters: bool,
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
        with_wires(self, input, out, |stream| {
            if stream.get_ref().early_to_come && !read_early(stream) {
                return false;
            }
            match stream.do_handshake() {
                Ok(()) => {
                    if stream.get_ref().session_matters {
                        // A session whose connection ends otherwise is not resumed again.
                        stream.set_shutdown(ShutdownState::SENT);
                    }
                    read_tickets(stream);
                    true
                }
                Err(error) if error.code() == ErrorCode::WANT_READ => false,
                Err(error) => panic!("OpenSSL: {error}"),
            }
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

/// Reads early data until it has ended; false if more may come.
fn read_early(stream: &mut SslStream<Transport>) -> bool {
    let mut plain = [0; EARLY.len()];
    loop {
        match stream.read_early_data(&mut plain) {
            Ok(0) => {
                stream.get_mut().early_to_come = false;
                return true;
            }
            Ok(len) => assert_eq!(len, EARLY.len()),
            Err(error) if error.code() == ErrorCode::WANT_READ => return false,
            Err(error) => panic!("OpenSSL: {error}"),
        }
    }
}

/// What comes after the handshake is only looked at by a read.
fn read_tickets(stream: &mut SslStream<Transport>) {
    let transport = stream.get_ref();
    if transport.consumed < transport.input.len() {
        let result = stream.ssl_read(&mut [0]);
        let code = result.map_err(|error| error.code());
        assert_eq!(code, Err(ErrorCode::WANT_READ), "there are only tickets");
    }
}
