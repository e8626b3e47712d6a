//! What can be said to `waxwing cert`.

use core::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use waxwing::ServerName;
use waxwing::pki::{AltName, KeyType, Profile, UnixTime};

use super::help;
use crate::args::NetworkArgs;
use crate::help::TEMPLATE;

/// Make, look at and check certificates, keys and signing requests
#[derive(Debug, Args)]
#[command(before_help = help::CERT, help_template = TEMPLATE)]
pub(crate) struct CertArgs {
    #[command(subcommand)]
    pub(crate) command: CertCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    New(NewArgs),
    Ca(CaArgs),
    Csr(CsrArgs),
    Show(ShowArgs),
    Verify(VerifyArgs),
    Match(MatchArgs),
}

/// Make a certificate and its key: self-signed, or issued by a local authority
///
/// The names may be DNS names (also with a wildcard as their first label, and international
/// ones, which become their xn-- form), addresses, and e-mail addresses. The first one names the
/// files, NAME.pem and NAME.key, unless --out and --key-out do. No file is replaced unless
/// --force is given, and the key can be read by its owner alone.
#[derive(Debug, Args)]
#[command(before_help = help::NEW, help_template = TEMPLATE)]
pub(crate) struct NewArgs {
    /// The names that the certificate is for
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<AltName>,

    /// Let the local authority in this folder issue it; without =DIR, the one of `cert ca`
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", value_parser = folder, help_heading = "Issuer")]
    pub(crate) ca: Option<PathBuf>,

    /// A file whose first line is the passphrase of the authority's key
    #[arg(long, value_name = "FILE", requires = "ca", help_heading = "Issuer")]
    pub(crate) ca_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) subject: SubjectArgs,

    /// For a peer that is a server here and a client there
    #[arg(long, conflicts_with = "client", help_heading = "Certificate")]
    pub(crate) both: bool,

    /// How many days it is valid; browsers refuse more than 398
    #[arg(
        long,
        value_name = "N",
        default_value_t = 365,
        help_heading = "Certificate"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,

    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

/// Make an authority of your own, for development and for mutual TLS
///
/// It has a folder with ca.pem, which clients (or servers) have to trust, and ca.key, which must
/// not leave this machine: whoever has it can pass for any server before those who trust it.
/// --only-for takes the harm out of that. `cert new --ca` issues with it.
#[derive(Debug, Args)]
#[command(before_help = help::CA, help_template = TEMPLATE)]
pub(crate) struct CaArgs {
    /// The folder; waxwing/ca in the user's data folder unless given
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// What it is called
    #[arg(long, value_name = "TEXT", help_heading = "Certificate")]
    #[arg(default_value = "Waxwing local authority")]
    pub(crate) name: String,

    /// Let it issue for this domain with all below it, or this address, alone (may be repeated)
    #[arg(long, value_name = "NAME", help_heading = "Certificate")]
    pub(crate) only_for: Vec<AltName>,

    /// How many days it is valid
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3650,
        help_heading = "Certificate"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,

    #[command(flatten)]
    pub(crate) key: NewKeyArgs,

    /// Replace an authority that is in the folder
    #[arg(long, help_heading = "Files")]
    pub(crate) force: bool,
}

/// Make a request for a certificate (PKCS#10) to an authority elsewhere
///
/// The key is made, too, unless --key gives one. The request is written to NAME.csr, the new key
/// to NAME.key, where NAME is the first of the names.
#[derive(Debug, Args)]
#[command(before_help = help::CSR, help_template = TEMPLATE)]
pub(crate) struct CsrArgs {
    /// The names that the certificate shall be for
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<AltName>,

    #[command(flatten)]
    pub(crate) subject: SubjectArgs,

    /// Ask for a certificate that clients refuse without a stapled OCSP response
    #[arg(long, help_heading = "Certificate")]
    pub(crate) must_staple: bool,

    /// Ask for a certificate for this key, instead of a new one
    #[arg(long = "key", value_name = "FILE", help_heading = "Key")]
    #[arg(conflicts_with_all = ["key_type", "key_out"])]
    pub(crate) existing: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate")]
pub(crate) struct SubjectArgs {
    /// The common name; the first of the names unless given
    #[arg(long, value_name = "TEXT")]
    pub(crate) common_name: Option<String>,

    /// For a client that shows it to servers, instead of a server
    #[arg(long)]
    pub(crate) client: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Key")]
pub(crate) struct NewKeyArgs {
    /// The kind of key to make: p256, p384, p521, ed25519, rsa2048, rsa3072, ml-dsa-44, ml-dsa-65
    /// or ml-dsa-87
    #[arg(long, value_name = "KIND", default_value_t = KeyType::P256, hide_default_value = true)]
    pub(crate) key_type: KeyType,

    /// Encrypt the key with the passphrase in the first line of this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct OutArgs {
    /// Write the result to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Write the private key to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) key_out: Option<PathBuf>,

    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,
}

/// Show what certificates, keys and signing requests say
///
/// A source is a file (PEM with any text around it, or DER), - for stdin, or HOST:PORT for a
/// server, whose chain is shown whether or not it is trusted. Private keys are described by
/// their kind and public half, and never printed.
#[derive(Debug, Args)]
#[command(before_help = help::SHOW, help_template = TEMPLATE)]
pub(crate) struct ShowArgs {
    #[arg(
        value_name = "FILE|HOST:PORT|-",
        required = true,
        help = "What to look at"
    )]
    pub(crate) sources: Vec<String>,

    /// Print the certificates in PEM instead of what they say
    #[arg(long)]
    pub(crate) pem: bool,

    /// A file whose first line is the passphrase of keys and PKCS#12 files
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) peer: PeerArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// Check whether certificates would be accepted, and say why not
///
/// Sources are those of `cert show`. Of a file, the first certificate is judged, and the others
/// help to find the way to an authority. The exit code is 0 if all are good, 5 if one is not
/// trusted, 6 if one is revoked.
///
/// Nobody is asked over the network whether a certificate is revoked: --crl and --ocsp give the
/// answers that are at hand. What a server staples is heeded without them.
#[derive(Debug, Args)]
#[command(before_help = help::VERIFY, help_template = TEMPLATE)]
pub(crate) struct VerifyArgs {
    #[arg(
        value_name = "FILE|HOST:PORT|-",
        required = true,
        help = "What to check"
    )]
    pub(crate) sources: Vec<String>,

    /// The name it has to be for; a server's own unless given, and any for a file
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "client",
        help_heading = "Policy"
    )]
    pub(crate) name: Option<ServerName>,

    /// Judge it as a client's, not as a server's
    #[arg(long, help_heading = "Policy")]
    pub(crate) client: bool,

    /// Judge as of this time: 2026-02-28, or 2026-02-28T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = date, help_heading = "Policy")]
    pub(crate) at: Option<UnixTime>,

    /// How many intermediate certificates there may be; 6 at most
    #[arg(long, value_name = "N", help_heading = "Policy")]
    pub(crate) depth: Option<usize>,

    /// How much of what standards ask of certificates is checked
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Policy")]
    #[arg(default_value_t = ProfileChoice::Strict)]
    pub(crate) profile: ProfileChoice,

    /// Trust the certificates in this file, too (may be repeated)
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub(crate) ca: Vec<PathBuf>,

    /// Trust what --ca gives, and nothing of the system's
    #[arg(long, requires = "ca", help_heading = "Trust")]
    pub(crate) ca_only: bool,

    #[command(flatten)]
    pub(crate) revocation: RevocationArgs,
    #[command(flatten)]
    pub(crate) peer: PeerArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Revocation")]
pub(crate) struct RevocationArgs {
    /// Ask the revocation lists in this file (may be repeated)
    ///
    /// In PEM, with any number of lists, or one in DER. A list counts if the certificate's issuer
    /// signed it and its time has come and is not over. Lists are asked about intermediate
    /// certificates, too. Delta lists are refused: give the complete one.
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,

    /// Ask the OCSP response in this file (DER), as if the server had stapled it
    ///
    /// It counts if the issuer signed it, or who has a certificate of the issuer for that. Of a
    /// server, it takes the place of what is stapled.
    #[arg(long, value_name = "FILE", conflicts_with = "client")]
    pub(crate) ocsp: Option<PathBuf>,

    /// What an answer is worth; hard, unless given
    ///
    /// "Revoked" counts in any case, also from a source that is out of date. Without --crl and
    /// --ocsp, it is about what the server staples, which is otherwise heeded softly.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) revocation: Option<Insist>,
}

/// How much `cert verify` relies on sources that tell whether a certificate is revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Insist {
    /// A source that has no answer is passed over
    Soft,
    /// Each source given has to say that the certificate is good
    #[default]
    Hard,
    /// The lists have to say so of the intermediate certificates, too
    Chain,
}

/// The profiles of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileChoice {
    /// The path from the certificate to an authority alone
    Path,
    /// Also what RFC 5280 demands of each certificate
    Strict,
    /// Also the rules for public authorities of the CA/Browser Forum
    WebPki,
}

impl From<ProfileChoice> for Profile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Path => Self::Path,
            ProfileChoice::Strict => Self::Strict,
            ProfileChoice::WebPki => Self::WebPki,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct PeerArgs {
    /// Ask servers for this name, instead of their host's
    #[arg(long, value_name = "NAME")]
    pub(crate) servername: Option<ServerName>,
}

/// Check whether a certificate and a private key belong together
///
/// The exit code is 0 if they do and 1 if not. CERT may hold a whole chain, in any order; one of
/// its certificates has to be for the key. It may be a signing request, too.
#[derive(Debug, Args)]
#[command(before_help = help::MATCH, help_template = TEMPLATE)]
pub(crate) struct MatchArgs {
    /// The certificate, the chain or the request
    #[arg(value_name = "CERT")]
    pub(crate) cert: PathBuf,

    /// The private keys; each has to match
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<PathBuf>,

    /// A file whose first line is the passphrase of the keys
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// A folder, or nothing, which a path as such cannot be.
fn folder(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

/// A day is its first second.
fn date(text: &str) -> Result<UnixTime, String> {
    let time = if text.contains('T') {
        text.parse()
    } else {
        format!("{text}T00:00:00Z").parse()
    };
    time.map_err(|_| "must be like 2026-02-28 or 2026-02-28T12:00:00Z, from 1970 on".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_may_have_a_time() {
        assert_eq!(date("1970-01-02"), Ok(UnixTime::from_seconds(86_400)));
        assert_eq!(date("1970-01-01T00:01:00Z"), Ok(UnixTime::from_seconds(60)));
        for bad in ["", "now", "2026-02-30", "2026-02-28T12:00:00", "1969-12-31"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }
}
