//! Compressed certificates, against tlslite-ng, where it is there: `python3 -m pip install
//! --target target/peers/python tlslite-ng==0.9.0b2 brotli zstandard`. And against Chromium.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use waxwing::compression::{COMPRESSORS, DECOMPRESSORS};
use waxwing::pki::{Identity as Decoded, KeyType};
use waxwing::{
    CertCompressor, CertDecompressor, CertifiedKey, ClientAuth, Direction, HandshakeType, PROVIDER,
    ServerConfig, ServerConfigBuilder,
};
use waxwing_interop::scripts::{PYTHON, listening, script};
use waxwing_interop::{Identity, Listener, Process, Session, Story, contains, for_all, peer};
use waxwing_testkit::pki::{self, Case};

const CHROMIUM: &str = "chromium";

/// Where tlslite-ng and what it needs is, next to what Cargo builds.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers/python")
}

/// A file that is there if they are.
fn tlslite() -> PathBuf {
    packages().join("tlslite/api.py")
}

/// A tlslite-ng with the files of `identity`, which compresses and decompresses in this way only.
fn run(role: &str, identity: &Identity, way: Way, more: &str) -> Process {
    let (cert, key) = (identity.chain(), identity.key());
    let name = way.name();
    let options = format!(
        r#"{{"cert":"{cert}","key":"{key}","compress":["{name}"],"decompress":["{name}"]{more}}}"#
    );
    let mut command = Command::new(PYTHON);
    command.arg(script("tlslite.py")).arg(packages());
    Process::start(command.args([role, &options]))
}

/// A way of compressing.
#[derive(Clone, Copy, Debug)]
struct Way {
    to: &'static dyn CertCompressor,
    from: &'static dyn CertDecompressor,
}

impl Way {
    fn all() -> impl Iterator<Item = Self> {
        assert_eq!(COMPRESSORS.len(), 3);
        let pairs = COMPRESSORS.iter().zip(DECOMPRESSORS);
        pairs.map(|(to, from)| Self {
            to: *to,
            from: *from,
        })
    }

    /// As the registry calls it, and tlslite-ng too.
    fn name(self) -> &'static str {
        self.to.algorithm().name().expect("a registered way")
    }

    /// The chain and key of `case`, compressed.
    fn key(self, case: Case) -> Arc<CertifiedKey> {
        let key = pki::certified_key_for(case);
        let key = CertifiedKey::new(key.chain().to_vec(), Arc::clone(key.key()));
        Arc::new(key.with_compression(&[self.to]))
    }
}

fn serving(key: Arc<CertifiedKey>) -> ServerConfigBuilder {
    ServerConfig::builder(&PROVIDER, Arc::new(key))
}

/// Both certificates were compressed, both sides know how, and the connection works.
fn check(session: &mut Session, story: &Story, peer: &mut Process, way: Way) -> Result<(), String> {
    for direction in [Direction::Sent, Direction::Received] {
        if story.count(direction, HandshakeType::COMPRESSED_CERTIFICATE) != 1 {
            return Err(format!("not compressed: {direction}"));
        }
    }
    let name = way.name();
    peer.wait_for(&format!(r#"{{"server": "{name}", "client": "{name}"}}"#));
    match session.echo(b"hello\n")?.as_slice() {
        b"hello\n" => Ok(()),
        other => Err(format!("a wrong answer: {other:?}")),
    }
}

#[test]
fn client() {
    peer!(PYTHON);
    peer!(tlslite());
    let identity = Identity::new(KeyType::P256);
    for_all(Way::all(), |&way| {
        let (mut peer, port) = listening(run("server", &identity, way, r#","ask":true"#));
        let story = Story::new();
        let own = way.key(Case::Client(KeyType::P256));
        let config = Identity::client()
            .client_certificate(Arc::new(own))
            .cert_decompressors(&[way.from])
            .trace(story.clone());
        let mut session = Session::connect(&config.build().unwrap(), port)?;
        check(&mut session, &story, &mut peer, way)
    });
}

#[test]
fn server() {
    peer!(PYTHON);
    peer!(tlslite());
    let identity = Identity::of(Case::Client(KeyType::P256));
    let listener = Listener::bind().unwrap();
    let port = format!(r#","port":{}"#, listener.port());
    for_all(Way::all(), |&way| {
        let mut peer = run("client", &identity, way, &port);
        let story = Story::new();
        let config = serving(way.key(Case::Good(KeyType::P256)))
            .client_auth(ClientAuth::Required(pki::client_verifier()))
            .cert_decompressors(&[way.from])
            .trace(story.clone());
        let tcp = listener
            .accept(&mut peer)
            .map_err(|error| error.to_string())?;
        let mut session = Session::accept(&config.build().unwrap(), tcp)?;
        check(&mut session, &story, &mut peer, way)
    });
}

/// Chromium takes Brotli.
#[test]
fn chromium_decompresses() {
    peer!(CHROMIUM);
    let case = Case::Good(KeyType::P256);
    let leaf = Decoded::from_der(pki::credentials(case).leaf()).unwrap();
    let pin = leaf.key_pin.to_string();
    let listener = Listener::bind().unwrap();
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(CHROMIUM);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
    ]);
    command.args(["--disable-background-networking", "--no-proxy-server"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!(
        "--ignore-certificate-errors-spki-list={}",
        pin.strip_prefix("sha256/").unwrap()
    ));
    command.arg("--dump-dom");
    command.arg(format!("https://localhost:{}/", listener.port()));
    let mut peer = Process::start(&mut command);

    let key = pki::certified_key_for(case);
    let key = CertifiedKey::new(key.chain().to_vec(), Arc::clone(key.key()));
    let story = Story::new();
    let config = serving(Arc::new(key.with_compression(COMPRESSORS)))
        .alpn(["http/1.1"])
        .trace(story.clone());
    let tcp = listener.accept(&mut peer).unwrap();
    let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
    while session.read_line().unwrap() != b"\r\n" {}
    let body = "<p>it came compressed</p>";
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}");
    session
        .write(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes())
        .unwrap();
    assert!(contains(&peer.succeed(), body.as_bytes()));
    assert_eq!(
        story.count(Direction::Sent, HandshakeType::COMPRESSED_CERTIFICATE),
        1
    );
}
