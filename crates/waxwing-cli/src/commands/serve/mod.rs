//! `waxwing serve`: a folder over HTTPS, a reverse proxy, or an echo.

use core::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use waxwing::compression::DECOMPRESSORS;
use waxwing::{PROVIDER, ServerConfig};

use crate::args::ServeArgs;
use crate::exit::{Failure, plain};
use crate::output::Talk;
use crate::tls::{key_log, versions};

mod announce;
mod cert;
mod clients;
mod connection;
mod echo;
mod files;
mod listing;
mod proxy;
mod range;
mod run;
mod sessions;
mod signals;

use cert::Identity;
use files::Files;
use proxy::Proxy;
use sessions::Sessions;

/// What is done with a connection once TLS stands.
pub(crate) enum Mode {
    Files(Files),
    Proxy(Proxy),
    Echo,
}

impl Mode {
    fn new(args: &ServeArgs) -> Result<Self, Failure> {
        if args.echo {
            return Ok(Self::Echo);
        }
        match &args.to {
            Some(url) => Proxy::new(url).map(Self::Proxy),
            None => Files::new(&args.dir, args.hidden).map(Self::Files),
        }
    }

    /// What is offered by ALPN.
    fn alpn(&self, args: &ServeArgs) -> Vec<String> {
        match self {
            Self::Files(_) | Self::Proxy(_) => vec!["h2".to_owned(), "http/1.1".to_owned()],
            Self::Echo => args.alpn.clone(),
        }
    }
}

/// Everything that connections share.
pub(crate) struct Server {
    pub(crate) mode: Mode,
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) sessions: Sessions,
    pub(crate) talk: Talk,
}

/// Serves until a signal comes.
pub(crate) async fn run(args: &ServeArgs, talk: Talk) -> Result<(), Failure> {
    let mode = Mode::new(args)?;
    let identity = Identity::new(args)?;
    let alpn = mode.alpn(args);
    let client_auth = clients::client_auth(args)?;
    let mut config = ServerConfig::builder(&PROVIDER, Arc::new(identity.key.clone()))
        .versions(versions(&args.tls, &[])?)
        .cert_decompressors(DECOMPRESSORS)
        .alpn(&alpn);
    if let Some(client_auth) = client_auth {
        config = config.client_auth(client_auth).keep_peer_chain(true);
    }
    if let Some(log) = key_log(args.tls.keylog(), talk)? {
        config = config.key_log(log);
    }
    let (config, sessions) = sessions::add(config, &args.sessions, talk).await?;
    let config = config
        .build()
        .map_err(|error| Failure::usage(error.to_string()))?;
    let signals = signals::Signals::new()?;
    let listener = listen(args.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| busy(args.listen, &error))?;
    let file = identity.publish(args, address)?;
    announce::announce(talk, args, &mode, &identity, file.path(), address, &alpn)?;
    let server = Arc::new(Server {
        mode,
        config,
        sessions,
        talk,
    });
    let limit = usize::try_from(args.max_connections).unwrap_or(usize::MAX);
    run::accept_until(server, listener, limit, signals).await;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| busy(address, &error))
}

fn busy(address: SocketAddr, error: &std::io::Error) -> Failure {
    let failure = Failure::network(format!("cannot listen on {address}: {}", plain(error)));
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            failure.with_hint("--listen ADDR:PORT takes another port; port 0 is any free one")
        }
        std::io::ErrorKind::PermissionDenied => {
            failure.with_hint("ports below 1024 are for privileged users")
        }
        _ => failure,
    }
}
