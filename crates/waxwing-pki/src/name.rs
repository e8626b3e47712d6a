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

    /// An address, an e-mail address, or a DNS name that may begin with `*.`. International
    /// domains become their A-labels, `xn--…`: certificates hold no other form (RFC 9549,
    /// Section 4).
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        if let Some((local, domain)) = text.split_once('@')
            && !local.is_empty()
            && local.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Ok(Self::Email(format!("{local}@{}", a_labels(domain)?)));
        }
        // RFC 9525, Section 6.3: the wildcard is the whole first label.
        if let Some(parent) = text.strip_prefix("*.") {
            return Ok(Self::Dns(format!("*.{}", a_labels(parent)?)));
        }
        a_labels(text).map(|name| Self::Dns(name.as_str().to_owned()))
    }
}

fn a_labels(domain: &str) -> Result<DnsName, InvalidName> {
    if domain.is_ascii() {
        return domain.parse();
    }
    // RFC 5895, Section 2: what people type is mapped first. What has no A-label is refused by
    // the words for the text itself.
    let ascii = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3);
    ascii.map_or_else(|_| domain.parse(), |ascii| ascii.parse())
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
    fn international_names_become_a_labels() {
        for (text, expected) in [
            ("bücher.de", "xn--bcher-kva.de"),
            ("BÜCHER.DE", "xn--bcher-kva.de"),
            ("*.bücher.de", "*.xn--bcher-kva.de"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("faß.de", "xn--fa-hia.de"),
        ] {
            assert_eq!(
                text.parse(),
                Ok(AltName::Dns(expected.to_owned())),
                "{text}"
            );
        }
        let email = AltName::Email("post@xn--bcher-kva.de".to_owned());
        assert_eq!("post@bücher.de".parse(), Ok(email));
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
            "bü cher.de",
            "\u{200d}.de",
            "bücher@de.example",
            "ü*.de",
        ] {
            assert!(bad.parse::<AltName>().is_err(), "{bad:?}");
        }
    }
}
