//! One request, and those that redirects make of it.

use core::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::response::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use waxwing::tokio::TlsStream;

use super::connect::Connector;
use super::report::{Document, Report, ResponseFacts};
use super::request::Ask;
use super::sink::Sink;
use super::url::Target;
use super::watched::{Fault, Watched};
use crate::args::GetArgs;
use crate::exit::{Code, Failure};
use crate::output::{self, Talk, safe};

/// How long the connection may take to close once everything is here.
const CLOSE: Duration = Duration::from_secs(1);

/// An answer, and the task that moves its connection.
struct Exchange {
    response: Response<Incoming>,
    connection: JoinHandle<hyper::Result<()>>,
    fault: Fault,
}

/// Fetches `target`, and follows redirects if the user wants so.
pub(crate) async fn fetch(
    args: &GetArgs,
    connector: &Connector<'_>,
    mut target: Target,
    talk: Talk,
    document: &mut Document,
) -> Result<(), Failure> {
    let mut ask = Ask::new(&args.request)?;
    let mut redirects = 0;
    loop {
        let connected = connector.connect(&target).await?;
        let report = Report::new(&connected);
        report.tell(talk);
        let http2 = report.alpn.as_deref() == Some("h2");
        document.connection = Some(report);
        if args.request.http2 && !http2 {
            let text = format!("{} does not speak HTTP/2", target.host);
            return Err(Failure::tls(text));
        }
        let version = if http2 {
            Version::HTTP_2
        } else {
            Version::HTTP_11
        };
        let request = ask.request(&target, version)?;
        tell_request(talk, &request, &target);
        let exchange = exchange(connected.stream, request, &target).await?;
        let status = exchange.response.status();
        let location = exchange.response.headers().get(LOCATION);
        let next = match location.and_then(|value| value.to_str().ok()) {
            Some(location) if args.request.location && follows(status) => target.join(location)?,
            _ => return receive(args, &target, ask.method(), exchange, talk, document).await,
        };
        tell_response(talk, exchange.response.version(), &exchange.response);
        if redirects == args.request.max_redirs {
            return Err(Failure::tls(format!("more than {redirects} redirects"))
                .with_hint("--max-redirs N follows more"));
        }
        redirects += 1;
        talk.fact("redirect", &next);
        ask.redirect(status, target.same_origin(&next));
        document.redirects.push(next.to_string());
        target = next;
    }
}

/// The statuses that lead elsewhere (RFC 9110, Section 15.4).
const fn follows(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

async fn exchange(
    stream: TlsStream<TcpStream>,
    request: Request<Full<Bytes>>,
    target: &Target,
) -> Result<Exchange, Failure> {
    let (stream, fault) = Watched::new(stream);
    let wrong = |error: hyper::Error| fault.explain(&target.host, &error);
    let io = TokioIo::new(stream);
    if request.version() == Version::HTTP_2 {
        let handshake = http2::handshake(TokioExecutor::new(), io).await;
        let (mut sender, connection) = handshake.map_err(wrong)?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await;
        return answered(response, connection, fault, target).await;
    }
    let (mut sender, connection) = http1::handshake(io).await.map_err(wrong)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    answered(response, connection, fault, target).await
}

/// The exchange, if there was an answer. If not, the connection knows better why than the
/// request: a server of TLS 1.3 may refuse a client while that sends its first request.
async fn answered(
    response: hyper::Result<Response<Incoming>>,
    connection: JoinHandle<hyper::Result<()>>,
    fault: Fault,
    target: &Target,
) -> Result<Exchange, Failure> {
    let error = match response {
        Ok(response) => {
            return Ok(Exchange {
                response,
                connection,
                fault,
            });
        }
        Err(error) => error,
    };
    let why = match tokio::time::timeout(CLOSE, connection).await {
        Ok(Ok(Err(why))) => why,
        _ => error,
    };
    Err(fault.explain(&target.host, &why))
}

/// Takes the answer that counts.
async fn receive(
    args: &GetArgs,
    target: &Target,
    method: &Method,
    exchange: Exchange,
    talk: Talk,
    document: &mut Document,
) -> Result<(), Failure> {
    let version = exchange.response.version();
    tell_response(talk, version, &exchange.response);
    let (head, body) = exchange.response.into_parts();
    let facts = document.response.insert(facts(&head));
    if args.request.fail && head.status.as_u16() >= 400 {
        let text = format!("{target}: the server answered {}", head.status);
        return Err(Failure::new(Code::Verdict, text));
    }
    if (args.body.include || *method == Method::HEAD) && !talk.json() {
        let printed = output::print(&head_text(&head));
        printed.map_err(|error| Failure::stdout(&error))?;
    }
    if *method != Method::HEAD {
        let (length, file) = save(args, target, body, &exchange.fault, talk).await?;
        facts.body_length = length;
        facts.body_file = file;
    }
    // Whether the goodbye arrives does not matter any more.
    let _ = tokio::time::timeout(CLOSE, exchange.connection).await;
    Ok(())
}

async fn save(
    args: &GetArgs,
    target: &Target,
    mut body: Incoming,
    fault: &Fault,
    talk: Talk,
) -> Result<(u64, Option<String>), Failure> {
    let expected = body.size_hint().exact();
    let mut sink = Sink::open(&args.body, target, expected, talk).await?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| fault.explain(&target.host, &error))?;
        if let Ok(data) = frame.into_data()
            && !sink.write(&data).await?
        {
            break;
        }
    }
    let (length, path) = sink.finish().await?;
    Ok((length, path.map(|path| path.display().to_string())))
}

fn facts(head: &Parts) -> ResponseFacts {
    ResponseFacts {
        status: head.status.as_u16(),
        http_version: format!("{:?}", head.version),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.to_string(), value.into_owned())
            })
            .collect(),
        body_length: 0,
        body_file: None,
    }
}

fn head_text(head: &Parts) -> String {
    let mut text = format!("{:?} {}\n", head.version, head.status);
    for (name, value) in &head.headers {
        let value = safe(&String::from_utf8_lossy(value.as_bytes()));
        text.push_str(&format!("{name}: {value}\n"));
    }
    text
}

fn tell_request(talk: Talk, request: &Request<Full<Bytes>>, target: &Target) {
    talk.detail(format_args!(
        "> {} {} {:?}",
        request.method(),
        target.path,
        request.version()
    ));
    tell_headers(talk, '>', request.headers());
}

fn tell_response(talk: Talk, version: Version, response: &Response<Incoming>) {
    talk.detail(format_args!("< {version:?} {}", response.status()));
    tell_headers(talk, '<', response.headers());
}

fn tell_headers(talk: Talk, mark: char, headers: &http::HeaderMap) {
    for (name, value) in headers {
        let value = safe(&String::from_utf8_lossy(value.as_bytes()));
        talk.detail(format_args!("{mark} {name}: {value}"));
    }
}
