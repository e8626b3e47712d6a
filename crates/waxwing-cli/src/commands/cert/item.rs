//! One thing that a source holds: a certificate, a signing request, or a private key.

use serde::Serialize;
use waxwing::PROVIDER;
use waxwing::crypto::SigningKey;
use waxwing::pki::{
    Identity, KeyLoading, LoadError, NamePart, Passphrase, Pin, PublicKeyKind, SigningRequest,
    UnixTime, key_kind,
};

use super::files::looks_like;
use crate::exit::Failure;
use crate::output::Card;

const DAY: u64 = 24 * 60 * 60;

/// What was found.
pub(super) enum Item {
    Certificate(Box<Identity>),
    Request(Box<SigningRequest>),
    Key(Key),
}

/// A private key, without what is private.
pub(super) struct Key {
    kind: Option<PublicKeyKind>,
    pin: Option<Pin>,
    encrypted: bool,
}

impl Key {
    fn of(key: &dyn SigningKey, encrypted: bool) -> Self {
        Self {
            kind: key_kind(key),
            pin: key.public_key().map(|spki| Pin::of_spki(&spki)),
            encrypted,
        }
    }
}

/// Everything in `bytes`.
pub(super) fn items(bytes: &[u8], passphrase: Option<&Passphrase>) -> Result<Vec<Item>, Failure> {
    let mut found = Vec::new();
    let wrong = |error: LoadError| Failure::usage(error.to_string());
    let is_text = looks_like(bytes, "-----BEGIN ");
    let mut first_error = None;
    match Identity::from_pem_or_der(bytes) {
        Ok(identities) => {
            let all = identities.into_iter().map(Box::new);
            found.extend(all.map(Item::Certificate));
        }
        Err(LoadError::NoCertificate(_)) => {}
        Err(error) if is_text => return Err(wrong(error)),
        // In DER it may be anything.
        Err(error) => first_error = Some(error),
    }
    if is_text || found.is_empty() {
        match SigningRequest::from_pem_or_der(bytes) {
            Ok(request) => found.push(Item::Request(Box::new(request))),
            Err(LoadError::BadRequest(reason)) if is_text => {
                return Err(wrong(LoadError::BadRequest(reason)));
            }
            Err(_) => {}
        }
    }
    if is_text || found.is_empty() {
        found.extend(private(bytes, passphrase)?);
    }
    match first_error {
        Some(error) if found.is_empty() => Err(wrong(error)),
        _ if found.is_empty() => Err(Failure::usage(
            "there is no certificate, no signing request and no private key in it",
        )),
        _ => Ok(found),
    }
}

/// The private key in `bytes`, and what else is with it in a PKCS#12 file.
fn private(bytes: &[u8], passphrase: Option<&Passphrase>) -> Result<Vec<Item>, Failure> {
    let plain = KeyLoading::new(&PROVIDER);
    let opening = passphrase.map_or(plain, |passphrase| plain.passphrase(passphrase));
    match plain.private_key(bytes) {
        Ok(key) => Ok(vec![Item::Key(Key::of(&*key, false))]),
        Err(LoadError::EncryptedKey) if passphrase.is_none() => Ok(vec![Item::Key(Key {
            kind: None,
            pin: None,
            encrypted: true,
        })]),
        Err(LoadError::EncryptedKey) => opening
            .private_key(bytes)
            .map(|key| vec![Item::Key(Key::of(&*key, true))])
            .map_err(|error| Failure::usage(error.to_string())),
        Err(LoadError::Pkcs12(_)) => pkcs12(&opening, bytes),
        Err(LoadError::NoPrivateKey(_) | LoadError::UnusableKey) => Ok(Vec::new()),
        Err(error) => Err(Failure::usage(error.to_string())),
    }
}

fn pkcs12(loading: &KeyLoading<'_>, bytes: &[u8]) -> Result<Vec<Item>, Failure> {
    let wrong = |text: String| {
        Failure::usage(text).with_hint("--passphrase-file FILE has the file's passphrase")
    };
    let loaded = loading
        .pkcs12(bytes)
        .map_err(|error| wrong(error.to_string()))?;
    let chain = Identity::of_chain(loaded.chain()).map_err(|error| wrong(error.to_string()))?;
    let mut found: Vec<_> = chain
        .into_iter()
        .map(Box::new)
        .map(Item::Certificate)
        .collect();
    found.push(Item::Key(Key::of(&**loaded.key(), true)));
    Ok(found)
}

/// An item as JSON.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ItemFacts {
    Certificate(Box<CertificateFacts>),
    Request(RequestFacts),
    PrivateKey(KeyFacts),
}

#[derive(Debug, Serialize)]
pub(super) struct CertificateFacts {
    subject: String,
    subject_parts: Vec<PartFacts>,
    issuer: String,
    issuer_parts: Vec<PartFacts>,
    self_issued: bool,
    names: Vec<String>,
    serial: String,
    not_before: String,
    not_after: String,
    /// Below zero once it has expired.
    days_left: Option<i64>,
    key: String,
    key_bits: Option<usize>,
    signature_algorithm: String,
    authority: bool,
    path_len: Option<u8>,
    for_servers: bool,
    for_clients: bool,
    key_usage: Option<Vec<&'static str>>,
    purposes: Option<Vec<String>>,
    subject_key_id: Option<String>,
    authority_key_id: Option<String>,
    ocsp: Vec<String>,
    ca_issuers: Vec<String>,
    crls: Vec<String>,
    must_staple: bool,
    scts: usize,
    sha1: String,
    sha256: String,
    sha512: String,
    key_pin: String,
    pem: String,
}

#[derive(Debug, Serialize)]
struct PartFacts {
    id: String,
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct RequestFacts {
    subject: String,
    names: Vec<String>,
    key: String,
    key_bits: Option<usize>,
    must_staple: bool,
    for_clients: bool,
    /// Whether it is signed by the key that it names.
    signature_good: bool,
    key_pin: String,
}

#[derive(Debug, Serialize)]
pub(super) struct KeyFacts {
    key: Option<String>,
    key_bits: Option<usize>,
    encrypted: bool,
    key_pin: Option<String>,
}

impl Item {
    pub(super) fn facts(&self) -> ItemFacts {
        match self {
            Self::Certificate(identity) => {
                ItemFacts::Certificate(Box::new(CertificateFacts::of(identity)))
            }
            Self::Request(request) => ItemFacts::Request(RequestFacts::of(request)),
            Self::Key(key) => ItemFacts::PrivateKey(KeyFacts {
                key: key.kind.as_ref().map(ToString::to_string),
                key_bits: key.kind.as_ref().and_then(PublicKeyKind::bits),
                encrypted: key.encrypted,
                key_pin: key.pin.map(|pin| pin.to_string()),
            }),
        }
    }

    /// What people want to know about it.
    pub(super) fn show(&self, card: &mut Card) {
        match self {
            Self::Certificate(identity) => certificate(identity, card),
            Self::Request(request) => self::request(request, card),
            Self::Key(key) => {
                card.row("private key", key_line(key));
                if let Some(pin) = key.pin {
                    card.row("key pin", pin);
                }
            }
        }
    }
}

impl CertificateFacts {
    fn of(identity: &Identity) -> Self {
        let extensions = &identity.extensions;
        let parts = |parts: &[NamePart]| parts.iter().map(PartFacts::of).collect();
        let purposes = extensions.purposes.as_ref();
        Self {
            subject: identity.subject.clone(),
            subject_parts: parts(&identity.subject_parts),
            issuer: identity.issuer.clone(),
            issuer_parts: parts(&identity.issuer_parts),
            self_issued: identity.self_issued,
            names: identity.names.iter().map(ToString::to_string).collect(),
            serial: identity.serial.clone(),
            not_before: identity.not_before.to_string(),
            not_after: identity.not_after.to_string(),
            days_left: UnixTime::now().map(|now| days_left(now, identity.not_after)),
            key: identity.key.to_string(),
            key_bits: identity.key.bits(),
            signature_algorithm: identity.signature_algorithm.clone(),
            authority: identity.authority,
            path_len: extensions.path_len,
            for_servers: identity.for_servers,
            for_clients: identity.for_clients,
            key_usage: extensions.key_usage.clone(),
            purposes: purposes.map(|all| all.iter().map(|purpose| purpose.id.clone()).collect()),
            subject_key_id: extensions.subject_key_id.clone(),
            authority_key_id: extensions.authority_key_id.clone(),
            ocsp: extensions.ocsp.clone(),
            ca_issuers: extensions.ca_issuers.clone(),
            crls: extensions.crls.clone(),
            must_staple: extensions.must_staple,
            scts: extensions.scts,
            sha1: identity.sha1.clone(),
            sha256: identity.sha256.clone(),
            sha512: identity.sha512.clone(),
            key_pin: identity.key_pin.to_string(),
            pem: waxwing::pki::to_pem("CERTIFICATE", &identity.der).to_string(),
        }
    }
}

impl PartFacts {
    fn of(part: &NamePart) -> Self {
        Self {
            id: part.id.clone(),
            name: part.name.clone(),
            value: part.value.clone(),
        }
    }
}

impl RequestFacts {
    fn of(request: &SigningRequest) -> Self {
        Self {
            subject: request.subject().to_owned(),
            names: request.names().iter().map(ToString::to_string).collect(),
            key: request.key().to_string(),
            key_bits: request.key().bits(),
            must_staple: request.must_staple(),
            for_clients: request.for_clients(),
            signature_good: request.check(&PROVIDER).is_ok(),
            key_pin: request.key_pin().to_string(),
        }
    }
}

fn certificate(identity: &Identity, card: &mut Card) {
    let none = |text: &str| {
        if text.is_empty() {
            "(none)".to_owned()
        } else {
            text.to_owned()
        }
    };
    let extensions = &identity.extensions;
    card.row("subject", none(&identity.subject));
    let names: Vec<_> = identity.names.iter().map(ToString::to_string).collect();
    card.row("names", none(&names.join(", ")));
    let by_itself = if identity.self_issued {
        " (self-issued)"
    } else {
        ""
    };
    card.row("issuer", format_args!("{}{by_itself}", identity.issuer));
    card.row("valid from", identity.not_before);
    card.row("valid until", until(identity.not_after));
    card.row("key", &identity.key);
    card.row("signed with", &identity.signature_algorithm);
    card.row("may", uses(identity));
    let lists = [
        ("ocsp", &extensions.ocsp),
        ("issuer's cert", &extensions.ca_issuers),
        ("crl", &extensions.crls),
    ];
    for (label, list) in lists {
        if !list.is_empty() {
            card.row(label, list.join(", "));
        }
    }
    if extensions.must_staple {
        card.row("must staple", "yes");
    }
    if extensions.scts > 0 {
        card.row("timestamps", format_args!("{} (SCTs)", extensions.scts));
    }
    card.row("serial", &identity.serial);
    card.row("sha1", &identity.sha1);
    card.row("sha256", &identity.sha256);
    card.row("key pin", identity.key_pin);
}

fn request(request: &SigningRequest, card: &mut Card) {
    card.row("request for", request.subject());
    let names: Vec<_> = request.names().iter().map(ToString::to_string).collect();
    card.row("names", names.join(", "));
    card.row("key", request.key());
    if request.must_staple() {
        card.row("must staple", "yes");
    }
    let signature = match request.check(&PROVIDER) {
        Ok(()) => "good".to_owned(),
        Err(error) => error.to_string(),
    };
    card.row("signature", signature);
    card.row("key pin", request.key_pin());
}

fn key_line(key: &Key) -> String {
    match (&key.kind, key.encrypted) {
        (Some(kind), true) => format!("{kind}, encrypted"),
        (Some(kind), false) => format!("{kind}, not encrypted"),
        (None, true) => "encrypted; --passphrase-file FILE opens it".to_owned(),
        (None, false) => "of an unknown kind".to_owned(),
    }
}

/// What a certificate allows its holder.
fn uses(identity: &Identity) -> String {
    let mut uses = Vec::new();
    if identity.authority {
        uses.push("issue certificates");
    }
    if identity.for_servers {
        uses.push("be a server");
    }
    if identity.for_clients {
        uses.push("be a client");
    }
    if uses.is_empty() {
        return "nothing that TLS needs".to_owned();
    }
    uses.join(", ")
}

fn until(end: UnixTime) -> String {
    let Some(now) = UnixTime::now() else {
        return end.to_string();
    };
    match days_left(now, end) {
        left @ 0.. => format!("{end} ({left} days left)"),
        left => format!("{end} (expired {} days ago)", left.unsigned_abs()),
    }
}

/// Whole days, rounded towards the end of validity.
pub(crate) fn days_left(now: UnixTime, end: UnixTime) -> i64 {
    let days = |seconds: u64| i64::try_from(seconds / DAY).unwrap_or(i64::MAX);
    if now <= end {
        days(end.seconds() - now.seconds())
    } else {
        -days(now.seconds() - end.seconds()) - 1
    }
}
