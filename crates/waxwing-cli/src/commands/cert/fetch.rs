//! Asking a server for its certificates, trusted or not.

use core::time::Duration;
use std::sync::Arc;

use waxwing::compression::DECOMPRESSORS;
use waxwing::pki::dangerous::AcceptAny;
use waxwing::{ClientConfig, PROVIDER, ServerName};

use super::args::PeerArgs;
use crate::args::NetworkArgs;
use crate::exit::{Code, Failure, plain};
use crate::resolve::{self, Override};

/// What a server showed.
pub(super) struct Fetched {
    /// In DER, the server's own first.
    pub(super) chain: Vec<Vec<u8>>,
    /// Whom we asked for.
    pub(super) name: ServerName,
}

/// How servers are asked.
pub(super) struct Fetching {
    servername: Option<ServerName>,
    resolve: Vec<Override>,
    ipv4: bool,
    ipv6: bool,
    timeout: Duration,
}

impl Fetching {
    pub(super) fn new(peer: &PeerArgs, network: &NetworkArgs) -> Self {
        Self {
            servername: peer.servername.clone(),
            resolve: network.resolve.clone(),
            ipv4: network.ipv4,
            ipv6: network.ipv6,
            timeout: network
                .max_time
                .unwrap_or(network.timeout)
                .min(network.timeout),
        }
    }

    /// Begins to ask one.
    pub(super) fn start(
        &self,
        host: String,
        port: u16,
    ) -> impl Future<Output = Result<Fetched, Failure>> + Send + 'static {
        let (servername, overrides) = (self.servername.clone(), self.resolve.clone());
        let (ipv4, ipv6, limit) = (self.ipv4, self.ipv6, self.timeout);
        async move {
            let name = match servername {
                Some(name) => name,
                None => host
                    .parse()
                    .map_err(|error: waxwing::InvalidName| Failure::usage(error.to_string()))?,
            };
            let asking = ask(&host, port, &overrides, (ipv4, ipv6), name);
            let late = || {
                let text = format!("no answer after {} s", limit.as_secs_f64());
                Failure::new(Code::Network, text).with_hint("--timeout SECONDS waits longer")
            };
            tokio::time::timeout(limit, asking)
                .await
                .unwrap_or_else(|_| Err(late()))
        }
    }
}

async fn ask(
    host: &str,
    port: u16,
    overrides: &[Override],
    (ipv4, ipv6): (bool, bool),
    name: ServerName,
) -> Result<Fetched, Failure> {
    let wanted = |address: &core::net::IpAddr| (!ipv4 && !ipv6) || address.is_ipv4() == ipv4;
    let addresses = resolve::look_up(host, port, overrides, wanted)
        .await
        .map_err(|error| Failure::network(format!("cannot find {host}: {}", plain(&error))))?;
    let tcp = resolve::connect(&addresses)
        .await
        .map_err(|error| Failure::network(format!("cannot connect: {}", plain(&error))))?;
    // What is shown is looked at, not trusted; nothing is sent.
    let config = ClientConfig::builder(&PROVIDER, Arc::new(AcceptAny::silently()))
        .cert_decompressors(DECOMPRESSORS)
        .keep_peer_chain(true)
        .build()
        .map_err(|error| Failure::new(Code::Bug, error.to_string()))?;
    let stream = waxwing::tokio::connect(config, name.clone(), tcp)
        .await
        .map_err(|error| Failure::connection(host, &error))?;
    let chain = &stream.info().peer_chain;
    Ok(Fetched {
        chain: chain.iter().map(|der| der.to_vec()).collect(),
        name,
    })
}
