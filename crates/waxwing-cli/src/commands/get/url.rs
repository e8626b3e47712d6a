//! The URL to fetch, and where redirects lead.

use core::fmt;
use core::net::IpAddr;

use http::Uri;
use http::uri::PathAndQuery;

use crate::exit::Failure;

/// What to speak once TLS stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Https,
    Tls,
}

/// Where to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: PathAndQuery,
}

impl Target {
    /// Reads what the user wrote; `https://` may be left out.
    pub(crate) fn new(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::usage(format!("{text}: {why}"));
        let full = if text.contains("://") {
            encode(text)
        } else {
            encode(&format!("https://{text}"))
        };
        let uri: Uri = full.parse().map_err(|_| wrong("not a URL"))?;
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("tls") => Scheme::Tls,
            Some("http") => {
                return Err(wrong("plain HTTP has no TLS; did you mean https://?"));
            }
            _ => return Err(wrong("the URL must begin with https:// or tls://")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(wrong(
                "a user name in the URL is not supported; use --header",
            ));
        }
        let after_host = authority
            .rsplit_once(':')
            .filter(|(_, port)| !port.contains(']'));
        let port = match (scheme, after_host) {
            (_, Some((_, port))) => port
                .parse()
                .map_err(|_| wrong("the port is not a number up to 65535"))?,
            (Scheme::Https, None) => 443,
            (Scheme::Tls, None) => return Err(wrong("tls:// needs a port")),
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(wrong("no host"));
        }
        let root = PathAndQuery::from_static("/");
        let path = uri.path_and_query().cloned().unwrap_or(root);
        if scheme == Scheme::Tls && path.as_str() != "/" {
            return Err(wrong("tls:// has no path"));
        }
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port,
            path: absolute(&path)?,
        })
    }

    /// Where a `Location` header leads from here (RFC 3986, Section 5.2).
    pub(crate) fn join(&self, location: &str) -> Result<Self, Failure> {
        let location = location.split('#').next().unwrap_or_default();
        let has_scheme = location
            .split(['/', '?'])
            .next()
            .is_some_and(|start| start.contains(':'));
        let elsewhere = |url: &str| match Self::new(url) {
            Ok(target) if target.scheme == Scheme::Https => Ok(target),
            Ok(_) => Err(Failure::tls(format!("redirected to {url:?}"))),
            Err(error) => Err(Failure::tls(format!("redirected to {}", error.message))),
        };
        if has_scheme && location.contains("://") {
            return elsewhere(location);
        }
        if has_scheme {
            return Err(Failure::tls(format!("redirected to {location:?}")));
        }
        if location.starts_with("//") {
            return elsewhere(&format!("https:{location}"));
        }
        let path = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{}{location}", self.path.path())
        } else if location.is_empty() {
            self.path.as_str().to_owned()
        } else {
            let folder = self
                .path
                .path()
                .rsplit_once('/')
                .map_or("", |split| split.0);
            format!("{folder}/{location}")
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (&*path, String::new()),
        };
        let path = encode(&format!("{}{query}", without_dots(path)));
        let path = PathAndQuery::try_from(path)
            .map_err(|_| Failure::tls(format!("redirected to {location:?}, which is no URL")))?;
        Ok(Self {
            path,
            ..self.clone()
        })
    }

    /// Whether a request to `other` goes to the same server (RFC 6454, Section 4).
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host) && self.port == other.port
    }

    /// The host, and the port unless it is the usual one.
    pub(crate) fn authority(&self) -> String {
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        };
        match (self.scheme, self.port) {
            (Scheme::Https, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// A file name out of the URL: its last part, if that is a plain name.
    pub(crate) fn file_name(&self) -> Option<&str> {
        let name = self.path.path().rsplit('/').next()?;
        let plain = name.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && !name.contains(['\\', ':', '%'])
            && !name.starts_with('.');
        plain.then_some(name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::Https => write!(f, "https://{}{}", self.authority(), self.path),
            Scheme::Tls => write!(f, "tls://{}", self.authority()),
        }
    }
}

/// `https://host?query` has an empty path, but a request needs one.
fn absolute(path: &PathAndQuery) -> Result<PathAndQuery, Failure> {
    if path.as_str().starts_with('/') {
        return Ok(path.clone());
    }
    PathAndQuery::try_from(format!("/{}", path.as_str()))
        .map_err(|_| Failure::usage(format!("{path}: not a path")))
}

/// Percent-encodes what people write into URLs although it does not belong there.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.split('#').next().unwrap_or_default().bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Removes `.` and `..` (RFC 3986, Section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut folder = false;
    for part in path.split('/').skip(1) {
        folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if folder {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::new(text).unwrap()
    }

    #[test]
    fn urls_are_read_and_printed() {
        for (text, printed) in [
            ("example.org", "https://example.org/"),
            ("https://example.org:443/a?b#c", "https://example.org/a?b"),
            ("https://example.org?b", "https://example.org/?b"),
            ("https://[::1]:8443/ü x", "https://[::1]:8443/%C3%BC%20x"),
            ("localhost:8443/x", "https://localhost:8443/x"),
            ("tls://a.test:993", "tls://a.test:993"),
        ] {
            assert_eq!(target(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_refused() {
        for bad in [
            "",
            "http://a.test",
            "ftp://a.test",
            "https://",
            "https://u:p@a.test",
            "tls://a.test",
            "tls://a.test:1/x",
            "https://a.test:99999/",
        ] {
            assert!(Target::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn redirects_lead_where_the_rfc_says() {
        let base = target("https://a.test:8/b/c/d?q");
        for (location, expected) in [
            ("g", "https://a.test:8/b/c/g"),
            ("./g", "https://a.test:8/b/c/g"),
            ("../g/", "https://a.test:8/b/g/"),
            ("../../../g", "https://a.test:8/g"),
            ("..", "https://a.test:8/b/"),
            ("/g?y#z", "https://a.test:8/g?y"),
            ("?y", "https://a.test:8/b/c/d?y"),
            ("", "https://a.test:8/b/c/d?q"),
            ("//e.test/g", "https://e.test/g"),
            ("https://e.test/g", "https://e.test/g"),
            (
                "g?u=https://x/../y",
                "https://a.test:8/b/c/g?u=https://x/../y",
            ),
        ] {
            let joined = base.join(location).unwrap();
            assert_eq!(joined.to_string(), expected, "{location}");
        }
        for bad in ["http://a.test/", "tls://a.test:1", "javascript:x"] {
            assert!(base.join(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_name_cannot_lead_elsewhere() {
        assert_eq!(target("https://a/b/c.txt?q").file_name(), Some("c.txt"));
        for bad in [
            "https://a/",
            "https://a/..",
            "https://a/.x",
            "https://a/c:x",
        ] {
            assert_eq!(target(bad).file_name(), None, "{bad}");
        }
    }
}
