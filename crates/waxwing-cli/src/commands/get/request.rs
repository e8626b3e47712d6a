//! The HTTP request.

use core::str::FromStr;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use http::{Method, Request, StatusCode, Uri, Version};
use http_body_util::Full;

use super::url::Target;
use crate::args::RequestArgs;
use crate::exit::Failure;

const AGENT: &str = concat!("waxwing/", env!("CARGO_PKG_VERSION"));

/// `NAME: VALUE`
#[derive(Clone, Debug)]
pub(crate) struct Header(HeaderName, HeaderValue);

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or("must be NAME: VALUE")?;
        let name = name.parse().map_err(|_| "not the name of a header")?;
        let value = HeaderValue::from_bytes(value.trim().as_bytes())
            .map_err(|_| "not the value of a header")?;
        Ok(Self(name, value))
    }
}

/// What to ask, apart from where; redirects change it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Ask {
    pub(crate) fn new(args: &RequestArgs) -> Result<Self, Failure> {
        let usual = match (args.head, &args.data) {
            (true, _) => Method::HEAD,
            (false, Some(_)) => Method::POST,
            (false, None) => Method::GET,
        };
        let method = match &args.method {
            Some(text) => text
                .parse()
                .map_err(|_| Failure::usage(format!("{text:?} is no request method")))?,
            None => usual,
        };
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if args.data.is_some() {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(CONTENT_TYPE, form);
        }
        // The user's headers replace the usual ones, but may repeat each other.
        for Header(name, _) in &args.headers {
            headers.remove(name);
        }
        for Header(name, value) in &args.headers {
            headers.append(name, value.clone());
        }
        Ok(Self {
            method,
            headers,
            body: body(args.data.as_deref())?,
        })
    }

    pub(crate) const fn method(&self) -> &Method {
        &self.method
    }

    /// The request in the form that the version wants.
    pub(crate) fn request(
        &self,
        target: &Target,
        version: Version,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let wrong = |error: http::Error| Failure::usage(error.to_string());
        let mut headers = self.headers.clone();
        let authority = match headers.remove(HOST) {
            Some(host) => host.to_str().unwrap_or_default().to_owned(),
            None => target.authority(),
        };
        let uri = if version == Version::HTTP_2 {
            // RFC 9113, Section 8.3.1: :authority takes the place of Host.
            Uri::builder()
                .scheme("https")
                .authority(authority)
                .path_and_query(target.path.clone())
                .build()
                .map_err(wrong)?
        } else {
            let host = HeaderValue::from_str(&authority).map_err(|error| wrong(error.into()))?;
            headers.insert(HOST, host);
            Uri::from(target.path.clone())
        };
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = version;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// What to ask where a redirect leads (RFC 9110, Section 15.4). Another server does not get
    /// to see what was meant for this one.
    pub(crate) fn redirect(&mut self, status: StatusCode, same_origin: bool) {
        let post_becomes_get = matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND)
            && self.method == Method::POST;
        let see_other = status == StatusCode::SEE_OTHER && self.method != Method::HEAD;
        if post_becomes_get || see_other {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
        }
        if !same_origin {
            for private in [AUTHORIZATION, COOKIE, HOST] {
                self.headers.remove(private);
            }
        }
    }
}

fn body(data: Option<&str>) -> Result<Bytes, Failure> {
    let Some(data) = data else {
        return Ok(Bytes::new());
    };
    match data.strip_prefix('@') {
        Some("-") => {
            let mut read = Vec::new();
            let done = std::io::stdin().lock().read_to_end(&mut read);
            done.map_err(|error| Failure::file(Path::new("stdin"), &error))?;
            Ok(read.into())
        }
        Some(path) => {
            let path = Path::new(path);
            let read = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
            Ok(read.into())
        }
        None => Ok(data.as_bytes().to_vec().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, CommandLine};
    use clap::Parser;

    fn ask(options: &[&str]) -> Ask {
        let words = ["waxwing", "get", "https://a.test/p"];
        let line = CommandLine::parse_from(words.iter().chain(options));
        let Command::Get(args) = line.command else {
            panic!("not get");
        };
        Ask::new(&args.request).unwrap()
    }

    #[test]
    fn each_version_has_its_form() {
        let target = Target::new("https://a.test:8/p?q").unwrap();
        let ask = ask(&["-H", "X-A: 1", "-H", "X-A: 2", "-H", "Accept: text/html"]);
        let old = ask.request(&target, Version::HTTP_11).unwrap();
        assert_eq!(old.uri(), "/p?q");
        assert_eq!(old.headers()[HOST], "a.test:8");
        assert_eq!(old.headers().get_all("x-a").iter().count(), 2);
        assert_eq!(old.headers().get_all(ACCEPT).iter().count(), 1);
        let new = ask.request(&target, Version::HTTP_2).unwrap();
        assert_eq!(new.uri(), "https://a.test:8/p?q");
        assert!(!new.headers().contains_key(HOST));
    }

    #[test]
    fn a_redirect_drops_the_body_and_what_is_private() {
        let mut post = ask(&["-d", "x", "-H", "Authorization: secret"]);
        assert_eq!(post.method(), Method::POST);
        post.redirect(StatusCode::TEMPORARY_REDIRECT, true);
        assert_eq!(post.method(), Method::POST);
        assert!(post.headers.contains_key(AUTHORIZATION));
        post.redirect(StatusCode::FOUND, false);
        assert_eq!((post.method(), post.body.len()), (&Method::GET, 0));
        assert!(!post.headers.contains_key(AUTHORIZATION));
        let mut head = ask(&["-I"]);
        head.redirect(StatusCode::SEE_OTHER, true);
        assert_eq!(head.method(), Method::HEAD);
    }

    #[test]
    fn headers_cannot_carry_line_breaks() {
        assert!("a: b".parse::<Header>().is_ok());
        for bad in ["a", ": b", "a b: c", "a: b\r\nc: d"] {
            assert!(bad.parse::<Header>().is_err(), "{bad:?}");
        }
    }
}
