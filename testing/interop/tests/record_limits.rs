//! max_fragment_length and record_size_limit, agreed on with OpenSSL and GnuTLS.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::pki::KeyType;
use waxwing::{Direction, MaxFragmentLength, ProtocolVersions};
use waxwing_interop::gnutls::{GNUTLS_CLI, GNUTLS_SERV, gnutls_cli, gnutls_serv};
use waxwing_interop::openssl::{OPENSSL, s_client, s_server};
use waxwing_interop::payload::text;
use waxwing_interop::{Identity, Listener, Process, Session, Story, contains, peer};

const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];
/// What a protected record has more than its content, at most.
const OVERHEAD: usize = 8 + 1 + 16;
/// Enough for several records of any length that can be asked for.
const LENGTH: usize = 20_000;

fn assert_kept(story: &Story, direction: Direction, limit: usize) {
    let longest = story.longest_record(direction).expect("data went that way");
    assert!(
        (limit / 2..=limit + OVERHEAD).contains(&longest),
        "{direction}: {longest} bytes under a limit of {limit}"
    );
}

/// Data both ways with a peer that shows what it gets and sends what it is given.
fn both_ways(mut session: Session, mut peer: Process) {
    let data = text(LENGTH);
    peer.send(data.clone());
    assert!(session.read(data.len()).unwrap() == data);
    session.write(&data).unwrap();
    session.close().unwrap();
    assert!(peer.succeed() == data);
}

#[test]
fn openssl_keeps_to_the_fragment_length_we_ask_for() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let story = Story::new();
        let (peer, port) = s_server(&identity, &["-quiet", "-naccept", "1"]);
        let config = Identity::client()
            .versions(versions)
            .max_fragment_length(MaxFragmentLength::Bytes512)
            .trace(Arc::clone(&story) as _);
        both_ways(
            Session::connect(&config.build().unwrap(), port).unwrap(),
            peer,
        );
        assert_kept(&story, Direction::Received, 512);
        assert_kept(&story, Direction::Sent, 512);
    }
}

#[test]
fn we_keep_to_the_fragment_length_that_openssl_asks_for() {
    peer!(OPENSSL);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let story = Story::new();
        let listener = Listener::bind().unwrap();
        let mut peer = s_client(&identity, &listener, &["-quiet", "-maxfraglen", "1024"]);
        let config = identity
            .server()
            .versions(versions)
            .trace(Arc::clone(&story) as _);
        let tcp = listener.accept(&mut peer).unwrap();
        both_ways(
            Session::accept(&config.build().unwrap(), tcp).unwrap(),
            peer,
        );
        assert_kept(&story, Direction::Received, 1024);
        assert_kept(&story, Direction::Sent, 1024);
    }
}

#[test]
fn gnutls_keeps_to_our_record_size_limit_and_we_to_its_own() {
    peer!(GNUTLS_SERV);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let story = Story::new();
        let (mut peer, port) = gnutls_serv(&identity, &["--recordsize", "2000"]);
        let config = Identity::client()
            .versions(versions)
            .record_size_limit(700)
            .trace(Arc::clone(&story) as _);
        let mut session = Session::connect(&config.build().unwrap(), port).unwrap();
        let data = text(LENGTH);
        assert!(session.echo(&data).unwrap() == data);
        session.close().unwrap();
        peer.kill();
        assert_kept(&story, Direction::Received, 700);
        assert_kept(&story, Direction::Sent, 2000);
    }
}

/// This client loses what does not fit into one record, so it is given short lines only.
#[test]
fn we_keep_to_the_record_size_limit_of_a_gnutls_client() {
    peer!(GNUTLS_CLI);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        let story = Story::new();
        let listener = Listener::bind().unwrap();
        // Offering both versions it asks for a byte more than it takes in TLS 1.2.
        let priority = if versions == ProtocolVersions::TLS12 {
            "NORMAL:-VERS-ALL:+VERS-TLS1.2"
        } else {
            "NORMAL"
        };
        let options = ["--recordsize", "600", "--priority", priority];
        let mut peer = gnutls_cli(&identity, &listener, &options);
        let config = identity
            .server()
            .versions(versions)
            .trace(Arc::clone(&story) as _);
        let tcp = listener.accept(&mut peer).unwrap();
        let mut session = Session::accept(&config.build().unwrap(), tcp).unwrap();
        peer.send("a line\n");
        assert_eq!(session.read_line().unwrap(), b"a line\n");
        let data = text(LENGTH);
        session.write(&data).unwrap();
        peer.wait_until("the data", |output, _| contains(output, &data));
        assert_kept(&story, Direction::Sent, 600);
    }
}
