//! The server's certificate: given by the user, or made at start-up.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use waxwing::compression::COMPRESSORS;
use waxwing::pki::{self, AltName, SelfSigned};
use waxwing::{CertifiedKey, PROVIDER};

use crate::args::ServeArgs;
use crate::exit::{Code, Failure};
use crate::tls::certified_key;

/// Who the server is.
pub(crate) struct Identity {
    pub(crate) key: Arc<CertifiedKey>,
    /// What its certificate says.
    pub(crate) certificate: pki::Identity,
    /// The certificate in PEM, if it was made here.
    made: Option<String>,
}

impl Identity {
    pub(crate) fn new(args: &ServeArgs) -> Result<Self, Failure> {
        match (&args.cert, &args.key) {
            (Some(cert), Some(key)) => {
                let key = certified_key(cert, key, args.passphrase_file.as_deref())?;
                Self::of(key, None)
            }
            _ => Self::make(args),
        }
    }

    fn make(args: &ServeArgs) -> Result<Self, Failure> {
        let bug = |error: &dyn core::fmt::Display| Failure::new(Code::Bug, error.to_string());
        let made = SelfSigned::builder(names(args))
            .key_type(args.key_type)
            .issue(PROVIDER.random)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let key = pki::load_certified_key(&PROVIDER, made.certificate(), made.key())
            .map_err(|error| bug(&error))?;
        Self::of(key, Some(made.certificate_pem()))
    }

    fn of(key: CertifiedKey, made: Option<String>) -> Result<Self, Failure> {
        let own = key.chain().first().map(Vec::as_slice).unwrap_or_default();
        let certificate = pki::Identity::from_der(own);
        Ok(Self {
            certificate: certificate.map_err(|error| Failure::usage(error.to_string()))?,
            key: Arc::new(key.with_compression(COMPRESSORS)),
            made,
        })
    }

    /// Puts the certificate where clients can be pointed to, unless it came from a file.
    pub(crate) fn publish(
        &self,
        args: &ServeArgs,
        address: SocketAddr,
    ) -> Result<Published, Failure> {
        let Some(pem) = &self.made else {
            return Ok(Published::Given(args.cert.clone().unwrap_or_default()));
        };
        if let Some(path) = &args.cert_out {
            fs::write(path, pem).map_err(|error| Failure::file(path, &error))?;
            return Ok(Published::Kept(path.clone()));
        }
        let folder = folder();
        let process = std::process::id();
        let path = folder.join(format!("waxwing-{}-{process}.pem", address.port()));
        write_new(&path, pem).map_err(|error| {
            Failure::file(&path, &error).with_hint("--cert-out FILE takes another place")
        })?;
        Ok(Published::Temporary(path))
    }
}

/// A file with the server's certificate.
pub(crate) enum Published {
    /// From --cert.
    Given(PathBuf),
    /// From --cert-out.
    Kept(PathBuf),
    /// Gone when the server ends.
    Temporary(PathBuf),
}

impl Published {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) | Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // It holds no secret: a left-over file is untidy, not harmful.
            let _ = fs::remove_file(path);
        }
    }
}

/// Never through a file or link that somebody else has put there.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())
}

fn folder() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.is_dir())
        .unwrap_or_else(std::env::temp_dir)
}

/// The names that the certificate shall have, the most telling one first.
fn names(args: &ServeArgs) -> Vec<AltName> {
    let mut names = args.san.clone();
    names.push(AltName::Dns("localhost".to_owned()));
    names.push(AltName::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    names.push(AltName::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    let listen = args.listen.ip();
    if !listen.is_unspecified() {
        names.push(AltName::Ip(listen));
    }
    names.extend(host_name());
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The name of this host, where the system tells it and it can be in a certificate.
fn host_name() -> Option<AltName> {
    let told = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())?;
    match told.trim().parse() {
        Ok(name @ AltName::Dns(_)) => Some(name),
        _ => None,
    }
}
