//! Where things to look at come from: files, stdin and servers.

use core::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use waxwing::ServerName;

use super::args::PeerArgs;
use super::fetch::{Fetched, Fetching};
use super::files::read;
use crate::args::NetworkArgs;
use crate::exit::Failure;
use crate::output::{self, Talk};

/// Servers that are asked at the same time.
const MAX_AT_ONCE: usize = 32;
/// What is over sooner needs no progress bar, in milliseconds.
const SOON: u128 = 500;

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
    Server(String, u16),
}

impl Source {
    /// A file goes first: names of files with a colon are rare, and a server can be told apart
    /// by the scheme in front of it.
    pub(super) fn new(text: &str) -> Self {
        if text == "-" {
            return Self::Stdin;
        }
        let path = Path::new(text);
        let address = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("tls://"))
            .map(|rest| rest.trim_end_matches('/'));
        match (path.exists(), address) {
            (false, Some(rest)) => match server(rest) {
                Some((host, port)) => Self::Server(host, port),
                None => Self::Server(unbracketed(rest).to_owned(), 443),
            },
            (false, None) => match server(text) {
                Some((host, port)) => Self::Server(host, port),
                None => Self::File(path.to_owned()),
            },
            (true, _) => Self::File(path.to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::File(path) => path.display().fmt(f),
            Self::Server(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Server(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// `HOST:PORT`; IPv6 in brackets.
fn server(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = unbracketed(host);
    let is_name = host.parse::<ServerName>().is_ok();
    is_name.then(|| (host.to_owned(), port))
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

/// What a source gave.
pub(super) enum Content {
    Bytes(Vec<u8>),
    Server(Box<Fetched>),
}

/// Reads all sources, servers at the same time, and returns what came in their order.
pub(super) async fn load(
    sources: &[Source],
    peer: &PeerArgs,
    network: &NetworkArgs,
    talk: Talk,
) -> Vec<Result<Content, Failure>> {
    let mut progress = Progress::new(sources.len(), talk);
    let fetching = Fetching::new(peer, network);
    let mut results: Vec<_> = sources.iter().map(|_| None).collect();
    let mut running = JoinSet::new();
    for (index, source) in sources.iter().enumerate() {
        match source {
            Source::Stdin | Source::File(_) => {
                results[index] = Some(local(source));
                progress.one_more();
            }
            Source::Server(host, port) => {
                if running.len() >= MAX_AT_ONCE {
                    keep(running.join_next().await, &mut results, &mut progress);
                }
                let fetch = fetching.start(host.clone(), *port);
                running.spawn(async move { (index, fetch.await) });
            }
        }
    }
    while let Some(done) = running.join_next().await {
        keep(Some(done), &mut results, &mut progress);
    }
    progress.end();
    let missing = || Err(Failure::new(crate::exit::Code::Bug, "a look-up was lost"));
    results
        .into_iter()
        .map(|result| result.unwrap_or_else(missing))
        .collect()
}

type Done = Result<(usize, Result<Fetched, Failure>), tokio::task::JoinError>;

fn keep(
    done: Option<Done>,
    results: &mut [Option<Result<Content, Failure>>],
    progress: &mut Progress,
) {
    if let Some(Ok((index, fetched))) = done
        && let Some(place) = results.get_mut(index)
    {
        *place = Some(fetched.map(|fetched| Content::Server(Box::new(fetched))));
        progress.one_more();
    }
}

fn local(source: &Source) -> Result<Content, Failure> {
    let path = match source {
        Source::File(path) => path.as_path(),
        _ => Path::new("-"),
    };
    let result = read(path).map(Content::Bytes);
    result.map_err(|failure| {
        if path.exists() {
            failure
        } else {
            failure.with_hint("a server is HOST:PORT, such as example.org:443")
        }
    })
}

/// Tells of all failures but the worst, which is left to end the program with.
pub(super) fn worst(failures: impl IntoIterator<Item = Failure>) -> Result<(), Failure> {
    let mut worst: Option<Failure> = None;
    for failure in failures {
        let graver = worst
            .as_ref()
            .is_none_or(|known| failure.code.number() > known.code.number());
        let told = if graver {
            worst.replace(failure)
        } else {
            Some(failure)
        };
        if let Some(told) = told {
            output::fail(&told);
        }
    }
    worst.map_or(Ok(()), Err)
}

/// The failure of one source among several.
pub(super) fn named(source: &Source, failure: Failure) -> Failure {
    let name = source.to_string();
    if failure.message.contains(&name) {
        return failure;
    }
    Failure {
        message: format!("{name}: {}", failure.message),
        ..failure
    }
}

/// A progress bar that appears when waiting gets long.
struct Progress {
    start: Instant,
    done: u64,
    total: u64,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(total: usize, talk: Talk) -> Self {
        Self {
            start: Instant::now(),
            done: 0,
            total: u64::try_from(total).unwrap_or(u64::MAX),
            wanted: total > 1 && !talk.quiet() && std::io::stderr().is_terminal(),
            bar: None,
        }
    }

    fn one_more(&mut self) {
        self.done += 1;
        if !self.wanted || self.start.elapsed().as_millis() < SOON {
            return;
        }
        let total = self.total;
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} left");
            ProgressBar::new(total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position(self.done);
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let server = |host: &str, port| Source::Server(host.to_owned(), port);
        for (text, expected) in [
            ("-", Source::Stdin),
            ("example.org:443", server("example.org", 443)),
            ("[::1]:8443", server("::1", 8443)),
            ("https://example.org/", server("example.org", 443)),
            ("https://example.org:8443", server("example.org", 8443)),
            ("https://[::1]/", server("::1", 443)),
            ("tls://127.0.0.1:25", server("127.0.0.1", 25)),
            ("absent.pem", Source::File("absent.pem".into())),
            ("example.org", Source::File("example.org".into())),
            ("a b:443", Source::File("a b:443".into())),
            ("x:99999", Source::File("x:99999".into())),
        ] {
            assert_eq!(Source::new(text), expected, "{text}");
        }
        assert_eq!(server("::1", 1).to_string(), "[::1]:1");
    }

    #[test]
    fn the_worst_failure_decides() {
        use crate::exit::Code;
        assert_eq!(worst([]), Ok(()));
        let all = [Code::Network, Code::Revoked, Code::Usage].map(|code| Failure::new(code, ""));
        assert_eq!(worst(all).unwrap_err().code, Code::Revoked);
    }
}
