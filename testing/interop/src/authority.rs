//! An authority that OpenSSL keeps: its certificates, revocation lists and OCSP responder.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use waxwing::pki::revocation::refresh::Request;

use crate::openssl::OPENSSL;
use crate::{Process, free_port};

/// Everything is valid in these years, so that clocks of tests can go wrong.
const VALIDITY: [&str; 4] = [
    "-startdate",
    "20200101000000Z",
    "-enddate",
    "20400101000000Z",
];

/// For how many days lists and responses count.
pub const DAYS: u64 = 5;

const CONFIG: &str = "
[ca]
default_ca = authority
[authority]
database = index.txt
rand_serial = yes
crlnumber = crlnumber
new_certs_dir = .
default_md = sha256
policy = policy
unique_subject = no
crl_extensions = list
[policy]
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
[must_staple]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
tlsfeature = status_request
[responder]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
[list]
authorityKeyIdentifier = keyid:always
[delta]
authorityKeyIdentifier = keyid:always
2.5.29.27 = critical, DER:020101
";

/// A root that OpenSSL issues, revokes and answers with.
#[derive(Debug)]
pub struct Authority {
    dir: TempDir,
}

impl Authority {
    /// One with a certificate for its responder.
    ///
    /// # Panics
    /// If OpenSSL fails.
    #[must_use]
    pub fn new() -> Self {
        Self::named("Waxwing OpenSSL test root")
    }

    /// As [`Self::new`], with this common name.
    ///
    /// # Panics
    /// If OpenSSL fails.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let authority = Self { dir };
        authority.write("openssl.cnf", CONFIG);
        authority.write("index.txt", "");
        authority.write("crlnumber", "01\n");
        authority.request("root", name);
        authority.sign("root", "root", &["-selfsign", "-keyfile", "root.key"]);
        authority.issue("responder", "responder");
        authority
    }

    /// Makes the files `name.pem` and `name.key`, with the extensions of this section.
    ///
    /// # Panics
    /// If OpenSSL fails.
    pub fn issue(&self, name: &str, section: &str) {
        self.request(name, name);
        self.sign(
            name,
            section,
            &["-cert", "root.pem", "-keyfile", "root.key"],
        );
    }

    fn request(&self, name: &str, subject: &str) {
        let key = format!("{name}.key");
        let curve = "ec_paramgen_curve:P-256";
        self.run(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            curve,
            "-out",
            &key,
        ]);
        let (subject, request) = (format!("/CN={subject}"), format!("{name}.csr"));
        let config = ["-config", "openssl.cnf"];
        let new = [
            "req", "-new", "-key", &key, "-subj", &subject, "-out", &request,
        ];
        self.run(&[&new[..], &config].concat());
    }

    fn sign(&self, name: &str, section: &str, signer: &[&str]) {
        let (request, certificate) = (format!("{name}.csr"), format!("{name}.pem"));
        let files = [
            "-in",
            &request,
            "-out",
            &certificate,
            "-extensions",
            section,
        ];
        self.ca(&[&files[..], &["-batch", "-notext"], &VALIDITY, signer].concat());
    }

    /// Revokes the certificate `name.pem`.
    ///
    /// # Panics
    /// If OpenSSL fails.
    pub fn revoke(&self, name: &str) {
        let certificate = format!("{name}.pem");
        let revoke = ["-revoke", &certificate, "-crl_reason", "keyCompromise"];
        self.ca(&[&revoke[..], &["-cert", "root.pem", "-keyfile", "root.key"]].concat());
    }

    /// The revocation list of now, in PEM.
    ///
    /// # Panics
    /// If OpenSSL fails.
    #[must_use]
    pub fn list(&self) -> Vec<u8> {
        let days = DAYS.to_string();
        let list = ["-gencrl", "-out", "root.crl", "-crldays", &days];
        self.ca(&[&list[..], &["-cert", "root.pem", "-keyfile", "root.key"]].concat());
        self.read("root.crl")
    }

    /// Changes to the revocation list with the number 1 (RFC 5280, Section 5.2.4), in PEM.
    ///
    /// # Panics
    /// If OpenSSL fails.
    #[must_use]
    pub fn delta_list(&self) -> Vec<u8> {
        let list = [
            "-gencrl",
            "-out",
            "delta.crl",
            "-crldays",
            "1",
            "-crlexts",
            "delta",
        ];
        self.ca(&[&list[..], &["-cert", "root.pem", "-keyfile", "root.key"]].concat());
        self.read("delta.crl")
    }

    /// What the responder at `url` says of the certificate `name.pem`, in the file `name.ocsp`.
    ///
    /// # Panics
    /// If OpenSSL fails.
    #[must_use]
    pub fn response(&self, url: &str, name: &str) -> PathBuf {
        let (certificate, response) = (format!("{name}.pem"), format!("{name}.ocsp"));
        let ask = ["ocsp", "-issuer", "root.pem", "-cert", &certificate];
        let rest = ["-url", url, "-respout", &response, "-noverify", "-no_nonce"];
        self.run(&[&ask[..], &rest].concat());
        self.path(&response)
    }

    /// An OCSP responder over HTTP, and its URL. It knows what was issued and revoked before.
    #[must_use]
    pub fn responder(&self) -> (Process, String) {
        let (port, days) = (free_port().to_string(), DAYS.to_string());
        let mut command = Command::new(OPENSSL);
        command
            .args(["ocsp", "-index", "index.txt", "-CA", "root.pem"])
            .args(["-rsigner", "responder.pem", "-rkey", "responder.key"])
            .args(["-port", &port, "-ndays", &days])
            .current_dir(self.dir.path());
        let mut process = Process::start(&mut command);
        process.wait_for("waiting for OCSP client connections");
        (process, format!("http://127.0.0.1:{port}/"))
    }

    /// A file of this authority.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// What is in a file of this authority.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    pub fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).expect("a file of the authority")
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).expect("a temporary folder");
    }

    fn ca(&self, arguments: &[&str]) {
        self.run(&[&["ca", "-config", "openssl.cnf"], arguments].concat());
    }

    fn run(&self, arguments: &[&str]) {
        run_in(self.dir.path(), arguments);
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn run_in(folder: &Path, arguments: &[&str]) {
    let output = Command::new(OPENSSL)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {errors}");
}

/// Sends `request` to a server on this machine, without TLS, and gives the body of its answer.
///
/// # Errors
/// Of the connection, and if the answer is no success.
pub fn http(request: &Request) -> io::Result<Vec<u8>> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let rest = request.url.strip_prefix("http://");
    let (host, path) = rest
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| invalid("no URL of HTTP"))?;
    let port = host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let mut tcp = crate::connect(port.ok_or_else(|| invalid("no port"))?)?;
    let (kind, body) = request.body.clone().unwrap_or_default();
    let method = if request.body.is_some() {
        "POST"
    } else {
        "GET"
    };
    write!(
        tcp,
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )?;
    tcp.write_all(&body)?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| invalid("no head"))?;
    let head = String::from_utf8_lossy(&answer[..end]);
    if !head.contains(" 200 ") {
        return Err(invalid(&head));
    }
    Ok(answer.split_off(end + 4))
}
