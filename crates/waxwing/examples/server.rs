//! Greets whoever connects: cargo run --example server, then curl -k https://127.0.0.1:8443

use std::io::{self, BufRead, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use waxwing::{PROVIDER, ServerConfig, pki};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let own = pki::SelfSigned::builder(["127.0.0.1".parse()?]).issue(PROVIDER.random)?;
    let (chain, key) = (own.certificate(), own.key());
    let certified = Arc::new(pki::load_certified_key(&PROVIDER, chain, key)?);
    let config = ServerConfig::builder(&PROVIDER, Arc::new(certified)).build()?;
    for sock in TcpListener::bind("127.0.0.1:8443")?.incoming() {
        greet(config.clone(), sock?).unwrap_or_else(|error| eprintln!("{error}"));
    }
    Ok(())
}

fn greet(config: Arc<ServerConfig>, sock: TcpStream) -> io::Result<()> {
    let mut stream = waxwing::serve(config, sock)?;
    let mut line = String::new();
    while stream.read_line(&mut line)? > 2 {
        line.clear(); // until the empty line after an HTTP request's fields
    }
    write!(stream, "HTTP/1.0 200 OK\r\n\r\nHello over TLS\n")?;
    stream.shutdown()
}
