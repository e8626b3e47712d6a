//! From a URL to a TLS connection.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::net::TcpStream;
use waxwing::compression::{COMPRESSORS, DECOMPRESSORS};
use waxwing::pki::dangerous::AcceptAny;
use waxwing::pki::revocation::RevocationPolicy;
use waxwing::pki::{self, Identity, PinnedVerifier, TrustAnchors, Verifier};
use waxwing::tokio::{Setup, TlsStream};
use waxwing::{CertifiedKey, ClientConfig, PROVIDER, ServerCertVerifier, ServerName, SystemClock};

use super::sessions::SessionFile;
use super::url::{Scheme, Target};
use crate::args::{GetArgs, OwnArgs, TrustArgs};
use crate::exit::{Code, Failure, plain};
use crate::output::{Talk, safe};
use crate::resolve;
use crate::tls::{certified_key, key_log, versions};
use crate::trace::TraceFile;

/// How the server came to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its chain leads to an authority.
    Verified,
    /// It has a pinned key or certificate.
    Pinned,
    /// It is trusted by order, although this speaks against it.
    Insecure(Option<String>),
}

/// How long things took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timings {
    pub(crate) resolve: Duration,
    pub(crate) connect: Duration,
    pub(crate) handshake: Duration,
}

/// A connection, and how it came about.
pub(crate) struct Connected {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) address: SocketAddr,
    pub(crate) name: ServerName,
    pub(crate) trust: Trust,
    /// The subject of the certificate that the server was shown.
    pub(crate) shown: Option<String>,
    pub(crate) timings: Timings,
}

/// Makes connections as the user wants them.
pub(crate) struct Connector<'a> {
    args: &'a GetArgs,
    talk: Talk,
    /// For the server that the user names.
    config: Arc<ClientConfig>,
    /// For those that redirects name: they get to see no certificate.
    elsewhere: Arc<ClientConfig>,
    /// The subject of our certificate.
    own: Option<String>,
    /// What the user's URL names, as against those that redirects name.
    origin: Target,
    /// What --insecure overruled on the last connection.
    overruled: Arc<Mutex<Option<String>>>,
    trace: Option<Arc<TraceFile>>,
    sessions: Option<Arc<SessionFile>>,
    /// What to send first.
    early_data: Vec<u8>,
}

impl<'a> Connector<'a> {
    pub(crate) fn new(args: &'a GetArgs, origin: &Target, talk: Talk) -> Result<Self, Failure> {
        let overruled = Arc::default();
        let verifier = verifier(&args.trust, &overruled)?;
        let mut config = ClientConfig::builder(&PROVIDER, verifier)
            .versions(versions(&args.tls, &args.ciphers)?)
            .alpn(alpn(args, origin.scheme))
            .cert_decompressors(DECOMPRESSORS)
            .keep_peer_chain(true);
        if !args.groups.is_empty() {
            config = config.groups(args.groups.iter().copied());
        }
        if !args.ciphers.is_empty() {
            config = config.cipher_suites(args.ciphers.iter().copied());
        }
        if let Some(log) = key_log(args.tls.keylog(), talk)? {
            config = config.key_log(log);
        }
        let mut trace = None;
        if let Some(path) = &args.trace {
            let file = TraceFile::create(path).map_err(|error| Failure::file(path, &error))?;
            let file = Arc::new(file);
            config = config.trace(Arc::clone(&file) as Arc<dyn waxwing::Trace>);
            trace = Some(file);
        }
        let sessions = match &args.sessions.session {
            Some(path) => Some(Arc::new(SessionFile::open(path, talk)?)),
            None => None,
        };
        let early_data = match &args.sessions.early_data {
            Some(path) => std::fs::read(path).map_err(|error| Failure::file(path, &error))?,
            None => Vec::new(),
        };
        let own = own_certificate(&args.own)?;
        let usage = |error: waxwing::ConfigError| Failure::usage(error.to_string());
        let elsewhere = config.clone().build().map_err(usage)?;
        // These are for the server that the user names, too.
        if let Some(sessions) = &sessions {
            config = config
                .sessions(Arc::clone(sessions) as _, Arc::new(SystemClock))
                .early_data(args.sessions.early_data.is_some());
        }
        config = config.external_psks(args.sessions.psk.iter().cloned());
        if let Some(certified) = &own {
            config = config.client_certificate(Arc::new(Arc::clone(certified)));
        }
        Ok(Self {
            args,
            talk,
            config: config.build().map_err(usage)?,
            elsewhere,
            own: own.map(|certified| subject(&certified)),
            origin: origin.clone(),
            overruled,
            trace,
            sessions,
            early_data,
        })
    }

    /// Resolves, connects and shakes hands within the time that --timeout gives.
    pub(crate) async fn connect(&self, target: &Target) -> Result<Connected, Failure> {
        let name = match &self.args.servername {
            Some(name) if target.same_origin(&self.origin) => name.clone(),
            _ => server_name(&target.host)?,
        };
        let deadline = tokio::time::Instant::now() + self.args.network.timeout;
        let limit = self.args.network.timeout.as_secs_f64();
        let start = Instant::now();
        let (host, port) = (&*target.host, target.port);
        let network = &self.args.network;
        let look_up = resolve::look_up(host, port, &network.resolve, |ip| network.wants(ip));
        let addresses = tokio::time::timeout_at(deadline, look_up)
            .await
            .map_err(|_| late(Code::Network, format!("looking up {host}"), limit))?
            .map_err(|error| {
                Failure::network(format!("cannot find {host}: {}", resolver_words(&error)))
            })?;
        let resolved = Instant::now();
        let tcp = tokio::time::timeout_at(deadline, resolve::connect(&addresses))
            .await
            .map_err(|_| late(Code::Network, format!("connecting to {host}:{port}"), limit))?
            .map_err(|error| {
                let text = format!("cannot connect to {host}:{port}: {}", plain(&error));
                Failure::network(text)
            })?;
        let address = tcp
            .peer_addr()
            .map_err(|error| Failure::network(plain(&error)))?;
        let connected = Instant::now();
        let config = if target.same_origin(&self.origin) {
            &self.config
        } else {
            &self.elsewhere
        };
        let setup = Setup::new().early_data(&*self.early_data);
        let handshake = setup.connect(Arc::clone(config), name.clone(), tcp);
        let stream = tokio::time::timeout_at(deadline, handshake)
            .await
            .map_err(|_| late(Code::Tls, format!("shaking hands with {host}"), limit))?
            .map_err(|error| Failure::connection(host, &error))?;
        let signed = stream.info().client_signature_scheme.is_some();
        Ok(Connected {
            shown: self.own.clone().filter(|_| signed),
            stream,
            address,
            name,
            trust: self.trust(),
            timings: Timings {
                resolve: resolved - start,
                connect: connected - resolved,
                handshake: connected.elapsed(),
            },
        })
    }

    /// Keeps what the server gave. A fault in it is worth a warning, not more.
    pub(crate) fn save_sessions(&self) {
        if let Some(Err(error)) = self.sessions.as_ref().map(|sessions| sessions.save()) {
            self.talk
                .warn(format_args!("the sessions are not kept: {}", plain(&error)));
        }
    }

    /// Ends the trace file. A fault in it is worth a warning, not more.
    pub(crate) fn finish_trace(&self) {
        if let Some(Err(error)) = self.trace.as_ref().map(|trace| trace.finish()) {
            self.talk
                .warn(format_args!("the trace is incomplete: {}", plain(&error)));
        }
    }

    /// How the last server came to be trusted. What --insecure overruled is always told.
    fn trust(&self) -> Trust {
        if !self.args.trust.insecure {
            let pinned = !self.args.trust.pin.is_empty();
            return if pinned {
                Trust::Pinned
            } else {
                Trust::Verified
            };
        }
        let mut overruled = self
            .overruled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let reason = overruled.take();
        match &reason {
            Some(reason) => self.talk.warn(format_args!(
                "not trusted, but accepted by --insecure: {reason}"
            )),
            None => self
                .talk
                .warn("--insecure was given, but the server is trusted without it"),
        }
        Trust::Insecure(reason)
    }
}

fn late(code: Code, doing: String, limit: f64) -> Failure {
    Failure::new(code, format!("{doing} took longer than {limit} s"))
        .with_hint("--timeout SECONDS waits longer")
}

/// The resolver's reason without the library's preface.
fn resolver_words(error: &std::io::Error) -> String {
    let text = plain(error);
    let bare = text.strip_prefix("failed to lookup address information: ");
    bare.unwrap_or(&text).to_lowercase()
}

fn server_name(host: &str) -> Result<ServerName, Failure> {
    host.parse()
        .map_err(|error: waxwing::InvalidName| Failure::usage(error.to_string()))
}

/// What to offer: what the user says, or what the scheme and the options need.
fn alpn(args: &GetArgs, scheme: Scheme) -> Vec<String> {
    if !args.alpn.is_empty() {
        return args.alpn.clone();
    }
    let names: &[&str] = match (scheme, args.request.http1, args.request.http2) {
        (Scheme::Tls, ..) => &[],
        (_, true, _) => &["http/1.1"],
        (_, _, true) => &["h2"],
        _ => &["h2", "http/1.1"],
    };
    names.iter().map(|&name| name.to_owned()).collect()
}

fn verifier(
    args: &TrustArgs,
    overruled: &Arc<Mutex<Option<String>>>,
) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    let judge: Arc<dyn ServerCertVerifier> = if args.pin.is_empty() {
        // Nobody is asked; what the server staples is heeded.
        let revocation = RevocationPolicy::new(&PROVIDER);
        Arc::new(Verifier::new(&PROVIDER, anchors(args)?).revocation(revocation))
    } else {
        Arc::new(PinnedVerifier::new(args.pin.iter().copied()))
    };
    if !args.insecure {
        return Ok(judge);
    }
    let overruled = Arc::clone(overruled);
    Ok(Arc::new(AcceptAny::reporting(judge, move |rejection| {
        let reason = safe(&rejection.to_string());
        *overruled.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    })))
}

fn own_certificate(args: &OwnArgs) -> Result<Option<Arc<CertifiedKey>>, Failure> {
    let (Some(cert), Some(key)) = (&args.cert, &args.key) else {
        return Ok(None);
    };
    let certified = certified_key(cert, key, args.passphrase_file.as_deref())?;
    Ok(Some(Arc::new(certified.with_compression(COMPRESSORS))))
}

/// What to call our certificate.
fn subject(certified: &CertifiedKey) -> String {
    let own = certified.chain().first().map(Vec::as_slice);
    let identity = Identity::from_der(own.unwrap_or_default());
    identity.map_or_else(|error| error.to_string(), |identity| identity.label())
}

fn anchors(args: &TrustArgs) -> Result<TrustAnchors, Failure> {
    let wrong = |error: pki::LoadError| Failure::usage(error.to_string());
    let mut anchors = if args.ca_only {
        TrustAnchors::none()
    } else {
        TrustAnchors::system_or_bundled().map_err(wrong)?
    };
    for path in &args.ca {
        anchors.extend(TrustAnchors::from_file(path).map_err(wrong)?);
    }
    Ok(anchors)
}
