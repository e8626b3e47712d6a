//! Sessions with Node and curl, in both versions.

#![forbid(unsafe_code)]

use std::sync::Arc;

use waxwing::pki::KeyType;
use waxwing::{
    ClientConfig, ClientSessionCache, PROVIDER, ProtocolVersion, ProtocolVersions, ServerConfig,
    ServerSessions, SystemClock,
};
use waxwing_interop::scripts::{NODE, node_server, script};
use waxwing_interop::{Identity, Listener, Process, Session, VERSIONS, count, peer};
use waxwing_server::{MemorySessions, TicketKeys};

const CURL: &str = "curl";
/// `SSL_OP_NO_TICKET` of OpenSSL.
const NO_TICKET: &str = r#","secureOptions":16384"#;

fn now() -> Arc<SystemClock> {
    Arc::new(SystemClock)
}

fn client(versions: ProtocolVersions) -> Arc<ClientConfig> {
    let sessions = ClientSessionCache::new(4, now());
    let builder = Identity::client().versions(versions);
    let builder = builder.sessions(Arc::new(sessions), now());
    builder.build().unwrap()
}

fn sealed() -> Arc<dyn ServerSessions> {
    Arc::new(TicketKeys::new(&PROVIDER, now()).unwrap())
}

fn kept() -> Arc<dyn ServerSessions> {
    Arc::new(MemorySessions::new(16, now(), PROVIDER.random))
}

fn server(
    identity: &Identity,
    versions: ProtocolVersions,
    sessions: Arc<dyn ServerSessions>,
) -> Arc<ServerConfig> {
    let builder = identity.server().versions(versions);
    builder.sessions(sessions, now()).build().unwrap()
}

/// What Node's `getProtocol` and curl call it.
fn name(versions: ProtocolVersions) -> &'static str {
    if versions.max() == Some(ProtocolVersion::TLS12) {
        "TLSv1.2"
    } else {
        "TLSv1.3"
    }
}

/// Connects to a Node server: whether both sides say it was resumed or not, as expected. `seen` is
/// how many connections Node has told of before, and how many of them were resumed.
fn visit(
    config: &Arc<ClientConfig>,
    server: &mut (Process, u16),
    resumed: bool,
    seen: &mut [usize; 2],
) {
    let mut session = Session::connect(config, server.1).unwrap();
    assert_eq!(session.info().resumed, resumed);
    assert_eq!(session.echo(b"hello\n").unwrap(), b"hello\n");
    session.close().unwrap();
    seen[usize::from(resumed)] += 1;
    server.0.wait_until("its view", |output, _| {
        let told = [r#""reused":false"#, r#""reused":true"#].map(|words| count(output, words));
        told == *seen
    });
}

#[test]
fn node_servers_resume_our_sessions() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    // Node knows sessions by their ids in TLS 1.2 alone.
    let ids = format!(r#"{NO_TICKET},"remember":true"#);
    let old = ProtocolVersions::TLS12;
    for (versions, options) in [(ProtocolVersions::TLS13, ""), (old, ""), (old, &ids)] {
        let mut server = node_server(NODE, &identity, options);
        let config = client(versions);
        let mut seen = [0; 2];
        for again in [false, true, true] {
            visit(&config, &mut server, again, &mut seen);
        }
    }
}

#[test]
fn node_servers_with_the_same_ticket_keys_resume_our_sessions_and_others_do_not() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    let keys = |byte: &str| format!(r#","ticketKeys":"{}""#, byte.repeat(48));
    for versions in VERSIONS {
        let [mut first, mut second, mut other] =
            ["5a", "5a", "77"].map(|byte| node_server(NODE, &identity, &keys(byte)));
        let config = client(versions);
        visit(&config, &mut first, false, &mut [0; 2]);
        visit(&config, &mut second, true, &mut [0; 2]);
        visit(&config, &mut other, false, &mut [0; 2]);
    }
}

#[test]
fn node_clients_resume_sessions_of_ours() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    for versions in VERSIONS {
        for (sessions, options) in [(sealed(), ""), (kept(), ""), (kept(), NO_TICKET)] {
            let config = server(&identity, versions, sessions);
            let listener = Listener::bind().unwrap();
            let options = format!(r#"{{"times":3,"ca":"{}"{options}}}"#, identity.anchor());
            let port = listener.port().to_string();
            let script = script("resume.cjs");
            let mut peer = Process::run(NODE, [script.to_str().unwrap(), &port, &options]);
            for again in [false, true, true] {
                let tcp = listener.accept(&mut peer).unwrap();
                let mut session = Session::accept(&config, tcp).unwrap();
                assert_eq!(session.info().resumed, again, "{options}");
                session.write(b"for you").unwrap();
                session.read_to_close().unwrap();
                session.close().unwrap();
            }
            let output = peer.succeed();
            let view = |reused| {
                let name = name(versions);
                format!(
                    r#"{{"protocol":"{name}","reused":{reused},"authorized":true,"heard":"for you"}}"#
                )
            };
            assert_eq!(
                (count(&output, &view(false)), count(&output, &view(true))),
                (1, 2)
            );
        }
    }
}

/// Answers a request, and closes, so that the next one needs a new connection.
fn answer(config: &Arc<ServerConfig>, listener: &Listener, curl: &mut Process) -> bool {
    let tcp = listener.accept(curl).unwrap();
    let mut session = Session::accept(config, tcp).unwrap();
    let mut line = session.read_line().unwrap();
    while line != b"\r\n" {
        assert!(line.ends_with(b"\r\n"));
        line = session.read_line().unwrap();
    }
    let text = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nyes";
    session.write(text).unwrap();
    let resumed = session.info().resumed;
    session.close().unwrap();
    resumed
}

#[test]
fn curl_resumes_sessions_of_ours() {
    peer!(CURL);
    let identity = Identity::new(KeyType::P256);
    // It asks for no tickets in TLS 1.2.
    let old = (ProtocolVersions::TLS12, kept());
    let new = ProtocolVersions::TLS13;
    for (versions, sessions) in [(new, sealed()), (new, kept()), old] {
        let config = server(&identity, versions, sessions);
        let listener = Listener::bind().unwrap();
        let port = listener.port();
        let place = format!("localhost:{port}:127.0.0.1");
        let url = format!("https://localhost:{port}/");
        let options = ["--verbose", "--silent", "--http1.1", "--max-time", "20"];
        let trust = ["--cacert", identity.anchor(), "--resolve", &place];
        let mut curl = Process::run(CURL, [&options[..], &trust, &[&*url; 3]].concat());
        let resumed = [(); 3].map(|()| answer(&config, &listener, &mut curl));
        assert_eq!(resumed, [false, true, true]);
        let version = format!("SSL connection using {}", name(versions));
        // It shows a session twice, and sees a certificate once.
        curl.wait_until("its view", |_, errors| {
            let shown = count(errors, "SSL re-using session ID");
            let certificates = count(errors, "TLS handshake, Certificate (11)");
            [count(errors, &version), shown, certificates] == [3, 2, 1]
        });
        assert_eq!(curl.succeed(), b"yesyesyes");
    }
}
