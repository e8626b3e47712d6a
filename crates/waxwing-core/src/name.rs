//! The name of a server, as a client means it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::limits::MAX_DNS_NAME;

/// Whom a client wants to talk to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerName {
    /// A DNS name; it goes into `server_name` (RFC 6066, Section 3).
    Dns(DnsName),
    /// An address; never sent (RFC 6066 has no form for it), but the certificate must carry it.
    Ip(IpAddr),
}

impl ServerName {
    /// The DNS name, if it is one.
    #[must_use]
    pub fn dns(&self) -> Option<&str> {
        match self {
            Self::Dns(name) => Some(name.as_str()),
            Self::Ip(_) => None,
        }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

impl FromStr for ServerName {
    type Err = InvalidName;

    /// An address (IPv6 with or without brackets) or a DNS name.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        match bare.parse() {
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) => text.parse().map(Self::Dns),
        }
    }
}

impl TryFrom<&str> for ServerName {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        text.parse()
    }
}

/// A host's DNS name in its ASCII form, in lower case, without a final dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the `host_name` that a client sent.
    pub(crate) fn from_wire(bytes: &[u8]) -> Option<Self> {
        core::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

impl FromStr for DnsName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let digits = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
        let valid = name.len() <= MAX_DNS_NAME
            && name.split('.').all(is_label)
            // A name whose last label is a number is an address written wrongly (RFC 6943).
            && !name.rsplit('.').next().is_some_and(digits);
        if valid {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(InvalidName(text.to_owned()))
        }
    }
}

/// RFC 1123, Section 2.1, plus the underscore that real names use.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName(String);

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is neither a DNS name nor an IP address", self.0)?;
        if self.0.is_ascii() {
            Ok(())
        } else {
            f.write_str(" (international names are given in their xn-- form)")
        }
    }
}

impl core::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert_eq!(
            "Example.COM.".parse::<ServerName>().unwrap().dns(),
            Some("example.com")
        );
        assert!(matches!("192.0.2.1".parse(), Ok(ServerName::Ip(_))));
        assert!(matches!("[::1]".parse(), Ok(ServerName::Ip(_))));
        assert!(matches!("::1".parse(), Ok(ServerName::Ip(_))));
        assert!("_srv.xn--bcher-kva.example".parse::<DnsName>().is_ok());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long_label = "a".repeat(64);
        let long_name = "a.".repeat(127) + "com";
        for bad in [
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "1.2.3.256",
            "bücher.example",
            &long_label,
            &long_name,
            "*.example.com",
            "a\0b",
        ] {
            assert!(bad.parse::<ServerName>().is_err(), "{bad:?}");
        }
        let error = "bücher.example".parse::<DnsName>().unwrap_err();
        assert!(error.to_string().contains("xn--"));
    }
}
