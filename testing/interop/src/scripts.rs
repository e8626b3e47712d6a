//! Node and Python, driven by the scripts in `peers/`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::{Identity, Listener, Process};

/// Node.
pub const NODE: &str = "node";
/// Python.
pub const PYTHON: &str = "python3";

/// One of the scripts.
#[must_use]
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}

/// A server in Node that returns what it is sent, and its port. `options` are further members
/// of a JSON object, each after a comma.
#[must_use]
pub fn node_server(node: impl AsRef<OsStr>, identity: &Identity, options: &str) -> (Process, u16) {
    let (chain, key) = (identity.chain(), identity.key());
    let options = format!(r#"{{"cert":"{chain}","key":"{key}"{options}}}"#);
    listening(Process::run(
        node,
        [script("echo.cjs").as_os_str(), OsStr::new(&options)],
    ))
}

/// A client in Node that returns what it is sent. `options` as in [`node_server`].
#[must_use]
pub fn node_client(
    node: impl AsRef<OsStr>,
    identity: &Identity,
    listener: &Listener,
    options: &str,
) -> Process {
    let options = format!(r#"{{"ca":"{}"{options}}}"#, identity.anchor());
    let port = listener.port().to_string();
    let script = script("client.cjs");
    let arguments = [script.as_os_str(), OsStr::new(&port), OsStr::new(&options)];
    Process::run(node, arguments)
}

/// A server in Python that returns what it is sent, and its port.
#[must_use]
pub fn python_server(identity: &Identity, alpn: &str, more: &[&str]) -> (Process, u16) {
    let arguments = [&[identity.chain(), identity.key(), alpn], more].concat();
    listening(python("echo.py", &arguments))
}

/// A client in Python that returns what it is sent.
#[must_use]
pub fn python_client(
    identity: &Identity,
    listener: &Listener,
    alpn: &str,
    more: &[&str],
) -> Process {
    let port = listener.port().to_string();
    python(
        "client.py",
        &[&[&*port, identity.anchor(), alpn], more].concat(),
    )
}

fn python(name: &str, arguments: &[&str]) -> Process {
    let script = script(name);
    let arguments = arguments.iter().copied().map(OsStr::new);
    Process::run(
        PYTHON,
        core::iter::once(script.as_os_str()).chain(arguments),
    )
}

/// Waits for the line with the port of a server that has just been started.
///
/// # Panics
/// If it prints something else, or nothing.
#[must_use]
pub fn listening(mut peer: Process) -> (Process, u16) {
    let output = peer.wait_for("\n");
    let port = core::str::from_utf8(&output)
        .ok()
        .and_then(|text| text.lines().next()?.strip_prefix("port ")?.parse().ok());
    let port = port.unwrap_or_else(|| panic!("no port\n{}", peer.report()));
    (peer, port)
}
