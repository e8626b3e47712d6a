//! Files that are read and made.

use core::ops::Deref;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use waxwing::PROVIDER;
use waxwing::pki::{AltName, Passphrase, encrypt_private_key, to_pem};

use crate::exit::{Code, Failure};

/// Bytes of a file that is read. A bundle of all authorities has a quarter of a megabyte.
const MAX_FILE: u64 = 1 << 26;

/// Who may read a file that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Owner,
    Everyone,
}

/// A file that is going to be made.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    access: Access,
    force: bool,
}

impl Target {
    /// Refuses a file that exists, unless `force` is given. Nothing is done yet: all targets are
    /// looked at before the first is written.
    pub(crate) fn new(path: PathBuf, access: Access, force: bool) -> Result<Self, Failure> {
        if !force && fs::symlink_metadata(&path).is_ok() {
            return Err(
                Failure::usage(format!("{}: it exists already", path.display()))
                    .with_hint("--force replaces it"),
            );
        }
        Ok(Self {
            path,
            access,
            force,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of it or nothing.
    pub(crate) fn write(&self, content: &[u8]) -> Result<(), Failure> {
        let wrong = |error: io::Error| Failure::file(&self.path, &error);
        if !self.force {
            return create(&self.path, self.access, content).map_err(wrong);
        }
        // A file that is open to others must not be filled with a secret, nor be half written
        // when it is needed.
        let mut beside = OsString::from(&self.path);
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        create(&beside, self.access, content)
            .and_then(|()| fs::rename(&beside, &self.path))
            .map_err(|error| {
                // It may be there or not.
                let _ = fs::remove_file(&beside);
                wrong(error)
            })
    }
}

/// Makes a file, never through one or a link that somebody else has put there.
fn create(path: &Path, access: Access, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match access {
            Access::Owner => 0o600,
            Access::Everyone => 0o644,
        },
    );
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a folder for its owner alone, unless it is there.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| Failure::file(path, &error))
}

/// The folder of `cert ca`, by the XDG Base Directory Specification.
pub(crate) fn default_authority() -> Result<PathBuf, Failure> {
    let absolute = |variable: &str| {
        let value = std::env::var_os(variable).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/share")))
        .map(|data| data.join("waxwing/ca"))
        .ok_or_else(|| {
            Failure::usage("there is no data folder: neither XDG_DATA_HOME nor HOME is set")
                .with_hint("name a folder for the authority")
        })
}

/// What the files for a certificate are called, without an extension.
pub(crate) fn stem(name: &AltName) -> String {
    let text = name.to_string().replace('*', "_wildcard");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    let text: String = text
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    // ::1 would give a name that no shell completes, and a dot in front one that nobody sees.
    text.trim_matches(['.', '_', '-'])
        .is_empty()
        .then(|| "certificate".to_owned())
        .unwrap_or_else(|| text.trim_start_matches(['.', '-']).to_owned())
}

/// The bytes of a file, or of stdin for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |error: io::Error| Failure::file(path, &error);
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_FILE).read_to_end(&mut bytes)
    } else {
        fs::File::open(path)
            .map_err(wrong)?
            .take(MAX_FILE)
            .read_to_end(&mut bytes)
    }
    .map_err(wrong)?;
    Ok(bytes)
}

/// Whether `words` are in it somewhere.
pub(crate) fn looks_like(bytes: &[u8], words: &str) -> bool {
    bytes
        .windows(words.len())
        .any(|part| part == words.as_bytes())
}

/// The passphrase in a file, if one was named.
pub(crate) fn passphrase(path: Option<&Path>) -> Result<Option<Passphrase>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let passphrase = Passphrase::first_line(&read(path)?);
    if passphrase.is_empty() {
        return Err(Failure::usage(format!(
            "{}: its first line is empty, where a passphrase should be",
            path.display()
        )));
    }
    Ok(Some(passphrase))
}

/// A private key as PEM, encrypted if there is a passphrase.
pub(crate) fn key_pem(
    pkcs8: &[u8],
    passphrase: Option<&Passphrase>,
) -> Result<impl Deref<Target = String>, Failure> {
    let Some(passphrase) = passphrase else {
        return Ok(to_pem("PRIVATE KEY", pkcs8));
    };
    let encrypted = encrypt_private_key(pkcs8, passphrase, PROVIDER.random)
        .map_err(|error| Failure::new(Code::Bug, error.to_string()))?;
    Ok(to_pem("ENCRYPTED PRIVATE KEY", &encrypted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_harmless() {
        for (name, expected) in [
            ("localhost", "localhost"),
            ("*.example.org", "_wildcard.example.org"),
            ("127.0.0.1", "127.0.0.1"),
            ("2001:db8::1", "2001_db8__1"),
            ("::", "certificate"),
            ("a/b@example.org", "a_b@example.org"),
            ("../x@example.org", "_x@example.org"),
        ] {
            assert_eq!(stem(&name.parse().unwrap()), expected, "{name}");
        }
    }
}
