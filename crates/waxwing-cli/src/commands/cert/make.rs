//! `cert new`, `cert ca` and `cert csr`: what makes files.

use core::fmt;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use waxwing::PROVIDER;
use waxwing::crypto::SigningKey;
use waxwing::pki::{
    AltName, Identity, IssueError, Issued, KeyLoading, LeafBuilder, LoadError, LocalAuthority,
    MAX_BROWSER_VALIDITY, Passphrase, SelfSigned, SigningRequest,
};
use zeroize::Zeroizing;

use super::args::{CaArgs, CsrArgs, NewArgs, OutArgs, SubjectArgs};
use super::files::{
    Access, Target, default_authority, key_pem, make_folder, passphrase, read, stem,
};
use crate::exit::{Code, Failure};
use crate::output::{self, Card, Talk};

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_file: Option<PathBuf>,
    key_file: PathBuf,
    key: String,
    key_encrypted: bool,
    names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    key_pin: String,
    /// What those who check the certificate have to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_file: Option<PathBuf>,
}

impl Made {
    fn certificate(schema: &'static str, der: &[u8], file: &Path, key: &Path) -> Self {
        let identity = Identity::from_der(der).ok();
        let of = |read: fn(&Identity) -> String| identity.as_ref().map(read);
        Self {
            schema,
            certificate_file: Some(file.to_owned()),
            request_file: None,
            key_file: key.to_owned(),
            key: of(|identity| identity.key.to_string()).unwrap_or_default(),
            key_encrypted: false,
            names: identity.as_ref().map_or_else(Vec::new, |identity| {
                identity.names.iter().map(ToString::to_string).collect()
            }),
            subject: of(|identity| identity.subject.clone()),
            issuer: of(|identity| identity.issuer.clone()),
            not_after: of(|identity| identity.not_after.to_string()),
            sha256: of(|identity| identity.sha256.clone()),
            key_pin: of(|identity| identity.key_pin.to_string()).unwrap_or_default(),
            trust_file: None,
        }
    }

    fn request(request: &SigningRequest, file: &Path, key: &Path) -> Self {
        Self {
            schema: "waxwing.cert.csr/1",
            certificate_file: None,
            request_file: Some(file.to_owned()),
            key_file: key.to_owned(),
            key: request.key().to_string(),
            key_encrypted: false,
            names: request.names().iter().map(ToString::to_string).collect(),
            subject: Some(request.subject().to_owned()),
            issuer: None,
            not_after: None,
            sha256: None,
            key_pin: request.key_pin().to_string(),
            trust_file: None,
        }
    }

    /// Prints it in the form that is wanted.
    fn announce(&self, title: &str, talk: Talk) -> Result<(), Failure> {
        let printed = if talk.json() {
            output::json(self)
        } else if talk.quiet() {
            Ok(())
        } else {
            self.card(title).print()
        };
        printed.map_err(|error| Failure::stdout(&error))
    }

    fn card(&self, title: &str) -> Card {
        let mut card = Card::default();
        card.title(title);
        let mut row = |label: &str, value: Option<&dyn fmt::Display>| {
            if let Some(value) = value {
                card.row(label, value);
            }
        };
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let (certificate, request) = (shown(&self.certificate_file), shown(&self.request_file));
        let trust = shown(&self.trust_file);
        row("certificate", certificate.as_ref().map(|text| text as _));
        row("request", request.as_ref().map(|text| text as _));
        let encrypted = if self.key_encrypted {
            ", encrypted"
        } else {
            ""
        };
        let key = format!("{} ({}{encrypted})", self.key_file.display(), self.key);
        row("private key", Some(&key));
        let names = self.names.join(", ");
        row(
            "names",
            Some(&names)
                .filter(|names| !names.is_empty())
                .map(|text| text as _),
        );
        row("issuer", self.issuer.as_ref().map(|text| text as _));
        row("valid until", self.not_after.as_ref().map(|text| text as _));
        row("key pin", Some(&self.key_pin));
        row("to be trusted", trust.as_ref().map(|text| text as _));
        card
    }
}

/// `cert new`.
pub(super) fn new(args: &NewArgs, talk: Talk) -> Result<(), Failure> {
    let OutArgs {
        out,
        key_out,
        force,
    } = &args.out;
    let cert = target(out.as_ref(), &args.names, "pem", Access::Everyone, *force)?;
    let key = target(key_out.as_ref(), &args.names, "key", Access::Owner, *force)?;
    let key_passphrase = passphrase(args.key.passphrase_file.as_deref())?;
    let validity = days(args.days);
    if validity > MAX_BROWSER_VALIDITY && !args.subject.client {
        let limit = MAX_BROWSER_VALIDITY.as_secs() / (24 * 60 * 60);
        talk.warn(format_args!(
            "browsers refuse certificates that are valid for more than {limit} days"
        ));
    }
    let (made, trust) = match &args.ca {
        Some(dir) => {
            let dir = authority_folder(dir)?;
            (issue(&dir, args, validity)?, dir.join(CERTIFICATE))
        }
        None => (self_signed(args, validity)?, cert.path().to_owned()),
    };
    let pem = key_pem(made.key(), key_passphrase.as_ref())?;
    // The key first: a certificate without it is of no use.
    key.write(pem.as_bytes())?;
    cert.write(made.certificate_pem().as_bytes())?;
    let mut facts = Made::certificate(
        "waxwing.cert.new/1",
        made.certificate(),
        cert.path(),
        key.path(),
    );
    facts.key_encrypted = key_passphrase.is_some();
    facts.trust_file = Some(trust);
    facts.announce("A new certificate", talk)
}

fn self_signed(args: &NewArgs, validity: Duration) -> Result<Issued, Failure> {
    let builder = SelfSigned::builder(args.names.iter().cloned());
    let made = described(builder, args, validity).issue(PROVIDER.random);
    made.map(Into::into).map_err(refused)
}

fn issue(dir: &Path, args: &NewArgs, validity: Duration) -> Result<Issued, Failure> {
    let authority = open_authority(dir, args.ca_passphrase_file.as_deref())?;
    let builder = authority.leaf(args.names.iter().cloned());
    let made = described(builder, args, validity).issue(&PROVIDER);
    made.map_err(refused)
}

/// What the user says of a certificate, whoever issues it.
fn described<I>(builder: LeafBuilder<I>, args: &NewArgs, validity: Duration) -> LeafBuilder<I> {
    let SubjectArgs {
        common_name,
        client,
    } = &args.subject;
    let mut builder = builder.key_type(args.key.key_type).valid_for(validity);
    if let Some(name) = common_name {
        builder = builder.common_name(name);
    }
    if *client {
        builder.for_clients()
    } else if args.both {
        builder.for_servers_and_clients()
    } else {
        builder
    }
}

/// `--ca` without a folder is the one in the data folder.
fn authority_folder(dir: &Path) -> Result<PathBuf, Failure> {
    if dir.as_os_str().is_empty() {
        return default_authority();
    }
    Ok(dir.to_owned())
}

fn open_authority(dir: &Path, passphrase_file: Option<&Path>) -> Result<LocalAuthority, Failure> {
    let (certificate, key) = (dir.join(CERTIFICATE), dir.join(KEY));
    let told = |failure: Failure| failure.with_hint("`waxwing cert ca` makes an authority");
    let passphrase = passphrase(passphrase_file)?;
    let mut loading = KeyLoading::new(&PROVIDER);
    if let Some(passphrase) = &passphrase {
        loading = loading.passphrase(passphrase);
    }
    let in_file = |path: &Path, error: LoadError| {
        let failure = Failure::usage(format!("{}: {error}", path.display()));
        match error {
            LoadError::EncryptedKey => {
                failure.with_hint("--ca-passphrase-file FILE has its passphrase")
            }
            _ => failure,
        }
    };
    let bytes = read(&certificate).map_err(told)?;
    let identities =
        Identity::from_pem_or_der(&bytes).map_err(|error| in_file(&certificate, error))?;
    let bytes = Zeroizing::new(read(&key).map_err(told)?);
    let private = loading
        .private_key(&bytes)
        .map_err(|error| in_file(&key, error))?;
    let own = identities.first().map(|identity| identity.der.as_slice());
    LocalAuthority::new(own.unwrap_or_default(), private)
        .map_err(|error| Failure::usage(format!("{}: {error}", dir.display())))
}

/// `cert ca`.
pub(super) fn authority(args: &CaArgs, talk: Talk) -> Result<(), Failure> {
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => default_authority()?,
    };
    let cert = Target::new(dir.join(CERTIFICATE), Access::Everyone, args.force)?;
    let key = Target::new(dir.join(KEY), Access::Owner, args.force)?;
    let key_passphrase = passphrase(args.key.passphrase_file.as_deref())?;
    let made = LocalAuthority::builder(&args.name)
        .key_type(args.key.key_type)
        .valid_for(days(args.days))
        .only_for(args.only_for.iter().cloned())
        .issue(&PROVIDER)
        .map_err(refused)?;
    let pem = key_pem(made.key().unwrap_or_default(), key_passphrase.as_ref())?;
    make_folder(&dir)?;
    key.write(pem.as_bytes())?;
    cert.write(made.certificate_pem().as_bytes())?;
    let mut facts = Made::certificate(
        "waxwing.cert.ca/1",
        made.certificate(),
        cert.path(),
        key.path(),
    );
    facts.key_encrypted = key_passphrase.is_some();
    facts.trust_file = Some(cert.path().to_owned());
    facts.announce("A new authority", talk)
}

/// `cert csr`.
pub(super) fn request(args: &CsrArgs, talk: Talk) -> Result<(), Failure> {
    let key_passphrase = passphrase(args.key.passphrase_file.as_deref())?;
    let (file, new_key) = request_targets(args)?;
    let (pkcs8, private) = private_key(args, key_passphrase.as_ref())?;
    let mut builder = SigningRequest::builder(args.names.iter().cloned());
    let SubjectArgs {
        common_name,
        client,
    } = &args.subject;
    if let Some(name) = common_name {
        builder = builder.common_name(name);
    }
    if *client {
        builder = builder.for_clients();
    }
    if args.must_staple {
        builder = builder.must_staple();
    }
    let made = builder.sign(private).map_err(refused)?;
    if let (Some(target), Some(pkcs8)) = (&new_key, &pkcs8) {
        target.write(key_pem(pkcs8, key_passphrase.as_ref())?.as_bytes())?;
    }
    file.write(made.pem().as_bytes())?;
    let key_file = new_key
        .as_ref()
        .map(Target::path)
        .or(args.existing.as_deref());
    let mut facts = Made::request(
        &made,
        file.path(),
        key_file.unwrap_or_else(|| Path::new("")),
    );
    facts.key_encrypted = key_passphrase.is_some();
    facts.announce("A new signing request", talk)
}

type PrivateKey = (Option<Zeroizing<Vec<u8>>>, Arc<dyn SigningKey>);

/// The key that a request is for, and its PKCS#8 if it is new.
fn private_key(args: &CsrArgs, passphrase: Option<&Passphrase>) -> Result<PrivateKey, Failure> {
    let mut loading = KeyLoading::new(&PROVIDER);
    let Some(path) = &args.existing else {
        let pkcs8 = args.key.key_type.generate().map_err(refused)?;
        let key = loading.private_key(&pkcs8);
        let key = key.map_err(|error| Failure::new(Code::Bug, error.to_string()))?;
        return Ok((Some(pkcs8), key));
    };
    if let Some(passphrase) = passphrase {
        loading = loading.passphrase(passphrase);
    }
    let bytes = Zeroizing::new(read(path)?);
    let key = loading.private_key(&bytes);
    let key = key.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok((None, key))
}

/// A file that was named, or is called like the first name.
fn target(
    given: Option<&PathBuf>,
    names: &[AltName],
    extension: &str,
    access: Access,
    force: bool,
) -> Result<Target, Failure> {
    let by_name = || {
        let stem = names.first().map(stem).unwrap_or_default();
        PathBuf::from(format!("{stem}.{extension}"))
    };
    Target::new(given.cloned().unwrap_or_else(by_name), access, force)
}

fn request_targets(args: &CsrArgs) -> Result<(Target, Option<Target>), Failure> {
    let file = target(
        args.out.out.as_ref(),
        &args.names,
        "csr",
        Access::Everyone,
        args.out.force,
    )?;
    if args.existing.is_some() {
        return Ok((file, None));
    }
    let key = target(
        args.out.key_out.as_ref(),
        &args.names,
        "key",
        Access::Owner,
        args.out.force,
    )?;
    Ok((file, Some(key)))
}

const fn days(count: u32) -> Duration {
    Duration::from_secs(count as u64 * 24 * 60 * 60)
}

fn refused(error: IssueError) -> Failure {
    match error {
        IssueError::Library(_) => Failure::new(Code::Bug, error.to_string()),
        _ => Failure::usage(error.to_string()),
    }
}
