//! `openssl s_client` and `s_server`.

use crate::{Identity, Listener, Process, free_port};

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
