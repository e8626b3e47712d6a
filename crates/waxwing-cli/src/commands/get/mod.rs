//! `waxwing get`: an HTTPS client, and a pipe to any TLS server.

use crate::args::GetArgs;
use crate::exit::{Code, Failure};
use crate::output::{self, Talk};

mod connect;
mod http;
mod pipe;
mod report;
pub(crate) mod request;
mod sessions;
mod sink;
mod url;
mod watched;

use connect::Connector;
use report::Document;
use url::{Scheme, Target};

/// Fetches, within the time that --max-time gives.
pub(crate) async fn run(args: &GetArgs, talk: Talk) -> Result<(), Failure> {
    let mut document = Document::new(args.url.clone());
    let fetch = fetch(args, talk, &mut document);
    let result = match args.network.max_time {
        Some(limit) => tokio::time::timeout(limit, fetch)
            .await
            .unwrap_or_else(|_| {
                let text = format!("not done after {} s (--max-time)", limit.as_secs_f64());
                Err(Failure::new(Code::Network, text))
            }),
        None => fetch.await,
    };
    if talk.json() {
        if let Err(failure) = &result {
            document.failed(failure);
        }
        output::json(&document).map_err(|error| Failure::stdout(&error))?;
    }
    result
}

async fn fetch(args: &GetArgs, talk: Talk, document: &mut Document) -> Result<(), Failure> {
    let target = Target::new(&args.url)?;
    if target.scheme == Scheme::Tls && talk.json() {
        return Err(Failure::usage("--json is for https://, not for tls://"));
    }
    if target.scheme == Scheme::Https && args.sessions.early_data.is_some() {
        return Err(Failure::usage(
            "--early-data is for tls://, not for https://",
        ));
    }
    let connector = Connector::new(args, &target, talk)?;
    let result = match target.scheme {
        Scheme::Https => http::fetch(args, &connector, target, talk, document).await,
        Scheme::Tls => pipe::run(&connector, &target, talk).await,
    };
    connector.finish_trace();
    connector.save_sessions();
    result
}
