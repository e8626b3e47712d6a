//! Bodies that only the end of the connection ends.

mod common;

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use common::{assert_fails, assert_good, get, read_head, stdout};
use waxwing::pki::{AltName, Identity, SelfSigned, load_certified_key};
use waxwing::{PROVIDER, ServerConfig};

/// A server that answers one request without a length, and its pin. It says goodbye or not.
fn server(goodbye: bool) -> (SocketAddr, String) {
    let names = [AltName::Dns("localhost".to_owned())];
    let made = SelfSigned::builder(names).issue(PROVIDER.random).unwrap();
    let key = load_certified_key(&PROVIDER, made.certificate(), made.key()).unwrap();
    let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(key)));
    let config = config.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut stream = waxwing::serve(config, tcp).unwrap();
        read_head(&mut BufReader::new(&mut stream));
        let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwithout a length";
        stream.write_all(answer).unwrap();
        stream.flush().unwrap();
        if goodbye {
            stream.close_notify().unwrap();
        }
    });
    let identity = Identity::from_der(made.certificate()).unwrap();
    (address, identity.key_pin.to_string())
}

fn fetch(goodbye: bool) -> std::process::Output {
    let (address, pin) = server(goodbye);
    get(&[
        "--pin",
        &pin,
        &format!("https://localhost:{}/", address.port()),
    ])
}

#[test]
fn the_end_of_the_connection_is_the_end_of_the_body() {
    let output = fetch(true);
    assert_good(&output);
    assert_eq!(stdout(&output), "without a length");
}

#[test]
fn without_a_goodbye_the_body_may_be_cut() {
    let output = fetch(false);
    assert_fails(&output, 4, "without close_notify");
    assert_eq!(stdout(&output), "without a length");
}
