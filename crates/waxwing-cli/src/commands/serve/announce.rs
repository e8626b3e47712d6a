//! What a server says when it is ready.

use core::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde::Serialize;
use waxwing::pki::AltName;

use super::Mode;
use super::cert::Identity;
use crate::args::{ClientAuthMode, ServeArgs};
use crate::exit::Failure;
use crate::output::{self, Card, Talk};

/// The name of the form of [`Facts`]; fields are only ever added to it.
const SCHEMA: &str = "waxwing.serve/1";

/// The facts, for programs.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    schema: &'static str,
    url: &'a str,
    listen: SocketAddr,
    mode: &'static str,
    /// The folder, or the server behind.
    serves: Option<String>,
    alpn: &'a [String],
    /// The oldest and the newest version of TLS.
    versions: [String; 2],
    /// Whether clients need a certificate: `none`, `optional` or `required`.
    client_auth: &'static str,
    certificate: Certificate<'a>,
    /// A command that talks to the server.
    curl: Option<&'a str>,
    get: &'a str,
}

#[derive(Debug, Serialize)]
struct Certificate<'a> {
    names: Vec<String>,
    issuer: &'a str,
    not_after: String,
    key: String,
    sha256: &'a str,
    pin: String,
    file: String,
}

/// Prints where the server is and how to trust it.
pub(crate) fn announce(
    talk: Talk,
    args: &ServeArgs,
    mode: &Mode,
    identity: &Identity,
    file: &Path,
    address: SocketAddr,
    alpn: &[String],
) -> Result<(), Failure> {
    let host = host(address, &identity.certificate.names);
    let scheme = if matches!(mode, Mode::Echo) {
        "tls"
    } else {
        "https"
    };
    let end = if scheme == "tls" { "" } else { "/" };
    let url = format!("{scheme}://{host}:{}{end}", address.port());
    let pin = identity.certificate.key_pin.to_string();
    let way = match asks(args) {
        Some(_) => "--cert FILE --key FILE ".to_owned(),
        None => String::new(),
    } + &resolve(&host, address, "--resolve ");
    let get = format!("waxwing get {way}--pin {pin} {url}");
    let curl = (scheme == "https").then(|| format!("curl {}{way}{url}", trust(identity, file)));
    let printed = if talk.json() {
        let certificate = &identity.certificate;
        let (word, serves) = match mode {
            Mode::Files(files) => ("files", Some(files.root().display().to_string())),
            Mode::Proxy(proxy) => ("proxy", Some(proxy.url().to_owned())),
            Mode::Echo => ("echo", None),
        };
        output::json(&Facts {
            schema: SCHEMA,
            url: &url,
            listen: address,
            mode: word,
            serves,
            alpn,
            versions: [args.tls.min_version, args.tls.max_version].map(|it| it.to_string()),
            client_auth: match asks(args) {
                None => "none",
                Some(ClientAuthMode::Optional) => "optional",
                Some(ClientAuthMode::Required) => "required",
            },
            certificate: Certificate {
                names: certificate.names.iter().map(ToString::to_string).collect(),
                issuer: &certificate.issuer,
                not_after: certificate.not_after.to_string(),
                key: certificate.key.to_string(),
                sha256: &certificate.sha256,
                pin,
                file: file.display().to_string(),
            },
            curl: curl.as_deref(),
            get: &get,
        })
    } else if talk.quiet() {
        Ok(())
    } else {
        card(mode, args, identity, file, &url, curl.as_deref(), &get).print()
    };
    printed.map_err(|error| Failure::stdout(&error))
}

/// Whether and how clients are asked for a certificate.
fn asks(args: &ServeArgs) -> Option<ClientAuthMode> {
    (!args.client_ca.is_empty()).then(|| args.client_auth.unwrap_or_default())
}

fn card(
    mode: &Mode,
    args: &ServeArgs,
    identity: &Identity,
    file: &Path,
    url: &str,
    curl: Option<&str>,
    get: &str,
) -> Card {
    let certificate = &identity.certificate;
    let mut card = Card::default();
    match mode {
        Mode::Files(files) => card.title(format_args!("Serving {}", files.root().display())),
        Mode::Proxy(proxy) => card.title(format_args!("Passing requests on to {}", proxy.url())),
        Mode::Echo => card.title("Echoing"),
    }
    card.row("url", url);
    card.row("key pin", certificate.key_pin);
    card.row("certificate", file.display());
    card.row("  sha256", &certificate.sha256);
    let names: Vec<_> = certificate.names.iter().map(ToString::to_string).collect();
    card.row("  names", names.join(", "));
    card.row("  valid until", certificate.not_after);
    if let Some(mode) = asks(args) {
        let may = match mode {
            ClientAuthMode::Optional => "may",
            ClientAuthMode::Required => "must",
        };
        let files = args.client_ca.iter();
        let files: Vec<_> = files.map(|path| path.display().to_string()).collect();
        let text = format!("{may} show a certificate issued by {}", files.join(", "));
        card.row("clients", text);
    }
    if let Some(curl) = curl {
        card.row("try", curl);
    }
    card.row(if curl.is_some() { "or" } else { "try" }, get);
    card.title("Ctrl-C ends it.");
    card
}

/// The host to put into the URL: one that leads here and that the certificate has.
fn host(address: SocketAddr, names: &[AltName]) -> String {
    let ip = address.ip();
    let has = |name: &AltName| names.contains(name);
    let localhost = AltName::Dns("localhost".to_owned());
    let plain = names.iter().find_map(|name| match name {
        AltName::Dns(name) if !name.starts_with('*') => Some(name.clone()),
        _ => None,
    });
    match plain {
        _ if (ip.is_loopback() || ip.is_unspecified()) && has(&localhost) => "localhost".to_owned(),
        _ if has(&AltName::Ip(ip)) => bracketed(ip),
        Some(name) => name,
        None => bracketed(ip),
    }
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// The option that leads to this server where the name alone does not, and a space.
fn resolve(host: &str, address: SocketAddr, option: &str) -> String {
    let ip = address.ip();
    if host == "localhost" || ip.is_unspecified() || host == bracketed(ip) {
        return String::new();
    }
    format!("{option}{host}:{}:{} ", address.port(), bracketed(ip))
}

/// The option that makes curl trust this server, and a space.
fn trust(identity: &Identity, file: &Path) -> String {
    if identity.certificate.self_issued {
        format!("--cacert {} ", quoted(&file.display().to_string()))
    } else {
        String::new()
    }
}

/// As a shell needs it.
fn quoted(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if !text.is_empty() && text.chars().all(harmless) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_leads_here_and_fits_the_certificate() {
        let names = |list: &[&str]| -> Vec<AltName> {
            list.iter().map(|name| name.parse().unwrap()).collect()
        };
        for (address, list, expected) in [
            ("127.0.0.1:1", &["localhost"][..], "localhost"),
            ("[::1]:1", &["localhost"], "localhost"),
            ("0.0.0.0:1", &["a.test", "localhost"], "localhost"),
            ("10.0.0.1:1", &["localhost", "10.0.0.1"], "10.0.0.1"),
            ("[2001:db8::1]:1", &["2001:db8::1"], "[2001:db8::1]"),
            ("127.0.0.1:1", &["*.a.test", "b.test"], "b.test"),
            ("10.0.0.1:1", &["*.a.test"], "10.0.0.1"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(host(address, &names(list)), expected, "{address} {list:?}");
        }
        let address = "127.0.0.1:8".parse().unwrap();
        assert_eq!(resolve("b.test", address, "-r "), "-r b.test:8:127.0.0.1 ");
        assert_eq!(resolve("localhost", address, "-r "), "");
    }

    #[test]
    fn a_path_survives_the_shell() {
        assert_eq!(quoted("/tmp/a-1.pem"), "/tmp/a-1.pem");
        assert_eq!(quoted("/tmp/it's"), r"'/tmp/it'\''s'");
    }
}
