//! Wireshark reads what was said, given our key log (RFC 9850), and only then.

#![forbid(unsafe_code)]

use core::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use waxwing::blocking::Stream;
use waxwing::pki::KeyType;
use waxwing::{ClientSessionCache, EarlyDataStatus, KeyLogFile, ProtocolVersions, SystemClock};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::{Identity, Listener, Process, VERSIONS, connect, contains, peer};

const TSHARK: &str = "tshark";
const TEXT2PCAP: &str = "text2pcap";

/// A socket that keeps all that passes, in the form that `text2pcap` reads: a letter for the
/// direction, then offset and bytes in hexadecimal.
struct Recorded {
    tcp: TcpStream,
    dump: String,
}

impl Recorded {
    fn note(&mut self, direction: char, bytes: &[u8]) {
        // What a packet of IPv4 can hold, and a little less.
        for packet in bytes.chunks(60_000) {
            let _ = write!(self.dump, "{direction}\n000000");
            for byte in packet {
                let _ = write!(self.dump, " {byte:02x}");
            }
            self.dump.push('\n');
        }
    }
}

impl Read for Recorded {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.tcp.read(to)?;
        self.note('I', &to[..count]);
        Ok(count)
    }
}

impl Write for Recorded {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.tcp.write(data)?;
        self.note('O', &data[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// Says something, changes all keys if the version can, says something else, and ends.
fn converse(
    mut stream: Stream<Recorded>,
    versions: ProtocolVersions,
    mut answer: impl FnMut(&str),
) -> String {
    let mut exchange = |stream: &mut Stream<Recorded>, line: &str| {
        stream.write_all(line.as_bytes()).unwrap();
        stream.flush().unwrap();
        answer(line);
        let mut returned = vec![0; line.len()];
        stream.read_exact(&mut returned).unwrap();
    };
    exchange(&mut stream, "under the first keys\n");
    if versions == ProtocolVersions::TLS13 {
        stream.update_key(true).unwrap();
    }
    exchange(&mut stream, "under the second keys\n");
    stream.shutdown().unwrap();
    stream.into_inner().dump
}

/// What `tshark` finds in the streams of `dump`, with the secrets in `keys`.
fn read_by_tshark(dump: &str, keys: &Path, folder: &Path) -> Vec<u8> {
    let (text, capture) = (folder.join("dump.txt"), folder.join("dump.pcap"));
    fs::write(&text, dump).unwrap();
    let (text, capture) = (text.to_str().unwrap(), capture.to_str().unwrap());
    Process::run(TEXT2PCAP, ["-q", "-D", "-T", "50000,443", text, capture]).succeed();
    let option = format!("tls.keylog_file:{}", keys.display());
    let arguments = [
        "-r",
        capture,
        "-o",
        &option,
        "-q",
        "-z",
        "follow,tls,ascii,0",
    ];
    Process::run(TSHARK, arguments).succeed()
}

fn check(dump: &str, keys: &Path, folder: &Path) {
    let found = read_by_tshark(dump, keys, folder);
    for words in ["under the first keys", "under the second keys"] {
        let text = String::from_utf8_lossy(&found);
        assert!(contains(&found, words.as_bytes()), "no {words:?} in {text}");
    }
    let nothing = folder.join("no-keys");
    fs::write(&nothing, "").unwrap();
    let found = read_by_tshark(dump, &nothing, folder);
    assert!(!contains(&found, b"keys"));
}

#[test]
fn a_clients_key_log_opens_a_capture() {
    peer!(OPENSSL);
    peer!(TSHARK);
    peer!(TEXT2PCAP);
    for versions in VERSIONS {
        let identity = Identity::new(KeyType::P256);
        let keys = identity.file("keys");
        let (_peer, port) = s_server(&identity, &["-rev"]);
        let log = Arc::new(KeyLogFile::open(&keys).unwrap());
        let config = Identity::client().versions(versions).key_log(log);
        let sock = Recorded {
            tcp: connect(port).unwrap(),
            dump: String::new(),
        };
        let name = "localhost".parse().unwrap();
        let stream = Stream::client(config.build().unwrap(), name, sock).unwrap();
        let dump = converse(stream, versions, |_| {});
        check(&dump, &keys, keys.parent().unwrap());
    }
}

/// The secret of early data is in the log too: what is said before the server answers is read.
#[test]
fn a_clients_key_log_opens_early_data() {
    peer!(OPENSSL);
    peer!(TSHARK);
    peer!(TEXT2PCAP);
    let identity = Identity::new(KeyType::P256);
    let keys = identity.file("keys");
    let (peer, port) = s_server(&identity, &["-early_data"]);
    let log = Arc::new(KeyLogFile::open(&keys).unwrap());
    let clock = Arc::new(SystemClock);
    let sessions = Arc::new(ClientSessionCache::new(1, clock.clone()));
    let config = Identity::client().sessions(sessions, clock);
    let config = config.early_data(true).key_log(log).build().unwrap();
    for early in [false, true] {
        let sock = Recorded {
            tcp: connect(port).unwrap(),
            dump: String::new(),
        };
        let name = "localhost".parse().unwrap();
        let mut stream = Stream::client(config.clone(), name, sock).unwrap();
        stream
            .handshake_with_early_data(b"under the first keys\n")
            .unwrap();
        let accepted = stream.info().early_data == EarlyDataStatus::Accepted;
        assert_eq!(accepted, early);
        stream.write_all(b"under the second keys\n").unwrap();
        stream.flush().unwrap();
        // Tickets stand before it.
        peer.send("hello\n");
        stream.read_exact(&mut [0; 6]).unwrap();
        stream.shutdown().unwrap();
        check(&stream.into_inner().dump, &keys, keys.parent().unwrap());
    }
    let log = fs::read_to_string(&keys).unwrap();
    assert_eq!(log.matches("CLIENT_EARLY_TRAFFIC_SECRET").count(), 1);
}

#[test]
fn a_servers_key_log_opens_a_capture() {
    peer!(OPENSSL);
    peer!(TSHARK);
    peer!(TEXT2PCAP);
    for versions in VERSIONS {
        let identity = Identity::new(KeyType::P256);
        let keys = identity.file("keys");
        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &["-quiet"]);
        let log = Arc::new(KeyLogFile::open(&keys).unwrap());
        let config = identity.server().versions(versions).key_log(log);
        let sock = Recorded {
            tcp: listener.accept(&mut peer).unwrap(),
            dump: String::new(),
        };
        let stream = Stream::server(config.build().unwrap(), sock);
        let dump = converse(stream, versions, |line| {
            peer.wait_for(line);
            peer.send(line);
        });
        check(&dump, &keys, keys.parent().unwrap());
    }
}
