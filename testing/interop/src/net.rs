//! Ports and connections on loopback, without waiting for ever.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::sync::atomic::{AtomicU16, Ordering};
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use crate::Process;

/// How long anything may take: connecting, one read, one write, a peer's whole life.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two looks at something that tells nobody when it changes.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// Ports for peers lie below those that the system gives to outgoing connections (32768 on
/// Linux), so that none is taken between here and the peer's own bind.
const FIRST_PORT: u16 = 10_000;
const PORTS: u16 = 22_000;

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

/// A port that nobody listens on, given out once per process.
///
/// # Panics
/// If all are taken.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test binaries that run at the same time start at different places.
    let start = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap_or(0);
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + start.wrapping_add(step) % PORTS;
        // Not tried by binding: a program that another thread starts at that moment would hold
        // a copy of the listening socket for a while, and take the peer's first connection.
        if TcpStream::connect(loopback(port)).is_err() {
            return port;
        }
    }
    panic!("no free port");
}

/// Connects as soon as somebody listens.
///
/// # Errors
/// What connecting runs into at the end of [`PATIENCE`].
pub fn connect(port: u16) -> io::Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(loopback(port)) {
            Ok(tcp) => return prepared(tcp),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// Where a peer's client connects to us.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    port: u16,
}

impl Listener {
    /// Listens on a port of the system's choice.
    ///
    /// # Errors
    /// What binding runs into.
    pub fn bind() -> io::Result<Self> {
        let tcp = TcpListener::bind(loopback(0))?;
        tcp.set_nonblocking(true)?;
        let port = tcp.local_addr()?.port();
        Ok(Self { tcp, port })
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1` and the port.
    #[must_use]
    pub fn address(&self) -> String {
        loopback(self.port).to_string()
    }

    /// Waits for `peer` to connect.
    ///
    /// # Errors
    /// [`ErrorKind::NotConnected`] if it ends without, [`ErrorKind::TimedOut`] at the end of
    /// [`PATIENCE`].
    pub fn accept(&self, peer: &mut Process) -> io::Result<TcpStream> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Asked first: it may connect and end between the two.
            let ended = peer.has_ended();
            match self.tcp.accept() {
                Ok((tcp, _)) => {
                    tcp.set_nonblocking(false)?;
                    return prepared(tcp);
                }
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Err(_) if ended => {
                    return Err(io::Error::new(ErrorKind::NotConnected, peer.report()));
                }
                Err(_) if Instant::now() >= deadline => {
                    return Err(io::Error::new(ErrorKind::TimedOut, peer.report()));
                }
                Err(_) => thread::sleep(POLL),
            }
        }
    }
}

fn prepared(tcp: TcpStream) -> io::Result<TcpStream> {
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    Ok(tcp)
}
