//! `openssl s_client` and `s_server`.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxwing::pki::to_pem;
use waxwing::{ProtocolVersion, ServerConfig};

use crate::{Identity, Listener, Process, Session, free_port};

/// The program.
pub const OPENSSL: &str = "openssl";

/// An `s_server` with `identity`, and its port. What we say comes out of its standard output,
/// what goes into its standard input comes to us.
#[must_use]
pub fn s_server(identity: &Identity, more: &[&str]) -> (Process, u16) {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut arguments = vec!["s_server", "-accept", &address];
    arguments.extend(["-cert", identity.chain(), "-key", identity.key()]);
    arguments.extend(["-cert_chain", identity.intermediate()]);
    arguments.extend(more);
    (Process::run(OPENSSL, arguments), port)
}

/// An `s_client` that trusts what `identity` should be issued by, and refuses everything else.
#[must_use]
pub fn s_client(identity: &Identity, listener: &Listener, more: &[&str]) -> Process {
    let address = listener.address();
    let mut arguments = vec!["s_client", "-connect", &address];
    arguments.extend(["-servername", "localhost", "-verify_hostname", "localhost"]);
    arguments.extend(["-CAfile", identity.anchor(), "-verify_return_error"]);
    arguments.extend(more);
    Process::run(OPENSSL, arguments)
}

/// A session in the file that an `s_client` writes it to, and reads it from.
#[derive(Debug)]
pub struct SessionFile<'a> {
    identity: &'a Identity,
    path: PathBuf,
}

impl<'a> SessionFile<'a> {
    /// What stands around it.
    pub const LABEL: &'static str = "SSL SESSION PARAMETERS";

    /// Lets an `s_client` get a session from a server of ours, in a full handshake. Also our end of
    /// that connection, which is over.
    ///
    /// # Panics
    /// If that fails on either side.
    #[must_use]
    pub fn get(
        identity: &'a Identity,
        config: &Arc<ServerConfig>,
        more: &[&str],
    ) -> (Self, Session) {
        let path = identity.file("session.pem");
        let file = Self { identity, path };
        let (mut peer, session) = file.serve("-sess_out", config, more);
        assert!(!session.info().resumed);
        peer.end_input();
        peer.succeed();
        (file, session)
    }

    /// Lets an `s_client` show it to a server of ours: the client, and our end of the connection. Both
    /// agree on whether it was resumed.
    ///
    /// # Panics
    /// If they do not, or there is no connection.
    #[must_use]
    pub fn show(&self, config: &Arc<ServerConfig>, more: &[&str]) -> (Process, Session) {
        self.serve("-sess_in", config, more)
    }

    fn serve(&self, option: &str, config: &Arc<ServerConfig>, more: &[&str]) -> (Process, Session) {
        let listener = Listener::bind().expect("a listener");
        let options = [&[option, self.path()], more].concat();
        let mut peer = s_client(self.identity, &listener, &options);
        let tcp = listener.accept(&mut peer).expect("a connection");
        let mut session = Session::accept(config, tcp).expect("a handshake");
        // Tickets stand before it.
        session.write(b"for you\n").expect("a connection");
        peer.wait_for("for you");
        let info = session.info();
        let old = info.version == Some(ProtocolVersion::TLS12);
        let version = if old { "TLSv1.2" } else { "TLSv1.3" };
        let view = if info.resumed { "Reused" } else { "New" };
        peer.wait_for(&format!("{view}, {version}"));
        (peer, session)
    }

    /// Where it is.
    ///
    /// # Panics
    /// If that is not UTF-8.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.to_str().expect("a path in UTF-8")
    }

    /// Puts another ticket of the same length in the place of the one in it.
    ///
    /// # Panics
    /// If that is not `old`, or the lengths differ.
    pub fn replace_ticket(&self, old: &[u8], new: &[u8]) {
        let pem = fs::read_to_string(&self.path).expect("a session");
        let body: String = pem
            .lines()
            .filter(|line| !line.contains(Self::LABEL))
            .collect();
        let mut der = STANDARD.decode(body).expect("PEM");
        let mut windows = der.windows(old.len());
        let start = windows
            .position(|window| window == old)
            .expect("the ticket");
        der[start..start + old.len()].copy_from_slice(new);
        fs::write(&self.path, &*to_pem(Self::LABEL, &der)).expect("a file");
    }
}
