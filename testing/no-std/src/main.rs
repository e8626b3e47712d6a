//! Proves that the engine needs no standard library, and says how much memory a handshake takes.
//!
//! This program has a panic handler and an allocator of its own. If anything below
//! `waxwing-core` pulled `std` in, there would be two panic handlers and it would not link. It
//! then runs a client against a server on a painted stack, over a fixed arena, and prints the
//! peaks. The cryptography is a stand-in (see `stub`): what is counted is the engine.

#![no_std]
#![no_main]

extern crate alloc;

mod equipment;
mod stub;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write as _;

use equipment::{ARENA, Stdout, heap_peak, heap_used, run_on_painted_stack};
use stub::{CERTIFICATE, PROVIDER, TrustOne, server_key};
use waxwing_core::{
    Buffer, CertifiedKey, ClientConfig, Connection, Event, ServerConfig, ServerName,
};

/// The entry point that the C runtime calls.
// SAFETY: the only symbol of this name in the program, with the signature that C gives it.
#[unsafe(no_mangle)]
pub extern "C" fn main(_argc: i32, _argv: *const *const u8) -> i32 {
    let stack = run_on_painted_stack(whole_connection);
    let mut out = Stdout;
    let _ = writeln!(out, "handshake, data both ways, close: done without std");
    let _ = writeln!(out, "stack peak: {stack} bytes");
    let _ = writeln!(out, "heap peak:  {} of {ARENA} bytes", heap_peak());
    let _ = writeln!(out, "heap after: {} bytes", heap_used());
    i32::from(heap_used() != 0)
}

/// One end of the connection.
struct End {
    connection: Connection,
    input: Vec<u8>,
    out: Buffer,
    received: Vec<u8>,
    closed: bool,
}

impl End {
    fn new(connection: Connection, out: Buffer) -> Self {
        Self {
            connection,
            input: Vec::new(),
            out,
            received: Vec::new(),
            closed: false,
        }
    }

    /// Takes what `from` has to send, and processes it.
    fn take_from(&mut self, from: &mut Self) {
        self.input.extend_from_slice(from.out.as_slice());
        from.out.clear();
        loop {
            let progress = self.connection.process(&mut self.input, &mut self.out);
            let progress = progress.expect("the two ends understand each other");
            if let Event::AppData(place) = &progress.event {
                self.received.extend_from_slice(&self.input[place.clone()]);
            }
            self.input.drain(..progress.consumed);
            match progress.event {
                Event::NeedInput(_) => return,
                Event::PeerClosed => {
                    self.closed = true;
                    return;
                }
                _ => {}
            }
        }
    }
}

fn settle(client: &mut End, server: &mut End) {
    while !client.out.is_empty() || !server.out.is_empty() {
        server.take_from(client);
        client.take_from(server);
    }
}

/// From the first ClientHello to close_notify in both directions.
extern "C" fn whole_connection() {
    let name: ServerName = "device.example".parse().expect("a good name");
    let config = ClientConfig::builder(&PROVIDER, Arc::new(TrustOne)).build();
    let mut out = Buffer::new();
    let client = Connection::client(config.expect("a good configuration"), name, &mut out);
    let mut client = End::new(client.expect("a ClientHello"), out);

    let identity = CertifiedKey::new(Vec::from([CERTIFICATE.to_vec()]), server_key());
    let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(identity))).build();
    let server = Connection::server(config.expect("a good configuration"));
    let mut server = End::new(server, Buffer::new());

    settle(&mut client, &mut server);
    assert!(!client.connection.is_handshaking() && !server.connection.is_handshaking());

    for (from, to) in [(true, b"question"), (false, b"answer..")] {
        let (sender, _) = pick(from, &mut client, &mut server);
        let written = sender.connection.write(&[to], &mut sender.out);
        assert_eq!(written, Ok(to.len()));
        settle(&mut client, &mut server);
    }
    assert_eq!(server.received, b"question");
    assert_eq!(client.received, b"answer..");

    client.connection.close(&mut client.out);
    server.connection.close(&mut server.out);
    settle(&mut client, &mut server);
    assert!(client.closed && server.closed);
}

fn pick<'a>(client_first: bool, a: &'a mut End, b: &'a mut End) -> (&'a mut End, &'a mut End) {
    if client_first { (a, b) } else { (b, a) }
}
