//! One connection, from its first byte to its last.

use core::convert::Infallible;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue, SERVER};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use waxwing::tokio::TlsStream;

use super::clients::Visitor;
use super::{Mode, Server, echo};
use crate::exit::chain;

/// How long a client may take for the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take for the head of a request, and how long it may be idle before it.
const HEAD: Duration = Duration::from_secs(30);
/// How often an HTTP/2 client is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);
/// Requests at a time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// All headers of a request together, in bytes.
const MAX_HEAD: u32 = 64 * 1024;
/// As much as HTTP/1.1 needs for that.
const MAX_BUFFER: usize = 128 * 1024;

/// What a response may fail with while its body is sent.
pub(crate) type BodyError = Box<dyn Error + Send + Sync>;
/// A response body of any kind.
pub(crate) type Body = BoxBody<Bytes, BodyError>;

/// A body at hand.
pub(crate) fn full(content: impl Into<Bytes>) -> Body {
    Full::new(content.into())
        .map_err(|never: Infallible| match never {})
        .boxed()
}

/// A response that consists of its status.
pub(crate) fn plain_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(format!("{status}\n")));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, text);
    response
}

/// Serves one connection. What goes wrong is told with -v, and concerns nobody else.
pub(crate) async fn serve(
    server: Arc<Server>,
    tcp: TcpStream,
    peer: SocketAddr,
    mut stopping: watch::Receiver<bool>,
) {
    let talk = server.talk;
    if let Err(error) = tcp.set_nodelay(true) {
        talk.detail(format_args!("{peer} {error}"));
    }
    let answers = server.sessions.answers.clone();
    let handshake = waxwing::tokio::accept_with(Arc::clone(&server.config), tcp, answers);
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(HANDSHAKE, handshake) => outcome,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    let stream = match outcome {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return talk.detail(format_args!("{peer} handshake failed: {}", chain(&error)));
        }
        Err(_) => return talk.detail(format_args!("{peer} handshake timed out")),
    };
    let visitor = Visitor::new(peer, stream.info());
    if let Some(introduction) = visitor.introduction() {
        talk.detail(introduction);
    }
    let result = match server.mode {
        Mode::Echo => echo::serve(stream, stopping).await.map_err(BodyError::from),
        Mode::Files(_) | Mode::Proxy(_) => http(&server, stream, visitor, stopping).await,
    };
    if let Err(error) = result {
        talk.detail(format_args!("{peer} {}", chain(&*error)));
    }
}

/// HTTP/2 if ALPN says so, else HTTP/1.1. A stop lets the running requests end.
async fn http(
    server: &Arc<Server>,
    stream: TlsStream<TcpStream>,
    visitor: Visitor,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), BodyError> {
    let http2 = stream.info().alpn.as_deref() == Some(b"h2");
    let io = TokioIo::new(stream);
    let visitor = Arc::new(visitor);
    let service = service_fn(|request| answer(Arc::clone(server), request, Arc::clone(&visitor)));
    if http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        return Ok(connection.await?);
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

async fn answer(
    server: Arc<Server>,
    request: Request<Incoming>,
    visitor: Arc<Visitor>,
) -> Result<Response<Body>, Infallible> {
    let line = format!(
        "{visitor} \"{} {} {:?}\"",
        request.method(),
        request
            .uri()
            .path_and_query()
            .map_or("*", |path| path.as_str()),
        request.version()
    );
    let mut response = match &server.mode {
        Mode::Files(files) => files.answer(&request).await,
        Mode::Proxy(proxy) => proxy.pass(request, &visitor, server.talk).await,
        Mode::Echo => plain_status(StatusCode::NOT_IMPLEMENTED),
    };
    if matches!(server.mode, Mode::Files(_)) {
        let name = HeaderValue::from_static(concat!("waxwing/", env!("CARGO_PKG_VERSION")));
        response.headers_mut().insert(SERVER, name);
    }
    let length = response.headers().get(CONTENT_LENGTH).map_or_else(
        || response.body().size_hint().exact().map(|n| n.to_string()),
        |length| length.to_str().ok().map(str::to_owned),
    );
    server.talk.detail(format_args!(
        "{line} {} {}",
        response.status().as_u16(),
        length.as_deref().unwrap_or("-")
    ));
    Ok(response)
}
