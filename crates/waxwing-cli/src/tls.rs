//! What both commands need of TLS.

use std::path::Path;
use std::sync::Arc;

use waxwing::crypto::CipherSuite;
use waxwing::pki::{KeyLoading, LoadError};
use waxwing::{CertifiedKey, KeyLogFile, PROVIDER, ProtocolVersion, ProtocolVersions};

use crate::args::TlsArgs;
use crate::commands::cert::files::passphrase;
use crate::exit::Failure;
use crate::output::Talk;

/// The versions to speak. Those that none of `suites` is for are left out, unless there are no
/// suites chosen at all.
pub(crate) fn versions(
    args: &TlsArgs,
    suites: &[CipherSuite],
) -> Result<ProtocolVersions, Failure> {
    let (min, max) = (args.min_version, args.max_version);
    if max < min {
        return Err(Failure::usage(format!(
            "--max-version {max} is older than --min-version {min}"
        )));
    }
    let both = [
        (ProtocolVersions::TLS12, ProtocolVersion::TLS12),
        (ProtocolVersions::TLS13, ProtocolVersion::TLS13),
    ];
    both.into_iter()
        .filter(|(_, version)| (min..=max).contains(version))
        .filter(|(_, version)| suites.is_empty() || suites.iter().any(|id| fits(*id, *version)))
        .map(|(set, _)| set)
        .reduce(|all, set| all | set)
        .ok_or_else(|| {
            Failure::usage("none of the --ciphers is for a version of TLS that is to be spoken")
        })
}

fn fits(suite: CipherSuite, version: ProtocolVersion) -> bool {
    if version == ProtocolVersion::TLS13 {
        PROVIDER.suite13(suite).is_some()
    } else {
        PROVIDER.suite12(suite).is_some()
    }
}

/// Loads a chain and its key, which may be encrypted.
pub(crate) fn certified_key(
    cert: &Path,
    key: &Path,
    passphrase_file: Option<&Path>,
) -> Result<CertifiedKey, Failure> {
    let passphrase = passphrase(passphrase_file)?;
    let mut loading = KeyLoading::new(&PROVIDER);
    if let Some(passphrase) = &passphrase {
        loading = loading.passphrase(passphrase);
    }
    loading.certified_key_files(cert, key).map_err(|error| {
        let failure = Failure::usage(error.to_string());
        match error {
            LoadError::InFile { problem, .. } if *problem == LoadError::EncryptedKey => {
                failure.with_hint("--passphrase-file FILE has its passphrase")
            }
            _ => failure,
        }
    })
}

/// Opens the file for secrets, and says so: whoever reads it reads the connections.
pub(crate) fn key_log(path: Option<&Path>, talk: Talk) -> Result<Option<Arc<KeyLogFile>>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let log = KeyLogFile::open(path).map_err(|error| Failure::file(path, &error))?;
    talk.warn(format_args!(
        "the secrets of every connection are written to {} (--keylog or SSLKEYLOGFILE)",
        path.display()
    ));
    Ok(Some(Arc::new(log)))
}
