//! What a connection was like: for people with -v, for programs with --json.

use core::fmt;
use core::time::Duration;

use serde::Serialize;
use waxwing::EarlyDataStatus;
use waxwing::pki::{Identity, UnixTime};

use super::connect::{Connected, Timings, Trust};
use crate::days::days_left;
use crate::exit::Failure;
use crate::output::{Talk, safe};

/// The name of the form of [`Document`]; fields are only ever added to it.
const SCHEMA: &str = "waxwing.get/1";

/// A connection in words.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    address: String,
    name: String,
    version: Option<String>,
    cipher_suite: Option<String>,
    group: Option<String>,
    post_quantum: bool,
    signature_scheme: Option<String>,
    pub(crate) alpn: Option<String>,
    /// Whether an earlier session was resumed.
    resumed: bool,
    /// `accepted` or `rejected`, if there was some.
    early_data: Option<&'static str>,
    /// The identity of the key that was used in place of a certificate.
    psk_identity: Option<String>,
    /// Whether the server asked for another key share, which costs a round trip.
    hello_retry_request: bool,
    /// Whether the server asked for a certificate of ours.
    client_auth_requested: bool,
    /// The certificate that it was shown.
    client_certificate: Option<ClientCertificate>,
    trust: &'static str,
    /// What --insecure overruled.
    overruled: Option<String>,
    timings_ms: Milliseconds,
    certificate: Option<Certificate>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Milliseconds {
    resolve: f64,
    connect: f64,
    handshake: f64,
}

#[derive(Clone, Debug, Serialize)]
struct ClientCertificate {
    subject: String,
    signature_scheme: String,
}

#[derive(Clone, Debug, Serialize)]
struct Certificate {
    subject: String,
    names: Vec<String>,
    issuer: String,
    not_before: String,
    not_after: String,
    /// Below zero once it has expired.
    days_left: i64,
    key: String,
    sha256: String,
    pin: String,
    chain_length: usize,
}

/// All of a `get`.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    schema: &'static str,
    pub(crate) url: String,
    /// Where redirects led from there.
    pub(crate) redirects: Vec<String>,
    pub(crate) connection: Option<Report>,
    pub(crate) response: Option<ResponseFacts>,
    error: Option<ErrorFacts>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ResponseFacts {
    pub(crate) status: u16,
    pub(crate) http_version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body_length: u64,
    /// The file that the body is in.
    pub(crate) body_file: Option<String>,
}

#[derive(Debug, Serialize)]
struct ErrorFacts {
    exit_code: u8,
    kind: &'static str,
    message: String,
}

impl Document {
    pub(crate) const fn new(url: String) -> Self {
        Self {
            schema: SCHEMA,
            url,
            redirects: Vec::new(),
            connection: None,
            response: None,
            error: None,
        }
    }

    pub(crate) fn failed(&mut self, failure: &Failure) {
        self.error = Some(ErrorFacts {
            exit_code: failure.code.number(),
            kind: failure.code.word(),
            message: failure.message.clone(),
        });
    }
}

impl Report {
    pub(crate) fn new(connected: &Connected) -> Self {
        let info = connected.stream.info();
        let text = |value: Option<&dyn fmt::Display>| value.map(ToString::to_string);
        let (trust, overruled) = match &connected.trust {
            Trust::Verified => ("verified", None),
            Trust::Pinned => ("pinned", None),
            Trust::Insecure(reason) => ("insecure", reason.clone()),
        };
        let alpn = info.alpn.as_deref();
        Self {
            address: connected.address.to_string(),
            name: connected.name.to_string(),
            version: text(info.version.as_ref().map(|v| v as _)),
            cipher_suite: text(info.cipher_suite.as_ref().map(|v| v as _)),
            group: text(info.group.as_ref().map(|v| v as _)),
            post_quantum: info.group.is_some_and(|group| group.is_post_quantum()),
            signature_scheme: text(info.signature_scheme.as_ref().map(|v| v as _)),
            alpn: alpn.map(|name| safe(&String::from_utf8_lossy(name))),
            resumed: info.resumed,
            early_data: match info.early_data {
                EarlyDataStatus::Accepted => Some("accepted"),
                EarlyDataStatus::Rejected => Some("rejected"),
                _ => None,
            },
            psk_identity: info
                .psk_identity
                .as_deref()
                .map(|identity| safe(&String::from_utf8_lossy(identity))),
            hello_retry_request: info.retried,
            client_auth_requested: info.client_auth_requested,
            client_certificate: client_certificate(connected),
            trust,
            overruled,
            timings_ms: connected.timings.into(),
            certificate: certificate(&info.peer_chain),
        }
    }

    /// The handshake in about ten lines.
    pub(crate) fn tell(&self, talk: Talk) {
        let dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let yes_no = |yes| if yes { "yes" } else { "no" };
        talk.fact(
            "connected",
            format_args!("{} as {}", self.address, self.name),
        );
        let timings = &self.timings_ms;
        talk.fact(
            "timings",
            format_args!(
                "lookup {:.1} ms, connect {:.1} ms, handshake {:.1} ms",
                timings.resolve, timings.connect, timings.handshake
            ),
        );
        talk.fact(
            "protocol",
            format_args!("{}, {}", dash(&self.version), dash(&self.cipher_suite)),
        );
        let retry = if self.hello_retry_request {
            "; asked for by a HelloRetryRequest"
        } else {
            ""
        };
        talk.fact(
            "key exchange",
            format_args!(
                "{} (post-quantum: {}){retry}",
                dash(&self.group),
                yes_no(self.post_quantum)
            ),
        );
        if self.resumed {
            let early = self.early_data.map(|what| format!("; early data {what}"));
            talk.fact(
                "session",
                format_args!("resumed{}", early.unwrap_or_default()),
            );
        }
        if let Some(identity) = &self.psk_identity {
            talk.fact("shared key", identity);
        }
        talk.fact("alpn", self.alpn.as_deref().unwrap_or("(none)"));
        if let Some(certificate) = &self.certificate {
            certificate.tell(talk, &dash(&self.signature_scheme));
        }
        match &self.client_certificate {
            Some(shown) => talk.fact(
                "client cert",
                format_args!("{}, {}", shown.subject, shown.signature_scheme),
            ),
            None if self.client_auth_requested => {
                talk.fact("client cert", "asked for; none was shown");
            }
            None => {}
        }
        match &self.overruled {
            Some(reason) => talk.fact("trust", format_args!("NONE, by --insecure: {reason}")),
            None => talk.fact("trust", self.trust),
        }
    }
}

impl Certificate {
    fn tell(&self, talk: Talk, scheme: &str) {
        talk.fact("signature", format_args!("{scheme} by {}", self.key));
        let subject = if self.subject.is_empty() {
            "(none)"
        } else {
            &self.subject
        };
        let names = self.names.join(", ");
        talk.fact("certificate", format_args!("{subject}; for {names}"));
        talk.fact(
            "issuer",
            format_args!("{}; {} in the chain", self.issuer, self.chain_length),
        );
        talk.fact(
            "valid until",
            format_args!("{} ({} days left)", self.not_after, self.days_left),
        );
        talk.fact("key pin", &self.pin);
    }
}

impl From<Timings> for Milliseconds {
    fn from(timings: Timings) -> Self {
        // Microseconds are as fine as anyone needs to read.
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        Self {
            resolve: ms(timings.resolve),
            connect: ms(timings.connect),
            handshake: ms(timings.handshake),
        }
    }
}

fn client_certificate(connected: &Connected) -> Option<ClientCertificate> {
    let scheme = connected.stream.info().client_signature_scheme?;
    Some(ClientCertificate {
        subject: connected.shown.clone()?,
        signature_scheme: scheme.to_string(),
    })
}

fn certificate(chain: &[Box<[u8]>]) -> Option<Certificate> {
    let identity = Identity::from_der(chain.first()?).ok()?;
    let now = UnixTime::now()?;
    Some(Certificate {
        days_left: days_left(now, identity.not_after),
        subject: identity.subject,
        names: identity.names.iter().map(ToString::to_string).collect(),
        issuer: identity.issuer,
        not_before: identity.not_before.to_string(),
        not_after: identity.not_after.to_string(),
        key: identity.key.to_string(),
        sha256: identity.sha256,
        pin: identity.key_pin.to_string(),
        chain_length: chain.len(),
    })
}
