//! Secrets in a file, for packet analysers (RFC 9850).

use core::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use waxwing_core::KeyLog;

/// The variable that names the file.
const VARIABLE: &str = "SSLKEYLOGFILE";

/// Appends the secrets of connections to a file in the form of RFC 9850.
///
/// Whoever reads the file can read those connections, so it is made for its owner alone, and it
/// is used only where a configuration is given it. Nothing in this crate looks at the
/// environment by itself.
#[derive(Debug)]
pub struct KeyLogFile {
    file: File,
}

impl KeyLogFile {
    /// Opens a file for appending; makes it if need be, with mode 0600.
    ///
    /// # Errors
    /// Of the file system.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self {
            file: options.open(path)?,
        })
    }

    /// Opens the file that `SSLKEYLOGFILE` names; `None` if it names none.
    ///
    /// # Errors
    /// Of the file system.
    pub fn from_env() -> io::Result<Option<Self>> {
        match std::env::var_os(VARIABLE) {
            Some(path) if !path.is_empty() => Self::open(path).map(Some),
            _ => Ok(None),
        }
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8; 32], secret: &[u8]) {
        let mut line = String::with_capacity(label.len() + 2 * (32 + secret.len()) + 3);
        line.push_str(label);
        for field in [client_random, secret] {
            line.push(' ');
            for byte in field {
                // Writing to a String cannot fail.
                let _ = write!(line, "{byte:02x}");
            }
        }
        line.push('\n');
        // One write appends the whole line, whoever else writes. A log that cannot be written
        // is no reason to end a connection.
        let _ = (&self.file).write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_and_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.log");
        for byte in [0xab, 0x01] {
            let log = KeyLogFile::open(&path).unwrap();
            log.log("CLIENT_TRAFFIC_SECRET_0", &[byte; 32], &[0x0f, 0xf0]);
        }
        let expected = format!(
            "CLIENT_TRAFFIC_SECRET_0 {} 0ff0\nCLIENT_TRAFFIC_SECRET_0 {} 0ff0\n",
            "ab".repeat(32),
            "01".repeat(32)
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
