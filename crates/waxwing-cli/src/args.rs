//! The command line: what can be said.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use waxwing::crypto::{CipherSuite, HashId, NamedGroup};
use waxwing::pki::{AltName, KeyType, Pin};
use waxwing::{ExternalPsk, ProtocolVersion, ServerName};
use zeroize::Zeroizing;

use crate::commands::cert::args::CertArgs;
use crate::commands::get::request::Header;
use crate::help::{ENVIRONMENT, EXAMPLES, EXIT_CODES, GET_EXAMPLES, SERVE_EXAMPLES, TEMPLATE};
use crate::resolve::Override;

/// Serve and fetch over HTTPS, and see what TLS does
#[derive(Debug, Parser)]
#[command(name = "waxwing", version, propagate_version = true)]
#[command(before_help = EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct OutputArgs {
    /// Whether text has colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    #[arg(help_heading = "Output")]
    pub(crate) color: Colour,

    /// Say nothing but errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Say more: `get` shows the handshake and the headers, `serve` each request,
    /// `cert verify` what each source says
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,

    /// Print one line of JSON on stdout instead of text
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<ServeArgs>),
    Get(Box<GetArgs>),
    Cert(Box<CertArgs>),
    /// What the exit codes mean
    #[command(long_about = EXIT_CODES, help_template = "{about-with-newline}")]
    ExitCodes,
    /// Which environment variables are heeded
    #[command(long_about = ENVIRONMENT, help_template = "{about-with-newline}")]
    Environment,
}

impl Command {
    /// The text of a command that only explains something.
    pub(crate) const fn explanation(&self) -> Option<&'static str> {
        match self {
            Self::ExitCodes => Some(EXIT_CODES),
            Self::Environment => Some(ENVIRONMENT),
            Self::Serve(_) | Self::Get(_) | Self::Cert(_) => None,
        }
    }
}

/// Serve a folder over HTTPS (HTTP/1.1 and HTTP/2), or put TLS in front of a server
///
/// Without --cert, a certificate for localhost, 127.0.0.1, ::1 and the name of this host is made
/// at start-up; clients trust it by its file or its pin, both of which are printed. Ctrl-C lets
/// running requests end, for ten seconds at most.
#[derive(Debug, Args)]
#[command(before_help = SERVE_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct ServeArgs {
    /// The folder to serve
    #[arg(value_name = "DIR", default_value = ".", conflicts_with_all = ["to", "echo"])]
    pub(crate) dir: PathBuf,

    /// Pass requests on to this web server
    ///
    /// Requests and responses stream through. Host is kept; X-Forwarded-For, X-Forwarded-Host
    /// and X-Forwarded-Proto tell the server who asked, and how, and Client-Cert the certificate
    /// that a client showed (RFC 9440).
    #[arg(long, value_name = "http://HOST:PORT", conflicts_with = "echo")]
    pub(crate) to: Option<String>,

    /// Send back whatever arrives, without HTTP
    #[arg(long)]
    pub(crate) echo: bool,

    /// The address to listen on; port 0 is any free one
    #[arg(
        short,
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8443"
    )]
    pub(crate) listen: SocketAddr,

    /// Serve files and folders whose name begins with a dot, too
    #[arg(long)]
    pub(crate) hidden: bool,

    /// How many connections may be open at a time; more have to wait
    #[arg(long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_connections: u32,

    /// The protocols to speak by ALPN, with --echo
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "echo")]
    #[arg(help_heading = "TLS")]
    pub(crate) alpn: Vec<String>,

    /// The certificate chain in PEM, the server's own first
    #[arg(
        long,
        value_name = "FILE",
        requires = "key",
        help_heading = "Certificate"
    )]
    pub(crate) cert: Option<PathBuf>,

    /// The private key of the certificate in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        help_heading = "Certificate"
    )]
    pub(crate) key: Option<PathBuf>,

    /// A file whose first line is the passphrase of the key; `-` is stdin
    #[arg(
        long,
        value_name = "FILE",
        requires = "key",
        help_heading = "Certificate"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Put this name or address into the certificate that is made, too (may be repeated)
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "cert",
        help_heading = "Certificate"
    )]
    pub(crate) san: Vec<AltName>,

    /// The kind of key to make: p256, p384, p521, ed25519, rsa2048, rsa3072, ml-dsa-44, ml-dsa-65
    /// or ml-dsa-87
    #[arg(long, value_name = "KIND", default_value_t = KeyType::P256, hide_default_value = true)]
    #[arg(conflicts_with = "cert", help_heading = "Certificate")]
    pub(crate) key_type: KeyType,

    /// Write the certificate that is made to this file, and leave it there
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "cert",
        help_heading = "Certificate"
    )]
    pub(crate) cert_out: Option<PathBuf>,

    /// Ask clients for a certificate that an authority in this file issued (may be repeated)
    ///
    /// The file is in PEM or DER. A certificate in it that is no authority's admits its holder
    /// alone. -v shows who the clients are.
    #[arg(long, value_name = "FILE", help_heading = "Clients' certificates")]
    pub(crate) client_ca: Vec<PathBuf>,

    /// Whether a client that shows no certificate is refused; it is, unless given
    ///
    /// A certificate that is shown has to be good in any case.
    #[arg(long, value_enum, value_name = "WHEN", requires = "client_ca")]
    #[arg(help_heading = "Clients' certificates")]
    pub(crate) client_auth: Option<ClientAuthMode>,

    #[command(flatten)]
    pub(crate) sessions: ServeSessionArgs,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// How clients come back.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions")]
pub(crate) struct ServeSessionArgs {
    /// How many tickets to give to a client after its handshake; with 0 nothing is resumed
    #[arg(long, value_name = "N", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=16))]
    pub(crate) tickets: u8,

    /// Share ticket keys with other servers: redis://HOST[:PORT][/DB], or dir:PATH on one machine
    ///
    /// A client may then come back to any of them. The keys change by themselves every six hours,
    /// and are sealed under the key in --master-key-file. While the store is down, tickets go on
    /// with the keys that are known.
    #[arg(long, value_name = "STORE", requires = "master_key_file")]
    pub(crate) store: Option<String>,

    /// The key of the store, the same for all servers: 64 hexadecimal digits, as
    /// `openssl rand -hex 32` makes them
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) master_key_file: Option<PathBuf>,

    /// Take up to so many bytes of early data from clients that come back
    ///
    /// They are read once the client has completed the handshake, which no copy of them can. With
    /// --store it takes a redis:// store, which sees to it that no server takes a copy.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=65_536))]
    pub(crate) early_data: u32,

    /// Serve clients that have this key without a certificate (may be repeated)
    ///
    /// ID is a text, HEX the key: 16 bytes or more at random. @FILE takes both from a file's first
    /// line, which other users of this machine cannot see as they can see arguments.
    #[arg(long, value_name = "ID:HEX", value_parser = psk)]
    pub(crate) psk: Vec<ExternalPsk>,
}

/// What becomes of a client without a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientAuthMode {
    /// It is served, too
    Optional,
    /// It is refused
    #[default]
    Required,
}

/// Fetch a URL over HTTPS (HTTP/1.1 and HTTP/2), or talk to any TLS server
///
/// With https:// the body goes to stdout. With tls://HOST:PORT, stdin is sent if it is a pipe or
/// a file, its end is passed on, and whatever the server sends goes to stdout until the server
/// closes. Data that was cut off is an error (exit code 4).
#[derive(Debug, Args)]
#[command(before_help = GET_EXAMPLES, help_template = TEMPLATE)]
pub(crate) struct GetArgs {
    // No comment: to rustdoc the brackets would be links.
    #[arg(value_name = "URL")]
    #[arg(help = "https://HOST[:PORT][/PATH], or tls://HOST:PORT; https:// may be left out")]
    pub(crate) url: String,

    #[command(flatten)]
    pub(crate) request: RequestArgs,
    #[command(flatten)]
    pub(crate) body: BodyArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,

    /// Offer these protocols by ALPN
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        help_heading = "TLS"
    )]
    pub(crate) alpn: Vec<String>,

    /// Ask for this server, and expect it in the certificate, instead of the URL's host
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    pub(crate) servername: Option<ServerName>,

    /// Offer these key exchange groups only, the preferred one first
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = group)]
    #[arg(help_heading = "TLS")]
    pub(crate) groups: Vec<NamedGroup>,

    /// Offer these cipher suites only, the preferred one first
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = suite)]
    #[arg(help_heading = "TLS")]
    pub(crate) ciphers: Vec<CipherSuite>,

    /// Write what the connection does to this file, as lines of JSON without any secret
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub(crate) trace: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) sessions: GetSessionArgs,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// How to come back.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions")]
pub(crate) struct GetSessionArgs {
    /// Resume a session from this file, and keep new ones there; it is made if there is none
    ///
    /// Whoever has the file can take our place: nobody else may read it.
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,

    /// With tls://, send this file first, as early data if the session allows for that
    ///
    /// What the server does not take is sent again after the handshake. Early data can be recorded
    /// and repeated by others: only send what may be heard twice.
    #[arg(long, value_name = "FILE", requires = "session")]
    pub(crate) early_data: Option<PathBuf>,

    /// Offer this key: a server that takes it shows no certificate (may be repeated)
    ///
    /// ID is a text, HEX the key: 16 bytes or more at random. @FILE takes both from a file's first
    /// line, which other users of this machine cannot see as they can see arguments.
    #[arg(long, value_name = "ID:HEX", value_parser = psk)]
    pub(crate) psk: Vec<ExternalPsk>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// Ask for the headers only, and print them
    #[arg(short = 'I', long, conflicts_with = "data")]
    pub(crate) head: bool,

    /// The request method; GET, or POST with --data, unless given
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub(crate) method: Option<String>,

    /// Send this as the body; @FILE is the content of a file, @- is stdin
    #[arg(short, long, value_name = "DATA")]
    pub(crate) data: Option<String>,

    /// Send this header (may be repeated)
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,

    /// Speak HTTP/1.1 only
    #[arg(long = "http1.1", conflicts_with = "http2")]
    pub(crate) http1: bool,

    /// Speak HTTP/2 only
    #[arg(long)]
    pub(crate) http2: bool,

    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,

    /// How many redirects to follow
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) max_redirs: u32,

    /// Exit with code 1 if the status is 400 or more
    #[arg(short, long)]
    pub(crate) fail: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub(crate) struct BodyArgs {
    /// Write the body to this file; it appears when it is complete
    #[arg(short, long, value_name = "FILE", conflicts_with = "remote_name")]
    pub(crate) output: Option<PathBuf>,

    /// Write the body to a file named like the last part of the URL
    #[arg(short = 'O', long)]
    pub(crate) remote_name: bool,

    /// Print the status and the headers before the body
    #[arg(short, long)]
    pub(crate) include: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct TrustArgs {
    /// Trust the certificates in this file, too (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,

    /// Trust what --ca gives, and nothing of the system's
    #[arg(long, requires = "ca")]
    pub(crate) ca_only: bool,

    /// Trust exactly this key or certificate, and no authority (may be repeated)
    ///
    /// sha256/BASE64 of the key, or the SHA-256 of the certificate in hexadecimal. Name and
    /// dates are checked all the same.
    #[arg(long, value_name = "PIN", conflicts_with = "ca")]
    pub(crate) pin: Vec<Pin>,

    /// Go on with a server that is not trusted, and say why it is not
    #[arg(long)]
    pub(crate) insecure: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Client certificate")]
pub(crate) struct OwnArgs {
    /// Show this certificate chain (PEM) to a server that asks for one
    ///
    /// Only the server in the URL gets to see it, not one that a redirect leads to. In TLS 1.2
    /// whoever listens on the way can read it, too.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// A file whose first line is the passphrase of the key
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Connect to ADDR where HOST (and PORT) is meant (may be repeated)
    #[arg(long, value_name = "HOST[:PORT]:ADDR")]
    pub(crate) resolve: Vec<Override>,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long)]
    pub(crate) ipv6: bool,

    /// How long name, connection and handshake may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) timeout: Duration,

    /// How long everything may take, in seconds; no limit unless given
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,
}

impl NetworkArgs {
    /// Whether an address is of a wanted family.
    pub(crate) const fn wants(&self, address: &IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => !self.ipv6,
            IpAddr::V6(_) => !self.ipv4,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsArgs {
    /// The oldest version of TLS to speak: 1.2 or 1.3
    #[arg(long, value_name = "VERSION", default_value = "1.2", value_parser = version)]
    pub(crate) min_version: ProtocolVersion,

    /// The newest version of TLS to speak: 1.2 or 1.3
    #[arg(long, value_name = "VERSION", default_value = "1.3", value_parser = version)]
    pub(crate) max_version: ProtocolVersion,

    /// Write the secrets of every connection to this file, for a packet analyser
    #[arg(
        long,
        value_name = "FILE",
        env = "SSLKEYLOGFILE",
        hide_env_values = true
    )]
    keylog: Option<OsString>,
}

impl TlsArgs {
    /// The file for secrets. An empty variable is the same as none.
    pub(crate) fn keylog(&self) -> Option<&Path> {
        self.keylog
            .as_deref()
            .filter(|path| !path.is_empty())
            .map(Path::new)
    }
}

/// A key that is shared with a peer, for suites with SHA-256.
fn psk(text: &str) -> Result<ExternalPsk, String> {
    let file;
    let text = match text.strip_prefix('@') {
        Some(path) => {
            file =
                Zeroizing::new(std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?);
            file.lines().next().unwrap_or_default()
        }
        None => text,
    };
    let (identity, key) = text.rsplit_once(':').ok_or("it has the form ID:HEX")?;
    let key = Zeroizing::new(hex::decode(key).map_err(|error| format!("the key: {error}"))?);
    let psk = ExternalPsk::new(identity.as_bytes(), &key, HashId::Sha256);
    psk.map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be a number of seconds above 0".to_owned()),
    }
}

/// `1.2`, `1.3`, also with `TLS` or `TLSv` before it.
fn version(text: &str) -> Result<ProtocolVersion, String> {
    let name = text.to_ascii_lowercase();
    let number = name.strip_prefix("tls").unwrap_or(&name);
    match number.trim_start_matches([' ', 'v']) {
        "1.2" => Ok(ProtocolVersion::TLS12),
        "1.3" => Ok(ProtocolVersion::TLS13),
        old @ ("1" | "1.0" | "1.1") => Err(format!(
            "TLS {old} is unsafe and must not be used (RFC 8996); there are 1.2 and 1.3"
        )),
        _ if name.starts_with("ssl") => Err(
            "SSL is unsafe and must not be used (RFC 6176, RFC 7568); there are 1.2 and 1.3".into(),
        ),
        _ => Err("no such version; there are 1.2 and 1.3".into()),
    }
}

fn group(text: &str) -> Result<NamedGroup, String> {
    let known = waxwing::PROVIDER.groups.iter().map(|group| group.name());
    by_name(text, known, "group", |group| group.to_string())
}

fn suite(text: &str) -> Result<CipherSuite, String> {
    let new = waxwing::PROVIDER.suites13.iter().map(|suite| suite.id);
    let old = waxwing::PROVIDER.suites12.iter().map(|suite| suite.id);
    let known = new.chain(old);
    by_name(text, known, "cipher suite", |suite| suite.to_string())
}

fn by_name<T: Copy>(
    text: &str,
    known: impl Iterator<Item = T> + Clone,
    what: &str,
    name: impl Fn(T) -> String,
) -> Result<T, String> {
    let found = known
        .clone()
        .find(|item| name(*item).eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        let names: Vec<_> = known.map(name).collect();
        format!("no such {what}; there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn groups_and_suites_go_by_their_names_in_any_case() {
        assert_eq!(group("X25519mlkem768"), Ok(NamedGroup::X25519_MLKEM768));
        assert!(group("p-1").unwrap_err().contains("secp256r1"));
        assert_eq!(
            suite("TLS_AES_128_GCM_SHA256"),
            Ok(CipherSuite::TLS13_AES_128_GCM_SHA256)
        );
        assert_eq!(
            suite("tls_ecdhe_rsa_with_aes_256_gcm_sha384"),
            Ok(CipherSuite::TLS12_ECDHE_RSA_AES_256_GCM_SHA384)
        );
    }

    #[test]
    fn versions_go_by_their_numbers_and_old_ones_are_refused_in_words() {
        for text in ["1.2", "TLS1.2", "tlsv1.2", "TLS 1.2"] {
            assert_eq!(version(text), Ok(ProtocolVersion::TLS12), "{text}");
        }
        assert_eq!(version("1.3"), Ok(ProtocolVersion::TLS13));
        for old in ["1", "1.0", "1.1", "TLSv1.1"] {
            assert!(version(old).unwrap_err().contains("RFC 8996"), "{old}");
        }
        assert!(version("SSLv3").unwrap_err().contains("RFC 7568"));
        for bad in ["", "1.4", "2", "tls", "dtls1.2"] {
            assert!(version(bad).unwrap_err().contains("no such"), "{bad}");
        }
    }

    #[test]
    fn a_timeout_is_a_positive_number() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "x", "inf", "NaN"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for bad in [
            "serve --to http://a:1 --echo",
            "serve --cert a",
            "serve site --echo",
            "serve --alpn x",
            "serve --client-auth required",
            "serve --client-ca a --client-auth perhaps",
            "serve --min-version 1.1",
            "get --cert a https://a",
            "get --key a https://a",
            "get --pin 00 https://a",
            "get --ca-only https://a",
            "get -4 -6 https://a",
            "get",
        ] {
            let words = core::iter::once("waxwing").chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(words).is_err(), "{bad}");
        }
    }
}
