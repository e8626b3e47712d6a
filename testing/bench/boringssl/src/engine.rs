//! Both configurations of a scenario.

use std::ffi::c_int;
use std::str;
use std::sync::{Arc, Mutex};

use boring::pkey::PKey;
use boring::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSession, SslSessionCacheMode,
    SslVerifyMode, SslVersion,
};
use boring::x509::X509;

use crate::abi::{Setup, Wires};
use crate::stream::Stream;

/// Ed25519 has to be asked for.
const SIGNATURES: &str = "ecdsa_secp256r1_sha256:ed25519:rsa_pss_rsae_sha256:rsa_pkcs1_sha256";

pub(crate) struct Engine {
    client: SslContext,
    server: SslContext,
    sessions: Sessions,
    name: String,
    early: Vec<u8>,
    tickets: bool,
}

/// The client's last session. BoringSSL leaves keeping them to the application.
type Sessions = Arc<Mutex<Option<SslSession>>>;

/// # Safety
/// What the setup points to is there.
unsafe fn context(setup: &Setup) -> Option<SslContextBuilder> {
    let version = match setup.tls12 {
        true => SslVersion::TLS1_2,
        false => SslVersion::TLS1_3,
    };
    let mut context = SslContext::builder(SslMethod::tls()).ok()?;
    context.set_min_proto_version(Some(version)).ok()?;
    context.set_max_proto_version(Some(version)).ok()?;
    // There is no choice in TLS 1.3, where AES-128-GCM is preferred on this hardware.
    context
        .set_cipher_list("ECDHE+AES128+AESGCM")
        .expect("suites of TLS 1.2 are there");
    context
        .set_sigalgs_list(SIGNATURES)
        .expect("algorithms are there");
    // SAFETY: given by the caller.
    let groups = unsafe { setup.groups.get() };
    context.set_curves_list(str::from_utf8(groups).ok()?).ok()?;
    if !setup.resumes {
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        context.set_options(SslOptions::NO_TICKET);
    }
    // SAFETY: the context is there.
    unsafe {
        let early = c_int::from(setup.early.len > 0);
        boring_sys::SSL_CTX_set_early_data_enabled(context.as_ptr(), early);
        let tickets = usize::from(setup.resumes);
        boring_sys::SSL_CTX_set_num_tickets(context.as_ptr(), tickets);
    }
    Some(context)
}

/// # Safety
/// What the setup points to is there.
unsafe fn trust(context: &mut SslContextBuilder, setup: &Setup, mode: SslVerifyMode) {
    // SAFETY: given by the caller.
    let root = X509::from_der(unsafe { setup.root.get() }).expect("the root is a certificate");
    context.cert_store_mut().add_cert(root).expect("an anchor");
    context.set_verify(mode);
}

/// # Safety
/// What the setup points to is there.
unsafe fn certify(context: &mut SslContextBuilder, setup: &Setup) {
    // SAFETY: given by the caller.
    let [leaf, intermediate, key] =
        [setup.leaf, setup.intermediate, setup.key].map(|bytes| unsafe { bytes.get() });
    let leaf = X509::from_der(leaf).expect("the leaf is a certificate");
    let intermediate = X509::from_der(intermediate).expect("a certificate");
    let key = PKey::private_key_from_pkcs8(key).expect("the key is PKCS #8");
    context.set_certificate(&leaf).expect("a usable leaf");
    context
        .add_extra_chain_cert(intermediate)
        .expect("a usable intermediate");
    context.set_private_key(&key).expect("the leaf's key");
}

impl Engine {
    /// `None` if BoringSSL lacks what is asked for.
    ///
    /// # Safety
    /// What the setup points to is there.
    pub(crate) unsafe fn new(setup: &Setup) -> Option<Self> {
        let sessions = Sessions::default();
        // SAFETY: given by the caller.
        unsafe {
            let mut client = context(setup)?;
            trust(&mut client, setup, SslVerifyMode::PEER);
            if setup.resumes {
                keep_sessions(&mut client, &sessions);
            }
            let mut server = context(setup)?;
            certify(&mut server, setup);
            if setup.mutual {
                certify(&mut client, setup);
                let required = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
                trust(&mut server, setup, required);
            }
            Some(Self {
                client: client.build(),
                server: server.build(),
                sessions,
                name: String::from_utf8_lossy(setup.name.get()).into_owned(),
                early: setup.early.get().to_vec(),
                tickets: setup.resumes,
            })
        }
    }

    pub(crate) fn client(&self, wires: &mut Wires) -> Stream {
        let mut ssl = Ssl::new(&self.client).expect("a connection");
        ssl.set_hostname(&self.name).expect("a DNS name");
        ssl.param_mut().set_host(&self.name).expect("a DNS name");
        // A session of TLS 1.2 serves again; one of TLS 1.3 is replaced by the next ticket.
        let session = self.sessions.lock().expect("one thread").clone();
        if let Some(session) = &session {
            // SAFETY: the session is of a connection of the same context.
            unsafe { ssl.set_session(session) }.expect("the session is usable");
        }
        let mut stream = Stream::new(ssl, false, self.tickets);
        if !self.early.is_empty() && session.is_some() {
            stream.send_early(&self.early, wires);
        }
        stream
    }

    pub(crate) fn server(&self) -> Stream {
        let ssl = Ssl::new(&self.server).expect("a connection");
        Stream::new(ssl, true, self.tickets)
    }
}

fn keep_sessions(client: &mut SslContextBuilder, sessions: &Sessions) {
    let only_callback = SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL;
    client.set_session_cache_mode(only_callback);
    let sessions = Arc::clone(sessions);
    client.set_new_session_callback(move |_, session| {
        *sessions.lock().expect("one thread") = Some(session);
    });
}
