//! How clients come back: --tickets, --store, --early-data and --psk.

use std::path::Path;
use std::sync::Arc;

use waxwing::{
    ExternalPsk, PROVIDER, PskLookup, PskResolver, ReplayGuard, ServerConfigBuilder, SystemClock,
};
use waxwing_server::store::{DirStore, RedisStore, Store};
use waxwing_server::{
    LocalReplayGuard, RefreshTask, ServerAnswers, SharedReplayGuard, SharedTicketKeys, TicketKeys,
};
use zeroize::Zeroizing;

use crate::args::ServeSessionArgs;
use crate::exit::{Code, Failure, plain};
use crate::output::Talk;

/// What the keys of all servers with the same store and master key are called.
const POOL: &str = "serve";
/// Hellos with early data that one process remembers, each for 20 seconds.
const REMEMBERED: usize = 100_000;

/// What connections need beyond the configuration.
pub(crate) struct Sessions {
    pub(crate) answers: ServerAnswers,
    /// Keeps shared keys fresh for as long as it is there.
    _refreshing: Option<RefreshTask>,
}

/// Adds what was asked for to a configuration.
pub(crate) async fn add(
    mut config: ServerConfigBuilder,
    args: &ServeSessionArgs,
    talk: Talk,
) -> Result<(ServerConfigBuilder, Sessions), Failure> {
    if !args.psk.is_empty() {
        let psks = args.psk.iter().cloned();
        let psks = psks.map(|psk| psk.prepared(&PROVIDER)).collect();
        config = config.external_psks(Arc::new(Keys(psks)));
    }
    let mut sessions = Sessions {
        answers: ServerAnswers::new(),
        _refreshing: None,
    };
    if args.tickets == 0 {
        return Ok((config, sessions));
    }
    let clock = Arc::new(SystemClock);
    let (keys, guard): (_, Option<Arc<dyn ReplayGuard>>) = match &args.store {
        None => {
            let keys = TicketKeys::new(&PROVIDER, clock.clone()).ok_or_else(no_cipher)?;
            let guard = LocalReplayGuard::beside_new_keys(REMEMBERED, clock.clone());
            (Arc::new(keys), Some(Arc::new(guard)))
        }
        Some(url) => {
            let shared = Shared::open(url, args).await?;
            let member = shared.member(talk).await?;
            sessions._refreshing = Some(member.spawn());
            let guard = SharedReplayGuard::new(shared.store, clock.clone()).map(Arc::new);
            if let Some(guard) = &guard {
                sessions.answers = sessions.answers.guard(guard.clone());
            }
            (member.keys(), guard.map(|guard| guard as _))
        }
    };
    config = config.sessions(keys, clock).tickets(args.tickets);
    if args.early_data > 0 {
        let guard = guard.ok_or_else(|| {
            Failure::usage("--early-data with --store takes a redis:// store")
                .with_hint("a folder is too slow to tell copies of early data during handshakes")
        })?;
        config = config.early_data(args.early_data, guard);
    }
    Ok((config, sessions))
}

/// A store that other servers use, too.
struct Shared {
    store: Arc<dyn Store>,
    master_key: Zeroizing<[u8; 32]>,
}

impl Shared {
    async fn open(url: &str, args: &ServeSessionArgs) -> Result<Self, Failure> {
        let master_key = match &args.master_key_file {
            Some(path) => master_key(path)?,
            None => return Err(Failure::usage("--store needs --master-key-file")),
        };
        let store = open(url).await.map_err(|reason| {
            Failure::network(format!("--store {}: {reason}", without_secret(url)))
        })?;
        Ok(Self { store, master_key })
    }

    /// Becomes one of the servers that share keys.
    async fn member(&self, talk: Talk) -> Result<Arc<SharedTicketKeys>, Failure> {
        let clock = Arc::new(SystemClock);
        let store = Arc::clone(&self.store);
        let member = SharedTicketKeys::new(&PROVIDER, clock, store, POOL, &self.master_key)
            .map_err(|error| Failure::usage(error.to_string()))?;
        match member.refresh().await {
            Ok(_) => {}
            // It may come back; until then there are full handshakes.
            Err(waxwing_server::FleetError::Store(error)) => {
                talk.warn(format_args!(
                    "nothing is resumed until the store answers: {error}"
                ));
            }
            Err(error) => return Err(Failure::usage(error.to_string())),
        }
        Ok(Arc::new(member))
    }
}

async fn open(url: &str) -> Result<Arc<dyn Store>, String> {
    if let Some(path) = url.strip_prefix("dir:") {
        let store = DirStore::open(path, PROVIDER.random, Arc::new(SystemClock));
        return Ok(Arc::new(store.map_err(|error| plain(&error))?));
    }
    let store = RedisStore::connect(url, PROVIDER.random).await;
    Ok(Arc::new(store.map_err(|error| error.to_string())?))
}

/// The store's address without the password that may stand in it.
fn without_secret(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            let host = url.get(at..).unwrap_or_default();
            format!("{}://…{host}", url.get(..scheme).unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

fn master_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let text = Zeroizing::new(text);
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), key.as_mut_slice()).map_err(|error| {
        Failure::usage(format!(
            "{}: not 64 hexadecimal digits: {error}",
            path.display()
        ))
        .with_hint("`openssl rand -hex 32` makes such a key")
    })?;
    Ok(key)
}

fn no_cipher() -> Failure {
    Failure::new(Code::Bug, "no cipher for tickets")
}

/// The keys of --psk.
#[derive(Debug)]
struct Keys(Vec<ExternalPsk>);

impl PskResolver for Keys {
    fn find(&self, identity: &[u8]) -> PskLookup {
        let mut keys = self.0.iter();
        match keys.find(|key| key.identity() == identity) {
            Some(key) => PskLookup::Found(key.clone()),
            None => PskLookup::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let shown = without_secret("redis://user:secret@host:6379/1");
        assert_eq!(shown, "redis://…@host:6379/1");
        assert_eq!(without_secret("dir:/a@b"), "dir:/a@b");
    }
}
