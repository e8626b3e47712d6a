//! From a host and a port to a connection.

use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;
use core::time::Duration;
use std::io;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long one address may keep the next one waiting (RFC 8305, Section 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// Addresses tried for one name.
const MAX_ADDRESSES: usize = 16;

/// `HOST[:PORT]:ADDR`: where to connect instead of asking the name system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    host: String,
    port: Option<u16>,
    address: IpAddr,
}

impl Override {
    fn applies(&self, host: &str, port: u16) -> bool {
        self.host.eq_ignore_ascii_case(host) && self.port.is_none_or(|own| own == port)
    }
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be HOST:ADDR or HOST:PORT:ADDR, IPv6 in brackets".to_owned();
        let (host, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (port, address) = match parse_address(rest) {
            Some(address) => (None, address),
            None => {
                let (port, address) = rest.split_once(':').ok_or_else(wrong)?;
                let port = port.parse().map_err(|_| wrong())?;
                (Some(port), parse_address(address).ok_or_else(wrong)?)
            }
        };
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            address,
        })
    }
}

/// Without brackets, the colons of IPv6 cannot be told from those around it.
fn parse_address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().map(IpAddr::V4),
    }
}

/// The addresses of a host, in the order to try.
pub(crate) async fn look_up(
    host: &str,
    port: u16,
    overrides: &[Override],
    wanted: impl Fn(&IpAddr) -> bool,
) -> io::Result<Vec<SocketAddr>> {
    let given: Vec<_> = overrides
        .iter()
        .filter(|rule| rule.applies(host, port))
        .map(|rule| SocketAddr::new(rule.address, port))
        .collect();
    let found = if given.is_empty() {
        tokio::net::lookup_host((host, port)).await?.collect()
    } else {
        given
    };
    let fit: Vec<_> = found
        .into_iter()
        .filter(|address| wanted(&address.ip()))
        .take(MAX_ADDRESSES)
        .collect();
    if fit.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no address of the wanted kind",
        ));
    }
    Ok(fit)
}

/// Connects to whichever address answers first. Each gets a head start before the next, and a
/// failure starts the next at once.
///
/// # Errors
/// That of the first address, if none answers.
pub(crate) async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut first_error = None;
    let mut rest = addresses.iter().copied();
    loop {
        let waiting = match rest.next() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
                tokio::time::timeout(NEXT_ADDRESS_AFTER, attempts.join_next()).await
            }
            None => Ok(attempts.join_next().await),
        };
        match waiting {
            Ok(Some(Ok(Ok(stream)))) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Some(Ok(Err(error)))) => {
                first_error.get_or_insert(error);
            }
            Ok(Some(Err(error))) => {
                first_error.get_or_insert_with(|| error.into());
            }
            Ok(None) => {
                return Err(first_error.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read() {
        let parse = |text: &str| text.parse::<Override>();
        let rule = parse("a.test:443:127.0.0.1").unwrap();
        assert!(rule.applies("A.test", 443) && !rule.applies("a.test", 80));
        let rule = parse("a.test:[::1]").unwrap();
        assert!(rule.applies("a.test", 1) && rule.address.is_ipv6());
        assert!(parse("a.test:443:[::1]").is_ok());
        for bad in [
            "",
            "a",
            "a:",
            ":1.2.3.4",
            "a:1:2",
            "a:b:1.2.3.4",
            "a:443:::1",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hide_the_next() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let live = taken.local_addr().unwrap();
        let stream = connect(&[dead, live]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
        let error = connect(&[dead]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
