//! What one side says and the other gets to know.

mod common;

use std::sync::{Arc, Mutex};

use common::{CERTIFICATE, Pair, certified_key, client_builder, server_builder, server_key};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertChoice, CertResolver, CertifiedKey, ClientHelloView, ProtocolVersions, ServerConfig,
    ServerName,
};

/// Remembers what a hello said.
#[derive(Debug, Default)]
struct Listener(Mutex<Vec<Heard>>);

#[derive(Debug, PartialEq, Eq)]
struct Heard {
    name: Option<String>,
    alpn: Vec<Vec<u8>>,
    authorities: Vec<Vec<u8>>,
    groups: usize,
    schemes: usize,
}

impl CertResolver for Listener {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        self.0.lock().unwrap().push(Heard {
            name: hello.server_name().map(Into::into),
            alpn: hello.alpn().map(<[u8]>::to_vec).collect(),
            authorities: hello
                .certificate_authorities()
                .map(<[u8]>::to_vec)
                .collect(),
            // Reserved values of RFC 8701 are shown like any other; they are not counted here.
            groups: hello.groups().filter(|group| !group.is_grease()).count(),
            schemes: hello
                .signature_schemes()
                .filter(|scheme| !scheme.is_grease())
                .count(),
        });
        CertChoice::Use(certified_key())
    }
}

#[test]
fn the_resolver_hears_what_the_client_says() {
    let authorities = [vec![0x30, 0], vec![0x30, 2, 5, 0]];
    let listener = Arc::new(Listener::default());
    let server = ServerConfig::builder(&PROVIDER, listener.clone());
    let client = client_builder()
        .alpn(["h2", "http/1.1"])
        .certificate_authorities(authorities.clone());
    let mut pair = Pair::new(client, server.alpn(["http/1.1"]));
    pair.settle().unwrap();
    let heard = Heard {
        name: Some("server.example".into()),
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        authorities: authorities.into(),
        groups: PROVIDER.groups.len(),
        schemes: PROVIDER.signature_schemes().count(),
    };
    assert_eq!(*listener.0.lock().unwrap(), [heard]);
    for end in [&pair.client, &pair.server] {
        let info = end.connection.info();
        assert_eq!(info.alpn.as_deref(), Some(&b"http/1.1"[..]));
    }
    let name: ServerName = "server.example".parse().unwrap();
    let heard = pair.server.connection.info().server_name.clone();
    assert_eq!(heard.map(ServerName::Dns), Some(name));
    assert_eq!(pair.client.connection.info().server_name, None);
}

#[test]
fn the_name_can_be_kept_back() {
    let mut pair = Pair::new(client_builder().send_server_name(false), server_builder());
    pair.settle().unwrap();
    assert_eq!(pair.server.connection.info().server_name, None);
}

#[test]
fn protocols_are_chosen_in_the_servers_order() {
    for (client, server, required, chosen) in [
        (&["a", "b"][..], &["b", "a"][..], true, Some("b")),
        (&["a"], &["b"], false, None),
        (&["a"], &[], true, None),
        (&[], &["b"], true, None),
    ] {
        let server = server_builder().alpn(server).alpn_required(required);
        let mut pair = Pair::new(client_builder().alpn(client), server);
        pair.settle().unwrap();
        for end in [&pair.client, &pair.server] {
            let alpn = end.connection.info().alpn.as_deref();
            assert_eq!(alpn, chosen.map(str::as_bytes));
        }
    }
}

#[test]
fn timestamps_reach_clients_that_ask_for_them() {
    const LIST: &[u8] = &[0, 5, 0, 3, 1, 2, 3];
    for versions in [ProtocolVersions::TLS12, ProtocolVersions::TLS13] {
        for (ask, staple) in [(true, true), (true, false), (false, true), (false, false)] {
            let key = CertifiedKey::new(vec![CERTIFICATE.to_vec()], server_key());
            let key = key.with_ocsp(b"an OCSP response".to_vec());
            let key = Arc::new(key.with_scts(LIST.to_vec()));
            let server = ServerConfig::builder(&PROVIDER, Arc::new(key)).versions(versions);
            let client = client_builder()
                .versions(versions)
                .request_scts(ask)
                .request_ocsp(staple)
                .keep_peer_chain(true);
            let mut pair = Pair::new(client, server);
            pair.settle().unwrap();
            let info = pair.client.connection.info();
            assert_eq!(info.scts.as_deref(), ask.then_some(LIST), "{versions:?}");
            assert_eq!(info.ocsp.is_some(), staple, "{versions:?}");
        }
    }
}

#[test]
fn a_staple_reaches_clients_that_ask_for_it() {
    let key = || CertifiedKey::new(vec![CERTIFICATE.to_vec()], server_key());
    for (ask, keep) in [(true, true), (true, false), (false, true)] {
        let key = Arc::new(key().with_ocsp(b"an OCSP response".to_vec()));
        let server = ServerConfig::builder(&PROVIDER, Arc::new(key));
        let client = client_builder().request_ocsp(ask).keep_peer_chain(keep);
        let mut pair = Pair::new(client, server);
        pair.settle().unwrap();
        let info = pair.client.connection.info();
        let expected = (ask && keep).then_some(&b"an OCSP response"[..]);
        assert_eq!(info.ocsp.as_deref(), expected);
        let chain: Vec<&[u8]> = info.peer_chain.iter().map(|der| &**der).collect();
        assert_eq!(chain, if keep { vec![CERTIFICATE] } else { vec![] });
    }
}
