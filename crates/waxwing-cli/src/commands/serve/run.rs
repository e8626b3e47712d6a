//! Accepting connections, and ending them in order.

use core::time::Duration;
use std::io;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::signals::Signals;
use super::{Server, connection};
use crate::exit::plain;

/// How long running requests may take to end after a signal.
const DRAIN: Duration = Duration::from_secs(10);
/// Pause after an accept that failed, as when file descriptors run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until a signal, then lets connections end. A second signal ends them at once.
pub(crate) async fn accept_until(
    server: Arc<Server>,
    listener: TcpListener,
    limit: usize,
    mut signals: Signals,
) {
    let slots = Arc::new(Semaphore::new(limit));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = signals.next() => break,
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listener, &slots) => match accepted {
                Ok((tcp, peer, slot)) => {
                    let task = connection::serve(Arc::clone(&server), tcp, peer, stopping.clone());
                    connections.spawn(async move {
                        task.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    server.talk.warn(format_args!("cannot accept: {}", plain(&error)));
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    stop.send_replace(true);
    drain(&server, &mut connections, &mut signals).await;
}

/// A connection is only accepted when there is room for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, core::net::SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (tcp, peer) = listener.accept().await?;
    Ok((tcp, peer, slot))
}

async fn drain(server: &Server, connections: &mut JoinSet<()>, signals: &mut Signals) {
    if !connections.is_empty() {
        server.talk.detail(format_args!(
            "waiting for {} connections to end",
            connections.len()
        ));
    }
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let ended = tokio::select! {
        ended = tokio::time::timeout(DRAIN, all_ended) => ended.is_ok(),
        () = signals.next() => false,
    };
    if !ended {
        server
            .talk
            .warn(format_args!("{} connections cut off", connections.len()));
    }
}
