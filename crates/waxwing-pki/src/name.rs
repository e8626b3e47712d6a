//! The names in a certificate's subjectAltName.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use waxwing_core::{DnsName, InvalidName};

/// One entry of subjectAltName (RFC 5280, Section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AltName {
    /// A DNS name, perhaps with `*` as its first label.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// An e-mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// An entry of another kind, described in words.
    Other(String),
}

impl fmt::Display for AltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) | Self::Other(text) => {
                f.write_str(text)
            }
        }
    }
}

impl FromStr for AltName {
    type Err = InvalidName;

    /// An address, an e-mail address, or a DNS name that may begin with `*.`; international
    /// names in their `xn--` form.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        if is_email(text) {
            return Ok(Self::Email(text.to_owned()));
        }
        // RFC 9525, Section 6.3: the wildcard is the whole first label.
        if let Some(parent) = text.strip_prefix("*.") {
            let parent: DnsName = parent.parse()?;
            return Ok(Self::Dns(format!("*.{parent}")));
        }
        let name: DnsName = text.parse()?;
        Ok(Self::Dns(name.as_str().to_owned()))
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.bytes().all(|byte| byte.is_ascii_graphic())
            && domain.parse::<DnsName>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_from_the_text() {
        let parse = |text: &str| text.parse::<AltName>().unwrap();
        assert_eq!(parse("Example.ORG"), AltName::Dns("example.org".to_owned()));
        assert_eq!(
            parse("*.example.org"),
            AltName::Dns("*.example.org".to_owned())
        );
        assert_eq!(parse("::1"), AltName::Ip("::1".parse().unwrap()));
        assert_eq!(
            parse("a@example.org"),
            AltName::Email("a@example.org".to_owned())
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            "*",
            "*.",
            "a.*.b",
            "*a.b",
            "@example.org",
            "a@",
            "a b@c.d",
            "bücher.de",
        ] {
            assert!(bad.parse::<AltName>().is_err(), "{bad:?}");
        }
    }
}
