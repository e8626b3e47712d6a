//! Fetches a page: cargo run --example client www.example.org

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let host = std::env::args().nth(1).expect("the name of a server");
    // Checks the server against the certificates that this system trusts.
    let mut stream = waxwing::connect_default(&host, 443)?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    stream.flush()?;
    eprintln!("{:?}", stream.info());

    let mut answer = String::new();
    // Fails if the connection is cut before the server said that this is all.
    stream.read_to_string(&mut answer)?;
    println!("{answer}");
    stream.shutdown()
}
