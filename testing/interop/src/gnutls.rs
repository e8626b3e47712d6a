//! `gnutls-cli` and `gnutls-serv`.

use crate::{Identity, Listener, Process, free_port};

/// The client.
pub const GNUTLS_CLI: &str = "gnutls-cli";
/// The server.
pub const GNUTLS_SERV: &str = "gnutls-serv";

/// A `gnutls-serv` with `identity`, which returns what it is sent, and its port.
#[must_use]
pub fn gnutls_serv(identity: &Identity, more: &[&str]) -> (Process, u16) {
    asking_gnutls_serv(identity, &[&["--disable-client-cert"], more].concat())
}

/// As [`gnutls_serv`], but it asks for certificates as long as `more` does not forbid it.
#[must_use]
pub fn asking_gnutls_serv(identity: &Identity, more: &[&str]) -> (Process, u16) {
    let port = free_port();
    let number = port.to_string();
    let mut arguments = vec!["--echo", "--port", &number];
    arguments.extend(["--x509certfile", identity.chain()]);
    arguments.extend(["--x509keyfile", identity.key()]);
    arguments.extend(more);
    (Process::run(GNUTLS_SERV, arguments), port)
}

/// A `gnutls-cli` that trusts what `identity` should be issued by, and refuses everything else.
#[must_use]
pub fn gnutls_cli(identity: &Identity, listener: &Listener, more: &[&str]) -> Process {
    let port = listener.port().to_string();
    let mut arguments = vec!["localhost", "--port", &port];
    arguments.extend(["--x509cafile", identity.anchor()]);
    arguments.extend(more);
    Process::run(GNUTLS_CLI, arguments)
}
