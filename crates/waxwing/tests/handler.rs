//! A handler that knows nothing of TLS, behind a plain port and behind a TLS port.

mod common;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::thread;

use common::pipe::{Duplex, duplex};
use common::{client_config, name, server_config};
use waxwing::{Connector, serve};

/// Answers each line with its length.
fn handle(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        writeln!(stream.get_mut(), "{} bytes", line.len())?;
        line.clear();
    }
    stream.get_mut().flush()
}

const REQUEST: &[u8] = b"one\ntwo and more\n\nthe last\n";

fn ask_plain() -> Vec<u8> {
    let (client, mut server) = duplex(1 << 12);
    let handler = thread::spawn(move || handle(&mut server).unwrap());
    let Duplex {
        mut reader,
        mut writer,
    } = client;
    writer.write_all(REQUEST).unwrap();
    drop(writer);
    let mut answer = Vec::new();
    handler.join().unwrap();
    reader.read_to_end(&mut answer).unwrap();
    answer
}

fn ask_over_tls() -> Vec<u8> {
    let (client, server) = duplex(1 << 16);
    let handler = thread::spawn(move || {
        let mut stream = serve(server_config(), server).unwrap();
        handle(&mut stream).unwrap();
        stream.shutdown().unwrap();
    });
    let mut client = Connector::new(client_config())
        .connect(name(), client)
        .unwrap();
    client.write_all(REQUEST).unwrap();
    client.close_notify().unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    handler.join().unwrap();
    answer
}

#[test]
fn one_handler_answers_alike_behind_plain_and_tls_ports() {
    let plain = ask_plain();
    assert_eq!(plain, b"4 bytes\n13 bytes\n1 bytes\n9 bytes\n");
    assert_eq!(ask_over_tls(), plain);
}

#[test]
fn no_handler_runs_before_the_clients_finished() {
    let (mut client, server) = duplex(1 << 16);
    let server = thread::spawn(move || serve(server_config(), server).map(|_| ()));
    // A real ClientHello, and then the end instead of Finished.
    let mut out = waxwing::Buffer::new();
    waxwing::Connection::client(client_config(), name(), &mut out).unwrap();
    client.write_all(out.as_slice()).unwrap();
    let mut header = [0; 5];
    client.reader.read_exact(&mut header).unwrap();
    assert_eq!(header[0], 22, "the server answered the hello");
    drop(client);
    // `serve` gives no stream, so there is nothing that a handler could be called with.
    assert!(server.join().unwrap().is_err());
}
