//! Streams whose handshake failed.

mod common;

use std::io::{self, Cursor, Read, Write};

use common::{client_config, name};
use waxwing::blocking::Stream;
use waxwing::{Error, PeerError, tls_error};

/// A peer that says what it has to say, whatever it hears.
struct Deaf(Cursor<&'static [u8]>);

impl Read for Deaf {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to)
    }
}

impl Write for Deaf {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failed_handshake_fails_again() {
    let peer = Deaf(Cursor::new(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let mut stream = Stream::client(client_config(), name(), peer).unwrap();
    let expected = Error::Peer(PeerError::PlaintextHttp);
    for _ in 0..2 {
        let error = stream.handshake().unwrap_err();
        assert_eq!(tls_error(&error), Some(&expected));
    }
    assert_eq!(
        tls_error(&stream.write(b"data").unwrap_err()),
        Some(&expected)
    );
    let split = stream.into_split_with(|peer| Ok((peer, io::sink())));
    assert_eq!(tls_error(&split.err().unwrap()), Some(&expected));
}

#[test]
fn closing_ends_a_handshake() {
    let peer = Deaf(Cursor::new(b""));
    let mut stream = Stream::client(client_config(), name(), peer).unwrap();
    stream.close_notify().unwrap();
    assert!(stream.handshake().is_err());
    assert!(stream.read(&mut [0]).is_err());
}
