//! The client: one thread with some connections, which asks and waits for all of the answer.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use waxwing::ClientConfig;
use waxwing::tokio::TlsStream;

use super::Load;
use crate::engines::waxwing_client;
use crate::pki::{Pki, SERVER_NAME};
use crate::scenario::Scenario;

pub(crate) struct Client {
    runtime: Runtime,
    config: Arc<ClientConfig>,
}

impl Client {
    pub(crate) fn new(pki: &Pki) -> Self {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            runtime: runtime.enable_io().build().expect("a runtime"),
            config: waxwing_client(pki, Scenario::BASE),
        }
    }

    /// Makes all requests of `load`; returns how long that took. Connections that are kept are made
    /// before.
    pub(crate) fn run(&self, port: u16, load: Load) -> Duration {
        let local = tokio::task::LocalSet::new();
        local.block_on(&self.runtime, async {
            let mut kept = Vec::new();
            for _ in 0..load.connections {
                kept.push(match load.per_connection {
                    0 => Some(connect(&self.config, port).await),
                    _ => None,
                });
            }
            let start = Instant::now();
            let tasks: Vec<_> = kept
                .into_iter()
                .map(|stream| {
                    let config = Arc::clone(&self.config);
                    tokio::task::spawn_local(requests(config, port, load, stream))
                })
                .collect();
            for task in tasks {
                task.await.expect("the server answers");
            }
            start.elapsed()
        })
    }
}

async fn connect(config: &Arc<ClientConfig>, port: u16) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
    let socket = socket.expect("the server listens");
    socket.set_nodelay(true).expect("it is TCP");
    let name = SERVER_NAME.parse().expect("a DNS name");
    waxwing::tokio::connect(Arc::clone(config), name, socket)
        .await
        .expect("the server can be verified")
}

/// One connection's share of the requests, or that of the connections that follow each other.
async fn requests(
    config: Arc<ClientConfig>,
    port: u16,
    load: Load,
    mut kept: Option<TlsStream<TcpStream>>,
) {
    let request = format!("GET /{} HTTP/1.1\r\nHost: {SERVER_NAME}\r\n\r\n", load.size);
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..load.requests / load.connections {
        match &mut kept {
            Some(stream) => ask(stream, &request, load.size, &mut buffer).await,
            None => {
                let mut stream = connect(&config, port).await;
                ask(&mut stream, &request, load.size, &mut buffer).await;
                // The server may have closed first.
                stream.shutdown().await.ok();
            }
        }
    }
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// One request and its answer, whose head comes whole in the first read.
async fn ask(stream: &mut TlsStream<TcpStream>, request: &str, size: usize, buffer: &mut [u8]) {
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("the server reads");
    let len = stream.read(buffer).await.expect("the server answers");
    let mut windows = buffer[..len].windows(END_OF_HEAD.len());
    let head = windows.position(|window| window == END_OF_HEAD);
    let mut missing = size + END_OF_HEAD.len() + head.expect("a whole head") - len;
    assert!(buffer.starts_with(b"HTTP/1.1 200 "), "the path is known");
    while missing > 0 {
        let len = stream.read(buffer).await.expect("the server goes on");
        assert!(len > 0, "the answer ends early");
        missing -= len;
    }
}
