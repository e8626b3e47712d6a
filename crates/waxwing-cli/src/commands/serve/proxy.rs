//! Passing requests on to a web server that speaks plain HTTP/1.1.

use core::time::Duration;

use http::header::{
    CONNECTION, COOKIE, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::clients::Visitor;
use super::connection::{Body, BodyError, plain_status};
use crate::exit::{Failure, chain};
use crate::output::Talk;
use crate::resolve;

/// How long the web server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Headers that concern one hop only (RFC 9110, Section 7.6.1), besides those that
/// `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The client's certificate, and what led to its authority (RFC 9440, Section 2).
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// The web server behind.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    url: String,
}

impl Proxy {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::usage(format!("--to {url}: {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("must begin with http://"));
        }
        if uri
            .path_and_query()
            .is_some_and(|path| path.as_str() != "/")
        {
            return Err(wrong(
                "must end after the port: paths are passed on unchanged",
            ));
        }
        let host = uri.host().unwrap_or_default();
        if host.is_empty() {
            return Err(wrong("no host"));
        }
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(80),
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// As it was given.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Passes a request on and brings the response back, both as they come.
    pub(crate) async fn pass(
        &self,
        request: Request<Incoming>,
        visitor: &Visitor,
        talk: Talk,
    ) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return plain_status(StatusCode::METHOD_NOT_ALLOWED);
        }
        if request.uri().authority().is_none() && !request.headers().contains_key(HOST) {
            return plain_status(StatusCode::BAD_REQUEST);
        }
        match self.try_pass(request, visitor).await {
            Ok(response) => response,
            Err(error) => {
                talk.warn(format_args!("{}: {}", self.url, chain(&*error)));
                plain_status(StatusCode::BAD_GATEWAY)
            }
        }
    }

    /// Each request has a connection of its own: a kept one may close just when it is used,
    /// and not every request may be sent twice.
    async fn try_pass(
        &self,
        request: Request<Incoming>,
        visitor: &Visitor,
    ) -> Result<Response<Body>, BodyError> {
        let tcp = tokio::time::timeout(CONNECT, self.connect()).await??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
        // Its error, if any, is that of the request or of the response's body.
        tokio::spawn(connection);
        let response = sender
            .send_request(upstream_request(request, visitor)?)
            .await?;
        let (mut head, body) = response.into_parts();
        strip(&mut head.headers);
        head.version = Version::HTTP_11;
        Ok(Response::from_parts(head, body.map_err(Into::into).boxed()))
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let addresses = resolve::look_up(&self.host, self.port, &[], |_| true).await?;
        resolve::connect(&addresses).await
    }
}

/// The request as the web server shall see it.
fn upstream_request<B>(request: Request<B>, visitor: &Visitor) -> Result<Request<B>, BodyError> {
    let (mut head, body) = request.into_parts();
    // HTTP/2 has the host in :authority (RFC 9113, Section 8.3.1).
    let host = match head.uri.authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str())?,
        None => head.headers.get(HOST).cloned().ok_or("no Host header")?,
    };
    strip(&mut head.headers);
    head.headers.remove(EXPECT);
    join_cookies(&mut head.headers)?;
    head.headers.insert(HOST, host.clone());
    // What a client says about itself here cannot be trusted, so it is replaced.
    for claim in [FORWARDED, CLIENT_CERT, CLIENT_CERT_CHAIN] {
        head.headers.remove(claim);
    }
    let address = visitor.address.ip().to_canonical();
    let client = HeaderValue::from_str(&address.to_string())?;
    head.headers.insert(X_FORWARDED_FOR, client);
    if let Some(certificate) = visitor.client_cert() {
        head.headers.insert(CLIENT_CERT, certificate);
    }
    head.headers.insert(X_FORWARDED_HOST, host);
    let https = HeaderValue::from_static("https");
    head.headers.insert(X_FORWARDED_PROTO, https);
    head.headers
        .insert(CONNECTION, HeaderValue::from_static("close"));
    head.uri = match head.uri.path_and_query() {
        Some(path) => Uri::from(path.clone()),
        None => Uri::from_static("/"),
    };
    head.version = Version::HTTP_11;
    Ok(Request::from_parts(head, body))
}

/// Removes what concerns one hop only.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// HTTP/2 may split cookies, HTTP/1.1 may not (RFC 9113, Section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) -> Result<(), BodyError> {
    let cookies: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if cookies.len() > 1 {
        let joined = HeaderValue::from_bytes(&cookies.join(b"; ".as_slice()))?;
        headers.insert(COOKIE, joined);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing::ConnectionInfo;

    #[test]
    fn only_plain_servers_without_a_path_are_taken() {
        for good in ["http://a.test:3000", "http://[::1]:80/", "http://127.0.0.1"] {
            assert!(Proxy::new(good).is_ok(), "{good}");
        }
        assert_eq!(Proxy::new("http://[::1]:81").unwrap().host, "::1");
        for bad in [
            "https://a",
            "a:80",
            "http://a/b",
            "http://a/?q",
            "http://",
            "",
        ] {
            assert!(Proxy::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_concerns_one_hop_stays_there() {
        let request = Request::post("https://a.test/x?y")
            .version(Version::HTTP_2)
            .header("connection", "keep-alive, X-Mine")
            .header("x-mine", "1")
            .header("x-theirs", "2")
            .header("te", "trailers")
            .header("transfer-encoding", "chunked")
            .header("upgrade", "websocket")
            .header("x-forwarded-for", "10.0.0.1")
            .header("forwarded", "for=10.0.0.1")
            .header("client-cert", ":AAAA:")
            .header("client-cert-chain", ":AAAA:")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(())
            .unwrap();
        let peer = "192.0.2.7:1".parse().unwrap();
        let visitor = Visitor::new(peer, &ConnectionInfo::default());
        let request = upstream_request(request, &visitor).unwrap();
        let headers = request.headers();
        assert_eq!(request.uri(), "/x?y");
        assert_eq!(headers[HOST], "a.test");
        assert_eq!(headers[CONNECTION], "close");
        assert_eq!(headers[X_FORWARDED_FOR], "192.0.2.7");
        assert_eq!(headers[X_FORWARDED_PROTO], "https");
        assert_eq!(headers[COOKIE], "a=1; b=2");
        assert_eq!(headers["x-theirs"], "2");
        for gone in [
            "x-mine",
            "te",
            "transfer-encoding",
            "upgrade",
            "forwarded",
            "client-cert",
            "client-cert-chain",
        ] {
            assert!(!headers.contains_key(gone), "{gone}");
        }
    }
}
