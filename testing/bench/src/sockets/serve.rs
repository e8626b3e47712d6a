//! The child's part: hyper's HTTP/1 server over TLS, in one thread.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::SIZES;
use crate::engines::{rustls_server, waxwing_server};
use crate::pki::Pki;
use crate::scenario::Scenario;

/// Serves with the library called `name` until the standard input ends. Prints its port first.
pub(crate) fn serve(name: &str, pki: &Pki) -> io::Result<()> {
    // The parent has gone when this ends.
    thread::spawn(|| {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let local = tokio::task::LocalSet::new();
        local.run_until(accept(name, pki, listener)).await
    })
}

async fn accept(name: &str, pki: &Pki, listener: TcpListener) -> io::Result<()> {
    let bodies = SIZES.map(|size| Bytes::from(vec![0x61; size]));
    if name == "Waxwing" {
        let config = waxwing_server(pki, Scenario::BASE);
        accept_all(listener, bodies, move |socket| {
            waxwing::tokio::accept(Arc::clone(&config), socket)
        })
        .await
    } else {
        let acceptor = TlsAcceptor::from(Arc::new(rustls_server(pki, Scenario::BASE)));
        accept_all(listener, bodies, move |socket| acceptor.accept(socket)).await
    }
}

async fn accept_all<S, F>(
    listener: TcpListener,
    bodies: [Bytes; 2],
    handshake: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Future<Output = io::Result<S>> + 'static,
{
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (stream, bodies) = (handshake(socket), bodies.clone());
        tokio::task::spawn_local(async move {
            // A client that goes away is nothing to speak of.
            if let Ok(stream) = stream.await {
                let answer = service_fn(move |request| answer(request, bodies.clone()));
                let server = http1::Builder::new();
                server
                    .serve_connection(TokioIo::new(stream), answer)
                    .await
                    .ok();
            }
        });
    }
}

/// The path is the size.
async fn answer(
    request: Request<Incoming>,
    bodies: [Bytes; 2],
) -> Result<Response<Full<Bytes>>, Infallible> {
    let size = request.uri().path().trim_start_matches('/');
    let body = bodies
        .into_iter()
        .find(|body| size == body.len().to_string());
    Ok(Response::new(Full::new(body.unwrap_or_default())))
}
