//! A store in Redis or Valkey.
//!
//! A value is one string, `version 16 | value`, so that a script sees the version in its first
//! bytes. Changes under a condition on the version are scripts, which Redis runs one at a time; all
//! others are single commands.

use core::fmt;
use core::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, RedisError, Script};
use tokio::time::timeout;
use waxwing_crypto::SecureRandom;

use super::{
    Cond, Entry, Store, StoreError, StoreFuture, VERSION_LEN, Version, check, check_key, millis,
    new_version,
};

/// How long an answer may take, and a new connection.
const PATIENCE: Duration = Duration::from_secs(1);
/// What all our keys begin with, as others may use the same server.
const PREFIX: &str = "waxwing/";
/// Keys that Redis looks at in one step of a listing.
const SCAN_COUNT: usize = 1000;

/// KEYS: the key. ARGV: expected version, new string, milliseconds or nothing.
const PUT_IF: &str = "
if redis.call('GETRANGE', KEYS[1], 0, 15) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1";

/// KEYS: the key. ARGV: expected version.
const DEL_IF: &str = "
if redis.call('GETRANGE', KEYS[1], 0, 15) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// Keeps everything in a Redis or Valkey server: for the servers of one site.
///
/// One connection carries all requests; it is made again when it breaks, by whoever asks next. While
/// the server cannot be reached, requests fail within a second or two.
///
/// The server must not evict keys of its own accord: leave `maxmemory-policy` at `noeviction`.
#[derive(Clone)]
pub struct RedisStore {
    connection: ConnectionManager,
    /// Where it is, without any password.
    place: String,
    put_if: Script,
    del_if: Script,
    random: &'static dyn SecureRandom,
}

impl RedisStore {
    /// Connects to `redis://[user:password@]host[:port][/database]`, or to
    /// `unix:///path/of/socket`. `random` makes versions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], with the reason.
    pub async fn connect(url: &str, random: &'static dyn SecureRandom) -> Result<Self, StoreError> {
        let store = Self::connect_later(url, random)?;
        store.ask::<String>(&redis::cmd("PING")).await?;
        Ok(store)
    }

    /// As [`Self::connect`], but connects with the first request: for servers that shall start
    /// whether the store is there or not. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the address is none.
    pub fn connect_later(url: &str, random: &'static dyn SecureRandom) -> Result<Self, StoreError> {
        check_url(url)?;
        let client =
            Client::open(url).map_err(|error| bad_url(&format!("it cannot be read ({error})")))?;
        let place = client.get_connection_info().addr().to_string();
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connection = ConnectionManager::new_lazy_with_config(client, config)
            .map_err(|error| unavailable(&place, &error))?;
        Ok(Self {
            connection,
            place,
            put_if: Script::new(PUT_IF),
            del_if: Script::new(DEL_IF),
            random,
        })
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        self.in_time(command.query_async(&mut connection)).await
    }

    /// Runs a script on a key; it tells whether it made a change.
    async fn run(
        &self,
        script: &Script,
        key: &str,
        expected: &Version,
        args: &[&[u8]],
    ) -> Result<bool, StoreError> {
        // An empty one would equal what a missing key begins with.
        if expected.as_bytes().len() != VERSION_LEN {
            return Ok(false);
        }
        let mut connection = self.connection.clone();
        let mut call = script.prepare_invoke();
        call.key(full(key)).arg(expected.as_bytes());
        for arg in args {
            call.arg(*arg);
        }
        self.in_time(call.invoke_async(&mut connection)).await
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, StoreError> {
        // A request may wait for a connection and then for its answer.
        match timeout(PATIENCE * 2, answer).await {
            Ok(answer) => answer.map_err(|error| unavailable(&self.place, &error)),
            Err(_) => Err(StoreError::Unavailable(format!(
                "{} takes too long",
                self.place
            ))),
        }
    }

    async fn put_now(
        &self,
        key: &str,
        value: &[u8],
        condition: Cond,
        ttl: Option<Duration>,
    ) -> Result<Version, StoreError> {
        check(key, value)?;
        let version = new_version(self.random)?;
        let string = [&version, value].concat();
        let ttl = ttl.map(millis);
        let changed = match condition {
            Cond::Is(expected) => {
                let ttl = ttl.map_or_else(String::new, |ttl| ttl.to_string());
                let args = [&string, ttl.as_bytes()];
                self.run(&self.put_if, key, &expected, &args).await?
            }
            Cond::Any | Cond::Absent => {
                let mut set = redis::cmd("SET");
                set.arg(full(key)).arg(&string);
                if condition == Cond::Absent {
                    set.arg("NX");
                }
                if let Some(ttl) = ttl {
                    set.arg("PX").arg(ttl);
                }
                self.ask::<Option<String>>(&set).await?.is_some()
            }
        };
        changed
            .then_some(Version::new(version))
            .ok_or(StoreError::Conflict)
    }

    async fn del_now(&self, key: &str, condition: Cond) -> Result<(), StoreError> {
        check_key(key)?;
        let done = match condition {
            Cond::Any => {
                self.ask::<i64>(redis::cmd("DEL").arg(full(key))).await?;
                true
            }
            Cond::Absent => self.ask::<i64>(redis::cmd("EXISTS").arg(full(key))).await? == 0,
            Cond::Is(expected) => self.run(&self.del_if, key, &expected, &[]).await?,
        };
        done.then_some(()).ok_or(StoreError::Conflict)
    }

    async fn list_now(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let pattern = format!("{}*", escape(&full(prefix)));
        let mut keys = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern);
            scan.arg("COUNT").arg(SCAN_COUNT);
            let (next, found) = self.ask::<(u64, Vec<String>)>(&scan).await?;
            let found = found.iter().filter_map(|key| key.strip_prefix(PREFIX));
            keys.extend(found.map(str::to_owned));
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        // A key may be found twice while the server rearranges its table.
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

impl Store for RedisStore {
    fn get<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<Entry>> {
        Box::pin(async move {
            check_key(key)?;
            let mut get = redis::cmd("GET");
            let Some(string) = self.ask::<Option<Vec<u8>>>(get.arg(full(key))).await? else {
                return Ok(None);
            };
            let (version, value) = string
                .split_first_chunk::<VERSION_LEN>()
                .ok_or_else(|| StoreError::Damaged(key.to_owned()))?;
            Ok(Some(Entry {
                value: value.to_vec(),
                version: Version::new(*version),
            }))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        condition: Cond,
        ttl: Option<Duration>,
    ) -> StoreFuture<'a, Version> {
        Box::pin(self.put_now(key, value, condition, ttl))
    }

    fn del<'a>(&'a self, key: &'a str, condition: Cond) -> StoreFuture<'a, ()> {
        Box::pin(self.del_now(key, condition))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        Box::pin(self.list_now(prefix))
    }

    fn fast(&self) -> bool {
        true
    }
}

fn full(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// What is special in a pattern of Redis, taken as it is.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Finds the usual mistakes in an address, so that they can be named.
fn check_url(url: &str) -> Result<(), StoreError> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(bad_url("it begins with no scheme, such as redis://"));
    };
    match scheme {
        "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => {}
        "rediss" | "valkeys" => {
            return Err(bad_url(
                "Redis over TLS is not built in; use a socket, or a network that nobody else reads",
            ));
        }
        other => return Err(bad_url(&format!("{other}:// is not the scheme of a Redis"))),
    }
    if rest.is_empty() || (rest.starts_with(':') && !rest.contains('@')) {
        return Err(bad_url("it names no host"));
    }
    Ok(())
}

fn bad_url(reason: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "the address of the Redis server is wrong: {reason}. Expected is \
         redis://[user:password@]host[:port][/database] or unix:///path/of/socket"
    ))
}

fn unavailable(place: &str, error: &RedisError) -> StoreError {
    StoreError::Unavailable(format!("{place}: {error}"))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_addresses_are_told_apart_and_no_password_is_shown() {
        for (url, part) in [
            ("localhost:6379", "no scheme"),
            ("rediss://host", "over TLS"),
            ("http://host", "http://"),
            ("redis://", "no host"),
            ("redis://:6379", "no host"),
            ("redis://user:hunter2@host:port", "cannot be read"),
            ("redis://user:hunter2@host/database", "cannot be read"),
        ] {
            let error = RedisStore::connect_later(url, waxwing_aws_lc::PROVIDER.random);
            let text = error.map(|_| ()).unwrap_err().to_string();
            assert!(text.contains(part), "{url}: {text}");
            assert!(text.contains("redis://[user"), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn patterns_take_keys_as_they_are() {
        assert_eq!(escape("a*b?[c]\\"), "a\\*b\\?\\[c\\]\\\\");
    }
}
