//! `cert match`: whether a certificate and a private key belong together.

use serde::Serialize;
use waxwing::PROVIDER;
use waxwing::pki::{Identity, KeyLoading, LoadError, Pin, SigningRequest};
use zeroize::Zeroizing;

use super::args::MatchArgs;
use super::files::{passphrase, read};
use crate::exit::{Code, Failure};
use crate::output::{self, Talk};

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    /// Of the first certificate that has a key among them, or else of the first.
    certificate_pin: String,
    keys: Vec<KeyFacts>,
}

#[derive(Debug, Serialize)]
struct KeyFacts {
    file: String,
    key_pin: String,
    matches: bool,
}

pub(super) fn run(args: &MatchArgs, talk: Talk) -> Result<(), Failure> {
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
    let plain = KeyLoading::new(&PROVIDER);
    let loading = passphrase
        .as_ref()
        .map_or(plain, |text| plain.passphrase(text));
    let certified = public_halves(args)?;
    let mut keys = Vec::new();
    for path in &args.keys {
        let bytes = Zeroizing::new(read(path)?);
        let key = loading.private_key(&bytes).map_err(|error| {
            let failure = Failure::usage(format!("{}: {error}", path.display()));
            match error {
                LoadError::EncryptedKey => {
                    failure.with_hint("--passphrase-file FILE has its passphrase")
                }
                _ => failure,
            }
        })?;
        let spki = key.public_key().ok_or_else(|| {
            Failure::usage(format!("{}: it hides its public half", path.display()))
        })?;
        let pin = Pin::of_spki(&spki);
        keys.push(KeyFacts {
            file: path.display().to_string(),
            key_pin: pin.to_string(),
            matches: certified.contains(&pin),
        });
    }
    let common = certified
        .iter()
        .map(ToString::to_string)
        .find(|pin| keys.iter().any(|key| key.key_pin == *pin));
    let first = || {
        certified
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    conclude(args, talk, common.unwrap_or_else(first), keys)
}

fn conclude(
    args: &MatchArgs,
    talk: Talk,
    certificate_pin: String,
    keys: Vec<KeyFacts>,
) -> Result<(), Failure> {
    let strange: Vec<_> = keys.iter().filter(|key| !key.matches).collect();
    let cert = args.cert.display();
    let verdict = strange.iter().map(|key| {
        Failure::new(Code::Verdict, format!(
            "{} does not belong to {cert}: its public half is {}, that of the certificate {certificate_pin}",
            key.file, key.key_pin
        ))
    });
    let verdict: Vec<_> = verdict.collect();
    let document = Document {
        schema: "waxwing.cert.match/1",
        certificate_pin,
        keys,
    };
    let printed = if talk.json() {
        output::json(&document)
    } else if talk.quiet() || !verdict.is_empty() {
        Ok(())
    } else {
        output::print(&format!("match: {}", document.certificate_pin))
    };
    printed.map_err(|error| Failure::stdout(&error))?;
    super::source::worst(verdict)
}

/// The pins of all certificates in the file, or that of the request.
fn public_halves(args: &MatchArgs) -> Result<Vec<Pin>, Failure> {
    let bytes = read(&args.cert)?;
    let wrong = |error: LoadError| Failure::usage(format!("{}: {error}", args.cert.display()));
    match Identity::from_pem_or_der(&bytes) {
        Ok(identities) => Ok(identities.iter().map(|identity| identity.key_pin).collect()),
        Err(error) => match SigningRequest::from_pem_or_der(&bytes) {
            Ok(request) => Ok(vec![request.key_pin()]),
            Err(_) => Err(wrong(error)),
        },
    }
}
