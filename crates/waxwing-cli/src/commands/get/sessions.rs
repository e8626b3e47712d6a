//! The file of --session: sessions as PEM, the newest last.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use waxwing::{ClientSessions, Clock, ServerName, Session, SystemClock};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::output::Talk;

const BEGIN: &str = "-----BEGIN WAXWING SESSION-----";
const END: &str = "-----END WAXWING SESSION-----";
/// Sessions kept in one file.
const MAX_SESSIONS: usize = 64;

/// Sessions in a file. It is read once, and written when all is done.
#[derive(Debug)]
pub(crate) struct SessionFile {
    path: PathBuf,
    sessions: Mutex<Vec<Session>>,
}

impl SessionFile {
    /// Reads the file; one that is not there has no sessions. What cannot be read any more is left
    /// out with a warning: it only costs a full handshake.
    pub(crate) fn open(path: &Path, talk: Talk) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Zeroizing::default(),
            Err(error) => return Err(Failure::file(path, &error)),
        };
        let now = SystemClock.now();
        let mut sessions = Vec::new();
        for block in text.split(BEGIN).skip(1) {
            match read(block) {
                Ok(session) if session.expires_at() > now => sessions.push(session),
                Ok(_) => {}
                Err(problem) => talk.warn(format_args!("{}: {problem}", path.display())),
            }
        }
        if sessions.is_empty() && !text.trim().is_empty() && !text.contains(BEGIN) {
            return Err(
                Failure::usage(format!("{} holds no sessions", path.display()))
                    .with_hint("--session FILE is for a file of its own"),
            );
        }
        Ok(Self {
            path: path.to_owned(),
            sessions: Mutex::new(sessions),
        })
    }

    /// Writes the file again, so that only its owner can read it.
    pub(crate) fn save(&self) -> io::Result<()> {
        let sessions = self.lock();
        let mut text = Zeroizing::new(String::new());
        for session in sessions.iter() {
            let Some(bytes) = session.to_bytes() else {
                continue;
            };
            let encoded = Zeroizing::new(BASE64_STANDARD.encode(&bytes));
            text.push_str(BEGIN);
            text.push('\n');
            for line in encoded.as_bytes().chunks(64) {
                text.push_str(&String::from_utf8_lossy(line));
                text.push('\n');
            }
            text.push_str(END);
            text.push('\n');
        }
        let draft = self.path.with_extension("tmp");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&draft)?.write_all(text.as_bytes())?;
        fs::rename(&draft, &self.path)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(block: &str) -> Result<Session, String> {
    let body = block.split(END).next().unwrap_or_default();
    let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    let bytes = BASE64_STANDARD.decode(body.as_bytes());
    let bytes = Zeroizing::new(bytes.map_err(|error| error.to_string())?);
    Session::from_bytes(&bytes).map_err(|error| error.to_string())
}

impl ClientSessions for SessionFile {
    fn take(&self, server: &ServerName) -> Option<Session> {
        let mut sessions = self.lock();
        let name = server.to_string();
        let newest = sessions
            .iter()
            .rposition(|session| session.server_name() == name)?;
        if sessions.get(newest)?.is_single_use() {
            Some(sessions.remove(newest))
        } else {
            sessions.get(newest).cloned()
        }
    }

    fn put(&self, _: &ServerName, session: Session) {
        let mut sessions = self.lock();
        if !session.is_single_use() {
            sessions
                .retain(|old| old.is_single_use() || old.server_name() != session.server_name());
        }
        while sessions.len() >= MAX_SESSIONS {
            sessions.remove(0);
        }
        sessions.push(session);
    }
}
