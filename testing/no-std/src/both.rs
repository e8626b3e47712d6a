//! A client against a server, from the first ClientHello to close_notify in both directions.

use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_core::{
    Buffer, CertifiedKey, ClientConfig, Connection, Event, ProtocolVersions, ServerConfig,
    ServerName,
};

use crate::stub::{CERTIFICATE, PROVIDER, TrustOne, server_key};

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

/// A connection of each version.
pub extern "C" fn run() {
    #[cfg(feature = "tls12")]
    whole_connection(ProtocolVersions::TLS12);
    whole_connection(ProtocolVersions::TLS13);
}

fn whole_connection(versions: ProtocolVersions) {
    let name: ServerName = "device.example".parse().expect("a good name");
    let config = ClientConfig::builder(&PROVIDER, Arc::new(TrustOne))
        .versions(versions)
        .build();
    let mut out = Buffer::new();
    let client = Connection::client(config.expect("a good configuration"), name, &mut out);
    let mut client = End::new(client.expect("a ClientHello"), out);

    let identity = CertifiedKey::new(Vec::from([CERTIFICATE.to_vec()]), server_key());
    let config = ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(identity)))
        .versions(versions)
        .build();
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
